"""When something fails: an honest answer in both languages, and nothing of the inside."""

import json
import logging.config
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def quiet_client() -> Client:
    """A browser that sees the error page instead of the exception."""
    return Client(raise_request_exception=False)


def test_health_needs_no_sign_in_and_tells_nothing_else(client: Client) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    body = json.loads(answer.content)
    assert set(body) == {"status", "database", "broker", "outbox"}
    assert (body["status"], body["database"], body["broker"]) == ("ok", "ok", "ok")


@pytest.fixture
def no_database(transactional_db: None) -> Any:
    """The database does not answer on its address."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "no_such_database"
    yield
    connection.close()
    connection.settings_dict["NAME"] = name


@pytest.mark.req("R-76")
def test_without_a_database_health_says_so(no_database: None, client: Client) -> None:
    answer = client.get("/health")
    assert answer.status_code == 503
    assert json.loads(answer.content)["database"] == "down"


@pytest.mark.req("R-76")
def test_without_a_database_a_page_is_an_honest_503(no_database: None, quiet_client: Client) -> None:
    quiet_client.cookies["edc_session"] = "somebody"
    answer = quiet_client.get("/subjects")
    text = answer.content.decode()
    assert answer.status_code == 503
    assert "The database does not answer" in text
    assert "数据库暂时无法访问" in text
    assert "psycopg" not in text


@pytest.mark.req("R-95")
def test_a_page_that_is_not_there_says_so_in_both_languages(client: Client) -> None:
    answer = client.get("/no-such-page")
    assert answer.status_code == 404
    for words in ("Not found", "未找到"):
        assert words in answer.content.decode()


def test_too_much_at_once_is_told_as_that(person_client: Any, subject: Any) -> None:
    browser = person_client("coordinator_li")
    browser.raise_request_exception = False
    answer = browser.post(
        f"/subjects/{subject.subjid}/SCR/ecog",
        {"ecog": "9" * 1_100_000},
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code in (400, 413)
    assert "Nothing was saved" in answer.content.decode()


@pytest.mark.req("R-95")
def test_a_failure_of_ours_shows_a_number_and_no_trace(
    person_client: Any, subject: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("entry.views_subjects.lines_of", broken)
    browser = person_client("coordinator_li")
    browser.raise_request_exception = False
    answer = browser.get(f"/subjects/{subject.subjid}")
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in answer.content.decode()
    assert answer["X-Request-ID"] in caplog.text
    assert "the inside" not in answer.content.decode()


@pytest.mark.req("R-88")
@pytest.mark.parametrize("address", ["/login", "/subjects", "/no-such-page", "/rules", "/help"])
def test_every_answer_carries_the_content_policy(address: str, person_client: Any) -> None:
    answer = person_client("coordinator_li").get(address)
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert "style=" not in answer.content.decode().split("</head>")[-1]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/deviations?rule=%00", 400),
        ("/queries?subject=%00", 400),
        ("/laboratories?analyte=%00", 400),
        ("/study/site/%00", 400),
        ("/subjects/%00", 400),
    ],
)
def test_what_no_column_can_hold_is_said_and_is_no_fault(
    person_client: Any, address: str, status: int
) -> None:
    answer = person_client("data_manager_qian").get(address)
    assert answer.status_code == status and "Nothing was saved" in answer.content.decode()


def test_a_user_name_that_no_column_can_hold(client: Client) -> None:
    assert client.post("/login", {"username": "a\0b", "password": "x"}).status_code == 400


def test_a_fault_of_a_page_leaves_no_value_in_the_log() -> None:
    formatter = logging.config.dictConfigClass(settings.LOGGING).configure_formatter(
        dict(settings.LOGGING["formatters"]["places"])
    )
    row = ("01-001", "1.61")
    try:
        raise ValueError(f"Failing row contains {row}")
    except ValueError:
        told = logging.LogRecord(
            "django.request", logging.ERROR, "", 1, "Internal Server Error", (), sys.exc_info()
        )
    written = formatter.format(told)
    assert "01-001" not in written and "ValueError" in written and "test_pages_errors.py" in written
