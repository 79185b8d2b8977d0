"""One rule over the whole study: read only the answers it asks for, as a statement of SQL would.

A rule that declares the answers it `asks` for is run by the same function on books that hold nothing else: for rules that
look at the forms of one subject alone. A rule that asks for more than it declares fails at once: neither the form nor the
column is there.
"""

from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from dosing.models import Infusion
from safety import engine
from safety.binding import binding
from safety.casebook import SITES, Casebook, books_of_sites
from subjects.crf import CRF, Subject
from subjects.models import InformedConsent
from trial import audit
from trial.access import Actor
from trial.at_once import rows_at_once
from trial.dates import utc_now
from trial.rules import Asks, Finding, Rule

CHUNK = 1000
"""Subjects in one transaction: their answers are the memory that a search takes."""
ALWAYS: Asks = {
    InformedConsent: ("consent_type", "consent_dt", "icf_version", "signed_by_subject"),
    Infusion: ("inf_start_dt",),
}
"""What says which protocol version binds a subject, and when it was infused."""
_SUBJECTS = "SELECT id::text, subjid, site_id FROM subjects_subject WHERE id BETWEEN %(first)s AND %(last)s"


def findings(rule: Rule, *, by: Actor, chunk: int = CHUNK) -> Iterator[tuple[UUID, Finding]]:
    """What one rule that declares what it asks for finds in everybody, subject by subject; memory stays flat."""
    last: UUID | None = None
    while True:
        with audit.reading(by):
            ids = _next(last, chunk)
            some = list(books(ids, rule)) if ids else []
        for book in some:
            for _, finding in engine.find(book, binding(book), [rule]).values():
                yield book.subject_id, finding
        if len(ids) < chunk:
            return
        last = ids[-1]


def _next(last: UUID | None, chunk: int) -> list[UUID]:
    subjects = Subject.objects.order_by("pk")
    if last is not None:
        subjects = subjects.filter(pk__gt=last)
    return list(subjects.values_list("pk", flat=True)[:chunk])


def books(ids: Sequence[UUID], rule: Rule) -> Iterator[Casebook]:
    """The books of these neighbours, ordered by their ids, with the answers that the rule asks for; in one message.

    Raises ValueError for a rule that does not declare what it asks for.
    """
    if not rule.asks:
        raise ValueError(f"{rule.id} does not declare what it asks for")
    wanted = _with_always(rule.asks)
    shapes = [_shape(form, columns) for form, columns in wanted.items()]
    statements = (_SUBJECTS, *SITES, *(statement for statement, _ in shapes))
    subjects, *told = rows_at_once(statements, {"first": ids[0], "last": ids[-1]})
    sites, now = books_of_sites(told[: len(SITES)]), utc_now()
    of_form = [_by_subject(row, rows) for (_, row), rows in zip(shapes, told[len(SITES) :], strict=True)]
    known = {key: (subjid, site) for key, subjid, site in subjects}
    for id_ in ids:
        subjid, site = known[str(id_)]
        rows = {form: found.get(str(id_), ()) for form, found in zip(wanted, of_form, strict=True)}
        yield Casebook(id_, subjid, sites[site], now, rows)


def _with_always(asks: Asks) -> dict[type[CRF], tuple[str, ...]]:
    merged = {form: dict.fromkeys(columns) for form, columns in ALWAYS.items()}
    for form, columns in asks.items():
        merged.setdefault(form, {}).update(dict.fromkeys(columns))
    return {form: tuple(columns) for form, columns in merged.items()}


@cache
def _shape(form: type[CRF], columns: tuple[str, ...]) -> tuple[str, Any]:
    """The statement that reads these answers, the subject's key as text before them, and the tuple they become.

    Keys are compared as text: Python's own identifiers are compared by a function of Python.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    statement = (
        f'SELECT subject_id::text, id, not_done, {names} FROM "{form._meta.db_table}"'
        " WHERE subject_id BETWEEN %(first)s AND %(last)s AND NOT retracted ORDER BY visit, sequence, id"
    )
    return statement, namedtuple(form.__name__, ("pk", "not_done", *columns))


def _by_subject(row: Any, answers: Iterable[tuple[Any, ...]]) -> Mapping[str, list[Any]]:
    rows: dict[str, list[Any]] = {}
    for key, *rest in answers:
        rows.setdefault(key, []).append(row._make(rest))
    return rows
