"""Every group of vectors with its adapter, and the running of a file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from safety.vectors import criteria, derivations, gradings
from safety.vectors.compare import Same, close, same

Adapter = Callable[[dict[str, Any]], Any]

ADAPTERS: dict[str, Adapter] = {
    "CRS": gradings.crs,
    "ICE": gradings.ice,
    "ICANS": gradings.icans,
    "CTCAE": gradings.ctcae,
    "BSA": derivations.bsa,
    "UNITS": derivations.units,
    "CRCL_FLU": derivations.renal_dose,
    "PK": derivations.pk,
    "CALENDAR": criteria.calendar,
    "AGE": criteria.age,
    "DOSE": derivations.dose,
    "ELIGIBILITY": criteria.eligibility,
    "RESPONSE": derivations.response,
    "MRD": derivations.mrd,
    "ORR": derivations.orr,
    "TTE": derivations.time_to_event,
    "BCELL": derivations.aplasia,
}
NOT_BUILT = ("THREE_PLUS_THREE", "BOIN", "BOIN_TABLE", "BOIN_SELECT", "MTPI2", "CRM", "STAGGER", "DLT")


def _renal(expected: Any, got: Any) -> bool:
    """The renal factor is exact; the rest as printed."""
    if not isinstance(expected, dict):
        return same(expected, got)
    factor = expected.get("factor")
    exact = got["factor"] is None if factor is None else got["factor"] == Decimal(str(factor))
    return exact and same({**expected, "factor": None}, {**got, "factor": None})


COMPARED: dict[str, Same] = {"UNITS": close, "CRCL_FLU": _renal}


@dataclass(frozen=True)
class Difference:
    """A vector that did not come out as expected."""

    id: str
    expected: Any
    got: Any


@dataclass(frozen=True)
class Outcome:
    """How a group did. `state` is "run", "not built" or "unknown group"."""

    name: str
    state: str
    total: int = 0
    differences: tuple[Difference, ...] = ()

    @property
    def passed(self) -> int:
        """Vectors that came out as expected."""
        return self.total - len(self.differences)


def load(path: Path) -> dict[str, Any]:
    """The groups of a file, numbers exact. Raises OSError or ValueError when it is no such file."""
    document = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    groups = document.get("groups") if isinstance(document, dict) else None
    if not isinstance(groups, dict):
        raise ValueError(f"{path} has no groups")
    for name, group in groups.items():
        if name not in NOT_BUILT and not (isinstance(group, dict) and isinstance(group.get("vectors"), list)):
            raise ValueError(f"{path}: group {name} has no list of vectors")
    return groups


def run(groups: dict[str, Any]) -> list[Outcome]:
    """Run every group in the order of the file."""
    return [run_group(name, [] if name in NOT_BUILT else group["vectors"]) for name, group in groups.items()]


def run_group(name: str, vectors: list[Any]) -> Outcome:
    """Run one group."""
    if name in NOT_BUILT:
        return Outcome(name, "not built")
    if name not in ADAPTERS:
        return Outcome(name, "unknown group", len(vectors))
    compared = COMPARED.get(name, same)
    differences = tuple(one for vector in vectors if (one := _difference(ADAPTERS[name], vector, compared)))
    return Outcome(name, "run", len(vectors), differences)


def _difference(adapter: Adapter, vector: Any, compared: Same) -> Difference | None:
    """None when the vector comes out; an error, or no vector at all, counts as a result that was not expected."""
    if not isinstance(vector, dict) or not {"input", "expected"} <= set(vector):
        # Without this a vector that lost its expectation would pass wherever the result is null.
        name = vector.get("id", "?") if isinstance(vector, dict) else "?"
        return Difference(name, None, "no vector: it needs an input and an expected result")
    expected = vector["expected"]
    try:
        got = adapter(vector["input"] or {})
        agrees = compared(expected, got)
    except Exception as error:
        return Difference(vector.get("id", "?"), expected, f"{type(error).__name__}: {error}")
    return None if agrees else Difference(vector.get("id", "?"), expected, got)
