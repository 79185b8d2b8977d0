"""A `Decision` on one criterion, and how a function that gives a verdict becomes one that explains it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from safety.eligibility.facts import WORDING, Screening
from trial.dates import Span
from trial.item import Basis
from trial.logic import Verdict
from trial.protocol import Protocol
from trial.registry import criterion
from trial.rules import Fact
from trial.text import T

Words = tuple[str, str]
Verdicts = Callable[[Screening, Protocol], Verdict]
_INCLUSION = {
    Verdict.MET: ("Met", "符合"),
    Verdict.NOT_MET: ("Not met", "不符合"),
    Verdict.UNKNOWN: ("Cannot be told", "不能判定"),
}
_EXCLUSION = {
    Verdict.MET: ("Exclusion present", "存在排除情况"),
    Verdict.NOT_MET: ("Exclusion not present", "不存在排除情况"),
    Verdict.UNKNOWN: ("Cannot be told", "不能判定"),
}


@dataclass(frozen=True)
class Decision:
    """What the data say of one criterion. For an exclusion MET means that it is present.

    `evidence` holds the facts looked at with where they stand, `lacking` the names of those not known, `limit` what
    the criterion asks, and `note` what should be asked about although it decides nothing.
    """

    criterion: str
    verdict: Verdict
    evidence: tuple[Fact, ...]
    lacking: tuple[str, ...]
    limit: Words
    en: str
    zh: str
    note: Words | None = None
    parts: "tuple[Decision, ...]" = ()

    @property
    def reason(self) -> str:
        """Why, in the active language."""
        return T(self.en, self.zh)

    @property
    def text(self) -> str:
        """The criterion as registered, letter for letter."""
        return criterion(self.criterion[:4]).text

    @property
    def admits(self) -> Verdict:
        """MET when the criterion lets the subject in: an inclusion met, an exclusion not."""
        return self.verdict if self.criterion.startswith("I") else ~self.verdict


@dataclass(frozen=True)
class Judge:
    """One criterion as a function: called with the facts and the protocol it gives a `Decision`."""

    id: str
    uses: tuple[str, ...]
    basis: Basis
    limit: Callable[[Protocol], Words]
    check: Verdicts = field(repr=False)
    note: Callable[[Screening, Protocol], Words | None] | None = field(default=None, repr=False)
    parts: "tuple[Judge, ...]" = ()

    @property
    def text(self) -> str:
        """How the criterion is read, from the function's docstring."""
        return " ".join((self.check.__doc__ or "").split())

    def __call__(self, facts: Screening, protocol: Protocol) -> Decision:
        """The decision on these facts under this protocol version."""
        verdict, limit = self.check(facts, protocol), self.limit(protocol)
        lacking = tuple(name for name in self.uses if _absent(getattr(facts, name)))
        shown = [name for name in self.uses if name not in lacking]
        words = (_INCLUSION if self.id.startswith("I") else _EXCLUSION)[verdict]
        reasons = [_reason(facts, words[at], limit[at], shown, lacking, verdict, at) for at in (0, 1)]
        return Decision(
            self.id,
            verdict,
            tuple(_evidence(facts, name) for name in shown),
            lacking,
            limit,
            reasons[0],
            reasons[1],
            self.note(facts, protocol) if self.note else None,
            tuple(part(facts, protocol) for part in self.parts),
        )


def judges(
    id_: str,
    *uses: str,
    limit: Callable[[Protocol], Words],
    basis: Basis = Basis.REGISTRY,
    note: Callable[[Screening, Protocol], Words | None] | None = None,
    parts: tuple[Judge, ...] = (),
) -> Callable[[Verdicts], Judge]:
    """Make the judge of a criterion out of a function; `uses` names the facts it looks at."""
    criterion(id_[:4])
    named = uses or tuple(dict.fromkeys(name for part in parts for name in part.uses))
    return lambda check: Judge(id_, named, basis, limit, check, note, parts)


def _absent(value: Any) -> bool:
    return value is None or value in ("", "UNKNOWN")


def _evidence(facts: Screening, name: str) -> Fact:
    source = facts.sources.get(name)
    said = _said(getattr(facts, name))
    return Fact(source.form, source.record, source.field, said) if source else Fact("", None, name, said)


def _said(value: Any) -> str:
    if isinstance(value, Span):
        return str(value.first) if value.known else f"{value.first} – {value.last}"
    if isinstance(value, tuple):
        return ", ".join(_said(one) for one in value) or "—"
    return str(value)


def _reason(
    facts: Screening,
    verdict: str,
    limit: str,
    shown: list[str],
    lacking: tuple[str, ...],
    what: Verdict,
    at: int,
) -> str:
    """The sentence: verdict, what was seen, what is asked, and if nothing can be told, what is lacking."""
    seen = ", ".join(_shown(facts, name, at) for name in shown)
    gaps = ", ".join(_gap(facts, name, at) for name in lacking) if what is Verdict.UNKNOWN else ""
    parts = [f"{verdict}: {seen}" if seen else verdict, f"{('Asked', '要求')[at]}: {limit}"]
    if gaps:
        parts.append(f"{('Not known', '缺少')[at]}: {gaps}")
    return "; ".join(parts) + "." if at == 0 else ";".join(parts) + "。"


def _shown(facts: Screening, name: str, at: int) -> str:
    wording, value = WORDING[name], getattr(facts, name)
    answers = [_said(one) for one in value] if isinstance(value, tuple) else [_said(value)]
    said = (", ", "、")[at].join(wording.said(one, at) for one in answers) or "—"
    source = facts.sources.get(name)
    dated = f" ({source.day})" if source and source.day and source.day != said else ""
    return f"{(wording.en, wording.zh)[at]} {said}{' ' + wording.unit if wording.unit else ''}{dated}"


def _gap(facts: Screening, name: str, at: int) -> str:
    wording, why = WORDING[name], facts.lacking.get(name)
    return f"{(wording.en, wording.zh)[at]}{f' ({why[at]})' if why else ''}"
