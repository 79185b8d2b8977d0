"""Days from which everything counts: enrolment, apheresis, lymphodepletion, infusion, end; and running clocks."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from dosing.models import Apheresis, Infusion, Lymphodepletion
from safety import milestones
from safety.adverse_events import AdverseEvent
from safety.calendar import (
    ASKS,
    READS,
    active_until,
    anchors,
    died,
    first_depletion,
    left_on,
    planned_day0,
    schedule,
    seen_alive,
    window_of,
    windows,
)
from safety.clocks import Clock, clocks, roles_for, step_reached
from safety.derived.every import DERIVATIONS
from safety.milestones import aphereses, enrolment, found_eligible, infusion, lymphodepletion
from subjects.models import Death, Eligibility, EndOfStudy, InformedConsent
from tests.books import at, book
from tests.test_derived import crs
from trial.protocol import V1
from visits.models import SurvivalLtfu, Visit
from visits.schedule import Anchors

D = Decimal


def checklist(day: str | None, overall: str = "ELIGIBLE") -> Eligibility:
    """A checklist with its result."""
    return Eligibility(assessed_date=day and date.fromisoformat(day), overall=overall)


def collected(day: str | None) -> Apheresis:
    """An apheresis begun at ten."""
    return Apheresis(aph_start_dt=day and at(day))


def dose(day: str | None, planned: int | None = None, mg: str | None = "50") -> Lymphodepletion:
    """A dose of lymphodepletion at ten."""
    return Lymphodepletion(
        admin_dt=day and at(day), planned_day=planned, actual_mg=None if mg is None else D(mg)
    )


INFUSED = Infusion(inf_start_dt=at("2026-03-16"))


@pytest.mark.parametrize(
    ("forms", "day", "form"),
    [
        ((), None, ""),
        ((checklist("2026-02-12"),), "2026-02-12", "eligibility"),
        ((checklist("2026-02-12"), checklist("2026-02-10")), "2026-02-10", "eligibility"),  # the first
        ((checklist("2026-02-12"), checklist(None)), "2026-02-12", "eligibility"),
        ((checklist("2026-02-12", "NOT_ELIGIBLE"),), None, ""),
        ((checklist("2026-02-01", "NOT_ELIGIBLE"), checklist("2026-02-12")), "2026-02-12", "eligibility"),
        # no checklist: the first treatment stands for it
        ((collected("2026-02-20"), collected("2026-02-18")), "2026-02-18", "apheresis"),
        ((collected(None), INFUSED), "2026-03-16", "infusion"),
        ((dose("2026-03-12"), dose("2026-03-11"), INFUSED), "2026-03-11", "lymphodepletion"),
        ((dose("2026-03-11", mg="0"), dose("2026-03-12")), "2026-03-12", "lymphodepletion"),  # not given
        ((dose("2026-03-11", mg="1"),), "2026-03-11", "lymphodepletion"),
        ((dose("2026-03-11", mg=None),), "2026-03-11", "lymphodepletion"),
        ((checklist("2026-03-01"), collected("2026-02-18")), "2026-03-01", "eligibility"),
    ],
)
def test_enrolment(forms: tuple[Any, ...], day: str | None, form: str) -> None:
    found = enrolment(book(*forms))
    assert (found and found.day.isoformat(), found.form if found else "") == (day, form)
    assert found is None or (found.milestone, found.moment) == ("SCREENING", None)


def test_what_says_when_a_milestone_was_passed() -> None:
    told = book(checklist("2026-02-12"), collected("2026-02-18"), dose("2026-03-11"), INFUSED)
    found = [found_eligible(told), *aphereses(told), lymphodepletion(told), infusion(told)]
    facts = [(one.milestone, one.fact.form, one.fact.field, one.fact.value) for one in found if one]
    assert facts == [
        ("SCREENING", "eligibility", "assessed_date", "2026-02-12"),
        ("PRE_APHERESIS", "apheresis", "aph_start_dt", "2026-02-18T10:00:00+08:00"),
        ("PRE_LD", "lymphodepletion", "admin_dt", "2026-03-11T10:00:00+08:00"),
        ("PRE_INFUSION", "infusion", "inf_start_dt", "2026-03-16T10:00:00+08:00"),
    ]


def test_every_milestone_has_its_form_and_its_name() -> None:
    told = book(checklist("2026-02-12"), collected("2026-02-18"), dose("2026-03-11"), INFUSED)
    found = [found_eligible(told), *aphereses(told), lymphodepletion(told), infusion(told)]
    assert [form.form for form in milestones.READS] == [one.form for one in found if one]
    assert milestones.NAMES == {
        "SCREENING": ("enrolment", "入组"),
        "PRE_APHERESIS": ("apheresis", "单采"),
        "PRE_LD": ("start of lymphodepletion", "清淋开始"),
        "PRE_INFUSION": ("infusion", "回输"),
    }


def test_the_first_dose_with_a_planned_day_tells_day_0() -> None:
    rows = (dose("2026-03-12", -4), dose("2026-03-11", -5), dose("2026-03-10"), dose(None, -3))
    assert planned_day0(book(*rows)) == date(2026, 3, 16)
    first = first_depletion(book(*rows))
    assert first is not None and first.planned_day == -5
    assert planned_day0(book(dose("2026-03-10"), dose(None, -3))) is None


def test_the_visits_hang_on_these_days() -> None:
    consent = InformedConsent(consent_type="INITIAL", consent_dt=at("2026-02-01"), signed_by_subject=True)
    told = book(
        consent,
        checklist("2026-02-12"),
        collected("2026-02-20"),
        collected("2026-02-18"),
        dose("2026-03-11", -5),
        INFUSED,
    )
    assert anchors(told) == Anchors(
        icf=date(2026, 2, 1),
        enrol=date(2026, 2, 12),
        apheresis=date(2026, 2, 18),
        planned_d0=date(2026, 3, 16),
        d0=date(2026, 3, 16),
    )
    assert schedule(told).version == "1.0"
    assert windows(told)["D28"].nominal == date(2026, 4, 13)
    # who was never found eligible is expected at no visit after it
    assert anchors(book(consent, collected("2026-02-18"))).enrol is None


@pytest.mark.parametrize(
    ("forms", "left"),
    [
        ((), None),
        ((Death(death_date="2026-05-02"),), "2026-05-02"),
        ((EndOfStudy(phase="STUDY", date=date(2026, 5, 1)),), "2026-05-01"),
        ((EndOfStudy(phase="TREATMENT", date=date(2026, 5, 1)),), None),
        ((EndOfStudy(phase="STUDY", date=None),), None),
        ((EndOfStudy(phase="STUDY", date=date(2026, 5, 1)), Death(death_date="2026-05-02")), "2026-05-01"),
        ((EndOfStudy(phase="STUDY", date=date(2026, 5, 3)), Death(death_date="2026-05-02")), "2026-05-02"),
    ],
)
def test_nothing_is_expected_after_the_subject_left(forms: tuple[Any, ...], left: str | None) -> None:
    found = anchors(book(INFUSED, *forms)).death_or_withdrawal
    assert (found and found.isoformat()) == left


def withdrew(day: str | None, *scopes: str, kind: str = "WITHDRAWAL") -> InformedConsent:
    """A withdrawal at ten from these parts of the study."""
    return InformedConsent(consent_type=kind, consent_dt=day and at(day), withdrawal_scope=list(scopes))


@pytest.mark.parametrize(
    ("forms", "visits_end", "study_ends"),
    [
        ((withdrew("2026-05-01", "ASSESSMENTS"),), "2026-05-01", None),  # survival is still asked for
        ((withdrew("2026-05-01", "SURVIVAL_FU"),), None, None),
        ((withdrew("2026-05-01", "ASSESSMENTS", "SURVIVAL_FU"),), "2026-05-01", "2026-05-01"),
        (
            (withdrew("2026-05-01", "ASSESSMENTS"), withdrew("2026-05-09", "SURVIVAL_FU")),
            "2026-05-01",
            "2026-05-09",
        ),
        (
            (withdrew("2026-05-09", "ASSESSMENTS"), withdrew("2026-05-01", "SURVIVAL_FU")),
            "2026-05-09",
            "2026-05-09",
        ),
        (
            (withdrew("2026-05-09", "ASSESSMENTS"), withdrew("2026-05-01", "ASSESSMENTS")),
            "2026-05-01",
            None,
        ),
        ((withdrew("2026-05-01", "ASSESSMENTS", kind="RECONSENT"),), None, None),
        ((withdrew(None, "ASSESSMENTS", "SURVIVAL_FU"),), None, None),
        (
            (withdrew("2026-05-09", "ASSESSMENTS"), Death(death_date="2026-05-02")),
            "2026-05-02",
            "2026-05-02",
        ),
        (
            (withdrew("2026-05-01", "ASSESSMENTS"), Death(death_date="2026-05-02")),
            "2026-05-01",
            "2026-05-02",
        ),
    ],
)
def test_who_withdraws_from_assessments_is_followed_for_survival(
    forms: tuple[Any, ...], visits_end: str | None, study_ends: str | None
) -> None:
    told = book(INFUSED, *forms)
    ends = [day and day.isoformat() for day in (active_until(told), left_on(told))]
    assert ends == [visits_end, study_ends]
    assert anchors(told).death_or_withdrawal == left_on(told)


def test_only_survival_is_asked_for_from_the_first_withdrawal_of_assessments() -> None:
    rows = (withdrew("2026-05-09", "ASSESSMENTS"), withdrew("2026-05-01", "ASSESSMENTS"))
    assert anchors(book(INFUSED, *rows)).survival_only == date(2026, 5, 1)
    assert anchors(book(INFUSED, withdrew("2026-05-01", "SURVIVAL_FU"))).survival_only is None


CONTACT = {"contact_date": date(2026, 5, 3), "vital_status": "ALIVE"}


@pytest.mark.parametrize(
    ("form", "day"),
    [
        (Visit(actual_date=date(2026, 4, 2)), "2026-04-02"),
        (Visit(actual_date=None), None),
        (Infusion(inf_start_dt=at("2026-03-16")), "2026-03-16"),
        (Infusion(inf_start_dt=None), None),
        (SurvivalLtfu(**CONTACT), "2026-05-03"),
        (SurvivalLtfu(**CONTACT, last_known_alive=date(2026, 5, 1)), "2026-05-01"),
        (SurvivalLtfu(**CONTACT | {"vital_status": "DEAD"}), None),
        (SurvivalLtfu(**CONTACT | {"contact_date": None}), None),
    ],
)
def test_on_which_days_the_subject_was_surely_alive(form: Any, day: str | None) -> None:
    assert [one.isoformat() for one in seen_alive(book(form))] == ([day] if day else [])


@pytest.mark.parametrize(
    ("died_on", "seen", "days"),
    [
        ("2026-05-10", "2026-05-12", ("2026-05-10", "2026-05-10")),  # a full date is taken at its word
        ("2026-05", "2026-05-12", ("2026-05-12", "2026-05-31")),
        ("2026-05", "2026-05-31", ("2026-05-31", "2026-05-31")),  # seen on the last day of the month
        ("2026-05", "2026-06-01", ("2026-05-01", "2026-05-31")),  # contradicts, and narrows nothing
        ("2026-05", "2026-04-30", ("2026-05-01", "2026-05-31")),
    ],
)
def test_a_death_of_unknown_day_came_after_the_subject_was_last_seen(
    died_on: str, seen: str, days: tuple[str, str]
) -> None:
    death = Death(death_date=died_on)
    span = died(book(death, Visit(actual_date=date.fromisoformat(seen))), death)
    assert span is not None and (span.first.isoformat(), span.last.isoformat()) == days
    assert died(book(), Death(death_date="")) is None


def test_one_window_is_the_same_as_among_all() -> None:
    alone, among = book(INFUSED), book(INFUSED)
    assert window_of(alone, "D28") == windows(among)["D28"] == window_of(among, "D28")
    assert window_of(alone, "D29") is None and window_of(among, "D29") is None


def test_an_apheresis_without_a_day_is_no_first_one() -> None:
    assert anchors(book(collected(None), collected("2026-02-18"))).apheresis == date(2026, 2, 18)
    assert anchors(book(collected(None))).apheresis is None


def test_the_days_are_found_with_no_more_than_the_forms_that_are_read() -> None:
    """`Casebook.of` raises on a form that was not read."""
    bare = replace(book(), rows={form: [] for form in (Infusion, Visit, *READS)})
    assert anchors(bare) == Anchors() and active_until(bare) is None and seen_alive(bare) == []


def narrow(form: Any) -> Any:
    """A row with no more answers than the calendar asks of its form: any other raises AttributeError."""
    asked = (*ASKS[type(form)], "pk", "not_done", "status", "sequence", "version", "form")
    return SimpleNamespace(**{name: getattr(form, name) for name in asked})


def test_the_days_are_found_with_no_more_than_the_answers_that_are_asked() -> None:
    consent = InformedConsent(consent_type="INITIAL", consent_dt=at("2026-02-01"), signed_by_subject=True)
    forms = [
        *(consent, withdrew("2026-06-01", "ASSESSMENTS"), checklist("2026-02-12"), collected("2026-02-18")),
        *(dose("2026-03-11", -5), INFUSED, Visit(visit="D28", actual_date=date(2026, 4, 13))),
        *(
            SurvivalLtfu(**CONTACT),
            Death(death_date="2026"),
            EndOfStudy(phase="STUDY", date=date(2026, 6, 9)),
        ),
    ]
    told = book(*forms)
    rows = {form: [narrow(row) for row in found] if found else [] for form, found in told.rows.items()}
    bare = replace(told, rows=rows)
    assert anchors(bare) == anchors(told) and seen_alive(bare) == seen_alive(told)
    assert active_until(bare) == active_until(told) and bare.visit_days == told.visit_days


# Clocks of serious events

START = at("2026-03-18")
CLOCK = Clock(uuid4(), "SPONSOR", START, START + timedelta(hours=24))
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("stopped", "now", "late"),
    [
        (None, CLOCK.due, False),
        (None, CLOCK.due + MINUTE, True),
        (CLOCK.due, CLOCK.due + timedelta(days=9), False),  # reported in the last minute
        (CLOCK.due + MINUTE, CLOCK.due + timedelta(days=9), True),
    ],
)
def test_a_clock_is_overrun_after_its_last_moment(
    stopped: datetime | None, now: datetime, late: bool
) -> None:
    assert replace(CLOCK, stopped=stopped).late(now) is late


def test_what_is_left_of_a_clock() -> None:
    assert CLOCK.left(START + timedelta(hours=1)) == timedelta(hours=23)
    assert CLOCK.left(START + timedelta(hours=25)) == -timedelta(hours=1)


@pytest.mark.parametrize(
    ("hours", "step", "since"),
    [
        (11, None, None),
        (12, "P50", 12),
        (17, "P50", 12),
        (18, "P75", 18),
        (24, "P100", 24),
        (47, "P100", 24),
        (48, "D1", 48),
        (71, "D1", 48),
        (72, "D2", 72),
    ],
)
def test_the_steps_of_reminding(hours: int, step: str | None, since: int | None) -> None:
    found = step_reached(CLOCK, V1, START + timedelta(hours=hours))
    expected = None if step is None or since is None else (step, START + timedelta(hours=since))
    assert found == expected
    assert step_reached(replace(CLOCK, stopped=START), V1, START + timedelta(hours=hours)) is None


def test_who_is_reminded_of_what_is_overdue() -> None:
    told = V1.reminder_roles.value
    assert roles_for("P50", V1) == told["P50"] and roles_for("D7", V1) == told["OVERDUE"]


@pytest.mark.parametrize(
    ("expected", "relation", "kinds"),
    [
        (False, "RELATED", [("SPONSOR", True), ("SUSAR", True)]),
        (None, "RELATED", [("SPONSOR", True), ("SUSAR", False)]),  # not known yet
        (True, "RELATED", [("SPONSOR", True)]),
    ],
)
def test_the_clocks_of_an_event(expected: bool | None, relation: str, kinds: list[tuple[str, bool]]) -> None:
    event = AdverseEvent(serious=True, sae_aware_dt=START, expected=expected, rel_sscart19=relation)
    assert [(one.kind, one.sure) for one in clocks(event, V1)] == kinds


# What a derived value was derived from


@pytest.mark.parametrize(
    ("name", "forms", "fields"),
    [
        (
            "crs_grade",
            (crs("2026-03-17", oxygen_device="CPAP", o2_flow_lpm=D(4), ppv_reason="HYPOXIA"),),
            "assess_dt temp_c fever_other_cause hypotension vasopressors hypoxia oxygen_device o2_flow_lpm ppv_reason",
        ),
    ],
)
def test_a_grade_names_every_answer_it_was_read_from(name: str, forms: tuple[Any, ...], fields: str) -> None:
    (found,) = DERIVATIONS[name](book(*forms), V1)
    assert {one.field for one in found.inputs} >= set(fields.split())
