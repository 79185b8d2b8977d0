"""Addresses inside the review site."""

from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.urls import reverse

from review.shown import label_of
from safety.derived.every import DERIVATIONS
from safety.forms import ANY_FORM
from trial.text import T
from visits.schedule import visit_of

_DERIVED = "derived:"


def _address(model: "type[models.Model] | models.Model", page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def list_of(model: "type[models.Model] | models.Model", **filters: Any) -> str:
    """The list of a model, filtered."""
    return _address(model, "changelist") + (f"?{urlencode(filters)}" if filters else "")


def page_of(model: "type[models.Model] | models.Model", key: Any, anchor: str = "") -> str:
    """The page of one record; `anchor` leads to one item on it."""
    return _address(model, "change", key) + (f"#item-{anchor}" if anchor else "")


def history_of(model: "type[models.Model] | models.Model", key: Any, field: str = "") -> str:
    """The history of one record, or of one item of it."""
    return _address(model, "history", key) + (f"?{urlencode({'field': field})}" if field else "")


def ask_about(form: str, key: Any, field: str = "") -> str:
    """The page that raises a query on one item of a record."""
    return reverse("admin:query_raise", args=(form, key)) + (
        f"?{urlencode({'field': field})}" if field else ""
    )


def record_page(form: str, key: Any, field: str = "") -> str:
    """The page of a record that a query, a deviation or a fact names; "" when there is none."""
    model = ANY_FORM.get(form)
    return page_of(model, key, line_name(model, field)) if model is not None and key else ""


def line_name(model: Any, field: str) -> str:
    """The line of the page on which a column stands: an analyte's columns share one."""
    column = next((f for f in model._meta.fields if f.name == field), None)
    meaning = getattr(column, "item", None)
    if meaning is not None and meaning.part_of:
        return str(meaning.part_of)
    return (
        field.removesuffix("_value")
        if field.removesuffix("_value") in getattr(model, "analytes", {})
        else field
    )


def form_name(form: str) -> str:
    """The form's title in the active language."""
    return str(ANY_FORM[form]._meta.verbose_name) if form in ANY_FORM else form


def visit_name(code: str) -> str:
    """The visit's name in the schedule, or its code."""
    visit = visit_of(code)
    return str(visit.label) if visit else code


def field_name(form: str, field: str) -> str:
    """An item's label in the active language; "" stands for the whole form, "derived:…" for what follows from a record."""
    if field.startswith(_DERIVED):
        title = DERIVATIONS[field.removeprefix(_DERIVED)].title
        return str(T(f"{title}, derived", f"{title}(推导值)"))
    if not field or form not in ANY_FORM:
        return field
    column = next((f for f in ANY_FORM[form]._meta.fields if f.name == field), None)
    return label_of(column) if column is not None else field
