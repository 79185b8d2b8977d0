"""Raising, answering and closing queries; keeping automatic ones in step with the answers."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from review.models import Query
from trial import audit
from trial.access import Act, Actor, require
from trial.dates import utc_now
from trial.findings import Doubt, Problem
from trial.text import T, both


class QueryRefused(Exception):
    """The step is not possible in the query's state, or its text is empty."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


def _said(by: Actor, text: str, status: str) -> dict[str, str]:
    return {
        "at": utc_now().isoformat(timespec="seconds"),
        "by": by.name,
        "role": by.role,
        "text": text,
        "status": status,
    }


def raise_query(record: Any, field: str, text: str, *, by: Actor) -> Query:
    """A monitor asks about one field ("" for the whole form) of a record. Opens one transaction."""
    require(by, Act.ASK)
    _needs_text(text)
    known = {f.name for f in record._meta.get_fields()}
    if field and field not in known:
        raise QueryRefused(
            Problem(
                "field",
                "unknown_item",
                T(f"This form has no item “{field}”.", f"本表没有项目“{field}”。"),
                field,
            )
        )
    query = Query(
        subject_id=record.subject_id,
        site_id=record.site_id,
        form=record.form,
        record_id=record.pk,
        field=field,
        source="MONITOR",
        text_en=text,
        text_zh=text,
        value=str(getattr(record, field))[:200] if field else "",
        talk=[_said(by, text, "OPEN")],
    )
    with audit.transaction(by):
        query.save(force_insert=True)
    return query


def answer(query_id: UUID, text: str, *, by: Actor) -> Query:
    """The site answers an open query."""
    require(by, Act.ANSWER)
    return _step(query_id, text, by, {"OPEN"}, "ANSWERED")


def close(query_id: UUID, text: str, *, by: Actor) -> Query:
    """The monitor closes a query, answered or not."""
    require(by, Act.CLOSE)
    return _step(query_id, text, by, {"OPEN", "ANSWERED"}, "CLOSED")


def reopen(query_id: UUID, text: str, *, by: Actor) -> Query:
    """The monitor is not satisfied: an answered or closed query is open again."""
    require(by, Act.CLOSE)
    return _step(query_id, text, by, {"ANSWERED", "CLOSED"}, "OPEN")


def _needs_text(text: str) -> None:
    if not text.strip():
        raise QueryRefused(
            Problem("text", "required", T("Write the question or the answer.", "请填写质疑或答复内容。"))
        )
    if len(text) > 2000:
        raise QueryRefused(
            Problem("text", "too_long", T("At most 2000 characters.", "最多 2000 个字符。"), limit="2000")
        )


def _step(query_id: UUID, text: str, by: Actor, allowed: set[str], status: str) -> Query:
    _needs_text(text)
    with audit.transaction(by, reason=text[:500]):
        query = Query.objects.select_for_update().get(pk=query_id)
        if query.status not in allowed:
            raise QueryRefused(
                Problem(
                    "status",
                    "wrong_state",
                    T(
                        f"The query is {query.status}; this step needs {', '.join(sorted(allowed))}.",
                        f"质疑状态为 {query.status};此操作需要 {', '.join(sorted(allowed))}。",
                    ),
                    query.status,
                )
            )
        query.status = status
        query.talk = [*query.talk, _said(by, text, status)]
        query.save(force_update=True)
    return query


def sync_automatic(record: Any, doubts: Iterable[Doubt], *, by: Actor, is_new: bool) -> list[Query]:
    """Open a query for each new doubt, close those whose doubt is gone. Runs inside the save's own transaction.

    A query that a monitor closed stays closed while the doubted value stays the same.
    """
    wanted = {(d.field, d.check): d for d in doubts}
    known = [] if is_new else list(Query.objects.filter(record_id=record.pk, source="AUTO"))
    opened = []
    for query in known:
        doubt = wanted.pop((query.field, query.check_id), None)
        if doubt is None and query.status != "CLOSED":
            _turn(query, "CLOSED", "answer corrected", by)
        elif doubt is not None and query.status == "CLOSED" and query.value != doubt.value:
            query.value = doubt.value[:200]
            _turn(query, "OPEN", "asked again", by)
            opened.append(query)
    fresh = [_automatic(record, doubt, by) for doubt in wanted.values()]
    for query in fresh:
        query.save(force_insert=True)
    return [*opened, *fresh]


def _turn(query: Query, status: str, word: str, by: Actor) -> None:
    query.status = status
    query.talk = [*query.talk, _said(by, word, status)]
    query.save(force_update=True)


def _automatic(record: Any, doubt: Doubt, by: Actor) -> Query:
    words = both(doubt.message)
    return Query(
        subject_id=record.subject_id,
        site_id=record.site_id,
        form=record.form,
        record_id=record.pk,
        field=doubt.field,
        source="AUTO",
        check_id=doubt.check,
        text_en=words["en"],
        text_zh=words["zh"],
        value=doubt.value[:200],
        talk=[],
    )
