"""What a submitted form page asks for, and what came of it. Nothing that was typed is dropped on the way."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.http import Http404, QueryDict

from entry.door import Forbidden, Locked, NotFound, Rejected, Stale, retract_record, save_record
from entry.places import Place, standing
from entry.seen import seen_of
from entry.typed import Raw, changed, put, raw_of, sent
from review.queries import QueryRefused, answer
from subjects.crf import CRF
from trial import audit
from trial.access import Act
from trial.dates import local_day, utc_now
from trial.edit_checks import calculate, impossible
from trial.findings import Problem
from trial.integrity import history_model
from trial.text import T


@dataclass
class Sheet:
    """A page as it was sent: the answers as text, the version seen, why, and what to do."""

    place: Place
    raw: Raw
    seen: int
    reason: str = ""
    act: str = "save"
    answers: dict[str, str] = field(default_factory=dict)
    stranger: bool = False


@dataclass
class Outcome:
    """What came of a sheet. Without `saved` the page is shown again, holding everything that was typed."""

    place: Place
    saved: CRF | None = None
    changed: bool = False
    asked: int = 0
    answered: int = 0
    status: int = 200
    message: str = ""
    problems: list[Problem] = field(default_factory=list)
    raw: Raw = field(default_factory=dict)
    mine: Raw = field(default_factory=dict)
    meanwhile: dict[str, Any] = field(default_factory=dict)


def sheet_of(place: Place, post: QueryDict) -> Sheet:
    """Read the POST of a form page. Call it inside `audit.reading`: a second sending finds the record it made."""
    place = _with_new_id(place, post.get("new_id", ""))
    return Sheet(
        place=place,
        raw=sent(place.model, post),
        seen=seen_of(post),
        reason=post.get("reason", ""),
        act=post.get("act", "save"),
        answers={
            k.removeprefix("answer."): str(v)
            for k, v in post.items()
            if k.startswith("answer.") and str(v).strip()
        },
        stranger=post.get("typed_by", str(place.actor.person_id)) != str(place.actor.person_id),
    )


def _with_new_id(place: Place, new_id: str) -> Place:
    """A new record keeps the id its page was given, so sending the page twice makes one record."""
    if place.record is not None:
        return place
    try:
        key = UUID(new_id)
    except ValueError:
        return place
    there = place.model._default_manager.filter(pk=key, subject_id=place.subject.pk).first()
    return place.at(there) if there else replace(place, new_id=key)


def base_of(sheet: Sheet) -> CRF:
    """The record as the person saw it: this version, an earlier one from the history, or a blank one."""
    record = sheet.place.record
    if record is None or sheet.seen == 0:
        return sheet.place.blank()
    if record.version == sheet.seen:
        return record
    row = history_model(type(record)).objects.filter(id=record.pk, version=sheet.seen).first()
    if row is None:
        return record
    seen = copy.copy(record)
    for column in record._meta.concrete_fields:
        if hasattr(row, column.attname):
            setattr(seen, column.attname, getattr(row, column.attname))
    return seen


def candidate(sheet: Sheet) -> tuple[CRF, Raw, list[Problem]]:
    """The record as it would be saved, what was changed on the page, and what cannot be read."""
    place = sheet.place
    mine = changed(raw_of(base_of(sheet), place.zone), sheet.raw)
    record = copy.deepcopy(place.record) if place.record is not None else place.blank()
    applied = put(record, mine, place.zone)
    if sheet.act == "complete":
        record.status = "COMPLETE"
    return record, mine, applied.problems


def judged(record: CRF, zone: str, unread: list[Problem]) -> list[Problem]:
    """Everything that refuses the record, so that it is said at once. Call it inside `audit.reading`."""
    calculate(record)
    now = utc_now()
    bad = {p.field for p in unread}
    return [*unread, *(p for p in impossible(record, zone, local_day(now, zone), now) if p.field not in bad)]


def submit(sheet: Sheet, also: Sequence[Problem] = ()) -> Outcome:
    """Answer the queries, save through the door, and tell what came of it. `also`: what was wrong before the answers."""
    place, actor = sheet.place, sheet.place.actor
    with audit.reading(actor):
        record, mine, unread = candidate(sheet)
        unread = [*also, *unread]
        problems = judged(record, place.zone, unread) if unread else []
        shown = {**raw_of(place.record or place.blank(), place.zone), **mine}
    outcome = Outcome(place, raw=shown, mine=mine, problems=problems)
    if not actor.may(Act.ENTER):
        return _refused(outcome, 403, Forbidden(actor, Act.ENTER).message)
    if sheet.stranger:
        return _refused(outcome, 409, STRANGER)
    if problems:
        return _refused(outcome, 422)
    try:
        outcome.answered = _answer(sheet)
        if (
            place.record is not None
            and not mine
            and record.status == place.record.status
            and sheet.seen == place.record.version
        ):
            return _done(outcome, place.record)
        return _save(outcome, record, sheet)
    except QueryRefused as refused:
        return _refused(outcome, 409, refused.problem.message)


STRANGER = T(
    "These answers were typed under another account. Check them against the source; if you save them, you are recorded "
    "as their author.",
    "这些答案是在另一个账户下填写的。请对照原始资料核对;由您保存后,系统将记录您为填写人。",
)
LOST_SIGHT = T("The record is no longer among your sites.", "该记录已不在您所属中心范围内。")


def _save(outcome: Outcome, record: CRF, sheet: Sheet) -> Outcome:
    actor, there = outcome.place.actor, outcome.place.record
    try:
        saved = save_record(
            record, by=actor, reason=sheet.reason, seen=sheet.seen if there is not None else None
        )
    except Rejected as rejected:
        if any(p.code == "exists" for p in rejected.problems):
            return _conflict(outcome, sheet)
        outcome.problems = rejected.problems
        return _refused(outcome, 422)
    except Stale as stale:
        return _stale(outcome, stale, sheet)
    except IntegrityError:
        return _conflict(outcome, sheet)
    except Locked as locked:
        return _refused(outcome, 423, locked.message)
    except Forbidden as forbidden:
        return _refused(outcome, 403, forbidden.message)
    except NotFound:
        return _refused(outcome, 404, LOST_SIGHT)
    outcome.changed, outcome.asked = saved.changed, len(saved.doubts)
    return _done(outcome, saved.record)


def _done(outcome: Outcome, record: CRF) -> Outcome:
    outcome.saved = record
    return outcome


def _refused(outcome: Outcome, status: int, message: str = "") -> Outcome:
    outcome.status, outcome.message = status, str(message)
    return outcome


def on_its_record(place: Any, record: Any, outcome: Outcome) -> Outcome:
    """The page shown again after a lock or a signature was refused, on the record as it stands."""
    outcome.place = place.at(record)
    with audit.reading(place.actor):
        outcome.raw = raw_of(record, place.zone)
    return outcome


def changed_meanwhile(place: Any, stale: Stale) -> Outcome:
    """The same after somebody else changed the record."""
    said = T(
        f"Somebody changed the record in between: it is at version {stale.current.version} now. "
        "Look at it as it stands below, then decide again.",
        f"该记录期间已被他人更改,现为版本 {stale.current.version}。请查看下方的当前内容后再作决定。",
    )
    return on_its_record(place, stale.current, Outcome(place, status=409, message=said))


def _answer(sheet: Sheet) -> int:
    for key, text in sheet.answers.items():
        try:
            query_id = UUID(key)
        except ValueError:
            continue
        answer(query_id, text, by=sheet.place.actor)
    return len(sheet.answers)


def _stale(outcome: Outcome, stale: Stale, sheet: Sheet) -> Outcome:
    """Somebody saved in between: show theirs beside mine; the next saving is on their version."""
    with audit.reading(outcome.place.actor):
        base, current = raw_of(base_of(sheet), outcome.place.zone), raw_of(stale.current, outcome.place.zone)
    if not any(current.get(name) != value for name, value in outcome.mine.items()) and not sheet.seen:
        return _done(outcome, stale.current)
    outcome.place = outcome.place.at(stale.current)
    theirs = changed(base, current)
    outcome.meanwhile = {
        name: (current.get(name, ""), outcome.mine.get(name)) for name in {*theirs, *outcome.mine}
    }
    outcome.raw = {**current, **outcome.mine}
    return _refused(outcome, 409, stale.message)


def _conflict(outcome: Outcome, sheet: Sheet) -> Outcome:
    """The form was made by somebody else a moment ago, or by the first of two sendings of the same page."""
    place = outcome.place
    with audit.reading(place.actor):
        there = place.model._default_manager.filter(
            pk=place.new_id, subject_id=place.subject.pk
        ).first() or standing(place)
        if there is None:
            raise Http404
    sheet.place, outcome.place = place.at(there), place.at(there)
    return _stale(outcome, Stale(there, 0, {}), sheet)


def retract(place: Place, reason: str, seen: int) -> Outcome:
    """Strike the record out, with a reason."""
    outcome = Outcome(place)
    record = copy.deepcopy(place.record)
    if record is None:
        raise Http404
    with audit.reading(place.actor):
        outcome.raw = raw_of(record, place.zone)
    try:
        return _done(outcome, retract_record(record, by=place.actor, reason=reason, seen=seen).record)
    except Rejected as rejected:
        outcome.problems = rejected.problems
        return _refused(outcome, 422)
    except Stale as stale:
        return _refused(outcome, 409, stale.message)
    except Locked as locked:
        return _refused(outcome, 423, locked.message)
