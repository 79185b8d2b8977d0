"""Reading much: pages, filters, streams, and nothing of another site in any of them."""

import csv
import io
import re
from typing import Any

import pytest
from django.db import connection

from dosing.models import Infusion
from safety.forms import FORMS
from subjects.models import InformedConsent
from tests.api_client import Api, exact, problem, text
from tests.entering import enter
from visits.models import VitalSigns

pytestmark = pytest.mark.django_db
NEXT = re.compile(r'^<(?P<address>[^>]+)>; rel="next"$')


@pytest.fixture
def api(make_token: Any) -> Api:
    return Api(make_token("coordinator_li"))


@pytest.fixture
def rows(subject: Any, li: Any) -> list[Any]:
    """Seven measurements of one subject on two visits."""
    return [
        enter(
            subject, VitalSigns, li, visit, temp_c=f"36.{n}", status="COMPLETE" if n % 2 else "DRAFT"
        ).record
        for n, visit in enumerate(("SCR", "SCR", "SCR", "D0", "D0", "D0", "D0"))
    ]


def follow(api: Api, address: str) -> list[list[Any]]:
    """Every page, following the Link header."""
    pages = []
    while address:
        response = api.get(address)
        pages.append(exact(response))
        found = NEXT.match(response.get("Link", ""))
        address = found["address"] if found else ""
    return pages


@pytest.mark.parametrize(
    ("limit", "sizes"), [(3, [3, 3, 1]), (7, [7]), (1, [1] * 7), (6, [6, 1]), (100, [7])]
)
def test_pages_follow_one_another_without_gap_or_repeat(
    api: Api, rows: list[Any], limit: int, sizes: list[int]
) -> None:
    pages = follow(api, f"forms/vital_signs/?limit={limit}&subject={rows[0].subject.subjid}")
    assert [len(page) for page in pages] == sizes
    assert [row["id"] for page in pages for row in page] == sorted(str(row.pk) for row in rows)


def test_the_next_link_keeps_the_filters(api: Api, rows: list[Any]) -> None:
    pages = follow(api, f"forms/vital_signs/?limit=2&visit=D0&subject={rows[0].subject_id}")
    assert [len(page) for page in pages] == [2, 2]
    assert {row["visit"] for page in pages for row in page} == {"D0"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("visit=SCR", 3),
        ("status=COMPLETE", 3),
        ("status=DRAFT&visit=D0", 2),
        ("site=01", 7),
        ("site=02", 0),
        ("site=99", 0),
        ("changed_since=2020-01-01", 7),
        ("changed_since=2020-01-01T00:00:00%2B08:00", 7),
        ("changed_since=2020-01-01T00:00:00+08:00", 7),
        ("changed_since=2090-01-01T00:00:00Z", 0),
        ("subject=01-000", 0),
    ],
)
def test_filters_narrow(api: Api, rows: list[Any], query: str, count: int) -> None:
    assert len(exact(api.get(f"forms/vital_signs/?{query}"))) == count


@pytest.mark.parametrize(
    "query",
    [
        "visit=D999",
        "status=OPEN",
        "changed_since=yesterday",
        "changed_since=2020-01-01T00:00:00",
        "after=7",
        "format=xml",
        "bom=2",
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_what_could(api: Api, query: str) -> None:
    document = problem(api.get(f"forms/vital_signs/?{query}"), 400, "parameter")
    assert document["errors"][0]["parameter"] == query.partition("=")[0]
    assert document["errors"][0]["limit"]


@pytest.mark.parametrize("name", ["visit", "status"])
def test_a_parameter_twice_is_refused(api: Api, name: str) -> None:
    problem(api.get(f"forms/vital_signs/?{name}=SCR&{name}=D0"), 400)


def test_lists_and_streams_and_single_reads_say_the_same(api: Api, rows: list[Any]) -> None:
    address = "forms/vital_signs/?subject=" + rows[0].subject.subjid
    listed = exact(api.get(address))
    lines = text(api.get(address + "&format=ndjson")).splitlines()
    single = [text(api.get(f"forms/vital_signs/{row['id']}/")) for row in listed]
    assert lines == single
    table = list(csv.DictReader(io.StringIO(text(api.get(address + "&format=csv")))))
    assert [row["id"] for row in table] == [row["id"] for row in listed]
    assert [row["temp_c"] for row in table] == [str(row["temp_c"]) for row in listed]


@pytest.mark.req("R-93")
def test_csv_for_people_is_inert_and_csv_for_programs_is_exact(api: Api, subject: Any) -> None:
    words = ["=1+1", "+49", "-x", "@SUM(A1)", 'say "hi", 你好', "two\nlines", "\ttab"]
    for word in words:
        made = api.post("forms/adverse_event/", {"subject": subject.subjid, "term": word})
        assert made.status_code == 201, text(made)
    address = f"forms/adverse_event/?subject={subject.subjid}&format=csv"
    machine = list(csv.DictReader(io.StringIO(text(api.get(address)))))
    raw = text(api.get(address + "&bom=1"))
    people = list(csv.DictReader(io.StringIO(raw.removeprefix("\ufeff"))))
    assert raw.startswith("\ufeff")
    assert [row["term"] for row in machine] == words
    assert [row["term"] for row in people] == [f"'{w}" if w[0] in "=+-@\t" else w for w in words]


def test_streams_are_for_those_who_may_export(make_token: Any, coordinator_li: Any, site: Any) -> None:
    from datetime import date

    from tests.cast import ADMINISTRATOR
    from trial import audit
    from trial.models import Assignment

    with audit.transaction(ADMINISTRATOR, "second role"):
        Assignment(person=coordinator_li, role="pharmacist", site=site, valid_from=date(2020, 1, 1)).save(
            force_insert=True
        )
    api = Api(make_token(coordinator_li, role="pharmacist"))
    assert api.get("forms/vital_signs/").status_code == 200
    problem(api.get("forms/vital_signs/?format=csv"), 403)
    problem(api.get("changes/"), 403)


@pytest.mark.req("R-45")
def test_no_answer_holds_anything_of_another_site(
    api: Api, make_token: Any, new_subject: Any, actor: Any, other_site: Any
) -> None:
    there = actor("coordinator_elsewhere")
    theirs = new_subject(by=there, at=other_site)
    elsewhere = Api(make_token("coordinator_elsewhere"))
    canary = "CANARY-02"
    made = elsewhere.post("forms/adverse_event/", {"subject": theirs.subjid, "term": canary})
    assert made.status_code == 201, text(made)
    assert (
        elsewhere.post(
            "forms/haematology/", {"subject": theirs.subjid, "visit": "SCR", "wbc": 500}
        ).status_code
        == 201
    )
    lists = [
        "subjects/",
        "visits/",
        "queries/",
        "deviations/",
        "changes/",
        "sites/",
        *(f"forms/{m.form}/" for m in FORMS),
    ]
    streams = [
        f"{a}?format={f}" for a in lists if a not in ("visits/", "changes/") for f in ("csv", "ndjson")
    ]
    filtered = [
        f"forms/adverse_event/?subject={theirs.subjid}",
        f"forms/adverse_event/?subject={theirs.pk}",
        "forms/adverse_event/?site=02",
    ]
    for address in (*lists, *streams, *filtered):
        body = text(api.get(address))
        for secret in (canary, theirs.subjid, str(theirs.pk), other_site.name):
            assert secret not in body, address
    assert canary in text(elsewhere.get("forms/adverse_event/"))


@pytest.mark.django_db(transaction=True)
def test_a_client_that_leaves_early_leaves_nothing_behind(
    api: Api, rows: list[Any], monkeypatch: Any
) -> None:
    monkeypatch.setattr("exchange.sql.BLOCK", 10)
    response = api.get("forms/vital_signs/?format=ndjson")
    next(iter(response.streaming_content))
    assert bool(connection.in_atomic_block)
    response.close()
    assert not connection.in_atomic_block
    assert len(exact(api.get("forms/vital_signs/"))) == 7


@pytest.mark.req("R-45")
def test_a_page_is_one_statement_whatever_its_length(
    api: Api, rows: list[Any], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(9):  # token, delegation, sites, begin, scope, page, end
        api.get("forms/vital_signs/?limit=1000")


@pytest.mark.parametrize("address", ["visits/", "worklist/", "samples/"])
def test_a_page_that_begins_nowhere_is_refused_and_not_the_first_one(api: Api, address: str) -> None:
    answer = problem(api.get(f"{address}?after=01-001"), 400)
    assert answer["errors"][0]["parameter"] == "after"


@pytest.mark.parametrize("address", ["visits/", "samples/"])
def test_a_list_by_subject_counts_subjects_and_cuts_none_in_two(
    api: Api, new_subject: Any, li: Any, address: str
) -> None:
    for _ in range(2):
        one = new_subject(by=li)
        given = {"consent_dt": "2026-01-02 09:00", "icf_version": "1.0"}
        enter(one, InformedConsent, li, consent_type="INITIAL", **given)
        enter(one, Infusion, li, inf_start_dt="2026-01-20 10:00")
    whole = exact(api.get(address))
    first = api.get(f"{address}?limit=1")
    told = exact(first)
    assert len({row["subject"] for row in told}) == 1 < len(told) and 'rel="next"' in first["Link"]
    assert told == [row for row in whole if row["subject"] == told[0]["subject"]]


def test_samples_are_not_compared_with_a_file_that_is_none(api: Api) -> None:
    problem(api.get("samples/?import=yesterday.csv"), 404)
