"""The rows of one record, and the stored record that they mean."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.db.models import Q

from exchange.incoming_files.mapping import Line, key_text
from exchange.incoming_files.profile import KEYS, Form
from exchange.writes import SPACE
from safety.forms import ANY_FORM


@dataclass
class Group:
    """The rows of one record, and whose record it is: a subject's, or the study's at a site."""

    owner: Any
    lines: list[Line]

    @property
    def form(self) -> Any:
        """The form of the record."""
        return ANY_FORM[self.lines[0].form]

    @cached_property
    def key(self) -> UUID:
        """The id that this record has whenever its file comes."""
        first = self.lines[0]
        return uuid5(SPACE, f"file:{first.form}:{self.owner.pk}:{first.key}")


def meant(groups: list[Group]) -> Q:
    """The stored rows of one form that these groups can mean: by their id, or by what they say."""
    form, same_id = groups[0].form, Q(pk__in=[group.key for group in groups])
    if form.repeats == "one":
        return Q()
    visits = Q(visit__in={group.lines[0].visit for group in groups}) if hasattr(form, "visit") else Q()
    if form.repeats == "visit":
        return same_id | visits
    if form.form not in KEYS:
        return same_id
    days = {day for group in groups if (day := _read_day(form, group.lines[0].key)) is not None}
    undated = Q(**{f"{form.dated_by}__isnull": True})
    return same_id | (visits & (undated | Q(**{f"{form.dated_by}__in": days})))


def _read_day(form: Form, key: str) -> Any:
    """The day or moment in a record's key, None when the row's text is none (and the row will be refused)."""
    column: Any = form._meta.get_field(form.dated_by)
    try:
        return column.to_python(key.split("|")[1])
    except ValidationError:
        return None


def standing_key(row: Any) -> tuple[Any, ...]:
    """How a stored record is found again by what it says."""
    form, owner = type(row), row.subject_id if hasattr(row, "subject_id") else row.site_id
    if form.repeats == "one":
        return form, owner
    if form.repeats == "visit":
        return form, owner, row.visit
    parts = [
        getattr(row, "visit", ""),
        *(key_text(getattr(row, name)) for name in (form.dated_by, *KEYS.get(form.form, ()))),
    ]
    return form, owner, "|".join(parts)
