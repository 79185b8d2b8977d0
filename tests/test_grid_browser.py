"""The grid in a real browser, by keyboard alone."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dosing.models import Infusion
from entry.door import Row, save_record, save_rows
from tests.entering import enter, fill
from tests.pages import stored
from tests.test_browser import chromium, findings, open_as
from trial import audit
from visits.models import Chemistry, VitalSigns

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("EDC_PICTURES", "")
__all__ = ["chromium", "open_as"]
VALUES = (
    *(
        "55",
        "38",
        "12.1",
        "3.4",
        "88",
        "41",
        "<0.1",
        "210",
        "39",
        "5.1",
        "320",
        "5.6",
        "140",
        "4.1",
        "2.3",
        "1.1",
    ),
    *("nd", "12"),
)


@pytest.fixture
def treated(subject: Any, li: Any) -> Any:
    """A subject infused ten days ago, with a first panel and some vital signs."""
    start = datetime.now(UTC) - timedelta(days=10)
    save_record(Infusion(subject=subject, inf_start_dt=start), by=li)
    enter(subject, Chemistry, li, "D1", lb_dt=start.isoformat(), alt="61", alt_lln="7", alt_uln="40")
    one = {"vs_dt": start.isoformat(), "timepoint": "VISIT", "temp_c": "36.8", "temp_route": "AXILLARY"}
    save_rows([Row(fill(VitalSigns(subject=subject, visit="D1"), **one), None) for _ in range(6)], by=li)
    return subject


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_a_panel_of_eighteen_results_takes_no_pointer(open_as: Any, treated: Any, li: Any) -> None:
    page = open_as()
    page.goto(f"/subjects/{treated.subjid}/panel/chemistry")
    page.evaluate(
        "window.pointers = 0; addEventListener('pointerdown', () => { window.pointers += 1; }, true)"
    )
    visit = page.locator('tr.new input, td input[name$=".visit"]').last
    visit.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("D2")
    page.keyboard.press("Enter")
    page.keyboard.type(datetime.now(UTC).strftime("%Y%m%d 00:01"))
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # the laboratory is the site's own
    keys = 0
    for value in VALUES:
        page.keyboard.type(value)
        page.keyboard.press("Enter")
        keys += len(value) + 1
    assert keys - sum(map(len, VALUES)) == len(VALUES)
    assert page.evaluate("window.pointers") == 0
    held = page.evaluate("document.activeElement.getAttribute('aria-labelledby').split(' ')[0]")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".told")).to_contain_text("1 new line")
    assert page.evaluate("document.activeElement.getAttribute('aria-labelledby').split(' ')[0]") == held
    row = stored(li, Chemistry, subject=treated, visit="D2")
    held_values = sum(getattr(row, f"{name}_value") is not None for name in Chemistry.analytes)
    assert held_values == len(VALUES) - 1 and list(row.missing.values()) == ["NOT_DONE"]
    picture(page, "panel-saved")


def test_cells_move_restore_and_take_a_block_from_a_spreadsheet(open_as: Any, treated: Any, li: Any) -> None:
    page = open_as()
    page.goto(f"/subjects/{treated.subjid}/grid/vital_signs")
    cell = page.locator('input[name="0.temp_c"]')
    cell.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator('input[name="1.temp_c"]')).to_be_focused()
    page.keyboard.type("37.7")
    page.keyboard.press("Escape")
    expect(page.locator('input[name="1.temp_c"]')).to_have_value("36.8")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("tymp")
    page.keyboard.press("Tab")
    expect(page.locator('input[name="1.temp_route"]')).to_have_value("Tympanic")
    page.locator('input[name="0.sbp"]').focus()
    page.evaluate(
        """() => { const data = new DataTransfer(); data.setData('text/plain', '121\\t80\\r\\n122\\tnd\\r\\n');
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})); }"""
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator("#f-reason")).to_be_focused()
    page.keyboard.type("transcription error")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_contain_text("2 lines changed")
    with audit.reading(li):
        rows = list(VitalSigns.objects.filter(subject=treated).order_by("sequence")[:3])
    assert [(row.sbp, row.dbp, row.version) for row in rows] == [
        (121, 80, 2),
        (122, None, 2),
        (None, None, 1),
    ]
    assert rows[1].missing == {"dbp": "NOT_DONE"} and rows[1].temp_route == "TYMPANIC"


@pytest.mark.req("R-22")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_cell_that_is_left_is_answered_in_words_and_aloud(
    open_as: Any, treated: Any, language: str
) -> None:
    page = open_as(language=language)
    page.goto(f"/subjects/{treated.subjid}/grid/vital_signs")
    cell = page.locator('input[name="1.temp_c"]')
    cell.select_text()
    page.keyboard.type("385")
    page.keyboard.press("Tab")
    expect(page.locator("#s-1-temp_c .problem")).to_contain_text("38.5")
    expect(cell).to_have_attribute("aria-invalid", "true")
    expect(cell).to_have_attribute("aria-describedby", "s-1-temp_c")
    expect(page.locator("#grid-voice[aria-live=polite]")).to_contain_text("385")
    picture(page, f"grid-typed-{language}")
    assert not findings(page)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("41.6")
    page.keyboard.press("Enter")
    expect(page.locator("#s-1-temp_c .doubt")).to_contain_text("41.6")
    expect(cell).not_to_have_attribute("aria-invalid", "true")
    expect(cell).to_have_attribute("aria-describedby", "s-1-temp_c")
    page.keyboard.press("ArrowUp")
    page.keyboard.type("36.9")
    page.keyboard.press("Tab")
    expect(page.locator("#s-1-temp_c")).to_have_count(0)
    expect(cell).not_to_have_attribute("aria-describedby", "s-1-temp_c")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_abnormal_result_is_graded_called_significant_and_reported_by_keyboard(
    open_as: Any, treated: Any, li: Any, language: str
) -> None:
    page = open_as(language=language)
    page.goto(f"/subjects/{treated.subjid}/panel/chemistry")
    cell = page.locator('input[name="0.alt"]')
    cell.select_text()
    page.keyboard.type("250")
    page.keyboard.press("Enter")
    expect(page.locator('td:has(input[name="0.alt"]) .tox')).to_contain_text("3")
    expect(page.locator('select[name="0.alt_cs"]')).to_be_visible()
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Alt+n")
    page.keyboard.press("Alt+c")
    expect(page.locator('select[name="0.alt_cs"] option:checked')).to_have_text("CS")
    expect(page.locator("#grid-voice")).to_contain_text(
        "clinically significant" if language == "en" else "有临床意义"
    )
    picture(page, f"panel-typed-{language}")
    assert not findings(page)
    page.keyboard.press("Control+Enter")
    page.keyboard.type("source corrected")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_be_visible()
    record = stored(li, Chemistry, subject=treated, visit="D1")
    assert (str(record.alt_value), record.alt_cs, str(record.alt_uln)) == ("250", "CS", "40")
    way = page.locator('td:has(input[name="0.alt"]) a.ae')
    picture(page, f"panel-significant-{language}")
    assert not findings(page)
    page.locator('input[name="0.alt"]').focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(way).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#f-max_grade")).to_have_value("3")
    picture(page, f"event-begun-{language}")
    assert not findings(page)


@pytest.mark.req("R-97")
@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh-hans", 390)])
def test_grids_are_accessible(open_as: Any, treated: Any, language: str, width: int) -> None:
    page = open_as(language=language, width=width)
    wrong = []
    for name in ("grid/vital_signs", "panel/chemistry", "grid/adverse_event"):
        page.goto(f"/subjects/{treated.subjid}/{name}")
        picture(page, f"{name.replace('/', '-')}-{width}")
        wrong += [f"{name}: {line}" for line in findings(page)]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wrong.append(f"{name}: scrolls sideways")
    page.goto(f"/subjects/{treated.subjid}/grid/vital_signs")
    page.locator('input[name="0.temp_c"]').fill("385")
    page.locator("#f-reason").fill("x")
    page.locator("[data-save]").click()
    expect(page.locator("#errors")).to_be_focused()
    picture(page, f"grid-refused-{width}")
    wrong += [f"refused: {line}" for line in findings(page)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 400)])
def test_after_a_refusal_the_list_is_in_sight_and_each_of_its_lines_leads_to_its_box(
    open_as: Any, treated: Any, li: Any, language: str, width: int
) -> None:
    one = {"vs_dt": "2026-01-05 08:00", "timepoint": "VISIT", "temp_c": "36.8", "temp_route": "AXILLARY"}
    save_rows([Row(fill(VitalSigns(subject=treated, visit="D1"), **one), None) for _ in range(40)], by=li)
    page = open_as(language=language, width=width)
    page.goto(f"/subjects/{treated.subjid}/grid/vital_signs")
    boxes = page.locator("tr.new input[name$='.temp_c']")
    for number in range(3):
        boxes.nth(number).fill("385")
    page.keyboard.press("Control+Enter")
    errors = page.locator("#errors")
    expect(errors).to_be_focused()
    expect(errors).to_be_in_viewport(ratio=1)
    expect(errors.locator("li")).to_have_count(3)
    first = page.locator("tr.wrong").first
    window, line = (one.bounding_box() for one in (page.locator(".scroll:has(> .grid)"), first))
    assert window is not None and line is not None
    assert window["y"] <= line["y"] <= window["y"] + window["height"] - line["height"]
    states = page.locator("table.grid tbody tr").evaluate_all("(rows) => rows.map((row) => row.className)")
    assert max(n for n, one in enumerate(states) if one == "wrong") < states.index("new")
    assert not findings(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(first.locator("input[name$='.temp_c']")).to_be_focused()
    picture(page, f"grid-kept-in-place-{width}")
