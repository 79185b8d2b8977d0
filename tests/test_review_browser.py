"""The review site in a real browser: accessible in both languages, and no script or style is refused."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect, sync_playwright

from entry.door import save_record
from review.models import Query
from review.queries import answer, raise_query
from safety.models import Deviation
from safety.rules import RULES
from trial import audit
from trial.access import Actor
from visits.models import Haematology

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("EDC_PICTURES", "")
WIDTHS = {"desk": 1280, "narrow": 360}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        found = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def places(subject: Any, li: Actor, wu: Actor) -> dict[str, str]:
    """One address of every kind of page, with data on it."""
    record = Haematology(
        subject=subject,
        visit="D14",
        status="COMPLETE",
        lb_dt=datetime(2026, 3, 5, tzinfo=UTC),
        wbc_value=3,
        plt_value=18,
        plt_qual="<",
        hgb_value=Decimal("8.5"),
        hgb_unit="g/dL",
        missing={"anc": "SAMPLE_LOST"},
        typed={"plt_value": "＜１８"},
    )
    record = save_record(record, by=li).record
    record.plt_value = 21
    record = save_record(record, by=li, reason="transcription error", seen=1).record
    query = raise_query(record, "plt_value", "Please check the platelets against the report", by=wu)
    answer(query.pk, "The report says 21", by=li)
    deviation = _deviation(record)
    return {
        "index": "/admin/",
        "app": "/admin/visits/",
        "forms": _at("visits_haematology_changelist"),
        "record": _at("visits_haematology_change", record.pk),
        "history": _at("visits_haematology_history", record.pk),
        "item-history": _at("visits_haematology_history", record.pk) + "?field=plt",
        "raise": _at("query_raise", "haematology", record.pk) + "?field=plt_value",
        "queries": _at("review_query_changelist"),
        "query": _at("review_query_change", query.pk),
        "deviations": _at("safety_deviation_changelist"),
        "deviation": _at("safety_deviation_change", deviation.pk),
        "subjects": _at("subjects_subject_changelist"),
        "subject": _at("subjects_subject_change", subject.pk),
        "people": _at("trial_person_changelist"),
        "person": _at("trial_person_change", li.person_id),
        "audit": "/admin/audit/",
    }


def _at(name: str, *args: Any) -> str:
    return reverse(f"admin:{name}", args=args)


def _deviation(
    record: Haematology, rule: str = "DV-01", form: str = "haematology", field: str = "plt_value"
) -> Deviation:
    fact = {"form": "haematology", "record": str(record.pk), "field": "plt_value", "value": "21"}
    row = Deviation(
        subject_id=record.subject_id,
        site_id=record.site_id,
        rule_id=rule,
        key=f"test {form}",
        status="OPEN",
        severity="IMPORTANT",
        form=form,
        record_id=record.pk,
        field=field,
        message_en="Infused 61 days after the transplant; at least 3 months are required.",
        message_zh="移植后 61 天即回输;要求至少 3 个月。",
        citation="registry I-01(2)",
        basis="registry",
        evidence={"facts": [fact], "limit": "≥ 3 months"},
        protocol_version="1.0",
        detected_at=datetime(2026, 3, 6, 1, 0, tzinfo=UTC),
    )
    with audit.transaction(Actor(0, "system", (record.site_id,), "rules")):
        row.save(force_insert=True)
    return row


@pytest.fixture
def signed_in(browser: Browser, live_server: Any, person_client: Any) -> Any:
    """Opens a page as the monitor; collects what the browser complains about."""

    def open_page(language: str, width: int) -> tuple[Page, list[str]]:
        context = browser.new_context(viewport={"width": width, "height": 900})
        session = person_client("monitor_wu").cookies["edc_session"].value
        for name, value in (("edc_session", session), ("edc_language", language)):
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        page, complaints = context.new_page(), []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page, complaints

    return open_page


@pytest.mark.req("R-97")
@pytest.mark.parametrize(
    ("language", "width"),
    [
        ("en", "desk"),
        ("zh-hans", "narrow"),
        pytest.param("zh-hans", "desk", marks=pytest.mark.drill),
        pytest.param("en", "narrow", marks=pytest.mark.drill),
    ],
)
def test_no_page_has_an_accessibility_finding_or_a_refused_style(
    signed_in: Any, live_server: Any, places: dict[str, str], language: str, width: str
) -> None:
    page, complaints = signed_in(language, WIDTHS[width])
    findings = []
    for name, address in places.items():
        answer_ = page.goto(live_server.url + address)
        assert answer_ is not None and answer_.status == 200, address
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{language}-{width}.png"), full_page=True)
        findings += [f"{name}: {line}" for line in _findings(page)]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
            findings.append(f"{name}: scrolls sideways")
    assert not findings, "\n".join(findings)
    assert not complaints, "\n".join(complaints)


@pytest.mark.drill
@pytest.mark.req("R-97")
def test_the_dark_theme_has_no_accessibility_finding(
    signed_in: Any, live_server: Any, places: dict[str, str]
) -> None:
    page, _ = signed_in("en", 1280)
    page.emulate_media(color_scheme="dark")
    findings = []
    for name, address in places.items():
        page.goto(live_server.url + address)
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-dark.png"), full_page=True)
        findings += [f"{name}: {line}" for line in _findings(page)]
    assert not findings, "\n".join(findings)


def _findings(page: Page) -> list[str]:
    wanted = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "rules": {"target-size": {"enabled": True}},
    }
    found = Axe().run(page, options=wanted).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} | {node['failureSummary'][:200]}"
        for one in found
        for node in one["nodes"]
    ]


@pytest.mark.req("R-12")
def test_a_monitor_goes_from_a_value_to_its_history_and_raises_a_query(
    signed_in: Any, live_server: Any, places: dict[str, str], wu: Actor
) -> None:
    page, _ = signed_in("en", 1280)
    page.goto(live_server.url + places["record"])
    row = page.locator("#item-plt")
    row.get_by_role("link", name="History Platelets").click()
    expect(page.get_by_text("transcription error")).to_be_visible()
    page.goto(live_server.url + places["record"])
    row.get_by_role("link", name="Raise query Platelets").click()
    assert page.get_by_label("Item", exact=True).input_value() == "plt_value"
    page.get_by_label("Question to the site").fill("Which sample?")
    page.get_by_role("button", name="Raise the query").click()
    expect(page.locator("#item-plt").get_by_text("Which sample?")).to_be_visible()


def test_answered_queries_are_closed_from_the_list(
    signed_in: Any, live_server: Any, places: dict[str, str], wu: Actor
) -> None:
    page, _ = signed_in("en", 1280)
    page.goto(live_server.url + places["queries"] + "?status__exact=ANSWERED")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("close_answered")
    page.locator("button[name=index]").click()
    page.get_by_label("What convinced you").fill("Seen in the report")
    page.get_by_role("button", name="Close 1").click()
    expect(page.get_by_text("Closed: 1")).to_be_visible()
    with audit.reading(wu):
        assert Query.objects.get(source="MONITOR").status == "CLOSED"


WIDE = "document.querySelector('.scroll, .results')"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("name", ["deviations", "audit"])
def test_a_wide_table_fits_a_desk_and_elsewhere_says_that_it_goes_on(
    signed_in: Any, live_server: Any, places: dict[str, str], wu: Actor, name: str, language: str
) -> None:
    with audit.reading(wu):
        record = Haematology.objects.get()
    for rule in RULES:
        _deviation(record, rule, "infusion", "inf_start_dt")
    page, complaints = signed_in(language, 1280)
    page.goto(live_server.url + places[name])
    main, hint = page.locator("#main"), page.locator("p.sideways").first
    expect(page.locator("#nav-sidebar")).to_be_hidden()
    assert page.evaluate(f"{WIDE}.scrollWidth <= {WIDE}.clientWidth + 1")
    expect(hint).to_be_hidden()
    page.locator("#toggle-nav-sidebar").press("Enter")
    expect(page.locator("#nav-sidebar")).to_be_visible()
    page.reload()
    expect(main).to_have_class("main shifted")
    page.set_viewport_size({"width": 400, "height": 900})
    expect(hint).to_be_visible()
    expect(hint).to_contain_text("→")
    region = page.locator(".scroll, .results").first
    region.focus()
    page.keyboard.press("ArrowRight")
    expect(region).not_to_have_js_property("scrollLeft", 0)
    assert not _findings(page) and not complaints


def test_in_a_wide_window_the_list_of_forms_is_open(signed_in: Any, live_server: Any) -> None:
    page, _ = signed_in("en", 1600)
    page.goto(live_server.url + "/admin/audit/")
    expect(page.locator("#nav-sidebar")).to_be_visible()
