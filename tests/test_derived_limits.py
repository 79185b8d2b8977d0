"""Derived values at their limits: which of several rows counts, and what is exactly at an end; doses, cells, the subject."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dosing.models import DoseAllocation, Infusion
from safety.adverse_events import DltAssessment
from safety.derive.dose import cells_given
from safety.derived.every import DERIVATIONS
from subjects.models import Demographics, Eligibility, EndOfStudy, InformedConsent
from tests.books import at, book
from tests.test_derived import (
    LD,
    MAN,
    b_cells,
    batch,
    consent,
    creatinine,
    cytokine,
    dosed,
    drug,
    fludarabine,
    infusion,
    sample,
    told,
    value,
)
from trial.protocol import V1
from visits.models import PkSample, VitalSigns

D = Decimal


# --- the subject -------------------------------------------------------------------------------------------------


def withdrawal(*scopes: str, kind: str = "WITHDRAWAL") -> InformedConsent:
    return InformedConsent(consent_type=kind, consent_dt=at("2026-05-01"), withdrawal_scope=list(scopes))


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (withdrawal("SAMPLES"), "INFUSED"),  # the use of samples alone ends nobody's participation
        (withdrawal("SAMPLES", "ASSESSMENTS"), "WITHDRAWN"),
        (withdrawal("TREATMENT"), "WITHDRAWN"),
        (withdrawal(), "WITHDRAWN"),
        (withdrawal("TREATMENT", kind="RECONSENT"), "INFUSED"),
        (EndOfStudy(phase="TREATMENT", reason="COMPLETED"), "INFUSED"),
    ],
)
def test_who_left_the_study(form: Any, status: str) -> None:
    assert value("subject_status", consent(), infusion("2026-06-01"), form) == {"status": status}


def test_whoever_was_found_eligible_is_enrolled_until_something_is_done() -> None:
    found = Eligibility(milestone="SCREENING", overall="ELIGIBLE", assessed_date=date(2026, 2, 12))
    (one,) = DERIVATIONS["subject_status"](book(consent(), found), V1)
    assert (one.value, one.inputs) == ({"status": "ENROLLED"}, ())
    (one,) = DERIVATIONS["subject_status"](book(consent(), found, LD), V1)
    assert one.value == {"status": "LD"}


@pytest.mark.parametrize(
    ("row", "there"),
    [
        (sample(0, "BLQ"), True),  # drawn as the infusion began
        (PkSample(collect_dt=at("2026-03-16"), assay="QPCR"), False),
        (sample(-1, "BLQ"), False),
    ],
)
def test_a_sample_with_a_result_makes_the_pk_set(row: Any, there: bool) -> None:
    found = value("analysis_sets", infusion(), DltAssessment(evaluable="NO"), row)["sets"]
    assert found == ["ENROLLED", "SAFETY", "EFFICACY", *["PK"] * there]


# --- doses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bsa", "ld_dose"])
@pytest.mark.parametrize("missing", ["height_cm", "weight_kg"])
def test_no_body_surface_without_height_and_weight(name: str, missing: str) -> None:
    assert told(name, fludarabine(), MAN, creatinine())
    assert not told(name, fludarabine(**{missing: None}), MAN, creatinine())


def test_only_fludarabine_asks_for_the_kidney_and_only_once_it_was_given() -> None:
    other = fludarabine()
    other.drug = "CYCLOPHOSPHAMIDE"
    assert not told("crcl", other, MAN, creatinine())
    for name in ("crcl", "ld_dose"):
        assert not told(name, fludarabine(admin_dt=None), MAN, creatinine())
    other.drug = "OTHER"  # no dose of the protocol, though one was entered
    assert not told("ld_dose", other, MAN, creatinine())


def test_of_a_birth_year_the_clearance_is_that_of_the_oldest() -> None:
    # (140 - 30) * 70 / (72 * 1.35) = 79.2181..., at 29 years 79.9382...
    found = value("crcl", fludarabine(), Demographics(birth_date="1996", sex="M"), creatinine(mg_dl="1.35"))
    assert found["crcl_ml_min"].startswith("79.218") and found["not_to_be_given"] is False


def test_below_every_band_fludarabine_is_not_to_be_given() -> None:
    found = value("crcl", fludarabine(), MAN, creatinine(mg_dl="5.0"))
    assert (found["factor"], found["not_to_be_given"]) == (None, True)


def test_the_values_of_a_dose_due() -> None:
    found = value("ld_dose", fludarabine(), MAN, creatinine(mg_dl="1.5"))
    assert found == {
        "planned_mg": "43.7",
        "per_m2": "30",
        "factor": "0.8",
        "entered": "54.6",
        "agrees": False,
    }
    usual = value("ld_dose", fludarabine(planned_mg_m2=None), MAN, creatinine())
    assert (usual["per_m2"], usual["planned_mg"]) == ("30", "54.6")
    lower = value("ld_dose", fludarabine(planned_mg_m2=D(25)), MAN, creatinine())
    assert (lower["per_m2"], lower["planned_mg"]) == ("25", "45.5")


CELLS = {
    "volume_ml": D(100),
    "cells_per_ml": D(2),
    "viability_pct": D(90),
    "cd3_pct": D(95),
    "car_pct_of_cd3": D(40),
}


@pytest.mark.parametrize("missing", CELLS)
def test_cells_given_need_every_answer(missing: str) -> None:
    assert cells_given(**CELLS) == D("68.4")
    assert cells_given(**{**CELLS, missing: None}) is None


@pytest.mark.parametrize(
    ("entered", "agrees"),
    [("1010000", True), ("1010001", False), ("990000", True), ("989999", False), ("1000000", True)],
)
def test_a_dose_of_exactly_one_per_cent_more_or_less_agrees(entered: str, agrees: bool) -> None:
    made = batch()  # 68.4e6 cells over 68.4 kg: a million per kg
    row = dosed(made, dosing_weight_kg=D("68.4"), actual_per_kg=D(entered))
    assert value("dose_given", made, row)["agrees"] is agrees


def test_a_part_without_its_batch_hides_no_other() -> None:
    made = batch()
    unknown, known = dosed(made), dosed(made)
    unknown.batch_id, known.inf_start_dt = None, at("2026-03-17")
    (found,) = told("dose_given", made, unknown, known)
    assert found.record == known.pk
    assert not told("dose_given", made, dosed(made, dosing_weight_kg=None))  # nor a part without a weight


def weighed(kg: str | None, time: str = "08:00", day: str = "2026-03-16") -> VitalSigns:
    return VitalSigns(vs_dt=at(day, time), weight_kg=None if kg is None else D(kg))


def conditioned(day: str, kg: str | None, time: str = "10:00") -> Any:
    return fludarabine(admin_dt=at(day, time), weight_kg=None if kg is None else D(kg))


@pytest.mark.parametrize(
    ("forms", "due"),
    [
        ([], None),
        ([conditioned("2026-03-11", "70")], "70"),
        ([conditioned("2026-03-11", "70"), conditioned("2026-03-12", "71")], "71"),  # the last before
        ([conditioned("2026-03-12", "71"), conditioned("2026-03-11", "70")], "71"),
        ([conditioned("2026-03-11", "70"), conditioned("2026-03-12", None)], "70"),
        ([conditioned("2026-03-11", "70"), conditioned("2026-03-16", "71")], "71"),  # at the very start
        ([conditioned("2026-03-11", "70"), conditioned("2026-03-16", "71", "10:01")], "70"),
        ([conditioned("2026-03-11", "70"), fludarabine(admin_dt=None, weight_kg=D(71))], "70"),
        ([weighed("80")], "80"),
        ([weighed("80", "09:00"), weighed("81", "08:00")], "81"),  # the first of the day
        ([weighed("80", "09:00"), weighed(None, "08:00")], "80"),
        ([weighed("80", day="2026-03-15")], None),
        ([VitalSigns(weight_kg=D(80))], None),
    ],
)
def test_which_weight_is_to_dose_by(forms: list[Any], due: str | None) -> None:
    made = batch()
    assert value("dose_given", made, dosed(made), *forms)["weight_due_kg"] == due


def test_the_plan_is_the_level_that_has_a_dose() -> None:
    made, empty = batch(), DoseAllocation(level="DL1")
    plan = DoseAllocation(level="DL2", planned_per_kg=D(500_000))
    (found,) = DERIVATIONS["dose_total"](book(made, dosed(made), empty, plan), V1)
    assert (found.value["level"], found.value["planned_per_kg"]) == ("DL2", D(500_000))
    assert not DERIVATIONS["dose_total"](book(made, dosed(made), empty), V1)
    assert not DERIVATIONS["dose_total"](book(made, plan), V1)


def test_the_endotoxin_of_each_batch_is_by_its_own_infusion() -> None:
    one, other = batch(), batch(endotoxin_eu_ml=D("1.4"))
    one.release_date = date(2026, 3, 1)
    rows = [dosed(one), dosed(other, dosing_weight_kg=D(140))]
    found = {one_.record: one_ for one_ in told("endotoxin", one, other, *rows)}
    assert found[one.pk].value == {"eu_per_kg": D(1), "weight_kg": D(70)}
    assert found[other.pk].value == {"eu_per_kg": D(1), "weight_kg": D(140)}
    assert (found[one.pk].on, found[other.pk].on) == (date(2026, 3, 1), None)
    by_chemo = told("endotoxin", one, LD, fludarabine())
    assert [one_.value["weight_kg"] for one_ in by_chemo] == [D(70)]


# --- kinetics ----------------------------------------------------------------------------------------------------


def test_a_sample_without_specimen_assay_or_time_is_in_no_profile() -> None:
    rows = [sample(4, "1000", specimen=""), sample(4, "1000", assay="OTHER"), sample(4, "1000", assay="")]
    assert not told("pk", infusion(), *rows)
    dated, undated = sample(4, "1000"), sample(7, "2000")
    undated.collect_dt = None
    (found,) = told("pk", infusion(), undated, dated)
    assert (found.value["cmax"], found.value["samples"], found.on) == (D(1000), 1, date(2026, 3, 16))
    assert undated.pk not in {i.record for i in found.inputs}


# --- cytokines ---------------------------------------------------------------------------------------------------


def peak(*forms: Any) -> dict[str, Any]:
    return value("cytokine_peak", infusion(), *forms)


def test_a_sample_as_the_infusion_begins_is_after_it() -> None:
    found = peak(cytokine(0, "30"), cytokine(2, "20"))
    assert (found["peak"], found["day"], found["before"], found["fold"]) == ("30", "0", None, None)


@pytest.mark.parametrize(
    ("before", "fold"),
    [("0", None), ("0.5", "40"), ("1", "20"), ("2", "10")],
)
def test_the_fold_needs_a_value_above_0_before(before: str, fold: str | None) -> None:
    assert peak(cytokine(-1, before), cytokine(2, "20"))["fold"] == fold


@pytest.mark.parametrize("qualifier", ["", ">", "<"])
def test_a_bounded_peak_says_so(qualifier: str) -> None:
    assert peak(cytokine(2, "20", qualifier))["qualifier"] == (qualifier or None)


def test_of_two_equal_peaks_the_earlier_counts() -> None:
    (found,) = told("cytokine_peak", infusion(), cytokine(4, "400"), cytokine(2, "400"), cytokine(7, "20"))
    assert (found.value["day"], found.on) == (D(2), date(2026, 3, 18))


@pytest.mark.parametrize(
    ("starts", "samples"),
    [
        (["2026-03-20T00:00+08:00", "2026-03-17T00:00+08:00"], 2),  # the first of two
        (["2026-03-17T00:00+08:00", "2026-03-20T00:00+08:00"], 2),
        (["2026-03", "2026-03-17T00:00+08:00"], 3),  # could have been on the first day
        (["2026-03-16T10:00+08:00"], 3),  # as the infusion begins
        (["2026-03-16T09:59+08:00"], 0),
        (["", "2026-03-20T00:00+08:00"], 1),
        (["2026-03-23T10:01+08:00"], 0),
    ],
)
def test_samples_from_the_first_tocilizumab_on(starts: list[str], samples: int) -> None:
    rows = [cytokine(0, "5"), cytokine(2, "400"), cytokine(7, "20")]
    found = peak(*rows, *(drug("TOCILIZUMAB", start) for start in starts), drug("ANAKINRA", "2026-03-16"))
    assert found["tocilizumab_samples"] == samples


# --- B cells -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "samples"),
    [
        ([("2026-03-10", "0.5", ""), ("2026-04-13", "0.5", "")], 1),  # before the infusion
        ([("2026-03-16", "0.5", ""), ("2026-04-13", "0.5", "")], 2),  # the day itself
        ([("2026-04-13", "5", "<"), ("2026-05-13", "0.5", ""), ("2026-06-13", "1", ">")], 1),  # open answers
    ],
)
def test_how_many_samples_speak_of_b_cells(rows: list[tuple[str, str, str]], samples: int) -> None:
    assert value("b_cell_aplasia", infusion(), *(b_cells(*row) for row in rows))["samples"] == samples


@pytest.mark.parametrize(
    ("share", "qualifier", "recovered"),
    [
        ("3", "<=", False),  # may be less: open
        ("3", "<", False),  # surely less
        ("3", "", True),
        ("3", ">=", True),
        ("3", ">", True),
        ("2.9", ">=", False),
        ("4", "<", False),
    ],
)
def test_a_bounded_share_counts_where_every_value_says_the_same(
    share: str, qualifier: str, recovered: bool
) -> None:
    rows = (b_cells("2026-04-13", "0.5"), b_cells("2026-06-16", share, qualifier))
    (found,) = told("b_cell_aplasia", infusion(), *rows)
    assert found.value["recovered"] is recovered
    assert found.on == date(2026, 4, 13)  # the onset


def test_b_cells_are_told_of_whoever_was_infused_and_sampled() -> None:
    assert not told("b_cell_aplasia", infusion())
    assert not told("b_cell_aplasia", b_cells("2026-04-13", "0.5"))
    undated = b_cells("2026-04-13", "0.5")
    undated.collect_dt = None
    assert not told("b_cell_aplasia", infusion(), undated)
    (never,) = told("b_cell_aplasia", Infusion(inf_start_dt=at("2026-03-16")), b_cells("2026-04-13", "9"))
    assert never.on is None and never.value["onset_day"] is None


def test_the_window_of_a_later_infusion_counts_from_the_first() -> None:
    (found,) = told("dlt_window", infusion("2026-03-20"), infusion("2026-03-16"))
    assert found.on == date(2026, 3, 16) + timedelta(days=28)
