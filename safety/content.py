"""What the rules ask of every form at once: which forms were filled in for which visit, and what changed after a lock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from safety.forms import FORM
from trial.integrity import history_model

LEAST_VERSIONS_WITH_A_PAST_LOCK = 3
"""Entered, locked, unlocked: an open record with fewer versions was never locked."""


class Entry(NamedTuple):
    """One standing record of a subject, without its answers."""

    form: str
    record: UUID
    visit: str
    status: str
    lock_state: str
    version: int
    not_done: bool


@dataclass(frozen=True, slots=True)
class Versions:
    """Of one record: the last version that changed more than its lock, the first that was locked, and the last that
    unlocked it (0: none)."""

    content: int
    locked: int
    opened: int = 0

    @property
    def changed_after_lock(self) -> bool:
        """Whether an answer was changed once the record had been locked."""
        return 0 < self.locked < self.content


@cache
def entries_statement(forms: tuple[str, ...]) -> str:
    """Subject and entry of every standing record of these forms."""
    return " UNION ALL ".join(
        f"SELECT subject_id, '{name}', id, visit, status, lock_state, version, not_done"
        f" FROM {FORM[name]._meta.db_table} WHERE subject_id = ANY(%(ids)s) AND NOT retracted"
        for name in forms
    )


def candidates(rows: Iterable[Entry]) -> list[Entry]:
    """The records whose versions have to be looked up: those that are locked, and those that may once have been."""
    return [one for one in rows if one.lock_state != "OPEN" or one.version >= LEAST_VERSIONS_WITH_A_PAST_LOCK]


def versions(rows: Iterable[Entry]) -> Mapping[UUID, Versions]:
    """The versions of these records, in one statement; none when there are no records."""
    by_form: dict[str, list[UUID]] = defaultdict(list)
    for one in rows:
        by_form[one.form].append(one.record)
    if not by_form:
        return {}
    statement = " UNION ALL ".join(_versions_of(form) for form in by_form)
    with connection.cursor() as cursor:
        cursor.execute(statement, dict(by_form))
        return {record: Versions(*told) for record, *told in cursor.fetchall()}


@cache
def _versions_of(form: str) -> str:
    """A lock brings no other change with it, so a version whose lock is that of the one before changed an answer."""
    table = history_model(FORM[form])._meta.db_table
    return f"""
        SELECT id, max(version) FILTER (WHERE lock_state = was),
            coalesce(min(version) FILTER (WHERE lock_state = 'LOCKED'), 0),
            coalesce(max(version) FILTER (WHERE lock_state = 'OPEN' AND was <> 'OPEN'), 0)
        FROM (SELECT id, version, lock_state,
                  lag(lock_state, 1, lock_state) OVER (PARTITION BY id ORDER BY version) AS was
              FROM {table} WHERE id = ANY(%({form})s)) v
        GROUP BY id
    """
