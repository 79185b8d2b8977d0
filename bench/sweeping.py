"""The great sweep: every rule over many thousand subjects in one run, two of the rules against SQL of their own.

The subjects are entered without history: a sweep does not read it, and its triggers would take longer than the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from bench import cohort, place
from bench.judging import CHUNK, DV01
from bench.measure import Line, medians, ms
from bench.place import Hands, Raw
from safety import engine
from safety.narrow import findings
from safety.rules import RULES
from safety.trialbook import trial_book
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.people import system_actor
from trial.protocol import PROTOCOLS
from visits.schedule import schedule_of

ROUNDS = 3
TENTHS = 10
FIRST = next(iter(PROTOCOLS))
DV51 = """
WITH zone AS (SELECT s.id AS subject_id, z.time_zone FROM subjects_subject s JOIN trial_site z ON z.id = s.site_id),
icf AS (
    SELECT subject_id, (coalesce(min(consent_dt) FILTER (WHERE signed_by_subject IS NOT FALSE), min(consent_dt))
        AT TIME ZONE time_zone)::date AS day
    FROM subjects_informedconsent JOIN zone USING (subject_id)
    WHERE NOT retracted AND NOT not_done AND consent_type = 'INITIAL' GROUP BY subject_id, time_zone
), d0 AS (
    SELECT subject_id, (min(inf_start_dt) AT TIME ZONE time_zone)::date AS day
    FROM dosing_infusion JOIN zone USING (subject_id) WHERE NOT retracted AND NOT not_done GROUP BY subject_id, time_zone
), aph AS (
    SELECT subject_id, (min(aph_start_dt) AT TIME ZONE time_zone)::date AS day
    FROM dosing_apheresis JOIN zone USING (subject_id) WHERE NOT retracted AND NOT not_done GROUP BY subject_id, time_zone
), found AS (
    SELECT subject_id, min(assessed_date) AS day FROM subjects_eligibility
    WHERE NOT retracted AND NOT not_done AND overall = 'ELIGIBLE' GROUP BY subject_id
), ld AS (
    SELECT DISTINCT ON (subject_id) subject_id, (admin_dt AT TIME ZONE time_zone)::date - planned_day AS day
    FROM dosing_lymphodepletion JOIN zone USING (subject_id)
    WHERE NOT retracted AND NOT not_done AND admin_dt IS NOT NULL AND planned_day IS NOT NULL
    ORDER BY subject_id, admin_dt, visit, sequence, dosing_lymphodepletion.id
), start AS (
    SELECT 'ICF' AS anchor, * FROM icf UNION ALL SELECT 'D0', * FROM d0 UNION ALL SELECT 'APH', * FROM aph
    UNION ALL SELECT 'LD', * FROM ld
    UNION ALL SELECT 'ENROL', * FROM found
), planned AS (
    SELECT * FROM unnest(%(codes)s::text[], %(anchors)s::text[], %(days)s::int[], %(months)s::int[], %(before)s::int[],
        %(after)s::int[]) AS p (visit, anchor, days, months, before, after)
), spans AS (
    SELECT s.subject_id, p.visit,
        (s.day + make_interval(days => p.days * (p.months = 0)::int, months => p.months))::date - p.before AS low,
        (s.day + make_interval(days => p.days * (p.months = 0)::int, months => p.months))::date + p.after AS high
    FROM start s JOIN planned p USING (anchor) WHERE s.day IS NOT NULL
)
SELECT v.id, w.low || ' – ' || w.high FROM visits_visit v JOIN spans w USING (subject_id, visit)
WHERE NOT v.retracted AND NOT v.not_done AND (v.actual_date < w.low OR v.actual_date > w.high)
"""


def run(subjects: int, say: Callable[[str], None]) -> list[Line]:
    """Enter that many subjects, then sweep."""
    hands = Hands()
    try:
        with hands.of("owner"):
            cohort.people_and_sites()
        hands.let_go()
        with place.raw() as db:
            began = time.monotonic()
            cohort.enter(db, 1, subjects, history=False)
            say(f"{subjects:,} subjects are entered ({time.monotonic() - began:.0f} s)")
            with hands.of("worker"):
                return [*_against_sql(system_actor(), db, say), *_everything(system_actor(), say)]
    finally:
        hands.let_go()


def _against_sql(by: Actor, db: Raw, say: Callable[[str], None]) -> list[Line]:
    """Both rules against one statement each. The run stops where the two differ."""
    lines = []
    for id_, statement, given, told in (
        ("DV-01", DV01, _months(), _early),
        ("DV-51", DV51, _planned(), _outside),
    ):

        def by_python(id_: str = id_, told: Any = told) -> set[tuple[Any, Any]]:
            return set(_found(by, id_, told))

        def by_sql(statement: str = statement, given: Any = given) -> set[tuple[Any, Any]]:
            return {tuple(row) for row in db.execute(statement, given).fetchall()}

        found, same = by_python(), by_sql()
        assert found == same, f"{id_} and its SQL differ in {len(found ^ same)}: {list(found ^ same)[:3]}"
        say(f"{id_}: {len(found):,} findings, equal")
        ours, theirs = medians(by_python, by_sql, rounds=ROUNDS, warm=0)
        lines.append(
            Line(
                f"sweep, {id_} alone ({len(found):,} findings, equal)",
                ms(ours),
                ms(theirs),
                ours / theirs,
                "×",
                3,
                1.5,
            )
        )
    return lines


def _found(by: Actor, id_: str, told: Callable[[Any], tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """What one rule finds in everybody, with only the answers that it asks for; in chunks, as the sweep goes."""
    for _, finding in findings(RULES[id_], by=by):
        yield told(finding)


def _chunks(by: Actor) -> Iterator[list[UUID]]:
    """Everybody in chunks, each inside a transaction of its own."""
    last: UUID | None = None
    while True:
        with audit.reading(by):
            ids = engine._next_subjects(last, CHUNK)
            if ids:
                yield ids
        if len(ids) < CHUNK:
            return
        last = ids[-1]


def _early(finding: Any) -> tuple[Any, Any]:
    return UUID(finding.key.partition(":")[2]), finding.pending


def _outside(finding: Any) -> tuple[Any, Any]:
    return finding.record, finding.limit


def _months() -> dict[str, Any]:
    return {"months": PROTOCOLS[FIRST].sct_gap_months.value}


def _planned() -> dict[str, Any]:
    visits = [one for one in schedule_of(FIRST).visits if one.anchor]
    columns = ("anchor", "days", "months", "before", "after")
    return {
        "codes": [one.code for one in visits],
        **{
            ("anchors" if name == "anchor" else name): [getattr(one, name) for one in visits]
            for name in columns
        },
    }


def _everything(by: Actor, say: Callable[[str], None]) -> list[Line]:
    """Every rule over everybody, once; how long each chunk took, and how much memory the process held after it."""
    with audit.reading(by):
        trial = trial_book()
    taken, held, spent = [], [], time.process_time()
    began = before = time.perf_counter()
    for ids in _chunks(by):
        list(engine._out_of_step(ids, trial))
        now = time.perf_counter()
        taken.append(now - before)
        held.append(_resident())
        before = now
    whole, busy = before - began, time.process_time() - spent
    some = max(1, len(taken) // TENTHS)
    say(f"every rule: {whole:.0f} s, of them {busy:.0f} s of processor time in Python")
    first, last = max(held[:some]), max(held[-some:])
    early, late = sum(taken[:some]), sum(taken[-some:])
    n = Subject.objects.count()
    return [
        Line(
            f"sweep, all {len(RULES)} rules, {n:,} subjects",
            ms(whole),
            "",
            n / whole,
            "subjects/s",
            1000,
            at_least=True,
        ),
        Line("  in processor time of Python", ms(busy), "", n / busy, "subjects/s", 1000, at_least=True),
        Line("  last tenth of the subjects against the first", ms(late), ms(early), late / early),
        Line(
            "  memory held in the last tenth against the first",
            _mb(last),
            _mb(first),
            last / first,
            "×",
            1.25,
            1.05,
        ),
    ]


def _resident() -> int:
    """Bytes of memory that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
