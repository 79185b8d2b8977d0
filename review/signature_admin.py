"""Signatures for monitors: who signed what, when, saying what, and whether it still stands."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from review.filters import FORM_FILTER
from review.history_page import role_name, zone_for
from review.places import form_name, record_page
from review.read_only import ReadOnly
from review.shown import NOTHING, clock
from review.signatures import shown
from safety.forms import ANY_FORM
from trial.access import Act
from trial.text import T


class SignatureAdmin(ReadOnly):
    """The list of signatures. They are given on a record's page or over the API and never change."""

    detail_template = "review/signature.html"
    needs = (Act.READ,)
    list_display = ("name", "shown_role", "signed", "shown_meaning", "subject", "where", "record_version")
    list_filter = ("meaning", ("form", FORM_FILTER), "site")
    list_select_related = ("subject", "site")
    search_fields = ("subject__subjid", "name")
    ordering = ("-signed_at",)

    @admin.display(description=T("Role", "角色"), ordering="role")
    def shown_role(self, signature: Any) -> str:
        """The role in which it was given."""
        return role_name(signature.role)

    @admin.display(description=T("Signed", "签署时间"), ordering="signed_at")
    def signed(self, signature: Any) -> str:
        """When, on the site's clock with its offset."""
        return clock(signature.signed_at, zone_for(signature))

    @admin.display(description=T("Meaning", "含义"), ordering="meaning")
    def shown_meaning(self, signature: Any) -> str:
        """The statement in the active language."""
        return str(signature.statement)

    @admin.display(description=T("Record", "记录"))
    def where(self, signature: Any) -> str:
        """The form, leading to the record that was signed."""
        name = form_name(signature.form) or NOTHING
        address = record_page(signature.form, signature.record_id)
        return format_html('<a href="{}">{}</a>', address, name) if address else name

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """The signature beside the record as it stands now."""
        model: Any = ANY_FORM.get(record.form)
        signed = model._default_manager.filter(pk=record.record_id).first() if model else None
        return {
            "title": f"{record.subject.subjid if record.subject else ''} · {form_name(record.form)}".strip(
                " ·"
            ),
            "subtitle": "",
            "shown": shown(record, signed),
            "where": self.where(record),
            "now": signed.version if signed else None,
        }
