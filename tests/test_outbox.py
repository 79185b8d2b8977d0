"""Every change owes an evaluation; the outbox remembers it until it is done, once, whatever fails on the way."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from config.celery import app
from dosing.models import Infusion
from entry.door import retract_record
from safety import doorbell, engine, outbox
from safety.adverse_events import AdverseEvent
from safety.models import Deviation
from safety.rules import RULES
from safety.tasks import start_sweep
from subjects.models import PriorTransplant
from tests.conftest import acting_as
from tests.entering import correct, enter
from trial import audit
from trial.dates import utc_now
from trial.item import Basis
from trial.models import Outbox
from trial.people import system_actor
from trial.rules import Rule, Severity

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def transplant(subject: Any, li: Any) -> Any:
    """An allogeneic transplant on 15 January 2025."""
    return enter(subject, PriorTransplant, li, sct_date="2025-01-15", sct_type="ALLO").record


@pytest.fixture
def infusion(subject: Any, transplant: Any, li: Any) -> Any:
    """An infusion six weeks after it."""
    return enter(subject, Infusion, li, inf_start_dt="2025-03-01 10:00").record


def notes(subject: Any) -> list[int]:
    """The attempts of each note that waits for a subject."""
    with acting_as("worker"):
        return list(
            Outbox.objects.filter(subject_id=subject.pk).order_by("id").values_list("attempts", flat=True)
        )


def drain() -> int:
    """What the worker does when the bell rings."""
    with acting_as("worker"):
        return outbox.drain(system_actor())


def dv01(subject: Any) -> list[str]:
    """Every status that the DV-01 flags of a subject had, oldest first."""
    with acting_as("worker"), audit.reading(system_actor()):
        kept = Deviation.history.filter(subject_id=subject.pk, rule_id="DV-01")
        return list(kept.order_by("history_id").values_list("status", flat=True))


def test_a_flag_names_whose_change_came_before_in_both_languages(
    subject: Any, infusion: Any, li: Any
) -> None:
    drain()
    with acting_as("worker"), audit.reading(system_actor()):
        first = Deviation.history.filter(subject_id=subject.pk, rule_id="DV-01").earliest("history_id")
    assert f"after a change by {li.name}" in first.history_change_reason
    assert f"因{li.name}的更改" in first.history_change_reason


@pytest.mark.req("R-27")
def test_every_change_leaves_a_note_and_draining_takes_them_all(subject: Any, infusion: Any, li: Any) -> None:
    correct(infusion, li, inf_start_dt="2025-03-02 10:00")
    assert notes(subject) == [0, 0, 0, 0]  # the subject, the transplant, the infusion, its correction
    assert drain() == 1 and notes(subject) == []
    assert dv01(subject) == ["OPEN"]


def test_a_save_that_changes_nothing_leaves_no_note(subject: Any, infusion: Any, li: Any) -> None:
    drain()
    correct(infusion, li, inf_start_dt="2025-03-01 10:00")
    assert notes(subject) == []


def test_a_save_that_is_rolled_back_leaves_no_note(subject: Any, li: Any) -> None:
    before = notes(subject)
    with pytest.raises(RuntimeError), transaction.atomic():
        enter(subject, PriorTransplant, li, sct_date="2025-01-15")
        raise RuntimeError
    assert notes(subject) == before


@pytest.mark.req("R-27")
def test_delivering_the_work_again_is_harmless(subject: Any, infusion: Any) -> None:
    for _ in range(3):
        drain()
        with acting_as("worker"):
            assert engine.evaluate(subject.pk, by=system_actor()) == engine.Change()
    assert dv01(subject) == ["OPEN"]


@pytest.fixture
def failing_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Adds a rule that raises for one subject."""

    def add(subject: Any) -> None:
        def check(book: Any, protocol: Any) -> list[Any]:
            """It breaks."""
            if book.subject_id == subject.pk:
                raise ZeroDivisionError
            return []

        broken = Rule("DV-99", "b", "b", "c", Basis.GUIDELINE, Severity.MINOR, "X", (), check)
        monkeypatch.setitem(RULES, "DV-99", broken)

    return add


def test_a_failed_evaluation_keeps_its_notes_and_lets_the_others_pass(
    subject: Any, infusion: Any, new_subject: Any, li: Any, failing_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_subject()
    enter(other, PriorTransplant, li, sct_date="2025-01-15", sct_type="ALLO")
    enter(other, Infusion, li, inf_start_dt="2025-03-01 10:00")
    failing_for(subject)
    with acting_as("worker"):
        assert outbox.drain(system_actor(), limit=2) == 2
    assert notes(subject) == [1, 1, 1] and dv01(subject) == []
    assert notes(other) == [] and dv01(other) == ["OPEN"]
    monkeypatch.undo()
    drain()
    assert notes(subject) == [] and dv01(subject) == ["OPEN"]


def test_what_fails_for_ever_stops_after_a_number_of_attempts_and_still_waits(
    subject: Any, infusion: Any, failing_for: Any
) -> None:
    failing_for(subject)
    assert drain() == outbox.MAX_ATTEMPTS
    assert drain() == 0 and notes(subject) == [outbox.MAX_ATTEMPTS] * 3


@pytest.mark.req("R-27")
def test_many_workers_at_once_flag_once(new_subject: Any, li: Any) -> None:
    subjects = [new_subject() for _ in range(6)]
    for one in subjects:
        enter(one, PriorTransplant, li, sct_date="2025-01-15", sct_type="ALLO")
        enter(one, Infusion, li, inf_start_dt="2025-03-01 10:00")
    trouble: list[BaseException] = []

    def work(barrier: threading.Barrier) -> None:
        try:
            by = system_actor()
            barrier.wait()
            outbox.drain(by)
        except BaseException as error:
            trouble.append(error)
        finally:
            connection.close()

    with acting_as("worker"):
        barrier = threading.Barrier(5)
        workers = [threading.Thread(target=work, args=(barrier,)) for _ in range(5)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert trouble == []
    assert all(notes(one) == [] and dv01(one) == ["OPEN"] for one in subjects)


@pytest.mark.req("R-27")
def test_a_change_while_the_rules_run_is_evaluated_too(
    subject: Any, transplant: Any, infusion: Any, li: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker holds the subject while it evaluates: the writer waits, and its note outlives the worker's."""
    running, go_on, saved = threading.Event(), threading.Event(), threading.Event()

    def check(book: Any, protocol: Any) -> list[Any]:
        """It takes its time."""
        running.set()
        go_on.wait(10)
        return []

    slow = Rule("DV-99", "s", "s", "c", Basis.GUIDELINE, Severity.MINOR, "X", (), check)
    monkeypatch.setitem(RULES, "DV-99", slow)

    def work() -> None:
        outbox.drain(system_actor(), limit=1)
        connection.close()

    def write() -> None:
        correct(transplant, li, sct_date="2024-01-15")
        saved.set()
        connection.close()

    with acting_as("worker"):
        worker, writer = threading.Thread(target=work), threading.Thread(target=write)
        worker.start()
        assert running.wait(10)
        writer.start()
        assert not saved.wait(0.3), "the writer did not wait for the worker"
        go_on.set()
        worker.join()
        writer.join()
    assert dv01(subject) == ["OPEN"] and notes(subject) == [0]
    drain()
    assert dv01(subject) == ["OPEN", "CLEARED"] and notes(subject) == []


# --- what clears a flag ------------------------------------------------------------------------------------------


@pytest.mark.req("R-01")
def test_correcting_the_date_of_the_transplant_clears_the_flag_and_keeps_both_dates(
    subject: Any, transplant: Any, infusion: Any, li: Any
) -> None:
    drain()
    correct(transplant, li, reason="misread the discharge letter", sct_date="2024-11-15")
    drain()
    assert dv01(subject) == ["OPEN", "CLEARED"]
    with audit.reading(li):
        kept = PriorTransplant.history.filter(id=transplant.pk).order_by("history_id")
        assert [(h.version, h.sct_date) for h in kept] == [(1, "2025-01-15"), (2, "2024-11-15")]
        flag = Deviation.objects.get(subject=subject, rule_id="DV-01")
        cleared = Deviation.history.filter(id=flag.pk).latest("history_id")
    assert flag.status == "CLEARED" and flag.cleared_at is not None
    assert cleared.actor_role == "system" and str(li.person_id) in cleared.history_change_reason


def test_a_flag_that_was_cleared_opens_again(subject: Any, transplant: Any, infusion: Any, li: Any) -> None:
    drain()
    for day in ("2024-11-15", "2025-01-15"):
        transplant = correct(transplant, li, sct_date=day).record
        drain()
    assert dv01(subject) == ["OPEN", "CLEARED", "OPEN"]
    with audit.reading(li):
        assert Deviation.objects.get(subject=subject, rule_id="DV-01").cleared_at is None


@pytest.mark.req("R-14")
@pytest.mark.parametrize("struck_out", ["transplant", "infusion"])
def test_retracting_the_transplant_or_the_infusion_clears_the_flag(
    struck_out: str, subject: Any, transplant: Any, infusion: Any, li: Any
) -> None:
    drain()
    record = {"transplant": transplant, "infusion": infusion}[struck_out]
    retract_record(record, by=li, reason="belongs to another subject", seen=1)
    drain()
    assert dv01(subject) == ["OPEN", "CLEARED"]


# --- the sweep ---------------------------------------------------------------------------------------------------


def sweep() -> int:
    """What the clock starts every ten minutes."""
    with acting_as("worker"):
        return int(start_sweep())


@pytest.mark.req("R-27")
def test_the_sweep_finds_what_nobody_was_woken_for(subject: Any, infusion: Any) -> None:
    with acting_as("worker"):
        Outbox.objects.all().delete()
    assert drain() == 0 and dv01(subject) == []
    assert sweep() == 1 and dv01(subject) == ["OPEN"]
    assert sweep() == 0


@pytest.mark.req("R-27")
def test_the_sweep_mends_a_flag_that_somebody_cleared(subject: Any, infusion: Any) -> None:
    drain()
    with acting_as("worker"), audit.transaction(system_actor(), "a mistake"):
        Deviation.objects.filter(subject=subject, rule_id="DV-01").update(status="CLEARED")
    assert sweep() == 1 and dv01(subject) == ["OPEN", "CLEARED", "OPEN"]


@pytest.mark.req("R-27")
def test_the_sweep_finds_what_only_the_clock_breaks(subject: Any, li: Any) -> None:
    """A serious event that nobody reports breaks DV-59 after 24 hours without any change of the record."""
    aware = utc_now() - timedelta(hours=1)
    enter(subject, AdverseEvent, li, term="sepsis", serious="true", sae_aware_dt=aware.isoformat())
    drain()
    assert sweep() == 0 and late(subject) == []
    with time_machine.travel(aware + timedelta(hours=24, minutes=1), tick=True):
        assert sweep() == 1 and late(subject) == ["OPEN"]
        assert sweep() == 0


def late(subject: Any) -> list[str]:
    """The statuses of the flags for late reports."""
    with acting_as("worker"), audit.reading(system_actor()):
        return list(
            Deviation.objects.filter(subject=subject, rule_id="DV-59").values_list("status", flat=True)
        )


# --- the doorbell ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["nobody listens", "nobody answers"])
def dead_broker(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A broker's socket at which nobody listens, or at which somebody listens who never answers."""
    door = tmp_path / "broker.sock"
    with socket.socket(socket.AF_UNIX) as deaf:
        if request.param == "nobody answers":
            deaf.bind(str(door))
            deaf.listen(100)
        monkeypatch.setattr(app.conf, "broker_url", f"redis+socket://{door}")
        monkeypatch.setattr(app.amqp, "_producer_pool", None)
        yield


@pytest.mark.req("R-76")
def test_without_a_broker_a_save_neither_fails_nor_waits(subject: Any, li: Any, dead_broker: None) -> None:
    seconds = []
    for n in range(3):
        began = time.monotonic()
        enter(subject, PriorTransplant, li, sct_date=f"202{n}-01-15", sct_type="ALLO")
        seconds.append(time.monotonic() - began)
    assert max(seconds) < 1, seconds
    assert notes(subject)[-3:] == [0, 0, 0]


def test_a_broker_that_does_not_answer_is_given_up_soon(dead_broker: None) -> None:
    began = time.monotonic()
    assert doorbell.ring_now() is False
    assert time.monotonic() - began < 1


@pytest.mark.django_db(transaction=True)
def test_ringing_is_left_to_a_thread_and_many_rings_are_few(subject: Any, li: Any, monkeypatch: Any) -> None:
    rung: list[str] = []

    def slow_ring() -> bool:
        rung.append(threading.current_thread().name)
        time.sleep(0.3)
        return True

    monkeypatch.setattr(doorbell, "ring_now", slow_ring)
    monkeypatch.setattr(doorbell, "_ringer", None)  # the other one may be resting after a dead broker
    began = time.monotonic()
    for n in range(5):
        enter(subject, PriorTransplant, li, sct_date=f"202{n}-01-15", sct_type="ALLO")
    assert time.monotonic() - began < 1.5
    time.sleep(0.7)
    assert 1 <= len(rung) <= 4 and set(rung) == {"doorbell"}
