"""`ApiView`: what every address of the API has in common: language, actor, known parameters, act."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from entry.door import NotFound
from exchange.body import LengthRequired
from exchange.operation import Described, Op
from exchange.problems import ApiProblem, pointer, problem_of_header, problem_of_parameter
from trial.access import Act, Actor, require
from trial.text import T


@dataclass(frozen=True)
class Param:
    """A query parameter: its name, what it does, and the JSON schema of its values."""

    name: str
    en: str
    zh: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})


class AlwaysJson(BaseContentNegotiation):
    """An address answers with what it says, whatever Accept asks for; other formats come by ?format=."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """The parser of the body's media type, None when there is none (415)."""
        sent = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> Any:
        """The first renderer."""
        first = next(iter(renderers))
        return first, first.media_type


class ApiView(APIView):
    """A view for an actor. `acts` names the right that each method needs; `params` the query parameters it knows."""

    schema = Described()
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    tag: ClassVar[str] = ""
    ops: ClassVar[dict[str, Op]] = {}
    acts: ClassVar[dict[str, Act]] = {}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {}
    public: ClassVar[bool] = False
    actor: Actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Language, then who asks, then whether the access table and the parameters allow it."""
        translation.activate(language_of(request.META.get("HTTP_ACCEPT_LANGUAGE", "")))
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else request.method or "GET"
        if method not in self.allowed_methods:
            return
        if any("\x00" in str(value) for value in kwargs.values()):
            raise NotFound
        if not self.public:
            self.actor = request._request.actor  # type: ignore[attr-defined]
            require(self.actor, self.acts.get(method, Act.READ))
        known_parameters(request, self.params.get(method, ()))
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequired


def language_of(header: str) -> str:
    """zh-hans when Accept-Language prefers Chinese, else English."""
    for code, _ in parse_accept_lang_header(header.lower()[:500]):
        if code.startswith("zh"):
            return "zh-hans"
        if code.startswith("en"):
            return "en"
    return "en"


def known_parameters(request: Request, params: Sequence[Param]) -> None:
    """Refuse a query parameter that this address does not know, or that stands twice or holds a NUL."""
    names = [param.name for param in params]
    for name, values in request.query_params.lists():
        if name not in names:
            raise _unknown_parameter(name, names)
        if len(values) > 1:
            raise problem_of_parameter(
                name, "twice", T(f"The parameter “{name}” stands twice.", f"参数“{name}”出现多次。")
            )
        if "\x00" in values[0]:
            raise problem_of_parameter(
                name, "control_character", T(f"“{name}” holds a NUL.", f"参数“{name}”含有 NUL。")
            )


def _unknown_parameter(name: str, names: list[str]) -> ApiProblem:
    shown = re.sub(r"[\x00-\x1f]", "?", name)[:80]
    near = next(iter(get_close_matches(name, names, 1)), "")
    known = ", ".join(names) or "none"
    hint_en, hint_zh = (f" Did you mean “{near}”?", f"是否为“{near}”?") if near else ("", "")
    return problem_of_parameter(
        shown,
        "unknown_parameter",
        T(
            f"There is no parameter “{shown}” here; known: {known}.{hint_en}",
            f"此处没有参数“{shown}”;可用:{known}。{hint_zh}",
        ),
        limit=known,
        fix=near,
    )


def json_answer(body: str | bytes, status: int = 200, **headers: str) -> HttpResponse:
    """A JSON text as a response; header names have underscores for dashes."""
    response = HttpResponse(body, content_type="application/json", status=status)
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def body_of(request: Request, known: Sequence[str]) -> dict[str, Any]:
    """The body as an object holding only `known` keys. Raises ApiProblem (400) for anything else."""
    body = object_of(request)
    for key in body:
        if key not in known:
            near = next(iter(get_close_matches(key, known, 1)), "")
            said = T(
                f"There is no key “{key[:80]}” here; known: {', '.join(known)}.",
                f"此处没有键“{key[:80]}”;可用:{', '.join(known)}。",
            )
            raise ApiProblem(
                "rejected",
                said,
                [
                    {
                        "pointer": pointer(key[:80]),
                        "field": key[:80],
                        "code": "unknown_key",
                        "detail": said,
                        "fix": near,
                    }
                ],
            )
    return body


def object_of(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises ApiProblem (400) for a list, a text or nothing."""
    body = request.data
    if not isinstance(body, dict) or request.META.get("CONTENT_LENGTH", "") in ("", "0"):
        said = T("The body must be one JSON object.", "请求体应为一个 JSON 对象。")
        raise ApiProblem("rejected", said, [{"pointer": "", "code": "not_an_object", "detail": said}])
    return body


_ETAG = re.compile(r'^"(\d{1,9})"$')


def seen_version(request: Request) -> int:
    """The version in If-Match. Missing: 428. A weak tag, `*` or a list cannot say what was seen: 400."""
    sent = request.META.get("HTTP_IF_MATCH", "").strip()
    if not sent:
        said = T(
            'Send If-Match with the ETag of the version you saw, for example If-Match: "3".',
            '请发送 If-Match,值为您所见版本的 ETag,例如 If-Match: "3"。',
        )
        raise problem_of_header("If-Match", "required", said, kind="precondition")
    found = _ETAG.match(sent)
    if not found:
        said = T(
            'If-Match takes one strong tag as it was given, for example "3"; weak tags (W/), * and lists do not say what you saw.',
            'If-Match 只接受一个强标签,例如 "3";弱标签(W/)、* 和列表不能说明您所见的版本。',
        )
        raise problem_of_header("If-Match", "not_a_strong_tag", said)
    return int(found[1])


def text_header(request: Request, name: str) -> str:
    """A request header as text: UTF-8 where the client sent UTF-8."""
    raw = request.META.get("HTTP_" + name.upper().replace("-", "_"), "")
    try:
        return str(raw).encode("latin-1").decode("utf-8").strip()
    except (UnicodeEncodeError, UnicodeDecodeError):
        raise problem_of_header(
            name, "not_utf8", T(f"{name} is not UTF-8.", f"{name} 不是 UTF-8 编码。")
        ) from None
