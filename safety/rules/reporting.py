"""DV-59: a serious adverse event reaches the sponsor within 24 hours; the clock itself can break it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from safety.adverse_events import AdverseEvent
from safety.casebook import Casebook
from safety.rules.evidence import clock, facts
from trial.item import Basis
from trial.jurisdiction import after_hours
from trial.protocol import Protocol
from trial.rules import Finding, Severity, rule

FORM = "adverse_event"


@rule(
    "DV-59",
    en="Serious adverse event reported late",
    zh="严重不良事件报告延迟",
    cites="GCP (ICH E2A); clinical specification, DV-59: within 24 h of the site's awareness",
    basis=Basis.GUIDELINE,
    severity=Severity.IMPORTANT,
    category="SAFETY_REPORTING",
    reads=(AdverseEvent,),
    clocked=True,
)
def sae_reported_in_time(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """A serious adverse event is reported to the sponsor within 24 hours of the site's awareness; one not reported
    breaks the rule as soon as the hours have passed. While it is not known when the site became aware, the rule cannot
    tell."""
    hours = protocol.sae_report_hours.value
    for event in book.of(AdverseEvent):
        if event.serious is not True:
            continue
        if event.sae_aware_dt is None:
            yield _open(event, hours)
            continue
        due = after_hours(event.sae_aware_dt, hours)
        if (event.sae_report_dt or book.now) > due:
            yield _late(book, event, due, hours)


def _late(book: Casebook, event: Any, due: datetime, hours: int) -> Finding:
    reported, aware, until = event.sae_report_dt, clock(event.sae_aware_dt, book.zone), clock(due, book.zone)
    late_en = f"reported {clock(reported, book.zone)}" if reported else "not reported yet"
    late_zh = f"报告于 {clock(reported, book.zone)}" if reported else "尚未报告"
    return Finding(
        key=f"{FORM}:{event.pk}",
        en=f"Serious adverse event: aware {aware}, due {until}, {late_en}.",
        zh=f"严重不良事件:获知于 {aware},应于 {until} 前报告,{late_zh}。",
        form=FORM,
        record=event.pk,
        field="sae_report_dt",
        facts=facts(FORM, event, "sae_aware_dt", "sae_report_dt"),
        limit=f"≤ {hours} h",
    )


def _open(event: Any, hours: int) -> Finding:
    return Finding(
        key=f"{FORM}:{event.pk}",
        en="Whether this serious adverse event was reported in time cannot be told: the time of awareness is not entered.",
        zh="无法判定该严重不良事件是否按时报告:未填写获知时间。",
        form=FORM,
        record=event.pk,
        field="sae_aware_dt",
        facts=facts(FORM, event, "serious", "sae_aware_dt", "sae_report_dt"),
        limit=f"≤ {hours} h",
        pending=True,
    )
