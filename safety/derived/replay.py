"""A casebook as it was: read from the audit at a moment, so that every derived value can be worked out again (R-19)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from safety.binding import binding
from safety.casebook import ANCHORS, Casebook, row_shape, site_books
from safety.derived.every import READS, derive
from safety.derived.stored import Found
from subjects.crf import CRF, Subject
from trial.integrity import history_model


def book_at(subject_id: UUID, moment: datetime, forms: Iterable[type[CRF]] = READS) -> Casebook:
    """What was known of a subject at that moment, by the audit. What sites had approved is as of today.

    Raises Subject.DoesNotExist. Call it inside `audit.reading`.
    """
    subject = Subject.objects.get(pk=subject_id)
    rows = {form: _rows(form, subject_id, moment) for form in dict.fromkeys((*ANCHORS, *forms))}
    return Casebook(subject.pk, subject.subjid, site_books()[subject.site_id], moment, rows)


def derived_at(subject_id: UUID, moment: datetime) -> Found:
    """Every derived value as it followed from what was known at that moment."""
    book = book_at(subject_id, moment)
    return derive(book, binding(book))


def _rows(form: type[CRF], subject_id: UUID, moment: datetime) -> list[Any]:
    """The newest version of each record up to the moment; retracted ones left out."""
    columns, shape = row_shape(form)
    names = ", ".join(f'"{name}"' for name in columns)
    table = history_model(form)._meta.db_table
    statement = (
        f"SELECT {names} FROM (SELECT DISTINCT ON (id) * FROM {table} WHERE subject_id = %s"
        " AND history_date <= %s ORDER BY id, history_id DESC) v WHERE NOT retracted AND history_type <> '-'"
        " ORDER BY visit, sequence, id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [subject_id, moment])
        return [shape._make(row) for row in cursor.fetchall()]
