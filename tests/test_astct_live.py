"""The ASTCT grade of CRS and ICANS while an assessment is typed: the grade that is stored once it is saved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import expect

from safety.derived.toxicity import grades_of
from safety.engine import evaluate
from safety.models import Derivation
from subjects.models import Death
from tests.books import book
from tests.entering import enter
from tests.pages import boxes, stored
from tests.test_browser import chromium, findings, open_as
from tests.test_derived import crs, icans
from tests.test_grid_live import asked, line
from trial import audit
from trial.people import system_actor
from trial.protocol import V1
from visits.calc import ICE_ITEMS
from visits.models import ConMeds, CrsAssessment, IcansAssessment

pytestmark = [pytest.mark.django_db]
__all__ = ["chromium", "open_as"]
WELL = {"hypotension": "false", "vasopressors": ["NONE"], "hypoxia": "false", "oxygen_device": "NONE"}
FEVER = {"assess_dt": "2026-01-05 08:00", "temp_c": "38.6", "fever_other_cause": "false", **WELL}
ICE = {**dict.fromkeys(ICE_ITEMS, "1"), "naming": "3"}
CLEAR = {
    **{"assess_dt": "2026-01-05 08:00", "consciousness": "NORMAL", "seizure": "NONE", "edema": "NONE"},
    **{"motor_weakness_focal": "false", "attributable": "true"},
}


@pytest.fixture
def browser(person_client: Any) -> Client:
    made: Client = person_client("coordinator_li")
    made.cookies["edc_language"] = "en"
    return made


@pytest.mark.parametrize(
    ("model", "cells", "told"),
    [
        (CrsAssessment, FEVER, "CRS grade: 1"),
        (CrsAssessment, {**FEVER, "hypotension": "true"}, "CRS grade: 2"),
        (CrsAssessment, {**FEVER, "temp_c": "37.9"}, "CRS grade: 0"),
        (CrsAssessment, {**FEVER, "hypoxia": "", "oxygen_device": ""}, "CRS grade: –"),
        (IcansAssessment, {**CLEAR, **ICE}, "ICANS grade: 0"),
        (IcansAssessment, {**CLEAR, **ICE, "writing": "0"}, "ICANS grade: 1"),
        (IcansAssessment, {**CLEAR, **ICE, "seizure": "PROLONGED_GT_5MIN"}, "ICANS grade: 4"),
        (IcansAssessment, CLEAR, "ICANS grade: –"),
    ],
)
def test_the_form_says_while_it_is_typed_the_grade_that_is_stored_later(
    model: Any, cells: dict[str, Any], told: str, subject: Any, li: Any, browser: Client
) -> None:
    address = f"/subjects/{subject.subjid}/D1/{model.form}/new"
    page = browser.get(address)
    assert 'id="live-investigator_grade" aria-live="polite"' in page.content.decode()
    sent = {**boxes(page), **cells}
    checked = browser.post(f"{address}/check?line=assess_dt", sent).content.decode()
    assert '<div id="live-investigator_grade" hx-swap-oob="innerHTML">' in checked
    assert f"{told} <" in checked and "ASTCT2019" in checked
    with audit.reading(li):
        assert not model.objects.exists()
    assert browser.post(address, sent).status_code == 302
    evaluate(subject.pk, by=system_actor())
    grade = stored(li, Derivation, name__in=("crs_grade", "icans_grade")).value["grade"]
    assert told.endswith("–" if grade is None else str(grade))


def test_another_grade_of_the_investigator_is_marked_and_no_moment_gives_no_grade(
    subject: Any, browser: Client
) -> None:
    address = f"/subjects/{subject.subjid}/D1/crs_assessment/new"
    sent = {**boxes(browser.get(address)), **FEVER}
    for said, marked in (("1", False), ("3", True)):
        answer = browser.post(f"{address}/check?line=temp_c", {**sent, "investigator_grade": said})
        assert ("computed state s-overdue" in answer.content.decode()) is marked
    answer = browser.post(f"{address}/check?line=temp_c", {**sent, "assess_dt": ""}).content.decode()
    assert "CRS grade" not in answer and 'id="live-investigator_grade"' in answer
    other = f"/subjects/{subject.subjid}/D1/ecog"
    assert "live-" not in browser.post(f"{other}/check?line=ecog", {"ecog": "1"}).content.decode()


def test_the_grades_of_one_form_are_those_that_are_stored() -> None:
    seizure = icans("2026-03-17", seizure="PROLONGED_GT_5MIN")
    told, forms = book(crs("2026-03-17"), seizure, ConMeds(not_done=True), Death(not_done=True)), {}
    for form in (CrsAssessment, IcansAssessment):
        forms[form] = list(grades_of(told, form, V1).values())
    assert forms == {CrsAssessment: [1], IcansAssessment: [4]}


CELLS = {**FEVER, "vasopressors": "NONE", "visit": "D1"}


def test_a_line_is_graded_with_those_before_it_and_with_the_medication(
    subject: Any, li: Any, browser: Client
) -> None:
    """Fever that was treated counts for the later assessment, and another answer to the earlier one regrades the later."""
    first = enter(subject, CrsAssessment, li, "D1", **FEVER).record
    later = {**FEVER, "assess_dt": "2026-01-06 08:00", "temp_c": "37.0", "hypotension": "true"}
    second = enter(subject, CrsAssessment, li, "D2", **later).record
    drug = {"drug": "tocilizumab", "drug_class": "TOCILIZUMAB", "start_dt": "2026-01-05 12:00"}
    enter(subject, ConMeds, li, **drug, ongoing="false", end_dt="2026-01-05 13:00")
    mask = {"temp_c": "37.1", "hypoxia": "true", "oxygen_device": "FACEMASK"}
    new = line(2, **{**CELLS, **mask, "visit": "D3", "assess_dt": "2026-01-06 20:00"})
    told = asked(browser, subject, "crs_assessment", new)["graded"]
    key = new["row"].split(":")[1]
    assert [told[str(k)][-8:] for k in (first.pk, second.pk, key)] == ["1</span>", "2</span>", "3</span>"]
    cool = {**line(0, key=first.pk, seen=1, temp_c="37.0")}
    both = {**cool, **new, "row": [cool["row"], new["row"]]}
    told = asked(browser, subject, "crs_assessment", both)["graded"]
    assert [told[str(k)][-8:] for k in (first.pk, second.pk, key)] == ["0</span>", "0</span>", "0</span>"]
    with audit.reading(li):
        assert CrsAssessment.objects.get(pk=first.pk).temp_c == first.temp_c


def test_the_last_assessment_on_the_day_of_a_death_by_crs_has_grade_five_in_the_grid(
    subject: Any, li: Any, browser: Client
) -> None:
    enter(subject, CrsAssessment, li, "D1", **FEVER)
    enter(subject, Death, li, death_date="2026-01-05", primary_cause="CRS")
    page = browser.get(f"/subjects/{subject.subjid}/grid/crs_assessment").content.decode()
    assert "→ </span>5</span>" in page


def test_a_check_of_many_assessments_takes_as_many_statements_as_of_one(
    subject: Any, li: Any, browser: Client
) -> None:
    counts = []
    for n in (1, 1, 12):
        body: dict[str, Any] = {"row": []}
        for number in range(n):
            one: dict[str, Any] = line(number, **{**CELLS, "assess_dt": f"2026-01-{number + 5:02} 08:00"})
            body["row"].append(one.pop("row"))
            body |= one
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert len(asked(browser, subject, "crs_assessment", body)["graded"]) == n
        counts.append(len(found))
    assert counts[1] == counts[2], counts


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 400)])
def test_form_and_grid_show_the_grade_at_once_by_keyboard_alone(
    open_as: Any, subject: Any, li: Any, language: str, width: int
) -> None:
    day = datetime.now(UTC) - timedelta(days=2)
    answers = {**FEVER, "assess_dt": day.isoformat(), "investigator_grade": "1"}
    enter(subject, CrsAssessment, li, "D1", **answers)
    page = open_as(language=language, width=width)
    page.goto(f"/subjects/{subject.subjid}/grid/crs_assessment")
    beside = page.locator("td:has(input[name='0.investigator_grade']) .beside")
    expect(beside).to_contain_text("1")
    cell = page.locator("input[name='0.hypotension']")
    cell.select_text()
    page.keyboard.type("yes")
    page.keyboard.press("Tab")
    expect(beside).to_contain_text("2")
    expect(beside).to_have_class("beside differs")
    assert not findings(page)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("language", "width", "words"), [("en", 1280, "grade"), ("zh-hans", 400, "分级")])
def test_the_form_shows_the_grade_when_the_last_answer_it_needs_is_left(
    open_as: Any, subject: Any, li: Any, language: str, width: int, words: str
) -> None:
    page = open_as(language=language, width=width)
    page.goto(f"/subjects/{subject.subjid}/D2/icans_assessment/new")
    told = page.locator("#live-investigator_grade")
    expect(told).to_have_text("")
    page.locator("#f-assess_dt").fill((datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d %H:%M"))
    for name in ICE_ITEMS:
        page.locator(f"#f-{name}").fill("0")
    for name in ("consciousness", "seizure", "edema"):
        page.locator(f"#f-{name}").focus()
        page.keyboard.press("ArrowDown" if page.locator(f"select#f-{name}").count() else "Space")
    page.locator("[name=motor_weakness_focal][value=false]").focus()
    page.keyboard.press("Space")
    expect(told).to_contain_text(f"ICANS{' ' if language == 'en' else ''}{words}")
    expect(told).to_contain_text("3")
    assert not findings(page)
