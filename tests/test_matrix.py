"""Every role × site × address × method, generated from the URLconf: who may, may; who may not, learns nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests.access_policy import ADMIN, CLINICAL, METHODS, NOBODY, PUBLIC, SIGNED, Need, needs
from tests.entering import enter
from trial import audit
from trial.access import ROLES, Act, Actor
from trial.models import Assignment, Person, Site
from trial.people import actor_for

CANARY = "CANARY-7731"
SITE_ROLES = ("coordinator", "investigator", "sub_investigator", "cell_lab", "pharmacist")
SPONSOR_ROLES = tuple(name for name, role in ROLES.items() if role.sponsor and name != "system")
FEW = {("", ""), ("coordinator", "01"), ("coordinator", "02"), ("system_admin", "")}
"""Who is asked about methods that exist for nobody."""
SAMPLED_FORMS = ("prior_transplant", "ecog")
SAMPLED_ADMINS = {"subjects/subject", "subjects/priortransplant", "review/query", "trial/site"}
"""One model of each base class of the review site and each need. No page of it tells the methods but GET apart, so of the
other models GET is asked by everybody, and the methods that share its view by few."""


@dataclass(frozen=True)
class Who:
    """One row of the matrix: a role at a site, or nobody at all. The API is asked by a client without a session."""

    role: str
    site: str
    client: Client
    token: str
    api: Client

    def may(self, need: Need) -> bool:
        """What the policy says of this role, sites aside."""
        if need == PUBLIC:
            return True
        if not self.role or need == NOBODY:
            return False
        if need == SIGNED:
            return True
        row = ROLES[self.role]
        if need in (ADMIN, CLINICAL):
            return row.admin and (need == ADMIN or Act.READ in row.acts)
        if isinstance(need, tuple):
            return any(act in row.acts for act in need)
        return Act(need) in row.acts

    @property
    def outside(self) -> bool:
        """Whether site 01, where everything in the matrix lies, is none of theirs."""
        return self.site == "02" or not self.role


def routes() -> list[tuple[str, str | None]]:
    """Every route of the URLconf with its name."""

    def walk(resolver: Any, before: str = "") -> Iterator[tuple[str, str | None]]:
        for pattern in resolver.url_patterns:
            here = before + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield here, pattern.name
            else:
                yield from walk(pattern, here)

    return list(walk(get_resolver()))


def sampled(route: str) -> bool:
    """Forms share their views: two of them stand for all in the full matrix, the rest are asked in a shorter one."""
    from safety.forms import FORM

    part = route.split("/")
    if route.startswith("api/v1/forms/") and part[3] in FORM:
        return part[3] in SAMPLED_FORMS
    if route.startswith("admin/") and len(part) > 3 and part[1] in ("subjects", "visits", "dosing"):
        return part[2] in {"priortransplant", "ecog", "subject"}
    return True


def asked(everyone: list[Who], route: str, method: str, row: dict[str, Need]) -> list[Who]:
    """Who asks a cell's method: everybody, unless it exists for nobody or shares its view with one that all ask."""
    part = route.split("/")
    shares = (
        len(part) > 3
        and part[0] == "admin"
        and part[1] not in ("queries", "r")
        and f"{part[1]}/{part[2]}" not in SAMPLED_ADMINS
    )
    if method in row and not (shares and method != "GET"):
        return everyone
    some = {*FEW, ("monitor", "")} if method in row else FEW
    return [who for who in everyone if (who.role, who.site) in some]


@pytest.mark.req("R-44")
def test_every_address_has_a_row_in_the_policy() -> None:
    assert [route for route, name in routes() if needs(route, name) is None] == []


@pytest.fixture
def planted(site: Any, li: Any, wu: Any) -> dict[str, str]:
    """A subject of site 01 whose records hold a canary; gives what the routes' parameters stand for."""
    from dosing.models import Infusion
    from entry.door import create_subject
    from review.queries import raise_query
    from safety.engine import evaluate
    from safety.models import Deviation
    from subjects.models import PriorTransplant
    from tests.conftest import acting_as
    from trial.people import system_actor
    from visits.models import Ecog

    subject = create_subject("01-731", site, by=li)
    transplant = enter(subject, PriorTransplant, li, sct_date="2025-01-15").record
    enter(subject, Infusion, li, inf_start_dt="2025-02-20 10:00", part_no="1")
    ecog = enter(subject, Ecog, li, "SCR", ecog_date="2025-02-10", ecog="1").record
    query = raise_query(transplant, "sct_date", CANARY, by=wu)
    with acting_as("worker"):
        evaluate(subject.pk, by=system_actor())
    with audit.reading(li):
        deviation = Deviation.objects.filter(rule_id="DV-01").get()
    return {
        "subjid": subject.subjid,
        "subject": str(subject.pk),
        "prior_transplant": str(transplant.pk),
        "ecog": str(ecog.pk),
        "query": str(query.pk),
        "deviation": str(deviation.pk),
    }


def address(route: str, planted: dict[str, str]) -> str:
    """A real address for a route: its parameters name what was planted at site 01."""
    key = planted["prior_transplant"]
    for word, target in (
        ("deviation", "deviation"),
        ("queries", "query"),
        ("review/query", "query"),
        ("ecog", "ecog"),
    ):
        if word in route and "raise" not in route:
            key = planted[target]
    if "subjects/subject/" in route or route.startswith("api/v1/subjects/"):
        key = planted["subject"]
    values = {
        "<str:subjid>": planted["subjid"],
        "<str:visit>": "log",
        "<str:form>": "prior_transplant",
        "<slug:form>": "prior_transplant",
        "<str:key>": key,
        "<str:code>": "01",
        "<uuid:key>": key,
        "<slug:step>": "close",
        "<path:object_id>": key,
        "<path:content_type_id>": "1",
        "^(?P<app_label>review|safety|subjects|visits|dosing|trial)/$": "subjects/",
        "(?P<url>.*)$": "nowhere",
        "^.*$": "nowhere",
    }
    for name, value in values.items():
        route = route.replace(name, value)
    return "/" + route


def _somebody(role: str, code: str, site: Site | None) -> Person:
    """The account of one row; people outlive a test, so it may be there already."""
    name = f"m_{role}_{code}"
    there = Person.objects.filter(username=name).first()
    if there is not None:
        return there
    person = Person(username=name, full_name=f"{role} {code}", email=f"{name}@example.invalid")
    person.set_unusable_password()
    since = date.today() - timedelta(days=2)
    with audit.transaction(Actor(0, "system", (), "matrix"), "matrix"):
        person.save(force_insert=True)
        Assignment(person=person, role=role, site=site, valid_from=since).save(force_insert=True)
    return person


@pytest.fixture
def everyone(db: None, make_token: Any) -> list[Who]:
    """Nobody; each site role at both sites; each sponsor role."""
    people = [Who("", "", Client(), "", Client(raise_request_exception=False))]
    sites = {site.code: site for site in Site.objects.all()}
    for role, code in [
        *((r, s) for r in SITE_ROLES for s in ("01", "02")),
        *((r, "") for r in SPONSOR_ROLES),
    ]:
        person = _somebody(role, code, sites.get(code))
        client = Client(raise_request_exception=False)
        client.force_login(person, backend="entry.signin.PersonBackend")
        assert actor_for(person) is not None
        people.append(Who(role, code, client, make_token(person), Client(raise_request_exception=False)))
    return people


def ask(who: Who, method: str, url: str) -> Any:
    """One request, as a browser or as an API client."""
    extra: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1"}
    client = who.client
    if url.startswith("/api/"):
        client = who.api
        client.cookies.clear()
        if who.token:
            extra["HTTP_AUTHORIZATION"] = f"Bearer {who.token}"
        if method != "GET":
            return client.generic(method, url, "{}", content_type="application/json", **extra)
    return client.generic(method, url, "", content_type="application/x-www-form-urlencoded", **extra)


def refused(response: Any) -> bool:
    """Whether the answer is a refusal: not signed in, forbidden, not there, no such method."""
    to_login = response.status_code in (301, 302) and "/login" in response.get("Location", "")
    return to_login or response.status_code in (401, 403, 404, 405)


def text_of(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{body.decode(errors='replace')} {response.get('Location', '')}"


def judge(
    who: Who, method: str, url: str, row: dict[str, Need], planted: dict[str, str], named: bool
) -> list[str]:
    """What is wrong with the answer to one cell."""
    response = ask(who, method, url)
    if url == "/logout" or url == "/admin/logout/":
        _sign_in_again(who)
    cell = f"{who.role or 'nobody'}@{who.site or '*'} {method} {url}: {response.status_code}"
    wrong = []
    if response.status_code >= 500:
        wrong.append(f"{cell} is an error")
    may = method in row and who.may(row[method])
    if not may and not refused(response):
        wrong.append(f"{cell} is not refused")
    reaches = not (who.site == "02" and named)
    if may and reaches and response.status_code in (401, 403) and row[method] != PUBLIC:
        wrong.append(f"{cell} is refused")
    if who.outside and any(secret in text_of(response) for secret in (CANARY, "2025-01-15", "2025-02-20")):
        wrong.append(f"{cell} LEAKS")
    if who.outside and not named and planted["subjid"] in text_of(response):
        wrong.append(f"{cell} LEAKS the subject's number")
    return wrong


def _sign_in_again(who: Who) -> None:
    if who.role:
        person = Person.objects.get(username=f"m_{who.role}_{who.site}")
        who.client.force_login(person, backend="entry.signin.PersonBackend")


@pytest.mark.timeout(1800)  # thousands of requests: two minutes alone on a machine, many when it is shared
@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-44")
@pytest.mark.req("R-32")
def test_the_matrix(everyone: list[Who], planted: dict[str, str], settings: Any) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"token": "100000/min"}}
    wrong: list[str] = []
    cells = 0
    for route, name in routes():
        if not sampled(route):
            continue
        row, url = needs(route, name), address(route, planted)
        named = url != "/" + route
        assert row is not None
        for method in METHODS:
            for who in asked(everyone, route, method, row):
                cells += 1
                wrong += judge(who, method, url, row, planted, named)
    leaks = sum("LEAKS" in line for line in wrong)
    print(f"matrix: {cells} cells, {leaks} leaks, {len(wrong)} wrong")
    assert not wrong, "\n".join(sorted(wrong)[:60])


@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-45")
def test_every_form_asked_by_nobody_by_another_site_and_by_its_own(
    everyone: list[Who], planted: dict[str, str]
) -> None:
    some = [
        w
        for w in everyone
        if (w.role, w.site) in {("", ""), ("coordinator", "01"), ("coordinator", "02"), ("monitor", "")}
    ]
    wrong = []
    for route, name in routes():
        if sampled(route):
            continue
        row, url = needs(route, name), address(route, planted)
        assert row is not None
        for who in some:
            wrong += judge(who, "GET", url, row, planted, url != "/" + route)
    assert not wrong, "\n".join(wrong[:80])
