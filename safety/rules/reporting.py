"""DV-59: a serious adverse event reaches the sponsor within 24 hours; the clock itself can break it."""

from collections.abc import Iterator
from datetime import timedelta

from safety.adverse_events import AdverseEvent
from safety.casebook import Casebook
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule


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
    breaks the rule as soon as the hours have passed."""
    hours = protocol.sae_report_hours.value
    for event in book.of(AdverseEvent):
        if event.serious is not True or event.sae_aware_dt is None:
            continue
        due = event.sae_aware_dt + timedelta(hours=hours)
        reported = event.sae_report_dt
        if (reported or book.now) <= due:
            continue
        late_en = f"reported {reported:%Y-%m-%d %H:%M %Z}" if reported else "not reported yet"
        late_zh = f"报告于 {reported:%Y-%m-%d %H:%M %Z}" if reported else "尚未报告"
        yield Finding(
            key=f"adverse_event:{event.pk}",
            en=f"Serious adverse event: aware {event.sae_aware_dt:%Y-%m-%d %H:%M %Z}, due {due:%Y-%m-%d %H:%M %Z}, {late_en}.",
            zh=f"严重不良事件:获知于 {event.sae_aware_dt:%Y-%m-%d %H:%M %Z},应于 {due:%Y-%m-%d %H:%M %Z} 前报告,{late_zh}。",
            form="adverse_event",
            record=event.pk,
            field="sae_report_dt",
            facts=(
                Fact("adverse_event", event.pk, "sae_aware_dt", event.sae_aware_dt.isoformat()),
                Fact("adverse_event", event.pk, "sae_report_dt", reported.isoformat() if reported else ""),
            ),
            limit=f"≤ {hours} h",
        )
