"""Every kind of page, in both languages, light and dark, wide and narrow: nothing for axe to find, nothing sideways.

A page is asked in full twice: in English on a wide light screen, and in Chinese on a narrow one. What only colours and
widths can change is asked in between, without loading the page again.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from safety.models import Deviation
from subjects.crf import Subject
from tests.entering import enter
from tests.test_browser import chromium, findings, open_as, treated
from tests.test_today_browser import next_day, review
from trial import audit
from trial.people import system_actor
from visits.models import Visit

__all__ = ["chromium", "open_as", "review", "treated"]
pytestmark = [pytest.mark.browser, pytest.mark.drill, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("EDC_PICTURES", "")


def _of_the_subject(subject: Subject, review: Any) -> tuple[str, ...]:
    base = f"/subjects/{subject.subjid}"
    return (
        base,
        f"{base}/eligibility",
        f"{base}/derived",
        f"{base}/grid/vital_signs?visit=D1",
        f"{base}/grid/adverse_event",
        f"{base}/grid/crs_assessment",
        f"{base}/panel/haematology",
    )


def _forms(subject: Subject, review: Any) -> tuple[str, ...]:
    base = f"/subjects/{subject.subjid}"
    with audit.reading(system_actor()):
        visit = Visit.objects.filter(subject_id=subject.pk).values_list("pk", flat=True)[0]
    return (
        f"/records/visit/{visit}/history",
        f"{base}/D1/vital_signs/new",
        f"{base}/D1/vital_signs",
        f"{base}/D2/haematology",
        f"{base}/D2/icans_assessment/new",
        f"{base}/log/demographics",
        f"{base}/log/eligibility/new",
        "/subjects/new",
        "/subjects/99-999",
    )


def _lists(subject: Subject, review: Any) -> tuple[str, ...]:
    with audit.reading(system_actor()):
        flag = Deviation.objects.filter(subject_id=subject.pk, status="OPEN").values_list("pk", flat=True)[0]
    desk = (f"/deviations/{flag}", "/safety?show=ALL", "/holds")
    return ("/subjects", "/today", "/queries", "/deviations", *desk, "/jobs", "/imports", "/samples")


def _of_the_study(subject: Subject, review: Any) -> tuple[str, ...]:
    return (
        "/study/src_review",
        f"/study/src_review/{review.pk}",
        f"/study/src_review/new?site={review.site_id}",
        "/study/site",
        "/study/site/01",
        "/study/site/new",
        "/laboratories",
        "/amendments",
        "/amendments/2.0",
        "/rules/changes",
    )


def _read(subject: Subject, review: Any) -> tuple[str, ...]:
    return ("/rules", "/ambiguities", "/help", "/laboratories/attach", "/accountability")


def _casebook(subject: Subject, review: Any) -> tuple[str, ...]:
    return (f"/subjects/{subject.subjid}/casebook?audit=1",)


def _crf(subject: Subject, review: Any) -> tuple[str, ...]:
    return ("/crf",)


Pages = Callable[[Subject, Any], tuple[str, ...]]


@pytest.mark.req("R-97")
@pytest.mark.parametrize(
    ("pages", "person"),
    [
        pytest.param(_of_the_subject, "coordinator_li", id="subject"),
        pytest.param(_forms, "coordinator_li", id="forms"),
        pytest.param(_lists, "coordinator_li", id="lists"),
        pytest.param(_of_the_study, "data_manager_qian", id="study"),
        pytest.param(_read, "coordinator_li", id="reading"),
        pytest.param(_casebook, "coordinator_li", id="casebook"),
        pytest.param(_crf, "coordinator_li", id="crf"),
    ],
)
def test_pages_are_accessible_and_fit_their_window(
    open_as: Any, treated: Any, review: Any, li: Any, pages: Pages, person: str
) -> None:
    enter(treated, Visit, li, visit="D1", actual_date=str(next_day(treated)), status="COMPLETE")
    english, chinese = open_as(person, "en"), open_as(person, "zh-hans", width=320)
    wrong: list[str] = []
    for address in pages(treated, review):
        for page, path in ((english, address), (chinese, address)):
            answer = page.goto(path)
            assert answer is not None and answer.status in (200, 404), path
        wrong += [f"{address} {line}" for line in (*_wide(english), *_narrow(chinese))]
        _pictured(address, english, chinese)
    assert not wrong, "\n".join(wrong)


def _wide(page: Page) -> list[str]:
    """English, light and dark, on a wide screen."""
    page.emulate_media(color_scheme="light")
    light = findings(page)
    page.emulate_media(color_scheme="dark")
    return [*light, *(f"dark: {one}" for one in findings(page, ("color-contrast",))), *_sideways(page)]


def _narrow(page: Page) -> list[str]:
    """Chinese on a narrow screen."""
    return [f"zh 320: {one}" for one in (*findings(page), *_sideways(page))]


def _sideways(page: Page) -> list[str]:
    wider: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return ["scrolls sideways"] if wider else []


def _pictured(address: str, *pages: Page) -> None:
    for page, name in zip(pages, ("en", "zh-320"), strict=True) if PICTURES else ():
        told = address.strip("/").replace("/", "-").replace("?", "-")
        page.screenshot(path=str(Path(PICTURES) / f"{told}-{name}.png"), full_page=True)
