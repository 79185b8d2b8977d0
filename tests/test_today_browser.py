"""The work list and a form of the study in a real browser: by keyboard, in both languages, with nothing axe finds."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from entry.study_door import save_study_form
from tests.entering import enter
from tests.test_browser import chromium, findings, open_as, treated
from trial.answers import read
from visits.models import Visit

__all__ = ["chromium", "open_as", "treated"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("EDC_PICTURES", "")


def _picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


@pytest.fixture
def review(site: Any, actor: Any) -> Any:
    """A committee's review on record, with a doubt: it stays at a level that the design would leave."""
    from dosing.committee import SrcReview

    answers = {"data_cutoff": "2026-02-01", "meeting_date": "2026-02-03", "level": "DL1", "n_evaluable": "3",
               "n_dlt": "0", "subjects_reviewed": "01-001", "algorithm_recommendation": "ESCALATE",
               "decision": "STAY"}  # fmt: skip
    record = SrcReview(site=site, status="COMPLETE", **read(SrcReview, answers, site.time_zone).values)
    return save_study_form(record, by=actor("data_manager_qian")).record


@pytest.mark.req("R-97")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_nothing_for_axe_to_find(open_as: Any, treated: Any, review: Any, li: Any, language: str) -> None:
    enter(treated, Visit, li, visit="D1", actual_date=str(next_day(treated)), status="COMPLETE")
    page: Page = open_as("data_manager_qian", language)
    wrong: dict[str, list[str]] = {}
    for name, path in {
        "today": "/today",
        "study rows": "/study/src_review",
        "study form": f"/study/src_review/{review.pk}",
        "study new": f"/study/src_review/new?site={review.site_id}",
    }.items():
        answer = page.goto(path)
        assert answer is not None and answer.status == 200, path
        _picture(page, f"{name} {language}")
        if found := findings(page):
            wrong[name] = found
    assert not wrong, wrong


def next_day(subject: Any) -> Any:
    """The day after the subject's infusion, on the site's calendar."""
    from datetime import timedelta

    from dosing.models import Infusion
    from trial import audit
    from trial.dates import local_day
    from trial.people import system_actor

    with audit.reading(system_actor()):
        start = Infusion.objects.get(subject_id=subject.pk).inf_start_dt
    return local_day(start, "Asia/Shanghai") + timedelta(days=1)
