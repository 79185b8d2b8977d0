"""Creating, correcting and retracting records for a token, all through the one door."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError

from entry.door import NotFound, Rejected, Saved, retract_record, save_record
from exchange.filters import is_uuid
from exchange.incoming import Sent, apply
from exchange.problems import ApiProblem, problem_of_header
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Actor
from trial.fields import uuid7
from trial.findings import Problem
from trial.integrity import history_model
from trial.item import items
from trial.sites import zone_of
from trial.text import T

SPACE = UUID("5f0a4c1e-6d0c-5c3f-9a3e-19c0ffee0019")


@dataclass
class Made:
    """A record, whether this request made it, and what it asks about."""

    saved: Saved
    fresh: bool


def subject_of(actor: Actor, named: str) -> Subject:
    """A subject of the actor's sites by number or id. Raises NotFound for one of another site as for none."""
    with audit.reading(actor):
        wanted = {"pk": named} if is_uuid(named) else {"subjid": named[:40]}
        subject = Subject.objects.select_related("site").filter(**wanted).first()
    if subject is None or not actor.at(subject.site_id):
        raise NotFound
    return subject


def record_of(actor: Actor, model: type[CRF], key: str) -> CRF:
    """A record of the actor's sites, with its subject and site. Raises NotFound."""
    record = None
    if is_uuid(key):
        with audit.reading(actor):
            record = model._default_manager.select_related("subject", "site").filter(pk=key).first()
    if record is None or not actor.at(record.site_id):
        raise NotFound
    return record


def create(actor: Actor, model: type[CRF], sent: Sent, key: str) -> Made:
    """A new record; with an Idempotency-Key, at most one however often the request comes."""
    if not sent.subject:
        said = T("Say whose record this is: “subject”: “01-001”.", "请说明受试者:“subject”: “01-001”。")
        raise Rejected([Problem("subject", "required", said, limit="01-001")])
    subject = subject_of(actor, sent.subject)
    record = _fresh(actor, model, subject, sent, key)
    if key:
        again = replayed(actor, record)
        if again:
            return again
    try:
        return Made(save_record(record, by=actor, reason=sent.reason), fresh=True)
    except (Rejected, IntegrityError):
        again = replayed(actor, record) if key else None
        if again is None:
            raise
        return again


def _fresh(actor: Actor, model: type[CRF], subject: Subject, sent: Sent, key: str) -> CRF:
    record = model(subject=subject, site=subject.site, visit=sent.visit or "", status="DRAFT")
    record.pk = key_id(actor, model.form, key) if key else uuid7()
    apply(record, sent, zone_of(subject.site_id), replace=False)
    return record


def key_id(actor: Actor, form: str, key: str) -> UUID:
    """The id that a person's Idempotency-Key gives to the record of a form."""
    return uuid5(SPACE, f"{actor.person_id}:{form}:{key}")


def idempotency_key(text: str) -> str:
    """The key from its header; "" when there is none."""
    if len(text) > 255 or not text.isprintable():
        said = T(
            "Idempotency-Key holds 1 to 255 printable characters.",
            "Idempotency-Key 应为 1–255 个可打印字符。",
        )
        raise problem_of_header("Idempotency-Key", "unreadable", said)
    return text


def replayed(actor: Actor, record: Any) -> Made | None:
    """The record this key already made; None if there is none. Raises ApiProblem (422) if it was made of another body."""
    model = type(record)
    with audit.reading(actor):
        stands = model._default_manager.filter(pk=record.pk).first()
        first = history_model(model).objects.filter(id=record.pk, version=1).first()
    if stands is None or first is None:
        return None
    differing = [
        name for name in _compared(record) if _text(getattr(first, name)) != _text(getattr(record, name))
    ]
    if differing:
        said = T(
            f"This Idempotency-Key made record {record.pk} from another body. Use a new key for a new record.",
            f"此 Idempotency-Key 已用于创建记录 {record.pk},但内容不同。新记录请使用新的键。",
        )
        raise ApiProblem(
            "other_body",
            said,
            [{"pointer": f"/{name}", "field": name, "code": "differs", "detail": said} for name in differing],
        )
    return Made(Saved(stands, changed=False), fresh=False)


def _compared(record: Any) -> list[str]:
    """What the sender decides. The limits of normal and a panel's laboratory may have been filled in by the system."""
    place = ["subject_id", "visit"] if hasattr(record, "subject_id") else ["site_id"]
    own = [*place, "status", "not_done", "not_done_reason", "missing"]
    columns = []
    for name, meaning in items(record).items():
        filled = meaning.part_of and name.endswith(("_lln", "_uln")) and getattr(record, name) is None
        filled = filled or (name == "laboratory" and record.laboratory_id is None)
        if meaning.calc is None and not filled:
            columns.append(str(record._meta.get_field(name).attname))
    return [*own, *columns]


def _text(value: Any) -> str:
    """A value as it compares, whatever zone or order it came in."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(sorted(value.items()) if isinstance(value, dict) else value)


def correct(actor: Actor, record: CRF, sent: Sent, seen: int, replace: bool) -> Saved:
    """Change a record as it was seen at version `seen`."""
    apply(record, sent, zone_of(record.site_id), replace)
    return save_record(record, by=actor, reason=sent.reason, seen=seen)


def retract(actor: Actor, record: CRF, reason: str, seen: int) -> Saved:
    """Strike a record out with a reason; it stays readable and the feed tells."""
    if not reason:
        said = T(
            'Say why, in the header X-Reason or as {"reason": …}.',
            '请在请求头 X-Reason 或 {"reason": …} 中说明原因。',
        )
        raise Rejected([Problem("reason", "required", said)])
    return retract_record(record, by=actor, reason=reason, seen=seen)
