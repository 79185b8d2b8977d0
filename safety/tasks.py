"""What Celery runs. Each task may be lost or run twice: the outbox and the unique keys make that harmless."""

from celery import shared_task

from safety import engine, outbox
from trial import ledger
from trial.people import system_actor


@shared_task(name="safety.tasks.drain", ignore_result=True)
def drain() -> int:
    """Do the work the outbox holds."""
    return outbox.drain(system_actor())


@shared_task(name="safety.tasks.start_sweep", ignore_result=True)
def start_sweep() -> int:
    """Compare every subject's flags with what the rules find now; repair those that differ."""
    by = system_actor()
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
