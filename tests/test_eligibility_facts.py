"""The facts of the criteria as they are read from the forms: all of them at once, where each stands, how old it may be."""

from dataclasses import fields
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from dosing.models import Infusion, Lymphodepletion
from safety.casebook import Casebook
from safety.eligibility.facts import Screening, Source
from safety.eligibility.from_casebook import READS, screening
from subjects import models as s
from tests.books import at
from tests.test_eligibility_criteria import (
    SCREENED,
    amended,
    at_site,
    casebook,
    changed,
    eligible,
    plan,
)
from trial.protocol import V1
from visits import models as v

DONE: dict[str, Any] = {"status": "COMPLETE"}


def told(book: Casebook, milestone: str = "SCREENING", on: date = SCREENED) -> Screening:
    """The facts of a casebook."""
    return screening(book, milestone, on, V1)


def test_all_facts_of_an_eligible_subject() -> None:
    """They are those of the same subject written down by hand, but for what is told in another way."""
    here = told(casebook())
    other = {
        "icf": date(2026, 5, 15),
        "screening_start": date(2026, 5, 15),
        "infusion_date": None,
        "tki_intolerant": "NO",
        "tki_lines_failed": 0,
        "tki_contraindicated": "NO",
        "creatinine": D(80),
        "creatinine_unit": "umol/L",
        "tcell_expansion": "PENDING",
    }
    apart = {"sources", "lacking"}
    assert {one.name: getattr(here, one.name) for one in fields(here) if one.name not in apart} == {
        **{one.name: getattr(eligible(), one.name) for one in fields(here) if one.name not in apart},
        **other,
    }
    assert not here.lacking


@pytest.mark.parametrize(
    ("form", "names"),
    [
        (
            "disease_history",
            "relapse_after_first_remission refractory_primary induction_cycles ph_positive number_of_relapses"
            " relapse_type cns_leukaemia",
        ),
        ("prior_transplant", "prior_allo_sct last_allo_sct_date bm_relapse_after_sct gvhd_active"),
        (
            "prior_therapy",
            "prior_antigens prior_therapy_complete tki_intolerant tki_lines_failed tki_contraindicated"
            " imp_ever imp_last_dose",
        ),
        ("con_meds", "any_immunosuppressant steroid_last_dose live_vaccine live_vaccine_date"),
        ("demographics", "birth_date sex male_fertile wocbp"),
        ("informed_consent", "consent_signed consent_version_approved treatment_withdrawn icf"),
        ("medical_history", "malignancy_ongoing malignancy_past cns_history angioplasty_dates"),
        ("eligibility", "infusion_date"),
        ("", "screening_start"),
    ],
)
def test_a_fact_of_a_log_stands_in_no_single_row(form: str, names: str) -> None:
    transplant = s.PriorTransplant(sct_type="ALLO", sct_date="2025-01-01", **DONE)
    found = told(casebook(transplant)).sources
    assert {name: found[name] for name in names.split()} == {
        name: Source(form, None, name) for name in names.split()
    }


def test_screening_starts_with_its_visit_and_else_with_consent() -> None:
    late = changed("visit", actual_date=date(2026, 5, 16))
    assert told(late).screening_start == date(2026, 5, 16) and told(late).icf == date(2026, 5, 15)
    assert told(casebook(without="visit")).screening_start == date(2026, 5, 15)


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ({"sex": "M", "male_fertile": "YES", "childbearing_potential": ""}, ("M", "YES", None)),
        ({"sex": "", "birth_date": ""}, (None, None, "YES")),
        ({"male_fertile": "UNKNOWN"}, ("F", "UNKNOWN", "YES")),
    ],
)
def test_who_the_subject_is(values: dict[str, Any], facts: tuple[Any, ...]) -> None:
    found = told(changed("person", **values))
    assert (found.sex, found.male_fertile, found.wocbp) == facts
    assert found.birth_date == (None if "birth_date" in values else "1986-03-02")


def withdrawal(day: str | None, *scopes: str) -> s.InformedConsent:
    """A withdrawal at ten."""
    return s.InformedConsent(
        consent_type="WITHDRAWAL", consent_dt=day and at(day), withdrawal_scope=list(scopes)
    )


@pytest.mark.parametrize(
    ("row", "withdrawn"),
    [
        (withdrawal("2026-05-20", "TREATMENT"), "YES"),  # on the day itself
        (withdrawal("2026-05-21", "TREATMENT"), "NO"),
        (withdrawal(None, "TREATMENT"), "YES"),  # no day is known: it may have been
        (withdrawal("2026-05-20", "SAMPLES"), "NO"),
        (withdrawal("2026-05-20", "SAMPLES", "TREATMENT"), "YES"),
    ],
)
def test_who_has_withdrawn_from_treatment(row: s.InformedConsent, withdrawn: str) -> None:
    assert told(casebook(row)).treatment_withdrawn == withdrawn
    none = told(casebook(row, without="consent"))
    assert none.treatment_withdrawn == ("YES" if withdrawn == "YES" else None)
    assert (none.consent_signed, none.consent_version_approved) == (None, None)


@pytest.mark.parametrize(
    ("values", "signed", "approved"),
    [
        ({}, "YES", "YES"),
        ({"signed_by_subject": False}, "NO", "YES"),
        ({"signed_by_subject": None}, None, "YES"),
        ({"icf_version": ""}, "YES", None),
        ({"icf_version": "9.9"}, "YES", "NO"),
        ({"consent_dt": None}, None, None),  # a consent without a day is none
        ({"consent_dt": at("2021-03-01")}, "YES", "YES"),  # on the day of the approval
        ({"consent_dt": at("2021-02-28")}, "YES", "NO"),
    ],
)
def test_whether_consent_was_on_an_approved_version(
    values: dict[str, Any], signed: str | None, approved: str | None
) -> None:
    found = told(changed("consent", **values))
    assert (found.consent_signed, found.consent_version_approved) == (signed, approved)


def test_a_version_is_approved_by_its_own_dates() -> None:
    both = at_site(changed("consent", icf_version="2.0"), irb_approval_date=date(2026, 5, 16))
    assert told(both).consent_version_approved == "NO"  # that 1.0 was approved does not help


DEPLETED = Lymphodepletion(admin_dt=at("2026-06-14"), planned_day=-5)
LATER = date(2026, 6, 18)


@pytest.mark.parametrize(
    ("rows", "day", "form"),
    [
        ([], None, "eligibility"),
        ([plan(date(2026, 6, 20))], date(2026, 6, 20), "eligibility"),
        ([plan(date(2026, 6, 20)), DEPLETED], date(2026, 6, 19), "lymphodepletion"),
        ([DEPLETED], date(2026, 6, 19), "lymphodepletion"),
        # of the day on which lymphodepletion began, so it was known
        ([plan(date(2026, 6, 20), "PRE_LD", date(2026, 6, 14)), DEPLETED], date(2026, 6, 20), "eligibility"),
        ([plan(date(2026, 6, 20), "PRE_LD", date(2026, 6, 13)), DEPLETED], date(2026, 6, 19), "lymphodepletion"),
        ([DEPLETED, Infusion(inf_start_dt=at("2026-06-21"))], date(2026, 6, 21), "infusion"),
        # of two checklists of one day that of the later milestone is newer
        (
            [plan(date(2026, 6, 20), "PRE_LD"), plan(date(2026, 6, 22), "PRE_APHERESIS")],
            date(2026, 6, 20),
            "eligibility",
        ),
    ],
)  # fmt: skip
def test_the_day_of_the_infusion_and_the_answer_that_says_so(
    rows: list[Any], day: date | None, form: str
) -> None:
    found = told(casebook(*rows), "PRE_INFUSION", LATER)
    where = {
        "eligibility": "planned_infusion_date",
        "lymphodepletion": "admin_dt",
        "infusion": "inf_start_dt",
    }
    assert found.infusion_date == day
    source = found.sources["infusion_date"]
    assert source.form == form and (source.record is None) is (day is None)
    assert source.field == (where[form] if day else "infusion_date")


def test_of_two_checklists_of_a_milestone_and_day_the_one_entered_last_says_when() -> None:
    first, second = plan(date(2026, 6, 20)), plan(date(2026, 6, 25))
    first.sequence, second.sequence = 1, 2
    for rows in ((first, second), (second, first)):
        assert told(casebook(*rows)).infusion_date == date(2026, 6, 25)


def test_facts_are_worked_out_once_for_a_book_and_a_protocol() -> None:
    stricter = amended(steroid_washout_days=90)
    drug = v.ConMeds(drug_class="CORTICOSTEROID", start_dt="2026-03-01", end_dt="2026-03-02", **DONE)
    book = casebook(drug, v.ConMeds(drug_class="ANTIBIOTIC", start_dt="2026-05-01", status="DRAFT"))
    told_ = [screening(book, "SCREENING", SCREENED, one).any_immunosuppressant for one in (V1, stricter, V1)]
    assert told_ == [None, "YES", None]  # within 90 days it is certain, within 14 it is not


def test_the_forms_that_are_read_are_named_once() -> None:
    assert len(READS) == len(set(READS))
    assert {s.Demographics, s.PriorTherapy, s.MedicalHistory, v.ConMeds, v.Echo} <= set(READS)
