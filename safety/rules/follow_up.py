"""DV-63 and DV-64: contact in the long-term follow-up, and the closed casebook."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from dosing.models import Infusion
from safety.calendar import READS, left_on, windows
from safety.casebook import Casebook
from safety.forms import FORM
from safety.rules.evidence import facts, named
from subjects.models import EndOfStudy
from trial.dates import add_months
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from visits.models import SurvivalLtfu


@rule(
    "DV-63",
    en="No contact in the long-term follow-up",
    zh="长期随访期间缺少联系",
    cites="FDA, long-term follow-up after gene therapy (2020): yearly; to be verified against the source",
    basis=Basis.GUIDELINE,
    severity=Severity.MINOR,
    category="VISIT_WINDOW",
    reads=(SurvivalLtfu, Infusion, *READS),
    clocked=True,
)
def long_term_contact_kept(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """From the beginning of the long-term follow-up to its last visit no more than the permitted months pass from one
    contact to the next, or to today, unless the subject died or left the study. Counting starts with the last contact
    before the long-term follow-up, else with its beginning. Who was lost to follow-up that day was not reached."""
    if book.day0 is None:
        return
    months = protocol.ltfu_contact_months.value
    begins = add_months(book.day0, protocol.ltfu_from_months.value)
    ends = _ends(book)
    if ends <= begins:
        return
    reached = (c for c in book.of(SurvivalLtfu) if c.contact_date and c.vital_status != "LOST")
    dated = sorted(reached, key=lambda c: c.contact_date)
    days = [c.contact_date for c in dated if c.contact_date <= ends]
    before = bisect_right(days, begins)
    for one, two in pairwise([days[before - 1] if before else begins, *days[before:], ends]):
        if add_months(one, months) < two:
            yield _silent(book, dated, one, two if two in days else None, months)


def _ends(book: Casebook) -> date:
    """The day up to which contact is owed: today, the end, or the last day of the last visit."""
    last = max(w.high for w in windows(book).values() if w.high is not None)
    return min(day for day in (book.today, last, left_on(book)) if day is not None)


def _silent(book: Casebook, dated: list[Any], since: date, until: date | None, months: int) -> Finding:
    contact = next((c for c in dated if c.contact_date == since), None)
    form, row, field = (
        ("infusion", book.infusions[0], "inf_start_dt")
        if contact is None
        else ("survival_ltfu", contact, "contact_date")
    )
    then = (
        (f"the next was on {until}", f"下次联系为 {until}")
        if until
        else ("there was none since", "此后无联系")
    )
    return Finding(
        key=f"since:{since}",
        en=f"Long-term follow-up: contact was due within {months} months of {since}, by {add_months(since, months)}; "
        f"{then[0]}.",
        zh=f"长期随访:自 {since} 起 {months} 个月内(不晚于 {add_months(since, months)})应有联系;{then[1]}。",
        form=form,
        record=row.pk,
        field=field,
        facts=facts(form, row, field),
        limit=f"≤ {months} mo",
    )


@rule(
    "DV-64",
    en="Changed after lock, or casebook not signed at closeout",
    zh="锁定后修改,或结束时病例报告表未签名",
    cites="Clinical specification, DV-64; 21 CFR Part 11",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="DATA",
    reads=(EndOfStudy,),
)
def closed_casebook_signed_and_unchanged(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """No answer of a record changes once it was locked, whatever its lock is now. When the end of the study is
    recorded, the investigator signs that record as reviewed; unsigned it leaves the rule open while the record can
    still be signed, and breaks it once the record is frozen or locked."""
    for one in book.entries:
        kept = book.versions.get(one.record)
        if kept is not None and kept.changed_after_lock:
            name = named(FORM[one.form])
            yield Finding(
                key=f"changed:{one.record}",
                en=f"{name['en']} was changed (version {kept.content}) after it had been locked (version {kept.locked}).",
                zh=f"{name['zh']}锁定(版本 {kept.locked})后被修改(版本 {kept.content})。",
                form=one.form,
                record=one.record,
                field="lock_state",
                facts=(Fact(one.form, one.record, "lock_state", one.lock_state),),
                limit=f"≤ {kept.locked}",
            )
    for row in book.of(EndOfStudy):
        if row.phase == "STUDY" and book.signed(row, "REVIEW", "investigator") is None:
            yield _unsigned(row)


def _unsigned(row: Any) -> Finding:
    open_ = row.lock_state == "OPEN"
    said = (
        ("has not signed it yet", "尚未签名")
        if open_
        else ("did not sign it before it was locked", "锁定前未签名")
    )
    return Finding(
        key=f"unsigned:{row.pk}",
        en=f"The end of the study is recorded ({row.date or '?'}); the investigator {said[0]}.",
        zh=f"已记录研究结束({row.date or '?'});研究者{said[1]}。",
        form="end_of_study",
        record=row.pk,
        field="phase",
        facts=facts("end_of_study", row, "phase", "date", "lock_state"),
        limit="REVIEW",
        pending=open_,
    )
