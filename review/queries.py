"""Raising, answering and closing queries; keeping automatic ones in step with the answers."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from review.models import Query
from trial import audit
from trial.access import ROLES, Act, Actor, require
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


CORRECTED = "answer corrected"
COMPUTED = "computed."
"""How the names of checks begin that compare an answer with what the worker computed from other forms."""


def sync_automatic(
    record: Any, doubts: Iterable[Doubt], *, by: Actor, known: Iterable[Query] = (), computed: bool = False
) -> list[Query]:
    """Open a query for each new doubt, close those whose doubt is gone. Runs inside the save's own transaction.

    `known` are the automatic queries on the record so far. A query that a monitor closed stays closed while the
    doubted value stays the same; one that closed by itself opens again when its doubt comes back. Whatever its state, a
    query about another value than before asks again, in the words of that value. The door keeps the
    queries that the form itself raises, the worker (`computed`) those that compare it with other forms.
    """
    turned, fresh = _in_step(record, doubts, by, known, computed)
    for query in turned:
        query.save(force_update=True)
    for query in fresh:
        query.save(force_insert=True)
    return [*(query for query in turned if query.status == "OPEN"), *fresh]


def _in_step(
    record: Any, doubts: Iterable[Doubt], by: Actor, known: Iterable[Query], computed: bool = False
) -> tuple[list[Query], list[Query]]:
    """The queries that turn, turned, and the new ones. Nothing is saved here."""
    wanted = {(d.field, d.check): d for d in doubts}
    known = [query for query in known if query.check_id.startswith(COMPUTED) is computed]
    turned = []
    for query in known:
        doubt = wanted.pop((query.field, query.check_id), None)
        if doubt is None and query.status != "CLOSED":
            turned.append(_turned(query, "CLOSED", CORRECTED, by))
        elif doubt is not None and (
            query.value != doubt.value[:200] or (query.status == "CLOSED" and _closed_by_itself(query))
        ):
            _reword(query, doubt)
            turned.append(_turned(query, "OPEN", "asked again", by))
    return turned, [_automatic(record, doubt, by) for doubt in wanted.values()]


def sync_many(found: Iterable[tuple[Any, Iterable[Doubt]]], *, by: Actor) -> None:
    """As `sync_automatic` for many changed records at once, in as many statements as for one."""
    pairs = list(found)
    known: dict[UUID, list[Query]] = {}
    for query in Query.objects.filter(record_id__in=[record.pk for record, _ in pairs], source="AUTO"):
        known.setdefault(query.record_id, []).append(query)
    turned: list[Query] = []
    fresh: list[Query] = []
    for record, doubts in pairs:
        some, more = _in_step(record, doubts, by, known.get(record.pk, ()))
        turned.extend(some)
        fresh.extend(more)
    Query.objects.bulk_update(turned, ["status", "talk", "value", "text_en", "text_zh"], batch_size=100)
    Query.objects.bulk_create(fresh, batch_size=500)


def open_automatic(found: Iterable[tuple[Any, Iterable[Doubt]]], *, by: Actor) -> int:
    """Open the queries of many new records at once, inside their own transaction. Answers how many."""
    fresh = []
    for record, doubts in found:
        wanted = {(d.field, d.check): d for d in doubts}
        fresh += [_automatic(record, doubt, by) for doubt in wanted.values()]
    Query.objects.bulk_create(fresh, batch_size=500)
    return len(fresh)


def _closed_by_itself(query: Query) -> bool:
    """Whether the last word on a closed query is the system's, said while a site corrected the answer."""
    last = query.talk[-1] if query.talk else {}
    role = ROLES.get(last.get("role", ""))
    return last.get("text") == CORRECTED and (role is None or Act.ENTER in role.acts)


def _turned(query: Query, status: str, word: str, by: Actor) -> Query:
    query.status = status
    query.talk = [*query.talk, _said(by, word, status)]
    return query


def _reword(query: Query, doubt: Doubt) -> None:
    words = both(doubt.message)
    query.text_en, query.text_zh, query.value = words["en"], words["zh"], doubt.value[:200]


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
