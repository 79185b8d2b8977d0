"""A program outside, over a real socket: standard library only."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


def ask(
    address: str, token: str, body: Any = None, method: str = "GET", **headers: str
) -> tuple[int, Any, bytes]:
    """One request; status, headers, body."""
    sent = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(address, data=data, headers=sent, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def pulled(root: str, token: str, least: int, seconds: float = 30) -> list[Any]:
    """The feed from its start. What the server still works on holds it back, so a program asks again."""
    changes: list[Any] = []
    cursor, until = "", time.monotonic() + seconds
    while len(changes) < least and time.monotonic() < until:
        status, _, body = ask(f"{root}changes/{cursor}", token)
        assert status == 200, body
        answer = json.loads(body)
        changes += answer["changes"]
        cursor = f"?cursor={answer['next']}"
    return changes


def test_a_program_enters_corrects_and_pulls(live_server: Any, make_token: Any, subject: Any) -> None:
    token, root = make_token("coordinator_li"), f"{live_server.url}/api/v1/"
    status, headers, body = ask(
        root + "forms/haematology/", token, {"subject": subject.subjid, "visit": "SCR", "wbc": 4.5}, "POST"
    )
    assert status == 201 and headers["ETag"] == '"1"'
    address = live_server.url + headers["Location"]
    status, headers, _ = ask(
        address, token, {"wbc": 5, "reason": "misread"}, "PATCH", If_Match=headers["ETag"]
    )
    assert status == 200 and headers["ETag"] == '"2"'
    status, headers, body = ask(address, token, {"wbc": 6, "reason": "late"}, "PATCH", If_Match='"1"')
    assert status == 412 and headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["errors"][0]["current"] == "5"
    status, headers, body = ask(root + "forms/haematology/?format=ndjson", token)
    assert status == 200 and json.loads(body)["wbc_value"] == 5
    assert [c["version"] for c in pulled(root, token, least=3) if c["form"] == "haematology"] == [1, 2]


def test_a_body_without_a_length_is_asked_for_one(live_server: Any, make_token: Any) -> None:
    token = make_token("coordinator_li")

    def parts() -> Any:
        yield b'{"subject": "01-001"}'

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"{live_server.url}/api/v1/forms/haematology/", data=parts(), headers=headers, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 411
    refused.value.close()
