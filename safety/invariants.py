"""What must always hold, as questions to the database that must come back empty.

I1  every acknowledged save is in the database at that version or a later one
I2  every version of every row has exactly one history row, and the newest equals the row
I3  replaying the ledger, in its own order and by no clock, gives the current state
I4  every deviation that the rules find is flagged exactly once, and nothing else is
I5  chains and seals verify; every history row has exactly one entry in the ledger
I6  nothing but the lock changes on a record that is locked
I7  a hold is lifted exactly when a review that lifts it is signed

Each question is one statement, so it sees one moment even while others write. I4 holds once the outbox is empty.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models

from safety import engine
from safety.forms import FORM
from safety.models import Deviation, EnrolmentHold, HoldReview
from subjects.models import Signature
from trial import audit, ledger
from trial.integrity import audited_models, history_model
from trial.people import system_actor
from trial.record import Record


@dataclass(frozen=True)
class Broken:
    """One thing that does not hold: which invariant, where, and what is wrong."""

    invariant: str
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.place}: {self.what}"


@dataclass(frozen=True)
class Acknowledged:
    """A save that a client was told has succeeded."""

    form: str
    id: UUID
    version: int


def broken() -> Iterator[Broken]:
    """Everything that does not hold, I2 to I7. Yields nothing when all is well."""
    yield from audit_broken()
    yield from flags_broken()
    yield from ledger_broken()
    yield from locks_broken()
    yield from holds_broken()


def lost(acknowledged: Iterable[Acknowledged]) -> Iterator[Broken]:
    """I1: the acknowledged saves that are not in the database at that version or a later one."""
    newest: dict[tuple[str, UUID], int] = {}
    for save in acknowledged:
        newest[save.form, save.id] = max(save.version, newest.get((save.form, save.id), 0))
    for form in {form for form, _ in newest}:
        model = FORM[form]
        with audit.reading(system_actor()):
            stored = dict(model._default_manager.values_list("pk", "version"))
        for (name, key), version in newest.items():
            if name == form and stored.get(key, 0) < version:
                yield Broken(
                    "I1", f"{form} {key}", f"version {version} was acknowledged, {stored.get(key)} is there"
                )


def audit_broken() -> Iterator[Broken]:
    """I2 and I3 of every audited table."""
    for model in audited_models():
        yield from _ask("I2", model, _UNEQUAL, "rows differ from the history row of their version")
        yield from _ask(
            "I2", model, _VERSIONS, "rows whose history is not exactly the versions 1, 2, … up to theirs"
        )
        yield from _ask("I2", model, _ORPHANS, "histories of rows that are gone")
        yield from _ask("I3", model, _REPLAYED, "rows are not what the ledger's last entry says")
        yield from _ask("I3", model, _ORDER, "ledger entries are out of the order of versions")


def flags_broken() -> Iterator[Broken]:
    """I4: flags that stand twice, and subjects whose flags are not what the rules find now."""
    yield from _ask("I4", Deviation, _DOUBLED, "flags stand twice for the same rule and thing")
    for subject_id in engine.sweep(by=system_actor()):
        yield Broken("I4", f"subject {subject_id}", "its flags are not what the rules find")


def ledger_broken() -> Iterator[Broken]:
    """I5: hashes and seals, and history and ledger one to one, word for word."""
    with audit.reading(system_actor()):
        for fault in ledger.verify():
            yield Broken("I5", f"{fault.place} entry {fault.n}", fault.what)
    for model in audited_models():
        yield from _ask("I5", model, _UNLEDGERED, "history rows have not exactly one entry in the ledger")
        yield from _ask("I5", model, _DIFFERING, "ledger entries differ from their history row or have none")


def locks_broken() -> Iterator[Broken]:
    """I6: versions that followed a locked one and changed more than the lock."""
    for model in audited_models():
        if issubclass(model, Record):
            yield from _ask("I6", model, _AFTER_LOCK, "versions changed an answer of a locked record")


def holds_broken() -> Iterator[Broken]:
    """I7: holds that nobody lifted by a signed review, and holds that stand although somebody did."""
    yield from _ask("I7", EnrolmentHold, _UNREVIEWED, "holds are lifted without a signed review that says so")
    yield from _ask("I7", EnrolmentHold, _STANDING, "holds stand although a signed review lifted them")


def _ask(invariant: str, model: type[models.Model], question: str, what: str) -> Iterator[Broken]:
    """Put one question, which counts what is wrong, about one table."""
    with audit.reading(system_actor()), connection.cursor() as cursor:
        cursor.execute(question.format(**_words(model)))
        count = cursor.fetchone()[0]
    if count:
        yield Broken(invariant, model._meta.db_table, f"{count} {what}")


def _words(model: type[models.Model]) -> dict[str, Any]:
    """The names that a question needs."""
    history = history_model(model)
    kept = {f.column for f in history._meta.local_concrete_fields}
    columns = [f.column for f in model._meta.local_concrete_fields if f.column in kept]
    answers = [c for c in columns if c not in ("version", "changed_at", "lock_state")]
    return {
        "table": model._meta.db_table,
        "history": history._meta.db_table,
        "same": " AND ".join(f't."{c}" IS NOT DISTINCT FROM h."{c}"' for c in columns),
        "answers": ", ".join(f'h."{c}"' for c in answers),
    }


_UNEQUAL = """
    SELECT count(*) FROM {table} t
    WHERE NOT EXISTS (SELECT FROM {history} h WHERE h.id = t.id AND h.version = t.version AND {same})
"""
_VERSIONS = """
    SELECT count(*) FROM {table} t LEFT JOIN (
        SELECT id, count(*) AS rows, count(DISTINCT version) AS versions, min(version) AS first,
            max(version) AS last, count(*) FILTER (WHERE (history_type = '+') <> (version = 1)) AS misnamed
        FROM {history} GROUP BY id
    ) h USING (id)
    WHERE (h.rows, h.versions, h.first, h.last, h.misnamed)
        IS DISTINCT FROM (t.version::bigint, t.version::bigint, 1, t.version, 0::bigint)
"""
_ORPHANS = """
    SELECT count(DISTINCT h.id) FROM {history} h WHERE NOT EXISTS (SELECT FROM {table} t WHERE t.id = h.id)
"""
_REPLAYED = """
    SELECT count(*) FROM {table} t LEFT JOIN (
        SELECT DISTINCT ON (record_id) record_id, payload FROM trial_ledgerentry WHERE record_table = '{table}'
        ORDER BY record_id, n DESC
    ) e ON e.record_id = t.id::text
    WHERE e.record_id IS NULL OR jsonb_populate_record(t, e.payload::jsonb) IS DISTINCT FROM t
"""
_ORDER = """
    SELECT count(*) FROM (
        SELECT (payload::jsonb ->> 'version')::bigint AS version, row_number() OVER (PARTITION BY record_id ORDER BY n) AS k
        FROM trial_ledgerentry WHERE record_table = '{table}'
    ) e WHERE version IS DISTINCT FROM k
"""
_DOUBLED = """
    SELECT count(*) FROM (SELECT FROM {table} GROUP BY subject_id, rule_id, key HAVING count(*) > 1) d
"""
_UNLEDGERED = """
    SELECT count(*) FROM {history} h WHERE 1 <> (
        SELECT count(*) FROM trial_ledgerentry e WHERE e.record_id = h.id::text AND e.record_table = '{table}'
            AND e.history_id = h.history_id)
"""
_DIFFERING = """
    SELECT count(*) FROM trial_ledgerentry e LEFT JOIN {history} h ON h.history_id = e.history_id
    WHERE e.record_table = '{table}'
        AND (h.history_id IS NULL OR jsonb_populate_record(h, e.payload::jsonb) IS DISTINCT FROM h)
"""
_LIFTING = f"""
    SELECT FROM {HoldReview._meta.db_table} r JOIN {Signature._meta.db_table} g ON g.record_id = r.id
    WHERE r.hold_id = t.id AND r.decision = 'LIFT' AND NOT r.retracted
        AND g.form = '{HoldReview.form}' AND g.meaning = 'HOLD' AND g.record_version = r.version
"""
_UNREVIEWED = (
    "SELECT count(*) FROM {table} t WHERE lifted_at IS NOT NULL"
    f" AND NOT EXISTS ({_LIFTING} AND g.signed_at <= t.lifted_at)"
)
_STANDING = f"SELECT count(*) FROM {{table}} t WHERE lifted_at IS NULL AND EXISTS ({_LIFTING})"
_AFTER_LOCK = """
    SELECT count(*) FROM (
        SELECT lag(h.lock_state) OVER w AS was, row({answers}) IS DISTINCT FROM lag(row({answers})) OVER w AS moved
        FROM {history} h WINDOW w AS (PARTITION BY h.id ORDER BY h.version)
    ) v WHERE was <> 'OPEN' AND moved
"""
