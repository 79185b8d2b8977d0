"""From a row of cells to answers under our own names: headings, codes, units, days, and whose record it is."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from exchange.incoming_files.hints import of_label
from exchange.incoming_files.options import Options
from exchange.incoming_files.profile import KEYS, Form, Names, Profile, Test
from exchange.incoming_files.refusals import Refusal
from exchange.incoming_files.row_refusals import (
    formula,
    no_value,
    other_unit,
    unknown_subject,
    unknown_test,
    unknown_visit,
    width,
    wrong_columns,
)
from exchange.incoming_files.workbook import ERROR, FORMULA
from trial.item import items
from trial.kinds import kind_of, parse
from trial.refused import Refused, normalise
from visits.schedule import VISITS, is_visit

MOST_KEPT = 20_000
_D_MON_Y = re.compile(r"^(\d{1,2})-([A-Za-z]{3})-(\d{4})$", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = re.compile(r"^\d{4}\D?\d{1,2}\D?\d{1,2}日?$")
_VISIT_BY_FOLD = {code.casefold(): code for code in VISITS}
_MIDNIGHT = " 00:00:00"
_FORMULA = re.compile(r"^\s*(=|@|[+\-].*[(|!])", re.S)


@dataclass(frozen=True)
class Place:
    """What a file of one site may speak of: its time zone, its subjects by number, its laboratories by name."""

    zone: str
    subjects: Mapping[str, UUID]
    laboratories: Mapping[str, UUID]


@dataclass
class Line:
    """One row, mapped. `answers` item → text; `columns` item → the file's heading; `typed` item → text as it stood."""

    number: int
    subject: str = ""
    form: str = ""
    visit: str = ""
    key: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)


class Mapper:
    """Reads the rows of one file by one profile. Raises FileRefused when headings are missing or unknown."""

    def __init__(self, profile: Profile, options: Options, heading: Sequence[str], place: Place) -> None:
        self.profile, self.options, self.place, self.heading = profile, options, place, list(heading)
        self.at = {normalise(name).casefold(): i for i, name in enumerate(heading)}
        self.own = [name for name in profile.own_key if name in self.at]
        self.read: dict[tuple[str, str, str], str] = {}
        self._check_heading()

    def _check_heading(self) -> None:
        known = {name.casefold() for names in self._known() for name in names}
        missing = [names for names in self.profile.needs if not any(n.casefold() in self.at for n in names)]
        left_out = {normalise(name).casefold() for name in self.options.ignore}
        strange = [name for name in self.at if name not in known and name not in left_out]
        if missing or strange:
            raise wrong_columns(missing, strange, self.heading, sorted(known))

    def _known(self) -> list[Names]:
        p = self.profile
        fixed = (p.subject, p.visit, p.when, p.test, p.value, p.unit, p.low, p.high, p.own_key, p.ignored)
        return [*fixed, *p.columns.values(), *p.shared.values()]

    def line(self, number: int, cells: Sequence[str]) -> Line:
        """One row as answers; what cannot be mapped is in its refusals."""
        line = Line(number)
        if len(cells) != len(self.heading):
            line.refusals.append(width(len(cells), len(self.heading)))
            return line
        self.cells = cells
        line.refusals += [
            formula(self.heading[i], cell) for i, cell in enumerate(cells) if cell and _is_formula(cell)
        ]
        if line.refusals:
            return line
        form = self._test(line) if self.profile.layout == "long" else self._wide(line)
        if form is None:
            return line
        line.form = form.form
        self._shared(line, form)
        self._whose(line, form)
        if not line.refusals:
            line.key = self._key(line, form)
        return line

    def cell(self, names: Names) -> tuple[str, str]:
        """The first heading of these that the file has, and its cell; ("", "") when it has none."""
        for name in names:
            at = self.at.get(name.casefold())
            if at is not None:
                return self.heading[at], self.cells[at].strip()
        return "", ""

    def _wide(self, line: Line) -> Form | None:
        assert self.profile.form is not None
        for item, names in self.profile.columns.items():
            heading, text = self.cell(names)
            if text:
                self._put(line, self.profile.form, item, heading, text)
        return self.profile.form

    def _test(self, line: Line) -> Form | None:
        p = self.profile
        heading, word = self.cell(p.test)
        test = p.tests.get(normalise(word).casefold())
        if test is None:
            line.refusals.append(unknown_test(heading, word, p.tests))
            return None
        value_at, value = self.cell(p.value)
        if not value:
            line.refusals.append(no_value(value_at))
            return None
        analyte = test.form.analytes.get(test.item)
        self._put(line, test.form, f"{test.item}_value" if analyte else test.item, value_at, value)
        for part, names in (("unit", p.unit), ("lln", p.low), ("uln", p.high)):
            at, text = self.cell(names)
            if text and analyte:
                self._put(line, test.form, f"{test.item}_{part}", at, text)
            elif text and part == "unit":
                self._own_unit(line, test, at, text)
        return test.form

    def _own_unit(self, line: Line, test: Test, heading: str, text: str) -> None:
        """A measurement with one fixed unit: another one in the file is refused, never converted silently."""
        unit = items(test.form)[test.item].unit
        same = {
            "c": "degc",
            "℃": "degc",
            "°c": "degc",
            "beats/min": "/min",
            "bpm": "/min",
            "breaths/min": "/min",
        }
        folded = normalise(text).casefold()
        if unit and same.get(folded, folded) != unit.casefold():
            likely = of_label(test.form, test.item, self.cell(self.profile.value)[1], folded)
            line.refusals.append(other_unit(heading, text, unit, likely))

    def _shared(self, line: Line, form: Form) -> None:
        """What every row brings beside its own answer: when, the shared items, the constants."""
        heading, text = self.cell(self.profile.when)
        if text and form.dated_by:
            self._put(line, form, form.dated_by, heading, text)
        known = items(form)
        for item, names in self.profile.shared.items():
            heading, text = self.cell(names)
            if text and item in known:
                self._put(line, form, item, heading, text)
        for item, text in self.profile.constants.items():
            if item in known:
                line.answers.setdefault(item, text)

    def _put(self, line: Line, form: Form, item: str, heading: str, text: str) -> None:
        """One answer under our name, after the profile's codes, units and days."""
        p = self.profile
        line.columns[item] = heading
        if item == "laboratory":
            line.answers[item] = str(self.place.laboratories.get(text.casefold(), text))
            return
        if item in p.codes:
            text = p.codes[item].get(normalise(text).casefold(), text)
        if item in p.convert:
            changed = _converted(text, p.convert[item])
            if changed:
                line.typed[item] = f"{text} {p.convert[item].unit}"
                text = changed
        if text.endswith(_MIDNIGHT) and _is_day(form, item):
            text = text.removesuffix(_MIDNIGHT)
        if item == form.dated_by:
            moved = self._day(text)
            if moved != text:
                line.typed[item] = text
                text = moved
        line.answers[item] = text

    def _day(self, text: str) -> str:
        found = _D_MON_Y.match(text) if self.profile.days == "d-mon-y" else None
        if found and found[2].lower() in _MONTHS:
            text = f"{found[3]}-{_MONTHS.index(found[2].lower()) + 1:02d}-{int(found[1]):02d}"
        return f"{text} {self.profile.time}" if self.profile.time and _DAY.match(text) else text

    def _whose(self, line: Line, form: Form) -> None:
        """The subject and the visit, or why they cannot be told."""
        if not self.profile.subject:
            return
        heading, text = self.cell(self.profile.subject)
        line.subject = self.options.subject_map.get(text, text)
        if line.subject not in self.place.subjects:
            line.refusals.append(unknown_subject(heading, text, line.subject, self.place.subjects))
        heading, text = self.cell(self.profile.visit)
        if not text and form.repeats in ("one", "log"):
            return
        line.visit = self._visit(text)
        if not is_visit(line.visit):
            line.refusals.append(unknown_visit(heading, text))

    def _visit(self, text: str) -> str:
        coded = self.profile.codes.get("visit", {}).get(normalise(text).casefold())
        return coded or _VISIT_BY_FOLD.get(
            normalise(text).casefold(), text.upper() if is_visit(text.upper()) else text
        )

    def _key(self, line: Line, form: Form) -> str:
        """What makes this the same record when the file comes again."""
        if form.repeats == "one":
            return ""
        if form.repeats == "visit":
            return line.visit
        own = [self.cell((name,))[1] for name in self.own]
        parts = [line.visit, self._read(form, form.dated_by, line) if form.dated_by else ""]
        if form.form in KEYS:
            parts += [self._read(form, name, line) for name in KEYS[form.form]]
        elif not any(own):
            said = json.dumps(line.answers, sort_keys=True, ensure_ascii=False)
            parts.append(hashlib.sha256(said.encode()).hexdigest()[:32])
        elif self.own == ["row"]:
            return "|".join([line.visit, *own])
        return "|".join([*parts, *own])

    def _read(self, form: Form, item: str, line: Line) -> str:
        text = line.answers.get(item, "")
        kept = self.read.get((form.form, item, text))
        if kept is None:
            if len(self.read) > MOST_KEPT:
                self.read.clear()
            kept = self.read[form.form, item, text] = self._parsed(form, item, text)
        return kept

    def _parsed(self, form: Form, item: str, text: str) -> str:
        column: Any = form._meta.get_field(item)
        try:
            value = parse(column, column.item, text, self.place.zone)
        except Refused:
            return text
        return key_text(value)


def _is_day(form: Form, item: str) -> bool:
    """Whether an item is a whole day: a spreadsheet gives it a midnight of its own."""
    return item in items(form) and kind_of(form._meta.get_field(item)) == "day"


def key_text(value: Any) -> str:
    """A value as it stands in a record's key: moments in UTC, numbers without trailing zeros."""
    if hasattr(value, "astimezone"):
        from datetime import UTC

        return str(value.astimezone(UTC).isoformat())
    return "" if value is None else str(value)


def _converted(text: str, by: Any) -> str:
    """A number in our unit, "" when the text is no number."""
    try:
        value = Decimal(normalise(text))
    except InvalidOperation:
        return ""
    if not value.is_finite():
        return ""
    return f"{by.apply(value):f}"


def _is_formula(cell: str) -> bool:
    return cell.startswith((FORMULA, ERROR)) or bool(_FORMULA.match(normalise(cell)))
