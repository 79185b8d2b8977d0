"""DV-44 and DV-45: the level that was infused, and the vital signs around the infusion."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dosing.administration import PARTS_MOST
from dosing.levels import LEVELS
from dosing.models import DoseAllocation, Infusion
from safety.calendar import READS, left_on, schedule
from safety.casebook import Casebook
from safety.rules.evidence import all_facts, clock, facts
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Finding, Severity, rule
from visits.models import VitalSigns
from visits.timepoints import Timepoint, moments

HUNDRED = Decimal(100)


def part_may_follow(book: Casebook, protocol: Protocol) -> bool:
    """Whether the infusion is split and its next part may still come. One that has a single part is taken as whole."""
    parts = book.infusions
    if not 1 < max((len(parts), *(i.part_no or 1 for i in parts))) < PARTS_MOST:
        return False
    last = book.day(parts[-1].inf_start_dt)
    return last is not None and book.today <= last + timedelta(days=protocol.infusion_part_gap_days.value)


@rule(
    "DV-44",
    en="Another dose level infused than allocated",
    zh="回输剂量水平与分配不符",
    cites="Clinical specification, DV-44; registry: dose escalation",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(Infusion, DoseAllocation),
    clocked=True,
)
def allocated_level_infused(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The dose given, all parts together, is not that of another level than the allocated one. A dose is that of a
    level when it lies within the tolerance of the planned dose. Without an allocation, or while a further part of a
    split infusion may follow, the rule cannot tell."""
    if not book.infusions:
        return
    allocated = next((a for a in book.of(DoseAllocation) if a.level), None)
    parts = book.infusions
    last = parts[-1]
    if allocated is None or any(i.actual_per_kg is None for i in parts):
        missing = (
            ("no level is allocated", "未分配剂量水平")
            if allocated is None
            else ("the dose given is not entered", "未填写实际剂量")
        )
        yield Finding(
            key="level",
            en=f"Which level was infused on {book.day0} cannot be compared: {missing[0]}.",
            zh=f"无法比对 {book.day0} 回输的剂量水平:{missing[1]}。",
            form="infusion",
            record=last.pk,
            field="actual_per_kg",
            facts=all_facts("infusion", parts, "actual_per_kg"),
            pending=True,
        )
        return
    given = sum((Decimal(i.actual_per_kg) for i in parts), Decimal(0))
    fits = _levels_of(given, protocol)
    if fits and allocated.level not in fits:
        higher = [level.code for level in LEVELS if level.per_kg > given]
        open_ = allocated.level in higher and part_may_follow(book, protocol)
        more = (" A further part may follow.", "可能还有后续部分。") if open_ else ("", "")
        yield Finding(
            key="level",
            en=f"{given:f} cells/kg were given, the dose of {' or '.join(fits)}; {allocated.level} was allocated.{more[0]}",
            zh=f"实际回输 {given:f} 细胞/kg,相当于 {'或'.join(fits)};分配的剂量水平为 {allocated.level}。{more[1]}",
            pending=open_,
            form="infusion",
            record=last.pk,
            field="actual_per_kg",
            facts=(
                *all_facts("infusion", parts, "actual_per_kg"),
                *facts("dose_allocation", allocated, "level"),
            ),
            limit=allocated.level,
        )


def _levels_of(given: Decimal, protocol: Protocol) -> list[str]:
    """The levels whose planned dose the given one lies within the tolerance of."""
    percent = protocol.dose_tolerance_pct.value
    return [level.code for level in LEVELS if abs(given - level.per_kg) * HUNDRED <= percent * level.per_kg]


@rule(
    "DV-45",
    en="Vital signs missing around the infusion",
    zh="回输前后生命体征缺失",
    cites="Clinical specification, DV-45 and schedule, Day 0 (default timepoints)",
    basis=Basis.DEFAULT,
    severity=Severity.MINOR,
    category="PROCEDURE",
    reads=(VitalSigns, Infusion, *READS),
    clocked=True,
)
def vital_signs_around_infusion(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """At every timepoint of the schedule around the infusion, once it has passed, vital signs are recorded; with no
    saturation among them the rule cannot tell."""
    if book.day0 is None:
        return
    left = left_on(book)
    if left is not None and left <= book.day0:
        return
    infusion = book.infusions[0]
    points = {p.code: p for p in schedule(book).points("D0", "vital_signs")}
    ends = (moments(p, infusion.inf_start_dt, None, None, book.zone).high for p in points.values())
    last = max((end for end in ends if end is not None), default=infusion.inf_start_dt)
    asked = [points[code] for code in protocol.infusion_vitals.value if code in points]
    for point in (one for one in asked if _passed(book, one, infusion)):
        signs = (v for v in book.of(VitalSigns) if v.timepoint == point.code)
        rows = [v for v in signs if _on(book.day0, book.day(v.vs_dt), v, last)]
        if not rows:
            yield _missing(book, point, infusion, [])
        elif all(v.spo2_pct is None for v in rows):
            yield _missing(book, point, infusion, rows)


def _on(day0: date, day: date | None, row: Any, last: datetime) -> bool:
    """Whether the signs of a day are of Day 0. It lasts to the end of its last timepoint, be that after midnight."""
    if day is None:
        return bool(row.visit == "D0")
    if day <= day0:
        return day == day0
    return bool(row.vs_dt <= last)


def _passed(book: Casebook, point: Timepoint, infusion: Any) -> bool:
    high = moments(point, infusion.inf_start_dt, None, None, book.zone).high
    return high is not None and book.now > high


def _missing(book: Casebook, point: Timepoint, infusion: Any, rows: list[Any]) -> Finding:
    due = moments(point, infusion.inf_start_dt, None, None, book.zone)
    assert due.nominal is not None
    when = clock(due.nominal, book.zone)
    saturation = bool(rows)
    return Finding(
        key=f"timepoint:{point.code}",
        en=f"{point.en}, due {when}: "
        + ("no oxygen saturation among the vital signs." if saturation else "no vital signs recorded."),
        zh=f"{point.zh}(应于 {when}):" + ("生命体征中无血氧饱和度。" if saturation else "无生命体征记录。"),
        form="vital_signs" if rows else "infusion",
        record=rows[0].pk if rows else infusion.pk,
        field="spo2_pct" if rows else "inf_start_dt",
        facts=(
            *facts("infusion", infusion, "inf_start_dt"),
            *all_facts("vital_signs", rows, "timepoint", "spo2_pct"),
        ),
        limit=point.code,
        pending=saturation,
    )
