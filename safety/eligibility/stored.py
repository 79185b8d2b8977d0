"""Verdicts as they are kept: evaluated at every milestone in reach, and only what changed is written."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from json import loads
from typing import Any, NamedTuple
from uuid import UUID

from safety.binding import binding
from safety.casebook import Casebook, casebook
from safety.eligibility import from_casebook, milestones
from safety.eligibility.decision import Decision
from safety.eligibility.evaluate import CRITERION_IDS, JUDGES, MILESTONES, RULE_VERSION, Evaluation, evaluate
from safety.eligibility.evidence import evidence
from safety.eligibility.facts import Screening
from safety.models import EligibilityResult
from subjects.crf import CRF
from trial.at_once import rows_at_once
from trial.dates import utc_now
from trial.fields import uuid7
from trial.logic import Verdict
from trial.many import insert
from trial.protocol import PROTOCOLS, Protocol

READS: tuple[type[CRF], ...] = tuple(dict.fromkeys((*from_casebook.READS, *milestones.READS)))
NOT_YET = "NOT_YET"
Key = tuple[str, str]
_SAYS = ("verdict", "asked", "protocol_version", "rule_version", "signature_id", "verdict_now")
_LIGHT = ("id", "milestone", "criterion", "as_of", *_SAYS)
_HEAVY = ("reason_en", "reason_zh", "evidence")
_KEPT = (*_SAYS, *_HEAVY)
STORED = (
    f"SELECT subject_id, {', '.join(_LIGHT)},"
    + ",".join(f" CASE WHEN signature_id = ANY(%(signed)s) THEN NULL ELSE {name} END" for name in _HEAVY)
    + " FROM safety_eligibilityresult WHERE subject_id = ANY(%(ids)s)"
)
"""Every verdict of subjects `ids`. What was signed stays: words and evidence under a signature of `signed` are not read."""


class Stored(NamedTuple):
    """A verdict as it stands."""

    id: UUID
    milestone: str
    criterion: str
    as_of: date
    verdict: str
    asked: bool
    protocol_version: str
    rule_version: str
    signature_id: UUID | None
    verdict_now: str
    reason_en: str | None
    reason_zh: str | None
    evidence: Any


Standing = Mapping[Key, Stored]


def judged(book: Casebook, protocol: Protocol, milestone: str) -> tuple[Screening, Evaluation]:
    """The facts of a milestone as of its day, and the decisions on them."""
    facts = from_casebook.screening(book, milestone, milestones.as_of(book, milestone), protocol)
    return facts, evaluate(facts, protocol, milestone)


def evaluation_of(subject_id: UUID, milestone: str) -> Evaluation:
    """What the data say now of one milestone of a subject."""
    book = casebook(subject_id, READS)
    return judged(book, binding(book), milestone)[1]


def holding(evaluation: Evaluation) -> list[Decision]:
    """The decisions that do not let the subject in: failed, or not known where they should be."""
    protocol = PROTOCOLS[evaluation.protocol_version]
    return [
        one
        for one in evaluation.decisions
        if one.admits is not Verdict.MET and verdict_of(one, evaluation.milestone, protocol) != NOT_YET
    ]


def refresh(subject_id: UUID) -> None:
    """Bring the stored verdicts of one subject up to date inside the caller's attributed transaction."""
    book = casebook(subject_id, READS, judged=True)  # a locked checklist's signature stands by its versions
    rows = rows_at_once([STORED], {"ids": [subject_id], "signed": signatures(book)})[0]
    write([changes(book, binding(book), standing(rows).get(subject_id, {}))])


def verdict_of(decision: Decision, milestone: str, protocol: Protocol) -> str:
    """The verdict as it is kept: what cannot be known before a later milestone is not yet assessable."""
    return _kept(decision.criterion, decision.verdict, milestone, protocol)


def _kept(criterion: str, verdict: Verdict, milestone: str, protocol: Protocol) -> str:
    until = protocol.unknown_allowed_before.value.get(criterion)
    early = until is not None and MILESTONES.index(milestone) < MILESTONES.index(until)
    return NOT_YET if early and verdict is Verdict.UNKNOWN else str(verdict)


@dataclass(frozen=True)
class Changes:
    """What has to be written of one subject: rows that are new, and the columns of others by their keys."""

    fresh: Sequence[dict[str, Any]] = ()
    moved: Mapping[UUID, dict[str, Any]] = field(default_factory=dict)


def signatures(book: Casebook) -> list[UUID]:
    """The signatures that stand for the checklists of the milestones in reach."""
    return [
        one.pk for name in milestones.in_reach(book) if (one := milestones.signed(book, name)) is not None
    ]


def standing(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, dict[Key, Stored]]:
    """What STORED found, by subject, milestone and criterion."""
    found: dict[UUID, dict[Key, Stored]] = defaultdict(dict)
    for subject, *rest, seen in rows:
        one = Stored._make((*rest, None if seen is None else loads(seen)))
        found[subject][one.milestone, one.criterion] = one
    return found


def changes(book: Casebook, protocol: Protocol, stored: Standing) -> Changes:
    """What differs from what is stored of one subject."""
    fresh: list[dict[str, Any]] = []
    moved: dict[UUID, dict[str, Any]] = {}
    for milestone in milestones.in_reach(book):
        for key, wanted in wanted_rows(book, protocol, milestone, stored):
            there = stored.get(key)
            if there is None:
                fresh.append(_new(book, key, wanted))
            elif _differs(there, wanted, book):
                moved[there.id] = wanted
    return Changes(fresh, moved)


def write(found: Sequence[Changes]) -> None:
    """Write what differs inside the caller's attributed transaction."""
    insert(EligibilityResult, [row for one in found for row in one.fresh])
    moved = {key: wanted for one in found for key, wanted in one.moved.items()}
    for key, row in EligibilityResult.objects.in_bulk(list(moved)).items() if moved else ():
        _set(row, moved[key])


def wanted_rows(
    book: Casebook, protocol: Protocol, milestone: str, stored: Standing
) -> Iterator[tuple[Key, dict[str, Any]]]:
    """What should stand in each row of a milestone. A signed row keeps what was signed."""
    signature = milestones.signed(book, milestone)
    day = milestones.as_of(book, milestone)
    facts = from_casebook.screening(book, milestone, day, protocol)
    for name in CRITERION_IDS:
        key = (milestone, name)
        there = stored.get(key)
        if signature is not None and there is not None and there.signature_id == signature.pk:
            # The verdict alone: words and evidence would cost ten times it, and stay as they were signed.
            verdict = _kept(name, JUDGES[name].check(facts, protocol), milestone, protocol)
            yield key, {"verdict_now": "" if verdict == there.verdict else verdict}
            continue
        decision = JUDGES[name](facts, protocol)
        yield (
            key,
            {
                "verdict": verdict_of(decision, milestone, protocol),
                "asked": name in protocol.recheck.value[milestone],
                "reason_en": decision.en,
                "reason_zh": decision.zh,
                "evidence": evidence(book, facts, decision, protocol),
                "protocol_version": protocol.version,
                "rule_version": RULE_VERSION,
                "as_of": day,
                "signature_id": signature.pk if signature is not None else None,
                "verdict_now": "",
            },
        )


def _new(book: Casebook, key: Key, wanted: dict[str, Any]) -> dict[str, Any]:
    milestone, criterion = key
    return {
        "id": uuid7(),
        "version": 1,
        "subject_id": book.subject_id,
        "site_id": book.site.id,
        "milestone": milestone,
        "criterion": criterion,
        "decided_at": utc_now(),
        **wanted,
    }


def _differs(there: Stored, wanted: dict[str, Any], book: Casebook) -> bool:
    """Whether anything but the passing of days differs: the day counts only once it is settled."""
    settled = wanted.get("as_of", book.today)
    moved = settled < book.today and settled != there.as_of
    return moved or any(getattr(there, name) != wanted[name] for name in _KEPT if name in wanted)


def _set(there: EligibilityResult, wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        setattr(there, name, value)
    there.decided_at = utc_now() if "verdict" in wanted else there.decided_at
    there.save()


def out_of_step(book: Casebook, protocol: Protocol, stored: dict[Key, str]) -> bool:
    """Whether the clock alone has changed a verdict: only a milestone judged as of today can have moved."""
    for milestone in milestones.in_reach(book):
        if milestones.as_of(book, milestone) < book.today:
            continue
        facts = from_casebook.screening(book, milestone, book.today, protocol)
        for name in CRITERION_IDS:
            # The verdict alone: words and evidence would cost ten times it.
            found = JUDGES[name].check(facts, protocol)
            if stored.get((milestone, name)) != _kept(name, found, milestone, protocol):
                return True
    return False


def stored_verdicts(ids: Sequence[UUID]) -> dict[UUID, dict[Key, str]]:
    """What the data said last, by subject, milestone and criterion; of a signed row, what they would say now."""
    found: dict[UUID, dict[Key, str]] = {}
    rows = EligibilityResult.objects.filter(subject_id__in=ids)
    for subject, milestone, criterion, verdict, now in rows.values_list(
        "subject_id", "milestone", "criterion", "verdict", "verdict_now"
    ):
        found.setdefault(subject, {})[(milestone, criterion)] = now or verdict
    return found
