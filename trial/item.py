"""`item(...)` says once what a field of a form means; everything else is read from it.

    platelets = item(Number(max_digits=8, decimal_places=2, null=True),
                     en="Platelets", zh="血小板计数", unit="10^9/L", hard=(0, 3000), soft=(5, 600), required=True)

`item` pins an `Item` on the stock Django field and returns that same field, so the page, the admin, the API, the
dictionary, the checks and the exports all walk `items(Model)`. simple-history copies the field object, and the
`Item` travels with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from django.apps import apps
from django.db import models

from trial.codes import CodeList
from trial.text import T

F = TypeVar("F", bound="models.Field[Any, Any]")
Limit = int | float | str | Decimal


class Basis(StrEnum):
    """Where a number or a rule comes from. Shown on screen beside it."""

    REGISTRY = "registry"
    PUBLISHED = "published"
    GUIDELINE = "guideline"
    DEFAULT = "illustrative default"

    @property
    def label(self) -> str:
        """The chip's words in both languages."""
        return {
            Basis.REGISTRY: T("registry", "注册信息"),
            Basis.PUBLISHED: T("published", "已发表"),
            Basis.GUIDELINE: T("guideline", "指南"),
            Basis.DEFAULT: T("illustrative default", "示例默认值"),
        }[self]


@dataclass(frozen=True)
class Range:
    """A closed range; either end may be open (None). Values are in the item's own unit."""

    low: Decimal | None
    high: Decimal | None

    def holds(self, value: Decimal | int) -> bool:
        """Whether `value` lies within, both ends included."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f"≥ {self.low:f}"
        if self.low is None:
            return f"≤ {self.high:f}"
        return f"{self.low:f} – {self.high:f}"


@dataclass(frozen=True)
class Item:
    """What a field means. `when` maps another field of the same form to the answers that make this one asked.

    `required` asks for an answer on completion (where `when` asks the item at all); `required_at` only at the visits
    it names. `calc` is computed by the server and read-only. `part_of` names the analyte a column belongs to.
    """

    en: str
    zh: str
    section: str = ""
    cdash: str = ""
    sdtm: str = ""
    unit: str = ""
    hard: Range | None = None
    soft: Range | None = None
    required: bool = False
    required_at: tuple[str, ...] = ()
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    codes: CodeList | None = None
    not_before: str = ""
    strictly_after: str = ""
    future: bool = False
    calc: Callable[[Any], Any] | None = None
    basis: Basis = Basis.DEFAULT
    note: str = ""
    part_of: str = ""

    @property
    def label(self) -> str:
        """The label in the active language."""
        return T(self.en, self.zh)

    def asked(self, answers: Any) -> bool:
        """Whether the skip logic asks this item, given the other answers (an object with attributes)."""
        return all(_answered(getattr(answers, name), wanted) for name, wanted in self.when.items())


def _answered(answer: Any, wanted: tuple[Any, ...]) -> bool:
    if isinstance(answer, list | tuple):
        return any(one in wanted for one in answer)
    return answer in wanted


def _range(limits: "tuple[Limit | None, Limit | None] | None") -> Range | None:
    if limits is None:
        return None
    low, high = (None if limit is None else Decimal(str(limit)) for limit in limits)
    return Range(low, high)


def item(
    field_: F,
    *,
    en: str,
    zh: str,
    hard: "tuple[Limit | None, Limit | None] | None" = None,
    soft: "tuple[Limit | None, Limit | None] | None" = None,
    codes: CodeList | None = None,
    **meaning: Any,
) -> F:
    """Pin what a field means on the field itself and return the same field.

    `hard` refuses, `soft` saves and asks; both are closed ranges in the field's own unit with None for an open end.
    `required=True` means asked on completion, never a NOT NULL column. `future=True` allows a date to lie ahead.
    `not_before` / `strictly_after` name another date of the same form. `calc` computes the answer from the record
    and makes it read-only. See `Item` for the rest.
    """
    field_.item = Item(  # type: ignore[attr-defined]
        en=en, zh=zh, hard=_range(hard), soft=_range(soft), codes=codes, **meaning
    )
    field_.verbose_name = T(en, zh)
    if codes is not None and not getattr(field_, "base_field", None):
        field_.choices = codes.choices
    return field_


def items(model: "type[models.Model] | models.Model") -> dict[str, Item]:
    """Every item of a form by field name, in the order of the form. The dict is shared: read it only."""
    form = model if isinstance(model, type) else type(model)
    return _items(form) if apps.models_ready else _items.__wrapped__(form)


@cache
def _items(form: type[models.Model]) -> dict[str, Item]:
    return {f.name: f.item for f in form._meta.get_fields() if hasattr(f, "item")}


def words(model: "type[models.Model]", field: str, *codes: str) -> tuple[str, str]:
    """How answers of a form read in English and Chinese, where several are named together."""
    known = items(model)[field].codes
    told = [known.words(code) if known else (code, code) for code in codes]
    return ", ".join(en for en, _ in told), "、".join(zh for _, zh in told)


def text(max_length: int = 200, **meaning: Any) -> "models.CharField[Any, Any]":
    """A short text item; empty text is no answer."""
    return item(models.CharField(max_length=max_length, blank=True, default=""), **meaning)


def long_text(**meaning: Any) -> "models.TextField[Any, Any]":
    """A text item of any length."""
    return item(models.TextField(blank=True, default=""), **meaning)


def code(codes: CodeList, **meaning: Any) -> "models.CharField[Any, Any]":
    """One answer from a closed list; empty is no answer."""
    return item(
        models.CharField(max_length=max(codes.longest, 8), blank=True, default=""), codes=codes, **meaning
    )


def codes_many(codes: CodeList, **meaning: Any) -> Any:
    """Any number of answers from a closed list; empty is no answer."""
    from django.contrib.postgres.fields import ArrayField

    return item(
        ArrayField(models.CharField(max_length=max(codes.longest, 8)), blank=True, default=list),
        codes=codes,
        **meaning,
    )


def yes_no(**meaning: Any) -> "models.BooleanField[Any, Any]":
    """Yes, no, or no answer yet."""
    return item(models.BooleanField(null=True, blank=True), **meaning)


def whole(**meaning: Any) -> "models.IntegerField[Any, Any]":
    """A whole number."""
    return item(models.IntegerField(null=True, blank=True), **meaning)


def number(max_digits: int, decimal_places: int, **meaning: Any) -> Any:
    """A decimal number kept exactly as typed; more digits than stated are refused, never rounded."""
    from trial.fields import Number

    return item(
        Number(max_digits=max_digits, decimal_places=decimal_places, null=True, blank=True), **meaning
    )


def day(**meaning: Any) -> "models.DateField[Any, Any]":
    """A whole calendar date of the site."""
    return item(models.DateField(null=True, blank=True), **meaning)


def moment(**meaning: Any) -> "models.DateTimeField[Any, Any]":
    """A date and time, kept in UTC and shown in the site's zone."""
    return item(models.DateTimeField(null=True, blank=True), **meaning)


def partial_day(**meaning: Any) -> Any:
    """A date as far as it is known."""
    from trial.fields import PartialDateField

    return item(PartialDateField(), **meaning)


def partial_moment(**meaning: Any) -> Any:
    """A date and time as far as they are known."""
    from trial.fields import PartialDateTimeField

    return item(PartialDateTimeField(), **meaning)


def link(to: str, **meaning: Any) -> "models.ForeignKey[Any, Any]":
    """A reference to another record of the same subject (or to a person). Its target may not vanish."""
    return item(
        models.ForeignKey(to, on_delete=models.PROTECT, null=True, blank=True, related_name="+"), **meaning
    )
