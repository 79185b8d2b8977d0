"""From a request's body to a record for the door: which keys there are, what they may hold, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from entry.door import Rejected
from subjects.crf import CRF
from trial.answers import Reading, read
from trial.codes import MISSING
from trial.findings import Problem
from trial.item import items
from trial.record import STATUS
from trial.text import T
from visits.schedule import VISITS, is_visit

CONTROL = ("subject", "visit", "status", "not_done", "not_done_reason", "missing", "reason")
READ_ONLY = (
    *("id", "subject_id", "site", "site_id", "sequence", "version", "lock_state", "retracted", "typed"),
    *("entered_at", "changed_at", "doubts", "signatures"),
)
MOST_REASON = 1000


@dataclass
class Sent:
    """What the body says besides the items' answers. None: not sent."""

    subject: str | None = None
    visit: str | None = None
    status: str | None = None
    not_done: bool | None = None
    not_done_reason: str | None = None
    reason: str = ""
    answers: dict[str, Any] = field(default_factory=dict)


def sent_of(model: type[CRF], body: Mapping[str, Any]) -> Sent:
    """Sort the body's keys. Raises Rejected naming every key that is unknown, read-only or of the wrong type."""
    known = {*items(model), *model.analytes, *CONTROL}
    problems = [_stray(name, known) for name in body if name not in known]
    sent, found = Sent(), {}
    for name in CONTROL:
        if name in body and name != "missing":
            problem = _wrong(name, body[name])
            if problem:
                problems.append(problem)
            else:
                found[name] = body[name]
    if problems:
        raise Rejected(problems)
    for name, value in found.items():
        setattr(sent, name, value if value is not None else "" if name != "not_done" else False)
    sent.answers = {
        name: value
        for name, value in body.items()
        if name in known and (name not in CONTROL or name == "missing")
    }
    if sent.answers.get("missing", {}) is None:
        sent.answers["missing"] = {}
    return sent


def _stray(name: str, known: set[str]) -> Problem:
    shown = name[:80]
    if name in READ_ONLY:
        said = T(
            f"“{shown}” is set by the system and cannot be sent. Leave it out.",
            f"“{shown}”由系统设置,不能发送。请去掉。",
        )
        return Problem(shown, "read_only", said)
    near = next(iter(get_close_matches(name, sorted(known), 1)), "")
    hint_en, hint_zh = (f" Did you mean “{near}”?", f"是否为“{near}”?") if near else ("", "")
    said = T(f"This form has no item “{shown}”.{hint_en}", f"本表没有项目“{shown}”。{hint_zh}")
    return Problem(shown, "unknown_item", said, fix=near)


def _wrong(name: str, value: Any) -> Problem | None:
    """What is wrong with the value of one of the control keys."""
    if name == "not_done":
        return None if value is None or isinstance(value, bool) else _expected(name, value, "true, false")
    if name == "subject" and not value:
        return _expected(name, value, "01-001")
    if value is not None and not isinstance(value, str):
        return _expected(name, value, T("a text", "文本"))
    allowed = {"visit": tuple(VISITS), "status": STATUS.codes, "not_done_reason": MISSING.codes}.get(name)
    if name == "visit" and value and is_visit(value):
        return None
    if allowed is not None and value and value not in allowed:
        return _expected(name, value, ", ".join(allowed))
    if name == "status" and not value:
        return _expected(name, value, ", ".join(STATUS.codes))
    if name == "reason" and value and len(value) > MOST_REASON:
        return _expected(
            name, f"{len(value)}", T(f"at most {MOST_REASON} characters", f"最多 {MOST_REASON} 个字符")
        )
    return None


def _expected(name: str, value: Any, limit: str) -> Problem:
    shown = str(value)[:80]
    said = T(f"“{name}” cannot be “{shown}”; expected: {limit}.", f"“{name}”不能是“{shown}”;应为:{limit}。")
    return Problem(name, "unreadable", said, shown, str(limit))


def apply(record: CRF, sent: Sent, zone: str, replace: bool) -> None:
    """Set what was sent on the record; with `replace`, what was not sent is emptied. Raises Rejected."""
    reading = read(type(record), sent.answers, zone)
    problems = [*reading.problems, *_moved(record, sent)]
    if problems:
        raise Rejected(problems)
    if replace:
        _empty(record)
    _set_answers(record, reading)
    if sent.status:
        record.status = sent.status
    if sent.not_done is not None:
        record.not_done = sent.not_done
    if sent.not_done_reason is not None:
        record.not_done_reason = sent.not_done_reason


def _moved(record: CRF, sent: Sent) -> list[Problem]:
    """A record keeps its subject and its visit."""
    if not hasattr(record, "subject_id"):
        return []
    own = {"subject": (record.subject.subjid, str(record.subject_id)), "visit": (record.visit,)}
    problems = []
    for name, stands in own.items():
        value = getattr(sent, name)
        if value is not None and value not in stands:
            said = T(
                f"The record belongs to {name} {stands[0]} and cannot move. Retract it and enter a new one.",
                f"该记录属于 {name} {stands[0]},不能移动。请撤销后重新录入。",
            )
            problems.append(Problem(name, "fixed", said, str(value)[:80], stands[0]))
    return problems


def _empty(record: CRF) -> None:
    for name, meaning in items(record).items():
        column: Any = record._meta.get_field(name)
        if meaning.calc is None:
            setattr(record, column.attname, column.get_default())
    record.missing, record.typed, record.not_done, record.not_done_reason = {}, {}, False, ""


def _set_answers(record: CRF, reading: Reading) -> None:
    problems = []
    for name, value in reading.values.items():
        column: Any = record._meta.get_field(name)
        try:
            setattr(
                record,
                column.attname,
                _key(column, value) if isinstance(column, models.ForeignKey) else value,
            )
        except ValidationError:
            said = T(f"“{value}” names no record of this subject.", f"“{value}”不是该受试者的记录。")
            problems.append(Problem(name, "no_such_record", said, str(value)))
    if problems:
        raise Rejected(problems)
    kept = {name: text for name, text in record.typed.items() if name not in reading.values}
    record.typed = {**kept, **reading.typed}
    record.missing = {name: why for name, why in {**record.missing, **reading.missing}.items() if why}


def _key(column: Any, value: Any) -> Any:
    """The key of a linked record in its own type; an integer beyond the column's reach names nothing."""
    key = column.target_field.to_python(value)
    if isinstance(key, int) and not 0 < key < 2**31:
        raise ValidationError("out of reach")
    return key
