"""The history page: who changed what, in which role, when on the site's clock, why, from what to what."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.template.response import TemplateResponse

from review.nested import parts
from review.places import line_name, page_of
from review.shown import (
    NOTHING,
    PER_ITEM,
    Names,
    clock,
    item_label,
    label_of,
    mark,
    names_of_links,
    plain,
    shown,
)
from trial.access import ROLES
from trial.integrity import history_model
from trial.sites import zone_of
from trial.text import T

UNTOLD = {"id", "password", "version", "entered_at", "changed_at", "site", "subject"}
STUDY_ZONE = "Asia/Shanghai"

KINDS = {
    "+": T("first entry", "首次录入"),
    "~": T("change", "修改"),
    "-": T("removal", "移除"),
}


@dataclass
class Change:
    """One column's step from the old to the new value, as shown."""

    field: str
    label: str
    old: str
    new: str


@dataclass
class Entry:
    """One version: its circumstances and its changes."""

    version: int
    kind: str
    who: str
    role: str
    when: str
    zone: str
    reason: str
    db_user: str
    xid: int
    request_id: str
    changes: list[Change] = field(default_factory=list)


def zone_for(record: Any) -> str:
    """The zone whose clock a record's page shows: its site's, or the study's."""
    if isinstance(getattr(record, "time_zone", None), str):
        return str(record.time_zone)
    site = getattr(record, "site_id", None)
    return zone_of(site) if site else STUDY_ZONE


def told_columns(model: type[models.Model]) -> list[Any]:
    """The columns whose changes a history tells."""
    return [c for c in model._meta.concrete_fields if c.name not in UNTOLD]


def differences(
    model: Any, before: Any, after: Any, zone: str, names: Names | None = None
) -> Iterator[Change]:
    """What differs between two versions of a row; `before` is None for the first."""
    for column in told_columns(model):
        old = None if before is None else getattr(before, column.attname)
        yield from steps(column, old, getattr(after, column.attname), zone, names)


def steps(column: Any, old: Any, new: Any, zone: str, names: Names | None = None) -> Iterator[Change]:
    """The step of one column from old to new, none if it stays empty or equal; a mark per item is a step of that item."""
    if plain(old) == plain(new) or (_empty(column, old) and _empty(column, new)):
        return
    if column.name in PER_ITEM:
        yield from _marks(column, old or {}, new or {})
        return
    pieces = list(_pieces(column, old, new, zone)) if _nested(old) or _nested(new) else []
    words = (shown(column, old, zone, names), shown(column, new, zone, names)) if not pieces else ("", "")
    yield from pieces or [Change(column.name, label_of(column), *words)]


def _nested(value: Any) -> bool:
    """Whether a value is made of named pieces. A talk is told by what was said last."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and "text" not in first


def _pieces(column: Any, old: Any, new: Any, zone: str) -> Iterator[Change]:
    """The steps of a nested value, piece by piece."""
    before, after = parts(old, zone), parts(new, zone)
    for key in dict.fromkeys((*before, *after)):
        (label, was), (named, now) = before.get(key, ("", NOTHING)), after.get(key, ("", NOTHING))
        if was != now:
            about = named or label
            yield Change(column.name, f"{label_of(column)}: {about}" if about else label_of(column), was, now)


def _empty(column: Any, value: Any) -> bool:
    """Whether this says nothing. "No" and 0 are answers; a mark of the record that every row has is none while unset."""
    if value is False:
        return not column.null
    return value is None or (isinstance(value, str | list | dict) and not value)


def _marks(column: Any, old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            label = f"{item_label(column.model, name)}: {label_of(column)}"
            yield Change(name, label, mark(column, old.get(name)), mark(column, new.get(name)))


def role_name(role: str) -> str:
    """The role's name in the active language."""
    return str(ROLES[role].label) if role in ROLES else role


def history_of_record(record: Any, only: str = "") -> list[Entry]:
    """Every version of a record, newest first; `only` keeps those that changed one line of the page."""
    model = type(record)
    rows = list(
        history_model(model)
        .objects.filter(id=record.pk)
        .select_related("history_user")
        .order_by("history_id")
    )
    zone = zone_for(record)
    names = names_of_links(told_columns(model), rows)
    entries, before = [], None
    for row in rows:
        changes = list(differences(model, before, row, zone, names))
        if only:
            changes = [c for c in changes if _concerns(model, c.field, only)]
        if changes or not only:
            entries.append(_entry(row, zone, changes))
        before = row
    return entries[::-1]


def _concerns(model: Any, name: str, only: str) -> bool:
    return name == only or line_name(model, name) == line_name(model, only)


def _entry(row: Any, zone: str, changes: list[Change]) -> Entry:
    return Entry(
        version=row.version,
        kind=str(KINDS[row.history_type]),
        who=str(row.history_user or row.history_user_id or ""),
        role=role_name(row.actor_role),
        when=clock(row.history_date, zone),
        zone=zone,
        reason=row.history_change_reason,
        db_user=row.db_user,
        xid=row.xid,
        request_id=row.request_id,
        changes=changes,
    )


def history_page(owner: Any, request: HttpRequest, object_id: str) -> TemplateResponse:
    """The page of `/<record>/history/`; `?field=` narrows it to one item."""
    record = owner.found(request, object_id)
    only = request.GET.get("field", "")
    known = {c.name for c in type(record)._meta.concrete_fields} | set(getattr(record, "analytes", {}))
    only = only if only in known else ""
    about = " · ".join(
        part for part in (_subject(record), item_label(type(record), only) if only else str(record)) if part
    )
    context = owner.context(
        request,
        record,
        title=T(f"History: {about}", f"历史:{about}"),
        entries=history_of_record(record, only),
        only=only,
        page_url=page_of(record, record.pk, line_name(type(record), only) if only else ""),
        whole_url=request.path,
    )
    return TemplateResponse(request, "review/history.html", context)


def _subject(record: Any) -> str:
    return str(record.subject.subjid) if hasattr(record, "subject_id") else ""
