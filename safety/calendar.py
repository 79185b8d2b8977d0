"""A subject's anchors and visit windows, read from the casebook."""

from datetime import date, timedelta

from dosing.models import Apheresis, Lymphodepletion
from safety.casebook import Casebook
from subjects.crf import CRF
from subjects.models import Death, Eligibility, EndOfStudy, InformedConsent
from trial.dates import span_of
from visits.schedule import Anchors, VisitWindow, visit_windows

READS: tuple[type[CRF], ...] = (InformedConsent, Eligibility, Apheresis, Lymphodepletion, Death, EndOfStudy)


def anchors(book: Casebook) -> Anchors:
    """The days from which the visits count; None where the casebook does not know them."""
    return Anchors(
        icf=book.consent_day,
        enrol=enrolment_day(book),
        apheresis=_first_apheresis(book),
        planned_d0=_planned_day0(book),
        d0=book.day0,
        death_or_withdrawal=left_on(book),
    )


def windows(book: Casebook) -> dict[str, VisitWindow]:
    """The window of every visit of the schedule by its code."""
    return book.once(_windows)


def _windows(book: Casebook) -> dict[str, VisitWindow]:
    return {window.code: window for window in visit_windows(anchors(book))}


def enrolment_day(book: Casebook) -> date | None:
    """The day the subject was enrolled: the first eligibility assessment found ELIGIBLE, else Day 0."""
    days = [e.assessed_date for e in book.of(Eligibility) if e.overall == "ELIGIBLE" and e.assessed_date]
    return min(days, default=book.day0)


def _first_apheresis(book: Casebook) -> date | None:
    return min((day for a in book.of(Apheresis) if (day := book.day(a.aph_start_dt))), default=None)


def _planned_day0(book: Casebook) -> date | None:
    """The planned Day 0 that the first lymphodepletion dose implies: its own day less its planned (negative) day."""
    given = [r for r in book.of(Lymphodepletion) if r.admin_dt and r.planned_day is not None]
    if not given:
        return None
    first = min(given, key=lambda r: r.admin_dt)
    day = book.day(first.admin_dt)
    assert day is not None and first.planned_day is not None
    return day - timedelta(days=first.planned_day)


def left_on(book: Casebook) -> date | None:
    """The day after which nothing is expected: death, full withdrawal, or end of study, whichever came first."""
    days = [when.last for d in book.of(Death) if (when := span_of(d.death_date, book.zone))]
    days += [e.date for e in book.of(EndOfStudy) if e.phase == "STUDY" and e.date]
    days += [
        day
        for c in book.of(InformedConsent)
        if c.consent_type == "WITHDRAWAL"
        and "ASSESSMENTS" in c.withdrawal_scope
        and (day := book.day(c.consent_dt))
    ]
    return min(days, default=None)
