"""Reading answers: one path from what was typed, sent or imported to typed values.

The page, the API and files all come through `read`, so the same text means the same everywhere. What Chinese
keyboards produce (full-width digits, `。`, `－`) is read as what was meant; what was typed is kept beside it.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models

from trial.analyte import QUALIFIER
from trial.codes import MISSING, CodeList
from trial.dates import span
from trial.fields import Number, PartialDateField, PartialDateTimeField
from trial.findings import Problem
from trial.item import Item, items
from trial.text import T

MAX_TEXT = 10_000


@dataclass
class Reading:
    """`values` by field name, `missing` reasons, `typed` texts that reading changed, and what was refused."""

    values: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class Refused(ValueError):
    """One answer that cannot be read. `message` is bilingual; `limit` says what was expected."""

    def __init__(self, code: str, message: str, limit: str = "", fix: str = "") -> None:
        self.code, self.message, self.limit, self.fix = code, message, limit, fix
        super().__init__(code)


_PUNCTUATION = str.maketrans(
    {"。": ".", "，": ",", "－": "-", "—": "-", "–": "-", "＜": "<", "＞": ">", "≤": "<=", "≥": ">="}
)


def normalise(raw: str) -> str:
    """Full-width forms as ASCII, typographic dashes and stops as keyboard ones, no outer blanks."""
    return unicodedata.normalize("NFKC", raw.translate(_PUNCTUATION)).strip()


def read(model: type[models.Model], raw: Mapping[str, Any], zone: str) -> Reading:
    """Read the answers in `raw` for the items of `model`; only the names present in `raw` are touched.

    `raw` holds text (pages, files) or JSON values (API). Times without an offset are local to `zone` (IANA name).
    An unknown name, a calculated item or an unreadable answer becomes a Problem; nothing is guessed.
    """
    reading = Reading()
    known = items(model)
    shorthand = getattr(model, "analytes", {})
    for name, answer in raw.items():
        if name == "missing":
            _read_missing(model, answer, reading)
        elif name in shorthand:
            _read_one(model, f"{name}_value", answer, zone, reading)
        elif name not in known:
            reading.problems.append(_unknown(name, (*known, *shorthand)))
        elif known[name].calc is not None:
            reading.problems.append(_calculated(name, answer))
        else:
            _read_one(model, name, answer, zone, reading)
    return reading


def _read_one(model: type[models.Model], name: str, answer: Any, zone: str, reading: Reading) -> None:
    column = model._meta.get_field(name)
    meaning: Item = column.item  # type: ignore[union-attr]
    try:
        if name.endswith("_value") and name.removesuffix("_value") in getattr(model, "analytes", {}):
            answer = _split_qualifier(name, answer, reading)
        value = parse(column, meaning, answer, zone)
    except Refused as refused:
        reading.problems.append(
            Problem(name, refused.code, refused.message, _shown(answer), refused.limit, fix=refused.fix)
        )
        return
    reading.values[name] = value
    if isinstance(answer, str) and _reads_differently(answer.strip(), value):
        reading.typed[name] = answer[:200]


def _reads_differently(typed: str, value: Any) -> bool:
    """Whether the stored value would be shown otherwise than it was typed (full-width digits, 2026年3月5日)."""
    if isinstance(value, date) or (
        isinstance(value, str) and re.match(r"\d{4}(-|$)", value) and not typed.startswith(value)
    ):
        return not typed.startswith(value.isoformat()[:10] if isinstance(value, date) else value[:10])
    return bool(typed) and normalise(typed) != typed


def _split_qualifier(name: str, answer: Any, reading: Reading) -> Any:
    """`<0.1` is the value 0.1 with the qualifier `<`."""
    qualifier = name.removesuffix("_value") + "_qual"
    found = re.match(r"^(<=|>=|<|>)\s*(.*)$", normalise(answer), re.S) if isinstance(answer, str) else None
    if not found:
        reading.values.setdefault(qualifier, "")
        return answer
    reading.values[qualifier] = found[1]
    reading.typed[name] = answer[:200]
    return found[2]


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
        return _code(meaning.codes, answer)
    if isinstance(column, models.ForeignKey):
        return _reference(answer)
    return _PARSERS[_kind(column)](column, answer, zone)


def _kind(column: Any) -> str:
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
    return next(name for kind, name in kinds if isinstance(column, kind))


def kind_of(column: Any) -> str:
    """What sort of answer a column takes: text, code, codes, link, yes_no, whole, number, day, moment, partial_*."""
    if hasattr(column, "base_field"):
        return "codes"
    if getattr(column.item, "codes", None) is not None:
        return "code"
    return "link" if isinstance(column, models.ForeignKey) else _kind(column)


def _code(codes: CodeList, answer: Any) -> str:
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
    return list(dict.fromkeys(_code(codes, part) for part in parts))


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
            f"“{_shown(answer)}” is not a number. Enter digits, for example 12.5.",
            f"“{_shown(answer)}”不是数字。请输入数字,例如 12.5。",
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
                f"{_shown(answer)} has more than {most} digits before the point.",
                f"{_shown(answer)} 的整数部分超过 {most} 位。",
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
        raise Refused("too_large", T(f"{_shown(answer)} is too large.", f"{_shown(answer)} 过大。"))
    return int(value)


def _text(column: Any, answer: Any, zone: str) -> str:
    if not isinstance(answer, str | int | Decimal) or isinstance(answer, bool):
        raise Refused(
            "not_text", T(f"Text was expected, not {_shown(answer)}.", f"应为文本,而不是 {_shown(answer)}。")
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


_DAY = re.compile(r"^(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?$", re.ASCII)
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$", re.ASCII)
_TIME = re.compile(
    r"^(.*?)[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?$", re.ASCII
)
_SLASHED = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$", re.ASCII)


def _date_text(answer: Any) -> str:
    """`answer` as a partial ISO date; refuses the ambiguous and the impossible."""
    if isinstance(answer, datetime | date):
        return answer.isoformat()[:10]
    if not isinstance(answer, str):
        raise _not_a_date(answer)
    text = re.sub(r"\s+", "", normalise(answer))
    slashed = _SLASHED.match(text)
    if slashed:
        one, two, year = slashed.groups()
        raise Refused(
            "ambiguous_date",
            T(
                f"“{answer}” can be read two ways: {year}-{two:0>2}-{one:0>2} or {year}-{one:0>2}-{two:0>2}. Write year-month-day.",
                f"“{answer}”有两种读法:{year}-{two:0>2}-{one:0>2} 或 {year}-{one:0>2}-{two:0>2}。请按 年-月-日 填写。",
            ),
            limit="YYYY-MM-DD",
        )
    found = _COMPACT.match(text) or _DAY.match(text)
    if not found:
        raise _not_a_date(answer)
    iso = "-".join(part if i == 0 else f"{int(part):02d}" for i, part in enumerate(found.groups()) if part)
    try:
        known = span(iso)
    except ValueError:
        raise Refused(
            "no_such_day",
            T(
                f"{iso} is not in the calendar. Check the day and the month.",
                f"日历中没有 {iso} 这一天。请核对月份和日期。",
            ),
            limit="YYYY-MM-DD",
        ) from None
    if not 1900 <= known.first.year <= 2100:
        raise Refused(
            "year_out_of_range",
            T(f"The year of {iso} is not between 1900 and 2100.", f"{iso} 的年份不在 1900–2100 之间。"),
            "1900–2100",
        )
    return iso


def _not_a_date(answer: Any) -> Refused:
    return Refused(
        "not_a_date",
        T(
            f"“{_shown(answer)}” is not a date. Write it as 2026-03-05.",
            f"“{_shown(answer)}”不是日期。请写成 2026-03-05。",
        ),
        limit="YYYY-MM-DD",
    )


def _day(column: Any, answer: Any, zone: str) -> date:
    iso = _date_text(answer)
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
    return _date_text(answer)


def _split_time(answer: Any, zone: str) -> tuple[str, datetime | None]:
    text = (
        normalise(answer)
        if isinstance(answer, str)
        else answer.isoformat()
        if isinstance(answer, datetime)
        else answer
    )
    found = _TIME.match(text) if isinstance(text, str) else None
    if not found:
        return _date_text(text), None
    iso = _date_text(found[1])
    if len(iso) < 10:
        raise Refused(
            "time_without_day",
            T(f"“{answer}” has a time but no day.", f"“{answer}”有时间但没有日期。"),
            "YYYY-MM-DD HH:MM",
        )
    try:
        naive = datetime.fromisoformat(f"{iso}T{int(found[2]):02d}:{found[3]}:{found[4] or '00'}")
    except ValueError:
        raise Refused(
            "no_such_time", T(f"“{answer}” holds no time of day.", f"“{answer}”中的时间不存在。"), "HH:MM"
        ) from None
    offset = found[5]
    if offset is None:
        return iso, naive.replace(tzinfo=ZoneInfo(zone))
    offset = "+00:00" if offset == "Z" else offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
    try:
        return iso, datetime.fromisoformat(naive.isoformat() + offset)
    except ValueError:
        raise Refused(
            "no_such_offset",
            T(f"“{answer}” holds no offset from UTC.", f"“{answer}”中的时区偏移不存在。"),
            "+08:00",
        ) from None


def _moment(column: Any, answer: Any, zone: str) -> datetime:
    iso, when = _split_time(answer, zone)
    if when is None:
        raise Refused(
            "time_missing",
            T(
                f"“{answer}” lacks the time of day. Write it as {iso} 14:30.",
                f"“{answer}”缺少时间。请写成 {iso} 14:30。",
            ),
            limit="YYYY-MM-DD HH:MM",
        )
    return when


def _partial_moment(column: Any, answer: Any, zone: str) -> str:
    iso, when = _split_time(answer, zone)
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


def _read_missing(model: type[models.Model], answer: Any, reading: Reading) -> None:
    """Why items have no answer: {"platelets": "NOT_DONE"}; an empty reason takes the mark away."""
    names = set(items(model)) | set(getattr(model, "analytes", {}))
    if not isinstance(answer, Mapping):
        reading.problems.append(
            Problem(
                "missing",
                "not_an_object",
                T("“missing” maps item names to reasons.", "“missing”应为 项目名 → 原因 的映射。"),
            )
        )
        return
    for name, reason in answer.items():
        if name not in names:
            reading.problems.append(_unknown(f"missing.{name}", tuple(names)))
        elif reason in ("", None):
            reading.missing[name] = ""
        else:
            try:
                reading.missing[name] = _code(MISSING, reason)
            except Refused as refused:
                reading.problems.append(
                    Problem(f"missing.{name}", refused.code, refused.message, _shown(reason), refused.limit)
                )


def _unknown(name: str, known: tuple[str, ...]) -> Problem:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    hint_en, hint_zh = (f" Did you mean “{near[0]}”?", f"是否为“{near[0]}”?") if near else ("", "")
    return Problem(
        str(name)[:80],
        "unknown_item",
        T(f"This form has no item “{name}”.{hint_en}", f"本表没有项目“{name}”。{hint_zh}"),
        fix=near[0] if near else "",
    )


def _calculated(name: str, answer: Any) -> Problem:
    return Problem(
        name,
        "calculated",
        T("This item is calculated by the system and cannot be entered.", "此项由系统计算,不能录入。"),
        _shown(answer),
    )


def _shown(answer: Any) -> str:
    """An answer as it may stand in a message: short, one line."""
    return str(answer)[:80].replace("\n", " ")


__all__ = ["QUALIFIER", "Reading", "Refused", "kind_of", "normalise", "parse", "read"]
