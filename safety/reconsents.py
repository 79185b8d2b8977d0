"""Who has to sign a new version of the consent form, by when: the list behind DV-05."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from safety.binding import binding
from safety.calendar import READS as CALENDAR
from safety.calendar import active_until
from safety.casebook import Casebook
from safety.milestones import READS as MILESTONES
from safety.milestones import enrolment
from subjects.crf import CRF
from subjects.models import InformedConsent

__all__ = ["READS", "Due", "due", "due_of"]
READS: tuple[type[CRF], ...] = tuple(dict.fromkeys((*MILESTONES, *CALENDAR)))


@dataclass(frozen=True)
class Due:
    """A subject who takes part and has not signed the newest approved version. `overdue` on the site's day."""

    subjid: str
    signed: str
    version: str
    protocol_version: str
    approved: date
    by: date
    overdue: bool


def due(books: Iterable[Casebook]) -> list[Due]:
    """Everybody who has to sign again, the most urgent first."""
    found = [one for book in books for one in due_of(book)]
    return sorted(found, key=lambda one: (one.by, one.subjid))


def due_of(book: Casebook) -> Iterator[Due]:
    """The newest version, approved after the subject's first consent and not signed, if the subject still takes part. Who
    signed an older version again after the approval has not signed it."""
    reached, left = enrolment(book), active_until(book)
    if reached is None or (left is not None and left <= book.today):
        return
    versions = [v for v in book.site.icf_versions if v.irb_approval_date <= book.today]
    newest = max(versions, key=lambda v: v.irb_approval_date, default=None)
    rows = [
        c for c in book.of(InformedConsent) if c.consent_type in ("INITIAL", "RECONSENT") and c.consent_dt
    ]
    signed = [c for c in rows if c.signed_by_subject]
    last = max(signed, key=lambda c: c.consent_dt, default=None)
    if newest is None or last is None or any(c.icf_version == newest.label for c in signed):
        return
    if book.consent_day is None or book.consent_day >= newest.irb_approval_date:
        return
    by = newest.irb_approval_date + timedelta(days=binding(book).reconsent_days.value)
    yield Due(
        book.subjid,
        last.icf_version,
        newest.label,
        newest.protocol_version,
        newest.irb_approval_date,
        by,
        book.today > by,
    )
