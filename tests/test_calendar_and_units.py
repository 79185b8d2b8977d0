"""Days that are partly known, ages, sizes of the body, and which laboratory's range holds."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dosing.arithmetic import body_surface, dose_mg
from dosing.levels import LEVELS, level, planned_per_kg
from safety.grading import crs, icans
from trial.dates import Span, span
from trial.units import FACTORS, canonical, convert
from visits.models import Chemistry, ReferenceRange
from visits.ranges import age_on, in_unit, of_laboratory, overlaps

D = Decimal


def test_a_partial_date_is_every_day_it_could_be() -> None:
    assert span("2024-02") == Span(date(2024, 2, 1), date(2024, 2, 29))
    assert span("2024") == Span(date(2024, 1, 1), date(2024, 12, 31))
    assert span("2026-03-05T23:30+08:00") == span("2026-03-05")  # the day as it was written


@pytest.mark.parametrize(
    ("born", "age"),
    [("2026-05-08", 0), ("2025-05-09", 0), ("2025-05-08", 1), ("2026-05-09", None), ("2025", None)],
)
def test_age_on_8_may(born: str, age: int | None) -> None:
    assert age_on(born, date(2026, 5, 8)) == age


@pytest.mark.parametrize(
    ("height", "weight", "surface"),
    [
        (D(0), D(70), None),
        (D(170), D(0), None),
        (D(1), D(1), "0.02"),  # whatever is above 0
        (D("0.5"), D(72), "0.10"),
        (D(72), D("0.5"), "0.10"),
    ],
)
def test_a_body_has_a_height_and_a_weight(height: Decimal, weight: Decimal, surface: str | None) -> None:
    found = body_surface(height, weight)
    assert (None if found is None else str(found)) == surface


def test_a_dose_is_printed_at_a_tenth_of_a_milligram() -> None:
    assert str(dose_mg(D(30), D("1.82"))) == "54.6"


def test_the_dose_levels() -> None:
    told = [(one.code, one.per_kg, one.expansion) for one in LEVELS]
    assert told == [
        ("DL-1", D(500_000), False),
        ("DL1", D(1_000_000), True),
        ("DL2", D(5_000_000), False),
        ("DL3", D(10_000_000), False),
    ]
    assert planned_per_kg("DL2") == D(5_000_000) and planned_per_kg("DL9") is None and level("DL9") is None


@pytest.mark.parametrize("hundredths", range(1, 3000, 7))
def test_a_limit_of_glucose_is_met_exactly_in_either_unit(hundredths: int) -> None:
    limit = Decimal(hundredths) / 100
    assert convert("glucose", limit * Decimal("18.016"), "mg/dL") == limit
    assert in_unit("glucose", limit, "mmol/L", "mg/dL") == limit * Decimal("18.016")


def test_a_glucose_in_mg_dl_is_kept_in_mmol_l_without_a_tail() -> None:
    row = Chemistry(glucose_value=Decimal("180.16"), glucose_unit="mg/dL")
    assert str(Chemistry.analytes["glucose"].normalised(row)) == "10"


def test_a_result_in_the_canonical_unit_stays_as_it_is() -> None:
    for quantity in FACTORS:
        assert convert(quantity, Decimal("1.50"), canonical(quantity)) == Decimal("1.50")


def test_a_result_takes_the_ranges_of_its_laboratory_or_of_all_when_none_is_named() -> None:
    ranges = [ReferenceRange(lab_id=number) for number in (1, 2, 1)]
    assert of_laboratory(ranges, 1) == of_laboratory(ranges, "1") == [ranges[0], ranges[2]]
    assert of_laboratory(ranges, None) == ranges
    assert of_laboratory(ranges, 3) == []


@pytest.mark.parametrize(
    ("module", "toxicity", "first"), [(crs, "CRS", "38 °C"), (icans, "ICANS", "ICE 7-9")]
)
def test_the_five_grades_are_printed(module: Any, toxicity: str, first: str) -> None:
    printed = module.PRINTED
    assert list(printed) == [1, 2, 3, 4, 5] and printed[5] == f"Death due to {toxicity}"
    assert first in printed[1] and printed[3].startswith(("A vasopressor", "ICE 0-2"))


def limits(**change: object) -> ReferenceRange:
    """The range of one analyte from 1 January to 30 June 2026, with what differs."""
    usual = {"analyte": "alt", "sex": "", "valid_from": date(2026, 1, 1), "valid_to": date(2026, 6, 30)}
    return ReferenceRange(**{**usual, **change})


JULY = {"valid_from": date(2026, 7, 1), "valid_to": None}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({}, {}, True),
        ({}, JULY, False),  # the day after
        ({}, {"valid_from": date(2026, 6, 30), "valid_to": None}, True),  # the last day of the first
        ({"valid_to": None}, JULY, True),
        ({"valid_to": None}, {"valid_to": None}, True),
        ({}, {"analyte": "ast"}, False),
        ({"sex": "F"}, {"sex": "M"}, False),
        ({"sex": "F"}, {}, False),  # the closer one is taken
        ({"age_low": 18}, {}, False),
        ({"age_low": 18}, {"age_high": 17}, False),
        ({"age_low": 18}, {"age_high": 18}, True),
        ({"age_low": 18}, {"age_low": 60}, True),
        ({"age_low": 18, "age_high": 59}, {"age_low": 60}, False),
        ({"age_low": 18, "age_high": 60}, {"age_low": 60}, True),
        ({"age_low": 18}, {"age_low": 18, **JULY}, False),
    ],
)
def test_whether_two_ranges_hold_for_the_same_person_and_day(
    one: dict[str, object], other: dict[str, object], both: bool
) -> None:
    assert overlaps(limits(**one), limits(**other)) is both
    assert overlaps(limits(**other), limits(**one)) is both
