"""Moments within a visit at which something is measured: vital signs around the infusion, samples, hours of CRS.

Offsets count from the start of the first infusion; a timepoint without one lies anywhere on the days of its window.
Every offset and every tolerance is an illustrative default. Pure: nothing here asks the database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from trial.item import Basis
from trial.text import T


@dataclass(frozen=True)
class Timepoint:
    """One planned measurement of a form at a visit.

    code           the answer of the form's `timepoint`, "" where the form has none
    minutes        offset from the start of the infusion; None: on the days of the visit
    before, after  how much earlier or later it may be
    times          how many are asked for
    """

    visit: str
    form: str
    code: str
    en: str
    zh: str
    minutes: int | None
    before: timedelta
    after: timedelta
    times: int = 1
    basis: Basis = Basis.DEFAULT

    @property
    def label(self) -> str:
        """The timepoint's name in the active language."""
        return T(self.en, self.zh)


@dataclass(frozen=True)
class Moments:
    """When one timepoint of one subject lies: from `low` to `high`, both aware moments; None while not known."""

    low: datetime | None = None
    nominal: datetime | None = None
    high: datetime | None = None

    def hold(self, moment: datetime | None) -> bool | None:
        """Whether `moment` lies within, both ends included; None when that cannot be told."""
        if moment is None or self.low is None or self.high is None:
            return None
        return self.low <= moment <= self.high


def _min(count: int) -> timedelta:
    return timedelta(minutes=count)


def _days(count: int) -> timedelta:
    return timedelta(days=count)


_AROUND = (
    ("PRE_INF", "before infusion", "回输前", 0, 240, 0),
    ("INF_15M", "15 min after start", "回输开始后15分钟", 15, 5, 5),
    ("INF_30M", "30 min after start", "回输开始后30分钟", 30, 10, 10),
    ("INF_1H", "1 h after start", "回输开始后1小时", 60, 15, 15),
    ("INF_2H", "2 h after start", "回输开始后2小时", 120, 30, 30),
    ("INF_4H", "4 h after start", "回输开始后4小时", 240, 30, 30),
)
_WARD_DAYS = range(1, 8)
_PK_EARLY, _PK_LATE = (1, 4, 7, 10, 14), (17, 21, 28)
_PK_MONTHS = ("M2", "M3", "M6", "M9", "M12", "M15", "M18", "M21", "M24")
_PK_YEARS = tuple(f"Y{year}" for year in range(3, 16))
_CYTOKINES_EARLY, _CYTOKINES_LATE = (1, 3, 5, 7, 10, 14), (17, 21, 28)
_VITALS, _PK, _CYTOKINES = "vital_signs", "pk_sample", "pd_cytokine"


def _sample(visit: str, form: str, days: int) -> Timepoint:
    words = ("PK sample", "药代动力学采样") if form == _PK else ("cytokines", "细胞因子采样")
    return Timepoint(visit, form, "", *words, None, _days(days), _days(days))


TIMEPOINTS: tuple[Timepoint, ...] = (
    *(
        Timepoint("D0", _VITALS, code, f"vital signs {en}", f"生命体征 {zh}", at, _min(low), _min(high))
        for code, en, zh, at, low, high in _AROUND
    ),
    *(
        Timepoint(
            f"D{day}",
            _VITALS,
            "",
            "vital signs, twice a day",
            "生命体征,每日两次",
            None,
            _days(0),
            _days(0),
            times=2,
        )
        for day in _WARD_DAYS
    ),
    *(
        Timepoint("D0", form, "", f"{en}, before infusion", f"{zh},回输前", 0, _days(1), _min(0))
        for form, en, zh in ((_PK, "PK sample", "药代动力学采样"), (_CYTOKINES, "cytokines", "细胞因子采样"))
    ),
    *(_sample(f"D{day}", _PK, 1) for day in _PK_EARLY),
    *(_sample(f"D{day}", _PK, 2) for day in _PK_LATE),
    *(_sample(code, _PK, 0) for code in (*_PK_MONTHS, *_PK_YEARS)),
    *(_sample(f"D{day}", _CYTOKINES, 1) for day in _CYTOKINES_EARLY),
    *(_sample(f"D{day}", _CYTOKINES, 2) for day in _CYTOKINES_LATE),
)


def moments(
    point: Timepoint, start: datetime | None, low: date | None, high: date | None, zone: str
) -> Moments:
    """When a timepoint lies, given the start of the infusion or else the days of its visit's window.

    Whole days run from the site's midnight to its next, whatever the clocks do in between.
    """
    if point.minutes is not None:
        if start is None:
            return Moments()
        nominal = start + timedelta(minutes=point.minutes)
        return Moments(nominal - point.before, nominal, nominal + point.after)
    if low is None or high is None:
        return Moments()
    return Moments(
        _midnight(low - point.before, zone), None, _midnight(high + point.after + timedelta(days=1), zone)
    )


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(0), ZoneInfo(zone))


def hours_without(
    since: datetime, until: datetime, taken: Iterable[datetime], hours: int
) -> Sequence[tuple[datetime, datetime]]:
    """The stretches between `since` and `until` in which more than `hours` passed without a sample.

    Used for cytokines while CRS lasts at a grade that asks for them every so many hours.
    """
    marks = [since, *sorted(t for t in taken if since <= t <= until), until]
    longest = timedelta(hours=hours)
    return [(a, b) for a, b in pairwise(marks) if b - a > longest]
