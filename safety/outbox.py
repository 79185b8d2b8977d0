"""Taking work from the outbox: each subject once, in the transaction of the effect."""

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import F

from safety.engine import evaluate_locked
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.models import Outbox
from trial.protocol import PROTOCOLS

log = logging.getLogger(__name__)
MAX_ATTEMPTS = 20


def drain(by: Actor, limit: int = 1000) -> int:
    """Evaluate every subject the outbox names, at most `limit`. Returns how many were done.

    A subject whose evaluation fails keeps its rows, goes to the back and is tried again later.
    """
    done = 0
    while done < limit:
        subject_id = _one(by)
        if subject_id is None:
            return done
        done += 1
    return done


def _one(by: Actor) -> UUID | None:
    taken: UUID | None = None
    try:
        with transaction.atomic():
            taken = _take()
            if taken is None:
                return None
            _work(taken, by)
    except Exception:
        if taken is None:
            raise
        log.exception("evaluation failed for subject %s; it stays in the outbox", taken)
        Outbox.objects.filter(subject_id=taken).update(attempts=F("attempts") + 1)
    return taken


def _take() -> UUID | None:
    row = (
        Outbox.objects.select_for_update(skip_locked=True)
        .filter(attempts__lt=MAX_ATTEMPTS)
        .order_by("attempts", "id")
        .values_list("subject_id", flat=True)
        .first()
    )
    return row


def _work(subject_id: UUID, by: Actor) -> None:
    """Lock the subject first, then look which notes there are: what comes later wakes again."""
    Subject.objects.select_for_update().filter(pk=subject_id).first()
    notes = list(Outbox.objects.select_for_update(skip_locked=True).filter(subject_id=subject_id))
    writers = sorted({str(n.actor_id) for n in notes if n.actor_id})
    reason = f"rules of protocol {'/'.join(PROTOCOLS)}, after a change by person {', '.join(writers)}"
    with audit.transaction(by, reason=reason):
        evaluate_locked(subject_id)
    Outbox.objects.filter(pk__in=[n.pk for n in notes]).delete()
