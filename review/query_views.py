"""Raising, closing and re-opening queries: each step is written first, then the page is read."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from review.form_page import sheet
from review.models import Query
from review.places import list_of, page_of, record_page
from review.queries import QueryRefused, close, raise_query, reopen
from review.query_admin import query_context
from review.read_only import actor_of
from review.writing import writes
from safety.forms import FORM
from trial import audit
from trial.access import Act, Actor, Forbidden
from trial.text import T

STEPS = {"close": close, "reopen": reopen}
DONE = {
    "close": T("The query is closed.", "质疑已关闭。"),
    "reopen": T("The query is open again.", "质疑已重新打开。"),
}


def _allow(actor: Actor, act: Act) -> None:
    if not actor.may(act):
        raise PermissionDenied(str(Forbidden(actor, act).message))


@writes
def raise_one(request: HttpRequest, form: str, key: UUID) -> HttpResponse:
    """The page that asks one question about one item of a record."""
    actor = actor_of(request)
    _allow(actor, Act.ASK)
    if request.method != "POST":
        return _raise_page(request, form, key, request.GET.get("field", ""))
    field, text = request.POST.get("field", ""), request.POST.get("text", "")
    record = _record(form, key, actor, field)
    try:
        raise_query(record, field, text, by=actor)
    except QueryRefused as refused:
        return _raise_page(request, form, key, field, text, str(refused.problem.message))
    messages.success(
        request,
        str(T("The query is raised; the site sees it beside the item.", "质疑已提出,中心将在该项目旁看到。")),
    )
    return redirect(record_page(form, key, field))


def _record(form: str, key: UUID, actor: Actor, field: str) -> Any:
    """The record; what `field` links to is read now, because the question is written outside the reading."""
    if form not in FORM:
        raise Http404
    with audit.reading(actor):
        record = FORM[form]._default_manager.select_related("subject", "site").filter(pk=key).first()
        if record is None:
            raise Http404
        if field in {column.name for column in record._meta.concrete_fields}:
            getattr(record, field)
        return record


def _raise_page(
    request: HttpRequest, form: str, key: UUID, field: str, text: str = "", problem: str = ""
) -> HttpResponse:
    actor = actor_of(request)
    record = _record(form, key, actor, "")
    with audit.reading(actor):
        sections = sheet(record, actor).sections
        for section in sections:
            for line in section.lines:
                line.name = _asked_column(record, line.name)
        context = {
            **admin.site.each_context(request),
            "opts": record._meta,
            "record": record,
            "title": T("Raise a query", "提出质疑"),
            "subtitle": f"{record.subject.subjid} · {record}",
            "sections": sections,
            "field": field,
            "text": text,
            "problem": problem,
            "page_url": page_of(record, record.pk),
        }
        status = 422 if problem else 200
        return TemplateResponse(request, "review/raise.html", context, status=status).render()


def _asked_column(record: Any, line: str) -> str:
    return f"{line}_value" if line in record.analytes else line


@writes
def take_step(request: HttpRequest, key: UUID, step: str) -> HttpResponse:
    """Close or re-open one query with a text."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if step not in STEPS:
        raise Http404
    actor, text = actor_of(request), request.POST.get("text", "")
    _allow(actor, Act.CLOSE)
    try:
        STEPS[step](key, text, by=actor)
    except Query.DoesNotExist:
        raise Http404 from None
    except QueryRefused as refused:
        return _query_page(request, key, step, text, str(refused.problem.message))
    messages.success(request, str(DONE[step]))
    return redirect(page_of(Query, key))


def _query_page(request: HttpRequest, key: UUID, step: str, text: str, problem: str) -> HttpResponse:
    with audit.reading(actor_of(request)):
        query = Query.objects.select_related("subject").filter(pk=key).first()
        if query is None:
            raise Http404
        context = {
            **admin.site.each_context(request),
            "opts": Query._meta,
            "record": query,
            **query_context(query, actor_of(request)),
            "step": step,
            "text": text,
            "problem": problem,
        }
        return TemplateResponse(request, "review/query.html", context, status=422).render()


@writes
def close_many(request: HttpRequest) -> HttpResponse:
    """Close several answered queries with one text; each is its own attributed step."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    actor, text = actor_of(request), request.POST.get("text", "")
    _allow(actor, Act.CLOSE)
    closed, refused = 0, ""
    for key in _keys(request):
        try:
            close(key, text, by=actor)
            closed += 1
        except Query.DoesNotExist:
            continue
        except QueryRefused as no:
            refused = str(no.problem.message)
    if closed:
        messages.success(request, str(T(f"Closed: {closed}.", f"已关闭 {closed} 条。")))
    if refused:
        messages.error(request, refused)
    return redirect(list_of(Query, status__exact="ANSWERED"))


def _keys(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(key) for key in request.POST.getlist("query")]
    except ValueError:
        raise Http404 from None
