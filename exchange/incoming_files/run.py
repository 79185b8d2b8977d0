"""One run over one file: read and map without a lock, then check every record, or enter all in one go."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from exchange.incoming_files.doors import door_of
from exchange.incoming_files.entering import Enterer
from exchange.incoming_files.groups import Group
from exchange.incoming_files.mapping import Mapper, Place
from exchange.incoming_files.options import Options
from exchange.incoming_files.profile import Profile
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.staging import Stage
from exchange.incoming_files.tables import open_table
from subjects.crf import Subject
from trial.access import Actor
from trial.models import Site
from trial.sites import zone_of
from visits.models import Laboratory

OUTCOMES = ("created", "unchanged", "corrected", "refused", "held")
AT_A_TIME = 400
HELD = {
    "code": "held",
    "en": "The row is good, but other rows of the file are refused and the file is all or nothing.",
    "zh": "该行无误,但文件中其他行被拒绝,且选择了“全部或全不”。",
}
Say = Callable[[str, int, int], None]


@dataclass
class Came:
    """What came of a file. The counts of the outcomes add up to `rows`."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    notes: list[dict[str, str]] = field(default_factory=list)
    queries: int = 0
    entered: bool = False


class _Undone(Exception):
    """A row is refused and the file is all or nothing: what was entered before it is taken back."""


def place_of(site: Site) -> Place:
    """The site's subjects and laboratories. Runs inside the reader's own transaction."""
    subjects = dict(Subject.objects.filter(site=site).values_list("subjid", "pk"))
    laboratories: dict[str, UUID] = {}
    for lab in Laboratory.objects.filter(site=site):
        laboratories |= {word.casefold(): lab.pk for word in (lab.name, lab.name_zh, str(lab)) if word}
    return Place(zone_of(site.pk), subjects, laboratories)


def read(path: Path, profile: Profile, options: Options, site: Site, stage: Stage, say: Say) -> Came:
    """Map every row onto the stage. Raises FileRefused."""
    place, came = place_of(site), Came()
    table = open_table(path, options.sheet)
    came.notes = [
        *table.notes,
        *([{"en": profile.note[0], "zh": profile.note[1]}] if profile.note[0] else []),
    ]
    mapper = Mapper(profile, options, table.heading, place)
    wide = len(table.heading)
    for number, cells in table:
        while len(cells) > wide and not cells[-1].strip():
            cells.pop()
        line = mapper.line(number, cells)
        stage.put(line, str(place.subjects.get(line.subject, "")))
        came.rows += 1
        if came.rows % 2000 == 0:
            say("reading", came.rows, 0)
    if not came.rows:
        raise FileRefused("no_rows", "The file has a heading and no rows.", "文件只有列名,没有数据行。")
    if options.ignore:
        names = ", ".join(options.ignore)
        came.notes.append({"en": f"Left out as asked: {names}.", "zh": f"按要求忽略:{names}。"})
    if table.blank:
        came.notes.append({"en": f"{table.blank} blank lines.", "zh": f"{table.blank} 个空行。"})
    return came


def check(
    came: Came,
    stage: Stage,
    owners: Mapping[str, Any],
    enterer: Enterer,
    say: Say,
    word: str = "checking",
) -> None:
    """Judge (or enter) every record of the stage, some hundreds at a time. `owners`: whose records they are, by id."""
    total, done = stage.staged(), 0
    waiting: list[Group] = []
    for owner, lines in stage.records():
        group = Group(owners[owner], lines)
        waiting.append(group)
        if len(waiting) == AT_A_TIME:
            done += _take(waiting, stage, enterer)
            waiting = []
            say(word, done, total)
    done += _take(waiting, stage, enterer)
    say(word, done, total)
    _count(came, stage)


def _take(groups: list[Group], stage: Stage, enterer: Enterer) -> int:
    if not groups:
        return 0
    for number, outcome in enterer.take(groups):
        stage.tell(number, outcome)
    return sum(len(group.lines) for group in groups)


def _count(came: Came, stage: Stage) -> None:
    came.counts, came.codes, came.queries = Counter(dict.fromkeys(OUTCOMES, 0)), Counter(), 0
    asked: dict[str, int] = {}
    for outcome in stage.outcomes():
        came.counts[outcome["outcome"]] += 1
        came.codes.update({problem["code"] for problem in outcome.get("problems", ())})
        if "queries" in outcome:
            asked[outcome["record"]] = outcome["queries"]
    came.queries = sum(asked.values())
    if sum(came.counts.values()) != came.rows:
        raise AssertionError(f"{came.rows} rows came in, {sum(came.counts.values())} have an outcome")


def run(
    path: Path,
    profile: Profile,
    options: Options,
    site: Site,
    by: Actor,
    *,
    reason: str,
    commit: bool,
    stage: Stage,
    say: Say,
) -> Came:
    """Inside `audit.transaction(by, reason)`: read, check, and with `commit` enter. Raises FileRefused.

    Every record is judged once: under the locks when it is to be entered. Under ALL one refused row leaves everything
    as it was; when reading refused one already, nothing is locked at all.
    """
    came = read(path, profile, options, site, stage, say)
    door, keys = door_of(profile, site, by, reason), stage.owners()
    stop = options.policy == "ALL" and stage.told()
    if not commit or stop:
        check(came, stage, door.owners(keys), Enterer(door, profile, options, write=False), say)
        if commit:
            hold(came, stage)
        return came
    try:
        with transaction.atomic(), door.held(keys) as owners:
            check(came, stage, owners, Enterer(door, profile, options, write=True), say, "entering")
            if options.policy == "ALL" and came.counts["refused"]:
                raise _Undone
        came.entered = True
    except _Undone:
        hold(came, stage)
    return came


def hold(came: Came, stage: Stage) -> None:
    """Nothing is entered: the good rows wait for the refused ones."""
    stage.hold(HELD)
    _count(came, stage)
