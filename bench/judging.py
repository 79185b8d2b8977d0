"""What the rules cost: a sweep over everybody, and one subject after a save."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from bench.measure import Line, medians, ms, turns
from bench.place import Hands, Raw
from bench.saving import RawSaver
from safety import engine
from safety.binding import binding
from safety.casebook import casebooks
from safety.models import Deviation
from safety.rules import RULES
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.protocol import PROTOCOLS

CHUNK = 200
DV01 = """
WITH span AS (
    SELECT t.subject_id, t.sct_type, d.first, d.last
    FROM subjects_priortransplant t,
    LATERAL (SELECT CASE length(t.sct_date)
            WHEN 10 THEN t.sct_date::date
            WHEN 7 THEN (t.sct_date || '-01')::date
            WHEN 4 THEN (t.sct_date || '-01-01')::date END AS first) f,
    LATERAL (SELECT f.first, CASE length(t.sct_date)
            WHEN 10 THEN f.first
            WHEN 7 THEN (f.first + interval '1 month' - interval '1 day')::date
            WHEN 4 THEN (f.first + interval '1 year' - interval '1 day')::date END AS last) d
    WHERE NOT t.retracted AND NOT t.not_done AND t.sct_type <> 'AUTO'
), infused AS (
    SELECT i.id, i.subject_id, (i.inf_start_dt AT TIME ZONE s.time_zone)::date AS day
    FROM dosing_infusion i JOIN trial_site s ON s.id = i.site_id
    WHERE NOT i.retracted AND NOT i.not_done AND i.inf_start_dt IS NOT NULL
), judged AS (
    SELECT i.id, i.subject_id, t.sct_type,
        CASE WHEN t.first IS NULL THEN NULL
             WHEN i.day < (t.first + make_interval(months => %(months)s))::date THEN true
             WHEN i.day >= (t.last + make_interval(months => %(months)s))::date THEN false END AS early
    FROM infused i JOIN span t ON t.subject_id = i.subject_id
), told AS (
    SELECT id, bool_or(early AND sct_type = 'ALLO') AS broken,
        bool_or(early IS NULL OR (early AND sct_type <> 'ALLO')) AS unsure
    FROM judged GROUP BY id
)
SELECT id, NOT coalesce(broken, false) AS pending FROM told WHERE broken OR unsure
UNION ALL
SELECT i.id, true FROM infused i
WHERE NOT EXISTS (SELECT FROM span t WHERE t.subject_id = i.subject_id)
  AND EXISTS (SELECT FROM subjects_diseasehistory h WHERE h.subject_id = i.subject_id
              AND NOT h.retracted AND NOT h.not_done AND h.prior_allo_sct <> 'NO')
"""


def _ids() -> list[UUID]:
    return list(Subject.objects.order_by("pk").values_list("pk", flat=True))


def _findings_of_dv01(by: Actor) -> Iterator[tuple[UUID | None, bool]]:
    """What DV-01 finds in everybody, with only the forms that it reads; in chunks, as the sweep goes."""
    rule = RULES["DV-01"]
    with audit.reading(by):
        ids = _ids()
        for start in range(0, len(ids), CHUNK):
            for book in casebooks(ids[start : start + CHUNK], rule.reads):
                for finding in engine.find(book, binding(book), [rule]).values():
                    yield UUID(finding[1].key.partition(":")[2]), finding[1].pending


def _by_sql(db: Raw) -> list[Any]:
    months = next(iter(PROTOCOLS.values())).sct_gap_months.value
    return db.execute(DV01, {"months": months}).fetchall()


def sweeps(hands: Hands, system: Actor, db: Raw, rounds: int) -> list[Line]:
    """Every rule over everybody; DV-01 alone against one SQL statement that finds the same."""
    with hands.of("worker"):
        found = set(_findings_of_dv01(system))
        assert found == set(map(tuple, _by_sql(db))), "DV-01 and its SQL differ"
        n = Subject.objects.count()
        alone, by_sql = medians(
            lambda: list(_findings_of_dv01(system)), lambda: _by_sql(db), rounds=rounds, warm=1
        )
        whole = sorted(turns(lambda: list(engine.sweep(by=system)), rounds=max(1, rounds // 2), warm=0)[0])
        middle = whole[len(whole) // 2]
        return [
            Line(
                f"sweep, all {len(RULES)} rules, {n:,} subjects",
                ms(middle),
                "",
                n / middle,
                "subjects/s",
                1000,
                at_least=True,
            ),
            Line(
                f"sweep, DV-01 alone ({len(found)} findings, equal)",
                ms(alone),
                ms(by_sql),
                alone / by_sql,
                "×",
                3,
                1.5,
            ),
            _memory(system, min(n, 1000)),
        ]


def _memory(system: Actor, n: int) -> Line:
    """The greatest memory that Python holds while a quarter of `n` subjects is swept, and while all are."""
    peaks = [_peak(system, n // 4), _peak(system, n)]
    texts = [f"{peak / 1e6:.1f} MB" for peak in peaks]
    return Line(
        f"sweep, memory of {n:,} subjects against {n // 4:,}",
        texts[1],
        texts[0],
        peaks[1] / peaks[0],
        "×",
        1.25,
        1.05,
    )


def _peak(system: Actor, most: int) -> int:
    tracemalloc.start()
    try:
        taken, last = 0, None
        while taken < most:
            with audit.reading(system):
                ids = engine._next_subjects(last, CHUNK)
                list(engine._out_of_step(ids))
            taken, last = taken + len(ids), ids[-1]
            if len(ids) < CHUNK:
                break
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def one_subject(hands: Hands, system: Actor, raw: RawSaver, rounds: int) -> list[Line]:
    """One subject evaluated: for the first time, flags stored; and again, nothing changed."""
    with hands.of("worker"):
        with audit.reading(system):
            ids = _ids()
        fresh, again = itertools.cycle(ids), itertools.cycle(ids[:rounds])
        first, two = medians(lambda: engine.evaluate(next(fresh), by=system), raw.new_two, rounds=rounds)
        later, two_later = medians(
            lambda: engine.evaluate(next(again), by=system), raw.new_two, rounds=rounds
        )
        with audit.reading(system):
            flags = Deviation.objects.count() / (rounds + 3)
        return [
            Line(
                f"one subject evaluated, all rules, {flags:.1f} flags stored",
                ms(first),
                ms(two),
                first * 1000,
                "ms",
                30,
                10,
            ),
            Line("  as a multiple of the raw transaction", ms(first), ms(two), first / two),
            Line(
                "one subject evaluated again, nothing changed",
                ms(later),
                ms(two_later),
                later * 1000,
                "ms",
                30,
                10,
            ),
            Line("  as a multiple of the raw transaction", ms(later), ms(two_later), later / two_later),
        ]
