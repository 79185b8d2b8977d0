"""What waits for the site: serious events without awareness, visits due and overdue, forms and timepoints missing, queries
open. Six SQL statements.

Every day is the calendar day of the subject's own site at this moment; nothing here is stored.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from entry.lines import Line, lines_of, moment_of
from entry.matrix import MatrixRow, VisitState, finished, row_of
from entry.places import form_url, many, record_url
from entry.typed import local_text
from review.models import Query
from safety.casebook import SiteBook, site_books
from safety.forms import FORM
from subjects.crf import Subject
from trial.dates import local_day, utc_now
from trial.item import items
from trial.text import T, both
from visits.schedule import State, state
from visits.timepoints import Timepoint, hours_without, moments

WEEK_DAYS = 7
KINDS: dict[str, str] = {
    "awareness": T("Serious events: time of awareness missing", "严重不良事件缺少获知时间"),
    "overdue": T("Visits overdue", "逾期访视"),
    "due": T("Visits due today", "今日到期访视"),
    "week": T("Visits of the coming week", "未来一周访视"),
    "form": T("Forms missing", "缺失表单"),
    "timepoint": T("Timepoints missing", "缺失时间点"),
    "query": T("Open queries", "待答复质疑"),
}
UNAWARE = "true||"
"""What is told of a serious event of which nobody wrote when the site became aware: no clock runs for it."""
_CRS, _CYTOKINES = "crs_assessment", "pd_cytokine"


@dataclass(frozen=True)
class Task:
    """One thing to do: what, where, since when. `days` is how late or how old it is; `today` the day at the site."""

    kind: str
    subject: str
    subject_id: UUID
    site: str
    visit: str
    form: str
    what: dict[str, str]
    first: date | None
    last: date | None
    days: int
    today: date
    url: str

    @property
    def words(self) -> str:
        """What it is, in the active language."""
        return str(T(self.what["en"], self.what["zh"]))


def worklist(subjects: Sequence[Subject]) -> list[Task]:
    """Everything that waits for these subjects, kind by kind, the oldest first. Call it inside `audit.reading`."""
    ids = [subject.pk for subject in subjects]
    sites, lines, asked = site_books(), lines_of(ids), _open_queries(ids)
    found = [
        task
        for subject in subjects
        for task in tasks_of(subject, lines[subject.pk], sites[subject.site_id], asked[subject.pk])
    ]
    order = list(KINDS)
    return sorted(found, key=lambda t: (order.index(t.kind), -t.days, t.first or t.today, t.subject))


def tasks_of(subject: Subject, lines: list[Line], book: SiteBook, asked: Sequence[Query] = ()) -> list[Task]:
    """What waits for one subject, from its lines and its open queries, at this moment."""
    row = row_of(subject, lines, Counter(), book)
    return list(_Desk(subject, row, book.code, utc_now()).tasks(asked))


def _open_queries(ids: Sequence[UUID]) -> dict[UUID, list[Query]]:
    found: dict[UUID, list[Query]] = defaultdict(list)
    for query in Query.objects.filter(subject_id__in=ids, status="OPEN").order_by("entered_at", "pk"):
        found[query.subject_id].append(query)
    return found


class _Desk:
    """One subject's tasks, worked out from its row of the matrix."""

    def __init__(self, subject: Subject, row: MatrixRow, site: str, now: datetime) -> None:
        self.subject, self.row, self.site, self.now = subject, row, site, now
        self.zone, self.today = row.outline.zone, row.outline.today

    def tasks(self, asked: Sequence[Query]) -> Iterator[Task]:
        for visit in self.row.visits.values():
            if visit.actual is None:
                yield from self._visit(visit)
            else:
                yield from self._forms(visit, visit.actual)
                yield from self._points(visit, visit.actual)
        yield from self._during_crs()
        yield from self._unaware()
        yield from (self._query(query) for query in asked)

    def _task(
        self,
        kind: str,
        visit: str,
        form: str,
        what: dict[str, str],
        first: date | None,
        last: date | None,
        url: str,
        days: int = 0,
    ) -> Task:
        own = (self.subject.subjid, self.subject.pk, self.site)
        return Task(kind, *own, visit, form, what, first, last, days, self.today, url)

    def _visit(self, visit: VisitState) -> Iterator[Task]:
        """A visit that has not taken place: due, overdue, or to come within the week."""
        window = visit.window
        if visit.state == "skipped" or not window.expected or window.low is None or window.high is None:
            return
        standing = state(window, self.today)
        near = self.today < window.low <= self.today + timedelta(days=WEEK_DAYS)
        kind = {State.DUE: "due", State.OVERDUE: "overdue"}.get(standing, "week" if near else "")
        if kind:
            what = {"en": visit.visit.en, "zh": visit.visit.zh}
            url = form_url(self.subject.subjid, FORM["visit"], visit.visit.code)
            late = max(0, (self.today - window.high).days)
            yield self._task(kind, visit.visit.code, "visit", what, window.low, window.high, url, late)

    def _forms(self, visit: VisitState, actual: date) -> Iterator[Task]:
        """Forms asked for at a visit that took place, and not finished."""
        code = visit.visit.code
        for form in visit.absent:
            there = [line for line in visit.lines if line.form == form]
            if not there and self._planned(code, form):
                continue  # told timepoint by timepoint
            name: Any = FORM[form]._meta.verbose_name
            what = both(name)
            late = max(0, (self.today - actual).days)
            yield self._task("form", code, form, what, actual, actual, self._address(form, code, there), late)

    def _planned(self, visit: str, form: str) -> bool:
        return bool(self.row.outline.schedule.points(visit, form))

    def _address(self, form: str, visit: str, there: Sequence[Line] = ()) -> str:
        """The page on which the form is entered, or the record that was begun."""
        model = FORM[form]
        if there:
            line = there[0]
            own: Any = model(id=line.pk, subject_id=self.subject.pk, visit=line.visit, sequence=line.sequence)
            return record_url(self.subject.subjid, own)
        url = form_url(self.subject.subjid, model, visit)
        return f"{url}/new" if many(model) else url

    def _points(self, visit: VisitState, actual: date) -> Iterator[Task]:
        """Timepoints of a visit that took place whose time is over, and nothing was recorded for."""
        code = visit.visit.code
        for point in self.row.outline.schedule.points(code):
            if point.form not in visit.wanted:
                continue
            when = moments(point, self._start, actual, actual, self.zone)
            if when.high is None or when.high >= self.now:
                continue
            lines = [line for line in visit.lines if line.form == point.form]
            missing = point.times - sum(1 for line in lines if _answers(point, line, when.hold))
            if missing > 0 and not any(line.not_done for line in lines):
                day = local_day(when.low, self.zone) if when.low else actual
                what = {"en": point.en, "zh": point.zh}
                if point.times > 1:
                    what = {"en": f"{point.en}: {missing} missing", "zh": f"{point.zh}:缺 {missing} 次"}
                late = max(0, (self.today - day).days)
                yield self._task(
                    "timepoint", code, point.form, what, day, day, self._address(point.form, code), late
                )

    @property
    def _start(self) -> datetime | None:
        """The moment the first infusion started."""
        started = (moment_of(line) for line in self.row.outline.of("infusion"))
        return min((moment for moment in started if moment), default=None)

    def _during_crs(self) -> Iterator[Task]:
        """Stretches of CRS, of the grade that asks for cytokines, with too long a time between two samples."""
        protocol = self.row.outline.protocol
        taken = [m for line in self.row.outline.of(_CYTOKINES) if (m := moment_of(line))]
        hours = protocol.crs_cytokine_max_hours.value
        for since, until, visit in self._crs(protocol.crs_cytokine_min_grade.value):
            for low, high in hours_without(since, until, taken, hours):
                told = " – ".join(_clock(moment, self.zone) for moment in (low, high))
                what = {
                    "en": f"cytokines during CRS, more than {hours} h without a sample: {told}",
                    "zh": f"CRS期间细胞因子,超过 {hours} 小时无样本:{told}",
                }
                day = local_day(low, self.zone)
                url, late = self._address(_CYTOKINES, visit), max(0, (self.today - day).days)
                yield self._task(
                    "timepoint", visit, _CYTOKINES, what, day, local_day(high, self.zone), url, late
                )

    def _crs(self, least: int) -> Iterator[tuple[datetime, datetime, str]]:
        """From when to when CRS was known to last at this grade or above, with the visit it began at."""
        graded = sorted(
            (m, int(line.told), line.visit)
            for line in self.row.outline.of(_CRS)
            if line.told.isdecimal() and (m := moment_of(line))
        )
        since: tuple[datetime, str] | None = None
        for moment, grade, visit in graded:
            if grade >= least and since is None:
                since = (moment, visit)
            elif grade < least and since is not None:
                yield since[0], moment, since[1]
                since = None
        if since is not None:
            yield since[0], graded[-1][0], since[1]

    def _unaware(self) -> Iterator[Task]:
        """Serious events whose reporting times cannot be told: when the site became aware is not entered."""
        for line in self.row.outline.of("adverse_event"):
            if line.told.startswith(UNAWARE):
                what = {
                    "en": f"serious adverse event {line.sequence}: when did the site become aware?",
                    "zh": f"严重不良事件 {line.sequence}:研究中心何时获知?",
                }
                url = f"/records/adverse_event/{line.pk}?field=sae_aware_dt"
                yield self._task("awareness", "", "adverse_event", what, line.day(self.zone), None, url)

    def _query(self, query: Query) -> Task:
        assert query.entered_at is not None
        opened = local_day(query.entered_at, self.zone)
        url = f"/records/{query.form}/{query.record_id}" + (f"?field={query.field}" if query.field else "")
        line = next((line for line in self.row.outline.lines if line.pk == query.record_id), None)
        what = _named(query)
        visit = line.visit if line else ""
        return self._task("query", visit, query.form, what, opened, None, url, (self.today - opened).days)


def _named(query: Query) -> dict[str, str]:
    """The words of a query, after the label of its item where they do not name it."""
    texts = {"en": query.text_en, "zh": query.text_zh or query.text_en}
    meaning = items(FORM[query.form]).get(query.field) if query.form in FORM else None
    labels = {"en": meaning.en, "zh": meaning.zh} if meaning else {"en": "", "zh": ""}
    return {
        lang: text if not labels[lang] or labels[lang] in text else f"{labels[lang]}: {text}"
        for lang, text in texts.items()
    }


def _answers(point: Timepoint, line: Line, holds: Any) -> bool:
    """Whether a record is one of a timepoint: by the code it names, else by its time."""
    if line.not_done or not (finished(line) or line.dated):
        return False
    if point.code:
        return line.told == point.code
    return point.minutes is None or holds(moment_of(line)) is not False


def _clock(moment: datetime, zone: str) -> str:
    return local_text(moment, zone)
