"""The review site: Django's admin for monitors and the other sponsor roles, read inside the actor's sites."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.http import urlencode
from django.views.i18n import set_language

from review import query_views
from review.audit_page import audit_explorer
from review.read_only import ReadOnly
from review.shown import heading
from review.worklist import work_list
from trial import audit
from trial.access import ROLES
from trial.text import T

View = Callable[..., HttpResponse]

GROUPS = {
    "review": T("Work", "工作"),
    "subjects": T("Subjects and screening", "受试者与筛选"),
    "visits": T("Visits", "访视"),
    "dosing": T("Cells and dosing", "细胞产品与给药"),
    "safety": T("Safety", "安全性"),
    "exchange": T("Files", "文件"),
    "trial": T("Study", "研究设置"),
}


_OPEN = [role for role in ROLES.values() if role.admin]


class NoReviewRole(PermissionDenied):
    """The role does not open the review site; `message` says which do."""

    message = T(
        f"Your role does not include this page. These roles open the review site: {', '.join(r.en for r in _OPEN)}.",
        f"您的角色无权访问此页面。可使用数据审核界面的角色:{'、'.join(r.zh for r in _OPEN)}。",
    )


class ReviewSite(admin.AdminSite):
    """Every page is read in one attributed transaction; outside it the database shows no row."""

    site_header = T("ssCART-19 review", "ssCART-19 数据审核")
    site_title = T("ssCART-19 review", "ssCART-19 数据审核")
    index_title = T("Work list", "工作清单")
    index_template = "review/index.html"
    app_index_template = "review/app_index.html"
    empty_value_display = "—"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take up our own read-only pages. Packages bring pages that write without attribution: left out."""
        if admin_class is not None and issubclass(admin_class, ReadOnly):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the actor's role opens the review site."""
        actor = getattr(request, "actor", None)
        return actor is not None and ROLES[actor.role].admin

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Run the view, and render its template, inside one reading over the actor's sites."""
        if getattr(view, "writes", False):
            return super().admin_view(view, cacheable)

        def read(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            with audit.reading(request.actor):  # type: ignore[attr-defined]
                response: HttpResponse = view(request, *args, **kwargs)
                return response.render() if isinstance(response, TemplateResponse) else response

        return super().admin_view(update_wrapper(read, view), cacheable)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """The admin's own addresses and those of the queries, the audit explorer and the language."""
        ours: list[URLResolver | URLPattern] = [
            path("language/", set_language, name="language"),
            path("audit/", self.admin_view(audit_explorer), name="audit"),
            path(
                "queries/raise/<slug:form>/<uuid:key>/",
                self.admin_view(query_views.raise_one),
                name="query_raise",
            ),
            path(
                "queries/<uuid:key>/<slug:step>/", self.admin_view(query_views.take_step), name="query_step"
            ),
            path("queries/close/", self.admin_view(query_views.close_many), name="query_close_many"),
        ]
        return [*ours, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseRedirect:
        """There is one sign-in page; it leads back here. Whoever is signed in already is told that the role lacks it."""
        if getattr(request, "actor", None) is not None and not self.has_permission(request):
            raise NoReviewRole
        wanted = request.GET.get("next", "/admin/")
        return HttpResponseRedirect(f"/login?{urlencode({'next': wanted})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        """Sign out and show the sign-in page."""
        from django.contrib.auth import logout

        if request.method == "POST":
            logout(request)
        return redirect("/login")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """A password changes where its change is attributed: on the site's own pages."""
        return redirect("/")

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """The work list."""
        return super().index(request, {**work_list(request.actor), **(extra_context or {})})  # type: ignore[attr-defined]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page shows: who looks, in which role."""
        actor = getattr(request, "actor", None)
        role = ROLES[actor.role].label if actor is not None else ""
        return {**super().each_context(request), "role_label": role, "may_audit": _may_audit(actor)}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The models in the order of their registration, which is the order of the protocol."""
        order = {model: place for place, model in enumerate(self._registry)}
        apps = self._build_app_dict(request, app_label)
        listed = []
        for label, name in GROUPS.items():
            if label in apps:
                group = apps[label]
                group["name"] = name
                for row in group["models"]:
                    row["name"] = heading(row["model"])
                group["models"].sort(key=lambda row: order[row["model"]])
                listed.append(group)
        return listed


def _may_audit(actor: Any) -> bool:
    from trial.access import Act

    return actor is not None and actor.may(Act.AUDIT)
