"""Units of laboratory values and their conversion to the unit the protocol speaks.

Factors: clinical specification section 6.5. Decimal throughout; nothing is rounded before a comparison. Where the
specification divides, the factor stands on the other unit: one over it has no end, and a limit would be missed by it.
"""

from decimal import Decimal

D = Decimal
_NOTHING = D(0)

_ONE = {
    "10^9/L": D(1),
    "10^3/uL": D(1),
    "/mm3": D("0.001"),
    "/uL": D("0.001"),
}
FACTORS: dict[str, dict[str, Decimal]] = {
    "creatinine": {"umol/L": D(1), "mg/dL": D("88.4")},
    "bilirubin": {"umol/L": D(1), "mg/dL": D("17.1")},
    "protein": {"g/L": D(1), "g/dL": D(10)},
    "immunoglobulin": {"g/L": D(1), "mg/dL": D("0.01")},
    "cells": _ONE,
    "glucose": {"mmol/L": D("18.016"), "mg/dL": D(1)},
    "calcium": {"mmol/L": D(1), "mg/dL": D("0.2495")},
    "magnesium": {"mmol/L": D(1), "mg/dL": D("0.4114")},
    "phosphate": {"mmol/L": D(1), "mg/dL": D("0.3229")},
    "triglycerides": {"mmol/L": D(1), "mg/dL": D("0.01129")},
    "uric_acid": {"umol/L": D(1), "mg/dL": D("59.48")},
    "urea": {"mmol/L": D(1), "mg/dL": D("0.357")},
    "fibrinogen": {"g/L": D(1), "mg/dL": D("0.01")},
    "crp": {"mg/L": D(1), "mg/dL": D(10)},
    "d_dimer": {"mg/L FEU": D(1), "ug/mL FEU": D(1)},
    "ferritin": {"ug/L": D(1), "ng/mL": D(1)},
    "enzyme": {"U/L": D(1)},
    "mmol": {"mmol/L": D(1)},
    "percent": {"%": D(1)},
    "cytokine": {"pg/mL": D(1)},
    "receptor": {"U/mL": D(1)},
    "ratio": {"1": D(1)},
    "seconds": {"s": D(1)},
}


def convert(quantity: str, value: Decimal, unit: str) -> Decimal:
    """`value` in `unit` as the canonical unit of `quantity` (a key of FACTORS; its first unit is canonical).

    Raises KeyError when the unit is not one of that quantity's.
    """
    factors = FACTORS[quantity]
    # Adding nothing writes out what a quotient may leave in powers of ten: 10, not 1E+1.
    return value * factors[unit] / factors[canonical(quantity)] + _NOTHING


def canonical(quantity: str) -> str:
    """The unit in which limits of this quantity are stated."""
    return next(iter(FACTORS[quantity]))
