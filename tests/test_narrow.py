"""One rule over the whole study reads the answers it asks for and no others, and finds the same as in whole casebooks."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from dosing.models import Infusion
from safety import engine
from safety.binding import binding
from safety.casebook import Casebook, casebooks
from safety.narrow import findings
from safety.rules import RULES
from subjects.crf import Subject
from subjects.models import Death, InformedConsent, PriorTransplant
from tests.entering import enter
from trial import audit
from trial.people import system_actor
from trial.protocol import Protocol
from trial.rules import Finding, Rule
from visits.models import Visit

pytestmark = pytest.mark.django_db
ASKING = [rule.id for rule in RULES.values() if rule.asks]


def in_whole_casebooks(rule: Rule) -> set[tuple[UUID, Finding]]:
    """What the rule finds in everybody where every form is read, as after a save."""
    with audit.reading(system_actor()):
        ids = list(Subject.objects.values_list("pk", flat=True))
        return {
            (book.subject_id, finding)
            for book in casebooks(ids, engine.READS, judged=True)
            for _, finding in engine.find(book, binding(book), [rule]).values()
        }


@pytest.fixture
def three(new_subject: Callable[..., Any], li: Any) -> list[Any]:
    """One infused two months after a transplant, who comes late to month 2; one of whose transplant and death only
    the month is known; one who only consented."""
    early, unsure, new = (new_subject() for _ in range(3))
    for one in (early, unsure, new):
        enter(
            one, InformedConsent, li, consent_type="INITIAL", consent_dt="2025-01-02 09:00", icf_version="1.0"
        )
    for one, transplant in ((early, "2025-01-15"), (unsure, "2024-12")):
        enter(one, PriorTransplant, li, sct_date=transplant, sct_type="ALLO")
        enter(one, Infusion, li, inf_start_dt="2025-03-15 10:00")
        enter(one, Visit, li, "M2", actual_date="2025-06-30")
    enter(unsure, Death, li, death_date="2025-07")
    return [early, unsure, new]


def test_the_two_rules_that_sql_is_held_against_say_what_they_ask() -> None:
    assert ASKING == ["DV-01", "DV-51"]


@pytest.mark.parametrize("chunk", [1, 2, 1000])
@pytest.mark.parametrize("rule", ASKING)
def test_it_finds_the_same_as_in_whole_casebooks(three: list[Any], rule: str, chunk: int) -> None:
    found = list(findings(RULES[rule], by=system_actor(), chunk=chunk))
    assert {subject for subject, _ in found} >= {three[0].pk, three[1].pk}
    assert len(found) == len(set(found)) and set(found) == in_whole_casebooks(RULES[rule])


def _reads_a_form(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    yield from book.of(Death)  # type: ignore[misc]  # nothing is yielded: the form is not there


def _reads_a_column(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    yield from (row.bag_ids for row in book.of(Infusion))  # type: ignore[misc]  # nor is the column


@pytest.mark.parametrize(("check", "error"), [(_reads_a_form, KeyError), (_reads_a_column, AttributeError)])
def test_a_rule_that_asks_for_more_than_it_declares_fails(three: list[Any], check: Any, error: Any) -> None:
    with pytest.raises(error):
        list(findings(replace(RULES["DV-01"], check=check), by=system_actor()))


def test_a_rule_that_declares_nothing_is_refused(three: list[Any]) -> None:
    with pytest.raises(ValueError, match="DV-02"):
        list(findings(RULES["DV-02"], by=system_actor()))
