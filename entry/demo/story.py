"""One subject's story: its dates, its entries through the door, its visits."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from entry.demo.courses import MILD, Course
from entry.door import save_record, save_rows, set_lock
from entry.signing import meanings_for, write_signature
from entry.verdicts import Row
from review.models import Query
from safety.forms import FORM
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.answers import Reading, read
from trial.dates import add_months, utc_now
from trial.sites import zone_of
from visits.schedule import VISITS, Anchors, visit_window

MARK = "(synthetic/合成)"
CONSENT_BEFORE = 35  # days from consent to the planned infusion
ENROLLED_AFTER = 6  # days from consent to enrolment

# Who enters which form; the coordinator enters the rest.
WRITES = {
    **dict.fromkeys(("eligibility", "survival_estimate", "dose_allocation", "response"), "investigator"),
    **dict.fromkeys(("adverse_event", "adverse_event_grade", "dlt_assessment", "death"), "investigator"),
    **dict.fromkeys(("crs_assessment", "icans_assessment"), "sub_investigator"),
    **dict.fromkeys(("apheresis", "manufacturing", "chain_of_identity"), "cell_lab"),
    **dict.fromkeys(("lymphodepletion", "infusion"), "pharmacist"),
}


@dataclass(frozen=True)
class Body:
    """Who the invented subject is."""

    sex: str
    age: int
    height_cm: str
    weight_kg: str


@dataclass
class Story:
    """What happens to one subject, in words a protocol would use. Days count from Day 0 unless they are dates.

    `today` is the day of telling; what would lie on it or after it has not happened yet.
    """

    subject: Subject
    actors: Mapping[str, Actor]
    today: date
    dice: random.Random
    body: Body
    course: Course = MILD
    level: str = "DL1"
    ago: int = 0
    planned: date | None = None
    day0: date | None = None
    consented: date | None = None
    apheresis_day: date | None = None
    kept: dict[tuple[str, str], Any] = field(default_factory=dict)
    blanks: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    relapse_at: str = ""
    opened: Mapping[str, Any] = field(default_factory=dict)
    waiting: list[Any] | None = None
    unsigned: list[Any] = field(default_factory=list)
    afterwards: list[Callable[["Story"], None]] = field(default_factory=list)

    def plan(self, days_ago: int | None = None, *, delay: int = 0) -> "Story":
        """Set the days: the infusion `days_ago` (negative: to come), `delay` days later than it was planned."""
        self.day0 = self.today - timedelta(days=self.ago if days_ago is None else days_ago)
        self.planned = self.day0 - timedelta(days=delay)
        self.consented = self.planned - timedelta(days=CONSENT_BEFORE)
        return self

    @property
    def enrolled(self) -> date:
        """The day of the screening decision."""
        return self.from_consent(ENROLLED_AFTER)

    def from_consent(self, days: int) -> date:
        """A day counted from consent."""
        assert self.consented is not None, "plan the story first"
        return self.consented + timedelta(days=days)

    def on(self, day: int) -> date:
        """The calendar day of a study day."""
        assert self.day0 is not None, "plan the story first"
        return self.day0 + timedelta(days=day)

    def study_day(self, day: date) -> int:
        """The study day of a calendar day; before an infusion is planned, as if it came when it usually does."""
        zero = self.day0 or self.from_consent(CONSENT_BEFORE)
        return (day - zero).days

    def months_before(self, months: int, days: int = 0) -> date:
        """A day whole months (and days) before the infusion."""
        return add_months(self.on(0), -months) - timedelta(days=days)

    def past(self, day: date) -> bool:
        """Whether the day is over at the telling."""
        return day < self.today

    def nominal(self, visit: str) -> date:
        """The day the schedule gives a visit."""
        anchors = Anchors(self.consented, self.enrolled, self.apheresis_day, self.planned, self.day0)
        day = visit_window(VISITS[visit], anchors).nominal
        assert day is not None, f"{visit} has no day yet"
        return day

    def vary(self, value: float, share: float = 0.06) -> float:
        """A value as chance moves it, at most by `share`."""
        return value * self.dice.uniform(1 - share, 1 + share)

    def put(self, form: str, visit: str = "", /, **answers: Any) -> Any:
        """Enter a new form as it would be typed, complete. The last record of each form and visit is kept."""
        return self._enter(form, visit, "COMPLETE", answers)

    def begin(self, form: str, visit: str = "", /, **answers: Any) -> Any:
        """Enter what is known so far, as a draft."""
        return self._enter(form, visit, "DRAFT", answers)

    def _enter(self, form: str, visit: str, status: str, answers: Mapping[str, Any]) -> Any:
        blank = self.blanks.get((form, visit), {})
        record = FORM[form](subject=self.subject, site_id=self.subject.site_id, visit=visit, status=status)
        _fill(record, {name: answer for name, answer in answers.items() if name not in blank}, blank)
        return self._save(record)

    def not_done(self, form: str, visit: str, reason: str) -> Any:
        """Enter that a whole form was not done, and why."""
        record = FORM[form](subject=self.subject, visit=visit, not_done=True, not_done_reason=reason)
        record.status = "COMPLETE"
        return self._save(record)

    def correct(self, record: Any, reason: str, /, **answers: Any) -> Any:
        """Change a saved form, with the reason."""
        _fill(record, answers, {})
        return self._save(record, reason, seen=record.version)

    def finish(self, record: Any, /, **answers: Any) -> Any:
        """Fill in what a draft still lacked and complete it."""
        record.status = "COMPLETE"
        return self.correct(record, "", **answers)

    @contextmanager
    def together(self) -> Iterator[None]:
        """New forms of some visits are saved as the pages' grids save them: many at once, person by person."""
        self.waiting = []
        yield
        self.flush()
        self.waiting = None

    def flush(self) -> None:
        """Save what waits."""
        by_person: dict[str, list[Row]] = {}
        for record in self.waiting or ():
            by_person.setdefault(WRITES.get(record.form, "coordinator"), []).append(Row(record, None))
        for role, rows in by_person.items():
            save_rows(rows, by=self.actors[role], whole=True)
        if self.waiting:
            self.waiting.clear()

    def _save(self, record: Any, reason: str = "", seen: int | None = None) -> Any:
        self.kept[(record.form, record.visit)] = record
        if self.waiting is not None and seen is None:
            self.waiting.append(record)
            return record
        self.flush()
        saved = save_record(record, by=self.actor_of(record.form), reason=reason, seen=seen).record
        self.kept[(record.form, record.visit)] = saved
        return saved

    def actor_of(self, form: str) -> Actor:
        """Who enters this form."""
        return self.actors[WRITES.get(form, "coordinator")]

    def person(self, role: str) -> str:
        """The account of a role, as a link answers it."""
        return str(self.actors[role].person_id)

    def question(self, record: Any, field_: str) -> Any:
        """The automatic query on one field of a record."""
        self.flush()
        with audit.reading(self.actors["monitor"]):
            return Query.objects.get(record_id=record.pk, field=field_, source="AUTO")

    def sign(self, record: Any, meaning: str, *roles: str, on: date) -> Any:
        """Sign a record as it stands in each of these roles, at five in the afternoon of a day, or now if that is to come."""
        self.flush()
        five = datetime.combine(on, time(17), ZoneInfo(zone_of(self.subject.site_id)))
        for role in roles:
            actor = self.actors[role]
            told = next(one for one in meanings_for(record.form, actor) if one.code == meaning)
            write_signature(record, told, by=actor, seen=record.version, at=min(five, utc_now()))
        return record

    def lock(self, record: Any, state: str, reason: str) -> Any:
        """The data manager freezes or locks a record."""
        return set_lock(record, state, by=self.actors["data_manager"], reason=reason)

    def later(self, act: Callable[["Story"], None]) -> None:
        """Something that is done once the rules have looked at what was entered first."""
        self.afterwards.append(act)


def at(day: date, time: str) -> str:
    """A moment as a coordinator types it."""
    return f"{day} {time}"


def _fill(record: Any, answers: Mapping[str, Any], missing: Mapping[str, str]) -> None:
    """Read answers onto the record; the demonstration types nothing that cannot be read."""
    raw = {name: _typed(answer) for name, answer in answers.items()}
    reading: Reading = read(type(record), {**raw, "missing": missing}, zone_of(record.subject.site_id))
    assert not reading.problems, [(p.field, str(p.message)) for p in reading.problems]
    for name, value in reading.values.items():
        setattr(record, record._meta.get_field(name).attname, value)
    record.missing = {name: why for name, why in {**record.missing, **reading.missing}.items() if why}
    record.typed = {**record.typed, **reading.typed}


def _typed(answer: Any) -> Any:
    return list(answer) if isinstance(answer, tuple) else getattr(answer, "pk", answer)
