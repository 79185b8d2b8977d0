"""The latest answer that still counts: which form, which facts, how old, and at which milestones it is asked anew.

A fact asked anew at a milestone is the latest answer up to that day and no older than the protocol allows. One that
is carried forward is what it was, by the same rule, on the day of the last milestone that asked for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from safety.casebook import Casebook
from safety.eligibility.evaluate import MILESTONES
from safety.eligibility.facts import Source
from subjects.crf import CRF
from subjects.models import Contraception, PregnancyTest, SurvivalEstimate, ViralSerology
from trial.protocol import Protocol
from trial.units import canonical
from visits.models import BoneMarrow, Cd19Flow, Chemistry, Echo, Ecog, Pulmonary

Unit = tuple[str, str]
NOT_AN_ANSWER: tuple[Any, ...] = (None, "", "NOT_DONE", [])


@dataclass(frozen=True)
class Group:
    """Facts read together from one row of a form.

    facts       name of the fact to the field of the form; the first one must be answered for the row to count
    units       fact of a unit to (its field, its quantity), where empty means the canonical unit
    criterion   whose re-checks ask for it; `only` narrows them to some milestones
    max_age     days by protocol and milestone; None means without limit
    counts      a further condition on the row
    """

    form: type[CRF]
    facts: Mapping[str, str]
    criterion: str
    max_age: Callable[[Protocol, str], int | None]
    units: Mapping[str, Unit] | None = None
    only: tuple[str, ...] = MILESTONES
    counts: Callable[[Any], bool] = lambda row: True


def _by_form(name: str) -> Callable[[Protocol, str], int | None]:
    return lambda protocol, milestone: protocol.max_age_days.value[name]


def _no_limit(protocol: Protocol, milestone: str) -> int | None:
    return None


def _saturation_age(protocol: Protocol, milestone: str) -> int:
    if milestone == "PRE_INFUSION":
        return protocol.spo2_infusion_max_age_days.value
    return protocol.max_age_days.value["pulmonary"]


def _enzyme(name: str) -> Group:
    facts = {name: f"{name}_value", f"{name}_uln": f"{name}_uln", f"{name}_qual": f"{name}_qual"}
    return Group(Chemistry, facts, "I-04", _by_form("chemistry"))


def _analyte(fact: str, name: str, quantity: str) -> Group:
    facts = {fact: f"{name}_value", f"{fact}_qual": f"{name}_qual"}
    units = {f"{fact}_unit": (f"{name}_unit", quantity)}
    return Group(Chemistry, facts, "I-04", _by_form("chemistry"), units)


def _serology(fact: str, criterion: str, field: str = "") -> Group:
    only = ("SCREENING",)
    return Group(ViralSerology, {fact: field or fact}, criterion, _by_form("viral_serology"), only=only)


def _dna(fact: str, field: str) -> Group:
    return Group(ViralSerology, {fact: field}, "E-05", lambda p, m: p.viral_dna_max_age_days.value)


def _pregnancy(fact: str, field: str) -> Group:
    return Group(PregnancyTest, {fact: field}, "E-14", lambda p, m: p.pregnancy_test_days.value)


def _judged(fact: str, field: str, criterion: str) -> Group:
    return Group(SurvivalEstimate, {fact: field}, criterion, _no_limit)


GROUPS: tuple[Group, ...] = (
    Group(
        Cd19Flow,
        {
            "cd19_result": "cd19_result",
            "cd19_specimen": "specimen",
            "cd19_method": "method",
            "cd19_pct_blasts": "cd19_pct_blasts",
        },
        "I-02",
        _by_form("cd19_flow"),
    ),
    Group(
        BoneMarrow,
        {"bm_blast_pct_morph": "blast_pct_morph"},
        "I-03",
        _by_form("bone_marrow"),
        counts=lambda row: row.aspirate_adequate is True,
    ),
    Group(
        Echo,
        {"lvef_pct": "lvef_pct", "lvef_method": "method"},
        "I-04",
        _by_form("echo"),
        only=("SCREENING", "PRE_LD"),
    ),
    _analyte("creatinine", "creatinine", "creatinine"),
    _enzyme("alt"),
    _enzyme("ast"),
    _analyte("bilirubin", "tbil", "bilirubin"),
    Group(
        Pulmonary,
        {"spo2_pct": "spo2_pct", "room_air": "room_air", "dyspnea_grade": "dyspnea_grade"},
        "I-04",
        _saturation_age,
    ),
    Group(
        Contraception,
        {"contraception_agrees": "agrees", "contraception_methods": "method"},
        "I-07",
        _no_limit,
    ),
    _judged("tcell_expansion", "tcell_expansion_qualified", "I-08"),
    Group(Ecog, {"ecog": "ecog"}, "I-09", _by_form("ecog")),
    _judged("vascular_access", "vascular_access_ok", "I-10"),
    _judged("survival_over_3_months", "est_survival_gt_3m", "I-11"),
    _judged("planned", "planned_immunosuppression", "E-04"),
    *(_serology(name, "E-05") for name in ("hbsag", "hbeag", "hbeab", "hbcab", "hcv_ab", "tp_ab")),
    _dna("hbv_dna", "hbv_dna_result"),
    _dna("ebv_dna", "ebv_dna_result"),
    _dna("cmv_dna", "cmv_dna_result"),
    _judged("uncontrolled_infection", "uncontrolled_infection", "E-06"),
    _serology("hiv_ab", "E-07"),
    Group(ViralSerology, {"sars_cov_2": "sars_cov_2"}, "E-07", lambda p, m: p.sars_cov_2_max_age_days.value),
    _pregnancy("pregnancy_test", "result"),
    _pregnancy("lactating", "lactating"),
    _judged("other_unsuitable", "other_unsuitable", "E-18"),
)


def milestone_of(group: Group, milestone: str, protocol: Protocol) -> str:
    """The last milestone up to this one at which the group is asked for."""
    passed = MILESTONES[: MILESTONES.index(milestone) + 1]
    asked = [m for m in passed if m in group.only and group.criterion in protocol.recheck.value[m]]
    return asked[-1] if asked else "SCREENING"


@dataclass(frozen=True)
class Reading:
    """The facts of one group, where they stand, and why they are lacking when they are."""

    facts: dict[str, Any]
    sources: dict[str, Source]
    lacking: dict[str, tuple[str, str]]


def read(book: Casebook, group: Group, on: date, limit: int | None) -> Reading:
    """The latest row that counts on that day. A draft never counts; a stale row is named, not used."""
    lead = next(iter(group.facts.values()))
    latest = next(
        (
            (day, row)
            for day, row in _dated(book, group.form)
            if (day is None or day <= on) and _answered(getattr(row, lead)) and group.counts(row)
        ),
        None,
    )
    if latest is None:
        return Reading({}, {}, dict.fromkeys(group.facts, ("missing", "缺失")))
    day, row = latest
    if limit is not None and (day is None or (on - day).days > limit):
        why = (
            (f"older than {limit} d: {day}", f"早于 {limit} 天:{day}") if day else ("not dated", "未注明日期")
        )
        return Reading({}, {}, dict.fromkeys(group.facts, why))
    return _answers(group, row, day)


def _answered(value: Any) -> bool:
    """Whether a value is an answer. What is neither text nor a list is one when it is there."""
    return value not in NOT_AN_ANSWER if isinstance(value, str | list) else value is not None


def _dated(book: Casebook, form: type[CRF]) -> list[tuple[date | None, Any]]:
    """The complete rows of a form with their days, the latest first; sorted once per book."""
    kept = book.once(_kept)
    if form not in kept:
        name = form.dated_by
        rows = [(_day(book, row, name), row) for row in book.of(form) if row.status == "COMPLETE"]
        kept[form] = sorted(rows, key=lambda one: (one[0] or date.min, _moment(one[1], name)), reverse=True)
    return kept[form]


def _kept(book: Casebook) -> dict[type[CRF], list[tuple[date | None, Any]]]:
    return {}


def _day(book: Casebook, row: Any, dated_by: str) -> date | None:
    """The day of a row at the site: its own date, else that of its visit."""
    moment = getattr(row, dated_by) if dated_by else None
    if moment is None:
        return book.visit_days.get(row.visit)
    return moment if not hasattr(moment, "tzinfo") else book.day(moment)


def _moment(row: Any, dated_by: str) -> str:
    """Orders rows of one day: by time where there is one, then by sequence."""
    moment = getattr(row, dated_by) if dated_by else None
    return f"{moment}|{row.sequence:05}"


def _answers(group: Group, row: Any, day: date | None) -> Reading:
    facts: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for fact, name in group.facts.items():
        value = getattr(row, name)
        facts[fact] = tuple(value) if isinstance(value, list) else value
        sources[fact] = Source(group.form.form, row.pk, name, str(day or ""))
    for fact, (name, quantity) in (group.units or {}).items():
        facts[fact] = getattr(row, name) or canonical(quantity)
        sources[fact] = Source(group.form.form, row.pk, name, str(day or ""))
    return Reading(facts, sources, {})
