"""The subject matrix: subjects by visits, each cell's state derived from what is on record. Constant SQL."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db.models import Count, Q

from entry.lines import Line, lines_of
from entry.needs import conditional
from entry.overview import STATUSES, Outline
from entry.words import counted, now
from review.assessment import in_state
from review.models import Query
from safety.casebook import SiteBook, site_books
from safety.forms import FORM
from safety.models import Deviation
from subjects.crf import Subject
from trial.dates import local_day, utc_now
from trial.sites import zone_of
from trial.text import T
from visits.schedule import SCHEDULE, State, VisitDef, VisitWindow, occasion, state, visit_rank

YEARS = tuple(visit.code for visit in SCHEDULE if visit.code.startswith("Y"))
SUBJECTS_PER_PAGE = 60

STATES: dict[str, str] = {
    "none": T("not due", "未到期"),
    "due": T("due", "到期"),
    "overdue": T("overdue", "逾期"),
    "started": T("started", "录入中"),
    "attention": T("open queries", "有待答复质疑"),
    "done": T("complete", "已完成"),
    "locked": T("locked", "已锁定"),
    "skipped": T("not done", "未做"),
}
_WORST = ("overdue", "attention", "started", "due", "done", "locked", "skipped", "none")


@dataclass(frozen=True)
class Column:
    """A column of the matrix: one visit, or the yearly visits together."""

    key: str
    title: str
    name: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Columns under one heading."""

    title: str
    columns: tuple[Column, ...]


@dataclass
class VisitState:
    """How far one visit of one subject is."""

    visit: VisitDef
    window: VisitWindow
    state: str = "none"
    actual: date | None = None
    lines: list[Line] = field(default_factory=list)
    wanted: tuple[str, ...] = ()
    absent: list[str] = field(default_factory=list)
    queries: int = 0
    late: bool = False
    """Whether the visit has not taken place though its window is over, and nobody said that it was not done."""

    @property
    def words(self) -> str:
        """The state in words."""
        parts = [] if self.state == "attention" else [str(STATES[self.state])]
        if self.queries:
            parts.append(counted(self.queries, "open query", "open queries", "条待答复质疑"))
        if self.absent and self.state in ("started", "overdue", "attention"):
            parts.append(counted(len(self.absent), "form to complete", "forms to complete", "张表待完成"))
        return now(", ", ",").join(parts)


@dataclass
class Cell:
    """What one cell shows."""

    column: Column
    state: str
    words: str
    queries: int
    anchor: str


@dataclass
class MatrixRow:
    """One subject."""

    subject: Subject
    outline: Outline
    visits: dict[str, VisitState]
    cells: list[Cell] = field(default_factory=list)
    queries: int = 0
    deviations: int = 0

    @property
    def status(self) -> str:
        """The derived status in words."""
        return str(STATUSES[self.outline.status])

    @property
    def overdue(self) -> int:
        """How many visits are overdue."""
        return sum(1 for visit in self.visits.values() if visit.late)

    @property
    def next(self) -> VisitState | None:
        """The next visit to come or to catch up with."""
        waiting = (v for v in self.visits.values() if v.state in ("overdue", "due", "none", "started"))
        return next(
            (v for v in waiting if v.window.expected and v.window.high is not None and v.actual is None), None
        )


def groups() -> list[Group]:
    """The columns of the matrix under their headings."""
    plan = (
        (T("Entry", "入组"), ("SCR", "APH")),
        (T("Lymphodepletion", "清淋"), ("LD-5", "LD-4", "LD-3", "D-2", "D-1")),
        (
            T("Infusion and ward", "回输与住院观察"),
            tuple(v.code for v in SCHEDULE if v.anchor == "D0" and v.days <= 14 and not v.months),
        ),
        (T("to D28", "至D28"), ("D17", "D21", "D28")),
        (T("Follow-up", "随访"), tuple(v.code for v in SCHEDULE if v.code.startswith("M"))),
    )
    known = {visit.code: visit for visit in SCHEDULE}
    made = [Group(str(t), tuple(Column(c, c, str(known[c].label), (c,)) for c in codes)) for t, codes in plan]
    late = Column("Y", "Y3+", str(T("Years 3 to 15", "第3至15年")), YEARS)
    other = Column("UNSCHED", "±", str(known["UNSCHED"].label), ("UNSCHED",))
    return [*made, Group(str(T("Late", "长期")), (late, other))]


def rows(subjects: Sequence[Subject]) -> list[MatrixRow]:
    """The matrix of these subjects: six statements, however many there are. Call inside `audit.reading`."""
    ids = [subject.pk for subject in subjects]
    sites = site_books()
    lines, asked, flagged = lines_of(ids), open_queries(ids), open_deviations(ids)
    columns = [column for group in groups() for column in group.columns]
    made = []
    for subject in subjects:
        row = row_of(subject, lines[subject.pk], asked, sites[subject.site_id])
        row.cells = [_cell(column, row.visits) for column in columns]
        row.queries = sum(n for (owner, _), n in asked.items() if owner == subject.pk)
        row.deviations = flagged.get(subject.pk, 0)
        made.append(row)
    return made


def row_of(
    subject: Subject, lines: list[Line], asked: "Counter[tuple[UUID, UUID]]", site: SiteBook | None = None
) -> MatrixRow:
    """One subject's visits and their states, from its lines."""
    zone = site.time_zone if site else zone_of(subject.site_id)
    outline = Outline(lines, zone, local_day(utc_now(), zone), site)
    once = {line.form for line in lines if FORM[line.form].repeats == "one" and finished(line)}
    by_visit: dict[str, list[Line]] = {}
    for line in lines:
        by_visit.setdefault(line.visit, []).append(line)
    windows, schedule = outline.windows, outline.schedule
    more = sorted((code for code in by_visit if occasion(code) > 1), key=visit_rank)
    further = [visit for code in more if (visit := schedule.visit(code))]
    visits = {
        visit.code: _visit(
            visit,
            windows.get(visit.code) or VisitWindow(visit.code, expected=False),
            by_visit.get(visit.code, []),
            once,
            outline,
            subject.pk,
            asked,
        )
        for visit in (*schedule.visits, *further)
    }
    return MatrixRow(subject, outline, visits)


def _visit(
    visit: VisitDef,
    window: VisitWindow,
    lines: list[Line],
    once: set[str],
    outline: Outline,
    subject_id: UUID,
    asked: "Counter[tuple[UUID, UUID]]",
) -> VisitState:
    made = VisitState(visit, window, lines=lines)
    of_visit = next((line for line in lines if line.form == "visit"), None)
    made.actual = of_visit.day(outline.zone) if of_visit else None
    there = {line.form for line in lines if finished(line)} | once
    made.wanted = (
        *window.asked(visit.forms),
        *conditional(visit, window, made.actual, outline.history, outline.protocol),
    )
    made.absent = [form for form in made.wanted if form not in there]
    made.queries = sum(asked[(subject_id, line.pk)] for line in lines)
    told = made.actual is not None or (of_visit is not None and of_visit.not_done)
    made.late = not told and state(window, outline.today) is State.OVERDUE
    made.state = _state(made, of_visit, outline.today)
    return made


def _state(visit: VisitState, of_visit: Line | None, today: date) -> str:
    if of_visit is not None and of_visit.not_done:
        return "skipped"
    if visit.queries:
        return "attention"
    if visit.lines and not visit.absent:
        return "locked" if all(line.lock_state != "OPEN" for line in visit.lines) else "done"
    if visit.late:
        return "overdue"
    if visit.lines:
        return "started"
    return "due" if state(visit.window, today) is State.DUE else "none"


def finished(line: Line) -> bool:
    """Whether nothing more is expected of a record."""
    return line.status == "COMPLETE" or line.not_done


def _cell(column: Column, visits: dict[str, VisitState]) -> Cell:
    codes = visits if column.key == "UNSCHED" else column.codes
    states = [visits[code] for code in codes if column.key != "UNSCHED" or occasion(code)]
    worst = min(states, key=lambda visit: _WORST.index(visit.state))
    words = worst.words if len(states) == 1 else f"{worst.visit.code}: {worst.words}"
    anchor = worst.visit.code if worst.state != "none" or len(states) == 1 else states[0].visit.code
    return Cell(column, worst.state, words, sum(visit.queries for visit in states), anchor)


def open_queries(subject_ids: Sequence[UUID]) -> "Counter[tuple[UUID, UUID]]":
    """How many queries wait for an answer, by subject and record."""
    found = Query.objects.filter(subject_id__in=subject_ids, status="OPEN").values_list(
        "subject_id", "record_id"
    )
    return Counter({(s, r): n for s, r, n in found.annotate(n=Count("pk")).order_by()})


def open_deviations(subject_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many deviations stand open and are not closed or justified by the site, by subject."""
    settled = in_state("CLOSED") | in_state("JUSTIFIED")
    rows = Deviation.objects.filter(Q(status="OPEN"), ~settled, subject_id__in=subject_ids)
    return dict(rows.values_list("subject_id").annotate(n=Count("pk")).order_by())
