"""The door for forms of the study itself: as strict as that for a subject's forms.

Version seen, reason on change, locks, edit checks, one audited transaction. What is unlikely is said with the answer
and shown on the page; a query needs a subject and is not opened.
"""

from typing import Any

from django.db import connection
from django.db.models import Max

from entry.before_saving import already, lock_problems
from entry.door import differences, judge
from entry.verdicts import Locked, NotFound, Rejected, Saved, Stale
from safety.doorbell import ring
from subjects.crf import StudyForm
from trial import audit
from trial.access import Act, Actor, require
from trial.edit_checks import unlikely


def save_study_form(record: StudyForm, *, by: Actor, reason: str = "", seen: int | None = None) -> Saved:
    """Save one form of the study. `seen` is the version the writer saw, None for a new record.

    Raises Forbidden, NotFound, Rejected, Stale or Locked; then nothing was written. Returns after the commit.
    """
    require(by, Act.STUDY)
    if not by.at(record.site_id):
        raise NotFound
    with audit.transaction(by, reason.strip()):
        _hold(type(record), record.site_id)
        before = None if seen is None else _current(record, seen)
        saved = _save(record, before, reason.strip())
    if saved.changed:
        ring()
    return saved


def retract_study_form(record: StudyForm, *, by: Actor, reason: str, seen: int) -> Saved:
    """Strike a record out. It stays visible with its reason and counts for nothing."""
    record.retracted = True
    return save_study_form(record, by=by, reason=reason, seen=seen)


def set_study_lock(record: StudyForm, state: str, *, by: Actor, reason: str, seen: int) -> StudyForm:
    """Freeze, lock or open a record; needs the right to and a reason.

    Raises Forbidden, NotFound, Rejected (also when the record is in that state already) or Stale.
    """
    require(by, Act.LOCK)
    if not by.at(record.site_id):
        raise NotFound
    problems = lock_problems(state, reason)
    if problems:
        raise Rejected(problems)
    with audit.transaction(by, reason.strip()):
        _hold(type(record), record.site_id)
        current = _standing(record)
        if current.version != seen:
            raise Stale(current, seen, {"state": (current.lock_state, state)})
        if current.lock_state == state:
            raise Rejected([already(state)])
        current.lock_state = state
        current.save(force_update=True, update_fields=["lock_state"])
        current.version += 1
    locked: StudyForm = current
    return locked


def one_at_a_time(form: type[StudyForm], site_id: int, *, by: Actor) -> None:
    """Inside `audit.transaction`: writers of one form at one site go one after another, until the transaction ends.

    Raises Forbidden or NotFound.
    """
    require(by, Act.STUDY)
    if not by.at(site_id):
        raise NotFound
    _hold(form, site_id)


def _hold(form: type[StudyForm], site_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{form.form}:{site_id}"])


def _standing(record: StudyForm) -> Any:
    current = type(record)._default_manager.filter(pk=record.pk, site_id=record.site_id).first()
    if current is None:
        raise NotFound
    return current


def _current(record: Any, seen: int) -> Any:
    current = _standing(record)
    if current.lock_state != "OPEN":
        raise Locked(current)
    if current.version != seen:
        raise Stale(current, seen, differences(current, record))
    return current


def _save(record: Any, before: Any, reason: str) -> Saved:
    problems, changes = judge(record, before, reason)
    if problems:
        raise Rejected(problems)
    if before is not None and not changes:
        return Saved(before, changed=False)
    if before is not None and not reason:
        audit.give_reason("entry continued")
    write(record, before)
    return Saved(record, changed=True, doubts=[] if record.retracted else unlikely(record))


def write(record: Any, before: Any) -> None:
    """Save an examined record, new or in the place of `before`, under the transaction's reason and its lock."""
    if before is None:
        last = type(record)._default_manager.filter(site_id=record.site_id).aggregate(n=Max("sequence"))["n"]
        record.sequence = (last or 0) + 1
        record.save(force_insert=True)
        record.version = 1
    else:
        record.entered_at, record.lock_state = before.entered_at, before.lock_state
        record.save(force_update=True)
        record.version = before.version + 1
