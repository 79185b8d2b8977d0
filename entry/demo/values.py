"""The numbers of the demonstration: tables over study days, and how to read between their lines.

Day 0 is the infusion. All invented; shaped after what is published of CD19 CAR-T cells in adult B-ALL.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping

Curve = Mapping[int, float]

# Counts in 10^9/L, haemoglobin in g/L, blasts in %: lymphodepletion empties, the marrow returns in the 4th week.
BLOOD: dict[str, Curve] = {
    "anc": {
        -40: 1.7,
        -6: 1.5,
        -3: 0.9,
        0: 0.5,
        3: 0.24,
        7: 0.12,
        12: 0.2,
        17: 0.55,
        21: 0.9,
        28: 1.4,
        60: 2.1,
        95: 2.7,
    },
    "alc": {
        -40: 1.6,
        -6: 1.2,
        -3: 0.3,
        0: 0.06,
        4: 0.06,
        8: 0.4,
        11: 1.1,
        14: 0.9,
        21: 0.7,
        28: 0.8,
        60: 1.1,
        95: 1.4,
    },
    "monocytes": {-40: 0.3, -3: 0.12, 0: 0.03, 7: 0.02, 14: 0.1, 21: 0.25, 28: 0.3, 95: 0.35},
    "hgb": {-40: 96, -5: 90, 0: 84, 7: 76, 14: 79, 21: 84, 28: 93, 60: 108, 95: 121},
    "plt": {-40: 72, -5: 61, 0: 48, 7: 22, 12: 19, 17: 34, 21: 58, 28: 104, 60: 138, 95: 165},
    "blast_pb_pct": {-40: 24, -6: 17, -3: 8, 0: 3, 4: 1, 7: 0},
    "reticulocytes": {-40: 1.0, 0: 0.4, 10: 0.2, 21: 1.1, 28: 1.9, 95: 1.4},
}

# How far through the inflammation a day is: 0 at rest, 1 at its height.
STRESS: Curve = {-1: 0, 0: 0.05, 2: 0.3, 4: 0.7, 6: 1, 8: 0.85, 10: 0.5, 14: 0.2, 21: 0.05, 28: 0}

# At rest, times at the height of a moderate course, decimals. Below 1 means it falls.
CHEMISTRY: dict[str, tuple[float, float, int]] = {
    "creatinine": (61, 1.15, 0),
    "alt": (22, 3.0, 0),
    "ast": (24, 2.8, 0),
    "tbil": (9.4, 1.7, 1),
    "dbil": (3.1, 1.8, 1),
    "alp": (78, 1.5, 0),
    "ggt": (31, 2.0, 0),
    "ldh": (232, 2.1, 0),
    "albumin": (40.5, 0.8, 1),
    "urea": (4.8, 1.3, 2),
    "uric_acid": (268, 1.2, 0),
    "glucose": (5.3, 1.3, 2),
    "sodium": (140, 0.98, 0),
    "potassium": (4.1, 0.9, 2),
    "calcium": (2.24, 0.93, 2),
    "phosphate": (1.12, 0.78, 2),
    "magnesium": (0.86, 0.94, 2),
    "crp": (5.2, 12.0, 1),
    "ferritin": (430, 6.0, 0),
    "triglycerides": (1.35, 1.7, 2),
}
COAGULATION: dict[str, tuple[float, float, int]] = {
    "inr": (1.04, 1.18, 2),
    "aptt": (31.5, 1.2, 1),
    "fibrinogen": (3.1, 0.72, 2),
    "d_dimer": (0.6, 3.5, 2),
}
# IL-6 stays modest in a moderate course: ssCART-19 cells carry a silencer of it.
CYTOKINES: dict[str, tuple[float, float, int]] = {
    "il6": (5.5, 22, 1),
    "il2": (2.1, 3, 1),
    "il10": (3.2, 18, 1),
    "ifn_gamma": (6.5, 45, 1),
    "tnf_alpha": (8.0, 3.2, 1),
    "il8": (14, 7, 1),
    "mcp1": (210, 9, 0),
    "gm_csf": (2.2, 4, 1),
    "sil2r": (860, 7, 0),
}
TOCILIZUMAB_RAISES_IL6 = 7.0

# CAR transgene copies per ug of DNA at level 2; the assay quantifies from LLOQ.
COPIES: Curve = {
    1: 420,
    4: 6_200,
    7: 52_000,
    10: 118_000,
    14: 84_000,
    17: 41_000,
    21: 17_500,
    28: 5_900,
    61: 1_300,
    92: 560,
    180: 140,
    270: 64,
    365: 22,
    730: 8,
}
LLOQ = 50
LEVEL_FACTOR = {"DL-1": 0.4, "DL1": 0.6, "DL2": 1.0, "DL3": 1.6}

B_CELLS: dict[str, Curve] = {
    "cd19_pct_lymph": {14: 0.4, 28: 0.2, 61: 0.1, 92: 0.3, 365: 1.6, 730: 6.5},
    "cd19_abs": {14: 0.003, 28: 0.002, 61: 0.001, 92: 0.004, 365: 0.02, 730: 0.09},
    "igg": {14: 7.4, 28: 6.3, 61: 5.1, 92: 4.8, 365: 5.6, 730: 7.9},
    "iga": {14: 1.1, 28: 0.8, 61: 0.6, 92: 0.5, 365: 0.7, 730: 1.2},
    "igm": {14: 0.5, 28: 0.3, 61: 0.2, 92: 0.2, 365: 0.3, 730: 0.6},
}


def along(curve: Curve, day: int) -> float:
    """The value of a curve on a day, on a straight line between two points and flat outside them."""
    days = sorted(curve)
    at = bisect_right(days, day)
    if at == 0 or at == len(days):
        return curve[days[0 if at == 0 else -1]]
    before, after = days[at - 1], days[at]
    share = (day - before) / (after - before)
    return curve[before] + (curve[after] - curve[before]) * share


def along_log(curve: Curve, day: int) -> float:
    """The same on a logarithmic scale, for what grows and decays."""
    return math.exp(along({at: math.log(value) for at, value in curve.items()}, day))


def under_stress(rest: float, times: float, day: int, severity: float) -> float:
    """A value at rest as the inflammation of a day moves it; `severity` 1 is a moderate course."""
    return rest * math.pow(times, along(STRESS, day) * severity)
