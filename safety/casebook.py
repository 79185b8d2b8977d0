"""The casebook: everything known of one subject that the rules ask for, read once, in a fixed number of statements.

Rules see rows, not the database: `book.of(Infusion)` gives the standing (not retracted, not "not done") rows of a
form in time order. Rows read from the database are plain tuples with the form's field names; tests hand in unsaved
instances, and the rules cannot tell the difference.
"""

from collections import defaultdict, namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db import connection
from django.db.models import JSONField

from dosing.models import Infusion
from subjects.crf import CRF, Subject
from subjects.models import InformedConsent
from trial.dates import local_day, utc_now
from trial.models import IcfVersion, Site, SiteProtocol
from visits.models import Visit

Form = TypeVar("Form", bound=CRF)
Result = TypeVar("Result")
ANCHORS: tuple[type[CRF], ...] = (InformedConsent, Infusion, Visit)
_UNASKED = {"site", "version", "entered_at", "changed_at"}
"""Columns no rule asks for; nor are the JSON ones (`missing`, `typed`) read."""


@dataclass(frozen=True)
class SiteBook:
    """What the rules know of a site."""

    id: int
    code: str
    time_zone: str
    activation_date: date | None
    icf_versions: tuple[IcfVersion, ...] = ()
    protocols: tuple[SiteProtocol, ...] = ()


@dataclass(frozen=True)
class Casebook:
    """One subject as of `now`. `rows` maps a form's model to its rows, retracted ones left out."""

    subject_id: UUID
    subjid: str
    site: SiteBook
    now: datetime
    rows: Mapping[type[CRF], Sequence[Any]] = field(default_factory=dict)
    kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, form: type[Form]) -> Sequence[Form]:
        """The rows of a form that hold answers, oldest first. Raises KeyError when the form was not read."""
        return cast(Sequence[Form], [row for row in self.rows[form] if not row.not_done])

    def every(self, form: type[Form]) -> Sequence[Form]:
        """The rows of a form, those marked "not done" included."""
        return cast(Sequence[Form], self.rows[form])

    def once(self, work: "Callable[[Casebook], Result]") -> "Result":
        """What `work` makes of this book, worked out at the first call and kept with the book."""
        if work not in self.kept:
            self.kept[work] = work(self)
        return cast("Result", self.kept[work])

    @property
    def zone(self) -> str:
        """The IANA time zone of the site."""
        return self.site.time_zone

    @cached_property
    def today(self) -> date:
        """The calendar day at the site."""
        return local_day(self.now, self.zone)

    def day(self, moment: datetime | None) -> date | None:
        """The site's calendar day of a moment."""
        return None if moment is None else local_day(moment, self.zone)

    @cached_property
    def initial_consent(self) -> InformedConsent | None:
        """The first initial consent."""
        signed = [c for c in self.of(InformedConsent) if c.consent_type == "INITIAL" and c.consent_dt]
        return min(signed, key=lambda c: c.consent_dt, default=None)

    @cached_property
    def consent_day(self) -> date | None:
        """The anchor ICF: the day of the first initial consent."""
        return self.day(self.initial_consent.consent_dt) if self.initial_consent else None

    @cached_property
    def infusions(self) -> Sequence[Infusion]:
        """Infusions that have started, first first."""
        return sorted((i for i in self.of(Infusion) if i.inf_start_dt), key=lambda i: i.inf_start_dt)

    @cached_property
    def day0(self) -> date | None:
        """The anchor D0: the day the first infusion started."""
        return self.day(self.infusions[0].inf_start_dt) if self.infusions else None

    @cached_property
    def visit_days(self) -> dict[str, date]:
        """Visit code to the day it took place."""
        return {v.visit: v.actual_date for v in self.of(Visit) if v.actual_date}


def casebook(subject_id: UUID, forms: Iterable[type[CRF]], now: datetime | None = None) -> Casebook:
    """The casebook of one subject with these forms. Raises Subject.DoesNotExist."""
    return next(casebooks([subject_id], forms, now))


def casebooks(
    subject_ids: Sequence[UUID], forms: Iterable[type[CRF]], now: datetime | None = None
) -> Iterator[Casebook]:
    """The casebooks of many subjects, each form read in one statement; in the order of `subject_ids`."""
    now = now or utc_now()
    wanted = tuple(dict.fromkeys((*ANCHORS, *forms)))
    subjects = {
        row[0]: row
        for row in Subject.objects.filter(pk__in=subject_ids).values_list("pk", "subjid", "site_id")
    }
    sites = site_books()
    by_form = {form: _rows(form, subject_ids) for form in wanted}
    for key in subject_ids:
        if key not in subjects:
            raise Subject.DoesNotExist(key)
        _, subjid, site_id = subjects[key]
        yield Casebook(
            key, subjid, sites[site_id], now, {form: rows.get(key, ()) for form, rows in by_form.items()}
        )


def site_books() -> dict[int, SiteBook]:
    """Every site as the rules know it, in three statements."""
    versions, protocols = defaultdict(list), defaultdict(list)
    for version in IcfVersion.objects.order_by("irb_approval_date"):
        versions[version.site_id].append(version)
    for protocol in SiteProtocol.objects.order_by("approved_on"):
        protocols[protocol.site_id].append(protocol)
    return {
        s.pk: SiteBook(
            s.pk, s.code, s.time_zone, s.activation_date, tuple(versions[s.pk]), tuple(protocols[s.pk])
        )
        for s in Site.objects.all()
    }


@cache
def _shape(form: type[CRF]) -> tuple[str, Any, int]:
    """How a form is read: the statement, the tuple its rows become, where the subject stands in it.

    The statement is written once per process: building it anew would take longer than running it.
    """
    columns = [
        f for f in form._meta.concrete_fields if not isinstance(f, JSONField) and f.name not in _UNASKED
    ]
    names = ", ".join(f'"{f.column}"' for f in columns)
    statement = (
        f'SELECT id, {names} FROM "{form._meta.db_table}" WHERE subject_id = ANY(%s) AND NOT retracted'
        " ORDER BY visit, sequence, id"
    )
    attributes = ("pk", *(f.attname for f in columns))
    return statement, namedtuple(form.__name__, attributes), attributes.index("subject_id")


def _rows(form: type[CRF], subject_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    statement, shape, subject_at = _shape(form)
    rows: dict[UUID, list[Any]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(subject_ids)])
        for row in cursor.fetchall():
            rows[row[subject_at]].append(shape._make(row))
    return rows
