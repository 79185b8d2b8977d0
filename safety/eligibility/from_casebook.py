"""The facts of one subject at one milestone, read from the casebook, and the evaluation that follows from them."""

from dataclasses import fields
from datetime import date
from functools import cache
from typing import Any

from safety import calendar
from safety.casebook import Casebook
from safety.eligibility import histories
from safety.eligibility.evaluate import MILESTONES, Evaluation, evaluate
from safety.eligibility.facts import Screening, Source
from safety.eligibility.measurements import GROUPS, milestone_of, read
from safety.eligibility.signs import READS as SIGNS
from safety.eligibility.signs import signs
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
            *SIGNS,
            *(Demographics, DiseaseHistory, PriorTransplant, PriorTherapy, MedicalHistory, ConMeds),
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
_FORM_OF = {
    **{name: form for form, names in _FROM.items() for name in names},
    **dict.fromkeys(
        ("consent_signed", "consent_version_approved", "treatment_withdrawn", "icf"), "informed_consent"
    ),
    **dict.fromkeys(("birth_date", "sex", "male_fertile", "wocbp"), "demographics"),
    "screening_start": "",
    "infusion_date": "eligibility",
}
_KNOWN = frozenset(one.name for one in fields(Screening))


def screening(book: Casebook, milestone: str, on: date, protocol: Protocol) -> Screening:
    """The facts as of `on`. Raises ValueError for an unknown milestone."""
    if milestone not in MILESTONES:
        raise ValueError(f"unknown milestone: {milestone!r}")
    infused, infusion = _infusion(book, milestone, on)
    told: dict[str, Any] = {
        **_standing(book, protocol),
        "infusion_date": infused,
        **_consent(book, on),
    }
    sources = {name: _source(name) for name in told} | {"infusion_date": infusion}
    lacking: dict[str, tuple[str, str]] = {}
    for group in GROUPS:
        asked = milestone_of(group, milestone, protocol)
        reading = read(book, group, _as_of(book, asked, milestone, on), group.max_age(protocol, asked))
        told |= reading.facts
        sources |= reading.sources
        lacking |= reading.lacking
    for name, (fact, source) in signs(book, milestone, on, protocol).items():
        told[name], sources[name] = fact, source
    return Screening(**{k: v for k, v in told.items() if k in _KNOWN}, sources=sources, lacking=lacking)


def _standing(book: Casebook, protocol: Protocol) -> dict[str, Any]:
    """The facts that are the same at every milestone, worked out once per book and protocol."""
    kept = book.once(_memory)
    if id(protocol) not in kept:
        kept[id(protocol)] = (protocol, _unmoved(book, protocol))
    return kept[id(protocol)][1]


def _memory(book: Casebook) -> dict[int, tuple[Protocol, dict[str, Any]]]:
    """A protocol is kept beside its facts, so that its number stays its own."""
    return {}


def _unmoved(book: Casebook, protocol: Protocol) -> dict[str, Any]:
    icf, first_visit = book.consent_day, book.visit_days.get("SCR") or book.consent_day
    disease = histories.leukaemia(book)
    return {
        "icf": icf,
        "screening_start": first_visit,
        **_person(book),
        **disease,
        **histories.transplants(book, disease.get("prior_allo_sct")),
        **histories.therapies(book, icf, protocol),
        **histories.medication(book, icf, first_visit, protocol),
        **histories.illnesses(book),
    }


def evaluate_at(book: Casebook, milestone: str, on: date, protocol: Protocol) -> Evaluation:
    """All criteria on the facts of this milestone."""
    return evaluate(screening(book, milestone, on, protocol), protocol, milestone)


def _infusion(book: Casebook, milestone: str, on: date) -> tuple[date | None, Source]:
    """The day of the infusion and the answer that says so: it took place; else the plan of a checklist that is no older
    than the begin of lymphodepletion; else the day that lymphodepletion implies; else an older plan."""
    if book.infusions:
        return book.day0, Source("infusion", book.infusions[0].pk, "inf_start_dt")
    plan, begun = _plan(book, milestone, on), calendar.first_depletion(book)
    if begun is not None and (plan is None or plan.assessed_date < book.day(begun.admin_dt)):
        return calendar.planned_day0(book), Source("lymphodepletion", begun.pk, "admin_dt")
    if plan is not None:
        return plan.planned_infusion_date, Source("eligibility", plan.pk, "planned_infusion_date")
    return None, _source("infusion_date")


def _plan(book: Casebook, milestone: str, on: date) -> Any | None:
    """The newest complete checklist up to that day, of this milestone or of one before, that says when to infuse."""
    passed = MILESTONES[: MILESTONES.index(milestone) + 1]
    known = [
        row
        for row in book.of(Eligibility)
        if row.milestone in passed
        and row.status == "COMPLETE"
        and row.planned_infusion_date
        and row.assessed_date
        and row.assessed_date <= on
    ]
    return max(
        known, key=lambda row: (row.assessed_date, passed.index(row.milestone), row.sequence), default=None
    )


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
    day, versions = book.consent_day, [v for v in book.site.icf_versions if v.label == label]
    held = (v.irb_approval_date <= day and (v.valid_to is None or day <= v.valid_to) for v in versions)
    return "YES" if any(held) else "NO"


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


@cache
def _source(name: str) -> Source:
    """Where a fact stands that comes from a whole log rather than from one row."""
    return Source(_FORM_OF.get(name, "medical_history"), None, name)
