"""What is measured: which answer counts at a milestone, how old it may be, where it stands."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from safety.eligibility.facts import Source
from safety.eligibility.measurements import GROUPS, milestone_of
from subjects import models as s
from tests.books import at
from tests.test_eligibility_criteria import SCREENED, amended, casebook, changed
from tests.test_eligibility_facts import DONE, told
from trial.protocol import V1
from visits import models as v


@pytest.mark.parametrize(
    ("lead", "age", "field"),
    [
        ("cd19_result", V1.max_age_days.value["cd19_flow"], ("cd19", "sample_date")),
        ("bm_blast_pct_morph", V1.max_age_days.value["bone_marrow"], ("marrow", "bm_dt")),
        ("lvef_pct", V1.max_age_days.value["echo"], ("echo", "echo_date")),
        ("creatinine", V1.max_age_days.value["chemistry"], ("chemistry", "lb_dt")),
        ("alt", V1.max_age_days.value["chemistry"], ("chemistry", "lb_dt")),
        ("ast", V1.max_age_days.value["chemistry"], ("chemistry", "lb_dt")),
        ("bilirubin", V1.max_age_days.value["chemistry"], ("chemistry", "lb_dt")),
        ("spo2_pct", V1.max_age_days.value["pulmonary"], ("lungs", "assess_dt")),
        ("ecog", V1.max_age_days.value["ecog"], ("ecog", "ecog_date")),
        ("hbsag", V1.max_age_days.value["viral_serology"], ("serology", "lb_date")),
        ("hiv_ab", V1.max_age_days.value["viral_serology"], ("serology", "lb_date")),
        ("hbv_dna", V1.viral_dna_max_age_days.value, ("serology", "lb_date")),
        ("ebv_dna", V1.viral_dna_max_age_days.value, ("serology", "lb_date")),
        ("cmv_dna", V1.viral_dna_max_age_days.value, ("serology", "lb_date")),
        ("sars_cov_2", V1.sars_cov_2_max_age_days.value, ("serology", "lb_date")),
        ("pregnancy_test", V1.pregnancy_test_days.value, ("test", "pt_date")),
        ("lactating", V1.pregnancy_test_days.value, ("test", "pt_date")),
        *(
            (name, None, ("", ""))
            for name in (
                *("contraception_agrees", "tcell_expansion", "vascular_access", "survival_over_3_months"),
                *("planned", "uncontrolled_infection", "other_unsuitable"),
            )
        ),
    ],
)
def test_how_old_an_answer_may_be(lead: str, age: int | None, field: tuple[str, str]) -> None:
    (group,) = (one for one in GROUPS if next(iter(one.facts)) == lead)
    assert group.max_age(V1, "SCREENING") == age
    name, dated = field
    if age is None:
        return
    for days, known in ((age, True), (age + 1, False)):
        day = date.fromordinal(SCREENED.toordinal() - days)
        moment = at(str(day)) if dated.endswith("_dt") else day
        found = told(changed(name, **{dated: moment}))
        assert (getattr(found, lead) is not None) is known
        why = None if known else (f"older than {age} d: {day}", f"早于 {age} 天:{day}")
        assert {found.lacking.get(one) for one in group.facts} == {why}


def test_saturation_before_the_infusion_may_be_no_older_than_the_protocol_says() -> None:
    (lungs,) = (one for one in GROUPS if "spo2_pct" in one.facts)
    ages = {
        name: lungs.max_age(V1, name) for name in ("SCREENING", "PRE_APHERESIS", "PRE_LD", "PRE_INFUSION")
    }
    usual = V1.max_age_days.value["pulmonary"]
    assert ages == {**dict.fromkeys(ages, usual), "PRE_INFUSION": V1.spo2_infusion_max_age_days.value}


ASKED_AGAIN = {
    "cd19_result": ("SCREENING",) * 4,
    "bm_blast_pct_morph": ("SCREENING",) * 4,
    "lvef_pct": ("SCREENING", "SCREENING", "PRE_LD", "PRE_LD"),
    "alt": ("SCREENING", "PRE_APHERESIS", "PRE_LD", "PRE_INFUSION"),
    "spo2_pct": ("SCREENING", "PRE_APHERESIS", "PRE_LD", "PRE_INFUSION"),
    "hbsag": ("SCREENING",) * 4,
    "hiv_ab": ("SCREENING",) * 4,
}


@pytest.mark.parametrize(("lead", "asked"), ASKED_AGAIN.items())
def test_the_milestone_at_which_a_group_was_asked_last(lead: str, asked: tuple[str, ...]) -> None:
    (group,) = (one for one in GROUPS if next(iter(one.facts)) == lead)
    names = ("SCREENING", "PRE_APHERESIS", "PRE_LD", "PRE_INFUSION")
    assert tuple(milestone_of(group, name, V1) for name in names) == asked


def test_a_group_that_is_never_asked_again_is_of_screening() -> None:
    (group,) = (one for one in GROUPS if "ecog" in one.facts)
    nowhere = amended(recheck=dict.fromkeys(V1.recheck.value, ()))
    assert milestone_of(group, "PRE_INFUSION", nowhere) == "SCREENING"


def test_an_answer_says_where_it_stands() -> None:
    book = casebook()
    (row,) = book.of(v.Chemistry)
    found = told(book).sources
    assert found["alt"] == Source("chemistry", row.pk, "alt_value", "2026-05-18")
    assert found["alt_uln"] == Source("chemistry", row.pk, "alt_uln", "2026-05-18")
    assert found["creatinine_unit"] == Source("chemistry", row.pk, "creatinine_unit", "2026-05-18")
    assert found["bilirubin"] == Source("chemistry", row.pk, "tbil_value", "2026-05-18")


def chemistry(day: str | None, time: str = "10:00", **answers: Any) -> v.Chemistry:
    """A complete chemistry with the enzymes normal."""
    plain: dict[str, Any] = {"alt_value": D(30), "alt_uln": D(40), "visit": "SCR"}
    return v.Chemistry(lb_dt=day and at(day, time), **{**plain, **DONE, **answers})


@pytest.mark.parametrize(
    ("rows", "alt", "why"),
    [
        ([], None, "missing"),
        ([chemistry("2026-05-20", alt_value=D(31))], 31, None),  # of the day itself
        ([chemistry("2026-05-21", alt_value=D(31))], None, "missing"),  # of a later day
        ([chemistry("2026-05-18", alt_value=D(31)), chemistry("2026-05-19", alt_value=D(32))], 32, None),
        ([chemistry("2026-05-19", alt_value=D(32)), chemistry("2026-05-18", alt_value=D(31))], 32, None),
        (
            [chemistry("2026-05-19", "11:00", alt_value=D(32)), chemistry("2026-05-19", "09:00", alt_value=D(31))],
            32,
            None,
        ),
        ([chemistry("2026-05-18", alt_value=D(31)), chemistry("2026-05-19", alt_value=None)], 31, None),
        ([chemistry("2026-05-18", alt_value=D(31)), chemistry("2026-05-19", status="DRAFT")], 31, None),
        ([chemistry("2026-05-18", alt_value=D(0))], 0, None),  # nothing is an answer as well
        ([chemistry(None, alt_value=D(31))], 31, None),  # of the day of its visit, 15 May
        ([chemistry(None, alt_value=D(31), visit="D28")], None, "not dated"),
        ([chemistry(None, alt_value=D(31), visit="D28"), chemistry("2026-05-18", alt_value=D(32))], 32, None),
    ],
)  # fmt: skip
def test_the_latest_answer_that_counts(rows: list[Any], alt: int | None, why: str | None) -> None:
    found = told(casebook(*rows, without="chemistry"))
    assert found.alt == alt and found.lacking.get("alt", (None,))[0] == why


def test_of_two_answers_of_one_moment_the_one_entered_last_counts() -> None:
    rows = [
        v.Ecog(ecog_date=SCREENED, ecog=grade, sequence=number, **DONE) for number, grade in ((9, 1), (10, 0))
    ]
    for order in (rows, rows[::-1]):
        assert told(casebook(*order, without="ecog")).ecog == 0


def test_what_was_not_done_is_no_answer() -> None:
    older = v.Cd19Flow(sample_date=date(2026, 5, 17), cd19_result="NEGATIVE", **DONE)
    newer = v.Cd19Flow(sample_date=date(2026, 5, 19), cd19_result="NOT_DONE", **DONE)
    assert told(casebook(older, newer, without="cd19")).cd19_result == "NEGATIVE"


@pytest.mark.parametrize("methods", [["IUD"], ["CONDOM", "IUD"], []])
def test_methods_of_contraception_are_all_told(methods: list[str]) -> None:
    assert told(changed("contraception", method=methods)).contraception_methods == tuple(methods)


def test_a_group_is_carried_forward_as_it_was_on_the_day_of_the_milestone_that_asked() -> None:
    listed = s.Eligibility(milestone="SCREENING", assessed_date=date(2026, 5, 25), **DONE)
    since = v.BoneMarrow(bm_dt=at("2026-05-26"), aspirate_adequate=True, blast_pct_morph=D(2), **DONE)
    until = v.BoneMarrow(bm_dt=at("2026-05-25"), aspirate_adequate=True, blast_pct_morph=D(3), **DONE)
    on = date(2026, 6, 10)
    assert told(casebook(listed, since), "PRE_LD", on).bm_blast_pct_morph == 60
    assert told(casebook(listed, since, until), "PRE_LD", on).bm_blast_pct_morph == 3
    assert told(casebook(since), "PRE_LD", on).bm_blast_pct_morph == 2  # no checklist: as of now
    other = s.Eligibility(milestone="PRE_APHERESIS", assessed_date=date(2026, 5, 25), **DONE)
    assert told(casebook(other, since), "PRE_LD", on).bm_blast_pct_morph == 2
    again = s.Eligibility(milestone="SCREENING", assessed_date=date(2026, 6, 20), **DONE)
    assert told(casebook(again, since), "PRE_LD", on).bm_blast_pct_morph == 2  # never later than now
