"""Ring for the worker of the jobs after a commit. A lost ring costs five seconds: the clock rings too."""

from django.db import transaction

from safety.doorbell import send


def ring() -> None:
    """Ask the worker to look for jobs once the running transaction, if any, has committed."""
    transaction.on_commit(lambda: send("exchange.tasks.work", 30), robust=True)
