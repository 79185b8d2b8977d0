"""A row that a rule passes over hides nothing that is entered after it."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dosing.models import Infusion, Lymphodepletion, Manufacturing
from safety.adverse_events import AdverseEvent
from subjects.models import Demographics, SubsequentTherapy
from tests.books import at
from tests.people import Change, Subject, also, changed, put, without
from tests.test_rules_visits import TOCI, drug
from visits.models import Visit

D = Decimal
BROKEN, HELD, OPEN = False, None, True


def first(*forms: Any) -> Change:
    """Forms that were entered before all others."""

    def change(subject: Subject) -> None:
        others = dict(subject)
        subject.clear()
        also(*forms)(subject)
        subject.update(others)

    return change


def part(start: str, **facts: Any) -> Infusion:
    """A further infusion, of which nothing else is known."""
    return Infusion(inf_start_dt=at(start), **facts)


def late(**facts: Any) -> AdverseEvent:
    """A serious event that nobody reported or submitted, known since the first of March."""
    usual = {"serious": True, "expected": False, "rel_sscart19": "POSSIBLE", "sae_aware_dt": at("2026-03-01")}
    return AdverseEvent(**{**usual, **facts})


IN_REMISSION = SubsequentTherapy(type="CHEMO", start_date=date(2026, 6, 15), in_remission="YES")
VINCRISTINE = drug("CHEMO", "2026-03-17", route="IV", drug="vincristine")
ROWS: list[tuple[str, Change, Change, bool]] = [
    # rule, what is passed over, what breaks it or leaves it open, and which
    ("DV-08", first(Demographics(sex="M")), put("demographics", birth_date="1950-01-01"), BROKEN),
    ("DV-30", first(Lymphodepletion(drug="FLUDARABINE")), put("flu-4", actual_mg=D("49.1")), BROKEN),
    ("DV-36", first(Manufacturing(batch_no="B0")), put("batch", cd3_pct=D(60)), BROKEN),
    ("DV-51", first(Visit(visit="UNSCHED", actual_date=date(2026, 3, 1))), put("D2", actual_date=date(2026, 3, 19)), BROKEN),
    ("DV-53", first(Visit(visit="UNSCHED", actual_date=date(2026, 3, 1))), without("D2 coagulation"), BROKEN),
    ("DV-57", first(drug(TOCI, "2026-03-15T10:00+08:00")), also(drug(TOCI, "2026-03-18T10:00+08:00")), BROKEN),
    (
        "DV-57",
        first(drug("CORTICOSTEROID", "2026-03-18T10:00+08:00", indication="OTHER")),
        also(drug(TOCI, "2026-03-18T10:00+08:00")),
        BROKEN,
    ),
    ("DV-59", first(AdverseEvent(serious=False)), also(late()), BROKEN),
    ("DV-60", first(AdverseEvent(serious=False)), also(late()), BROKEN),
    ("DV-60", first(late(rel_sscart19="UNRELATED")), also(late()), BROKEN),
    ("DV-61", first(drug("ANTIBIOTIC", "2026-03-17")), also(VINCRISTINE), BROKEN),
    ("DV-61", first(drug("CHEMO", "2026-03-17", route="IT")), also(VINCRISTINE), BROKEN),
    (
        "DV-62",
        first(SubsequentTherapy(type="ALLO_SCT", start_date=date(2026, 6, 1), in_remission="YES")),
        also(IN_REMISSION),
        BROKEN,
    ),
    ("DV-62", first(SubsequentTherapy(type="CHEMO", start_date=date(2026, 7, 1), in_remission="YES")), also(IN_REMISSION), BROKEN),
    # apheresis has no window, as nobody decided to enrol
    ("DV-52", without("APH", "eligibility", "before_apheresis", "before_ld", "before_infusion"), without("D2"), BROKEN),
    # the first infusion was as it should be, the second is not
    *(
        (rule, lambda subject: None, also(part("2026-03-17")), OPEN)
        for rule in ("DV-27", "DV-35", "DV-37", "DV-39", "DV-41", "DV-42")
    ),
    ("DV-27", lambda subject: None, also(part("2026-03-17", premed=["CORTICOSTEROID"])), BROKEN),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "passed_over", "change", "verdict"), ROWS)
def test_a_row_that_is_passed_over_hides_none(
    rule: str, passed_over: Change, change: Change, verdict: bool
) -> None:
    assert changed(passed_over).says(rule) is HELD
    assert changed(passed_over, change).says(rule) is verdict


OPEN_FIRST: list[tuple[str, Change, Change]] = [
    # rule, what leaves it open, what breaks it later on
    ("DV-30", put("flu-5", actual_mg=None), put("flu-4", actual_mg=D("49.1"))),
    ("DV-37", put("infusion", batch_id=None), lambda subject: also(part("2027-01-01", batch_id=subject["batch"].pk))(subject)),
    ("DV-59", first(late(sae_aware_dt=None)), also(late())),
    ("DV-60", first(late(sae_aware_dt=None)), also(late())),
    ("DV-62", also(SubsequentTherapy(type="CHEMO", in_remission="YES")), also(IN_REMISSION)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "opened", "change"), OPEN_FIRST)
def test_what_leaves_a_rule_open_hides_no_breach(rule: str, opened: Change, change: Change) -> None:
    assert changed(opened).says(rule) is OPEN
    assert changed(opened, change).says(rule) is BROKEN
