"""A grid and a panel while they are typed: the words of a save before it, the range of the day, the grade by CTCAE."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dosing.models import Lymphodepletion
from safety.engine import evaluate
from safety.models import AdverseEvent, Derivation
from tests.entering import correct, enter
from tests.pages import boxes, stored
from trial import audit
from trial.fields import uuid7
from trial.people import system_actor
from visits.models import Chemistry, Coagulation, ConMeds, Haematology, Laboratory, ReferenceRange, VitalSigns

pytestmark = [pytest.mark.django_db]
DAY = "2026-01-05 08:00"


@pytest.fixture
def browser(person_client: Any) -> Client:
    made: Client = person_client("coordinator_li")
    made.cookies["edc_language"] = "en"
    return made


@pytest.fixture
def ranged(qian: Any, site: Any) -> None:
    """The site's laboratory, whose upper limit of ALT is 40 until 2025 and 50 from 2026 on."""
    with audit.transaction(qian):
        lab = Laboratory(site=site, name="Central", is_default=True)
        lab.save(force_insert=True)
        for first, last, high in ((date(2024, 1, 1), date(2025, 12, 31), 40), (date(2026, 1, 1), None, 50)):
            span = {"valid_from": first, "valid_to": last, "low": Decimal(9), "high": Decimal(high)}
            ReferenceRange(site=site, lab=lab, laboratory="Central", analyte="alt", unit="U/L", **span).save(
                force_insert=True
            )


def line(number: int = 0, key: Any = None, seen: int = 0, **cells: str) -> dict[str, str]:
    """One line as its boxes are sent."""
    return {
        "row": f"{number}:{key or uuid7()}:{seen}",
        **{f"{number}.{name}": text for name, text in cells.items()},
    }


def asked(browser: Client, subject: Any, form: str, body: dict[str, Any], layout: str = "grid") -> Any:
    """What the server says of lines that stand on the page."""
    answer = browser.post(f"/subjects/{subject.subjid}/{layout}/{form}/check", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.req("R-22")
@pytest.mark.parametrize(
    ("cells", "wrong", "told"),
    [
        ({"temp_c": "36.8"}, [], {}),
        ({"temp_c": "385"}, ["temp_c"], {"temp_c": "Was 38.5 meant?"}),
        ({"temp_c": "41.6"}, [], {"temp_c": "is unusual"}),
        ({"temp_c": "warm"}, ["temp_c"], {"temp_c": "“warm”"}),
        ({"temp_c": "36.8", "vs_dt": "2090-01-05 08:00"}, ["vs_dt"], {"vs_dt": "lies in the future"}),
        ({"temp_c": "36.8", "visit": "D77"}, ["visit"], {"visit": "is no visit of the schedule"}),
    ],
)
def test_a_cell_is_answered_as_the_form_answers_it(
    cells: dict[str, str], wrong: list[str], told: dict[str, str], subject: Any, li: Any, browser: Client
) -> None:
    body = line(3, **{"visit": "D1", "vs_dt": DAY, **cells})
    (found,) = asked(browser, subject, "vital_signs", body)["lines"]
    assert (found["line"], found["wrong"], set(found["told"])) == (3, wrong, set(told))
    for name, words in told.items():
        assert words in found["told"][name] and f'id="s-3-{name}"' in found["says"]
    form = browser.post(
        f"/subjects/{subject.subjid}/D1/vital_signs/new/check?line=temp_c", {"vs_dt": DAY, **cells}
    ).content.decode()
    if "temp_c" in told:
        assert told["temp_c"] in form
    with audit.reading(li):
        assert not VitalSigns.objects.filter(subject=subject).exists()


def test_a_stored_line_is_judged_with_what_stands_in_it(subject: Any, li: Any, browser: Client) -> None:
    record = enter(subject, VitalSigns, li, "D1", vs_dt=DAY, sbp="90").record
    (found,) = asked(browser, subject, "vital_signs", line(0, record.pk, 1, dbp="95"))["lines"]
    assert found["wrong"] == ["dbp"]
    same = asked(browser, subject, "vital_signs", line(0, record.pk, 1, sbp="90"))["lines"]
    assert same == [{"line": 0}]


def test_a_hundred_lines_ask_the_database_no_more_than_one(subject: Any, li: Any, browser: Client) -> None:
    def count(size: int, form: str, layout: str, **cells: str) -> int:
        body: dict[str, Any] = {"row": []}
        for number in range(size):
            told = line(number, visit="D1", **cells)
            body["row"].append(told.pop("row"))
            body.update(told)
        asked(browser, subject, form, body, layout)
        with CaptureQueriesContext(connection) as captured:
            asked(browser, subject, form, body, layout)
        return len(captured.captured_queries)

    assert count(1, "vital_signs", "grid", vs_dt=DAY, temp_c="385") == count(
        100, "vital_signs", "grid", vs_dt=DAY, temp_c="385"
    )
    assert count(1, "chemistry", "panel", lb_dt=DAY, alt="99") == count(
        30, "chemistry", "panel", lb_dt=DAY, alt="99"
    )


@pytest.mark.usefixtures("ranged")
@pytest.mark.parametrize(("day", "limit"), [("2025-12-31 23:59", "9–40"), ("2026-01-01 00:01", "9–50")])
def test_the_range_shown_is_that_of_the_day_of_sampling(
    day: str, limit: str, subject: Any, li: Any, browser: Client
) -> None:
    told = asked(browser, subject, "chemistry", line(0, visit="D1", lb_dt=day, alt="45"), "panel")
    assert told["limits"]["alt"] == limit and day[:10] in told["reference"]
    assert ("above the range" in told["lines"][0]["beside"]["alt"]) is (limit == "9–40")
    where = f"/subjects/{subject.subjid}/panel/chemistry"
    again = browser.post(where, line(0, visit="D1", lb_dt=day, alt="-4"))
    assert again.status_code == 422
    assert f'data-limit="alt">{limit}<' in again.content.decode() and day[:10] in again.content.decode()
    assert 'data-limit="alt">9–50<' in browser.get(where).content.decode()  # nothing typed: that of today
    enter(subject, Chemistry, li, "D1", lb_dt=day, alt="45")
    kept = browser.get(where).content.decode()
    assert f"</span>{limit}</span>" in kept


def test_a_panel_shows_the_grades_that_the_study_derives(subject: Any, li: Any, browser: Client) -> None:
    enter(subject, Chemistry, li, "SCR", lb_dt="2026-01-01 08:00", alt="30", alt_uln="40")
    enter(
        subject, Lymphodepletion, li, "LD", drug="FLUDARABINE", planned_day="-5", admin_dt="2026-01-04 08:00"
    )
    record = enter(subject, Chemistry, li, "D1", lb_dt=DAY, alt="250", alt_uln="40").record
    evaluate(subject.pk, by=system_actor())
    with audit.reading(li):
        kept = Derivation.objects.get(name="lab_grade", record_id=record.pk, stands=True)
    (graded,) = kept.value["results"]["alt"]["grades"]
    assert graded["grade"] == 3
    page = browser.get(f"/subjects/{subject.subjid}/panel/chemistry").content.decode()
    assert f"{graded['term']}, CTCAE 5.0 grade 3" in page
    (typed,) = asked(browser, subject, "chemistry", line(0, record.pk, 1, alt="150"), "panel")["lines"]
    assert "CTCAE 5.0 grade 2" in typed["beside"]["alt"] and typed["abnormal"] == ["alt"]
    (more,) = asked(browser, subject, "chemistry", line(0, record.pk, 1, alt="39"), "panel")["lines"]
    assert more["beside"]["alt"].count("grade") == 0 and more["abnormal"] == []


def test_an_abnormal_result_is_called_significant_and_leads_to_an_adverse_event(
    subject: Any, li: Any, browser: Client
) -> None:
    limits = {"plt_lln": "125", "plt_uln": "350"}
    record = enter(subject, Haematology, li, "D7", lb_dt=DAY, plt="18", wbc="5", **limits).record
    where = f"/subjects/{subject.subjid}/panel/haematology"
    page = browser.get(where).content.decode()
    assert 'name="0.plt_cs"' in page and "Report as adverse event" not in page
    sent = line(0, record.pk, 1, plt_cs="Abnormal, clinically significant")
    assert browser.post(where, sent).status_code == 302
    assert stored(li, Haematology, pk=record.pk).plt_cs == "CS"
    way = f"/subjects/{subject.subjid}/log/adverse_event/new?result=haematology.{record.pk}.plt"
    assert f'href="{way}"' in browser.get(where).content.decode()
    form = browser.get(way)
    typed = boxes(form)
    assert (typed["term"], typed["max_grade"], typed["start_dt"], typed["category"]) == (
        "Platelet count decreased",
        "4",
        DAY,
        "HEM",
    )
    assert "Haematology D7 2026-01-05" in form.content.decode()
    answer = browser.post(way.split("?")[0], {**typed, "ongoing": "true"})
    assert answer.status_code == 302
    event = stored(li, AdverseEvent, subject=subject)
    assert (event.term, event.max_grade, event.start_dt[:10]) == ("Platelet count decreased", 4, "2026-01-05")
    page = browser.get(where).content.decode()
    assert "Report as adverse event" not in page and f"/log/adverse_event/{event.pk}" in page


@pytest.mark.parametrize(
    "told", ["", "x", "haematology", "haematology.1.plt", "vital_signs.1.temp_c", "ecg.."]
)
def test_what_names_no_result_begins_an_empty_event(told: str, subject: Any, browser: Client) -> None:
    form = browser.get(f"/subjects/{subject.subjid}/log/adverse_event/new?result={told}")
    assert form.status_code == 200 and boxes(form)["term"] == ""


def test_another_subjects_result_begins_an_empty_event(new_subject: Any, li: Any, browser: Client) -> None:
    one, other = new_subject(), new_subject()
    record = enter(other, Haematology, li, "D7", lb_dt=DAY, plt="18").record
    form = browser.get(f"/subjects/{one.subjid}/log/adverse_event/new?result=haematology.{record.pk}.plt")
    assert boxes(form)["term"] == ""


def test_whoever_only_reads_sees_grade_and_significance_and_no_way_to_report(
    subject: Any, li: Any, person_client: Any
) -> None:
    limits = {"plt_lln": "125", "plt_uln": "350"}
    record = enter(subject, Haematology, li, "D7", lb_dt=DAY, plt="18", **limits).record
    correct(record, li, plt_cs="CS")
    client = person_client("monitor_wu")
    client.cookies["edc_language"] = "en"
    page = client.get(f"/subjects/{subject.subjid}/panel/haematology").content.decode()
    assert "CTCAE 5.0 grade 4" in page and ">CS</abbr>" in page
    assert "<select" not in page.split('class="grid"')[1].split("</table>")[0]
    assert "Report as adverse event" not in page


def test_an_anticoagulant_decides_how_inr_is_graded(subject: Any, li: Any, browser: Client) -> None:
    limits = {"inr_uln": "1.2"}
    enter(subject, Coagulation, li, "SCR", lb_dt="2026-01-01 08:00", inr="2", **limits)
    enter(
        subject, Lymphodepletion, li, "LD", drug="FLUDARABINE", planned_day="-5", admin_dt="2026-01-04 08:00"
    )
    record = enter(subject, Coagulation, li, "D1", lb_dt=DAY, inr="2.2", **limits).record
    page = f"/subjects/{subject.subjid}/panel/coagulation"
    before = browser.get(page).content.decode()
    enter(subject, ConMeds, li, drug="Warfarin", drug_class="ANTICOAGULANT", start_dt="2026-01-02")
    after = browser.get(page).content.decode()
    (typed,) = asked(browser, subject, "coagulation", line(0, record.pk, 1, inr="3.1"), "panel")["lines"]
    assert "grade 2" in before and "grade 1" in after and "grade 2" in typed["beside"]["inr"]
