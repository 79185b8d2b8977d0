"""CAR-T cells in the body, after the conventions of R PKNCA 0.12: one assay, one specimen, actual times.

A result below the limit of quantification (BLQ) is 0 before the first and after the last quantifiable result, and is
left out between two. The area rises linearly and falls logarithmically; to a BLQ it falls linearly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any

from trial.item import Basis
from trial.protocol import Protocol

VERSION = "PKNCA0.12"
BASIS = Basis.GUIDELINE
CITATION = "R PKNCA 0.12.0.9000; Mueller KT et al., Clin Cancer Res 2018;24:6175"
ALL_BLQ, INSUFFICIENT, TRUNCATED = "ALL_BLQ", "INSUFFICIENT_SAMPLING", "TRUNCATED"
HOURS_A_DAY = 24
ZERO = Decimal(0)
Point = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Sample:
    """One result: days since the start of the infusion (hours / 24), copies/ug, None for BLQ."""

    day: Decimal
    copies: Decimal | None


@dataclass(frozen=True)
class Kinetics:
    """The parameters; None where there is none. `flag` says why the area is missing or cut short, "" if neither."""

    cmax: Decimal | None = None
    tmax: Decimal | None = None
    clast: Decimal | None = None
    tlast: Decimal | None = None
    first_detected: Decimal | None = None
    auc: Decimal | None = None
    half_life_days: Decimal | None = None
    flag: str = ""


def sample(day: Decimal, copies: Decimal | None, lloq: Decimal | None) -> Sample:
    """A sample; a number below the limit of quantification is BLQ."""
    return Sample(day, None if copies is None or (lloq is not None and copies < lloq) else copies)


def kinetics(samples: Iterable[Sample], protocol: Protocol) -> Kinetics:
    """All parameters of one subject's profile over the interval the protocol names."""
    profile = _ordered(samples)
    quantified = [s for s in profile if s.copies is not None]
    if not quantified:
        return Kinetics(flag=ALL_BLQ if profile else INSUFFICIENT)
    peak = max(quantified, key=lambda s: (s.copies or ZERO, -s.day))
    last = quantified[-1]
    end, flag = _end(profile[-1].day, protocol)
    return Kinetics(
        peak.copies,
        peak.day,
        last.copies,
        last.day,
        quantified[0].day,
        None if end is None else area(profile, end),
        half_life([s for s in quantified if s.day > peak.day], protocol),
        flag,
    )


def _ordered(samples: Iterable[Sample]) -> list[Sample]:
    """By time. Whatever was drawn before the infusion stands for time 0."""
    return sorted((Sample(max(s.day, ZERO), s.copies) for s in samples), key=lambda s: s.day)


def _end(last: Decimal, protocol: Protocol) -> tuple[Decimal | None, str]:
    """Up to which day the area is taken, and the flag that goes with it."""
    wanted = Decimal(protocol.pk_auc_end_day.value)
    if last >= wanted:
        return wanted, ""
    if last >= wanted - protocol.pk_auc_end_window_days.value:
        return last, TRUNCATED
    return None, INSUFFICIENT


def _points(profile: Sequence[Sample]) -> list[Point]:
    """Times and concentrations with the BLQ rule applied, from time 0 on."""
    days = [s.day for s in profile if s.copies is not None]
    points = [
        (s.day, ZERO if s.copies is None else s.copies)
        for s in profile
        if s.copies is not None or s.day < days[0] or s.day > days[-1]
    ]
    return [(ZERO, ZERO), *points]  # no area lies between this and a first sample at time 0


def area(profile: Sequence[Sample], end: Decimal) -> Decimal:
    """The area under the curve from time 0 to `end`; the profile needs a quantifiable result.

    The piece that `end` cuts is interpolated by the rule it is integrated by.
    """
    points = _points(profile)
    total = ZERO
    with localcontext() as context:
        context.prec = 34
        for start, stop in pairwise(points):
            if start[0] >= end:
                break
            total += _piece(start, stop, min(stop[0], end))
    return total


def _piece(start: Point, stop: Point, until: Decimal) -> Decimal:
    """The area from `start` to the day `until` on the way to `stop`: logarithmic where that way falls to a result."""
    (t1, c1), (t2, c2) = start, stop
    falls = ZERO < c2 < c1
    c = c2 if until == t2 else _on_the_way(start, stop, until, falls=falls)
    if falls:
        return (c1 - c) * (until - t1) / (c1 / c).ln()
    return (c1 + c) * (until - t1) / 2


def _on_the_way(start: Point, stop: Point, day: Decimal, *, falls: bool) -> Decimal:
    (t1, c1), (t2, c2) = start, stop
    part = (day - t1) / (t2 - t1)
    if falls:
        return (c1.ln() + part * (c2.ln() - c1.ln())).exp()
    return c1 + part * (c2 - c1)


def half_life(after_peak: Sequence[Sample], protocol: Protocol) -> Decimal | None:
    """Terminal half-life in days by log-linear regression of the quantifiable results after the maximum.

    None with too few of them, a poor fit, or no decline.
    """
    count = len(after_peak)
    if count < max(3, protocol.pk_half_life_min_points.value):
        return None
    with localcontext() as context:
        context.prec = 34
        days, logs = [s.day for s in after_peak], [(s.copies or ZERO).ln() for s in after_peak]
        mean_day, mean_log = sum(days, ZERO) / count, sum(logs, ZERO) / count
        across = sum(((t - mean_day) ** 2 for t in days), ZERO)
        down = sum(((y - mean_log) ** 2 for y in logs), ZERO)
        both = sum(((t - mean_day) * (y - mean_log) for t, y in zip(days, logs, strict=True)), ZERO)
        if not across or not down or both >= 0:
            return None
        r2 = both * both / (across * down)
        adjusted = 1 - (1 - r2) * (count - 1) / (count - 2)
        good = adjusted >= protocol.pk_half_life_min_r2.value
        return Decimal(2).ln() * across / -both if good else None


RESULT = {"QPCR": "copies_per_ug", "FLOW": "car_pct_cd3"}


def samples_of(
    rows: Iterable[Any], start: Any, protocol: Protocol, assay: str = "QPCR", specimen: str = "PB"
) -> list[Sample]:
    """The results of one assay and specimen among PK forms, timed from the `start` of the infusion; unfinished ones
    left out. Copies by quantitative PCR, the CAR+ share of CD3+ cells by flow cytometry."""
    found = []
    for row in rows:
        wanted = row.assay == assay and row.specimen == specimen and row.collect_dt is not None
        below, value = str(row.result_text).strip().upper() == "BLQ", getattr(row, RESULT[assay], None)
        if not wanted or (value is None and not below):
            continue
        hours = Decimal(str((row.collect_dt - start).total_seconds())) / 3600
        usual = protocol.pk_lloq_copies_per_ug.value if assay == "QPCR" else None
        lloq = usual if row.lloq is None else row.lloq
        found.append(sample(hours / HOURS_A_DAY, None if below else value, lloq))
    return found
