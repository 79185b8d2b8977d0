"""The rows of one record become that record: new, unchanged, corrected, or refused with the reason of each row."""

import copy
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from entry.door import Rejected
from exchange.incoming import apply, sent_of
from exchange.incoming_files.clashes import (
    changed_items,
    closed,
    conflict,
    contradiction,
    items_of,
    overwritten,
)
from exchange.incoming_files.doors import Door
from exchange.incoming_files.groups import Group, meant, standing_key
from exchange.incoming_files.hints import with_hint
from exchange.incoming_files.mapping import Line
from exchange.incoming_files.options import Options
from exchange.incoming_files.profile import KEYS, Form, Profile
from exchange.incoming_files.refusals import Refusal, of_problem
from exchange.incoming_files.staging import Outcome, where
from trial.findings import Problem
from trial.sites import zone_of

_YES = {
    "true": True,
    "yes": True,
    "1": True,
    "是": True,
    "false": False,
    "no": False,
    "0": False,
    "否": False,
}


@dataclass
class Mended:
    """A record as it will be, as it stands, and the rows that say so."""

    record: Any
    before: Any
    lines: list[tuple[str, list[Line]]]
    """Outcome, and rows that have it."""


class Enterer:
    """Judges, and with `write` enters, records group by group inside one transaction.

    Where the file is all or nothing, the first refusal ends the writing; the rest is still judged, for the report.
    """

    def __init__(self, door: Door, profile: Profile, options: Options, write: bool) -> None:
        self.door, self.profile, self.options, self.write = door, profile, options, write
        self.outcomes: list[tuple[int, Outcome]] = []
        self.fresh: dict[Any, list[tuple[Any, list[Line]]]] = {}
        self.mended: dict[UUID, Mended] = {}

    def take(self, groups: list[Group]) -> list[tuple[int, Outcome]]:
        """What becomes of these records' rows, as (line, outcome)."""
        self.outcomes, self.fresh, self.mended = [], {}, {}
        stands = self._standing(groups)
        for group in groups:
            self._one(group, stands)
        self._update()
        self._insert()
        return self.outcomes

    def _standing(self, groups: list[Group]) -> dict[Any, Any]:
        """The stored records these groups may mean: by id, by visit, or by what tells rows of the form apart."""
        found: dict[Any, Any] = {}
        for form in {group.form for group in groups}:
            own = [group for group in groups if group.form is form]
            for row in self.door.stored(form, (group.owner for group in own)).filter(meant(own)):
                found[form, row.pk] = row
                if not row.retracted:
                    found.setdefault(standing_key(row), row)
        return found

    def _one(self, group: Group, stands: dict[Any, Any]) -> None:
        lines = self._without_contradictions(group)
        while lines:
            before = self._before(group, lines, stands)
            refused = self._judged(group, lines, before, stands)
            if refused is None:
                return
            for number, problems in refused.items():
                self._refuse(next(one for one in lines if one.number == number), problems)
            lines = [one for one in lines if one.number not in refused]

    def _without_contradictions(self, group: Group) -> list[Line]:
        """Rows that say different things of one item are refused together; which one is right is not ours to say."""
        bad = self._contradicting(group, group.lines)
        if not bad:
            return group.lines
        readable = [line for line in group.lines if line.number not in bad or self._reads(group, line)]
        bad = self._contradicting(group, readable)
        for line in readable:
            if line.number in bad:
                self._refuse(line, bad[line.number])
        return [line for line in readable if line.number not in bad]

    def _reads(self, group: Group, line: Line) -> bool:
        """Whether a row can be read by itself; one that cannot is refused for that, and contradicts nobody."""
        record = self._new(group, [line])
        self.door.belongs(record, group.owner)
        try:
            self._answer(record, group, [line])
        except Rejected as rejected:
            self._refuse(line, self._by_line(rejected.problems, group.form, [line])[line.number])
            return False
        return True

    def _contradicting(self, group: Group, among: list[Line]) -> dict[int, list[Refusal]]:
        """What is said of the rows that say something else of an item than others do."""
        if len(among) == 1:
            return {}
        said: dict[str, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
        for line in among:
            for item, text in line.answers.items():
                said[item][text].append(line)
        bad: dict[int, list[Refusal]] = defaultdict(list)
        for item, texts in said.items():
            if len(texts) > 1:
                for text, lines in texts.items():
                    others = sorted(x.number for t, xs in texts.items() if t != text for x in xs)
                    for line in lines:
                        column = line.columns.get(item, "")
                        bad[line.number].append(contradiction(column, text, others, group.form))
        return bad

    def _before(self, group: Group, lines: list[Line], stands: dict[Any, Any]) -> Any:
        form, first = group.form, lines[0]
        same_id = stands.get((form, group.key))
        if same_id is not None and not (same_id.retracted and form.repeats in ("one", "visit")):
            return same_id
        if form.repeats == "one":
            return stands.get((form, group.owner.pk)) or same_id
        if form.repeats == "visit":
            return stands.get((form, group.owner.pk, first.visit)) or same_id
        return stands.get((form, group.owner.pk, first.key)) if form.form in KEYS else None

    def _judged(
        self, group: Group, lines: list[Line], before: Any, stands: dict[Any, Any]
    ) -> dict[int, list[Refusal]] | None:
        """None when the rows have their outcomes; else which rows are refused, and why."""
        if before is not None and (before.retracted or before.lock_state != "OPEN"):
            return {line.number: [closed(before)] for line in lines}
        record = _copy(before) if before is not None else self._new(group, lines)
        self.door.belongs(record, group.owner)
        try:
            self._answer(record, group, lines)
        except Rejected as rejected:
            return self._by_line(rejected.problems, group.form, lines)
        changed = changed_items(before, record) if before is not None else set()
        if before is not None and not changed:
            self._told(lines, "unchanged", before)
            return None
        touched = {line.number for line in lines if items_of(line) & changed} or {one.number for one in lines}
        # What is impossible is said before what differs: a correction would not mend it.
        problems = self.door.examine(record, before, group.owner)
        if problems:
            return self._by_line(problems, group.form, lines)
        if before is None:
            self._created(record, lines)
            return None
        over = overwritten(before, record, changed)
        mine = {line.number for line in lines if items_of(line) & over} or (touched if over else set())
        if over and not self.options.correct:
            return {line.number: conflict(before, record, over, line) for line in _of(lines, mine)}
        self._mend(record, before, "corrected", _of(lines, mine))
        self._mend(record, before, "created", _of(lines, touched - mine))
        self._told([one for one in lines if one.number not in touched], "unchanged", record)
        # Further rows that mean this record are held against what these say.
        for key in ((type(before), before.pk), standing_key(before)):
            if stands.get(key) is before:
                stands[key] = record
        return None

    def _new(self, group: Group, lines: list[Line]) -> Any:
        record = group.form(id=group.key, status="DRAFT")
        if hasattr(record, "visit"):
            record.visit = lines[0].visit
        return record

    def _answer(self, record: Any, group: Group, lines: list[Line]) -> None:
        """Put the rows' answers on the record, by the one reader of answers. Raises Rejected."""
        body: dict[str, Any] = {}
        missing: dict[str, str] = {}
        typed: dict[str, str] = {}
        for line in lines:
            typed |= line.typed
            for item, text in line.answers.items():
                if item.startswith("missing."):
                    missing[item.removeprefix("missing.")] = text
                elif item == "not_done":
                    body[item] = _YES.get(text.casefold(), text)
                else:
                    body[item] = text
        if missing:
            body["missing"] = missing
        apply(record, sent_of(type(record), body), zone_of(record.site_id), replace=False)
        record.typed = {**record.typed, **typed}

    def _by_line(
        self, problems: Iterable[Problem], form: Form, lines: list[Line]
    ) -> dict[int, list[Refusal]]:
        """Each problem at the rows that brought its item; a problem of no item refuses all of them."""
        found: dict[int, list[Refusal]] = defaultdict(list)
        for problem in problems:
            name = problem.field
            meant = [line for line in lines if name in items_of(line)] or lines
            for line in meant:
                item = name if name in line.answers else f"{name}_value"
                refused = of_problem(problem, line.columns.get(item, name))
                short = item.removesuffix("_value")
                text, unit = line.answers.get(item, ""), line.answers.get(f"{short}_unit", "")
                if item in line.typed and item in self.profile.convert:
                    text = line.typed[item].rpartition(" ")[0]
                found[line.number].append(with_hint(refused, item, form, text, unit, self.profile))
        return dict(found)

    def _created(self, record: Any, lines: list[Line]) -> None:
        self.fresh.setdefault(type(record), []).append((record, lines))

    def _mend(self, record: Any, before: Any, outcome: str, lines: list[Line]) -> None:
        if not lines:
            return
        kept = self.mended.get(record.pk)
        if kept is None:
            self.mended[record.pk] = Mended(record, before, [(outcome, lines)])
        else:
            kept.record = record
            kept.lines.append((outcome, lines))

    def _update(self) -> None:
        by_form: dict[Any, list[Mended]] = defaultdict(list)
        for one in self.mended.values():
            by_form[type(one.record)].append(one)
        for found in by_form.values():
            asked = self.door.update([(one.record, one.before) for one in found]) if self.write else {}
            for one in found:
                for outcome, lines in one.lines:
                    self._told(lines, outcome, one.record, asked.get(one.record.pk, 0))

    def _insert(self) -> None:
        for records in self.fresh.values():
            asked = self.door.insert([record for record, _ in records]) if self.write else {}
            for record, lines in records:
                self._told(lines, "created", record, asked.get(record.pk, 0))

    def _told(self, lines: Iterable[Line], outcome: str, record: Any, asked: int = 0) -> None:
        seen: dict[str, int] = {}
        for line in lines:
            told: Outcome = {"line": line.number, "outcome": outcome, **where(line), "record": str(record.pk)}
            said = repr(sorted(line.answers.items()))
            if said in seen:
                told["outcome"], told["same_as"] = "unchanged", seen[said]
            seen.setdefault(said, line.number)
            if asked:
                told["queries"] = asked
            self.outcomes.append((line.number, told))

    def _refuse(self, line: Line, problems: list[Refusal]) -> None:
        said = [one.document() for one in problems]
        told = {"line": line.number, "outcome": "refused", **where(line), "problems": said}
        self.outcomes.append((line.number, told))
        if self.options.policy == "ALL":
            self.write = False


def _copy(before: Any) -> Any:
    """A record that can be answered anew without touching the stored one."""
    record = copy.copy(before)
    record.missing, record.typed = {**before.missing}, {**before.typed}
    return record


def _of(lines: Iterable[Line], numbers: set[int]) -> list[Line]:
    return [line for line in lines if line.number in numbers]
