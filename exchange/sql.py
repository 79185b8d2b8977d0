"""Rows as bytes: one SQL statement builds a whole page of JSON, one COPY streams a whole table.

The database writes the JSON, so a number leaves exactly as it is stored. Every identifier comes from a model's
`_meta` and is quoted; every value is a parameter. All of it runs inside `audit.reading(actor)`, so row-level
security decides what is seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import connection

from trial import audit
from trial.access import Actor

Kind = Literal["text", "number", "bool", "array", "json", "moment", "day", "id"]
BLOCK = 64 * 1024
# JSON never holds these two bytes unescaped, so COPY has nothing to quote and writes each row as it is.
_LINES = "TO STDOUT WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
_INJECTION = "'^[=+\\-@\\t\\r]'"


@dataclass(frozen=True)
class Column:
    """One column of an answer: its name, the SQL of its value, and its kind."""

    name: str
    sql: str
    kind: Kind
    csv_only: bool = False

    def for_csv(self, people: bool) -> str:
        """The value as a CSV cell. For people, text that a spreadsheet would run as a formula gets an apostrophe."""
        if self.kind == "array":
            return f"array_to_string({self.sql}, ';')"
        if self.kind in ("bool", "json"):
            return f"({self.sql})::text"
        if people and self.kind == "text":
            return f"CASE WHEN {self.sql} ~ {_INJECTION} THEN '''' || {self.sql} ELSE {self.sql} END"
        return self.sql


@dataclass(frozen=True)
class Where:
    """Conditions joined by AND, and their values."""

    conditions: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    def and_(self, condition: str, *values: Any) -> "Where":
        """One condition more."""
        return Where((*self.conditions, condition), (*self.values, *values))

    def sql(self) -> str:
        """The WHERE clause, or nothing."""
        return f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


@dataclass(frozen=True)
class Rows:
    """A source of rows: its columns, its table (alias f), what is joined to it, and the column that orders pages."""

    columns: tuple[Column, ...]
    table: str
    joins: str = ""
    key: str = "f.id"
    key_type: str = "uuid"

    @property
    def source(self) -> str:
        """The FROM clause without FROM."""
        return f"{quote(self.table)} f{self.joins}"

    def select(self, where: Where, limit: int | None = None) -> str:
        """The SELECT for JSON, in the order of the key."""
        columns = ((c.sql, c.name) for c in self.columns if not c.csv_only)
        return f"SELECT {_list(columns)} FROM {self._chosen(where, limit)} ORDER BY {self.key}"

    def select_csv(self, where: Where, people: bool) -> str:
        """The SELECT for CSV, in the order of the key."""
        columns = _list((c.for_csv(people), c.name) for c in self.columns)
        return f"SELECT {columns} FROM {self._chosen(where, None)} ORDER BY {self.key}"

    def _chosen(self, where: Where, limit: int | None) -> str:
        """The rows asked for, chosen and ordered before anything is joined or written out: the key's index serves it.

        A join keeps that order or not as it is planned; asking for it once more costs nothing where it is kept.
        """
        most = f" LIMIT {limit}" if limit else ""
        return f"(SELECT f.* FROM {quote(self.table)} f{where.sql()} ORDER BY {self.key}{most}) f{self.joins}"


def _list(pairs: Any) -> str:
    return ", ".join(f"{sql} AS {quote(name)}" for sql, name in pairs)


def quote(name: str) -> str:
    """A quoted identifier."""
    return connection.ops.quote_name(name)


@dataclass(frozen=True)
class Page:
    """A page of JSON rows, and the key to go on from when there are more."""

    body: str
    next: str


def page(actor: Actor, rows: Rows, where: Where, limit: int, after: str = "") -> Page:
    """The next `limit` rows after the key `after`, as one JSON list: one statement, each row already JSON."""
    if after:
        where = where.and_(f"{rows.key} > %s::{rows.key_type}", after)
    statement = f"SELECT r.id::text, row_to_json(r)::text FROM ({rows.select(where, limit + 1)}) r"
    with audit.reading(actor), connection.cursor() as cursor:
        cursor.execute(statement, list(where.values))
        found = cursor.fetchall()
    body = "[" + ",\n".join(text for _, text in found[:limit]) + "]"
    return Page(body, found[limit - 1][0] if len(found) > limit else "")


def one(actor: Actor, rows: Rows, where: Where) -> tuple[str, int] | None:
    """One row as JSON text with its version; None when row-level security or the table has none."""
    statement = f"SELECT row_to_json(r)::text, r.version FROM ({rows.select(where)}) r"
    with audit.reading(actor), connection.cursor() as cursor:
        cursor.execute(statement, list(where.values))
        found = cursor.fetchone()
    return (found[0], found[1]) if found else None


def texts(actor: Actor, statement: str, values: Sequence[Any]) -> list[str]:
    """The first column of every row of a statement."""
    with audit.reading(actor), connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return [row[0] for row in cursor.fetchall()]


class Stream:
    """COPY as an iterator of blocks, inside the actor's own read transaction. The first block is read at once, so
    that a failing statement is an error and not half an answer."""

    def __init__(self, actor: Actor, statement: str, values: Sequence[Any], prefix: bytes = b"") -> None:
        self._blocks = _copy(actor, statement, values)
        self._first = prefix + next(self._blocks, b"")

    def __iter__(self) -> Iterator[bytes]:
        if self._first:
            yield self._first
        yield from self._blocks

    def close(self) -> None:
        """End the COPY and its transaction, also when the client went away."""
        self._blocks.close()


def _copy(actor: Actor, statement: str, values: Sequence[Any]) -> Any:
    with audit.reading(actor), connection.cursor() as cursor:
        waiting, size = [], 0
        with cursor.copy(statement, list(values)) as copy:
            for block in copy:
                waiting.append(bytes(block))
                size += len(block)
                if size >= BLOCK:
                    yield b"".join(waiting)
                    waiting, size = [], 0
        if waiting:
            yield b"".join(waiting)


def csv_stream(actor: Actor, rows: Rows, where: Where, people: bool) -> Stream:
    """Every row as CSV with a header row; for people with a byte order mark and without formulas."""
    inner = rows.select_csv(where, people)
    prefix = b"\xef\xbb\xbf" if people else b""
    return Stream(actor, f"COPY ({inner}) TO STDOUT WITH (FORMAT csv, HEADER true)", where.values, prefix)


def ndjson_stream(actor: Actor, rows: Rows, where: Where) -> Stream:
    """Every row as one line of JSON."""
    return Stream(
        actor, f"COPY (SELECT row_to_json(r)::text FROM ({rows.select(where)}) r) {_LINES}", where.values
    )
