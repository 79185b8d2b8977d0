"""Intervals between dates of which one or both are known in part: each end of each, the day itself and its neighbours."""

from datetime import date

import pytest

from safety.eligibility.intervals import Day, age_range, as_span, at_least_months_after, within_before
from trial.dates import Span
from trial.logic import Verdict

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("reference", "on", "verdict"),
    [
        ("2026-03-20", "2026-06-20", MET),
        ("2026-03-20", "2026-06-19", NOT_MET),
        # the transplant was in March: permitted from 1 June at the earliest, surely from 30 June
        ("2026-03", "2026-06-30", MET),
        ("2026-03", "2026-06-29", UNKNOWN),
        ("2026-03", "2026-06-01", UNKNOWN),
        ("2026-03", "2026-05-31", NOT_MET),
        # the infusion is only known by its month
        ("2026-03-01", "2026-06", MET),
        ("2026-03-02", "2026-06", UNKNOWN),
        ("2026-03-30", "2026-06", UNKNOWN),
        ("2026-04-01", "2026-06", NOT_MET),
        ("", "2026-06-20", UNKNOWN),
        ("2026-03-20", None, UNKNOWN),
    ],
)
def test_at_least_three_months_after(reference: Day, on: Day, verdict: Verdict) -> None:
    assert at_least_months_after(reference, 3, on) is verdict


@pytest.mark.parametrize(
    ("event", "anchor", "verdict"),
    [
        # 60 days before 15 May begin on 16 March
        ("2026-03-15", "2026-05-15", NOT_MET),
        ("2026-03-16", "2026-05-15", MET),
        ("2026-05-15", "2026-05-15", MET),
        ("2026-05-16", "2026-05-15", NOT_MET),
        ("2026-04", "2026-05-15", MET),
        ("2026-03", "2026-05-15", UNKNOWN),
        ("2026-05", "2026-05-15", UNKNOWN),
        ("2026-02", "2026-05-15", NOT_MET),
        ("2026-06", "2026-05-15", NOT_MET),
        # the month ends on the very day on which the days begin, or begins on that on which they end
        ("2026-03", "2026-05-30", UNKNOWN),
        ("2026-03", "2026-05-31", NOT_MET),
        ("2026-05", "2026-05-01", UNKNOWN),
        ("2026-05", "2026-04-30", NOT_MET),
        # the anchor is only known by its month: the days begin between 2 March and 1 April
        ("2026-03-01", "2026-05", NOT_MET),
        ("2026-03-02", "2026-05", UNKNOWN),
        ("2026-03-31", "2026-05", UNKNOWN),
        ("2026-04-01", "2026-05", MET),
        ("2026-05-01", "2026-05", MET),
        ("2026-05-02", "2026-05", UNKNOWN),
        ("2026-05-31", "2026-05", UNKNOWN),
        ("2026-06-01", "2026-05", NOT_MET),
        (None, "2026-05-15", UNKNOWN),
        ("2026-04-01", "", UNKNOWN),
    ],
)
def test_within_sixty_days_before(event: Day, anchor: Day, verdict: Verdict) -> None:
    assert within_before(event, anchor, days=60) is verdict


@pytest.mark.parametrize(
    ("days", "months", "first"),
    [(0, 0, "2026-05-15"), (1, 0, "2026-05-14"), (0, 1, "2026-04-15"), (1, 1, "2026-04-14")],
)
def test_days_and_months_add_up(days: int, months: int, first: str) -> None:
    before = date.fromordinal(date.fromisoformat(first).toordinal() - 1)
    assert within_before(first, "2026-05-15", days=days, months=months) is MET
    assert within_before(before, "2026-05-15", days=days, months=months) is NOT_MET


@pytest.mark.parametrize(
    ("birth", "on", "ages"),
    [
        ("2008-05-15", "2026-05-15", (18, 18)),
        ("2008-05-16", "2026-05-15", (17, 17)),
        ("2008-05", "2026-05-15", (17, 18)),
        ("2008", "2026-05-15", (17, 18)),
        ("2008-05-15", "2026-05", (17, 18)),
        ("2008-05-15", "2026-06", (18, 18)),
        (None, "2026-05-15", None),
        ("2008-05-15", "", None),
    ],
)
def test_the_ages_that_dates_allow(birth: Day, on: Day, ages: tuple[int, int] | None) -> None:
    assert age_range(birth, on) == ages


def test_a_day_in_any_form_is_the_days_it_could_be() -> None:
    may = Span(date(2026, 5, 1), date(2026, 5, 31))
    assert as_span("2026-05") == as_span(may) == may
    assert as_span(date(2026, 5, 1)) == as_span("2026-05-01") == Span(date(2026, 5, 1), date(2026, 5, 1))
    assert as_span("") is as_span(None) is None
    with pytest.raises(ValueError, match="June"):
        as_span("June")
