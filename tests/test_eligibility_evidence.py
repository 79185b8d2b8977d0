"""Which rows of which form say a fact of eligibility, and where it is entered when it is missing."""

from decimal import Decimal as D
from typing import Any

import pytest

from safety.casebook import Casebook
from safety.eligibility.evidence import PLACE, ROWS
from subjects.models import Demographics, InformedConsent, MedicalHistory, PriorTherapy, PriorTransplant
from tests.books import at
from tests.test_eligibility_criteria import casebook, forms
from tests.test_eligibility_stored import checklist, verdicts
from trial.protocol import V1
from trial.registry import CRITERIA
from visits.models import ConMeds


def told(name: str, *rows: Any) -> list[dict[str, Any]]:
    """The evidence on a fact wherever it is used."""
    found = []
    for stored in verdicts(casebook(checklist(), *rows)).values():
        for part in (stored["evidence"], *stored["evidence"].get("parts", ())):
            found += [one for one in (*part["facts"], *part.get("lacking", ())) if one["name"] == name]
    return found


def history(category: str, **answers: Any) -> MedicalHistory:
    """A row of the medical history that has ended."""
    return MedicalHistory(category=category, term="x", **answers)


@pytest.mark.parametrize(
    ("name", "row", "others"),
    [
        ("malignancy_ongoing", history("OTHER_MALIGNANCY"), (history("ALLERGY"),)),
        ("cns_history", history("CNS"), (history("CARDIAC"),)),
        ("myocardial_infarction", history("CARDIAC"), (history("CNS"),)),
        ("unstable_angina", history("CARDIAC"), (history("CNS"),)),
        ("other_heart_disease", history("CARDIAC"), (history("CNS"),)),
        ("angioplasty_dates", history("CARDIAC"), (history("CNS"),)),
        ("primary_immunodeficiency", history("IMMUNODEFICIENCY"), (history("AUTOIMMUNE"),)),
        ("autoimmune_active", history("AUTOIMMUNE"), (history("IMMUNODEFICIENCY"),)),
        ("severe_allergies", history("ALLERGY"), (history("CNS"),)),
        ("allergies_complete", history("CNS"), ()),
        ("prior_allo_sct", PriorTransplant(sct_type="ALLO"), (PriorTransplant(sct_type="AUTO"),)),
        ("last_allo_sct_date", PriorTransplant(sct_type="ALLO"), (PriorTransplant(sct_type="AUTO"),)),
        ("gvhd_active", PriorTransplant(sct_type="ALLO"), (PriorTransplant(sct_type="AUTO"),)),
        ("bm_relapse_after_sct", PriorTransplant(sct_type="ALLO"), (PriorTransplant(sct_type="AUTO"),)),
        ("tki_intolerant", PriorTherapy(category="TKI"), (PriorTherapy(category="CHEMO"),)),
        ("tki_contraindicated", PriorTherapy(category="TKI"), (PriorTherapy(category="CHEMO"),)),
        ("tki_lines_failed", PriorTherapy(category="TKI"), (PriorTherapy(category="CHEMO"),)),
        ("imp_ever", PriorTherapy(category="IMP"), (PriorTherapy(category="CHEMO"),)),
        (
            "imp_last_dose",
            PriorTherapy(category="CHEMO", investigational=True),
            (PriorTherapy(category="TKI"),),
        ),
        ("prior_antigens", PriorTherapy(category="CHEMO", target_antigens=["CD19"]), ()),
        ("any_immunosuppressant", ConMeds(drug_class="CORTICOSTEROID"), (ConMeds(drug_class="ANTIBIOTIC"),)),
        ("steroid_last_dose", ConMeds(drug_class="CORTICOSTEROID"), (ConMeds(drug_class="ANTIBIOTIC"),)),
        ("live_vaccine", ConMeds(drug_class="LIVE_VACCINE"), (ConMeds(drug_class="CORTICOSTEROID"),)),
        ("live_vaccine_date", ConMeds(drug_class="LIVE_VACCINE"), (ConMeds(drug_class="CORTICOSTEROID"),)),
    ],
)
def test_the_rows_that_say_a_fact_are_named(name: str, row: Any, others: tuple[Any, ...]) -> None:
    found = [one for one in told(name, *others, row) if "record" in one]
    missing = [one for one in told(name, *others, row) if "why" in one]
    assert found or missing
    for one in found:
        records = one.get("records", [one["record"]])
        assert one["form"] == row.form and str(row.pk) in records
        assert not {str(other.pk) for other in others} & set(records)
    for one in missing:
        assert one["form"] == row.form or name == "prior_allo_sct"


def test_a_withdrawal_of_treatment_is_named_before_the_consent() -> None:
    withdrawn = InformedConsent(
        consent_type="WITHDRAWAL", consent_dt=at("2026-05-02"), withdrawal_scope=["TREATMENT"]
    )
    for one in told("treatment_withdrawn", withdrawn):
        assert one["record"] == str(withdrawn.pk)
    for one in told("consent_signed", withdrawn):
        assert one["form"] == "informed_consent" and one["record"] != str(withdrawn.pk)


def test_every_criterion_tells_its_limit_and_its_facts_in_both_languages() -> None:
    stored = verdicts(casebook(checklist()))
    assert set(stored) == {one.id for one in CRITERIA}
    for one in stored.values():
        for part in (one["evidence"], *one["evidence"].get("parts", ())):
            assert set(part["limit"]) == {"en", "zh"}
            assert all(fact["en"] and fact["zh"] and fact["form"] for fact in part["facts"])
            assert all(fact["form"] for fact in part.get("lacking", ()))


def test_a_laboratory_result_is_told_as_it_was_entered() -> None:
    (alt, *_) = told("alt")
    assert {"value", "unit", "form", "record", "field", "day", "range"} <= set(alt)
    assert alt["form"] == "chemistry" and alt["field"] == "alt_value" and alt["unit"] == "U/L"
    assert set(alt["range"]) == {"low", "high"} and "records" not in alt


WHO_SAYS = [
    ("any_immunosuppressant", ConMeds(drug_class="CORTICOSTEROID"), True),
    ("any_immunosuppressant", ConMeds(drug_class="RUXOLITINIB"), True),
    ("any_immunosuppressant", ConMeds(drug_class="ANTIBIOTIC"), False),
    ("imp_ever", PriorTherapy(category="IMP"), True),
    ("imp_ever", PriorTherapy(category="CHEMO", investigational=True), True),
    ("imp_ever", PriorTherapy(category="CHEMO", investigational=False), False),
    ("imp_ever", PriorTherapy(category="CHEMO", investigational=None), False),
    ("prior_antigens", PriorTherapy(category="BLINATUMOMAB"), True),  # it binds CD19, named or not
    ("prior_antigens", PriorTherapy(category="CHEMO", target_antigens=["CD19"]), True),
    ("prior_antigens", PriorTherapy(category="CHEMO"), False),
    ("malignancy_past", MedicalHistory(category="OTHER_MALIGNANCY"), True),
    ("malignancy_past", MedicalHistory(category="CNS"), False),
    ("icf", InformedConsent(consent_type="INITIAL"), True),
    ("icf", InformedConsent(consent_type="RECONSENT"), False),
]


@pytest.mark.parametrize(("name", "row", "says"), WHO_SAYS)
def test_which_row_of_a_log_says_a_fact(name: str, row: Any, says: bool) -> None:
    assert any(wanted(row, V1) for form, wanted in ROWS[name] if isinstance(row, form)) is says


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("alt", ("chemistry", "alt_value")),
        ("creatinine", ("chemistry", "creatinine_value")),
        ("creatinine_unit", ("chemistry", "creatinine_unit")),
        ("bilirubin_unit", ("chemistry", "tbil_unit")),
        ("ecog", ("ecog", "ecog")),
        ("lvef_pct", ("echo", "lvef_pct")),
        ("cd19_pct_blasts", ("cd19_flow", "cd19_pct_blasts")),
        ("malignancy_past", ("medical_history", "")),
        ("birth_date", ("demographics", "birth_date")),
        ("wocbp", ("demographics", "childbearing_potential")),
        ("infusion_date", ("eligibility", "planned_infusion_date")),
        ("screening_start", ("visit", "actual_date")),
    ],
)
def test_where_a_missing_fact_is_entered(name: str, place: tuple[str, str]) -> None:
    assert PLACE[name] == place


def of(criterion: str, *rows: Any) -> dict[str, Any]:
    """The evidence of one criterion at screening."""
    found: dict[str, Any] = verdicts(casebook(checklist(), *rows))[criterion]["evidence"]
    return found


def test_only_after_an_allogeneic_transplant_is_the_earliest_infusion_told() -> None:
    allo = PriorTransplant(sct_type="ALLO", sct_date="2026-01")
    assert of("I-01", allo)["earliest_infusion"] == {"first": "2026-04-01", "last": "2026-04-30"}
    assert "earliest_infusion" not in of("I-01") and "earliest_infusion" not in of(
        "I-01", PriorTransplant(sct_type="AUTO")
    )
    assert "earliest_infusion" not in of("E-01", allo)


def test_a_fact_of_a_form_that_is_there_once_names_its_row() -> None:
    told = casebook(checklist())
    (person,) = told.of(Demographics)
    facts = [
        f for one in verdicts(told).values() for f in one["evidence"]["facts"] if f["name"] == "birth_date"
    ]
    assert facts and {(f["form"], f["field"], f["record"]) for f in facts} == {
        ("demographics", "birth_date", str(person.pk))
    }
    assert not any("day" in f or "unit" in f for f in facts)


@pytest.mark.parametrize(
    ("criterion", "name", "place"),
    [
        ("E-13", "screening_start", ("visit", "actual_date")),  # of one visit among many
        ("E-02", "malignancy_ongoing", ("medical_history", "")),  # no row says so
        ("E-04", "any_immunosuppressant", ("con_meds", "")),
        ("E-03", "prior_antigens", ("prior_therapy", "")),
    ],
)
def test_a_fact_that_no_single_row_says_names_none(criterion: str, name: str, place: tuple[str, str]) -> None:
    (fact,) = (one for one in of(criterion)["facts"] if one["name"] == name)
    assert (fact["form"], fact["field"]) == place and not {"record", "records", "day"} & set(fact)


def test_the_parts_of_a_criterion_tell_their_own_evidence() -> None:
    parts = of("I-04")["parts"]
    assert [(one["criterion"], one["verdict"]) for one in parts] == [
        (f"I-04{part}", "MET") for part in "abcd"
    ]
    assert "parts" not in of("I-03") and "note" not in of("I-03") and "lacking" not in of("I-03")


def test_the_limit_is_told_in_the_language_it_is_called_by() -> None:
    assert of("E-02")["limit"] == {"en": "other malignancy, ongoing", "zh": "其他恶性肿瘤,持续存在"}


def with_changed(name: str, **answers: Any) -> Casebook:
    """The casebook of an eligible subject with one form changed, and its checklist."""
    form = forms()[name]
    for field, value in answers.items():
        setattr(form, field, value)
    return casebook(form, checklist(), without=name)


def enzyme(**answers: Any) -> dict[str, Any]:
    """What is told of the ALT of an eligible subject, with this changed."""
    stored = verdicts(with_changed("chemistry", **answers))["I-04"]["evidence"]
    found = [*stored["facts"], *(f for part in stored.get("parts", ()) for f in part["facts"])]
    (alt,) = {str(one): one for one in found if one["name"] == "alt"}.values()
    return alt


@pytest.mark.parametrize(
    ("answers", "key", "value"),
    [
        ({"alt_lln": D(5)}, "range", {"low": "5", "high": "40"}),
        ({}, "range", {"low": None, "high": "40"}),
        ({"alt_lln": D(5), "alt_uln": None}, "range", {"low": "5", "high": None}),
        ({"alt_uln": None}, "range", None),
        ({"alt_si": D("30.0")}, "normalised", {"value": "30.0", "unit": "U/L"}),
        ({}, "normalised", None),
        ({"alt_qual": "<"}, "qualifier", "<"),
        ({}, "qualifier", None),
        ({"alt_unit": "ukat/L"}, "unit", "ukat/L"),
        ({}, "unit", "U/L"),
    ],
)
def test_a_result_is_told_with_its_range_unit_and_qualifier(
    answers: dict[str, Any], key: str, value: Any
) -> None:
    assert enzyme(**answers).get(key) == value


def note(criterion: str, **answers: Any) -> bool:
    """Whether a criterion asks the investigator to look again when the disease history says this."""
    return "note" in verdicts(with_changed("disease", **answers))[criterion]["evidence"]


def test_an_extramedullary_relapse_with_blasts_in_the_marrow_is_asked_about() -> None:
    assert note("E-01", relapse_type="EM_ISOLATED")
    assert not note("E-01")
