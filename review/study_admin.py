"""Subjects, sites, consent versions, protocol approvals, people and their roles: read-only, with history."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from review.history_page import role_name, zone_for
from review.models import Query
from review.places import list_of, page_of, visit_name
from review.read_only import ReadOnly
from review.shown import NOTHING, label_of, names_of_links, shown
from safety.forms import FORMS
from safety.models import Deviation
from trial.access import Act
from trial.people import today_somewhere
from trial.text import T
from visits.schedule import visit_rank

ANYBODY = (Act.READ, Act.PEOPLE)
HIDDEN = {"id", "password", "entered_at", "changed_at"}


class StudyAdmin(ReadOnly):
    """A plain page: every column with its value."""

    needs: ClassVar[tuple[Act, ...]] = ANYBODY

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """Label and value of every column."""
        columns = [c for c in self.model._meta.concrete_fields if c.name not in HIDDEN]
        names, zone = names_of_links(columns, [record]), zone_for(record)
        rows = [(label_of(c), shown(c, getattr(record, c.attname), zone, names)) for c in columns]
        return {"rows": rows, "title": f"{self.opts.verbose_name}: {record}"}


class SubjectAdmin(StudyAdmin):
    """Subjects, each with every record entered for them."""

    needs = (Act.READ,)
    detail_template = "review/subject.html"
    list_display = ("subjid", "site", "queries", "deviations")
    list_filter = ("site",)
    list_select_related = ("site",)
    search_fields = ("subjid",)
    ordering = ("subjid",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Subjects with their open queries and deviations counted."""
        queries = Count("queries", filter=Q(queries__status__in=("OPEN", "ANSWERED")), distinct=True)
        found = Count("deviations", filter=Q(deviations__status__in=("OPEN", "PENDING")), distinct=True)
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(open_queries=queries, open_deviations=found)
        return counted

    @admin.display(description=T("Open queries", "未关闭质疑"), ordering="open_queries")
    def queries(self, subject: Any) -> int:
        """Open or answered queries."""
        return int(subject.open_queries)

    @admin.display(description=T("Deviations", "偏离"), ordering="open_deviations")
    def deviations(self, subject: Any) -> int:
        """Open deviations."""
        return int(subject.open_deviations)

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """The subject's records, form by form in the order of the protocol."""
        return {
            "title": T(f"Subject {record.subjid}", f"受试者 {record.subjid}"),
            "site": str(record.site),
            "forms": [(form._meta.verbose_name, rows) for form in FORMS if (rows := _records(form, record))],
            "queries_url": list_of(Query, q=record.subjid),
            "deviations_url": list_of(Deviation, q=record.subjid),
        }


def _records(form: Any, subject: Any) -> list[tuple[Any, str, str]]:
    rows = form._default_manager.filter(subject_id=subject.pk).order_by("entered_at")
    rows = sorted(rows, key=lambda row: visit_rank(row.visit))
    return [(row, _place(row), page_of(form, row.pk)) for row in rows]


def _place(row: Any) -> str:
    number = f"#{row.sequence}" if row.repeats in ("rows", "log") else ""
    return " ".join(part for part in (visit_name(row.visit), number) if part) or NOTHING


class SiteAdmin(StudyAdmin):
    """Sites with their approvals and time zone."""

    list_display = ("code", "name", "name_zh", "country", "time_zone", "activation_date", "closeout_date")
    search_fields = ("code", "name", "name_zh")
    ordering = ("code",)


class IcfVersionAdmin(StudyAdmin):
    """Informed consent versions with their approval and validity."""

    list_display = ("label", "site", "version_date", "irb_approval_date", "valid_to", "protocol_version")
    list_filter = ("site", "protocol_version")
    list_select_related = ("site",)
    search_fields = ("label",)
    ordering = ("site__code", "version_date")


class LaboratoryAdmin(StudyAdmin):
    """The laboratories of each site, and from when until when they measure for it."""

    needs = (Act.READ,)
    list_display = ("name", "name_zh", "site", "valid_from", "valid_to", "is_default")
    list_filter = ("site", "is_default")
    list_select_related = ("site",)
    search_fields = ("name", "name_zh")
    ordering = ("site__code", "name")


class ReferenceRangeAdmin(StudyAdmin):
    """What each laboratory calls normal, and from when until when."""

    needs = (Act.READ,)
    list_display = ("analyte", "site", "laboratory", "sex", "low", "high", "unit", "valid_from", "valid_to")
    list_filter = ("site", "analyte")
    list_select_related = ("site",)
    search_fields = ("analyte", "laboratory")
    ordering = ("site__code", "analyte", "valid_from")


class SiteProtocolAdmin(StudyAdmin):
    """Which protocol version is in force at which site from when."""

    list_display = ("protocol_version", "site", "approved_on")
    list_filter = ("site", "protocol_version")
    list_select_related = ("site",)
    ordering = ("site__code", "approved_on")


class PersonAdmin(StudyAdmin):
    """Accounts, without anything secret."""

    needs = (Act.PEOPLE, Act.AUDIT)
    list_display = ("username", "full_name", "email", "is_active", "roles_today")
    list_filter = ("is_active",)
    search_fields = ("username", "full_name")
    ordering = ("username",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """People with their roles read at once."""
        return super().get_queryset(request).prefetch_related("assignments__site")

    @admin.display(description=T("Roles today", "当前角色"))
    def roles_today(self, person: Any) -> str:
        """The roles in force, each with its site."""
        day = today_somewhere()
        held = [
            f"{role_name(a.role)} ({a.site.code if a.site else T('all sites', '全部中心')})"
            for a in person.assignments.all()
            if a.valid_from <= day and (a.valid_to is None or a.valid_to >= day)
        ]
        return ", ".join(held) or NOTHING


class IdentityCheckAdmin(StudyAdmin):
    """Whose identity was verified before the first signature, by whom, with which kind of document."""

    needs = (Act.PEOPLE, Act.AUDIT)
    list_display = ("person", "document", "checked_by", "checked_at")
    list_select_related = ("person", "checked_by")
    search_fields = ("person__full_name", "person__username")
    ordering = ("person__full_name", "checked_at")


class AccountabilityAdmin(StudyAdmin):
    """Who accepted to be accountable for the own electronic signature, and which wording."""

    needs = (Act.PEOPLE, Act.AUDIT)
    list_display = ("person", "statement_version", "accepted_at")
    list_select_related = ("person",)
    search_fields = ("person__full_name", "person__username")
    ordering = ("person__full_name", "accepted_at")


class AssignmentAdmin(StudyAdmin):
    """Delegated roles: who could do what, from when until when."""

    needs = (Act.PEOPLE, Act.AUDIT)
    list_display = ("person", "shown_role", "shown_site", "valid_from", "valid_to")
    list_filter = ("role", "site")
    list_select_related = ("person", "site")
    search_fields = ("person__full_name", "person__username")
    ordering = ("person__full_name", "valid_from")

    @admin.display(description=T("Role", "角色"), ordering="role")
    def shown_role(self, assignment: Any) -> str:
        """The role by name."""
        return role_name(assignment.role)

    @admin.display(description=T("Site", "中心"), ordering="site__code")
    def shown_site(self, assignment: Any) -> str:
        """The site, or every site."""
        return str(assignment.site or T("all sites", "全部中心"))

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """The plain page under a telling title."""
        context = super().detail(request, record)
        return {**context, "title": f"{record.person.full_name} · {role_name(record.role)}"}
