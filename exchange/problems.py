"""Every error of the API as one document: RFC 9457 `application/problem+json`, in the language that was asked for."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework.exceptions import APIException, Throttled

from entry.door import Forbidden, Locked, NotFound, Rejected, Stale
from entry.signing import SignatureRefused
from exchange.jobs import OtherBody
from exchange.kinds import KINDS, OF_STATUS
from review.queries import QueryRefused
from trial.faults import places
from trial.findings import Problem
from trial.text import T

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5


class ApiProblem(Exception):
    """A refusal with its kind (see exchange.kinds), a sentence, and what is wrong where."""

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.kind, self.detail, self.errors = kind, detail, list(errors)
        self.headers, self.more = dict(headers or {}), more
        super().__init__(kind)


def problem_of_parameter(
    name: str, code: str, detail: str, value: str = "", limit: str = "", fix: str = ""
) -> ApiProblem:
    """A query parameter that cannot be used: 400 naming it."""
    error = {
        "parameter": name,
        "code": code,
        "detail": detail,
        "value": value[:80],
        "limit": limit,
        "fix": fix,
    }
    return ApiProblem("parameter", detail, [error])


def problem_of_header(name: str, code: str, detail: str, kind: str = "header") -> ApiProblem:
    """A request header that is missing or cannot be used."""
    return ApiProblem(kind, detail, [{"header": name, "code": code, "detail": detail}])


def pointer(field: str, sent: Iterable[str] = ()) -> str:
    """The JSON pointer of a field in the body that was sent (`alt_value` was perhaps sent as `alt`)."""
    if not field:
        return ""
    short = field.removesuffix("_value")
    name = short if field.endswith("_value") and field not in sent and short in sent else field
    head, dot, rest = name.partition(".")
    parts = [head, rest] if dot and head == "missing" else [name]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def error_of(problem: Problem, sent: Iterable[str] = ()) -> dict[str, Any]:
    """One Problem as an entry of `errors`."""
    return {
        "pointer": pointer(problem.field, sent),
        "field": problem.field,
        "code": problem.code,
        "detail": str(problem.message),
        "value": str(problem.value),
        "limit": str(problem.limit),
        "rule": str(problem.rule),
        "fix": str(problem.fix),
    }


def instance_of(request: Any) -> str:
    """The number of a request as its answer and the log tell it, "" outside one."""
    number = getattr(getattr(request, "_request", request), "request_id", "")
    return f"urn:uuid:{UUID(number)}" if number else ""


def document(
    kind: str, detail: str, errors: Iterable[Mapping[str, Any]], request: Any, **more: Any
) -> dict[str, Any]:
    """The problem document."""
    status, title = KINDS[kind]
    shown = [
        {key: str(value) if key == "detail" else value for key, value in error.items() if value != ""}
        for error in errors
    ]
    return {
        "type": f"/api/v1/problems/#{kind}",
        "title": str(title),
        "status": status,
        "detail": str(detail),
        "instance": instance_of(request),
        **({"errors": shown} if shown else {}),
        **more,
    }


def answer(
    kind: str, detail: str, request: Any, errors: Iterable[Mapping[str, Any]] = (), **more: Any
) -> HttpResponse:
    """The problem as a response."""
    body = json.dumps(document(kind, detail, errors, request, **more), ensure_ascii=False, default=str)
    response = HttpResponse(body.encode(), content_type=CONTENT_TYPE, status=KINDS[kind][0])
    response["Cache-Control"] = "no-store"
    return response


def handle(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's exception handler: whatever was raised becomes a problem; the inside is never told."""
    request = context.get("request")
    problem = next(
        (make(exc, request) for kinds, make in _MAKERS if isinstance(exc, kinds)), None
    ) or _broken(exc, request)
    response = answer(problem.kind, problem.detail, request, problem.errors, **problem.more)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def _sent(request: Any) -> Iterable[str]:
    """The keys of the body, if it was read."""
    data = getattr(request, "_full_data", None)
    return data.keys() if isinstance(data, dict) else ()


def _forbidden(exc: Forbidden, request: Any) -> ApiProblem:
    return ApiProblem("forbidden", exc.message)


def _not_found(exc: Exception, request: Any) -> ApiProblem:
    """The same for what does not exist and what belongs to another site."""
    return ApiProblem(
        "not_found",
        T("There is nothing here, or nothing among your sites.", "此处没有内容,或不在您所属的中心范围内。"),
    )


def _rejected(exc: Rejected, request: Any) -> ApiProblem:
    errors = [error_of(problem, _sent(request)) for problem in exc.problems]
    told = {problem.code for problem in exc.problems}
    kind = (
        "exists"
        if told & {"exists", "taken"}
        else "wrong_state"
        if told & {"wrong_state", "enrolment_hold"}
        else "rejected"
    )
    return ApiProblem(kind, " ".join(str(p.message) for p in exc.problems[:3]), errors)


def _stale(exc: Stale, request: Any) -> ApiProblem:
    message = T("Somebody saved in between.", "该记录期间已被他人修改。")
    errors = [
        {
            "pointer": pointer(name.removesuffix("_id")),
            "field": name,
            "code": "stale",
            "detail": message,
            "current": now,
            "sent": sent,
        }
        for name, (now, sent) in exc.differences.items()
        if name != "retracted"
    ]
    return ApiProblem(
        "stale",
        exc.message,
        errors,
        {"ETag": f'"{exc.current.version}"'},
        current_version=exc.current.version,
    )


def _locked(exc: Locked, request: Any) -> ApiProblem:
    return ApiProblem("locked", exc.message)


def _query_refused(exc: QueryRefused, request: Any) -> ApiProblem:
    kind = "wrong_state" if exc.problem.code == "wrong_state" else "rejected"
    return ApiProblem(kind, exc.problem.message, [error_of(exc.problem)])


def _other_body(exc: OtherBody, request: Any) -> ApiProblem:
    return ApiProblem(
        "other_body",
        T(
            "This Idempotency-Key came before with something else. Use a new key for a new job.",
            "该 Idempotency-Key 曾用于其他内容。新任务请使用新的键。",
        ),
    )


_UNSIGNED = {
    "enrolment_hold": "wrong_state",
    "not_yours": "forbidden",
    "identity_not_verified": "forbidden",
    "statement_not_accepted": "forbidden",
    "not_complete": "wrong_state",
    "not_eligible": "wrong_state",
}


def _signature_refused(exc: SignatureRefused, request: Any) -> ApiProblem:
    """A meaning not given to the role: 403; a record that cannot be signed: 409; too many attempts: 429; else 422."""
    code = exc.problem.code
    if code == "locked_out":
        return ApiProblem("throttled", exc.problem.message, headers={"Retry-After": "900"})
    return ApiProblem(_UNSIGNED.get(code, "not_signed"), exc.problem.message, [error_of(exc.problem)])


def _integrity(exc: IntegrityError, request: Any) -> ApiProblem:
    """What the database refused: a lock taken a moment ago, or a write that crossed another."""
    hint = getattr(getattr(exc.__cause__, "diag", None), "message_hint", "") or ""
    if hint == "locked":
        return ApiProblem("locked", T("The record was locked meanwhile.", "记录刚刚被锁定。"))
    log.warning("refused by the database: %s", type(exc.__cause__).__name__)
    return ApiProblem(
        "conflict",
        T("Another change came first. Read again and repeat.", "与其他更改冲突。请重新读取后再试。"),
    )


def _data(exc: DataError, request: Any) -> ApiProblem:
    return ApiProblem("bad_request", T("A value is outside what can be stored.", "有数值超出可存储的范围。"))


def _database_down(exc: Exception, request: Any) -> ApiProblem:
    log.error("database unreachable: %s", type(exc).__name__)
    detail = T(
        "The database does not answer. Nothing was saved; repeat the request in a moment.",
        "数据库暂时无法访问,未保存任何内容。请稍后重试。",
    )
    return ApiProblem("unavailable", detail, headers={"Retry-After": str(RETRY_SECONDS)})


def _suspicious(exc: Exception, request: Any) -> ApiProblem:
    return ApiProblem("bad_request", T("The request cannot be read.", "无法读取该请求。"))


def _framework(exc: APIException, request: Any) -> ApiProblem:
    """DRF's own refusals: 401, 403, 405, 406, 415, 429, and what the parser says."""
    headers, wait = {}, getattr(exc, "wait", None)
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]
    if isinstance(exc, Throttled) and wait is not None:
        headers["Retry-After"] = str(max(1, round(wait + 0.5)))
    kind = OF_STATUS.get(exc.status_code, "bad_request")
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else ""
    plain = exc.status_code in (400, 401, 411, 413)
    detail = str(exc.detail) if plain and code not in ("not_authenticated", "error") else str(_ADVICE[kind])
    errors = [{"pointer": "", "code": code, "detail": detail}] if exc.status_code == 400 and code else []
    return ApiProblem(kind, detail, errors, headers)


def _broken(exc: Exception, request: Any) -> ApiProblem:
    """A fault of ours. The log gets its number and the places in the code, never the values."""
    log.error("unexpected, instance %s: %s", instance_of(request), places(exc))
    detail = T(
        "Something broke on our side; what was saved before is safe. Quote the number in “instance” to the administrator.",
        "系统内部错误;此前已保存的内容不受影响。请将 instance 中的编号告知管理员。",
    )
    return ApiProblem("broken", detail)


_ADVICE: dict[str, str] = {
    "bad_request": T("The request cannot be read.", "无法读取该请求。"),
    "unauthenticated": T(
        "Send the header “Authorization: Bearer <token>”.", "请发送请求头“Authorization: Bearer <令牌>”。"
    ),
    "forbidden": T("The role of this token may not do that.", "此令牌的角色无权执行该操作。"),
    "not_found": T(
        "There is nothing here, or nothing among your sites.", "此处没有内容,或不在您所属的中心范围内。"
    ),
    "method": T(
        "This address does not know the method; see the header Allow.",
        "此地址不支持该方法;请见响应头 Allow。",
    ),
    "media_type": T("Send the body as application/json.", "请以 application/json 发送请求体。"),
    "throttled": T(
        "Too many requests with this token. Wait as the header Retry-After says.",
        "此令牌的请求过于频繁。请按响应头 Retry-After 等待。",
    ),
}
Makers = tuple[tuple[tuple[type[Exception], ...], Callable[[Any, Any], ApiProblem]], ...]
_MAKERS: Makers = (
    ((ApiProblem,), lambda exc, request: exc),
    ((Forbidden,), _forbidden),
    ((NotFound, Http404), _not_found),
    ((Rejected,), _rejected),
    ((Stale,), _stale),
    ((Locked,), _locked),
    ((QueryRefused,), _query_refused),
    ((OtherBody,), _other_body),
    ((SignatureRefused,), _signature_refused),
    ((OperationalError, InterfaceError), _database_down),
    ((IntegrityError,), _integrity),
    ((DataError,), _data),
    ((SuspiciousOperation,), _suspicious),
    ((PermissionDenied,), lambda exc, request: ApiProblem("forbidden", _ADVICE["forbidden"])),
    ((APIException,), _framework),
)
