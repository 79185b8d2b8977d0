"""Two people and one record: nothing is lost, nothing is overwritten unseen, and a lock holds."""

import re
from typing import Any

import pytest
from django.test import Client

from entry.door import set_lock
from review.models import Query
from review.queries import raise_query
from tests.entering import correct, enter
from tests.pages import boxes, stored
from visits.models import Ecog

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(person_client: Any) -> Client:
    """Li's browser, in English."""
    browser: Client = person_client("coordinator_li")
    browser.cookies["edc_language"] = "en"
    return browser


@pytest.mark.req("R-22")
def test_two_writers_both_values_are_shown_and_the_second_decides(
    page: Client, subject: Any, li: Any
) -> None:
    record = enter(subject, Ecog, li, visit="SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    opened = boxes(page.get(address))
    correct(record, li, ecog="3")
    answer = page.post(address, {**opened, "ecog": "2", "reason": "source corrected"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert re.search(r"Stored now</b> 3</p>.*Yours</b> 2</p>", text)
    again = page.post(address, boxes(answer), follow=True)
    assert "Saved, version 3." in again.content.decode()
    assert stored(li, Ecog, pk=record.pk).ecog == 2


@pytest.mark.req("R-22")
def test_what_i_did_not_touch_keeps_what_the_other_saved(page: Client, subject: Any, li: Any) -> None:
    record = enter(subject, Ecog, li, visit="SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    opened = boxes(page.get(address))
    correct(record, li, ecog_date="2026-03-04")
    answer = page.post(address, {**opened, "ecog": "2", "reason": "source corrected"})
    page.post(address, boxes(answer))
    after = stored(li, Ecog, pk=record.pk)
    assert (str(after.ecog_date), after.ecog) == ("2026-03-04", 2)


@pytest.mark.req("R-22")
def test_a_form_that_somebody_else_began_meanwhile_is_compared(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    opened = boxes(page.get(address))
    enter(subject, Ecog, li, visit="SCR", ecog="1")
    answer = page.post(address, {**opened, "ecog": "2"})
    assert answer.status_code == 409
    assert boxes(answer)["ecog"] == "2"
    assert "Stored now" in answer.content.decode()


@pytest.mark.req("R-24")
def test_a_locked_record_takes_nothing_and_drops_nothing(
    page: Client, subject: Any, li: Any, actor: Any
) -> None:
    record = enter(subject, Ecog, li, visit="SCR", ecog="1").record
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    opened = boxes(page.get(address))
    set_lock(record, "LOCKED", by=actor("data_manager_qian"), reason="clean")
    assert 'id="form"' not in page.get(address).content.decode()
    answer = page.post(address, {**opened, "ecog": "2", "reason": "source corrected"})
    assert answer.status_code in (409, 423)
    assert boxes(answer)["ecog"] == "2"


def test_answers_typed_by_somebody_else_are_saved_only_knowingly(page: Client, subject: Any, li: Any) -> None:
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    sent = {**boxes(page.get(address)), "ecog": "1", "typed_by": "99999"}
    answer = page.post(address, sent)
    assert answer.status_code == 409
    assert "typed under another account" in answer.content.decode()
    assert page.post(address, boxes(answer)).status_code == 302


def test_a_query_is_answered_with_the_save_that_corrects_it(
    page: Client, subject: Any, li: Any, wu: Any
) -> None:
    record = enter(subject, Ecog, li, visit="SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record
    query = raise_query(record, "ecog", "Is it 1?", by=wu)
    address = f"/subjects/{subject.subjid}/SCR/ecog"
    opened = page.get(address)
    assert "Is it 1?" in opened.content.decode()
    page.post(
        address,
        {**boxes(opened), "ecog": "0", "reason": "transcription error", f"answer.{query.pk}": "It is 0"},
    )
    after = stored(li, Query, pk=query.pk)
    assert (after.status, after.talk[-1]["text"]) == ("ANSWERED", "It is 0")
    assert stored(li, Ecog, pk=record.pk).ecog == 0


def test_a_query_can_be_answered_in_a_locked_record(
    page: Client, subject: Any, li: Any, wu: Any, actor: Any
) -> None:
    record = enter(subject, Ecog, li, visit="SCR", ecog="1").record
    query = raise_query(record, "ecog", "Is it 1?", by=wu)
    set_lock(record, "FROZEN", by=actor("data_manager_qian"), reason="clean")
    assert (
        f'action="/queries/{query.pk}/answer"'
        in page.get(f"/subjects/{subject.subjid}/SCR/ecog").content.decode()
    )
    page.post(f"/queries/{query.pk}/answer", {"text": "Yes", "next": "https://evil.example"})
    assert stored(li, Query, pk=query.pk).status == "ANSWERED"


def test_an_empty_answer_is_refused_and_a_second_one_kept_in_sight(
    page: Client, subject: Any, li: Any, wu: Any
) -> None:
    record = enter(subject, Ecog, li, visit="SCR", ecog="1").record
    query = raise_query(record, "ecog", "Is it 1?", by=wu)
    assert page.post(f"/queries/{query.pk}/answer", {"text": " "}).status_code == 422
    page.post(f"/queries/{query.pk}/answer", {"text": "Yes"})
    late = page.post(f"/queries/{query.pk}/answer", {"text": "Another <word>"})
    assert late.status_code == 422
    assert "Another &lt;word&gt;" in late.content.decode()
