"""The base of every review list: looking only, own detail page, own history page."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse

from review.history_page import history_page
from review.places import history_of
from review.shown import LABELS, heading
from trial.access import Act, Actor


def actor_of(request: HttpRequest) -> Actor:
    """Who looks: the review site lets nobody in without a role."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _name_in_both_languages(model: type[models.Model]) -> None:
    """Columns that are no items get their bilingual names, and no name takes an English plural's "s"."""
    if "verbose_name_plural" not in model._meta.original_attrs:
        model._meta.verbose_name_plural = model._meta.verbose_name
    for column in model._meta.concrete_fields:
        if column.name in LABELS and not hasattr(column, "item"):
            column.verbose_name = LABELS[column.name]


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list, a page and a history; nothing is added, changed or deleted here.

    `needs` names the acts of the access table of which one opens the model.
    """

    needs: ClassVar[tuple[Act, ...]] = (Act.READ,)
    detail_template: ClassVar[str] = "review/detail.html"
    change_list_template = "review/change_list.html"
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    view_on_site = False

    def __init__(self, model: type[models.Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        _name_in_both_languages(model)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: records come from the sites' pages, the API and imports."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: sponsor roles look, ask and close; they change no data."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: nothing is deleted in this system."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What the access table says."""
        actor: Actor | None = getattr(request, "actor", None)
        return actor is not None and any(actor.may(act) for act in self.needs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model is listed at all."""
        return self.has_view_permission(request)

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The record, for who may see it; one of another site is as absent as one that does not exist."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = self.get_object(request, object_id)
        if record is None:
            raise Http404
        return record

    def context(self, request: HttpRequest, record: Any, **more: Any) -> dict[str, Any]:
        """What every page about one record needs."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "record": record,
            "title": str(record),
            "history_url": history_of(self.model, record.pk),
            **more,
        }

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list under its own name, instead of "Select ... to view"."""
        return super().changelist_view(request, {"title": heading(self.model), **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one record."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        record = self.found(request, object_id)
        more = self.detail(request, record)
        return TemplateResponse(request, self.detail_template, self.context(request, record, **more))

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """What this model's page shows beside the common."""
        return {}

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Every version of one record: who, when, why, old and new."""
        return history_page(self, request, object_id)
