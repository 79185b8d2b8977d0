"""Many rows changed in one statement: `UPDATE … FROM (VALUES …)`, which costs no more than reading the values.

Django's own `bulk_update` writes a CASE for every value and takes twenty times as long with forty columns.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

ROWS_AT_ONCE = 200


def update_many(rows: Sequence[models.Model], columns: Sequence[Any]) -> int:
    """Write these columns of rows of one model as they stand in memory; answers how many rows were found.

    Triggers and row-level security act as on any UPDATE. Runs in the caller's transaction.
    """
    found = 0
    for start in range(0, len(rows), ROWS_AT_ONCE) if columns else ():
        found += _update(rows[start : start + ROWS_AT_ONCE], columns)
    return found


def _update(rows: Sequence[models.Model], columns: Sequence[Any]) -> int:
    quote = connection.ops.quote_name
    meta = rows[0]._meta
    named = [meta.pk, *columns]
    typed = ", ".join(f"%s::{column.db_type(connection)}" for column in named)
    plain = ", ".join(["%s"] * len(named))
    values = ", ".join(f"({typed if n == 0 else plain})" for n in range(len(rows)))
    setting = ", ".join(f"{quote(c.column)} = v.{quote(c.column)}" for c in columns)
    names = ", ".join(quote(c.column) for c in named)
    key = quote(str(meta.pk.column))
    sql = (
        f"UPDATE {quote(meta.db_table)} AS t SET {setting} FROM (VALUES {values}) AS v ({names})"
        f" WHERE t.{key} = v.{key}"
    )
    given = [c.get_db_prep_save(getattr(row, c.attname), connection) for row in rows for c in named]
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return int(cursor.rowcount)
