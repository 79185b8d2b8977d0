"""How each kind of row looks outside: the same columns for lists, single reads, streams, history and the feed."""

from functools import cache
from typing import Any

from django.db import models
from django.db.models import ForeignKey

from exchange.sql import Column, Kind, Rows, quote
from review.models import Query
from safety.forms import FORMS
from safety.models import Deviation
from safety.rules import RULES
from subjects.crf import CRF, Subject
from trial.answers import kind_of
from trial.integrity import history_model
from trial.item import items
from trial.models import Site

COMMON = (
    *(
        "id",
        "subject",
        "subject_id",
        "site",
        "visit",
        "sequence",
        "status",
        "version",
        "lock_state",
        "retracted",
    ),
    *("not_done", "not_done_reason", "missing", "entered_at", "changed_at"),
)
_KINDS: dict[str, Kind] = {
    "yes_no": "bool",
    "whole": "number",
    "number": "number",
    "day": "day",
    "moment": "moment",
    "link": "id",
    "codes": "array",
}


def moment_sql(column: str) -> str:
    """A moment as RFC 3339 text in UTC, with a fraction only where it has one (DateStyle is ISO)."""
    return f"(replace(({column} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z')"


def text_sql(column: str) -> str:
    """A text, null when empty."""
    return f"nullif({column}, '')"


def _own(name: str, kind: Kind) -> Column:
    column = f"f.{quote(name)}"
    sql = moment_sql(column) if kind == "moment" else text_sql(column) if kind == "text" else column
    return Column(name, sql, kind)


ID = Column("id", "f.id", "id")
SUBJECT = (Column("subject", "s.subjid", "text"), Column("subject_id", "f.subject_id", "id"))
SITE = Column("site", "t.code", "text")
STAMPS = (_own("entered_at", "moment"), _own("changed_at", "moment"))
_COMMON = (
    ID,
    *SUBJECT,
    SITE,
    _own("visit", "text"),
    _own("sequence", "number"),
    _own("status", "text"),
    _own("version", "number"),
    _own("lock_state", "text"),
    _own("retracted", "bool"),
    _own("not_done", "bool"),
    _own("not_done_reason", "text"),
    _own("missing", "json"),
    *STAMPS,
)


def _item_column(model: type[models.Model], name: str) -> Column:
    field: Any = model._meta.get_field(name)
    kind: Kind = _KINDS.get(kind_of(field), "text")
    column = f"f.{quote(field.column)}"
    sql = moment_sql(column) if kind == "moment" else text_sql(column) if kind == "text" else column
    return Column(name, sql, kind)


def _place() -> str:
    """The site (t) of a row."""
    return f" JOIN {quote(Site._meta.db_table)} t ON t.id = f.site_id"


def _subject() -> str:
    """The subject (s) and the site (t) of a row."""
    return f" JOIN {quote(Subject._meta.db_table)} s ON s.id = f.subject_id{_place()}"


def form_columns(model: type[CRF]) -> tuple[Column, ...]:
    """Common keys first, then the form's items by name."""
    return (*_COMMON, *(_item_column(model, name) for name in items(model)))


def _subject_columns() -> tuple[Column, ...]:
    return (ID, Column("subjid", "f.subjid", "text"), SITE, _own("version", "number"), *STAMPS)


def _query_columns() -> tuple[Column, ...]:
    return (
        ID,
        *SUBJECT,
        SITE,
        _own("version", "number"),
        _own("status", "text"),
        _own("source", "text"),
        _own("form", "text"),
        Column("record", "f.record_id", "id"),
        _own("field", "text"),
        Column("check", text_sql("f.check_id"), "text"),
        Column(
            "text",
            "json_build_object('en', f.text_en, 'zh', coalesce(nullif(f.text_zh, ''), f.text_en))",
            "json",
        ),
        _own("value", "text"),
        _own("talk", "json"),
        *STAMPS,
    )


def _deviation_columns() -> tuple[Column, ...]:
    return (
        ID,
        *SUBJECT,
        SITE,
        _own("version", "number"),
        Column("rule", "f.rule_id", "text"),
        Column(
            "title",
            "json_build_object('en', coalesce(u.en, f.rule_id), 'zh', coalesce(u.zh, f.rule_id))",
            "json",
        ),
        _own("status", "text"),
        _own("severity", "text"),
        Column("message", "json_build_object('en', f.message_en, 'zh', f.message_zh)", "json"),
        _own("citation", "text"),
        _own("basis", "text"),
        _own("protocol_version", "text"),
        _own("form", "text"),
        Column("record", "f.record_id", "id"),
        _own("field", "text"),
        _own("evidence", "json"),
        _own("detected_at", "moment"),
        _own("cleared_at", "moment"),
        *STAMPS,
    )


def _titles() -> str:
    """The rules' titles as a table u(id, en, zh)."""
    rows = ", ".join(f"({_literal(r.id)}, {_literal(r.en)}, {_literal(r.zh)})" for r in RULES.values())
    return f"(VALUES {rows}) AS u(id, en, zh)"


def _literal(text: str) -> str:
    """A text of our own code as an SQL literal."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


@cache
def rows_of(model: type[models.Model], past: bool = False) -> Rows:
    """The rows of a model as they look outside; with `past`, those of its history table."""
    table = history_model(model)._meta.db_table if past else model._meta.db_table
    if model is Subject:
        return Rows(_subject_columns(), table, _place())
    if model is Query:
        return Rows(_query_columns(), table, _subject())
    if model is Deviation:
        return Rows(_deviation_columns(), table, f"{_subject()} LEFT JOIN {_titles()} ON u.id = f.rule_id")
    return Rows(form_columns(model), table, _subject())  # type: ignore[arg-type]


SITES = Rows(
    (
        ID,
        Column("code", "f.code", "text"),
        *(_own(name, "text") for name in ("name", "name_zh", "country", "time_zone")),
        *(_own(name, "day") for name in ("irb_approval_date", "activation_date", "closeout_date")),
        _own("version", "number"),
        *STAMPS,
    ),
    Site._meta.db_table,
    key_type="int",
)
SHARED: dict[str, type[models.Model]] = {
    "subject": Subject,
    "query": Query,
    "deviation": Deviation,
    **{form.form: form for form in FORMS},
}
NAME_OF_TABLE: dict[str, str] = {model._meta.db_table: name for name, model in SHARED.items()}


def links_to(model: type[models.Model], name: str) -> type[models.Model] | None:
    """The model that a linking item leads to; None for every other item."""
    field = model._meta.get_field(name)
    return field.related_model if isinstance(field, ForeignKey) else None
