"""Freezing, locking and opening a record on its page."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from entry.door import retract_record, set_lock
from tests.entering import correct, enter
from tests.pages import boxes, stored
from visits.models import Ecog, VitalSigns

pytestmark = pytest.mark.django_db


@pytest.fixture
def english(person_client: Any) -> Any:
    """A browser in English, signed in as somebody."""

    def browser(name: str) -> Client:
        client: Client = person_client(name)
        client.cookies["edc_language"] = "en"
        return client

    return browser


@pytest.fixture
def qian(english: Any) -> Client:
    """The data manager's browser."""
    return english("data_manager_qian")  # type: ignore[no-any-return]


@pytest.fixture
def page(english: Any) -> Client:
    """The coordinator's browser."""
    return english("coordinator_li")  # type: ignore[no-any-return]


@pytest.fixture
def record(subject: Any, li: Any) -> Any:
    """A completed form, at version 1."""
    return enter(subject, Ecog, li, "SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record


def home(record: Any) -> str:
    """The record's page."""
    return f"/subjects/{record.subject.subjid}/SCR/ecog"


def lock(browser: Client, record: Any, state: str, reason: str, seen: Any = 1, **how: Any) -> Any:
    """Send the small form below the record."""
    sent = {"state": state, "reason": reason, "seen": seen}
    return browser.post(f"/records/ecog/{record.pk}/lock", sent, **how)


def words(answer: Any) -> str:
    """The page's text without its tags."""
    plain = html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", plain)


def offered(answer: Any) -> list[str]:
    """The states that the small form offers."""
    found = re.search(r'<select id="f-lock_state".*?</select>', answer.content.decode(), re.S)
    return re.findall(r'<option value="(\w+)"', found[0]) if found else []


@pytest.mark.req("R-24")
def test_the_data_manager_locks_and_comes_back_to_the_record(
    qian: Client, page: Client, record: Any, li: Any
) -> None:
    assert offered(qian.get(home(record))) == ["FROZEN", "LOCKED"]
    answer = lock(qian, record, "LOCKED", "interim analysis", follow=True)
    assert answer.redirect_chain == [(home(record), 302)]
    assert "The record is locked." in words(answer)
    assert "State now: Locked" in words(answer)
    assert offered(answer) == ["OPEN", "FROZEN"]
    after = stored(li, Ecog, pk=record.pk)
    assert (after.lock_state, after.version, after.ecog) == ("LOCKED", 2, 1)
    seen_by_the_site = page.get(home(record)).content.decode()
    assert 'id="form"' not in seen_by_the_site and "Ask the data manager to unlock it" in seen_by_the_site


@pytest.mark.req("R-24")
def test_a_correction_of_a_locked_record_is_refused_and_kept_until_it_is_opened(
    qian: Client, page: Client, record: Any, li: Any
) -> None:
    opened = boxes(page.get(home(record)))
    lock(qian, record, "FROZEN", "under review")
    refused = page.post(home(record), {**opened, "ecog": "2", "reason": "source corrected"})
    assert refused.status_code == 423
    assert "The record is frozen and takes no change. Ask the data manager to unlock it." in words(refused)
    typed = boxes(refused)
    assert (typed["ecog"], typed["reason"]) == ("2", "source corrected")
    told = lock(qian, record, "OPEN", "correction agreed", seen=2, follow=True)
    assert "The record is open again and can be corrected." in words(told)
    again = page.post(home(record), {**typed, "seen": "3"}, follow=True)
    assert "Saved, version 4." in words(again)
    assert stored(li, Ecog, pk=record.pk).ecog == 2


@pytest.mark.req("R-25")
def test_the_history_shows_who_locked_when_and_why(qian: Client, page: Client, record: Any) -> None:
    lock(qian, record, "LOCKED", "interim analysis")
    lock(qian, record, "OPEN", "correction agreed", seen=2)
    told = words(page.get(f"/records/ecog/{record.pk}/history"))
    assert re.search(r"钱进 Qian Jin Data manager interim analysis Lock Open Locked", told), told
    assert re.search(r"钱进 Qian Jin Data manager correction agreed Lock Locked Open", told), told
    assert len(re.findall(r"20\d\d-\d\d-\d\d \d\d:\d\d", told)) >= 3


@pytest.mark.req("R-25")
def test_without_a_reason_it_is_refused_and_what_was_chosen_is_kept(
    qian: Client, record: Any, li: Any
) -> None:
    answer = lock(qian, record, "LOCKED", "  ")
    assert answer.status_code == 422
    assert '<a href="#f-lock_reason">' in answer.content.decode()
    assert "Say why the record is frozen, locked or opened" in words(answer)
    assert '<option value="LOCKED" selected>' in answer.content.decode()
    assert stored(li, Ecog, pk=record.pk).version == 1


def test_without_a_state_it_is_refused_and_the_reason_is_kept(qian: Client, record: Any, li: Any) -> None:
    for state in ("", "SIGNED"):
        answer = lock(qian, record, state, 'said <b>"so"')
        assert answer.status_code == 422
        assert '<a href="#f-lock_state">' in answer.content.decode()
        assert "Choose the new state: OPEN, FROZEN, LOCKED." in words(answer)
        assert 'value="said &lt;b&gt;&quot;so&quot;"' in answer.content.decode()
    assert stored(li, Ecog, pk=record.pk).version == 1


def test_a_refused_lock_shows_the_record_and_no_form_to_fill_in(qian: Client, record: Any) -> None:
    answer = lock(qian, record, "", "")
    assert 'id="form"' not in answer.content.decode()
    assert 'id="row-ecog"' in answer.content.decode()


@pytest.mark.req("R-22")
@pytest.mark.parametrize("seen", ["1", "", "x", "0"])
def test_a_record_that_changed_in_between_is_looked_at_again(
    qian: Client, record: Any, li: Any, seen: str
) -> None:
    correct(record, li, ecog="3")
    answer = lock(qian, record, "LOCKED", "interim analysis", seen=seen)
    assert answer.status_code == 409
    assert "Somebody changed the record in between: it is at version 2 now." in words(answer)
    assert stored(li, Ecog, pk=record.pk).lock_state == "OPEN"
    again = re.search(
        r'action="/records/ecog/[^>]+/lock".*?name="seen" value="(\d+)"', answer.content.decode()
    )
    assert again and lock(qian, record, "LOCKED", "interim analysis", seen=again[1]).status_code == 302


def test_the_state_it_is_in_already_is_told(qian: Client, record: Any, li: Any, actor: Any) -> None:
    set_lock(record, "LOCKED", by=actor("data_manager_qian"), reason="clean")
    answer = lock(qian, record, "LOCKED", "again", seen=2)
    assert answer.status_code == 409
    assert "The record is locked already." in words(answer)
    assert stored(li, Ecog, pk=record.pk).version == 2


@pytest.mark.req("R-44")
@pytest.mark.parametrize("who", ["coordinator_li", "investigator_kang", "monitor_wu", "auditor_zhou"])
def test_everybody_else_sees_the_state_and_cannot_change_it(
    english: Any, record: Any, li: Any, actor: Any, who: str
) -> None:
    browser = english(who)
    assert "/lock" not in browser.get(home(record)).content.decode()
    assert lock(browser, record, "LOCKED", "why not").status_code == 403
    set_lock(record, "FROZEN", by=actor("data_manager_qian"), reason="clean")
    seen = browser.get(home(record))
    assert "Frozen" in words(seen) and "/lock" not in seen.content.decode()
    assert lock(browser, record, "OPEN", "why not", seen=2).status_code == 403
    assert stored(li, Ecog, pk=record.pk).lock_state == "FROZEN"


@pytest.mark.req("R-45")
def test_what_is_not_there_is_not_found(qian: Client, record: Any) -> None:
    sent = {"state": "LOCKED", "reason": "x", "seen": "1"}
    for where in ("ecog/01890000-0000-7000-8000-000000000000", f"haematology/{record.pk}", "ecog/x", "no/x"):
        assert qian.post(f"/records/{where}/lock", sent).status_code == 404


def test_loading_a_refused_lock_again_leads_back_to_the_record(qian: Client, record: Any) -> None:
    assert qian.get(f"/records/ecog/{record.pk}/lock")["Location"] == home(record)


def test_a_row_of_a_log_is_locked_on_its_own_page(qian: Client, subject: Any, li: Any) -> None:
    vitals = {"vs_dt": "2026-01-05 08:00", "timepoint": "VISIT", "temp_c": "36.8", "temp_route": "AXILLARY"}
    row = enter(subject, VitalSigns, li, "SCR", **vitals).record
    sent = {"state": "LOCKED", "reason": "clean", "seen": "1"}
    answer = qian.post(f"/records/vital_signs/{row.pk}/lock", sent, follow=True)
    assert answer.redirect_chain[0][0] == f"/subjects/{subject.subjid}/SCR/vital_signs/{row.pk}"
    assert "The record is locked." in words(answer)


def test_a_retracted_record_can_be_locked_too(qian: Client, record: Any, li: Any) -> None:
    retract_record(record, by=li, reason="wrong subject", seen=1)
    answer = lock(qian, record, "LOCKED", "clean", seen=2, follow=True)
    assert answer.redirect_chain == [(f"{home(record)}/{record.pk}", 302)]
    assert "The record is locked." in words(answer) and "This record is retracted." in words(answer)


def test_it_is_said_in_chinese(person_client: Any, page: Client, record: Any) -> None:
    browser = person_client("data_manager_qian")
    browser.cookies["edc_language"] = "zh-hans"
    assert "冻结、锁定、开放" in words(browser.get(home(record)))
    assert "请说明冻结、锁定或开放该记录的原因" in words(lock(browser, record, "LOCKED", ""))
    opened = boxes(page.get(home(record)))
    told = words(lock(browser, record, "LOCKED", "期中分析", follow=True))
    assert "记录已锁定。" in told and "当前状态: 锁定" in told
    page.cookies["edc_language"] = "zh-hans"
    refused = words(page.post(home(record), {**opened, "ecog": "2", "reason": "更正"}))
    assert "该记录已锁定,不能修改。请联系数据管理员解锁。" in refused
