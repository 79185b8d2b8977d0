"""Wake the worker after a commit. The outbox remembers the work; a lost ring costs two seconds, never a finding.

Ringing is left to a thread of its own, so that nobody waits for the broker: a save is done when it is committed.
Rings that come while one is on its way are one ring.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

REST_AFTER_FAILURE = 5.0
_silent = False


class _Ringer:
    """One thread that rings when asked. A forked process needs a new one: threads do not survive a fork."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.asked = threading.Event()
        threading.Thread(target=self._run, name="doorbell", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.asked.wait()
            self.asked.clear()
            if not ring_now():
                time.sleep(REST_AFTER_FAILURE)


_ringer: _Ringer | None = None


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
        transaction.on_commit(_ask, robust=True)


def _ask() -> None:
    global _ringer
    if _ringer is None or _ringer.process != os.getpid():
        _ringer = _Ringer()
    _ringer.asked.set()


def ring_for_sweep() -> None:
    """Ask for a look at every subject after the commit. Lost, the sweep that comes every ten minutes does it."""
    if not _silent:
        transaction.on_commit(lambda: send("safety.tasks.start_sweep", 600), robust=True)


def ring_now() -> bool:
    """Ring, here and now; False when the broker does not answer."""
    return send("safety.tasks.drain", 30)


def send(task: str, seconds: int) -> bool:
    """Send a task by its name, to be forgotten after `seconds`; False when the broker does not answer.

    By its name, because tasks do the work of modules that ring, and those could not import one another.
    """
    try:
        current_app.send_task(
            task, retry=True, retry_policy={"max_retries": 0}, expires=seconds, ignore_result=True
        )
    except (OperationalError, OSError) as error:
        log.warning("broker unreachable, the table keeps the work: %s", type(error).__name__)
        return False
    return True
