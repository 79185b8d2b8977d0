"""The transplant interval, visit windows, CRS and ICANS grades, said a second time as sets in SQL.

PostgreSQL invents the cases and judges them; the production functions judge the same cases. The SQL was written from
the text of the specification, not from the Python: its own month arithmetic, its own tables, its own NULL logic.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from dosing.models import Infusion
from safety.casebook import Casebook
from safety.grading.crs import CrsFindings, crs_grade
from safety.grading.icans import IcansFindings, icans_grade
from safety.rules.transplant import infusion_respects_sct_interval
from subjects.models import DiseaseHistory, PriorTransplant
from tests.books import NOW, SHANGHAI, the_site
from trial.protocol import V1
from visits.schedule import VISITS, Anchors, in_window, visit_window

NOBODY = UUID(int=0)
SIZES = (pytest.param(8_000, id="some"), pytest.param(250_000, id="all", marks=pytest.mark.drill))

TRANSPLANT = """
WITH drawn AS (
    SELECT date '2015-01-01' + (random() * 9000)::int AS infused,
           (85 + random() * 15)::int AS gap, (random() * 2.2)::int AS cut
    FROM generate_series(1, %s)
), dated AS (
    SELECT infused, infused - gap AS sct, cut FROM drawn
), known AS (
    SELECT infused,
           CASE cut WHEN 2 THEN to_char(sct, 'YYYY') WHEN 1 THEN to_char(sct, 'YYYY-MM') ELSE sct::text END AS text,
           CASE cut WHEN 2 THEN date_trunc('year', sct) WHEN 1 THEN date_trunc('month', sct) ELSE sct END::date AS low,
           CASE cut WHEN 2 THEN date_trunc('year', sct) + interval '1 year - 1 day'
                    WHEN 1 THEN date_trunc('month', sct) + interval '1 month - 1 day' ELSE sct END::date AS high
    FROM dated
)
SELECT infused, text, CASE WHEN infused < (low + interval '3 months')::date THEN 'TOO SOON'
                           WHEN infused >= (high + interval '3 months')::date THEN 'KEPT' ELSE 'CANNOT TELL' END
FROM known
"""

WINDOWS = """
WITH plan (code, days, months, before, after) AS (VALUES
    ('D0', 0, 0, 0, 0), ('D1', 1, 0, 0, 0), ('D2', 2, 0, 0, 0), ('D7', 7, 0, 0, 0), ('D14', 14, 0, 0, 0),
    ('D17', 17, 0, 1, 1), ('D21', 21, 0, 2, 2), ('D28', 28, 0, 2, 2),
    ('M2', 0, 2, 7, 7), ('M3', 0, 3, 7, 7), ('M6', 0, 6, 14, 14), ('M9', 0, 9, 14, 14), ('M12', 0, 12, 14, 14),
    ('M15', 0, 15, 30, 30), ('M18', 0, 18, 30, 30), ('M21', 0, 21, 30, 30), ('M24', 0, 24, 30, 30),
    ('Y3', 0, 36, 60, 60), ('Y10', 0, 120, 60, 60), ('Y15', 0, 180, 60, 60)
), drawn AS (
    SELECT date '2015-01-01' + (random() * 9000)::int AS d0, 1 + (random() * 19)::int AS which, random() AS at
    FROM generate_series(1, %s)
), planned AS (
    SELECT d0, code, before, after, at, (d0 + days + make_interval(months => months))::date AS nominal
    FROM drawn JOIN (SELECT row_number() OVER () AS n, * FROM plan) AS p ON p.n = which
), took AS (
    SELECT d0, code, nominal, before, after, nominal + ((at - 0.5) * (4 + 3 * (before + after)))::int AS actual
    FROM planned
)
SELECT d0, code, nominal, actual, actual BETWEEN nominal - before AND nominal + after FROM took
"""

CRS = """
WITH drawn AS (
    SELECT (array[NULL, 36.6, 37.9, 38.0, 38.0, 39.5])[1 + (random() * 5)::int]::numeric AS temp,
           (array[NULL, true, false, false, false])[1 + (random() * 4)::int] AS other_cause,
           (array[NULL, true, false, true])[1 + (random() * 3)::int] AS low_pressure,
           (array[NULL, '', 'NOREPINEPHRINE', 'VASOPRESSIN', 'NOREPINEPHRINE,VASOPRESSIN', 'EPINEPHRINE,DOPAMINE',
                  'NOREPINEPHRINE,EPINEPHRINE,VASOPRESSIN', ''])[1 + (random() * 7)::int] AS pressors,
           (array[NULL, true, true, false])[1 + (random() * 3)::int] AS short_of_oxygen,
           (array[NULL, 'NONE', 'NASAL_CANNULA', 'BLOW_BY', 'HIGH_FLOW_NC', 'FACEMASK', 'VENTURI', 'NONREBREATHER',
                  'CPAP', 'BIPAP', 'MECH_VENT', 'NASAL_CANNULA'])[1 + (random() * 11)::int] AS device,
           (array[NULL, 2.0, 6.0, 6.1])[1 + (random() * 3)::int]::numeric AS flow,
           (array['', 'HYPOXIA', 'AIRWAY_PROTECTION', 'PROCEDURE'])[1 + (random() * 3)::int] AS why,
           random() < 0.5 AS before, random() < 0.5 AS treated
    FROM generate_series(1, %s)
), counted AS (
    SELECT *, (pressors IS NOT NULL AND pressors <> '') AS given,
           (SELECT count(DISTINCT p) FROM unnest(string_to_array(pressors, ',')) p WHERE p <> 'VASOPRESSIN') AS others
    FROM drawn
), columns AS (
    SELECT *,
        CASE WHEN temp >= 38.0 AND other_cause THEN false WHEN temp >= 38.0 AND other_cause IS NULL THEN NULL
             WHEN temp >= 38.0 THEN true WHEN temp < 38.0 THEN false
             WHEN before AND treated THEN false END AS fever,
        CASE WHEN NOT low_pressure THEN 0 WHEN pressors IS NULL THEN NULL WHEN NOT given AND low_pressure THEN 2
             WHEN NOT given THEN NULL WHEN others >= 2 THEN 4 ELSE 3 END AS circulation,
        CASE WHEN NOT short_of_oxygen THEN 0
             WHEN device IN ('CPAP', 'BIPAP', 'MECH_VENT') THEN
                 CASE WHEN why IN ('AIRWAY_PROTECTION', 'PROCEDURE') AND short_of_oxygen IS NULL THEN 0 ELSE 4 END
             WHEN device = 'NASAL_CANNULA' THEN CASE WHEN flow <= 6 THEN 2 WHEN flow > 6 THEN 3 END
             WHEN device = 'BLOW_BY' THEN 2
             WHEN device IN ('HIGH_FLOW_NC', 'FACEMASK', 'VENTURI', 'NONREBREATHER') THEN 3
             WHEN device = 'NONE' THEN 0 END AS breathing
    FROM counted
)
SELECT temp, other_cause, low_pressure, pressors, short_of_oxygen, device, flow, why, before, treated,
    CASE WHEN NOT (before AND treated) AND fever IS NULL THEN NULL
         WHEN NOT (before AND treated) AND NOT fever THEN 0
         WHEN circulation = 4 OR breathing = 4 THEN 4
         WHEN circulation IS NULL OR breathing IS NULL THEN NULL
         WHEN fever IS NULL AND circulation = 0 AND breathing = 0 THEN NULL
         ELSE greatest(CASE WHEN fever THEN 1 ELSE 0 END, circulation, breathing) END
FROM columns
"""

ICANS = """
WITH drawn AS (
    SELECT (array[NULL, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10])[1 + (random() * 12)::int] AS ice,
           (array[NULL, 'NORMAL', 'NORMAL', 'AWAKENS_SPONTANEOUSLY', 'AWAKENS_TO_VOICE', 'AWAKENS_TO_TACTILE_ONLY',
                  'UNAROUSABLE_OR_VIGOROUS_STIMULI', 'STUPOR_OR_COMA'])[1 + (random() * 7)::int] AS awake,
           (array[NULL, 'NONE', 'NONE', 'RAPIDLY_RESOLVING_OR_NONCONVULSIVE_EEG_RESOLVING', 'PROLONGED_GT_5MIN',
                  'REPETITIVE_WITHOUT_RETURN_TO_BASELINE'])[1 + (random() * 5)::int] AS seizure,
           (array[NULL, true, false, false])[1 + (random() * 3)::int] AS weak,
           (array[NULL, 'NONE', 'NONE', 'FOCAL_EDEMA', 'DIFFUSE_EDEMA', 'DECEREBRATE_OR_DECORTICATE', 'CN_VI_PALSY',
                  'PAPILLEDEMA', 'CUSHING_TRIAD'])[1 + (random() * 8)::int] AS edema,
           random() < 0.9 AS attributable, random() < 0.02 AS died
    FROM generate_series(1, %s)
), graded AS (
    SELECT *, ARRAY[
        CASE WHEN ice = 10 THEN 0 WHEN ice BETWEEN 7 AND 9 THEN 1 WHEN ice BETWEEN 3 AND 6 THEN 2 WHEN ice < 3 THEN 3 END,
        CASE awake WHEN 'NORMAL' THEN 0 WHEN 'AWAKENS_SPONTANEOUSLY' THEN 1 WHEN 'AWAKENS_TO_VOICE' THEN 2
                   WHEN 'AWAKENS_TO_TACTILE_ONLY' THEN 3 WHEN 'UNAROUSABLE_OR_VIGOROUS_STIMULI' THEN 4
                   WHEN 'STUPOR_OR_COMA' THEN 4 END,
        CASE WHEN seizure = 'NONE' THEN 0 WHEN seizure LIKE 'RAPIDLY%%' THEN 3 WHEN seizure IS NOT NULL THEN 4 END,
        CASE WHEN weak THEN 4 WHEN NOT weak THEN 0 END,
        CASE WHEN edema = 'NONE' THEN 0 WHEN edema = 'FOCAL_EDEMA' THEN 3 WHEN edema IS NOT NULL THEN 4 END] AS parts
    FROM drawn
)
SELECT ice, awake, seizure, weak, edema, attributable, died,
    CASE WHEN died THEN 5 WHEN NOT attributable THEN 0 WHEN 4 = ANY (parts) THEN 4
         WHEN array_position(parts, NULL) IS NOT NULL THEN NULL
         ELSE (SELECT max(p) FROM unnest(parts) p) END
FROM graded
"""


def cases(statement: str, size: int) -> Iterator[tuple[Any, ...]]:
    """The cases of a statement, the same every time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.19)")
        cursor.execute(statement, [size])
        while rows := cursor.fetchmany(10_000):
            yield from rows


@dataclass
class Tally:
    """How many cases there were, how many fell under each verdict, and the first that differ."""

    verdicts: dict[Any, int]
    differences: list[Any]


def compared(pairs: Iterator[tuple[Any, Any, Any]]) -> Tally:
    """Compare (case, said by SQL, said by Python)."""
    tally = Tally({}, [])
    for case, expected, got in pairs:
        tally.verdicts[expected] = tally.verdicts.get(expected, 0) + 1
        if expected != got and len(tally.differences) < 5:
            tally.differences.append((case, expected, got))
    return tally


def _judged(tally: Tally, size: int, verdicts: set[Any]) -> None:
    assert tally.differences == []
    assert sum(tally.verdicts.values()) == size
    assert set(tally.verdicts) == verdicts, "every verdict occurs, or the cases prove little"


@cache
def _noon(day: date) -> datetime:
    from zoneinfo import ZoneInfo

    return datetime.combine(day, time(12), ZoneInfo(SHANGHAI))


def _transplant(infused: date, sct: str) -> str:
    rows: dict[Any, Any] = {
        Infusion: [SimpleNamespace(pk=1, not_done=False, inf_start_dt=_noon(infused))],
        PriorTransplant: [SimpleNamespace(pk=2, not_done=False, sct_date=sct, sct_type="ALLO")],
        DiseaseHistory: [],
    }
    found = infusion_respects_sct_interval(Casebook(NOBODY, "01-001", SITE, NOW, rows), V1)
    return "KEPT" if not found else "CANNOT TELL" if found[0].pending else "TOO SOON"


SITE = the_site()


@pytest.mark.req("R-29")
@pytest.mark.parametrize("size", SIZES)
def test_the_transplant_interval(db: None, size: int) -> None:
    told = ((case[:2], case[2], _transplant(*case[:2])) for case in cases(TRANSPLANT, size))
    _judged(compared(told), size, {"TOO SOON", "KEPT", "CANNOT TELL"})


@pytest.mark.req("R-30")
@pytest.mark.parametrize("size", SIZES)
def test_the_windows_of_visits(db: None, size: int) -> None:
    def told() -> Iterator[tuple[Any, Any, Any]]:
        for d0, code, nominal, actual, inside in cases(WINDOWS, size):
            window = visit_window(VISITS[code], Anchors(d0=d0))
            said = in_window(window, actual) if window.nominal == nominal else window.nominal
            yield (d0, code, actual), inside, said

    _judged(compared(told()), size, {True, False})


@pytest.mark.parametrize("size", SIZES)
def test_the_grades_of_cytokine_release(db: None, size: int) -> None:
    def told() -> Iterator[tuple[Any, Any, Any]]:
        for *case, grade in cases(CRS, size):
            temp, cause, low, pressors, hypoxia, device, flow, why, before, treated = case
            named = None if pressors is None else tuple(p for p in pressors.split(",") if p)
            found = CrsFindings(temp, cause, low, named, hypoxia, device, flow, why, before, treated)
            yield case, grade, crs_grade(found)

    _judged(compared(told()), size, {None, 0, 1, 2, 3, 4})


@pytest.mark.parametrize("size", SIZES)
def test_the_grades_of_neurotoxicity(db: None, size: int) -> None:
    told = ((case[:7], case[7], icans_grade(IcansFindings(*case[:7]))) for case in cases(ICANS, size))
    _judged(compared(told), size, {None, 0, 1, 2, 3, 4, 5})


def test_a_wrong_reading_would_be_seen(db: None) -> None:
    """Ninety days in place of three months: the same cases tell the two apart."""

    def ninety(infused: date, sct: str) -> str:
        return "KEPT" if (infused - date.fromisoformat(sct)).days >= 90 else "TOO SOON"

    whole = (c for c in cases(TRANSPLANT, 2_000) if len(c[1]) == 10)
    tally = compared((case[:2], case[2], ninety(*case[:2])) for case in whole)
    assert tally.differences
