"""The protocol's intervals on dates that may be known only in part.

Both ends of an interval count. An answer is given only if it holds for every day the dates could be.
"""

from datetime import date, timedelta

from trial.dates import Span, add_months, completed_years, span
from trial.logic import Verdict

Day = str | date | Span | None


def as_span(day: Day) -> Span | None:
    """The days that a date could be; None when there is none. Raises ValueError for text that is no date."""
    if day is None or day == "":
        return None
    if isinstance(day, Span):
        return day
    return span(day) if isinstance(day, str) else Span(day, day)


def at_least_months_after(reference: Day, months: int, on: Day) -> Verdict:
    """Whether `on` lies at least that many calendar months after `reference`; the day itself suffices."""
    since, then = as_span(reference), as_span(on)
    if since is None or then is None:
        return Verdict.UNKNOWN
    permitted = since.plus_months(months)
    if then.first >= permitted.last:
        return Verdict.MET
    return Verdict.NOT_MET if then.last < permitted.first else Verdict.UNKNOWN


def within_before(event: Day, anchor: Day, *, days: int = 0, months: int = 0) -> Verdict:
    """Whether `event` lies within the months and days up to `anchor`, both ends included; after it is outside."""
    happened, until = as_span(event), as_span(anchor)
    if happened is None or until is None:
        return Verdict.UNKNOWN
    opens = Span(_back(until.first, days, months), _back(until.last, days, months))
    if happened.first >= opens.last and happened.last <= until.first:
        return Verdict.MET
    outside = happened.last < opens.first or happened.first > until.last
    return Verdict.NOT_MET if outside else Verdict.UNKNOWN


def _back(day: date, days: int, months: int) -> date:
    return add_months(day, -months) - timedelta(days=days)


def age_range(birth: Day, on: Day) -> tuple[int, int] | None:
    """The least and the greatest age in completed years that the dates allow; None when one is missing."""
    born, then = as_span(birth), as_span(on)
    if born is None or then is None:
        return None
    return completed_years(born.last, then.first), completed_years(born.first, then.last)
