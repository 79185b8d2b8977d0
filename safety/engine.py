"""The deviation engine: what the rules find, less what is already flagged, is stored; nothing else is touched."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from uuid import UUID

from safety.binding import binding
from safety.casebook import Casebook, casebook, casebooks
from safety.models import Deviation
from safety.rules import RULES
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Actor
from trial.dates import utc_now
from trial.protocol import Protocol
from trial.rules import Finding, Rule

READS: tuple[type[CRF], ...] = tuple(dict.fromkeys(form for rule in RULES.values() for form in rule.reads))


@dataclass(frozen=True)
class Change:
    """What one evaluation stored: ids of deviations opened, changed or cleared."""

    opened: int = 0
    changed: int = 0
    cleared: int = 0


def find(
    book: Casebook, protocol: Protocol, rules: Iterable[Rule] | None = None
) -> dict[tuple[str, str], tuple[Rule, Finding]]:
    """Everything the rules find for one subject, by (rule id, key)."""
    found: dict[tuple[str, str], tuple[Rule, Finding]] = {}
    for rule in RULES.values() if rules is None else rules:
        for finding in rule(book, protocol):
            found.setdefault((rule.id, finding.key), (rule, finding))
    return found


def evaluate(subject_id: UUID, *, by: Actor, because: str = "") -> Change:
    """Re-evaluate one subject and store the difference. One transaction; the subject's row is locked throughout."""
    with audit.transaction(by, reason=because or "rules evaluated"):
        if not Subject.objects.select_for_update().filter(pk=subject_id).exists():
            return Change()
        return evaluate_locked(subject_id)


def evaluate_locked(subject_id: UUID) -> Change:
    """The same, for a caller that holds the subject's lock inside an attributed transaction."""
    book = casebook(subject_id, READS)
    protocol = binding(book)
    found = find(book, protocol)
    stored = {(d.rule_id, d.key): d for d in Deviation.objects.filter(subject_id=subject_id)}
    return _store(book, protocol, found, stored)


def _store(
    book: Casebook,
    protocol: Protocol,
    found: dict[tuple[str, str], tuple[Rule, Finding]],
    stored: dict[tuple[str, str], Deviation],
) -> Change:
    opened = changed = cleared = 0
    now = utc_now()
    for key, (rule, finding) in found.items():
        wanted = described(rule, finding, protocol)
        there = stored.get(key)
        if there is None:
            Deviation(
                subject_id=book.subject_id,
                site_id=book.site.id,
                rule_id=rule.id,
                key=finding.key,
                detected_at=now,
                **wanted,
            ).save(force_insert=True)
            opened += 1
        elif _differs(there, wanted):
            changed += 1
            _set(there, {**wanted, "cleared_at": None})
    for key, there in stored.items():
        if key not in found and there.status != "CLEARED":
            _set(there, {"status": "CLEARED", "cleared_at": now})
            cleared += 1
    return Change(opened, changed, cleared)


def described(rule: Rule, finding: Finding, protocol: Protocol) -> dict[str, Any]:
    """The stored form of a finding: words, evidence, citation, version."""
    return {
        "status": "PENDING" if finding.pending else "OPEN",
        "severity": str(finding.severity or rule.severity),
        "form": finding.form,
        "record_id": finding.record,
        "field": finding.field,
        "message_en": finding.en,
        "message_zh": finding.zh,
        "citation": rule.cites,
        "basis": str(rule.basis),
        "evidence": {
            "facts": [
                {
                    "form": f.form,
                    "record": str(f.record) if f.record else None,
                    "field": f.field,
                    "value": f.value,
                }
                for f in finding.facts
            ],
            "limit": finding.limit,
        },
        "protocol_version": protocol.version,
    }


def _differs(there: Deviation, wanted: dict[str, Any]) -> bool:
    return any(getattr(there, name) != value for name, value in wanted.items())


def _set(deviation: Deviation, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(deviation, name, value)
    deviation.save(force_update=True)


def sweep(*, by: Actor, chunk: int = 200) -> Iterator[UUID]:
    """The subjects whose stored flags differ from what the rules find now. Reads set-wise, in flat memory."""
    last: UUID | None = None
    while True:
        with audit.reading(by):
            ids = _next_subjects(last, chunk)
            wrong = list(_out_of_step(ids)) if ids else []
        yield from wrong
        if len(ids) < chunk:
            return
        last = ids[-1]


def _next_subjects(last: UUID | None, chunk: int) -> list[UUID]:
    subjects = Subject.objects.order_by("pk")
    if last is not None:
        subjects = subjects.filter(pk__gt=last)
    return list(subjects.values_list("pk", flat=True)[:chunk])


_COMPARED = ("status", "severity", "record_id", "field", "message_en", "protocol_version")
_compared = itemgetter(*_COMPARED)


def _out_of_step(ids: Sequence[UUID]) -> Iterator[UUID]:
    stored: dict[UUID, dict[tuple[str, str], tuple[Any, ...]]] = {}
    rows = Deviation.objects.filter(subject_id__in=ids).exclude(status="CLEARED")
    for subject_id, rule_id, key, *rest in rows.values_list("subject_id", "rule_id", "key", *_COMPARED):
        stored.setdefault(subject_id, {})[(rule_id, key)] = tuple(rest)
    for book in casebooks(ids, READS):
        protocol = binding(book)
        found = {
            key: _compared(described(rule, finding, protocol))
            for key, (rule, finding) in find(book, protocol).items()
        }
        if found != stored.get(book.subject_id, {}):
            yield book.subject_id
