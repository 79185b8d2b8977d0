"""Results that were entered before their range was known: which they are, and giving it to them with a reason."""

import copy
from dataclasses import dataclass
from uuid import UUID

from django.db import models

from entry.around import Around
from entry.before_saving import prepare
from entry.door import Locked, NotFound, Rejected, Stale, save_record
from entry.laboratories import needs_reason
from review.places import form_name
from safety.forms import FORMS
from subjects.crf import CRF
from trial import audit
from trial.access import Act, Actor, require
from trial.findings import Problem
from trial.text import T


@dataclass(frozen=True)
class Bare:
    """A record with results that were entered without a range, and for which there is one now."""

    record: CRF
    subjid: str
    analytes: tuple[str, ...]


def without_ranges(by: Actor, most: int = 200) -> list[Bare]:
    """The open records of the actor's sites whose results could have a range today. Nothing is changed."""
    found: list[Bare] = []
    with audit.reading(by):
        near: dict[UUID, Around] = {}
        for form in FORMS:
            if form.analytes:
                for record in _bare(form)[: most * 5]:
                    subject = record.subject
                    around = near.setdefault(subject.pk, Around(subject, [record]))
                    names = _fillable(record, around)
                    if names:
                        found.append(Bare(record, subject.subjid, names))
                    if len(found) >= most:
                        return found
    return found


def _bare(form: type[CRF]) -> "models.QuerySet[CRF]":
    wanted = models.Q()
    for name in form.analytes:
        wanted |= models.Q(
            **{f"{name}_value__isnull": False, f"{name}_lln__isnull": True, f"{name}_uln__isnull": True}
        )
    rows = form._default_manager.filter(wanted, retracted=False, lock_state="OPEN")
    return rows.select_related("subject").order_by("subject_id", "visit", "sequence")


def _fillable(record: CRF, around: Around) -> tuple[str, ...]:
    tried = copy.copy(record)
    prepare(tried, record, around)
    return tuple(
        name
        for name in record.analytes
        if any(getattr(tried, f"{name}_{end}") != getattr(record, f"{name}_{end}") for end in ("lln", "uln"))
    )


@dataclass(frozen=True)
class Chosen:
    """A record that shall get its ranges, by form and id, and the version that was looked at."""

    form: str
    id: UUID
    seen: int


@dataclass(frozen=True)
class Failed:
    """A chosen record that stayed as it was, and why."""

    chosen: Chosen
    why: str


def attach(chosen: list[Chosen], *, by: Actor, reason: str) -> tuple[int, list[Failed]]:
    """Give these records the ranges in force for them, through the door, with a reason.

    Answers how many were changed, and the ones that could not be, with why: one that was changed since it was looked at
    is left as it is. Raises Forbidden or Rejected.
    """
    require(by, Act.ENTER)
    needs_reason(reason)
    if not chosen:
        raise Rejected(
            [Problem("record", "required", T("Choose at least one record.", "请至少选择一条记录。"))]
        )
    wanted = {(bare.record.form, bare.record.pk): bare.record for bare in without_ranges(by, 5_000)}
    done, failed = 0, list[Failed]()
    for one in chosen:
        record = wanted.get((one.form, one.id))
        if record is None:
            failed.append(Failed(one, _no_longer()))
            continue
        try:
            done += save_record(record, by=by, reason=reason, seen=one.seen).changed
        except Rejected as refused:
            failed.append(Failed(one, "; ".join(str(p.message) for p in refused.problems)))
        except Stale as stale:
            failed.append(Failed(one, _changed_since(stale)))
        except Locked as locked:
            failed.append(Failed(one, str(locked.message)))
        except NotFound:
            failed.append(Failed(one, _no_longer()))
    return done, failed


def names_of(failed: list[Failed], *, by: Actor) -> dict[UUID, str]:
    """What to call the records that could not be changed: subject, form and visit."""
    with audit.reading(by):
        told: dict[UUID, str] = {}
        for form in FORMS:
            keys = [one.chosen.id for one in failed if one.chosen.form == form.form]
            for record in form._default_manager.filter(pk__in=keys).select_related("subject") if keys else ():
                told[record.pk] = f"{record.subject.subjid} {form_name(form.form)} {record.visit}".strip()
        return told


def _no_longer() -> str:
    return str(
        T(
            "No range is to be attached to this record any more: it has its ranges, or it was locked or retracted.",
            "该记录不再需要附加参考范围:已附加,或记录已锁定或撤销。",
        )
    )


def _changed_since(stale: Stale) -> str:
    return str(
        T(
            f"It was changed meanwhile (version {stale.current.version}, you saw {stale.seen}) and stays as it is. "
            "Look at it and choose it again.",
            f"该记录已被修改(现为版本 {stale.current.version},您看到的是版本 {stale.seen}),未作更改。请查看后重新选择。",
        )
    )
