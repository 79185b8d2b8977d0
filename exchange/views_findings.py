"""Deviations that the rules found, and queries with their talk."""

import re
from typing import Any, ClassVar

from django.db import connection, transaction
from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from entry.door import Rejected
from exchange.filters import DEVIATION_FILTERS, PAGING, QUERY_FILTERS, where_of
from exchange.incoming import MOST_REASON
from exchange.lists import history_answer, listing, one_answer, one_text
from exchange.operation import Op
from exchange.schemas import ANY, list_of, versions_ref
from exchange.shapes import rows_of
from exchange.view import ApiView, Param, body_of, text_header
from exchange.views_steps import deviation_answer
from exchange.writes import idempotency_key, record_of
from review.models import Query
from review.queries import answer, close, raise_query, reopen
from safety.forms import FORM
from safety.models import Deviation
from trial import audit
from trial.access import Act, Actor
from trial.findings import Problem
from trial.text import T

TEXT = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
QUESTION = {
    "type": "object",
    "properties": {
        "form": {"type": "string", "enum": list(FORM)},
        "record": {"type": "string", "format": "uuid"},
        "field": {
            "type": "string",
            "description": "Item name, empty for the whole form / 项目名,空表示整张表",
        },
        "text": {"type": "string", "maxLength": 2000},
    },
    "required": ["form", "record", "text"],
    "additionalProperties": False,
}


class DeviationsView(ApiView):
    """Protocol deviations."""

    tag = "deviations"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Protocol deviations", "方案偏离", list_of(ANY), formats=True)}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (*(f.param for f in DEVIATION_FILTERS), *PAGING)}

    def get(self, request: Request) -> HttpResponseBase:
        """The deviations, in pages or as a stream."""
        where = where_of(DEVIATION_FILTERS, request.query_params)
        return listing(request, self.actor, rows_of(Deviation), where, "deviations")


class DeviationView(ApiView):
    """One deviation."""

    tag = "deviations"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("One deviation", "单条偏离", ANY)}

    def get(self, request: Request, key: str) -> HttpResponse:
        """The deviation; its ETag counts what the rules found and what the site said, and steps ask for it."""
        return deviation_answer(self.actor, key)


class DeviationHistoryView(ApiView):
    """Every version of one deviation."""

    tag = "deviations"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Every version of the deviation", "偏离的全部版本", versions_ref)
    }

    def get(self, request: Request, key: str) -> HttpResponse:
        """The versions, oldest first."""
        return history_answer(self.actor, Deviation, key)


class QueriesView(ApiView):
    """Queries on items of records."""

    tag = "queries"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Queries", "质疑", list_of(ANY), formats=True),
        "POST": Op("Raise a query", "发出质疑", ANY, QUESTION, 201, ("Idempotency-Key",)),
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.ASK}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (*(f.param for f in QUERY_FILTERS), *PAGING)}

    def get(self, request: Request) -> HttpResponseBase:
        """The queries, in pages or as a stream."""
        return listing(
            request, self.actor, rows_of(Query), where_of(QUERY_FILTERS, request.query_params), "queries"
        )

    def post(self, request: Request) -> HttpResponse:
        """A question on one item of a record, or on the whole form."""
        key = idempotency_key(text_header(request, "Idempotency-Key"))
        body = body_of(request, ("form", "record", "field", "text"))
        asked = {
            name: _text(body, name, optional=name == "field") for name in ("form", "record", "field", "text")
        }
        model = FORM.get(asked["form"])
        if model is None:
            raise _wrong("form", asked["form"], ", ".join(FORM))
        record = record_of(self.actor, model, asked["record"])
        field = f"{asked['field']}_value" if asked["field"] in model.analytes else asked["field"]
        query, status = _ask(self.actor, record, field, asked["text"], key)
        response = one_answer(self.actor, Query, str(query.pk), status)
        response["Location"] = f"{request.path}{query.pk}/"
        return response


def _ask(actor: Actor, record: Any, field: str, text: str, key: str) -> tuple[Query, int]:
    """The query and 201; with a key, the same question of the same person and 200. Askers with one key queue up."""
    if not key:
        return raise_query(record, field, text, by=actor), 201
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 23))", [f"{actor.person_id}:{key}"]
            )
        with audit.reading(actor):
            same = Query.objects.filter(record_id=record.pk, field=field, text_en=text, source="MONITOR")
            before = next((q for q in same if q.talk and q.talk[0].get("by") == actor.name), None)
        return (before, 200) if before else (raise_query(record, field, text, by=actor), 201)


def _text(body: dict[str, Any], name: str, optional: bool = False) -> str:
    value = body.get(name)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not (value.strip() or optional):
        raise _wrong(name, value, T("a text", "文本"))
    return value


def _wrong(name: str, value: Any, limit: str) -> Rejected:
    shown = str(value)[:80]
    said = T(f"“{name}” cannot be “{shown}”; expected: {limit}.", f"“{name}”不能是“{shown}”;应为:{limit}。")
    return Rejected([Problem(name, "unreadable", said, shown, str(limit))])


class QueryView(ApiView):
    """One query."""

    tag = "queries"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("One query", "单条质疑", ANY)}

    def get(self, request: Request, key: str) -> HttpResponse:
        """The query with its version as ETag."""
        return one_answer(self.actor, Query, key)


class QueryHistoryView(ApiView):
    """Every version of one query."""

    tag = "queries"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Every version of the query", "质疑的全部版本", versions_ref)}

    def get(self, request: Request, key: str) -> HttpResponse:
        """The versions, oldest first."""
        return history_answer(self.actor, Query, key)


class _StepView(ApiView):
    """A step of a query: POST {"text"}."""

    tag = "queries"

    def _step(self, request: Request, key: str, step: Any) -> HttpResponse:
        text = _text(body_of(request, ("text",)), "text")
        if len(text) > MOST_REASON or re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
            raise _wrong(
                "text",
                text,
                T(
                    f"at most {MOST_REASON} characters, no control characters",
                    f"最多 {MOST_REASON} 个字符,不含控制字符",
                ),
            )
        one_text(self.actor, Query, key)
        step(key, text, by=self.actor)
        return one_answer(self.actor, Query, key)


class AnswerView(_StepView):
    """The site answers."""

    ops: ClassVar[dict[str, Op]] = {"POST": Op("Answer an open query", "答复质疑", ANY, TEXT)}
    acts: ClassVar[dict[str, Act]] = {"POST": Act.ANSWER}

    def post(self, request: Request, key: str) -> HttpResponse:
        """An answer with its text."""
        return self._step(request, key, answer)


class CloseView(_StepView):
    """The monitor closes."""

    ops: ClassVar[dict[str, Op]] = {"POST": Op("Close a query", "关闭质疑", ANY, TEXT)}
    acts: ClassVar[dict[str, Act]] = {"POST": Act.CLOSE}

    def post(self, request: Request, key: str) -> HttpResponse:
        """The end of a query, with its text."""
        return self._step(request, key, close)


class ReopenView(_StepView):
    """The monitor is not satisfied."""

    ops: ClassVar[dict[str, Op]] = {"POST": Op("Open a query again", "重新打开质疑", ANY, TEXT)}
    acts: ClassVar[dict[str, Act]] = {"POST": Act.CLOSE}

    def post(self, request: Request, key: str) -> HttpResponse:
        """A query opened again, with its text."""
        return self._step(request, key, reopen)
