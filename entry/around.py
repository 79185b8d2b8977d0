"""What a save looks up around its record, read once for a whole batch of one subject's records."""

from collections.abc import Iterable
from datetime import date
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.db import models

from review.models import Query
from safety.binding import binding
from safety.casebook import casebook
from subjects.attachment import Attachment
from subjects.crf import CRF, StudyForm, Subject
from subjects.models import Demographics
from trial.item import items
from trial.models import Person
from trial.protocol import Protocol
from visits.models import Laboratory, ReferenceRange


class Around:
    """The neighbourhood of some records that are about to be saved. Call it with the subject's row locked.

    Every look-up covers all the records at once, so a batch asks the database as often as one record does.
    """

    def __init__(self, subject: Subject, records: Iterable[CRF]) -> None:
        self.subject, self.records = subject, list(records)
        self._standing: dict[type[CRF], dict[str, CRF]] = {}
        self._taken: dict[type[CRF], list[tuple[UUID, str]]] = {}
        self._numbers: dict[type[CRF], dict[str, int]] = {}
        self._targets: dict[Any, set[Any]] = {}

    def standing(self, record: CRF) -> CRF | None:
        """The record as it stands in the database."""
        model = type(record)
        if model not in self._standing:
            keys = [one.pk for one in self.records if type(one) is model]
            rows = model._default_manager.filter(pk__in=keys, subject_id=self.subject.pk)
            self._standing[model] = {str(row.pk): row for row in rows}
        return self._standing[model].get(str(record.pk))

    def there(self, record: CRF) -> UUID | None:
        """The record that already holds the place of a form that stands once (per subject or visit)."""
        model = type(record)
        if model not in self._taken:
            rows = model._default_manager.filter(subject_id=self.subject.pk, retracted=False)
            self._taken[model] = list(rows.values_list("pk", "visit"))
        once = record.repeats == "one"
        return next((key for key, visit in self._taken[model] if once or visit == record.visit), None)

    def next_number(self, record: CRF) -> int:
        """The next row number of a form that is filled in several times."""
        model = type(record)
        if model not in self._numbers:
            rows = model._default_manager.filter(subject_id=self.subject.pk).values_list("visit")
            self._numbers[model] = dict(rows.annotate(last=models.Max("sequence")).order_by())
        return self._numbers[model].get(record.visit, 0) + 1

    def placed(self, record: CRF) -> None:
        """A record of the batch has taken its place."""
        self._numbers.setdefault(type(record), {})[record.visit] = record.sequence
        self._taken.setdefault(type(record), []).append((record.pk, record.visit))

    @cached_property
    def ranges(self) -> list[ReferenceRange]:
        """The reference ranges of the subject's site."""
        return list(ReferenceRange.objects.filter(site_id=self.subject.site_id))

    @cached_property
    def laboratories(self) -> list[Laboratory]:
        """The laboratories of the subject's site."""
        return list(Laboratory.objects.filter(site_id=self.subject.site_id))

    def default_laboratory(self, day: date) -> UUID | None:
        """The site's default laboratory, when it measures on `day`."""
        return next((lab.pk for lab in self.laboratories if lab.is_default and lab.open_on(day)), None)

    @cached_property
    def person(self) -> tuple[str, str]:
        """The subject's sex and birth date, as far as they are known."""
        known = Demographics.objects.filter(subject_id=self.subject.pk, retracted=False)
        return known.values_list("sex", "birth_date").first() or ("", "")

    @cached_property
    def protocol(self) -> Protocol:
        """The protocol version that binds the subject."""
        return binding(casebook(self.subject.pk, ()))

    def queries(self, record: CRF) -> list[Query]:
        """The automatic queries on a record that was there before."""
        return self._queries.get(record.pk, [])

    @cached_property
    def _queries(self) -> dict[UUID, list[Query]]:
        keys = [one.pk for one in self.records]
        found: dict[UUID, list[Query]] = {}
        for query in Query.objects.filter(record_id__in=keys, source="AUTO"):
            found.setdefault(query.record_id, []).append(query)
        return found

    def holds(self, column: Any, target: Any) -> bool:
        """Whether a link leads to a person, a laboratory of the site, or a record of this subject or the study that counts."""
        model = column.related_model
        if column not in self._targets:
            wanted = {getattr(one, column.attname) for one in self.records if type(one) is column.model}
            rows = model._default_manager.filter(pk__in=_keys(model, wanted))
            if model is Laboratory:
                rows = rows.filter(site_id=self.subject.site_id)
            elif model is Attachment:
                rows = rows.filter(subject_id=self.subject.pk)
            elif issubclass(model, StudyForm):
                rows = rows.filter(
                    retracted=False
                )  # of whatever site: row-level security shows those of the actor
            elif model is not Person:
                rows = rows.filter(subject_id=self.subject.pk, retracted=False)
            self._targets[column] = set(rows.values_list("pk", flat=True))
        return not _keys(model, {target}).isdisjoint(self._targets[column])


def _keys(model: Any, wanted: set[Any]) -> set[Any]:
    """The keys among `wanted` in the model's own type; what cannot be one names nothing."""
    found = set()
    for one in wanted - {None}:
        try:
            found.add(model._meta.pk.to_python(one))
        except Exception:
            continue
    return found


def links(record: CRF) -> list[Any]:
    """The linking columns of a form."""
    return _links(type(record))


@cache
def _links(form: type[CRF]) -> list[Any]:
    columns = (form._meta.get_field(name) for name in items(form))
    return [column for column in columns if isinstance(column, models.ForeignKey)]
