"""Forms collected at visits: what they work out, refuse and ask. One fact changes per row."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import pytest

from subjects.crf import CRF
from trial.edit_checks import calculate, impossible, unlikely
from trial.item import items
from trial.text import both
from visits import models
from visits.calc import bsa_exact, steroid_factor
from visits.models import ReferenceRange
from visits.ranges import age_on, in_unit, range_in_force, snapshot

FORMS: dict[str, tuple[type[CRF], str, str]] = {
    "vital_signs": (models.VitalSigns, "rows", "VS"),
    "haematology": (models.Haematology, "visit", "LB"),
    "chemistry": (models.Chemistry, "visit", "LB"),
    "coagulation": (models.Coagulation, "visit", "LB"),
    "urinalysis": (models.Urinalysis, "visit", "LB"),
    "echo": (models.Echo, "visit", "CV"),
    "ecg": (models.Ecg, "visit", "EG"),
    "pulmonary": (models.Pulmonary, "visit", "RE"),
    "ecog": (models.Ecog, "visit", "RS"),
    "cd19_flow": (models.Cd19Flow, "visit", "CP"),
    "bone_marrow": (models.BoneMarrow, "visit", "LB"),
    "csf": (models.Csf, "visit", "LB"),
    "crs_assessment": (models.CrsAssessment, "rows", "FA"),
    "icans_assessment": (models.IcansAssessment, "rows", "FT"),
    "pk_sample": (models.PkSample, "rows", "PC"),
    "pd_cytokine": (models.PdCytokine, "rows", "LB"),
    "pd_bcell": (models.PdBcell, "visit", "LB"),
    "response": (models.Response, "visit", "RS"),
    "transfusion": (models.Transfusion, "log", "PR"),
    "con_meds": (models.ConMeds, "log", "CM"),
    "survival_ltfu": (models.SurvivalLtfu, "visit", "SS"),
    "visit": (models.Visit, "visit", "SV"),
}
ICE = {
    "orient_year": 1,
    "orient_month": 1,
    "orient_city": 1,
    "orient_hospital": 1,
    "naming": 3,
    "commands": 1,
    "writing": 1,
    "attention": 1,
}
NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)


def filled(model: type[CRF], **answers: Any) -> Any:
    """A record as it is before it is saved: its calculated items are filled in."""
    record = model(**answers)
    calculate(record)
    return record


def refused(record: CRF) -> list[tuple[str, str]]:
    """Which fields the form itself refuses, and how; every message speaks both languages."""
    found = list(record.contradictions())
    assert all(len(set(both(problem.message).values())) == 2 for problem in found)
    return [(problem.field, problem.code) for problem in found]


def asked(record: CRF) -> list[tuple[str, str]]:
    """Which fields the form itself asks about, and by which check; every message speaks both languages."""
    found = list(record.doubts())
    assert all(len(set(both(doubt.message).values())) == 2 for doubt in found)
    return [(doubt.field, doubt.check) for doubt in found]


@pytest.mark.parametrize("name", FORMS)
def test_form_states_what_it_is(name: str) -> None:
    model, repeats, domain = FORMS[name]
    assert (model.form, model.repeats, model.domain) == (name, repeats, domain)
    assert model.dated_by in items(model)


@pytest.mark.parametrize("name", FORMS)
def test_items_refer_to_fields_and_answers_of_their_form(name: str) -> None:
    known = items(FORMS[name][0])
    for item in known.values():
        assert {*item.when, item.not_before, item.strictly_after} - {""} <= known.keys()
        for other, wanted in item.when.items():
            codes = known[other].codes
            assert codes is None or set(wanted) <= set(codes.codes)


@pytest.mark.parametrize("name", FORMS)
def test_labels_speak_both_languages(name: str) -> None:
    model = FORMS[name][0]
    for item in items(model).values():
        assert item.en.isascii() or "µ" in item.en
        assert item.zh
        for section in filter(None, [item.section]):
            assert both(section)["en"] != both(section)["zh"]
    names = both(cast(str, model._meta.verbose_name))
    assert names["en"] != names["zh"]


@pytest.mark.parametrize("name", FORMS)
def test_an_empty_form_is_neither_refused_nor_asked_about(name: str) -> None:
    record = filled(FORMS[name][0])
    assert impossible(record, "Asia/Shanghai", date(2026, 6, 1), NOW) == []
    assert unlikely(record) == []


# what is worked out


@pytest.mark.parametrize(
    ("height", "weight", "exact", "printed"),
    [
        ("160", "60", "1.6329931619", "1.63"),
        ("165", "55", "1.5877132403", "1.59"),
        ("158", "52.5", "1.5179481765", "1.52"),
        ("183", "95.3", "2.2010035590", "2.20"),
        ("164", "49.9", "1.5077208701", "1.51"),
        ("200", "120", "2.5819888975", "2.58"),
    ],
)
def test_body_surface_area(height: str, weight: str, exact: str, printed: str) -> None:
    found = bsa_exact(Decimal(height), Decimal(weight))
    assert found.quantize(Decimal(exact)) == Decimal(exact)
    record = filled(models.VitalSigns, height_cm=Decimal(height), weight_kg=Decimal(weight))
    assert str(record.bsa_m2) == printed


@pytest.mark.parametrize("missing", ["height_cm", "weight_kg"])
def test_no_body_surface_area_without_height_and_weight(missing: str) -> None:
    answers = {"height_cm": Decimal(170), "weight_kg": Decimal(70), missing: None}
    assert filled(models.VitalSigns, **answers).bsa_m2 is None


@pytest.mark.parametrize(
    ("change", "total"),
    [
        ({}, 10),
        ({"attention": 0}, 9),
        ({"naming": 1}, 8),
        ({"naming": 0, "attention": 0}, 6),
        (dict.fromkeys(ICE, 0), 0),
        ({"writing": None}, None),
        ({"naming": None}, None),
        ({"writing": None, "unable_reason": "REFUSED"}, None),
        ({"unable_reason": "UNAROUSABLE"}, 0),
        ({**dict.fromkeys(ICE), "unable_reason": "UNAROUSABLE"}, 0),
        ({**dict.fromkeys(ICE), "unable_reason": "SEDATED"}, None),
    ],
)
def test_ice_score(change: dict[str, Any], total: int | None) -> None:
    assert filled(models.IcansAssessment, **{**ICE, **change}).ice_total == total


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, "CNS3"),
        ({"csf_wbc": 4}, "CNS2"),
        ({"csf_wbc": 4, "csf_rbc": 500}, "CNS2"),
        ({"csf_blasts": "NEGATIVE"}, "CNS1"),
        ({"csf_blasts": "NEGATIVE", "csf_wbc": None}, "CNS1"),
        ({"csf_blasts": "NEGATIVE", "csf_flow_blasts": "POSITIVE"}, "CNS1"),
        ({"csf_blasts": "INDETERMINATE"}, ""),
        ({"csf_blasts": ""}, ""),
        ({"csf_wbc": None}, ""),
        ({"csf_rbc": None}, ""),
        ({"csf_rbc": 9}, "CNS3"),
        ({"csf_rbc": 10}, ""),
    ],
)
def test_cns_class(change: dict[str, Any], status: str) -> None:
    answers = {"csf_blasts": "POSITIVE", "csf_wbc": 5, "csf_rbc": 0, **change}
    assert filled(models.Csf, **answers).cns_status == status


@pytest.mark.parametrize(
    ("qualifier", "value", "expected"),
    [
        ("", "2.99", True),
        ("", "3", False),
        ("", None, None),
        ("<", "3", True),
        ("<", "3.1", None),
        ("<=", "2.9", True),
        ("<=", "3", None),
        (">", "3", False),
        (">=", "3", False),
        (">", "2.9", None),
        (">=", "2.9", None),
    ],
)
def test_b_cell_aplasia(qualifier: str, value: str | None, expected: bool | None) -> None:
    share = None if value is None else Decimal(value)
    assert (
        filled(models.PdBcell, cd19_pct_lymph_value=share, cd19_pct_lymph_qual=qualifier).aplasia is expected
    )


@pytest.mark.parametrize(
    ("drug", "factor"),
    [
        ("Prednisone", "1"),
        ("prednisolone 5 mg", "1"),
        ("Methylprednisolone sodium succinate", "1.25"),
        ("注射用甲泼尼龙琥珀酸钠", "1.25"),
        ("甲基强的松龙", "1.25"),
        ("甲基泼尼松龙", "1.25"),
        ("甲泼尼松龙", "1.25"),
        ("甲强龙", "1.25"),
        ("氢化泼尼松", "1"),
        ("强的松龙", "1"),
        ("强的松", "1"),
        ("氢化可的松", "0.25"),
        ("醋酸泼尼松片", "1"),
        ("醋酸泼尼松龙片", "1"),
        ("地塞米松磷酸钠注射液", "6.67"),
        ("HYDROCORTISONE", "0.25"),
        ("Triamcinolone", None),
        ("dexamethasone, then prednisone", None),
        ("", None),
    ],
)
def test_steroid_is_recognised_by_name(drug: str, factor: str | None) -> None:
    assert steroid_factor(drug) == (None if factor is None else Decimal(factor))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "66.70"),
        ({"frequency": "BID"}, "133.40"),
        ({"frequency": "Q6H"}, "266.80"),
        ({"frequency": "QOD"}, "33.35"),
        ({"frequency": "ONCE"}, "66.70"),
        ({"frequency": "TID"}, "200.10"),
        ({"frequency": "QID"}, "266.80"),
        ({"frequency": "Q4H"}, "400.20"),
        ({"frequency": "Q8H"}, "200.10"),
        ({"frequency": "Q12H"}, "133.40"),
        ({"route": "SC"}, "66.70"),
        ({"route": "IM"}, "66.70"),
        ({"dose_unit": "ug", "dose": Decimal(10000)}, "66.70"),
        ({"frequency": "PRN"}, None),
        ({"frequency": "QW"}, None),
        ({"dose_unit": "g", "dose": Decimal("0.01")}, "66.70"),
        ({"dose_unit": "mg/kg"}, None),
        ({"dose": None}, None),
        ({"route": "PO"}, "66.70"),
        ({"route": "OPH"}, None),
        ({"route": "IT"}, None),
        ({"drug_class": "OTHER"}, None),
        ({"drug": "hydrocortisone", "dose": Decimal(100)}, "25"),
    ],
)
def test_prednisone_equivalent(change: dict[str, Any], expected: str | None) -> None:
    answers = {
        "drug": "dexamethasone",
        "drug_class": "CORTICOSTEROID",
        "dose": Decimal(10),
        "dose_unit": "mg",
        "frequency": "QD",
        "route": "IV",
    }
    found = filled(models.ConMeds, **{**answers, **change}).pred_equiv_mg_day
    assert found == (None if expected is None else Decimal(expected))


# what is refused

VITALS: dict[str, Any] = {"sbp": 120, "dbp": 80, "room_air": True}
SAMPLE: dict[str, Any] = {
    "assay": "QPCR",
    "result_text": "1250",
    "copies_per_ug": Decimal(1250),
    "lloq": Decimal(50),
}


@pytest.mark.parametrize(
    ("name", "good", "change", "expected"),
    [
        ("vital_signs", VITALS, {}, []),
        ("vital_signs", VITALS, {"dbp": 119}, []),
        ("vital_signs", VITALS, {"dbp": 120}, [("dbp", "contradiction")]),
        ("vital_signs", VITALS, {"dbp": 130}, [("dbp", "contradiction")]),
        ("vital_signs", VITALS, {"sbp": None, "dbp": 130}, []),
        ("vital_signs", VITALS, {"o2_device": "NASAL_CANNULA"}, [("o2_device", "contradiction")]),
        ("vital_signs", VITALS, {"o2_device": "NONE"}, []),
        ("vital_signs", VITALS, {"room_air": False, "o2_device": "NONE"}, [("o2_device", "contradiction")]),
        ("vital_signs", VITALS, {"room_air": False, "o2_device": "FACEMASK"}, []),
        ("crs_assessment", {"vasopressors": ["NONE"]}, {}, []),
        ("crs_assessment", {"vasopressors": ["NOREPINEPHRINE", "VASOPRESSIN"]}, {}, []),
        (
            "crs_assessment",
            {"vasopressors": ["NONE", "DOPAMINE"]},
            {},
            [("vasopressors", "contradiction")],
        ),
        ("pk_sample", SAMPLE, {}, []),
        ("pk_sample", SAMPLE, {"result_text": "1.25e3"}, []),
        ("pk_sample", SAMPLE, {"result_text": "blq", "copies_per_ug": None}, []),
        ("pk_sample", SAMPLE, {"result_text": "<50"}, [("result_text", "contradiction")]),
        ("pk_sample", SAMPLE, {"result_text": "NaN"}, [("result_text", "contradiction")]),
        ("pk_sample", SAMPLE, {"result_text": "-3"}, [("result_text", "contradiction")]),
        ("visit", {"actual_date": date(2026, 5, 1)}, {}, []),
        ("visit", {"missed_reason": "MISSED", "not_done": True}, {}, []),
        (
            "visit",
            {"actual_date": date(2026, 5, 1)},
            {"missed_reason": "DEATH"},
            [("actual_date", "contradiction")],
        ),
        ("visit", {"actual_date": date(2026, 5, 1)}, {"not_done": True}, [("actual_date", "contradiction")]),
    ],
)
def test_contradiction(name: str, good: dict[str, Any], change: dict[str, Any], expected: list[Any]) -> None:
    assert refused(filled(FORMS[name][0], **{**good, **change})) == expected


def test_a_bounded_result_is_offered_as_blq() -> None:
    (problem,) = models.PkSample(result_text="<50").contradictions()
    assert problem.fix == "BLQ"


@pytest.mark.parametrize(
    ("alive", "refusals"), [(date(2026, 5, 1), 0), (date(2026, 5, 2), 0), (date(2026, 5, 3), 1), (None, 0)]
)
def test_last_known_alive_lies_on_or_before_the_contact(alive: date | None, refusals: int) -> None:
    record = filled(models.SurvivalLtfu, contact_date=date(2026, 5, 2), last_known_alive=alive)
    found = impossible(record, "Asia/Shanghai", date(2026, 6, 1), NOW)
    assert [problem.code for problem in found] == ["wrong_order"] * refusals


# what is asked about

OXYGEN: dict[str, Any] = {"room_air": False, "o2_device": "NASAL_CANNULA", "o2_flow_lpm": Decimal(3)}
BLOOD: dict[str, Any] = {"wbc_value": Decimal(4), "anc_value": Decimal(2), "alc_value": Decimal(1)}
CD19: dict[str, Any] = {"cd19_result": "POSITIVE", "cd19_pct_blasts": Decimal(90)}
FLUID: dict[str, Any] = {"csf_blasts": "POSITIVE", "csf_wbc": 6, "csf_rbc": 2}
CRS: dict[str, Any] = {
    "hypotension": True,
    "vasopressors": ["NOREPINEPHRINE"],
    "hypoxia": True,
    "oxygen_device": "FACEMASK",
}
NO_CRS: dict[str, Any] = {
    "hypotension": False,
    "vasopressors": ["NONE"],
    "hypoxia": False,
    "oxygen_device": "NONE",
}
NEURO: dict[str, Any] = {**ICE, "consciousness": "NORMAL", "status": "COMPLETE"}
ASLEEP: dict[str, Any] = {
    "unable_reason": "UNAROUSABLE",
    "consciousness": "STUPOR_OR_COMA",
    "status": "COMPLETE",
}
REMISSION: dict[str, Any] = {
    "investigator_response": "CR",
    "bone_marrow_id": "0190a000-0000-7000-8000-000000000000",
    "circulating_blasts": False,
    "extramedullary_disease": False,
    "status": "COMPLETE",
}
STEROID: dict[str, Any] = {
    "drug": "dexamethasone",
    "drug_class": "CORTICOSTEROID",
    "dose": Decimal(10),
    "dose_unit": "mg",
    "start_dt": "2026-05-01T08:00+08:00",
}
CONTACT: dict[str, Any] = {"vital_status": "ALIVE", "contact_type": "PHONE", "status": "COMPLETE"}
D0_WEIGHT: dict[str, Any] = {
    "visit": "D0",
    "timepoint": "PRE_INF",
    "status": "COMPLETE",
    "weight_kg": Decimal(60),
}


@pytest.mark.parametrize(
    ("name", "good", "change", "expected"),
    [
        ("vital_signs", OXYGEN, {}, []),
        ("vital_signs", OXYGEN, {"o2_flow_lpm": None}, []),
        (
            "vital_signs",
            OXYGEN,
            {"o2_flow_lpm": None, "status": "COMPLETE"},
            [("o2_flow_lpm", "vital_signs.flow_missing")],
        ),
        (
            "vital_signs",
            OXYGEN,
            {"o2_flow_lpm": None, "status": "COMPLETE", "missing": {"o2_flow_lpm": "UNKNOWN"}},
            [],
        ),
        ("vital_signs", OXYGEN, {"o2_flow_lpm": None, "status": "COMPLETE", "o2_device": "FACEMASK"}, []),
        ("vital_signs", OXYGEN, {"o2_flow_lpm": Decimal(6)}, []),
        (
            "vital_signs",
            OXYGEN,
            {"o2_flow_lpm": Decimal("6.1")},
            [("o2_flow_lpm", "vital_signs.flow_for_low_flow_device")],
        ),
        (
            "vital_signs",
            OXYGEN,
            {"o2_device": "HIGH_FLOW_NC", "o2_flow_lpm": Decimal(6)},
            [("o2_flow_lpm", "vital_signs.flow_for_high_flow_device")],
        ),
        ("vital_signs", OXYGEN, {"o2_device": "HIGH_FLOW_NC", "o2_flow_lpm": Decimal("6.1")}, []),
        ("vital_signs", D0_WEIGHT, {}, []),
        (
            "vital_signs",
            D0_WEIGHT,
            {"weight_kg": None},
            [("weight_kg", "vital_signs.weight_before_infusion")],
        ),
        ("vital_signs", D0_WEIGHT, {"weight_kg": None, "timepoint": "INF_1H"}, []),
        ("vital_signs", D0_WEIGHT, {"weight_kg": None, "visit": "D1"}, []),
        ("vital_signs", D0_WEIGHT, {"weight_kg": None, "status": "DRAFT"}, []),
        ("haematology", BLOOD, {}, []),
        ("haematology", BLOOD, {"anc_value": Decimal(3)}, []),
        ("haematology", BLOOD, {"anc_value": Decimal("3.2")}, []),
        ("haematology", BLOOD, {"anc_value": Decimal("3.21")}, [("wbc_value", "haematology.differential")]),
        (
            "haematology",
            BLOOD,
            {"monocytes_value": Decimal("1.3")},
            [("wbc_value", "haematology.differential")],
        ),
        (
            "haematology",
            BLOOD,
            {"anc_value": Decimal(2000), "anc_unit": "/mm3"},
            [],
        ),
        ("haematology", BLOOD, {"anc_value": Decimal(9), "wbc_qual": ">"}, []),
        ("haematology", BLOOD, {"anc_value": Decimal(9), "anc_qual": "<"}, []),
        ("haematology", BLOOD, {"anc_value": Decimal(9), "wbc_value": None}, []),
        ("chemistry", {"tbil_value": Decimal(20), "dbil_value": Decimal(20)}, {}, []),
        (
            "chemistry",
            {"tbil_value": Decimal(20), "dbil_value": Decimal(20)},
            {"dbil_value": Decimal("20.1")},
            [("dbil_value", "chemistry.direct_bilirubin")],
        ),
        (
            "chemistry",
            {"tbil_value": Decimal(20), "dbil_value": Decimal(20)},
            {"dbil_value": Decimal(2), "dbil_unit": "mg/dL"},
            [("dbil_value", "chemistry.direct_bilirubin")],
        ),
        ("chemistry", {"tbil_value": Decimal(20)}, {}, []),
        ("cd19_flow", CD19, {}, []),
        ("cd19_flow", CD19, {"cd19_pct_blasts": Decimal(20)}, []),
        (
            "cd19_flow",
            CD19,
            {"cd19_pct_blasts": Decimal("19.99")},
            [("cd19_result", "cd19_flow.positive_but_few")],
        ),
        ("cd19_flow", CD19, {"cd19_result": "NEGATIVE"}, [("cd19_result", "cd19_flow.negative_but_many")]),
        ("cd19_flow", CD19, {"cd19_result": "NEGATIVE", "cd19_pct_blasts": Decimal(0)}, []),
        ("cd19_flow", CD19, {"cd19_pct_blasts": None}, []),
        ("csf", FLUID, {}, []),
        ("csf", FLUID, {"csf_rbc": 10}, [("csf_rbc", "csf.traumatic_tap")]),
        ("csf", FLUID, {"csf_rbc": 10, "csf_wbc": 4}, []),
        ("csf", FLUID, {"csf_rbc": 10, "csf_blasts": "NEGATIVE"}, []),
        ("csf", FLUID, {"csf_flow_blasts": "POSITIVE"}, []),
        ("csf", FLUID, {"csf_flow_blasts": "NEGATIVE"}, [("csf_flow_blasts", "csf.methods_disagree")]),
        ("csf", FLUID, {"csf_flow_blasts": "NOT_DONE"}, []),
        ("crs_assessment", CRS, {}, []),
        ("crs_assessment", NO_CRS, {}, []),
        (
            "crs_assessment",
            CRS,
            {"hypotension": False},
            [("hypotension", "crs_assessment.pressor_without_hypotension")],
        ),
        ("crs_assessment", CRS, {"hypotension": None}, []),
        ("crs_assessment", CRS, {"hypoxia": False}, [("hypoxia", "crs_assessment.oxygen_without_hypoxia")]),
        (
            "crs_assessment",
            CRS,
            {"hypoxia": False, "oxygen_device": "MECH_VENT", "ppv_reason": "AIRWAY_PROTECTION"},
            [],
        ),
        (
            "crs_assessment",
            NO_CRS,
            {"hypoxia": True},
            [("oxygen_device", "crs_assessment.hypoxia_without_oxygen")],
        ),
        (
            "crs_assessment",
            CRS,
            {"oxygen_device": "NASAL_CANNULA", "status": "COMPLETE"},
            [("o2_flow_lpm", "crs_assessment.flow_missing")],
        ),
        (
            "crs_assessment",
            CRS,
            {"oxygen_device": "NASAL_CANNULA", "o2_flow_lpm": Decimal(8)},
            [("o2_flow_lpm", "crs_assessment.flow_for_low_flow_device")],
        ),
        (
            "crs_assessment",
            CRS,
            {"oxygen_device": "HIGH_FLOW_NC", "o2_flow_lpm": Decimal(4)},
            [("o2_flow_lpm", "crs_assessment.flow_for_high_flow_device")],
        ),
        ("icans_assessment", NEURO, {}, []),
        ("icans_assessment", NEURO, {"writing": None}, [("unable_reason", "icans_assessment.unscored")]),
        ("icans_assessment", NEURO, {"writing": None, "status": "DRAFT"}, []),
        ("icans_assessment", NEURO, {"writing": None, "unable_reason": "LANGUAGE"}, []),
        ("icans_assessment", NEURO, {"writing": None, "missing": {"writing": "NOT_DONE"}}, []),
        ("icans_assessment", ASLEEP, {}, []),
        (
            "icans_assessment",
            ASLEEP,
            {"naming": 3},
            [("unable_reason", "icans_assessment.points_though_unarousable")],
        ),
        ("icans_assessment", ASLEEP, {"naming": 0}, []),
        (
            "icans_assessment",
            ASLEEP,
            {"consciousness": "NORMAL"},
            [("consciousness", "icans_assessment.awake_though_unarousable")],
        ),
        ("icans_assessment", ASLEEP, {"consciousness": "UNAROUSABLE_OR_VIGOROUS_STIMULI"}, []),
        ("pk_sample", SAMPLE, {}, []),
        ("pk_sample", SAMPLE, {"copies_per_ug": None}, []),
        (
            "pk_sample",
            SAMPLE,
            {"copies_per_ug": None, "status": "COMPLETE"},
            [("copies_per_ug", "pk_sample.copies_missing")],
        ),
        ("pk_sample", SAMPLE, {"copies_per_ug": None, "status": "COMPLETE", "result_text": "BLQ"}, []),
        ("pk_sample", SAMPLE, {"copies_per_ug": None, "status": "COMPLETE", "assay": "FLOW"}, []),
        (
            "pk_sample",
            SAMPLE,
            {"copies_per_ug": Decimal(1251)},
            [("copies_per_ug", "pk_sample.copies_differ")],
        ),
        ("pk_sample", SAMPLE, {"copies_per_ug": Decimal("1250.00")}, []),
        ("pk_sample", SAMPLE, {"result_text": "BLQ"}, [("copies_per_ug", "pk_sample.copies_though_below")]),
        ("pk_sample", SAMPLE, {"result_text": "BLQ", "copies_per_ug": Decimal(49)}, []),
        ("response", REMISSION, {}, []),
        (
            "response",
            REMISSION,
            {"circulating_blasts": True},
            [("investigator_response", "response.remission_with_disease")],
        ),
        (
            "response",
            REMISSION,
            {"extramedullary_disease": True},
            [("investigator_response", "response.remission_with_disease")],
        ),
        (
            "response",
            REMISSION,
            {"bone_marrow_id": None},
            [("bone_marrow", "response.remission_without_marrow")],
        ),
        ("response", REMISSION, {"bone_marrow_id": None, "status": "DRAFT"}, []),
        ("response", REMISSION, {"bone_marrow_id": None, "investigator_response": "NE"}, []),
        ("response", REMISSION, {"circulating_blasts": True, "investigator_response": "RELAPSE"}, []),
        ("con_meds", STEROID, {}, []),
        ("con_meds", STEROID, {"dose_unit": ""}, [("dose_unit", "con_meds.dose_without_unit")]),
        ("con_meds", STEROID, {"dose_unit": "", "dose": None}, []),
        ("con_meds", STEROID, {"start_dt": "2026-05-01"}, [("start_dt", "con_meds.time_missing")]),
        (
            "con_meds",
            STEROID,
            {"drug": "aciclovir", "drug_class": "ANTIVIRAL", "start_dt": "2026"},
            [],
        ),
        ("con_meds", STEROID, {"drug_class": "OTHER"}, [("drug_class", "con_meds.steroid_in_other_class")]),
        ("con_meds", STEROID, {"drug_class": ""}, []),
        ("survival_ltfu", CONTACT, {}, []),
        (
            "survival_ltfu",
            CONTACT,
            {"vital_status": "LOST"},
            [("last_known_alive", "survival_ltfu.last_known_alive")],
        ),
        (
            "survival_ltfu",
            CONTACT,
            {"contact_type": "REGISTRY"},
            [("last_known_alive", "survival_ltfu.last_known_alive")],
        ),
        ("survival_ltfu", CONTACT, {"contact_type": "REGISTRY", "last_known_alive": date(2026, 5, 1)}, []),
        ("survival_ltfu", CONTACT, {"contact_type": "REGISTRY", "vital_status": "DEAD"}, []),
        ("survival_ltfu", CONTACT, {"vital_status": "LOST", "status": "DRAFT"}, []),
    ],
)
def test_doubt(name: str, good: dict[str, Any], change: dict[str, Any], expected: list[Any]) -> None:
    assert asked(filled(FORMS[name][0], **{**good, **change})) == expected


# what is missing on a completed form


@pytest.mark.parametrize(
    ("name", "answers", "item", "wanted"),
    [
        ("vital_signs", {"visit": "SCR"}, "height_cm", True),
        ("vital_signs", {"visit": "D7"}, "height_cm", False),
        ("vital_signs", {"visit": "LD-5"}, "weight_kg", True),
        ("vital_signs", {"room_air": False}, "o2_device", True),
        ("vital_signs", {"room_air": True}, "o2_device", False),
        ("bone_marrow", {"visit": "SCR"}, "mrd_method", False),
        ("bone_marrow", {"visit": "D28"}, "mrd_method", True),
        ("bone_marrow", {"mrd_method": "NGS"}, "mrd_sensitivity", True),
        ("bone_marrow", {"mrd_method": ""}, "mrd_sensitivity", False),
        ("bone_marrow", {"mrd_result": "DETECTED"}, "mrd_level", True),
        ("bone_marrow", {"mrd_result": "NOT_DETECTED"}, "mrd_level", False),
        ("crs_assessment", {"oxygen_device": "CPAP"}, "ppv_reason", True),
        ("crs_assessment", {"oxygen_device": "VENTURI"}, "ppv_reason", False),
        ("pk_sample", {"assay": "FLOW"}, "car_pct_cd3", True),
        ("pk_sample", {"assay": "QPCR"}, "car_pct_cd3", False),
        ("response", {"investigator_response": "RELAPSE"}, "relapse_cd19_status", True),
        ("response", {"investigator_response": "CR"}, "relapse_cd19_status", False),
        ("con_meds", {"drug_class": "TOCILIZUMAB"}, "dose_number", True),
        ("con_meds", {"drug_class": "GCSF"}, "dose_number", False),
        ("con_meds", {"indication": "CRS"}, "linked_ae", True),
        ("con_meds", {"indication": "PROPHYLAXIS"}, "linked_ae", False),
        ("con_meds", {"ongoing": False}, "end_dt", True),
        ("con_meds", {"ongoing": True}, "end_dt", False),
        ("survival_ltfu", {"visit": "M6"}, "rcl_test", True),
        ("survival_ltfu", {"visit": "Y9"}, "rcl_test", True),
        ("survival_ltfu", {"visit": "M15"}, "rcl_test", False),
    ],
)
def test_item_is_wanted(name: str, answers: dict[str, Any], item: str, wanted: bool) -> None:
    record = filled(FORMS[name][0], status="COMPLETE", **answers)
    assert (f"missing.{item}" in {doubt.check for doubt in unlikely(record)}) is wanted


# reference ranges


def limits(**change: Any) -> ReferenceRange:
    """The range of ALT of one laboratory, with what differs."""
    stated: dict[str, Any] = {
        "laboratory": "Central",
        "analyte": "alt",
        "unit": "U/L",
        "low": Decimal(7),
        "high": Decimal(40),
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 12, 31),
    }
    return ReferenceRange(**{**stated, **change})


EITHER = limits()
WOMEN = limits(sex="F", high=Decimal(35))
OLD = limits(age_low=60, high=Decimal(50))
NEW = limits(valid_from=date(2026, 6, 1), valid_to=None, high=Decimal(45))
ELSEWHERE = limits(laboratory="Second", high=Decimal(41))
SAME_ELSEWHERE = limits(laboratory="Second")


@pytest.mark.parametrize(
    ("ranges", "day", "sex", "age", "expected"),
    [
        ([EITHER], "2026-03-01", "F", 40, EITHER),
        ([EITHER], "2026-03-01", "", None, EITHER),
        ([EITHER], "2026-01-01", "F", 40, EITHER),
        ([EITHER], "2025-12-31", "F", 40, None),
        ([EITHER], "2026-12-31", "F", 40, EITHER),
        ([EITHER], "2027-01-01", "F", 40, None),
        ([EITHER, WOMEN], "2026-03-01", "F", 40, WOMEN),
        ([EITHER, WOMEN], "2026-03-01", "M", 40, EITHER),
        ([EITHER, WOMEN], "2026-03-01", "", 40, EITHER),
        ([WOMEN], "2026-03-01", "M", 40, None),
        ([EITHER, OLD], "2026-03-01", "M", 60, OLD),
        ([EITHER, OLD], "2026-03-01", "M", 59, EITHER),
        ([EITHER, OLD], "2026-03-01", "M", None, EITHER),
        ([limits(age_high=17), EITHER], "2026-03-01", "M", 17, "first"),
        ([limits(age_high=17), EITHER], "2026-03-01", "M", 18, EITHER),
        ([EITHER, NEW], "2026-05-31", "M", 40, EITHER),
        ([EITHER, NEW], "2026-06-01", "M", 40, NEW),
        ([EITHER, NEW], "2030-06-01", "M", 40, NEW),
        ([EITHER, ELSEWHERE], "2026-03-01", "M", 40, None),
        ([EITHER, SAME_ELSEWHERE], "2026-03-01", "M", 40, EITHER),
        ([limits(analyte="ast")], "2026-03-01", "M", 40, None),
        ([], "2026-03-01", "M", 40, None),
    ],
)
def test_range_in_force(ranges: list[Any], day: str, sex: str, age: int | None, expected: Any) -> None:
    wanted = ranges[0] if expected == "first" else expected
    assert range_in_force(ranges, "alt", date.fromisoformat(day), sex, age) is wanted


CREATININE = limits(analyte="creatinine", unit="umol/L", low=Decimal(45), high=Decimal(104))


@pytest.mark.parametrize(
    ("answers", "low", "high", "names"),
    [
        ({"creatinine_value": Decimal(90)}, "45", "104", ("creatinine",)),
        ({"creatinine_value": Decimal(90), "creatinine_unit": "umol/L"}, "45", "104", ("creatinine",)),
        (
            {"creatinine_value": Decimal("1.0"), "creatinine_unit": "mg/dL"},
            "0.50904977",
            "1.17647059",
            ("creatinine",),
        ),
        ({"creatinine_value": Decimal(90), "creatinine_uln": Decimal(110)}, None, "110", ()),
        ({"creatinine_value": Decimal(90), "creatinine_lln": Decimal(40)}, "40", None, ()),
        ({"creatinine_value": Decimal(90), "creatinine_unit": "stone"}, None, None, ()),
        ({}, None, None, ()),
    ],
)
def test_snapshot(answers: dict[str, Any], low: str | None, high: str | None, names: tuple[str, ...]) -> None:
    record = filled(models.Chemistry, **answers)
    assert snapshot(record, [CREATININE, EITHER], date(2026, 3, 1), "M", 40) == names
    found = (record.creatinine_lln, record.creatinine_uln)
    assert found == tuple(None if one is None else Decimal(one) for one in (low, high))
    assert record.alt_uln is None


def test_a_range_in_a_foreign_unit_is_passed_over() -> None:
    record = filled(models.Chemistry, creatinine_value=Decimal(90))
    assert snapshot(record, [limits(analyte="creatinine", unit="g/L")], date(2026, 3, 1), "M", 40) == ()


def test_an_open_limit_stays_open() -> None:
    record = filled(models.Chemistry, crp_value=Decimal(3))
    snapshot(
        record, [limits(analyte="crp", unit="mg/L", low=None, high=Decimal(8))], date(2026, 3, 1), "M", 40
    )
    assert (record.crp_lln, record.crp_uln) == (None, Decimal(8))


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        ("104.00", "umol/L", "umol/L", "104.00"),
        ("1.2", "mg/dL", "umol/L", "106.08"),
        ("104", "umol/L", "mg/dL", "1.17647059"),
    ],
)
def test_limit_in_another_unit(value: str, unit: str, wanted: str, expected: str) -> None:
    assert str(in_unit("creatinine", Decimal(value), unit, wanted)) == expected


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(1986, 5, 1), "2026-04-30", 39),
        (date(1986, 5, 1), "2026-05-01", 40),
        ("1986-05-01", "2026-05-01", 40),
        ("2004-02-29", "2026-02-28", 21),
        ("2004-02-29", "2026-03-01", 22),
        ("1986-05", "2026-04-30", 39),
        ("1986-05", "2026-05-15", None),
        ("1986", "2026-12-31", 40),
        ("1986", "2026-06-01", None),
        (None, "2026-06-01", None),
        ("", "2026-06-01", None),
        ("2027-01-01", "2026-06-01", None),
    ],
)
def test_age(born: Any, day: str, age: int | None) -> None:
    assert age_on(born, date.fromisoformat(day)) == age
