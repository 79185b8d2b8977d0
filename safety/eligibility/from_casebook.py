"""The facts of one subject at one milestone, read from the casebook, and the evaluation that follows from them."""

from dataclasses import fields
from datetime import date
from typing import Any

from safety import calendar
from safety.casebook import Casebook
from safety.eligibility import histories
from safety.eligibility.evaluate import MILESTONES, Evaluation, evaluate
from safety.eligibility.facts import Screening, Source
from safety.eligibility.measurements import GROUPS, milestone_of, read
from subjects.crf import CRF
from subjects.models import (
    Demographics,
    DiseaseHistory,
    Eligibility,
    InformedConsent,
    MedicalHistory,
    PriorTherapy,
    PriorTransplant,
)
from trial.protocol import Protocol
from visits.models import ConMeds

READS: tuple[type[CRF], ...] = tuple(
    dict.fromkeys(
        (
            *calendar.READS,
            *(group.form for group in GROUPS),
            *(
                InformedConsent,
                Demographics,
                DiseaseHistory,
                PriorTransplant,
                PriorTherapy,
                MedicalHistory,
                ConMeds,
            ),
        )
    )
)
_FROM = {
    "disease_history": (
        *("relapse_after_first_remission", "refractory_primary", "induction_cycles", "ph_positive"),
        *("number_of_relapses", "relapse_type", "cns_leukaemia"),
    ),
    "prior_transplant": ("prior_allo_sct", "last_allo_sct_date", "bm_relapse_after_sct", "gvhd_active"),
    "prior_therapy": (
        *("prior_antigens", "prior_therapy_complete", "tki_intolerant", "tki_lines_failed"),
        *("tki_contraindicated", "imp_ever", "imp_last_dose"),
    ),
    "con_meds": ("any_immunosuppressant", "steroid_last_dose", "live_vaccine", "live_vaccine_date"),
}


def screening(
    book: Casebook, milestone: str, on: date, protocol: Protocol, planned_infusion: date | None = None
) -> Screening:
    """The facts as of `on`. `planned_infusion` counts until there is an infusion or lymphodepletion that implies one.

    Raises ValueError for an unknown milestone.
    """
    if milestone not in MILESTONES:
        raise ValueError(f"unknown milestone: {milestone!r}")
    icf, first_visit = book.consent_day, book.visit_days.get("SCR") or book.consent_day
    disease = histories.leukaemia(book)
    told: dict[str, Any] = {
        "icf": icf,
        "screening_start": first_visit,
        "infusion_date": book.day0 or calendar.anchors(book).planned_d0 or planned_infusion,
        **_consent(book, on),
        **_person(book),
        **disease,
        **histories.transplants(book, disease.get("prior_allo_sct")),
        **histories.therapies(book, icf, protocol),
        **histories.medication(book, icf, first_visit, protocol),
        **histories.illnesses(book),
    }
    sources = _sources(told)
    lacking: dict[str, str] = {}
    for group in GROUPS:
        asked = milestone_of(group, milestone, protocol)
        reading = read(book, group, _as_of(book, asked, milestone, on), group.max_age(protocol, asked))
        told |= reading.facts
        sources |= reading.sources
        lacking |= reading.lacking
    known = {one.name for one in fields(Screening)}
    return Screening(**{k: v for k, v in told.items() if k in known}, sources=sources, lacking=lacking)


def evaluate_at(
    book: Casebook, milestone: str, on: date, protocol: Protocol, planned_infusion: date | None = None
) -> Evaluation:
    """All criteria on the facts of this milestone."""
    return evaluate(screening(book, milestone, on, protocol, planned_infusion), protocol, milestone)


def _as_of(book: Casebook, asked: str, milestone: str, on: date) -> date:
    """The day by which a group counts: now if it is asked now, else the day of the milestone that asked last."""
    if asked == milestone:
        return on
    rows = [row for row in book.of(Eligibility) if row.milestone == asked]
    days: list[date] = [row.assessed_date for row in rows if row.assessed_date]
    return min((*days, on))


def _consent(book: Casebook, on: date) -> dict[str, Any]:
    """The first initial consent, whether its version was approved by then, and withdrawals up to now."""
    initial = book.initial_consent
    withdrawn = any(
        "TREATMENT" in row.withdrawal_scope
        for row in book.of(InformedConsent)
        if row.consent_type == "WITHDRAWAL" and ((day := book.day(row.consent_dt)) is None or day <= on)
    )
    if initial is None:
        return {"treatment_withdrawn": "YES" if withdrawn else None}
    return {
        "consent_signed": {True: "YES", False: "NO", None: None}[initial.signed_by_subject],
        "consent_version_approved": _approved(book, initial.icf_version),
        "treatment_withdrawn": "YES" if withdrawn else "NO",
    }


def _approved(book: Casebook, label: str) -> str | None:
    if not label or book.consent_day is None:
        return None
    versions = [v for v in book.site.icf_versions if v.label == label]
    return "YES" if any(v.irb_approval_date <= book.consent_day for v in versions) else "NO"


def _person(book: Casebook) -> dict[str, Any]:
    row = next(iter(book.of(Demographics)), None)
    if row is None:
        return {}
    return {
        "birth_date": row.birth_date or None,
        "sex": row.sex or None,
        "male_fertile": row.male_fertile or None,
        "wocbp": row.childbearing_potential or None,
    }


def _sources(told: dict[str, Any]) -> dict[str, Source]:
    """The forms of facts that come from a whole log rather than from one row."""
    forms = {name: form for form, names in _FROM.items() for name in names}
    forms |= dict.fromkeys(
        ("consent_signed", "consent_version_approved", "treatment_withdrawn", "icf"), "informed_consent"
    )
    forms |= dict.fromkeys(("birth_date", "sex", "male_fertile", "wocbp"), "demographics")
    others = set(told) - set(forms) - {"screening_start", "infusion_date"}
    return {
        name: Source(forms.get(name, "medical_history" if name in others else ""), None, name)
        for name in told
    }
