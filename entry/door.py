"""The one door: every clinical write passes here and nowhere else.

`save_record` locks the subject, refuses stale versions and locked records, checks, saves, keeps the automatic
queries in step, and rings the worker's doorbell after the commit. History, ledger and outbox are written by the
database in the same transaction.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, models

from entry.before_saving import (
    already,
    form_problems,
    lock_problems,
    prepare,
    reason_missing,
    reference_problems,
    subjid_problem,
)
from review.queries import sync_automatic
from safety.doorbell import ring
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Act, Actor, Forbidden, require
from trial.dates import local_day, utc_now
from trial.edit_checks import calculate, impossible, unlikely
from trial.findings import Doubt, Problem
from trial.item import items
from trial.models import Site
from trial.record import LOCK
from trial.sites import zone_of
from trial.text import T

OWN = ("status", "not_done", "not_done_reason", "missing", "visit", "sequence", "retracted")


@dataclass
class Saved:
    """What the door did: the record at its new version, whether anything changed, and what it asks about."""

    record: Any
    changed: bool
    doubts: list[Doubt] = field(default_factory=list)


class Rejected(Exception):
    """The record cannot be saved as it is; nothing was written."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.field or 'form'}: {p.code}" for p in problems))


class Stale(Exception):
    """Somebody saved in between. `differences` maps a field to (stored now, sent by you)."""

    def __init__(self, current: Any, seen: int, differences: dict[str, tuple[Any, Any]]) -> None:
        self.current, self.seen, self.differences = current, seen, differences
        self.message = T(
            f"The record is at version {current.version}; you saw version {seen}. Compare both values and save again.",
            f"记录已是版本 {current.version},您看到的是版本 {seen}。请比较两个值后重新保存。",
        )
        super().__init__(f"version {current.version}, seen {seen}")


class Locked(Exception):
    """The record is frozen or locked; a data manager may unlock it with a reason."""

    def __init__(self, record: Any) -> None:
        self.record = record
        en, zh = next((en, zh) for code, en, zh in LOCK.rows if code == record.lock_state)
        self.message = T(
            f"The record is {en.lower()} and takes no change. Ask the data manager to unlock it.",
            f"该记录已{zh},不能修改。请联系数据管理员解锁。",
        )
        super().__init__(record.lock_state)


class NotFound(Exception):
    """No such subject or record in the actor's sites (the two are told apart to nobody)."""


def save_record(record: CRF, *, by: Actor, reason: str = "", seen: int | None = None) -> Saved:
    """Save one form. `seen` is the version the writer saw, None for a new record; `reason` says why a value changes.

    Raises Forbidden, NotFound, Rejected, Stale or Locked; then nothing was written. Returns after the commit.
    """
    require(by, Act.ENTER)
    with audit.transaction(by, reason.strip()):
        subject = lock_subject(record.subject_id)
        if not by.at(subject.site_id):
            raise NotFound
        record.site_id = subject.site_id
        before = None if seen is None else _current(record, seen)
        saved = _write(record, before, subject, by, reason.strip())
    if saved.changed:
        ring()
    return saved


def create_subject(subjid: str, site: Site, *, by: Actor) -> Subject:
    """Enter a new subject under its screening number. Raises Forbidden or Rejected."""
    require(by, Act.ENROL)
    if not by.at(site.pk):
        raise Forbidden(by, Act.ENROL)
    problem = subjid_problem(subjid, site)
    if problem:
        raise Rejected([problem])
    subject = Subject(site=site, subjid=subjid)
    try:
        with audit.transaction(by):
            subject.save(force_insert=True)
    except DatabaseError as error:
        if "subjid" not in str(error):
            raise
        taken = T(
            f"The number {subjid} is taken; a screening number is never used again.",
            f"编号 {subjid} 已被使用;筛选号不可重复使用。",
        )
        raise Rejected([Problem("subjid", "taken", taken, subjid)]) from None
    ring()
    return subject


def retract_record(record: CRF, *, by: Actor, reason: str, seen: int) -> Saved:
    """Strike a record out. It stays visible with its reason and counts for nothing."""
    record.retracted = True
    return save_record(record, by=by, reason=reason, seen=seen)


def set_lock(record: CRF, state: str, *, by: Actor, reason: str, seen: int | None = None) -> CRF:
    """Freeze, lock or open a record; needs the right to and a reason. `seen`: the version that was looked at.

    Raises Forbidden, NotFound, Rejected (also when the record is in that state already) or Stale.
    """
    require(by, Act.LOCK)
    problems = lock_problems(state, reason)
    if problems:
        raise Rejected(problems)
    with audit.transaction(by, reason.strip()):
        lock_subject(record.subject_id)
        current = _standing(record)
        if seen is not None and current.version != seen:
            raise Stale(current, seen, {"state": (current.lock_state, state)})
        if current.lock_state == state:
            raise Rejected([already(state)])
        current.lock_state = state
        current.save(force_update=True, update_fields=["lock_state"])
        current.version += 1
    return current


def lock_subject(subject_id: UUID) -> Subject:
    """Take the subject's row for this transaction, so that writers of one subject go one after another."""
    subject = Subject.objects.select_for_update().filter(pk=subject_id).first()
    if subject is None:
        raise NotFound
    return subject


def _standing(record: CRF) -> CRF:
    current: CRF | None = (
        type(record)._default_manager.filter(pk=record.pk, subject_id=record.subject_id).first()
    )
    if current is None:
        raise NotFound
    return current


def _current(record: CRF, seen: int) -> CRF:
    current = _standing(record)
    if current.lock_state != "OPEN":
        raise Locked(current)
    if current.version != seen:
        raise Stale(current, seen, _differences(current, record))
    return current


def _names(record: CRF) -> list[str]:
    known = items(record)
    return [*OWN, *(column.attname for column in record._meta.concrete_fields if column.name in known)]


def _differences(current: CRF, record: CRF) -> dict[str, tuple[Any, Any]]:
    pairs = {name: (_plain(getattr(current, name)), _plain(getattr(record, name))) for name in _names(record)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _plain(value: Any) -> Any:
    """A value as it compares: a decimal by its digits (1.50 is not 1.5), an id as text."""
    if isinstance(value, UUID):
        return str(value)
    return (
        value
        if isinstance(value, datetime) or value is None or isinstance(value, bool | list | dict)
        else str(value)
    )


def _write(record: CRF, before: CRF | None, subject: Subject, by: Actor, reason: str) -> Saved:
    zone = zone_of(subject.site_id)
    prepare(record, before)
    calculate(record)
    now = utc_now()
    problems = impossible(record, zone, local_day(now, zone), now) if not record.retracted else []
    problems += form_problems(record, before)
    changes = _differences(before, record) if before is not None else {}
    if before is not None and not changes:
        return Saved(before, changed=False)
    if before is not None and not reason and _overwrites(before, changes):
        problems.append(reason_missing())
    if not problems:
        problems += reference_problems(record, before)
    if problems:
        raise Rejected(problems)
    if before is None:
        _insert(record)
    else:
        _update(record, before, by, reason)
    doubts = [] if record.retracted else unlikely(record)
    sync_automatic(record, doubts, by=by, is_new=before is None)
    return Saved(record, changed=True, doubts=doubts)


def _insert(record: CRF) -> None:
    _place(record)
    record.save(force_insert=True)
    record.version = 1


def _update(record: CRF, before: CRF, by: Actor, reason: str) -> None:
    if not reason:
        audit.give_reason("entry continued")
    record.entered_at, record.lock_state = before.entered_at, before.lock_state
    record.save(force_update=True)
    record.version = before.version + 1


def _overwrites(before: CRF, changes: dict[str, tuple[Any, Any]]) -> bool:
    """Whether a value that stood is changed; filling a blank of a draft or completing it is still first entry."""
    if before.status == "COMPLETE" or "retracted" in changes:
        return True
    derived = {name for name, meaning in items(before).items() if meaning.calc is not None}
    return any(
        old not in (None, "", [], {}, False, "DRAFT")
        for name, (old, _) in changes.items()
        if name not in derived
    )


def _place(record: CRF) -> None:
    """Give a new record its place: once per subject or visit where the form says so, else the next number."""
    siblings = type(record)._default_manager.filter(subject_id=record.subject_id, retracted=False)
    if record.repeats in ("visit", "rows"):
        if not record.visit:
            raise Rejected([Problem("visit", "required", T("Say at which visit.", "请指定访视。"))])
        siblings = siblings.filter(visit=record.visit)
    if record.repeats in ("one", "visit"):
        there = siblings.values_list("pk", flat=True).first()
        if there is not None:
            raise Rejected(
                [
                    Problem(
                        "",
                        "exists",
                        T(
                            f"This form is already there (record {there}). Correct that record instead.",
                            f"该表已存在(记录 {there})。请直接更正该记录。",
                        ),
                        str(there),
                    )
                ]
            )
        record.sequence = 1
        return
    last = (
        type(record)
        ._default_manager.filter(subject_id=record.subject_id, visit=record.visit)
        .aggregate(n=models.Max("sequence"))["n"]
    )
    record.sequence = (last or 0) + 1


__all__ = [
    "Forbidden",
    "Locked",
    "NotFound",
    "Rejected",
    "Saved",
    "Stale",
    "create_subject",
    "retract_record",
    "save_record",
    "set_lock",
]
