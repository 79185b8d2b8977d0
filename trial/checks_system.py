"""Django system checks: a mistake in a form stops start-up instead of losing history."""

from typing import Any

from django.apps import apps
from django.core.checks import Error, register

from trial.audit_sql import Stamp, WriteHistory
from trial.record import Audited, Record

_OF_EVERY_RECORD = {f.name for f in Record._meta.get_fields()} | {"subject", "site", "visit", "sequence"}


@register()
def every_audited_model_has_its_triggers(app_configs: Any, **kwargs: Any) -> list[Error]:
    """A `Meta` that forgets its parent's would switch the audit off: E001."""
    wanted = {Stamp.name, WriteHistory.name}
    return [
        Error(
            f"{model._meta.label} has no audit triggers.",
            hint="Let its Meta inherit: class Meta(Parent.Meta).",
            obj=model,
            id="edc.E001",
        )
        for model in apps.get_models()
        if issubclass(model, Audited) and not wanted <= {t.name for t in getattr(model._meta, "triggers", [])}
    ]


@register()
def every_field_of_a_form_is_an_item(app_configs: Any, **kwargs: Any) -> list[Error]:
    """A column on a form that says not what it means cannot be shown, checked or exported: E002."""
    return [
        Error(
            f"{model._meta.label}.{field.name} has no item().",
            hint="State it with item(...).",
            obj=model,
            id="edc.E002",
        )
        for model in apps.get_models()
        if issubclass(model, Record)
        for field in model._meta.local_concrete_fields
        if field.name not in _OF_EVERY_RECORD and not hasattr(field, "item")
    ]
