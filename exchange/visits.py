"""Each subject's visits: the window that the schedule gives, and when the visit took place."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from exchange.operation import Schema
from exchange.sql import Where
from safety.calendar import READS, windows
from safety.casebook import Casebook, casebooks
from visits.models import Visit
from visits.schedule import VisitWindow, in_window, occasion, state, visit_of, visit_rank

_DAY: Schema = {"type": ["string", "null"], "format": "date"}
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "subject_id": {"type": "string", "format": "uuid"},
        "site": {"type": "string"},
        "visit": {"type": "string"},
        "label": {"type": "object"},
        "nominal": _DAY,
        "earliest": _DAY,
        "latest": _DAY,
        "expected": {"type": "boolean"},
        "state": {"type": "string", "enum": ["DONE", "NOT_DONE", "NOT_DUE", "DUE", "OVERDUE"]},
        "actual": _DAY,
        "in_window": {"type": ["boolean", "null"]},
        "record": {"type": ["string", "null"], "format": "uuid"},
    },
}


def subject_keys(where: Where, after: str, limit: int) -> list[UUID]:
    """The ids of the next subjects in sight. Runs inside `audit.reading`."""
    if after:
        where = where.and_("f.id > %s::uuid", after)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT f.id FROM subjects_subject f{where.sql()} ORDER BY f.id LIMIT {limit}",
            list(where.values),
        )
        return [row[0] for row in cursor.fetchall()]


def of_subjects(keys: Sequence[UUID]) -> list[dict[str, Any]]:
    """The visits of these subjects, subject by subject in the order of the schedule. Runs inside `audit.reading`."""
    return [row for book in casebooks(keys, (Visit, *READS)) for row in _of(book)]


def _of(book: Casebook) -> list[dict[str, Any]]:
    entered = {row.visit: row for row in book.every(Visit)}
    rows = []
    extra = sorted((code for code in entered if occasion(code) > 1), key=visit_rank)
    all_windows = {**windows(book), **{code: VisitWindow(code, expected=False) for code in extra}}
    for code, window in all_windows.items():
        row, name = entered.get(code), visit_of(code)
        assert name is not None
        actual = row.actual_date if row is not None else None
        skipped = row is not None and (row.not_done or row.missed_reason)
        rows.append(
            {
                "subject": book.subjid,
                "subject_id": book.subject_id,
                "site": book.site.code,
                "visit": code,
                "label": {"en": name.en, "zh": name.zh},
                "nominal": window.nominal,
                "earliest": window.low,
                "latest": window.high,
                "expected": window.expected,
                "state": "DONE" if actual else "NOT_DONE" if skipped else str(state(window, book.today)),
                "actual": actual,
                "in_window": in_window(window, actual),
                "record": row.pk if row is not None else None,
            }
        )
    return rows
