"""The facts that come from histories: what each log says, alone and together with others, and what it leaves open."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from safety.casebook import Casebook
from safety.eligibility import histories
from safety.eligibility.facts import Screening
from safety.eligibility.from_casebook import screening
from subjects import models as s
from tests.test_eligibility_criteria import SCREENED, casebook, changed
from trial.dates import Span
from trial.protocol import V1

CONSENT = date(2026, 5, 15)
DONE: dict[str, Any] = {"status": "COMPLETE"}


def told(book: Casebook, milestone: str = "SCREENING", on: date = SCREENED) -> Screening:
    """The facts of a casebook."""
    return screening(book, milestone, on, V1)


def one_day(text: str) -> Span:
    """A day that is known."""
    return Span(date.fromisoformat(text), date.fromisoformat(text))


def tki(outcome: str, line: int, **answers: Any) -> s.PriorTherapy:
    """A tyrosine kinase inhibitor in one line of therapy."""
    return s.PriorTherapy(
        category="TKI", tki_outcome=outcome, line_no=line, investigational=False, **{**DONE, **answers}
    )


def illness(category: str, **answers: Any) -> s.MedicalHistory:
    """A complete row of the medical history."""
    return s.MedicalHistory(category=category, **{**DONE, **answers})


@pytest.mark.parametrize(
    ("values", "fact", "value"),
    [
        ({}, "relapse_after_first_remission", "YES"),
        ({"relapse_after_first_remission": ""}, "relapse_after_first_remission", None),
        ({"status": "DRAFT"}, "relapse_after_first_remission", None),
        ({}, "refractory_primary", "NO"),
        ({"primary_refractory": ""}, "refractory_primary", None),
        ({"induction_cycles": 2}, "induction_cycles", 2),
        ({"ph_status": "POSITIVE"}, "ph_positive", "YES"),
        ({"ph_status": "NEGATIVE"}, "ph_positive", "NO"),
        ({"ph_status": "NOT_DONE"}, "ph_positive", None),
        ({}, "number_of_relapses", 1),
        ({}, "relapse_type", "BM_ISOLATED"),
        ({"relapse_type": ""}, "relapse_type", None),
        ({"cns_status": "CNS1"}, "cns_leukaemia", "NO"),
        ({"cns_status": "CNS2"}, "cns_leukaemia", "YES"),
        ({"cns_status": "CNS3"}, "cns_leukaemia", "YES"),
        ({"cns_status": ""}, "cns_leukaemia", None),
        ({"extramedullary_sites": ["TESTIS"]}, "cns_leukaemia", "NO"),
        ({"extramedullary_sites": ["CNS"]}, "cns_leukaemia", "YES"),
        ({}, "prior_allo_sct", "NO"),
        ({"prior_allo_sct": ""}, "prior_allo_sct", None),
    ],
)
def test_what_the_history_of_the_leukaemia_says(values: dict[str, Any], fact: str, value: Any) -> None:
    assert getattr(told(changed("disease", **values)), fact) == value


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ([], None),
        ([illness("OTHER")], "NO"),
        ([illness("OTHER"), illness("OTHER", status="DRAFT")], None),
        ([illness("OTHER", not_done=True, not_done_reason="NOT_APPLICABLE")], "NO"),
        ([illness("OTHER", not_done=True, not_done_reason="NOT_DONE")], None),
        ([illness("OTHER"), illness("OTHER", not_done=True, not_done_reason="NOT_APPLICABLE")], None),
        (
            [illness("OTHER", not_done=True, not_done_reason=why) for why in ("NOT_APPLICABLE", "NOT_DONE")],
            None,
        ),
        ([illness("CNS"), illness("OTHER", status="DRAFT")], "YES"),
    ],
)
def test_a_log_says_no_only_when_it_is_whole(rows: list[Any], value: str | None) -> None:
    assert told(casebook(*rows, without="history")).cns_history == value


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        (["YES"], "YES"),
        (["NO", "YES", ""], "YES"),
        (["NO", "NO"], "NO"),
        (["NO", ""], None),
        (["NO", "UNKNOWN"], None),
        ([], None),
    ],
)
def test_one_yes_among_transplants_is_enough_and_no_needs_all(answers: list[str], value: str | None) -> None:
    assert histories.said(answers) == value


@pytest.mark.parametrize(
    ("rows", "history", "value", "last"),
    [
        ([], "NO", "NO", None),
        ([], "YES", "YES", None),
        ([], "", None, None),
        ([("AUTO", "2025-01-01")], "NO", "NO", None),
        ([("", "2025-01-01")], "NO", None, None),  # it may be one
        ([("", "2025-01-01")], "YES", "YES", None),
        ([("ALLO", "2025-01-01")], "NO", "YES", one_day("2025-01-01")),
        ([("ALLO", "2025-01-01"), ("ALLO", "2024-03-01")], "YES", "YES", one_day("2025-01-01")),
        ([("ALLO", "2025-01-01"), ("AUTO", "2026-01-01")], "YES", "YES", one_day("2025-01-01")),
        (
            [("ALLO", "2025-01-01"), ("", "2026-02-01")],
            "YES",
            "YES",
            Span(date(2025, 1, 1), date(2026, 2, 1)),
        ),
        ([("ALLO", "2025-01-01"), ("", "")], "YES", "YES", None),
        ([("ALLO", "")], "YES", "YES", None),
        ([("ALLO", "2025-01-01"), ("ALLO", "")], "YES", "YES", None),
        (
            [("ALLO", "2025-01"), ("ALLO", "2025")],
            "YES",
            "YES",
            Span(date(2025, 1, 1), date(2025, 12, 31)),
        ),
    ],
)
def test_the_latest_allogeneic_transplant(
    rows: list[tuple[str, str]], history: str, value: str | None, last: Span | None
) -> None:
    book = changed("disease", prior_allo_sct=history)
    made = [s.PriorTransplant(sct_type=kind, sct_date=day, **DONE) for kind, day in rows]
    found = told(casebook(*book.of(s.DiseaseHistory), *made, without="disease"))
    assert (found.prior_allo_sct, found.last_allo_sct_date) == (value, last)


def test_relapse_and_gvhd_are_those_of_allogeneic_transplants() -> None:
    answers = {"bm_relapse_after_sct": "NO", "gvhd_active_at_consent": "NO"}
    allo = s.PriorTransplant(sct_type="ALLO", sct_date="2025", **answers, **DONE)
    auto = s.PriorTransplant(sct_type="AUTO", sct_date="2025", **dict.fromkeys(answers, "YES"), **DONE)
    found = told(casebook(allo, auto))
    assert (found.bm_relapse_after_sct, found.gvhd_active) == ("NO", "NO")


@pytest.mark.parametrize(
    ("rows", "intolerant", "contraindicated", "failed"),
    [
        ([], "NO", "NO", 0),
        ([tki("INTOLERANT", 2)], "YES", "NO", 0),
        ([tki("CONTRAINDICATED", 2)], "NO", "YES", 0),
        ([tki("FAILED", 2)], "NO", "NO", 1),
        ([tki("FAILED", 2), tki("FAILED", 2)], "NO", "NO", 1),  # of one line
        ([tki("FAILED", 2), tki("FAILED", 3)], "NO", "NO", 2),
        ([tki("FAILED", 2), tki("", 3)], None, None, None),  # the open one may have failed
        ([tki("FAILED", 2), tki("FAILED", 3), tki("", 4)], None, None, 2),  # two are enough
        ([tki("FAILED", 2), tki("ONGOING", 3, status="DRAFT")], None, None, None),
        ([tki("INTOLERANT", 2), tki("", 3)], "YES", None, None),
    ],
)
def test_tyrosine_kinase_inhibitors(
    rows: list[Any], intolerant: str | None, contraindicated: str | None, failed: int | None
) -> None:
    found = told(casebook(*rows))
    assert (found.tki_intolerant, found.tki_contraindicated, found.tki_lines_failed) == (
        intolerant,
        contraindicated,
        failed,
    )


def therapy(category: str, **answers: Any) -> s.PriorTherapy:
    """A complete therapy that was no trial and has ended, unless said otherwise."""
    plain: dict[str, Any] = {
        "start_date": "2025-01",
        "end_date": "2025-06",
        "ongoing": False,
        "investigational": False,
    }
    return s.PriorTherapy(category=category, line_no=2, **{**plain, **DONE, **answers})


@pytest.mark.parametrize(
    ("rows", "antigens", "complete"),
    [
        ([], (), True),
        ([therapy("OTHER_MAB", target_antigens=["CD22"])], ("CD22",), True),
        ([therapy("OTHER_MAB")], (), False),  # asked for and not entered
        ([therapy("CHEMO")], (), True),  # not asked for
        ([therapy("BLINATUMOMAB")], ("CD19", "CD3"), True),  # known without being entered
        ([therapy("INOTUZUMAB"), therapy("BLINATUMOMAB")], ("CD19", "CD22", "CD3"), True),
        ([therapy("CHEMO", status="DRAFT")], (), False),
        ([therapy("BLINATUMOMAB", status="DRAFT")], ("CD19", "CD3"), False),
    ],
)
def test_the_antigens_of_prior_therapies(rows: list[Any], antigens: tuple[str, ...], complete: bool) -> None:
    found = told(casebook(*rows))
    assert (found.prior_antigens, found.prior_therapy_complete) == (antigens, complete)


@pytest.mark.parametrize(
    ("rows", "ever", "last"),
    [
        ([], "NO", None),
        ([therapy("IMP", end_date="2025-06-30")], "YES", one_day("2025-06-30")),
        ([therapy("CHEMO", investigational=True)], "YES", Span(date(2025, 6, 1), date(2025, 6, 30))),
        ([therapy("CHEMO", investigational=None)], None, None),  # it may have been one
        ([therapy("IMP", start_date="2026-05-16", end_date="2026-05-20")], "NO", None),  # after consent
        # the one nearer to consent weighs more, in whatever order they were entered
        (
            [
                therapy("IMP", start_date="2026-03-01", end_date="2026-03-02"),
                therapy("IMP", start_date="2024-01-01", end_date="2024-01-02"),
            ],
            "YES",
            one_day("2026-03-02"),
        ),
        # of one that surely lies within and one that may, that one
        (
            [
                therapy("IMP", start_date="2024", end_date=""),
                therapy("IMP", start_date="2026-03-01", end_date="2026-03-02"),
            ],
            "YES",
            one_day("2026-03-02"),
        ),
        # a draft beside one that may lie within: it cannot be told
        (
            [
                therapy("IMP", start_date="2025-12-01", end_date="2026-02"),
                therapy("CHEMO", status="DRAFT"),
            ],
            None,
            Span(date(2026, 2, 1), date(2026, 2, 28)),
        ),
        # a draft beside one that surely lies within: enough is known
        (
            [therapy("IMP", start_date="2026-03-01", ongoing=True, end_date=""), therapy("CHEMO", status="DRAFT")],
            "YES",
            one_day("2026-05-15"),
        ),
    ],
)  # fmt: skip
def test_investigational_products(rows: list[Any], ever: str | None, last: Span | None) -> None:
    found = told(casebook(*rows))
    assert (found.imp_ever, found.imp_last_dose) == (ever, last)


@pytest.mark.parametrize(
    ("rows", "fact", "value"),
    [
        ([illness("OTHER_MALIGNANCY", ongoing=True)], "malignancy_ongoing", "YES"),
        ([illness("OTHER_MALIGNANCY", ongoing=False)], "malignancy_ongoing", "NO"),
        ([illness("OTHER_MALIGNANCY", ongoing=None)], "malignancy_ongoing", None),
        ([illness("OTHER_MALIGNANCY", ongoing=True)], "malignancy_past", "NO"),
        ([illness("OTHER_MALIGNANCY", ongoing=False)], "malignancy_past", "YES"),
        ([illness("OTHER_MALIGNANCY", ongoing=None)], "malignancy_past", "NO"),
        ([illness("OTHER_MALIGNANCY", ongoing=one) for one in (True, False)], "malignancy_past", "YES"),
        ([illness("OTHER_MALIGNANCY", ongoing=one) for one in (False, True)], "malignancy_ongoing", "YES"),
        ([illness("OTHER", ongoing=True)], "malignancy_ongoing", "NO"),
        ([illness("CNS")], "cns_history", "YES"),
        ([illness("IMMUNODEFICIENCY")], "primary_immunodeficiency", "YES"),
        ([illness("AUTOIMMUNE")], "primary_immunodeficiency", "NO"),
        ([illness("AUTOIMMUNE", active_at_consent="YES")], "autoimmune_active", "YES"),
        ([illness("AUTOIMMUNE", active_at_consent="NO")], "autoimmune_active", "NO"),
        ([illness("AUTOIMMUNE", active_at_consent=one) for one in ("NO", "")], "autoimmune_active", None),
        ([illness("AUTOIMMUNE", active_at_consent=one) for one in ("NO", "YES")], "autoimmune_active", "YES"),
        ([illness("CARDIAC", subtype="MI")], "myocardial_infarction", "YES"),
        ([illness("CARDIAC", subtype="MI")], "unstable_angina", "NO"),
        ([illness("CARDIAC", subtype="UNSTABLE_ANGINA")], "unstable_angina", "YES"),
        ([illness("CARDIAC", subtype="UNSTABLE_ANGINA")], "myocardial_infarction", "NO"),
        ([illness("CARDIAC", subtype="OTHER_SIGNIFICANT")], "other_heart_disease", "YES"),
        ([illness("CARDIAC", subtype="MI")], "other_heart_disease", "NO"),
        ([illness("CARDIAC", subtype="MI"), illness("CARDIAC")], "other_heart_disease", None),
        ([illness("CARDIAC", subtype="MI")], "angioplasty_dates", ()),
        ([illness("CARDIAC")], "angioplasty_dates", None),
        (
            [illness("CARDIAC", subtype="ANGIOPLASTY_STENT", start_date="2025-05-15"), illness("CARDIAC")],
            "angioplasty_dates",
            (one_day("2025-05-15"),),
        ),
    ],
)
def test_what_other_illnesses_say(rows: Sequence[Any], fact: str, value: Any) -> None:
    assert getattr(told(casebook(*rows)), fact) == value


def allergy(allergen: str, reaction: str, **answers: Any) -> s.MedicalHistory:
    """A row on an allergy."""
    return illness("ALLERGY", allergen_class=allergen, reaction_type=reaction, **answers)


@pytest.mark.parametrize(
    ("rows", "severe", "complete"),
    [
        ([], (), True),
        ([allergy("DMSO", "IMMEDIATE_SEVERE")], ("DMSO",), True),
        ([allergy("DMSO", "DELAYED")], (), True),
        ([allergy("DMSO", "")], (), False),  # it may have been severe
        ([allergy("", "IMMEDIATE_SEVERE")], (), False),  # to what?
        ([allergy("", "DELAYED")], (), True),
        (
            [allergy("OTHER", "IMMEDIATE_SEVERE"), allergy("DMSO", "IMMEDIATE_SEVERE", status="DRAFT")],
            ("DMSO", "OTHER"),
            False,
        ),
        ([illness("CNS", allergen_class="DMSO", reaction_type="IMMEDIATE_SEVERE")], (), True),
    ],
)
def test_severe_allergies(rows: list[Any], severe: tuple[str, ...], complete: bool) -> None:
    found = told(casebook(*rows))
    assert (found.severe_allergies, found.allergies_complete) == (severe, complete)
