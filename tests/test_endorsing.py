"""The investigator signs what is complete of a subject together: what the list holds, what each signature keeps of it."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from entry.door import set_lock
from entry.endorsing import list_hash
from subjects.models import Death, EndOfStudy, Signature
from tests.api_client import Api, exact
from tests.cast import PASSWORD
from tests.entering import correct, enter
from tests.pages import stored
from trial import audit
from visits.models import Ecog, VitalSigns

pytestmark = pytest.mark.django_db
WHO = {"username": "investigator_kang", "password": PASSWORD}


@pytest.fixture
def kang(person_client: Any) -> Client:
    """The investigator's browser, in English."""
    browser: Client = person_client("investigator_kang")
    browser.cookies["edc_language"] = "en"
    return browser


@pytest.fixture
def entered(subject: Any, li: Any) -> dict[str, Any]:
    """Two complete records, one with a later version, and a draft."""
    ecog = enter(subject, Ecog, li, "SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record
    signs = enter(
        subject, VitalSigns, li, "SCR", status="COMPLETE", vs_dt="2026-03-05 08:00", temp_c="36.6"
    ).record
    draft = enter(subject, Ecog, li, "D28", ecog="1").record
    return {"ecog": correct(ecog, li, ecog="0").record, "signs": signs, "draft": draft}


def page(browser: Client, subject: Any) -> str:
    answer = browser.get(f"/subjects/{subject.subjid}/endorsement")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def seen(browser: Client, subject: Any) -> str:
    """The hash of the list that the page shows."""
    told = browser.get(f"/subjects/{subject.subjid}/endorsement").content.decode()
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', told)
    assert found, told
    return found[1]


def endorse(browser: Client, subject: Any, **sent: str) -> Any:
    return browser.post(f"/subjects/{subject.subjid}/endorse", {**WHO, **sent})


def signatures(li: Any, subject: Any) -> list[Signature]:
    with audit.reading(li):
        return list(Signature.objects.filter(subject=subject))


@pytest.mark.req("R-98")
def test_every_signature_keeps_the_hash_of_the_list_that_was_signed(
    kang: Client, subject: Any, entered: dict[str, Any], li: Any, make_token: Any
) -> None:
    told, hash_ = page(kang, subject), seen(kang, subject)
    assert "Complete records 2 Signed as they stand 0 To sign 2" in told and "Sign 2 records" in told
    assert hash_ == list_hash([entered["signs"], entered["ecog"]])
    assert endorse(kang, subject, seen=hash_).status_code == 302
    made = signatures(li, subject)
    assert {(s.form, s.record_version, s.meaning, s.listed) for s in made} == {
        ("ecog", 2, "REVIEW", hash_),
        ("vital_signs", 1, "REVIEW", hash_),
    }
    assert all(
        s.stands_for(entered["ecog" if s.form == "ecog" else "signs"]) and s.role == "investigator"
        for s in made
    )
    told = page(kang, subject)
    assert "Signed as they stand 2 To sign 0" in told and "Everything complete is signed" in told
    rows = exact(Api(make_token("coordinator_li")).get(f"signatures/?subject={subject.subjid}"))
    assert {row["listed"] for row in rows} == {hash_}


@pytest.mark.req("R-98")
def test_a_list_that_is_another_by_now_is_not_signed(
    kang: Client, subject: Any, entered: dict[str, Any], li: Any
) -> None:
    before = seen(kang, subject)
    correct(entered["ecog"], li, ecog="2")
    answer = endorse(kang, subject, seen=before)
    assert answer.status_code == 409 and "The list is another by now" in answer.content.decode()
    after = seen(kang, subject)
    enter(subject, Death, li, status="COMPLETE", death_date="2026-03-30")
    assert endorse(kang, subject, seen=after).status_code == 409
    assert endorse(kang, subject, seen="").status_code == 409 and signatures(li, subject) == []


def test_what_changes_after_is_asked_for_again_and_a_lock_asks_for_nothing(
    kang: Client, subject: Any, entered: dict[str, Any], li: Any, actor: Any
) -> None:
    endorse(kang, subject, seen=seen(kang, subject))
    set_lock(entered["signs"], "LOCKED", by=actor("data_manager_qian"), reason="review")
    assert "To sign 0" in page(kang, subject)
    correct(stored(li, Ecog, pk=entered["ecog"].pk), li, ecog="1")
    told = page(kang, subject)
    assert "Signed as they stand 1 To sign 1" in told and "Sign 1 records" in told
    assert endorse(kang, subject, seen=seen(kang, subject)).status_code == 302
    assert [s.record_version for s in signatures(li, subject) if s.form == "ecog"] == [2, 3]


@pytest.mark.req("R-98")
def test_the_milestones_are_told_apart(kang: Client, subject: Any, entered: dict[str, Any], li: Any) -> None:
    enter(subject, EndOfStudy, li, status="COMPLETE", phase="STUDY", date="2026-03-30", reason="COMPLETED")
    told = page(kang, subject)
    assert re.search(r"End of [^:]* · Study [^:]*: not signed", told), told
    endorse(kang, subject, seen=seen(kang, subject))
    assert re.search(r"End of [^:]* · Study [^:]*: signed", page(kang, subject))


@pytest.mark.req("R-41")
def test_a_wrong_password_signs_nothing(kang: Client, subject: Any, entered: dict[str, Any], li: Any) -> None:
    hash_ = seen(kang, subject)
    for wrong in ({"password": "guess"}, {"password": ""}, {"username": "coordinator_li"}):
        assert endorse(kang, subject, seen=hash_, **wrong).status_code == 422
    assert signatures(li, subject) == []
    from axes.utils import reset

    reset()


def test_who_may_not_sign_reads_the_report_and_other_sites_find_nothing(
    subject: Any, entered: dict[str, Any], person_client: Any
) -> None:
    coordinator = person_client("coordinator_li")
    coordinator.cookies["edc_language"] = "zh-hans"
    told = page(coordinator, subject)
    assert "待签署 2" in told and "签署 2 条记录" not in told
    assert endorse(coordinator, subject, seen="").status_code == 403
    elsewhere = person_client("coordinator_elsewhere")
    assert elsewhere.get(f"/subjects/{subject.subjid}/endorsement").status_code == 404
