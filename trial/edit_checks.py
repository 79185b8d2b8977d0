"""Edit checks that every form has because its items say so: impossible is refused, unlikely is asked about."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from trial.dates import Span, span_of
from trial.findings import Doubt, Problem
from trial.item import Item, Range, items
from trial.text import T
from trial.units import canonical

SHIFTS = (Decimal("0.1"), Decimal("0.01"), Decimal(10))
"""How a decimal point slips when it is typed."""


def calculate(record: Any) -> None:
    """Fill every calculated item of the record from its own answers.

    Answers that are impossible (a negative weight) may not be computable; they are refused a moment later.
    """
    for name, meaning in items(record).items():
        if meaning.calc is not None:
            try:
                value = meaning.calc(record)
            except ArithmeticError:
                value = None
            column = record._meta.get_field(name)
            setattr(record, name, value if value is not None or column.null else "")


def impossible(record: Any, zone: str, today: date, now: datetime) -> list[Problem]:
    """What cannot be: outside a hard range, in the future, before what it must follow, or contradictory."""
    problems: list[Problem] = []
    for name, meaning in items(record).items():
        value = _answer(record, name)
        if value in (None, "", []):
            continue
        problems += _out_of_range(name, meaning, value)
        problems += _wrong_time(record, name, meaning, value, zone, today, now)
    for name, analyte in getattr(record, "analytes", {}).items():
        problems += _analyte_problems(record, name, analyte)
    return [*problems, *_missing_and_answered(record), *record.contradictions()]


def wrong_times(row: Any, zone: str, today: date) -> Iterator[Problem]:
    """The whole dates of a row that lie in the future or before what they must follow, as its items say."""
    now = datetime.now(ZoneInfo(zone))
    for name, meaning in items(row).items():
        value = _answer(row, name)
        if value not in (None, "", []):
            yield from _wrong_time(row, name, meaning, value, zone, today, now)


def unlikely(record: Any) -> list[Doubt]:
    """What is probably wrong: outside a soft range, answered though skipped, missing on a completed form."""
    doubts: list[Doubt] = []
    for name, meaning in items(record).items():
        if meaning.calc is not None:
            continue
        value = _answer(record, name)
        empty = value in (None, "", [])
        if not empty:
            doubts += _soft(name, name, meaning, meaning.soft, value)
            doubts += _not_asked(record, name, meaning, value)
        elif record.status == "COMPLETE":
            doubts += _absent(record, name, meaning)
    for name, analyte in getattr(record, "analytes", {}).items():
        value = getattr(record, f"{name}_si")
        if value is not None:
            doubts += _soft(
                f"{name}_value", name, record._meta.get_field(f"{name}_value").item, analyte.soft, value
            )
    return [*doubts, *record.doubts()] if not record.not_done else []


def _answer(record: Any, name: str) -> Any:
    """The stored answer; of a link its key, so that a link to nothing is not followed."""
    return getattr(record, record._meta.get_field(name).attname)


def _out_of_range(name: str, meaning: Item, value: Any) -> Iterator[Problem]:
    limits = meaning.hard
    if limits is None or not isinstance(value, int | Decimal) or limits.holds(value):
        return
    fix = likely(value, limits)
    hint_en, hint_zh = meant(fix)
    unit = f" {meaning.unit}" if meaning.unit else ""
    yield Problem(
        name,
        "impossible",
        T(
            f"{meaning.en} {value}{unit} is impossible; it lies within {limits}{unit}.{hint_en}",
            f"{meaning.zh} {value}{unit} 不可能;应在 {limits}{unit} 之间。{hint_zh}",
        ),
        str(value),
        str(limits),
        f"hard range ({meaning.basis})",
        fix,
    )


def meant(fix: str) -> tuple[str, str]:
    """The question whether another value was meant, as it ends a message; two empty texts without one."""
    return (f" Was {fix} meant?", f"是否为 {fix}?") if fix else ("", "")


def likely(value: int | Decimal, limits: Range) -> str:
    """The value with its decimal point where it would be possible, if one shift mends it (385 → 38.5)."""
    for shift in SHIFTS:
        moved = Decimal(value) * shift
        whole = isinstance(value, Decimal) or moved == moved.to_integral_value()
        if limits.holds(moved) and whole:
            return format(moved.normalize(), "f")
    return ""


def _wrong_time(
    record: Any, name: str, meaning: Item, value: Any, zone: str, today: date, now: datetime
) -> Iterator[Problem]:
    if not isinstance(value, date | datetime | str) or not _dated(record._meta.get_field(name).__class__):
        return
    when = span_of(value, zone)
    if when is None:
        return
    ahead = value > now if isinstance(value, datetime) else when.first > today
    if ahead and not meaning.future:
        yield Problem(
            name,
            "future",
            T(
                f"{meaning.en} {_local(value, zone)} lies in the future (today is {today}).",
                f"{meaning.zh} {_local(value, zone)} 在将来(今天是 {today})。",
            ),
            str(value),
            str(today),
        )
    for other, strict in ((meaning.not_before, False), (meaning.strictly_after, True)):
        if other:
            yield from _order(record, name, meaning, value, when, other, strict, zone)


@cache
def _dated(column: type) -> bool:
    from django.db import models

    from trial.fields import PartialDateField, PartialDateTimeField

    return issubclass(column, models.DateField | PartialDateField | PartialDateTimeField)


def _order(
    record: Any, name: str, meaning: Item, value: Any, when: Span, other: str, strict: bool, zone: str
) -> Iterator[Problem]:
    reference = getattr(record, other)
    base = span_of(reference, zone)
    if base is None:
        return
    exact = isinstance(value, datetime) and isinstance(reference, datetime)
    if exact:
        wrong = value <= reference if strict else value < reference
    else:
        wrong = when.last < base.first or (strict and when.known and base.known and when.first <= base.first)
    if wrong:
        first = record._meta.get_field(other).item
        word_en, word_zh = ("after", "晚于") if strict else ("on or after", "不早于")
        yield Problem(
            name,
            "wrong_order",
            T(
                f"{meaning.en} {_local(value, zone)} must be {word_en} {first.en} {_local(reference, zone)}. Check both dates.",
                f"{meaning.zh} {_local(value, zone)} 必须{word_zh}{first.zh} {_local(reference, zone)}。请核对两个日期。",
            ),
            str(value),
            str(reference),
        )


def _local(value: Any, zone: str) -> str:
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
    return str(value)


def _analyte_problems(record: Any, name: str, analyte: Any) -> Iterator[Problem]:
    value = getattr(record, f"{name}_value")
    meaning: Item = record._meta.get_field(f"{name}_value").item
    if value is not None and getattr(record, f"{name}_si") is not None and analyte.hard is not None:
        si = getattr(record, f"{name}_si")
        if not analyte.hard.holds(si):
            unit = getattr(record, f"{name}_unit") or canonical(analyte.quantity)
            base = canonical(analyte.quantity)
            same = "" if unit == base else f" (= {si:f} {base})"
            yield Problem(
                f"{name}_value",
                "impossible",
                T(
                    f"{meaning.en} {value} {unit}{same} is impossible; it lies within {analyte.hard} {base}. Check value and unit.",
                    f"{meaning.zh} {value} {unit}{same} 不可能;应在 {analyte.hard} {base} 之间。请核对数值和单位。",
                ),
                str(value),
                f"{analyte.hard} {base}",
                f"hard range ({meaning.basis})",
            )


def _soft(field: str, name: str, meaning: Item, limits: Range | None, value: Any) -> Iterator[Doubt]:
    if (
        limits is None
        or not isinstance(value, int | Decimal)
        or isinstance(value, bool)
        or limits.holds(value)
    ):
        return
    unit = f" {meaning.unit}" if meaning.unit else ""
    shown = format(value, "f") if isinstance(value, Decimal) else str(value)
    yield Doubt(
        field,
        f"soft.{name}",
        T(
            f"{meaning.en} {shown}{unit} is unusual (expected {limits}{unit}). Please check value and unit against the source.",
            f"{meaning.zh} {shown}{unit} 不常见(预期 {limits}{unit})。请对照原始资料核实数值和单位。",
        ),
        shown,
        str(limits),
    )


def _not_asked(record: Any, name: str, meaning: Item, value: Any) -> Iterator[Doubt]:
    if meaning.asked(record):
        return
    cause = next(iter(meaning.when))
    other = record._meta.get_field(cause).item
    yield Doubt(
        name,
        f"skip.{name}",
        T(
            f"{meaning.en} is answered although {other.en} does not ask for it.",
            f"{meaning.zh}已填写,但根据“{other.zh}”不应填写。",
        ),
        str(value),
    )


def _absent(record: Any, name: str, meaning: Item) -> Iterator[Doubt]:
    wanted = meaning.required or getattr(record, "visit", "") in meaning.required_at
    short = (
        name.removesuffix("_value")
        if name.removesuffix("_value") in getattr(record, "analytes", {})
        else name
    )
    if not wanted or not meaning.asked(record) or name in record.missing or short in record.missing:
        return
    yield Doubt(
        name,
        f"missing.{name}",
        T(
            f"{meaning.en} is missing. Enter it, or mark it as not done with a reason.",
            f"缺少{meaning.zh}。请填写,或标记为未做并说明原因。",
        ),
    )


def _missing_and_answered(record: Any) -> Iterator[Problem]:
    for name in record.missing:
        field = f"{name}_value" if name in getattr(record, "analytes", {}) else name
        if _answer(record, field) not in (None, "", []):
            meaning: Item = record._meta.get_field(field).item
            yield Problem(
                field,
                "answered_and_missing",
                T(
                    f"{meaning.en} has an answer and is marked as missing. Take one of the two away.",
                    f"{meaning.zh}既有答案又标记为缺失。请去掉其中之一。",
                ),
                str(getattr(record, field)),
            )
