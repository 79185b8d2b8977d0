"""Grading of CRS, ICANS and laboratory results, one fact changed per row."""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.grading import crs, ctcae_terms, icans
from safety.grading.crs import CrsFindings, crs_grade
from safety.grading.ctcae import LabResult, Toxicity, corrected_calcium, grade
from safety.grading.icans import IcansFindings, icans_grade
from visits.codelists import CEREBRAL_EDEMA, CONSCIOUSNESS, OXYGEN_DEVICE, SEIZURE, VASOPRESSOR
from visits.models import Chemistry, Coagulation, CrsAssessment, Haematology, IcansAssessment

D = Decimal
FEVER = CrsFindings(D("38.5"), False, False, (), False, "NONE")
WELL = IcansFindings(10, "NORMAL", "NONE", False, "NONE")


def test_every_table_names_its_version_and_source() -> None:
    assert (crs.VERSION, icans.VERSION, ctcae_terms.VERSION) == ("ASTCT2019", "ASTCT2019", "CTCAE5.0")
    assert all(module.CITATION and module.BASIS == "guideline" for module in (crs, icans, ctcae_terms))


# Cytokine release syndrome


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, 1),
        ({"temp_c": D("37.9")}, 0),
        ({"temp_c": D("38.0")}, 1),
        ({"fever_other_cause": True}, 0),
        ({"hypotension": True}, 2),
        ({"hypotension": True, "vasopressors": ("NONE",)}, 2),
        ({"hypotension": True, "vasopressors": ("DOPAMINE",)}, 3),
        ({"hypotension": True, "vasopressors": ("VASOPRESSIN",)}, 3),
        ({"hypotension": True, "vasopressors": ("DOPAMINE", "VASOPRESSIN")}, 3),
        ({"hypotension": True, "vasopressors": ("DOPAMINE", "DOPAMINE")}, 3),
        ({"hypotension": True, "vasopressors": ("DOPAMINE", "OTHER")}, 4),
        ({"vasopressors": ("DOPAMINE", "OTHER")}, 1),  # given for another cause
        ({"hypoxia": True, "oxygen_device": "NASAL_CANNULA", "o2_flow_lpm": D(6)}, 2),
        ({"hypoxia": True, "oxygen_device": "NASAL_CANNULA", "o2_flow_lpm": D("6.1")}, 3),
        ({"hypoxia": True, "oxygen_device": "NASAL_CANNULA"}, None),
        ({"hypoxia": True, "oxygen_device": "BLOW_BY"}, 2),
        ({"hypoxia": True, "oxygen_device": "FACEMASK", "o2_flow_lpm": D(2)}, 3),
        ({"hypoxia": True, "oxygen_device": "CPAP", "ppv_reason": "HYPOXIA"}, 4),
        ({"hypoxia": True, "oxygen_device": "CPAP"}, 4),
        ({"hypoxia": None, "oxygen_device": "MECH_VENT", "ppv_reason": "AIRWAY_PROTECTION"}, 1),
        ({"hypoxia": True, "oxygen_device": "MECH_VENT", "ppv_reason": "AIRWAY_PROTECTION"}, 4),
        ({"hypoxia": False, "oxygen_device": "FACEMASK"}, 1),  # oxygen for another cause
        (
            {"hypotension": True, "hypoxia": True, "oxygen_device": "BLOW_BY", "vasopressors": ("DOPAMINE",)},
            3,
        ),
        ({"temp_c": None}, None),
        ({"hypotension": None}, None),
        ({"hypotension": None, "vasopressors": ("DOPAMINE",)}, 3),
        ({"hypotension": True, "vasopressors": None}, None),
        ({"hypoxia": True, "oxygen_device": None}, None),
        ({"fever_other_cause": None}, None),
        ({"died_of_it": True, "temp_c": None}, 5),
        ({"temp_c": D("36.5"), "hypotension": True}, 0),
        ({"temp_c": D("36.5"), "hypotension": True, "prior_fever": True}, 0),
        ({"temp_c": D("36.5"), "hypotension": True, "prior_fever": True, "fever_treated": True}, 2),
        ({"temp_c": D("36.5"), "prior_fever": True, "fever_treated": True}, 0),
        ({"temp_c": None, "hypotension": True, "prior_fever": True, "fever_treated": True}, 2),
        ({"temp_c": None, "prior_fever": True, "fever_treated": True}, 0),
        ({"temp_c": None, "prior_fever": True}, None),
        ({"temp_c": None, "fever_treated": True}, None),
        # fever of unknown cause in an episode whose first fever was treated
        ({"fever_other_cause": None, "prior_fever": True, "fever_treated": True}, None),
        (
            {
                "fever_other_cause": None,
                "prior_fever": True,
                "fever_treated": True,
                "hypotension": True,
                "vasopressors": ("DOPAMINE",),
            },
            3,
        ),
        (
            {
                "temp_c": D("36.5"),
                "prior_fever": True,
                "fever_treated": True,
                "hypoxia": None,
                "oxygen_device": "CPAP",
                "ppv_reason": "AIRWAY_PROTECTION",
            },
            0,
        ),
    ],
)
def test_crs(changed: dict[str, Any], expected: int | None) -> None:
    assert crs_grade(replace(FEVER, **changed)) == expected


POSSIBLE: dict[str, tuple[Any, ...]] = {
    "temp_c": (D("36.6"), D("38.0")),
    "fever_other_cause": (True, False),
    "hypotension": (True, False),
    "vasopressors": ((), ("DOPAMINE",), ("DOPAMINE", "EPINEPHRINE"), ("VASOPRESSIN",)),
    "hypoxia": (True, False),
    "oxygen_device": OXYGEN_DEVICE.codes,
    "o2_flow_lpm": (D(2), D(40)),
}
crs_partial = st.fixed_dictionaries(
    {name: st.sampled_from((*values, None)) for name, values in POSSIBLE.items()}
)


@given(crs_partial)
def test_an_incomplete_crs_assessment_is_graded_only_if_every_completion_agrees(
    known: dict[str, Any],
) -> None:
    graded = crs_grade(CrsFindings(**known))
    hypoxia_open = known["hypoxia"] is None  # the device stands in for it
    pressors_open = known["hypotension"] is None and known["vasopressors"]
    if graded is None or hypoxia_open or pressors_open:
        return
    open_ = [name for name, value in known.items() if value is None]
    for values in product(*(POSSIBLE[name] for name in open_)):
        assert crs_grade(CrsFindings(**{**known, **dict(zip(open_, values, strict=True))})) == graded


def test_every_device_and_sign_of_the_forms_has_a_grade() -> None:
    assert {*crs.DEVICE_GRADES, "NASAL_CANNULA"} == set(OXYGEN_DEVICE.codes)
    assert set(icans.CONSCIOUSNESS) == set(CONSCIOUSNESS.codes)
    assert set(icans.SEIZURE) == set(SEIZURE.codes)
    assert set(icans.EDEMA) == set(CEREBRAL_EDEMA.codes)
    assert crs.pressors(VASOPRESSOR.codes) == set(VASOPRESSOR.codes) - {"NONE"}


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        (("DOBUTAMINE",), 2),
        (("NOREPINEPHRINE", "DOBUTAMINE"), 3),
        (("NOREPINEPHRINE", "OTHER"), 4),
    ],
)
def test_an_inotrope_is_no_vasopressor(given: tuple[str, ...], grade: int) -> None:
    """6.1 (vii): dobutamine and other inotropes are not in the list of vasopressors."""
    found = CrsFindings(D("38.5"), False, True, given, False, "NONE")
    assert crs_grade(found) == grade


def test_forms_are_read_as_findings() -> None:
    row = CrsAssessment(
        temp_c=D(39),
        fever_other_cause=False,
        hypotension=True,
        vasopressors=["DOPAMINE"],
        hypoxia=False,
        oxygen_device="NONE",
    )
    assert crs_grade(crs.findings(row, prior_fever=False, fever_treated=False)) == 3
    row.vasopressors = []
    assert crs_grade(crs.findings(row, prior_fever=False, fever_treated=False)) is None
    row.vasopressors, row.hypotension, row.hypoxia, row.oxygen_device = [], False, True, "FACEMASK"
    assert crs_grade(crs.findings(row, prior_fever=False, fever_treated=False)) == 3
    row.oxygen_device = ""
    assert crs_grade(crs.findings(row, prior_fever=False, fever_treated=False)) is None
    rested = {"seizure": "NONE", "motor_weakness_focal": False, "edema": "NONE"}
    assert icans_grade(icans.findings(IcansAssessment(unable_reason="UNAROUSABLE", **rested))) == 4
    assert icans_grade(icans.findings(IcansAssessment(unable_reason="INTUBATED", **rested))) is None
    asleep = IcansAssessment(unable_reason="UNAROUSABLE", consciousness="STUPOR_OR_COMA")
    assert icans_grade(icans.findings(asleep)) == 4


# Neurotoxicity


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, 0),
        *(({"ice": score}, 1) for score in (9, 8, 7)),
        *(({"ice": score}, 2) for score in (6, 5, 4, 3)),
        *(({"ice": score}, 3) for score in (2, 1, 0)),
        ({"ice": 0, "consciousness": "UNAROUSABLE_OR_VIGOROUS_STIMULI"}, 4),
        ({"consciousness": "AWAKENS_TO_VOICE"}, 2),
        ({"seizure": "RAPIDLY_RESOLVING_OR_NONCONVULSIVE_EEG_RESOLVING"}, 3),
        ({"motor_weakness_focal": True}, 4),
        ({"edema": "FOCAL_EDEMA"}, 3),
        ({"edema": "PAPILLEDEMA"}, 4),
        ({"edema": "PAPILLEDEMA", "attributable": False}, 0),
        ({"died_of_it": True}, 5),
        *(
            ({name: None}, None)
            for name in ("ice", "consciousness", "seizure", "motor_weakness_focal", "edema")
        ),
        ({"ice": None, "motor_weakness_focal": True}, 4),
        ({"ice": 1, "seizure": None}, None),
    ],
)
def test_icans(changed: dict[str, Any], expected: int | None) -> None:
    assert icans_grade(replace(WELL, **changed)) == expected


# Laboratory results


@pytest.mark.parametrize(
    ("term", "result", "expected"),
    [
        ("Platelet count decreased", {"value": D(75), "lln": D(125)}, 1),
        ("Platelet count decreased", {"value": D(50), "lln": D(125)}, 2),
        ("Platelet count decreased", {"value": D(80)}, None),
        ("Platelet count decreased", {"value": D(50)}, 2),
        ("Platelet count decreased", {"value": None}, None),
        ("Leukocytosis", {"value": D(100)}, 0),
        ("Leukocytosis", {"value": D("100.1")}, 3),
        ("AST increased", {"value": D(801), "uln": D(40)}, 4),
        ("GGT increased", {"value": D(260), "uln": D(60), "baseline": D(130)}, 1),
        ("GGT increased", {"value": D(259), "uln": D(60), "baseline": D(130)}, 0),
        ("ALT increased", {"value": D(150), "uln": D(40), "baseline": D(100)}, 1),
        ("ALT increased", {"value": D(149), "uln": D(40), "baseline": D(100)}, 0),
        ("ALT increased", {"value": D(149), "uln": D(40), "baseline": D(100), "baseline_uln": D(110)}, 2),
        ("ALT increased", {"value": D(301), "uln": D(40), "baseline": D(100), "baseline_uln": D(40)}, 2),
        ("ALT increased", {"value": D(301), "baseline": D(100), "baseline_uln": D(40)}, None),
        ("ALT increased", {"value": D(149), "baseline": D(100), "baseline_uln": D(40)}, None),
        ("Blood bilirubin increased", {"value": D(30), "uln": D(21), "baseline": D(30)}, 0),
        ("Creatinine increased", {"value": D(121), "uln": D(104), "baseline": D(80)}, 2),
        ("Creatinine increased", {"value": D(120), "uln": D(104), "baseline": D(80)}, 1),
        ("Creatinine increased", {"value": D(241), "uln": D(104), "baseline": D(80)}, 3),
        ("Creatinine increased", {"value": D(625), "uln": D(104)}, 4),
        ("Creatinine increased", {"value": D(200)}, None),
        ("Fibrinogen decreased", {"value": D("0.49")}, 4),
        ("Fibrinogen decreased", {"value": D("0.5")}, None),
        ("Fibrinogen decreased", {"value": D("1.5"), "lln": D(2)}, 1),
        ("Fibrinogen decreased", {"value": D("1.5"), "lln": D(2), "baseline": D(2)}, 2),
        ("Fibrinogen decreased", {"value": D("1.5"), "lln": D(2), "baseline": D(6)}, 4),
        ("INR increased", {"value": D("2.6"), "baseline": D(2)}, 3),
        ("INR increased", {"value": D("2.6"), "baseline": D(2), "on_anticoagulant": True}, 1),
        ("INR increased", {"value": D("5.1"), "baseline": D(2), "on_anticoagulant": True}, 3),
        ("Hyponatremia", {"value": D("129.5"), "lln": D(137), "symptomatic": False}, 2),
        ("Hyponatremia", {"value": D(125), "lln": D(137), "symptomatic": True}, 3),
        ("Hypernatremia", {"value": D(146), "uln": D(145)}, 1),
        ("Hypokalemia", {"value": D("2.9"), "lln": D("3.5")}, 3),
        ("Hypermagnesemia", {"value": D("1.3"), "uln": D("1.1")}, 3),
        ("Hypertriglyceridemia", {"value": D("1.71")}, 1),
        ("LDH increased", {"value": D(9999), "uln": D(250)}, 1),
    ],
)
def test_ctcae(term: str, result: dict[str, Any], expected: int | None) -> None:
    assert grade(term, LabResult(**result)).grade == expected


@pytest.mark.parametrize(
    ("term", "value", "expected"),
    [("Hypokalemia", "3.2", 1), ("Hyponatremia", "127", 2)],
)
def test_where_symptoms_decide_the_lower_grade_is_given_and_said(
    term: str, value: str, expected: int
) -> None:
    result = LabResult(D(value), lln=D(137) if term == "Hyponatremia" else D("3.5"))
    assert grade(term, result) == Toxicity(term, expected, needs_clinical=True)
    assert grade(term, replace(result, symptomatic=False)).needs_clinical is False
    assert grade(term, replace(result, symptomatic=True)).grade == expected + 1


def test_a_missing_baseline_counts_as_normal_and_is_said() -> None:
    assert grade("ALT increased", LabResult(D(121), uln=D(40))).baseline_assumed_normal
    assert not grade("ALT increased", LabResult(D(121), uln=D(40), baseline=D(20))).baseline_assumed_normal
    assert not grade("Hypoglycemia", LabResult(D(2))).baseline_assumed_normal


def test_a_grade_without_the_upper_limit_says_that_it_could_be_higher() -> None:
    found = grade("Creatinine increased", LabResult(D(250), baseline=D(80)))
    assert (found.grade, found.missing) == (3, ("uln",))


@pytest.mark.parametrize(
    ("value", "qualifier", "expected"),
    [
        ("25", "<", 4),
        ("25", "<=", None),
        ("30", "<", None),
        ("200", ">", 0),
        ("125", ">=", 0),
        ("20", ">", None),
    ],
)
def test_a_bounded_result_is_graded_only_where_every_value_agrees(
    value: str, qualifier: str, expected: int | None
) -> None:
    result = LabResult(D(value), lln=D(125), qualifier=qualifier)
    assert grade("Platelet count decreased", result).grade == expected


def test_calcium_is_corrected_for_albumin() -> None:
    assert corrected_calcium(D("1.90"), D(25)) == D("2.20")
    assert corrected_calcium(D("1.90"), None) is None


def test_every_printed_term_is_readable_and_every_cut_has_its_text() -> None:
    for term in ctcae_terms.TERMS.values():
        printed = {level for level, text in enumerate(term.printed, start=1) if text != "-"}
        assert set(term.bands) <= printed, term.name
        assert term.zh and term.direction in ("low", "high")


def test_results_of_the_forms_are_graded_in_both_directions() -> None:
    columns = {**Haematology.analytes, **Chemistry.analytes, **Coagulation.analytes}
    assert set(ctcae_terms.OF_RESULT) <= set(columns)
    named = {term for terms in ctcae_terms.OF_RESULT.values() for term in terms}
    assert {name.casefold() for name in named} <= set(ctcae_terms.TERMS)
    assert ctcae_terms.OF_RESULT["potassium"] == ("Hypokalemia", "Hyperkalemia")


values = st.decimals(min_value=0, max_value=2000, places=2)


@given(st.sampled_from(sorted(ctcae_terms.TERMS)), values, values)
def test_the_farther_from_normal_the_higher_the_grade(name: str, one: Decimal, other: Decimal) -> None:
    term = ctcae_terms.TERMS[name]
    near, far = (
        (max(one, other), min(one, other)) if term.direction == "low" else (min(one, other), max(one, other))
    )
    grades = [
        grade(name, LabResult(v, lln=D(5), uln=D(10), baseline=D(8), symptomatic=False)).grade
        for v in (near, far)
    ]
    assert grades[0] is not None and grades[1] is not None and grades[0] <= grades[1]
