"""Whatever one answer is changed into: a derived value that becomes another names other inputs than before."""

from collections.abc import Iterator
from copy import copy
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from safety.derived.every import DERIVATIONS
from safety.derived.vocabulary import hash_of, plain
from tests.books import book
from tests.test_derived_evidence import RESTS_ON
from trial.edit_checks import calculate
from trial.protocol import V1

UNSAID = {"status", "lock_state", "version", "id"}
"""Whether a form is complete decides whether the investigator's answer is compared; it is no answer itself."""
DATES = ("2026-03", "2026-03-18", "")


def others(value: Any, name: str) -> Iterator[Any]:
    """Other answers that such a field could have."""
    if isinstance(value, bool):
        yield from (not value, None)
    elif isinstance(value, Decimal | int):
        yield from (value * 2, value / 2 if isinstance(value, Decimal) else value + 1, None)
    elif isinstance(value, date):
        yield from (value + timedelta(days=1), value - timedelta(days=1), None)
    elif isinstance(value, list):
        yield from ([], ["OTHER"])
    elif isinstance(value, str):
        dated = name.endswith(("_date", "start_dt", "end_dt"))
        unit = name.endswith("_unit")
        yield from DATES if dated else () if unit else ("", "<", ">", "YES", "NO", "OTHER")
    elif name.endswith("_qual"):
        yield from ("<", ">")


def found(name: str, forms: list[Any]) -> dict[str, tuple[Any, str]]:
    """What is derived by key, and the hash of what it rests on. A changed record is one of another version."""
    return {
        one.key: ((plain(dict(one.value)), one.differs), hash_of(one.inputs))
        for one in DERIVATIONS[name](book(*forms), V1)
    }


@pytest.mark.parametrize("label", RESTS_ON)
def test_a_value_that_changes_rests_on_other_answers(label: str) -> None:
    name = label.split(",")[0].split()[0]
    forms = [copy(form) for form in RESTS_ON[label][0]]
    for form in forms:
        calculate(form)
    before = found(name, forms)
    for place, form in enumerate(forms):
        for number, column in enumerate(form._meta.concrete_fields):
            if column.attname in UNSAID:
                continue
            for turn, other in enumerate(others(getattr(form, column.attname), column.attname)):
                changed = copy(form)
                setattr(changed, column.attname, other)
                changed.version = 100 * number + turn + 2
                calculate(changed)
                after = found(name, [*forms[:place], changed, *forms[place + 1 :]])
                for key in before.keys() & after.keys():
                    same_value, same_inputs = (a == b for a, b in zip(before[key], after[key], strict=True))
                    assert same_value or not same_inputs, (form.form, column.attname, other)
