"""DV-51 and DV-52: visits in their windows; a visit nobody entered breaks the rule when its window closes."""

from collections.abc import Iterator
from typing import Any

from dosing.models import Apheresis, Infusion, Lymphodepletion
from safety.calendar import ASKS, READS, window_of, windows
from safety.casebook import Casebook
from trial.codes import MISSING
from trial.item import Basis, items
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from visits.models import Visit
from visits.schedule import in_window, visit_of


def _severity(code: str, protocol: Protocol) -> Severity:
    return Severity.MAJOR if code in protocol.critical_visits.value else Severity.MINOR


@rule(
    "DV-51",
    en="Visit out of window",
    zh="访视超窗",
    cites="Clinical specification, section 5 (default windows)",
    basis=Basis.DEFAULT,
    severity=Severity.MINOR,
    category="VISIT_WINDOW",
    reads=(Visit, Infusion, *READS),
    asks=ASKS,
)
def visit_within_window(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """A visit takes place within its window, both ends included, on the calendar of the site."""
    for row in book.of(Visit):
        window = window_of(book, row.visit)
        if window is None or in_window(window, row.actual_date) is not False:
            continue
        name = visit_of(row.visit)
        assert name is not None
        yield Finding(
            key=f"visit:{row.visit}",
            en=f"{name.en} on {row.actual_date}, outside its window {window.low} to {window.high}.",
            zh=f"{name.zh}实际日期 {row.actual_date},超出窗口 {window.low} 至 {window.high}。",
            form="visit",
            record=row.pk,
            field="actual_date",
            facts=(Fact("visit", row.pk, "actual_date", str(row.actual_date)),),
            limit=f"{window.low} – {window.high}",
            severity=_severity(row.visit, protocol),
        )


@rule(
    "DV-52",
    en="Visit missed",
    zh="访视缺失",
    cites="Clinical specification, section 5 (default windows)",
    basis=Basis.DEFAULT,
    severity=Severity.MINOR,
    category="VISIT_WINDOW",
    reads=(Visit, Infusion, Apheresis, Lymphodepletion, *READS),
    clocked=True,
)
def visit_not_missed(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """An expected visit has taken place by the end of its window; a visit recorded as not done is a missed one."""
    entered = {row.visit: row for row in book.every(Visit)}
    for code, window in windows(book).items():
        row = entered.get(code)
        if row is not None and row.actual_date is not None:
            continue
        if not window.expected or window.high is None or book.today <= window.high:
            continue
        name, why = visit_of(code), _reason(row)
        assert name is not None
        yield Finding(
            key=f"visit:{code}",
            en=f"{name.en}: no visit by the end of its window, {window.high}"
            + (f" ({why[0]})." if why[0] else "."),
            zh=f"{name.zh}:窗口截止日 {window.high} 前无访视记录" + (f"({why[1]})。" if why[1] else "。"),
            form="visit",
            record=row.pk if row is not None else None,
            field="actual_date",
            facts=(Fact("visit", row.pk if row is not None else None, "actual_date", ""),),
            limit=f"≤ {window.high}",
            severity=_severity(code, protocol),
        )


def _reason(row: Any | None) -> tuple[str, str]:
    """Why a visit did not take place, as far as it was recorded."""
    if row is None:
        return "", ""
    field = "missed_reason" if row.missed_reason else "not_done_reason"
    codes = MISSING if field == "not_done_reason" else items(Visit)[field].codes
    return codes.words(getattr(row, field)) if codes else ("", "")
