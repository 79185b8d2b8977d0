"""From the vectors' inputs to intervals, age and eligibility criteria."""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any, get_args, get_type_hints

from safety.eligibility.evaluate import evaluate_criterion
from safety.eligibility.facts import Screening
from safety.eligibility.intervals import age_range, at_least_months_after, within_before
from safety.vectors.compare import maybe, whole
from safety.vectors.derivations import amended
from trial.dates import add_months
from trial.protocol import V1, Protocol

Input = dict[str, Any]
HINTS = get_type_hints(Screening)
SETTINGS = {one.name for one in fields(Protocol)} - set(HINTS)  # a name of both is a fact


def calendar(given: Input) -> str | None:
    """One interval on dates."""
    name = given["fn"]
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


def eligibility(given: Input) -> str:
    """The verdict on one criterion. Settings of the protocol may stand among the facts."""
    data = given.get("data") or {}
    settings = {name: value for name, value in data.items() if name in SETTINGS}
    told = {name: _read(name, value) for name, value in data.items() if name not in SETTINGS}
    return str(evaluate_criterion(given["criterion"], Screening(**told), amended(**settings)).verdict)


def _read(name: str, value: Any) -> Any:
    """A fact from JSON, in the type that the criteria expect. Raises KeyError for one they do not know."""
    kinds = get_args(HINTS[name])
    if Decimal in kinds:
        return maybe(value)
    if bool in kinds:
        return {"YES": True, "NO": False}.get(value, value) if isinstance(value, str) else value
    if int in kinds:
        return whole(value)
    return tuple(value) if isinstance(value, list) else value
