"""How far a dose is off; and that the order in which forms were entered changes no finding."""

from typing import Any

import pytest

from safety.engine import find
from safety.rules import RULES
from tests.books import book
from tests.people import NOW, Change, changed, put
from tests.test_rules import BROKEN as FIRST
from tests.test_rules_medication import ROWS as MEDICATION
from tests.test_rules_product import ROWS as PRODUCT
from tests.test_rules_product import D
from tests.test_rules_rechecks import ROWS as RECHECKS
from tests.test_rules_visits import ROWS as VISITS
from trial.protocol import V1


@pytest.mark.parametrize(
    ("given", "percent"),
    [("49.1", "-10.1"), ("60.1", "+10.1")],
)
def test_a_dose_off_its_plan_is_told_in_per_cent(given: str, percent: str) -> None:
    (found,) = changed(put("flu-4", actual_mg=D(given))).of("DV-30").values()
    assert found.field == "actual_mg" and percent in found.en, found.en


@pytest.mark.parametrize(("planned", "field"), [(None, "planned_mg"), (D("54.6"), "actual_mg")])
def test_the_amount_that_is_missing_is_pointed_at(planned: Any, field: str) -> None:
    change = put("flu-4", planned_mg=planned, **({} if planned is None else {"actual_mg": None}))
    (found,) = changed(change).of("DV-30").values()
    assert found.pending and found.field == field


@pytest.mark.parametrize(
    ("rule", "change"),
    [(row[0], row[1]) for rows in (FIRST, PRODUCT, VISITS, MEDICATION, RECHECKS) for row in rows],
)
def test_the_order_in_which_forms_were_entered_changes_no_finding(rule: str, change: Change) -> None:
    """Two drugs of one moment are told as one dose; either of them may be the one that is pointed at."""
    forms = [form for form in changed(change).values() if form is not None]
    one, other = (
        sorted((found.pending, found.form, found.field, found.limit, len(found.facts)) for found in told)
        for told in (
            [finding for _, finding in find(book(*rows, now=NOW), V1, [RULES[rule]]).values()]
            for rows in (forms, forms[::-1])
        )
    )
    assert one == other
