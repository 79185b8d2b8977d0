"""A grid that was sent: which lines were changed, what they say now, and what became of each."""

import copy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.http import QueryDict

from entry.cells import Head, read_cell, text_of
from entry.door import Locked, NotFound, Rejected, Row, Stale, save_rows
from entry.grid import Grid, Line, line_of
from entry.places import Place
from entry.submit import judged
from entry.typed import Raw, put
from subjects.crf import CRF
from trial import audit
from trial.answers import normalise
from trial.findings import Problem
from trial.integrity import history_model
from trial.text import T
from visits.schedule import VISITS, is_visit


@dataclass
class Sent:
    """One line as it was sent: the texts of its boxes, and the record as it stands and as it was seen."""

    number: int
    key: UUID
    seen: int
    texts: dict[str, str]
    visit: str = ""
    stands: CRF | None = None
    base: CRF | None = None
    mine: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    record: CRF | None = None
    row: Row | None = None


@dataclass
class Result:
    """What came of a grid."""

    sent: list[Sent]
    made: int = 0
    changed: int = 0
    asked: int = 0
    status: int = 200
    reason_wanted: bool = False
    message: str = ""
    every: bool = False

    @property
    def refused(self) -> list[Sent]:
        """The lines that are not saved: those that were refused, or every one where nothing was tried."""
        return (
            self.sent
            if self.every
            else [one for one in self.sent if one.problems or (one.row and one.row.refused)]
        )


def read_lines(grid: Grid, post: QueryDict) -> list[Sent]:
    """The lines of a POST with the records they mean, in three statements. Call it inside `audit.reading`."""
    found: dict[UUID, Sent] = {}
    for told in post.getlist("row"):
        number, key, seen = [*told.split(":"), "", ""][:3]
        if not (number.isdecimal() and len(number) < 6 and seen.isdecimal() and len(seen) < 9):
            continue
        try:
            pk = UUID(key)
        except ValueError:
            continue
        texts = {h.name: str(post[f"{number}.{h.name}"]) for h in grid.heads if f"{number}.{h.name}" in post}
        found.setdefault(pk, Sent(int(number), pk, int(seen), texts, post.get(f"{number}.visit", "")))
    _find_records(grid.place, list(found.values()))
    for one in found.values():
        one.mine = _changed(one, grid)
    return list(found.values())


def _find_records(place: Place, sent: list[Sent]) -> None:
    """Each line's record as it stands, and as it was when the page was made."""
    model = place.model
    keys = [one.key for one in sent]
    rows = model._default_manager.filter(pk__in=keys, subject_id=place.subject.pk, retracted=False)
    stands = {row.pk: row for row in rows}
    for one in sent:
        one.stands = one.base = stands.get(one.key)
    moved = [one for one in sent if one.stands is not None and one.seen not in (0, one.stands.version)]
    if not moved:
        return
    past = {
        (row.id, row.version): row
        for row in history_model(model).objects.filter(id__in=[m.key for m in moved])
    }
    for one in moved:
        row = past.get((one.key, one.seen))
        if row is not None and one.stands is not None:
            one.base = copy.copy(one.stands)
            for column in model._meta.concrete_fields:
                if hasattr(row, column.attname):
                    setattr(one.base, column.attname, getattr(row, column.attname))


def _changed(one: Sent, grid: Grid) -> dict[str, str]:
    """The boxes whose text is not the text that was shown. A first visit offered beside empty boxes says nothing."""
    base = one.base if one.seen else None
    before = {h.name: text_of(base, h, grid.place.zone) for h in grid.heads} if base is not None else {}
    return {
        name: text
        for name, text in one.texts.items()
        if _plain(text) != _plain(before.get(name, "")) and not _head(grid, name).read_only
    }


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _head(grid: Grid, name: str) -> Head:
    return next(head for head in grid.heads if head.name == name)


def save_grid(grid: Grid, sent: list[Sent], *, reason: str, complete: bool) -> Result:
    """Save every changed line, the good ones whatever becomes of the others."""
    place = grid.place
    with audit.reading(place.actor):
        for one in sent:
            candidate(one, grid, complete)
            if one.problems and one.record is not None:
                one.problems = judged(one.record, place.zone, one.problems)
    rows = []
    for one in sent:
        if one.record is not None and not one.problems:
            one.row = Row(one.record, one.seen if one.stands is not None else None)
            rows.append(one.row)
    save_rows(rows, by=place.actor, reason=reason)
    return _result(sent)


def candidate(one: Sent, grid: Grid, complete: bool) -> None:
    """The record as it would be saved; nothing for a line that says nothing new."""
    place = grid.place
    drafts = complete and one.stands is not None and one.stands.status == "DRAFT" and one.seen > 0
    if not one.mine and not drafts:
        return
    record = copy.deepcopy(one.stands) if one.stands is not None else _blank(one, grid)
    raw: Raw = {}
    for name, text in one.mine.items():
        told = read_cell(_head(grid, name), text)
        raw.update(told.raw)
        one.problems += told.problems
    one.problems += put(record, raw, place.zone).problems
    if complete:
        record.status = "COMPLETE"
    one.record = record


def _blank(one: Sent, grid: Grid) -> CRF:
    place = grid.place
    made: Any = place.model(subject_id=place.subject.pk, site_id=place.subject.site_id)
    made.pk = one.key
    if grid.visits:
        code = normalise(one.visit).upper()
        made.visit = code if is_visit(code) else ""
        if one.visit.strip() and not made.visit:
            one.problems.append(_no_such_visit(one.visit))
    return made  # type: ignore[no-any-return]


def _no_such_visit(text: str) -> Problem:
    known = ", ".join(list(VISITS)[:12])
    return Problem(
        "visit",
        "unknown_code",
        T(
            f"“{text[:40]}” is no visit of the schedule; write its code: {known} …",
            f"“{text[:40]}”不是计划中的访视;请填写访视代码:{known} …",
        ),
        text[:40],
    )


def _result(sent: list[Sent]) -> Result:
    result = Result(sent)
    for one in sent:
        if one.row is not None and isinstance(one.row.refused, Stale | IntegrityError) and _same_already(one):
            one.row.refused = None
        if one.row is not None and one.row.saved is not None and one.row.saved.changed:
            result.asked += len(one.row.saved.doubts)
            result.made += one.stands is None
            result.changed += one.stands is not None
        if one.row is not None and isinstance(one.row.refused, Rejected):
            one.problems = one.row.refused.problems
    result.reason_wanted = any(p.field == "reason" for one in sent for p in one.problems)
    if result.refused:
        stale = any(isinstance(one.row.refused, Stale) for one in result.refused if one.row)
        result.status = 409 if stale else 422
    return result


def _same_already(one: Sent) -> bool:
    """A new line that was sent twice: what the first sending stored is what this one says."""
    refused = one.row.refused if one.row else None
    if one.seen or not isinstance(refused, Stale):
        return False
    return not {name for name in refused.differences if name != "typed"}


def lay_over(grid: Grid, result: Result) -> None:
    """Put what was refused back on the grid as it was typed, where it was typed, with what is said about it."""
    by_key = {line.key: line for line in grid.lines}
    for one in result.refused:
        line = by_key.get(one.key)
        if line is None:
            line = Line(0, one.key, None, one.visit)
            _in_place(grid, line)
        _overlay(line, one, grid)
    for number, line in enumerate(grid.lines):
        line.number = number


def _in_place(grid: Grid, line: Line) -> None:
    """A new line stands in for the empty line of its visit; else it stands before the lines that nobody has begun. A
    panel has room for one new record."""
    empty = [one for one in grid.lines if one.record is None and not one.dirty]
    same = [one for one in empty if line.visit and one.visit == line.visit]
    if same or (empty and grid.layout == "panel"):
        grid.lines[grid.lines.index((same or empty)[0])] = line
        return
    free = next((one for one in empty if not one.visit), None)
    grid.lines.insert(grid.lines.index(free) if free is not None else len(grid.lines), line)


def _overlay(line: Line, one: Sent, grid: Grid) -> None:
    refused = one.row.refused if one.row else None
    if isinstance(refused, Stale):
        _beside(line, one, refused.current, grid)
        line.message = str(refused.message)
    elif isinstance(refused, Locked):
        line.message = str(refused.message)
    elif isinstance(refused, NotFound | IntegrityError):
        line.message = str(GONE)
    line.texts = {**line.texts, **one.mine}
    line.visit = line.visit or one.visit
    line.problems, line.dirty = one.problems, True


GONE = T(
    "This line could not be saved: its record was struck out, or was just made elsewhere. Load the page again.",
    "该行无法保存:记录已被撤销,或刚在别处建立。请重新加载页面。",
)


def _beside(line: Line, one: Sent, current: CRF, grid: Grid) -> None:
    """Both values wherever the stored one is not what was seen, or mine is not what is stored."""
    now = line_of(line.number, current, grid.heads, grid.place)
    base = {h.name: text_of(one.base, h, grid.place.zone) for h in grid.heads} if one.base else {}
    for head in grid.heads:
        stored = now.texts[head.name]
        mine = one.mine.get(head.name)
        moved = bool(one.seen) and stored != base.get(head.name, "")
        if not head.read_only and (moved or (mine is not None and _plain(mine) != stored)):
            line.meanwhile[head.name] = (stored, mine if mine is not None else "")
