"""Eligibility, readings and signing in a real browser: readable to all, and done with the keyboard alone."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from safety.engine import evaluate
from subjects import models as s
from tests.cast import PASSWORD
from tests.entering import enter
from tests.test_browser import chromium, findings, open_as  # noqa: F401
from tests.test_eligibility_criteria import SCREENED, forms
from tests.test_eligibility_stored import ADMITTED
from trial import audit
from trial.people import system_actor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("EDC_PICTURES", "")


@pytest.fixture
def listed(subject: Any, li: Any, actor: Any) -> Any:
    """A subject with a transplant known by its month, a marrow that fails, no echocardiogram, and a checklist."""
    made = forms()
    made["marrow"].blast_pct_morph = 4
    made["disease"].prior_allo_sct = "YES"
    made["sct"] = s.PriorTransplant(
        sct_date="2026-03", sct_type="ALLO", bm_relapse_after_sct="YES", status="COMPLETE"
    )
    del made["echo"]
    with audit.transaction(li, "a subject is screened"):
        for form in made.values():
            form.subject, form.site_id = subject, subject.site_id
            form.visit = form.visit if form.repeats in ("visit", "rows") else ""
            form.save(force_insert=True)
    answers = {**ADMITTED, "milestone": "SCREENING", "assessed_date": str(SCREENED)}
    record = enter(subject, s.Eligibility, actor("investigator_kang"), status="COMPLETE", **answers).record
    evaluate(subject.pk, by=system_actor())
    return record


def picture(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def test_the_new_pages_are_accessible_and_a_checklist_is_signed_from_the_keyboard(
    open_as: Any,  # noqa: F811
    subject: Any,
    listed: Any,
) -> None:
    page = open_as("investigator_kang")
    for path, name in (
        (f"/subjects/{subject.subjid}/eligibility", "eligibility"),
        (f"/subjects/{subject.subjid}/endorsement", "endorsement"),
        ("/ambiguities", "ambiguities"),
        ("/accountability", "accountability"),
    ):
        page.goto(path)
        for summary in page.locator("tr#I-01 summary, tr#I-03 summary, tr#I-04 summary").all():
            summary.click()
        picture(page, name)
        assert findings(page) == [], path
    page.goto(f"/subjects/{subject.subjid}/eligibility")
    expect(page.locator("tr.criterion")).to_have_count(29)
    expect(page.locator(".earliest")).to_contain_text("2026-06-30")
    expect(page.locator("tr#I-03 td").first).to_contain_text("discordant")
    page.get_by_role("link", name="Sign this milestone").press("Enter")
    page.get_by_label("What your signature says").press("e")
    page.get_by_label("What your signature says").select_option("ELIGIBILITY")
    page.get_by_label("User name").fill("investigator_kang")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.locator("#errors")).to_contain_text("There are no waivers")
    picture(page, "refused")
    page.get_by_label("What your signature says").select_option("REVIEW")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.locator("#signatures .stands")).to_contain_text("康医生 Dr Kang")
