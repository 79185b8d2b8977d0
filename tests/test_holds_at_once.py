"""Two evaluations that find the same event at the same time raise one hold."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from dosing.models import DoseAllocation, Infusion
from safety.adverse_events import AdverseEvent
from safety.engine import evaluate, evaluate_locked
from safety.holds import standing
from tests.entering import enter
from trial import audit
from trial.people import system_actor


@pytest.mark.django_db(transaction=True)
def test_neither_fails_where_both_see_the_second_severe_event_of_a_level(new_subject: Any, li: Any) -> None:
    """None sees the other's hold before it is committed; whoever comes second waits, and finds it raised."""
    one, other = new_subject(), new_subject()
    for subject, day in ((one, "2026-03-01"), (other, "2026-04-01")):
        enter(subject, DoseAllocation, li, level="DL1")
        enter(subject, Infusion, li, inf_start_dt=f"{day} 10:00")
        enter(subject, AdverseEvent, li, category="CRS", max_grade="4", term="CRS")
    raised, commit, done = threading.Event(), threading.Event(), threading.Event()
    trouble: list[Exception] = []

    def first() -> None:
        with audit.transaction(system_actor(), "rules evaluated"):
            evaluate_locked(one.pk, system_actor())
            raised.set()
            commit.wait(20)

    def second() -> None:
        evaluate(other.pk, by=system_actor())
        done.set()

    def aside(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except Exception as error:
                trouble.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    threads = [aside(first)]
    assert raised.wait(20)
    threads.append(aside(second))
    assert not done.wait(0.3), "the second did not wait for the first"
    commit.set()
    for thread in threads:
        thread.join()
    assert trouble == [] and done.is_set()
    hold = standing().get()
    assert (hold.cause, hold.key, hold.subject_id) == ("SEVERE", f"DL1:{other.pk}:CRS", one.pk)
