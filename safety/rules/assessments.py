"""DV-53 and DV-56: what a visit asks for was done; CRS and ICANS were graded every day."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from dosing.models import Infusion
from safety.calendar import READS, left_on, schedule, windows
from safety.casebook import Casebook
from safety.content import Entry
from safety.forms import FORM
from safety.rules.evidence import facts, named
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from visits.models import CrsAssessment, IcansAssessment, Visit
from visits.schedule import VisitWindow


@rule(
    "DV-53",
    en="Required assessment missing at a visit",
    zh="访视缺少必需的检查或评估",
    cites="Clinical specification, section 5 (default schedule)",
    basis=Basis.DEFAULT,
    severity=Severity.MINOR,
    category="PROCEDURE",
    reads=(Visit, Infusion, *READS),
    clocked=True,
)
def required_assessments_done(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Every form that the schedule requires at a visit that took place is filled in by the end of the visit's window,
    or of the day of the visit where that came later; a form marked as not done is missing. A missed visit is no
    matter of this rule."""
    present = _present(book)
    expected, visits = windows(book), schedule(book).by_code
    for row in book.of(Visit):
        window, visit = expected.get(row.visit), visits.get(row.visit)
        if window is None or visit is None or row.actual_date is None or not window.expected:
            continue
        for form in window.asked(visit.forms):
            there = present.get((form, row.visit if _of_a_visit(form) else ""))
            if there is None and book.today > max(window.high or row.actual_date, row.actual_date):
                yield _absent(row, form, window, protocol)
            elif there is not None and there.not_done:
                yield _not_done(row, there, protocol)


def _of_a_visit(form: str) -> bool:
    return FORM[form].repeats in ("visit", "rows")


def _present(book: Casebook) -> dict[tuple[str, str], Entry]:
    """Form and visit ("" where a form is filled in once a study) to a record, one with answers where there is one."""
    found: dict[tuple[str, str], Entry] = {}
    for one in book.entries:
        key = (one.form, one.visit if _of_a_visit(one.form) else "")
        if key not in found or found[key].not_done:
            found[key] = one
    return found


def _weight(form: str, visit: str, protocol: Protocol) -> Severity:
    critical = form in protocol.critical_forms.value and visit in protocol.critical_visits.value
    return Severity.MAJOR if critical else Severity.MINOR


def _absent(row: Any, form: str, window: VisitWindow, protocol: Protocol) -> Finding:
    name = named(FORM[form])
    return Finding(
        key=f"{row.visit}:{form}",
        en=f"{name['en']} is missing at {row.visit} ({row.actual_date}); the visit's window ended on {window.high}.",
        zh=f"{row.visit}({row.actual_date})缺少{name['zh']};访视窗口已于 {window.high} 结束。",
        form="visit",
        record=row.pk,
        field="actual_date",
        facts=facts("visit", row, "visit", "actual_date"),
        limit=form,
        severity=_weight(form, row.visit, protocol),
    )


def _not_done(row: Any, there: Entry, protocol: Protocol) -> Finding:
    name = named(FORM[there.form])
    return Finding(
        key=f"{row.visit}:{there.form}",
        en=f"{name['en']} was not done at {row.visit} ({row.actual_date}).",
        zh=f"{row.visit}({row.actual_date})未进行{name['zh']}。",
        form=there.form,
        record=there.record,
        field="not_done",
        facts=(
            Fact(there.form, there.record, "not_done", str(there.not_done)),
            *facts("visit", row, "actual_date"),
        ),
        limit=there.form,
        severity=_weight(there.form, row.visit, protocol),
    )


@rule(
    "DV-56",
    en="CRS or ICANS not graded on a day",
    zh="CRS 或 ICANS 未每日评估",
    cites="Clinical specification, DV-56 and schedule (default: daily from Day 0 to Day 14)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PROCEDURE",
    reads=(CrsAssessment, IcansAssessment, Visit, Infusion, *READS),
    clocked=True,
)
def toxicity_graded_daily(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """On every day of the hospital stay, from Day 0 to the last of daily grading that is over at the site, CRS and
    ICANS were assessed, unless the subject had died or left by then. A day whose visit is recorded as not having taken
    place for a reason that lies in the subject's absence is none of the stay. An assessment without its time at that
    day's visit leaves it open, and so does a reason that does not say whether the subject was there."""
    if book.day0 is None:
        return
    first, last = protocol.daily_grading_days.value
    left, away = left_on(book), _missed(book, protocol.absence_reasons.value)
    unclear = _missed(book, protocol.absence_open_reasons.value)
    graded: tuple[Any, ...] = (CrsAssessment, IcansAssessment)
    for form in graded:
        rows: Sequence[Any] = book.of(form)
        assessed = {book.day(row.assess_dt) for row in rows if row.assess_dt is not None}
        for n in range(first, last + 1):
            day = book.day0 + timedelta(days=n)
            if day >= book.today or (left is not None and day >= left):
                break
            if day not in assessed and f"D{n}" not in away:
                undated = next((r for r in rows if r.assess_dt is None and r.visit == f"D{n}"), None)
                yield _ungraded(book, form.form, n, day, undated, unclear.get(f"D{n}"))


def _missed(book: Casebook, reasons: Sequence[str]) -> dict[str, Any]:
    """The visits that did not take place for one of these reasons; that they were missed is DV-52."""
    rows = book.every(Visit)
    return {row.visit: row for row in rows if (row.missed_reason or row.not_done_reason) in reasons}


def _ungraded(
    book: Casebook, form: str, n: int, day: date, undated: Any | None, missed: Any | None
) -> Finding:
    name, infusion = named(FORM[form]), book.infusions[0]
    why = (
        ("its time is not entered", "未填写评估时间")
        if undated is not None
        else (
            "no assessment is recorded, and the reason of the missed visit does not say whether the subject was in hospital",
            "无评估记录,且未访视原因未说明受试者当时是否在院",
        )
        if missed is not None
        else ("no assessment is recorded", "无评估记录")
    )
    reason = facts("visit", missed, "missed_reason", "not_done_reason") if missed is not None else ()
    return Finding(
        key=f"{form}:D{n}",
        en=f"{name['en']} of Day {n} ({day}): {why[0]}.",
        zh=f"第 {n} 天({day}){name['zh']}:{why[1]}。",
        form=form if undated is not None else "infusion",
        record=undated.pk if undated is not None else infusion.pk,
        field="assess_dt" if undated is not None else "inf_start_dt",
        facts=(*facts("infusion", infusion, "inf_start_dt"), *reason),
        limit=str(day),
        pending=undated is not None or missed is not None,
    )
