"""A dose concerns others: who was infused when, and what the committee decided, reaches every subject it touches."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dosing.models import DoseAllocation, Infusion, SrcReview
from entry.door import set_lock
from entry.study_door import set_study_lock
from safety import engine, outbox
from safety.adverse_events import DltAssessment
from safety.casebook import casebooks
from safety.models import Deviation
from safety.trialbook import trial_book
from subjects.models import EndOfStudy, PriorTransplant
from subjects.signature import Signature, content_digest
from tests.conftest import acting_as
from tests.entering import correct, enter
from trial import audit
from trial.dates import utc_now
from trial.models import Outbox, Person
from trial.people import system_actor
from trial.protocol import V1

pytestmark = [pytest.mark.django_db(transaction=True)]


def drain() -> None:
    """What the worker does when the bell rings."""
    with acting_as("worker"):
        outbox.drain(system_actor())


def flags(subject: Any, rule: str) -> list[str]:
    """Every status that the flags of a rule had, oldest first."""
    with acting_as("worker"), audit.reading(system_actor()):
        kept = Deviation.history.filter(subject_id=subject.pk, rule_id=rule)
        return list(kept.order_by("history_id").values_list("status", flat=True))


def cohort_notes() -> int:
    """How many notes concern the study."""
    with acting_as("worker"):
        return Outbox.objects.filter(topic="cohort").count()


@pytest.fixture
def treated(new_subject: Callable[..., Any], li: Any) -> Callable[[str, str], tuple[Any, Any]]:
    """Makes a subject who was allocated a level and infused on a day; gives the subject and the infusion."""

    def make(level: str, day: str) -> tuple[Any, Any]:
        one = new_subject()
        enter(one, DoseAllocation, li, visit="D0", level=level, allocated_dt=f"{day} 08:00")
        return one, enter(one, Infusion, li, inf_start_dt=f"{day} 10:00").record

    return make


def test_an_earlier_infusion_entered_later_flags_the_other_subject_and_its_correction_clears_it(
    treated: Any, li: Any
) -> None:
    second, _ = treated("DL1", "2025-03-10")
    drain()
    assert flags(second, "DV-46") == []
    _, infusion = treated("DL1", "2025-03-01")
    drain()
    assert flags(second, "DV-46") == ["OPEN"]
    correct(infusion, li, inf_start_dt="2025-02-24 10:00")
    drain()
    assert flags(second, "DV-46") == ["OPEN", "CLEARED"]  # fourteen days


def test_only_dosing_facts_leave_a_note_for_the_study_and_waking_again_wakes_nobody(
    treated: Any, li: Any
) -> None:
    one, infusion = treated("DL1", "2025-03-10")
    assert cohort_notes() == 2  # the allocation, the infusion
    drain()
    infusion = correct(infusion, li, bag_ids="DIN-1").record
    enter(one, PriorTransplant, li, sct_date="2020-01-15", sct_type="ALLO")
    assert cohort_notes() == 0
    drain()
    with acting_as("worker"), audit.reading(system_actor()):
        assert engine.concerned() == []
    correct(infusion, li, inf_start_dt="2025-03-11 10:00")
    assert cohort_notes() == 1
    drain()
    assert cohort_notes() == 0


def test_the_assessment_of_another_subject_reaches_the_next_level(treated: Any, li: Any) -> None:
    below, _ = treated("DL1", "2025-03-01")
    above, _ = treated("DL2", "2025-03-20")
    drain()
    with acting_as("worker"), audit.reading(system_actor()):
        before = Deviation.objects.get(subject=above, rule_id="DV-47", key="parallel").message_en
    enter(below, DltAssessment, li, visit="D28", evaluable="YES", any_dlt="YES")
    drain()
    with acting_as("worker"), audit.reading(system_actor()):
        after = Deviation.objects.get(subject=above, rule_id="DV-47", key="parallel").message_en
    assert below.subjid in before and "has not decided" in after


@pytest.fixture
def committee(site: Any, li: Any) -> Iterator[Callable[..., Any]]:
    """Makes a complete review of the committee; those made are struck out afterwards."""
    made: list[Any] = []

    def make(level: str, decision: str, day: str) -> Any:
        row = SrcReview(
            site=site,
            data_cutoff=date.fromisoformat(day),
            meeting_date=date.fromisoformat(day),
            level=level,
            subjects_reviewed="01-001",
            n_evaluable=3,
            n_dlt=0,
            algorithm_recommendation=decision,
            decision=decision,
            status="COMPLETE",
            sequence=len(made) + 1,
        )
        with audit.transaction(li):
            row.save(force_insert=True)
        made.append(row)
        return row

    yield make
    with audit.transaction(li, "end of the test"):
        SrcReview.objects.filter(pk__in=[row.pk for row in made]).update(retracted=True)


def sign(row: Any, meaning: str, role: str, li: Any, person: Any, at: datetime | None = None) -> None:
    """A signature on a row of the study or of a subject."""
    row.refresh_from_db()
    with audit.transaction(li):
        Signature(
            subject_id=getattr(row, "subject_id", None),
            site_id=row.site_id,
            form=row.form,
            record_id=row.pk,
            record_version=row.version,
            digest=content_digest(row),
            meaning=meaning,
            person_id=person.pk,
            name="Dr Kang",
            role=role,
            signed_at=at or utc_now(),
        ).save(force_insert=True)


@pytest.mark.req("R-27")
def test_the_committees_word_wakes_the_first_subject_of_the_next_level(
    treated: Any, committee: Any, li: Any, investigator_kang: Person
) -> None:
    first, _ = treated("DL2", "2025-03-20")
    drain()
    assert flags(first, "DV-48") == ["OPEN"] and flags(first, "DV-50") == ["OPEN"]
    review = committee("DL1", "ESCALATE", "2025-03-19")
    drain()
    assert flags(first, "DV-48") == ["OPEN", "PENDING"]
    for role in V1.src_signing_roles.value:
        with audit.reading(li):
            sign(review, "COMMITTEE", role, li, investigator_kang)
    drain()
    assert flags(first, "DV-48") == ["OPEN", "PENDING", "CLEARED"]
    assert flags(first, "DV-50") == ["OPEN", "PENDING", "CLEARED"]
    with audit.transaction(li, "wrong decision typed"):
        SrcReview.objects.filter(pk=review.pk).update(decision="STAY", algorithm_recommendation="STAY")
    drain()
    assert flags(first, "DV-48") == ["OPEN", "PENDING", "CLEARED", "OPEN"]


@pytest.mark.req("R-25")
def test_a_review_keeps_its_signatures_when_frozen_and_locked_and_loses_them_when_opened(
    committee: Any, li: Any, actor: Any, investigator_kang: Person
) -> None:
    review, manager = committee("DL1", "ESCALATE", "2025-03-19"), actor("data_manager_qian")
    with audit.reading(li):
        sign(review, "COMMITTEE", "investigator", li, investigator_kang)
    kept = []
    for state in ("FROZEN", "LOCKED", "OPEN", "LOCKED"):
        review = set_study_lock(review, state, by=manager, reason="interim analysis", seen=review.version)
        with acting_as("worker"), audit.reading(system_actor()):
            (told,) = trial_book().reviews
        kept.append(sorted(told.roles))
    assert kept == [["investigator"], ["investigator"], [], []]
    set_study_lock(review, "OPEN", by=manager, reason="the test ends", seen=review.version)


def test_the_trial_is_read_in_as_many_statements_for_many_as_for_one(treated: Any, committee: Any) -> None:
    committee("DL1", "ESCALATE", "2025-03-19")
    keys = [treated("DL1", f"2025-0{n}-01")[0].pk for n in range(1, 5)]
    with acting_as("worker"), audit.reading(system_actor()):
        counted = []
        for some in (keys[:1], keys):
            with CaptureQueriesContext(
                connection,
            ) as caught:
                books = list(casebooks(some, engine.READS, judged=True))
            counted.append(len(caught))
        trial = trial_book()
    assert counted[0] == counted[1]
    assert [t.day.month for t in trial.at_level["DL1"]] == [1, 2, 3, 4]
    assert [r.decision for r in trial.by_meeting] == ["ESCALATE"]
    assert {entry.form for entry in books[0].entries} == {"dose_allocation", "infusion"}


def test_a_sweep_finds_nothing_left_to_do(treated: Any) -> None:
    treated("DL1", "2025-03-01")
    treated("DL1", "2025-03-05")
    drain()
    with acting_as("worker"):
        assert list(engine.sweep(by=system_actor())) == []


def test_an_answer_changed_after_a_lock_is_flagged_and_unlocking_ends_the_signature(
    subject: Any, li: Any, actor: Any, investigator_kang: Person
) -> None:
    manager = actor("data_manager_qian")
    end = enter(
        subject, EndOfStudy, li, status="COMPLETE", phase="STUDY", date="2025-03-20", reason="COMPLETED"
    ).record
    drain()
    assert flags(subject, "DV-64") == ["PENDING"]
    with audit.reading(li):
        sign(end, "REVIEW", "investigator", li, investigator_kang)
    drain()
    assert flags(subject, "DV-64") == ["PENDING", "CLEARED"]
    end = set_lock(end, "LOCKED", by=manager, reason="database lock")
    drain()
    assert flags(subject, "DV-64") == ["PENDING", "CLEARED"]
    end = set_lock(end, "OPEN", by=manager, reason="a letter came in")
    drain()
    assert flags(subject, "DV-64") == ["PENDING", "CLEARED", "PENDING"]
    with audit.reading(li):
        end = EndOfStudy.objects.select_related("subject").get(pk=end.pk)
    correct(end, li, reason="as the letter says", date="2025-03-19")
    drain()
    with acting_as("worker"), audit.reading(system_actor()):
        open_ = Deviation.objects.filter(subject=subject, rule_id="DV-64").exclude(status="CLEARED")
        told = {d.key.partition(":")[0]: d.status for d in open_}
    assert told == {"changed": "OPEN", "unsigned": "PENDING"}
