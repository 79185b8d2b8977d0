"""Signing in: who gets in, who is told what, and that nothing typed is lost when a session ends."""

import html
import re
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import new_subject_number
from trial import audit
from trial.models import Person
from visits.models import Ecog

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_is_locked_out() -> None:
    from django.core.cache import cache

    cache.clear()


def test_a_person_signs_in_and_lands_at_the_subjects(coordinator_li: Any, password: str) -> None:
    answer = Client().post("/login", {"username": "coordinator_li", "password": password})
    assert answer.status_code == 302
    assert answer["Location"] == "/subjects"


def test_signing_in_leaves_the_record_of_the_person_as_it_is(coordinator_li: Any, password: str) -> None:
    Client().post("/login", {"username": "coordinator_li", "password": password})
    assert Person.objects.get(pk=coordinator_li.pk).version == coordinator_li.version


@pytest.mark.req("R-48")
def test_the_system_account_cannot_sign_in(db: None) -> None:
    answer = Client().post("/login", {"username": "system", "password": "!"})
    assert answer.status_code == 401


def test_a_wrong_password_is_told_without_saying_which_part_is_wrong(coordinator_li: Any) -> None:
    known = Client().post(
        "/login", {"username": "coordinator_li", "password": "not it"}, headers={"accept-language": "en"}
    )
    unknown = Client().post(
        "/login", {"username": "nobody_here", "password": "not it"}, headers={"accept-language": "en"}
    )
    for answer in (known, unknown):
        assert answer.status_code == 401
        assert "User name and password do not match" in answer.content.decode()


@pytest.mark.req("R-51")
def test_after_five_wrong_passwords_the_page_says_how_long_to_wait(
    coordinator_li: Any, password: str
) -> None:
    browser = Client(headers={"accept-language": "en"})
    for _ in range(5):
        answer = browser.post("/login", {"username": "coordinator_li", "password": "wrong"})
    assert answer.status_code == 429
    assert "Wait 15 minutes" in answer.content.decode()
    assert browser.post("/login", {"username": "coordinator_li", "password": password}).status_code == 429


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/x", "javascript:alert(1)", "\\\\evil.example"]
)
def test_no_page_leads_off_this_site(coordinator_li: Any, password: str, elsewhere: str) -> None:
    signed_in = Client().post(
        "/login", {"username": "coordinator_li", "password": password, "next": elsewhere}
    )
    assert signed_in["Location"] in ("/", "/subjects")
    spoken = Client().post("/language", {"language": "en", "next": elsewhere})
    assert spoken["Location"] == "/"


def test_the_language_is_kept_in_a_cookie_and_the_page_stays(db: None) -> None:
    browser = Client()
    answer = browser.post("/language", {"language": "en", "next": "/login?next=/rules"})
    assert answer["Location"] == "/login?next=/rules"
    assert 'lang="en"' in browser.get("/login").content.decode()
    browser.post("/language", {"language": "zh-hans", "next": "/login"})
    assert 'lang="zh-Hans"' in browser.get("/login").content.decode()


def test_only_a_delegated_role_can_be_chosen(person_client: Any) -> None:
    browser = person_client("coordinator_li")
    browser.post("/me/role", {"role": "data_manager"})
    assert browser.session.get("role") is None
    browser.post("/me/role", {"role": "coordinator"})
    assert browser.session["role"] == "coordinator"


@pytest.mark.req("R-89")
def test_signing_out_needs_a_post_and_ends_the_session(person_client: Any) -> None:
    browser = person_client("coordinator_li")
    assert browser.get("/logout").status_code == 405
    browser.post("/logout")
    assert browser.get("/subjects").status_code == 302


def test_who_is_not_signed_in_is_asked_to_and_brought_back(db: None) -> None:
    answer = Client().get("/deviations?rule=DV-01")
    assert answer["Location"] == "/login?next=%2Fdeviations%3Frule%3DDV-01"


@pytest.mark.req("R-52")
@pytest.mark.django_db(transaction=True)
def test_answers_sent_after_the_session_ended_survive_the_sign_in(
    subject: Any, li: Any, password: str
) -> None:
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    browser = Client(headers={"accept-language": "en"})
    asked = browser.post(
        address, {"seen": "0", "typed_by": li.person_id, "ecog_date": "20260305", "ecog": "1", "act": "save"}
    )
    assert asked.status_code == 401
    packet = re.search(r'name="kept" value="([^"]+)"', asked.content.decode())
    assert packet
    login = {
        "username": "coordinator_li",
        "password": password,
        "kept": html.unescape(packet[1]),
        "next": address,
    }
    page = browser.post("/login", login).content.decode()
    pairs = dict(re.findall(r'<textarea hidden name="([^"]+)"[^>]*>\n?([^<]*)</textarea>', page))
    assert pairs["ecog_date"] == "20260305"
    saved = browser.post(address, pairs)
    assert saved.status_code == 302
    with audit.reading(li):
        assert str(Ecog.objects.get(subject=subject).ecog_date) == "2026-03-05"


@pytest.mark.req("R-52")
def test_a_packet_of_answers_made_elsewhere_is_not_offered(coordinator_li: Any, password: str) -> None:
    answer = Client().post(
        "/login", {"username": "coordinator_li", "password": password, "kept": "forged:packet"}
    )
    assert answer.status_code == 302


@pytest.mark.req("R-52")
@pytest.mark.parametrize(("minutes", "served"), [(29, True), (31, False)])
def test_the_first_page_after_half_an_idle_hour_is_not_served(
    minutes: int, served: bool, person_client: Any, coordinator_li: Any
) -> None:
    browser = person_client("coordinator_li")
    assert browser.get("/subjects").status_code == 200
    session = browser.session
    session["seen"] = int(time.time()) - 60 * minutes
    session.save()
    answer = browser.get("/subjects")
    assert (answer.status_code == 200) is served
    assert served or answer["Location"].startswith("/login")


@pytest.mark.req("R-89")
def test_a_form_without_its_token_is_refused_but_its_answers_are_kept(coordinator_li: Any) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"origin": "http://testserver"})
    browser.force_login(coordinator_li, backend="entry.signin.PersonBackend")
    answer = browser.post(f"/subjects/{new_subject_number()}/SCR/ecog", {"ecog": "typed <1>"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "typed &lt;1&gt;" in page
    assert "Your answers are kept" in page


def test_a_strangers_page_gets_no_answers_back(coordinator_li: Any) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"origin": "https://evil.example"})
    browser.force_login(coordinator_li, backend="entry.signin.PersonBackend")
    page = browser.post("/subjects/01-001/SCR/ecog", {"ecog": "smuggled"}).content.decode()
    assert "smuggled" not in page


def test_the_addresses_of_the_sign_in_are_what_the_settings_say() -> None:
    assert (reverse("login"), reverse("logout")) == ("/login", "/logout")
