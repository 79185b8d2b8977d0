"""Approvals are of the study and stay between tests: what a test that commits adds to them is taken back."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import owner_connection
from trial import sites

TABLES = ("trial_siteprotocol", "trial_icfversion")


@contextmanager
def put_back() -> Iterator[None]:
    """Afterwards the approvals are what they were before, their history and their end of the chain as well."""
    with owner_connection() as db:
        last = db.execute("SELECT max(id) FROM trial_ledgerentry").fetchone()
        kept = {t: db.execute(f"SELECT json_agg(t)::text FROM {t} t").fetchone() for t in TABLES}
    yield
    with owner_connection() as db, db.transaction():
        for table in TABLES:
            past = table.replace("trial_", "trial_historical")
            db.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            db.execute(f"DELETE FROM {table}")
            db.execute(
                f"INSERT INTO {table} SELECT * FROM json_populate_recordset(null::{table}, %s::json)",
                kept[table],
            )
            db.execute(
                f"DELETE FROM {past} WHERE history_id IN (SELECT history_id FROM trial_ledgerentry"
                " WHERE record_table = %s AND id > %s)",
                [table, last[0]],
            )
            db.execute("DELETE FROM trial_ledgerentry WHERE record_table = %s AND id > %s", [table, last[0]])
            db.execute("SET CONSTRAINTS ALL IMMEDIATE")
            db.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    sites.forget()
