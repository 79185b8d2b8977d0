"""The other subjects and the committee: DV-46, 47, 48, 50."""

from datetime import date, timedelta
from typing import Any

import pytest

from dosing.models import DoseAllocation, Infusion
from safety.adverse_events import DltAssessment
from safety.rules import RULES
from safety.trialbook import Review, Treated, TrialBook
from tests.books import at, book
from trial.fields import uuid7
from trial.protocol import V1
from trial.rules import Finding

BROKEN, HELD, OPEN = False, None, True
ALL = frozenset(V1.src_signing_roles.value)


def treated(number: int, level: str, day: str, evaluable: str = "", dlt: str = "") -> Treated:
    """Another subject, infused at ten."""
    return Treated(uuid7(), f"01-1{number:02}", level, at(day), date.fromisoformat(day), evaluable, dlt)


def review(level: str, decision: str, day: str, said: str = "", roles: Any = ALL) -> Review:
    """A review of the committee."""
    return Review(uuid7(), date.fromisoformat(day), level, decision, said or decision, frozenset(roles))


def found(
    rule: str, level: str, day: str, *around: Treated | Review, allocated: str = "", evaluable: str = ""
) -> list[Finding]:
    """What a rule finds of a subject infused on a day at a level, among others and reviews."""
    forms: list[Any] = [DoseAllocation(level=level, allocated_dt=at(allocated) if allocated else None)]
    if day:
        forms.append(Infusion(inf_start_dt=at(day)))
    if evaluable:
        forms.append(DltAssessment(evaluable=evaluable))
    trial = TrialBook(
        tuple(one for one in around if isinstance(one, Treated)),
        tuple(one for one in around if isinstance(one, Review)),
    )
    findings = RULES[rule](book(*forms, trial=trial, now=at("2026-12-31")), V1)
    for one in findings:
        assert one.form and one.field and one.record and one.facts and one.en != one.zh
        assert all(fact.form and fact.field for fact in one.facts)
    return findings


def judge(rule: str, level: str, day: str, *around: Treated | Review, **more: str) -> bool | None:
    """What a rule says of that subject."""
    findings = found(rule, level, day, *around, **more)
    return all(one.pending for one in findings) if findings else None


first = treated(1, "DL1", "2026-01-01")
second = treated(2, "DL1", "2026-01-15")


@pytest.mark.parametrize(
    ("level", "day", "around", "verdict"),
    [
        ("DL1", "2026-01-15", (first,), HELD),  # 14 days after the first
        ("DL1", "2026-01-14", (first,), BROKEN),
        ("DL1", "2026-01-01", (first,), BROKEN),  # the same day: 01-001 comes before 01-101, so see below
        ("DL1", "2026-01-22", (first, second), HELD),  # then seven
        ("DL1", "2026-01-21", (first, second), BROKEN),
        ("DL1", "2025-12-25", (first,), HELD),  # the other one came later
        ("DL2", "2026-01-02", (first,), HELD),  # another level
        ("DL1", "2026-01-20", (treated(3, "", "2026-01-19"),), OPEN),
        ("DL1", "2026-01-20", (treated(3, "", "2026-01-07"),), OPEN),
        ("DL1", "2026-01-20", (treated(3, "", "2026-01-06"),), HELD),  # whatever its level
        ("", "2026-01-20", (), OPEN),
        ("DL1", "2026-03-02", (first, treated(3, "DL1", "2026-03-01")), BROKEN),
        ("DL1", "2026-03-02", (first, treated(3, "DL1", "2026-03-01"), review("DL1", "ESCALATE", "2026-03-02")), HELD),
        ("DL1", "2026-03-02", (first, treated(3, "DL1", "2026-03-01"), review("DL1", "ESCALATE", "2026-03-03")), BROKEN),
        ("DL1", "2026-03-02", (first, treated(3, "DL1", "2026-03-01"), review("DL1", "ESCALATE", "2026-03-01", roles=())), BROKEN),
        ("DL2", "2026-03-02", (treated(3, "DL2", "2026-03-01"), review("DL2", "ESCALATE", "2026-03-01")), BROKEN),
    ],
)  # fmt: skip
def test_stagger(level: str, day: str, around: tuple[Any, ...], verdict: bool | None) -> None:
    if day == "2026-01-01":
        around = (treated(1, "DL1", "2025-12-31"),)
    assert judge("DV-46", level, day, *around) is verdict


def test_of_two_infusions_of_one_moment_the_higher_number_is_the_later() -> None:
    lower = Treated(uuid7(), "01-000", "DL1", at("2026-01-01"), date(2026, 1, 1))
    assert judge("DV-46", "DL1", "2026-01-01", lower) is BROKEN
    assert judge("DV-46", "DL1", "2026-01-01", first) is HELD  # 01-101 is the later one


def cohort(level: str, count: int, start: str = "2026-01-01", evaluable: str = "YES") -> list[Treated]:
    """Subjects of a level, a fortnight apart."""
    began = date.fromisoformat(start)
    return [
        treated(n + 1, level, (began + timedelta(days=14 * n)).isoformat(), evaluable) for n in range(count)
    ]


@pytest.mark.parametrize(
    ("earlier", "own", "verdict"),
    [
        (cohort("DL1", 5), "YES", HELD),  # the sixth
        (cohort("DL1", 6), "YES", BROKEN),  # the seventh
        (cohort("DL1", 6), "NO", HELD),  # replaced
        (cohort("DL1", 6), "", OPEN),
        (cohort("DL1", 5) + cohort("DL1", 1, "2026-05-01", "NO"), "YES", HELD),
        (cohort("DL1", 5) + cohort("DL1", 1, "2026-05-01", "PENDING"), "YES", OPEN),
        ([*cohort("DL1", 6), review("DL1", "ESCALATE", "2026-06-01")], "YES", HELD),  # expansion
    ],
)
def test_no_more_than_six_at_a_level(earlier: list[Any], own: str, verdict: bool | None) -> None:
    assert judge("DV-47", "DL1", "2026-09-01", *earlier, evaluable=own) is verdict


decided = review("DL1", "ESCALATE", "2026-02-19")
third = treated(3, "DL1", "2026-01-22")


@pytest.mark.parametrize(
    ("day", "around", "verdict"),
    [
        ("2026-02-20", (third, review("DL1", "STAY", "2026-02-19")), HELD),
        ("2026-02-19", (third, review("DL1", "STAY", "2026-02-19")), BROKEN),  # day 28 is not past
        ("2026-02-19", (treated(3, "DL1", "2026-01-22", "YES", "YES"), decided), HELD),  # it had a toxicity
        (
            "2026-02-19",
            (treated(3, "DL1", "2026-01-22", "YES", "YES"), review("DL1", "STAY", "2026-02-19")),
            HELD,
        ),
        ("2026-02-20", (third,), BROKEN),  # nobody decided
        ("2026-02-20", (third, review("DL1", "ESCALATE", "2026-02-21")), BROKEN),  # decided later
        ("2026-02-20", (third, review("DL1", "ESCALATE", "2026-02-19", roles=("investigator",))), BROKEN),
        ("2026-02-20", (), HELD),  # nobody at the level below
        ("2026-02-20", (third, decided, treated(4, "DL1", "2026-02-19")), HELD),  # expansion runs beside
        ("2026-02-20", (third, decided, treated(4, "DL1", "2026-02-21")), HELD),  # came later
    ],
)
def test_no_cohort_beside_another(day: str, around: tuple[Any, ...], verdict: bool | None) -> None:
    assert judge("DV-47", "DL2", day, *around) is verdict


@pytest.mark.parametrize(
    ("level", "other", "verdict"),
    [
        ("DL1", "DL-1", BROKEN),  # open, and the one below
        ("DL-1", "DL3", HELD),  # there is no level below the lowest
        ("DL3", "DL1", HELD),  # two below
    ],
)
def test_only_the_level_below_has_to_be_closed(level: str, other: str, verdict: bool | None) -> None:
    assert judge("DV-47", level, "2026-02-20", treated(3, other, "2026-02-10")) is verdict


@pytest.mark.parametrize(
    ("level", "day", "around", "verdict"),
    [
        ("DL1", "2026-02-20", (), HELD),  # the starting level
        ("DL-1", "2026-02-20", (), HELD),
        ("DL2", "2026-02-20", (), BROKEN),
        ("DL2", "2026-02-19", (decided,), HELD),  # the same day
        ("DL2", "2026-02-18", (decided,), BROKEN),
        ("DL2", "2026-02-20", (review("DL1", "STAY", "2026-02-19"),), BROKEN),
        ("DL3", "2026-02-20", (decided,), BROKEN),  # of another level
        ("DL2", "2026-02-20", (review("DL1", "ESCALATE", "2026-02-19", roles=("investigator",)),), OPEN),
        ("DL2", "2026-02-20", (treated(4, "DL2", "2026-02-19"),), HELD),  # not the first of the level
        ("", "2026-02-20", (), OPEN),
    ],
)
def test_escalation_needs_the_committee(
    level: str, day: str, around: tuple[Any, ...], verdict: bool | None
) -> None:
    assert judge("DV-48", level, day, *around) is verdict


@pytest.mark.parametrize(
    ("level", "reviews", "verdict"),
    [
        ("DL1", (), HELD),
        ("DL2", (), BROKEN),
        ("DL2", (decided,), HELD),
        ("DL3", (decided,), BROKEN),
        ("DL2", (review("DL1", "ESCALATE", "2026-02-19", said="STAY"),), BROKEN),  # bolder than the design
        ("DL2", (review("DL2", "STAY", "2026-02-19", said="ESCALATE"),), HELD),
        ("DL3", (review("DL2", "STAY", "2026-02-19", said="ESCALATE"),), BROKEN),
        ("DL1", (review("DL2", "DEESCALATE", "2026-02-19"),), HELD),
        ("DL2", (review("DL2", "DEESCALATE", "2026-02-19"),), BROKEN),
        ("DL1", (review("DL2", "STOP_MTD", "2026-02-19"),), HELD),
        ("DL-1", (review("DL-1", "STOP_NO_MTD", "2026-02-19"),), BROKEN),
        ("DL-1", (review("DL1", "ESCALATE", "2026-02-19", said="STOP_NO_MTD"),), BROKEN),
        (
            "DL-1",
            (review("DL9", "ESCALATE", "2026-02-19"),),
            BROKEN,
        ),  # of a level that the study does not have
        ("DL2", (decided, review("DL2", "DEESCALATE", "2026-02-20")), BROKEN),  # the newest counts
        ("DL2", (decided, review("DL2", "DEESCALATE", "2026-02-22")), HELD),  # after the allocation
        ("DL2", (review("DL1", "ESCALATE", "2026-02-19", roles=("statistician",)),), OPEN),
        ("DL3", (review("DL1", "ESCALATE", "2026-02-19", roles=("statistician",)),), BROKEN),  # nor would it
    ],
)
def test_allocation_is_not_bolder(level: str, reviews: tuple[Any, ...], verdict: bool | None) -> None:
    assert judge("DV-50", level, "", *reviews, allocated="2026-02-21") is verdict


def test_an_allocation_without_a_day_counts_from_the_infusion_or_is_left_open() -> None:
    assert judge("DV-50", "DL2", "2026-02-20", decided) is HELD
    assert judge("DV-50", "DL2", "", decided) is OPEN
    assert judge("DV-50", "DL1", "") is HELD
