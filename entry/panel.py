"""What stands beside a laboratory result in a panel: the range it is read against, its CTCAE grade, its adverse event.

Everything is read in one round trip; the grades are those of `safety.derived.laboratory`, of what is stored and of what
is only typed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from dosing.models import Lymphodepletion
from entry.around import Around
from safety.casebook import Casebook, SiteBook
from safety.derived.laboratory import FORMS, event_of, grades_of
from safety.models import AdverseEvent
from subjects.crf import CRF, Subject
from subjects.models import Demographics
from trial.at_once import at_once
from trial.dates import local_day, utc_now
from trial.text import T
from visits.models import ConMeds, Laboratory, ReferenceRange
from visits.ranges import age_on, in_unit, of_laboratory, range_in_force


@dataclass(frozen=True)
class Beside:
    """What is known of one result. `flag` is "high", "low" or ""; `grades` are (term, grade) pairs of 1 and above."""

    flag: str = ""
    limit: str = ""
    range: str = ""
    grades: tuple[tuple[str, int], ...] = ()
    event: AdverseEvent | None = None

    @property
    def abnormal(self) -> bool:
        """Whether somebody has to say if it matters."""
        return bool(self.flag or self.grades)


@dataclass(frozen=True)
class Known:
    """What the results of one subject are read against."""

    subject: Subject
    model: Any
    zone: str
    laboratories: list[Laboratory] = field(default_factory=list)
    ranges: list[ReferenceRange] = field(default_factory=list)
    people: list[Demographics] = field(default_factory=list)
    doses: list[Lymphodepletion] = field(default_factory=list)
    drugs: list[ConMeds] = field(default_factory=list)
    events: list[AdverseEvent] = field(default_factory=list)

    @property
    def person(self) -> tuple[str, str]:
        """Sex and birth date, as far as they are known."""
        return next(((one.sex, one.birth_date) for one in self.people), ("", ""))

    def around(self, records: Iterable[CRF]) -> Around:
        """The neighbourhood that a save would look up, already read."""
        found = Around(self.subject, records)
        found.ranges, found.laboratories, found.person = self.ranges, self.laboratories, self.person
        return found

    def limits(self, day: date, laboratory: Any = None) -> dict[str, str]:
        """The range of every analyte in force on `day` in its first unit: at `laboratory`, else where a new panel goes."""
        sex, born = self.person
        lab = laboratory or self.around(()).default_laboratory(day)
        ranges, age, told = of_laboratory(self.ranges, lab), age_on(born, day), {}
        for name, analyte in self.model.analytes.items():
            found = range_in_force(ranges, name, day, sex, age)
            units = analyte.units.codes
            if found is not None and found.unit in units:
                low, high = (
                    in_unit(analyte.quantity, n, found.unit, units[0]) for n in (found.low, found.high)
                )
                told[name] = span_text(low, high)
        return told

    def book(self, records: Iterable[CRF]) -> Casebook:
        """As much of the subject's casebook as grading asks for."""
        rows: dict[type[CRF], Any] = {
            self.model: list(records),
            Lymphodepletion: self.doses,
            ConMeds: self.drugs,
            AdverseEvent: self.events,
        }
        site = SiteBook(self.subject.site_id, "", self.zone, None)
        return Casebook(self.subject.pk, self.subject.subjid, site, utc_now(), rows)

    def beside(
        self, records: Iterable[CRF], shown: Iterable[CRF], typed: Collection[UUID] = ()
    ) -> dict[UUID, dict[str, Beside]]:
        """What stands beside every result of `shown`, graded among all `records` of the form; `typed` are not stored so."""
        book = self.book(records)
        graded = grades_of(book, self.model, typed) if self.model in FORMS else {}
        return {
            one.pk: {name: _beside(book, one, name, graded.get(one.pk, {})) for name in self.model.analytes}
            for one in shown
        }


def known_of(subject: Subject, model: Any, zone: str) -> Known:
    """Read what the results of a form are read against, in one round trip. Call it inside `audit.reading`."""
    rows: list[Any] = [
        Laboratory.objects.filter(site_id=subject.site_id),
        ReferenceRange.objects.filter(site_id=subject.site_id),
        Demographics.objects.filter(subject_id=subject.pk, retracted=False),
    ]
    if model in FORMS:
        own = {"subject_id": subject.pk, "retracted": False}
        rows += [
            Lymphodepletion.objects.filter(**own),
            ConMeds.objects.filter(**own, drug_class="ANTICOAGULANT"),
            AdverseEvent.objects.filter(**own),
        ]
    return Known(subject, model, zone, *at_once(rows))


def _beside(book: Casebook, record: Any, name: str, graded: Mapping[str, Any]) -> Beside:
    flag, limit = flag_of(record, name)
    result = graded.get(name)
    grades = tuple(
        (T(one["term"], one["zh"]), one["grade"]) for one in (result or {}).get("grades", ()) if one["grade"]
    )
    day = day_of(record, book.zone)
    event = event_of(book, name, result, day) if grades and result is not None and day else None
    low, high = getattr(record, f"{name}_lln"), getattr(record, f"{name}_uln")
    return Beside(flag, limit, span_text(low, high), grades, event)


def flag_of(record: Any, name: str) -> tuple[str, str]:
    """Whether a result lies above ("high") or below ("low") the range kept with it, and the limit it passed."""
    value = getattr(record, f"{name}_value")
    low, high = getattr(record, f"{name}_lln"), getattr(record, f"{name}_uln")
    if value is not None and high is not None and value > high:
        return "high", f"≤ {high:f}"
    if value is not None and low is not None and value < low:
        return "low", f"≥ {low:f}"
    return "", ""


def span_text(low: Decimal | None, high: Decimal | None) -> str:
    """A range as it is printed: "125–350", "≤ 40"; "" when there is none."""
    ends = ["" if one is None else f"{one.normalize():f}" for one in (low, high)]
    if all(ends):
        return "–".join(ends)
    return f"≤ {ends[1]}" if ends[1] else f"≥ {ends[0]}" if ends[0] else ""


def day_of(record: Any, zone: str) -> date | None:
    """The site's calendar day of a record, when it has one."""
    when = getattr(record, record.dated_by) if record.dated_by else None
    if isinstance(when, datetime):
        return local_day(when, zone)
    return when if isinstance(when, date) else None
