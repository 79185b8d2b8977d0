"""The trial as one subject's rules see it: who was infused when at which level, and what the committee decided.

Read set-wise in one round trip whatever the number of subjects, and kept sorted, so that a rule asks with a bisect.
What is read are dosing facts alone; it covers the sites the reader may see, for the worker all of them.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from dosing.levels import LEVELS
from dosing.models import SrcReview
from trial.at_once import rows_at_once
from trial.dates import local_day

ORDER: dict[str, int] = {level.code: place for place, level in enumerate(LEVELS)}
"""The place of a dose level from the lowest up."""
MAY_EXPAND = frozenset(level.code for level in LEVELS if level.expansion)


@dataclass(frozen=True, slots=True)
class Treated:
    """An infused subject: level ("" when none is allocated), the start of the first infusion and its day at the site.

    `evaluable` and `any_dlt` are the answers of the assessment of dose-limiting toxicity, "" while there is none.
    """

    subject_id: UUID
    subjid: str
    level: str
    started: datetime
    day: date
    evaluable: str = ""
    any_dlt: str = ""

    @property
    def place(self) -> tuple[datetime, str]:
        """What the subjects of a level are ordered by: the start of the infusion, then the screening number."""
        return self.started, self.subjid


@dataclass(frozen=True, slots=True)
class Review:
    """A complete review of the committee. `roles` signed it as it stands."""

    id: UUID
    meeting: date
    level: str
    decision: str
    recommendation: str
    roles: frozenset[str] = frozenset()

    def lacks(self, roles: Sequence[str]) -> tuple[str, ...]:
        """The roles of these whose signature is missing."""
        return tuple(role for role in roles if role not in self.roles)


@dataclass(frozen=True)
class TrialBook:
    """Every infused subject and every review of the committee."""

    treated: Sequence[Treated] = ()
    reviews: Sequence[Review] = ()
    holds: Sequence[tuple[datetime, datetime | None]] = ()
    """From when until when enrolment was on hold; no end while it is."""

    @cached_property
    def at_level(self) -> Mapping[str, Sequence[Treated]]:
        """The subjects of each level in the order of their infusions."""
        found: dict[str, list[Treated]] = defaultdict(list)
        for one in sorted(self.treated, key=lambda t: t.place):
            found[one.level].append(one)
        return dict(found)

    @cached_property
    def _by_day(self) -> dict[str, list[Treated]]:
        """The subjects of each level by day: two sites may call one moment by different days."""
        return {level: sorted(rows, key=lambda t: t.day) for level, rows in self.at_level.items()}

    @cached_property
    def _days(self) -> dict[str, list[date]]:
        """The days of each level, sorted."""
        return {level: [t.day for t in rows] for level, rows in self._by_day.items()}

    @cached_property
    def _evaluable(self) -> dict[str, tuple[list[int], list[int]]]:
        """For each level how many of its first n subjects are evaluable, and how many may be."""
        return {
            level: (_counted(rows, ("YES",)), _counted(rows, ("YES", "PENDING", "")))
            for level, rows in self.at_level.items()
        }

    def before(self, level: str, started: datetime, subjid: str) -> int:
        """How many subjects of the level were infused before this one."""
        return bisect_left(self.at_level.get(level, ()), (started, subjid), key=lambda t: t.place)

    def evaluable_before(self, level: str, count: int) -> tuple[int, int]:
        """Of the first `count` subjects of the level: how many are evaluable, and how many are or may become it."""
        sure, maybe = self._evaluable.get(level, ([0], [0]))
        return sure[count], maybe[count]

    def last_day(self, level: str, until: date) -> date | None:
        """The last day up to `until` on which somebody was infused at the level."""
        days = self._days.get(level, [])
        found = bisect_right(days, until)
        return days[found - 1] if found else None

    def between(self, level: str, first: date, last: date) -> Sequence[Treated]:
        """The subjects of the level infused from `first` to `last`, both included."""
        days = self._days.get(level, [])
        start, end = bisect_left(days, first), bisect_right(days, last)
        return sorted(self._by_day[level][start:end], key=lambda t: t.place) if start < end else ()

    @cached_property
    def by_meeting(self) -> Sequence[Review]:
        """The reviews, the earliest meeting first."""
        return sorted(self.reviews, key=lambda r: (r.meeting, str(r.id)))

    def reviews_until(self, day: date) -> Sequence[Review]:
        """The reviews of meetings on or before the day, the latest first."""
        return self.by_meeting[: bisect_right(self.by_meeting, day, key=lambda r: r.meeting)][::-1]


def _counted(rows: Sequence[Treated], answers: tuple[str, ...]) -> list[int]:
    """Running counts: entry n is how many of the first n subjects have one of the answers."""
    counts = [0]
    for one in rows:
        counts.append(counts[-1] + (one.evaluable in answers))
    return counts


_TREATED = """
    SELECT i.subject_id, s.subjid, coalesce(a.level, ''), i.started, z.time_zone,
        coalesce(d.evaluable, ''), coalesce(d.any_dlt, '')
    FROM (SELECT subject_id, min(inf_start_dt) AS started FROM dosing_infusion
          WHERE NOT retracted AND NOT not_done AND inf_start_dt IS NOT NULL GROUP BY subject_id) i
    JOIN subjects_subject s ON s.id = i.subject_id
    JOIN trial_site z ON z.id = s.site_id
    LEFT JOIN (SELECT DISTINCT ON (subject_id) subject_id, level FROM dosing_doseallocation
               WHERE NOT retracted AND NOT not_done ORDER BY subject_id, sequence, id) a USING (subject_id)
    LEFT JOIN (SELECT DISTINCT ON (subject_id) subject_id, evaluable, any_dlt FROM safety_dltassessment
               WHERE NOT retracted AND NOT not_done ORDER BY subject_id, sequence, id) d USING (subject_id)
"""


_REVIEWS = """
    SELECT r.id, r.meeting_date, r.level, r.decision, r.algorithm_recommendation,
        ARRAY(SELECT DISTINCT g.role FROM subjects_signature g WHERE g.form = %(review)s AND g.meaning = 'COMMITTEE'
              AND g.record_id = r.id AND NOT EXISTS (SELECT FROM dosing_historicalsrcreview h WHERE h.id = r.id
              AND h.version > g.record_version AND h.lock_state = 'OPEN'))
    FROM dosing_srcreview r
    WHERE NOT r.retracted AND NOT r.not_done AND r.status = 'COMPLETE' AND r.decision <> '' AND r.meeting_date IS NOT NULL
"""
_HOLDS = "SELECT raised_at, lifted_at FROM safety_enrolmenthold ORDER BY raised_at"


def trial_book() -> TrialBook:
    """The trial as it stands, in one round trip. Call it inside `audit.reading` or a transaction."""
    treated, reviews, holds = rows_at_once([_TREATED, _REVIEWS, _HOLDS], {"review": SrcReview.form})
    return TrialBook(
        tuple(_treated(treated)), tuple(_reviews(reviews)), tuple((one[0], one[1]) for one in holds)
    )


def _treated(rows: Iterable[tuple[Any, ...]]) -> Iterable[Treated]:
    for key, subjid, level, started, zone, evaluable, any_dlt in rows:
        yield Treated(key, subjid, level, started, local_day(started, zone), evaluable, any_dlt)


def _reviews(rows: Iterable[tuple[Any, ...]]) -> Iterable[Review]:
    """Freezing and locking make versions without changing an answer: what was signed before them stands."""
    for key, meeting, level, decision, recommendation, roles in rows:
        yield Review(key, meeting, level, decision, recommendation, frozenset(roles))
