"""A grid: every record of one form of a subject, one line each, and empty lines for what is still to be entered.

Everything is read from `items(model)`. The grid asks the database as often for five hundred lines as for five.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from entry.astct import graded_item, grades
from entry.cells import Head, heads_of, read_cell, text_of
from entry.form_links import choices
from entry.lines import lines_of
from entry.matrix import row_of
from entry.panel import Beside, day_of, known_of
from entry.places import Place, by_visit, record_url
from entry.typed import put
from review.models import Query
from review.places import line_name
from safety.casebook import site_books
from subjects.crf import CRF
from trial.access import Act
from trial.dates import local_day, utc_now
from trial.fields import uuid7
from trial.findings import Doubt, Problem
from trial.text import T
from visits.schedule import visit_rank

MOST_AT_FIRST = 18
EMPTY_LINES = 3


@dataclass
class Line:
    """One record as a line of cells. `number` is its place on the page and begins the names of its boxes."""

    number: int
    key: UUID
    record: CRF | None
    visit: str = ""
    seen: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    message: str = ""
    meanwhile: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    beside: str = ""
    url: str = ""
    dirty: bool = False
    read_only: bool = False

    @property
    def wrong(self) -> set[str]:
        """The fields that something is said about."""
        return {p.field for p in self.problems} | set(self.meanwhile)

    @property
    def tells(self) -> bool:
        """Whether there are words to stand under it."""
        return bool(self.problems or self.doubts or self.message or self.meanwhile)


@dataclass
class Grid:
    """The lines of a form and the columns that are shown of it."""

    place: Place
    layout: str
    heads: list[Head]
    chosen: list[Head]
    lines: list[Line]
    visit: str = ""
    graded: str = ""
    records: list[CRF] = field(default_factory=list)
    beside: dict[UUID, dict[str, Beside]] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    limits_on: date | None = None
    signs: dict[tuple[str, bool, str], str] = field(default_factory=dict)

    @property
    def visits(self) -> bool:
        """Whether a line belongs to a visit."""
        return by_visit(self.place.model)

    @property
    def url(self) -> str:
        """Where the grid is sent."""
        tail = f"?visit={self.visit}" if self.visit else ""
        return f"/subjects/{self.place.subject.subjid}/{self.layout}/{self.place.model.form}{tail}"

    def target(self, line: Line, name: str) -> str:
        """The id of the box that something said about a column leads to; the line's words where it is not shown."""
        short = column_of(self.place.model, name)
        shown = short == "visit" or any(head.name == short for head in self.chosen)
        return f"g-{line.number}-{short}" if shown else f"s-{line.number}"


def column_of(model: type[CRF], name: str) -> str:
    """The column of a grid that a field stands in: value, unit and qualifier of a result share one."""
    bare = name.removeprefix("missing.")
    short, _, part = bare.rpartition("_")
    return short if short in model.analytes and part in ("value", "unit", "qual", "si") else bare


def read_beside(grid: Grid) -> None:
    """What stands beside the results of a panel: range, grade and event of each, and the ranges of the new record: those
    in force on its day once that is typed, today until then."""
    place = grid.place
    if grid.layout != "panel" or not place.model.analytes:
        return
    known = known_of(place.subject, place.model, place.zone)
    shown = [line.record for line in grid.lines if line.record is not None]
    grid.beside = known.beside(grid.records, shown)
    new = max((line for line in grid.lines if line.record is None), key=lambda one: one.dirty, default=None)
    begun = _begun(grid, new) if new is not None else None
    grid.limits_on = day_of(begun, place.zone) if begun is not None else None
    day = grid.limits_on or local_day(utc_now(), place.zone)
    grid.limits = known.limits(day, getattr(begun, "laboratory_id", None))


def _begun(grid: Grid, line: Line) -> CRF:
    """The record of a new line as far as its day and its laboratory are typed."""
    record = grid.place.blank()
    for head in grid.heads:
        if head.name in (record.dated_by, "laboratory") and line.texts.get(head.name):
            put(record, read_cell(head, line.texts[head.name]).raw, grid.place.zone)
    return record


def grid_of(place: Place, layout: str, visit: str = "", wanted: Sequence[str] = ()) -> Grid:
    """The grid as the database has it. Call it inside `audit.reading`."""
    heads = heads_of(place.model, choices(place.model, place.subject.pk, place.subject.site_id))
    records = records_of(place, visit)
    lines = [line_of(n, record, heads, place) for n, record in enumerate(records)]
    grid = Grid(place, layout, heads, [], lines, visit, records=records)
    grid.graded = graded_item(place.model.form)
    grid.chosen = _chosen(grid, wanted)
    _count_queries(grid)
    if grid.graded:
        propose(grid, grades(place.subject, place.model))
    if place.actor.may(Act.ENTER):
        lines.extend(_empty_lines(grid))
    return grid


def records_of(place: Place, visit: str = "") -> list[CRF]:
    """The records of the form that count, by date."""
    rows = place.model._default_manager.filter(subject_id=place.subject.pk, retracted=False)
    found = list(rows.filter(visit=visit) if visit else rows)
    ranks = {code: visit_rank(code) for code in {row.visit for row in found}}
    return sorted(found, key=lambda row: (ranks[row.visit], row.sequence, row.pk))


def line_of(number: int, record: CRF, heads: Iterable[Head], place: Place) -> Line:
    """A record as its line."""
    return Line(
        number,
        record.pk,
        record,
        record.visit,
        record.version,
        {head.name: text_of(record, head, place.zone) for head in heads},
        url=record_url(place.subject.subjid, record),
        read_only=record.lock_state != "OPEN" or not place.actor.may(Act.ENTER),
    )


def _chosen(grid: Grid, wanted: Sequence[str]) -> list[Head]:
    """The columns that were asked for; else every item, and of a large form what matters first. The eight items of an ICE
    score are needed by nobody's rule and yet what is entered of it, so the limit lies above that form."""
    if wanted:
        return [head for head in grid.heads if head.name in wanted]
    whole = [head for head in grid.heads if not head.part]
    if len(whole) <= MOST_AT_FIRST or grid.layout == "panel":
        return whole
    held = {n for line in grid.lines for n, text in line.texts.items() if text}
    asked = [h for h in whole if h.required or h.name in held or h.read_only or h.name == grid.graded]
    return asked[:MOST_AT_FIRST]


def _count_queries(grid: Grid) -> None:
    by_key = {line.key: line for line in grid.lines}
    found = Query.objects.filter(subject_id=grid.place.subject.pk, form=grid.place.model.form, status="OPEN")
    for key, name in found.values_list("record_id", "field"):
        if key in by_key:
            by_key[key].asked[line_name(grid.place.model, name)] += 1


def propose(grid: Grid, found: Mapping[UUID, int | None]) -> None:
    """The computed ASTCT grades beside the investigator's."""
    for line in grid.lines:
        grade = found.get(line.key)
        line.beside = "" if grade is None else str(grade)


def _empty_lines(grid: Grid) -> list[Line]:
    """Lines to type into: for a form of the visits first one for each visit that is due without it."""
    start, place = len(grid.lines), grid.place
    visits: list[str] = []
    if grid.visits and grid.visit:
        taken = place.model.repeats == "visit" and start > 0
        visits = [] if taken else [grid.visit] * (1 if place.model.repeats == "visit" else EMPTY_LINES)
    elif grid.visits:
        visits = [*_waiting(place), *([""] * EMPTY_LINES)]
    else:
        visits = [""] * EMPTY_LINES
    if grid.layout == "panel":
        visits = [code for code in visits if code][-1:] or visits[:1]
    return [Line(start + n, uuid7(), None, visit) for n, visit in enumerate(visits)]


def _waiting(place: Place) -> list[str]:
    """The visits that are due or past without this form, the last five of them."""
    lines = lines_of([place.subject.pk])[place.subject.pk]
    row = row_of(place.subject, lines, Counter(), site_books()[place.subject.site_id])
    form, today = place.model.form, row.outline.today
    there = {line.visit for line in lines if line.form == form}
    waiting = [
        code
        for code, one in row.visits.items()
        if (form in one.wanted or form == "visit")
        and code not in there
        and one.state != "skipped"
        and one.window.low is not None
        and one.window.low <= today
    ]
    return waiting[-5:]


def newest(grid: Grid, most: int) -> Grid:
    """The grid with its last lines only: a panel shows a few records beside each other."""
    kept = [line for line in grid.lines if line.record is not None][-most:]
    return replace(grid, lines=[*kept, *(line for line in grid.lines if line.record is None)])


NOT_DONE = T("This form is marked as not done.", "本表标记为未做。")
