"""DV-49: dose-limiting toxicity is judged, and the judgement signed, soon after its window."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from dosing.models import Infusion
from safety.adverse_events import DltAssessment
from safety.casebook import Casebook
from safety.rules.evidence import facts
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule


@rule(
    "DV-49",
    en="Assessment of dose-limiting toxicity missing",
    zh="剂量限制性毒性评价缺失",
    cites="Clinical specification, DV-49 and 7.6 (default window)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PROCEDURE",
    reads=(DltAssessment, Infusion),
    clocked=True,
)
def limiting_toxicity_assessed(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Some days after the window of dose-limiting toxicity at the latest, its assessment is complete and signed; one
    signed later breaks the rule as well. A correction is signed again, and what was signed in time stays in time. A
    subject who died or left is assessed all the same."""
    if book.day0 is None:
        return
    due = book.day0 + timedelta(days=protocol.dlt_window_days.value + protocol.dlt_report_days.value)
    if book.today <= due:
        return
    row = next((d for d in book.of(DltAssessment) if d.evaluable), None)
    signed = [_signed_at(book, row, role) for role in protocol.dlt_signing_roles.value]
    if all(moment is not None and (book.day(moment) or due) <= due for moment in signed):
        return
    late = all(moment is not None for moment in signed)
    state = (
        ("there is none", "尚无评价")
        if row is None
        else ("it was signed late", "签名迟于截止日")
        if late
        else ("its signature is missing", "缺少签名")
    )
    infusion = book.infusions[0]
    seen: tuple[Fact, ...] = facts("infusion", infusion, "inf_start_dt")
    if row is not None:
        seen = (*seen, *facts("dlt_assessment", row, "evaluable", "any_dlt"))
    yield Finding(
        key="assessment",
        en=f"The signed assessment of dose-limiting toxicity was due on {due}; {state[0]}.",
        zh=f"经签名的剂量限制性毒性评价应于 {due} 前完成;{state[1]}。",
        form="dlt_assessment" if row is not None else "infusion",
        record=row.pk if row is not None else infusion.pk,
        field="evaluable" if row is not None else "inf_start_dt",
        facts=seen,
        limit=f"≤ {due}",
    )


def _signed_at(book: Casebook, row: DltAssessment | None, role: str) -> datetime | None:
    """When this role first signed the assessment; None while no signature of it stands for the answers as they are."""
    if row is None or book.signed(row, "DLT", role) is None:
        return None
    given = (s for s in book.signatures if (s.record_id, s.meaning, s.role) == (row.pk, "DLT", role))
    first: datetime = min(s.signed_at for s in given)
    return first
