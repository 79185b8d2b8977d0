"""The database writes the audit: two triggers declared beside every audited model.

`Stamp` (before a write) sets what no client may claim: the version, the times, the site. `WriteHistory` (after a
write) stores the simple-history row, appends it to the subject's hash chain and leaves a note in the outbox, all in
the transaction of the write itself. The SQL is compiled from the model's fields, so `makemigrations` sees a new
field as a changed trigger.

django-pgtrigger's own template lets any session switch its triggers off (`pgtrigger.ignore`); `AuditSql` replaces
the template, so nothing but the table's owner can.
"""

from typing import Any

import pgtrigger
from django.db import models
from pgtrigger import compiler

STUDY_CHAIN = "00000000-0000-0000-0000-000000000000"
COHORT = "cohort"
"""The topic of a note that concerns no single subject: what a change means for the others is still to be found out."""

REMIND = "remind"
"""The topic of a note that somebody has to be reminded of a subject's deadline."""


class AuditSql(compiler.UpsertTriggerSql):
    """Installation of one trigger: no switch-off, run with the owner's rights, fixed search path."""

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $edc$
                {declare}
                BEGIN
                    {func}
                END;
            $edc$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;
            REVOKE ALL ON FUNCTION {pgid}() FROM PUBLIC;
            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE TRIGGER {pgid} {when} {operation} ON {table}
                FOR EACH {level} {condition} EXECUTE PROCEDURE {execute};
            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class _AuditTrigger(pgtrigger.Trigger):
    def compile(self, model: Any) -> compiler.Trigger:
        return compiler.Trigger(
            name=self.name,
            sql=AuditSql(
                pgid=self.get_pgid(model),
                declare=self.render_declare(model),
                func=self.render_func(model),
                table=model._meta.db_table,
                when=self.when,
                operation=self.operation,
                level=self.level,
                condition="",
                execute=self.render_execute(model),
            ),
        )


def _columns(model: type[models.Model]) -> list[str]:
    excluded = {"password"}
    return [f.column for f in model._meta.local_concrete_fields if f.name not in excluded and f.column]


def _has(model: type[models.Model], name: str) -> bool:
    return any(f.name == name for f in model._meta.local_concrete_fields)


def _of_the_study(model: type[models.Model]) -> bool:
    """Whether a row may concern the study as a whole, so that its subject can be empty."""
    return _has(model, "subject") and bool(model._meta.get_field("subject").null)


class Stamp(_AuditTrigger):
    """Before a write: version, times and site are the database's word, and a locked record refuses."""

    name = "a_stamp"
    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update

    def get_func(self, model: Any) -> str:
        return f"""
            {self._site(model)}
            IF TG_OP = 'INSERT' THEN
                NEW.version := 1;
                NEW.entered_at := clock_timestamp();
                NEW.changed_at := NEW.entered_at;
                RETURN NEW;
            END IF;
            NEW.version := OLD.version;
            NEW.entered_at := OLD.entered_at;
            NEW.changed_at := OLD.changed_at;
            IF NEW IS NOT DISTINCT FROM OLD THEN
                RETURN NEW;
            END IF;
            {self._fixed(model)}
            {self._lock(model)}
            NEW.version := OLD.version + 1;
            NEW.changed_at := clock_timestamp();
            RETURN NEW;
        """

    def _site(self, model: type[models.Model]) -> str:
        if not (_has(model, "subject") and _has(model, "site")):
            return ""
        found = "SELECT s.site_id INTO NEW.site_id FROM subjects_subject s WHERE s.id = NEW.subject_id;"
        return f"IF NEW.subject_id IS NOT NULL THEN {found} END IF;" if _of_the_study(model) else found

    def _fixed(self, model: type[models.Model]) -> str:
        names = [n for n in ("id", "subject_id") if n in _columns(model)]
        test = " OR ".join(f"NEW.{n} IS DISTINCT FROM OLD.{n}" for n in names)
        return f"""
            IF {test} THEN
                RAISE EXCEPTION '{model._meta.db_table}: a record keeps its id and its subject'
                    USING ERRCODE = '23514';
            END IF;
        """

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        return [("unlocked", f"{model._meta.db_table}%ROWTYPE")] if _has(model, "lock_state") else []

    def _lock(self, model: type[models.Model]) -> str:
        """A locked record refuses every change, and locking or unlocking brings no other change with it."""
        if not _has(model, "lock_state"):
            return ""
        return f"""
            IF OLD.lock_state <> 'OPEN' AND NEW.lock_state = OLD.lock_state THEN
                RAISE EXCEPTION '{model._meta.db_table} %: the record is %, unlock it first', OLD.id, OLD.lock_state
                    USING ERRCODE = '23514', HINT = 'locked';
            END IF;
            IF NEW.lock_state <> OLD.lock_state THEN
                unlocked := NEW;
                unlocked.lock_state := OLD.lock_state;
                IF unlocked IS DISTINCT FROM OLD THEN
                    RAISE EXCEPTION '{model._meta.db_table} %: a lock changes nothing else', OLD.id
                        USING ERRCODE = '23514', HINT = 'lock';
                END IF;
            END IF;
        """


class WriteHistory(_AuditTrigger):
    """After a write: one history row, one ledger entry, one note in the outbox; or the write fails."""

    name = "b_history"
    when = pgtrigger.After
    operation = pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete

    def __init__(
        self, *, wakes_rules: bool = False, wakes_cohort: tuple[str, ...] = (), read_by_all: str = ""
    ) -> None:
        """`wakes_rules`: a change of this model asks for its subject's rules to be evaluated.

        `wakes_cohort`: a change of one of these columns may concern every other subject of the study too. Where a row
        may belong to a subject or to the study, only the study's rows do.

        `read_by_all`: the model's own condition of the rows that every site reads; their ledger entries name no site, so
        that the feed tells every site of them.
        """
        super().__init__()
        self.wakes_rules, self.wakes_cohort, self.read_by_all = wakes_rules, wakes_cohort, read_by_all

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        table = model._meta.db_table
        return [
            ("r", f"{table}%ROWTYPE"),
            ("h", f"{_history_table(model)}%ROWTYPE"),
            ("actor", "text := nullif(current_setting('edc.actor', true), '')"),
            ("why", "text := btrim(coalesce(current_setting('edc.reason', true), ''))"),
            ("chain_id", "uuid"),
            ("last_n", "bigint"),
            ("last_hash", "bytea"),
            ("body", "text"),
            ("salt_", "bytea := uuid_send(gen_random_uuid())"),
            ("digest_", "bytea"),
        ]

    def get_func(self, model: Any) -> str:
        table = model._meta.db_table
        columns = _columns(model)
        names = ", ".join(f'"{c}"' for c in columns)
        values = ", ".join(f'r."{c}"' for c in columns)
        chain = "r.subject_id" if "subject_id" in columns else "r.id" if table == "subjects_subject" else None
        chain_sql = f"coalesce({chain}, '{STUDY_CHAIN}'::uuid)" if chain else f"'{STUDY_CHAIN}'::uuid"
        site = self._site() if "site_id" in columns else "NULL"
        return f"""
            IF TG_OP = 'DELETE' THEN r := OLD; ELSE r := NEW; END IF;
            IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN RETURN NULL; END IF;
            IF actor IS NULL THEN
                RAISE EXCEPTION '{table}: nobody is named for this change'
                    USING ERRCODE = '23514', HINT = 'Write inside audit.transaction(by=...).';
            END IF;
            IF TG_OP <> 'INSERT' AND why = '' THEN
                RAISE EXCEPTION '{table}: a change needs a reason'
                    USING ERRCODE = '23514', HINT = 'Give audit.transaction(..., reason=...).';
            END IF;
            chain_id := {chain_sql};
            PERFORM pg_advisory_xact_lock(hashtextextended(chain_id::text, 19));
            INSERT INTO {_history_table(model)} ({names}, history_date, history_change_reason, history_type,
                history_user_id, actor_role, request_id, db_user, xid)
            VALUES ({values}, clock_timestamp(), why,
                CASE TG_OP WHEN 'INSERT' THEN '+' WHEN 'UPDATE' THEN '~' ELSE '-' END,
                actor::bigint, coalesce(current_setting('edc.role', true), ''),
                coalesce(current_setting('edc.request', true), ''), session_user,
                pg_current_xact_id()::text::bigint)
            RETURNING * INTO h;
            SELECT n, hash INTO last_n, last_hash FROM trial_ledgerentry
                WHERE chain = chain_id ORDER BY n DESC LIMIT 1;
            last_n := coalesce(last_n, 0) + 1;
            body := row_to_json(h)::text;
            digest_ := sha256(salt_ || convert_to(body, 'UTF8'));
            INSERT INTO trial_ledgerentry (chain, n, hash, digest, salt, payload, record_table, record_id, history_id,
                operation, site_id, xid, at)
            VALUES (chain_id, last_n,
                sha256(coalesce(last_hash, ''::bytea) || int8send(last_n) || digest_), digest_, salt_, body,
                '{table}', r.id::text, h.history_id, h.history_type, {site}, h.xid, h.history_date);
            {self._outbox(model)}{self._cohort(model)}
            RETURN NULL;
        """

    def _site(self) -> str:
        if self.read_by_all in ("", "true"):
            return "NULL" if self.read_by_all else "r.site_id"
        return f"CASE WHEN (SELECT {self.read_by_all} FROM (SELECT (r).*) one) THEN NULL ELSE r.site_id END"

    def _outbox(self, model: Any) -> str:
        if not self.wakes_rules:
            return ""
        subject = "r.id" if model._meta.db_table == "subjects_subject" else "r.subject_id"
        note = (
            "INSERT INTO trial_outbox (topic, subject_id, actor_id, created_at, attempts)"
            f" VALUES ('evaluate', {subject}, actor::bigint, clock_timestamp(), 0);"
        )
        return f"IF {subject} IS NOT NULL THEN {note} END IF;" if _of_the_study(model) else note

    def _cohort(self, model: type[models.Model]) -> str:
        if not self.wakes_cohort:
            return ""
        changed = " OR ".join(f'NEW."{c}" IS DISTINCT FROM OLD."{c}"' for c in self.wakes_cohort)
        test = f"(TG_OP <> 'UPDATE' OR {changed})"
        if _of_the_study(model):
            test = f"r.subject_id IS NULL AND {test}"
        return f"""
            IF {test} THEN
                INSERT INTO trial_outbox (topic, subject_id, actor_id, created_at, attempts)
                VALUES ('{COHORT}', '{STUDY_CHAIN}'::uuid, actor::bigint, clock_timestamp(), 0);
            END IF;
        """


def _history_table(model: type[models.Model]) -> str:
    """The table simple-history makes for a model: its app's label, `historical`, its name."""
    return f"{model._meta.app_label}_historical{model._meta.model_name}"
