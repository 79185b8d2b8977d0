"""A hash over every answer of the study: the same demonstration gives the same one, whenever it is entered.

Ids and times of entry are left out; a link counts as the place it leads to.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db import models

from review.models import Query
from safety.forms import FORMS
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.item import items
from trial.models import Person

KEPT = ("visit", "sequence", "status", "retracted", "not_done", "not_done_reason", "missing", "typed")


def digest(by: Actor) -> str:
    """The SHA-256 of all answers and of what was said in queries, in the order of subject, form, visit, row."""
    total = hashlib.sha256()
    with audit.reading(by):
        places = _people() | _places()
        for line in (*_lines(places), *_queries(places)):
            total.update(json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n")
    return total.hexdigest()


def _people() -> dict[Any, Any]:
    return {("person", pk): name for pk, name in Person.objects.values_list("pk", "username")}


def _places() -> dict[Any, Any]:
    """Where every record stands: form, subject, visit, row."""
    subjects = dict(Subject.objects.values_list("pk", "subjid"))
    places: dict[Any, Any] = {}
    for form in FORMS:
        for pk, subject, visit, row in form._default_manager.values_list(
            "pk", "subject_id", "visit", "sequence"
        ):
            places[pk] = [subjects[subject], form.form, visit, row]
    return places


def _lines(places: dict[Any, Any]) -> Iterator[list[Any]]:
    for form in FORMS:
        names = list(items(form))
        columns = [form._meta.get_field(name) for name in names]
        rows = form._default_manager.order_by("subject__subjid", "visit", "sequence")
        for row in rows.values_list("pk", *KEPT, *names).iterator(chunk_size=2000):
            answers = (_answer(c, v, places) for c, v in zip(columns, row[1 + len(KEPT) :], strict=True))
            yield [places[row[0]], *row[1 : 1 + len(KEPT)], *answers]


def _answer(column: Any, value: Any, places: dict[Any, Any]) -> Any:
    if value is None or not isinstance(column, models.ForeignKey):
        return value
    return places[("person", value)] if column.related_model is Person else places[value]


def _queries(places: dict[Any, Any]) -> Iterator[list[Any]]:
    said: list[list[Any]] = []
    for record, field, source, check, status, talk in Query.objects.values_list(
        "record_id", "field", "source", "check_id", "status", "talk"
    ):
        words = [[one["role"], one["status"], one["text"]] for one in talk]
        said.append([places[record], field, source, check, status, words])
    yield from sorted(said, key=lambda line: json.dumps(line, ensure_ascii=False))
