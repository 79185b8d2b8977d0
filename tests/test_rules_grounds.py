"""Where a finding on a criterion points: at the row that decides it, and at the answers that suffice for it."""

from datetime import date

import pytest

from subjects.models import InformedConsent, PriorTransplant
from tests.books import at
from tests.people import READY, also, changed, put, without
from tests.said import shown
from tests.test_rules_eligibility import NOT_TREATED_YET, drug, therapy, transplant

WITHDRAWN = InformedConsent(
    consent_type="WITHDRAWAL", consent_dt=at("2026-02-10"), withdrawal_scope=["TREATMENT"], **READY
)
NOT_TREATED = without(*NOT_TREATED_YET)
ENROLLED = "eligibility.assessed_date 2026-02-12"


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_therapies_the_one_that_excludes_is_shown(order: int) -> None:
    guilty, harmless = therapy(target_antigens=["CD19"]), therapy(target_antigens=["CD22"])
    found = changed(also(*(guilty, harmless)[::order])).of("DV-02")["criterion:E-03"]
    assert found.record == guilty.pk
    assert shown(found) == f"prior_therapy.target_antigens CD19; {ENROLLED}"


def test_a_withdrawn_consent_is_shown_and_not_the_first_one() -> None:
    found = changed(also(WITHDRAWN)).of("DV-02")["criterion:I-05"]
    assert (found.record, found.field) == (WITHDRAWN.pk, "withdrawal_scope")
    assert shown(found) == f"informed_consent.withdrawal_scope TREATMENT; {ENROLLED}"


def test_a_consent_on_an_old_form_is_shown_though_another_was_withdrawn() -> None:
    """Treatment was withdrawn on a form of 10 February; that the first consent was not signed is another fact."""
    subject = changed(put("consent", signed_by_subject=False), also(WITHDRAWN))
    found = subject.of("DV-02")["criterion:I-05"]
    told = {fact.field: fact.record for fact in found.facts}
    assert told["signed_by_subject"] == subject["consent"].pk
    assert told["withdrawal_scope"] == WITHDRAWN.pk


def test_the_screening_visit_is_shown_beside_a_vaccine() -> None:
    found = changed(also(drug("LIVE_VACCINE", "2026-02-01"))).of("DV-02")["criterion:E-13"]
    assert shown(found) == (
        f"con_meds.drug_class LIVE_VACCINE; con_meds.start_dt 2026-02-01; visit.actual_date 2026-02-10; {ENROLLED}"
    )


def test_a_product_that_is_still_given_is_shown_by_its_start() -> None:
    row = therapy(investigational=True, ongoing=True, end_date="")
    (found,) = changed(also(row)).of("DV-22").values()
    assert (found.record, found.field) == (row.pk, "start_date")


def test_of_two_transplants_each_is_asked_by_itself() -> None:
    """The autologous one has no graft-versus-host disease whatever stands in the other row."""
    own = PriorTransplant(sct_date="2025-06-01", sct_type="AUTO", gvhd_active_at_consent="NO", **READY)
    subject = changed(transplant("YES"), also(own))
    allogeneic = next(one for one in subject.values() if isinstance(one, PriorTransplant) and one is not own)
    assert {one.record for one in subject.of("DV-23").values()} == {allogeneic.pk}


@pytest.mark.parametrize(
    ("day", "planned", "pending"),
    [
        ("2026-02", None, True),  # an infusion late enough would settle it
        ("2026-02", date(2026, 5, 10), False),  # one is planned: what lacks is the transplant's day
        ("", None, False),  # none however late would
    ],
)
def test_only_an_infusion_that_is_not_planned_is_waited_for(
    day: str, planned: date | None, pending: bool
) -> None:
    recent = transplant("NO", sct_date=day)
    subject = changed(recent, put("disease", relapse_after_first_remission="NO"), NOT_TREATED)
    subject["eligibility"].planned_infusion_date = planned
    assert subject.of("DV-06")["criterion:I-01"].pending is pending
