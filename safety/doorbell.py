"""Wake the worker after a commit. The outbox remembers the work; a lost ring costs two seconds, never a finding."""

import logging

from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def ring() -> None:
    """Ask the worker to look into the outbox once the running transaction, if any, has committed."""
    transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    from safety.tasks import drain

    try:
        drain.apply_async(retry=True, retry_policy={"max_retries": 0}, expires=30)
    except (OperationalError, OSError) as error:
        log.warning("broker unreachable, the outbox keeps the work: %s", type(error).__name__)
