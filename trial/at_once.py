"""Several querysets answered in one round trip: a page that shows every form asks for all of them in one message.

Needs parameters that are bound by the client, as Django's PostgreSQL backend does by default.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet
from psycopg import adapters
from psycopg.pq import Format

_MOMENT = adapters.types["timestamptz"].oid


def at_once(querysets: "Sequence[QuerySet[Any]]") -> list[list[Any]]:
    """The instances of each queryset, in the order given. For plain querysets: no `only`, annotation or relation."""
    compilers = [one.query.get_compiler(DEFAULT_DB_ALIAS) for one in querysets]
    asked: list[tuple[str, Any] | None] = [_sql(one) for one in compilers]
    statements = [one for one in asked if one is not None]
    found: list[list[Any]] = []
    if not statements:
        return [[] for _ in querysets]
    with connection.cursor() as cursor:
        cursor.execute("; ".join(sql for sql, _ in statements), [p for _, given in statements for p in given])
        for queryset, compiler, sql in zip(querysets, compilers, asked, strict=True):
            if sql is None:
                found.append([])
                continue
            found.append(_instances(queryset, compiler, cursor.fetchall()))
            cursor.nextset()
    return found


def rows_at_once(statements: Sequence[str], given: Mapping[str, Any]) -> list[list[tuple[Any, ...]]]:
    """The rows of each statement, in the order given; all of them share the named parameters. Moments are in UTC."""
    found: list[list[tuple[Any, ...]]] = []
    with connection.cursor() as cursor:
        plain: Any = cursor.cursor
        # Django's own reader of moments is written in Python; the driver's does the same three times as fast.
        plain.adapters.register_loader(_MOMENT, adapters.get_loader(_MOMENT, Format.TEXT))
        cursor.execute("; ".join(statements), given)
        for _ in statements:
            found.append(plain.fetchall())
            plain.nextset()
    return found


def _sql(compiler: Any) -> tuple[str, Any] | None:
    try:
        sql, given = compiler.as_sql()
    except EmptyResultSet:
        return None
    return sql, given


def _instances(queryset: "QuerySet[Any]", compiler: Any, rows: list[tuple[Any, ...]]) -> list[Any]:
    model = queryset.model
    names = [column.attname for column in model._meta.concrete_fields]
    return [model.from_db(DEFAULT_DB_ALIAS, names, row) for row in compiler.results_iter(results=[rows])]
