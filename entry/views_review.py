"""Queries and the history of a record, as the site reads them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from entry.flags import record_link
from entry.kept import safe_next
from entry.places import record_named, record_url
from entry.signin import signed_in
from review.history_page import history_of_record
from review.models import QUERY_STATUS, Query
from review.places import field_name, form_name, line_name
from review.queries import QueryRefused, answer
from trial import audit
from trial.access import Act, Actor
from trial.dates import utc_now
from trial.sites import zone_of
from trial.text import T

PER_PAGE = 50


def _query_string(values: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode({name: value for name, value in values.items() if value})


@require_GET
@signed_in()
def queries(request: HttpRequest) -> HttpResponse:
    """The inbox of questions, oldest first: those that wait for an answer, or all."""
    show = request.GET.get("show", "OPEN")
    with audit.reading(request.actor):  # type: ignore[attr-defined]
        rows = Query.objects.select_related("subject").order_by("entered_at", "pk")
        if show in QUERY_STATUS.codes:
            rows = rows.filter(status=show)
        age = request.GET.get("age", "")
        if age.isdecimal():
            rows = rows.filter(entered_at__lte=utc_now() - timedelta(days=min(int(age), 3650)))
        subject = request.GET.get("subject", "")[:12]
        if subject:
            rows = rows.filter(subject__subjid=subject)
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
        asked = [_asked(query) for query in page.object_list]
        context = {"page": page, "queries": asked, "show": show, "age": age, "shows": [*QUERY_STATUS.choices, ("ALL", T("All", "全部"))],
                   "subject": subject, "filters": _query_string({"show": show, "age": age, "subject": subject})}  # fmt: skip
        return render(request, "entry/queries.html", context)


def _asked(query: Query) -> dict[str, Any]:
    assert query.entered_at is not None
    return {
        "query": query,
        "form": form_name(query.form),
        "field": field_name(query.form, query.field),
        "url": record_link(query.form, query.record_id, query.field),
        "zone": zone_of(query.site_id),
        "days": (utc_now() - query.entered_at).days,
    }


@require_POST
@signed_in(Act.ANSWER)
def answer_query(request: HttpRequest, key: UUID) -> HttpResponse:
    """Answer one query. A refused answer is shown again with its text."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    text = request.POST.get("text", "")
    try:
        answer(key, text, by=actor)
    except Query.DoesNotExist:
        raise Http404 from None
    except QueryRefused as refused:
        with audit.reading(actor):
            query = Query.objects.select_related("subject").filter(pk=key).first()
            if query is None:
                raise Http404 from None
            context = {"one": _asked(query), "text": text, "problem": refused.problem}
            return render(request, "entry/query.html", context, status=422)
    messages.success(request, T("The query is answered.", "质疑已答复。"))
    return redirect(safe_next(request, request.POST.get("next") or "/queries"))


@require_GET
@signed_in()
def record_history(request: HttpRequest, form: str, key: str) -> HttpResponse:
    """Every version of a record: who, in which role, when, why, from what to what; `?field=` narrows it to one line."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        record = record_named(form, key)
        only = request.GET.get("field", "")
        known = {c.name for c in type(record)._meta.concrete_fields} | set(record.analytes)
        only = only if only in known else ""
        name = f"{only}_value" if only in record.analytes else only
        context = {
            "record": record,
            "form": form_name(form),
            "subject": record.subject,
            "entries": history_of_record(record, only),
            "only": only,
            "label": field_name(form, name) if only else "",
            "back": record_url(record.subject.subjid, record, line_name(type(record), only) if only else ""),
        }
        return render(request, "entry/history.html", context)
