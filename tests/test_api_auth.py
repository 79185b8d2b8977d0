"""Who may come in: a token is a person in a role, today."""

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from exchange import throttle
from exchange.models import ApiToken
from exchange.tokens import CannotMint, mint
from tests.api_client import Api, codes, exact, problem
from tests.cast import ADMINISTRATOR
from trial import audit
from trial.dates import utc_now
from trial.models import Assignment, Person, Site
from trial.people import end_access

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(admin_he: Any, actor: Any) -> Any:
    return actor(admin_he)


def test_without_a_token_the_answer_says_what_to_send() -> None:
    response = Api().get("subjects/")
    problem(response, 401, "unauthenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Bearer " + "0" * 64, "Basic YTpi", "Bearer " + "é" * 50, "Token a b"]
)
def test_a_wrong_token_is_one_401_whatever_is_wrong(header: str) -> None:
    problem(Api().get("subjects/", Authorization=header), 401)


def test_bearer_and_token_are_both_understood(make_token: Any) -> None:
    text = make_token("coordinator_li")
    assert Api().get("subjects/", Authorization=f"Bearer {text}").status_code == 200
    assert Api().get("subjects/", Authorization=f"Token {text}").status_code == 200


def test_a_session_of_the_pages_opens_nothing_here(person_client: Any) -> None:
    assert person_client("coordinator_li").get("/api/v1/subjects/").status_code == 401


def test_the_token_is_kept_as_a_hash_and_always_ends(make_token: Any) -> None:
    text = make_token("coordinator_li")
    token = ApiToken.objects.get(token_key=text[:15])
    assert text not in str(token.__dict__)
    assert token.expiry > utc_now()


@pytest.mark.req("R-53")
def test_a_deactivated_person_is_out_with_the_next_request(
    make_token: Any, coordinator_li: Person, administrator: Any
) -> None:
    api = Api(make_token(coordinator_li))
    assert api.get("subjects/").status_code == 200
    end_access(coordinator_li, by=administrator, reason="left the hospital")
    problem(api.get("subjects/"), 401)


@pytest.mark.req("R-57")
def test_a_role_that_ended_yesterday_ends_its_token(make_token: Any, monitor_wu: Person) -> None:
    api = Api(make_token(monitor_wu))
    with audit.transaction(ADMINISTRATOR, "delegation ended"):
        row = Assignment.objects.get(person=monitor_wu)
        row.valid_to = date.today() - timedelta(days=2)
        row.save(force_update=True)
    problem(api.get("subjects/"), 401)


def test_an_expired_token_is_refused(make_token: Any) -> None:
    text = make_token("coordinator_li")
    ApiToken.objects.filter(token_key=text[:15]).update(expiry=utc_now() - timedelta(seconds=1))
    problem(Api(text).get("subjects/"), 401)


def test_the_token_holds_one_role_even_if_the_person_has_two(
    make_token: Any, coordinator_li: Person, site: Site
) -> None:
    with audit.transaction(ADMINISTRATOR, "second role"):
        Assignment(person=coordinator_li, role="pharmacist", site=site, valid_from=date(2020, 1, 1)).save(
            force_insert=True
        )
    api = Api(make_token(coordinator_li, role="pharmacist"))
    problem(api.post("subjects/", {"subjid": "01-999", "site": "01"}), 403, "forbidden")


@pytest.mark.req("R-45")
def test_a_token_can_be_narrowed_to_one_site(
    make_token: Any, new_subject: Any, actor: Any, site: Site, other_site: Site
) -> None:
    here, there = new_subject(), new_subject(by=actor("coordinator_elsewhere"), at=other_site)
    wide, narrow = Api(make_token("monitor_wu")), Api(make_token("monitor_wu", sites=[site.pk]))
    assert {s["subjid"] for s in exact(wide.get("subjects/"))} == {here.subjid, there.subjid}
    assert {s["subjid"] for s in exact(narrow.get("subjects/"))} == {here.subjid}
    assert [s["code"] for s in exact(narrow.get("sites/"))] == ["01"]


def test_nobody_mints_a_role_or_a_site_they_do_not_hold(coordinator_li: Person, other_site: Site) -> None:
    with pytest.raises(CannotMint):
        mint(coordinator_li, "data_manager")
    with pytest.raises(CannotMint):
        mint(coordinator_li, "coordinator", sites=[other_site.pk])
    with pytest.raises(CannotMint):
        mint(coordinator_li, expiry=timedelta(days=4000))


def test_the_command_prints_a_token_once_lists_and_ends_it(coordinator_li: Person) -> None:
    out = StringIO()
    call_command(
        "token",
        "coordinator_li",
        "--role",
        "coordinator",
        "--site",
        "01",
        "--label",
        "R",
        stdout=out,
        stderr=StringIO(),
    )
    text = out.getvalue().strip()
    assert Api(text).get("subjects/").status_code == 200
    listed = StringIO()
    call_command("token", "coordinator_li", "--list", stdout=listed)
    assert text not in listed.getvalue() and text[:15] in listed.getvalue()
    call_command("token", "coordinator_li", "--revoke", text[:15], stdout=StringIO())
    problem(Api(text).get("subjects/"), 401)


@pytest.mark.parametrize(
    "arguments", [("nobody",), ("coordinator_li", "--role", "auditor"), ("coordinator_li", "--site", "99")]
)
def test_the_command_refuses_with_a_sentence(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("token", *arguments, stdout=StringIO(), stderr=StringIO())


@pytest.mark.req("R-32")
@pytest.mark.parametrize("person", ["monitor_wu", "data_manager_qian", "statistician_sun", "auditor_zhou"])
def test_the_sponsor_changes_nothing_that_a_site_entered(person: str, make_token: Any, subject: Any) -> None:
    site_api, api = Api(make_token("coordinator_li")), Api(make_token(person))
    made = site_api.post("forms/demographics/", {"subject": subject.subjid, "sex": "F"})
    assert api.get(made["Location"]).status_code == 200
    problem(api.post("subjects/", {"subjid": "01-998", "site": "01"}), 403)
    problem(api.post("forms/demographics/", {"subject": subject.subjid, "sex": "M"}), 403)
    problem(api.patch(made["Location"], {"sex": "M", "reason": "x"}, seen=1), 403)
    problem(api.put(made["Location"], {"sex": "M", "reason": "x"}, seen=1), 403)
    problem(api.delete(made["Location"], {"reason": "x"}, seen=1), 403)


@pytest.mark.req("R-56")
def test_the_administrator_reads_no_trial_data(make_token: Any, subject: Any) -> None:
    api = Api(make_token("admin_he"))
    for address in ("subjects/", "forms/demographics/", "changes/", "queries/", "deviations/", "visits/"):
        problem(api.get(address), 403)


def test_too_many_requests_are_told_when_to_come_back(make_token: Any, settings: Any) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"token": "3/min"}}
    api, other = Api(make_token("coordinator_li")), Api(make_token("coordinator_li"))
    answers = [api.get("sites/") for _ in range(7)]
    late = [response for response in answers if response.status_code == 429]
    assert late, "seven requests in a minute of three"
    problem(late[0], 429, "throttled")
    assert 1 <= int(late[0]["Retry-After"]) <= 61
    assert other.get("sites/").status_code == 200, "another token has its own count"


def test_without_the_cache_requests_pass_uncounted(
    make_token: Any, settings: Any, monkeypatch: Any, caplog: Any
) -> None:
    monkeypatch.setattr(throttle, "_resting_until", 0.0)
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    api = Api(make_token("coordinator_li"))
    assert [api.get("sites/").status_code for _ in range(3)] == [200, 200, 200]
    assert "cache unreachable" in caplog.text
    monkeypatch.setattr(throttle, "_resting_until", 0.0)


def test_an_unknown_parameter_is_named_with_its_nearest(make_token: Any) -> None:
    document = problem(Api(make_token("coordinator_li")).get("subjects/?sitte=01"), 400, "parameter")
    assert codes(document) == {"unknown_parameter"}
    assert document["errors"][0]["parameter"] == "sitte"
    assert document["errors"][0]["fix"] == "site"
