"""Single answers as verdicts: every code, every side of a limit, and results of which only a bound is known."""

from decimal import Decimal as D
from typing import Any

import pytest

from safety.eligibility.answers import above, at_least, at_most, detected, one_of, positive, yes
from trial.logic import Verdict
from trial.protocol import V1

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("YES", MET),
        ("NO", NOT_MET),
        ("UNKNOWN", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
        (True, MET),
        (False, NOT_MET),
    ],
)
def test_yes(answer: str | bool | None, verdict: Verdict) -> None:
    assert yes(answer) is verdict


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("POSITIVE", MET),
        ("NEGATIVE", NOT_MET),
        ("INDETERMINATE", UNKNOWN),
        ("NOT_DONE", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_positive(result: str | None, verdict: Verdict) -> None:
    assert positive(result) is verdict


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("DETECTED", MET),
        ("DETECTED_BELOW_LLOQ", MET),
        ("NOT_DETECTED", NOT_MET),
        ("NOT_DONE", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_detected(result: str | None, verdict: Verdict) -> None:
    assert detected(result, V1.dna_above_detection.value) is verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("M", NOT_MET), ("F", MET), ("X", MET), ("UNKNOWN", UNKNOWN), ("", UNKNOWN), (None, UNKNOWN)],
)
def test_one_of(answer: str | None, verdict: Verdict) -> None:
    assert one_of(answer, ("F", "X")) is verdict


@pytest.mark.parametrize(
    ("value", "reaches", "exceeds", "stays"),
    [
        (4, NOT_MET, NOT_MET, MET),
        (5, MET, NOT_MET, MET),
        (6, MET, MET, NOT_MET),
        (0, NOT_MET, NOT_MET, MET),
        (D("5.0"), MET, NOT_MET, MET),
        (D("5.01"), MET, MET, NOT_MET),
        (None, UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_a_value_at_a_limit_of_five(value: Any, reaches: Verdict, exceeds: Verdict, stays: Verdict) -> None:
    assert (at_least(value, 5), above(value, 5), at_most(value, 5)) == (reaches, exceeds, stays)


@pytest.mark.parametrize(
    ("qualifier", "below", "at", "over"),
    [
        ("", MET, MET, NOT_MET),
        ("<", MET, MET, UNKNOWN),  # below 6 may be 5
        ("<=", MET, MET, UNKNOWN),
        (">", UNKNOWN, NOT_MET, NOT_MET),  # above 5 is too much, above 4 may be 5
        (">=", UNKNOWN, UNKNOWN, NOT_MET),
    ],
)
def test_a_bounded_result_decides_where_all_it_could_be_decide_alike(
    qualifier: str, below: Verdict, at: Verdict, over: Verdict
) -> None:
    assert [at_most(value, 5, qualifier) for value in (4, 5, 6)] == [below, at, over]


def test_without_a_limit_nothing_is_decided() -> None:
    assert at_most(1, None) is UNKNOWN and at_most(None, None) is UNKNOWN
    assert at_most(None, 5, "<") is UNKNOWN
