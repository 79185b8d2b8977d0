"""The form page: what is typed is kept, what is saved is told, and what stands between is said plainly."""

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from entry.door import save_record
from entry.echo import echo
from entry.typed import raw_of
from safety.adverse_events import AdverseEvent
from safety.forms import FORMS
from subjects.models import Demographics, InformedConsent, PriorTransplant
from tests.entering import correct, enter
from tests.pages import boxes, stored
from trial import audit
from visits.models import Ecog, Haematology, VitalSigns
from visits.schedule import SCHEDULE

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(person_client: Any) -> Client:
    """Li's browser, in English."""
    browser: Client = person_client("coordinator_li")
    browser.cookies["edc_language"] = "en"
    return browser


PLACES = [
    (form, visit.code if form.repeats in ("visit", "rows") else "log")
    for form in FORMS
    for visit in SCHEDULE[:1]
]


@pytest.mark.parametrize(("form", "visit"), PLACES, ids=lambda x: getattr(x, "form", x))
def test_every_form_has_a_page(form: Any, visit: str, page: Client, subject: Any) -> None:
    address = f"/subjects/{subject.subjid}/{visit}/{form.form}" + (
        "/new" if form.repeats in ("rows", "log") else ""
    )
    answer = page.get(address)
    assert answer.status_code == 200
    assert str(form._meta.verbose_name)


def test_a_first_entry_is_saved_and_told(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    sent = {**boxes(page.get(address)), "ecog_date": "2026年3月5日", "ecog": "１", "act": "complete"}
    answer = page.post(address, sent, follow=True)
    assert "Saved, version 1." in answer.content.decode()
    record = stored(li, Ecog, subject=subject)
    assert (str(record.ecog_date), record.ecog, record.status) == ("2026-03-05", 1, "COMPLETE")
    assert record.typed == {"ecog": "１", "ecog_date": "2026年3月5日"}


@pytest.mark.req("R-35")
def test_the_same_page_sent_twice_makes_one_record(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/log/prior_transplant/new"
    sent = {**boxes(page.get(address)), "sct_date": "2024-05", "sct_type": "ALLO"}
    first, second = page.post(address, sent), page.post(address, sent)
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    with audit.reading(li):
        assert PriorTransplant.objects.filter(subject=subject).count() == 1


def test_a_rejected_save_keeps_every_typed_word(page: Client, subject: Any) -> None:
    address = f"/subjects/{subject.subjid}/D1/vital_signs/new"
    typed = {
        "vs_dt": "03/05/2026 8:00",
        "temp_c": "３８。５ degrees",
        "sbp": "<script>alert(1)</script>",
        "dbp": "80",
        "pulse": "12.5.1",
        "timepoint": "VISIT",
        "missing.spo2_pct": "EQUIPMENT",
    }
    answer = page.post(address, {**boxes(page.get(address)), **typed})
    text = answer.content.decode()
    assert answer.status_code == 422
    kept = boxes(answer)
    assert {name: kept[name] for name in typed} == typed
    assert "<script>alert" not in text
    assert "<title>Error: " in text
    for name in ("vs_dt", "temp_c", "sbp", "pulse"):
        assert f'href="#f-{name}"' in text
        assert re.search(rf'id="f-{name}"[^>]*aria-describedby="[^"]*m-{name}"[^>]*aria-invalid="true"', text)


def test_what_cannot_be_is_refused_at_its_field(page: Client, subject: Any) -> None:
    address = f"/subjects/{subject.subjid}/D1/vital_signs/new"
    answer = page.post(address, {**boxes(page.get(address)), "temp_c": "385"})
    assert "Was 38.5 meant?" in answer.content.decode()


def test_the_unlikely_is_saved_and_asked_beside_the_field(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/D1/vital_signs/new"
    answer = page.post(address, {**boxes(page.get(address)), "temp_c": "41.6"}, follow=True)
    text = answer.content.decode()
    assert "1 query is open" in text
    row = text[text.index('id="row-temp_c"') : text.index('id="row-temp_route"')]
    assert "is unusual" in row


@pytest.mark.req("R-18")
def test_looking_and_saving_changes_nothing(page: Client, subject: Any, li: Any) -> None:
    record = enter(
        subject,
        Haematology,
        li,
        visit="D1",
        lb_dt="2026-03-05 08:10",
        wbc="＜0.10",
        plt="1.50",
        plt_unit="10^9/L",
        plt_lln="125.00",
    ).record
    address = f"/subjects/{subject.subjid}/D1/haematology"
    answer = page.post(address, {**boxes(page.get(address)), "act": "save"}, follow=True)
    assert "Nothing was changed." in answer.content.decode()
    after = stored(li, Haematology, pk=record.pk)
    assert after.version == 1
    assert (after.wbc_qual, str(after.wbc_value), str(after.plt_value), str(after.plt_lln)) == (
        "<",
        "0.10",
        "1.50",
        "125.00",
    )


@pytest.mark.req("R-18")
@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.form)
def test_every_form_shown_and_sent_back_is_the_same(form: Any, page: Client, subject: Any, li: Any) -> None:
    visit = "SCR" if form.repeats in ("visit", "rows") else ""
    record = save_record(form(subject=subject, visit=visit), by=li).record
    base = f"/subjects/{subject.subjid}/{visit or 'log'}/{form.form}"
    address = f"{base}/{record.pk}" if form.repeats in ("rows", "log") else base
    answer = page.post(address, {**boxes(page.get(address)), "act": "save"}, follow=True)
    assert "Nothing was changed." in answer.content.decode()
    assert stored(li, form, pk=record.pk).version == 1


@pytest.mark.req("R-06")
def test_the_reason_is_empty_on_opening_and_asked_for_at_a_change(
    page: Client, subject: Any, li: Any
) -> None:
    enter(subject, Ecog, li, visit="SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1")
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    opened = boxes(page.get(address))
    assert opened["reason"] == ""
    refused = page.post(address, {**opened, "ecog": "2"})
    assert refused.status_code == 422
    assert 'href="#f-reason"' in refused.content.decode()
    assert boxes(refused)["ecog"] == "2"
    accepted = page.post(address, {**boxes(refused), "reason": "transcription error"}, follow=True)
    assert "Saved, version 2." in accepted.content.decode()


@pytest.mark.req("R-06")
def test_a_first_entry_asks_for_no_reason(page: Client, subject: Any) -> None:
    assert "reason" not in boxes(page.get(f"/subjects/{subject.subjid}/SCR/ecog"))


@pytest.mark.req("R-32")
def test_a_monitor_reads_and_cannot_enter(person_client: Any, subject: Any, li: Any) -> None:
    enter(subject, Ecog, li, visit="SCR", ecog="1")
    browser = person_client("monitor_wu")
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    assert 'id="form"' not in browser.get(address).content.decode()
    answer = browser.post(address, {"seen": "1", "ecog": "2", "reason": "no"})
    assert answer.status_code == 403
    assert stored(li, Ecog, subject=subject).ecog == 1


def test_the_check_says_what_saving_would_say_and_saves_nothing(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/D1/vital_signs/new"
    sent = {**boxes(page.get(address)), "temp_c": "385", "sbp": "250", "vs_dt": "20260305 8:00"}
    impossible = page.post(f"{address}/check?line=temp_c", sent).content.decode()
    unlikely = page.post(f"{address}/check?line=sbp", {**sent, "temp_c": ""}).content.decode()
    understood = page.post(f"{address}/check?line=vs_dt", sent).content.decode()
    assert "Was 38.5 meant?" in impossible
    assert "is unusual" in unlikely
    assert "2026-03-05 Thu 08:00" in understood
    with audit.reading(li):
        assert not VitalSigns.objects.filter(subject=subject).exists()


def test_a_whole_form_is_marked_as_not_done_with_a_reason(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/D1/haematology"
    opened = boxes(page.get(address))
    refused = page.post(address, {**opened, "not_done": "1"})
    assert 'href="#f-not_done_reason"' in refused.content.decode()
    page.post(address, {**opened, "not_done": "1", "not_done_reason": "SAMPLE_LOST", "act": "complete"})
    record = stored(li, Haematology, subject=subject)
    assert (record.not_done, record.not_done_reason) == (True, "SAMPLE_LOST")


def test_one_answer_is_marked_as_missing_and_unmarked_again(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/D1/haematology"
    page.post(address, {**boxes(page.get(address)), "missing.plt": "SAMPLE_HAEMOLYSED"})
    assert stored(li, Haematology, subject=subject).missing == {"plt": "SAMPLE_HAEMOLYSED"}
    opened = boxes(page.get(address))
    assert opened["missing.plt"] == "SAMPLE_HAEMOLYSED"
    page.post(address, {**opened, "missing.plt": "", "plt_value": "18", "reason": "result received later"})
    record = stored(li, Haematology, subject=subject)
    assert (record.missing, str(record.plt_value)) == ({}, "18")


@pytest.mark.req("R-14")
def test_a_retracted_record_stays_visible_with_its_reason(page: Client, subject: Any, li: Any) -> None:
    record = enter(subject, PriorTransplant, li, sct_date="2024-05").record
    address = f"/subjects/{subject.subjid}/log/prior_transplant/{record.pk}"
    refused = page.post(address, {"act": "retract", "seen": "1", "retract_reason": ""})
    assert refused.status_code == 422
    page.post(address, {"act": "retract", "seen": "1", "retract_reason": "wrong subject"})
    assert "This record is retracted" in page.get(address).content.decode()
    assert "retracted" in page.get(f"/subjects/{subject.subjid}/log/prior_transplant").content.decode()
    assert "wrong subject" in page.get(f"/records/prior_transplant/{record.pk}/history").content.decode()


@pytest.mark.req("R-08", "R-12")
def test_the_history_of_a_field_says_who_when_why_and_what(page: Client, subject: Any, li: Any) -> None:
    record = enter(subject, Ecog, li, visit="SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record
    correct(record, li, reason="read the wrong line", ecog="2")
    text = page.get(f"/records/ecog/{record.pk}/history?field=ecog").content.decode()
    for words in ("Li Na", "Site coordinator", "read the wrong line", "<del>1</del>", "<ins>2</ins>"):
        assert words in text
    assert all(re.search(r"[+-]\d\d:\d\d$", when) for when in re.findall(r"<time>([^<]+)</time>", text))


def test_skip_logic_is_in_the_page_for_the_script_to_follow(page: Client, subject: Any) -> None:
    text = page.get(f"/subjects/{subject.subjid}/log/demographics").content.decode()
    row = re.search(r'id="row-male_fertile"[^>]*data-when="([^"]+)"', text)
    assert row
    assert html.unescape(row[1]) == '{"sex": ["M"]}'


def test_a_link_offers_the_people_of_the_site_only(page: Client, subject: Any) -> None:
    text = page.get(f"/subjects/{subject.subjid}/log/informed_consent/new").content.decode()
    assert "Li Na" in text
    assert "Zhao Yuan" not in text


def test_a_form_of_no_visit_is_not_found_under_one(page: Client, subject: Any) -> None:
    for address in (
        "SCR/demographics",
        "log/ecog",
        "D99/ecog",
        "SCR/no_such_form",
        "SCR/vital_signs/not-an-id",
    ):
        assert page.get(f"/subjects/{subject.subjid}/{address}").status_code == 404


@pytest.mark.parametrize(
    ("zone", "text"),
    [("Asia/Shanghai", "2026-03-05 08:10"), ("America/New_York", "2026-03-04 19:10")],
)
@pytest.mark.req("R-08")
def test_times_are_shown_on_the_clock_of_the_site(zone: str, text: str) -> None:
    from datetime import UTC, datetime

    record = InformedConsent(consent_dt=datetime(2026, 3, 5, 0, 10, tzinfo=UTC))
    assert raw_of(record, zone)["consent_dt"] == text


@pytest.mark.req("R-08")
def test_an_hour_that_comes_twice_is_shown_with_its_offset() -> None:
    from datetime import UTC, datetime

    first, second = (
        raw_of(InformedConsent(consent_dt=datetime(2026, 11, 1, h, 30, tzinfo=UTC)), "America/New_York")
        for h in (5, 6)
    )
    assert (first["consent_dt"], second["consent_dt"]) == ("2026-11-01 01:30", "2026-11-01 01:30-05:00")


def test_a_birth_date_partly_known_is_kept_as_far_as_known(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/log/demographics"
    page.post(address, {**boxes(page.get(address)), "birth_date": "1985年5月", "sex": "F"})
    assert stored(li, Demographics, subject=subject).birth_date == "1985-05"


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("2026-01-05T10:42+08:00", "= 2026-01-05 10:42 Mon"),
        ("2026-01-04T23:30+00:00", "= 2026-01-05 07:30 Mon"),
        ("2026-01-05", "= 2026-01-05 Mon"),
        ("2026-01", "= 2026-01 (day not known)"),
        ("", ""),
    ],
)
def test_a_moment_known_in_part_is_said_back_on_the_clock_of_the_site(kept: str, said: str) -> None:
    with override("en"):
        assert echo(AdverseEvent, AdverseEvent(start_dt=kept), "start_dt", "Asia/Shanghai") == said
