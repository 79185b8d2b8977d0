"""DV-60: a suspected unexpected serious adverse reaction reaches the authorities in time."""

from collections.abc import Iterator
from typing import Any

from safety.adverse_events import AdverseEvent, days_to_submit, is_susar, susar_ends
from safety.casebook import Casebook
from safety.rules.evidence import clock, facts
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Finding, Severity, rule

FORM = "adverse_event"


@rule(
    "DV-60",
    en="SUSAR submitted late",
    zh="SUSAR 递交延迟",
    cites="ICH E2A: 7 days if fatal or life-threatening, else 15; to be verified against the source",
    basis=Basis.GUIDELINE,
    severity=Severity.IMPORTANT,
    category="SAFETY_REPORTING",
    reads=(AdverseEvent,),
    clocked=True,
)
def susar_submitted_in_time(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """A serious, unexpected reaction possibly related to ssCART-19 is submitted within its days of the site's
    awareness; one not submitted breaks the rule as soon as they have passed. While it is not known whether a serious
    event is one, or when the site became aware, the rule cannot tell."""
    for event in book.of(AdverseEvent):
        susar = is_susar(event, protocol)
        if event.serious is not True or susar is False:
            continue
        if susar is None or event.sae_aware_dt is None:
            yield _open(event, susar)
            continue
        days = days_to_submit(event, protocol)
        due = susar_ends(event, protocol)
        if (event.susar_submitted_dt or book.now) > due:
            yield _late(book, event, days, clock(due, book.zone))


def _late(book: Casebook, event: Any, days: int, due: str) -> Finding:
    done = event.susar_submitted_dt
    said_en = f"submitted {clock(done, book.zone)}" if done else "not submitted yet"
    said_zh = f"递交于 {clock(done, book.zone)}" if done else "尚未递交"
    aware = clock(event.sae_aware_dt, book.zone)
    return Finding(
        key=f"adverse_event:{event.pk}",
        en=f"SUSAR: the site became aware on {aware}, due {due}, {said_en}.",
        zh=f"SUSAR:研究中心获知于 {aware},应于 {due} 前递交,{said_zh}。",
        form=FORM,
        record=event.pk,
        field="susar_submitted_dt",
        facts=facts(FORM, event, "sae_aware_dt", "susar_submitted_dt", "sae_criteria"),
        limit=f"≤ {days} d",
    )


def _open(event: Any, susar: bool | None) -> Finding:
    why = (
        ("relation to ssCART-19 or expectedness is not entered", "未填写与 ssCART-19 的相关性或是否预期")
        if susar is None
        else ("the time of awareness is not entered", "未填写获知时间")
    )
    return Finding(
        key=f"adverse_event:{event.pk}",
        en=f"Whether this serious event had to be submitted as a SUSAR in time cannot be told: {why[0]}.",
        zh=f"无法判定该严重不良事件是否须作为 SUSAR 按时递交:{why[1]}。",
        form=FORM,
        record=event.pk,
        field="expected" if susar is None else "sae_aware_dt",
        facts=facts(FORM, event, "serious", "expected", "rel_sscart19", "sae_aware_dt"),
        pending=True,
    )
