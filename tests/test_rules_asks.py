"""What a rule asks of the forms is all that it reads, and it needs each answer: DV-01 and DV-51."""

from collections import namedtuple
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from safety.casebook import Casebook
from safety.engine import find
from safety.narrow import ALWAYS
from safety.rules import RULES
from subjects.models import PriorTransplant
from tests.books import book
from tests.people import NOW, Change, also, changed, put
from trial.protocol import V1
from trial.rules import Finding


def narrow(case: Casebook, asks: Mapping[Any, tuple[str, ...]]) -> Casebook:
    """The same casebook with these columns of these forms and nothing else."""
    wanted = {
        form: ("pk", "not_done", *asks.get(form, ()), *ALWAYS.get(form, ())) for form in {*asks, *ALWAYS}
    }
    rows = {}
    for form, columns in wanted.items():
        row: Any = namedtuple(form.__name__, dict.fromkeys(columns))
        rows[form] = [row(*(getattr(one, name) for name in row._fields)) for one in case.rows[form]]
    return replace(case, rows=rows, entries=(), signatures=())


def found(case: Casebook, rule: str) -> list[Finding]:
    return [finding for _, finding in find(case, V1, [RULES[rule]]).values()]


ALLO = PriorTransplant(sct_date="2026-01-01", sct_type="ALLO")


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("DV-01", also(ALLO)),
        ("DV-01", put("disease", prior_allo_sct="YES")),
        ("DV-51", put("D2", actual_date=date(2026, 3, 19))),
        ("DV-51", put("LD-5", actual_date=date(2026, 3, 8))),
        ("DV-51", put("APH", actual_date=date(2026, 2, 27))),
    ],
)
def test_nothing_else_is_needed(rule: str, change: Change) -> None:
    case = book(*changed(change).values(), now=NOW)
    assert found(narrow(case, RULES[rule].asks), rule) == found(case, rule) != []


@pytest.mark.parametrize(("form", "column"), [(PriorTransplant, "sct_date"), (PriorTransplant, "sct_type")])
def test_every_answer_is_needed(form: Any, column: str) -> None:
    asks = dict(RULES["DV-01"].asks)
    asks[form] = tuple(one for one in asks[form] if one != column)
    with pytest.raises(AttributeError):
        found(narrow(book(*changed(also(ALLO)).values(), now=NOW), asks), "DV-01")
