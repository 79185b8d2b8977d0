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
from operator import attrgetter, itemgetter
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db.models import JSONField, Model

from dosing.models import DoseAllocation, Infusion
from safety import content
from safety.content import Entry, Versions
from safety.forms import FORM
from safety.trialbook import TrialBook, trial_book
from subjects.crf import CRF, Subject
from subjects.models import InformedConsent, Signature
from trial.at_once import rows_at_once
from trial.dates import local_day, utc_now
from trial.models import IcfVersion, SiteProtocol
from visits.models import Visit

Form = TypeVar("Form", bound=CRF)
Result = TypeVar("Result")
ANCHORS: tuple[type[CRF], ...] = (InformedConsent, Infusion, Visit)
_UNASKED = {"site", "entered_at", "changed_at"}
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
    """One subject as of `now`. `rows` maps a form's model to its rows, retracted ones left out.

    entries    every standing record without its answers; empty where the book was not read to be judged
    versions   of the records that are or were locked, when answers last changed
    trial      what is known of the other subjects and of the committee
    bound      a protocol version of one's choice to hold the book against; "" leaves that to consent and approval
    """

    subject_id: UUID
    subjid: str
    site: SiteBook
    now: datetime
    rows: Mapping[type[CRF], Sequence[Any]] = field(default_factory=dict)
    signatures: Sequence[Any] = ()
    entries: Sequence[Entry] = ()
    versions: Mapping[UUID, Versions] = field(default_factory=dict)
    trial: TrialBook = field(default_factory=TrialBook, repr=False)
    bound: str = ""
    kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _of: dict[type[CRF], list[Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, form: type[Form]) -> Sequence[Form]:
        """The rows of a form that hold answers, oldest first. Raises KeyError when the form was not read."""
        found = self._of.get(form)
        if found is None:
            found = self._of[form] = [row for row in self.rows[form] if not row.not_done]
        return cast(Sequence[Form], found)

    def every(self, form: type[Form]) -> Sequence[Form]:
        """The rows of a form, those marked "not done" included."""
        return cast(Sequence[Form], self.rows[form])

    def signed(self, row: Any, meaning: str, role: str = "") -> Any | None:
        """The newest signature that still stands for this row, of this meaning and perhaps of one role: since then it
        was frozen or locked at most, not changed or unlocked (as `Signature.stands_for`). Ask it of a judged book: without
        `versions` the signature of a locked record is not known to stand."""
        kept = self.versions.get(row.pk)
        least = max(kept.content, kept.opened) if kept is not None else row.version
        standing = (
            s
            for s in self.signatures
            if s.record_id == row.pk
            and s.record_version >= least
            and s.meaning == meaning
            and role in ("", s.role)
        )
        return max(standing, key=lambda s: s.signed_at, default=None)

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
        """The first initial consent that the subject did not leave unsigned; where all were, the first of these."""
        dated = [c for c in self.of(InformedConsent) if c.consent_type == "INITIAL" and c.consent_dt]
        return min(dated, key=lambda c: (c.signed_by_subject is False, c.consent_dt), default=None)

    @cached_property
    def consent_day(self) -> date | None:
        """The anchor ICF: the day of the initial consent."""
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


def casebook(
    subject_id: UUID, forms: Iterable[type[CRF]], now: datetime | None = None, *, judged: bool = False
) -> Casebook:
    """The casebook of one subject with these forms. Raises Subject.DoesNotExist."""
    return next(casebooks([subject_id], forms, now, judged=judged))


def casebooks(
    subject_ids: Sequence[UUID],
    forms: Iterable[type[CRF]],
    now: datetime | None = None,
    *,
    judged: bool = False,
    trial: TrialBook | None = None,
) -> Iterator[Casebook]:
    """The casebooks of many subjects, every form read in one round trip; in the order of `subject_ids`.

    `judged` reads what rules ask beyond the forms as well: entries, versions, and the trial unless it is given.
    """
    now = now or utc_now()
    wanted = tuple(dict.fromkeys((*ANCHORS, *forms)))
    told = _read(wanted, subject_ids, judged=judged)
    versions = content.versions(content.candidates(one for rows in told.entries.values() for one in rows))
    if trial is None:
        dosed = judged and (told.forms.get(Infusion) or told.forms.get(DoseAllocation))
        trial = trial_book() if dosed else TrialBook()
    for key in subject_ids:
        if key not in told.subjects:
            raise Subject.DoesNotExist(key)
        subjid, site_id = told.subjects[key]
        entries = told.entries.get(key, ())
        yield Casebook(
            key,
            subjid,
            told.sites[site_id],
            now,
            {form: rows.get(key, ()) for form, rows in told.forms.items()},
            told.signatures.get(key, ()),
            entries,
            {one.record: versions[one.record] for one in entries if one.record in versions},
            trial,
        )


def site_books() -> dict[int, SiteBook]:
    """Every site as the rules know it, in one round trip."""
    return books_of_sites(rows_at_once(SITES, {}))


def books_of_sites(told: Sequence[Sequence[tuple[Any, ...]]]) -> dict[int, SiteBook]:
    """Every site, of what SITES found."""
    sites, labels, approved = told
    versions, protocols = _by_site(IcfVersion, labels), _by_site(SiteProtocol, approved)
    return {
        key: SiteBook(key, code, zone, active, tuple(versions[key]), tuple(protocols[key]))
        for key, code, zone, active in sites
    }


def _by_site(model: type[Model], rows: Iterable[tuple[Any, ...]]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    row = row_shape(model)[1]
    for site, *rest in rows:
        found[site].append(row._make(rest))
    return found


@cache
def row_shape(model: type[Model]) -> tuple[tuple[str, ...], Any]:
    """The columns that are read of a table, and the tuple they become; its `pk` is the key among them."""
    columns = [
        f for f in model._meta.concrete_fields if not isinstance(f, JSONField) and f.name not in _UNASKED
    ]
    attributes = [f.attname for f in columns]
    key = attributes.index(model._meta.pk.attname)
    plain = namedtuple(model.__name__, attributes)  # type: ignore[misc]
    row = type(model.__name__, (plain,), {"__slots__": (), "pk": property(itemgetter(key))})
    return tuple(str(f.column) for f in columns), row


@dataclass(frozen=True)
class _Shape:
    """How a table is read: the statement, the tuple its rows become, where the subject stands in it."""

    statement: str
    row: Any
    subject_at: int


@cache
def _shape(model: type[Model]) -> _Shape:
    """The statement is written once per process: building it anew would take longer than running it."""
    columns, row = row_shape(model)
    names = ", ".join(f'"{name}"' for name in columns)
    standing = (
        " AND NOT retracted ORDER BY visit, sequence, id"
        if issubclass(model, CRF)
        else " ORDER BY signed_at, id"
    )
    return _Shape(
        f'SELECT {names} FROM "{model._meta.db_table}" WHERE subject_id = ANY(%(ids)s){standing}',
        row,
        row._fields.index("subject_id"),
    )


_SUBJECTS = "SELECT id, subjid, site_id FROM subjects_subject WHERE id = ANY(%(ids)s)"
SITES: tuple[str, ...] = (
    "SELECT id, code, time_zone, activation_date FROM trial_site",
    *(
        f"SELECT site_id, {', '.join(row_shape(model)[0])} FROM {model._meta.db_table} ORDER BY {day}"
        for model, day in ((IcfVersion, "irb_approval_date"), (SiteProtocol, "approved_on"))
    ),
)
Rows = dict[UUID, list[Any]]


@dataclass(frozen=True)
class _Told:
    """What the database said of some subjects."""

    subjects: dict[UUID, tuple[str, int]]
    sites: dict[int, SiteBook]
    signatures: Rows
    forms: dict[type[CRF], Rows]
    entries: dict[UUID, list[Entry]]


def _read(forms: Sequence[type[CRF]], subject_ids: Sequence[UUID], *, judged: bool) -> _Told:
    """Subjects, sites, signatures and the rows of these forms. The statements go to the server in one message: fifty
    round trips, each of them short, would take longer than the work itself."""
    shapes = [_shape(table) for table in (Signature, *forms)]
    others = tuple(name for name, form in FORM.items() if form not in forms) if judged else ()
    statements = [_SUBJECTS, *SITES, *(shape.statement for shape in shapes)]
    if others:
        statements.append(content.entries_statement(others))
    told = rows_at_once(statements, {"ids": list(subject_ids)})
    of_forms = told[1 + len(SITES) :]
    signatures, *rows = [_by_subject(*one) for one in zip(shapes, of_forms, strict=False)]
    by_form = dict(zip(forms, rows, strict=True))
    return _Told(
        {key: (subjid, site) for key, subjid, site in told[0]},
        books_of_sites(told[1 : 1 + len(SITES)]),
        signatures,
        by_form,
        _entries(by_form, of_forms[-1] if others else ()) if judged else {},
    )


def _entries(by_form: Mapping[type[CRF], Rows], others: Iterable[tuple[Any, ...]]) -> dict[UUID, list[Entry]]:
    """The entries of the rows that were read, and of those that were not."""
    found: dict[UUID, list[Entry]] = defaultdict(list)
    for form, rows in by_form.items():
        for subject, some in rows.items():
            found[subject] += [Entry(form.form, *_of_entry(row)) for row in some]
    for subject, *rest in others:
        found[subject].append(Entry(*rest))
    return found


_of_entry = attrgetter("pk", "visit", "status", "lock_state", "version", "not_done")


def _by_subject(shape: _Shape, answers: Iterable[tuple[Any, ...]]) -> Rows:
    rows: Rows = defaultdict(list)
    make, at = shape.row._make, shape.subject_at
    for row in answers:
        rows[row[at]].append(make(row))
    return rows
