"""The one door: every clinical write passes here and nowhere else.

`save_record` locks the subject, refuses stale versions and locked records, checks, saves, keeps the automatic
queries in step, and rings the worker's doorbell after the commit. History, ledger and outbox are written by the
database in the same transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction

from dosing.models import DoseAllocation
from entry.around import Around
from entry.before_saving import (
    already,
    form_problems,
    lock_problems,
    prepare,
    reason_missing,
    reference_problems,
    subjid_problem,
)
from entry.verdicts import Locked, NotFound, Rejected, Row, Saved, Stale
from review.queries import sync_automatic
from safety import refusing
from safety.doorbell import ring
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Act, Actor, Forbidden, require
from trial.dates import local_day, utc_now
from trial.edit_checks import calculate, impossible, unlikely
from trial.findings import Problem
from trial.item import items
from trial.models import Site
from trial.sites import zone_of
from trial.text import T
from visits.schedule import VISITS, is_visit

OWN = ("status", "not_done", "not_done_reason", "missing", "visit", "sequence", "retracted")


def save_record(record: CRF, *, by: Actor, reason: str = "", seen: int | None = None) -> Saved:
    """Save one form. `seen` is the version the writer saw, None for a new record; `reason` says why a value changes.

    Raises Forbidden, NotFound, Rejected, Stale or Locked; then nothing was written. Returns after the commit.
    """
    require(by, Act.ENTER)
    with audit.transaction(by, reason.strip()):
        subject = lock_subject(record.subject_id)
        if not by.at(subject.site_id):
            raise NotFound
        saved = _save(record, seen, by, reason.strip(), Around(subject, [record]))
    if saved.changed:
        ring()
    return saved


def save_rows(rows: Sequence[Row], *, by: Actor, reason: str = "", whole: bool = False) -> Sequence[Row]:
    """Save several records of one subject in one audited transaction, each with the checks of `save_record`.

    What is refused stands in its row's `refused` (Rejected, Stale, Locked, NotFound or IntegrityError) and the other
    rows are saved; with `whole` the first refusal is raised and nothing is written. Raises Forbidden or NotFound.
    """
    require(by, Act.ENTER)
    if not rows:
        return rows
    if len({(row.record.subject_id, row.record.pk) for row in rows}) != len(rows) or any(
        row.record.subject_id != rows[0].record.subject_id for row in rows
    ):
        raise ValueError("a batch holds different records of one subject")
    with audit.transaction(by, reason.strip()):
        subject = lock_subject(rows[0].record.subject_id)
        if not by.at(subject.site_id):
            raise NotFound
        around = Around(subject, [row.record for row in rows])
        for row in rows:
            _save_row(row, by, reason.strip(), around)
            if whole and row.refused is not None:
                raise row.refused
    if any(row.saved is not None and row.saved.changed for row in rows):
        ring()
    return rows


def _save_row(row: Row, by: Actor, reason: str, around: Around) -> None:
    """Save one row behind a savepoint, so that its refusal takes nothing else with it."""
    try:
        with transaction.atomic():
            row.saved = _save(row.record, row.seen, by, reason, around)
    except (Rejected, Stale, Locked, NotFound, IntegrityError) as refused:
        row.refused = refused
    if row.seen is not None and not reason:
        audit.give_reason("")


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
        subject = lock_subject(record.subject_id)
        if not by.at(subject.site_id):
            raise NotFound
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


def _standing(record: CRF, around: Around | None = None) -> CRF:
    around = around or Around(Subject(pk=record.subject_id), [record])
    current = around.standing(record)
    if current is None:
        raise NotFound
    return current


def _current(record: CRF, seen: int, around: Around) -> CRF:
    current = _standing(record, around)
    if current.lock_state != "OPEN":
        raise Locked(current)
    if current.version != seen:
        raise Stale(current, seen, differences(current, record))
    return current


def _names(record: CRF) -> list[str]:
    known = items(record)
    own = (name for name in OWN if hasattr(record, name))
    return [*own, *(column.attname for column in record._meta.concrete_fields if column.name in known)]


def differences(current: CRF, record: CRF) -> dict[str, tuple[Any, Any]]:
    """Every answer in which the two differ: (stored now, sent by you)."""
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


def _save(record: CRF, seen: int | None, by: Actor, reason: str, around: Around) -> Saved:
    record.site_id = around.subject.site_id
    before = None if seen is None else _current(record, seen, around)
    return _write(record, before, by, reason, around)


def examine(
    record: CRF, before: CRF | None, reason: str, around: Around
) -> tuple[list[Problem], dict[str, tuple[Any, Any]]]:
    """Make the record ready, and say what refuses it and what it changes (name to stored and new value).

    Everything but the record's place: `save_record` and the bulk door ask the same here.
    """
    prepare(record, before, around)
    problems, changes = judge(record, before, reason)
    if before is not None and not changes:
        return [], {}
    if before is None and isinstance(record, DoseAllocation) and not problems:
        held = refusing.dose_refused(around.subject.pk)
        problems += [held] if held is not None else []
    if not problems:
        problems += reference_problems(record, before, around)
    return problems, changes


def judge(record: Any, before: Any, reason: str) -> tuple[list[Problem], dict[str, tuple[Any, Any]]]:
    """What every door asks of a record by itself, a subject's or the study's, and what it changes; nothing where nothing
    does."""
    zone, now = zone_of(record.site_id), utc_now()
    calculate(record)
    problems = impossible(record, zone, local_day(now, zone), now) if not record.retracted else []
    problems += form_problems(record, before)
    changes = differences(before, record) if before is not None else {}
    if before is not None and not changes:
        return [], {}
    if before is not None and not reason and overwrites(before, changes):
        problems.append(reason_missing())
    return problems, changes


def _write(record: CRF, before: CRF | None, by: Actor, reason: str, around: Around) -> Saved:
    problems, changes = examine(record, before, reason, around)
    if problems:
        raise Rejected(problems)
    if before is not None and not changes:
        return Saved(before, changed=False)
    if before is None:
        _insert(record, around)
    else:
        _update(record, before, by, reason)
    doubts = [] if record.retracted else unlikely(record)
    sync_automatic(record, doubts, by=by, known=() if before is None else around.queries(record))
    return Saved(record, changed=True, doubts=doubts)


def _insert(record: CRF, around: Around) -> None:
    _place(record, around)
    record.save(force_insert=True)
    record.version = 1
    around.placed(record)


def _update(record: CRF, before: CRF, by: Actor, reason: str) -> None:
    if not reason:
        audit.give_reason("entry continued")
    record.entered_at, record.lock_state = before.entered_at, before.lock_state
    record.save(force_update=True)
    record.version = before.version + 1


def overwrites(before: CRF, changes: dict[str, tuple[Any, Any]]) -> bool:
    """Whether a value that stood is changed; filling a blank of a draft or completing it is still first entry."""
    if before.status == "COMPLETE" or "retracted" in changes:
        return True
    derived = {name for name, meaning in items(before).items() if meaning.calc is not None}
    return any(
        old not in (None, "", [], {}, False, "DRAFT")
        for name, (old, _) in changes.items()
        if name not in derived
    )


def _no_such_visit(code: str) -> Problem:
    known = ", ".join(VISITS)
    said = T(
        f"“{code}” is no visit of the schedule. Further unscheduled visits are UNSCHED-2, UNSCHED-3 …",
        f"“{code}”不是访视表中的访视。后续计划外访视请写 UNSCHED-2、UNSCHED-3 ……",
    )
    return Problem("visit", "unknown_code", said, code, known)


def _place(record: CRF, around: Around) -> None:
    """Give a new record its place: once per subject or visit where the form says so, else the next number."""
    if record.repeats in ("visit", "rows") and not record.visit:
        raise Rejected([Problem("visit", "required", T("Say at which visit.", "请指定访视。"))])
    if record.repeats in ("visit", "rows") and not is_visit(record.visit):
        raise Rejected([_no_such_visit(record.visit)])
    if record.repeats in ("rows", "log"):
        record.sequence = around.next_number(record)
        return
    there = around.there(record)
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


__all__ = [
    "Forbidden",
    "Locked",
    "NotFound",
    "Rejected",
    "Row",
    "Saved",
    "Stale",
    "create_subject",
    "differences",
    "overwrites",
    "retract_record",
    "save_record",
    "save_rows",
    "set_lock",
]
