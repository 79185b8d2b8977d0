"""Reading a request's JSON exactly: a number keeps its digits, and what JSON leaves open is refused."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from trial.text import T

MOST_BYTES = 1_000_000
MOST_DEPTH = 12
MOST_DIGITS = 60


class TooLarge(APIException):
    """413: more than one request may hold."""

    status_code = 413
    default_code = "too_large"
    default_detail = T(
        f"The body is larger than {MOST_BYTES} bytes. Send fewer records per request.",
        f"请求体超过 {MOST_BYTES} 字节。请分批发送。",
    )


class LengthRequired(APIException):
    """411: a body without a length."""

    status_code = 411
    default_code = "length_required"
    default_detail = T("Send the body with a Content-Length.", "请在请求中给出 Content-Length。")


class ExactJSONParser(BaseParser):
    """`application/json` with decimals as Decimal; NaN, Infinity, double keys, NUL and deep nesting are refused."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The value in the body. Raises ParseError (400) or TooLarge (413)."""
        raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise TooLarge
        return loads(raw)


def loads(raw: bytes) -> Any:
    """The JSON value in `raw`, exactly. Raises ParseError."""
    try:
        text = raw.decode("utf-8-sig")
        value = json.loads(
            text, parse_float=_decimal, parse_int=_whole, parse_constant=_constant, object_pairs_hook=_object
        )
    except UnicodeDecodeError:
        raise _bad("not_utf8", T("The body is not UTF-8.", "请求体不是 UTF-8 编码。")) from None
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        said = T(
            f"The body is not JSON: {error.msg} ({where}).",
            f"请求体不是有效的 JSON:第 {error.lineno} 行第 {error.colno} 列。",
        )
        raise _bad("not_json", said) from None
    _inspect(value)
    return value


def _bad(code: str, message: str) -> ParseError:
    return ParseError(detail=str(message), code=code)


def _too_deep() -> ParseError:
    return _bad(
        "too_deep",
        T(f"The JSON is nested deeper than {MOST_DEPTH} levels.", f"JSON 嵌套超过 {MOST_DEPTH} 层。"),
    )


def _decimal(text: str) -> Decimal:
    if len(text) > MOST_DIGITS:
        raise _too_long(text)
    return Decimal(text)


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise _too_long(text)
    return int(text)


def _too_long(text: str) -> ParseError:
    shown = f"{text[:12]}…"
    return _bad(
        "number_too_long",
        T(
            f"The number {shown} has more than {MOST_DIGITS} characters.",
            f"数字 {shown} 超过 {MOST_DIGITS} 个字符。",
        ),
    )


def _constant(text: str) -> Any:
    raise _bad(
        "not_a_number",
        T(
            f"{text} is no JSON number. Leave the item out, or send null.",
            f"{text} 不是 JSON 数字。请省略该项或发送 null。",
        ),
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            shown = key[:80].encode("utf-8", "replace").decode()
            raise _bad(
                "double_key",
                T(f"The key “{shown}” stands twice in one object.", f"键“{shown}”在同一对象中出现两次。"),
            )
        found[key] = value
    return found


def _inspect(value: Any) -> None:
    """Refuse what no column can hold, wherever it stands: NUL, lone surrogates, too deep a nest."""
    waiting = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise _too_deep()
        if isinstance(one, str):
            _inspect_text(one)
        elif isinstance(one, list):
            waiting += [(part, depth + 1) for part in one]
        elif isinstance(one, dict):
            waiting += [(part, depth + 1) for pair in one.items() for part in pair]


def _inspect_text(text: str) -> None:
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        said = T(
            "A text holds a NUL or half a character (lone surrogate).",
            "文本中含有 NUL 或不完整的字符(孤立代理项)。",
        )
        raise _bad("control_character", said)
