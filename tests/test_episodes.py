"""Episodes of CRS and ICANS and the fever within them, at their ends: which day is the last, which day counts as clear."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from safety.derived.every import DERIVATIONS
from safety.grading.course import crs_course
from safety.grading.episodes import Assessed, Episode, episodes
from tests.books import SHANGHAI, at, book
from tests.test_derived import COOL, LOW, crs, drug
from trial.dates import Span
from trial.fields import uuid7
from trial.protocol import V1

D = Decimal


def march(day: int) -> date:
    return date(2026, 3, day)


def course(*said: tuple[int, int]) -> list[Assessed]:
    """Assessments of these days of March at eight, with these grades."""
    return [Assessed(uuid7(), at(f"2026-03-{day}", "08:00"), march(day), grade) for day, grade in said]


def ends(found: list[Episode]) -> list[tuple[int, int, bool]]:
    """The first and the last day of every episode, and whether two clear days were seen."""
    return [(one.onset.day, one.over.day, one.seen_over) for one in found]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(17, 1), (18, 0), (19, 0)], [(17, 18, True)]),
        ([(17, 1), (19, 0), (20, 0)], [(17, 19, True)]),  # the 18th was not assessed
        # the clear days after the second episode are not those of the first
        ([(17, 1), (21, 1), (22, 0), (23, 0)], [(17, 17, False), (21, 22, True)]),
        ([(17, 1), (21, 2), (22, 0), (23, 0)], [(17, 17, False), (21, 22, True)]),
        ([(17, 1), (18, 0), (19, 0), (21, 1)], [(17, 18, True), (21, 21, False)]),
        ([(17, 1), (19, 0), (20, 0), (21, 1), (22, 0), (23, 0)], [(17, 19, True), (21, 22, True)]),
        ([(15, 0), (16, 0), (17, 1)], [(17, 17, False)]),  # clear days before say nothing
        ([(17, 1), (18, 0), (20, 1)], [(17, 20, False)]),
    ],
)
def test_the_last_day_of_an_episode(
    said: list[tuple[int, int]], expected: list[tuple[int, int, bool]]
) -> None:
    assert ends(episodes(course(*said), V1)) == expected
    assert ends(episodes(course(*said)[::-1], V1)) == expected


@pytest.mark.parametrize(
    ("said", "died", "expected"),
    [
        ([(17, 2)], (18, 18), (17, 18, 5)),
        ([(17, 1), (18, 2)], (21, 21), (17, 21, 5)),
        ([(17, 1), (18, 2)], (22, 22), (17, 18, 2)),  # too long after
        ([(17, 1), (18, 2)], (20, 25), (17, 25, 5)),  # a day that is not known: the last it could be
        ([(17, 1), (20, 2)], (19, 19), (17, 20, 5)),  # assessed after the death: one of them is wrong
        ([(17, 1), (18, 0), (19, 0)], (20, 20), (17, 18, 1)),  # it was over
        (
            [(17, 1), (20, 0), (21, 0)],
            (20, 20),
            (17, 20, 5),
        ),  # what is clear from the day of death on says nothing
        ([(17, 1), (19, 0), (20, 0)], (20, 20), (17, 19, 1)),
    ],
)
def test_a_death_ends_the_episode_that_still_went_on(
    said: list[tuple[int, int]], died: tuple[int, int], expected: tuple[int, int, int]
) -> None:
    (found,) = episodes(course(*said), V1, Span(march(died[0]), march(died[1])))
    assert (found.onset.day, found.over.day, found.worst) == expected
    if found.worst == 5:
        assert found.seen_over is True


def test_a_death_without_an_episode_makes_none() -> None:
    assert episodes(course((17, 0)), V1, Span(march(17), march(17))) == []


def test_time_at_a_severe_grade_is_carried_to_the_next_assessment() -> None:
    rows = course((17, 3), (18, 3), (20, 0))
    (found,) = episodes([*rows, Assessed(uuid7(), rows[0].moment, march(17), 1)], V1)
    assert (found.hours_severe, found.severe_open, found.days) == (D(72), False, 2)


# --- fever -------------------------------------------------------------------------------------------------------


TOCI = drug("TOCILIZUMAB", "2026-03-17T20:00+08:00")


def last_grade(*rows: Any) -> int | None:
    """The CRS grade of the last assessment of a course with tocilizumab at eight in the evening of the 17th."""
    return list(crs_course(rows, [TOCI], SHANGHAI).values())[-1]


def cool(day: int, time: str = "08:00", **facts: Any) -> Any:
    return crs(f"2026-03-{day}", time, **COOL, **facts)


def test_the_day_of_an_assessment_is_no_clear_day_of_before() -> None:
    shock = cool(19, "20:00", **LOW)
    assert last_grade(crs("2026-03-17"), cool(18), cool(19), shock) == 3
    assert last_grade(crs("2026-03-17"), cool(18), cool(19), cool(20, **LOW)) == 0  # two days were clear


def test_the_day_of_a_fever_is_no_clear_day_though_its_grade_is_open() -> None:
    fever = crs("2026-03-17", "19:00", hypotension=None)
    assert last_grade(cool(17), fever, cool(18), cool(19, **LOW)) == 3


def test_the_next_episode_needs_a_treatment_of_its_own() -> None:
    first = [crs("2026-03-17"), cool(18, **LOW)]
    assert last_grade(*first) == 3
    assert last_grade(*first, crs("2026-03-27"), cool(28, **LOW)) == 0
    again = drug("ANAKINRA", "2026-03-27")
    rows = [*first, crs("2026-03-27"), cool(28, **LOW)]
    assert list(crs_course(rows, [TOCI, again], SHANGHAI).values())[-1] == 3


def test_a_toxicity_on_each_side_of_midnight_is_of_the_sites_days() -> None:
    late = crs("2026-03-17", "23:59")
    (found,) = DERIVATIONS["crs_episode"](book(late, crs("2026-03-18", "00:01")), V1)
    assert (found.value["onset"], found.value["over"]) == (march(17), march(17) + timedelta(days=1))
