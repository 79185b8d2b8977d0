"""Deviations, queries and the catalogue over the API."""

import csv
import io
import json
from typing import Any

import pytest

from exchange.shapes import COMMON
from safety.engine import evaluate
from safety.forms import FORMS, STUDY_FORMS
from safety.rules import RULES
from tests.api_client import Api, exact, problem, text
from trial.item import items
from trial.people import system_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(make_token: Any) -> Api:
    """The coordinator's program."""
    return Api(make_token("coordinator_li"))


@pytest.fixture
def monitor(make_token: Any) -> Api:
    """The monitor's program."""
    return Api(make_token("monitor_wu"))


@pytest.fixture
def count(api: Api, subject: Any) -> Any:
    """A blood count."""
    return exact(api.post("forms/haematology/", {"subject": subject.subjid, "visit": "SCR", "wbc": 4}))


def test_a_query_is_raised_answered_closed_and_opened_again(api: Api, monitor: Api, count: Any) -> None:
    raised = monitor.post(
        "queries/", {"form": "haematology", "record": count["id"], "field": "wbc", "text": "unit?"}
    )
    assert raised.status_code == 201, text(raised)
    query = exact(raised)
    assert (query["field"], query["status"], query["value"], query["subject"]) == (
        "wbc_value",
        "OPEN",
        "4",
        count["subject"],
    )
    address = raised["Location"]
    answered = exact(api.post(address + "answer/", {"text": "10^9/L, checked"}))
    assert answered["status"] == "ANSWERED" and answered["talk"][-1]["text"] == "10^9/L, checked"
    problem(api.post(address + "close/", {"text": "x"}), 403)
    problem(monitor.post(address + "answer/", {"text": "x"}), 403)
    assert exact(monitor.post(address + "reopen/", {"text": "source?"}))["status"] == "OPEN"
    assert exact(monitor.post(address + "close/", {"text": "seen"}))["status"] == "CLOSED"
    problem(api.post(address + "answer/", {"text": "late"}), 409, "wrong_state")
    assert [v["record"]["status"] for v in exact(api.get(address + "history/"))] == [
        "OPEN",
        "ANSWERED",
        "OPEN",
        "CLOSED",
    ]


def test_a_query_needs_a_record_an_item_and_words(monitor: Api, count: Any) -> None:
    good = {"form": "haematology", "record": count["id"], "field": "wbc", "text": "unit?"}
    for wrong in ({"form": "nope"}, {"field": "nope"}, {"text": " "}, {"text": "x" * 3000}, {"text": 1}):
        problem(monitor.post("queries/", {**good, **wrong}), 400)
    problem(monitor.post("queries/", {**good, "record": "nope"}), 404)
    problem(monitor.post("queries/", {**good, "form": "chemistry"}), 404)


@pytest.mark.req("R-35")
def test_a_question_re_sent_with_its_key_is_asked_once(monitor: Api, count: Any) -> None:
    body = {"form": "haematology", "record": count["id"], "field": "wbc", "text": "unit?"}
    first, again = (monitor.post("queries/", body, Idempotency_Key="q1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert len(exact(monitor.get(f"queries/?record={count['id']}&source=MONITOR"))) == 1


def test_a_deviation_carries_rule_citation_basis_and_evidence(api: Api, subject: Any) -> None:
    for body in ({"subject": subject.subjid, "inf_start_dt": "2026-03-05 10:00", "part_no": 1},):
        assert api.post("forms/infusion/", body).status_code == 201
    assert evaluate(subject.pk, by=system_actor()).opened
    found = exact(api.get(f"deviations/?subject={subject.subjid}&limit=1000"))
    assert found
    for row in found:
        rule = RULES[row["rule"]]
        assert row["title"] == {"en": rule.en, "zh": rule.zh}
        assert (
            row["citation"] and row["basis"] and row["protocol_version"] and row["detected_at"].endswith("Z")
        )
        assert set(row["message"]) == {"en", "zh"} and isinstance(row["evidence"], dict)
    one = found[0]
    assert exact(api.get(f"deviations/{one['id']}/")) == one
    found_then = {name: value for name, value in one.items() if name not in ("assessment", "provisional")}
    assert exact(api.get(f"deviations/{one['id']}/history/"))[0]["record"] == found_then
    assert {
        row["rule"] for row in exact(api.get(f"deviations/?rule={one['rule']}&status={one['status']}"))
    } == {one["rule"]}
    problem(api.get("deviations/?rule=DV-999"), 400)
    assert len(text(api.get("deviations/?format=ndjson")).splitlines()) == len(
        exact(api.get("deviations/?limit=1000"))
    )


def test_the_dictionary_holds_every_item_of_every_form(api: Api) -> None:
    forms = {form["form"]: form for form in exact(api.get("dictionary/"))}
    assert list(forms) == [m.form for m in (*FORMS, *STUDY_FORMS)]
    for model in FORMS:
        assert [row["item"] for row in forms[model.form]["items"]] == list(items(model))
    lines = list(csv.DictReader(io.StringIO(text(api.get("dictionary/?format=csv")))))
    for model in (*FORMS, *STUDY_FORMS):
        told = [row["item"] for row in lines if row["form"] == model.form]
        assert [name for name in told if "__nd" not in name] == ["not_done", "not_done_reason", *items(model)]
    temperature = next(row for row in forms["vital_signs"]["items"] if row["item"] == "temp_c")
    assert (
        temperature["hard"] == {"low": 25, "high": 45}
        and temperature["unit"] == "degC"
        and temperature["label"]["zh"] == "体温"
    )


@pytest.mark.parametrize("form", [model.form for model in (*FORMS, *STUDY_FORMS)])
def test_every_column_of_a_forms_csv_is_in_the_dictionary(form: str, api: Api) -> None:
    """The keys that every form has are told in docs/api.md; the markers for what has no answer are items here."""
    head = next(csv.reader(io.StringIO(text(api.get(f"forms/{form}/?format=csv")))))
    lines = list(csv.DictReader(io.StringIO(text(api.get("dictionary/?format=csv")))))
    told = {row["item"]: row for row in lines if row["form"] == form}
    assert set(head) - set(told) <= set(COMMON) and set(told) <= set(head)
    marks = [row for name, row in told.items() if name.endswith("__nd")]
    assert marks and all(
        row["codes"].startswith("NOT_DONE=Not done|未做") and row["part_of"] for row in marks
    )


def test_the_dictionary_says_for_what_a_missing_answer_can_be_marked(api: Api) -> None:
    forms = {form["form"]: form for form in exact(api.get("dictionary/"))}
    by_name = {row["item"]: row["no_answer"] for row in forms["chemistry"]["items"]}
    assert by_name["alt_value"] == {
        "column": "alt_value__nd",
        "key": "alt",
        "codelist": "CL_MISSING",
        "set_for": ["item", "section", "form", "visit"],
        "sdtm": "LBSTAT = NOT DONE, LBREASND where LBTESTCD = ALT",
    }
    assert by_name["alt_si"] is None and by_name["alt_uln"] is None
    assert [one["column"] for one in forms["visit"]["not_done"]] == ["not_done", "not_done_reason"]
    assert forms["visit"]["not_done"][0]["set_for"] == ["form", "visit"]
    assert forms["demographics"]["not_done"][0]["set_for"] == ["form"]
    assert [one["code"] for one in forms["visit"]["no_answer_codes"]][:2] == ["NOT_DONE", "UNKNOWN"]


def test_rules_and_protocol_numbers_name_their_source(api: Api) -> None:
    assert [rule["id"] for rule in exact(api.get("rules/"))] == list(RULES)
    assert all(rule["cites"] and rule["text"] for rule in exact(api.get("rules/")))
    numbers = exact(api.get("protocol/"))[0]["numbers"]
    assert all(one["basis"] and one["cite"] for one in numbers)


def test_the_schema_describes_every_form_with_its_types() -> None:
    document = json.loads(Api().get("schema/").content)
    assert document["openapi"].startswith("3.1")
    for model in FORMS:
        assert set(document["paths"][f"/api/v1/forms/{model.form}/"]) == {"get", "post"}
        assert set(document["paths"][f"/api/v1/forms/{model.form}/{{key}}/"]) == {
            "get",
            "put",
            "patch",
            "delete",
        }
        assert set(items(model)) <= set(document["components"]["schemas"][model.__name__]["properties"])
    temperature = document["components"]["schemas"]["VitalSigns"]["properties"]["temp_c"]
    assert temperature["type"] == ["number", "null"] and (temperature["minimum"], temperature["maximum"]) == (
        25,
        45,
    )
    assert "体温" in temperature["description"] and temperature["x-unit"] == "degC"
    identifiers = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(identifiers) == len(set(identifiers))


def test_the_page_of_the_api_has_nothing_inline_and_nothing_from_elsewhere(client: Any) -> None:
    response = client.get("/api/v1/docs/")
    page = response.content.decode()
    assert response.status_code == 200
    assert "<style" not in page and "style=" not in page and "http" not in page
    assert all("src=" in part.partition(">")[0] for part in page.split("<script")[1:])
    assert "unsafe" not in response["Content-Security-Policy"]
