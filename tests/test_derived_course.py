"""CRS, ICANS, response and time to event at their limits: one fact changes per row."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from subjects.models import Death, SubsequentTherapy
from tests.books import at
from tests.test_derived import (
    amended,
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
    time_of,
    told,
    value,
)
from tests.test_derived_laboratory import dose
from trial.fields import uuid7
from visits.models import ConMeds, Haematology, SurvivalLtfu, Transfusion, Visit

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


# --- time to event -----------------------------------------------------------------------------------------------


def therapy(kind: str, day: str, remission: str = "NO") -> SubsequentTherapy:
    return SubsequentTherapy(type=kind, start_date=date.fromisoformat(day), in_remission=remission)


def contact(day: str, disease: str = "RELAPSED") -> SurvivalLtfu:
    return SurvivalLtfu(contact_date=date.fromisoformat(day), disease_status=disease, vital_status="ALIVE")


GOOD_COURSE = (("2026-04-13", "2"), ("2026-05-18", "2"))


def test_a_time_stands_for_the_day_it_ends() -> None:
    (found,) = told("os", infusion(), Death(death_date="2026-04-20"))
    assert found.on == date(2026, 4, 20)
    (open_,) = told("os", infusion(), Death(death_date="2026-04"))
    assert open_.on is None
    assert not told("os", Death(death_date="2026-04-20"))


def test_a_death_of_the_month_of_the_infusion_was_not_before_it() -> None:
    found = value("os", infusion(), Death(death_date="2026-03"))
    assert (found["days_low"], found["days_high"]) == (1, 16)
    before = value("os", infusion(), Death(death_date="2026-02"))  # contradicts: the day itself
    assert (before["days"], before["event"]) == (1, True)


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-03-16", (64, False, "NO_EVENT")), ("2026-03-17", (2, True, "PROGRESSION"))],
)
def test_a_relapse_told_on_the_day_of_the_infusion_is_none(day: str, expected: tuple[Any, ...]) -> None:
    assert time_of("pfs", *followed_up(*GOOD_COURSE), contact(day))[:3] == expected


def test_what_was_assessed_on_the_day_of_the_infusion_is_no_response_to_it() -> None:
    assert not told("dor", infusion(), *followed_up(("2026-03-16", "2")))
    assert time_of("dor", *followed_up(("2026-03-17", "2")))[0] == 1


def test_progression_without_a_remission_is_an_event() -> None:
    base, worse = marrow("2026-03-10", "40"), followed_up(("2026-04-13", "50"))
    assert time_of("pfs", base, *worse) == (29, True, "PROGRESSION", "2026-04-13")


def test_a_response_lasts_from_the_first_remission() -> None:
    assert time_of("dor", *followed_up(*GOOD_COURSE)) == (36, False, "NO_EVENT", "2026-05-18")


@pytest.mark.parametrize(
    ("forms", "pfs", "dor"),
    [
        # the last assessment before the first new therapy
        ([therapy("CHEMO", "2026-05-20")], (64, False, "NEW_THERAPY"), (36, False, "NEW_THERAPY")),
        ([therapy("CHEMO", "2026-05-20"), therapy("CHEMO", "2026-05-01")], (29, False, "NEW_THERAPY"), (1, False, "NEW_THERAPY")),
        ([therapy("CHEMO", "2026-05-18")], (64, False, "NEW_THERAPY"), (36, False, "NEW_THERAPY")),
        ([therapy("CHEMO", "2026-04-12")], (1, False, "NEW_THERAPY"), None),  # a remission after it is not ours
        ([therapy("CHEMO", "2026-04-13")], (29, False, "NEW_THERAPY"), (1, False, "NEW_THERAPY")),
        # relapse comes first, also on the day of the therapy
        ([contact("2026-05-25"), therapy("CHEMO", "2026-05-25")], (71, True, "PROGRESSION"), (43, True, "PROGRESSION")),
        ([contact("2026-05-25"), therapy("CHEMO", "2026-05-24")], (64, False, "NEW_THERAPY"), (36, False, "NEW_THERAPY")),
        # relapse and therapy before the first remission
        ([contact("2026-04-01"), therapy("CHEMO", "2026-04-02")], (17, True, "PROGRESSION"), None),
        ([contact("2026-04-01")], (17, True, "PROGRESSION"), (36, False, "NO_EVENT")),
        # and once more after it
        ([contact("2026-04-01"), contact("2026-06-01")], (17, True, "PROGRESSION"), (50, True, "PROGRESSION")),
        (
            [contact("2026-04-01"), contact("2026-06-01"), therapy("CHEMO", "2026-05-20")],
            (17, True, "PROGRESSION"),
            (36, False, "NEW_THERAPY"),
        ),
    ],
)  # fmt: skip
def test_new_therapy_and_relapse(forms: list[Any], pfs: tuple[Any, ...], dor: tuple[Any, ...] | None) -> None:
    rows = [*followed_up(*GOOD_COURSE), *forms]
    assert time_of("pfs", *rows)[:3] == pfs
    assert (time_of("dor", *rows)[:3] if told("dor", infusion(), *rows) else None) == dor


def test_whoever_begins_a_therapy_is_alive() -> None:
    rows = [contact("2026-05-25"), therapy("CHEMO", "2026-06-02")]
    assert time_of("os", *rows) == (79, False, "NO_EVENT", "2026-06-02")
    assert time_of("os", rows[0]) == (71, False, "NO_EVENT", "2026-05-25")
    later = [*rows, therapy("CHEMO", "2026-06-09"), therapy("ALLO_SCT", "2026-06-16", "YES")]
    assert time_of("os", *later[:3]) == (86, False, "NO_EVENT", "2026-06-09")  # the second one too
    assert time_of("os", *later) == (93, False, "NO_EVENT", "2026-06-16")
    assert time_of("os", assessment("2026-06-15")) == (
        92,
        False,
        "NO_EVENT",
        "2026-06-15",
    )  # no marrow: still met
    assert (
        time_of("os", Visit(visit="D7", actual_date=date(2026, 3, 10)))[3] == "2026-03-16"
    )  # before: says nothing


@pytest.mark.parametrize(
    ("death", "low", "high"),
    [("2026-06", 86, 107), ("2026-05", 47, 77), ("2026", 86, 291)],
)
def test_nobody_died_before_a_therapy_began(death: str, low: int, high: int) -> None:
    found = value("os", infusion(), therapy("CHEMO", "2026-06-09"), Death(death_date=death))
    assert (found["days_low"], found["days_high"], found["event"]) == (low, high, True)


def test_a_death_on_a_known_day_is_of_that_day() -> None:
    rows = [therapy("CHEMO", "2026-06-09"), Death(death_date="2026-06-08")]  # contradicts
    assert time_of("os", *rows) == (85, True, "DEATH", "2026-06-08")


def test_of_two_transplants_in_remission_the_first_censors_where_the_protocol_says_so() -> None:
    rows = [therapy("ALLO_SCT", "2026-05-20", "YES"), therapy("ALLO_SCT", "2026-05-01", "YES")]
    found = time_of("pfs", *followed_up(*GOOD_COURSE), *rows, protocol=amended(sct_censors_pfs=True))
    assert found == (29, False, "TRANSPLANT", "2026-04-13")


@pytest.mark.parametrize(
    ("visit", "blasts", "event"),
    [("M3", "30", True), ("M2", "30", False), ("M3", "2", False)],
)
def test_only_no_response_at_month_3_can_be_an_event(visit: str, blasts: str, event: bool) -> None:
    one = marrow("2026-06-16", blasts)
    row = assessment("2026-06-16", one, visit=visit)
    assert time_of("pfs", one, row, protocol=amended(nr_is_pfs_event=True))[1] is event


def test_an_assessment_that_was_not_evaluable_proves_nothing() -> None:
    late = assessment("2026-06-15")  # no marrow
    assert time_of("pfs", *followed_up(*GOOD_COURSE), late) == (64, False, "NO_EVENT", "2026-05-18")
