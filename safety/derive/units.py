"""Results from one unit to another, by the factors of `trial.units`. Nothing is rounded."""

from decimal import Context, Decimal, localcontext

from trial.units import FACTORS

WIDE = Context(prec=60)
SPELLINGS = {"µL": "uL", "μL": "uL", "cells/": "/", "µmol": "umol", "μmol": "umol", "µg": "ug", "μg": "ug"}
QUANTITIES: dict[str, tuple[str, ...]] = {
    "protein": ("hemoglobin", "haemoglobin", "hgb", "hb", "albumin", "total protein"),
    "cells": (
        *("neutrophils", "anc", "platelets", "plt", "wbc", "white blood cells", "leukocytes"),
        *("lymphocytes", "alc", "monocytes", "eosinophils", "basophils", "blasts", "cd4", "b cells"),
    ),
    "bilirubin": ("tbil", "dbil", "total bilirubin", "direct bilirubin"),
    "urea": ("bun", "urea nitrogen", "blood urea nitrogen"),
    "uric_acid": ("urate", "uric acid"),
    "enzyme": ("alt", "ast", "alp", "ggt", "ldh", "cpk"),
    "immunoglobulin": ("igg", "iga", "igm"),
}
QUANTITY_OF = {name: quantity for quantity, names in QUANTITIES.items() for name in names}


def convert(analyte: str, value: Decimal, from_unit: str, to_unit: str) -> Decimal:
    """`value` of `analyte` in another unit. Raises KeyError when the analyte or a unit is not known."""
    source, target = spelled(from_unit), spelled(to_unit)
    if analyte.casefold() == "temperature":
        return temperature(value, source, target)
    name = analyte.casefold().replace("_", " ")
    factors = FACTORS[QUANTITY_OF.get(name, name.replace(" ", "_"))]
    with localcontext(WIDE):
        return value if source == target else value * factors[source] / factors[target]


def temperature(value: Decimal, from_unit: str, to_unit: str) -> Decimal:
    """A temperature in degC or degF in the other scale. Raises KeyError for any other unit."""
    scale = {"degC": "C", "C": "C", "°C": "C", "degF": "F", "F": "F", "°F": "F"}
    source, target = scale[from_unit], scale[to_unit]
    with localcontext(WIDE):
        if source == target:
            return value
        return value * 9 / 5 + 32 if target == "F" else (value - 32) * 5 / 9


def spelled(unit: str) -> str:
    """A unit as the tables spell it: `μmol/L` is `umol/L`."""
    for written, meant in SPELLINGS.items():
        unit = unit.replace(written, meant)
    return unit.strip()
