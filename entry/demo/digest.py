"""A hash over every answer of the study: the same demonstration gives the same one, whenever it is entered.

Ids and times of entry are left out; a link counts as the place it leads to. The database puts the lines together, so
that a study of thousands of subjects is hashed in seconds.
"""

import hashlib
from typing import Any

from django.db import connection, models

from dosing.models import SrcReview
from review.models import Query
from safety.forms import FORMS
from safety.holds import HoldReview
from subjects.attachment import Attachment
from subjects.crf import StudyForm
from subjects.models import Signature
from trial import audit
from trial.access import Actor
from trial.item import items
from trial.models import Person
from visits.models import Laboratory

KEPT = (
    "visit",
    "sequence",
    "status",
    "lock_state",
    "retracted",
    "not_done",
    "not_done_reason",
    "missing",
    "typed",
)
PLACE = "s.subjid, o.visit, o.sequence"


def digest(by: Actor) -> str:
    """The SHA-256 of all answers, of what was said in queries and of who signed what."""
    total = hashlib.sha256()
    with audit.reading(by), connection.cursor() as cursor:
        for name, statement in _statements():
            cursor.execute(statement)
            total.update(f"{name} {cursor.fetchone()[0]}\n".encode())
    return total.hexdigest()


def _statements() -> list[tuple[str, str]]:
    forms = [(form.form, _of_form(form)) for form in FORMS]
    return [*forms, ("src_review", _of_reviews()), ("query", _of_queries()), ("signature", _of_signatures())]


def _of_form(form: type[models.Model]) -> str:
    columns: list[Any] = [form._meta.get_field(name) for name in (*KEPT, *items(form))]
    answers = ", ".join(_answer(column) for column in columns)
    source = f"{form._meta.db_table} o JOIN subjects_subject s ON s.id = o.subject_id"
    return _lines(f"ROW(s.subjid, {answers})", source, PLACE)


def _answer(column: Any) -> str:
    """The answer in a column; of a link, the account or the place it leads to."""
    if not isinstance(column, models.ForeignKey):
        return f'o."{column.column}"'
    there: Any = column.related_model
    if there is Person:
        return f'(SELECT p.username FROM trial_person p WHERE p.id = o."{column.column}")'
    if there is Laboratory:
        return f'(SELECT l.name FROM visits_laboratory l WHERE l.id = o."{column.column}")'
    if there is Attachment:
        return f'(SELECT a.sha256 FROM subjects_attachment a WHERE a.id = o."{column.column}")'
    if issubclass(there, StudyForm):
        return f'(SELECT t.sequence FROM {there._meta.db_table} t WHERE t.id = o."{column.column}")'
    return f'(SELECT t.visit || t.sequence FROM {there._meta.db_table} t WHERE t.id = o."{column.column}")'


def _of_reviews() -> str:
    columns = ", ".join(f'o."{name}"' for name in items(SrcReview))
    return _lines(f"ROW(o.sequence, {columns})", f"{SrcReview._meta.db_table} o", "o.sequence")


def _of_queries() -> str:
    said = "(SELECT jsonb_agg(one - 'at' - 'by') FROM jsonb_array_elements(o.talk) one)"
    line = f"ROW(s.subjid, o.form, o.field, o.source, o.check_id, o.status, {said})"
    return _lines(
        line, f"{Query._meta.db_table} o JOIN subjects_subject s ON s.id = o.subject_id", f"{line}::text"
    )


def _of_signatures() -> str:
    # A hold is reviewed once the rules have raised it: when that was is a time of entry.
    when = f"CASE WHEN o.form <> '{HoldReview.form}' THEN o.signed_at END"
    line = f"ROW(s.subjid, o.form, o.record_version, o.meaning, o.role, {when})"
    source = f"{Signature._meta.db_table} o LEFT JOIN subjects_subject s ON s.id = o.subject_id"
    return _lines(line, source, f"{line}::text")


def _lines(line: str, source: str, order: str) -> str:
    return (
        f"SELECT encode(sha256(convert_to(coalesce(string_agg(md5({line}::text), '' ORDER BY {order}), ''), 'UTF8')),"
        f" 'hex') FROM {source}"
    )
