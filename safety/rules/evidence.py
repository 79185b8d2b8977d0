"""What every rule's finding is made of: answers as facts, days and moments as they are told."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from safety.forms import FORM
from trial.item import items
from trial.rules import Fact
from trial.text import both


def facts(form: str, row: Any, *fields: str) -> tuple[Fact, ...]:
    """These answers of one row; the name of a link stands without its "_id"."""
    own = items(FORM[form])
    return tuple(
        Fact(form, row.pk, name if name in own else name.removesuffix("_id"), told(getattr(row, name)))
        for name in fields
    )


def all_facts(form: str, rows: Iterable[Any], *fields: str) -> tuple[Fact, ...]:
    """The same answers of many rows."""
    return tuple(fact for row in rows for fact in facts(form, row, *fields))


def told(value: Any) -> str:
    """An answer as text; "" when there is none."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


@cache
def named(form: Any) -> dict[str, str]:
    """A form's title in both languages."""
    return both(form._meta.verbose_name)


def clock(moment: datetime, zone: str) -> str:
    """A moment on the site's clock."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
