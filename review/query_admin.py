"""Queries for monitors: the list, the talk, and closing several answered ones at once."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from review.filters import FORM_FILTER, AgeFilter
from review.history_page import role_name, zone_for
from review.models import QUERY_STATUS, Query
from review.places import field_name, form_name, list_of, record_page
from review.read_only import ReadOnly, actor_of
from review.shown import NOTHING, clock
from trial.access import Act
from trial.dates import utc_now
from trial.text import T


class QueryAdmin(ReadOnly):
    """The list of queries. A query is raised on a record's page and answered by the site."""

    detail_template = "review/query.html"
    needs = (Act.READ,)
    list_display = ("text_short", "subject", "where", "status", "source", "age", "last_said")
    list_filter = ("status", "source", AgeFilter, ("form", FORM_FILTER), "site")
    list_select_related = ("subject", "site")
    search_fields = ("subject__subjid",)
    ordering = (F("entered_at").asc(),)
    actions = ("close_answered",)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Whether the access table lets the actor close queries."""
        return actor_of(request).may(Act.CLOSE)

    @admin.display(description=T("Question", "质疑内容"))
    def text_short(self, query: Any) -> str:
        """The question's beginning."""
        text = str(query.text)
        return text if len(text) <= 90 else text[:89] + "…"

    @admin.display(description=T("Item", "项目"), ordering="form")
    def where(self, query: Any) -> str:
        """The item asked about, leading to it."""
        return place_link(query)

    @admin.display(description=T("Age (days)", "已开天数"), ordering="entered_at")
    def age(self, query: Any) -> int:
        """Whole days since the question."""
        return int((utc_now() - query.entered_at).days)

    @admin.display(description=T("Last said", "最近答复"))
    def last_said(self, query: Any) -> str:
        """The last word of the talk and who said it."""
        if not query.talk:
            return NOTHING
        said = query.talk[-1]
        text = said["text"] if len(said["text"]) <= 60 else said["text"][:59] + "…"
        return f"{text} ({said['by']})"

    @admin.action(
        description=T("Close the selected answered queries", "关闭所选的已答复质疑"), permissions=["close"]
    )
    def close_answered(self, request: HttpRequest, queryset: QuerySet[Query]) -> HttpResponse:
        """Ask for the closing text; the page it shows writes, this one only reads."""
        chosen = list(queryset.filter(status="ANSWERED").select_related("subject"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": T("Close answered queries", "关闭已答复的质疑"),
            "chosen": [(query, place_words(query)) for query in chosen],
            "left_out": queryset.count() - len(chosen),
            "list_url": list_of(Query),
        }
        return TemplateResponse(request, "review/close_many.html", context)

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """The talk, and what the actor may do next."""
        return query_context(record, actor_of(request))


def query_context(query: Query, actor: Any) -> dict[str, Any]:
    """What the page of one query shows."""
    zone = zone_for(query)
    closes = actor.may(Act.CLOSE)
    return {
        "title": T(f"Query · {query.subject.subjid}", f"质疑 · {query.subject.subjid}"),
        "subtitle": place_words(query),
        "where": place_link(query),
        "raised": clock(query.entered_at, zone),
        "talk": [
            {
                **said,
                "at": clock(Query._meta.get_field("entered_at").to_python(said["at"]), zone),
                "role": role_name(said["role"]),
                "status": QUERY_STATUS.label(said["status"]),
            }
            for said in query.talk
        ],
        "may_close": closes and query.status in ("OPEN", "ANSWERED"),
        "may_reopen": closes and query.status in ("ANSWERED", "CLOSED"),
    }


def place_words(query: Query) -> str:
    """`Form: item`."""
    return ": ".join(part for part in (form_name(query.form), field_name(query.form, query.field)) if part)


def place_link(query: Query) -> str:
    """`Form: item`, leading to the item on the record's page."""
    address = record_page(query.form, query.record_id, query.field)
    return format_html('<a href="{}">{}</a>', address, place_words(query)) if address else place_words(query)
