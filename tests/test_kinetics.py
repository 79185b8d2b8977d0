"""Cellular kinetics at their limits: the terminal half-life, the area's ends, which results count at all."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import correlation, linear_regression
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safety.derive.kinetics import Sample, area, half_life, kinetics, samples_of
from trial.protocol import V1, Protocol
from visits.models import PkSample

D = Decimal


def amended(**values: Any) -> Protocol:
    """Version 1 with some values replaced."""
    return replace(V1, **{k: replace(getattr(V1, k), value=v) for k, v in values.items()})


def tail(*results: tuple[float, int]) -> list[Sample]:
    """Quantified results after the maximum, of (day, copies)."""
    return [Sample(D(str(day)), D(copies)) for day, copies in results]


# The terminal half-life


def by_the_textbook(results: list[tuple[float, int]]) -> tuple[float, float]:
    """Slope of the logarithm a day, and adjusted R squared, as the standard library works them out."""
    days, logs = [day for day, _ in results], [math.log(copies) for _, copies in results]
    r2 = correlation(days, logs) ** 2
    return linear_regression(days, logs).slope, 1 - (1 - r2) * (len(days) - 1) / (len(days) - 2)


@given(
    st.lists(
        st.tuples(st.integers(1, 300), st.integers(50, 20000)),
        min_size=3,
        max_size=7,
        unique_by=lambda one: one[0],
    ).map(sorted)
)
def test_half_life_is_that_of_the_regression(results: list[tuple[int, int]]) -> None:
    assume(len({copies for _, copies in results}) > 1)
    slope, adjusted = by_the_textbook(results)
    assume(abs(adjusted - 0.8) > 1e-6 and abs(slope) > 1e-9)
    found = half_life(tail(*results), V1)
    if slope < 0 and adjusted > 0.8:
        assert float(found) == pytest.approx(math.log(2) / -slope)
    else:
        assert found is None


@pytest.mark.parametrize(
    ("copies", "adjusted", "told"),
    [
        ((1000, 500, 250), "1.000", True),
        ((1000, 700, 250), "0.854", True),
        ((1000, 740, 250), "0.807", True),
        ((1000, 750, 250), "0.795", False),  # unadjusted it is 0.898, which would do
        ((1000, 800, 250), "0.734", False),
        ((1000, 300, 250, 60), "0.899", True),  # of four points
    ],
)
def test_the_fit_is_judged_adjusted(copies: tuple[int, ...], adjusted: str, told: bool) -> None:
    results = list(zip((14.0, 21.0, 28.0, 35.0), copies, strict=False))
    assert by_the_textbook(results)[1] == pytest.approx(float(adjusted), abs=0.0006)
    assert (half_life(tail(*results), V1) is not None) is told


@pytest.mark.parametrize(("points", "told"), [(1, False), (2, False), (3, True), (4, True)])
def test_half_life_needs_three_points(points: int, told: bool) -> None:
    results = tail((7, 8000), (14, 4000), (21, 2000), (28, 1000))[:points]
    assert (half_life(results, V1) is not None) is told


@pytest.mark.parametrize(("least", "points", "told"), [(2, 2, False), (4, 3, False), (4, 4, True)])
def test_the_protocol_may_ask_for_more_points_never_for_fewer_than_three(
    least: int, points: int, told: bool
) -> None:
    results = tail((7, 8000), (14, 4000), (21, 2000), (28, 1000))[:points]
    assert (half_life(results, amended(pk_half_life_min_points=least)) is not None) is told


@pytest.mark.parametrize(
    "results",
    [
        ((14, 1000), (21, 1050), (28, 1100)),
        ((14, 100), (14.5, 105), (15, 110)),  # rises by little in little time
        ((14, 1000), (21, 1000), (28, 1000)),
        ((14, 1000), (21, 1200), (28, 1000)),
    ],
)
def test_a_tail_that_does_not_fall_has_no_half_life(results: tuple[tuple[float, int], ...]) -> None:
    assert half_life(tail(*results), amended(pk_half_life_min_r2=D("-2"))) is None


def test_results_of_one_moment_have_no_half_life() -> None:
    assert half_life(tail((14, 1000), (14, 500), (14, 250)), V1) is None


def test_the_maximum_itself_is_not_part_of_the_tail() -> None:
    falling = tail((7, 16000), (14, 8000), (21, 4000))
    assert kinetics(falling, V1).half_life_days is None
    assert kinetics([*falling, Sample(D(28), D(2000))], V1).half_life_days == pytest.approx(D(7))


# The area


def test_before_the_first_sample_the_area_rises_from_zero_at_the_infusion() -> None:
    assert area(tail((1, 100), (2, 100)), D(28)) == D(50) + D(100)
    assert area(tail((0, 100), (2, 100)), D(28)) == D(200)
    assert area([Sample(D(1), None), *tail((2, 100), (3, 100))], D(28)) == D(50) + D(100)


def test_a_blq_of_the_moment_of_a_result_is_left_out_in_whatever_order_they_come() -> None:
    alone = tail((7, 500), (14, 900), (28, 60))
    for day in (7, 28):
        blq = Sample(D(day), None)
        assert kinetics([blq, *alone], V1) == kinetics([*alone, blq], V1) == kinetics(alone, V1)


def test_what_lies_after_the_last_day_does_not_count() -> None:
    upto = tail((0, 100), (28, 100))
    assert area([*upto, *tail((35, 64))], D(28)) == area(upto, D(28)) == D(2800)


def test_the_area_falls_by_the_logarithm() -> None:
    found = area(tail((0, 400), (14, 100)), D(28))
    assert float(found) == pytest.approx(300 * 14 / math.log(4))


def test_a_falling_piece_is_cut_by_the_logarithm() -> None:
    cut = area(tail((0, 400), (56, 100)), D(28))
    assert float(cut) == pytest.approx((400 - 200) * 28 / math.log(2))


def test_a_rising_piece_is_cut_on_its_straight_line() -> None:
    assert area(tail((0, 100), (56, 300)), D(28)) == D(100 + 200) * 28 / 2


# Which results count

START = datetime(2026, 5, 1, 2, tzinfo=UTC)


def drawn(day: float, copies: int | None = None, said: str = "", **more: Any) -> PkSample:
    """A result of quantitative PCR in blood so many days after the infusion."""
    fields = {"assay": "QPCR", "specimen": "PB", "collect_dt": START + timedelta(days=day), **more}
    return PkSample(copies_per_ug=None if copies is None else D(copies), result_text=said, **fields)


def test_a_result_that_does_not_count_hides_none_after_it() -> None:
    rows = [
        drawn(3),
        drawn(5, 800, specimen="BM"),
        drawn(7, 900),
        drawn(10, 700, collect_dt=None),
        drawn(14, 300),
    ]
    assert samples_of(rows, START, V1) == tail((7, 900), (14, 300))


@pytest.mark.parametrize(
    ("copies", "lloq", "counts"),
    [
        (49, None, False),  # the protocol's usual limit, 50
        (50, None, True),
        (20, D(10), True),  # the limit that came with the result
        (9, D(10), False),
        (60, D(100), False),
    ],
)
def test_the_limit_that_came_with_a_result_takes_the_usual_ones_place(
    copies: int, lloq: Decimal | None, counts: bool
) -> None:
    assert samples_of([drawn(7, copies, lloq=lloq)], START, V1) == [
        Sample(D(7), D(copies) if counts else None)
    ]


def test_the_usual_limit_is_one_of_copies_and_not_of_a_share_by_flow() -> None:
    row = PkSample(assay="FLOW", specimen="PB", collect_dt=START + timedelta(days=7), car_pct_cd3=D(9))
    assert samples_of([row], START, V1, "FLOW") == [Sample(D(7), D(9))]


@pytest.mark.parametrize("said", ["BLQ", " blq ", "Blq"])
def test_blq_however_it_is_written(said: str) -> None:
    assert samples_of([drawn(7, 900, said)], START, V1) == [Sample(D(7), None)]
