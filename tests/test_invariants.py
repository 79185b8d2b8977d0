"""The invariants are quiet while all is well, and name what somebody with the owner's rights did behind the triggers."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dosing.models import Infusion
from entry.door import set_lock
from safety import invariants, outbox
from safety.invariants import Acknowledged
from subjects.models import PriorTransplant
from tests.conftest import acting_as, owner_connection
from tests.entering import correct, enter
from tests.test_holds import decide, gu, hold  # noqa: F401
from trial.audit_sql import Stamp
from trial.people import system_actor

pytestmark = [pytest.mark.django_db(transaction=True)]

TABLE, HISTORY = "subjects_priortransplant", "subjects_historicalpriortransplant"


@pytest.fixture
def transplant(subject: Any, li: Any) -> Any:
    """A transplant in two versions, and an infusion too soon after it, with its flags."""
    record = enter(subject, PriorTransplant, li, sct_date="2025-01-15", sct_type="ALLO").record
    enter(subject, Infusion, li, inf_start_dt="2025-03-01 10:00")
    record = correct(record, li, sct_date="2025-01-16").record
    with acting_as("worker"):
        outbox.drain(system_actor())
    return record


def broken() -> set[str]:
    """The numbers of the invariants that do not hold."""
    with acting_as("worker"):
        return {one.invariant for one in invariants.broken()}


def test_all_hold_while_nobody_forges(transplant: Any) -> None:
    assert broken() == set()


@pytest.mark.parametrize(
    ("forgery", "found"),
    [
        (f"UPDATE {TABLE} SET sct_date = '2024-01-01'", {"I2", "I3", "I4"}),
        (f"UPDATE {TABLE} SET version = 7", {"I2", "I3"}),
        (f"UPDATE {HISTORY} SET sct_date = '2024-01-01' WHERE version = 1", {"I5"}),
        (f"UPDATE {HISTORY} SET sct_date = '2024-01-01' WHERE version = 2", {"I2", "I5"}),
        (f"UPDATE {HISTORY} SET history_change_reason = 'a better reason' WHERE version = 2", {"I5"}),
        (f"DELETE FROM {HISTORY} WHERE version = 1", {"I2", "I5"}),
        (f"DELETE FROM {TABLE}", {"I2", "I4"}),
        (
            "UPDATE trial_ledgerentry SET payload = replace(payload, '2025-01-16', '2024-01-01')"
            f" WHERE record_table = '{TABLE}'",
            {"I3", "I5"},
        ),
        (
            f"DELETE FROM trial_ledgerentry WHERE record_table = '{TABLE}' AND payload LIKE '%2025-01-16%'",
            {"I3", "I5"},
        ),
        ("UPDATE safety_deviation SET status = 'CLEARED' WHERE rule_id = 'DV-01'", {"I2", "I3", "I4"}),
        ("DELETE FROM safety_deviation WHERE rule_id = 'DV-01'", {"I2", "I4"}),
    ],
)
@pytest.mark.req("R-16")
def test_what_was_forged_without_the_triggers_is_named(
    forgery: str, found: set[str], transplant: Any
) -> None:
    with owner_connection() as owner:
        for table in (TABLE, "safety_deviation"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            owner.execute(forgery)
        finally:
            for table in (TABLE, "safety_deviation"):
                owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    assert broken() == found


@pytest.mark.req("R-24")
def test_an_unlocking_that_slips_an_answer_in_is_named(transplant: Any, actor: Any) -> None:
    """The stamp refuses it; its owner can take the stamp away."""
    set_lock(transplant, "LOCKED", by=actor("data_manager_qian"), reason="soft lock")
    stamp = Stamp().get_pgid(PriorTransplant)
    with owner_connection() as owner:
        owner.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER {stamp}")
        try:
            with owner.transaction():
                owner.execute(
                    "SELECT set_config('edc.actor', '0', true), set_config('edc.reason', 'unlock', true)"
                )
                owner.execute(
                    f"UPDATE {TABLE} SET lock_state = 'OPEN', conditioning = 'MAC', version = version + 1"
                )
        finally:
            owner.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER {stamp}")
    assert "I6" in broken()


@pytest.fixture
def lifted(subject: Any, hold: Any, decide: Any) -> Any:  # noqa: F811
    """A hold by a death, lifted by the medical monitor's signed review."""
    decide("LIFT")
    with acting_as("worker"):
        outbox.drain(system_actor())
    return hold


@pytest.mark.parametrize(
    ("forgery", "table", "named"),
    [
        ("UPDATE safety_enrolmenthold SET lifted_at = NULL", "safety_enrolmenthold", "stand although"),
        ("DELETE FROM safety_holdreview", "safety_holdreview", "without a signed review"),
        ("UPDATE safety_holdreview SET decision = 'KEEP'", "safety_holdreview", "without a signed review"),
        ("UPDATE safety_holdreview SET version = 2", "safety_holdreview", "without a signed review"),
        ("DELETE FROM subjects_signature", "subjects_signature", "without a signed review"),
    ],
)
def test_a_hold_is_lifted_by_a_signed_review_and_by_nothing_else(
    forgery: str, table: str, named: str, lifted: Any
) -> None:
    with acting_as("worker"):
        assert list(invariants.holds_broken()) == []
        with owner_connection() as owner:
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            try:
                owner.execute(forgery)
            finally:
                owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        [one] = invariants.holds_broken()
    assert one.invariant == "I7" and named in one.what


@pytest.mark.req("R-77")
def test_an_acknowledged_save_that_is_gone_is_named(transplant: Any) -> None:
    there = Acknowledged("prior_transplant", transplant.pk, 2)
    with acting_as("worker"):
        assert list(invariants.lost([there])) == []
        [gone] = invariants.lost([there, Acknowledged("prior_transplant", transplant.pk, 3)])
    assert gone.invariant == "I1" and "version 3" in gone.what


def test_the_command_tells_both_ways(transplant: Any, capsys: Any) -> None:
    with acting_as("worker"):
        call_command("invariants")
        assert "all invariants hold" in capsys.readouterr().out
        with owner_connection() as owner:
            owner.execute(f"DELETE FROM {HISTORY} WHERE version = 1")
        with pytest.raises(CommandError) as refused:
            call_command("invariants")
    assert refused.value.returncode == 4 and f"I2 {TABLE}" in capsys.readouterr().out
