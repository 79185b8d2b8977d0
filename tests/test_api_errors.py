"""Whatever is sent, the answer is a problem document: never a page, never a trace of the inside."""

import json
from typing import Any

import pytest
from django.db import connection

from exchange.body import MOST_BYTES, loads
from tests.api_client import Api, codes, problem, text

pytestmark = pytest.mark.django_db

DEEP = "[" * 200 + "]" * 200
BODIES: dict[str, str | bytes] = {
    "empty": "",
    "nothing but blanks": "   ",
    "half an object": '{"subject": ',
    "a list": "[]",
    "a text": '"x"',
    "null": "null",
    "NaN": '{"wbc": NaN}',
    "Infinity": '{"wbc": -Infinity}',
    "a key twice": '{"visit": "SCR", "visit": "D1"}',
    "NUL": '{"visit": "\\u0000"}',
    "NUL in a key": '{"a\\u0000b": 1}',
    "half a character": '{"visit": "\\ud800"}',
    "deep": '{"missing": ' + DEEP + "}",
    "very deep": "[" * 100_000,
    "a huge number": '{"wbc": ' + "9" * 5000 + "}",
    "a huge exponent": '{"wbc": 1e400000}',
    "a tiny exponent": '{"wbc": 1e-400000}',
    "not UTF-8": b'{"visit": "\xff"}',
    "UTF-16": '{"visit": "SCR"}'.encode("utf-16"),
    "wrong types": '{"subject": {"a": 1}, "visit": 3, "status": [], "not_done": "yes", "missing": 7, "reason": {}}',
    "an unknown status": '{"subject": "01-001", "status": "LOCKED"}',
    "an empty subject": '{"subject": ""}',
}


@pytest.fixture
def api(make_token: Any) -> Api:
    return Api(make_token("coordinator_li"))


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("address", ["subjects/", "forms/haematology/", "queries/"])
def test_a_body_that_cannot_be_read_is_400(make_token: Any, name: str, address: str) -> None:
    api = Api(make_token("monitor_wu" if address == "queries/" else "coordinator_li"))
    document = problem(api.post(address, BODIES[name]), 400)
    assert document["errors"][0]["code"]


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        "{}",
        '{"a": [1]}',
        "[[1]]",
        "[null]",
        "true",
        '"\\u202e"',
        "1e60",
        "-0.0",
        '"2026-03-05T10:00+99:99"',
    ],
)
@pytest.mark.parametrize("item", ["lb_dt", "wbc", "wbc_unit", "wbc_cs", "missing", "wbc_lln"])
def test_any_json_value_for_any_kind_of_item_is_saved_or_refused(
    api: Api, subject: Any, item: str, answer: str
) -> None:
    response = api.post(
        "forms/haematology/", f'{{"subject": "{subject.subjid}", "visit": "SCR", "{item}": {answer}}}'
    )
    assert response.status_code in (201, 400), text(response)


def test_a_body_beyond_the_limit_is_413(api: Api) -> None:
    problem(api.post("forms/haematology/", '{"a": "' + "x" * MOST_BYTES + '"}'), 413, "too_large")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"],
)
def test_another_media_type_is_415(api: Api, kind: str) -> None:
    problem(api.post("forms/haematology/", "a=1", content_type=kind), 415, "media_type")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_an_address_does_not_know_is_405(api: Api, method: str) -> None:
    response = api.send(method, "subjects/", {})
    problem(response, 405, "method")
    assert "GET" in response["Allow"]


@pytest.mark.parametrize(
    "address", ["", "nope/", "forms/nope/", "subjects", "forms/haematology/x/y/", "../v2/", "subjects/%00/"]
)
def test_an_address_that_is_not_there_is_a_problem_too(api: Api, address: str) -> None:
    problem(api.get(address), 404, "not_found")


def test_a_missing_slash_is_pointed_out(api: Api) -> None:
    assert problem(api.get("subjects"), 404)["errors"][0]["fix"] == "/api/v1/subjects/"


@pytest.mark.parametrize(
    "key", ["1", "x" * 300, "%F0%9F%99%82", "00000000-0000-0000-0000-00000000000", "' OR 1=1 --"]
)
def test_a_key_that_is_no_id_is_404(api: Api, key: str) -> None:
    for kind in ("forms/haematology", "subjects", "deviations", "queries"):
        problem(api.get(f"{kind}/{key}/"), 404)


@pytest.mark.req("R-91")
@pytest.mark.parametrize(
    "value", ["x' OR '1'='1", "%", "%s", "01-001'--", "\\", "🙂", "a" * 5000, "%00", "../..", "{}"]
)
@pytest.mark.parametrize(
    "name", ["subject", "site", "visit", "status", "changed_since", "limit", "after", "format", "bom"]
)
def test_no_filter_value_breaks_out(api: Api, name: str, value: str) -> None:
    response = api.client.get("/api/v1/forms/haematology/", {name: value})
    assert response.status_code in (200, 400), text(response)
    if response.status_code == 200:
        assert response.content == b"[]"
    else:
        assert problem(response, 400)["errors"][0]["parameter"] == name


@pytest.mark.parametrize(
    ("limit", "right"),
    [("1", True), ("1000", True), ("0", False), ("1001", False), ("-1", False), ("1.5", False), ("", False)],
)
def test_the_limit_is_between_1_and_1000(api: Api, limit: str, right: bool) -> None:
    assert (api.get(f"subjects/?limit={limit}").status_code == 200) is right


def test_a_problem_speaks_the_language_that_was_asked_for(make_token: Any) -> None:
    token = make_token("coordinator_li")
    english = problem(Api(token, "fr, en;q=0.5").get("subjects/?x=1"), 400)
    chinese = problem(Api(token, "zh-CN").get("subjects/?x=1"), 400)
    nothing = problem(Api(token, "").get("subjects/?x=1"), 400)
    assert english["title"] == nothing["title"] == "A query parameter cannot be used"
    assert chinese["title"] == "查询参数无效" and "没有参数" in chinese["detail"]


def test_every_answer_has_its_number_and_is_not_stored(api: Api) -> None:
    good, bad = api.get("subjects/"), api.get("subjects/?x=1")
    for response in (good, bad):
        assert response["Cache-Control"] == "no-store"
        assert len(response["X-Request-ID"]) == 32
    assert json.loads(bad.content)["instance"].replace("-", "").endswith(bad["X-Request-ID"])


def test_every_kind_of_problem_is_listed(api: Api) -> None:
    kinds = {row["kind"]: row for row in json.loads(Api().get("problems/").content)}
    document = problem(api.get("subjects/?x=1"), 400)
    assert kinds[document["type"].partition("#")[2]]["status"] == 400


def test_a_host_that_is_not_ours_gets_no_page(api: Api) -> None:
    problem(api.client.get("/api/v1/subjects/", headers={"Host": "evil.example"}), 400)


@pytest.mark.django_db(transaction=True)
def test_without_the_database_the_answer_is_503_and_says_when(make_token: Any) -> None:
    api = Api(make_token("coordinator_li"))
    place = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        response = api.get("subjects/")
        document = problem(response, 503, "unavailable")
    finally:
        connection.settings_dict["HOST"] = place
        connection.close()
    assert int(response["Retry-After"]) >= 1
    assert "nowhere" not in json.dumps(document)
    assert api.get("subjects/").status_code == 200


def test_a_fault_of_ours_tells_nothing_but_its_number(api: Api, monkeypatch: Any, caplog: Any) -> None:
    value = "".join(["sec", "ret"])

    def fails(*_: Any) -> Any:
        raise RuntimeError(value)

    monkeypatch.setattr("exchange.views_subjects.listing", fails)
    document = problem(api.get("subjects/"), 500, "broken")
    assert "secret" not in json.dumps(document)
    assert "secret" not in caplog.text and "views_subjects" in caplog.text
    assert document["instance"] in caplog.text


def test_decimals_are_read_exactly() -> None:
    assert str(loads(b'{"a": 1.50}')["a"]) == "1.50"
    assert loads(b"12345678901234567890") == 12345678901234567890
    assert codes({"errors": [{"code": "x"}]}) == {"x"}
