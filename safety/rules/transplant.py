"""DV-01, the rule this study cannot miss: three months between transplant and infusion."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from dosing.models import Infusion
from safety.casebook import Casebook
from subjects.models import DiseaseHistory, PriorTransplant
from trial.dates import Span, span_of
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule


@rule(
    "DV-01",
    en="Infusion under 3 months after allogeneic transplant",
    zh="异基因移植后不足 3 个月回输",
    cites="Registry I-01(2): must be ≥ 3 months from SCT at the time of ssCART-19 infusion",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=(Infusion, PriorTransplant, DiseaseHistory),
)
def infusion_respects_sct_interval(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The ssCART-19 infusion must be at least three months (calendar months, clamped to the month's end) after every
    allogeneic stem cell transplant. A transplant date that is only partly known breaks the rule when every day it
    could be does, and cannot be told when only some do."""
    months = protocol.sct_gap_months.value
    transplants = [t for t in book.of(PriorTransplant) if t.sct_type != "AUTO"]
    for infusion in book.infusions:
        day = book.day(infusion.inf_start_dt)
        assert day is not None
        yield from _judge(book, infusion, day, transplants, months)


def _judge(
    book: Casebook, infusion: Any, day: date, transplants: list[Any], months: int
) -> Iterator[Finding]:
    too_soon: list[tuple[Any, Span]] = []
    unsure: list[tuple[Any, Span | None]] = []
    for transplant in transplants:
        when = span_of(transplant.sct_date, book.zone)
        early = None if when is None else _too_soon(when, day, months)
        allogeneic = transplant.sct_type == "ALLO"
        if when is not None and early and allogeneic:
            too_soon.append((transplant, when))
        elif early is None or (early and not allogeneic):
            unsure.append((transplant, when))
    if too_soon:
        transplant, when = max(too_soon, key=lambda pair: pair[1].last)
        yield _broken(infusion, day, transplant, when, months, too_soon)
    elif unsure:
        yield _undecided(infusion, day, unsure[0][0], unsure[0][1], months)
    elif not transplants and _says_transplanted(book):
        yield _unrecorded(book, infusion, day, months)


def _too_soon(when: Span, day: date, months: int) -> bool | None:
    """Whether `day` lies before the transplant plus the interval; None when the transplant's date leaves it open."""
    permitted = when.plus_months(months)
    if day < permitted.first:
        return True
    return False if day >= permitted.last else None


def _says_transplanted(book: Casebook) -> bool:
    return any(h.prior_allo_sct == "YES" for h in book.of(DiseaseHistory))


def _facts(infusion: Any, transplants: list[Any]) -> tuple[Fact, ...]:
    return (
        Fact("infusion", infusion.pk, "inf_start_dt", infusion.inf_start_dt.isoformat()),
        *(Fact("prior_transplant", t.pk, "sct_date", t.sct_date or "") for t in transplants),
        *(Fact("prior_transplant", t.pk, "sct_type", t.sct_type or "") for t in transplants),
    )


def _broken(
    infusion: Any, day: date, transplant: Any, when: Span, months: int, all_: list[tuple[Any, Span]]
) -> Finding:
    earliest = when.plus_months(months).last
    return Finding(
        key=f"infusion:{infusion.pk}",
        en=f"Infused on {day}, after an allogeneic transplant on {transplant.sct_date}; "
        f"the earliest permissible day was {earliest} ({months} months later).",
        zh=f"于 {day} 回输,而异基因移植日期为 {transplant.sct_date};最早可回输日期为 {earliest}({months} 个月后)。",
        form="infusion",
        record=infusion.pk,
        field="inf_start_dt",
        facts=_facts(infusion, [t for t, _ in all_]),
        limit=f"≥ {months} months; not before {earliest}",
    )


def _undecided(infusion: Any, day: date, transplant: Any, when: Span | None, months: int) -> Finding:
    shown = transplant.sct_date or "—"
    kind = transplant.sct_type or "—"
    until = f"; it must be on or before a day that leaves {months} months before {day}" if when else ""
    return Finding(
        key=f"infusion:{infusion.pk}",
        en=f"Infused on {day}; whether {months} months had passed since the transplant ({kind}, date “{shown}”) "
        f"cannot be told{until}. Complete the type and date of the transplant.",
        zh=f"于 {day} 回输;无法判定距移植(类型 {kind},日期“{shown}”)是否已满 {months} 个月。请补全移植类型和日期。",
        form="prior_transplant",
        record=transplant.pk,
        field="sct_date" if transplant.sct_type else "sct_type",
        facts=_facts(infusion, [transplant]),
        limit=f"≥ {months} months",
        pending=True,
    )


def _unrecorded(book: Casebook, infusion: Any, day: date, months: int) -> Finding:
    history = next(h for h in book.of(DiseaseHistory) if h.prior_allo_sct == "YES")
    return Finding(
        key=f"infusion:{infusion.pk}",
        en=f"Infused on {day}; the history says there was an allogeneic transplant, but none is recorded. "
        "Enter the transplant with its date.",
        zh=f"于 {day} 回输;疾病史显示曾行异基因移植,但未录入移植记录。请录入移植及其日期。",
        form="disease_history",
        record=history.pk,
        field="prior_allo_sct",
        facts=(Fact("disease_history", history.pk, "prior_allo_sct", "YES"), *_facts(infusion, [])),
        limit=f"≥ {months} months",
        pending=True,
    )
