"""What is known of the leukaemia on a day: the newest statement that says remission or active disease."""

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from safety.derive.disease_course import course, returned_on, state_on
from trial.protocol import V1
from visits.models import Response, SurvivalLtfu

DAY = date.fromisoformat


def response(day: str | None, said: str) -> Response:
    """The investigator's response on a day."""
    return Response(assess_date=DAY(day) if day else None, investigator_response=said)


def contact(day: str | None, said: str) -> SurvivalLtfu:
    """The state of the disease told at a contact."""
    return SurvivalLtfu(contact_date=DAY(day) if day else None, disease_status=said)


def seen(*rows: Any) -> Any:
    """The course of these responses and contacts."""
    responses = [row for row in rows if isinstance(row, Response)]
    return course(responses, [row for row in rows if isinstance(row, SurvivalLtfu)], V1)


def remission(rows: tuple[Any, ...], day: str) -> bool | None:
    """Whether the subject is known to be in remission on that day; None when nothing is known."""
    found = state_on(seen(*rows), DAY(day))
    return None if found is None else found.remission


@pytest.mark.parametrize(
    ("row", "expected", "returned"),
    [
        (response("2026-04-13", "CR"), True, False),
        (response("2026-04-13", "CRi"), True, False),
        (response("2026-04-13", "NR"), False, False),
        (response("2026-04-13", "PD"), False, True),
        (response("2026-04-13", "RELAPSE"), False, True),
        (response("2026-04-13", "NE"), None, False),
        (contact("2026-04-13", "IN_REMISSION"), True, False),
        (contact("2026-04-13", "RELAPSED"), False, True),
        (contact("2026-04-13", "UNKNOWN"), None, False),
    ],
)
def test_what_each_statement_means(row: Any, expected: bool | None, returned: bool) -> None:
    (one,) = seen(row)
    assert (one.remission, one.returned) == (expected, returned)
    assert one.record == row.pk and getattr(row, one.field) == one.said


@pytest.mark.parametrize(
    "row",
    [response(None, "CR"), response("2026-04-13", ""), contact(None, "RELAPSED"), contact("2026-04-13", "")],
)
def test_a_statement_needs_its_day_and_its_word(row: Any) -> None:
    assert not seen(row)


REMISSION, EVALUATED, RELAPSE = (
    response("2026-04-13", "CR"),
    response("2026-05-13", "NE"),
    contact("2026-06-13", "RELAPSED"),
)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-04-12", None),
        ("2026-04-13", True),  # the day itself
        ("2026-05-13", True),  # what was not evaluable says nothing
        ("2026-06-12", True),
        ("2026-06-13", False),
        ("2027-01-01", False),
    ],
)
def test_the_newest_statement_up_to_the_day_speaks(day: str, expected: bool | None) -> None:
    for rows in permutations((REMISSION, EVALUATED, RELAPSE)):
        assert remission(rows, day) is expected


def test_of_one_day_the_worse_statement_speaks() -> None:
    rows = (response("2026-04-13", "PD"), contact("2026-04-13", "IN_REMISSION"))
    assert remission(rows, "2026-04-13") is False
    assert remission((response("2026-04-13", "CR"), contact("2026-04-13", "RELAPSED")), "2026-04-13") is False
    assert remission((response("2026-04-13", "PD"), contact("2026-04-13", "UNKNOWN")), "2026-04-13") is False


def test_the_first_return_is_kept() -> None:
    later = response("2026-09-13", "PD")
    assert returned_on(seen(later, RELAPSE, REMISSION)) == DAY("2026-06-13")
    assert returned_on(seen(REMISSION, response("2026-05-13", "NR"))) is None
