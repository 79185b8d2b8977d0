"""Many new rows in one statement, a column an array, sent as the database keeps it.

Django's `bulk_create` sends arrays as text, in which a Python function escapes every quotation mark: for derived values
with their inputs that takes ten times as long as working them out.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from json import JSONEncoder
from typing import Any

from django.db import connection, models
from psycopg import Cursor

BATCH = 1000


class Written(str):
    """A value of a JSON column that is JSON text already."""

    __slots__ = ()


def insert(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, given by the names of their columns; every row names the same ones. Triggers fire as for any other.

    A column that is not named takes the database's default. For models without columns of lists. Raises IntegrityError
    as `bulk_create` does.
    """
    if not rows:
        return
    names = tuple(rows[0])
    written = [name for name in names if isinstance(_column(model, name), models.JSONField)]
    statement = _statement(model, names)
    bound: Any = Cursor(connection.connection)  # binds on the server, unlike Django's own
    with connection.make_cursor(bound) as cursor:
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            columns = {name: [row[name] for row in some] for name in names}
            columns |= {name: [_text(value) for value in columns[name]] for name in written}
            cursor.execute(statement, list(columns.values()))


def _text(value: Any) -> str:
    return value if type(value) is Written else ENCODE(value)


@cache
def _statement(model: type[models.Model], names: tuple[str, ...]) -> str:
    types = [_type(_column(model, name)) for name in names]
    columns = ", ".join(f'"{name}"' for name in names)
    selected = ", ".join(f'"{name}"{of[1]}' for name, of in zip(names, types, strict=True))
    arrays = ", ".join(f"%b::{of[0]}[]" for of in types)
    return f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {selected} FROM unnest({arrays}) AS r({columns})"


def _type(column: Any) -> tuple[str, str]:
    """The type that is sent, and the cast from it. JSON goes as text: the database reads it once."""
    if isinstance(column, models.JSONField):
        return "text", "::jsonb"
    named = str(column.rel_db_type(connection) if column.is_relation else column.db_type(connection))
    return named.partition("(")[0], ""


def _column(model: type[models.Model], name: str) -> Any:
    return next(column for column in model._meta.concrete_fields if column.column == name)


ENCODE = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
