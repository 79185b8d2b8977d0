"""DV-01, the rule this study cannot miss: three months between transplant and infusion."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from dosing.models import Infusion
from safety.casebook import Casebook
from safety.eligibility.from_casebook import READS, screening
from safety.eligibility.inclusion import enters_otherwise
from subjects.models import DiseaseHistory, PriorTransplant
from trial.dates import Span, span_of
from trial.item import Basis, words
from trial.logic import Verdict
from trial.protocol import PROTOCOLS, Protocol
from trial.rules import Asks, Fact, Finding, Severity, rule

_ASKS: Asks = {
    Infusion: ("inf_start_dt",),
    PriorTransplant: ("sct_date", "sct_type"),
    DiseaseHistory: ("prior_allo_sct",),
}


@rule(
    "DV-01",
    en="Infusion under 3 months after allogeneic transplant",
    zh="异基因移植后不足 3 个月回输",
    cites="Registry I-01(2): must be ≥ 3 months from SCT at the time of ssCART-19 infusion",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=tuple(dict.fromkeys((Infusion, PriorTransplant, DiseaseHistory, *READS))),
    # Where a version reads the interval as part of one limb alone, the rule asks what all criteria ask.
    asks=_ASKS if all(one.sct_gap_all_limbs.value for one in PROTOCOLS.values()) else {},
)
def infusion_respects_sct_interval(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The ssCART-19 infusion must be at least three months (calendar months, clamped to the month's end) after every
    allogeneic stem cell transplant. A transplant date that is only partly known breaks the rule when every day it
    could be does, and cannot be told when only some do; nor can it while the history does not deny a transplant that
    is not recorded. Where the protocol version reads the interval as part of limb (2) of I-01 alone, it binds only those
    who enter by no other limb."""
    months = protocol.sct_gap_months.value
    transplants = [t for t in book.of(PriorTransplant) if t.sct_type != "AUTO"]
    for infusion in book.infusions:
        day = book.day(infusion.inf_start_dt)
        assert day is not None
        free = _free(book, day, protocol)
        found = () if free is Verdict.MET else _judge(book, infusion, day, transplants, months)
        for finding in found:
            yield _perhaps_bound(finding) if free is Verdict.UNKNOWN and not finding.pending else finding


def _free(book: Casebook, day: date, protocol: Protocol) -> Verdict:
    """Whether the interval does not bind this subject, because another limb of I-01 lets it in."""
    return (
        Verdict.NOT_MET
        if protocol.sct_gap_all_limbs.value
        else enters_otherwise(screening(book, "PRE_INFUSION", day, protocol), protocol)
    )


def _perhaps_bound(finding: Finding) -> Finding:
    return replace(
        finding,
        en=f"{finding.en} Whether another limb of I-01 lets the subject in cannot be told.",
        zh=f"{finding.zh}无法判定是否依据 I-01 其他款入选。",
        pending=True,
    )


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
    elif not transplants:
        history = next((h for h in book.of(DiseaseHistory) if h.prior_allo_sct != "NO"), None)
        if history is not None:
            yield _unrecorded(history, infusion, day, months)


def _too_soon(when: Span, day: date, months: int) -> bool | None:
    """Whether `day` lies before the transplant plus the interval; None when the transplant's date leaves it open."""
    permitted = when.plus_months(months)
    if day < permitted.first:
        return True
    return False if day >= permitted.last else None


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
        limit_zh=f"≥ {months} 个月;不早于 {earliest}",
    )


def _undecided(infusion: Any, day: date, transplant: Any, when: Span | None, months: int) -> Finding:
    shown = transplant.sct_date or "—"
    kind = words(PriorTransplant, "sct_type", transplant.sct_type) if transplant.sct_type else ("—", "—")
    until = f"; it must be on or before a day that leaves {months} months before {day}" if when else ""
    return Finding(
        key=f"infusion:{infusion.pk}",
        en=f"Infused on {day}; whether {months} months had passed since the transplant ({kind[0]}, date “{shown}”) "
        f"cannot be told{until}. Complete the type and date of the transplant.",
        zh=f"于 {day} 回输;无法判定距移植(类型 {kind[1]},日期“{shown}”)是否已满 {months} 个月。请补全移植类型和日期。",
        form="prior_transplant",
        record=transplant.pk,
        field="sct_date" if transplant.sct_type else "sct_type",
        facts=_facts(infusion, [transplant]),
        limit=f"≥ {months} months",
        limit_zh=f"≥ {months} 个月",
        pending=True,
    )


def _unrecorded(history: Any, infusion: Any, day: date, months: int) -> Finding:
    said = history.prior_allo_sct
    en, zh = (
        ("says there was an allogeneic transplant, but none is recorded. Enter the transplant with its date.",
         "显示曾行异基因移植,但未录入移植记录。请录入移植及其日期。")
        if said == "YES"
        else ("does not say whether there was an allogeneic transplant. Answer it, and enter a transplant with its date.",
              "未明确是否曾行异基因移植。请填写该项;如有移植,请录入移植及其日期。")
    )  # fmt: skip
    return Finding(
        key=f"infusion:{infusion.pk}",
        en=f"Infused on {day}; the history {en}",
        zh=f"于 {day} 回输;疾病史{zh}",
        form="disease_history",
        record=history.pk,
        field="prior_allo_sct",
        facts=(Fact("disease_history", history.pk, "prior_allo_sct", said), *_facts(infusion, [])),
        limit=f"≥ {months} months",
        limit_zh=f"≥ {months} 个月",
        pending=True,
    )
