"""What would be said about the lines of a grid as they stand on the page: the edit checks of a save. Saves nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from entry.around import Around
from entry.astct import grades
from entry.before_saving import prepare
from entry.cells import text_of
from entry.grid import Grid, Line, column_of
from entry.grid_html import grade, reference, says
from entry.grid_save import Sent, candidate
from entry.panel import Beside, Known, day_of
from entry.panel_html import beside
from entry.submit import judged
from subjects.crf import CRF
from trial.edit_checks import unlikely
from trial.findings import Doubt, Problem


@dataclass
class Checked:
    """One line: the record as it would be saved, None where nothing was changed, and what is said about it."""

    sent: Sent
    record: CRF | None = None
    problems: list[Problem] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def check_lines(grid: Grid, sent: list[Sent], known: Known | None) -> list[Checked]:
    """Each line judged as a save would judge it, and asked about what is unlikely; missing answers are not asked for yet.

    Call it inside `audit.reading`. It asks the database as often for a hundred lines as for one.
    """
    for one in sent:
        candidate(one, grid, complete=False)
    records = [one.record for one in sent if one.record is not None]
    around = known.around(records) if known is not None else Around(grid.place.subject, records)
    return [_checked(one, grid.place.zone, around) for one in sent]


def _checked(one: Sent, zone: str, around: Around) -> Checked:
    if one.record is None:
        return Checked(one)
    prepare(one.record, one.stands, around)
    problems = judged(one.record, zone, one.problems)
    one.record.status = "DRAFT"
    return Checked(one, one.record, problems, [] if problems else unlikely(one.record))


def as_told(grid: Grid, checked: list[Checked], known: Known | None) -> dict[str, Any]:
    """The answer to the page: for each line the words under it, the boxes that are wrong or asked about, what stands
    beside its results, and what is calculated; for a new line of a panel the ranges of its day."""
    results = _beside(grid, checked, known)
    told: dict[str, Any] = {"lines": [_line(grid, one, results) for one in checked]}
    if grid.graded:
        told["graded"] = _graded(grid, checked)
    new = next((one.record for one in checked if one.record is not None and one.sent.stands is None), None)
    if known is not None and new is not None:
        day = day_of(new, grid.place.zone)
        if day is not None:
            told["limits"] = known.limits(day, getattr(new, "laboratory_id", None))
            told["reference"] = reference(day)
    return told


def _beside(grid: Grid, checked: list[Checked], known: Known | None) -> Mapping[UUID, Mapping[str, Beside]]:
    typed = {one.record.pk: one.record for one in checked if one.record is not None}
    if known is None or not typed:
        return {}
    others = [row for row in grid.records if row.pk not in typed]
    return known.beside([*others, *typed.values()], typed.values(), typed.keys())


def _graded(grid: Grid, checked: list[Checked]) -> dict[str, str]:
    """By the key of its line, what stands beside the investigator's grade: of the lines that were sent, and of every other
    one, as fever counts for those after it."""
    typed = {one.record.pk: one.record for one in checked if one.record is not None}
    found = grades(grid.place.subject, grid.place.model, typed.values())
    said = {row.pk: getattr(typed.get(row.pk, row), grid.graded) for row in (*grid.records, *typed.values())}
    return {
        str(key): grade("" if (one := found.get(key)) is None else str(one), given)
        for key, given in said.items()
    }


def _line(grid: Grid, one: Checked, results: Mapping[UUID, Mapping[str, Beside]]) -> dict[str, Any]:
    model, record = grid.place.model, one.record
    line = Line(one.sent.number, one.sent.key, record, problems=one.problems, doubts=one.doubts)
    if record is None:
        return {"line": line.number}
    by_name = results.get(record.pk, {})
    return {
        "line": line.number,
        "says": says(grid, line) if one.problems or one.doubts else "",
        "wrong": sorted({column_of(model, problem.field) for problem in one.problems}),
        "told": {name: " ".join(words) for name, words in _words(model, one).items()},
        "beside": {name: beside(grid, line, name, by_name.get(name)) for name in model.analytes},
        "abnormal": [name for name, found in by_name.items() if found.abnormal],
        "calculated": {h.name: text_of(record, h, grid.place.zone) for h in grid.chosen if h.read_only},
    }


def _words(model: type[CRF], one: Checked) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    things: list[Problem | Doubt] = [*one.problems, *one.doubts]
    for thing in things:
        found.setdefault(column_of(model, thing.field), []).append(str(thing.message))
    return found
