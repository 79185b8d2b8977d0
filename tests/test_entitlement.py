"""Before the first signature: an identity that was verified, a statement that was accepted. And at every signature both
user name and password, whatever the session has been through."""

import html
import re
import time
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.test import Client

from subjects.models import Signature
from tests.api_client import Api, codes, exact, problem
from tests.cast import PASSWORD
from tests.entering import correct, enter
from trial import audit, entitlement
from trial.entitlement import ACCOUNTABILITY, IDENTITY, Accountability, IdentityCheck, lacking
from trial.models import Assignment, Person
from trial.people import actor_for, check_identity, system_actor
from visits.models import Ecog

pytestmark = pytest.mark.django_db
NEW = "investigator_new"


@pytest.fixture
def newcomer(site: Any) -> Person:
    """An investigator of site 01 with an account, a role, and nothing else on record."""
    with audit.transaction(system_actor(), "an investigator joins"):
        person = Person(
            username=NEW, full_name="New", email="new@example.invalid", password=make_password(PASSWORD)
        )
        person.save(force_insert=True)
        Assignment(person=person, role="investigator", site=site, valid_from=date(2020, 1, 1)).save(
            force_insert=True
        )
    return person


@pytest.fixture
def record(subject: Any, li: Any) -> Any:
    """A completed form, at version 1."""
    return enter(subject, Ecog, li, "SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record


def sign(browser: Client, record: Any, seen: int = 1, **other: str) -> Any:
    """Send the small form below the record."""
    sent = {"meaning": "REVIEW", "username": NEW, "password": PASSWORD, "seen": seen}
    return browser.post(f"/records/ecog/{record.pk}/sign", {**sent, **other})


def words(answer: Any) -> str:
    plain = html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", plain)


def given(li: Any, record: Any) -> int:
    """How many signatures the record has."""
    with audit.reading(li):
        return Signature.objects.filter(record_id=record.pk).count()


def accept(browser: Client, username: str = NEW, password: str = PASSWORD) -> Any:
    return browser.post("/accountability", {"username": username, "password": password})


@pytest.mark.req("R-40")
def test_nobody_signs_before_identity_and_accountability_are_on_record(
    newcomer: Person, record: Any, person_client: Any, make_token: Any, actor: Any, li: Any
) -> None:
    browser, api = person_client(newcomer), Api(make_token(newcomer))
    browser.cookies["edc_language"] = "en"
    body = {"meaning": "REVIEW", "username": NEW, "password": PASSWORD}

    def over_rest() -> Any:
        return api.post(f"forms/ecog/{record.pk}/signatures/", body, If_Match='"1"')

    assert lacking(newcomer.pk) == [IDENTITY, ACCOUNTABILITY]
    refused = sign(browser, record)
    assert refused.status_code == 403 and "identity has not been verified" in words(refused)
    assert codes(problem(over_rest(), 403, "forbidden")) == {IDENTITY}
    check_identity(newcomer, "identity card", by=actor("admin_he"))
    refused = sign(browser, record)
    assert refused.status_code == 403 and "/accountability" in words(refused)
    assert codes(problem(over_rest(), 403, "forbidden")) == {ACCOUNTABILITY}
    assert "not accepted the statement yet" in words(browser.get("/accountability"))
    assert accept(browser, password="guess").status_code == 422
    assert accept(browser, username="investigator_kang").status_code == 422
    assert given(li, record) == 0 and not Accountability.objects.filter(person=newcomer).exists()
    assert accept(browser).status_code == accept(browser).status_code == 302
    told = words(browser.get("/accountability"))
    assert "identity is verified" in told and "have accepted the statement" in told
    assert Accountability.objects.filter(person=newcomer).count() == 1
    assert sign(browser, record).status_code == 302 and exact(over_rest())["name"] == "New"
    from axes.utils import reset

    reset()


@pytest.mark.req("R-40")
def test_the_other_approvals_ask_for_the_same(newcomer: Person, person_client: Any) -> None:
    answer = person_client(newcomer).post(
        "/ambiguities", {"username": NEW, "password": PASSWORD, "reading": ["AR-01"]}
    )
    assert answer.status_code == 403


@pytest.mark.req("R-40")
def test_a_new_wording_asks_everybody_anew(actor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kang = actor("investigator_kang")
    assert lacking(kang.person_id) == []
    monkeypatch.setattr(entitlement, "STATEMENT_VERSION", 2)
    assert lacking(kang.person_id) == [ACCOUNTABILITY]


def test_nobody_vouches_for_themselves_and_only_who_gives_access_vouches(
    newcomer: Person, capsys: Any
) -> None:
    for who, document, said in (
        ("admin_he", "", "name the document"),
        ("coordinator_li", "card", "holds no role|does not give access"),
        ("nobody", "card", "no person nobody"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("identity", NEW, "--checked-by", who, "--document", document)
    with pytest.raises(CommandError, match="their own identity"):
        call_command("identity", "admin_he", "--checked-by", "admin_he", "--document", "card")
    call_command("identity", NEW, "--checked-by", "admin_he", "--document", "identity card")
    assert ACCOUNTABILITY in capsys.readouterr().out
    row = IdentityCheck.objects.get(person=newcomer)
    assert (row.document, row.checked_by.username) == ("identity card", "admin_he")


@pytest.mark.req("R-37")
def test_what_is_on_record_is_never_changed(actor: Any) -> None:
    for table in ("trial_identitycheck", "trial_accountability"):
        with (
            pytest.raises(Error, match="permission denied"),
            transaction.atomic(),
            audit.transaction(actor("admin_he"), "a try"),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE {table} SET changed_at = now()")


def test_the_auditor_reads_both(newcomer: Person, person_client: Any) -> None:
    browser = person_client("auditor_zhou")
    for name in ("identitycheck", "accountability"):
        answer = browser.get(f"/admin/trial/{name}/")
        assert answer.status_code == 200 and "康医生" in answer.content.decode()


# --- every signature takes both components, whatever came before -------------------------------------------------------


def _first(browser: Client, record: Any, li: Any) -> None:
    """Nothing came before."""


def _again(browser: Client, record: Any, li: Any) -> None:
    """A signature was given in this session a moment ago."""
    other = enter(record.subject, Ecog, li, "D28", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record
    assert sign(browser, other, username="investigator_kang").status_code == 302


def _idle(browser: Client, record: Any, li: Any) -> None:
    """Nobody touched the page for longer than a session lasts; the person signed in again."""
    session = browser.session
    session["seen"] = int(time.time()) - settings.SESSION_IDLE_SECONDS - 1
    session.save()
    asked = sign(browser, record, username="investigator_kang")
    assert asked.status_code == 401 and given(li, record) == 0  # the sign-in page
    assert browser.get(f"/records/ecog/{record.pk}").status_code == 302
    _sign_in(browser)


def _out_and_in(browser: Client, record: Any, li: Any) -> None:
    """The person signed out and in again."""
    browser.post("/logout")
    _sign_in(browser)


def _elsewhere(browser: Client, record: Any, li: Any) -> None:
    """The person signed in on another machine and signed there."""
    other = Client()
    _sign_in(other)
    _again(other, record, li)


def _other_role(browser: Client, record: Any, li: Any) -> None:
    """The language and the role were chosen anew."""
    browser.post("/language", {"language": "zh-hans"})
    browser.post("/me/role", {"role": "investigator"})


def _sign_in(browser: Client) -> None:
    sent = {"username": "investigator_kang", "password": PASSWORD}
    assert browser.post("/login", sent).status_code == 302


@pytest.mark.req("R-41")
@pytest.mark.parametrize("before", [_first, _again, _idle, _out_and_in, _elsewhere, _other_role])
def test_every_signature_takes_user_name_and_password(
    before: Any, record: Any, person_client: Any, li: Any
) -> None:
    """21 CFR 11.200(a)(1) would let later signatures of a session do with one component; here each takes all."""
    browser = person_client("investigator_kang")
    before(browser, record, li)
    there = given(li, record)
    for lacking_one in (
        {"username": "", "password": PASSWORD},
        {"username": "investigator_kang", "password": ""},
        {"username": "", "password": ""},
        {"username": "coordinator_li", "password": PASSWORD},
    ):
        assert sign(browser, record, **lacking_one).status_code == 422
    assert given(li, record) == there == 0
    assert sign(browser, record, username="investigator_kang").status_code == 302
    assert given(li, record) == 1
    changed = correct(record, li, ecog="0").record
    assert (
        sign(browser, record, changed.version, username="investigator_kang", password="").status_code == 422
    )
    from axes.utils import reset

    reset()


def test_who_may_sign_by_the_cast_of_these_tests(actor: Any) -> None:
    person = Person.objects.get(username="investigator_kang")
    assert actor_for(person) is not None and lacking(person.pk) == []
