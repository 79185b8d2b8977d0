"""Response of the leukaemia: at one assessment, residual disease, and the overall remission rate."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import comb

from trial.dates import add_months
from trial.item import Basis
from trial.protocol import Protocol

VERSION = "ELN-ALL2024"
BASIS = Basis.GUIDELINE
CITATION = (
    "Adult ALL response table of ELN 2024 (Gökbuget N et al., Blood); progression after Horowitz et al. 2010"
)
BEST_FIRST = ("CR", "CRi", "NR", "PD", "RELAPSE", "NE")
CONFIDENCE_TAIL = Decimal("0.025")
BISECTIONS = 60


@dataclass(frozen=True)
class Assessment:
    """What one response assessment rests on; None is "not known".

    blasts_pct        marrow blasts by morphology; None as well when the aspirate was not adequate
    supported         platelets transfused or G-CSF given within 7 days before the counts
    baseline_extramedullary, baseline_blasts_pct   before lymphodepletion
    had_remission     CR or CRi at an earlier assessment
    """

    blasts_pct: Decimal | None
    circulating_blasts: bool | None
    extramedullary: bool | None
    neutrophils: Decimal | None
    platelets: Decimal | None
    supported: bool = False
    baseline_blasts_pct: Decimal | None = None
    baseline_extramedullary: bool | None = None
    had_remission: bool = False


def response_at(one: Assessment, protocol: Protocol) -> str:
    """CR, CRi, NR, PD, RELAPSE or NE. What proves relapse or progression needs nothing else to be complete."""
    if one.had_remission and _leukaemia(one, protocol):
        return "RELAPSE"
    if _progressed(one, protocol):
        return "PD"
    if one.blasts_pct is None:
        return "NE"
    if _leukaemia(one, protocol):
        return "NR"
    if None in (one.circulating_blasts, one.extramedullary, one.neutrophils, one.platelets):
        return "NE"
    return "CR" if _counts_recovered(one, protocol) else "CRi"


def _leukaemia(one: Assessment, protocol: Protocol) -> bool:
    """Whether leukaemia is seen anywhere."""
    marrow = one.blasts_pct is not None and one.blasts_pct >= protocol.remission_blasts_below_pct.value
    return marrow or bool(one.circulating_blasts) or bool(one.extramedullary)


def _progressed(one: Assessment, protocol: Protocol) -> bool:
    """New extramedullary disease, or marrow blasts up by a quarter of what they were."""
    if one.extramedullary and one.baseline_extramedullary is False:
        return True
    blasts, before = one.blasts_pct, one.baseline_blasts_pct
    if blasts is None or before is None or blasts < protocol.remission_blasts_below_pct.value:
        return False
    return blasts * 100 >= before * (100 + protocol.progression_increase_pct.value)


def _counts_recovered(one: Assessment, protocol: Protocol) -> bool:
    anc, plt = protocol.cr_neutrophils_above.value, protocol.cr_platelets_above.value
    assert one.neutrophils is not None and one.platelets is not None
    if one.supported:
        return False
    if protocol.cr_counts_inclusive.value:
        return one.neutrophils >= anc and one.platelets >= plt
    return one.neutrophils > anc and one.platelets > plt


def mrd_category(
    result: str | None, level: Decimal | None, sensitivity: Decimal | None, protocol: Protocol
) -> str:
    """Residual disease as a category; `level` and `sensitivity` are fractions (0.0001 is one in ten thousand).

    What is detected but lies below the threshold is negative only if the assay reaches that far; without a
    quantity, detected is positive.
    """
    threshold = protocol.mrd_threshold.value
    sensitive = None if sensitivity is None else sensitivity <= threshold
    if result == "NOT_DETECTED":
        if sensitive is None:
            return "UNKNOWN"
        return "NEGATIVE" if sensitive else "NEGATIVE_INSUFFICIENT_SENSITIVITY"
    if result != "DETECTED":
        return "UNKNOWN"
    if level is None or level >= threshold:
        return "POSITIVE"
    if sensitive is None:
        return "UNKNOWN"
    return "NEGATIVE" if sensitive else "POSITIVE"


@dataclass(frozen=True)
class Best:
    """The best response within the period of the overall remission rate."""

    response: str
    responder: bool
    on: date | None


def orr_until(day0: date, protocol: Protocol) -> date:
    """The last day whose assessment counts."""
    return add_months(day0, protocol.orr_months.value) + timedelta(days=protocol.orr_grace_days.value)


def best_response(day0: date, assessed: Iterable[tuple[date, str | None]], protocol: Protocol) -> Best:
    """The best of the responses after the infusion and within the period; NE, and no responder, without any."""
    until = orr_until(day0, protocol)
    counted = [(day, said) for day, said in assessed if said in BEST_FIRST and day0 < day <= until]
    if not counted:
        return Best("NE", False, None)
    day, said = min(counted, key=lambda one: (BEST_FIRST.index(one[1] or "NE"), one[0]))
    return Best(said or "NE", said in protocol.remission.value, day)


def confirmed(assessed: Iterable[tuple[date, str | None]], protocol: Protocol) -> bool:
    """Whether a remission stood at two assessments far enough apart, with none between that denies it."""
    begun: date | None = None
    for day, said in sorted(assessed, key=lambda one: one[0]):
        if said in protocol.remission.value:
            begun = begun or day
            if (day - begun).days >= protocol.response_confirmed_days.value:
                return True
        elif said not in (None, "NE"):
            begun = None
    return False


def exact_interval(events: int, subjects: int) -> tuple[Decimal, Decimal]:
    """The exact (Clopper-Pearson) 95 % interval of a proportion; `subjects` is at least 1."""
    low = Decimal(0) if events == 0 else _root(subjects, events, upper=True)
    high = Decimal(1) if events == subjects else _root(subjects, events, upper=False)
    return low, high


def _root(subjects: int, events: int, *, upper: bool) -> Decimal:
    """The proportion at which that many events or more (`upper`), or that many or fewer, have the tail's chance."""
    counts = range(events, subjects + 1) if upper else range(events + 1)
    low, high = Decimal(0), Decimal(1)
    for _ in range(BISECTIONS):
        p = (low + high) / 2
        chance = sum((comb(subjects, k) * p**k * (1 - p) ** (subjects - k) for k in counts), Decimal(0))
        if (chance < CONFIDENCE_TAIL) == upper:
            low = p
        else:
            high = p
    return (low + high) / 2
