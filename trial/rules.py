"""The vocabulary of rules: a small pure function with a permanent id, a citation and findings.

@rule("DV-01", en="Infusion under 3 months after allogeneic SCT", zh="异基因移植后不足 3 个月回输",
      cites="registry I-01(2)", basis=Basis.REGISTRY, severity=Severity.IMPORTANT, reads=(Infusion, PriorTransplant))
def infusion_respects_sct_interval(book, protocol):
    yield Finding(...)
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from trial.item import Basis
from trial.protocol import Protocol
from trial.text import T


class Severity(StrEnum):
    """ICH E3(R1) Q&A 7 knows only IMPORTANT; MAJOR and MINOR are the usual company grades below it."""

    IMPORTANT = "IMPORTANT"
    MAJOR = "MAJOR"
    MINOR = "MINOR"

    @property
    def label(self) -> str:
        """The grade's name in the active language."""
        return {
            Severity.IMPORTANT: T("Important", "重要"),
            Severity.MAJOR: T("Major", "重大"),
            Severity.MINOR: T("Minor", "轻微"),
        }[self]


@dataclass(frozen=True)
class Fact:
    """One answer a rule looked at."""

    form: str
    record: UUID | None
    field: str
    value: str


@dataclass(frozen=True)
class Finding:
    """A rule is broken, or cannot tell (`pending`). `key` is permanent per thing found; it points at one field.

    `limit_zh` says the limit in Chinese where `limit` has words; figures and signs need no other language.
    """

    key: str
    en: str
    zh: str
    form: str = ""
    record: UUID | None = None
    field: str = ""
    facts: tuple[Fact, ...] = ()
    limit: str = ""
    pending: bool = False
    severity: Severity | None = None
    limit_zh: str = ""


Check = Callable[[Any, Protocol], Iterable[Finding]]
Asks = Mapping[Any, tuple[str, ...]]
"""Form to the columns that are asked of it."""


@dataclass(frozen=True)
class Rule:
    """A rule as it is listed, cited and run. `clocked` rules can break by time passing alone, rules that look
    `across` subjects by what is entered for another one. What a rule `asks` of the forms it reads is stated where it is
    looked for in the whole study by itself."""

    id: str
    en: str
    zh: str
    cites: str
    basis: Basis
    severity: Severity
    category: str
    reads: tuple[type, ...]
    check: Check = field(repr=False)
    clocked: bool = False
    across: bool = False
    asks: Asks = field(default_factory=dict, repr=False)

    @property
    def title(self) -> str:
        """The rule's short title in the active language."""
        return T(self.en, self.zh)

    @property
    def text(self) -> str:
        """What the rule says, from the function's docstring."""
        return " ".join((self.check.__doc__ or "").split())

    def __call__(self, book: Any, protocol: Protocol) -> list[Finding]:
        """The rule's findings for one casebook under one protocol version."""
        return list(self.check(book, protocol))


def rule(
    id_: str,
    *,
    en: str,
    zh: str,
    cites: str,
    basis: Basis,
    severity: Severity,
    category: str,
    reads: tuple[type, ...],
    clocked: bool = False,
    across: bool = False,
    asks: Asks | None = None,
) -> Callable[[Check], Rule]:
    """Make a rule of a function; the function's docstring is the rule's text."""
    return lambda check: Rule(
        id_, en, zh, cites, basis, severity, category, reads, check, clocked, across, asks or {}
    )
