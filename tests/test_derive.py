"""Derivations: doses, units, kinetics, response, time to event."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safety.derive.bcell import Aplasia, b_cell_aplasia
from safety.derive.body import body_surface, bsa_exact, cockcroft_gault, fludarabine, renal_factor
from safety.derive.dose import dose_given, dosing_weight
from safety.derive.kinetics import (
    ALL_BLQ,
    INSUFFICIENT,
    TRUNCATED,
    Kinetics,
    Sample,
    kinetics,
    sample,
    samples_of,
)
from safety.derive.response import (
    Assessment,
    best_response,
    confirmed,
    exact_interval,
    mrd_category,
    response_at,
)
from safety.derive.survival import (
    Course,
    Reason,
    duration_of_response,
    overall_survival,
    progression_free_survival,
)
from safety.derive.units import convert
from trial.protocol import V1, Protocol
from trial.units import FACTORS, canonical
from visits.calc import APLASIA_BELOW_PCT
from visits.models import PkSample

D = Decimal
DAY = date.fromisoformat


def amended(**values: Any) -> Protocol:
    """Version 1 with some values replaced."""
    return replace(V1, **{k: replace(getattr(V1, k), value=v) for k, v in values.items()})


# Body and doses


def test_body_surface_is_exact_and_printed_at_two_decimals() -> None:
    assert bsa_exact(D(170), D(70)) ** 2 * 3600 == pytest.approx(D(11900))
    assert body_surface(D(170), D(70)) == D("1.82")
    assert body_surface(None, D(70)) is None


@pytest.mark.parametrize(
    ("crcl", "factor"),
    [("80", "1.0"), ("79.99", "0.8"), ("50", "0.8"), ("49.99", "0.6"), ("30", "0.6"), ("29.99", None)],
)
def test_renal_bands_hold_for_the_unrounded_clearance(crcl: str, factor: str | None) -> None:
    assert renal_factor(D(crcl), V1) == (None if factor is None else D(factor))


def test_no_fludarabine_below_the_bands() -> None:
    crcl = cockcroft_gault(65, D(45), D("2.5"), "F")
    dose = fludarabine(D(30), crcl, D("1.45"), V1)
    assert crcl is not None and crcl < 30 and dose is not None and dose.factor is dose.mg is None


@pytest.mark.parametrize(
    "missing",
    [
        {"age": None},
        {"weight_kg": None},
        {"weight_kg": D(0)},
        {"creatinine_mg_dl": None},
        {"creatinine_mg_dl": D(0)},
        {"sex": ""},
    ],
)
def test_clearance_needs_every_input(missing: dict[str, Any]) -> None:
    given_: dict[str, Any] = {"age": 30, "weight_kg": D(70), "creatinine_mg_dl": D("0.9"), "sex": "M"}
    assert cockcroft_gault(**given_) is not None
    assert cockcroft_gault(**{**given_, **missing}) is None


def test_any_weight_and_creatinine_above_zero_will_do() -> None:
    assert cockcroft_gault(68, D("0.5"), D("0.5"), "M") == 1


@pytest.mark.parametrize("missing", ["mg_per_m2", "crcl", "surface_m2"])
def test_a_dose_of_fludarabine_needs_every_input(missing: str) -> None:
    given_: dict[str, Any] = {"mg_per_m2": D(30), "crcl": D(90), "surface_m2": D("1.82")}
    assert fludarabine(**given_, protocol=V1).mg == D("54.6")
    assert fludarabine(**{**given_, missing: None}, protocol=V1) is None


GIVEN: dict[str, Any] = {
    "volume_ml": D(10),
    "cells_per_ml": D("1.5e7"),
    "viability_pct": D(80),
    "cd3_pct": D(100),
    "car_pct_of_cd3": D(100),
    "weight_kg": D(100),
    "planned_per_kg": D(1_000_000),
}


@pytest.mark.parametrize(
    ("changed", "within", "evaluable"),
    [
        ({}, True, True),  # exactly 20 % above
        ({"viability_pct": D("80.01")}, False, True),
        ({"cells_per_ml": D("1e7")}, True, True),  # exactly 20 % below
        ({"cells_per_ml": D("1e7"), "viability_pct": D("79.99")}, False, False),
    ],
)
def test_dose_limits_hold_for_the_limit_itself(
    changed: dict[str, Any], within: bool, evaluable: bool
) -> None:
    dose = dose_given(**{**GIVEN, **changed}, protocol=V1)
    assert dose is not None and (dose.within, dose.evaluable) == (within, evaluable)


@pytest.mark.parametrize("name", GIVEN)
def test_no_dose_without_every_part_of_it(name: str) -> None:
    assert dose_given(**{**GIVEN, name: None}, protocol=V1) is None


@pytest.mark.parametrize(
    ("before", "after", "used"),
    [
        ("70", "77", "70"),
        ("70", "77.1", "77.1"),
        ("70", "62.9", "62.9"),
        ("70", None, "70"),
        (None, "71", "71"),
        (None, None, None),
    ],
)
def test_weight_to_dose_by(before: str | None, after: str | None, used: str | None) -> None:
    first, second, wanted = (None if one is None else D(one) for one in (before, after, used))
    assert dosing_weight(first, second, V1) == wanted


# Units

reported = st.decimals(min_value=D("0.0001"), max_value=D("999999"), places=4)


@given(st.sampled_from([(q, unit) for q, units in FACTORS.items() for unit in units]), reported)
def test_a_reported_value_comes_back_exactly(kind: tuple[str, str], value: Decimal) -> None:
    quantity, unit = kind
    there = convert(quantity, value, unit, canonical(quantity))
    assert convert(quantity, there, canonical(quantity), unit) == value


@given(reported)
def test_a_temperature_comes_back_exactly(value: Decimal) -> None:
    assert convert("temperature", convert("temperature", value, "degC", "degF"), "degF", "degC") == value


@pytest.mark.parametrize(
    ("names", "source", "target", "factor"),
    [
        (("hemoglobin", "haemoglobin", "hgb", "hb", "albumin", "total protein"), "g/dL", "g/L", "10"),
        (("neutrophils", "anc", "platelets", "plt", "wbc"), "/mm3", "10^9/L", "0.001"),
        (("white blood cells", "leukocytes", "lymphocytes", "alc"), "/uL", "10^9/L", "0.001"),
        (("monocytes", "eosinophils", "basophils"), "10^3/uL", "10^9/L", "1"),
        (("blasts", "cd4", "b cells"), "cells/uL", "10^9/L", "0.001"),
        (("tbil", "dbil", "total bilirubin", "direct_bilirubin"), "mg/dL", "umol/L", "17.1"),
        (("bun", "urea nitrogen", "blood_urea_nitrogen", "urea"), "mg/dL", "mmol/L", "0.357"),
        (("urate", "uric acid", "uric_acid"), "mg/dL", "umol/L", "59.48"),
        (("igg", "iga", "igm"), "mg/dL", "g/L", "0.01"),
        (("alt", "ast", "alp", "ggt", "ldh", "cpk"), "U/L", "U/L", "1"),
        (("creatinine",), "mg/dL", "umol/L", "88.4"),
        (("creatinine",), "mg/dL", "µmol/L", "88.4"),  # the micro sign
        (("creatinine",), "mg/dL", "μmol/L", "88.4"),  # the Greek letter
        (("wbc",), "cells/µL", "10^9/L", "0.001"),
        (("wbc",), "10^3/μL", "10^9/L", "1"),
        (("ferritin",), "ng/mL", "µg/L", "1"),
        (("ferritin",), "ng/mL", "μg/L", "1"),
        (("glucose",), "mmol/L", "mg/dL", "18.016"),
        (("calcium",), "mg/dL", "mmol/L", "0.2495"),
        (("magnesium",), "mg/dL", "mmol/L", "0.4114"),
        (("phosphate",), "mg/dL", "mmol/L", "0.3229"),
        (("triglycerides",), "mg/dL", "mmol/L", "0.01129"),
        (("fibrinogen",), "mg/dL", "g/L", "0.01"),
        (("crp",), "mg/dL", "mg/L", "10"),
        (("d dimer", "d_dimer"), "ug/mL FEU", "mg/L FEU", "1"),
    ],
)
def test_units_of_each_analyte(names: tuple[str, ...], source: str, target: str, factor: str) -> None:
    for name in names:
        assert round(convert(name, D(7), source, target), 20) == 7 * D(factor), name


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("38.0", "degC", "degF", "100.4"),
        ("100.4", "F", "C", "38"),
        ("38.5", "°C", "degC", "38.5"),
        ("99", "°F", "F", "99"),
    ],
)
def test_temperatures(value: str, source: str, target: str, expected: str) -> None:
    assert convert("Temperature", D(value), source, target) == D(expected)


def test_what_cannot_be_converted_is_said() -> None:
    with pytest.raises(KeyError):
        convert("creatinine", D(1), "g/L", "mg/dL")
    with pytest.raises(KeyError):
        convert("happiness", D(1), "g/L", "mg/dL")


# Kinetics


def profile(**results: str | None) -> list[Sample]:
    """Samples from d7="500", d10=None (BLQ)."""
    return [
        sample(D(day[1:].replace("_", ".")), None if said is None else D(said), D(50))
        for day, said in results.items()
    ]


def test_a_number_below_the_limit_is_blq() -> None:
    assert [sample(D(7), D(c), D(50)).copies for c in ("49.9", "50")] == [None, D(50)]


@pytest.mark.parametrize(
    ("last", "flag", "has_area"),
    [("d28", "", True), ("d27", TRUNCATED, True), ("d25", TRUNCATED, True), ("d24_9", INSUFFICIENT, False)],
)
def test_the_last_sample_decides_on_completeness(last: str, flag: str, has_area: bool) -> None:
    found = kinetics(profile(d0=None, d10="900", **{last: "900"}), V1)
    assert (found.flag, found.auc is not None) == (flag, has_area)


def test_nothing_quantifiable_leaves_everything_open() -> None:
    assert kinetics(profile(d0=None, d7=None, d28=None), V1) == Kinetics(flag=ALL_BLQ)
    assert kinetics([], V1) == Kinetics(flag=INSUFFICIENT)


def test_the_earliest_of_equal_maxima_is_the_maximum() -> None:
    assert kinetics(profile(d7="900", d10="900", d28="60"), V1).tmax == 7


def test_to_a_trailing_blq_the_area_falls_linearly_also_across_day_28() -> None:
    found = kinetics(profile(d0=None, d20="100", d40=None), V1)
    assert found.auc == D(20) * 100 / 2 + (100 + D(60)) * 8 / 2


def test_a_blq_between_two_results_is_left_out() -> None:
    with_it = kinetics(profile(d0=None, d7="100", d14=None, d21="100", d28="100"), V1)
    assert with_it.auc == kinetics(profile(d0=None, d7="100", d21="100", d28="100"), V1).auc


def test_order_of_samples_does_not_matter_and_drawn_before_is_time_0() -> None:
    rows = profile(d7="500", d14="900", d28="60")
    early = Sample(D("-0.5"), None)
    assert kinetics([*reversed(rows), early], V1) == kinetics([Sample(D(0), None), *rows], V1)


def test_half_life_of_an_exponential_decline() -> None:
    halving = profile(d7="16000", d14="8000", d21="4000", d28="2000")
    assert kinetics(halving, V1).half_life_days == pytest.approx(D(7))
    assert kinetics(halving[:3], V1).half_life_days is None
    assert kinetics(profile(d7="16000", d14="800", d21="4000", d28="900"), V1).half_life_days is None


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 100000)),
        min_size=1,
        max_size=8,
        unique_by=lambda s: s[0],
    )
)
def test_the_area_is_bounded_by_the_maximum(results: list[tuple[int, int]]) -> None:
    found = kinetics([sample(D(day), D(copies), D(50)) for day, copies in results], V1)
    if found.auc is not None and found.cmax is not None:
        assert 0 <= found.auc <= found.cmax * 28


def test_forms_become_samples_of_one_assay_and_specimen() -> None:
    start = datetime(2026, 5, 1, 2, tzinfo=UTC)
    week = start + timedelta(days=7, hours=12)
    blood = PkSample(
        assay="QPCR", specimen="PB", collect_dt=week, result_text="1200", copies_per_ug=D(1200), lloq=D(50)
    )
    rows = [
        blood,
        PkSample(assay="QPCR", specimen="PB", collect_dt=week, result_text="blq"),
        PkSample(assay="FLOW", specimen="PB", collect_dt=week, car_pct_cd3=D(9)),
        PkSample(assay="QPCR", specimen="BM", collect_dt=week, copies_per_ug=D(9000)),
        PkSample(assay="QPCR", specimen="PB", collect_dt=week),
    ]
    assert samples_of(rows, start, V1) == [Sample(D("7.5"), D(1200)), Sample(D("7.5"), None)]


# Response

CR = Assessment(
    D(1), False, False, D("1.5"), D(150), baseline_blasts_pct=D(60), baseline_extramedullary=False
)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "CR"),
        ({"neutrophils": D("1.0")}, "CRi"),
        ({"platelets": D(100)}, "CRi"),
        ({"supported": True}, "CRi"),
        ({"blasts_pct": D("4.99")}, "CR"),
        ({"blasts_pct": D(5)}, "NR"),
        ({"blasts_pct": D(75)}, "PD"),
        ({"blasts_pct": D(75), "baseline_blasts_pct": None}, "NR"),
        ({"blasts_pct": D(3), "baseline_blasts_pct": D(1)}, "CR"),
        ({"blasts_pct": D(5), "baseline_blasts_pct": D(4)}, "PD"),
        ({"blasts_pct": D("74.99")}, "NR"),
        ({"circulating_blasts": True}, "NR"),
        ({"extramedullary": True}, "PD"),
        ({"extramedullary": True, "baseline_extramedullary": True}, "NR"),
        ({"extramedullary": True, "baseline_extramedullary": None}, "NR"),
        ({"blasts_pct": None}, "NE"),
        ({"neutrophils": None}, "NE"),
        ({"circulating_blasts": None}, "NE"),
        ({"blasts_pct": D(30), "neutrophils": None}, "NR"),
        ({"blasts_pct": D(5), "had_remission": True}, "RELAPSE"),
        ({"blasts_pct": None, "circulating_blasts": True, "had_remission": True}, "RELAPSE"),
        ({"blasts_pct": None, "had_remission": True}, "NE"),
    ],
)
def test_response(changed: dict[str, Any], expected: str) -> None:
    assert response_at(replace(CR, **changed), V1) == expected


def test_counts_at_the_limit_suffice_only_where_the_protocol_says_so() -> None:
    limit = replace(CR, neutrophils=D("1.0"), platelets=D(100))
    inclusive = amended(cr_counts_inclusive=True)
    assert response_at(limit, inclusive) == "CR"
    assert response_at(replace(limit, neutrophils=D("0.99")), inclusive) == "CRi"
    assert response_at(replace(limit, platelets=D("99.9")), inclusive) == "CRi"


@pytest.mark.parametrize(
    ("result", "level", "sensitivity", "expected"),
    [
        ("NOT_DETECTED", None, "0.0001", "NEGATIVE"),
        ("NOT_DETECTED", None, "0.001", "NEGATIVE_INSUFFICIENT_SENSITIVITY"),
        ("NOT_DETECTED", None, None, "UNKNOWN"),
        ("DETECTED", "0.0001", None, "POSITIVE"),
        ("DETECTED", "0.00009", "0.0001", "NEGATIVE"),
        ("DETECTED", "0.00009", "0.001", "POSITIVE"),
        ("DETECTED", "0.00009", None, "UNKNOWN"),
        ("DETECTED", None, None, "POSITIVE"),
        ("", None, "0.0001", "UNKNOWN"),
    ],
)
def test_mrd(result: str, level: str | None, sensitivity: str | None, expected: str) -> None:
    values = [None if one is None else D(one) for one in (level, sensitivity)]
    assert mrd_category(result, values[0], values[1], V1) == expected


D0 = DAY("2024-04-15")


@pytest.mark.parametrize(
    ("assessed", "best", "responder", "on"),
    [
        ([("2024-07-22", "CR")], "CR", True, "2024-07-22"),  # the last day that counts
        ([("2024-07-23", "CR")], "NE", False, None),
        ([("2024-04-15", "CR")], "NE", False, None),  # not after the infusion
        ([("2024-04-16", "CR")], "CR", True, "2024-04-16"),
        ([("2024-05-13", "CRi"), ("2024-06-15", "CR")], "CR", True, "2024-06-15"),
        ([("2024-06-15", "CR"), ("2024-05-13", "CR")], "CR", True, "2024-05-13"),
        ([("2024-05-13", "PD"), ("2024-06-15", "NR")], "NR", False, "2024-06-15"),
        ([("2024-05-13", "RELAPSE"), ("2024-06-15", "PD")], "PD", False, "2024-06-15"),
        ([("2024-05-13", "NE"), ("2024-06-15", "RELAPSE")], "RELAPSE", False, "2024-06-15"),
        ([("2024-05-13", "NE")], "NE", False, "2024-05-13"),
        ([("2024-05-13", None)], "NE", False, None),
    ],
)
def test_best_response(
    assessed: list[tuple[str, str | None]], best: str, responder: bool, on: str | None
) -> None:
    found = best_response(D0, [(DAY(day), said) for day, said in assessed], V1)
    assert (found.response, found.responder) == (best, responder)
    assert found.on == (DAY(on) if on else None)


@pytest.mark.parametrize(
    ("assessed", "expected"),
    [
        ([("2024-05-01", "CR"), ("2024-05-29", "CRi")], True),
        ([("2024-05-01", "CR"), ("2024-05-28", "CR")], False),
        ([("2024-05-01", "CR"), ("2024-05-15", "NE"), ("2024-06-15", "CR")], True),
        ([("2024-05-01", "CR"), ("2024-05-15", "RELAPSE"), ("2024-06-01", "CR")], False),
    ],
)
def test_confirmation_of_a_remission(assessed: list[tuple[str, str]], expected: bool) -> None:
    assert confirmed([(DAY(day), said) for day, said in assessed], V1) is expected


@pytest.mark.parametrize(
    ("events", "subjects", "low", "high"),
    [(0, 10, "0", "0.30850"), (5, 10, "0.18709", "0.81291"), (18, 18, "0.81470", "1"), (1, 1, "0.025", "1")],
)
def test_exact_interval(events: int, subjects: int, low: str, high: str) -> None:
    found = exact_interval(events, subjects)
    assert [round(one, 5) for one in found] == [D(low), D(high)]


# Time to event

COURSE = Course(
    DAY("2024-01-01"),
    first_response=DAY("2024-01-29"),
    assessments=(DAY("2024-01-29"), DAY("2024-03-31")),
    last_known_alive=DAY("2024-05-01"),
)


@pytest.mark.parametrize(
    ("changed", "days", "event", "reason"),
    [
        ({}, 91, False, Reason.NO_EVENT),
        ({"progression": DAY("2024-03-01")}, 61, True, Reason.PROGRESSION),
        ({"death": DAY("2024-04-30")}, 121, True, Reason.DEATH),
        ({"new_therapy": DAY("2024-02-15")}, 29, False, Reason.NEW_THERAPY),
        ({"new_therapy": DAY("2024-03-01"), "progression": DAY("2024-03-01")}, 61, True, Reason.PROGRESSION),
        ({"new_therapy": DAY("2024-03-31"), "death": DAY("2024-04-30")}, 91, False, Reason.NEW_THERAPY),
        ({"assessments": ()}, 1, False, Reason.NO_ASSESSMENT),
        ({"transplant": DAY("2024-02-15")}, 91, False, Reason.NO_EVENT),
        ({"no_response": DAY("2024-03-31")}, 91, False, Reason.NO_EVENT),
        ({"cutoff": DAY("2024-02-15"), "progression": DAY("2024-03-01")}, 29, False, Reason.NO_EVENT),
        ({"cutoff": DAY("2024-03-01"), "progression": DAY("2024-03-01")}, 61, True, Reason.PROGRESSION),
        ({"cutoff": DAY("2024-03-31")}, 91, False, Reason.NO_EVENT),
        ({"cutoff": DAY("2024-03-30")}, 29, False, Reason.NO_EVENT),
        ({"assessments": (DAY("2024-01-01"),)}, 1, False, Reason.NO_ASSESSMENT),  # the baseline is none
        ({"assessments": (DAY("2024-01-02"),)}, 2, False, Reason.NO_EVENT),
        ({"new_therapy": DAY("2024-01-28")}, 1, False, Reason.NEW_THERAPY),  # none before it
    ],
)
def test_progression_free_survival(changed: dict[str, Any], days: int, event: bool, reason: Reason) -> None:
    found = progression_free_survival(replace(COURSE, **changed), V1)
    assert (found.days, found.event, found.reason) == (days, event, reason)


def test_other_readings_of_progression_are_settings() -> None:
    transplanted = replace(COURSE, transplant=DAY("2024-02-15"))
    assert progression_free_survival(transplanted, amended(sct_censors_pfs=True)).reason is Reason.TRANSPLANT
    unmoved = replace(COURSE, no_response=DAY("2024-03-31"))
    assert progression_free_survival(unmoved, amended(nr_is_pfs_event=True)).event


@pytest.mark.parametrize(
    ("changed", "days", "event"),
    [
        ({}, 122, False),
        ({"death": DAY("2024-01-11")}, 11, True),
        ({"last_known_alive": None}, 91, False),
        ({"cutoff": DAY("2024-04-01")}, 92, False),
        ({"cutoff": DAY("2024-04-01"), "death": DAY("2024-06-01"), "last_known_alive": None}, 92, False),
        ({"new_therapy": DAY("2024-02-01")}, 122, False),
        ({"cutoff": DAY("2024-06-01")}, 122, False),  # nobody saw the subject alive on that day
        ({"cutoff": DAY("2024-05-01")}, 122, False),
        ({"cutoff": DAY("2024-01-11"), "death": DAY("2024-01-11")}, 11, True),
        ({"cutoff": DAY("2024-01-11"), "death": DAY("2024-01-12"), "last_known_alive": None}, 11, False),
    ],
)
def test_overall_survival(changed: dict[str, Any], days: int, event: bool) -> None:
    found = overall_survival(replace(COURSE, **changed))
    assert (found.days, found.event) == (days, event)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, (63, False, Reason.NO_EVENT)),
        ({"first_response": None}, None),
        ({"new_therapy": DAY("2024-01-28")}, None),  # the remission came after it
        ({"new_therapy": DAY("2024-01-29")}, (1, False, Reason.NEW_THERAPY)),
        ({"progression": DAY("2024-03-01")}, (33, True, Reason.PROGRESSION)),
        ({"progression": DAY("2024-01-28")}, (63, False, Reason.NO_EVENT)),  # before the remission
        (
            {"progression": DAY("2024-01-28"), "relapse": DAY("2024-03-31")},
            (63, True, Reason.PROGRESSION),
        ),
        (
            {"progression": DAY("2024-01-28"), "relapse": DAY("2024-03-31"), "cutoff": DAY("2024-03-30")},
            (1, False, Reason.NO_EVENT),
        ),
        ({"progression": DAY("2024-01-29")}, (1, True, Reason.PROGRESSION)),
        ({"assessments": (DAY("2024-01-29"),)}, (1, False, Reason.NO_EVENT)),
        ({"assessments": (DAY("2024-01-28"),)}, (1, False, Reason.NO_ASSESSMENT)),
        ({"no_response": DAY("2024-03-31")}, (63, False, Reason.NO_EVENT)),
        ({"cutoff": DAY("2024-01-28")}, None),
        ({"cutoff": DAY("2024-01-29")}, (1, False, Reason.NO_EVENT)),
    ],
)
def test_duration_of_response(changed: dict[str, Any], expected: tuple[Any, ...] | None) -> None:
    found = duration_of_response(replace(COURSE, **changed), V1)
    assert (found and (found.days, found.event, found.reason)) == expected


some_day = st.none() | st.dates(DAY("2024-01-02"), DAY("2024-12-31"))


@given(
    some_day,
    some_day,
    some_day,
    some_day,
    st.lists(st.dates(DAY("2024-01-02"), DAY("2024-12-31")), max_size=5),
    some_day,
)
def test_who_died_is_an_event_of_survival_and_progression_never_outlives_it(
    response: date | None,
    progression: date | None,
    death: date | None,
    therapy: date | None,
    seen: list[date],
    alive: date | None,
) -> None:
    known = [day for day in (response, progression, therapy, alive, *seen) if day is not None]
    assume(death is None or all(day <= death for day in known))
    course = Course(
        DAY("2024-01-01"),
        response,
        progression,
        death,
        therapy,
        assessments=tuple(seen),
        last_known_alive=alive,
    )
    os, pfs = overall_survival(course), progression_free_survival(course, V1)
    assert os.event is (death is not None) and pfs.days <= os.days


# B cells


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([("2023-12-20", "0"), ("2024-02-01", "3")], Aplasia()),
        ([("2024-01-08", "2.9"), ("2024-01-29", "3")], Aplasia(7, True, 21)),
        ([("2024-01-29", "3"), ("2024-01-08", "0"), ("2024-03-01", "0")], Aplasia(7, True, 21)),
        ([("2024-01-08", "0"), ("2024-01-20", None), ("2024-02-07", "1")], Aplasia(7, False, 30)),
        ([("2024-01-08", "0"), ("2024-01-08", "4"), ("2024-02-07", "1")], Aplasia(7, False, 30)),
        ([("2024-01-08", "0"), ("2024-01-09", "3")], Aplasia(7, True, 1)),
    ],
)
def test_b_cell_aplasia(samples: list[tuple[str, str | None]], expected: Aplasia) -> None:
    read = [(DAY(day), None if share is None else D(share)) for day, share in samples]
    assert b_cell_aplasia(DAY("2024-01-01"), read, V1) == expected


def test_the_form_and_the_protocol_mean_the_same_aplasia() -> None:
    assert V1.aplasia_below_pct.value == APLASIA_BELOW_PCT
