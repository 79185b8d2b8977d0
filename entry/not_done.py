"""A form or a whole visit that was not done: marked in one step with one reason, and taken back in one.

Marking a visit marks its visit form and every expected form that holds no answer yet, in one audited transaction; the
children share its transaction, its request and its reason. Taking it back restores exactly what was there: a record
that the marking made is retracted, another gets its earlier content as a new version. Forms that stand once for a
subject belong to no visit and are left alone.
"""

import copy
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from entry.before_saving import answered
from entry.door import NotFound, Rejected, Row, Stale, save_rows
from entry.lines import lines_of
from entry.matrix import row_of
from entry.places import by_visit
from safety.casebook import site_books
from safety.forms import FORM, FORMS
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Act, Actor, require
from trial.codes import MISSING
from trial.fields import uuid7
from trial.findings import Problem
from trial.integrity import history_model
from trial.text import T
from visits.models import Visit
from visits.schedule import is_visit


@dataclass
class Group:
    """What a group action did: every record it touched, at its new version."""

    visit: str
    form: str
    records: list[CRF]


def mark(subject: Subject, visit: str, why: str, *, by: Actor, form: str = "", note: str = "") -> Group:
    """Mark a visit (or one `form` of it; `visit` is "" for a log) as not done, all or nothing.

    Raises Forbidden, NotFound, or Rejected: no such reason, the visit took place, or the form holds answers.
    """
    require(by, Act.ENTER)
    if why not in MISSING.codes:
        raise Rejected([_no_such_reason(why)])
    with audit.reading(by):
        rows = _one_form(subject, visit, form) if form else _whole_visit(subject, visit)
    for row in rows:
        row.record.not_done, row.record.not_done_reason, row.record.status = True, why, "COMPLETE"
    said = f"{_scope(visit, form)}: {why}" + (f"; {note.strip()[:500]}" if note.strip() else "")
    save_rows(rows, by=by, reason=said, whole=True)
    return Group(visit, form, [row.saved.record for row in rows if row.saved])


def undo(subject: Subject, visit: str, *, by: Actor, form: str = "") -> Group:
    """Take the last marking back. Raises Forbidden, NotFound, or Rejected: nothing is marked, or something changed since."""
    require(by, Act.ENTER)
    with audit.reading(by):
        members = _members(subject, visit, form)
        changed = [record for record, past in members if record.version != past.version or record.retracted]
        if not members or changed:
            raise Rejected([_changed_since(changed) if changed else _nothing(visit, form)])
        rows = [Row(_before(record, past), record.version) for record, past in members]
    try:
        save_rows(rows, by=by, reason=f"undo: {_scope(visit, form)}", whole=True)
    except Stale as stale:
        raise Rejected([_changed_since([stale.current])]) from None
    return Group(visit, form, [row.saved.record for row in rows if row.saved])


def _scope(visit: str, form: str) -> str:
    return f"form {form} not done" if form else f"visit {visit} not done"


def _whole_visit(subject: Subject, visit: str) -> list[Row]:
    if not is_visit(visit):
        raise NotFound
    lines = lines_of([subject.pk])[subject.pk]
    state = row_of(subject, lines, Counter(), site_books()[subject.site_id]).visits.get(visit)
    there = {line.form for line in lines if line.visit == visit}
    wanted = dict.fromkeys(("visit", *(state.wanted if state else ()), *sorted(there)))
    rows: list[Row] = []
    for name in wanted:
        if by_visit(FORM[name]):
            rows += _blanks(subject, visit, FORM[name], name in there)
    if not any(isinstance(row.record, Visit) for row in rows):
        _say_it_took_place(subject, visit)
    return rows


def _say_it_took_place(subject: Subject, visit: str) -> None:
    """A visit with a date took place; one that already says why it did not keeps its own words."""
    held = Visit.objects.filter(subject_id=subject.pk, visit=visit, retracted=False).first()
    if held is not None and held.actual_date is not None:
        said = T(
            f"The visit took place on {held.actual_date}, so it cannot be marked as not done. Mark single forms, or "
            "remove the date from the visit form first.",
            f"该访视已于 {held.actual_date} 进行,不能标记为未做。请逐表标记,或先删除访视表中的日期。",
        )
        raise Rejected([Problem("actual_date", "wrong_state", said, str(held.actual_date))])
    if held is not None and held.not_done:
        raise Rejected(
            [
                Problem(
                    "not_done",
                    "wrong_state",
                    T("The visit is marked as not done already.", "该访视已标记为未做。"),
                )
            ]
        )


def _blanks(subject: Subject, visit: str, model: type[CRF], there: bool) -> list[Row]:
    """The records of a form that hold no answer, or a new one; none where the form was entered or is marked."""
    found = (
        list(model._default_manager.filter(subject_id=subject.pk, visit=visit, retracted=False))
        if there
        else []
    )
    if not found:
        made: Any = model(subject_id=subject.pk, site_id=subject.site_id, visit=visit)
        made.pk = uuid7()
        return [Row(made, None)]
    if any(answered(record) for record in found):
        return []
    return [Row(r, r.version) for r in found if not r.not_done and r.lock_state == "OPEN"]


def _one_form(subject: Subject, visit: str, form: str) -> list[Row]:
    model = _model(visit, form)
    rows = _blanks(subject, visit if by_visit(model) else "", model, True)
    if not rows:
        said = T(
            "The form holds answers, is locked, or is marked already, so it cannot be marked as not done. Open it and "
            "correct it there.",
            "该表已有答案、已锁定或已标记,不能标记为未做。请打开该表进行更正。",
        )
        raise Rejected([Problem("not_done", "wrong_state", said)])
    return rows


def _model(visit: str, form: str) -> type[CRF]:
    model = FORM.get(form)
    if model is None or by_visit(model) is not bool(visit) or (visit and not is_visit(visit)):
        raise NotFound
    return model


def _members(subject: Subject, visit: str, form: str) -> list[tuple[CRF, Any]]:
    """Each record of the last marking as it stands, with the history row in which it was marked."""
    if form:
        return _of_form(subject, visit, _model(visit, form))
    if not is_visit(visit):
        raise NotFound
    start = _scope(visit, "")
    models = [model for model in FORMS if by_visit(model)]
    past = [(model, row) for model in models for row in _marked(model, subject, visit, start)]
    if not past:
        return _of_form(subject, visit, Visit)
    last = max((row for _, row in past), key=lambda row: row.history_date)
    group = {
        row.id: (model, row)
        for model, row in past
        if (row.xid, row.request_id) == (last.xid, last.request_id)
    }
    stands = _standing(subject, {model for model, _ in group.values()}, list(group))
    undone = all(not record.not_done or record.retracted for record in stands.values())
    return [] if undone else [(stands[key], row) for key, (_, row) in group.items() if key in stands]


def _marked(model: type[CRF], subject: Subject, visit: str, start: str) -> list[Any]:
    rows = history_model(model).objects.filter(subject_id=subject.pk, visit=visit, not_done=True)
    return list(rows.filter(history_change_reason__startswith=f"{start}: "))


def _of_form(subject: Subject, visit: str, model: type[CRF]) -> list[tuple[CRF, Any]]:
    """The marked records of one form, each with the version that marked it, whoever did and however."""
    found = model._default_manager.filter(subject_id=subject.pk, not_done=True, retracted=False)
    marked = list(found.filter(visit=visit) if visit else found)
    past: dict[UUID, list[Any]] = {}
    for row in history_model(model).objects.filter(id__in=[r.pk for r in marked]).order_by("version"):
        past.setdefault(row.id, []).append(row)
    members = []
    for record in marked:
        rows = past[record.pk]
        turned = next(n for n in range(len(rows)) if all(row.not_done for row in rows[n:]))
        members.append((record, rows[turned]))
    return members


def _standing(subject: Subject, models: set[type[CRF]], keys: list[UUID]) -> dict[UUID, CRF]:
    found: dict[UUID, CRF] = {}
    for model in models:
        found |= {row.pk: row for row in model._default_manager.filter(pk__in=keys, subject_id=subject.pk)}
    return found


def _before(record: CRF, past: Any) -> CRF:
    """The record as it was before it was marked: struck out if the marking made it, else its earlier content."""
    restored = copy.copy(record)
    if past.version == 1:
        restored.retracted = True
        return restored
    earlier = history_model(type(record)).objects.get(id=record.pk, version=past.version - 1)
    for column in record._meta.concrete_fields:
        if column.name not in ("version", "entered_at", "changed_at", "lock_state"):
            setattr(restored, column.attname, getattr(earlier, column.attname))
    return restored


def _no_such_reason(why: str) -> Problem:
    known = ", ".join(MISSING.codes)
    said = T(
        f"“{why[:40]}” is no reason for a missing answer; choose one of {known}.",
        f"“{why[:40]}”不是缺失原因;请选择:{known}。",
    )
    return Problem("reason", "unknown_code", said, why[:40], known)


def _nothing(visit: str, form: str) -> Problem:
    said = T(
        "Nothing here is marked as not done, so there is nothing to take back.",
        "此处没有“未做”标记,无需撤回。",
    )
    return Problem("not_done", "wrong_state", said, form or visit)


def _changed_since(changed: list[Any]) -> Problem:
    names = ", ".join(
        f"{record._meta.verbose_name} ({record.visit or record.sequence})" for record in changed[:5]
    )
    said = T(
        f"Changed since it was marked: {names}. Nothing was taken back; open those records and correct them there.",
        f"标记后已有更改:{names}。未撤回任何内容;请打开相应记录进行更正。",
    )
    return Problem("not_done", "wrong_state", said, names)
