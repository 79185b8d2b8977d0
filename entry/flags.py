"""Deviations as pages show them: what is wrong, which rule says so, and the answers it looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from review.assessment import STATE, came_back, settled, state_of, version_of
from review.places import field_name, form_name
from review.shown import fact_value, limit_of
from safety.models import Deviation
from safety.rules import title_of
from subjects.crf import Subject
from trial.item import Basis
from trial.rules import Severity
from trial.sites import zone_of


@dataclass(frozen=True)
class Evidence:
    """One answer that a rule looked at, with the way to it."""

    form: str
    field: str
    value: str
    url: str


@dataclass(frozen=True)
class Flag:
    """One deviation, ready to be shown."""

    deviation: Deviation
    title: str
    severity: str
    basis: str
    limit: str
    facts: tuple[Evidence, ...]
    url: str
    state: str = ""
    came_back: bool = False


def flags_of(subject: Subject) -> dict[str, Any]:
    """The open flags of a subject, those that cannot be told yet last. Call inside `audit.reading`."""
    found = (
        Deviation.objects.select_related("assessment")
        .filter(subject_id=subject.pk)
        .exclude(status="CLEARED")
        .order_by("status", "rule_id", "key")
    )
    flags = shown(found)
    told = "|".join(f"{one.deviation.pk}:{version_of(one.deviation)}" for one in flags)
    return {
        "flags": flags,
        "open_flags": sum(
            1 for flag in flags if flag.deviation.status == "OPEN" and not settled(flag.deviation)
        ),
        "digest": sha256(told.encode()).hexdigest()[:16],
    }


def shown(deviations: Iterable[Deviation]) -> list[Flag]:
    """Deviations with their words, evidence and links."""
    return [
        Flag(
            deviation=one,
            title=title_of(one.rule_id),
            severity=_word(Severity, one.severity),
            basis=_word(Basis, one.basis),
            facts=tuple(_evidence(fact, zone_of(one.site_id)) for fact in one.evidence.get("facts", ())),
            limit=str(limit_of(one.evidence)),
            url=record_link(one.form, one.record_id, one.field),
            state="" if state_of(one) == "OPEN" else str(STATE.label(state_of(one))),
            came_back=came_back(one),
        )
        for one in deviations
    ]


def record_link(form: str, record: Any, field: str = "") -> str:
    """The address that leads to a record, or "" when none is named."""
    if not form or not record:
        return ""
    return f"/records/{form}/{record}" + (f"?field={field}" if field else "")


def _evidence(fact: dict[str, Any], zone: str) -> Evidence:
    form, field = fact.get("form", ""), fact.get("field", "")
    return Evidence(
        form_name(form),
        field_name(form, field),
        fact_value(form, field, fact.get("value"), zone),
        record_link(form, fact.get("record"), field),
    )


def _word(kind: Any, value: str) -> str:
    try:
        return str(kind(value).label)
    except ValueError:
        return value
