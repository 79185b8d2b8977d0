"""Episodes of CRS and ICANS: when a toxicity began, how bad it became, when it was over.

An episode is the assessments of grade 1 or more with no longer gap than the protocol allows. It is over on the first
of two days in a row without it; where nobody saw that, on its last day of grade 1 or more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from trial.dates import Span
from trial.item import Basis
from trial.protocol import Protocol

BASIS = Basis.DEFAULT
CITATION = "Clinical specification 6.1: episodes of CRS and ICANS"
FATAL = 5
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Assessed:
    """One assessment that has a grade."""

    key: UUID
    moment: datetime
    day: date
    grade: int


@dataclass(frozen=True)
class Episode:
    """One episode. `over` is its last day; `seen_over` whether two clear days were seen.

    hours_severe   hours at the severe grade or above, each assessment carried forward to the next
    severe_open    a severe assessment is the last there is, so that its time is not known
    """

    assessments: tuple[Assessed, ...]
    onset: date
    worst: int
    over: date
    seen_over: bool
    hours_severe: Decimal
    severe_open: bool

    @property
    def days(self) -> int:
        """How long it lasted, first and last day included."""
        return (self.over - self.onset).days + 1


def episodes(assessed: Sequence[Assessed], protocol: Protocol, died: Span | None = None) -> list[Episode]:
    """The episodes of a course in the order of time; `died` is the day of death by this toxicity."""
    ordered = sorted(assessed, key=lambda one: one.moment)
    clear = _clear_days(ordered)
    groups: list[list[Assessed]] = []
    for one in (a for a in ordered if a.grade >= 1):
        if groups and _goes_on(groups[-1][-1].day, one.day, clear, protocol):
            groups[-1].append(one)
        else:
            groups.append([one])
    found = [_episode(group, ordered, clear, protocol) for group in groups]
    if found and died is not None and _goes_on(found[-1].assessments[-1].day, died.first, clear, protocol):
        found[-1] = _fatal(found[-1], died)
    return found


def _clear_days(ordered: Sequence[Assessed]) -> list[date]:
    """The days of grade 0 that are followed by another one."""
    worst: dict[date, int] = {}
    for one in ordered:
        worst[one.day] = max(one.grade, worst.get(one.day, 0))
    return sorted(day for day, grade in worst.items() if grade == 0 and worst.get(day + DAY) == 0)


def _goes_on(last: date, day: date, clear: Sequence[date], protocol: Protocol) -> bool:
    if (day - last).days > protocol.toxicity_episode_gap_days.value:
        return False
    return not any(last < one < day for one in clear)


def _episode(
    group: Sequence[Assessed], ordered: Sequence[Assessed], clear: Sequence[date], protocol: Protocol
) -> Episode:
    last = group[-1].day
    free = next((day for day in clear if day > last), None)
    later = next((one.day for one in ordered if one.day > last and one.grade >= 1), None)
    seen = free is not None and (later is None or free < later)
    hours, open_ = _severe(group, ordered, protocol)
    return Episode(
        tuple(group),
        group[0].day,
        max(one.grade for one in group),
        free if seen and free is not None else last,
        seen,
        hours,
        open_,
    )


def _severe(
    group: Sequence[Assessed], ordered: Sequence[Assessed], protocol: Protocol
) -> tuple[Decimal, bool]:
    """Hours at the severe grade, and whether the last of them is open. Several assessments of one moment are one."""
    least, spent, open_ = protocol.toxicity_severe_grade.value, timedelta(0), False
    for moment in {a.moment for a in group if a.grade >= least}:
        following = next((a.moment for a in ordered if a.moment > moment), None)
        if following is None:
            open_ = True
        else:
            spent += following - moment
    return Decimal(spent // timedelta(seconds=1)) / 3600, open_


def _fatal(episode: Episode, died: Span) -> Episode:
    """The episode that ended in death."""
    return Episode(
        episode.assessments,
        episode.onset,
        FATAL,
        max(died.last, episode.assessments[-1].day),
        True,
        episode.hours_severe,
        episode.severe_open,
    )
