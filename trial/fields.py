"""The three kinds of answer that Django has no column for."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    _Decimal = models.DecimalField[Any, Any]
    _Char = models.CharField[Any, Any]
else:
    _Decimal, _Char = models.DecimalField, models.CharField


class Number(_Decimal):
    """A decimal kept as it was typed: 1.50 stays 1.50, nothing is rounded on the way in.

    `max_digits` and `decimal_places` stay the limits of a refused answer; the column itself is an unbounded
    `numeric`, which keeps the scale that was entered (stock DecimalField pads or rounds to its own).
    """

    def db_type(self, connection: Any) -> str:
        return "numeric"


class PartialDateField(_Char):
    """A date as far as it is known: "2026", "2026-03" or "2026-03-05". Read it with `trial.dates.span`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 10)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)


class PartialDateTimeField(_Char):
    """A moment as far as it is known: a partial date, or "2026-03-05T14:30+08:00" with its zone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 22)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)


def uuid7() -> UUID:
    """A new identifier whose order is the order of creation (RFC 9562, version 7), so pages and indexes follow time."""
    import secrets
    import time

    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = (milliseconds << 80) | (7 << 76) | ((random >> 62) << 64) | (2 << 62) | (random & ((1 << 62) - 1))
    return UUID(int=value)
