"""Lists and single reads of any kind of row: pages, streams, history."""

import json
from typing import Any
from urllib.parse import urlencode

from django.db import connection, models
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request

from entry.door import NotFound, Saved
from exchange import sql
from exchange.columns import moment_sql
from exchange.filters import after_of, format_of, is_uuid, limit_of
from exchange.problems import pointer
from exchange.shapes import rows_of
from exchange.sql import Rows, Where
from exchange.view import json_answer
from safety.holds import EnrolmentHold
from trial.access import Act, Actor, require
from trial.models import Person


def listing(request: Request, actor: Actor, rows: Rows, where: Where, name: str) -> HttpResponseBase:
    """A page of JSON with its Link to the next; or, for whoever may export, everything as CSV or NDJSON."""
    wanted = format_of(request.query_params)
    limit, after = limit_of(request.query_params), after_of(request.query_params, rows.key_type)
    if wanted == "json":
        return _page(request, sql.page(actor, rows, where, limit, after))
    require(actor, Act.EXPORT)
    if wanted == "ndjson":
        return _stream(sql.ndjson_stream(actor, rows, where), "application/x-ndjson", f"{name}.ndjson")
    return _stream(
        sql.csv_stream(actor, rows, where, wanted == "csv+bom"), "text/csv; charset=utf-8", f"{name}.csv"
    )


def _page(request: Request, found: sql.Page) -> HttpResponse:
    response = json_answer(found.body)
    if found.next:
        response["Link"] = next_link(request, after=found.next)
    return response


def next_link(request: Request, **changed: str) -> str:
    """The Link header that leads to the next page (RFC 8288); relative, so no proxy can spoil it."""
    query = {**request.query_params.dict(), **changed}
    return f'<{request.path}?{urlencode(query)}>; rel="next"'


def _stream(blocks: sql.Stream, content_type: str, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(blocks, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def one_text(actor: Actor, model: type[models.Model], key: str) -> tuple[str, int]:
    """One row as JSON text with its version. Raises NotFound."""
    found = sql.one(actor, rows_of(model), Where(("f.id = %s::uuid",), (key,))) if is_uuid(key) else None
    if found is None:
        raise NotFound
    return found


def one_answer(
    actor: Actor, model: type[models.Model], key: str, status: int = 200, **more: Any
) -> HttpResponse:
    """One row as a response with its ETag; `more` is added to the object."""
    body, version = one_text(actor, model, key)
    return json_answer(with_more(body, **more) if more else body, status, ETag=f'"{version}"')


def with_more(body: str, **more: Any) -> str:
    """A JSON object as text with more members at its end."""
    return body[:-1] + "," + json.dumps(more, ensure_ascii=False, default=str)[1:]


def doubts_of(saved: Saved) -> list[dict[str, Any]]:
    """What a save asks about, for an answer where no query can be opened."""
    return [
        {
            "pointer": pointer(one.field),
            "field": one.field,
            "check": one.check,
            "detail": str(one.message),
            "value": one.value,
            "limit": one.limit,
        }
        for one in saved.doubts
    ]


def history_answer(actor: Actor, model: type[models.Model], key: str) -> HttpResponse:
    """Every version of one record, oldest first: what, when, who, in which role, why, and the record as it was."""
    one_text(actor, model, key)
    return versions_answer(actor, model, key)


def versions_answer(actor: Actor, model: type[models.Model], key: Any) -> HttpResponse:
    """Every version of the row with this key, which the actor is known to see."""
    statement = (
        "SELECT row_to_json(o)::text FROM (SELECT f.version, "
        "CASE f.history_type WHEN '+' THEN 'created' WHEN '-' THEN 'deleted' ELSE 'changed' END AS operation, "
        f"{moment_sql('f.history_date')} AS at, f.history_user_id AS actor_id, p.full_name AS actor, f.actor_role, "
        "nullif(f.history_change_reason, '') AS reason, f.request_id, "
        f"(SELECT row_to_json(r) FROM ({_columns(model)}) r) AS record "
        f"FROM {rows_of(model, past=True).source} "
        f"LEFT JOIN {sql.quote(Person._meta.db_table)} p ON p.id = f.history_user_id "
        f"WHERE f.id = %s::{rows_of(model).key_type} ORDER BY f.history_id) o"
    )
    return json_answer("[" + ",\n".join(sql.texts(actor, statement, [key])) + "]")


def _columns(model: type[models.Model]) -> str:
    columns = [c for c in rows_of(model, past=True).columns if not c.csv_only]
    return "SELECT " + ", ".join(f"{c.sql} AS {sql.quote(c.name)}" for c in columns)


def past_facts(model: type[models.Model], history_ids: list[int]) -> dict[int, tuple[str, str]]:
    """By history id: who changed what and why, and the row as it was, both as JSON text. Inside `audit.reading`."""
    names = {column.name for column in rows_of(model).columns}
    subject = (
        "s.subjid AS subject, s.id AS subject_id"
        if "subject" in names
        else "f.subjid AS subject, f.id AS subject_id"
        if "subjid" in names
        else "NULL::text AS subject, NULL::uuid AS subject_id"
    )
    retracted = "f.retracted" if any(c.name == "retracted" for c in rows_of(model).columns) else "false"
    # A hold is told to everybody, why it changed to those who may see the subject; its reviews are rows of their own.
    hidden = "s.id IS NULL OR " if model is EnrolmentHold else ""
    reason = f"CASE WHEN {hidden}f.history_change_reason = '' THEN NULL ELSE f.history_change_reason END"
    about = (
        f"SELECT f.id, {subject}, t.code AS site, f.version, CASE WHEN f.history_type = '+' THEN 'created'"
        f" WHEN f.history_type = '-' THEN 'deleted' WHEN {retracted} THEN 'retracted' ELSE 'changed' END AS operation,"
        f" {moment_sql('f.history_date')} AS changed_at, f.history_user_id AS actor_id, f.actor_role,"
        f" {reason} AS reason"
    )
    statement = (
        f"SELECT f.history_id, (SELECT row_to_json(a)::text FROM ({about}) a),"
        f" (SELECT row_to_json(r)::text FROM ({_columns(model)}) r)"
        f" FROM {rows_of(model, past=True).source} WHERE f.history_id = ANY(%s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [history_ids])
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
