"""From the vectors' inputs to the grading functions. What an input leaves out is normal; a null is "not known"."""

from types import SimpleNamespace
from typing import Any

from safety.grading.crs import CrsFindings, crs_grade, pressors
from safety.grading.ctcae import LabResult, grade
from safety.grading.icans import ICE_ITEMS, IcansFindings, icans_grade, ice_total
from safety.vectors.compare import bounded, maybe, whole

Input = dict[str, Any]


def crs(given: Input) -> int | None:
    """The CRS grade of one time point."""
    vasopressors = given.get("vasopressors", ())
    listed = [vasopressors] if isinstance(vasopressors, str) else vasopressors
    named = None if listed is None else tuple(listed)
    return crs_grade(
        CrsFindings(
            temp_c=maybe(given.get("temp_c")),
            fever_other_cause=given.get("fever_other_cause", False),
            hypotension=given.get("hypotension", bool(named and pressors(named))),
            vasopressors=named,
            hypoxia=given.get("hypoxia"),
            oxygen_device=given.get("oxygen_device", "NONE"),
            o2_flow_lpm=maybe(given.get("o2_flow_lpm")),
            ppv_reason=given.get("ppv_reason") or "",
            prior_fever=bool(given.get("prior_crs_fever")),
            fever_treated=bool(given.get("antipyretic_or_anticytokine")),
            died_of_it=bool(given.get("death_due_to_crs")),
        )
    )


def ice(given: Input) -> int | None:
    """The ICE score."""
    reason = "UNAROUSABLE" if given.get("unarousable") else given.get("unable_reason") or ""
    scores = {name: _scored(given.get(name)) for name in ICE_ITEMS}
    return ice_total(SimpleNamespace(unable_reason=reason, **scores))


def _scored(answer: Any) -> int | None:
    """The points of one item; done or not done is one point or none."""
    return int(answer) if isinstance(answer, bool) else whole(answer)


def icans(given: Input) -> int | None:
    """The ICANS grade of one time point."""
    return icans_grade(
        IcansFindings(
            ice=whole(given.get("ice")),
            consciousness=given.get("consciousness"),
            seizure=given.get("seizure"),
            motor_weakness_focal=given.get("motor_weakness_focal"),
            edema=given.get("edema"),
            attributable=given.get("attributable") is not False,
            died_of_it=bool(given.get("death_due_to_icans")),
        )
    )


def ctcae(given: Input) -> int | None:
    """The CTCAE grade of one result."""
    qualifier, value = bounded(given.get("value"))
    result = LabResult(
        value=value,
        lln=maybe(given.get("lln")),
        uln=maybe(given.get("uln")),
        baseline=maybe(given.get("baseline")),
        baseline_uln=maybe(given.get("baseline_uln")),
        symptomatic=given.get("symptomatic"),
        on_anticoagulant=bool(given.get("on_anticoagulant")),
        qualifier=given.get("qualifier") or qualifier,
    )
    return grade(given["term"], result).grade
