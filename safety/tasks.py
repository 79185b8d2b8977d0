"""What Celery runs. Each task may be lost or run twice: the outbox and the unique keys make that harmless."""

import logging

from celery import shared_task

from safety import engine, outbox, reminding, rule_set
from trial import ledger
from trial.people import system_actor

log = logging.getLogger(__name__)


@shared_task(name="safety.tasks.drain", ignore_result=True)
def drain() -> int:
    """Do the work the outbox holds."""
    return outbox.drain(system_actor())


@shared_task(name="safety.tasks.start_sweep", ignore_result=True)
def start_sweep() -> int:
    """Compare every subject's flags with what the rules find now; repair those that differ.

    Rules other than those in force wait until a data manager applies them.
    """
    by = system_actor()
    if not rule_set.may_sweep(by):
        log.warning(
            "the rules of this release are not in force yet: see manage.py rules_diff, then rules_apply"
        )
        return 0
    repaired = 0
    for subject_id in engine.sweep(by=by):
        engine.evaluate(subject_id, by=by, because="sweep: the rules found a difference")
        repaired += 1
    return repaired


@shared_task(name="safety.tasks.seal", ignore_result=True)
def seal() -> int:
    """Seal what was written since the last checkpoint."""
    made = ledger.seal()
    return made.entries if made else 0


@shared_task(name="safety.tasks.remind", ignore_result=True)
def remind() -> int:
    """Remind of the deadlines of serious events."""
    by = system_actor()
    made = reminding.remind(by)
    reminding.send(by)
    return made
