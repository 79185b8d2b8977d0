"""Freezing, locking and opening a record over the API: who may, what is refused, and what stays in the history."""

from typing import Any

import pytest

from safety.forms import FORMS
from tests.api_client import Api, codes, exact, problem, text

pytestmark = pytest.mark.django_db

OPEN_AGAIN = {"state": "OPEN", "reason": "correction agreed"}
LOCK_IT = {"state": "LOCKED", "reason": "interim analysis"}


@pytest.fixture
def site_api(make_token: Any) -> Api:
    """The coordinator's program at site 01."""
    return Api(make_token("coordinator_li"))


@pytest.fixture
def api(make_token: Any) -> Api:
    """The data manager's program."""
    return Api(make_token("data_manager_qian"))


@pytest.fixture
def address(site_api: Api, subject: Any) -> str:
    """Where a blood count that was just entered stands, at version 1."""
    body = {"subject": subject.subjid, "visit": "SCR", "wbc": 4.5, "plt": 125}
    return str(site_api.post("forms/haematology/", body)["Location"])


def lock(api: Api, address: str, body: Any, seen: int | None = 1, **headers: str) -> Any:
    """Ask for another lock state, having seen a version."""
    tag = {} if seen is None else {"If_Match": f'"{seen}"'}
    return api.post(address + "lock/", body, **tag, **headers)


@pytest.mark.req("R-24")
def test_a_locked_record_takes_no_correction_until_it_is_opened_with_a_reason(
    api: Api, site_api: Api, address: str
) -> None:
    locked = lock(api, address, LOCK_IT)
    assert locked.status_code == 200 and locked["ETag"] == '"2"'
    assert exact(locked) == exact(api.get(address))
    assert (exact(locked)["lock_state"], exact(locked)["version"]) == ("LOCKED", 2)
    for refused in (
        site_api.patch(address, {"wbc": 5, "reason": "misread"}, seen=2),
        site_api.put(address, {"wbc": 5, "reason": "misread"}, seen=2),
        site_api.delete(address, {"reason": "wrong subject"}, seen=2),
    ):
        assert "unlock" in problem(refused, 423, "locked")["detail"]
    assert lock(api, address, OPEN_AGAIN, seen=2)["ETag"] == '"3"'
    corrected = site_api.patch(address, {"wbc": 5, "reason": "misread"}, seen=3)
    assert (exact(corrected)["wbc_value"], exact(corrected)["lock_state"]) == (5, "OPEN")


@pytest.mark.req("R-25")
def test_the_history_tells_who_locked_and_opened_when_and_why(api: Api, address: str) -> None:
    lock(api, address, {"state": "FROZEN", "reason": "核查完成"})
    lock(api, address, {"state": "LOCKED"}, seen=2, X_Reason="interim analysis")
    lock(api, address, OPEN_AGAIN, seen=3)
    versions = exact(api.get(address + "history/"))
    told = [(v["record"]["lock_state"], v["reason"], v["actor"], v["actor_role"]) for v in versions[1:]]
    assert told == [
        ("FROZEN", "核查完成", "钱进 Qian Jin", "data_manager"),
        ("LOCKED", "interim analysis", "钱进 Qian Jin", "data_manager"),
        ("OPEN", "correction agreed", "钱进 Qian Jin", "data_manager"),
    ]
    assert all(v["at"].endswith("Z") and v["at"] >= versions[0]["at"] for v in versions)
    assert versions[-1]["record"]["wbc_value"] == versions[0]["record"]["wbc_value"]


@pytest.mark.django_db(transaction=True)
def test_the_feed_tells_of_a_lock(api: Api, address: str) -> None:
    key = exact(lock(api, address, LOCK_IT))["id"]
    changes = [c for c in exact(api.get("changes/"))["changes"] if c["id"] == key]
    told = [(c["version"], c["operation"], c["reason"]) for c in changes]
    assert told == [(1, "created", None), (2, "changed", "interim analysis")]


@pytest.mark.req("R-25")
@pytest.mark.parametrize("reason", [{}, {"reason": ""}, {"reason": "  "}, {"reason": None}])
def test_without_a_reason_nothing_is_locked(api: Api, address: str, reason: Any) -> None:
    document = problem(lock(api, address, {"state": "LOCKED", **reason}), 400, "rejected")
    assert [(e["pointer"], e["code"]) for e in document["errors"]] == [("/reason", "required")]
    assert exact(api.get(address))["version"] == 1


@pytest.mark.parametrize("state", ["locked", "SIGNED", "", None, 1, ["LOCKED"], {"to": "LOCKED"}])
def test_a_state_that_there_is_not_is_answered_with_those_there_are(
    api: Api, address: str, state: Any
) -> None:
    document = problem(lock(api, address, {"state": state, "reason": "x"}), 400, "rejected")
    (error,) = document["errors"]
    assert (error["pointer"], error["limit"]) == ("/state", "OPEN, FROZEN, LOCKED")
    assert exact(api.get(address))["version"] == 1


def test_everything_that_is_wrong_is_said_at_once(api: Api, address: str) -> None:
    errors = problem(lock(api, address, {}), 400)["errors"]
    assert [(e["pointer"], e["code"]) for e in errors] == [("/state", "required"), ("/reason", "required")]
    document = problem(lock(api, address, {**LOCK_IT, "wbc": 9}), 400, "rejected")
    assert codes(document) == {"unknown_key"}
    assert (
        problem(lock(api, address, {"state": "LOCKED", "reason": 7}), 400)["errors"][0]["field"] == "reason"
    )


def test_the_state_it_is_in_already_is_409_and_changes_nothing(api: Api, address: str) -> None:
    assert "open already" in problem(lock(api, address, OPEN_AGAIN), 409, "wrong_state")["detail"]
    lock(api, address, LOCK_IT)
    problem(lock(api, address, LOCK_IT, seen=2), 409, "wrong_state")
    assert exact(api.get(address))["version"] == 2


@pytest.mark.req("R-22")
def test_a_lock_names_the_version_it_saw(api: Api, site_api: Api, address: str) -> None:
    problem(lock(api, address, LOCK_IT, seen=None), 428, "precondition")
    site_api.patch(address, {"wbc": 5, "reason": "misread"}, seen=1)
    stale = lock(api, address, LOCK_IT, seen=1)
    assert problem(stale, 412, "stale")["current_version"] == 2 and stale["ETag"] == '"2"'
    assert exact(api.get(address))["lock_state"] == "OPEN"


@pytest.mark.req("R-44")
@pytest.mark.parametrize(
    "who",
    ["coordinator_li", "investigator_kang", "monitor_wu", "statistician_sun"],
)
@pytest.mark.parametrize("body", [LOCK_IT, OPEN_AGAIN, {}])
def test_only_the_data_manager_locks_and_opens(make_token: Any, address: str, who: str, body: Any) -> None:
    api = Api(make_token(who))
    problem(lock(api, address, body), 403, "forbidden")
    assert exact(api.get(address))["version"] == 1


@pytest.mark.req("R-45")
def test_a_record_of_another_site_is_not_there(make_token: Any, address: str, other_site: Any) -> None:
    elsewhere = Api(make_token("data_manager_qian", sites=[other_site.pk]))
    nowhere = "/api/v1/forms/haematology/01890000-0000-7000-8000-000000000000/"
    answers = [problem(lock(elsewhere, where, LOCK_IT), 404, "not_found") for where in (address, nowhere)]
    assert answers[0]["detail"] == answers[1]["detail"]


def test_the_refusals_are_said_in_chinese(make_token: Any, address: str) -> None:
    api = Api(make_token("data_manager_qian"), language="zh")
    assert "请说明冻结" in problem(lock(api, address, {"state": "LOCKED"}), 400)["detail"]
    assert "已处于“开放”状态" in problem(lock(api, address, OPEN_AGAIN), 409)["detail"]


def test_only_post_is_known_here(api: Api, address: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert api.send(method, address + "lock/")["Allow"] == "POST"


def test_the_document_describes_the_lock_of_every_form(api: Api) -> None:
    paths = exact(api.get("schema/"))["paths"]
    for model in FORMS:
        post = paths[f"/api/v1/forms/{model.form}/{{key}}/lock/"]["post"]
        schema = post["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]["state"]["enum"] == ["OPEN", "FROZEN", "LOCKED"]
        assert schema["required"] == ["state"]
        assert {p["name"] for p in post["parameters"]} == {"key", "If-Match", "X-Reason"}
        assert {"200", "400", "403", "404", "409", "412", "428"} <= set(post["responses"])


def test_a_lock_is_a_row_of_the_list_and_of_the_export(api: Api, address: str, subject: Any) -> None:
    lock(api, address, LOCK_IT)
    (row,) = exact(api.get(f"forms/haematology/?subject={subject.subjid}"))
    assert row["lock_state"] == "LOCKED"
    assert "LOCKED" in text(api.get(f"forms/haematology/?subject={subject.subjid}&format=csv"))
