"""The dose of CAR-T cells actually given, against the dose planned."""

from dataclasses import dataclass
from decimal import Decimal

from dosing.arithmetic import share
from trial.protocol import Protocol


@dataclass(frozen=True)
class DoseGiven:
    """Viable CAR-positive T cells given. `within` compares exactly, before any rounding."""

    cells: Decimal
    per_kg: Decimal
    deviation_pct: Decimal
    within: bool
    evaluable: bool


def cells_given(
    volume_ml: Decimal | None,
    cells_per_ml: Decimal | None,
    viability_pct: Decimal | None,
    cd3_pct: Decimal | None,
    car_pct_of_cd3: Decimal | None,
) -> Decimal | None:
    """Volume times nucleated cells times viability, CD3 and CAR shares; None when anything is missing."""
    if volume_ml is None or cells_per_ml is None:
        return None
    return share(volume_ml * cells_per_ml, viability_pct, cd3_pct, car_pct_of_cd3)


def dose_given(
    volume_ml: Decimal | None,
    cells_per_ml: Decimal | None,
    viability_pct: Decimal | None,
    cd3_pct: Decimal | None,
    car_pct_of_cd3: Decimal | None,
    weight_kg: Decimal | None,
    planned_per_kg: Decimal | None,
    protocol: Protocol,
) -> DoseGiven | None:
    """Volume times nucleated cells times viability, CD3 and CAR shares, per kg; None when anything is missing.

    `evaluable`: enough of the plan was given for the subject to count in the evaluation of dose-limiting toxicity
    (further conditions are judged elsewhere).
    """
    cells = cells_given(volume_ml, cells_per_ml, viability_pct, cd3_pct, car_pct_of_cd3)
    if cells is None or not weight_kg or not planned_per_kg:
        return None
    planned = planned_per_kg * weight_kg
    off = abs(cells - planned) * 100
    return DoseGiven(
        cells,
        cells / weight_kg,
        (cells - planned) / planned * 100,
        off <= protocol.dose_tolerance_pct.value * planned,
        cells * 100 >= protocol.dlt_min_dose_pct.value * planned,
    )


def dosing_weight(
    conditioning_kg: Decimal | None, day0_kg: Decimal | None, protocol: Protocol
) -> Decimal | None:
    """The weight to dose by: that of lymphodepletion, unless Day 0 differs by more than the protocol allows."""
    if conditioning_kg is None or day0_kg is None:
        return conditioning_kg if day0_kg is None else day0_kg
    changed = abs(day0_kg - conditioning_kg) * 100 > protocol.dosing_weight_change_pct.value * conditioning_kg
    return day0_kg if changed else conditioning_kg
