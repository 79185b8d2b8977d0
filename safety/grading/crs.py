"""Cytokine release syndrome after the ASTCT consensus.

Fever not due to another cause is required; the grade is then the worse of circulation and breathing, and fever
alone is grade 1. Once fever has been treated, later grades rest on circulation and breathing alone. An incomplete
assessment has no grade, unless what is recorded already proves grade 4. Organ damage never changes the grade.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trial.item import Basis
from visits.codelists import VASOPRESSOR
from visits.oxygen import LOW_FLOW_LIMIT, PRESSURE_DEVICES

VERSION = "ASTCT2019"
BASIS = Basis.GUIDELINE
CITATION = "Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-638, table 2"
NOTE = (
    "From memory, to be verified against the source: vasopressin alone, positive pressure without hypoxia, and "
    "that organ damage does not count."
)

FEVER_C = Decimal("38.0")
PRINTED = {
    1: "Temperature ≥38 °C; no hypotension; no hypoxia",
    2: "Hypotension not requiring vasopressors, and/or hypoxia requiring low-flow nasal cannula or blow-by",
    3: "A vasopressor with or without vasopressin, and/or high-flow nasal cannula, face mask, "
    "non-rebreather mask or Venturi mask",
    4: "Multiple vasopressors (excluding vasopressin), and/or positive pressure",
    5: "Death due to CRS",
}
DEVICE_GRADES = {
    "NONE": 0,
    "BLOW_BY": 2,
    "HIGH_FLOW_NC": 3,
    "FACEMASK": 3,
    "VENTURI": 3,
    "NONREBREATHER": 3,
    **dict.fromkeys(PRESSURE_DEVICES, 4),
}
PRESSORS = frozenset(VASOPRESSOR.codes) - {"NONE"}
NOT_FOR_HYPOXIA = ("AIRWAY_PROTECTION", "PROCEDURE")


@dataclass(frozen=True)
class CrsFindings:
    """What one assessment found; None is "no answer". `vasopressors` is () when none was given.

    prior_fever       an earlier assessment of this episode had fever
    fever_treated     an antipyretic, tocilizumab or a steroid was given since
    """

    temp_c: Decimal | None
    fever_other_cause: bool | None
    hypotension: bool | None
    vasopressors: tuple[str, ...] | None
    hypoxia: bool | None
    oxygen_device: str | None
    o2_flow_lpm: Decimal | None = None
    ppv_reason: str = ""
    prior_fever: bool = False
    fever_treated: bool = False
    died_of_it: bool = False


def crs_grade(found: CrsFindings) -> int | None:
    """The grade 0 to 5, or None when the assessment is too incomplete to grade."""
    if found.died_of_it:
        return 5
    fever, treated = _fever(found), found.prior_fever and found.fever_treated
    if not fever and not treated:
        return None if fever is None else 0
    columns = (_circulation(found), _breathing(found))
    if 4 in columns:
        return 4
    known = [grade for grade in columns if grade is not None]
    if len(known) < len(columns) or (fever is None and not any(known)):
        return None
    return max(1 if fever else 0, *known)


def _fever(found: CrsFindings) -> bool | None:
    if found.temp_c is None:
        return False if found.prior_fever and found.fever_treated else None
    if found.temp_c < FEVER_C:
        return False
    return None if found.fever_other_cause is None else not found.fever_other_cause


def _circulation(found: CrsFindings) -> int | None:
    """Grade by blood pressure. Vasopressors with the sign unanswered count as given for it."""
    if found.hypotension is False:
        return 0
    if found.vasopressors is None:
        return None
    given = pressors(found.vasopressors)
    if not given:
        return 2 if found.hypotension else None
    return 4 if len(given - {"VASOPRESSIN"}) > 1 else 3


def pressors(named: Iterable[str]) -> frozenset[str]:
    """The distinct vasopressors among the answers; inotropes such as dobutamine are none."""
    return frozenset(named) & PRESSORS


def _breathing(found: CrsFindings) -> int | None:
    """Grade by oxygen. The device decides; hypoxia due to another cause does not count."""
    device = found.oxygen_device
    if found.hypoxia is False:
        return 0
    if device in PRESSURE_DEVICES and found.ppv_reason in NOT_FOR_HYPOXIA:
        return 4 if found.hypoxia else 0
    if device == "NASAL_CANNULA":
        return None if found.o2_flow_lpm is None else (2 if found.o2_flow_lpm <= LOW_FLOW_LIMIT else 3)
    return None if device is None else DEVICE_GRADES.get(device)


def findings(row: Any, *, prior_fever: bool, fever_treated: bool, died_of_it: bool = False) -> CrsFindings:
    """A CRS form as findings. What earlier assessments and medication say is told from outside."""
    return CrsFindings(
        row.temp_c,
        row.fever_other_cause,
        row.hypotension,
        tuple(row.vasopressors) or None,
        row.hypoxia,
        row.oxygen_device or None,
        row.o2_flow_lpm,
        row.ppv_reason,
        prior_fever,
        fever_treated,
        died_of_it,
    )
