"""The likely cause of an impossible number: another unit, a shifted point, a conversion that was not needed."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from exchange.incoming_files.profile import CONVERSIONS, Conversion, Form, Profile
from exchange.incoming_files.refusals import Refusal
from trial.edit_checks import SHIFTS, meant
from trial.item import items
from trial.refused import normalise
from trial.units import FACTORS, canonical, convert

_POWERS = (-3, -6, -9, -12, 3, 6, 9)


def with_hint(refused: Refusal, item: str, form: Form, text: str, unit: str, profile: Profile) -> Refusal:
    """The refusal of a number with the unit or power of ten under which it would be possible, if one is found.

    A number that was converted is told in the file's own words: a point moved in the converted number means nothing there.
    """
    if refused.code not in ("impossible", "too_large"):
        return refused
    converted = item in profile.convert
    if converted:
        refused = _without_fix(refused)
    elif refused.fix:
        return refused
    try:
        value = Decimal(normalise(text).lstrip("<>= "))
    except InvalidOperation:
        return refused
    analyte = form.analytes.get(item.removesuffix("_value")) if item.endswith("_value") else None
    if converted:
        found = _of_converted(form, item, value, profile.convert[item])
    else:
        found = _of_analyte(analyte, value, unit) if analyte else _of_item(form, item, value)
    if not found:
        return refused
    fix, en, zh = found
    return Refusal(
        refused.column,
        "unit_mistake",
        f"{refused.en} {en}",
        f"{refused.zh}{zh}",
        refused.value or text,
        refused.limit,
        fix,
    )


def _without_fix(refused: Refusal) -> Refusal:
    en, zh = meant(refused.fix)
    return replace(refused, en=refused.en.removesuffix(en), zh=refused.zh.removesuffix(zh), fix="")


_WORDS = {"f": "degf", "°f": "degf", "℉": "degf", "inch": "in", "inches": "in", "lbs": "lb", "pounds": "lb"}


def of_label(form: Form, item: str, text: str, label: str) -> tuple[str, str, str]:
    """What a measurement of one fixed unit under another unit's `label` likely is: the fix and its words.

    A number that fits the item's own unit is only labelled wrong; else it is converted, where the other unit is known.
    """
    meaning = items(form)[item]
    limits, unit = meaning.soft or meaning.hard, meaning.unit
    try:
        value = Decimal(normalise(text))
    except InvalidOperation:
        value = Decimal("NaN")
    if limits is not None and value.is_finite():
        if limits.holds(value):
            fix = f"{value:f} {unit}"
            return fix, f"The number fits {unit}: was {fix} meant?", f"该数值符合 {unit}:是否为 {fix}?"
        by = next((one for one in CONVERSIONS if one.unit.casefold() == _WORDS.get(label, label)), None)
        moved = by.apply(value) if by is not None and by.to == unit else None
        if moved is not None and limits.holds(moved):
            return f"{moved:f} {unit}", f"It is {moved:f} {unit}.", f"换算为 {moved:f} {unit}。"
    return unit, "Convert the value, or use a profile that says how.", "请换算数值,或使用含换算的方案。"


def _of_analyte(analyte: Any, value: Decimal, unit: str) -> tuple[str, str, str] | None:
    limits = analyte.soft or analyte.hard
    if limits is None:
        return None
    base = unit if unit in FACTORS[analyte.quantity] else canonical(analyte.quantity)
    factors = FACTORS[analyte.quantity]
    others = [one for one in factors if one != base and limits.holds(convert(analyte.quantity, value, one))]
    if others:
        said = ", ".join(others)
        return said, f"Was the unit {said}?", f"单位是否应为 {said}?"
    return _power(convert(analyte.quantity, value, base), limits, canonical(analyte.quantity))


def _of_item(form: Form, item: str, value: Decimal) -> tuple[str, str, str] | None:
    meaning = items(form).get(item)
    limits = (meaning.soft or meaning.hard) if meaning is not None else None
    if meaning is None or limits is None or not meaning.unit:
        return None
    return _power(value, limits, meaning.unit)


def _of_converted(form: Form, item: str, value: Decimal, by: Conversion) -> tuple[str, str, str] | None:
    """Of a number that was converted: the unit first, then a shifted point in the file's unit, then both."""
    meaning = items(form)[item]
    limits, unit = meaning.soft or meaning.hard, meaning.unit
    if limits is None:
        return None
    if limits.holds(value):
        return (
            f"{value:f} {unit}",
            f"The file's {value:f} was read as {by.unit}; was it {unit} already?",
            f"文件中的 {value:f} 按 {by.unit} 读取;是否本来就是 {unit}?",
        )
    for told, possible in (
        (by.unit, lambda one: limits.holds(by.apply(one))),
        (unit, limits.holds),
    ):
        moved = next((value * shift for shift in SHIFTS if possible(value * shift)), None)
        if moved is not None:
            fix = f"{moved.normalize():f} {told}"
            return fix, f"Was {fix} meant?", f"是否为 {fix}?"
    return None


def _power(value: Decimal, limits: Any, unit: str) -> tuple[str, str, str] | None:
    """The power of ten that brings a value into the expected range: a unit written for another."""
    for power in _POWERS:
        moved = value * Decimal(10) ** power
        if limits.holds(moved) and moved != 0:
            times = f"10^{-power}"
            return (
                f"{moved.normalize():f} {unit}".strip(),
                f"It is {times} times a likely value: is the unit in the file another one?",
                f"该值是常见值的 {times} 倍:文件中的单位是否不同?",
            )
    return None
