"""The subject matrix and the subject's page: everything at a glance, at a constant price."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dosing.models import Infusion
from entry.door import Rejected, save_record
from safety.models import AdverseEvent, Deviation
from subjects.models import Demographics, InformedConsent
from tests.api_client import Api
from tests.conftest import new_subject_number
from tests.entering import enter
from trial import audit
from visits.models import ConMeds, Ecog, Visit, VitalSigns

pytestmark = pytest.mark.django_db
STATEMENTS = 15


def english(browser: Client) -> Client:
    """The same browser, reading English."""
    browser.cookies["edc_language"] = "en"
    return browser


def statements(browser: Client, address: str) -> int:
    """How many SQL statements a page costs, sign-in and transaction included."""
    browser.get(address)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert browser.get(address).status_code == 200
    return len(seen)


def test_the_matrix_costs_the_same_for_one_subject_and_for_many(
    new_subject: Any, person_client: Any, li: Any
) -> None:
    browser = person_client("coordinator_li")
    first = new_subject()
    enter(first, Ecog, li, visit="SCR", ecog_date="2026-03-05", ecog="1")
    one = statements(browser, "/subjects")
    for _ in range(5):
        enter(new_subject(), Ecog, li, visit="SCR", ecog_date="2026-03-05", ecog="4")
    assert statements(browser, "/subjects") == one <= STATEMENTS


def test_a_monitor_of_every_site_pays_no_more(subject: Any, person_client: Any) -> None:
    assert statements(person_client("monitor_wu"), "/subjects") <= STATEMENTS


def test_a_cell_says_its_state_in_words(subject: Any, person_client: Any, li: Any) -> None:
    start = datetime.now(UTC) - timedelta(days=10)
    consent = InformedConsent(subject=subject, consent_type="INITIAL", consent_dt=start)
    save_record(consent, by=li)
    infusion = Infusion(subject=subject, inf_start_dt=start)
    save_record(infusion, by=li)
    enter(subject, VitalSigns, li, visit="D1", temp_c="41.6")
    page = english(person_client("coordinator_li")).get("/subjects").content.decode()
    assert f"{subject.subjid} D2: overdue" in page
    assert f"{subject.subjid} D1: 1 open query" in page
    assert f"{subject.subjid} D28: not due" in page
    assert "Infused" in page


@pytest.mark.req("R-45")
def test_another_sites_subject_is_nowhere_to_be_seen(subject: Any, person_client: Any) -> None:
    browser = person_client("coordinator_elsewhere")
    assert subject.subjid not in browser.get("/subjects").content.decode()
    for address in ("", "/flags", "/SCR/ecog", "/log/demographics"):
        there = browser.get(f"/subjects/{subject.subjid}{address}")
        nowhere = browser.get(f"/subjects/01-999{address}")
        assert (there.status_code, there.content.count(b"01-")) == (404, nowhere.content.count(b"01-"))


def test_a_number_half_typed_finds_the_subject(subject: Any, person_client: Any) -> None:
    answer = person_client("coordinator_li").get("/subjects", {"q": str(int(subject.subjid[3:]))})
    assert answer["Location"] == f"/subjects/{subject.subjid}"


def test_a_coordinator_enters_a_new_subject(person_client: Any, site: Any) -> None:
    number = new_subject_number()
    browser = english(person_client("coordinator_li"))
    made = browser.post("/subjects/new", {"subjid": number, "site": site.pk})
    assert made["Location"] == f"/subjects/{number}"
    again = browser.post("/subjects/new", {"subjid": number, "site": site.pk})
    assert again.status_code == 422
    assert f"The number {number} is taken" in again.content.decode()
    assert f'value="{number}"' in again.content.decode()


def test_a_monitor_enters_no_subject(person_client: Any) -> None:
    assert person_client("monitor_wu").get("/subjects/new").status_code == 403


def test_who_administers_accounts_sees_no_clinical_page(person_client: Any, subject: Any) -> None:
    browser = person_client("admin_he")
    for address in ("/subjects", f"/subjects/{subject.subjid}", "/deviations", "/queries"):
        assert browser.get(address).status_code == 403


def test_the_subject_page_shows_a_deviation_with_its_source(
    subject: Any, person_client: Any, li: Any
) -> None:
    consent = save_record(InformedConsent(subject=subject, consent_type="INITIAL"), by=li).record
    with audit.transaction(li):
        Deviation(
            subject=subject,
            rule_id="DV-04",
            key="x",
            status="OPEN",
            severity="IMPORTANT",
            form="informed_consent",
            record_id=consent.pk,
            field="consent_dt",
            message_en="Seen <b>before</b> consent",
            message_zh="知情同意前",
            citation="registry I-05",
            basis="registry",
            evidence={
                "facts": [
                    {
                        "form": "informed_consent",
                        "record": str(consent.pk),
                        "field": "consent_dt",
                        "value": "2026-03-05",
                    }
                ],
                "limit": "≥ consent",
            },
            protocol_version="1.0",
            detected_at=datetime.now(UTC),
        ).save(force_insert=True)
    page = english(person_client("coordinator_li")).get(f"/subjects/{subject.subjid}").content.decode()
    for words in (
        "DV-04",
        "Seen &lt;b&gt;before&lt;/b&gt; consent",
        "registry I-05",
        "≥ consent",
        "Signed on",
        "1.0",
        'role="status"',
    ):
        assert words in page


def test_an_open_page_is_told_only_what_is_new(subject: Any, person_client: Any) -> None:
    browser = person_client("coordinator_li")
    first = browser.get(f"/subjects/{subject.subjid}/flags").content.decode()
    digest = first.split("seen=")[1].split('"')[0]
    assert browser.get(f"/subjects/{subject.subjid}/flags?seen={digest}").status_code == 204


@pytest.mark.parametrize("address", ["/subjects/{}", "/queries", "/deviations", "/rules", "/help"])
def test_no_page_asks_more_than_it_needs(address: str, subject: Any, person_client: Any, li: Any) -> None:
    for n in range(4):
        enter(subject, VitalSigns, li, visit=f"D{n}", temp_c="41.6")
    assert statements(person_client("coordinator_li"), address.format(subject.subjid)) <= 17


def test_a_second_unscheduled_visit_has_a_place_of_its_own(
    subject: Any, person_client: Any, make_token: Any, li: Any
) -> None:
    browser, api = english(person_client("coordinator_li")), Api(make_token("coordinator_li"))
    assert (
        f'href="/subjects/{subject.subjid}/UNSCHED/visit"'
        in browser.get(f"/subjects/{subject.subjid}").content.decode()
    )
    enter(subject, Visit, li, visit="UNSCHED", actual_date="2026-03-05")
    body = {"subject": subject.subjid, "visit": "UNSCHED-2", "actual_date": "2026-03-09"}
    assert api.post("/api/v1/forms/visit/", body).status_code == 201
    page = browser.get(f"/subjects/{subject.subjid}").content.decode()
    assert 'id="visit-UNSCHED-2"' in page and "Unscheduled 2" in page
    assert f'href="/subjects/{subject.subjid}/UNSCHED-3/visit"' in page
    assert browser.get(f"/subjects/{subject.subjid}/UNSCHED-2/ecog").status_code == 200
    assert browser.get(f"/subjects/{subject.subjid}/UNSCHED-02/ecog").status_code == 404
    found = api.get(f"/api/v1/forms/visit/?visit=UNSCHED-2&subject={subject.subjid}").json()
    assert [row["visit"] for row in found] == ["UNSCHED-2"]


def test_the_door_knows_the_visits(subject: Any, li: Any) -> None:
    with pytest.raises(Rejected) as refused:
        enter(subject, Ecog, li, visit="D29", ecog_date="2026-03-05", ecog="1")
    assert refused.value.problems[0].code == "unknown_code"


def test_a_conditional_form_becomes_due_when_its_condition_holds(
    subject: Any, person_client: Any, li: Any
) -> None:
    browser = english(person_client("coordinator_li"))
    enter(subject, Visit, li, visit="M12", actual_date="2026-03-05")

    def shown() -> bool:
        page = browser.get(f"/subjects/{subject.subjid}").content.decode()
        block = page.split('id="visit-M12"')[1].split("</section>")[0]
        return "contraception" in block.split("<details")[0]

    assert not shown()
    enter(subject, Demographics, li, sex="M", male_fertile="YES", birth_date="1990")
    assert shown()


def test_logs_say_what_each_row_is_about_and_show_the_newest_twenty(
    person_client: Any, subject: Any, li: Any
) -> None:
    for number in range(1, 24):
        enter(subject, ConMeds, li, drug=f"Drug {number}|x", drug_class="ANTIBIOTIC", start_dt="2026-01-05")
    enter(subject, AdverseEvent, li, term="Fever | chills", serious="true", start_dt="2026-01-06")
    text = english(person_client("coordinator_li")).get(f"/subjects/{subject.subjid}").content.decode()
    assert "Drug 23|x" in text and "Drug 4|x" in text and "Drug 3|x" not in text
    assert "3 earlier rows" in text
    assert "Fever | chills" in text and "· true" not in text
