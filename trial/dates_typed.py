"""Dates and times as people write them. Ambiguous ones are refused with both readings."""

import re
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from trial.dates import span
from trial.refused import Refused, normalise, shown
from trial.text import T

_DAY = re.compile(r"^(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?$", re.ASCII)
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$", re.ASCII)
_TIME = re.compile(
    r"^(.*?)[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?$", re.ASCII
)
_SLASHED = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$", re.ASCII)


def date_text(answer: Any) -> str:
    """`answer` as a partial ISO date; refuses the ambiguous and the impossible."""
    if isinstance(answer, datetime | date):
        return answer.isoformat()[:10]
    if not isinstance(answer, str):
        raise _not_a_date(answer)
    text = re.sub(r"\s+", "", normalise(answer))
    slashed = _SLASHED.match(text)
    if slashed:
        one, two, year = slashed.groups()
        readings = _readings(int(year), int(one), int(two))
        if len(readings) < 2:
            raise _not_a_date(answer, readings[0] if readings else "")
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


def _readings(year: int, one: int, two: int) -> list[str]:
    """The days that two numbers and a year can mean, day or month first."""
    found = []
    for month, day in ((two, one), (one, two)):
        with suppress(ValueError):
            found.append(date(year, month, day).isoformat())
    return list(dict.fromkeys(found))


def _not_a_date(answer: Any, meant: str = "") -> Refused:
    wrong = ("is not how a date is written", "不是规定的日期写法") if meant else ("is not a date", "不是日期")
    example = meant or "2026-03-05"
    return Refused(
        "not_a_date",
        T(
            f"“{shown(answer)}” {wrong[0]}. Write it as {example}.",
            f"“{shown(answer)}”{wrong[1]}。请写成 {example}。",
        ),
        limit="YYYY-MM-DD",
    )


def split_time(answer: Any, zone: str) -> tuple[str, datetime | None]:
    text = (
        normalise(answer)
        if isinstance(answer, str)
        else answer.isoformat()
        if isinstance(answer, datetime)
        else answer
    )
    found = _TIME.match(text) if isinstance(text, str) else None
    if not found:
        return date_text(text), None
    iso = date_text(found[1])
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
