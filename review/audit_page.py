"""The audit explorer: every change, in the order of commit, found by subject, person, form, date or value."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.template.response import TemplateResponse

from review.history_page import STUDY_ZONE, Change, role_name, steps, told_columns
from review.places import field_name, history_of, visit_name
from review.shown import Names, clock, heading
from subjects.crf import Subject
from trial.access import Act, Actor, Forbidden
from trial.integrity import audited_models
from trial.models import LedgerEntry, Person, Site
from trial.text import T

PAGE = 50
OPERATIONS = {"+": T("first entry", "首次录入"), "~": T("change", "修改"), "-": T("removal", "移除")}


@dataclass
class LedgerLine:
    """One entry of the ledger, as shown."""

    cursor: str
    when: str
    zone: str
    who: str
    role: str
    subject: str
    what: str
    url: str
    operation: str
    reason: str
    version: int
    changes: list[Change]


class Wanted(forms.Form):
    """What is looked for; every field may stay empty."""

    use_required_attribute = False
    subject = forms.CharField(label=T("Subject number", "受试者编号"), required=False, max_length=12)
    person = forms.ChoiceField(label=T("Person", "人员"), required=False)
    form = forms.ChoiceField(label=T("Form or list", "表单"), required=False)
    since = forms.DateField(label=T("From (YYYY-MM-DD)", "起始日期(YYYY-MM-DD)"), required=False)
    until = forms.DateField(label=T("Until (YYYY-MM-DD)", "截止日期(YYYY-MM-DD)"), required=False)
    value = forms.CharField(label=T("Text or value", "文本或数值"), required=False, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everybody = [("", T("anybody", "不限"))]
        people = Person.objects.order_by("full_name").values_list("pk", "full_name")
        choices = {
            "person": [*everybody, *((str(key), name) for key, name in people)],
            "form": _form_choices(),
        }
        for name, listed in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = listed


def _form_choices() -> list[tuple[str, str]]:
    named = [(model._meta.db_table, str(model._meta.verbose_name)) for model in _models().values()]
    return [("", str(T("any", "不限"))), *named]


def _models() -> dict[str, Any]:
    return {model._meta.db_table: model for model in audited_models()}


def audit_explorer(request: HttpRequest) -> TemplateResponse:
    """`/admin/audit/`: newest first, paged by the position in the commit order."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if not actor.may(Act.AUDIT):
        raise PermissionDenied(str(Forbidden(actor, Act.AUDIT).message))
    wanted = Wanted(request.GET or None)
    entries = LedgerEntry.objects.order_by("-xid", "-id")
    if wanted.is_bound:
        entries = _filtered(entries, wanted.cleaned_data) if wanted.is_valid() else entries.none()
    lines = ledger_lines(_before(entries, request.GET.get("before", ""))[: PAGE + 1])
    context = {
        **admin.site.each_context(request),
        "title": T("Audit trail", "稽查轨迹"),
        "wanted": wanted,
        "lines": lines[:PAGE],
        "next_url": _next_url(request, lines[PAGE - 1].cursor) if len(lines) > PAGE else "",
        "first_url": _next_url(request, "") if request.GET.get("before") else "",
    }
    return TemplateResponse(request, "review/audit.html", context)


def _next_url(request: HttpRequest, cursor: str) -> str:
    query = request.GET.copy()
    query.pop("before", None)
    if cursor:
        query["before"] = cursor
    return f"{request.path}?{query.urlencode()}"


def _before(entries: QuerySet[LedgerEntry], cursor: str) -> QuerySet[LedgerEntry]:
    """The entries past the cursor `xid-id`; an unreadable cursor starts at the newest."""
    xid, _, key = cursor.partition("-")
    if not (xid.isdecimal() and key.isdecimal() and len(cursor) < 40):
        return entries
    return entries.filter(Q(xid__lt=int(xid)) | Q(xid=int(xid), id__lt=int(key)))


def _filtered(entries: QuerySet[LedgerEntry], wanted: dict[str, Any]) -> QuerySet[LedgerEntry]:
    if wanted["subject"]:
        chains = Subject.objects.filter(subjid__iexact=wanted["subject"].strip()).values("pk")
        entries = entries.filter(chain__in=chains)
    if wanted["form"]:
        entries = entries.filter(record_table=wanted["form"])
    if wanted["since"]:
        entries = entries.filter(at__gte=_midnight(wanted["since"]))
    if wanted["until"]:
        entries = entries.filter(at__lt=_midnight(wanted["until"] + timedelta(days=1)))
    if wanted["value"]:
        entries = entries.filter(payload__icontains=_as_stored(wanted["value"]))
    if wanted["person"]:
        entries = entries.annotate(by=KeyTextTransform("history_user_id", Cast("payload", _json())))
        entries = entries.filter(by=wanted["person"])
    return entries


def _json() -> Any:
    from django.db.models import JSONField

    return JSONField()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(STUDY_ZONE))


def _as_stored(text: str) -> str:
    """The text as JSON writes it: quotation marks and backslashes escaped."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def ledger_lines(entries: QuerySet[LedgerEntry]) -> list[LedgerLine]:
    """Entries as shown, each with what it changed: a few queries, whatever their number."""
    earlier = LedgerEntry.objects.filter(
        record_table=OuterRef("record_table"),
        record_id=OuterRef("record_id"),
        history_id__lt=OuterRef("history_id"),
    ).order_by("-history_id")
    rows = list(entries.annotate(earlier=Subquery(earlier.values("payload")[:1])))
    told = [(row, json.loads(row.payload), json.loads(row.earlier) if row.earlier else None) for row in rows]
    known = Known(
        _texts(Person, (after.get("history_user_id") for _, after, _ in told), "full_name"),
        _texts(Subject, (row.chain for row in rows), "subjid"),
        _texts(Site, (row.site_id for row in rows), "time_zone"),
        _links(told),
    )
    models = _models()
    return [_line(row, after, before, models.get(row.record_table), known) for row, after, before in told]


@dataclass
class Known:
    """The words for ids on one page: people, subjects, zones of sites, linked records by column and id."""

    people: dict[Any, str]
    subjects: dict[Any, str]
    zones: dict[Any, str]
    links: dict[tuple[str, str], str]


def _texts(model: Any, keys: Iterable[Any], column: str) -> dict[Any, str]:
    return dict(model._default_manager.filter(pk__in={key for key in keys if key}).values_list("pk", column))


def _links(told: list[tuple[Any, dict[str, Any], Any]]) -> dict[tuple[str, str], str]:
    """The texts of all linked records: one query per kind of target."""
    models, wanted = _models(), defaultdict(set)
    for row, after, before in told:
        model = models.get(row.record_table)
        for column in told_columns(model) if model else ():
            for payload in (after, before or {}):
                if column.is_relation and payload.get(column.column):
                    wanted[column.related_model].add((column.name, payload[column.column]))
    names = {}
    for model, pairs in wanted.items():
        found = {
            str(key): str(one)
            for key, one in model._default_manager.in_bulk([key for _, key in pairs]).items()
        }
        names.update({(name, str(key)): found[str(key)] for name, key in pairs if str(key) in found})
    return names


def _line(row: Any, after: dict[str, Any], before: Any, model: Any, known: Known) -> LedgerLine:
    zone = known.zones.get(row.site_id, STUDY_ZONE)
    place = " ".join(part for part in _place(after) if part)
    return LedgerLine(
        cursor=f"{row.xid}-{row.id}",
        when=clock(row.at, zone),
        zone=zone,
        who=known.people.get(after.get("history_user_id"), str(after.get("history_user_id") or "")),
        role=role_name(after.get("actor_role", "")),
        subject=known.subjects.get(row.chain, ""),
        what=" · ".join(part for part in (heading(model), place) if part) if model else row.record_table,
        url=history_of(model, row.record_id) if model in admin.site._registry else "",
        operation=str(OPERATIONS.get(row.operation, row.operation)),
        reason=after.get("history_change_reason") or "",
        version=after.get("version") or 0,
        changes=list(_changes(model, before, after, zone, known.links)) if model else [],
    )


def _place(after: dict[str, Any]) -> tuple[str, ...]:
    """Where a row belongs: the visit, the rule, the item asked about."""
    item = field_name(after.get("form") or "", after.get("field") or "")
    return visit_name(after.get("visit") or ""), after.get("rule_id") or "", item


def _changes(
    model: Any, before: dict[str, Any] | None, after: dict[str, Any], zone: str, names: Names
) -> Iterable[Change]:
    """What one entry changed, from the payloads as they were hashed."""
    for column in told_columns(model):
        old = None if before is None else before.get(column.column)
        yield from steps(column, old, after.get(column.column), zone, names)
