"""Pieces of columns that every kind of row is made of: how a moment and a text look outside, and where a row belongs."""

from exchange.sql import Column, Kind, quote
from subjects.crf import Subject
from trial.models import Site


def moment_sql(column: str) -> str:
    """A moment as RFC 3339 text in UTC, with a fraction only where it has one (DateStyle is ISO)."""
    return f"(replace(({column} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z')"


def text_sql(column: str) -> str:
    """A text, null when empty."""
    return f"nullif({column}, '')"


def own(name: str, kind: Kind) -> Column:
    """A column of the row's own table, under its name there."""
    column = f"f.{quote(name)}"
    sql = moment_sql(column) if kind == "moment" else text_sql(column) if kind == "text" else column
    return Column(name, sql, kind)


ID = Column("id", "f.id", "id")
SUBJECT = (Column("subject", "s.subjid", "text"), Column("subject_id", "f.subject_id", "id"))
SITE = Column("site", "t.code", "text")
STAMPS = (own("entered_at", "moment"), own("changed_at", "moment"))


def site_join() -> str:
    """The JOIN that gives a row its site (t)."""
    return f" JOIN {quote(Site._meta.db_table)} t ON t.id = f.site_id"


def subject_join() -> str:
    """The JOINs that give a row its subject (s) and its site (t)."""
    return f" JOIN {quote(Subject._meta.db_table)} s ON s.id = f.subject_id{site_join()}"


def literal(text: str) -> str:
    """A text of our own code as an SQL literal."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
