"""The one ModelAdmin of every form: columns, filters and page come from the form's own items."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.db import models
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html

from review.filters import VISIT_FILTER
from review.form_page import sheet
from review.models import Query
from review.places import list_of, visit_name
from review.read_only import ReadOnly, actor_of
from review.shown import NOTHING, shown
from safety.models import Deviation
from subjects.crf import CRF, Subject
from subjects.models import Signature
from trial.access import Act
from trial.sites import zone_of
from trial.text import T


def count_of(model: type[models.Model], **wanted: Any) -> Coalesce:
    """How many rows of `model` point at this record, counted inside the list's own query."""
    rows = model._default_manager.filter(record_id=OuterRef("pk"), **wanted).order_by()
    counted = rows.values("record_id").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


class FormAdmin(ReadOnly):
    """A form's records for monitors: read-only, with open queries and deviations beside every record."""

    detail_template = "review/record.html"
    list_select_related = ("subject", "site")
    search_fields = ("subject__subjid",)
    ordering = ("subject__subjid", "entered_at")
    needs = (Act.READ,)

    def __init__(self, model: type[CRF], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        self.form_model = model
        dated = self._dated()
        self.date_hierarchy = dated.name if isinstance(dated, models.DateField) else None  # type: ignore[misc]
        place = ("place",) if model.repeats != "one" else ()
        happened = ("happened",) if dated is not None else ()
        self.list_display = (
            "shown_subject",
            *place,
            *happened,
            "status",
            "shown_version",
            "queries",
            "deviations",
        )
        visits = (("visit", VISIT_FILTER),) if model.repeats in ("visit", "rows") else ()
        self.list_filter = ("site", *visits, "status", "lock_state", "retracted")  # type: ignore[misc]

    def _dated(self) -> "models.Field[Any, Any] | None":
        name = self.form_model.dated_by
        return self.model._meta.get_field(name) if name else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Every record of the actor's sites, with its open queries and deviations counted."""
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(
            open_queries=count_of(Query, status__in=("OPEN", "ANSWERED")),
            open_deviations=count_of(Deviation, status__in=("OPEN", "PENDING")),
        )
        return counted

    @admin.display(description=T("Subject", "受试者"), ordering="subject__subjid")
    def shown_subject(self, record: Any) -> str:
        """The subject's number; a retracted record is struck through."""
        if record.retracted:
            return format_html("<del>{}</del> ({})", record.subject.subjid, T("retracted", "已撤销"))
        return str(record.subject.subjid)

    @admin.display(description=T("Visit / row", "访视/行号"), ordering="visit")
    def place(self, record: Any) -> str:
        """The visit, and the row where a form has several."""
        row = f"#{record.sequence}" if record.repeats in ("rows", "log") else ""
        return " ".join(part for part in (visit_name(record.visit), row) if part) or NOTHING

    @admin.display(description=T("When", "发生时间"))
    def happened(self, record: Any) -> str:
        """The item that dates the form, on the site's clock."""
        column = self._dated()
        value = getattr(record, column.attname) if column is not None else None
        return shown(column, value, zone_of(record.site_id))

    @admin.display(description=T("Version", "版本"), ordering="version")
    def shown_version(self, record: Any) -> int:
        """How often the record was saved."""
        return int(record.version)

    @admin.display(description=T("Open queries", "未关闭质疑"), ordering="open_queries")
    def queries(self, record: Any) -> str:
        """The number of open or answered queries, leading to them."""
        return _number(record.open_queries, list_of(Query, record_id=record.pk), T("queries", "条质疑"))

    @admin.display(description=T("Deviations", "偏离"), ordering="open_deviations")
    def deviations(self, record: Any) -> str:
        """The number of open deviations, leading to them."""
        return _number(
            record.open_deviations, list_of(Deviation, record_id=record.pk), T("deviations", "项偏离")
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """One record with its subject and site read at once."""
        record = super().get_object(request, object_id, from_field)
        if record is not None:
            record.subject = Subject.objects.select_related("site").get(pk=record.subject_id)
        return record

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """The form's sections with their lines."""
        return {
            "sheet": sheet(record, actor_of(request)),
            "title": f"{record.subject.subjid} · {self.opts.verbose_name}",
            "subtitle": self.place(record) if record.repeats != "one" else "",
        }


class StudyFormAdmin(ReadOnly):
    """A form of the study itself for monitors: read-only, with the signatures that bind it."""

    detail_template = "review/record.html"
    list_display = ("shown_record", "site", "happened", "status", "shown_lock", "shown_version", "signed")
    list_filter = ("site", "status", "lock_state", "retracted")
    list_select_related = ("site",)
    ordering = ("site__code", "sequence")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Every record of the actor's sites, with the signatures given on it counted."""
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(signatures=count_of(Signature))
        return counted

    @admin.display(description=T("Record", "记录"), ordering="sequence")
    def shown_record(self, record: Any) -> str:
        """The record's number; a retracted record is struck through."""
        if record.retracted:
            return format_html("<del>#{}</del> ({})", record.sequence, T("retracted", "已撤销"))
        return f"#{record.sequence}"

    @admin.display(description=T("When", "发生时间"))
    def happened(self, record: Any) -> str:
        """The item that dates the form, on the site's clock."""
        if not record.dated_by:
            return NOTHING
        column = record._meta.get_field(record.dated_by)
        return shown(column, getattr(record, column.attname), zone_of(record.site_id))

    @admin.display(description=T("Lock", "锁定"), ordering="lock_state")
    def shown_lock(self, record: Any) -> str:
        """Open, frozen or locked."""
        return str(record.get_lock_state_display())

    @admin.display(description=T("Version", "版本"), ordering="version")
    def shown_version(self, record: Any) -> int:
        """How often the record was saved."""
        return int(record.version)

    @admin.display(description=T("Signatures", "电子签名"))
    def signed(self, record: Any) -> str:
        """The number of signatures given on any version, leading to them."""
        return _number(record.signatures, list_of(Signature, record_id=record.pk), T("signatures", "个签名"))

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """The form's sections with their lines, and its signatures."""
        return {
            "sheet": sheet(record, actor_of(request)),
            "title": f"{self.opts.verbose_name} #{record.sequence}",
            "subtitle": str(record.site),
        }


def _number(count: int, address: str, what: str) -> str:
    if not count:
        return "0"
    return format_html(
        '<a class="count" href="{}">{}<span class="visually-hidden"> {}</span></a>', address, count, what
    )
