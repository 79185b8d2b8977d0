"""The facts of the criteria as they stood at a milestone that was passed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import DateTimeField

from dosing.models import Infusion
from safety.calendar import READS as CALENDAR
from safety.casebook import Casebook
from safety.eligibility.evaluate import CRITERION_IDS, JUDGES
from safety.eligibility.facts import Screening
from safety.eligibility.from_casebook import READS as FACTS
from safety.eligibility.from_casebook import screening
from safety.eligibility.measurements import GROUPS, read
from safety.milestones import Reached, enrolment, infusion, lymphodepletion
from subjects.crf import CRF
from trial.logic import Verdict
from trial.protocol import Protocol

READS: tuple[type[CRF], ...] = tuple(dict.fromkeys((*FACTS, *CALENDAR, Infusion)))


@dataclass(frozen=True)
class Stood:
    """The facts of one milestone: those that counted there, and the last ones however old they were."""

    reached: Reached
    valid: Screening
    last: Screening


def rechecked(book: Casebook, protocol: Protocol) -> Iterator[Reached]:
    """The enrolment, and the later milestones at which the protocol checks the organs again, as far as reached."""
    later = (one for one in (lymphodepletion(book), infusion(book)) if one)
    asked = protocol.organ_recheck_milestones.value
    for one in (enrolment(book), *(one for one in later if one.milestone in asked)):
        if one is not None:
            yield one


def stood(book: Casebook, protocol: Protocol, reached: Reached) -> Stood:
    """The facts as they stood at a milestone, read once per book and protocol."""
    memory = book.once(_memory)
    key = (id(protocol), reached.milestone)
    if key not in memory:
        memory[key] = (protocol, _stood(book, protocol, reached))
    found: Stood = memory[key][1]
    return found


def verdicts(book: Casebook, protocol: Protocol) -> dict[str, Verdict]:
    """What every criterion says of the facts as they stood at enrolment; empty for a subject who is not enrolled.

    The sentences of a decision are left to whoever needs them: writing 29 of them takes longer than judging.
    """
    reached = enrolment(book)
    if reached is None:
        return {}
    memory = book.once(_memory)
    key = (id(protocol), "verdicts")
    if key not in memory:
        facts = stood(book, protocol, reached).valid
        memory[key] = (protocol, {id_: JUDGES[id_].check(facts, protocol) for id_ in CRITERION_IDS})
    found: dict[str, Verdict] = memory[key][1]
    return found


def _memory(book: Casebook) -> dict[tuple[int, str], tuple[Protocol, Any]]:
    """What was worked out for this book. A protocol is kept beside its result, so that its number stays its own."""
    return {}


def _stood(book: Casebook, protocol: Protocol, reached: Reached) -> Stood:
    known = _until(book, reached.moment)
    valid = screening(known, reached.milestone, reached.day, protocol)
    facts: dict[str, Any] = {}
    sources, lacking = dict(valid.sources), dict(valid.lacking)
    for group in GROUPS:
        lead = next(iter(group.facts))
        reading = read(known, group, reached.day, None) if lead in lacking else None
        if reading is not None and reading.facts and reading.sources[lead].day:
            facts |= reading.facts
            sources |= reading.sources
            lacking = {name: why for name, why in lacking.items() if name not in reading.facts}
    return Stood(reached, valid, replace(valid, **facts, sources=sources, lacking=lacking))


@cache
def _timed() -> tuple[type[CRF], ...]:
    """The forms of measurements that say the time of day."""
    forms = dict.fromkeys(group.form for group in GROUPS if group.form.dated_by)
    return tuple(form for form in forms if isinstance(form._meta.get_field(form.dated_by), DateTimeField))


def _until(book: Casebook, moment: datetime | None) -> Casebook:
    """The book without what was measured after the moment. What tells only its day counts on that day."""
    if moment is None:
        return book
    rows = {**book.rows}
    for form in _timed():
        rows[form] = [
            r for r in book.rows[form] if (when := getattr(r, form.dated_by)) is None or when <= moment
        ]
    return replace(book, rows=rows)
