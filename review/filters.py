"""Filters of the review lists that the columns alone do not give."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from review.places import form_name, visit_name
from trial.dates import utc_now
from trial.text import T

AGES = {
    "0-3": (0, 4, T("0–3 days", "0–3 天")),
    "4-7": (4, 8, T("4–7 days", "4–7 天")),
    "8-14": (8, 15, T("8–14 days", "8–14 天")),
    "15": (15, None, T("over 14 days", "超过 14 天")),
}


class AgeFilter(admin.SimpleListFilter):
    """How long ago a query was raised."""

    title = T("age", "已开时长")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The age bands that monitors report on."""
        return [(key, label) for key, (_, _, label) in AGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of one band."""
        band = AGES.get(self.value() or "")
        if band is None:
            return queryset
        youngest, oldest, _ = band
        now = utc_now()
        queryset = queryset.filter(entered_at__lte=now - timedelta(days=youngest))
        return queryset if oldest is None else queryset.filter(entered_at__gt=now - timedelta(days=oldest))


def named_filter(
    column: str, heading: str, name: Callable[[str], str]
) -> type[admin.AllValuesFieldListFilter]:
    """A filter over the values that occur in `column`, each shown by its name; use it as (column, filter)."""

    class Named(admin.AllValuesFieldListFilter):
        """The values that occur, by their names."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = heading

        def choices(self, changelist: Any) -> Iterator[Any]:
            """Stock choices with a name for each value."""
            for choice in super().choices(changelist):
                known = choice["display"] if isinstance(choice["display"], str) else ""
                yield {**choice, "display": name(known) if known in self._values() else choice["display"]}

        def _values(self) -> set[str]:
            return {str(value) for value in self.lookup_choices}

    return Named


VISIT_FILTER = named_filter("visit", T("visit", "访视"), visit_name)
FORM_FILTER = named_filter("form", T("form", "表单"), form_name)
