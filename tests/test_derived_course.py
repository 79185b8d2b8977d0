"""CRS, ICANS and response at their limits: one fact changes per row."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from safety.derived.toxicity import grades_of
from subjects.models import Death
from tests.books import at, book
from tests.test_derived import (
    assessment,
    blood,
    course_of,
    crs,
    drug,
    followed_up,
    icans,
    infusion,
    marrow,
    said,
    told,
    value,
)
from tests.test_derived_laboratory import dose
from trial.edit_checks import calculate
from trial.fields import uuid7
from trial.protocol import V1
from visits.models import (
    ConMeds,
    CrsAssessment,
    Haematology,
    IcansAssessment,
    Transfusion,
)

D = Decimal


# --- CRS and ICANS -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["TOCILIZUMAB", "CORTICOSTEROID", "SILTUXIMAB", "ANAKINRA", "RUXOLITINIB", "VASOPRESSOR", "ANTIPYRETIC"],
)
@pytest.mark.parametrize(
    ("day", "there"),
    [("2026-03-16", False), ("2026-03-17", True), ("2026-03-18", True), ("2026-03-19", False)],
)
def test_what_is_given_against_it_between_its_first_and_its_last_day(
    kind: str, day: str, there: bool
) -> None:
    found = value("crs_episode", *course_of(("17", 1), ("18", 1)), drug(kind, day))
    assert [one["class"] for one in found["treatment"]] == [kind] * there


def test_an_assessment_without_a_grade_is_in_no_episode() -> None:
    rows = [crs("2026-03-17"), crs("2026-03-18", temp_c=None)]
    (found,) = told("crs_episode", *rows)
    assert found.value["over"] == date(2026, 3, 17) and len(found.value["grades"]) == 1


def test_the_values_of_an_episode() -> None:
    row, later = course_of(("17", 1), ("18 20:00", 3))
    later.investigator_grade = 2
    (found,) = told(
        "crs_episode",
        row,
        later,
        drug("TOCILIZUMAB", "2026-03-18", sequence=2),
        drug("ANTIPYRETIC", "2026-03-18", sequence=1),
    )
    assert found.value == {
        "number": 1,
        "onset": date(2026, 3, 17),
        "worst": 3,
        "over": date(2026, 3, 18),
        "seen_over": False,
        "days": 2,
        "hours_severe": D(0),
        "severe_open": True,
        "treatment": [
            {"drug": "antipyretic", "class": "ANTIPYRETIC", "start": "2026-03-18"},
            {"drug": "tocilizumab", "class": "TOCILIZUMAB", "start": "2026-03-18"},
        ],
        "grades": [{"at": row.assess_dt, "grade": 1}, {"at": later.assess_dt, "grade": 3}],
    }
    assert (found.key, found.record, found.form) == (str(row.pk), row.pk, "crs_assessment")
    assert (found.on, found.differs) == (date(2026, 3, 17), False)


def test_the_grades_of_one_form_with_those_that_cannot_be_told() -> None:
    fever, open_ = crs("2026-03-17"), crs("2026-03-18", temp_c=None)
    fit = icans("2026-03-18", naming=1)
    told_ = book(fever, open_, fit, Death(death_date="2026-03-18", primary_cause="ICANS"))
    for row in (fever, open_, fit):
        calculate(row)
    assert grades_of(told_, CrsAssessment, V1) == {fever.pk: 1, open_.pk: None}
    assert grades_of(told_, IcansAssessment, V1) == {fit.pk: 5}


def test_death_is_evidence_only_of_the_episode_it_ended() -> None:
    died = Death(death_date="2026-03-30", primary_cause="CRS")
    (found,) = told("crs_episode", *course_of(("17", 1), ("18", 2)), died)
    assert found.value["worst"] == 2 and "death" not in {i.form for i in found.inputs}


@pytest.mark.parametrize(
    ("start", "there"),
    [
        ("2026-03-17", True),
        ("2026-03-18", False),
        ("2026-03", True),
        ("", True),
        ("2026-03-17T20:00+08:00", True),
    ],
)
def test_a_grade_rests_on_the_drugs_that_may_have_been_begun_by_that_day(start: str, there: bool) -> None:
    given = drug("TOCILIZUMAB", start)
    (found,) = told("crs_grade", crs("2026-03-17"), given)
    assert (given.pk in {i.record for i in found.inputs}) is there


@pytest.mark.parametrize(("answer", "differs"), [(1, False), (0, True), (None, False)])
def test_an_icans_grade_that_differs_is_asked_about(answer: int | None, differs: bool) -> None:
    (found,) = told("icans_grade", icans("2026-03-18", naming=1, investigator_grade=answer))
    assert (found.value["grade"], found.differs, found.form) == (1, differs, "icans_assessment")


# --- response ----------------------------------------------------------------------------------------------------


BEFORE = [marrow("2026-03-08", "20"), marrow("2026-03-10", "40")]


@pytest.mark.parametrize(
    ("forms", "response"),
    [
        # 30 % is progression from 20 %, not from 40 %
        ([*BEFORE, dose("2026-03-11")], "NR"),
        ([BEFORE[1], BEFORE[0], dose("2026-03-11")], "NR"),  # the last before
        ([*BEFORE, dose("2026-03-09")], "PD"),
        ([*BEFORE, dose("2026-03-11"), dose("2026-03-09")], "PD"),  # before the first dose
        ([*BEFORE, dose("2026-03-11"), dose("2026-03-09", "0")], "NR"),  # none was given
        ([*BEFORE, dose("2026-03-11"), dose("2026-03-09", "1")], "PD"),
        ([*BEFORE, dose("2026-03-11"), dose(None)], "NR"),
        ([*BEFORE, dose("2026-03-10")], "PD"),  # the marrow at ten, as the dose
        (BEFORE, "NR"),  # before the infusion
        ([BEFORE[0], marrow("2026-03-20", "40")], "PD"),
        ([BEFORE[0], marrow("2026-03-10", None)], "PD"),
        ([BEFORE[0], marrow("2026-03-10", "40", aspirate_adequate=False)], "PD"),
        ([], "NR"),
    ],
)
def test_progression_is_from_the_last_marrow_before_lymphodepletion(forms: list[Any], response: str) -> None:
    after = marrow("2026-04-13", "30")
    assert said(infusion(), *forms, after, assessment("2026-04-14", after)) == [response]


def test_the_values_of_a_response() -> None:
    one = marrow("2026-04-13", "2", mrd_result="DETECTED")
    row = assessment("2026-04-14", one, anc=D("0.9"), plt=D(101), investigator_response="CR")
    assert value("response", infusion(), one, row) == {
        "response": "CRi",
        "investigator": "CR",
        "agrees": False,
        "marrow_day": "2026-04-13",
        "blasts_pct": "2",
        "anc": "0.9",
        "plt": "101",
        "supported": False,
        "extramedullary": False,
        "mrd": "POSITIVE",
    }
    bare = value("response", infusion(), assessment("2026-04-14"))
    assert (bare["marrow_day"], bare["blasts_pct"], bare["mrd"], bare["response"]) == (None, None, None, "NE")


def test_a_marrow_that_is_named_and_gone_is_replaced_by_none() -> None:
    one = marrow("2026-04-13", "2", visit="D28")
    row = assessment("2026-04-14", visit="D28")
    assert said(infusion(), one, row) == ["CR"]
    row.bone_marrow_id = uuid7()
    assert said(infusion(), one, row) == ["NE"]


def test_of_two_marrows_of_a_visit_the_later_counts() -> None:
    rows = [marrow("2026-04-14", "2", visit="D28"), marrow("2026-04-12", "30", visit="D28")]
    undated = marrow("2026-04-13", "50", visit="D28")
    undated.bm_dt = None
    assert said(infusion(), *rows, undated, assessment("2026-04-15", visit="D28")) == ["CR"]
    assert said(infusion(), *rows, assessment("2026-04-15", visit="")) == ["NE"]


LOW, GOOD = {"anc_value": D("0.5"), "plt_value": D(50)}, {"anc_value": D(2), "plt_value": D(200)}


@pytest.mark.parametrize(
    ("entered", "laboratory", "counts"),
    [
        ((D(2), D(200)), [blood("2026-04-13", **LOW)], ("2", "200")),  # as entered
        ((D(2), None), [blood("2026-04-13", **LOW)], ("0.5", "50")),
        ((None, D(200)), [blood("2026-04-13", **LOW)], ("0.5", "50")),
        ((None, None), [blood("2026-04-13", **LOW)], ("0.5", "50")),
        ((D(2), None), [], ("2", None)),
        ((None, None), [blood("2026-04-13", anc_value=D("0.5")), blood("2026-04-14", **GOOD)], ("2", "200")),
        ((None, None), [blood("2026-04-13", plt_value=D(50)), blood("2026-04-14", **GOOD)], ("2", "200")),
        (
            (None, None),
            [blood("2026-04-14", **LOW), blood("2026-04-12", **GOOD)],
            ("2", "200"),
        ),  # the earlier
        ((None, None), [blood("2026-04-13", **GOOD, anc_qual=">")], (None, "200")),
        ((None, None), [blood("2026-04-13", **GOOD, plt_qual=">")], ("2", None)),
        ((None, None), [Haematology(**GOOD)], (None, None)),
    ],
)
def test_which_counts_speak(entered: tuple[Any, Any], laboratory: list[Any], counts: tuple[Any, Any]) -> None:
    one = marrow("2026-04-13", "2")
    found = value(
        "response",
        infusion(),
        one,
        assessment("2026-04-14", one, anc=entered[0], plt=entered[1]),
        *laboratory,
    )
    assert (found["anc"], found["plt"]) == counts


@pytest.mark.parametrize(
    ("bag", "response"),
    [
        (Transfusion(product="PLATELET", start_dt=at("2026-04-13")), "CRi"),  # on the day of the counts
        (Transfusion(product="PLATELET"), "CR"),
        (ConMeds(drug_class="GCSF", start_dt="2026-04-13", ongoing=True), "CRi"),
        (ConMeds(drug_class="GCSF", start_dt="2026-04-06", ongoing=False), "CRi"),  # seven days before
        (ConMeds(drug_class="GCSF", start_dt="", ongoing=True), "CR"),
    ],
)
def test_support_on_the_first_and_the_last_of_seven_days(bag: Any, response: str) -> None:
    one = marrow("2026-04-13", "2")
    assert said(infusion(), one, assessment("2026-04-14", one), bag) == [response]


def test_support_counts_from_the_day_of_the_counts() -> None:
    one = marrow("2026-04-13", "2")
    row = assessment("2026-04-14", one, anc=None, plt=None)
    bag = Transfusion(product="PLATELET", start_dt=at("2026-04-04"))
    assert said(infusion(), one, row, blood("2026-04-11", **GOOD), bag) == ["CRi"]
    assert said(infusion(), one, row, blood("2026-04-12", **GOOD), bag) == ["CR"]


def test_a_remission_on_the_day_of_the_infusion_confirms_none() -> None:
    found = value("best_response", infusion(), *followed_up(("2026-03-16", "2"), ("2026-04-13", "2")))
    assert (found["best"], found["on"], found["confirmed"]) == ("CR", "2026-04-13", False)
    later = value("best_response", infusion(), *followed_up(("2026-03-17", "2"), ("2026-04-14", "2")))
    assert (later["on"], later["confirmed"]) == ("2026-03-17", True)
