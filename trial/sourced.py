"""A value of the study with where it comes from."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from trial.item import Basis

V = TypeVar("V")


@dataclass(frozen=True)
class Sourced(Generic[V]):
    """A value of the protocol: its basis, where that is written, and what to know when reading it."""

    value: V
    basis: Basis
    cite: str
    note: str = ""


def registry(value: V, cite: str, note: str = "") -> Sourced[V]:
    """A value that the registry record states."""
    return Sourced(value, Basis.REGISTRY, cite, note)


def guideline(value: V, cite: str, note: str = "") -> Sourced[V]:
    """A value of a guideline."""
    return Sourced(value, Basis.GUIDELINE, cite, note)


def default(value: V, cite: str, note: str = "") -> Sourced[V]:
    """A value of ours: an illustrative default."""
    return Sourced(value, Basis.DEFAULT, cite, note)
