"""The change feed: what changed since a cursor, deletions included, nothing missed."""

import json
from collections import defaultdict
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from exchange.filters import LIMIT, limit_of
from exchange.lists import next_link, past_facts
from exchange.operation import Op
from exchange.problems import ApiProblem, problem_of_parameter
from exchange.shapes import NAME_OF_TABLE, SHARED
from exchange.view import ApiView, Param, json_answer
from trial import audit, feed
from trial.access import Act, Actor
from trial.feed import BadCursor, Entry, Position
from trial.text import T

CURSOR = Param(
    "cursor",
    "Where the last call ended (“next”); without it from the start.",
    "上次返回的 next;省略则从头开始。",
)
CHANGE = {
    "type": "object",
    "properties": {
        "cursor": {"type": "string"},
        "form": {"type": "string", "enum": list(SHARED)},
        "id": {"type": "string", "format": "uuid"},
        "subject": {"type": ["string", "null"]},
        "subject_id": {"type": ["string", "null"], "format": "uuid"},
        "site": {"type": ["string", "null"]},
        "version": {"type": "integer"},
        "operation": {"type": "string", "enum": ["created", "changed", "retracted", "deleted"]},
        "changed_at": {"type": "string", "format": "date-time"},
        "actor_id": {"type": ["integer", "null"]},
        "actor_role": {"type": "string"},
        "reason": {"type": ["string", "null"]},
        "data": {"type": "object"},
    },
}
FEED = {
    "type": "object",
    "properties": {
        "changes": {"type": "array", "items": CHANGE},
        "next": {"type": "string"},
        "more": {"type": "boolean"},
    },
    "required": ["changes", "next", "more"],
}
TABLES = list(NAME_OF_TABLE)


class ChangesView(ApiView):
    """Changes in the order of their transactions."""

    tag = "changes"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("What changed since a cursor", "自游标以来的更改", FEED)}
    acts: ClassVar[dict[str, Act]] = {"GET": Act.EXPORT}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (CURSOR, LIMIT)}

    def get(self, request: Request) -> HttpResponse:
        """{"changes": [...], "next": cursor, "more": whether to call again at once}."""
        limit, text = limit_of(request.query_params), request.query_params.get("cursor", "")
        with audit.reading(self.actor):
            position = _position(text, self.actor)
            entries, after, more = feed.read(position, self.actor.sites, TABLES, limit)
            rows = _rows(entries, after)
        body = f'{{"changes": [{", ".join(rows)}],\n"next": {json.dumps(after.text())}, "more": {json.dumps(more)}}}'
        response = json_answer(body)
        if more:
            response["Link"] = next_link(request, cursor=after.text())
        return response


def _position(text: str, actor: Actor) -> Position:
    """Where to go on. Raises ApiProblem when the cursor is none, of another database, or passed unread sites by."""
    if not text:
        return feed.start(actor.sites)
    try:
        position = feed.parse(text)
    except BadCursor:
        said = T(
            "This is no cursor. Send “next” of the last answer, or leave it out.",
            "游标无效。请发送上次返回的 next,或省略。",
        )
        raise problem_of_parameter("cursor", "not_a_cursor", said) from None
    if position.system != feed.identity():
        raise _start_again(
            "other_database",
            T(
                "This cursor comes from another database, or from before a restore. Pull again without a cursor.",
                "该游标来自另一个数据库或恢复之前的数据库,在此无效。请不带游标从头重新拉取。",
            ),
        )
    if feed.passed_by(position, actor.sites, TABLES):
        raise _start_again(
            "more_sites",
            T(
                "This token covers sites whose earlier changes the cursor passed by. Pull again without a cursor.",
                "此令牌覆盖了该游标此前未读取的中心。请不带游标从头重新拉取。",
            ),
        )
    return position


def _start_again(code: str, said: str) -> ApiProblem:
    return ApiProblem("start_again", said, [{"parameter": "cursor", "code": code, "detail": said}])


def _rows(entries: list[Entry], after: Position) -> list[str]:
    """The entries as JSON texts. The data come from the history row of each version, as the database wrote it."""
    wanted: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        wanted[entry.table].append(entry.history_id)
    facts = {table: past_facts(SHARED[NAME_OF_TABLE[table]], ids) for table, ids in wanted.items()}
    return [_row(entry, facts[entry.table][entry.history_id], after) for entry in entries]


def _row(entry: Entry, fact: tuple[str, str], after: Position) -> str:
    about, data = fact
    head: dict[str, Any] = {
        "cursor": Position(entry.xid, entry.id, after.system, after.sites).text(),
        "form": NAME_OF_TABLE[entry.table],
    }
    return f'{json.dumps(head)[:-1]}, {about[1:-1]}, "data": {data}}}'
