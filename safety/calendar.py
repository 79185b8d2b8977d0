"""A subject's anchors and visit windows, read from the casebook.

Of a death that is known only by its month or year, nothing is expected from the last day on which the subject surely lived:
what was due later may have been due to nobody. A rule that depends on such a day is pending (safety/completions.py).
"""

from datetime import date, timedelta
from typing import Any

from dosing.models import Apheresis, Infusion, Lymphodepletion
from safety.binding import binding
from safety.casebook import Casebook
from safety.milestones import found_eligible
from subjects.crf import CRF
from subjects.models import Death, Eligibility, EndOfStudy, InformedConsent
from trial.dates import Span, span_of
from trial.rules import Asks
from visits.models import SurvivalLtfu, Visit
from visits.schedule import Anchors, Schedule, VisitWindow, schedule_of, visit_window, visit_windows

READS: tuple[type[CRF], ...] = (
    *(InformedConsent, Eligibility, Apheresis, Lymphodepletion, Death, EndOfStudy, SurvivalLtfu),
)
ASKS: Asks = {
    InformedConsent: ("consent_type", "consent_dt", "signed_by_subject", "withdrawal_scope"),
    Eligibility: ("overall", "assessed_date"),
    Apheresis: ("aph_start_dt",),
    Lymphodepletion: ("admin_dt", "planned_day"),
    Infusion: ("inf_start_dt",),
    Visit: ("visit", "actual_date"),
    SurvivalLtfu: ("last_known_alive", "vital_status", "contact_date"),
    Death: ("death_date",),
    EndOfStudy: ("phase", "date"),
}
"""What anchors and windows ask of the forms."""


def anchors(book: Casebook) -> Anchors:
    """The days from which the visits count; None where the casebook does not know them.

    Enrolment counts from the checklist that found the subject eligible: without one no day is expected after it.
    """
    return book.once(_anchors)


def _anchors(book: Casebook) -> Anchors:
    decided = found_eligible(book)
    return Anchors(
        icf=book.consent_day,
        enrol=decided.day if decided is not None else None,
        apheresis=_first_apheresis(book),
        planned_d0=planned_day0(book),
        d0=book.day0,
        death_or_withdrawal=left_on(book),
        survival_only=_withdrew(book, "ASSESSMENTS"),
    )


def schedule(book: Casebook) -> Schedule:
    """The schedule of the protocol version that binds the subject."""
    return schedule_of(binding(book).version)


def windows(book: Casebook) -> dict[str, VisitWindow]:
    """The window of every visit of the subject's schedule by its code."""
    return book.once(_windows)


def window_of(book: Casebook, code: str) -> VisitWindow | None:
    """The window of one visit by its code; None for a code that the subject's schedule does not name."""
    if _windows in book.kept:
        return windows(book).get(code)
    planned = schedule(book).by_code.get(code)
    return None if planned is None else visit_window(planned, anchors(book))


def _windows(book: Casebook) -> dict[str, VisitWindow]:
    return {window.code: window for window in visit_windows(anchors(book), schedule(book))}


def _first_apheresis(book: Casebook) -> date | None:
    return min((day for a in book.of(Apheresis) if (day := book.day(a.aph_start_dt))), default=None)


def first_depletion(book: Casebook) -> Any | None:
    """The first lymphodepletion dose that says on which day before the infusion it was planned."""
    given = [r for r in book.of(Lymphodepletion) if r.admin_dt and r.planned_day is not None]
    return min(given, key=lambda r: r.admin_dt, default=None)


def planned_day0(book: Casebook) -> date | None:
    """The planned Day 0 that the first lymphodepletion dose implies: its own day less its planned (negative) day."""
    first = first_depletion(book)
    if first is None:
        return None
    day = book.day(first.admin_dt)
    assert day is not None
    return day - timedelta(days=first.planned_day)


def seen_alive(book: Casebook) -> list[date]:
    """The days on which the subject is known to have been alive: visits, infusions and contacts."""
    days = [row.actual_date for row in book.of(Visit) if row.actual_date]
    days += [day for row in book.infusions if (day := book.day(row.inf_start_dt))]
    for row in book.of(SurvivalLtfu):
        if row.last_known_alive:
            days.append(row.last_known_alive)
        elif row.vital_status == "ALIVE" and row.contact_date:
            days.append(row.contact_date)
    return days


def died(book: Casebook, death: Any) -> Span | None:
    """The days a death could be: as far as its date is known, and not before the subject was last seen alive."""
    when = span_of(death.death_date, book.zone)
    if when is None or when.known:
        return when
    alive = (day for day in seen_alive(book) if day <= when.last)
    return Span(max((when.first, *alive)), when.last)


def left_on(book: Casebook) -> date | None:
    """The day after which nothing is expected: death (the first day it could be), end of study, or the withdrawal of
    survival follow-up as well as of assessments, whichever came first."""
    days = [when.first for d in book.of(Death) if (when := died(book, d))]
    days += [e.date for e in book.of(EndOfStudy) if e.phase == "STUDY" and e.date]
    assessments, survival = _withdrew(book, "ASSESSMENTS"), _withdrew(book, "SURVIVAL_FU")
    if assessments and survival:
        days.append(max(assessments, survival))
    return min(days, default=None)


def _withdrew(book: Casebook, scope: str) -> date | None:
    """The first day on which consent to this was withdrawn."""
    days = (
        book.day(c.consent_dt)
        for c in book.of(InformedConsent)
        if c.consent_type == "WITHDRAWAL" and scope in c.withdrawal_scope
    )
    return min((day for day in days if day), default=None)


def active_until(book: Casebook) -> date | None:
    """The day the subject left treatment and follow-up by visits: death, end of study, withdrawal from assessments."""
    known = (left_on(book), _withdrew(book, "ASSESSMENTS"))
    return min((day for day in known if day), default=None)
