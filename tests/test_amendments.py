"""Amendments: what a version would change, that it comes true, who signs again, and who may approve."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from entry.amending import Approval, approve
from entry.door import Rejected, create_subject
from safety import reconsents, whatif
from safety.adverse_events import AdverseEvent
from safety.binding import binding
from safety.casebook import Casebook, casebook
from safety.engine import READS, evaluate
from safety.models import Deviation, EligibilityResult
from safety.whatif import Shift, shifts
from subjects.models import Death, InformedConsent
from tests.approvals import put_back
from tests.books import at, book
from tests.conftest import acting_as
from tests.entering import enter
from tests.people import clean, put
from trial import audit
from trial.access import Forbidden
from trial.models import IcfVersion, SiteProtocol
from trial.people import system_actor
from trial.protocol import PROTOCOLS, V1, V2, changed_numbers
from visits.models import Visit

D = Decimal
NOW = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)


def of(subject: Any, now: datetime = NOW) -> Casebook:
    """The casebook of a told subject."""
    return book(*subject.values(), now=now)


def differing(subject: Any, kind: str, now: datetime = NOW) -> dict[str, Shift]:
    """What version 2.0 changes of one kind, by key."""
    told = of(subject, now)
    found = shifts(told, replace(told, bound="2.0"))
    return {one.key: one for one in found if one.kind == kind}


def test_the_second_version_names_what_it_changes() -> None:
    names = {name for name, _, _ in changed_numbers(V1, V2)}
    assert names >= {
        "age_max",
        "thaw_max_min",
        "lvef_min_pct",
        "cns_leukaemia_excludes",
        "dose_tolerance_pct",
    }
    assert all(getattr(V2, name).basis == "illustrative default" for name in names)


def test_the_same_version_changes_nothing() -> None:
    told = of(clean())
    assert list(shifts(told, replace(told, bound="1.0"))) == []


def test_a_wider_limit_takes_a_deviation_away_and_a_narrower_one_brings_one() -> None:
    subject = clean()
    put("infusion", thaw_to_inf_min=40, actual_per_kg=D(820_000))(subject)
    found = differing(subject, "deviation")
    thaw = next(one for key, one in found.items() if key.startswith("DV-42"))
    dose = next(one for key, one in found.items() if key.startswith("DV-43"))
    assert (thaw.change, thaw.after) == ("gone", "-")
    assert (dose.change, dose.before) == ("new", "-") and "15" in dose.en


def test_a_narrower_criterion_turns_its_verdict_and_what_is_signed_is_told_to_stay() -> None:
    subject = clean()
    put("echo", lvef_pct=D(52))(subject)
    found = differing(subject, "verdict")
    assert found["SCREENING:I-04"].before == "MET" and found["SCREENING:I-04"].after == "NOT_MET"
    unsigned = {key: one for key, one in subject.items() if not _signs(one, subject)}
    told = book(*unsigned.values(), now=NOW)
    kept = {one.key: one.kept for one in shifts(told, replace(told, bound="2.0")) if one.kind == "verdict"}
    assert found["SCREENING:I-04"].kept is not kept["SCREENING:I-04"] or not found["SCREENING:I-04"].kept


def _signs(one: Any, subject: Any) -> bool:
    return getattr(one, "meaning", "") == "ELIGIBILITY"


def test_windows_move_and_the_visit_that_was_late_is_in_time() -> None:
    subject, later = clean(), datetime(2026, 4, 20, tzinfo=UTC)
    subject["D28"] = Visit(visit="D28", actual_date=date(2026, 4, 16))  # day 31
    windows = differing(subject, "window", later)
    assert windows["D28"].before.startswith("2026-04-11") and windows["D28"].after.startswith("2026-04-09")
    assert "D7" not in windows
    found = differing(subject, "deviation", later)
    assert found["DV-51:visit:D28"].change == "gone"


def test_a_changed_deviation_says_both_limits_and_a_window_that_nobody_waits_for_is_left_out() -> None:
    subject = clean()
    put("infusion", thaw_to_inf_min=70)(subject)
    found = differing(subject, "deviation")
    thaw = next(one for key, one in found.items() if key.startswith("DV-42"))
    assert thaw.change == "changed" and thaw.before != thaw.after
    assert "30" in thaw.before and "30" not in thaw.after
    assert not any(len(part) == 36 for part in thaw.name.split(":")) and thaw.name.startswith("DV-42")
    subject["death"] = Death(death_date="2026-03-25")
    assert {code for code in differing(subject, "window") if code.startswith("M")} == set()


def test_a_consent_binds_only_where_its_version_is_approved() -> None:
    told = of(clean())
    second = IcfVersion(
        label="2.0",
        irb_approval_date=date(2026, 3, 1),
        version_date=date(2026, 2, 20),
        protocol_version="2.0",
    )
    renewed = InformedConsent(
        consent_type="RECONSENT", consent_dt=at("2026-03-18"), icf_version="2.0", signed_by_subject=True
    )
    rows = {**told.rows, InformedConsent: [*told.rows[InformedConsent], renewed]}
    without = replace(told.site, icf_versions=(*told.site.icf_versions, second))
    assert binding(replace(told, rows=rows, site=without)) is V1
    approved = replace(
        without, protocols=(SiteProtocol(protocol_version="2.0", approved_on=date(2026, 3, 1)),)
    )
    assert binding(replace(told, rows=rows, site=approved)) is V2
    assert binding(replace(told, site=approved)) is V1, "approval alone does not bind who consented to 1.0"


@pytest.mark.parametrize(
    ("signed", "approved_on", "binds"),
    [
        ("2026-03-18", date(2026, 3, 1), V2),
        ("2026-02-01", date(2026, 3, 1), V1),  # a later approval does not reach back to who signed before it
        ("2026-03-01", date(2026, 3, 1), V2),
        (None, date(2026, 3, 1), V2),
    ],
)
def test_a_consent_on_a_form_nobody_approved_binds_to_what_was_approved_that_day(
    signed: str | None, approved_on: date, binds: Any
) -> None:
    told = of(clean())
    consent = InformedConsent(
        consent_type="INITIAL", consent_dt=signed and at(signed), icf_version="0.9", signed_by_subject=True
    )
    site = replace(told.site, protocols=(SiteProtocol(protocol_version="2.0", approved_on=approved_on),))
    assert binding(replace(told, rows={**told.rows, InformedConsent: [consent]}, site=site)) is binds


def test_who_has_to_sign_again_and_by_when() -> None:
    told = of(clean())
    second = IcfVersion(
        label="2.0",
        irb_approval_date=date(2026, 3, 1),
        version_date=date(2026, 2, 20),
        protocol_version="2.0",
    )
    there = replace(told, site=replace(told.site, icf_versions=(*told.site.icf_versions, second)))
    assert list(reconsents.due_of(told)) == []
    (one,) = reconsents.due_of(there)
    assert (one.signed, one.version, one.by, one.overdue) == ("1.0", "2.0", date(2026, 3, 31), False)
    late = replace(there, now=datetime(2026, 3, 31, 16, 1, tzinfo=UTC))
    assert next(iter(reconsents.due_of(late))).overdue


@pytest.mark.parametrize(("version", "waits"), [("1.0", True), ("2.0", False)])
def test_who_signed_the_old_version_again_still_has_to_sign(version: str, waits: bool) -> None:
    again = InformedConsent(
        consent_type="RECONSENT", consent_dt=at("2026-03-10"), icf_version=version, signed_by_subject=True
    )
    told = book(*clean().values(), again, now=NOW)
    second = IcfVersion(label="2.0", irb_approval_date=date(2026, 3, 1), protocol_version="2.0")
    there = replace(told, site=replace(told.site, icf_versions=(*told.site.icf_versions, second)))
    assert bool(list(reconsents.due_of(there))) is waits


@pytest.fixture
def undone(transactional_db: None) -> Iterator[None]:
    """What is approved is taken back."""
    with put_back():
        yield


def approval(site: Any, **changes: Any) -> Approval:
    """The approval of version 2.0 at a site."""
    told: dict[str, Any] = {
        "version": "2.0",
        "approved_on": date(2026, 3, 1),
        "icf_label": "2.0",
        "icf_date": date(2026, 2, 20),
        "reason": "ethics committee of 1 March",
    }
    return Approval(site, **{**told, **changes})


@pytest.mark.req("R-72")
@pytest.mark.django_db(transaction=True)
def test_the_prediction_comes_true_and_what_is_signed_stays(
    site: Any, li: Any, qian: Any, undone: None
) -> None:
    subject = create_subject("01-301", site, by=li)
    enter(
        subject,
        InformedConsent,
        li,
        consent_type="INITIAL",
        consent_dt="2025-12-01 09:00",
        icf_version="1.0",
        icf_version_date="2021-02-15",
        signed_by_subject="YES",
    )
    from dosing.models import Infusion
    from subjects.models import Demographics

    enter(subject, Demographics, li, birth_date="1957-06-01", sex="M")
    enter(
        subject,
        Infusion,
        li,
        thaw_start_dt="2026-01-12 09:00",
        thaw_end_dt="2026-01-12 09:05",
        inf_start_dt="2026-01-12 09:45",
        part_no="1",
    )
    with acting_as("worker"):
        system = system_actor()
        evaluate(subject.pk, by=system)
        predicted = list(whatif.predict("2.0", by=system, subject_ids=[subject.pk]))
        before = _flags(subject)
    gone = {one.key for one in predicted if one.kind == "deviation" and one.change == "gone"}
    assert any(key.startswith("DV-42") for key in gone) and any(key.startswith("DV-08") for key in gone)
    approve(approval(site), by=qian, today=date(2026, 3, 20))
    enter(
        subject,
        InformedConsent,
        li,
        consent_type="RECONSENT",
        consent_dt="2026-03-10 09:00",
        icf_version="2.0",
        icf_version_date="2026-02-20",
        signed_by_subject="YES",
    )
    with acting_as("worker"):
        evaluate(subject.pk, by=system)
        with audit.reading(system):
            assert binding(casebook(subject.pk, READS)).version == "2.0"
        after = _flags(subject)
        verdicts = _verdicts(subject)
    expected = {key: status for key, status in before.items() if key not in gone}
    expected |= {
        one.key: one.after.split()[0] for one in predicted if one.kind == "deviation" and one.after != "-"
    }
    assert {k: s for k, s in after.items() if not k.startswith("DV-05")} == expected
    for one in predicted:
        if one.kind == "verdict" and not one.kept:
            milestone, criterion = one.key.split(":")
            assert verdicts[(milestone, criterion)] == one.after


@pytest.mark.django_db(transaction=True)
def test_the_form_of_an_event_goes_by_the_version_that_binds_its_subject(
    site: Any, li: Any, qian: Any, undone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an invented version that asks for a SUSAR within 10 days."""
    ten = replace(V2, susar_other_days=replace(V2.susar_other_days, value=10))
    monkeypatch.setitem(PROTOCOLS, "2.0", ten)
    approve(approval(site), by=qian, today=date(2026, 3, 20))
    told = {"serious": "YES", "expected": "NO", "rel_sscart19": "RELATED", "sae_aware_dt": "2026-03-15 09:00"}
    for number, (version, days) in enumerate((("1.0", 15), ("2.0", 10)), start=302):
        subject = create_subject(f"01-{number}", site, by=li)
        consent = {"consent_type": "INITIAL", "consent_dt": "2026-03-10 09:00", "signed_by_subject": "YES"}
        enter(subject, InformedConsent, li, icf_version=version, **consent)
        event = enter(subject, AdverseEvent, li, term="Sepsis", **told).record
        assert event.sponsor_report_due == event.sae_aware_dt + timedelta(days=days)


def _flags(subject: Any) -> dict[str, str]:
    with audit.reading(system_actor()):
        rows = Deviation.objects.filter(subject_id=subject.pk).exclude(status="CLEARED")
        return {f"{one.rule_id}:{one.key}": one.status for one in rows}


def _verdicts(subject: Any) -> dict[tuple[str, str], str]:
    with audit.reading(system_actor()):
        rows = EligibilityResult.objects.filter(subject_id=subject.pk)
        return {(one.milestone, one.criterion): one.verdict for one in rows}


def test_only_who_enters_the_study_may_approve(site: Any, li: Any) -> None:
    with pytest.raises(Forbidden):
        approve(approval(site), by=li, today=date(2026, 3, 20))


WRONG = [
    ("version", {"version": "9.9"}),
    ("version", {"version": "1.0"}),  # approved already
    ("approved_on", {"approved_on": date(2026, 3, 21)}),  # tomorrow
    ("approved_on", {"approved_on": None}),
    ("icf_label", {"icf_label": "1.0"}),
    ("icf_date", {"icf_date": date(2026, 3, 2)}),  # after its approval
    ("approved_on", {"approved_on": date(1, 1, 1), "icf_date": date(1, 1, 1)}),
    ("icf_label", {"icf_label": "2" * 21}),  # kept whole or not at all
    ("reason", {"reason": "x" * 1001}),
    ("reason", {"reason": ""}),
]


@pytest.mark.parametrize(("field", "change"), WRONG)
def test_an_approval_that_cannot_be_is_refused(
    site: Any, qian: Any, field: str, change: dict[str, Any]
) -> None:
    with pytest.raises(Rejected) as refused:
        approve(approval(site, **change), by=qian, today=date(2026, 3, 20))
    assert field in {problem.field for problem in refused.value.problems}
