"""Three-valued logic: a rule that cannot tell says so."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """Kleene's strong logic. UNKNOWN is an answer, never an error."""

    MET = "MET"
    NOT_MET = "NOT_MET"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def of(cls, fact: bool | None) -> "Verdict":
        """MET for True, NOT_MET for False, UNKNOWN for None."""
        if fact is None:
            return cls.UNKNOWN
        return cls.MET if fact else cls.NOT_MET

    def __invert__(self) -> "Verdict":
        return {Verdict.MET: Verdict.NOT_MET, Verdict.NOT_MET: Verdict.MET}.get(self, Verdict.UNKNOWN)


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """NOT_MET if any is, else UNKNOWN if any is, else MET."""
    seen = set(verdicts)
    if Verdict.NOT_MET in seen:
        return Verdict.NOT_MET
    return Verdict.UNKNOWN if Verdict.UNKNOWN in seen else Verdict.MET


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """MET if any is, else UNKNOWN if any is, else NOT_MET."""
    seen = set(verdicts)
    if Verdict.MET in seen:
        return Verdict.MET
    return Verdict.UNKNOWN if Verdict.UNKNOWN in seen else Verdict.NOT_MET
