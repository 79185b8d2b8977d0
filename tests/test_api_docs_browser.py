"""The API's page in a browser, under the strict content security policy."""

import os
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_page_lists_the_addresses_and_breaks_no_policy(live_server: Any) -> None:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        found = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(f"{live_server.url}/api/v1/docs/")
        expect(page.locator("#operations-tag-subjects")).to_be_visible(timeout=60_000)
        browser.close()
    assert said == []
