"""The protocol's numbers, each against the sentence it comes from."""

import ast
import re
from dataclasses import FrozenInstanceError, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dosing.codelists import COI_STEP, LD_DRUG, PREMEDICATION, RELEASE
from safety.models import AdverseEvent
from subjects.codelists import RELATEDNESS
from trial.item import Basis, items
from trial.protocol import PROTOCOLS, V1, Protocol, Sourced, numbers
from trial.registry import CRITERIA, REGISTRATION, criterion

D = Decimal
REG, GUIDE, OURS = Basis.REGISTRY, Basis.GUIDELINE, Basis.DEFAULT


def test_version_1_is_known_by_its_number_and_cannot_be_changed() -> None:
    assert next(iter(PROTOCOLS.items())) == ("1.0", V1)
    with pytest.raises(FrozenInstanceError):
        V1.age_min = V1.age_max  # type: ignore[misc]
    with pytest.raises(TypeError):
        V1.max_age_days.value["echo"] = 99  # type: ignore[index]


def test_an_amendment_is_one_more_value() -> None:
    amended = replace(V1, version="2.0", thaw_max_min=Sourced(45, Basis.DEFAULT, "amendment 1"))
    assert (amended.thaw_max_min.value, V1.thaw_max_min.value) == (45, 30)


def test_every_number_has_a_basis_and_a_citation() -> None:
    listed = dict(numbers(V1))
    assert set(listed) == {field.name for field in fields(Protocol)} - {"version", "en", "zh"}
    assert all(isinstance(value.basis, Basis) and value.cite for value in listed.values())


ESCALATION = "Used by dose escalation alone, which is not built yet."
UNREAD = {
    "enrolment_target": "Stated in the record; no rule depends on it.",
    "cohort_size": ESCALATION,
    "crs_grade3_max_hours": ESCALATION,
    "infusion_reaction_grade3_max_hours": ESCALATION,
    "nonhaem_grade3_max_hours": ESCALATION,
    "cytopenia_until_day": ESCALATION,
}
"""The numbers that nothing reads, and what their note says of it."""
ROOMS = ("config", "exchange", "entry", "review", "safety", "dosing", "visits", "subjects", "trial")


def test_every_number_is_read_somewhere_or_says_that_it_is_not() -> None:
    root = Path(__file__).parent.parent
    read: set[str] = set()
    for file in (file for room in ROOMS for file in (root / room).rglob("*.py")):
        if "migrations" not in file.parts:
            tree = ast.walk(ast.parse(file.read_text("utf-8")))
            read |= {node.attr for node in tree if isinstance(node, ast.Attribute)}
    listed = dict(numbers(V1))
    assert {name for name in listed if name not in read} == set(UNREAD)
    assert all(listed[name].note.endswith(said) for name, said in UNREAD.items())


def test_what_a_form_asks_by_is_the_same_in_every_version() -> None:
    """A form is checked before it is known which version binds."""
    for name in ("apheresis_max", "tocilizumab_on_site_min", "product_beads_below"):
        assert {getattr(protocol, name).value for protocol in PROTOCOLS.values()} == {getattr(V1, name).value}


@pytest.mark.parametrize(
    ("name", "value", "basis", "source"),
    [
        # inclusion and exclusion criteria
        ("sct_gap_months", 3, REG, "I-01"),
        ("sct_gap_all_limbs", True, OURS, "I-01"),
        ("induction_cycles_min", 2, REG, "I-01"),
        ("tki_lines_failed_min", 2, REG, "I-01"),
        ("blasts_min_pct", D(5), REG, "I-03"),
        ("lvef_min_pct", D(50), REG, "I-04"),
        ("creatinine_max_mg_dl", D("1.6"), REG, "I-04"),
        ("transaminase_max_uln", D(3), REG, "I-04"),
        ("bilirubin_max_mg_dl", D("2.0"), REG, "I-04"),
        ("dyspnoea_max_grade", 1, REG, "I-04"),
        ("spo2_above_pct", D(91), REG, "I-04"),
        ("age_min", 18, REG, "I-06"),
        ("age_max", 65, REG, "I-06"),
        ("ecog_max", 1, REG, "I-09"),
        ("survival_more_than_months", 3, REG, "I-11"),
        ("steroid_washout_days", 14, REG, "E-04"),
        ("steroid_exemptions", (), OURS, "E-04"),
        ("cns_leukaemia_excludes", False, OURS, "E-09"),
        ("cardiac_window_months", 12, REG, "E-10"),
        ("live_vaccine_days", 42, REG, "E-13"),
        ("pregnancy_test_days", 7, OURS, "DV-21"),
        ("imp_washout_months", 3, REG, "E-17"),
        # deviation rules
        ("reconsent_days", 30, OURS, "DV-05"),
        ("recheck_days", 3, OURS, "DV-07"),
        ("ld_drugs", ("FLUDARABINE", "CYCLOPHOSPHAMIDE"), REG, "DV-25"),
        ("steroid_free_after_infusion_days", 7, OURS, "DV-26"),
        ("forbidden_premedication", ("CORTICOSTEROID",), OURS, "DV-27"),
        ("live_vaccine_ban_months", 6, OURS, "DV-29"),
        ("ld_dose_tolerance_pct", D(10), OURS, "DV-30"),
        ("ld_days", (-5, -4, -3), OURS, "DV-31"),
        ("ld_gap_max_days", 1, OURS, "DV-31"),
        ("ld_to_infusion_days", (2, 7), OURS, "DV-31"),
        ("fludarabine_bands", ((D(80), D("1.0")), (D(50), D("0.8")), (D(30), D("0.6"))), GUIDE, "DV-32"),
        ("fludarabine_excess_pct", D(10), OURS, "DV-32"),
        ("ld_fever_c", D("38.0"), OURS, "DV-33"),
        ("ld_fever_hours", 24, OURS, "DV-33"),
        ("ld_valid_days", 14, OURS, "DV-34"),
        ("product_viability_min_pct", D(70), OURS, "DV-36"),
        ("product_car_min_pct", D(10), OURS, "DV-36"),
        ("product_cd3_min_pct", D(80), OURS, "DV-36"),
        ("product_vcn_max", D(5), OURS, "DV-36"),
        ("product_endotoxin_max_eu_kg", D(5), OURS, "DV-36"),
        ("cryo_max_c", D(-130), OURS, "DV-40"),
        ("post_thaw_viability_min_pct", D(70), OURS, "DV-41"),
        ("thaw_max_min", 30, OURS, "DV-42"),
        ("infusion_max_min", 60, OURS, "DV-42"),
        ("dose_tolerance_pct", D(20), OURS, "DV-43"),
        ("stagger_first_days", 14, OURS, "DV-46"),
        ("stagger_next_days", 7, OURS, "DV-46"),
        ("level_max_subjects", 6, OURS, "DV-47"),
        ("dlt_window_days", 28, OURS, "DV-49"),
        ("dlt_report_days", 7, OURS, "DV-49"),
        ("critical_visits", ("D28", "M3"), OURS, "DV-51"),
        ("pk_early_until_day", 14, OURS, "DV-54"),
        ("pk_early_window_days", 1, OURS, "DV-54"),
        ("pk_late_window_days", 2, OURS, "DV-54"),
        ("pk_gdna_min_ug", D("0.1"), OURS, "DV-55"),
        ("daily_grading_days", (0, 14), OURS, "DV-56"),
        ("absence_reasons", ("COVID", "SUBJECT_DECISION", "SUBJECT_REFUSED"), OURS, "DV-56"),
        ("rescue_grade_hours", 12, OURS, "DV-57"),
        ("tocilizumab_interval_hours", 8, OURS, "DV-58"),
        ("tocilizumab_max_doses", 4, OURS, "DV-58"),
        ("sae_report_hours", 24, OURS, "DV-59"),
        ("susar_fatal_days", 7, GUIDE, "DV-60"),
        ("susar_other_days", 15, GUIDE, "DV-60"),
        ("prohibited_until_months", 3, OURS, "DV-61"),
        ("subsequent_therapy_months", 3, OURS, "DV-62"),
        ("ltfu_contact_months", 13, GUIDE, "DV-63"),
    ],
)
def test_number_is_the_one_its_source_states(name: str, value: Any, basis: Basis, source: str) -> None:
    sourced = getattr(V1, name)
    assert (sourced.value, sourced.basis) == (value, basis)
    assert source in sourced.cite


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sct_gap_months", "≥ 3 months from SCT"),
        ("induction_cycles_min", "after 2 cycles of induction"),
        ("tki_lines_failed_min", "failed two lines of TKI"),
        ("blasts_min_pct", "≥ 5% lymphoblasts"),
        ("lvef_min_pct", "≥ 50% by echocardiogram"),
        ("creatinine_max_mg_dl", "creatinine ≤ 1.6mg/dl"),
        ("transaminase_max_uln", "ALT and AST≤3 times the ULN"),
        ("bilirubin_max_mg_dl", "total bilirubin ≤ 2.0mg/dl"),
        ("dyspnoea_max_grade", "≤ Grade 1 dyspnea"),
        ("spo2_above_pct", "pulse oxygenation > 91% on room air"),
        ("age_min", "Age 18 to 65"),
        ("age_max", "Age 18 to 65"),
        ("ecog_max", "performance status of 0 to 1"),
        ("survival_more_than_months", "more than 3 months"),
        ("excluded_relapse_type", "Isolated extra-medullary"),
        ("excluded_antigens", "anti-CD19/anti-CD3"),
        ("steroid_washout_days", "within 2 weeks before signing"),
        ("dna_above_detection", "more than the lower limit of detection"),
        ("cardiac_window_months", "within 12 months before signing"),
        ("live_vaccine_days", "within 6 weeks prior to screening"),
        ("imp_washout_months", "within 3 months before signing"),
    ],
)
def test_registry_number_stands_in_the_criterion_it_cites(name: str, words: str) -> None:
    sourced = getattr(V1, name)
    cited = re.match(r"[IE]-\d\d", sourced.cite)
    assert cited and sourced.basis is Basis.REGISTRY
    assert words in criterion(cited[0]).text


def test_enrolment_and_drugs_are_those_of_the_record() -> None:
    assert V1.enrolment_target.value == REGISTRATION.enrolment
    assert {f"Drug: {drug.title()}" for drug in V1.ld_drugs.value} <= set(REGISTRATION.treatments)
    assert set(V1.ld_mg_m2.value) == set(V1.ld_drugs.value)


# From the re-check matrix: where each criterion is looked at again after screening.
AGAIN = {
    "PRE_APHERESIS": "I-04 I-05 I-09 I-10 E-04 E-06 E-07 E-14",
    "PRE_LD": "I-01 I-04 I-05 I-07 I-08 I-09 I-11 E-01 E-04 E-05 E-06 E-07 E-09 E-14 E-15 E-16 E-18",
    "PRE_INFUSION": "I-01 I-04 I-05 I-07 I-08 I-09 E-04 E-06 E-07 E-14 E-16 E-18",
}


def test_rechecks_follow_the_matrix() -> None:
    recheck = V1.recheck.value
    assert set(recheck["SCREENING"]) == {one.id for one in CRITERIA}
    assert {
        milestone: " ".join(ids) for milestone, ids in recheck.items() if milestone != "SCREENING"
    } == AGAIN


def test_words_of_the_protocol_are_codes_of_the_forms() -> None:
    assert set(V1.coi_mandatory_steps.value + V1.coi_thawed_steps.value + V1.cryo_steps.value) <= set(
        COI_STEP.codes
    )
    assert set(V1.infusable_decisions.value) | {V1.exception_decision.value} <= set(RELEASE.codes)
    assert set(V1.forbidden_premedication.value) <= set(PREMEDICATION.codes)
    assert set(V1.ld_drugs.value) == set(LD_DRUG.codes)
    assert set(V1.related_from_possible.value) <= set(RELATEDNESS.codes)
    assert items(AdverseEvent)["rel_sscart19"].codes is RELATEDNESS
