"""Rights and row-level security, laid by construction on every audited table.

Two roles run the system and own nothing: `edc_app` (web) sees the sites its transaction names, `edc_worker` sees
all. Neither may touch history, ledger or seals except through the triggers, neither may delete a record.
"""

from typing import Any

from django.apps import apps
from django.db import connection, models

from trial.record import Audited

APP_ROLE, WORKER_ROLE = "edc_app", "edc_worker"
LEDGER_TABLES = ("trial_ledgerentry", "trial_seal")
OUTBOX_TABLE = "trial_outbox"

FUNCTIONS = """
CREATE OR REPLACE FUNCTION edc_sites() RETURNS int[] LANGUAGE sql STABLE
    AS $$ SELECT string_to_array(nullif(current_setting('edc.sites', true), ''), ',')::int[] $$;
CREATE OR REPLACE FUNCTION edc_system_identifier() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    AS $$ SELECT system_identifier::text FROM pg_control_system() $$;
"""


def audited_models() -> list[type[models.Model]]:
    """Every concrete model whose versions are kept."""
    return [m for m in apps.get_models() if issubclass(m, Audited)]


def secured_models() -> list[type[models.Model]]:
    """Models without versions whose rows belong to a site and are written once (`row_secured = True`)."""
    return [m for m in apps.get_models() if getattr(m, "row_secured", False)]


def history_model(model: type[models.Model]) -> Any:
    """The simple-history model of an audited model."""
    return model.history.model  # type: ignore[attr-defined]


def is_scoped(model: type[models.Model]) -> bool:
    """Whether the rows belong to subjects of a site, so that row-level security applies."""
    return (
        any(f.name == "site" for f in model._meta.local_concrete_fields) and model._meta.app_label != "trial"
    )


def install() -> None:
    """Create missing roles, then lay grants and policies. Safe to run again. Needs the owner of the tables."""
    statements = [FUNCTIONS, *_roles(), *_base_grants()]
    for model in audited_models():
        table, history = model._meta.db_table, history_model(model)._meta.db_table
        statements += [
            f"REVOKE ALL ON {table}, {history} FROM {APP_ROLE}, {WORKER_ROLE}",
            f"GRANT {_rights(model)} ON {table} TO {APP_ROLE}, {WORKER_ROLE}",
            f"GRANT SELECT ON {history} TO {APP_ROLE}, {WORKER_ROLE}",
        ]
        if is_scoped(model):
            told = getattr(model, "read_by_all", "")
            statements += [*_policies(table, told), *_policies(history, told)]
    for secured in secured_models():
        table = secured._meta.db_table
        statements += [
            f"REVOKE ALL ON {table} FROM {APP_ROLE}, {WORKER_ROLE}",
            f"GRANT SELECT, INSERT ON {table} TO {APP_ROLE}, {WORKER_ROLE}",
            *_policies(table),
        ]
    statements += _ledger_grants()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _rights(model: type[models.Model]) -> str:
    """What the roles that serve may do with the rows of a model."""
    return "SELECT, INSERT" if model.append_only else "SELECT, INSERT, UPDATE"  # type: ignore[attr-defined]


def _roles() -> list[str]:
    return [
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
        f" THEN CREATE ROLE {role} NOLOGIN; END IF; END $$"
        for role in (APP_ROLE, WORKER_ROLE)
    ]


def _base_grants() -> list[str]:
    """Framework tables (sessions, tokens, locks-out) are no clinical record: both roles may write them."""
    audited = {m._meta.db_table for m in audited_models()}
    audited |= {history_model(m)._meta.db_table for m in audited_models()}
    kept = {*audited, *LEDGER_TABLES, OUTBOX_TABLE}
    framework = [t for t in connection.introspection.django_table_names(only_existing=True) if t not in kept]
    both = f"{APP_ROLE}, {WORKER_ROLE}"
    grants = [
        f"GRANT USAGE ON SCHEMA public TO {both}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {both}",
    ]
    grants += [f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {both}' for table in framework]
    return [*grants, f"GRANT SELECT ON django_migrations TO {both}"]


def _policies(table: str, read_by_all: str = "") -> list[str]:
    """Rows are read and written at their own site. `read_by_all`: a condition of the rows that every site reads too,
    because they concern the whole trial; they are still written only at their own."""
    told = f"CREATE POLICY edc_trial ON {table} FOR SELECT TO {APP_ROLE} USING ({read_by_all})"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS edc_site ON {table}",
        f"CREATE POLICY edc_site ON {table} TO {APP_ROLE} USING (site_id = ANY ((SELECT edc_sites())::int[]))",
        f"DROP POLICY IF EXISTS edc_all ON {table}",
        f"CREATE POLICY edc_all ON {table} TO {WORKER_ROLE} USING (true)",
        f"DROP POLICY IF EXISTS edc_trial ON {table}",
        *([told] if read_by_all else ()),
    ]


def _ledger_grants() -> list[str]:
    both = f"{APP_ROLE}, {WORKER_ROLE}"
    ledger, seal = LEDGER_TABLES
    return [
        f"REVOKE ALL ON {ledger}, {seal}, {OUTBOX_TABLE} FROM {both}",
        f"GRANT SELECT ON {ledger}, {seal} TO {both}",
        f"GRANT INSERT ON {seal} TO {WORKER_ROLE}",
        f"GRANT SELECT ON {OUTBOX_TABLE} TO {APP_ROLE}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {OUTBOX_TABLE} TO {WORKER_ROLE}",
        f"ALTER TABLE {ledger} ENABLE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS edc_site ON {ledger}",
        f"CREATE POLICY edc_site ON {ledger} TO {APP_ROLE}"
        " USING (site_id IS NULL OR site_id = ANY ((SELECT edc_sites())::int[]))",
        f"DROP POLICY IF EXISTS edc_all ON {ledger}",
        f"CREATE POLICY edc_all ON {ledger} TO {WORKER_ROLE} USING (true)",
    ]
