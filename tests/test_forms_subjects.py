"""Forms about the subject: what they work out, what they refuse, what they ask. One fact changes per row."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from subjects import models
from subjects.checklist import EXCLUSIONS, INCLUSIONS
from subjects.crf import CRF
from trial.item import items
from trial.models import Site
from trial.text import both

FORMS: dict[str, tuple[type[CRF], str, str]] = {
    "informed_consent": (models.InformedConsent, "log", "DS"),
    "demographics": (models.Demographics, "one", "DM"),
    "disease_history": (models.DiseaseHistory, "one", "MH"),
    "prior_transplant": (models.PriorTransplant, "log", "PR"),
    "prior_therapy": (models.PriorTherapy, "log", "CM"),
    "medical_history": (models.MedicalHistory, "log", "MH"),
    "eligibility": (models.Eligibility, "log", "IE"),
    "viral_serology": (models.ViralSerology, "visit", "LB"),
    "pregnancy_test": (models.PregnancyTest, "visit", "LB"),
    "contraception": (models.Contraception, "visit", "RP"),
    "survival_estimate": (models.SurvivalEstimate, "visit", "IE"),
    "subsequent_therapy": (models.SubsequentTherapy, "log", "CM"),
    "end_of_study": (models.EndOfStudy, "log", "DS"),
    "death": (models.Death, "one", "DD"),
}


def refused(record: CRF) -> list[tuple[str, str]]:
    """Which fields are refused, and how."""
    return [(problem.field, problem.code) for problem in record.contradictions()]


def asked(record: CRF) -> list[tuple[str, str]]:
    """Which fields are asked about, and by which check."""
    return [(doubt.field, doubt.check) for doubt in record.doubts()]


@pytest.mark.parametrize("name", FORMS)
def test_form_states_what_it_is(name: str) -> None:
    model, repeats, domain = FORMS[name]
    assert (model.form, model.repeats, model.domain) == (name, repeats, domain)
    assert not model.dated_by or model.dated_by in items(model)


@pytest.mark.parametrize("name", FORMS)
def test_items_refer_to_fields_of_their_form(name: str) -> None:
    known = items(FORMS[name][0])
    for item in known.values():
        named = {*item.when, item.not_before, item.strictly_after} - {""}
        assert named <= known.keys()


@pytest.mark.parametrize("name", FORMS)
def test_conditions_name_answers_that_can_be_given(name: str) -> None:
    known = items(FORMS[name][0])
    for item in known.values():
        for other, answers in item.when.items():
            codes = known[other].codes
            assert codes is None or set(answers) <= set(codes.codes)


@pytest.mark.parametrize("name", FORMS)
def test_every_label_is_in_both_languages(name: str) -> None:
    for item in items(FORMS[name][0]).values():
        label = both(item.label)
        assert label["en"]
        assert label["zh"]


def consent(**changed: Any) -> models.InformedConsent:
    """Signed at 09:00 in Shanghai on 5 March, on a version of 1 February."""
    said: dict[str, Any] = {
        "site": Site(id=1, time_zone="Asia/Shanghai"),
        "icf_version_date": date(2026, 2, 1),
        "consent_dt": datetime(2026, 3, 5, 1, 0, tzinfo=UTC),
    }
    return models.InformedConsent(**{**said, **changed})


AFTER = ("icf_version_date", "informed_consent.version_after_signature")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"icf_version_date": date(2026, 3, 5)}, []),
        ({"icf_version_date": date(2026, 3, 6)}, [AFTER]),
        ({"icf_version_date": None}, []),
        ({"consent_dt": None}, []),
        # 16:30 UTC on 31 January is already 1 February in Shanghai
        ({"consent_dt": datetime(2026, 1, 31, 16, 30, tzinfo=UTC)}, []),
        ({"consent_dt": datetime(2026, 1, 31, 15, 30, tzinfo=UTC)}, [AFTER]),
    ],
)
def test_a_version_is_not_younger_than_its_signature(
    changed: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert asked(consent(**changed)) == expected


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("", []),
        ("1980", []),
        ("1900-01-01", []),
        ("1899-12-31", [("birth_date", "range")]),
        ("1089-05", [("birth_date", "range")]),
    ],
)
def test_birth_before_1900_is_refused(birth_date: str, expected: list[tuple[str, str]]) -> None:
    assert refused(models.Demographics(birth_date=birth_date)) == expected


def disease(**changed: Any) -> models.DiseaseHistory:
    """One combined relapse with a testicular site, after two lines."""
    said: dict[str, Any] = {
        "immunophenotype": "B_COMMON",
        "relapse_after_first_remission": "YES",
        "number_of_relapses": 1,
        "relapse_type": "COMBINED",
        "prior_lines": 2,
        "extramedullary_sites": ["TESTIS"],
        "cns_status": "CNS1",
    }
    return models.DiseaseHistory(**{**said, **changed})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"number_of_relapses": 0}, [("number_of_relapses", "contradiction")]),
        ({"number_of_relapses": None}, []),
        ({"number_of_relapses": 0, "relapse_after_first_remission": "NO"}, []),
    ],
)
def test_a_relapse_is_counted(changed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert refused(disease(**changed)) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"immunophenotype": "T"}, [("immunophenotype", "disease_history.t_cell")]),
        (
            {"relapse_after_first_remission": "NO"},
            [("relapse_after_first_remission", "disease_history.relapse_denied")],
        ),
        ({"relapse_after_first_remission": "UNKNOWN"}, []),
        ({"prior_lines": 1}, []),
        ({"prior_lines": 0}, [("prior_lines", "disease_history.fewer_lines_than_relapses")]),
        ({"prior_lines": None}, []),
        ({"number_of_relapses": None}, []),
        ({"extramedullary_sites": []}, [("extramedullary_sites", "disease_history.site_not_named")]),
        ({"extramedullary_sites": [], "missing": {"extramedullary_sites": "UNKNOWN"}}, []),
        ({"relapse_type": "BM_ISOLATED"}, [("relapse_type", "disease_history.isolated_with_sites")]),
        ({"relapse_type": "EM_ISOLATED"}, []),
        ({"extramedullary_sites": ["CNS"]}, [("cns_status", "disease_history.cns_site_with_cns1")]),
        ({"extramedullary_sites": ["CNS"], "cns_status": "CNS3"}, []),
    ],
)
def test_doubts_about_the_disease(changed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert asked(disease(**changed)) == expected


@pytest.mark.parametrize(
    ("changed", "doubted"),
    [
        ({}, True),
        ({"gvhd_active_at_consent": "NO"}, False),
        ({"agvhd_max_grade": 1}, False),
        ({"agvhd_max_grade": None}, False),
        ({"cgvhd_max": "MILD"}, False),
        ({"cgvhd_max": ""}, False),
    ],
)
def test_gvhd_that_never_was_is_not_active(changed: dict[str, Any], doubted: bool) -> None:
    said: dict[str, Any] = {"gvhd_active_at_consent": "YES", "agvhd_max_grade": 0, "cgvhd_max": "NONE"}
    expected = [("gvhd_active_at_consent", "prior_transplant.active_gvhd_without_gvhd")] if doubted else []
    assert asked(models.PriorTransplant(**{**said, **changed})) == expected


TARGET = ("target_antigens", "prior_therapy.target_does_not_fit")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"category": "BLINATUMOMAB", "target_antigens": ["CD19", "CD3"]}, []),
        ({"category": "BLINATUMOMAB", "target_antigens": ["CD19"]}, [TARGET]),
        ({"category": "BLINATUMOMAB", "target_antigens": []}, []),
        ({"category": "INOTUZUMAB", "target_antigens": ["CD22"]}, []),
        ({"category": "INOTUZUMAB", "target_antigens": ["CD19"]}, [TARGET]),
        ({"category": "CAR_T", "target_antigens": ["CD20"]}, []),
        (
            {"category": "IMP", "investigational": False},
            [("investigational", "prior_therapy.investigational_denied")],
        ),
        ({"category": "IMP", "investigational": True}, []),
        ({"category": "CHEMO", "investigational": False}, []),
        (
            {"category": "TKI", "tki_outcome": "ONGOING", "ongoing": False},
            [("tki_outcome", "prior_therapy.tki_ongoing_but_ended")],
        ),
        ({"category": "TKI", "tki_outcome": "ONGOING", "ongoing": True}, []),
        ({"category": "TKI", "tki_outcome": "ONGOING", "ongoing": None}, []),
        ({"category": "TKI", "tki_outcome": "FAILED", "ongoing": False}, []),
    ],
)
def test_doubts_about_prior_therapy(said: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert asked(models.PriorTherapy(**said)) == expected


@pytest.mark.parametrize(
    ("category", "subtype", "refusal"),
    [
        ("CNS", "EPILEPSY", False),
        ("CNS", "MI", True),
        ("CARDIAC", "MI", False),
        ("CARDIAC", "DEMENTIA", True),
        ("CARDIAC", "", False),
        ("OTHER", "MI", False),
        ("", "MI", False),
    ],
)
def test_a_subtype_belongs_to_its_category(category: str, subtype: str, refusal: bool) -> None:
    expected = [("subtype", "contradiction")] if refusal else []
    assert refused(models.MedicalHistory(category=category, subtype=subtype)) == expected


def test_refusal_names_the_answers_in_both_languages() -> None:
    (problem,) = models.MedicalHistory(category="CNS", subtype="MI").contradictions()
    said = both(problem.message)
    assert "Myocardial infarction" in said["en"]
    assert "Central nervous system" in said["en"]
    assert "心肌梗死" in said["zh"]


@pytest.mark.parametrize(("grade", "doubted"), [(None, False), (1, False), (4, False), (5, True)])
def test_grade_5_in_the_history_is_asked_about(grade: int | None, doubted: bool) -> None:
    expected = [("ctcae_grade", "medical_history.grade_5")] if doubted else []
    assert asked(models.MedicalHistory(ctcae_grade=grade)) == expected


def checklist(**changed: str) -> models.Eligibility:
    """Every inclusion met, no exclusion met."""
    met = dict.fromkeys(INCLUSIONS, "MET")
    absent = dict.fromkeys(EXCLUSIONS, "NOT_MET")
    return models.Eligibility(**{**met, **absent, **changed})


def overall(record: models.Eligibility) -> str:
    """What the form works out."""
    calc = items(models.Eligibility)["overall"].calc
    assert calc is not None
    return str(calc(record))


def test_the_checklist_has_the_29_criteria_in_order() -> None:
    numbers = [item.en.split()[0] for name, item in items(models.Eligibility).items() if name[1:2] == "_"]
    inclusions, exclusions = range(1, 12), range(1, 19)
    assert numbers == [*(f"I-{n:02}" for n in inclusions), *(f"E-{n:02}" for n in exclusions)]
    assert len(INCLUSIONS) + len(EXCLUSIONS) == len(numbers) == 29


@pytest.mark.parametrize("name", [*INCLUSIONS, *EXCLUSIONS])
def test_each_criterion_alone_decides(name: str) -> None:
    failed, passed = ("NOT_MET", "MET") if name in INCLUSIONS else ("MET", "NOT_MET")
    assert overall(checklist(**{name: passed})) == "ELIGIBLE"
    assert overall(checklist(**{name: failed})) == "INELIGIBLE"
    assert overall(checklist(**{name: "UNKNOWN"})) == "UNKNOWN"
    assert overall(checklist(**{name: ""})) == "UNKNOWN"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"i_08": "UNKNOWN", "i_03": "NOT_MET"}, "INELIGIBLE"),
        ({"e_05": "UNKNOWN", "e_14": "MET"}, "INELIGIBLE"),
        ({"i_08": "", "e_05": "UNKNOWN"}, "UNKNOWN"),
        ({"e_14": "MET", "discordance_reason": "Repeat test pending"}, "INELIGIBLE"),
    ],
)
def test_a_failure_outweighs_what_is_unknown_and_any_reason(changed: dict[str, str], expected: str) -> None:
    assert overall(checklist(**changed)) == expected


def test_an_empty_checklist_is_unknown() -> None:
    assert overall(models.Eligibility()) == "UNKNOWN"


@pytest.mark.parametrize(
    ("changed", "doubted"),
    [({}, False), ({"e_01": "MET"}, True), ({"e_01": "MET", "i_03": "NOT_MET"}, False)],
)
def test_isolated_relapse_with_blasts_in_the_marrow_is_asked_about(
    changed: dict[str, str], doubted: bool
) -> None:
    expected = [("e_01", "eligibility.isolated_relapse_with_marrow")] if doubted else []
    assert asked(checklist(**changed)) == expected


@pytest.mark.parametrize(("planned", "doubted"), [(20, False), (19, True), (None, False)])
def test_an_infusion_planned_for_a_day_that_is_past_is_asked_about(
    planned: int | None, doubted: bool
) -> None:
    expected = [("planned_infusion_date", "eligibility.planned_infusion_is_past")] if doubted else []
    day = planned and date(2026, 5, planned)
    assert asked(checklist(assessed_date=date(2026, 5, 20), planned_infusion_date=day)) == expected


def serology(**changed: Any) -> models.ViralSerology:
    """Antibody to the core, DNA found above the limit of detection."""
    said: dict[str, Any] = {
        "hbsag": "NEGATIVE",
        "hbeag": "NEGATIVE",
        "hbeab": "NEGATIVE",
        "hbcab": "POSITIVE",
        "hbv_dna_result": "DETECTED",
        "hbv_dna_iu_ml": Decimal("20"),
        "hbv_dna_lod": Decimal("10"),
    }
    return models.ViralSerology(**{**said, **changed})


NEEDED = ("hbv_dna_result", "viral_serology.hbv_dna_needed")
WITHOUT = ("hbv_dna_result", "viral_serology.hbv_dna_without_antibody")
BELOW = ("hbv_dna_iu_ml", "viral_serology.hbv_dna_below_limit")
EARLY = ("hbeag", "viral_serology.hbeag_without_hbsag")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"hbv_dna_result": ""}, [NEEDED]),
        ({"hbv_dna_result": "", "missing": {"hbv_dna_result": "SAMPLE_LOST"}}, []),
        ({"hbv_dna_result": "", "hbcab": "NEGATIVE"}, []),
        ({"hbv_dna_result": "", "hbcab": "NEGATIVE", "hbeab": "POSITIVE"}, [NEEDED]),
        ({"hbv_dna_result": "NOT_DONE"}, []),
        ({"hbcab": "NEGATIVE"}, [WITHOUT]),
        ({"hbcab": "NEGATIVE", "hbv_dna_result": "DETECTED_BELOW_LLOQ"}, [WITHOUT]),
        ({"hbcab": "NEGATIVE", "hbv_dna_result": "NOT_DETECTED"}, []),
        ({"hbcab": ""}, []),
        ({"hbv_dna_iu_ml": Decimal("10")}, []),
        ({"hbv_dna_iu_ml": Decimal("9.99")}, [BELOW]),
        ({"hbv_dna_iu_ml": None}, []),
        ({"hbv_dna_lod": None}, []),
        ({"hbeag": "POSITIVE"}, [EARLY]),
        ({"hbeag": "POSITIVE", "hbsag": "POSITIVE"}, []),
        ({"hbeag": "POSITIVE", "hbsag": ""}, []),
    ],
)
def test_doubts_about_hepatitis_b(changed: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert asked(serology(**changed)) == expected


@pytest.mark.parametrize(
    ("visit", "specimen", "doubted"),
    [
        ("SCR", "URINE_HCG", True),
        ("SCR", "SERUM_HCG", False),
        ("SCR", "", False),
        ("LD-5", "URINE_HCG", False),
    ],
)
def test_screening_expects_a_serum_test(visit: str, specimen: str, doubted: bool) -> None:
    expected = [("specimen", "pregnancy_test.urine_at_screening")] if doubted else []
    assert asked(models.PregnancyTest(visit=visit, specimen=specimen)) == expected


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ([], None),
        (["CONDOM+SPERMICIDE"], False),
        (["IUD"], True),
        (["CONDOM+SPERMICIDE", "COC"], True),
        (["ABSTINENCE"], True),
        (["STERILE"], True),
    ],
)
def test_only_the_condom_is_not_highly_effective(methods: list[str], expected: bool | None) -> None:
    calc = items(models.Contraception)["highly_effective"].calc
    assert calc is not None
    assert calc(models.Contraception(method=methods)) is expected


@pytest.mark.parametrize(
    ("in_remission", "indication", "doubted"),
    [
        ("YES", "CONSOLIDATION", False),
        ("YES", "MRD", False),
        ("YES", "RELAPSE", True),
        ("YES", "REFRACTORY", True),
        ("NO", "CONSOLIDATION", True),
        ("NO", "RELAPSE", False),
        ("UNKNOWN", "RELAPSE", False),
        ("YES", "", False),
        ("", "CONSOLIDATION", False),
    ],
)
def test_the_indication_fits_the_state(in_remission: str, indication: str, doubted: bool) -> None:
    expected = [("indication", "subsequent_therapy.indication_against_state")] if doubted else []
    assert asked(models.SubsequentTherapy(in_remission=in_remission, indication=indication)) == expected


@pytest.mark.parametrize(
    ("phase", "reason", "doubted"),
    [
        ("TREATMENT", "SCREEN_FAILURE", True),
        ("STUDY", "SCREEN_FAILURE", False),
        ("TREATMENT", "COMPLETED", False),
        ("", "SCREEN_FAILURE", False),
    ],
)
def test_a_screen_failure_ends_no_treatment(phase: str, reason: str, doubted: bool) -> None:
    expected = [("reason", "end_of_study.screen_failure_in_treatment")] if doubted else []
    assert asked(models.EndOfStudy(phase=phase, reason=reason)) == expected


@pytest.mark.parametrize(
    ("cause", "relation", "doubted"),
    [
        ("CRS", "UNRELATED", True),
        ("ICANS", "UNRELATED", True),
        ("IEC_HS", "UNRELATED", True),
        ("CRS", "RELATED", False),
        ("CRS", "", False),
        ("LEUKAEMIA", "UNRELATED", False),
        ("UNRELATED", "POSSIBLE", True),
        ("UNRELATED", "PROBABLE", True),
        ("UNRELATED", "RELATED", True),
        ("UNRELATED", "UNLIKELY", False),
        ("", "RELATED", False),
    ],
)
def test_cause_of_death_and_relation_agree(cause: str, relation: str, doubted: bool) -> None:
    expected = [("related_to_sscart19", "death.relation_against_cause")] if doubted else []
    assert asked(models.Death(primary_cause=cause, related_to_sscart19=relation)) == expected


@pytest.mark.parametrize(
    ("model", "name", "answers", "expected"),
    [
        (models.DiseaseHistory, "relapse_type", {"number_of_relapses": 0}, False),
        (models.DiseaseHistory, "relapse_type", {"number_of_relapses": 1}, True),
        (models.DiseaseHistory, "relapse_type", {"number_of_relapses": 10}, True),
        (models.DiseaseHistory, "relapse_type", {"number_of_relapses": None}, False),
        (models.DiseaseHistory, "induction_cycles", {"primary_refractory": "YES"}, True),
        (models.DiseaseHistory, "induction_cycles", {"primary_refractory": "NO"}, False),
        (models.DiseaseHistory, "ph_like", {"ph_status": "POSITIVE"}, False),
        (models.Demographics, "nonchildbearing_reason", {"sex": "F", "childbearing_potential": "NO"}, True),
        (models.Demographics, "nonchildbearing_reason", {"sex": "M", "childbearing_potential": "NO"}, False),
        (models.PriorTransplant, "relapse_after_sct_date", {"bm_relapse_after_sct": "YES"}, False),
        (
            models.PriorTransplant,
            "relapse_after_sct_date",
            {"sct_type": "ALLO", "bm_relapse_after_sct": "YES"},
            True,
        ),
        (models.PriorTherapy, "end_date", {"ongoing": False}, True),
        (models.PriorTherapy, "end_date", {"ongoing": True}, False),
        (models.PriorTherapy, "end_date", {"ongoing": None}, False),
        (models.MedicalHistory, "subtype", {"category": "CARDIAC"}, True),
        (models.MedicalHistory, "subtype", {"category": "ALLERGY"}, False),
        (models.ViralSerology, "hbv_dna_lod", {"hbv_dna_result": "NOT_DETECTED"}, True),
        (models.ViralSerology, "hbv_dna_lod", {"hbv_dna_result": "NOT_DONE"}, False),
        (models.ViralSerology, "hbv_dna_iu_ml", {"hbv_dna_result": "DETECTED_BELOW_LLOQ"}, False),
        (models.ViralSerology, "sars_cov_2_method", {"sars_cov_2": "NOT_DONE"}, False),
        (models.Contraception, "method", {"agrees": "NO"}, False),
        (models.SurvivalEstimate, "infection_type", {"uncontrolled_infection": "YES"}, True),
        (models.SurvivalEstimate, "unsuitable_reason", {"other_unsuitable": "NO"}, False),
        (models.InformedConsent, "withdrawal_scope", {"consent_type": "INITIAL"}, False),
        (models.InformedConsent, "withdrawal_scope", {"consent_type": "WITHDRAWAL"}, True),
    ],
)
def test_skip_logic(model: type[CRF], name: str, answers: dict[str, Any], expected: bool) -> None:
    assert items(model)[name].asked(model(**answers)) is expected
