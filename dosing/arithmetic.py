"""Arithmetic of doses: exact decimals, rounded only where a number is printed and dosed."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from visits.calc import bsa_exact

_MINUTE = timedelta(minutes=1)
_WIDE = Context(prec=60)  # room for any number a form accepts, so that rounding never fails


def half_up(value: Decimal, step: str) -> Decimal:
    """`value` rounded half-up to the decimals of `step` ("0.01")."""
    return value.quantize(Decimal(step), rounding=ROUND_HALF_UP, context=_WIDE)


def body_surface(height_cm: Decimal | None, weight_kg: Decimal | None) -> Decimal | None:
    """Body surface area in m2 at the two decimals doses use; None without a height and a weight above 0."""
    if height_cm is None or weight_kg is None or height_cm <= 0 or weight_kg <= 0:
        return None
    return half_up(bsa_exact(height_cm, weight_kg), "0.01")


def dose_mg(mg_per_m2: Decimal | None, surface: Decimal | None) -> Decimal | None:
    """The dose of one day in mg, half-up to 0.1 mg, before any renal factor."""
    if mg_per_m2 is None or surface is None:
        return None
    return half_up(Decimal(mg_per_m2) * surface, "0.1")


def share(whole: Decimal | None, *percents: Decimal | None) -> Decimal | None:
    """`whole` times each percentage, exactly; None when anything is missing."""
    if whole is None:
        return None
    part = Decimal(whole)
    for percent in percents:
        if percent is None:
            return None
        part = part * Decimal(percent) / 100
    return part


def minutes(start: datetime | None, end: datetime | None) -> int | None:
    """Minutes from `start` to `end`; a begun minute counts, so 30 min 1 s stays "more than 30"."""
    if start is None or end is None:
        return None
    return -((start - end) // _MINUTE)
