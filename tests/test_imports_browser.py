"""Files in, and the samples, in a real browser: sent, checked, entered, followed while the worker is at it."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from exchange import jobs
from exchange.incoming_files import limits
from exchange.job_kinds import KINDS
from tests.entering import enter
from tests.pages import stored
from tests.test_browser import chromium, findings, open_as
from trial import audit
from visits.models import Chemistry, Ecog, PkSample, VitalSigns

__all__ = ["chromium", "open_as"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("EDC_PICTURES", "")
MANY = 450


def _send(page: Page, path: Path, profile: str) -> None:
    page.goto("/imports")
    page.get_by_label("File (CSV or XLSX)").set_input_files(path)
    page.get_by_label("How it is read").select_option(profile)
    page.get_by_role("button", name="Check the file").press("Enter")


def _look(page: Page, name: str) -> list[str]:
    """What is wrong with the page, wide and narrow, in both languages; its pictures where they are wanted."""
    wrong = []
    for language in ("en", "zh-hans"):
        page.context.add_cookies(
            [{"name": "edc_language", "value": language, "url": page.evaluate("location.origin")}]
        )
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.reload()
            assert page.locator("html").get_attribute("lang") == {"en": "en", "zh-hans": "zh-Hans"}[language]
            if PICTURES:
                page.screenshot(path=str(Path(PICTURES) / f"{name}-{language}-{width}.png"), full_page=True)
            wrong += [f"{name} {language} {width}: {line}" for line in findings(page)]
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                wrong.append(f"{name} {language} {width}: scrolls sideways")
    page.context.add_cookies(
        [{"name": "edc_language", "value": "en", "url": page.evaluate("location.origin")}]
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    page.reload()
    return wrong


@pytest.mark.req("R-35")
@pytest.mark.req("R-97")
def test_a_file_is_sent_checked_entered_and_followed(
    open_as: Any, subject: Any, li: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    page: Page = open_as()
    small, large = tmp_path / "ecog.csv", tmp_path / "vitals.csv"
    small.write_text(
        f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,1\n{subject.subjid},D28,2026-02-02,9\n"
    )
    _send(page, small, "form:ecog")
    expect(page.get_by_role("heading", name="2 rows")).to_be_visible()
    row = page.get_by_role("row", name="impossible")
    expect(row).to_contain_text(subject.subjid)
    expect(row).not_to_contain_text("meant")  # no half performance status is suggested
    wrong = _look(page, "file checked")
    page.get_by_label("take the good rows").check()
    page.get_by_role("button", name="Enter", exact=True).press("Enter")
    expect(page.get_by_text("The file is entered.")).to_be_visible()
    assert stored(li, Ecog, subject=subject).ecog == 1

    monkeypatch.setattr(limits, "AT_ONCE_BYTES", 0)
    times = [f"2026-01-{5 + n // 24:02d} {n % 24:02d}:00" for n in range(MANY)]
    lines = [f"{subject.subjid},D1,{when},VISIT,36.8" for when in times]
    large.write_text("\n".join(["subject,visit,vs_dt,timepoint,temp_c", *lines]))
    _send(page, large, "form:vital_signs")
    expect(page.get_by_role("status").filter(has_text="Waiting")).to_be_visible()
    real, seen = jobs.Work.progress, []

    def progress(work: Any, done: int, total: int) -> None:
        real(work, done, total)
        if 0 < done < total:
            bar = page.get_by_role("progressbar", name="Progress")
            expect(bar).to_have_attribute("value", str(done), timeout=20_000)
            seen.append((done, total))
            wrong.extend(_look(page, "file at work"))

    monkeypatch.setattr(jobs.Work, "progress", progress)
    assert jobs.drain(KINDS) == 1 and seen == [(400, MANY)]
    expect(page.get_by_role("heading", name=f"{MANY} rows")).to_be_visible(timeout=15_000)
    with audit.reading(li):
        assert not VitalSigns.objects.filter(subject=subject).exists()

    page.goto("/imports")
    wrong += _look(page, "files")
    enter(
        subject,
        PkSample,
        li,
        "D7",
        collect_dt="2026-01-12 08:00",
        nominal_day="7",
        specimen="PB",
        assay="QPCR",
    )
    page.goto("/samples")
    wrong += _look(page, "samples")
    assert not wrong, "\n".join(wrong)


def _tab_to(page: Page, selector: str, most: int = 90) -> None:
    """Press Tab until the box has the focus, which must then be seen."""
    box = page.locator(selector).first
    for _ in range(most):
        page.keyboard.press("Tab")
        if box.evaluate("one => one === document.activeElement"):
            assert box.evaluate("one => getComputedStyle(one).outlineStyle !== 'none' || one.type === 'file'")
            return
    raise AssertionError(f"{selector} is not reached in {most} Tabs")


def _choose(page: Page, path: Path) -> None:
    """The window in which a file is chosen is the system's own; what is ours is the box that opens it."""
    _tab_to(page, "#file")
    page.locator("#file").set_input_files(path)


@pytest.mark.req("R-97")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_of_files_is_walked_by_keyboard(
    open_as: Any, subject: Any, li: Any, qian: Any, site: Any, tmp_path: Path, language: str
) -> None:
    """Refused, taken in part, corrected, unreadable; the samples; laboratories, a range, results without one."""
    page: Page = open_as(language=language)
    page.add_init_script("addEventListener('pointerdown', () => { throw new Error('a pointer'); }, true)")
    wrong: list[str] = []

    def look(name: str) -> None:
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"keys-{name}-{language}.png"), full_page=True)
        wrong.extend(f"{name}: {line}" for line in findings(page))

    file = tmp_path / "ecog.csv"
    file.write_text(
        f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,1\n{subject.subjid},D28,2026-02-02,9\n"
    )
    page.goto("/imports")
    _choose(page, file)
    page.keyboard.press("Tab")
    page.keyboard.type("ecog")
    assert page.locator("#profile").input_value() == "form:ecog"
    _tab_to(page, "main details summary")
    page.keyboard.press("Enter")
    _tab_to(page, "#ignore")
    look("more")
    _tab_to(page, "form.card button.primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/imports/*")
    look("checked")
    _tab_to(page, "input[name=policy]")
    _tab_to(page, "form.card button.primary")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_be_visible()
    look("refused")
    _tab_to(page, "input[name=policy]")
    page.keyboard.press("ArrowRight")
    _tab_to(page, "form.card button.primary")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_be_visible()
    _tab_to(page, ".chips a[href='?show=all']")
    page.keyboard.press("Enter")
    expect(page.locator("table.list tbody tr")).to_have_count(2)
    look("entered")
    _tab_to(page, "table.list a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ecog")

    file.write_text(f"subject,visit,ecog_date,ecog\n{subject.subjid},D0,2026-01-05,2\n")
    page.goto("/imports")
    _choose(page, file)
    page.keyboard.press("Tab")
    page.keyboard.type("ecog")
    page.keyboard.press("Enter")
    _tab_to(page, "form.card button.primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/imports/*")
    look("differs")
    _tab_to(page, "input[name=correct]")
    page.keyboard.press("Space")
    _tab_to(page, "form.card button.primary")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_be_visible()
    record = stored(li, Ecog, subject=subject)
    assert (record.ecog, record.version) == (2, 2)

    file.write_text("patient,score\n1,2\n")
    page.goto("/imports")
    _choose(page, file)
    _tab_to(page, "form.card button.primary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    look("unreadable")
    page.goto("/samples?show=all")
    _tab_to(page, "#form")
    page.keyboard.press("ArrowDown")
    _tab_to(page, "form.filter button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/samples?form=*")
    look("samples")

    enter(subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", alt="30")
    manager = open_as("data_manager_qian", language=language)
    manager.goto("/laboratories")
    page, seen = manager, page
    _tab_to(page, "details:has(#lab-name) summary")
    page.keyboard.press("Enter")
    _tab_to(page, "#lab-name")
    page.keyboard.type("Central")
    _tab_to(page, "details:has(#lab-name) input[type=checkbox]")
    page.keyboard.press("Space")
    look("add-laboratory")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_be_visible()
    _tab_to(page, "details:has(#r-lab) summary")
    page.keyboard.press("Enter")
    _tab_to(page, "#r-analyte")
    page.keyboard.type("alt")
    assert page.locator("#r-analyte").input_value() == "alt"
    for box, text in (("low", "9"), ("high", "50"), ("unit", "U/L"), ("from", "2026-01-01")):
        _tab_to(page, f"#r-{box}")
        page.keyboard.type(text)
    look("add-range")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_be_visible()
    look("laboratories")
    page = seen
    page.goto("/laboratories/attach")
    look("attach")
    _tab_to(page, "#f-reason")
    page.keyboard.type("range known late")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_be_visible()
    assert stored(li, Chemistry, subject=subject).alt_uln == 50
    assert not wrong, "\n".join(wrong)
