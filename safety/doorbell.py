"""Wake the worker after a commit. The outbox remembers the work; a lost ring costs two seconds, never a finding."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

REST_AFTER_FAILURE = 5.0
_resting_until = 0.0


_silent = False


@contextmanager
def silence() -> Iterator[None]:
    """No ringing in this process for a while: a bulk entry drains the outbox itself at its end."""
    global _silent
    _silent = True
    try:
        yield
    finally:
        _silent = False


def ring() -> None:
    """Ask the worker to look into the outbox once the running transaction, if any, has committed."""
    if not _silent:
        transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    """One save waits, briefly, for a broker that does not answer; those of the next seconds leave it alone."""
    global _resting_until
    from safety.tasks import drain

    if time.monotonic() < _resting_until:
        return
    try:
        drain.apply_async(retry=True, retry_policy={"max_retries": 0}, expires=30)
    except (OperationalError, OSError) as error:
        _resting_until = time.monotonic() + REST_AFTER_FAILURE
        log.warning("broker unreachable, the outbox keeps the work: %s", type(error).__name__)
