"""The evidence of a decision as it is stored: which rows, which values and units, which range, what is missing.

{"facts":   [{"name", "en", "zh", "value", "unit", "form", "record", "records", "field", "day",
              "normalised": {"value", "unit"}, "range": {"low", "high"}, "qualifier"}],
 "lacking": [{"name", "en", "zh", "why", "why_zh", "form", "field"}],
 "limit": {"en", "zh"}, "note": {"en", "zh"}, "parts": [{"criterion", "verdict", "facts", ...}],
 "earliest_infusion": {"first", "last"}}      (I-01 after an allogeneic transplant)

Keys without content are left out. Values are text, exactly as stored; `value` and `unit` are as entered.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from safety.casebook import Casebook
from safety.eligibility.decision import Decision
from safety.eligibility.evaluate import JUDGES
from safety.eligibility.facts import WORDING, Screening, Source
from safety.eligibility.intervals import as_span
from safety.eligibility.measurements import GROUPS
from subjects.crf import CRF
from subjects.history import BINDS
from subjects.models import DiseaseHistory, InformedConsent, MedicalHistory, PriorTherapy, PriorTransplant
from trial.protocol import Protocol
from trial.rules import Fact
from visits.models import ConMeds

Says = Callable[[Any, Protocol], bool]


def _any(row: Any, protocol: Protocol) -> bool:
    return True


def _in(field: str, *wanted: str) -> Says:
    return lambda row, protocol: getattr(row, field) in wanted


def _immunosuppressant(row: Any, protocol: Protocol) -> bool:
    return row.drug_class in protocol.immunosuppressants.value


def _experimental(row: Any, protocol: Protocol) -> bool:
    return bool(row.investigational) or row.category == "IMP"


_ALLO, _TKI = _in("sct_type", "ALLO"), _in("category", "TKI")
_CONSENT, _HISTORY = ((InformedConsent, _in("consent_type", "INITIAL")),), ((DiseaseHistory, _any),)
_TRANSPLANT = ((PriorTransplant, _ALLO),)
_CARDIAC = ((MedicalHistory, _in("category", "CARDIAC")),)
_ALLERGY = ((MedicalHistory, _in("category", "ALLERGY")),)
_STEROID = ((ConMeds, _immunosuppressant),)
_VACCINE = ((ConMeds, _in("drug_class", "LIVE_VACCINE")),)
# Which rows of a log say a fact. The first form of which a row says so is named.
ROWS: dict[str, Sequence[tuple[type[Any], Says]]] = {
    **dict.fromkeys(("icf", "consent_signed", "consent_version_approved"), _CONSENT),
    "treatment_withdrawn": ((InformedConsent, _in("consent_type", "WITHDRAWAL")), *_CONSENT),
    **dict.fromkeys(
        (
            *("relapse_after_first_remission", "refractory_primary", "induction_cycles", "ph_positive"),
            *("number_of_relapses", "relapse_type", "cns_leukaemia"),
        ),
        _HISTORY,
    ),
    "prior_allo_sct": (*_TRANSPLANT, *_HISTORY),
    **dict.fromkeys(("last_allo_sct_date", "bm_relapse_after_sct", "gvhd_active"), _TRANSPLANT),
    "prior_antigens": (
        (PriorTherapy, lambda row, protocol: bool(row.target_antigens) or row.category in BINDS),
    ),
    "prior_therapy_complete": ((PriorTherapy, _any),),
    **dict.fromkeys(("tki_intolerant", "tki_lines_failed", "tki_contraindicated"), ((PriorTherapy, _TKI),)),
    **dict.fromkeys(("imp_ever", "imp_last_dose"), ((PriorTherapy, _experimental),)),
    **dict.fromkeys(
        ("malignancy_ongoing", "malignancy_past"), ((MedicalHistory, _in("category", "OTHER_MALIGNANCY")),)
    ),
    "cns_history": ((MedicalHistory, _in("category", "CNS")),),
    **dict.fromkeys(
        ("angioplasty_dates", "myocardial_infarction", "unstable_angina", "other_heart_disease"), _CARDIAC
    ),
    "primary_immunodeficiency": ((MedicalHistory, _in("category", "IMMUNODEFICIENCY")),),
    "autoimmune_active": ((MedicalHistory, _in("category", "AUTOIMMUNE")),),
    "severe_allergies": _ALLERGY,
    "allergies_complete": ((MedicalHistory, _any),),
    **dict.fromkeys(("any_immunosuppressant", "steroid_last_dose"), _STEROID),
    **dict.fromkeys(("live_vaccine", "live_vaccine_date"), _VACCINE),
}
# Where a fact is entered when it is missing: form and field.
PLACE: dict[str, tuple[str, str]] = {
    **{name: (rows[-1][0].form, "") for name, rows in ROWS.items()},
    **{fact: (group.form.form, field) for group in GROUPS for fact, field in group.facts.items()},
    **{
        fact: (group.form.form, field)
        for group in GROUPS
        for fact, (field, _) in (group.units or {}).items()
    },
    **{name: ("demographics", field) for name, field in (
        ("birth_date", "birth_date"), ("sex", "sex"), ("male_fertile", "male_fertile"), ("wocbp", "childbearing_potential")
    )},
    "screening_start": ("visit", "actual_date"),
    "infusion_date": ("eligibility", "planned_infusion_date"),
}  # fmt: skip


def evidence(book: Casebook, facts: Screening, decision: Decision, protocol: Protocol) -> dict[str, Any]:
    """The evidence of one decision, ready to be stored as JSON."""
    names = [name for name in JUDGES[decision.criterion].uses if name not in decision.lacking]
    told: dict[str, Any] = {
        "facts": [
            _fact(book, facts, name, fact, protocol)
            for name, fact in zip(names, decision.evidence, strict=True)
        ],
        "limit": _words(decision.limit),
    }
    if decision.lacking:
        told["lacking"] = [_lacking(facts, name) for name in decision.lacking]
    if decision.note:
        told["note"] = _words(decision.note)
    if decision.parts:
        told["parts"] = [
            {
                "criterion": part.criterion,
                "verdict": str(part.verdict),
                **evidence(book, facts, part, protocol),
            }
            for part in decision.parts
        ]
    if decision.criterion == "I-01" and facts.prior_allo_sct == "YES":
        told |= _earliest(facts, protocol)
    return told


def _words(words: tuple[str, str]) -> dict[str, str]:
    return {"en": words[0], "zh": words[1]}


def _earliest(facts: Screening, protocol: Protocol) -> dict[str, Any]:
    """From which day an infusion is surely permitted, and before which it surely is not."""
    transplant = as_span(facts.last_allo_sct_date)
    if transplant is None:
        return {}
    allowed = transplant.plus_months(protocol.sct_gap_months.value)
    return {"earliest_infusion": {"first": str(allowed.first), "last": str(allowed.last)}}


def _fact(book: Casebook, facts: Screening, name: str, fact: Fact, protocol: Protocol) -> dict[str, Any]:
    wording, source = WORDING[name], facts.sources[name]
    told: dict[str, Any] = {"name": name, "en": wording.en, "zh": wording.zh, "value": fact.value}
    if wording.unit:
        told["unit"] = wording.unit
    form, records = _where(book, name, source, protocol)
    told |= {"form": form, "field": _field(name, source)}
    if records:
        told["record"] = records[0]
    if len(records) > 1:
        told["records"] = records
    if source.day:
        told["day"] = source.day
    return told | _measured(book, source)


def _field(name: str, source: Source) -> str:
    return source.field if source.record else PLACE.get(name, ("", ""))[1]


def _where(book: Casebook, name: str, source: Source, protocol: Protocol) -> tuple[str, list[str]]:
    """The form a fact comes from, and the rows that say it."""
    if source.record:
        return source.form, [str(source.record)]
    for form, says in ROWS.get(name, ()):
        rows = [str(row.pk) for row in book.of(form) if says(row, protocol)]
        if rows:
            return form.form, rows
    form_name = PLACE.get(name, ("", ""))[0]
    named = book.once(_forms).get(form_name)
    if named is None or named.repeats != "one":
        return form_name, []
    return form_name, [str(row.pk) for row in book.of(named)]


def _measured(book: Casebook, source: Source) -> dict[str, Any]:
    """Of a laboratory result: unit and qualifier as entered, the value in the study's unit, the range in force."""
    form = book.once(_forms).get(source.form)
    short = source.field.removesuffix("_value")
    if form is None or source.field == short or short not in form.analytes:
        return {}
    row: Any = book.once(_rows_by_key)[source.record]
    low, high, si = (getattr(row, f"{short}_{part}", None) for part in ("lln", "uln", "si"))
    canonical = form._meta.get_field(source.field).item.unit  # type: ignore[union-attr]
    told: dict[str, Any] = {"unit": getattr(row, f"{short}_unit", "") or canonical}
    if getattr(row, f"{short}_qual", ""):
        told["qualifier"] = getattr(row, f"{short}_qual")
    if si is not None:
        told["normalised"] = {"value": str(si), "unit": canonical}
    if low is not None or high is not None:
        told["range"] = {
            "low": None if low is None else str(low),
            "high": None if high is None else str(high),
        }
    return told


def _forms(book: Casebook) -> dict[str, type[CRF]]:
    """The forms of the book by name."""
    return {form.form: form for form in book.rows}


def _rows_by_key(book: Casebook) -> dict[UUID | None, Any]:
    """The rows that the measured facts come from, by their keys."""
    forms = {group.form for group in GROUPS}
    return {row.pk: row for form in forms if form in book.rows for row in book.of(form)}


def _lacking(facts: Screening, name: str) -> dict[str, str]:
    wording, (form, field) = WORDING[name], PLACE.get(name, ("", ""))
    why = facts.lacking.get(name, ("", ""))
    return {
        "name": name,
        "en": wording.en,
        "zh": wording.zh,
        "why": why[0],
        "why_zh": why[1],
        "form": form,
        "field": field,
    }
