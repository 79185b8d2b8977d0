"""When a medication was taken, as far as its dates tell, against a period."""

from datetime import date
from typing import Any

from safety.casebook import Casebook
from trial.dates import Span, span_of
from trial.logic import Verdict


def taken(book: Casebook, row: Any) -> tuple[Span, Span]:
    """The days the first and the last day of a medication could be. One that goes on was taken up to today."""
    begun, ended = span_of(row.start_dt, book.zone), span_of(row.end_dt, book.zone)
    if ended is None:
        ended = Span(book.today if row.ongoing else begun.first if begun else date.min, book.today)
    begun = begun or Span(date.min, ended.last)
    first = Span(begun.first, max(begun.first, min(begun.last, ended.last)))
    return first, Span(max(ended.first, begun.first), max(ended.last, begun.first))


def overlaps(days: tuple[Span, Span], low: date, high: date | None) -> Verdict:
    """Whether a medication was taken on any day of the period, both ends included, for every day its dates could be.

    `high` None is an end not known yet: what was taken on the first day lies in the period whatever its end.
    """
    first, last = days
    if high is None:
        within = overlaps(days, low, date.max)
        return (
            within
            if within is Verdict.NOT_MET or overlaps(days, low, low) is Verdict.MET
            else Verdict.UNKNOWN
        )
    if first.last <= high and last.first >= low:
        return Verdict.MET
    return Verdict.UNKNOWN if first.first <= high and last.last >= low else Verdict.NOT_MET
