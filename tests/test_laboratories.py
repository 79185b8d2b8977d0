"""Laboratories and their reference ranges: which one holds for a result, and that a result keeps what it was read against."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from entry.door import Rejected
from entry.laboratories import end_range
from entry.range_files import import_ranges
from subjects.models import Demographics
from tests.api_client import Api, problem
from tests.entering import correct, enter
from tests.pages import stored
from trial import audit
from trial.integrity import history_model
from visits.models import Chemistry, Laboratory, ReferenceRange
from visits.ranges import overlaps


@pytest.fixture
def qian(actor: Any) -> Any:
    """The data manager, acting."""
    return actor("data_manager_qian")


def laboratory(by: Any, site: Any, name: str, **more: Any) -> Laboratory:
    lab = Laboratory(site=site, name=name, **more)
    with audit.transaction(by):
        lab.save(force_insert=True)
    return lab


def limits(by: Any, lab: Laboratory, analyte: str = "alt", **more: Any) -> ReferenceRange:
    stated = {"unit": "U/L", "low": Decimal(9), "high": Decimal(50), "valid_from": date(2026, 1, 1), **more}
    one = ReferenceRange(site=lab.site, lab=lab, laboratory=lab.name, analyte=analyte, **stated)
    with audit.transaction(by):
        one.save(force_insert=True)
    return one


@pytest.mark.django_db
def test_a_new_panel_gets_the_default_laboratory_and_its_range(
    li: Any, qian: Any, site: Any, subject: Any
) -> None:
    central = laboratory(qian, site, "Central", is_default=True)
    limits(qian, central)
    limits(qian, laboratory(qian, site, "Ward"), high=Decimal(41))
    record = enter(subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", alt="30").record
    assert (record.laboratory_id, record.alt_lln, record.alt_uln) == (central.pk, 9, 50)


@pytest.mark.django_db
@pytest.mark.req("R-35")
def test_a_panel_sent_again_is_known_though_its_laboratory_was_filled_in(
    make_token: Any, qian: Any, site: Any, subject: Any
) -> None:
    central = laboratory(qian, site, "Central", is_default=True)
    ward = laboratory(qian, site, "Ward")
    api = Api(make_token("coordinator_li"))
    body = {"subject": subject.subjid, "visit": "D1", "lb_dt": "2026-01-05T08:00+08:00", "alt": 30}
    first, again = (api.post("forms/chemistry/", body, Idempotency_Key="panel") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    named = {**body, "laboratory": str(central.pk)}
    assert api.post("forms/chemistry/", named, Idempotency_Key="panel").status_code == 200
    other = {**body, "laboratory": str(ward.pk)}
    problem(api.post("forms/chemistry/", other, Idempotency_Key="panel"), 422, "other_body")


@pytest.mark.django_db
def test_the_range_is_that_of_the_laboratory_named(li: Any, qian: Any, site: Any, subject: Any) -> None:
    limits(qian, laboratory(qian, site, "Central", is_default=True))
    ward = laboratory(qian, site, "Ward")
    limits(qian, ward, high=Decimal(41))
    record = enter(
        subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", alt="30", laboratory=str(ward.pk)
    ).record
    assert record.alt_uln == 41
    moved = correct(record, li, laboratory=str(Laboratory.objects.get(site=site, name="Central").pk)).record
    assert moved.alt_uln == 50


@pytest.mark.django_db
def test_another_sites_laboratory_is_no_laboratory_here(
    li: Any, qian: Any, other_site: Any, subject: Any
) -> None:
    from entry.door import Rejected

    elsewhere = laboratory(qian, other_site, "Elsewhere")
    with pytest.raises(Rejected) as refused:
        enter(subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", laboratory=str(elsewhere.pk))
    assert [p.code for p in refused.value.problems] == ["no_such_record"]


@pytest.mark.django_db
def test_a_default_laboratory_that_has_closed_is_not_taken(
    li: Any, qian: Any, site: Any, subject: Any
) -> None:
    laboratory(qian, site, "Central", is_default=True, valid_to=date(2026, 1, 4))
    record = enter(subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", alt="30").record
    assert record.laboratory_id is None


@pytest.mark.django_db
def test_sex_age_and_unit_choose_the_range(li: Any, qian: Any, site: Any, subject: Any) -> None:
    central = laboratory(qian, site, "Central", is_default=True)
    shown = {"analyte": "creatinine", "unit": "umol/L", "low": None}
    limits(qian, central, **shown, sex="M", high=Decimal("88.4"))
    limits(qian, central, **shown, sex="F", high=Decimal("70"))
    limits(qian, central, **shown, sex="M", age_low=60, high=Decimal("110"))
    enter(subject, Demographics, li, birth_date="1966-01-06", sex="M")
    day_before = enter(
        subject, Chemistry, li, "D1", lb_dt="2026-01-05 23:59", creatinine="0.9", creatinine_unit="mg/dL"
    ).record
    birthday = enter(subject, Chemistry, li, "D2", lb_dt="2026-01-06 00:01", creatinine="90").record
    assert (day_before.creatinine_uln, birthday.creatinine_uln) == (1, 110)


@pytest.mark.django_db
def test_a_later_change_of_a_range_alters_nothing_already_entered(
    li: Any, qian: Any, site: Any, subject: Any
) -> None:
    central = laboratory(qian, site, "Central", is_default=True)
    one = limits(qian, central)
    record = enter(subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", alt="30").record
    with audit.transaction(qian, "the laboratory printed it wrong"):
        ReferenceRange.objects.filter(pk=one.pk).update(high=Decimal(45))
    kept = stored(li, Chemistry, pk=record.pk)
    assert (kept.version, kept.alt_uln) == (1, 50)
    with audit.reading(li):
        assert history_model(Chemistry).objects.filter(id=record.pk).count() == 1
        assert history_model(ReferenceRange).objects.filter(id=one.pk).count() == 2
    again = correct(record, li, alt="31").record
    assert (again.version, again.alt_uln) == (2, 50)


@pytest.mark.parametrize(
    ("change", "meet"),
    [
        ({}, True),
        ({"analyte": "ast"}, False),
        ({"sex": "M"}, False),
        ({"age_low": 60}, False),
        ({"valid_from": date(2027, 1, 1)}, False),
        ({"valid_from": date(2026, 12, 31)}, True),
        ({"valid_from": date(2025, 1, 1), "valid_to": date(2025, 12, 31)}, False),
        ({"valid_from": date(2025, 1, 1), "valid_to": date(2026, 1, 1)}, True),
    ],
)
def test_ranges_overlap(change: dict[str, Any], meet: bool) -> None:
    stands = {"analyte": "alt", "valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31)}
    other = ReferenceRange(**{**stands, "valid_to": None, **change})
    assert overlaps(ReferenceRange(**stands), other) is meet


def test_ranges_of_two_ages_stand_beside_each_other_unless_the_ages_meet() -> None:
    child, adult = ReferenceRange(analyte="alt", age_high=17), ReferenceRange(analyte="alt", age_low=18)
    child.valid_from = adult.valid_from = date(2026, 1, 1)
    assert not overlaps(child, adult)
    adult.age_low = 17
    assert overlaps(child, adult)


@pytest.mark.django_db
def test_a_range_is_not_prolonged_into_the_next_one(qian: Any, site: Any) -> None:
    lab = laboratory(qian, site, "Central")
    first = limits(qian, lab, valid_to=date(2026, 1, 31))
    limits(qian, lab, valid_from=date(2026, 2, 1), high=Decimal(45))
    with pytest.raises(Rejected, match="last"):
        end_range(first.pk, date(2026, 2, 1), by=qian, reason="typed wrongly")
    end_range(first.pk, date(2026, 1, 30), by=qian, reason="typed wrongly")
    with audit.reading(qian):
        assert ReferenceRange.objects.get(pk=first.pk).valid_to == date(2026, 1, 30)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["a,b\rc,d\r", "a,b\n" + "x" * 200_000])
def test_a_file_of_ranges_that_is_none_is_refused(qian: Any, site: Any, text: str) -> None:
    with pytest.raises(Rejected):
        import_ranges(text, site, by=qian)
