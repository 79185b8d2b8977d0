"""A laboratory file that is entered, sent again, and sent with other values: rows a second and the memory it takes.

The file is what an institution exports: one line for each result, subject by subject, some thirty results a sample.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

from bench import cohort, place
from bench.measure import Line, rate
from bench.place import Hands
from exchange.imported import ImportFile
from exchange.incoming_files.options import Options
from exchange.incoming_files.register import take_in
from exchange.incoming_files.work import work
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.analyte import Analyte
from trial.models import Site
from trial.people import actor_for
from visits.models import Chemistry, Coagulation, Haematology
from visits.schedule import VISITS

SUBJECTS = 200
FORMS = (Haematology, Chemistry, Coagulation)
BETWEEN = {"hgb": (90, 150), "blast_pb_pct": (0, 5), "inr": (1, 2)}
"""Whole numbers that are plausible, where the range of the item's own is not of much use."""


def run(megabytes: int, say: Callable[[str], None]) -> list[Line]:
    """Enter a file of so many megabytes, send it again, send it corrected."""
    hands = Hands()
    try:
        with hands.of("owner"):
            staff = cohort.people_and_sites()
        hands.let_go()
        with place.raw() as db:
            cohort.enter(db, 1, 2 * SUBJECTS, history=False)
        with hands.of("web"), tempfile.TemporaryDirectory() as folder:
            by = actor_for(staff["coordinator"], None, "bench")
            assert by is not None
            return _measure(by, Path(folder), megabytes, say)
    finally:
        hands.let_go()


def _measure(by: Actor, folder: Path, megabytes: int, say: Callable[[str], None]) -> list[Line]:
    site = Site.objects.get(code="01")
    with audit.reading(by):
        numbers = list(Subject.objects.filter(site=site).order_by("subjid").values_list("subjid", flat=True))
    lines = []
    for name, shift, correct in (("entered", 0, False), ("sent again", 0, True), ("corrected", 1, True)):
        path = folder / f"{name}.csv"
        rows = write(path, numbers[:SUBJECTS], megabytes * 2**20, shift)
        began = time.perf_counter()
        file = take_in(path, path.name, "lab_long", Options(correct=correct), site, by=by, wish="COMMIT")
        done = work(file.pk, by, "COMMIT")
        seconds = time.perf_counter() - began
        size = path.stat().st_size / 2**20
        say(f"{name}: {size:.0f} MB, {rows:,} rows, {seconds:.0f} s, {_told(done)}")
        lines.append(Line(f"file of {size:.0f} MB, {name}", rate(rows / seconds, "rows"), f"{rows:,} rows"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return [*lines, Line("memory at its most, all three", f"{peak / 1e6:.0f} MB")]


def _told(file: ImportFile) -> str:
    counts = {name: n for name, n in file.counts.items() if name != "codes" and n}
    return f"{file.state} {counts}"


def write(path: Path, numbers: list[str], size: int, shift: int) -> int:
    """A file of about `size` bytes; `shift` is added to every value. Answers its rows."""
    rows = 0
    with path.open("w") as out:
        out.write("subject,visit,datetime,test,value,unit\n")
        for row in _rows(numbers, shift):
            out.write(row)
            rows += 1
            if out.tell() >= size:
                break
    return rows


def _rows(numbers: list[str], shift: int) -> Iterator[str]:
    visits = [*VISITS, *(f"UNSCHED-{n}" for n in range(2, 2000))]
    first = date(2024, 1, 1)
    for n, visit in enumerate(visits):
        for place_, subjid in enumerate(numbers):
            when = f"{first + timedelta(days=n % 700)} {6 + place_ % 12:02d}:{n % 60:02d}"
            for form in FORMS:
                for name, analyte in form.analytes.items():
                    value = _value(name, analyte, n + place_) + shift
                    yield f"{subjid},{visit},{when},{name},{value},{analyte.units.codes[0]}\n"


def _value(name: str, analyte: Analyte, turn: int) -> int:
    limits = analyte.soft
    assert limits is not None and limits.high is not None
    low, high = BETWEEN.get(name) or (int(limits.low or 0) + 1, int(limits.high) - 1)
    return low + turn % max(1, high - low)
