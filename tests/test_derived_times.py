"""Time to event at its limits: one fact changes per row."""

from datetime import date
from typing import Any

import pytest

from subjects.models import Death, SubsequentTherapy
from tests.test_derived import (
    amended,
    assessment,
    followed_up,
    infusion,
    marrow,
    time_of,
    told,
    value,
)
from visits.models import (
    SurvivalLtfu,
    Visit,
)


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


def test_a_therapy_on_the_last_day_of_the_month_of_death_leaves_that_day_alone() -> None:
    found = value("os", infusion(), therapy("CHEMO", "2026-05-31"), Death(death_date="2026-05"))
    assert (found["days"], found["until"]) == (77, "2026-05-31")
    found = value("os", infusion(), therapy("CHEMO", "2026-05-30"), Death(death_date="2026-05"))
    assert (found["days_low"], found["days_high"]) == (76, 77)


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
        # and again after it: the first return since
        ([contact("2026-04-01"), contact("2026-05-30"), contact("2026-05-25")], (17, True, "PROGRESSION"), (43, True, "PROGRESSION")),
        ([contact("2026-04-01"), contact("2026-04-13")], (17, True, "PROGRESSION"), (1, True, "PROGRESSION")),
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
