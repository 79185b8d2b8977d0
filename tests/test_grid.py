"""Grids: many records of one form on one page, entered line by line and saved through the one door."""

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from entry.door import Row, save_rows, set_lock
from review.models import Query
from tests.entering import correct, enter, fill
from tests.pages import stored
from trial import audit
from trial.fields import uuid7
from visits.calc import ICE_ITEMS
from visits.models import Chemistry, ConMeds, CrsAssessment, Haematology, VitalSigns

pytestmark = [pytest.mark.django_db]
VITALS = {"vs_dt": "2026-01-05 08:00", "timepoint": "VISIT", "temp_c": "36.8", "temp_route": "AXILLARY"}


@pytest.fixture
def browser(person_client: Any) -> Client:
    made: Client = person_client("coordinator_li")
    made.cookies["edc_language"] = "en"
    return made


def address(subject: Any, form: str, layout: str = "grid") -> str:
    return f"/subjects/{subject.subjid}/{layout}/{form}"


def boxes(answer: Any) -> dict[str, str]:
    """Every box of the grid with its text; `row` boxes as "row <number>"."""
    text, found = answer.content.decode(), {}
    for tag in re.findall(r"<input[^>]*>", text[text.index('class="scroll"') :]):
        told = {k: html.unescape(v) for k, v in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if told.get("name") == "row":
            found[f"row {told['value'].split(':')[0]}"] = told["value"]
        elif "name" in told:
            found[told["name"]] = told.get("value", "")
    return found


def sent(**cells: str) -> dict[str, Any]:
    """One new line as a POST."""
    return {"row": f"0:{uuid7()}:0", **{f"0.{name}": text for name, text in cells.items()}}


def line(record: Any, seen: int = 1, number: int = 0, **cells: str) -> dict[str, Any]:
    """One line of a stored record as a POST."""
    return {"row": f"{number}:{record.pk}:{seen}", **{f"{number}.{n}": t for n, t in cells.items()}}


def test_what_is_typed_becomes_answers_codes_units_and_marks(subject: Any, li: Any, browser: Client) -> None:
    answer = browser.post(
        address(subject, "haematology"),
        sent(
            visit="d1",
            lb_dt="20260105 08:10",
            wbc="<0.1",
            plt="１８",
            hgb="8.1 g/dl",
            anc="nd",
            alc="nd haemo",
            monocytes="",
        ),
    )
    assert answer.status_code == 302, answer.content.decode()[:3000]
    row = stored(li, Haematology, subject=subject)
    assert (row.visit, str(row.wbc_value), row.wbc_qual, str(row.plt_value)) == ("D1", "0.1", "<", "18")
    assert (str(row.hgb_value), row.hgb_unit, str(row.hgb_si), row.plt_unit) == (
        "8.1",
        "g/dL",
        "81.0",
        "10^9/L",
    )
    assert row.missing == {"anc": "NOT_DONE", "alc": "SAMPLE_HAEMOLYSED"} and row.anc_value is None
    assert row.typed["plt_value"] == "１８"


def test_choices_take_a_code_a_label_or_its_beginning_in_either_language(
    subject: Any, li: Any, browser: Client
) -> None:
    for number, where in enumerate(("AXILLARY", "腋", "axil")):
        cells = sent(visit="D1", vs_dt=f"2026-01-0{number + 1} 08:00", temp_route=where, room_air="y")
        assert browser.post(address(subject, "vital_signs"), cells).status_code == 302
    with audit.reading(li):
        rows = list(VitalSigns.objects.filter(subject=subject))
    assert [(row.temp_route, row.room_air) for row in rows] == [("AXILLARY", True)] * 3
    answer = browser.post(address(subject, "vital_signs"), sent(visit="D1", temp_route="elbow"))
    told = "“elbow” is none of the answers: Axillary; Oral; Tympanic; Rectal."
    assert answer.status_code == 422 and told in html.unescape(answer.content.decode())


@pytest.mark.parametrize(
    ("cells", "language", "told"),
    [
        ({"oxygen_device": "n"}, "en", "“n” could be: None; Nasal cannula (low flow); Non-rebreather mask."),
        ({"oxygen_device": "n"}, "zh-hans", "“n”可能是:无; 鼻导管(低流量); 非重复呼吸面罩。请再多键入一些。"),
        ({"vasopressors": "dopa, n"}, "en", "“n” could be: None; Norepinephrine. Type more of it."),
        ({"vasopressors": "none, xyz"}, "zh-hans", "“xyz”不是可选答案:无; 去甲肾上腺素;"),
    ],
)
def test_a_beginning_of_several_answers_is_answered_with_their_labels_in_the_readers_language(
    cells: dict[str, str], language: str, told: str, subject: Any, li: Any, browser: Client
) -> None:
    browser.cookies["edc_language"] = language
    typed = sent(visit="D1", assess_dt="2026-01-05 08:00", **cells)
    answer = browser.post(address(subject, "crs_assessment"), typed)
    assert answer.status_code == 422
    assert told in html.unescape(answer.content.decode())
    asked = browser.post(address(subject, "crs_assessment") + "/check", typed).json()["lines"][0]
    assert asked["wrong"] == list(cells) and told in asked["told"][next(iter(cells))]
    with audit.reading(li):
        assert not CrsAssessment.objects.exists()


def test_yes_and_no_stand_in_the_readers_language(subject: Any, li: Any, browser: Client) -> None:
    record = enter(subject, VitalSigns, li, "D1", **VITALS, room_air=True).record
    for language, word in (("en", "Yes"), ("zh-hans", "是")):
        browser.cookies["edc_language"] = language
        assert boxes(browser.get(address(subject, "vital_signs")))["0.room_air"] == word
    answer = browser.post(address(subject, "vital_signs"), line(record, visit="D1", room_air="是"))
    assert answer.status_code in (200, 302)
    assert stored(li, VitalSigns, subject=subject).room_air is True


def test_looking_at_a_grid_and_sending_it_back_changes_nothing(
    subject: Any, li: Any, browser: Client
) -> None:
    enter(subject, VitalSigns, li, "D1", **VITALS, room_air=False, missing={"sbp": "SUBJECT_REFUSED"})
    enter(subject, VitalSigns, li, "D2", **{**VITALS, "temp_c": "36.50"})
    page = browser.get(address(subject, "vital_signs"))
    shown = boxes(page)
    assert shown["0.temp_route"] == "Axillary" and shown["0.sbp"] == "∅ Subject refused"
    rows = [text for name, text in shown.items() if name.startswith("row ")]
    whole = {**{n: t for n, t in shown.items() if not n.startswith("row ")}, "row": rows}
    assert browser.post(address(subject, "vital_signs"), whole, follow=True).status_code == 200
    with audit.reading(li):
        assert set(VitalSigns.objects.filter(subject=subject).values_list("version", flat=True)) == {1}


def test_a_mark_gives_way_to_an_answer_and_an_answer_to_a_mark(
    subject: Any, li: Any, browser: Client
) -> None:
    record = enter(subject, Haematology, li, "D1", lb_dt="2026-01-05 08:00", plt="18").record
    where = address(subject, "haematology")
    browser.post(where, {**line(record, plt="nd", wbc="unk"), "reason": "source corrected"})
    row = stored(li, Haematology, pk=record.pk)
    assert (
        row.plt_value is None and row.plt_unit == "" and row.missing == {"plt": "NOT_DONE", "wbc": "UNKNOWN"}
    )
    browser.post(where, {**line(record, 2, plt="19"), "reason": "source corrected"})
    row = stored(li, Haematology, pk=record.pk)
    assert str(row.plt_value) == "19" and row.missing == {"wbc": "UNKNOWN"}


@pytest.mark.req("R-22")
def test_the_good_lines_are_saved_and_the_others_stay_as_typed(
    subject: Any, li: Any, browser: Client
) -> None:
    record = enter(subject, VitalSigns, li, "D1", **VITALS).record
    correct(record, li, temp_c="36.9")
    body = {
        **line(record, 1, 0, temp_c="37.5"),
        **{f"1.{n}": t for n, t in {"visit": "D2", "temp_c": "385"}.items()},
        **{f"2.{n}": t for n, t in {"visit": "D3", "temp_c": "41.6"}.items()},
        **{f"3.{n}": t for n, t in {"visit": "D77", "temp_c": "37"}.items()},
        "row": [f"0:{record.pk}:1", f"1:{uuid7()}:0", f"2:{uuid7()}:0", f"3:{uuid7()}:0"],
        "reason": "source corrected",
    }
    answer = browser.post(address(subject, "vital_signs"), body)
    text = html.unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "1 new line" in text and "1 query is open" in text
    assert "Stored now</b> 36.9" in text and "Yours</b> 37.5" in text
    assert "385 degC is impossible; it lies within 25 – 45 degC. Was 38.5 meant?" in text
    assert "“D77” is no visit of the schedule" in text
    again = boxes(answer)
    assert again["0.temp_c"] == "37.5" and again["row 0"] == f"0:{record.pk}:2"
    assert "385" in again.values() and "D77" in again.values()
    with audit.reading(li):
        assert list(
            VitalSigns.objects.filter(subject=subject).values_list("visit", flat=True).order_by("visit")
        ) == ["D1", "D3"]
        assert Query.objects.filter(subject=subject, field="temp_c").count() == 1


def test_one_reason_for_all_lines_and_none_for_the_first_entry(
    subject: Any, li: Any, browser: Client
) -> None:
    record = enter(subject, VitalSigns, li, "D1", **VITALS).record
    where = address(subject, "vital_signs")
    answer = browser.post(where, line(record, temp_c="37.5"))
    assert answer.status_code == 422
    assert answer.content.decode().count('href="#f-reason"') == 1
    assert browser.post(where, line(record, sbp="120")).status_code == 302
    assert stored(li, VitalSigns, pk=record.pk).sbp == 120


@pytest.mark.req("R-35")
def test_sending_the_same_page_twice_makes_one_record(subject: Any, li: Any, browser: Client) -> None:
    body = sent(visit="D1", **VITALS)
    where = address(subject, "vital_signs")
    assert [browser.post(where, body).status_code for _ in range(2)] == [302, 302]
    with audit.reading(li):
        assert VitalSigns.objects.filter(subject=subject).count() == 1


def test_no_line_is_dropped_however_many_were_sent(subject: Any, li: Any, browser: Client) -> None:
    last = sent(**VITALS, visit="D0")
    rows = [f"{n}:{uuid7()}:0" for n in range(1, 1001)]
    browser.post(address(subject, "vital_signs"), {**last, "row": [*rows, last["row"]]})
    assert stored(li, VitalSigns, subject=subject).visit == "D0"


def test_completing_takes_every_draft_line(subject: Any, li: Any, browser: Client) -> None:
    drug = {"drug": "Paracetamol", "drug_class": "ANTIPYRETIC", "route": "PO"}
    first = enter(subject, ConMeds, li, **drug).record
    body = {**line(first), **{f"1.{n}": t for n, t in drug.items()}, "act": "complete"}
    body["row"] = [body["row"], f"1:{uuid7()}:0", f"2:{uuid7()}:0"]
    assert browser.post(address(subject, "con_meds"), body).status_code == 302
    with audit.reading(li):
        assert (
            list(ConMeds.objects.filter(subject=subject).values_list("status", flat=True)) == ["COMPLETE"] * 2
        )


def test_locked_lines_are_shown_and_refused(subject: Any, li: Any, actor: Any, browser: Client) -> None:
    record = enter(subject, VitalSigns, li, "D1", **VITALS).record
    set_lock(record, "LOCKED", by=actor("data_manager_qian"), reason="data cut")
    where = address(subject, "vital_signs")
    assert "0.temp_c" not in boxes(browser.get(where))
    answer = browser.post(where, {**line(record, 2, temp_c="37"), "reason": "late"})
    assert answer.status_code == 422 and "takes no change" in html.unescape(answer.content.decode())


def test_the_computed_grade_stands_beside_the_investigators(subject: Any, li: Any, browser: Client) -> None:
    crs = {"assess_dt": "2026-01-05 08:00", "temp_c": "39", "fever_other_cause": False, "hypotension": True,
           "vasopressors": ["NONE"], "hypoxia": False, "oxygen_device": "NONE", "investigator_grade": "1"}  # fmt: skip
    enter(subject, CrsAssessment, li, "D1", **crs)
    cold = {**crs, "assess_dt": "2026-01-06 08:00", "temp_c": "37", "investigator_grade": "2"}
    enter(subject, CrsAssessment, li, "D2", **cold)
    enter(subject, ConMeds, li, drug="Paracetamol", drug_class="ANTIPYRETIC", start_dt="2026-01-05")
    text = browser.get(address(subject, "crs_assessment")).content.decode()
    told = re.findall(r'class="beside( differs)?".*?→ </span>(\d)', text)
    assert told == [(" differs", "2"), ("", "2")]


def test_the_panel_shows_flags_and_the_records_beside_each_other(
    subject: Any, li: Any, browser: Client
) -> None:
    enter(subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", alt="55", alt_lln="7", alt_uln="40")
    text = browser.get(address(subject, "chemistry", "panel")).content.decode()
    assert "above the range" in text and text.index('id="c-lb_dt"') < text.index('id="c-alt"')
    browser.post(
        address(subject, "chemistry", "panel"), sent(visit="D2", lb_dt="2026-01-06 08:00", alt="44", ast="na")
    )
    row = stored(li, Chemistry, subject=subject, visit="D2")
    assert str(row.alt_value) == "44" and row.missing == {"ast": "NOT_APPLICABLE"}


def test_whoever_only_reads_sees_no_boxes(subject: Any, li: Any, person_client: Any) -> None:
    enter(subject, VitalSigns, li, "D1", **VITALS)
    answer = person_client("monitor_wu").get(address(subject, "vital_signs"))
    assert answer.status_code == 200 and "36.8" in answer.content.decode()
    assert 'name="0.temp_c"' not in answer.content.decode()


@pytest.mark.parametrize(("form", "layout"), [("vital_signs", "grid"), ("vital_signs", "panel")])
def test_two_hundred_lines_ask_the_database_no_more_than_five(
    form: str, layout: str, subject: Any, li: Any, browser: Client
) -> None:
    def count(size: int) -> int:
        with audit.reading(li):
            there = VitalSigns.objects.filter(subject=subject).count()
        rows = [
            Row(fill(VitalSigns(subject=subject, visit="D1"), **VITALS), None) for _ in range(size - there)
        ]
        save_rows(rows, by=li)
        browser.get(address(subject, form, layout))
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(address(subject, form, layout)).status_code == 200
        return len(captured.captured_queries)

    assert count(5) == count(200)


@pytest.mark.parametrize(
    "tail", ["grid/demographics", "grid/nothing", "grid/vital_signs?visit=D77", "grid/ecg?visit=x"]
)
def test_what_has_no_grid_is_not_found(tail: str, subject: Any, browser: Client) -> None:
    assert browser.get(f"/subjects/{subject.subjid}/{tail}").status_code == 404


def test_what_was_refused_stays_where_it_was_typed(subject: Any, li: Any, browser: Client) -> None:
    """Two of four new lines are refused: they stand above the empty lines in the order in which they were typed."""
    typed: dict[str, Any] = {"row": []}
    for number, (visit, temp) in enumerate((("D1", "385"), ("D2", "36.8"), ("D3", "warm"), ("D4", "36.9"))):
        one = sent(visit=visit, vs_dt=f"2026-01-0{number + 5} 08:00", temp_c=temp)
        typed["row"].append(one.pop("row").replace("0:", f"{number}:", 1))
        typed |= {name.replace("0.", f"{number}.", 1): text for name, text in one.items()}
    page = browser.post(address(subject, "vital_signs"), typed)
    assert page.status_code == 422
    shown = boxes(page)
    numbers = sorted(int(name.partition(" ")[2]) for name in shown if name.startswith("row "))
    told = [(shown.get(f"{n}.visit"), shown[f"{n}.temp_c"]) for n in numbers]
    assert told[:2] == [(None, "36.8"), (None, "36.9")]
    assert [one for one in told if one[1] in ("385", "warm")] == told[2:4] == [("D1", "385"), ("D3", "warm")]
    assert {text for _, text in told[4:]} == {""} and len(told) > 4
    assert all(f">{name}: " in page.content.decode() for name in ("D1 new line 3", "D3 new line 4"))


def test_a_refused_line_takes_the_place_of_the_empty_line_of_its_visit(
    subject: Any, li: Any, browser: Client
) -> None:
    where = f"{address(subject, 'ecog')}?visit=D1"
    page = browser.post(where, sent(visit="D1", ecog="9"))
    assert page.status_code == 422
    shown = boxes(page)
    assert [text for name, text in shown.items() if name.endswith(".ecog")] == ["9"]
    panel = browser.post(address(subject, "haematology", "panel"), sent(visit="D1", lb_dt="soon", wbc="4.5"))
    assert [text for name, text in boxes(panel).items() if name.endswith(".wbc")] == ["4.5"]


def test_every_item_of_an_ice_score_can_be_entered_in_a_grid_that_is_still_empty(
    subject: Any, browser: Client
) -> None:
    shown = boxes(browser.get(address(subject, "icans_assessment")))
    assert {*ICE_ITEMS, "unable_reason", "investigator_grade"} <= {name[2:] for name in shown}
