"""The register of readings: every open sentence, its setting, its approvals, and what stays provisional meanwhile."""

import html
import re
from typing import Any

import pytest
from django.db import Error, connection, transaction

from safety.eligibility.evaluate import CRITERION_IDS
from tests.api_client import Api, exact
from tests.cast import PASSWORD
from trial.ambiguity import READINGS, readings_of
from trial.ambiguity_models import ReadingApproval, approvals
from trial.protocol import V1, numbers
from trial.registry import CRITERIA, REGISTRATION
from trial.text import both


def registered() -> str:
    """Everything the registry record says, on one line."""
    told = [one.text for one in CRITERIA]
    told += [REGISTRATION.about, REGISTRATION.arm_description, *REGISTRATION.response_objectives]
    return re.sub(r"\s+", " ", " ".join(told))


def test_every_sentence_stands_in_the_registry_record_word_for_word() -> None:
    said = registered()
    strange = [
        one.id for one in READINGS if one.where[0] in "IE" and one.id != "AR-22" and one.sentence not in said
    ]
    assert strange == []


def test_every_reading_is_whole() -> None:
    keys = {name for name, _ in numbers(V1)}
    assert [one.id for one in READINGS] == [f"AR-{n:02}" for n in range(1, len(READINGS) + 1)]
    for one in READINGS:
        assert one.key == "" or one.key in keys, one.id
        assert set(one.criteria) <= set(CRITERION_IDS), one.id
        assert all(re.fullmatch(r"DV-\d\d", rule) for rule in one.rules), one.id
        assert one.others, one.id
        for words in (one.asks, one.reading, *one.alternatives):
            assert both(words)["en"] != both(words)["zh"], one.id


@pytest.mark.parametrize(
    "key",
    [
        "sct_gap_all_limbs",
        "ph_restrictive",
        "steroid_exemptions",
        "cns_leukaemia_excludes",
        "nr_is_pfs_event",
    ],
)
def test_every_switch_that_the_specification_names_is_a_reading(key: str) -> None:
    assert [one.key for one in READINGS].count(key) == 1


def test_a_part_of_a_criterion_rests_on_the_readings_of_the_whole() -> None:
    assert [one.id for one in readings_of("I-04b")] == [one.id for one in readings_of("I-04")]
    assert "AR-01" in [one.id for one in readings_of("DV-01")] and readings_of("DV-99") == []


def test_a_changed_reading_needs_a_new_approval() -> None:
    from dataclasses import replace

    one = READINGS[0]
    assert replace(one, version=2).digest != one.digest != replace(one, chosen=("x", "y")).digest


def words(answer: Any) -> str:
    plain = html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", plain)


def approve(browser: Any, *ids: str, **other: str) -> Any:
    sent = {"username": "investigator_kang", "password": PASSWORD, **other, "reading": list(ids)}
    return browser.post("/ambiguities", sent)


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "open_"), [("en", "provisional"), ("zh-hans", "待批准")])
def test_the_page_shows_every_reading_and_what_is_provisional(
    language: str, open_: str, person_client: Any
) -> None:
    browser = person_client("coordinator_li")
    browser.cookies["edc_language"] = language
    page = browser.get("/ambiguities")
    assert page.content.decode().count('class="chip provisional"') == len(READINGS)
    told = words(page)
    assert open_ in told and "sct_gap_all_limbs" in told and 'name="reading"' not in page.content.decode()


@pytest.mark.django_db
@pytest.mark.req("R-36")
def test_the_investigator_approves_with_name_and_password(person_client: Any, make_token: Any) -> None:
    kang = person_client("investigator_kang")
    kang.cookies["edc_language"] = "en"
    assert "not those of your account" in words(approve(kang, "AR-01", password="guess"))
    assert "Choose the readings" in words(approve(kang))
    assert approvals() == {}
    assert approve(kang, "AR-01", "AR-09").status_code == 302
    assert approve(kang, "AR-01").status_code == 302  # approved already: nothing twice
    assert {one: len(rows) for one, rows in approvals().items()} == {"AR-01": 1, "AR-09": 1}
    assert "康医生 Dr Kang (Investigator)" in words(kang.get("/ambiguities"))
    listed = {r["id"]: r for r in exact(Api(make_token("coordinator_li")).get("ambiguities/"))}
    assert len(listed) == len(READINGS)
    assert (listed["AR-01"]["provisional"], listed["AR-02"]["provisional"]) == (False, True)
    assert listed["AR-01"]["approvals"][0]["role"] == "investigator"
    from axes.utils import reset

    reset()


@pytest.mark.django_db
@pytest.mark.req("R-44")
def test_nobody_else_approves(person_client: Any) -> None:
    assert approve(person_client("statistician_sun"), "AR-01", username="statistician_sun").status_code == 422
    assert approve(person_client("coordinator_li"), "AR-01", username="coordinator_li").status_code == 403
    assert approvals() == {}


@pytest.mark.django_db
@pytest.mark.req("R-37")
def test_an_approval_is_never_changed(person_client: Any, actor: Any) -> None:
    from trial import audit

    approve(person_client("investigator_kang"), "AR-01")
    with (
        pytest.raises(Error, match="permission denied"),
        transaction.atomic(),
        audit.transaction(actor("investigator_kang"), "a try"),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE trial_readingapproval SET name = 'somebody else'")
    assert ReadingApproval.objects.get().name == "康医生 Dr Kang"
