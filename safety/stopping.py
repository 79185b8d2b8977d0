"""The stopping rules (clinical specification, 7.5): what happens that stops enrolment until it is reviewed.

`causes` is pure. What counts over several subjects of a level is asked of the database when one of them has it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from dosing.models import Manufacturing
from safety.adverse_events import AdverseEvent
from safety.casebook import Casebook
from safety.holds import EnrolmentHold
from subjects.models import Death
from trial.dates import span_of, utc_now
from trial.protocol import Protocol
from trial.rules import Fact
from visits.models import CrsAssessment, IcansAssessment, SurvivalLtfu

READS = (AdverseEvent, Death, Manufacturing, SurvivalLtfu, CrsAssessment, IcansAssessment)


@dataclass(frozen=True)
class Cause:
    """Why enrolment stops: a code of CL_HOLD_CAUSE, the permanent key of the event, what was seen."""

    code: str
    key: str
    facts: tuple[Fact, ...]


def causes(book: Casebook, protocol: Protocol) -> Iterator[Cause]:
    """The events of one subject that stop enrolment by themselves."""
    yield from _death(book, protocol)
    for batch in book.of(Manufacturing):
        if batch.rcl == "POSITIVE":
            yield Cause(
                "RCL", f"manufacturing:{batch.pk}", (Fact("manufacturing", batch.pk, "rcl", batch.rcl),)
            )
    for contact in book.of(SurvivalLtfu):
        if contact.rcl_test == "POSITIVE":
            told = Fact("survival_ltfu", contact.pk, "rcl_test", contact.rcl_test)
            yield Cause("RCL", f"survival_ltfu:{contact.pk}", (told,))
    yield from _malignancy(book)


def _death(book: Casebook, protocol: Protocol) -> Iterator[Cause]:
    """A death that may have come within the days after an infusion, and is related to treatment."""
    related = protocol.related_from_possible.value
    facts = [
        Fact("death", one.pk, "death_date", one.death_date)
        for one in book.of(Death)
        if one.related_to_sscart19 in related and _soon(book, one.death_date, protocol)
    ]
    facts += [
        Fact("adverse_event", one.pk, "outcome", one.outcome)
        for one in book.of(AdverseEvent)
        if (one.outcome == "FATAL" or one.max_grade == protocol.grade_of_death.value)
        and (one.rel_sscart19 in related or one.rel_ld in related)
        and _soon(book, one.end_dt or one.start_dt, protocol)
    ]
    if facts:
        yield Cause("DEATH", f"subject:{book.subject_id}", tuple(facts))


def _soon(book: Casebook, when: str, protocol: Protocol) -> bool:
    """Whether a day, however little is known of it, may lie within the days after an infusion. No day: it may."""
    days = timedelta(days=protocol.hold_death_days.value)
    span = span_of(when, book.zone)
    given = [day for one in book.infusions if (day := book.day(one.inf_start_dt))]
    return any(span is None or (span.first <= day + days and span.last >= day) for day in given)


def _malignancy(book: Casebook) -> Iterator[Cause]:
    """A second malignancy. Whether it is one of T cells is for the review to say."""
    events = [one for one in book.of(AdverseEvent) if one.category == "SECOND_MALIGNANCY"]
    for one in events:
        yield Cause(
            "MALIGNANCY", f"adverse_event:{one.pk}", (Fact("adverse_event", one.pk, "term", one.term),)
        )
    for contact in [] if events else book.of(SurvivalLtfu):
        if contact.new_malignancy == "YES":
            told = Fact("survival_ltfu", contact.pk, "new_malignancy", contact.new_malignancy)
            yield Cause("MALIGNANCY", f"survival_ltfu:{contact.pk}", (told,))


def severe(book: Casebook, protocol: Protocol) -> dict[str, Fact]:
    """CRS and ICANS of this subject at the grade that counts, each once."""
    least, found = protocol.hold_severe_grade.value, dict[str, Fact]()
    for kind, form in (("CRS", CrsAssessment), ("ICANS", IcansAssessment)):
        rows: Sequence[Any] = book.of(form)
        for one in rows:
            if _reaches(one.investigator_grade, least):
                fact = Fact(form.form, one.pk, "investigator_grade", str(one.investigator_grade))
                found.setdefault(kind, fact)
    for event in book.of(AdverseEvent):
        if event.category in ("CRS", "ICANS") and _reaches(event.max_grade, least):
            found.setdefault(
                event.category, Fact("adverse_event", event.pk, "max_grade", str(event.max_grade))
            )
    return found


def _reaches(grade: int | None, least: int) -> bool:
    return grade is not None and grade >= least


_SEVERE = """
    SELECT DISTINCT subject_id, kind FROM (
        SELECT subject_id, 'CRS' AS kind, investigator_grade AS grade FROM visits_crsassessment
            WHERE NOT retracted AND NOT not_done
        UNION ALL SELECT subject_id, 'ICANS', investigator_grade FROM visits_icansassessment
            WHERE NOT retracted AND NOT not_done
        UNION ALL SELECT subject_id, category, max_grade FROM safety_adverseevent
            WHERE NOT retracted AND NOT not_done AND category IN ('CRS', 'ICANS')
    ) s WHERE grade >= %s
"""


def _together(book: Casebook, protocol: Protocol) -> Iterator[Cause]:
    """Every event at this subject's level from the number on that stops enrolment; events in the order of infusion."""
    own = severe(book, protocol)
    if not own:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SEVERE, [protocol.hold_severe_grade.value])
        kinds: dict[UUID, set[str]] = {}
        for subject_id, kind in cursor.fetchall():
            kinds.setdefault(subject_id, set()).add(kind)
    level = next((t.level for t in book.trial.treated if t.subject_id == book.subject_id), "")
    events = [
        (t.subject_id, kind)
        for t in book.trial.at_level.get(level, ())
        for kind in sorted(kinds.get(t.subject_id, ()))
    ]
    for subject_id, kind in events[protocol.hold_severe_events.value - 1 :] if level else ():
        yield Cause("SEVERE", f"{level}:{subject_id}:{kind}", tuple(own.values()))


def may_stop(book: Casebook, protocol: Protocol) -> bool:
    """Whether the subject has an event that stops enrolment, by itself or together with those of others."""
    return bool(severe(book, protocol)) or next(causes(book, protocol), None) is not None


def raise_holds(book: Casebook, protocol: Protocol) -> None:
    """Raise a hold for each event that has none yet. Inside the evaluation's own transaction.

    The book is a judged one, or holds the trial: what counts over several subjects is counted at the subject's level.
    """
    found = {(c.code, c.key): c for c in (*causes(book, protocol), *_together(book, protocol))}
    if not found:
        return
    there = set(EnrolmentHold.objects.filter(key__in=[key for _, key in found]).values_list("cause", "key"))
    fresh = [cause for place, cause in found.items() if place not in there]
    EnrolmentHold.objects.bulk_create(
        [_hold(book, protocol, cause) for cause in fresh], ignore_conflicts=True
    )


def _hold(book: Casebook, protocol: Protocol, cause: Cause) -> EnrolmentHold:
    facts = [
        {"form": f.form, "record": str(f.record) if f.record else None, "field": f.field} for f in cause.facts
    ]
    return EnrolmentHold(
        subject_id=book.subject_id,
        cause=cause.code,
        key=cause.key,
        evidence={"facts": facts},
        protocol_version=protocol.version,
        raised_at=utc_now(),
    )
