"""The same answers through the page and through the API are saved alike or refused in the same words."""

import json
from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.conftest import new_subject_number

pytestmark = [pytest.mark.django_db, pytest.mark.req("R-26")]

ANSWERS = [
    {"ecog_date": "2026-01-05", "ecog": "1"},
    {"ecog_date": "２０２６－０１－０５", "ecog": "１"},
    {"ecog_date": "03/05/2026", "ecog": "1"},
    {"ecog_date": "2026-02-30", "ecog": "1"},
    {"ecog_date": "2026-01", "ecog": "1"},
    {"ecog_date": "2026-01-05", "ecog": "9"},
    {"ecog_date": "2026-01-05", "ecog": "1.5"},
    {"ecog_date": "2026-01-05", "ecog": "one"},
]


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: " ".join(answers.values()))
def test_both_channels_say_the_same(
    answers: dict[str, str], site: Any, li: Any, person_client: Any, make_token: Any
) -> None:
    from entry.door import create_subject

    by_api, by_page = (create_subject(new_subject_number(), site, by=li).subjid for _ in range(2))
    api = Client().post(
        "/api/v1/forms/ecog/",
        json.dumps({"subject": by_api, "visit": "SCR", **answers}),
        content_type="application/json",
        headers={"authorization": f"Bearer {make_token('coordinator_li')}", "accept-language": "en"},
    )
    browser = person_client("coordinator_li")
    browser.cookies["edc_language"] = "en"
    page = browser.post(f"/subjects/{by_page}/SCR/ecog", {**answers, "act": "save"})
    assert (api.status_code == 201) == (page.status_code == 302), (api.status_code, page.status_code)
    for error in api.json().get("errors", []):
        assert error["detail"] in unescape(page.content.decode())
