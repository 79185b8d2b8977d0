"""Time to event: overall survival, progression-free survival and duration of response, with why one was censored.

Days are the difference of dates plus one. Survival and progression-free survival start with the infusion, duration
of response with the first remission. Whatever lies after the cut-off is not known yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from trial.item import Basis
from trial.protocol import Protocol

BASIS = Basis.GUIDELINE
CITATION = (
    "Conventional definitions; how new therapy, transplant and no response count is an illustrative default"
)


class Reason(StrEnum):
    """Why a time ends."""

    DEATH = "DEATH"
    PROGRESSION = "PROGRESSION"
    NO_RESPONSE = "NO_RESPONSE"
    NEW_THERAPY = "NEW_THERAPY"
    TRANSPLANT = "TRANSPLANT"
    NO_ASSESSMENT = "NO_ASSESSMENT"
    NO_EVENT = "NO_EVENT"
    CUT_OFF = "CUT_OFF"


@dataclass(frozen=True)
class Course:
    """The dates of one subject. `assessments` are adequate assessments of the disease.

    relapse       the first relapse or progression since the first response, where the disease had progressed before it
    new_therapy   anti-leukaemia therapy started without relapse; a transplant in remission stands in `transplant`
    no_response   the M3 assessment at which there was no remission, where the protocol counts it
    """

    infusion: date
    first_response: date | None = None
    progression: date | None = None
    death: date | None = None
    new_therapy: date | None = None
    transplant: date | None = None
    no_response: date | None = None
    assessments: tuple[date, ...] = ()
    last_known_alive: date | None = None
    cutoff: date | None = None
    relapse: date | None = None


@dataclass(frozen=True)
class Time:
    """Days from start to `on`, whether they end in an event, and why they end."""

    days: int
    event: bool
    reason: Reason
    on: date


def cut(course: Course) -> Course:
    """The course as it was known at its cut-off; whoever died later was alive on that day."""
    end = course.cutoff
    if end is None:
        return course

    def known(day: date | None) -> date | None:
        return day if day is not None and day <= end else None

    later = [day for day in _seen_alive(course) if day > end]
    if course.death is not None and course.death > end:
        later.append(course.death)
    return replace(
        course,
        first_response=known(course.first_response),
        progression=known(course.progression),
        relapse=known(course.relapse),
        death=known(course.death),
        new_therapy=known(course.new_therapy),
        transplant=known(course.transplant),
        no_response=known(course.no_response),
        assessments=tuple(day for day in course.assessments if day <= end),
        last_known_alive=end if later else course.last_known_alive,
    )


def overall_survival(course: Course) -> Time:
    """Infusion to death of any cause; else to the day last known alive."""
    known = cut(course)
    if known.death is not None:
        return _time(known.infusion, known.death, True, Reason.DEATH)
    last = max((known.infusion, *_seen_alive(known)))
    return _time(known.infusion, last, False, Reason.CUT_OFF if last == course.cutoff else Reason.NO_EVENT)


def progression_free_survival(course: Course, protocol: Protocol) -> Time:
    """Infusion to relapse, progression or death; censored at the last adequate assessment before new therapy."""
    return _free_of_disease(cut(course), course.infusion, protocol)


def duration_of_response(course: Course, protocol: Protocol) -> Time | None:
    """First remission to relapse or death, censored as progression-free survival; None without a remission.

    A remission that came only after new therapy is not one of the study treatment.
    """
    known = cut(course)
    start = known.first_response
    if start is None or (known.new_therapy is not None and known.new_therapy < start):
        return None
    before = known.progression is not None and known.progression < start
    later = replace(known, progression=known.relapse if before else known.progression, no_response=None)
    return _free_of_disease(later, start, protocol)


def _free_of_disease(course: Course, start: date, protocol: Protocol) -> Time:
    event = _first_event(course, protocol)
    stop = _first_stop(course, protocol)
    if event is not None and (stop is None or event[0] <= stop[0]):
        return _time(start, event[0], True, event[1])
    until = None if stop is None else stop[0]
    seen = [day for day in course.assessments if day >= start and (until is None or day <= until)]
    seen = [day for day in seen if day > course.infusion]
    if not seen:
        return _time(start, start, False, Reason.NO_ASSESSMENT if stop is None else stop[1])
    return _time(start, max(seen), False, Reason.NO_EVENT if stop is None else stop[1])


def _first_event(course: Course, protocol: Protocol) -> tuple[date, Reason] | None:
    no_response = course.no_response if protocol.nr_is_pfs_event.value else None
    return _first(
        (course.progression, Reason.PROGRESSION),
        (no_response, Reason.NO_RESPONSE),
        (course.death, Reason.DEATH),
    )


def _first_stop(course: Course, protocol: Protocol) -> tuple[date, Reason] | None:
    transplant = course.transplant if protocol.sct_censors_pfs.value else None
    return _first((course.new_therapy, Reason.NEW_THERAPY), (transplant, Reason.TRANSPLANT))


def _first(*candidates: tuple[date | None, Reason]) -> tuple[date, Reason] | None:
    """The earliest; of one day, the one named first."""
    dated = [(day, reason) for day, reason in candidates if day is not None]
    return min(dated, key=lambda one: one[0], default=None)


def _seen_alive(course: Course) -> Iterable[date]:
    days = (
        course.last_known_alive,
        course.first_response,
        course.progression,
        course.relapse,
        course.new_therapy,
        course.transplant,
        *course.assessments,
    )
    return [day for day in days if day is not None]


def _time(start: date, on: date, event: bool, reason: Reason) -> Time:
    return Time((on - start).days + 1, event, reason, on)
