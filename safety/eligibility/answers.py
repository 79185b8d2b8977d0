"""Single answers as verdicts: what is not known stays UNKNOWN."""

from collections.abc import Iterable
from decimal import Decimal

from trial.logic import Verdict

Known = Decimal | int | None


def yes(answer: str | bool | None) -> Verdict:
    """YES is MET, NO is NOT_MET, anything else is UNKNOWN."""
    if isinstance(answer, bool):
        return Verdict.of(answer)
    return Verdict.of({"YES": True, "NO": False}.get(answer or ""))


def positive(result: str | None) -> Verdict:
    """POSITIVE is MET, NEGATIVE is NOT_MET; indeterminate, not done and missing are UNKNOWN."""
    return Verdict.of({"POSITIVE": True, "NEGATIVE": False}.get(result or ""))


def detected(result: str | None, above: Iterable[str]) -> Verdict:
    """Whether a nucleic acid is above the limit of detection, by the answers that say so."""
    if result in tuple(above):
        return Verdict.MET
    return Verdict.NOT_MET if result == "NOT_DETECTED" else Verdict.UNKNOWN


def one_of(answer: str | None, wanted: Iterable[str]) -> Verdict:
    """Whether the answer is one of those wanted; UNKNOWN without one."""
    return Verdict.UNKNOWN if answer in (None, "", "UNKNOWN") else Verdict.of(answer in tuple(wanted))


def at_least(value: Known, limit: Decimal | int) -> Verdict:
    """Whether the value reaches the limit, the limit itself included."""
    return Verdict.of(None if value is None else value >= limit)


def above(value: Known, limit: Decimal | int) -> Verdict:
    """Whether the value is strictly above the limit."""
    return Verdict.of(None if value is None else value > limit)


def at_most(value: Known, limit: Known, qualifier: str = "") -> Verdict:
    """Whether the value stays within the limit, itself included.

    A bounded result ("< 30") decides only where every value it could be decides alike.
    """
    if value is None or limit is None:
        return Verdict.UNKNOWN
    if qualifier in ("<", "<="):
        return Verdict.MET if value <= limit else Verdict.UNKNOWN
    if qualifier in (">", ">="):
        beyond = value >= limit if qualifier == ">" else value > limit
        return Verdict.NOT_MET if beyond else Verdict.UNKNOWN
    return Verdict.of(value <= limit)
