"""Neurotoxicity after the ASTCT consensus: the ICE score of adults, and the ICANS grade.

The grade is the worst finding that is not due to another cause. With any of the five findings missing there is no
grade, unless one that is recorded already proves grade 4. A low score before the infusion (language, schooling)
is shown beside the grade and does not move the cut-offs.
"""

from dataclasses import dataclass
from typing import Any

from trial.item import Basis
from visits.calc import ICE_ITEMS, ice_total

__all__ = [
    "BASIS",
    "CITATION",
    "ICE_ITEMS",
    "VERSION",
    "IcansFindings",
    "findings",
    "icans_grade",
    "ice_grade",
    "ice_total",
]

VERSION = "ASTCT2019"
BASIS = Basis.GUIDELINE
CITATION = "Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-638, tables 3 and 4"
NOTE = "From memory, to be verified against the source: papilloedema, and global aphasia (awake with ICE 0) as 3."

PRINTED = {
    1: "ICE 7-9; awakens spontaneously",
    2: "ICE 3-6; awakens to voice",
    3: "ICE 0-2; awakens only to tactile stimulus; seizure that resolves rapidly, or non-convulsive on EEG and "
    "resolving with intervention; focal oedema on imaging",
    4: "ICE 0, unarousable; vigorous or repetitive stimuli needed, stupor or coma; seizure over 5 min or repetitive "
    "without return to baseline; deep focal motor weakness; diffuse oedema, posturing, cranial nerve VI palsy, "
    "papilloedema or Cushing's triad",
    5: "Death due to ICANS",
}
ICE_FROM = ((10, 0), (7, 1), (3, 2), (0, 3))
CONSCIOUSNESS = {
    "NORMAL": 0,
    "AWAKENS_SPONTANEOUSLY": 1,
    "AWAKENS_TO_VOICE": 2,
    "AWAKENS_TO_TACTILE_ONLY": 3,
    "UNAROUSABLE_OR_VIGOROUS_STIMULI": 4,
    "STUPOR_OR_COMA": 4,
}
SEIZURE = {
    "NONE": 0,
    "RAPIDLY_RESOLVING_OR_NONCONVULSIVE_EEG_RESOLVING": 3,
    "PROLONGED_GT_5MIN": 4,
    "REPETITIVE_WITHOUT_RETURN_TO_BASELINE": 4,
}
EDEMA = {
    "NONE": 0,
    "FOCAL_EDEMA": 3,
    "DIFFUSE_EDEMA": 4,
    "DECEREBRATE_OR_DECORTICATE": 4,
    "CN_VI_PALSY": 4,
    "PAPILLEDEMA": 4,
    "CUSHING_TRIAD": 4,
}


@dataclass(frozen=True)
class IcansFindings:
    """What one assessment found; None is "no answer". `attributable` False means another cause explains it all."""

    ice: int | None
    consciousness: str | None
    seizure: str | None
    motor_weakness_focal: bool | None
    edema: str | None
    attributable: bool = True
    died_of_it: bool = False


def ice_grade(score: int | None) -> int | None:
    """The grade the ICE score alone gives; who cannot be roused is graded by consciousness."""
    if score is None:
        return None
    return next((grade for least, grade in ICE_FROM if score >= least), None)


def icans_grade(found: IcansFindings) -> int | None:
    """The grade 0 to 5, or None when the assessment is too incomplete to grade."""
    if found.died_of_it:
        return 5
    if not found.attributable:
        return 0
    grades = (
        ice_grade(found.ice),
        CONSCIOUSNESS.get(found.consciousness or ""),
        SEIZURE.get(found.seizure or ""),
        None if found.motor_weakness_focal is None else 4 * found.motor_weakness_focal,
        EDEMA.get(found.edema or ""),
    )
    if 4 in grades:
        return 4
    known = [grade for grade in grades if grade is not None]
    return max(known) if len(known) == len(grades) else None


def findings(row: Any, *, died_of_it: bool = False) -> IcansFindings:
    """An ICANS form as findings; without an answer the signs count as not due to another cause. Who could not be
    scored because nothing roused them has told their consciousness with it."""
    deep = "UNAROUSABLE_OR_VIGOROUS_STIMULI" if row.unable_reason == "UNAROUSABLE" else None
    return IcansFindings(
        ice_total(row),
        row.consciousness or deep,
        row.seizure or None,
        row.motor_weakness_focal,
        row.edema or None,
        row.attributable is not False,
        died_of_it,
    )
