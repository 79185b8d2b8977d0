"""DV-05: a new version of the consent form is signed in time; the clock itself can break it."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from safety.calendar import READS as CALENDAR
from safety.calendar import active_until
from safety.casebook import Casebook
from safety.milestones import READS, enrolment
from subjects.models import InformedConsent
from trial.item import Basis
from trial.models import IcfVersion
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule

_SIGNING = ("INITIAL", "RECONSENT")


@rule(
    "DV-05",
    en="Re-consent overdue",
    zh="重新签署知情同意逾期",
    cites="Clinical specification, DV-05 (default period)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="CONSENT",
    reads=tuple(dict.fromkeys((*READS, *CALENDAR))),
    clocked=True,
)
def consented_again_in_time(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """A subject who is enrolled and has not left signs a version of the consent form that was approved for the site
    after the first consent, or a later one, within the days from its approval. A version that was replaced before it
    fell due need not be signed; a signature without a date, version or signer is pending."""
    first, days = book.consent_day, protocol.reconsent_days.value
    if first is None:
        return
    versions = sorted(book.site.icf_versions, key=lambda one: one.irb_approval_date)
    for version in versions:
        due = version.irb_approval_date + timedelta(days=days)
        if version.irb_approval_date > first and _owed(book, version, due):
            yield from _overdue(book, version, versions, due, days)


def _owed(book: Casebook, version: IcfVersion, due: date) -> bool:
    """Whether the version had to be signed by a day that has passed: still in force, the subject enrolled and here."""
    reached, left = enrolment(book), active_until(book)
    here = reached is not None and reached.day <= due and (left is None or left > due)
    replaced = version.valid_to is not None and version.valid_to < due
    return here and not replaced and book.today > due


def _overdue(
    book: Casebook, version: IcfVersion, versions: list[IcfVersion], due: date, days: int
) -> Iterator[Finding]:
    if any(one.irb_approval_date <= due for one in versions[versions.index(version) + 1 :]):
        return
    labels = {one.label for one in versions[versions.index(version) :]}
    rows = [row for row in book.of(InformedConsent) if row.consent_type in _SIGNING]
    signed = [row for row in rows if row.icf_version in labels and row.signed_by_subject and row.consent_dt]
    if any(_by(book, row, due) for row in signed):
        return
    unclear = [row for row in rows if _unclear(row, labels) and (not row.consent_dt or _by(book, row, due))]
    late = min(signed, key=lambda row: row.consent_dt, default=None)
    yield _finding(
        book, version, due, days, late or next(iter(unclear), book.initial_consent), late, bool(unclear)
    )


def _by(book: Casebook, row: Any, due: date) -> bool:
    day = book.day(row.consent_dt)
    return day is not None and day <= due


def _unclear(row: Any, labels: set[str]) -> bool:
    """Whether a renewed consent may be one to this version, were it complete."""
    may_be = not row.icf_version or row.icf_version in labels
    open_ = not row.icf_version or not row.consent_dt or row.signed_by_subject is None
    return row.consent_type == "RECONSENT" and may_be and open_ and row.signed_by_subject is not False


def _finding(
    book: Casebook, version: IcfVersion, due: date, days: int, row: Any, late: Any | None, unclear: bool
) -> Finding:
    asked_en = f"Version “{version.label}” was approved on {version.irb_approval_date}; to be signed by {due}"
    asked_zh = f"知情同意书版本“{version.label}”于 {version.irb_approval_date} 获批准,应于 {due} 前重新签署"
    if unclear:
        said = ("a renewed consent is not complete.", "有一份重新签署记录不完整。")
    elif late is not None:
        said = (f"signed on {book.day(late.consent_dt)}.", f"实际签署于 {book.day(late.consent_dt)}。")
    else:
        said = ("not signed.", "尚未签署。")
    signed_at = row.consent_dt.isoformat() if row.consent_dt else ""
    return Finding(
        key=f"version:{version.label}",
        en=f"{asked_en}: {said[0]}",
        zh=f"{asked_zh}:{said[1]}",
        form="informed_consent",
        record=row.pk,
        field="consent_dt" if row.icf_version == version.label else "icf_version",
        facts=(
            Fact("informed_consent", row.pk, "icf_version", row.icf_version),
            Fact("informed_consent", row.pk, "consent_dt", signed_at),
        ),
        limit=f"≤ {days} d; {due}",
        pending=unclear,
    )
