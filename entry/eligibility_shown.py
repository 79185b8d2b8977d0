"""What the eligibility page shows: milestones, criteria, and at each the verdict, its evidence and what is missing."""

from dataclasses import dataclass, field
from datetime import date

from review.signatures import Shown
from safety.models import EligibilityResult
from subjects.crf import Subject


@dataclass(frozen=True)
class FactShown:
    """One fact of the evidence, with the way to its record."""

    label: str
    value: str
    day: str
    url: str
    more: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Gap:
    """One fact that is missing, why, and where to enter it."""

    label: str
    why: str
    url: str
    where: str


@dataclass
class Cell:
    """One criterion at one milestone."""

    milestone: str
    verdict: str
    word: str
    icon: str
    asked: bool = False
    reached: bool = False
    answer: str = ""
    answer_word: str = ""
    discordant: bool = False
    now: str = ""
    now_word: str = ""
    reason: str = ""
    note: str = ""
    facts: list[FactShown] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    parts: list[tuple[str, str, str]] = field(default_factory=list)
    result: EligibilityResult | None = None


@dataclass
class CriterionRow:
    """One criterion over all milestones."""

    id: str
    text: str
    translated: str
    reading: str
    basis: str
    basis_code: str
    limit: str
    provisional: list[str]
    cells: list[Cell]

    @property
    def told(self) -> list[Cell]:
        """The milestones that say something of it, the latest first."""
        return [cell for cell in reversed(self.cells) if cell.result is not None]


@dataclass
class Column:
    """One milestone: what the data say together, what the investigator says, and what follows."""

    milestone: str
    label: str
    reached: bool
    computed: str = ""
    computed_word: str = ""
    answered: str = ""
    answered_word: str = ""
    outcome: str = ""
    outcome_word: str = ""
    as_of: date | None = None
    protocol: str = ""
    rules: str = ""
    signature: Shown | None = None
    frozen: bool = False
    changed: int = 0
    discordances: int = 0
    checklist: str = ""
    complete: bool = False
    new_url: str = ""


@dataclass(frozen=True)
class InfusionDay:
    """The day of the infusion that the interval after a transplant is held against, and the answer that says it."""

    day: str
    where: str
    url: str
    verdict: str


@dataclass
class Page:
    """Everything that is known of one subject's eligibility."""

    subject: Subject
    columns: list[Column]
    rows: list[CriterionRow]
    earliest: dict[str, str] | None
    infusion: "InfusionDay | None" = None

    @property
    def current(self) -> Column | None:
        """The latest milestone in reach."""
        return next((one for one in reversed(self.columns) if one.reached), None)
