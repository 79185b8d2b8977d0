"""The system's own inspection: what must hold before a record may be trusted to it.

Each fault is one sentence that names what is wrong and how to mend it. `manage.py selfcheck` prints them;
a production server or worker refuses to start while there is one.
"""

from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor

from trial.audit_sql import Stamp, WriteHistory
from trial.dates import utc_now
from trial.integrity import LEDGER_TABLES, audited_models, history_model, is_scoped

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def faults() -> Iterator[str]:
    """Every fault found, settings first. Yields nothing when all is well."""
    yield from settings_faults()
    yield from database_faults()


def settings_faults() -> Iterator[str]:
    """Faults that need no database."""
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY or len(settings.SECRET_KEY) < 40:
        yield "The secret key is the default or too short: set EDC_SECRET_KEY to at least 40 random characters."
    if settings.DEBUG:
        yield "DEBUG is on: unset EDC_DEBUG."
    if not getattr(settings, "SIMPLE_HISTORY_ENABLED", True):
        yield "SIMPLE_HISTORY_ENABLED is off: remove the setting."
    if "*" in settings.ALLOWED_HOSTS:
        yield "Every host name is allowed: list the real ones in EDC_ALLOWED_HOSTS."


def database_faults() -> Iterator[str]:
    """Faults of the running role, the triggers, the rights, durability, migrations and the clock."""
    yield from _role_faults()
    yield from _trigger_faults()
    yield from _right_faults()
    yield from _durability_faults()
    yield from _migration_faults()
    yield from _clock_faults()


def _rows(sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _role_faults() -> Iterator[str]:
    name, superuser, bypass = _rows(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = session_user"
    )[0]
    if superuser:
        yield f"The database role {name} is a superuser: connect as edc_app or edc_worker."
    if bypass:
        yield f"The database role {name} bypasses row-level security: ALTER ROLE {name} NOBYPASSRLS."
    tables = [m._meta.db_table for m in audited_models()]
    owned = _rows(
        "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relowner = session_user::regrole", [tables]
    )
    if owned:
        yield f"The database role {name} owns the table {owned[0][0]}: connect as edc_app or edc_worker."


def _trigger_faults() -> Iterator[str]:
    on = {
        (table, trigger)
        for table, trigger in _rows(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        )
    }
    for model in audited_models():
        for trigger in (Stamp(), WriteHistory()):
            table, name = model._meta.db_table, trigger.get_pgid(cast(models.Model, model))
            if (table, name) not in on:
                yield f"The audit trigger {name} is missing or disabled on {table}: run migrate as the owner."


def _right_faults() -> Iterator[str]:
    for model in audited_models():
        table, history = model._meta.db_table, history_model(model)._meta.db_table
        for target, rights in (
            (table, "DELETE"),
            *(((table, "UPDATE"),) if model.append_only else ()),  # type: ignore[attr-defined]
            (history, "INSERT"),
            (history, "UPDATE"),
            (history, "DELETE"),
        ):
            if _may(target, rights):
                yield f"The runtime role may {rights} on {target}: run migrate as the owner to lay the rights again."
        if (
            is_scoped(model)
            and not _rows("SELECT relrowsecurity FROM pg_class WHERE relname = %s", [table])[0][0]
        ):
            yield f"Row-level security is off on {table}: run migrate as the owner."
    for target in LEDGER_TABLES:
        if _may(target, "UPDATE") or _may(target, "DELETE"):
            yield f"The runtime role may change {target}: run migrate as the owner."


def _may(table: str, right: str) -> bool:
    return bool(_rows("SELECT has_table_privilege(session_user, %s, %s)", [table, right])[0][0])


def _durability_faults() -> Iterator[str]:
    for setting in DURABLE:
        if _rows("SELECT current_setting(%s)", [setting])[0][0] not in ("on", "remote_apply", "remote_write"):
            yield f"{setting} is off: an acknowledged save could be lost. Turn it on in postgresql.conf."
    if _rows("SELECT current_setting('data_checksums')")[0][0] != "on":
        yield "Data checksums are off: enable them with pg_checksums."


def _migration_faults() -> Iterator[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        yield f"{len(plan)} migrations are not applied: run migrate as the owner."


def _clock_faults() -> Iterator[str]:
    drift = abs((_rows("SELECT clock_timestamp()")[0][0] - utc_now()).total_seconds())
    if drift > 1:
        yield f"This machine's clock and the database's differ by {drift:.1f} s: synchronise them."


class NotFit(SystemExit):
    """Raised at start-up when the inspection found faults."""


def require() -> None:
    """Refuse to go on while there is a fault. Raises NotFit with every fault, one a line."""
    found = list(faults())
    if found:
        raise NotFit("The system does not start:\n" + "\n".join(f"- {fault}" for fault in found))
