"""The dose levels of the study, each with where its number comes from."""

from dataclasses import dataclass
from decimal import Decimal

from trial.item import Basis
from trial.text import T


@dataclass(frozen=True)
class DoseLevel:
    """A dose level. `per_kg` is the planned number of viable CAR-positive T cells per kg of body weight."""

    code: str
    per_kg: Decimal
    en: str
    zh: str
    basis: Basis
    cite: str
    expansion: bool = False

    @property
    def label(self) -> str:
        """The level's name in the active language."""
        return T(self.en, self.zh)


_ABSTRACT = "Xue et al., SSRN 5205125 (2025), preprint, abstract"

LEVELS: tuple[DoseLevel, ...] = (
    DoseLevel(
        "DL-1",
        Decimal("0.5e6"),
        "Level −1: 0.5 × 10^6 cells/kg",
        "剂量水平 −1:0.5×10^6 细胞/kg",
        Basis.DEFAULT,
        "Not published; only for de-escalation below the first level",
    ),
    DoseLevel(
        "DL1",
        Decimal("1e6"),
        "Level 1: 1 × 10^6 cells/kg",
        "剂量水平 1:1×10^6 细胞/kg",
        Basis.PUBLISHED,
        _ABSTRACT,
        expansion=True,
    ),
    DoseLevel(
        "DL2",
        Decimal("5e6"),
        "Level 2: 5 × 10^6 cells/kg",
        "剂量水平 2:5×10^6 细胞/kg",
        Basis.PUBLISHED,
        _ABSTRACT,
    ),
    DoseLevel(
        "DL3",
        Decimal("1e7"),
        "Level 3: 10 × 10^6 cells/kg",
        "剂量水平 3:10×10^6 细胞/kg",
        Basis.PUBLISHED,
        _ABSTRACT,
    ),
)

_BY_CODE = {level.code: level for level in LEVELS}


def level(code: str) -> DoseLevel | None:
    """The level with this code, or None when there is none."""
    return _BY_CODE.get(code)


def planned_per_kg(code: str) -> Decimal | None:
    """The planned cells per kilogram at this level, or None when there is no such level."""
    found = level(code)
    return None if found is None else found.per_kg
