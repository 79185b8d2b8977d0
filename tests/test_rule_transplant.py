"""DV-01: three calendar months between the transplant and the infusion."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing.models import Infusion
from safety.rules.transplant import infusion_respects_sct_interval
from subjects.models import DiseaseHistory, PriorTransplant
from tests.books import at, book
from trial.dates import add_months, span
from trial.protocol import V1

BROKEN, HELD, CANNOT_TELL = "broken", "held", "cannot tell"


def judge(*forms: Any) -> str:
    """What DV-01 says of a subject with these forms."""
    findings = infusion_respects_sct_interval(book(*forms), V1)
    if not findings:
        return HELD
    assert len(findings) == 1, findings
    return CANNOT_TELL if findings[0].pending else BROKEN


def infused(day: str, time: str = "10:00") -> Infusion:
    return Infusion(inf_start_dt=at(day, time))


def transplanted(day: str, kind: str = "ALLO") -> PriorTransplant:
    return PriorTransplant(sct_date=day, sct_type=kind)


@pytest.mark.parametrize(
    ("transplant", "infusion", "verdict"),
    [
        ("2026-01-15", "2026-04-15", HELD),  # three months to the day
        ("2026-01-15", "2026-04-14", BROKEN),  # one day short
        ("2026-01-15", "2026-03-15", BROKEN),  # two months
        ("2025-11-30", "2026-02-28", HELD),  # 30 November clamps to the end of February
        ("2025-11-30", "2026-02-27", BROKEN),
        ("2023-11-30", "2024-02-29", HELD),  # and to the 29th in a leap year
        ("2023-11-30", "2024-02-28", BROKEN),
        ("2025-08-31", "2025-11-30", HELD),  # 31 August clamps to 30 November
        ("2025-12-31", "2026-03-31", HELD),
        ("2026-01", "2026-04-30", HELD),  # even the last of January leaves three months
        ("2026-01", "2026-03-31", BROKEN),  # even the first of January does not
        ("2026-01", "2026-04-15", CANNOT_TELL),
        ("2025", "2026-03-31", HELD),
        ("2026", "2026-03-31", BROKEN),
        ("2025", "2026-02-01", CANNOT_TELL),
        ("", "2026-04-15", CANNOT_TELL),  # a transplant without any date
    ],
)
@pytest.mark.req("R-29")
def test_three_months_from_transplant_to_infusion(transplant: str, infusion: str, verdict: str) -> None:
    assert judge(transplanted(transplant), infused(infusion)) == verdict


def test_the_latest_of_several_transplants_decides() -> None:
    assert judge(transplanted("2020-01-01"), transplanted("2026-03-01"), infused("2026-04-15")) == BROKEN
    assert judge(transplanted("2020-01-01"), transplanted("2025-12-01"), infused("2026-04-15")) == HELD


def test_a_partly_known_transplant_beside_a_clear_one_is_not_forgotten() -> None:
    assert judge(transplanted("2020-01-01"), transplanted("2026-01"), infused("2026-04-15")) == CANNOT_TELL
    assert judge(transplanted("2026-04-01"), transplanted("2026-01"), infused("2026-04-15")) == BROKEN


@pytest.mark.parametrize(
    ("history", "verdict"),
    [
        ({"relapse_after_first_remission": "YES"}, HELD),  # limb (1) lets the subject in
        (
            {"relapse_after_first_remission": "NO", "primary_refractory": "NO", "ph_status": "NEGATIVE"},
            BROKEN,
        ),
        (
            {"relapse_after_first_remission": "NO", "primary_refractory": "", "ph_status": "NEGATIVE"},
            CANNOT_TELL,
        ),
        (
            {"relapse_after_first_remission": "NO", "primary_refractory": "YES", "induction_cycles": 2},
            HELD,
        ),
    ],
)
def test_read_literally_the_interval_binds_those_who_enter_by_the_transplant_alone(
    history: dict[str, Any], verdict: str
) -> None:
    literal = replace(V1, sct_gap_all_limbs=replace(V1.sct_gap_all_limbs, value=False))
    told = DiseaseHistory(prior_allo_sct="YES", status="COMPLETE", **history)
    forms = (told, transplanted("2026-03-01"), infused("2026-04-15"))
    findings = infusion_respects_sct_interval(book(*forms), literal)
    said = HELD if not findings else CANNOT_TELL if findings[0].pending else BROKEN
    assert said == verdict and judge(*forms) == BROKEN


def test_an_autologous_transplant_does_not_start_the_clock() -> None:
    assert judge(transplanted("2026-04-01", "AUTO"), infused("2026-04-15")) == HELD


def test_a_transplant_whose_type_is_not_entered_cannot_be_told() -> None:
    assert judge(transplanted("2026-04-01", ""), infused("2026-04-15")) == CANNOT_TELL
    assert judge(transplanted("2020-04-01", ""), infused("2026-04-15")) == HELD


def test_history_says_transplanted_but_no_transplant_is_recorded() -> None:
    history = DiseaseHistory(prior_allo_sct="YES")
    assert judge(history, infused("2026-04-15")) == CANNOT_TELL
    assert judge(DiseaseHistory(prior_allo_sct="NO"), infused("2026-04-15")) == HELD


def test_without_an_infusion_nothing_is_broken() -> None:
    assert judge(transplanted("2026-04-01")) == HELD


def test_the_day_is_the_sites_day_not_greenwichs() -> None:
    """00:30 in Shanghai on 15 April is still 14 April in UTC."""
    assert judge(transplanted("2026-01-15"), infused("2026-04-15", "00:30")) == HELD


def test_each_part_of_a_split_infusion_is_judged() -> None:
    findings = infusion_respects_sct_interval(
        book(transplanted("2026-01-15"), infused("2026-04-13"), infused("2026-04-14")), V1
    )
    assert len({f.key for f in findings}) == 2


def test_the_finding_says_where_what_and_why() -> None:
    transplant, infusion = transplanted("2026-02-10"), infused("2026-04-10")
    (finding,) = infusion_respects_sct_interval(book(transplant, infusion), V1)
    assert (finding.form, finding.record, finding.field) == ("infusion", infusion.pk, "inf_start_dt")
    assert "2026-02-10" in finding.en and "2026-05-10" in finding.en and "2026-05-10" in finding.zh
    assert {(f.form, f.field) for f in finding.facts} >= {
        ("infusion", "inf_start_dt"),
        ("prior_transplant", "sct_date"),
    }
    assert "I-01" in infusion_respects_sct_interval.cites


@given(
    first=st.dates(date(2015, 1, 1), date(2026, 5, 1)),
    cut=st.sampled_from([4, 7]),
    after=st.integers(min_value=0, max_value=200),
)
@pytest.mark.req("R-29")
def test_every_completion_of_a_partial_date_agrees_or_the_rule_cannot_tell(
    first: date, cut: int, after: int
) -> None:
    partial = first.isoformat()[:cut]
    day0 = (add_months(first, 3) + timedelta(days=after - 100)).isoformat()
    possible = span(partial)
    days = (possible.first + timedelta(days=n) for n in range((possible.last - possible.first).days + 1))
    verdicts = {judge(transplanted(d.isoformat()), infused(day0)) for d in days}
    said = judge(transplanted(partial), infused(day0))
    assert verdicts == {said} if said != CANNOT_TELL else verdicts == {BROKEN, HELD}
