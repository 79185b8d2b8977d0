"""From the vectors' inputs to intervals, age and eligibility criteria."""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from safety.derive.units import spelled
from safety.eligibility.evaluate import evaluate_criterion
from safety.eligibility.facts import Screening
from safety.eligibility.intervals import age_range, at_least_months_after, within_before
from safety.forms import FORMS
from safety.vectors.compare import bounded, whole
from safety.vectors.derivations import amended
from trial.dates import add_months
from trial.logic import Verdict
from trial.protocol import V1, Protocol

Input = dict[str, Any]
HINTS = get_type_hints(Screening)
SETTINGS = {one.name for one in fields(Protocol)} - set(HINTS)  # a name of both is a fact


def calendar(given: Input) -> str | None:
    """One interval on dates."""
    name = given["fn"]
    if name in ("at_least_months_after", "within_before") and given.get("months") is None is given.get(
        "days"
    ):
        return str(Verdict.UNKNOWN)  # an interval without a length
    if name == "at_least_months_after":
        return str(at_least_months_after(given.get("ref"), whole(given.get("months")) or 0, given.get("on")))
    if name == "within_before":
        days, months = whole(given.get("days")) or 0, whole(given.get("months")) or 0
        return str(within_before(given.get("event"), given.get("anchor"), days=days, months=months))
    if name == "add_months":
        return add_months(date.fromisoformat(given["ref"]), int(given["months"])).isoformat()
    raise KeyError(f"unknown function {name!r}")


def age(given: Input) -> Input:
    """The range of ages at consent, and what it means for I-06."""
    ages = age_range(given.get("birth"), given.get("consent"))
    facts = Screening(birth_date=given.get("birth"), icf=given.get("consent"))
    least, most = ages if ages else (None, None)
    return {"age_min": least, "age_max": most, "I06": str(evaluate_criterion("I-06", facts, V1).verdict)}


# Facts under the names that the forms give them.
FORM_NAMES = {
    "primary_refractory": "refractory_primary",
    "sct_date": "last_allo_sct_date",
    "gvhd_active_at_consent": "gvhd_active",
    "specimen": "cd19_specimen",
    "blast_pct_morph": "bm_blast_pct_morph",
    "tbil": "bilirubin",
    "tbil_unit": "bilirubin_unit",
    "signed_by_subject": "consent_signed",
    "icf_version_approved": "consent_version_approved",
    "childbearing_potential": "wocbp",
    "agrees": "contraception_agrees",
    "method": "contraception_methods",
    "tcell_expansion_qualified": "tcell_expansion",
    "vascular_access_ok": "vascular_access",
    "est_survival_gt_3m": "survival_over_3_months",
    "target_antigens": "prior_antigens",
    "planned_immunosuppression": "planned",
    "hbv_dna_result": "hbv_dna",
    "ebv_dna_result": "ebv_dna",
    "cmv_dna_result": "cmv_dna",
    "sars_cov2": "sars_cov_2",
    "covid": "sars_cov_2",
}


def eligibility(given: Input) -> str:
    """The verdict on one criterion. Settings of the protocol may stand among the facts."""
    data = {FORM_NAMES.get(name, name): value for name, value in (given.get("data") or {}).items()}
    settings = {name: value for name, value in data.items() if name in SETTINGS}
    told: Input = {}
    for name in set(data) - SETTINGS - _unread():
        told |= _read(name, data[name])
    return str(evaluate_criterion(given["criterion"], Screening(**told), amended(**settings)).verdict)


@cache
def _unread() -> frozenset[str]:
    """Fields of the forms that no criterion reads, such as HBsAb: they may be told and change nothing."""
    named = {one.name for form in FORMS for one in form._meta.get_fields()}
    return frozenset(named - set(HINTS) - SETTINGS)


def _read(name: str, value: Any) -> Input:
    """A fact from JSON, in the type that the criteria expect. Raises KeyError for one they do not know."""
    kinds = get_args(HINTS[name])
    if Decimal in kinds:
        qualifier, amount = bounded(value)
        return {name: amount} | ({f"{name}_qual": qualifier} if qualifier and f"{name}_qual" in HINTS else {})
    if bool in kinds:
        return {name: {"YES": True, "NO": False}.get(value, value) if isinstance(value, str) else value}
    if int in kinds:
        return {name: whole(value)}
    if name.endswith("_unit"):
        return {name: value and spelled(value)}
    if isinstance(value, str) and any(get_origin(kind) is tuple for kind in (HINTS[name], *kinds)):
        return {name: (value,)}
    return {name: tuple(value) if isinstance(value, list) else value}
