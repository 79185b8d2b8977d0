"""Where a decision on a criterion comes from: the fewest facts that suffice for it, and the answers they stand in.

The criteria themselves are asked again on fewer facts, or on one row of a log; nothing of them is stated here.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

from safety.casebook import Casebook
from safety.eligibility import histories
from safety.eligibility.evaluate import JUDGES
from safety.eligibility.facts import Screening
from safety.eligibility.measurements import GROUPS
from safety.rules.evidence import told
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
from trial.logic import Verdict
from trial.protocol import Protocol
from trial.rules import Fact
from visits.models import ConMeds, Visit

Place = tuple[type[CRF], tuple[str, ...]]
_EMPTY: dict[str, Any] = {one.name: one.default for one in fields(Screening)}
_SAME = (
    *("relapse_after_first_remission", "induction_cycles", "number_of_relapses", "relapse_type"),
    "prior_allo_sct",
)
PLACES: dict[str, Place] = {
    **{fact: (group.form, (name,)) for group in GROUPS for fact, name in group.facts.items()},
    **{fact: (group.form, (name,)) for group in GROUPS for fact, (name, _) in (group.units or {}).items()},
    **{name: (DiseaseHistory, (name,)) for name in _SAME},
    "refractory_primary": (DiseaseHistory, ("primary_refractory",)),
    "ph_positive": (DiseaseHistory, ("ph_status",)),
    "cns_leukaemia": (DiseaseHistory, ("cns_status",)),
    "last_allo_sct_date": (PriorTransplant, ("sct_date",)),
    "bm_relapse_after_sct": (PriorTransplant, ("bm_relapse_after_sct",)),
    "gvhd_active": (PriorTransplant, ("gvhd_active_at_consent",)),
    "tki_intolerant": (PriorTherapy, ("tki_outcome",)),
    "tki_contraindicated": (PriorTherapy, ("tki_outcome",)),
    "tki_lines_failed": (PriorTherapy, ("tki_outcome",)),
    "prior_therapy_complete": (PriorTherapy, ("category",)),
    "prior_antigens": (PriorTherapy, ("target_antigens", "category")),
    "imp_ever": (PriorTherapy, ("investigational",)),
    "imp_last_dose": (PriorTherapy, ("end_date", "start_date")),
    "any_immunosuppressant": (ConMeds, ("drug_class",)),
    "steroid_last_dose": (ConMeds, ("end_dt", "start_dt")),
    "live_vaccine": (ConMeds, ("drug_class",)),
    "live_vaccine_date": (ConMeds, ("start_dt",)),
    "malignancy_ongoing": (MedicalHistory, ("ongoing",)),
    "allergies_complete": (MedicalHistory, ("reaction_type",)),
    "severe_allergies": (MedicalHistory, ("allergen_class",)),
    "cns_history": (MedicalHistory, ("category",)),
    "myocardial_infarction": (MedicalHistory, ("subtype",)),
    "unstable_angina": (MedicalHistory, ("subtype",)),
    "other_heart_disease": (MedicalHistory, ("subtype",)),
    "angioplasty_dates": (MedicalHistory, ("start_date",)),
    "primary_immunodeficiency": (MedicalHistory, ("category",)),
    "autoimmune_active": (MedicalHistory, ("active_at_consent",)),
    "icf": (InformedConsent, ("consent_dt",)),
    "consent_signed": (InformedConsent, ("signed_by_subject",)),
    "consent_version_approved": (InformedConsent, ("icf_version",)),
    "treatment_withdrawn": (InformedConsent, ("withdrawal_scope",)),
    "birth_date": (Demographics, ("birth_date",)),
    "sex": (Demographics, ("sex",)),
    "male_fertile": (Demographics, ("male_fertile",)),
    "wocbp": (Demographics, ("childbearing_potential",)),
    "screening_start": (Visit, ("actual_date",)),
    "infusion_date": (Eligibility, ("planned_infusion_date",)),
}
"""The form and field of every fact that a criterion uses; of several fields the first that is answered."""

_LOGS: dict[type[CRF], Callable[[Casebook, Any, Protocol], dict[str, Any]]] = {
    ConMeds: lambda book, facts, p: histories.medication(book, facts.icf, facts.screening_start, p),
    PriorTherapy: lambda book, facts, p: histories.therapies(book, facts.icf, p),
    PriorTransplant: lambda book, facts, p: histories.transplants(book, "NO"),
    MedicalHistory: lambda book, facts, p: histories.illnesses(book),
}
"""How the facts of a log are read: all of them, but for a log that shows no allogeneic transplant. That one is asked as
if there were none, and then no criterion asks for the others."""


def _without(facts: Screening, names: Iterable[str]) -> Screening:
    return replace(facts, **{name: _EMPTY[name] for name in names})


def _verdict(id_: str, facts: Screening, protocol: Protocol) -> Verdict:
    return JUDGES[id_].check(facts, protocol)


def grounds(id_: str, facts: Screening, protocol: Protocol) -> list[tuple[str, ...]]:
    """Sets of facts, each the fewest that give the verdict by themselves, no fact in two of them."""
    wanted = _verdict(id_, facts, protocol)
    uses, found = list(JUDGES[id_].uses), []
    while uses and _verdict(id_, _without(facts, set(JUDGES[id_].uses) - set(uses)), protocol) is wanted:
        fewest = _fewest(id_, facts, protocol, uses, wanted)
        if not fewest:
            break
        found.append(fewest)
        uses = [name for name in uses if name not in fewest]
    return found


def _fewest(
    id_: str, facts: Screening, protocol: Protocol, uses: list[str], wanted: Verdict
) -> tuple[str, ...]:
    """What is left when every fact has been left out that the verdict does not need."""
    kept = list(uses)
    every = set(JUDGES[id_].uses)
    for name in uses:
        fewer = [one for one in kept if one != name]
        if _verdict(id_, _without(facts, every - set(fewer)), protocol) is wanted:
            kept = fewer
    return tuple(kept)


def row_verdicts(
    book: Casebook, id_: str, form: type[CRF], facts: Screening, protocol: Protocol
) -> list[tuple[Any, Screening, Verdict]]:
    """What each row of a log alone says of the criterion, with the facts as they are with that row alone."""
    rows = book.of(form)
    if not rows:
        return []
    verdicts = []
    for row in rows:
        alone = _LOGS[form](replace(book, rows={**book.rows, form: [row]}), facts, protocol)
        one = replace(facts, **{name: value for name, value in alone.items() if name in _EMPTY})
        verdicts.append((row, one, _verdict(id_, one, protocol)))
    return verdicts


def field_of(name: str, row: Any) -> str:
    """The field in which a row of the fact's form answers it: the first that is answered, else the first."""
    names = PLACES[name][1]
    return next((one for one in names if getattr(row, one, None) not in (None, "", [])), names[0])


def fact(book: Casebook, id_: str, name: str, facts: Screening, protocol: Protocol) -> Fact:
    """The answer behind a fact: of a measurement the row that was read, of a log the row that decides alone."""
    form, _ = PLACES[name]
    source = facts.sources.get(name)
    if source is not None and source.record is not None:
        return Fact(source.form, source.record, source.field, str(getattr(facts, name)))
    row = _row(book, id_, form, name, facts, protocol)
    field = field_of(name, row)
    return Fact(
        form.form, None if row is None else row.pk, field, "" if row is None else told(getattr(row, field))
    )


def _row(
    book: Casebook, id_: str, form: type[CRF], name: str, facts: Screening, protocol: Protocol
) -> Any | None:
    rows: list[Any] = list(book.of(form))
    if form is InformedConsent:
        withdrawn = [row for row in rows if row.consent_type == "WITHDRAWAL"]
        return withdrawn[0] if name == "treatment_withdrawn" and withdrawn else book.initial_consent
    if form in _LOGS:
        wanted = _verdict(id_, facts, protocol)
        rows = [
            row for row, _, verdict in row_verdicts(book, id_, form, facts, protocol) if verdict is wanted
        ] or rows
    if form is Visit:
        rows = [row for row in rows if row.visit == "SCR"]
    return rows[0] if rows else None
