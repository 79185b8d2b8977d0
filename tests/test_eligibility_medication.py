"""The exposures that count up to consent or screening: steroids, investigational products, live vaccines."""

from datetime import date
from typing import Any

import pytest

from safety.eligibility import histories
from safety.eligibility.from_casebook import screening
from tests.test_eligibility_criteria import SCREENED, amended, casebook
from tests.test_eligibility_histories import CONSENT, DONE, one_day, therapy, told
from trial.dates import Span
from visits.models import ConMeds


def drug(drug_class: str, start: str, **answers: Any) -> ConMeds:
    """A complete row of the medication."""
    return ConMeds(drug_class=drug_class, start_dt=start, **{**DONE, **answers})


@pytest.mark.parametrize(
    ("begun", "ended", "last"),
    [
        (None, None, None),
        (None, "2026-05-14", one_day("2026-05-14")),
        (None, "2026-05-15", None),  # it may have begun after it, and have been given up to it
        (None, "2026-05-16", None),
        ("2026-05-01", None, Span(date(2026, 5, 1), CONSENT)),
        ("2026-05-15", None, one_day("2026-05-15")),
        ("2026-05-01", "2026-05-10", one_day("2026-05-10")),
        ("2026-05-01", "2026-05-15", one_day("2026-05-15")),
        ("2026-05-01", "2026-05-20", one_day("2026-05-15")),  # what came later does not count
        ("2026-05-01", "2026-05", Span(date(2026, 5, 1), CONSENT)),
        ("2026-04-01", "2026-04", Span(date(2026, 4, 1), date(2026, 4, 30))),
        ("2026-05", "2026-05-10", Span(date(2026, 5, 10), date(2026, 5, 16))),  # or begun after it
        ("2026-05", None, Span(date(2026, 5, 1), date(2026, 5, 16))),
    ],
)
def test_the_last_exposure_up_to_consent(begun: str | None, ended: str | None, last: Span | None) -> None:
    def days(text: str | None) -> Span | None:
        return histories.span_of(text or "", "Asia/Shanghai")

    assert histories._last_day(days(begun), days(ended), CONSENT) == last


STEROID = "CORTICOSTEROID"


@pytest.mark.parametrize(
    ("rows", "ever", "last"),
    [
        ([drug(STEROID, "2026-05-01", end_dt="2026-05-10")], "YES", one_day("2026-05-10")),
        ([drug(STEROID, "2026-05-01", ongoing=True)], "YES", one_day("2026-05-15")),
        ([drug(STEROID, "2026-05-15", ongoing=True)], "YES", one_day("2026-05-15")),  # begun that day
        ([drug(STEROID, "2026-05-16", ongoing=True)], "NO", None),
        (
            [drug(STEROID, "2026-05-16", ongoing=True), drug(STEROID, "2026-05-01", end_dt="2026-05-02")],
            "YES",
            one_day("2026-05-02"),
        ),
        ([drug("ANTIBIOTIC", "2026-05-15", status="DRAFT")], None, None),  # a row that is not finished
        ([drug("ANTIBIOTIC", "2026-05-16", status="DRAFT")], "NO", None),  # begun later, it is no matter
        ([drug("ANTIBIOTIC", "2026-05", status="DRAFT")], None, None),
        ([drug("ANTIBIOTIC", "", status="DRAFT")], None, None),
        ([drug("", "2026-05-16", status="DRAFT")], None, None),
    ],
)
def test_steroids_up_to_consent(rows: list[Any], ever: str | None, last: Span | None) -> None:
    found = told(casebook(*rows))
    assert (found.any_immunosuppressant, found.steroid_last_dose) == (ever, last)


def test_no_route_of_a_steroid_is_exempt_unless_the_protocol_says_so() -> None:
    cream = casebook(drug(STEROID, "2026-05-01", ongoing=True, route="TOPICAL"))
    assert told(cream).any_immunosuppressant == "YES"
    exempt = amended(steroid_exemptions=("TOPICAL",))
    assert screening(cream, "SCREENING", SCREENED, exempt).any_immunosuppressant == "NO"


def test_without_consent_no_exposure_can_be_placed() -> None:
    found = told(casebook(drug(STEROID, "2026-05-01", ongoing=True), therapy("IMP"), without="consent"))
    assert (found.icf, found.any_immunosuppressant, found.steroid_last_dose) == (None, "YES", None)
    assert (found.imp_ever, found.imp_last_dose) == ("YES", None)
    open_ = told(casebook(drug("ANTIBIOTIC", "2026-05-16", status="DRAFT"), without="consent"))
    assert open_.any_immunosuppressant is None


@pytest.mark.parametrize(
    ("rows", "ever", "day"),
    [
        ([drug("LIVE_VACCINE", "2026-04-03")], "YES", one_day("2026-04-03")),
        ([drug("LIVE_VACCINE", "2026-04")], "YES", Span(date(2026, 4, 1), date(2026, 4, 30))),
        ([drug("LIVE_VACCINE", "2019-01-01"), drug("LIVE_VACCINE", "2026-05-14")], "YES", one_day("2026-05-14")),
        ([drug("NON_LIVE_VACCINE", "2026-05-14")], "NO", None),
    ],
)  # fmt: skip
def test_live_vaccines_up_to_screening(rows: list[Any], ever: str, day: Span | None) -> None:
    found = told(casebook(*rows))
    assert (found.live_vaccine, found.live_vaccine_date) == (ever, day)


def test_a_moment_is_placed_on_the_day_of_the_site() -> None:
    late = drug(STEROID, "2026-05-01", end_dt="2026-05-09T23:00+00:00")  # the next morning in Shanghai
    assert told(casebook(late)).steroid_last_dose == one_day("2026-05-10")
