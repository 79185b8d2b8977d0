"""Calendar arithmetic of the protocol: months that clamp, dates that are partly known.

A partial date is ISO 8601 text cut where knowledge ends: "2026", "2026-03", "2026-03-05".
It stands for every day it could be, so a comparison answers True, False, or None (cannot tell).
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

_PARTIAL = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


def add_months(day: date, months: int) -> date:
    """The same day of the month `months` later, clamped to the month's end.

    30 November + 3 months is 28 or 29 February. Source: clinical specification section 0.
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def completed_years(born: date, day: date) -> int:
    """Age in completed years on `day`. Who is born on 29 February has the birthday on 1 March of a common year."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def local_day(moment: datetime, zone: str) -> date:
    """The calendar day of an aware `moment` in the IANA time zone `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True, order=False)
class Span:
    """Every day a partly known date could be, both ends included."""

    first: date
    last: date

    @property
    def known(self) -> bool:
        """Whether the day is known exactly."""
        return self.first == self.last

    def plus_months(self, months: int) -> "Span":
        """The span moved by whole months; month ends clamp, so order is kept."""
        return Span(add_months(self.first, months), add_months(self.last, months))


def span(partial: str) -> Span:
    """The days that `partial` ("2026", "2026-03", "2026-03-05") could be.

    Raises ValueError when the text is not such a date or names a day that does not exist.
    """
    found = _PARTIAL.match(partial[:10])
    if not found:
        raise ValueError(f"not a partial ISO date: {partial!r}")
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None
    if month is None:
        return Span(date(year, 1, 1), date(year, 12, 31))
    if day is None:
        return Span(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
    exact = date(year, month, day)
    return Span(exact, exact)


def span_of(value: "str | date | datetime | None", zone: str) -> Span | None:
    """The days a stored answer could be, on the calendar of `zone`; None when there is no answer."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        day = local_day(value, zone)
        return Span(day, day)
    if isinstance(value, date):
        return Span(value, value)
    if "T" in value:
        day = local_day(datetime.fromisoformat(value), zone)
        return Span(day, day)
    return span(value)


def moments_of(value: str, zone: str) -> tuple[datetime, datetime] | None:
    """The first and the last moment a partly known moment could be, on the clock of `zone`; None without an answer."""
    if not value:
        return None
    if "T" in value:
        moment = datetime.fromisoformat(value)
        return moment, moment
    days, clock = span(value), ZoneInfo(zone)
    return (
        datetime.combine(days.first, time.min, clock),
        datetime.combine(days.last, time.max, clock),
    )


def as_read(partial: str) -> str:
    """A moment known as far as it is, with the offset of the clock it was entered by: 2026-03-05 10:42 +08:00, 2026-03."""
    return f"{partial[:10]} {partial[11:16]} {partial[16:]}" if "T" in partial else partial


def utc_now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)
