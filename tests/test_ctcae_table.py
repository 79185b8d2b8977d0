"""CTCAE 5.0, line by line as the NCI prints it: what lies at each printed limit and just beyond it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from safety.grading.ctcae import LabResult, Toxicity, find, grade
from safety.grading.ctcae_terms import OF_RESULT, TERMS
from trial.units import canonical
from visits.models import Chemistry, Coagulation, Haematology

D = Decimal
LLN, ULN = {"lln": D(10**6)}, {"uln": D(0)}
"""A limit of normal that every value lies beyond, so that only the fixed limits decide."""

PRINTED: list[tuple[str, dict[str, Any], str]] = [
    # "<LLN - 1.5; <1.5 - 1.0; <1.0 - 0.5; <0.5": the limit itself belongs to the lower grade
    ("Neutrophil count decreased", {"lln": D("1.8")}, "1.8:0 1.79:1 1.5:1 1.49:2 1.0:2 0.99:3 0.5:3 0.49:4"),
    ("White blood cell decreased", {"lln": D(4)}, "4:0 3.9:1 3.0:1 2.9:2 2.0:2 1.9:3 1.0:3 0.9:4"),
    ("Leukocytosis", {}, "100:0 100.1:3"),
    ("Lymphocyte count decreased", {"lln": D(1)}, "1:0 0.99:1 0.8:1 0.79:2 0.5:2 0.49:3 0.2:3 0.19:4"),
    ("Lymphocyte count increased", {}, "4:0 4.01:2 20:2 20.1:3"),
    (
        "CD4 lymphocytes decreased",
        {"lln": D("0.55")},
        "0.55:0 0.54:1 0.5:1 0.49:2 0.2:2 0.19:3 0.05:3 0.049:4",
    ),
    ("Platelet count decreased", {"lln": D(125)}, "125:0 124:1 75:1 74:2 50:2 49:3 25:3 24:4"),
    ("Anemia", {"lln": D(130)}, "130:0 129:1 100:1 99:2 80:2 79:3 10:3"),
    # multiples of the upper limit, baseline normal
    ("ALT increased", {"uln": D(40), "baseline": D(40)}, "40:0 41:1 120:1 121:2 200:2 201:3 800:3 801:4"),
    ("AST increased", {"uln": D(40), "baseline": D(40)}, "40:0 41:1 120:1 121:2 200:2 201:3 800:3 801:4"),
    (
        "ALP increased",
        {"uln": D(100), "baseline": D(90)},
        "100:0 101:1 250:1 251:2 500:2 501:3 2000:3 2001:4",
    ),
    (
        "GGT increased",
        {"uln": D(100), "baseline": D(90)},
        "100:0 101:1 250:1 251:2 500:2 501:3 2000:3 2001:4",
    ),
    (
        "Blood bilirubin increased",
        {"uln": D(20), "baseline": D(20)},
        "20:0 21:1 30:1 31:2 60:2 61:3 200:3 201:4",
    ),
    # multiples of a baseline that was abnormal
    (
        "ALT increased",
        {"uln": D(40), "baseline": D(100)},
        "149:0 150:1 300:1 301:2 500:2 501:3 2000:3 2001:4",
    ),
    (
        "AST increased",
        {"uln": D(40), "baseline": D(100)},
        "149:0 150:1 300:1 301:2 500:2 501:3 2000:3 2001:4",
    ),
    (
        "ALP increased",
        {"uln": D(40), "baseline": D(100)},
        "199:0 200:1 250:1 251:2 500:2 501:3 2000:3 2001:4",
    ),
    (
        "GGT increased",
        {"uln": D(40), "baseline": D(100)},
        "199:0 200:1 250:1 251:2 500:2 501:3 2000:3 2001:4",
    ),
    (
        "Blood bilirubin increased",
        {"uln": D(20), "baseline": D(100)},
        "100:0 101:1 150:1 151:2 300:2 301:3 1000:3 1001:4",
    ),
    ("LDH increased", {"uln": D(250)}, "250:0 251:1 9999:1"),
    ("CPK increased", {"uln": D(100)}, "100:0 101:1 250:1 251:2 500:2 501:3 1000:3 1001:4"),
    (
        "Creatinine increased",
        {"uln": D(100), "baseline": D(1000)},
        "100:0 101:1 150:1 151:2 300:2 301:3 600:3 601:4",
    ),
    ("Creatinine increased", {"uln": D(1000), "baseline": D(100)}, "150:0 151:2 300:2 301:3 999:3"),
    ("Fibrinogen decreased", {"lln": D(4)}, "4:0 3.9:1 3:1 2.9:2 2:2 1.9:3 1:3 0.9:4"),
    # a fall of 25, 50, 75 % from baseline, where the value is abnormal
    ("Fibrinogen decreased", {"lln": D(8), "baseline": D(10)}, "8:0 7.51:1 7.5:2 5.01:2 5:3 2.51:3 2.5:4"),
    ("Fibrinogen decreased", {"lln": D("0.5")}, "0.5:0 0.49:4"),
    ("Activated partial thromboplastin time prolonged", {"uln": D(40)}, "40:0 41:1 60:1 61:2 100:2 101:3"),
    ("INR increased", {}, "1.2:0 1.21:1 1.5:1 1.51:2 2.5:2 2.51:3"),
    (
        "INR increased",
        {"on_anticoagulant": True, "baseline": D(2)},
        "2:0 2.01:1 3.0:1 3.01:2 5:2 5.01:3",
    ),
    ("INR increased", {"on_anticoagulant": True}, "1.2:0 1.21:1 1.51:2 2.51:3"),
    ("Hypoalbuminemia", {"lln": D(35)}, "35:0 34:1 30:1 29:2 20:2 19:3 1:3"),
    (
        "Hyponatremia",
        {"lln": D(135), "symptomatic": False},
        "135:0 134:1 130:1 129:2 125:2 124:3 120:3 119:4",
    ),
    ("Hyponatremia", {"lln": D(135), "symptomatic": True}, "134:1 130:1 129:3 125:3 120:3 119:4"),
    ("Hypernatremia", {"uln": D(145)}, "145:0 146:1 150:1 151:2 155:2 156:3 160:3 161:4"),
    (
        "Hypokalemia",
        {"lln": D("3.5"), "symptomatic": False},
        "3.5:0 3.4:1 3.0:1 2.9:3 2.5:3 2.4:4",
    ),
    ("Hypokalemia", {"lln": D("3.5"), "symptomatic": True}, "3.5:0 3.4:2 3.0:2 2.9:3"),
    ("Hyperkalemia", {"uln": D(5)}, "5:0 5.1:1 5.5:1 5.6:2 6.0:2 6.1:3 7.0:3 7.1:4"),
    ("Hypocalcemia", {"lln": D("2.1")}, "2.1:0 2.09:1 2.0:1 1.99:2 1.75:2 1.74:3 1.5:3 1.49:4"),
    ("Hypercalcemia", {"uln": D("2.6")}, "2.6:0 2.61:1 2.9:1 2.91:2 3.1:2 3.11:3 3.4:3 3.41:4"),
    ("Hypomagnesemia", {"lln": D("0.7")}, "0.7:0 0.69:1 0.5:1 0.49:2 0.4:2 0.39:3 0.3:3 0.29:4"),
    ("Hypermagnesemia", {"uln": D("1.1")}, "1.1:0 1.11:1 1.23:1 1.24:3 3.30:3 3.31:4"),
    ("Hypoglycemia", {"lln": D("3.9")}, "3.9:0 3.8:1 3.0:1 2.9:2 2.2:2 2.1:3 1.7:3 1.6:4"),
    ("Hypertriglyceridemia", {}, "1.70:0 1.71:1 3.42:1 3.43:2 5.7:2 5.71:3 11.4:3 11.41:4"),
    ("Hyperuricemia", {"uln": D(420), "symptomatic": False}, "420:0 421:1"),
    ("Hyperuricemia", {"uln": D(420), "symptomatic": True}, "420:0 421:3"),
]


@pytest.mark.parametrize(("term", "limits", "graded"), PRINTED)
def test_the_table_as_printed(term: str, limits: dict[str, Any], graded: str) -> None:
    for value, level in (one.split(":") for one in graded.split()):
        assert grade(term, LabResult(D(value), **limits)).grade == int(level), value


@pytest.mark.parametrize(
    ("term", "first", "second"),
    [
        (
            "ALT increased",
            ">ULN - 3.0 x ULN if baseline was normal; 1.5 - 3.0 x baseline if baseline was abnormal",
            ">3.0 - 5.0 x ULN if baseline was normal; >3.0 - 5.0 x baseline if baseline was abnormal",
        ),
        (
            "AST increased",
            ">ULN - 3.0 x ULN if baseline was normal; 1.5 - 3.0 x baseline if baseline was abnormal",
            ">3.0 - 5.0 x ULN if baseline was normal; >3.0 - 5.0 x baseline if baseline was abnormal",
        ),
        (
            "ALP increased",
            ">ULN - 2.5 x ULN if baseline was normal; 2.0 - 2.5 x baseline if baseline was abnormal",
            ">2.5 - 5.0 x ULN if baseline was normal; >2.5 - 5.0 x baseline if baseline was abnormal",
        ),
        (
            "GGT increased",
            ">ULN - 2.5 x ULN if baseline was normal; 2.0 - 2.5 x baseline if baseline was abnormal",
            ">2.5 - 5.0 x ULN if baseline was normal; >2.5 - 5.0 x baseline if baseline was abnormal",
        ),
    ],
)
def test_the_printed_text_of_the_enzymes(term: str, first: str, second: str) -> None:
    assert find(term).printed == (
        first,
        second,
        ">5.0 - 20.0 x ULN if baseline was normal; >5.0 - 20.0 x baseline if baseline was abnormal",
        ">20.0 x ULN if baseline was normal; >20.0 x baseline if baseline was abnormal",
    )


def test_a_term_of_one_grade_prints_no_other() -> None:
    assert find("LDH increased").printed == (">ULN", "-", "-", "-")


@pytest.mark.parametrize(
    ("term", "assumed"),
    [
        ("ALT increased", True),  # normal or not
        ("Creatinine increased", True),  # a multiple of it
        ("Fibrinogen decreased", True),
        ("INR increased", True),  # with an anticoagulant
        ("CPK increased", False),
        ("Hyponatremia", False),
        ("Platelet count decreased", False),
    ],
)
def test_which_terms_ask_for_a_baseline(term: str, assumed: bool) -> None:
    result = LabResult(D(1000), lln=D(1), uln=D(10), symptomatic=False)
    assert grade(term, result).baseline_assumed_normal is assumed


BASELINE_TERMS = {
    "Alanine aminotransferase increased",
    "Aspartate aminotransferase increased",
    "Alkaline phosphatase increased",
    "GGT increased",
    "Blood bilirubin increased",
    "Creatinine increased",
    "Fibrinogen decreased",
    "INR increased",
}


def test_every_term_asks_for_what_its_text_names() -> None:
    anew = [replace(term) for term in TERMS.values()]  # what a term was asked before is kept with it
    assert {term.name for term in anew if term.asks_baseline} == BASELINE_TERMS
    assert {term.name for term in anew if any("baseline" in text for text in term.printed)} == BASELINE_TERMS
    for term in anew:
        levels = [level for level, _ in term.from_above]
        assert levels == sorted(term.bands, reverse=True)
        assert dict(term.from_above) == term.bands


def test_a_term_is_in_the_unit_of_the_results_that_it_grades() -> None:
    analytes = {**Haematology.analytes, **Chemistry.analytes, **Coagulation.analytes}
    for name, terms in OF_RESULT.items():
        assert {find(term).unit for term in terms} <= {"", canonical(analytes[name].quantity)}, name


@pytest.mark.parametrize(
    ("term", "result", "expected"),
    [
        ("Platelet count decreased", {"value": D(80)}, {"grade": None, "missing": ("lln",)}),
        ("Creatinine increased", {"value": D(250), "baseline": D(80)}, {"grade": 3, "missing": ("uln",)}),
        ("Hypernatremia", {"value": D(140)}, {"grade": None, "missing": ("uln",)}),
        ("CPK increased", {"value": D(140)}, {"grade": None, "missing": ("uln",)}),
        (
            "Creatinine increased",
            {"value": D(120)},
            {"grade": None, "missing": ("uln",), "baseline_assumed_normal": True},
        ),
        (
            "ALT increased",
            {"value": D(120), "baseline": D(30)},
            {"grade": None, "missing": ("uln",)},
        ),
        (
            "Hypokalemia",
            {"value": D("3.2"), "lln": D("3.5")},
            {"grade": 1, "needs_clinical": True},
        ),
        ("Hyperuricemia", {"value": D(421), "uln": D(420)}, {"grade": 1, "needs_clinical": True}),
        ("Hypokalemia", {"value": D("3.6")}, {"grade": None, "missing": ("lln",)}),
        ("Hypokalemia", {"value": D("2.9")}, {"grade": 3}),
        (
            "Platelet count decreased",
            {"value": D(30), "qualifier": "<"},
            {"grade": None, "missing": ("value",)},
        ),
    ],
)
def test_what_is_missing_is_said(term: str, result: dict[str, Any], expected: dict[str, Any]) -> None:
    assert grade(term, LabResult(**result)) == Toxicity(find(term).name, **expected)


GRADED = {
    "anc": "Neutrophil count decreased",
    "plt": "Platelet count decreased",
    "hgb": "Anemia",
    "wbc": "White blood cell decreased; Leukocytosis",
    "sodium": "Hyponatremia; Hypernatremia",
    "potassium": "Hypokalemia; Hyperkalemia",
    "calcium": "Hypocalcemia; Hypercalcemia",
    "magnesium": "Hypomagnesemia; Hypermagnesemia",
}


def test_which_terms_a_result_is_graded_by() -> None:
    for name, terms in GRADED.items():
        assert "; ".join(find(term).name for term in OF_RESULT[name]) == terms
    others = (
        "alc alt ast alp ggt tbil ldh creatinine fibrinogen aptt inr albumin glucose triglycerides uric_acid"
    )
    assert set(OF_RESULT) == {*GRADED, *others.split()}
