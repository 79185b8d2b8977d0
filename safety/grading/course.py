"""The ASTCT grade of each assessment in a course: what one form says, read with those before it and the medication.

Fever belongs to an episode. Once something against it was given, no later assessment of that episode needs fever; the
next episode begins with fever of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from safety.grading import crs, icans
from trial.dates import Span, local_day, moments_of
from trial.protocol import V1, Protocol

TREATS_FEVER = ("ANTIPYRETIC", "TOCILIZUMAB", "CORTICOSTEROID", "SILTUXIMAB", "ANAKINRA")


@dataclass(frozen=True)
class Given:
    """From when to when a drug was given, as far as that is known: the widest it could be; no end while ongoing."""

    first: datetime
    last: datetime | None

    def treats(self, fever: datetime, moment: datetime, hours: int) -> bool:
        """Whether it was given after that fever and within these hours before the moment."""
        begun, before = self.first <= moment, max(fever, moment - timedelta(hours=hours))
        return begun and (self.last is None or self.last >= before)


@dataclass
class _Fever:
    """The fever of the running episode, and how far the episode has come."""

    protocol: Protocol
    since: datetime | None = None
    treated: bool = False
    seen: date | None = None
    graded: set[date] = field(default_factory=set)

    def leave(self, day: date) -> None:
        """Forget the fever when its episode was over before that day."""
        if self.seen is None:
            return
        clear = {one for one in self.graded if self.seen < one < day}  # else the toxicity was seen later
        over = any(one + timedelta(days=1) in clear for one in clear)
        if over or (day - self.seen).days > self.protocol.toxicity_episode_gap_days.value:
            self.since, self.treated, self.seen = None, False, None

    def note(self, row: Any, day: date, grade: int | None) -> None:
        """What an assessment adds."""
        fever = row.temp_c is not None and row.temp_c >= crs.FEVER_C and row.fever_other_cause is False
        if fever and self.since is None:
            self.since = row.assess_dt
        if grade is not None:
            self.graded.add(day)
        if fever or grade:
            self.seen = day


def given(medication: Iterable[Any], zone: str) -> list[Given]:
    """When the drugs against fever and cytokines were given."""
    found = []
    for drug in medication:
        start = moments_of(drug.start_dt, zone) if drug.drug_class in TREATS_FEVER else None
        if start is not None:
            end = moments_of(drug.end_dt, zone)
            last = end[1] if end is not None else None if drug.ongoing else start[1]
            found.append(Given(start[0], last))
    return found


def crs_course(
    rows: Iterable[Any],
    medication: Iterable[Any],
    zone: str,
    protocol: Protocol = V1,
    died: Span | None = None,
) -> dict[UUID, int | None]:
    """The grade of every CRS assessment by its key, None where it cannot be told.

    `died` is the day of death by CRS: the last assessment of that day has grade 5.
    """
    graded: dict[UUID, int | None] = {}
    drugs, fever, hours = given(medication, zone), _Fever(protocol), protocol.fever_treated_hours.value
    ordered = in_time(rows)
    fatal = fatal_assessment(ordered, zone, died)
    for row in ordered:
        day = local_day(row.assess_dt, zone)
        fever.leave(day)
        since = fever.since
        if since is not None and any(one.treats(since, row.assess_dt, hours) for one in drugs):
            fever.treated = True
        found = crs.findings(
            row, prior_fever=since is not None, fever_treated=fever.treated, died_of_it=row.pk == fatal
        )
        graded[row.pk] = crs.crs_grade(found)
        fever.note(row, day, graded[row.pk])
    return graded


def in_time(rows: Iterable[Any]) -> list[Any]:
    """The dated assessments, first first."""
    return sorted((row for row in rows if row.assess_dt is not None), key=lambda row: row.assess_dt)


def fatal_assessment(ordered: list[Any], zone: str, died: Span | None) -> UUID | None:
    """The key of the last assessment, if it was made on the day of death."""
    if not ordered or died is None or not died.known:
        return None
    last = ordered[-1]
    key: UUID = last.pk
    return key if local_day(last.assess_dt, zone) == died.first else None


def icans_course(rows: Iterable[Any], zone: str = "UTC", died: Span | None = None) -> dict[UUID, int | None]:
    """The grade of every ICANS assessment by its key, None where it cannot be told."""
    rows = list(rows)
    fatal = fatal_assessment(in_time(rows), zone, died)
    return {row.pk: icans.icans_grade(icans.findings(row, died_of_it=row.pk == fatal)) for row in rows}
