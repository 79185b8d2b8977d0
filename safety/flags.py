"""Flags as they are kept: what rules found, described once, and written only where it differs from what stands."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json import loads
from typing import Any, NamedTuple
from uuid import UUID

from safety.casebook import Casebook
from safety.models import Deviation
from trial.fields import uuid7
from trial.many import insert
from trial.protocol import Protocol
from trial.rules import Finding, Rule

Key = tuple[str, str]
Found = Mapping[Key, tuple[Rule, Finding]]


class Flag(NamedTuple):
    """A deviation as it stands, by the names of its columns."""

    id: UUID
    status: str
    severity: str
    form: str
    record_id: UUID | None
    field: str
    message_en: str
    message_zh: str
    citation: str
    basis: str
    evidence: Any
    protocol_version: str


STORED = (
    f"SELECT subject_id, rule_id, key, {', '.join(Flag._fields)} FROM safety_deviation"
    " WHERE subject_id = ANY(%(ids)s)"
)
"""Every flag of subjects `ids`, cleared ones too."""
Standing = Mapping[Key, Flag]
_EVIDENCE = Flag._fields.index("evidence")


@dataclass(frozen=True)
class Change:
    """What one evaluation stored: ids of deviations opened, changed or cleared."""

    opened: int = 0
    changed: int = 0
    cleared: int = 0


@dataclass(frozen=True)
class Changes:
    """What has to be written of one subject: rows that are new, the columns of others by their keys, and the count."""

    fresh: Sequence[dict[str, Any]] = ()
    moved: Mapping[UUID, dict[str, Any]] = field(default_factory=dict)
    counted: Change = Change()


def standing(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, dict[Key, Flag]]:
    """What STORED found, by subject, rule and key."""
    found: dict[UUID, dict[Key, Flag]] = defaultdict(dict)
    for subject, rule, key, *rest in rows:
        rest[_EVIDENCE] = loads(rest[_EVIDENCE])
        found[subject][rule, key] = Flag(*rest)
    return found


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
            **({"limit_zh": finding.limit_zh} if finding.limit_zh else {}),
        },
        "protocol_version": protocol.version,
    }


def differs(there: Deviation | Flag, wanted: Mapping[str, Any]) -> bool:
    """Whether a stored flag is another than what is wanted."""
    return any(getattr(there, name) != value for name, value in wanted.items())


def changes(book: Casebook, protocol: Protocol, found: Found, stored: Standing, now: datetime) -> Changes:
    """What differs from what is stored of one subject."""
    fresh: list[dict[str, Any]] = []
    moved: dict[UUID, dict[str, Any]] = {}
    for key, (rule, finding) in found.items():
        wanted = described(rule, finding, protocol)
        there = stored.get(key)
        if there is None:
            fresh.append(_new(book, key, wanted, now))
        elif differs(there, wanted):
            moved[there.id] = {**wanted, "cleared_at": None}
    gone = {
        there.id: {"status": "CLEARED", "cleared_at": now}
        for key, there in stored.items()
        if key not in found and there.status != "CLEARED"
    }
    return Changes(fresh, {**moved, **gone}, Change(len(fresh), len(moved), len(gone)))


def write(found: Sequence[Changes]) -> None:
    """Write what differs inside the caller's attributed transaction."""
    insert(Deviation, [row for one in found for row in one.fresh])
    moved = {key: values for one in found for key, values in one.moved.items()}
    for key, row in Deviation.objects.in_bulk(list(moved)).items() if moved else ():
        for name, value in moved[key].items():
            setattr(row, name, value)
        row.save(force_update=True)


def _new(book: Casebook, key: Key, wanted: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "version": 1,
        "subject_id": book.subject_id,
        "site_id": book.site.id,
        "rule_id": key[0],
        "key": key[1],
        "detected_at": now,
        **wanted,
    }
