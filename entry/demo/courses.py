"""How cytokine release syndrome (CRS) and neurotoxicity (ICANS) run: one row per day with signs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Crs:
    """The signs of one day. Grades after ASTCT 2019."""

    temp: str
    grade: int = 1
    hypotension: bool = False
    pressors: tuple[str, ...] = ("NONE",)
    device: str = "NONE"
    flow: str = ""


@dataclass(frozen=True)
class Icans:
    """The neurological signs of one day: points lost in the ICE score, by item."""

    grade: int
    lost: Mapping[str, int]
    consciousness: str = "AWAKENS_SPONTANEOUSLY"
    seizure: str = "NONE"


@dataclass(frozen=True)
class Course:
    """A whole course. `severity` moves the laboratory values (1 is moderate); the days count from Day 0."""

    severity: float
    crs: Mapping[int, Crs] = field(default_factory=dict)
    icans: Mapping[int, Icans] = field(default_factory=dict)
    tocilizumab: tuple[int, ...] = ()
    steroid: tuple[int, ...] = ()


FORGETFUL = {"orient_month": 1, "attention": 1}
CONFUSED = {"orient_year": 1, "orient_month": 1, "naming": 1, "writing": 1, "attention": 1}
HARDLY_SPEAKING = {
    "orient_year": 1,
    "orient_month": 1,
    "orient_city": 1,
    "naming": 2,
    "commands": 1,
    "writing": 1,
    "attention": 1,
}
NOREPINEPHRINE = ("NOREPINEPHRINE",)

QUIET = Course(0.3, {5: Crs("38.1")})
MILD = Course(0.7, {3: Crs("38.3"), 4: Crs("38.9"), 5: Crs("39.2"), 6: Crs("38.6")})
MODERATE = Course(
    1.0,
    {
        3: Crs("38.4"),
        4: Crs("39.3"),
        5: Crs("39.8", 2, hypotension=True),
        6: Crs("38.7", 2, device="NASAL_CANNULA", flow="3"),
        7: Crs("38.1", 1),
    },
    tocilizumab=(5,),
)
SEVERE = Course(
    1.4,
    {
        2: Crs("38.6"),
        3: Crs("39.6"),
        4: Crs("40.2", 2, hypotension=True),
        5: Crs("40.4", 3, hypotension=True, pressors=NOREPINEPHRINE, device="NASAL_CANNULA", flow="4"),
        6: Crs("39.1", 3, hypotension=True, pressors=NOREPINEPHRINE, device="NASAL_CANNULA", flow="3"),
        7: Crs("38.2", 2, device="NASAL_CANNULA", flow="2"),
        8: Crs("38.0", 1),
    },
    {
        7: Icans(1, FORGETFUL),
        8: Icans(3, HARDLY_SPEAKING, "AWAKENS_TO_TACTILE_ONLY"),
        9: Icans(2, CONFUSED, "AWAKENS_TO_VOICE"),
        10: Icans(1, FORGETFUL),
    },
    tocilizumab=(4, 5),
    steroid=(8, 9, 10),
)
FATAL = Course(
    1.9,
    {
        2: Crs("39.1"),
        3: Crs("40.1", 2, hypotension=True),
        4: Crs("40.6", 3, hypotension=True, pressors=NOREPINEPHRINE, device="HIGH_FLOW_NC", flow="30"),
        5: Crs("41.3", 4, True, ("NOREPINEPHRINE", "EPINEPHRINE"), "HIGH_FLOW_NC", "50"),
        6: Crs("40.2", 4, True, ("NOREPINEPHRINE", "EPINEPHRINE"), "HIGH_FLOW_NC", "40"),
        7: Crs("39.4", 3, True, NOREPINEPHRINE, "HIGH_FLOW_NC", "30"),
        8: Crs("38.8", 2, hypotension=True, device="NASAL_CANNULA", flow="4"),
        9: Crs("38.3", 1),
    },
    {
        7: Icans(2, CONFUSED, "AWAKENS_TO_VOICE"),
        8: Icans(2, CONFUSED, "AWAKENS_TO_VOICE"),
        9: Icans(1, FORGETFUL),
    },
    tocilizumab=(3, 4, 5),
    steroid=(7, 8, 9, 10),
)
