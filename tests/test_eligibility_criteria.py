"""The 29 criteria: a subject who satisfies everything, and one fact changed per row."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing.models import Infusion, Lymphodepletion, Manufacturing
from safety.adverse_events import AdverseEvent
from safety.casebook import ANCHORS, Casebook
from safety.eligibility import signs
from safety.eligibility.evaluate import CRITERION_IDS, JUDGES, MILESTONES, evaluate, evaluate_criterion
from safety.eligibility.facts import WORDING, Screening
from safety.eligibility.from_casebook import READS, evaluate_at, screening
from safety.eligibility.intervals import age_range, at_least_months_after, within_before
from safety.eligibility.measurements import GROUPS
from subjects import models as s
from tests.books import at, book
from trial.dates import Span, span
from trial.logic import Verdict
from trial.models import IcfVersion
from trial.protocol import V1, Protocol
from trial.registry import CRITERIA, criterion
from visits import models as v

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
D = Decimal


def amended(**values: Any) -> Protocol:
    """Version 1 with some values replaced."""
    return replace(V1, **{k: replace(getattr(V1, k), value=value) for k, value in values.items()})


def eligible(**changed: Any) -> Screening:
    """A woman of 40 in first relapse who satisfies every criterion, with some facts changed."""
    facts: dict[str, Any] = {
        "icf": "2026-05-15",
        "screening_start": "2026-05-15",
        "infusion_date": "2026-06-20",
        "relapse_after_first_remission": "YES",
        "refractory_primary": "NO",
        "prior_allo_sct": "NO",
        "ph_positive": "NO",
        "number_of_relapses": 1,
        "relapse_type": "BM_ISOLATED",
        "cd19_specimen": "BONE_MARROW",
        "cd19_method": "FLOW_CYTOMETRY",
        "cd19_result": "POSITIVE",
        "cd19_pct_blasts": D(95),
        "bm_blast_pct_morph": D(60),
        "lvef_pct": D(62),
        "lvef_method": "ECHOCARDIOGRAM",
        "creatinine": D("0.9"),
        "creatinine_unit": "mg/dL",
        "alt": D(30),
        "alt_uln": D(40),
        "ast": D(25),
        "ast_uln": D(35),
        "bilirubin": D(12),
        "bilirubin_unit": "umol/L",
        "dyspnea_grade": 0,
        "spo2_pct": D(98),
        "room_air": True,
        "consent_signed": "YES",
        "consent_version_approved": "YES",
        "treatment_withdrawn": "NO",
        "birth_date": "1986-03-02",
        "sex": "F",
        "wocbp": "YES",
        "contraception_agrees": "YES",
        "contraception_methods": ("IUD",),
        "tcell_expansion": "QUALIFIED",
        "ecog": 1,
        "vascular_access": "YES",
        "survival_over_3_months": "YES",
        "malignancy_ongoing": "NO",
        "malignancy_past": "NO",
        "prior_therapy_complete": True,
        "allergies_complete": True,
        "cns_history": "NO",
        "cns_leukaemia": "NO",
        "angioplasty_dates": (),
        "myocardial_infarction": "NO",
        "unstable_angina": "NO",
        "other_heart_disease": "NO",
        "primary_immunodeficiency": "NO",
        "autoimmune_active": "NO",
        "any_immunosuppressant": "NO",
        "planned": "NO",
        "live_vaccine": "NO",
        "imp_ever": "NO",
        **dict.fromkeys(
            ("hbsag", "hbeag", "hbeab", "hbcab", "hcv_ab", "tp_ab", "hiv_ab", "sars_cov_2"), "NEGATIVE"
        ),
        **dict.fromkeys(("hbv_dna", "ebv_dna", "cmv_dna"), "NOT_DETECTED"),
        "uncontrolled_infection": "NO",
        "pregnancy_test": "NEGATIVE",
        "lactating": "NO",
        "other_unsuitable": "NO",
    }
    return Screening(**{**facts, **changed})


NOTHING: dict[str, Any] = {"relapse_after_first_remission": "NO"}
SCT = {
    "prior_allo_sct": "YES",
    "bm_relapse_after_sct": "YES",
    "last_allo_sct_date": "2026-03-20",
    "gvhd_active": "NO",
}
PH = {
    **NOTHING,
    "ph_positive": "YES",
    "tki_intolerant": "NO",
    "tki_contraindicated": "NO",
    "tki_lines_failed": 0,
}
MAN = {"sex": "M", "wocbp": None, "pregnancy_test": None, "lactating": None}


def test_who_satisfies_everything_is_eligible() -> None:
    found = evaluate(eligible(), V1)
    assert {d.criterion: d.admits for d in found.decisions} == dict.fromkeys(CRITERION_IDS, MET)
    assert found.overall == "ELIGIBLE"


@pytest.mark.parametrize(
    ("criterion_id", "changed", "verdict"),
    [
        # I-01
        ("I-01", NOTHING, NOT_MET),
        ("I-01", {"relapse_after_first_remission": None}, UNKNOWN),
        ("I-01", {**NOTHING, **SCT}, MET),
        ("I-01", {**NOTHING, **SCT, "last_allo_sct_date": "2026-03-21"}, NOT_MET),
        ("I-01", {**NOTHING, **SCT, "last_allo_sct_date": "2026-03"}, UNKNOWN),
        ("I-01", {**NOTHING, **SCT, "last_allo_sct_date": "2026-02"}, MET),
        ("I-01", {**NOTHING, **SCT, "infusion_date": None}, UNKNOWN),
        ("I-01", {**NOTHING, **SCT, "bm_relapse_after_sct": "NO"}, NOT_MET),
        ("I-01", {**SCT, "last_allo_sct_date": "2026-05-01"}, NOT_MET),  # the interval binds limb (1) as well
        ("I-01", {"prior_allo_sct": "UNKNOWN"}, UNKNOWN),
        ("I-01", {**NOTHING, "refractory_primary": "YES", "induction_cycles": 2}, MET),
        ("I-01", {**NOTHING, "refractory_primary": "YES", "induction_cycles": 1}, NOT_MET),
        ("I-01", {**NOTHING, "refractory_primary": "YES"}, UNKNOWN),
        ("I-01", PH, NOT_MET),
        ("I-01", {**PH, "tki_lines_failed": 2}, MET),
        ("I-01", {**PH, "tki_lines_failed": 1}, NOT_MET),
        ("I-01", {**PH, "tki_intolerant": "YES"}, MET),
        ("I-01", {**PH, "tki_contraindicated": "YES"}, MET),
        ("I-01", {**PH, "tki_contraindicated": None}, UNKNOWN),
        ("I-01", {**PH, "tki_lines_failed": 2, "ph_positive": "NO"}, NOT_MET),
        # I-02
        ("I-02", {"cd19_specimen": "PERIPHERAL_BLOOD"}, MET),
        ("I-02", {"cd19_specimen": "CSF"}, UNKNOWN),
        ("I-02", {"cd19_method": "IHC"}, UNKNOWN),
        ("I-02", {"cd19_method": "IHC", "cd19_result": "NEGATIVE"}, UNKNOWN),
        ("I-02", {"cd19_result": "NEGATIVE"}, NOT_MET),
        ("I-02", {"cd19_result": "INDETERMINATE"}, UNKNOWN),
        ("I-02", {"cd19_result": "NOT_DONE"}, UNKNOWN),
        # I-03
        ("I-03", {"bm_blast_pct_morph": D("5.0")}, MET),
        ("I-03", {"bm_blast_pct_morph": D("4.99")}, NOT_MET),
        ("I-03", {"bm_blast_pct_morph": None}, UNKNOWN),
        # I-04
        ("I-04a", {"lvef_pct": D("50.0")}, MET),
        ("I-04a", {"lvef_pct": D("49.9")}, NOT_MET),
        ("I-04a", {"lvef_pct": None}, UNKNOWN),
        ("I-04a", {"lvef_method": "CMR"}, UNKNOWN),
        ("I-04b", {"creatinine": D("1.60")}, MET),
        ("I-04b", {"creatinine": D("1.61")}, NOT_MET),
        ("I-04b", {"creatinine": D("141.44"), "creatinine_unit": "umol/L"}, MET),
        ("I-04b", {"creatinine": D("141.45"), "creatinine_unit": "umol/L"}, NOT_MET),
        ("I-04b", {"creatinine": D("142"), "creatinine_unit": "umol/L"}, NOT_MET),
        ("I-04b", {"creatinine_unit": None}, UNKNOWN),
        ("I-04b", {"creatinine_unit": "g/L"}, UNKNOWN),
        ("I-04b", {"creatinine": D("0.2"), "creatinine_qual": "<"}, MET),
        ("I-04b", {"creatinine": D("1.7"), "creatinine_qual": "<"}, UNKNOWN),
        ("I-04b", {"creatinine": D("1.6"), "creatinine_qual": ">"}, NOT_MET),
        ("I-04b", {"creatinine": D("1.6"), "creatinine_qual": ">="}, UNKNOWN),
        ("I-04c", {"alt": D(120)}, MET),
        ("I-04c", {"alt": D("120.1")}, NOT_MET),
        ("I-04c", {"ast": D("105.1")}, NOT_MET),
        ("I-04c", {"ast": D("60.3"), "ast_uln": D("20.1")}, MET),  # binary floats would get this one wrong
        ("I-04c", {"alt_uln": None}, UNKNOWN),
        ("I-04c", {"alt_uln": None, "ast": D(200)}, NOT_MET),
        ("I-04c", {"bilirubin": D("34.2")}, MET),
        ("I-04c", {"bilirubin": D("34.21")}, NOT_MET),
        ("I-04c", {"bilirubin": D("2.0"), "bilirubin_unit": "mg/dL"}, MET),
        ("I-04d", {"dyspnea_grade": 1}, MET),
        ("I-04d", {"dyspnea_grade": 2}, NOT_MET),
        ("I-04d", {"spo2_pct": D(91)}, NOT_MET),
        ("I-04d", {"spo2_pct": D("91.5")}, MET),
        ("I-04d", {"room_air": False}, UNKNOWN),
        ("I-04d", {"room_air": False, "dyspnea_grade": 3}, NOT_MET),
        ("I-04", {"lvef_method": "MUGA"}, UNKNOWN),
        ("I-04", {"lvef_method": "MUGA", "creatinine": D(2)}, NOT_MET),
        # I-05 to I-11
        ("I-05", {"consent_signed": "NO"}, NOT_MET),
        ("I-05", {"consent_signed": None}, UNKNOWN),
        ("I-05", {"consent_version_approved": "NO"}, NOT_MET),
        ("I-05", {"treatment_withdrawn": "YES"}, NOT_MET),
        ("I-06", {"birth_date": "2008-05-15"}, MET),
        ("I-06", {"birth_date": "2008-05-16"}, NOT_MET),
        ("I-06", {"birth_date": "1960-05-16"}, MET),
        ("I-06", {"birth_date": "1960-05-15"}, NOT_MET),
        ("I-06", {"birth_date": "1960-05"}, UNKNOWN),
        ("I-06", {"birth_date": "1960"}, UNKNOWN),
        ("I-06", {"birth_date": "1986"}, MET),
        ("I-06", {"birth_date": None}, UNKNOWN),
        ("I-07", {"wocbp": "NO", "contraception_agrees": "NO"}, MET),
        ("I-07", {"contraception_agrees": "NO"}, NOT_MET),
        ("I-07", {"contraception_methods": ()}, UNKNOWN),
        ("I-07", {"contraception_agrees": None}, UNKNOWN),
        ("I-07", {**MAN, "male_fertile": "NO", "contraception_agrees": "NO"}, MET),
        ("I-07", {**MAN, "male_fertile": "YES", "contraception_agrees": "NO"}, NOT_MET),
        ("I-07", {**MAN, "male_fertile": None, "contraception_agrees": "NO"}, UNKNOWN),
        ("I-08", {"tcell_expansion": "NOT_QUALIFIED"}, NOT_MET),
        ("I-08", {"tcell_expansion": "PENDING"}, UNKNOWN),
        ("I-09", {"ecog": 2}, NOT_MET),
        ("I-09", {"ecog": None}, UNKNOWN),
        ("I-10", {"vascular_access": "NO"}, NOT_MET),
        ("I-10", {"vascular_access": None}, UNKNOWN),
        ("I-11", {"survival_over_3_months": "NO"}, NOT_MET),
        ("I-11", {"survival_over_3_months": ""}, UNKNOWN),
        # E-01 to E-03
        ("E-01", {"relapse_type": "EM_ISOLATED"}, MET),
        ("E-01", {"relapse_type": "COMBINED"}, NOT_MET),
        ("E-01", {"relapse_type": None}, UNKNOWN),
        ("E-01", {"relapse_type": None, "number_of_relapses": 0}, NOT_MET),
        ("E-01", {"relapse_type": None, "number_of_relapses": None}, UNKNOWN),
        ("E-01", {**NOTHING, "relapse_type": None, "number_of_relapses": None}, NOT_MET),
        ("E-01", {**NOTHING, "relapse_type": None, "number_of_relapses": 1}, UNKNOWN),
        ("E-02", {"malignancy_ongoing": "YES"}, MET),
        ("E-02", {"malignancy_past": "YES"}, NOT_MET),
        ("E-02", {"malignancy_ongoing": None}, UNKNOWN),
        ("E-03", {"prior_antigens": ("CD22", "CD3")}, MET),
        ("E-03", {"prior_antigens": ("CD22",)}, NOT_MET),
        ("E-03", {"prior_antigens": ("CD22",), "prior_therapy_complete": False}, UNKNOWN),
        ("E-03", {"prior_antigens": ("CD19",), "prior_therapy_complete": False}, MET),
        # E-04
        ("E-04", {"any_immunosuppressant": "YES", "steroid_last_dose": "2026-05-01"}, MET),
        ("E-04", {"any_immunosuppressant": "YES", "steroid_last_dose": "2026-04-30"}, NOT_MET),
        ("E-04", {"any_immunosuppressant": "YES", "steroid_last_dose": "2026-05"}, UNKNOWN),
        ("E-04", {"any_immunosuppressant": "YES"}, UNKNOWN),
        ("E-04", {"any_immunosuppressant": None}, UNKNOWN),
        ("E-04", {"any_immunosuppressant": None, "planned": "YES"}, MET),
        ("E-04", {"planned": None}, UNKNOWN),
        # E-05
        *(("E-05", {name: "POSITIVE"}, MET) for name in ("hbsag", "hbeag", "hcv_ab", "tp_ab")),
        ("E-05", {"hbcab": "POSITIVE"}, NOT_MET),
        ("E-05", {"hbcab": "POSITIVE", "hbv_dna": "DETECTED"}, MET),
        ("E-05", {"hbeab": "POSITIVE", "hbv_dna": "DETECTED_BELOW_LLOQ"}, MET),
        ("E-05", {"hbcab": "POSITIVE", "hbv_dna": None}, UNKNOWN),
        ("E-05", {"hbv_dna": "DETECTED"}, NOT_MET),
        ("E-05", {"ebv_dna": "DETECTED_BELOW_LLOQ"}, MET),
        ("E-05", {"cmv_dna": "DETECTED"}, MET),
        ("E-05", {"cmv_dna": "NOT_DONE"}, UNKNOWN),
        ("E-05", {"hcv_ab": "INDETERMINATE"}, UNKNOWN),
        ("E-05", {"hcv_ab": "INDETERMINATE", "hbsag": "POSITIVE"}, MET),
        # E-06 to E-12
        ("E-06", {"uncontrolled_infection": "YES"}, MET),
        ("E-06", {"uncontrolled_infection": None}, UNKNOWN),
        ("E-07", {"hiv_ab": "POSITIVE", "sars_cov_2": None}, MET),
        ("E-07", {"tp_ab": "POSITIVE"}, MET),
        ("E-07", {"sars_cov_2": "NOT_DONE"}, UNKNOWN),
        ("E-08", {"severe_allergies": ("AMINOGLYCOSIDE",)}, MET),
        ("E-08", {"severe_allergies": ("DMSO",)}, NOT_MET),
        ("E-08", {"allergies_complete": None}, UNKNOWN),
        ("E-09", {"cns_history": "YES"}, MET),
        ("E-09", {"cns_leukaemia": "YES"}, NOT_MET),
        ("E-09", {"cns_history": None}, UNKNOWN),
        ("E-10", {"angioplasty_dates": ("2025-05-15",)}, MET),
        ("E-10", {"angioplasty_dates": ("2025-05-14",)}, NOT_MET),
        ("E-10", {"angioplasty_dates": ("2025",)}, UNKNOWN),
        ("E-10", {"angioplasty_dates": ("2019", "2026-01-02")}, MET),
        ("E-10", {"angioplasty_dates": None}, UNKNOWN),
        *(
            ("E-10", {name: "YES"}, MET)
            for name in ("myocardial_infarction", "unstable_angina", "other_heart_disease")
        ),
        ("E-11", {"primary_immunodeficiency": "YES"}, MET),
        ("E-11", {"primary_immunodeficiency": None}, UNKNOWN),
        ("E-12", {"severe_allergies": ("DMSO",)}, MET),
        ("E-12", {"severe_allergies": ("OTHER",)}, NOT_MET),
        # E-13 to E-18
        ("E-13", {"live_vaccine": "YES", "live_vaccine_date": "2026-04-03"}, MET),
        ("E-13", {"live_vaccine": "YES", "live_vaccine_date": "2026-04-02"}, NOT_MET),
        ("E-13", {"live_vaccine": "YES", "live_vaccine_date": "2026-04"}, UNKNOWN),
        ("E-13", {"live_vaccine": None}, UNKNOWN),
        ("E-14", MAN, NOT_MET),
        ("E-14", {"pregnancy_test": "POSITIVE"}, MET),
        ("E-14", {"pregnancy_test": None}, UNKNOWN),
        ("E-14", {"pregnancy_test": None, "lactating": "YES"}, MET),
        ("E-14", {"pregnancy_test": None, "wocbp": "NO"}, NOT_MET),
        ("E-14", {"sex": None, "lactating": "YES"}, UNKNOWN),
        ("E-15", {"autoimmune_active": "YES"}, MET),
        ("E-15", {"autoimmune_active": "UNKNOWN"}, UNKNOWN),
        ("E-16", {**SCT, "gvhd_active": "YES"}, MET),
        ("E-16", SCT, NOT_MET),
        ("E-16", {**SCT, "gvhd_active": "UNKNOWN"}, UNKNOWN),
        ("E-17", {"imp_ever": "YES", "imp_last_dose": "2026-02-15"}, MET),
        ("E-17", {"imp_ever": "YES", "imp_last_dose": "2026-02-14"}, NOT_MET),
        ("E-17", {"imp_ever": "YES", "imp_last_dose": "2026-02"}, UNKNOWN),
        ("E-17", {"imp_ever": None}, UNKNOWN),
        ("E-18", {"other_unsuitable": "YES"}, MET),
        ("E-18", {"other_unsuitable": None}, UNKNOWN),
    ],
)
def test_criterion(criterion_id: str, changed: dict[str, Any], verdict: Verdict) -> None:
    decision = evaluate_criterion(criterion_id, eligible(**changed), V1)
    assert decision.verdict is verdict
    assert decision.en.endswith(".") and decision.zh.endswith("。")
    expected = {MET: "ELIGIBLE", NOT_MET: "INELIGIBLE", UNKNOWN: "UNKNOWN"}[decision.admits]
    overall = evaluate(eligible(**changed), V1, "PRE_LD").overall
    assert overall == expected or overall == "INELIGIBLE"  # a change may break a second criterion too


@pytest.mark.parametrize(
    ("criterion_id", "changed", "setting", "verdict"),
    [
        ("I-01", {**SCT, "last_allo_sct_date": "2026-05-01"}, {"sct_gap_all_limbs": False}, MET),
        (
            "I-01",
            {
                "ph_positive": "YES",
                "tki_lines_failed": 0,
                "tki_intolerant": "NO",
                "tki_contraindicated": "NO",
            },
            {"ph_restrictive": True},
            NOT_MET,
        ),
        ("E-09", {"cns_leukaemia": "YES"}, {"cns_leukaemia_excludes": True}, MET),
        ("I-09", {"ecog": 2}, {"ecog_max": 2}, MET),
    ],
)
def test_the_protocol_sets_how_a_criterion_is_read(
    criterion_id: str, changed: dict[str, Any], setting: dict[str, Any], verdict: Verdict
) -> None:
    assert evaluate_criterion(criterion_id, eligible(**changed), amended(**setting)).verdict is verdict


@pytest.mark.parametrize(
    ("criterion_id", "changed", "words"),
    [
        ("I-01", {**SCT, "infusion_date": None}, "Earliest permissible infusion date: 2026-06-20"),
        ("I-01", {"ph_positive": "YES"}, "another limb"),
        ("I-02", {"cd19_pct_blasts": D(19)}, "under 20 %"),
        ("E-02", {"malignancy_past": "YES"}, "past malignancy"),
        ("E-05", {"hbv_dna": "DETECTED"}, "without HBeAb"),
        ("E-09", {"cns_leukaemia": "YES"}, "does not name it"),
        ("I-03", {"later_blasts_pct": D("4.9")}, "4.9 % blasts"),
        ("I-05", {"unsigned_version": "2.0"}, "“2.0” of the consent form is in force"),
        ("I-08", {"batch_rejected": "YES"}, "batch was rejected"),
        ("E-01", {"relapse_type": "EM_ISOLATED"}, "the marrow holds 60 %"),
        ("E-06", {"fever_c": D("38.0")}, "38.0 °C within 72 hours"),
        ("E-06", {"infection_grade": 3}, "infection of grade 3"),
    ],
)
def test_what_decides_nothing_is_asked_about(criterion_id: str, changed: dict[str, Any], words: str) -> None:
    assert evaluate_criterion(criterion_id, eligible(), V1).note is None
    note = evaluate_criterion(criterion_id, eligible(**changed), V1).note
    assert note and words in note[0] and note[1]


@pytest.mark.parametrize("answer", ["YES", None])
def test_signs_of_infection_are_asked_about_while_none_is_reported(answer: str | None) -> None:
    told = evaluate_criterion("E-06", eligible(uncontrolled_infection=answer, fever_c=D("39.0")), V1)
    assert told.note is None and told.lacking == (() if answer else ("uncontrolled_infection",))


def test_every_criterion_of_the_record_has_one_function_with_its_text() -> None:
    assert tuple(one.id for one in CRITERIA) == CRITERION_IDS
    for id_, judge in JUDGES.items():
        assert judge.text and judge.uses and set(judge.uses) <= set(WORDING)
        assert judge(eligible(), V1).text == criterion(id_[:4]).text


def test_a_decision_keeps_what_it_saw_and_says_what_is_lacking() -> None:
    decision = evaluate_criterion("I-03", eligible(), V1)
    assert [(fact.field, fact.value) for fact in decision.evidence] == [("bm_blast_pct_morph", "60")]
    assert decision.en == "Met: Marrow lymphoblasts by morphology 60 %; Asked: ≥ 5 %."
    open_ = evaluate_criterion(
        "I-03", eligible(bm_blast_pct_morph=None, lacking={"bm_blast_pct_morph": ("missing", "缺失")}), V1
    )
    assert open_.lacking == ("bm_blast_pct_morph",)
    assert open_.en.endswith("Not known: Marrow lymphoblasts by morphology (missing).")
    assert open_.zh.endswith("缺少: 骨髓形态学原始淋巴细胞 (缺失)。")
    assert [part.criterion for part in evaluate_criterion("I-04", eligible(), V1).parts] == [
        "I-04a",
        "I-04b",
        "I-04c",
        "I-04d",
    ]
    assert "ECOG 1;" in evaluate_criterion("I-09", eligible(), V1).en


def test_nothing_known_is_unknown_never_a_verdict() -> None:
    found = evaluate(Screening(), V1)
    assert {one.verdict for one in found.decisions} == {UNKNOWN} and found.overall == "UNKNOWN"


@given(st.sets(st.sampled_from(sorted(WORDING)), max_size=6))
def test_a_fact_less_never_turns_a_verdict_round(names: set[str]) -> None:
    empty = Screening()
    facts = replace(eligible(), **{name: getattr(empty, name) for name in names})
    assert all(one.admits is not NOT_MET for one in evaluate(facts, V1).decisions)


@pytest.mark.parametrize(
    ("milestone", "overall"),
    [
        ("SCREENING", "ELIGIBLE"),
        ("PRE_APHERESIS", "ELIGIBLE"),
        ("PRE_LD", "UNKNOWN"),
        ("PRE_INFUSION", "UNKNOWN"),
    ],
)
def test_expansion_may_stay_unknown_until_lymphodepletion(milestone: str, overall: str) -> None:
    assert evaluate(eligible(tcell_expansion="PENDING"), V1, milestone).overall == overall
    assert evaluate(eligible(tcell_expansion="NOT_QUALIFIED"), V1, milestone).overall == "INELIGIBLE"


# Dates known in part: a verdict holds for every day they could be, or there is none

exact = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@st.composite
def partials(draw: st.DrawFn) -> str:
    """A date cut after the year, the month, or not at all."""
    return draw(exact).isoformat()[: draw(st.sampled_from((4, 7, 10)))]


def days(text: str) -> list[date]:
    """Every day a partial date could be."""
    of = span(text)
    return [of.first + timedelta(days=n) for n in range((of.last - of.first).days + 1)]


@given(partials(), exact, st.integers(0, 14))
def test_months_after_a_partial_date(reference: str, on: date, months: int) -> None:
    every = {at_least_months_after(day, months, on) for day in days(reference)}
    assert at_least_months_after(reference, months, on) is (every.pop() if len(every) == 1 else UNKNOWN)


@given(partials(), exact, st.integers(0, 60), st.integers(0, 13))
def test_a_partial_date_within_days_or_months_before(
    event: str, anchor: date, number: int, months: int
) -> None:
    every = {within_before(day, anchor, days=number, months=months) for day in days(event)}
    found = within_before(event, anchor, days=number, months=months)
    assert found is (every.pop() if len(every) == 1 else UNKNOWN)


@given(partials(), st.dates(date(2040, 1, 1), date(2080, 1, 1)))
def test_age_of_a_partial_birth_date(birth: str, on: date) -> None:
    ages = [age_range(day, on) for day in days(birth)]
    known = [age[0] for age in ages if age]
    assert age_range(birth, on) == (min(known), max(known))


DATED = {
    "I-01": "last_allo_sct_date",
    "I-06": "birth_date",
    "E-04": "steroid_last_dose",
    "E-13": "live_vaccine_date",
    "E-17": "imp_last_dose",
}
USED = {**SCT, **NOTHING, "any_immunosuppressant": "YES", "live_vaccine": "YES", "imp_ever": "YES"}


@given(st.sampled_from(sorted(DATED)), partials())
def test_a_criterion_on_a_partial_date_agrees_with_every_completion_or_is_unknown(
    id_: str, text: str
) -> None:
    if id_ == "I-06":
        text = f"{int(text[:4]) - (18 if int(text[:4]) % 2 else 66)}{text[4:]}".replace("-02-29", "-02-28")
    verdict = evaluate_criterion(id_, eligible(**{**USED, DATED[id_]: text}), V1).verdict
    every = {evaluate_criterion(id_, eligible(**{**USED, DATED[id_]: day}), V1).verdict for day in days(text)}
    assert verdict is (every.pop() if len(every) == 1 else UNKNOWN)


# From the casebook


def forms() -> dict[str, Any]:
    """The forms of the same subject, all complete."""
    ready: dict[str, Any] = {"status": "COMPLETE", "visit": "SCR"}
    negative = dict.fromkeys(
        ("hbsag", "hbeag", "hbeab", "hbcab", "hcv_ab", "tp_ab", "hiv_ab", "sars_cov_2"), "NEGATIVE"
    )
    dna = dict.fromkeys(("hbv_dna_result", "ebv_dna_result", "cmv_dna_result"), "NOT_DETECTED")
    return {
        "consent": s.InformedConsent(
            consent_type="INITIAL",
            icf_version="1.0",
            consent_dt=at("2026-05-15"),
            signed_by_subject=True,
            **ready,
        ),
        "visit": v.Visit(actual_date=date(2026, 5, 15), **ready),
        "person": s.Demographics(birth_date="1986-03-02", sex="F", childbearing_potential="YES", **ready),
        "disease": s.DiseaseHistory(
            relapse_after_first_remission="YES",
            primary_refractory="NO",
            prior_allo_sct="NO",
            ph_status="NEGATIVE",
            number_of_relapses=1,
            relapse_type="BM_ISOLATED",
            cns_status="CNS1",
            **ready,
        ),
        "therapy": s.PriorTherapy(
            category="CHEMO",
            line_no=1,
            start_date="2024-01",
            ongoing=False,
            end_date="2024-06",
            investigational=False,
            **ready,
        ),
        "history": s.MedicalHistory(category="OTHER", ongoing=False, **ready),
        "drug": v.ConMeds(drug_class="ANTIBIOTIC", start_dt="2026-05-16", ongoing=True, **ready),
        "cd19": v.Cd19Flow(
            sample_date=date(2026, 5, 18),
            specimen="BONE_MARROW",
            method="FLOW_CYTOMETRY",
            cd19_result="POSITIVE",
            cd19_pct_blasts=D(95),
            **ready,
        ),
        "marrow": v.BoneMarrow(
            bm_dt=at("2026-05-18"), aspirate_adequate=True, blast_pct_morph=D(60), **ready
        ),
        "echo": v.Echo(echo_date=date(2026, 5, 18), method="ECHOCARDIOGRAM", lvef_pct=D(62), **ready),
        "chemistry": v.Chemistry(
            lb_dt=at("2026-05-18"),
            creatinine_value=D(80),
            alt_value=D(30),
            alt_uln=D(40),
            ast_value=D(25),
            ast_uln=D(35),
            tbil_value=D(12),
            **ready,
        ),
        "lungs": v.Pulmonary(
            assess_dt=at("2026-05-18"), dyspnea_grade=0, spo2_pct=D(98), room_air=True, **ready
        ),
        "ecog": v.Ecog(ecog_date=date(2026, 5, 18), ecog=1, **ready),
        "serology": s.ViralSerology(lb_date=date(2026, 5, 18), **negative, **dna, **ready),
        "test": s.PregnancyTest(pt_date=date(2026, 5, 18), result="NEGATIVE", lactating="NO", **ready),
        "contraception": s.Contraception(agrees="YES", method=["IUD"], **ready),
        "judgement": s.SurvivalEstimate(
            est_survival_gt_3m="YES",
            vascular_access_ok="YES",
            tcell_expansion_qualified="PENDING",
            uncontrolled_infection="NO",
            other_unsuitable="NO",
            planned_immunosuppression="NO",
            **ready,
        ),
    }


def casebook(*more: Any, without: str = "") -> Casebook:
    """The casebook of these forms and some more, all forms of the criteria read."""
    filled = book(*(form for name, form in forms().items() if name != without), *more)
    return replace(filled, rows={**{form: [] for form in READS}, **filled.rows})


SCREENED = date(2026, 5, 20)


def changed(name: str, **values: Any) -> Casebook:
    """The casebook with one form changed."""
    form = forms()[name]
    for field, value in values.items():
        setattr(form, field, value)
    return casebook(form, without=name)


def test_the_casebook_of_an_eligible_subject() -> None:
    found = evaluate_at(casebook(), "SCREENING", SCREENED, V1)
    assert {
        d.criterion: d.reason for d in found.decisions if d.admits is not MET and d.criterion != "I-08"
    } == {}
    assert found.overall == "ELIGIBLE"
    fact = found["I-03"].evidence[0]
    assert (fact.form, fact.field, fact.value) == ("bone_marrow", "blast_pct_morph", "60")
    assert "(2026-05-18)" in found["I-03"].en


@pytest.mark.parametrize("name", sorted(set(forms()) - {"visit"}))
def test_without_a_form_its_criteria_cannot_be_told(name: str) -> None:
    found = evaluate_at(casebook(without=name), "SCREENING", SCREENED, V1)
    assert found.overall == "UNKNOWN"
    assert all(one.admits is not NOT_MET for one in found.decisions)


@pytest.mark.parametrize(
    ("name", "values", "criterion_id", "verdict"),
    [
        ("chemistry", {"creatinine_value": D("1.61"), "creatinine_unit": "mg/dL"}, "I-04", NOT_MET),
        ("chemistry", {"creatinine_value": D(142)}, "I-04", NOT_MET),
        ("chemistry", {"alt_uln": None}, "I-04", UNKNOWN),
        ("chemistry", {"lb_dt": at("2026-05-12")}, "I-04", UNKNOWN),  # eight days old
        ("chemistry", {"lb_dt": at("2026-05-13")}, "I-04", MET),
        ("chemistry", {"status": "DRAFT"}, "I-04", UNKNOWN),
        ("echo", {"echo_date": date(2026, 4, 21)}, "I-04", UNKNOWN),  # 29 days old
        ("echo", {"echo_date": date(2026, 4, 22)}, "I-04", MET),
        ("marrow", {"aspirate_adequate": False}, "I-03", UNKNOWN),
        ("marrow", {"blast_pct_morph": D("4.99")}, "I-03", NOT_MET),
        ("test", {"pt_date": date(2026, 5, 12)}, "E-14", UNKNOWN),
        ("consent", {"signed_by_subject": False}, "I-05", NOT_MET),
        ("consent", {"icf_version": "9.9"}, "I-05", NOT_MET),
        ("person", {"birth_date": "1960-05"}, "I-06", UNKNOWN),
        ("judgement", {"uncontrolled_infection": "YES"}, "E-06", MET),
        ("therapy", {"target_antigens": ["CD19", "CD3"]}, "E-03", MET),
        ("therapy", {"category": "CAR_T"}, "E-03", UNKNOWN),  # its targets were not entered
        ("therapy", {"category": "BLINATUMOMAB"}, "E-03", MET),  # CD19 and CD3 without being entered
        ("therapy", {"category": "BLINATUMOMAB", "target_antigens": ["OTHER"]}, "E-03", MET),
        ("therapy", {"category": "INOTUZUMAB"}, "E-03", NOT_MET),
        ("therapy", {"investigational": True, "end_date": "2026-02-15"}, "E-17", MET),
        ("therapy", {"investigational": True, "end_date": "2026-02-14"}, "E-17", NOT_MET),
        ("therapy", {"investigational": True, "end_date": "2026"}, "E-17", UNKNOWN),
        ("therapy", {"investigational": True, "ongoing": True, "end_date": ""}, "E-17", MET),
        ("therapy", {"status": "DRAFT"}, "E-03", UNKNOWN),
        ("drug", {"drug_class": "CORTICOSTEROID"}, "E-04", NOT_MET),  # begun after consent
        ("drug", {"drug_class": "CORTICOSTEROID", "start_dt": "2026-05-01"}, "E-04", MET),
        ("drug", {"drug_class": "CORTICOSTEROID", "start_dt": "2026-05"}, "E-04", UNKNOWN),
        (
            "drug",
            {"drug_class": "CORTICOSTEROID", "start_dt": "2026-01", "ongoing": False, "end_dt": "2026-04-30"},
            "E-04",
            NOT_MET,
        ),
        (
            "drug",
            {
                "drug_class": "CORTICOSTEROID",
                "start_dt": "2026-01",
                "ongoing": False,
                "end_dt": "2026-05-01T08:00+08:00",
            },
            "E-04",
            MET,
        ),
        (
            "drug",
            {"drug_class": "CORTICOSTEROID", "start_dt": "2026-01", "ongoing": None, "end_dt": ""},
            "E-04",
            UNKNOWN,
        ),
        ("drug", {"drug_class": "LIVE_VACCINE", "start_dt": "2026-04-03"}, "E-13", MET),
        ("drug", {"drug_class": "LIVE_VACCINE", "start_dt": "2026-04-02"}, "E-13", NOT_MET),
        ("drug", {"drug_class": "NON_LIVE_VACCINE", "start_dt": "2026-05-10"}, "E-13", NOT_MET),
        ("history", {"category": "OTHER_MALIGNANCY", "ongoing": True}, "E-02", MET),
        ("history", {"category": "CNS", "subtype": "EPILEPSY", "status": "DRAFT"}, "E-09", MET),
        ("history", {"category": "CARDIAC", "subtype": "MI"}, "E-10", MET),
        (
            "history",
            {"category": "CARDIAC", "subtype": "ANGIOPLASTY_STENT", "start_date": "2025-05-15"},
            "E-10",
            MET,
        ),
        ("history", {"category": "CARDIAC", "subtype": ""}, "E-10", UNKNOWN),
        (
            "history",
            {"category": "ALLERGY", "allergen_class": "DMSO", "reaction_type": "IMMEDIATE_SEVERE"},
            "E-12",
            MET,
        ),
        (
            "history",
            {"category": "ALLERGY", "allergen_class": "AMINOGLYCOSIDE", "reaction_type": "DELAYED"},
            "E-08",
            NOT_MET,
        ),
        ("history", {"category": "ALLERGY", "allergen_class": "AMINOGLYCOSIDE"}, "E-08", UNKNOWN),
        ("history", {"category": "AUTOIMMUNE", "active_at_consent": "UNKNOWN"}, "E-15", UNKNOWN),
        ("history", {"not_done": True, "not_done_reason": "NOT_APPLICABLE"}, "E-02", NOT_MET),
        ("history", {"not_done": True, "not_done_reason": "NOT_DONE"}, "E-02", UNKNOWN),
        ("disease", {"prior_allo_sct": "YES"}, "I-01", UNKNOWN),  # no transplant recorded
        ("disease", {"relapse_type": "EM_ISOLATED"}, "E-01", MET),
        ("serology", {"hbcab": "POSITIVE", "hbv_dna_result": "NOT_DONE"}, "E-05", UNKNOWN),
    ],
)
def test_one_form_changed(name: str, values: dict[str, Any], criterion_id: str, verdict: Verdict) -> None:
    assert evaluate_at(changed(name, **values), "SCREENING", SCREENED, V1)[criterion_id].verdict is verdict


@pytest.mark.parametrize(
    ("sct", "planned", "verdict"),
    [
        ([("2026-03-20", "ALLO")], date(2026, 6, 20), MET),
        ([("2026-03-20", "ALLO")], date(2026, 6, 19), NOT_MET),
        ([("2026-03-20", "ALLO")], None, UNKNOWN),
        ([("2024-01-01", "ALLO"), ("2026-04", "ALLO")], date(2026, 6, 20), NOT_MET),  # the latest counts
        ([("2026-05-01", "AUTO")], date(2026, 6, 20), MET),
        ([("2026-05-01", "")], date(2026, 6, 20), UNKNOWN),
        ([("", "ALLO")], date(2026, 6, 20), UNKNOWN),
    ],
)
def test_the_interval_after_transplants(
    sct: list[tuple[str, str]], planned: date | None, verdict: Verdict
) -> None:
    rows = [
        s.PriorTransplant(
            sct_date=day,
            sct_type=kind,
            bm_relapse_after_sct="YES",
            gvhd_active_at_consent="NO",
            status="COMPLETE",
        )
        for day, kind in sct
    ]
    found = evaluate_at(casebook(*rows, plan(planned)), "SCREENING", SCREENED, V1)
    assert found["I-01"].verdict is verdict


def plan(
    planned: date | None, milestone: str = "SCREENING", day: date = SCREENED, status: str = "COMPLETE"
) -> s.Eligibility:
    """A checklist that says when the infusion is planned."""
    return s.Eligibility(
        milestone=milestone, assessed_date=day, planned_infusion_date=planned, status=status, sequence=1
    )


EARLY, LATE = date(2026, 6, 19), date(2026, 6, 20)  # by a day, after a transplant on 2026-03-20
DEPLETED = Lymphodepletion(admin_dt=at("2026-06-14"), planned_day=-5)  # implies EARLY
INFUSED = Infusion(inf_start_dt=at("2026-06-19"))
PLANS: list[tuple[str, list[Any], date, Verdict]] = [
    ("SCREENING", [plan(EARLY), plan(LATE, day=date(2026, 5, 21))], date(2026, 5, 21), MET),  # the newest
    ("SCREENING", [plan(EARLY), plan(LATE, day=date(2026, 5, 21))], SCREENED, NOT_MET),  # as of that day
    ("SCREENING", [plan(LATE, status="DRAFT")], SCREENED, UNKNOWN),
    ("SCREENING", [plan(LATE, "PRE_LD", SCREENED)], SCREENED, UNKNOWN),  # of a later milestone
    ("PRE_LD", [plan(LATE)], date(2026, 6, 1), MET),  # carried forward
    ("PRE_LD", [plan(LATE), plan(None, "PRE_LD", date(2026, 6, 1))], date(2026, 6, 1), MET),
    ("PRE_INFUSION", [plan(LATE), DEPLETED], LATE, NOT_MET),  # what lymphodepletion implies is newer
    ("PRE_INFUSION", [plan(LATE, "PRE_INFUSION", date(2026, 6, 17)), DEPLETED], LATE, MET),  # put off
    ("PRE_INFUSION", [plan(LATE, "PRE_INFUSION", EARLY), DEPLETED, INFUSED], EARLY, NOT_MET),  # it took place
]


@pytest.mark.parametrize(("milestone", "added", "on", "verdict"), PLANS)
def test_which_infusion_the_interval_is_held_against(
    milestone: str, added: list[Any], on: date, verdict: Verdict
) -> None:
    transplant = s.PriorTransplant(
        sct_date="2026-03-20", sct_type="ALLO", bm_relapse_after_sct="YES", status="COMPLETE"
    )
    found = evaluate_at(casebook(transplant, *added), milestone, on, V1)["I-01"]
    assert found.verdict is verdict
    assert found.note == (
        None
        if verdict is MET
        else ("Earliest permissible infusion date: 2026-06-20", "最早可回输日期:2026-06-20")
    )


def test_an_infusion_that_is_planned_too_early_is_named_with_both_dates() -> None:
    transplant = s.PriorTransplant(
        sct_date="2026-03-20", sct_type="ALLO", bm_relapse_after_sct="YES", status="COMPLETE"
    )
    checklist = plan(EARLY)
    found = evaluate_at(casebook(transplant, checklist), "SCREENING", SCREENED, V1)["I-01"]
    assert found.verdict is NOT_MET and "2026-03-20" in found.en and "2026-06-19" in found.zh
    fact = next(one for one in found.evidence if one.field == "planned_infusion_date")
    assert (fact.form, fact.record, fact.value) == ("eligibility", checklist.pk, "2026-06-19")


def later(**answers: Any) -> list[Any]:
    """What is measured again before lymphodepletion."""
    ready: dict[str, Any] = {"status": "COMPLETE", "visit": "LD-5"}
    return [
        s.Eligibility(milestone="SCREENING", assessed_date=SCREENED, status="COMPLETE"),
        v.BoneMarrow(bm_dt=at("2026-06-12"), aspirate_adequate=True, blast_pct_morph=D(2), **ready),
        v.Chemistry(
            lb_dt=at("2026-06-14"),
            creatinine_value=D(90),
            alt_value=D(30),
            alt_uln=D(40),
            ast_value=D(25),
            ast_uln=D(35),
            tbil_value=D(12),
            **ready,
        ),
        v.Pulmonary(assess_dt=at("2026-06-14"), dyspnea_grade=0, spo2_pct=D(97), room_air=True, **ready),
    ]


def test_what_a_milestone_does_not_ask_again_is_carried_forward() -> None:
    found = evaluate_at(casebook(*later()), "PRE_LD", date(2026, 6, 15), V1)
    assert found["I-03"].verdict is MET and found["I-03"].evidence[0].value == "60"  # the marrow of screening
    assert found["E-10"].verdict is NOT_MET
    assert found["I-04"].parts[0].verdict is MET  # 28 days old to the day
    assert found["E-05"].verdict is NOT_MET  # DNA of 28 days ago, antibodies carried forward
    assert found["E-07"].verdict is UNKNOWN  # SARS-CoV-2 is asked again
    assert "older than 7 d: 2026-05-18" in found["E-07"].en
    assert found["I-08"].verdict is UNKNOWN and found.overall == "UNKNOWN"


def test_saturation_before_infusion_is_a_day_old_at_most() -> None:
    on = date(2026, 6, 16)
    assert screening(casebook(*later()), "PRE_LD", on, V1).spo2_pct == 97
    assert screening(casebook(*later()), "PRE_INFUSION", on, V1).spo2_pct is None
    assert screening(casebook(*later()), "PRE_INFUSION", on - timedelta(days=1), V1).spo2_pct == 97


def test_the_latest_result_decides() -> None:
    newer = v.Cd19Flow(
        sample_date=date(2026, 5, 19),
        specimen="BONE_MARROW",
        method="FLOW_CYTOMETRY",
        cd19_result="NEGATIVE",
        status="COMPLETE",
    )
    assert evaluate_at(casebook(newer), "SCREENING", SCREENED, V1)["I-02"].verdict is NOT_MET
    assert evaluate_at(casebook(newer), "SCREENING", date(2026, 5, 18), V1)["I-02"].verdict is MET


def test_withdrawal_of_treatment_ends_consent() -> None:
    withdrawn = s.InformedConsent(
        consent_type="WITHDRAWAL", consent_dt=at("2026-05-19"), withdrawal_scope=["TREATMENT"]
    )
    assert evaluate_at(casebook(withdrawn), "SCREENING", SCREENED, V1)["I-05"].verdict is NOT_MET
    assert evaluate_at(casebook(withdrawn), "SCREENING", date(2026, 5, 18), V1)["I-05"].verdict is MET


def test_milestones_and_groups_fit_the_protocol() -> None:
    assert set(V1.recheck.value) == set(MILESTONES)
    assert {group.criterion for group in GROUPS} <= set(CRITERION_IDS)
    assert {fact for group in GROUPS for fact in group.facts} <= set(WORDING)
    with pytest.raises(ValueError, match="unknown milestone"):
        screening(casebook(), "DAY_100", SCREENED, V1)


def test_a_span_is_shown_as_the_days_it_could_be() -> None:
    facts = eligible(**{**SCT, "last_allo_sct_date": Span(date(2026, 3, 1), date(2026, 3, 31))})
    assert "2026-03-01 – 2026-03-31" in evaluate_criterion("I-01", facts, V1).en


READY: dict[str, Any] = {"status": "COMPLETE", "visit": "SCR"}


def signs_of(day: str, temp: str) -> v.VitalSigns:
    return v.VitalSigns(vs_dt=at(*day.split()), temp_c=D(temp), **READY)


def infection(**answers: Any) -> AdverseEvent:
    told = {"category": "INFECTION", "max_grade": 3, "start_dt": "2026-05-19", "ongoing": True, **answers}
    return AdverseEvent(**told)


@pytest.mark.parametrize(
    ("sign", "asked"),
    [
        (signs_of("2026-05-20 08:00", "38.0"), True),
        (signs_of("2026-05-20 08:00", "37.9"), False),
        (signs_of("2026-05-17 00:00", "38.5"), True),  # 72 hours before the day begins
        (signs_of("2026-05-16 23:59", "38.5"), False),
        (signs_of("2026-05-21 00:00", "38.5"), False),  # after it
        (infection(), True),
        (infection(max_grade=2), False),
        (infection(category="CYTOPENIA"), False),
        (infection(start_dt="2026-05-21"), False),
        (infection(start_dt="2026-05"), True),  # it may have begun by then
        (infection(ongoing=False, end_dt="2026-05-20"), True),
        (infection(ongoing=False, end_dt="2026-05-19"), False),
        (infection(ongoing=False), False),
    ],
)
def test_fever_and_severe_infection_around_the_day_of_the_checklist(sign: Any, asked: bool) -> None:
    found = evaluate_at(casebook(sign), "SCREENING", SCREENED, V1)["E-06"]
    assert found.verdict is NOT_MET and (found.note is not None) is asked
    if found.note and isinstance(sign, v.VitalSigns):
        assert str(sign.vs_dt.date()) in found.note[0] and str(sign.vs_dt.date()) in found.note[1]


def marrow_of(day: str, share: str, visit: str = "LD-5") -> v.BoneMarrow:
    ready: dict[str, Any] = {"status": "COMPLETE", "visit": visit, "aspirate_adequate": True}
    return v.BoneMarrow(bm_dt=at(day), blast_pct_morph=D(share), **ready)


@pytest.mark.parametrize(
    ("milestone", "marrow", "asked"),
    [
        ("PRE_LD", marrow_of("2026-06-10", "4.9"), True),
        ("PRE_LD", marrow_of("2026-06-10", "5.0"), False),
        ("PRE_LD", marrow_of("2026-06-15", "4.9"), False),  # not yet known on that day
        ("SCREENING", marrow_of("2026-06-10", "4.9"), False),  # there it decides
        ("PRE_INFUSION", marrow_of("2026-06-10", "4.9"), True),
    ],
)
def test_a_marrow_before_lymphodepletion_is_asked_about_and_never_excludes(
    milestone: str, marrow: v.BoneMarrow, asked: bool
) -> None:
    before = s.Eligibility(milestone="SCREENING", assessed_date=SCREENED, status="COMPLETE")
    found = evaluate_at(casebook(before, marrow), milestone, date(2026, 6, 14), V1)["I-03"]
    assert (found.verdict is MET) is (milestone != "SCREENING")
    assert (found.note is not None) is asked


@pytest.mark.parametrize(
    ("decisions", "asked"),
    [
        (["REJECTED"], True),
        (["RELEASED"], False),
        (["REJECTED", "RELEASED"], False),
        ([""], False),
        ([], False),
    ],
)
def test_a_rejected_batch_speaks_against_qualified_expansion(decisions: list[str], asked: bool) -> None:
    judged = forms()["judgement"]
    judged.tcell_expansion_qualified = "QUALIFIED"
    batches = [Manufacturing(release_decision=one, status="COMPLETE") for one in decisions]
    found = evaluate_at(casebook(judged, *batches, without="judgement"), "PRE_LD", date(2026, 6, 14), V1)[
        "I-08"
    ]
    assert (found.note is not None) is asked


def at_site(told: Casebook, **second: Any) -> Casebook:
    """The casebook at a site where version 2.0 of the consent form is approved as well."""
    first = told.site.icf_versions[0]
    ends = {"valid_to": second.pop("ends", None)}
    forms = (
        IcfVersion(label=first.label, irb_approval_date=first.irb_approval_date, **ends),
        IcfVersion(label="2.0", **second),
    )
    return replace(told, site=replace(told.site, icf_versions=forms))


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [(None, MET), (date(2026, 5, 15), MET), (date(2026, 5, 14), NOT_MET)],  # consent on 15 May
)
def test_consent_is_on_a_version_valid_that_day(ends: date | None, verdict: Verdict) -> None:
    told = at_site(casebook(), ends=ends, irb_approval_date=date(2026, 5, 15))
    assert evaluate_at(told, "SCREENING", SCREENED, V1)["I-05"].verdict is verdict


@pytest.mark.parametrize(
    ("milestone", "approved", "again", "asked"),
    [
        ("PRE_INFUSION", "2026-06-10", None, True),
        ("PRE_INFUSION", "2026-06-14", None, True),
        ("PRE_INFUSION", "2026-06-15", None, False),  # not in force yet
        ("PRE_INFUSION", "2026-06-10", "2026-06-14", False),
        ("PRE_INFUSION", "2026-06-10", "2026-06-15", True),
        ("PRE_LD", "2026-06-10", None, False),
    ],
)
def test_before_the_infusion_the_version_in_force_is_asked_for(
    milestone: str, approved: str, again: str | None, asked: bool
) -> None:
    more = [] if again is None else [
        s.InformedConsent(
            consent_type="RECONSENT", icf_version="2.0", consent_dt=at(again), signed_by_subject=True,
            status="COMPLETE",
        )
    ]  # fmt: skip
    told = at_site(casebook(*more), irb_approval_date=date.fromisoformat(approved))
    found = evaluate_at(told, milestone, date(2026, 6, 14), V1)["I-05"]
    assert found.verdict is MET and (found.note is not None) is asked


@pytest.mark.parametrize("milestone", MILESTONES)
def test_the_criteria_read_no_form_but_those_they_name(milestone: str) -> None:
    told = casebook()
    known = replace(told, rows={form: told.rows[form] for form in (*ANCHORS, *READS)})
    assert evaluate_at(known, milestone, SCREENED, V1).decisions
    assert set(signs.READS) == {v.VitalSigns, AdverseEvent, v.BoneMarrow, Manufacturing, s.InformedConsent}
    assert set(signs.READS) <= set(READS)


def asked_about(criterion_id: str, milestone: str, *forms: Any, on: str = "2026-06-14") -> str:
    """What is asked about with these forms added; "" for nothing."""
    before = s.Eligibility(milestone="SCREENING", assessed_date=SCREENED, status="COMPLETE")
    note = evaluate_at(casebook(before, *forms), milestone, date.fromisoformat(on), V1)[criterion_id].note
    return note[0] if note else ""


def test_the_worst_sign_is_named() -> None:
    hot = [
        signs_of("2026-06-13 08:00", "38.1"),
        signs_of("2026-06-14 08:00", "39.2"),
        signs_of("2026-06-14 20:00", "38.4"),
    ]
    open_ = [v.VitalSigns(temp_c=D("40.0"), **READY), v.VitalSigns(vs_dt=at("2026-06-14"), **READY)]
    assert "39.2 °C (2026-06-14)" in asked_about("E-06", "PRE_LD", *hot, *open_)
    mild = infection(max_grade=3, start_dt="2026-06-01T08:00+08:00")
    severe = infection(max_grade=4, start_dt="2026-06-02T08:00+08:00")
    told = asked_about("E-06", "PRE_LD", mild, severe, infection(max_grade=None))
    assert "grade 4 (2026-06-02) that goes on" in told
    assert "grade 3" in asked_about("E-06", "PRE_LD", infection(start_dt="2026-06-14"))  # begun on the day


@pytest.mark.parametrize(
    ("marrows", "asked"),
    [
        ([marrow_of("2026-06-14", "4.9")], True),  # of the day itself
        ([marrow_of("2026-06-01", "4.9"), marrow_of("2026-06-10", "30")], False),  # the newest speaks
        ([marrow_of("2026-06-01", "30"), marrow_of("2026-06-10", "4.9")], True),
        ([marrow_of("2026-05-20", "4.9", "SCR")], False),  # of screening, where it decides
    ],
)
def test_the_newest_marrow_after_screening_speaks(marrows: list[v.BoneMarrow], asked: bool) -> None:
    assert bool(asked_about("I-03", "PRE_LD", *marrows)) is asked


@pytest.mark.parametrize(("ends", "asked"), [(None, True), ("2026-06-14", True), ("2026-06-13", False)])
def test_a_version_no_longer_in_force_is_not_asked_for(ends: str | None, asked: bool) -> None:
    told = at_site(casebook(), irb_approval_date=date(2026, 6, 1), valid_to=ends and date.fromisoformat(ends))
    found = evaluate_at(told, "PRE_INFUSION", date(2026, 6, 14), V1)["I-05"]
    assert (found.note is not None) is asked


def test_without_consent_or_version_no_version_is_asked_for() -> None:
    told = at_site(casebook(without="consent"), irb_approval_date=date(2026, 6, 1))
    none = replace(casebook(), site=replace(casebook().site, icf_versions=()))
    for one in (told, none):
        assert evaluate_at(one, "PRE_INFUSION", date(2026, 6, 14), V1)["I-05"].note is None


@pytest.mark.parametrize(
    ("criterion", "facts", "asked"),
    [
        ("E-01", {"relapse_type": "EM_ISOLATED", "bm_blast_pct_morph": D(5)}, True),  # 5 % is marrow disease
        ("E-01", {"relapse_type": "EM_ISOLATED", "bm_blast_pct_morph": D("4.9")}, False),
        ("E-01", {"relapse_type": "EM_ISOLATED", "bm_blast_pct_morph": None}, False),
        ("E-01", {"relapse_type": "COMBINED", "bm_blast_pct_morph": D(5)}, False),
        ("E-02", {"malignancy_past": "YES", "malignancy_ongoing": "NO"}, True),
        ("E-02", {"malignancy_past": "YES", "malignancy_ongoing": "YES"}, False),  # excluded anyhow
    ],
)
def test_what_the_investigator_is_asked_to_check(criterion: str, facts: dict[str, Any], asked: bool) -> None:
    assert (evaluate(eligible(**facts), V1)[criterion].note is not None) is asked


@pytest.mark.parametrize(
    ("form", "names"),
    [
        (
            "disease_history",
            "relapse_after_first_remission refractory_primary induction_cycles ph_positive number_of_relapses"
            " relapse_type cns_leukaemia",
        ),
        ("prior_transplant", "prior_allo_sct"),
        ("prior_therapy", "prior_antigens imp_ever"),
        ("con_meds", "any_immunosuppressant live_vaccine"),
        ("demographics", "birth_date sex wocbp"),
        ("informed_consent", "consent_signed consent_version_approved treatment_withdrawn icf"),
        ("medical_history", "malignancy_ongoing cns_history"),
    ],
)
def test_a_fact_of_a_log_names_the_log_it_comes_from(form: str, names: str) -> None:
    found = screening(casebook(), "SCREENING", SCREENED, V1).sources
    assert {found[name].form for name in names.split()} == {form}


@pytest.mark.parametrize(
    ("stored", "english", "chinese"),
    [("True", "Yes", "是"), ("False", "No", "否"), ("YES", "Yes", "是"), ("NO", "No", "否")],
)
def test_yes_and_no_read_as_words(stored: str, english: str, chinese: str) -> None:
    told = WORDING["room_air"]
    assert (told.said(stored, 0), told.said(stored, 1)) == (english, chinese)
