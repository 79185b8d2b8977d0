"""The pages in a real browser: reachable by keyboard, readable to all, and telling without being asked."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect, sync_playwright

from dosing.models import Infusion
from entry.door import save_record
from review.queries import raise_query
from safety.engine import evaluate
from safety.models import AdverseEvent
from subjects.models import Demographics, PriorTransplant
from tests.entering import enter
from trial import audit
from trial.people import system_actor
from visits.models import Ecog, Haematology, VitalSigns

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("EDC_PICTURES", "")
RULES_OF_AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, started once."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        found = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def open_as(chromium: Browser, live_server: Any, person_client: Any) -> Iterator[Any]:
    """Opens a browser window of a person; what the browser complains about fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def heard(dialog: Dialog) -> None:
        complaints.append(dialog.message)
        dialog.dismiss()

    def make(person: str = "coordinator_li", language: str = "en", width: int = 1440, **how: Any) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, base_url=live_server.url, **how
        )
        session = person_client(person).cookies["edc_session"].value
        for name, value in (("edc_session", session), ("edc_language", language)):
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if "Content Security" in m.text else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", heard)
        return page

    yield make
    for context in opened:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def treated(subject: Any, li: Any, wu: Any) -> Any:
    """A subject infused ten days ago, with a doubted value, a monitor's query and a deviation."""
    start = datetime.now(UTC) - timedelta(days=10)
    save_record(Infusion(subject=subject, inf_start_dt=start, bag_ids="<img src=x onerror=alert(1)>"), by=li)
    enter(subject, VitalSigns, li, visit="D1", vs_dt=start.isoformat(), temp_c="41.6", status="COMPLETE")
    row = enter(subject, Haematology, li, visit="D2", wbc="<0.1", plt="18", status="COMPLETE").record
    enter(subject, PriorTransplant, li, sct_type="ALLO", sct_date=str((start - timedelta(days=30)).date()))
    raise_query(row, "plt_value", "Is <b>18</b> right?", by=wu)
    told = {"term": "Fever", "serious": "YES", "sae_aware_dt": start.isoformat()}
    enter(subject, AdverseEvent, li, **told)
    evaluate(subject.pk, by=system_actor())
    return subject


def findings(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """What axe finds on the page; `rules` names the ones to ask, else all of RULES_OF_AXE."""
    wanted: dict[str, Any] = {"runOnly": RULES_OF_AXE, "rules": {"target-size": {"enabled": True}}}
    if rules:
        wanted = {"runOnly": {"type": "rule", "values": list(rules)}}
    wanted |= {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=wanted).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.mark.req("R-97")
def test_a_rejected_form_is_accessible_and_leads_to_the_error(open_as: Any, subject: Any) -> None:
    page = open_as()
    page.goto(f"/subjects/{subject.subjid}/D1/vital_signs/new")
    page.get_by_label("Temperature *", exact=False).first.fill("385")
    page.get_by_role("button", name="Save and complete").click()
    expect(page.locator("#errors")).to_be_focused()
    expect(page).to_have_title("Error: " + page.title().removeprefix("Error: "))
    assert not findings(page)
    page.locator("#errors a").first.click()
    expect(page.locator("#f-temp_c")).to_be_focused()
    assert page.input_value("#f-temp_c") == "385"


def test_eighteen_subjects_and_all_visits_stand_on_one_screen(open_as: Any, new_subject: Any) -> None:
    for _ in range(18):
        new_subject()
    page = open_as()
    page.goto("/subjects")
    assert page.locator(".matrix tbody tr").count() == 18
    assert page.locator(".matrix thead .v").count() >= 30
    assert page.evaluate("document.documentElement.scrollHeight") <= 900
    assert (
        page.evaluate(
            "(() => { const b = document.querySelector('.scroll'); return b.scrollWidth - b.clientWidth })()"
        )
        <= 0
    )


def test_the_matrix_is_walked_with_arrow_keys(open_as: Any, new_subject: Any) -> None:
    one, two = sorted([new_subject().subjid, new_subject().subjid])
    page = open_as()
    page.goto("/subjects")
    page.locator(f".matrix a[aria-label^='{one} SCR']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(f".matrix a[aria-label^='{two} LD-5']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{page.url.split('/subjects')[0]}/subjects/{two}#visit-LD-5")


def test_a_panel_is_entered_without_leaving_the_keyboard(open_as: Any, subject: Any, li: Any) -> None:
    page = open_as()
    page.goto(f"/subjects/{subject.subjid}/D2/haematology")
    page.locator("#f-lb_dt").focus()
    # Nothing is typed for the laboratory: the site has one.
    for value in ("2026-03-05 08:10", "", "0.3", "0.1", "0.1", "82", "18", "0"):
        page.keyboard.type(value)
        page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".told")).to_contain_text("Saved, version 1")
    with audit.reading(li):
        record = Haematology.objects.get(subject=subject)
    assert [str(getattr(record, f"{n}_value")) for n in ("wbc", "anc", "alc", "hgb", "plt")] == [
        "0.3",
        "0.1",
        "0.1",
        "82",
        "18",
    ]
    assert record.status == "COMPLETE"


def test_enter_that_ends_a_composition_moves_nothing(open_as: Any, subject: Any) -> None:
    page = open_as(language="zh-hans")
    page.goto(f"/subjects/{subject.subjid}/log/adverse_event/new")
    page.locator("#f-term").focus()
    page.locator("#f-term").dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    expect(page.locator("#f-term")).to_be_focused()


def test_a_value_is_judged_as_soon_as_it_is_left(open_as: Any, subject: Any) -> None:
    page = open_as()
    page.goto(f"/subjects/{subject.subjid}/D1/vital_signs/new")
    page.fill("#f-temp_c", "385")
    page.keyboard.press("Tab")
    expect(page.locator("#m-temp_c")).to_contain_text("Was 38.5 meant?")
    page.fill("#f-temp_c", "38.5")
    page.keyboard.press("Tab")
    expect(page.locator("#m-temp_c")).to_be_empty()
    page.fill("#f-vs_dt", "20260305 8:00")
    page.keyboard.press("Tab")
    expect(page.locator("#m-vs_dt")).to_contain_text("2026-03-05 Thu 08:00")


def test_what_is_not_asked_is_folded_away_but_never_an_answer(open_as: Any, subject: Any) -> None:
    page = open_as()
    page.goto(f"/subjects/{subject.subjid}/log/demographics")
    expect(page.locator("#row-male_fertile")).to_be_hidden()
    page.locator("#row-sex input[value=M]").check()
    expect(page.locator("#row-male_fertile")).to_be_visible()
    page.locator("#row-male_fertile input[value=YES]").check()
    page.locator("#row-sex input[value=F]").check()
    expect(page.locator("#row-male_fertile")).to_be_visible()


@pytest.mark.req("R-27")
def test_a_deviation_appears_without_reloading(open_as: Any, subject: Any, li: Any) -> None:
    start = datetime.now(UTC) - timedelta(days=10)
    save_record(Infusion(subject=subject, inf_start_dt=start), by=li)
    page = open_as()
    page.goto(f"/subjects/{subject.subjid}")
    expect(page.locator("#flags")).not_to_contain_text("DV-01")
    enter(subject, PriorTransplant, li, sct_type="ALLO", sct_date=str((start - timedelta(days=30)).date()))
    evaluate(subject.pk, by=system_actor())
    expect(page.locator("#flags")).to_contain_text("DV-01", timeout=5000)
    assert page.locator("#flags").get_attribute("role") == "status"


def test_a_correction_answers_the_query_beside_it(open_as: Any, treated: Any) -> None:
    page = open_as()
    page.goto(f"/subjects/{treated.subjid}/D2/haematology")
    row = page.locator("#row-plt")
    expect(row.locator(".ask").filter(has_text="Is <b>18</b> right?")).to_be_visible()
    page.fill("#f-plt_value", "21")
    row.locator(".ask", has_text="right?").locator("textarea").fill("It is 21")
    page.fill("#f-reason", "transcription error")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".told")).to_contain_text("1 query answered")


def test_the_session_ends_and_the_entry_goes_on(open_as: Any, subject: Any, li: Any, password: str) -> None:
    page = open_as()
    page.goto(f"/subjects/{subject.subjid}/SCR/ecog")
    page.fill("#f-ecog_date", "2026-03-05")
    page.fill("#f-ecog", "1")
    page.context.clear_cookies(name="edc_session")
    page.get_by_role("button", name="Save and complete").click()
    page.get_by_label("User name").fill("coordinator_li")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Save them now").click()
    expect(page.locator(".told")).to_contain_text("Saved, version 1")
    with audit.reading(li):
        assert Ecog.objects.get(subject=subject).ecog == 1


def test_without_scripts_every_field_is_shown_and_the_form_posts(open_as: Any, subject: Any, li: Any) -> None:
    page = open_as(java_script_enabled=False)
    page.goto(f"/subjects/{subject.subjid}/log/demographics")
    expect(page.locator("#row-male_fertile")).to_be_visible()
    page.fill("#f-birth_date", "1985-05")
    page.locator("#row-sex input[value=M]").check()
    page.get_by_role("button", name="Save and complete").click()
    expect(page.locator(".told")).to_contain_text("Saved, version 1")
    with audit.reading(li):
        assert Demographics.objects.get(subject=subject).sex == "M"


@pytest.mark.req("R-97")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_sign_in_page_is_accessible_and_takes_a_password_manager(
    chromium: Browser, live_server: Any, language: str
) -> None:
    context = chromium.new_context(base_url=live_server.url)
    context.add_cookies([{"name": "edc_language", "value": language, "url": live_server.url}])
    page = context.new_page()
    page.goto("/login")
    assert not findings(page)
    assert page.locator("#username").get_attribute("autocomplete") == "username"
    assert page.locator("#password").get_attribute("autocomplete") == "current-password"
    context.close()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_file_is_sent_checked_and_entered(
    open_as: Any, subject: Any, tmp_path: Path, language: str
) -> None:
    path = tmp_path / "vitals.csv"
    rows = (
        f"{subject.subjid},D1,2026-01-05 0{n}:00,VISIT,{temp}"
        for n, temp in enumerate(("36.8", "99", "41.6"), 6)
    )
    path.write_text("subject,visit,vs_dt,timepoint,temp_c\n" + "\n".join(rows))
    page = open_as(language=language)
    page.goto("/imports")
    page.set_input_files("#file", path)
    page.select_option("#profile", "form:vital_signs")
    assert findings(page) == []
    page.click("form.card .primary")
    expect(page.locator("h1")).to_have_text("vitals.csv")
    expect(page.locator("table.list tbody tr")).to_have_count(1)
    assert findings(page) == []
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/import-{language}.png", full_page=True)
    page.focus("input[value=ALL]")
    page.keyboard.press("ArrowRight")
    page.click("form.card .primary")
    expect(page.locator(".told")).to_be_visible()
    for address in ("/imports", "/samples", "/laboratories", "/laboratories/attach"):
        page.goto(address)
        assert findings(page) == [], address
        if PICTURES:
            page.screenshot(path=f"{PICTURES}{address.replace('/', '-')}-{language}.png", full_page=True)


@pytest.mark.req("R-97")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_scan_is_kept_with_a_consent_by_keyboard(
    open_as: Any, subject: Any, li: Any, tmp_path: Path, language: str
) -> None:
    from subjects.models import InformedConsent
    from tests.pages import stored

    scan = tmp_path / "icf.pdf"
    scan.write_bytes(b"%PDF-1.7 signed")
    page = open_as(language=language)
    page.goto(f"/subjects/{subject.subjid}/log/informed_consent/new")
    page.locator("#f-consent_dt").focus()
    page.keyboard.type("2026-01-05 09:00")
    page.locator("[id='f-scan.file']").set_input_files(scan)
    assert findings(page) == []
    page.keyboard.press("Control+s")
    expect(page.locator(".told")).to_be_visible()
    record = stored(li, InformedConsent, subject=subject)
    page.goto(f"/subjects/{subject.subjid}/log/informed_consent/{record.pk}")
    assert findings(page) == []
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/scan-{language}.png", full_page=True)
    way = page.locator(f"a[href='/attachments/{record.scan_id}']").first
    with page.expect_download() as taken:
        way.press("Enter")
    assert taken.value.path().read_bytes() == scan.read_bytes()
