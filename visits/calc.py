"""What the server computes from one record alone. Every function answers None when an input is missing.

Sources: clinical specification sections 2, 6.2, 6.4 and 6.10. Decimal throughout.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ICE_ITEMS = (
    "orient_year",
    "orient_month",
    "orient_city",
    "orient_hospital",
    "naming",
    "commands",
    "writing",
    "attention",
)
APLASIA_BELOW_PCT = Decimal(3)
TRAUMATIC_TAP_RBC = 10
CNS3_FROM_WBC = 5

# Words by which a steroid is recognised, longer names first, with the prednisone equivalent of 1 mg.
STEROIDS: tuple[tuple[str, Decimal], ...] = (
    ("methylprednisolone", Decimal("1.25")),
    ("甲基泼尼松龙", Decimal("1.25")),
    ("甲泼尼松龙", Decimal("1.25")),
    ("甲泼尼龙", Decimal("1.25")),
    ("甲基强的松龙", Decimal("1.25")),
    ("甲强龙", Decimal("1.25")),
    ("prednisolone", Decimal(1)),
    ("氢化泼尼松", Decimal(1)),
    ("泼尼松龙", Decimal(1)),
    ("强的松龙", Decimal(1)),
    ("prednisone", Decimal(1)),
    ("泼尼松", Decimal(1)),
    ("强的松", Decimal(1)),
    ("dexamethasone", Decimal("6.67")),
    ("地塞米松", Decimal("6.67")),
    ("hydrocortisone", Decimal("0.25")),
    ("氢化可的松", Decimal("0.25")),
)
MILLIGRAMS = {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001")}
TIMES_A_DAY = {
    "ONCE": Decimal(1),
    "QD": Decimal(1),
    "BID": Decimal(2),
    "TID": Decimal(3),
    "QID": Decimal(4),
    "Q4H": Decimal(6),
    "Q6H": Decimal(4),
    "Q8H": Decimal(3),
    "Q12H": Decimal(2),
    "QOD": Decimal("0.5"),
}
SYSTEMIC_ROUTES = ("IV", "PO", "SC", "IM")


def bsa_exact(height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Body surface area in m², Mosteller 1987, unrounded."""
    return (height_cm * weight_kg / 3600).sqrt()


def bsa(record: Any) -> Decimal | None:
    """Body surface area as it is printed and dosed: two decimals, half up."""
    if record.height_cm is None or record.weight_kg is None:
        return None
    return bsa_exact(record.height_cm, record.weight_kg).quantize(Decimal("0.01"), ROUND_HALF_UP)


def ice_total(record: Any) -> int | None:
    """The ICE score; 0 when the subject cannot be roused, else None while any item is missing."""
    if record.unable_reason == "UNAROUSABLE":
        return 0
    scores = [getattr(record, name) for name in ICE_ITEMS]
    return None if None in scores else sum(scores)


def traumatic_tap(record: Any) -> bool:
    """Whether blood may have carried blasts and leukocytes into the fluid, so that counts prove little."""
    return record.csf_rbc is not None and record.csf_rbc >= TRAUMATIC_TAP_RBC


def cns_status(record: Any) -> str | None:
    """CNS1 without blasts on cytology, CNS2 with blasts and under 5 leukocytes/µL, CNS3 from 5.

    A traumatic tap with blasts and 5 leukocytes or more is not decided here.
    """
    if record.csf_blasts == "NEGATIVE":
        return "CNS1"
    if record.csf_blasts != "POSITIVE" or record.csf_wbc is None:
        return None
    if record.csf_wbc < CNS3_FROM_WBC:
        return "CNS2"
    return None if record.csf_rbc is None or traumatic_tap(record) else "CNS3"


def aplasia(record: Any) -> bool | None:
    """Whether CD19+ B cells are under 3 % of lymphocytes; None when a bounded result leaves it open."""
    share, bound = record.cd19_pct_lymph_si, record.cd19_pct_lymph_qual
    if share is None:
        return None
    if bound in ("<", "<="):
        below = share <= APLASIA_BELOW_PCT if bound == "<" else share < APLASIA_BELOW_PCT
        return True if below else None
    if bound in (">", ">="):
        return False if share >= APLASIA_BELOW_PCT else None
    return bool(share < APLASIA_BELOW_PCT)


def steroid_factor(drug: str) -> Decimal | None:
    """Prednisone equivalent of 1 mg of the one steroid that `drug` names; None for none or for several."""
    rest, factors = drug.casefold(), set()
    for word, factor in STEROIDS:
        if word in rest:
            factors.add(factor)
            rest = rest.replace(word, " ")
    return factors.pop() if len(factors) == 1 else None


def prednisone_equivalent(record: Any) -> Decimal | None:
    """Systemic steroid dose as mg prednisone a day (of the day given, for a single dose), unrounded."""
    factor = steroid_factor(record.drug) if record.drug_class == "CORTICOSTEROID" else None
    milligrams, times = MILLIGRAMS.get(record.dose_unit), TIMES_A_DAY.get(record.frequency)
    if factor is None or record.dose is None or milligrams is None or times is None:
        return None
    if record.route not in SYSTEMIC_ROUTES:
        return None
    dose: Decimal = record.dose
    return dose * milligrams * times * factor
