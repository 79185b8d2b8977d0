"""One answer as one typed value: what each kind of item can be written as.

Every function takes what was typed or sent and gives the typed value, or raises `Refused` with a sentence that says
the value, what was expected and the likely fix.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from django.db import models

from trial.codes import CodeList
from trial.dates_typed import date_text, split_time
from trial.fields import Number, PartialDateField, PartialDateTimeField
from trial.item import Item
from trial.refused import Refused, normalise, shown
from trial.text import T

MAX_TEXT = 10_000


def parse(column: Any, meaning: Item, answer: Any, zone: str) -> Any:
    """The typed value of one answer. Empty text and null are "no answer". Raises `Refused`."""
    multiple = hasattr(column, "base_field")
    if answer is None or answer == "" or (isinstance(answer, str) and not normalise(answer)):
        return [] if multiple else None if column.null else ""
    if isinstance(answer, str) and "\x00" in answer:
        raise Refused(
            "control_character", T("The text holds a NUL character; remove it.", "文本包含 NUL 字符,请删除。")
        )
    if multiple:
        return _many(meaning.codes, answer)
    if meaning.codes is not None:
        return code_of(meaning.codes, answer)
    if isinstance(column, models.ForeignKey):
        return _reference(answer)
    return _PARSERS[_kind(column.__class__)](column, answer, zone)


@cache
def _kind(column: type) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (PartialDateTimeField, "partial_moment"),
        (PartialDateField, "partial_day"),
        (models.DateTimeField, "moment"),
        (models.DateField, "day"),
        (models.BooleanField, "yes_no"),
        (Number, "number"),
        (models.DecimalField, "number"),
        (models.IntegerField, "whole"),
        (models.TextField, "text"),
        (models.CharField, "text"),
    )
    return next(name for kind, name in kinds if issubclass(column, kind))


def kind_of(column: Any) -> str:
    """What sort of answer a column takes: text, code, codes, link, yes_no, whole, number, day, moment, partial_*."""
    if hasattr(column, "base_field"):
        return "codes"
    if getattr(column.item, "codes", None) is not None:
        return "code"
    return "link" if isinstance(column, models.ForeignKey) else _kind(column.__class__)


def code_of(codes: CodeList, answer: Any) -> str:
    text = (
        str(answer).strip()
        if isinstance(answer, str | int) and not isinstance(answer, bool)
        else repr(answer)
    )
    if text in codes.codes:
        return text
    near = next((c for c in codes.codes if c.casefold() == normalise(text).casefold()), "")
    allowed = ", ".join(codes.codes)
    hint_en, hint_zh = (f" Did you mean “{near}”?", f"是否为“{near}”?") if near else ("", "")
    raise Refused(
        "unknown_code",
        T(
            f"“{text}” is not in the list {codes.name}: {allowed}.{hint_en}",
            f"“{text}”不在代码表 {codes.name} 中:{allowed}。{hint_zh}",
        ),
        limit=allowed,
        fix=near,
    )


def _many(codes: CodeList | None, answer: Any) -> list[str]:
    assert codes is not None
    parts = [p for p in re.split(r"[,;、]", answer) if p.strip()] if isinstance(answer, str) else answer
    if not isinstance(parts, list):
        raise Refused(
            "not_a_list",
            T(f"A list of codes was expected, not {answer!r}.", f"应为代码列表,而不是 {answer!r}。"),
        )
    return list(dict.fromkeys(code_of(codes, part) for part in parts))


def _reference(answer: Any) -> str:
    text = str(answer).strip()
    if not re.fullmatch(r"[0-9a-fA-F-]{1,36}", text):
        raise Refused("not_an_id", T(f"“{text}” is not the id of a record.", f"“{text}”不是记录编号。"))
    return text


def _yes_no(column: Any, answer: Any, zone: str) -> bool:
    if isinstance(answer, bool):
        return answer
    word = normalise(str(answer)).casefold()
    if word in {"true", "yes", "1", "是"}:
        return True
    if word in {"false", "no", "0", "否"}:
        return False
    raise Refused(
        "not_yes_no",
        T(f"“{answer}” is neither yes nor no.", f"“{answer}”既不是“是”也不是“否”。"),
        "true, false",
    )


_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$")


def _decimal(answer: Any) -> Decimal:
    if isinstance(answer, bool) or not isinstance(answer, str | int | float | Decimal):
        raise _not_a_number(answer)
    text = normalise(str(answer))
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        text = text.replace(",", "")
    if not _NUMBER.match(text) or len(text) > 60:
        raise _not_a_number(answer)
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern admits nothing else
        raise _not_a_number(answer) from None


def _not_a_number(answer: Any) -> Refused:
    return Refused(
        "not_a_number",
        T(
            f"“{shown(answer)}” is not a number. Enter digits, for example 12.5.",
            f"“{shown(answer)}”不是数字。请输入数字,例如 12.5。",
        ),
    )


def _number(column: Any, answer: Any, zone: str) -> Decimal:
    value = _decimal(answer)
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    places = max(0, -exponent)
    before = max(len(digits) + exponent, 0)
    most = column.max_digits - column.decimal_places
    if before > most:
        raise Refused(
            "too_large",
            T(
                f"{shown(answer)} has more than {most} digits before the point.",
                f"{shown(answer)} 的整数部分超过 {most} 位。",
            ),
            limit=f"{most} digits",
        )
    if places > column.decimal_places and value != value.quantize(Decimal(1).scaleb(-column.decimal_places)):
        raise Refused(
            "too_many_decimals",
            T(
                f"{answer} has {places} decimal places; at most {column.decimal_places} are kept. Nothing is rounded for you.",
                f"{answer} 有 {places} 位小数,最多 {column.decimal_places} 位。系统不会自动舍入。",
            ),
            limit=str(column.decimal_places),
        )
    if places > column.decimal_places:
        value = value.quantize(Decimal(1).scaleb(-column.decimal_places))
    return Decimal(format(value, "f"))


def _whole(column: Any, answer: Any, zone: str) -> int:
    value = _decimal(answer)
    if value != value.to_integral_value():
        raise Refused("not_whole", T(f"{answer} is not a whole number.", f"{answer} 不是整数。"))
    if abs(value) > 2_000_000_000:
        raise Refused("too_large", T(f"{shown(answer)} is too large.", f"{shown(answer)} 过大。"))
    return int(value)


def _text(column: Any, answer: Any, zone: str) -> str:
    if not isinstance(answer, str | int | Decimal) or isinstance(answer, bool):
        raise Refused(
            "not_text", T(f"Text was expected, not {shown(answer)}.", f"应为文本,而不是 {shown(answer)}。")
        )
    text, most = str(answer), column.max_length or MAX_TEXT
    if len(text) > most:
        raise Refused(
            "too_long",
            T(
                f"The text has {len(text)} characters; at most {most} fit.",
                f"文本有 {len(text)} 个字符,最多 {most} 个。",
            ),
            limit=str(most),
        )
    if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\r\t" for c in text):
        raise Refused(
            "control_character",
            T("The text holds control characters; remove them.", "文本包含控制字符,请删除。"),
        )
    return text


def _day(column: Any, answer: Any, zone: str) -> date:
    iso = date_text(answer)
    if len(iso) < 10:
        raise Refused(
            "incomplete_date",
            T(
                f"“{answer}” lacks the day; this date must be complete.",
                f"“{answer}”缺少日期;此处必须填写完整日期。",
            ),
            "YYYY-MM-DD",
        )
    return date.fromisoformat(iso)


def _partial_day(column: Any, answer: Any, zone: str) -> str:
    return date_text(answer)


def _moment(column: Any, answer: Any, zone: str) -> datetime:
    iso, when = split_time(answer, zone)
    if when is None:
        raise Refused(
            "time_missing",
            T(
                f"“{answer}” lacks the time of day. Write it as {iso} 14:30.",
                f"“{answer}”缺少时间。请写成 {iso} 14:30。",
            ),
            limit="YYYY-MM-DD HH:MM",
        )
    # Two moments of one zone are subtracted by their clocks, which jump with summer time; in UTC they never do.
    return when.astimezone(UTC)


def _partial_moment(column: Any, answer: Any, zone: str) -> str:
    iso, when = split_time(answer, zone)
    return iso if when is None else when.isoformat(timespec="minutes")


_PARSERS: dict[str, Callable[[Any, Any, str], Any]] = {
    "partial_moment": _partial_moment,
    "partial_day": _partial_day,
    "moment": _moment,
    "day": _day,
    "yes_no": _yes_no,
    "number": _number,
    "whole": _whole,
    "text": _text,
}
