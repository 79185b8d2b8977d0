"""Taking work from the outbox: each subject once, in the transaction of the effect."""

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import F

from safety.engine import concerned, evaluate_locked
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.audit_sql import COHORT, REMIND, STUDY_CHAIN
from trial.dates import utc_now
from trial.faults import places
from trial.models import Outbox, Person
from trial.protocol import PROTOCOLS

log = logging.getLogger(__name__)
MAX_ATTEMPTS = 20
STUDY = UUID(STUDY_CHAIN)
"""Whom a note names that concerns no single subject."""


def drain(by: Actor, limit: int = 1000) -> int:
    """Evaluate every subject the outbox names, at most `limit`. Returns how many were done.

    A subject whose evaluation fails keeps its rows, goes to the back and is tried again later.
    """
    done = 0
    while done < limit:
        subject_id = _one(by)
        if subject_id is None:
            return done
        done += subject_id != STUDY
    return done


def _one(by: Actor) -> UUID | None:
    taken: UUID | None = None
    try:
        with transaction.atomic():
            taken = _take()
            if taken is None:
                return None
            if taken == STUDY:
                _wake_the_others(by)
            else:
                _work(taken, by)
    except Exception as fault:
        if taken is None:
            raise
        log.error("evaluation failed for subject %s; it stays in the outbox: %s", taken, places(fault))
        Outbox.objects.filter(subject_id=taken).exclude(topic=REMIND).update(attempts=F("attempts") + 1)
    return taken


def _take() -> UUID | None:
    row = (
        Outbox.objects.select_for_update(skip_locked=True)
        .filter(attempts__lt=MAX_ATTEMPTS)
        .exclude(topic=REMIND)
        .order_by("attempts", "id")
        .values_list("subject_id", flat=True)
        .first()
    )
    return row


def _work(subject_id: UUID, by: Actor) -> None:
    """Lock the subject first, then look which notes there are: what comes later wakes again."""
    Subject.objects.select_for_update().filter(pk=subject_id).first()
    owed = Outbox.objects.select_for_update(skip_locked=True).filter(subject_id=subject_id)
    notes = list(owed.exclude(topic=REMIND))
    with audit.transaction(by, reason=_why({n.actor_id for n in notes if n.actor_id})):
        evaluate_locked(subject_id, by)
    Outbox.objects.filter(pk__in=[n.pk for n in notes]).delete()


def _why(writers: set[int]) -> str:
    """The reason of an evaluation as the history keeps it, in both languages: whose changes came before it."""
    names = list(Person.objects.filter(pk__in=writers).order_by("pk").values_list("full_name", flat=True))
    versions = "/".join(PROTOCOLS)
    after_en, after_zh = (
        (f", after a change by {', '.join(names)}", f"(因{'、'.join(names)}的更改)") if names else ("", "")
    )
    return f"rules of protocol {versions}{after_en} · 方案 {versions} 规则{after_zh}"


def _wake_the_others(by: Actor) -> None:
    """Dosing facts or the committee's word changed: leave a note for each subject whose flags are others now.

    Doing it again wakes nobody, and who has a note already is not woken twice: nobody is evaluated meanwhile. The
    notes taken are those that were there before anything was read.
    """
    notes = list(Outbox.objects.select_for_update(skip_locked=True).filter(topic=COHORT))
    with audit.reading(by):
        woken = concerned()
    waiting = set(Outbox.objects.exclude(topic__in=(COHORT, REMIND)).values_list("subject_id", flat=True))
    told = {"topic": "evaluate", "actor_id": by.person_id, "created_at": utc_now(), "attempts": 0}
    Outbox.objects.bulk_create([Outbox(subject_id=one, **told) for one in woken if one not in waiting])
    Outbox.objects.filter(pk__in=[n.pk for n in notes]).delete()
