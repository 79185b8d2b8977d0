"""DV-05: a new version of the consent form, signed in time."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from safety.engine import find
from safety.rules.reconsent import consented_again_in_time
from subjects.models import Death, Eligibility, EndOfStudy, InformedConsent
from tests.books import at, book, the_site
from tests.people import READY, Change, also, both, changed, put, without
from trial.models import IcfVersion
from trial.protocol import V1

APPROVED = date(2026, 3, 1)
DUE = date(2026, 3, 31)
BEFORE, AFTER = datetime(2026, 3, 31, 15, 59, tzinfo=UTC), datetime(2026, 3, 31, 16, 1, tzinfo=UTC)
NEVER_ENROLLED = without(
    "eligibility",
    "before_apheresis",
    "before_ld",
    "before_infusion",
    "apheresis",
    "infusion",
    *(f"{drug}{day}" for drug in ("flu", "cyc") for day in (-5, -4, -3)),
)


def version(label: str, approved: date, valid_to: date | None = None) -> IcfVersion:
    return IcfVersion(
        label=label,
        irb_approval_date=approved,
        version_date=approved,
        valid_to=valid_to,
        protocol_version="1.0",
    )


def again(day: str, label: str = "2.0", **facts: Any) -> Change:
    """A renewed consent."""
    usual = {"consent_type": "RECONSENT", "icf_version": label, "signed_by_subject": True}
    return also(InformedConsent(**{"consent_dt": at(day) if day else None, **usual, **READY, **facts}))


def enrolled(day: str) -> Change:
    """Found eligible on a day."""
    return also(Eligibility(milestone="SCREENING", assessed_date=date.fromisoformat(day), overall="ELIGIBLE"))


def found(*changes: Change, now: datetime = AFTER, versions: tuple[IcfVersion, ...] = ()) -> dict[str, bool]:
    """Key → pending of what the rule finds, at a site where version 2.0 was approved on 1 March."""
    site = the_site()
    there = replace(site, icf_versions=(*site.icf_versions, *(versions or (version("2.0", APPROVED),))))
    subject = changed(*changes)
    case = replace(book(*subject.values(), now=now), site=there)
    return {one.key: one.pending for one in consented_again_in_time(case, V1)}


OVERDUE, OPEN, NOTHING = {"version:2.0": False}, {"version:2.0": True}, {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (both(), OVERDUE),
        (again("2026-03-31"), NOTHING),  # thirty days
        (again("2026-04-01"), OVERDUE),
        (again("2026-03-31", consent_type="INITIAL"), NOTHING),  # signed as if for the first time
        (again("2026-03-31", consent_type="WITHDRAWAL"), OVERDUE),
        (again("2026-03-10", "1.0"), OVERDUE),  # the old version once more
        (again("2026-03-10", signed_by_subject=False), OVERDUE),
        (again("2026-03-10", signed_by_subject=None), OPEN),
        (again("2026-03-10", ""), OPEN),
        (again(""), OPEN),
        (again("2026-04-02", ""), OVERDUE),  # too late whatever its version
        (put("consent", consent_dt=at("2026-03-01")), NOTHING),  # consented when it was approved
        (NEVER_ENROLLED, NOTHING),
        (both(NEVER_ENROLLED, enrolled("2026-03-31")), OVERDUE),
        (both(NEVER_ENROLLED, enrolled("2026-04-01")), NOTHING),
        (also(Death(death_date="2026-03-31")), NOTHING),
        (also(Death(death_date="2026-04-01")), OVERDUE),
        (also(EndOfStudy(phase="STUDY", date=date(2026, 3, 20))), NOTHING),
        (also(EndOfStudy(phase="TREATMENT", date=date(2026, 3, 20))), OVERDUE),
        (without("consent"), NOTHING),
    ],
)
def test_a_version_approved_on_1_march_is_signed_by_the_31st(
    change: Change, expected: dict[str, bool]
) -> None:
    assert found(change) == expected


def test_the_clock_alone_breaks_it_at_midnight_of_the_site() -> None:
    assert found(now=BEFORE) == NOTHING
    assert found(now=AFTER) == OVERDUE


def test_who_withdrew_from_assessments_need_not_sign() -> None:
    withdrawn = InformedConsent(
        consent_type="WITHDRAWAL", consent_dt=at("2026-03-20"), withdrawal_scope=["ASSESSMENTS"]
    )
    assert found(also(withdrawn)) == NOTHING


def test_a_version_replaced_before_it_fell_due_need_not_be_signed() -> None:
    assert found(versions=(version("2.0", APPROVED), version("3.0", DUE))) == NOTHING
    third = DUE - timedelta(days=1)
    both_ = (version("2.0", APPROVED), version("3.0", third))
    assert found(versions=both_) == NOTHING
    assert found(versions=both_, now=datetime(2026, 5, 1, tzinfo=UTC)) == {"version:3.0": False}
    ended = (version("2.0", APPROVED, third),)
    assert found(versions=ended) == NOTHING
    assert found(versions=(version("2.0", APPROVED, DUE),)) == OVERDUE


def test_a_later_version_stands_for_an_earlier_one() -> None:
    versions = (version("2.0", APPROVED), version("3.0", DUE + timedelta(days=1)))
    assert found(again("2026-03-30", "3.0"), versions=versions) == NOTHING
    assert found(again("2026-03-30", "2.0"), versions=versions, now=datetime(2026, 6, 1, tzinfo=UTC)) == {
        "version:3.0": False
    }


def test_the_finding_names_version_day_due_and_what_was_signed() -> None:
    site = the_site()
    subject = changed(again("2026-04-08"), again("2026-04-05"))
    case = replace(
        book(*subject.values(), now=AFTER + timedelta(days=9)),
        site=replace(site, icf_versions=(*site.icf_versions, version("2.0", APPROVED))),
    )
    finding = find(case, V1)[("DV-05", "version:2.0")][1]
    for said in ("2.0", "2026-03-01", "2026-03-31", "2026-04-05"):
        assert said in finding.en and said in finding.zh
    assert (finding.form, finding.field) == ("informed_consent", "consent_dt")
    assert finding.limit == "≤ 30 d; 2026-03-31"
    assert consented_again_in_time.clocked
