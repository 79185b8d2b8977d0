"""Body surface, renal clearance and what fludarabine owes to it."""

from dataclasses import dataclass
from decimal import Decimal

from dosing.arithmetic import body_surface, half_up
from trial.item import Basis
from trial.protocol import Protocol
from visits.calc import bsa_exact

__all__ = [
    "BSA_CITATION",
    "CRCL_CITATION",
    "body_surface",
    "bsa_exact",
    "cockcroft_gault",
    "fludarabine",
    "renal_factor",
]

BSA_CITATION = (
    Basis.GUIDELINE,
    "Mosteller, N Engl J Med 1987; from memory, to be verified against the source",
)
CRCL_CITATION = (
    Basis.GUIDELINE,
    "Cockcroft and Gault, Nephron 1976; from memory, to be verified against the source",
)
WOMEN = Decimal("0.85")


@dataclass(frozen=True)
class FludarabineDose:
    """The daily dose and what it follows from. `factor` and `mg` are None where it must not be given."""

    crcl_ml_min: Decimal
    factor: Decimal | None
    surface_m2: Decimal
    mg: Decimal | None


def cockcroft_gault(
    age: int | None, weight_kg: Decimal | None, creatinine_mg_dl: Decimal | None, sex: str | None
) -> Decimal | None:
    """Creatinine clearance in mL/min by total body weight, unrounded; None when an input is missing.

    `age` in completed years on the day of lymphodepletion; `sex` M or F.
    """
    if age is None or weight_kg is None or sex not in ("M", "F"):
        return None
    if creatinine_mg_dl is None or creatinine_mg_dl <= 0 or weight_kg <= 0:
        return None
    clearance = (140 - age) * weight_kg / (72 * creatinine_mg_dl)
    return clearance * WOMEN if sex == "F" else clearance


def renal_factor(crcl: Decimal | None, protocol: Protocol) -> Decimal | None:
    """By what fludarabine is multiplied at this unrounded clearance; None: not to be given, or not known."""
    if crcl is None:
        return None
    return next((factor for least, factor in protocol.fludarabine_bands.value if crcl >= least), None)


def fludarabine(
    mg_per_m2: Decimal | None, crcl: Decimal | None, surface_m2: Decimal | None, protocol: Protocol
) -> FludarabineDose | None:
    """The dose of one day: dose per m2 times factor times surface, half-up to 0.1 mg; None without its inputs."""
    if mg_per_m2 is None or crcl is None or surface_m2 is None:
        return None
    factor = renal_factor(crcl, protocol)
    milligrams = None if factor is None else half_up(mg_per_m2 * factor * surface_m2, "0.1")
    return FludarabineDose(crcl, factor, surface_m2, milligrams)
