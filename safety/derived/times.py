"""Overall survival, progression-free survival and duration of response of one subject, with why each ends."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from dosing.models import Infusion
from safety.calendar import died, seen_alive
from safety.casebook import Casebook
from safety.derive import survival
from safety.derive.survival import (
    Course,
    Time,
    duration_of_response,
    overall_survival,
    progression_free_survival,
)
from safety.derived.remission import Assessed, assessed
from safety.derived.vocabulary import Derived, Input, Says, derivation, inputs
from subjects.models import Death, SubsequentTherapy
from trial.protocol import Protocol
from visits.models import Response, SurvivalLtfu, Visit

METHOD = "TTE1.0"
SAYS = (
    Says("days", "Days", "天数", "day"),
    Says("event", "Event", "事件"),
    Says("reason", "Why it ends", "终止原因"),
    Says("until", "Ends on", "终止日期"),
    Says("days_low", "At least, where the day of death is known in part", "下限(死亡日期不完整时)", "day"),
    Says("days_high", "At most, where the day of death is known in part", "上限(死亡日期不完整时)", "day"),
)
READS = (Infusion, Response, Death, SubsequentTherapy, SurvivalLtfu, Visit)
RETURNED = ("RELAPSE", "PD")
THIRD_MONTH = "M3"


@derivation(
    "os",
    en="Overall survival",
    zh="总生存期(OS)",
    group="SURVIVAL",
    method=METHOD,
    basis=survival.BASIS,
    cites=survival.CITATION,
    reads=READS,
    says=SAYS,
)
def survival_overall(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """From the infusion to death of any cause, else censored on the day last known alive."""
    yield from _times(book, protocol, lambda course: overall_survival(course))


@derivation(
    "pfs",
    en="Progression-free survival",
    zh="无进展生存期(PFS)",
    group="SURVIVAL",
    method=METHOD,
    basis=survival.BASIS,
    cites=survival.CITATION,
    reads=READS,
    says=SAYS,
)
def survival_without_progression(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """From the infusion to relapse, progression or death; censored at the last adequate assessment, at the latest
    before new anti-leukaemia therapy. A transplant in remission does not end the observation by default."""
    yield from _times(book, protocol, lambda course: progression_free_survival(course, protocol))


@derivation(
    "dor",
    en="Duration of response",
    zh="缓解持续时间(DOR)",
    group="SURVIVAL",
    method=METHOD,
    basis=survival.BASIS,
    cites=survival.CITATION,
    reads=READS,
    says=SAYS,
)
def duration_of_remission(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """From the first remission to relapse or death, censored as progression-free survival; only for whoever had one."""
    yield from _times(book, protocol, lambda course: duration_of_response(course, protocol))


def _times(book: Casebook, protocol: Protocol, measure: Callable[[Course], Time | None]) -> Iterator[Derived]:
    """The time for the earliest and the latest day of death it could be: told where both agree."""
    ends = _courses(book, protocol)
    told = [measure(course) for course in ends]
    if not told or told[0] is None or told[-1] is None:
        return
    first, last = told[0], told[-1]
    same = first == last
    value = {
        "days": first.days if same else None,
        "event": first.event if first.event == last.event else None,
        "reason": str(first.reason) if first.reason == last.reason else None,
        "until": first.on if same else None,
        "days_low": None if same else first.days,
        "days_high": None if same else last.days,
    }
    yield Derived("", value, _inputs(book, protocol), first.on if same else None)


def _courses(book: Casebook, protocol: Protocol) -> list[Course]:
    """The course of an infused subject, once for each end of what the day of death could be."""
    if book.day0 is None:
        return []
    when = next((span for row in book.of(Death) if (span := died(book, row))), None)
    if when is None:
        return [_course(book, protocol, None)]
    alive = () if when.known else (day for day in _alive(book, protocol) if day <= when.last)
    low = max((when.first, book.day0, *alive))
    return [_course(book, protocol, day) for day in dict.fromkeys((low, max(low, when.last)))]


def _course(book: Casebook, protocol: Protocol, death: date | None) -> Course:
    start = book.day0
    assert start is not None
    found = [one for one in assessed(book, protocol) if one.day > start]
    returned = _returned(book, found, start)
    response = min((one.day for one in found if one.said in protocol.remission.value), default=None)
    started = [row for row in book.of(SubsequentTherapy) if row.start_date and row.start_date > start]
    consolidating = [row for row in started if row.type == "ALLO_SCT" and row.in_remission == "YES"]
    others = [row.start_date for row in started if row not in consolidating]
    return Course(
        start,
        first_response=response,
        progression=min(returned, default=None),
        relapse=None if response is None else min((day for day in returned if day >= response), default=None),
        death=death,
        new_therapy=min(others, default=None),
        transplant=min((row.start_date for row in consolidating), default=None),
        no_response=next(
            (one.day for one in found if one.row.visit == THIRD_MONTH and one.said == "NR"), None
        ),
        assessments=tuple(one.day for one in found if one.said != "NE"),
        last_known_alive=max(_alive(book, protocol), default=None),
    )


def _alive(book: Casebook, protocol: Protocol) -> list[date]:
    """The days on which the subject was met, was assessed, evaluable or not, or began a therapy."""
    begun = [row.start_date for row in book.of(SubsequentTherapy) if row.start_date]
    return [*seen_alive(book), *(one.day for one in assessed(book, protocol)), *begun]


def _returned(book: Casebook, found: list[Assessed], start: date) -> list[date]:
    """The days on which an assessment or a long-term contact tells of relapse or progression."""
    days = [one.day for one in found if one.said in RETURNED]
    days += [
        row.contact_date
        for row in book.of(SurvivalLtfu)
        if row.disease_status == "RELAPSED" and row.contact_date and row.contact_date > start
    ]
    return days


def _inputs(book: Casebook, protocol: Protocol) -> tuple[Input, ...]:
    rows: list[tuple[Any, Any, tuple[str, ...]]] = [
        *((SurvivalLtfu, r, ("contact_date", "vital_status", "last_known_alive", "disease_status")) for r in book.of(SurvivalLtfu)),
        *((SubsequentTherapy, r, ("type", "start_date", "in_remission")) for r in book.of(SubsequentTherapy)),
        *((Death, r, ("death_date",)) for r in book.of(Death)),
    ]  # fmt: skip
    seen = tuple(part for form, row, names in rows for part in inputs(form, row, *names))
    last = max((r for r in book.of(Visit) if r.actual_date), key=lambda r: r.actual_date, default=None)
    said = tuple(
        Input(Response.form, one.row.pk, "derived:response", f"{one.day} {one.said}", one.row.version)
        for one in assessed(book, protocol)
    )
    met = inputs(Visit, last, "actual_date") if last is not None else ()
    return (*inputs(Infusion, book.infusions[0], "inf_start_dt"), *said, *seen, *met)
