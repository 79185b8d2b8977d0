"""The four walls: every way around the audit is refused, or recorded truthfully.

These tests run in real transactions as the runtime database role, as production does.
"""

import hashlib
import time
from typing import Any

import psycopg
import pytest
from django.db import Error, IntegrityError, connection, transaction

from safety import invariants
from subjects.models import PriorTransplant
from tests.conftest import acting_as, owner_connection
from tests.entering import correct, enter
from trial import audit, ledger
from trial.audit_sql import STUDY_CHAIN
from trial.integrity import audited_models, is_scoped
from trial.models import LedgerEntry, Outbox, Person

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def transplant(subject: Any, li: Any) -> Any:
    return enter(subject, PriorTransplant, li, sct_date="2025-01-15", sct_type="ALLO").record


def history_of(record: Any, by: Any) -> list[Any]:
    with audit.reading(by):
        return list(type(record).history.filter(id=record.pk).order_by("history_id"))


@pytest.mark.req("R-01")
def test_a_change_keeps_who_when_why_old_and_new(transplant: Any, li: Any) -> None:
    correct(transplant, li, reason="misread the source", sct_date="2025-02-15")
    first, second = history_of(transplant, li)
    assert (first.sct_date, first.history_type, first.history_change_reason) == ("2025-01-15", "+", "")
    assert (second.sct_date, second.history_type, second.history_change_reason) == (
        "2025-02-15",
        "~",
        "misread the source",
    )
    assert second.history_user_id == li.person_id and second.actor_role == "coordinator"
    assert second.db_user == "edc_app" and second.xid > first.xid and second.request_id == "test"
    assert second.version == 2


@pytest.mark.req("R-02")
def test_a_bulk_update_is_recorded_with_the_reason_of_its_transaction(transplant: Any, li: Any) -> None:
    with audit.transaction(li, reason="site moved its archive"):
        PriorTransplant.objects.filter(pk=transplant.pk).update(conditioning="MAC")
    assert [h.conditioning for h in history_of(transplant, li)] == ["", "MAC"]


@pytest.mark.req("R-02")
def test_raw_sql_is_recorded(transplant: Any, li: Any) -> None:
    with audit.transaction(li, reason="raw"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE subjects_priortransplant SET conditioning = 'RIC' WHERE id = %s", [transplant.pk]
        )
    assert history_of(transplant, li)[-1].conditioning == "RIC"


@pytest.mark.req("R-02")
def test_a_bulk_create_is_recorded(subject: Any, li: Any) -> None:
    rows = [PriorTransplant(subject=subject, sct_date=f"2020-0{n}-01", sequence=n) for n in range(1, 4)]
    with audit.transaction(li):
        PriorTransplant.objects.bulk_create(rows)
    with audit.reading(li):
        assert PriorTransplant.history.filter(subject=subject).count() == 3


@pytest.mark.req("R-01")
def test_update_fields_cannot_lie(transplant: Any, li: Any) -> None:
    """What was dirty in memory but not saved is not in the audit."""
    transplant.sct_date, transplant.conditioning = "1999-01-01", "NMA"
    with audit.transaction(li, reason="one field"):
        transplant.save(update_fields=["conditioning"])
    last = history_of(transplant, li)[-1]
    assert (last.sct_date, last.conditioning) == ("2025-01-15", "NMA")


def test_a_save_that_changes_nothing_writes_nothing(transplant: Any, li: Any) -> None:
    with audit.transaction(li, reason="nothing"):
        PriorTransplant.objects.get(pk=transplant.pk).save()
    assert len(history_of(transplant, li)) == 1


@pytest.mark.req("R-07")
def test_a_write_that_names_nobody_is_refused(transplant: Any, li: Any) -> None:
    with pytest.raises(IntegrityError, match="nobody is named"), audit.reading(li):
        PriorTransplant.objects.filter(pk=transplant.pk).update(sct_date="2020-01-01")
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subjects_subject (id, version, site_id, subjid) VALUES (gen_random_uuid(), 1, 1, '01-999')"
        )


@pytest.mark.req("R-06")
def test_a_change_without_a_reason_is_refused(transplant: Any, li: Any) -> None:
    for blank in ("", "   "):
        with pytest.raises(IntegrityError, match="needs a reason"), audit.transaction(li, reason=blank):
            PriorTransplant.objects.filter(pk=transplant.pk).update(sct_date="2020-01-01")
    assert len(history_of(transplant, li)) == 1


FORGERIES = (
    "UPDATE subjects_historicalpriortransplant SET sct_date = '2000'",
    "DELETE FROM subjects_historicalpriortransplant",
    "TRUNCATE subjects_historicalpriortransplant",
    "INSERT INTO subjects_historicalpriortransplant SELECT * FROM subjects_historicalpriortransplant",
    "UPDATE trial_ledgerentry SET payload = '{}'",
    "DELETE FROM trial_ledgerentry",
    "INSERT INTO trial_ledgerentry SELECT * FROM trial_ledgerentry",
    "UPDATE trial_seal SET size = 0",
    "DELETE FROM trial_outbox",
    "DELETE FROM subjects_priortransplant",
    "TRUNCATE subjects_priortransplant CASCADE",
    "ALTER TABLE subjects_priortransplant DISABLE TRIGGER ALL",
    "DROP TABLE subjects_historicalpriortransplant",
    "SET session_replication_role = replica",
    "SET ROLE edc_owner",
    "CREATE OR REPLACE FUNCTION edc_sites() RETURNS int[] LANGUAGE sql AS 'SELECT NULL::int[]'",
    "DROP POLICY edc_site ON subjects_priortransplant",
    "DELETE FROM trial_person",
)


@pytest.mark.parametrize("statement", FORGERIES)
@pytest.mark.req("R-03")
@pytest.mark.req("R-04")
def test_the_runtime_role_cannot_forge_or_switch_off(statement: str, transplant: Any, li: Any) -> None:
    with (
        pytest.raises(Error) as refused,
        audit.transaction(li, reason="attack"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    cause = refused.value.__cause__
    assert isinstance(cause, psycopg.Error) and cause.sqlstate == "42501", cause


@pytest.mark.req("R-04")
def test_the_trigger_librarys_own_switch_does_nothing(transplant: Any, li: Any) -> None:
    with audit.transaction(li, reason="switched off?"), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', '{pgtrigger_b_history_0,b_history}', true)")
        PriorTransplant.objects.filter(pk=transplant.pk).update(conditioning="MAC")
    assert len(history_of(transplant, li)) == 2


def test_nobody_sets_version_time_or_site(subject: Any, other_site: Any, li: Any) -> None:
    forged = PriorTransplant(
        subject=subject,
        site=other_site,
        version=40,
        entered_at="2001-01-01T00:00Z",
        changed_at="2001-01-01T00:00Z",
    )
    with audit.transaction(li):
        forged.save(force_insert=True)
        stored = PriorTransplant.objects.get(pk=forged.pk)
    assert stored.version == 1 and stored.site_id == subject.site_id and stored.entered_at.year > 2020


def test_a_record_keeps_its_subject(transplant: Any, new_subject: Any, li: Any) -> None:
    with (
        pytest.raises(IntegrityError, match="keeps its id and its subject"),
        audit.transaction(li, reason="move"),
    ):
        PriorTransplant.objects.filter(pk=transplant.pk).update(subject=new_subject())


@pytest.mark.req("R-24")
def test_a_locked_record_refuses_raw_sql_too(transplant: Any, li: Any, actor: Any) -> None:
    from entry.door import set_lock

    set_lock(transplant, "LOCKED", by=actor("data_manager_qian"), reason="data base lock")
    with pytest.raises(IntegrityError, match="unlock it first"), audit.transaction(li, reason="late idea"):
        PriorTransplant.objects.filter(pk=transplant.pk).update(sct_date="2020-01-01")


@pytest.mark.req("R-45")
def test_without_a_site_no_row_is_visible(transplant: Any, li: Any, actor: Any) -> None:
    assert PriorTransplant.objects.count() == 0
    with audit.reading(actor("coordinator_elsewhere")):
        assert PriorTransplant.objects.count() == 0 and PriorTransplant.history.count() == 0
        assert not LedgerEntry.objects.filter(record_id=str(transplant.pk)).exists()
    with audit.reading(li):
        assert PriorTransplant.objects.count() == 1


@pytest.mark.req("R-45")
def test_a_write_into_another_site_is_refused_by_the_database(subject: Any, actor: Any) -> None:
    with pytest.raises(Error), audit.transaction(actor("coordinator_elsewhere")):
        PriorTransplant(subject=subject).save(force_insert=True)


@pytest.mark.req("R-11")
def test_every_audited_table_has_history_triggers_policies_and_no_rights_to_forge() -> None:
    from trial.selfcheck import database_faults

    assert list(database_faults()) == []
    assert {m._meta.app_label for m in audited_models()} == {
        "trial",
        "subjects",
        "visits",
        "dosing",
        "safety",
        "review",
        "exchange",
    }
    of_the_trial = {
        "EnrolmentHold",
        "RuleSet",
    }  # every site has to know them; they hold no answer of a subject
    scoped = [m for m in audited_models() if m._meta.app_label != "trial" and m.__name__ not in of_the_trial]
    assert all(is_scoped(m) for m in scoped)


@pytest.mark.parametrize(
    ("sabotage", "repair", "names"),
    [
        (
            "ALTER TABLE visits_chemistry DISABLE TRIGGER USER",
            "ALTER TABLE visits_chemistry ENABLE TRIGGER USER",
            "visits_chemistry",
        ),
        (
            "GRANT UPDATE ON visits_historicalecog TO edc_app",
            "REVOKE UPDATE ON visits_historicalecog FROM edc_app",
            "visits_historicalecog",
        ),
        (
            "GRANT DELETE ON trial_ledgerentry TO edc_app",
            "REVOKE DELETE ON trial_ledgerentry FROM edc_app",
            "trial_ledgerentry",
        ),
        (
            "ALTER TABLE visits_ecog DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE visits_ecog ENABLE ROW LEVEL SECURITY",
            "visits_ecog",
        ),
    ],
)
@pytest.mark.req("R-83")
def test_the_self_check_names_what_was_sabotaged(sabotage: str, repair: str, names: str) -> None:
    from trial.selfcheck import database_faults

    with owner_connection() as owner:
        owner.execute(sabotage)
        try:
            found = list(database_faults())
        finally:
            owner.execute(repair)
    assert found and all(names in fault for fault in found), found


@pytest.mark.req("R-83")
def test_the_self_check_refuses_the_owner_as_runtime_role() -> None:
    from trial.selfcheck import database_faults

    with acting_as("owner"):
        assert any("owns the table" in fault for fault in database_faults())


def test_people_are_audited_without_their_password(admin_he: Any) -> None:
    fields = {f.name for f in Person.history.model._meta.get_fields()}
    assert "username" in fields and "password" not in fields


# --- the ledger --------------------------------------------------------------------------------------------------


def chain_of(subject: Any) -> list[Any]:
    with acting_as("worker"):
        return list(LedgerEntry.objects.filter(chain=subject.pk).order_by("n"))


def seal_everything() -> int:
    """Seal until nothing is left; another session's open transaction may hold a seal back for a moment."""
    with acting_as("worker"):
        for _ in range(100):
            ledger.seal()
            sealed = sum(ledger.Seal.objects.values_list("entries", flat=True))
            if sealed == LedgerEntry.objects.count():
                return sealed
            time.sleep(0.1)
    raise AssertionError("a transaction stays open")


@pytest.mark.req("R-17")
def test_every_version_is_one_link_of_its_subjects_chain(subject: Any, transplant: Any, li: Any) -> None:
    correct(transplant, li, sct_date="2025-03-01")
    chain = chain_of(subject)
    assert [(e.n, e.record_table, e.operation) for e in chain] == [
        (1, "subjects_subject", "+"),
        (2, "subjects_priortransplant", "+"),
        (3, "subjects_priortransplant", "~"),
    ]
    previous = b""
    for entry in chain:
        digest = hashlib.sha256(bytes(entry.salt) + entry.payload.encode()).digest()
        previous = hashlib.sha256(previous + entry.n.to_bytes(8, "big") + digest).digest()
        assert previous == bytes(entry.hash)


@pytest.mark.req("R-16")
def test_what_the_owner_alters_is_found(subject: Any, transplant: Any, li: Any) -> None:
    correct(transplant, li, sct_date="2025-03-01")
    seal_everything()
    attacks = (
        f"UPDATE trial_ledgerentry SET payload = replace(payload, '2025-01-15', '2024-01-15') WHERE chain = '{subject.pk}'",
        f"DELETE FROM trial_ledgerentry WHERE chain = '{subject.pk}' AND n = 2",
        f"DELETE FROM trial_ledgerentry WHERE chain = '{subject.pk}' AND n = 3",  # the tail: only the seal knows
        f"UPDATE trial_ledgerentry SET n = n + 1 WHERE chain = '{subject.pk}' AND n = 3",
        "UPDATE trial_seal SET entries = entries - 1",
    )
    for attack in attacks:
        with owner_connection() as owner, owner.transaction(force_rollback=True):
            owner.execute(attack)
            found = _faults_seen_by(owner)
        assert found, attack
    with acting_as("worker"):
        assert list(ledger.verify()) == []


def _faults_seen_by(owner: Any) -> list[str]:
    """Verify through the owner's own open transaction: the same statements, the same functions."""
    faults = []
    chain, n, previous = None, 0, b""
    rows = owner.execute(
        "SELECT chain, n, hash, digest, salt, payload FROM trial_ledgerentry ORDER BY chain, n"
    ).fetchall()
    for this, number, hash_, digest, salt, payload in rows:
        if this != chain:
            chain, n, previous = this, 0, b""
        sound = (
            hashlib.sha256(salt + payload.encode()).digest() == digest
            and ledger.entry_hash(previous, number, digest) == hash_
        )
        if number != n + 1 or not sound:
            faults.append(f"{this} {number}")
        n, previous = number, hash_
    for low, high, entries, root in owner.execute(
        "SELECT xmin_from, xmin_to, entries, root FROM trial_seal"
    ).fetchall():
        leaves = owner.execute(
            "SELECT hash FROM trial_ledgerentry WHERE xid >= %s AND xid < %s ORDER BY xid, id", [low, high]
        ).fetchall()
        if len(leaves) != entries or ledger.merkle_root(leaf for (leaf,) in leaves) != root:
            faults.append("seal")
    return faults


def test_a_seal_leaves_out_what_is_still_open(subject: Any, li: Any) -> None:
    """A transaction that began before the seal and commits after it is sealed by the next one."""
    with owner_connection() as slow:
        slow.execute("BEGIN")
        slow.execute("SELECT set_config('edc.actor', '0', true), set_config('edc.reason', 'slow', true)")
        slow.execute("UPDATE trial_site SET pi_name = pi_name || '.' WHERE code = '02'")
        enter(subject, PriorTransplant, li, sct_date="2020")
        with acting_as("worker"):
            ledger.seal()
            early = sum(ledger.Seal.objects.values_list("entries", flat=True))
            assert early < LedgerEntry.objects.count()
        slow.execute("COMMIT")
    assert seal_everything() > early
    with acting_as("worker"):
        assert list(ledger.verify()) == []


def test_the_merkle_root_is_that_of_rfc_6962() -> None:
    def leaf(data: bytes) -> bytes:
        return hashlib.sha256(b"\x00" + data).digest()

    def node(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\x01" + left + right).digest()

    a, b, c = b"a", b"b", b"c"
    assert ledger.merkle_root([]) == hashlib.sha256(b"").digest()
    assert ledger.merkle_root([a]) == leaf(a)
    assert ledger.merkle_root([a, b, c]) == node(node(leaf(a), leaf(b)), leaf(c))
    five = [a, b, c, a, b]
    assert ledger.merkle_root(five) == node(node(node(leaf(a), leaf(b)), node(leaf(c), leaf(a))), leaf(b))


# --- invariants --------------------------------------------------------------------------------------------------


@pytest.mark.req("R-01")
def test_every_version_has_exactly_one_equal_audit_row(subject: Any, transplant: Any, li: Any) -> None:
    correct(transplant, li, sct_date="2025-03-01")
    with audit.transaction(li, reason="bulk"):
        PriorTransplant.objects.filter(subject=subject).update(conditioning="MAC")
    with acting_as("worker"):
        assert [*invariants.audit_broken(), *invariants.ledger_broken()] == []


def test_the_outbox_owes_an_evaluation_for_every_change(subject: Any, transplant: Any) -> None:
    with acting_as("worker"):
        assert Outbox.objects.filter(subject_id=subject.pk).count() == 2


def test_study_rows_have_a_chain_of_their_own() -> None:
    with acting_as("worker"):
        assert LedgerEntry.objects.filter(chain=STUDY_CHAIN, record_table="trial_person").exists()


@pytest.mark.req("R-24")
def test_unlocking_brings_no_other_change_with_it(transplant: Any, li: Any, actor: Any) -> None:
    from entry.door import set_lock

    set_lock(transplant, "LOCKED", by=actor("data_manager_qian"), reason="data base lock")
    with (
        pytest.raises(IntegrityError, match="changes nothing else"),
        audit.transaction(li, reason="slipped in"),
    ):
        PriorTransplant.objects.filter(pk=transplant.pk).update(lock_state="OPEN", sct_date="2020-01-01")
