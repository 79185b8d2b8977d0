"""Everything kept of one subject, read once: the rows of all forms in one round trip, and what is said about them.

`read` asks the database; what it gives is language-neutral, so a page and a bilingual printout show the same reading.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import QuerySet

from entry.lines import lines_of
from entry.matrix import MatrixRow, open_queries, row_of
from review.models import Query
from review.shown import plain
from safety.forms import FORMS
from safety.models import Deviation
from subjects.crf import CRF, Subject
from subjects.models import Signature
from trial.ambiguity_models import every_approval, provisional
from trial.at_once import at_once
from trial.dates import utc_now
from trial.integrity import history_model
from trial.item import items
from trial.models import Person, Seal, Site
from trial.sites import zone_of

OWN = ("visit", "sequence", "version", "status", "lock_state", "retracted", "not_done", "not_done_reason")
ABOUT: tuple[type[models.Model], ...] = (Query, Deviation, Signature)
Key = tuple[type[models.Model], Any]


@dataclass
class Filed:
    """One subject's record. `past` holds every version of every row by its id, oldest first; empty without audit.

    `standing` names the signatures that still stand for their record.
    """

    subject: Subject
    site: Site
    zone: str
    as_of: datetime
    course: MatrixRow
    rows: dict[type[CRF], list[CRF]]
    queries: list[Query]
    deviations: list[Deviation]
    signatures: list[Signature]
    linked: dict[Key, Any]
    seal: Seal | None
    provisional: dict[str, list[str]] = field(default_factory=dict)
    audited: bool = False
    past: dict[UUID, list[Any]] = field(default_factory=dict)
    standing: frozenset[Any] = frozenset()

    def all_rows(self) -> Iterable[CRF]:
        """Every record, retracted ones too, in the order of the protocol."""
        return (row for rows in self.rows.values() for row in rows)

    @property
    def digest(self) -> str:
        """SHA-256 in hex over what is recorded: the same data give the same digest, in any language, on any day."""
        lines = [["subject", str(self.subject.pk), self.subject.subjid, self.subject.version]]
        lines += [_facts_of_record(row) for row in self.all_rows()]
        lines += [_facts(one) for one in (*self.queries, *self.deviations, *self.signatures)]
        text = "\n".join(json.dumps(line, ensure_ascii=False, sort_keys=True, default=str) for line in lines)
        return sha256(text.encode()).hexdigest()


def _facts_of_record(row: CRF) -> list[Any]:
    columns: list[Any] = [row._meta.get_field(name) for name in items(row)]
    answers = {column.name: _neutral(getattr(row, column.attname)) for column in columns}
    own = {name: getattr(row, name) for name in OWN}
    return [row.form, str(row.pk), own, answers, row.missing, row.typed]


def _facts(one: Any) -> list[Any]:
    answers = {c.name: _neutral(getattr(one, c.attname)) for c in one._meta.concrete_fields}
    return [one._meta.model_name, str(one.pk), answers]


def _neutral(value: Any) -> Any:
    """A value whose text depends on nothing but itself: moments by the second, decimals by their digits."""
    return value.timestamp() if isinstance(value, datetime) else plain(value)


def read(subject: Subject, audit: bool = False) -> Filed:
    """Everything of a subject; with `audit` every version too. Constant SQL. Call inside `audit.reading`."""
    kept = at_once(
        [
            *(_of(form, subject).order_by("visit", "sequence", "id") for form in FORMS),
            *(_of(model, subject).order_by("entered_at", "id") for model in ABOUT),
            Site.objects.filter(pk=subject.site_id),
            every_approval(),
            Seal.objects.order_by("-xmin_to")[:1],
        ]
    )
    rows, said = dict(zip(FORMS, kept, strict=False)), kept[len(FORMS) :]
    lines = lines_of([subject.pk])[subject.pk]
    past = _past(subject) if audit else {}
    every = [row for found in rows.values() for row in found]
    return Filed(
        subject=subject,
        site=said[-3][0],
        zone=zone_of(subject.site_id),
        as_of=utc_now(),
        course=row_of(subject, lines, open_queries([subject.pk])),
        rows=rows,
        queries=said[0],
        deviations=said[1],
        signatures=said[2],
        linked=_linked(every, past),
        seal=next(iter(said[-1]), None),
        provisional=provisional(said[-2]),
        audited=audit,
        past=past,
        standing=_standing(every, said[2]),
    )


def _standing(rows: Iterable[CRF], signatures: Sequence[Signature]) -> frozenset[Any]:
    """The ids of the signatures that stand. Whether a record was open since is asked for all of them in one message."""
    stored = {row.pk: row for row in rows}
    signed = [(one, stored[one.record_id]) for one in signatures if one.record_id in stored]
    moved: dict[type[CRF], set[UUID]] = defaultdict(set)
    for one, row in signed:
        if one.record_version != row.version:
            moved[type(row)].add(row.pk)
    asked = [
        history_model(form).objects.filter(id__in=keys, lock_state="OPEN") for form, keys in moved.items()
    ]
    opened: dict[UUID, int] = defaultdict(int)
    for version in (version for found in at_once(asked) for version in found):
        opened[version.id] = max(opened[version.id], version.version)
    return frozenset(
        one.pk
        for one, row in signed
        if one.stands_beside(row, lambda key=row.pk: opened[key])  # type: ignore[misc]
    )


def _of(model: type[models.Model], subject: Subject) -> "QuerySet[Any]":
    return model._default_manager.filter(subject_id=subject.pk)


def _past(subject: Subject) -> dict[UUID, list[Any]]:
    """Every version of every row of the subject by the row's id, oldest first."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    histories = [history_model(model).objects for model in (*FORMS, *ABOUT)]
    for rows in at_once([one.filter(subject_id=subject.pk).order_by("history_id") for one in histories]):
        for row in rows:
            found[row.id].append(row)
    return dict(found)


def _linked(rows: list[CRF], past: dict[UUID, list[Any]]) -> dict[Key, Any]:
    """Every record and person that an answer, past or present, leads to; one statement for each kind of target."""
    wanted: dict[type[models.Model], set[Any]] = {Person: set()}
    for row in rows:
        versions = (row, *past.get(row.pk, ()))
        for column in _links(type(row)):
            keys = wanted.setdefault(column.related_model, set())
            keys.update(key for one in versions if (key := getattr(one, column.attname)) is not None)
    wanted[Person].update(one.history_user_id for versions in past.values() for one in versions)
    found: dict[Key, Any] = {(type(row), row.pk): row for row in rows if row.pk in wanted.get(type(row), ())}
    for model in sorted(_targets(), key=lambda m: m._meta.label):
        found |= {(model, one.pk): one for one in model._default_manager.filter(pk__in=wanted.get(model, ()))}
    return found


def _links(model: type[models.Model]) -> list[Any]:
    return [c for c in model._meta.concrete_fields if isinstance(c, models.ForeignKey) and hasattr(c, "item")]


def _targets() -> set[type[models.Model]]:
    """Whatever a form may link to that is no form of the subject itself."""
    found = {column.related_model for form in FORMS for column in _links(form)}
    return {Person, *(model for model in found if model not in FORMS)}
