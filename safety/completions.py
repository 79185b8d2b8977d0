"""A death of which only the month or the year is known: what the rules find for some days of it alone cannot be told.

What is expected of a subject ends with the death, so a finding that depends on its day is there up to one day and not
from the next on: the first and the last day the death could be tell whether it depends on it at all.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from datetime import date
from typing import Any

from safety.calendar import died
from safety.casebook import Casebook
from subjects.models import Death
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Rule


def findings(rule: Rule, book: Casebook, protocol: Protocol) -> Iterable[Finding]:
    """What a rule finds, pending where the day of a death that is known in part decides it."""
    deaths = [row for row in book.rows.get(Death, ()) if _open(row, book)] if Death in rule.reads else []
    return _decided(rule, book, protocol, deaths) if deaths else rule(book, protocol)


def _open(row: Any, book: Casebook) -> bool:
    when = died(book, row)
    return not row.not_done and when is not None and not when.known


def _decided(rule: Rule, book: Casebook, protocol: Protocol, deaths: list[Any]) -> Iterator[Finding]:
    """Findings that stand whichever day it was, then those that only some of the days bear out."""
    early, late = (_found(rule, _dated(book, deaths, last=last), protocol) for last in (False, True))
    for key in dict.fromkeys((*late, *early)):
        both = [found[key] for found in (late, early) if key in found]
        if len(both) == 2 and both[0].pending == both[1].pending:
            yield both[0]
        else:
            yield _pending(both[0], deaths[0])


def _found(rule: Rule, book: Casebook, protocol: Protocol) -> dict[str, Finding]:
    """The findings by key, of two with one key the first, as everywhere."""
    found: dict[str, Finding] = {}
    for one in rule(book, protocol):
        found.setdefault(one.key, one)
    return found


def _dated(book: Casebook, deaths: list[Any], *, last: bool) -> Casebook:
    """The book as if the deaths had come on the last day they could be, or on the first."""
    rows = [_on(row, book, last=last) if row in deaths else row for row in book.rows[Death]]
    return replace(book, rows={**book.rows, Death: rows})


def _on(row: Any, book: Casebook, *, last: bool) -> Any:
    when = died(book, row)
    assert when is not None
    day: date = when.last if last else when.first
    if hasattr(row, "_replace"):  # read from the database, a row is a plain tuple
        return row._replace(death_date=day.isoformat())
    made = copy(row)
    made.death_date = day.isoformat()
    return made


def _pending(finding: Finding, death: Any) -> Finding:
    known = death.death_date
    return replace(
        finding,
        en=f"{finding.en} Of the day of death only {known} is known, so this cannot be told.",
        zh=f"{finding.zh}死亡日期仅知 {known},因此无法判定。",
        facts=(*finding.facts, Fact("death", death.pk, "death_date", known)),
        pending=True,
    )
