"""Reference ranges: which one is in force, and keeping it beside a result.

Pure: the caller brings the ranges of the record's site.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from trial.dates import completed_years, span_of
from trial.units import FACTORS, canonical

PLACES = Decimal("0.00000001")


def age_on(birth_date: "str | date | None", day: date) -> int | None:
    """Completed years on `day`; None when the birth date is missing, too partial to tell, or after `day`.

    Who is born on 29 February turns a year older on 1 March of a common year.
    """
    born = span_of(birth_date, "UTC")
    if born is None:
        return None
    oldest, youngest = completed_years(born.first, day), completed_years(born.last, day)
    return oldest if oldest == youngest and oldest >= 0 else None


def of_laboratory(ranges: Iterable[Any], laboratory: Any) -> list[Any]:
    """The ranges of one laboratory (by its id); of every laboratory of the site when none is named."""
    return [one for one in ranges if laboratory is None or str(one.lab_id) == str(laboratory)]


def overlaps(one: Any, other: Any) -> bool:
    """Whether two ranges of a laboratory could both be in force for the same person on the same day.

    A range for one sex stands beside one for either, and one with age limits beside one without: the closer one is
    taken (see `range_in_force`).
    """
    if (one.analyte, one.sex, _aged(one)) != (other.analyte, other.sex, _aged(other)):
        return False
    days = _meet(one.valid_from, one.valid_to, other.valid_from, other.valid_to)
    return days and _meet(one.age_low, one.age_high, other.age_low, other.age_high)


def _aged(one: Any) -> bool:
    return one.age_low is not None or one.age_high is not None


def _meet(low: Any, high: Any, other_low: Any, other_high: Any) -> bool:
    """Whether two closed spans meet; None is open."""
    before = high is not None and other_low is not None and high < other_low
    after = low is not None and other_high is not None and other_high < low
    return not before and not after


def range_in_force(ranges: Iterable[Any], analyte: str, day: date, sex: str, age: int | None) -> Any | None:
    """The range of `analyte` in force on `day` for this sex ("M", "F", "" unknown) and age (completed years).

    A range for the sex goes before one for either, one with age limits before one without, then the newest.
    Where two equally close ranges differ (two laboratories of a site), there is no answer: None.
    """
    fitting = [one for one in ranges if one.analyte == analyte and _holds(one, day, sex, age)]
    if not fitting:
        return None
    closest = max(_closeness(one) for one in fitting)
    best = [one for one in fitting if _closeness(one) == closest]
    return best[0] if len({(one.low, one.high, one.unit) for one in best}) == 1 else None


def _holds(one: Any, day: date, sex: str, age: int | None) -> bool:
    in_time = one.valid_from <= day and (one.valid_to is None or day <= one.valid_to)
    return in_time and one.sex in ("", sex) and _of_age(one, age)


def _of_age(one: Any, age: int | None) -> bool:
    if age is None:
        return one.age_low is None and one.age_high is None
    return (one.age_low is None or one.age_low <= age) and (one.age_high is None or age <= one.age_high)


def _closeness(one: Any) -> tuple[bool, bool, date]:
    return bool(one.sex), one.age_low is not None or one.age_high is not None, one.valid_from


def snapshot(record: Any, ranges: Iterable[Any], day: date, sex: str, age: int | None) -> tuple[str, ...]:
    """Fill the limits of every analyte of `record` that has a value and no typed limit; answer their names.

    Limits are given in the unit of the result. A range in a unit of another quantity is passed over.
    """
    known = tuple(ranges)
    return tuple(
        name
        for name, analyte in record.analytes.items()
        if _fill(record, name, analyte, known, day, sex, age)
    )


def _fill(
    record: Any, name: str, analyte: Any, ranges: tuple[Any, ...], day: date, sex: str, age: int | None
) -> bool:
    limits = (getattr(record, f"{name}_lln"), getattr(record, f"{name}_uln"))
    if getattr(record, f"{name}_value") is None or limits != (None, None):
        return False
    found = range_in_force(ranges, name, day, sex, age)
    units = FACTORS[analyte.quantity]
    unit = getattr(record, f"{name}_unit") or canonical(analyte.quantity)
    if found is None or found.unit not in units or unit not in units:
        return False
    setattr(record, f"{name}_lln", in_unit(analyte.quantity, found.low, found.unit, unit))
    setattr(record, f"{name}_uln", in_unit(analyte.quantity, found.high, found.unit, unit))
    return True


def in_unit(quantity: str, value: Decimal | None, unit: str, wanted: str) -> Decimal | None:
    """`value` in another unit of the same quantity; at most eight decimals, and untouched in its own unit."""
    if value is None or unit == wanted:
        return value
    factors = FACTORS[quantity]
    exact = value * factors[unit] / factors[wanted]
    rounded = exact.quantize(PLACES)
    return Decimal(format(rounded.normalize(), "f"))
