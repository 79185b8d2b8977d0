"""Which forms and timepoints a visit of one subject asks for, worked out from the subject's lines."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from entry.lines import Line
from trial.protocol import Protocol
from visits.conditions import Known, asked_for
from visits.schedule import VisitDef, VisitWindow

_DATED = (
    "eligibility",
    "echo",
    "viral_serology",
    "ecog",
    "chemistry",
    "haematology",
    "bone_marrow",
    "cd19_flow",
)
_BELOW = "BLQ"


@dataclass
class History:
    """The days and answers of one subject that the conditions ask for, sorted once."""

    days: dict[str, list[tuple[date, str]]] = field(default_factory=lambda: defaultdict(list))
    crs: list[tuple[date, int]] = field(default_factory=list)
    icans: list[tuple[date, int]] = field(default_factory=list)
    relapses: list[date] = field(default_factory=list)
    below: list[tuple[date, str, bool]] = field(default_factory=list)
    person: tuple[str, str, str] = ("", "", "")


def history_of(lines: Iterable[Line], zone: str) -> History:
    """Sort what is on record."""
    made = History()
    for line in lines:
        if line.not_done:
            continue
        if line.form == "demographics":
            sex, childbearing, fertile = line.told.split("|")
            made.person = (sex, childbearing, fertile)
        elif line.form in _DATED and (day := line.day(zone)):
            made.days[line.form].append((day, line.visit))
        elif line.form in ("crs_assessment", "icans_assessment"):
            _grade(made, line, zone)
        elif line.form == "response" and line.told == "RELAPSE" and (day := line.day(zone)):
            made.relapses.append(day)
        elif line.form == "pk_sample" and line.told and (day := line.day(zone)):
            made.below.append((day, line.visit, line.told.strip().upper() == _BELOW))
    made.crs.sort()
    made.icans.sort()
    made.below.sort()
    return made


def _grade(made: History, line: Line, zone: str) -> None:
    day = line.day(zone)
    if day and line.told.isdecimal():
        (made.crs if line.form == "crs_assessment" else made.icans).append((day, int(line.told)))


def known_on(history: History, visit: str, on: date) -> Known:
    """What the conditions are told about a visit on `on`. The visit's own records do not answer for it, save that an
    eligibility judged on the day counts."""
    sex, childbearing, fertile = history.person
    newest = {
        form: max(before)
        for form, days in history.days.items()
        if (before := [day for day, where in days if day <= on and (where != visit or not where)])
    }
    return Known(
        on=on,
        newest=newest,
        crs=_last(history.crs, on),
        icans=_last(history.icans, on),
        relapses=tuple(history.relapses),
        below=tuple(low for day, where, low in history.below if day <= on and where != visit),
        sex=sex,
        childbearing=childbearing,
        fertile=fertile,
    )


def _last(grades: list[tuple[date, int]], on: date) -> int | None:
    """The highest grade on the newest day before or on `on`."""
    days = [(day, grade) for day, grade in grades if day <= on]
    newest = max((day for day, _ in days), default=None)
    return max((grade for day, grade in days if day == newest), default=None)


def conditional(
    visit: VisitDef, window: VisitWindow, on: date | None, history: History, protocol: Protocol
) -> tuple[str, ...]:
    """The optional forms that the record shows to be asked for at a visit that took place on `on`."""
    wanted = window.asked(visit.optional)
    if on is None or not wanted:
        return ()
    known = known_on(history, visit.code, on)
    return tuple(form for form in wanted if asked_for(form, visit.code, known, protocol))
