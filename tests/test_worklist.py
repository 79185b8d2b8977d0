"""What waits for the site: due, overdue and missing, right at the site's own midnight."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from entry.lines import Line
from entry.worklist import KINDS, Task, tasks_of
from review.queries import raise_query
from safety.casebook import SiteBook
from subjects.crf import Subject
from subjects.models import Demographics
from tests.api_client import Api
from tests.entering import enter
from trial.fields import uuid7
from visits.models import Ecog, Visit
from visits.schedule import SCHEDULE

SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"
SUBJECT = Subject(pk=uuid7(), subjid="01-001", site_id=1)


def site(zone: str) -> SiteBook:
    """Site 01 in this zone."""
    return SiteBook(1, "01", zone, None)


def line(
    form: str, visit: str = "", dated: str = "", told: str = "", status: str = "COMPLETE", **more: Any
) -> Line:
    """One record as the overview reads it."""
    return Line(form, SUBJECT.pk, uuid4(), visit, 1, status, "OPEN", more.get("not_done", False), dated, told)


def infused(moment: datetime) -> Line:
    """The infusion, at a moment."""
    return line("infusion", dated=moment.isoformat())


def local(day: str, clock: str = "10:00", zone: str = SHANGHAI) -> datetime:
    """A moment on the clock of a zone."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone))


def tasks(*lines: Line, now: datetime, zone: str = SHANGHAI) -> list[Task]:
    """What waits at a moment."""
    with time_machine.travel(now, tick=False):
        return tasks_of(SUBJECT, list(lines), site(zone))


def kinds(found: list[Task], visit: str) -> list[str]:
    """In which lists a visit stands."""
    return [task.kind for task in found if task.visit == visit and task.form == "visit"]


@pytest.mark.req("R-30")
@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK])
@pytest.mark.parametrize(
    ("visit", "last"),
    [("D1", 1), ("D14", 14), ("D28", 30)],  # day of the study on which the window closes
)
def test_a_visit_is_overdue_from_the_first_second_after_the_sites_midnight(
    zone: str, visit: str, last: int
) -> None:
    day0 = date(2026, 3, 1)  # New York changes its clocks on 8 March
    start = datetime.combine(day0, time(10), ZoneInfo(zone))
    midnight = datetime.combine(day0 + timedelta(days=last + 1), time(0), ZoneInfo(zone)).astimezone(UTC)
    assert kinds(tasks(infused(start), now=midnight - timedelta(seconds=1), zone=zone), visit) == ["due"]
    assert kinds(tasks(infused(start), now=midnight, zone=zone), visit) == ["overdue"]


@pytest.mark.req("R-30")
@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)),
    minutes=st.integers(0, 1_200_000),
    zone=st.sampled_from([SHANGHAI, NEW_YORK, "Europe/London", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_the_lists_agree_with_counting_days_on_the_sites_calendar(
    start: datetime, minutes: int, zone: str
) -> None:
    moment = start.replace(tzinfo=UTC)
    now = moment + timedelta(minutes=minutes)
    found = tasks(infused(moment), now=now, zone=zone)
    day0, today = (m.astimezone(ZoneInfo(zone)).date() for m in (moment, now))
    for visit in SCHEDULE:
        if visit.anchor == "D0" and not visit.months:
            away = today.toordinal() - day0.toordinal() - visit.days
            if away > visit.after:
                wanted = ["overdue"]
            elif away >= -visit.before:
                wanted = ["due"]
            else:
                wanted = ["week"] if away >= -visit.before - 7 else []
            assert kinds(found, visit.code) == wanted, visit.code


def test_how_late_is_counted_in_days_at_the_site() -> None:
    found = tasks(infused(local("2026-03-01")), now=local("2026-03-05", "00:00"))
    assert {t.visit: t.days for t in found if t.kind == "overdue" and t.visit in ("D1", "D3")} == {
        "D1": 3,
        "D3": 1,
    }


def test_a_visit_that_took_place_or_was_missed_with_a_reason_is_not_asked_for() -> None:
    lines = [
        infused(local("2026-03-01")),
        line("visit", "D1", "2026-03-02"),
        line("visit", "D2", not_done=True),
    ]
    found = tasks(*lines, now=local("2026-03-10"))
    assert kinds(found, "D1") == [] and kinds(found, "D2") == [] and kinds(found, "D3") == ["overdue"]


@pytest.mark.parametrize(
    ("death", "contact", "waits"),
    [
        ("2026", [], []),
        ("2026", [line("survival_ltfu", "", "2026-03-20", "ALIVE|")], ["D1", "D2", "D3", "D4"]),
        ("2026", [line("survival_ltfu", "", "2026-06-20", "LOST|2026-03-19")], ["D1", "D2", "D3"]),
        ("2026-03", [], []),
        ("2026-03-18", [], ["D1", "D2"]),
    ],
)
def test_nobody_waits_for_visits_after_a_death_whose_day_is_not_known(
    death: str, contact: list[Line], waits: list[str]
) -> None:
    lines = [infused(local("2026-03-16")), line("death", "", death), *contact]
    found = tasks(*lines, now=local("2026-11-20"))
    assert [
        t.visit for t in found if t.kind == "overdue" and t.visit[1:].isdecimal() and t.visit != "D0"
    ] == waits


def test_missing_forms_of_a_visit_that_took_place_each_lead_to_their_page() -> None:
    visit = line("visit", "D2", "2026-03-03")
    begun = line("haematology", "D2", "2026-03-03T08:00:00+08:00", status="DRAFT")
    done = line("chemistry", "D2", "2026-03-03T08:00:00+08:00")
    found = tasks(infused(local("2026-03-01")), visit, begun, done, now=local("2026-03-04"))
    forms = {t.form: t.url for t in found if t.kind == "form" and t.visit == "D2"}
    assert forms == {
        "crs_assessment": "/subjects/01-001/D2/crs_assessment/new",
        "icans_assessment": "/subjects/01-001/D2/icans_assessment/new",
        "haematology": "/subjects/01-001/D2/haematology",
        "coagulation": "/subjects/01-001/D2/coagulation",
    }


def test_a_conditional_form_is_missing_only_when_its_condition_holds() -> None:
    def missing(*more: Line) -> bool:
        lines = (infused(local("2026-03-01")), line("visit", "D28", "2026-03-29"), *more)
        return any(t.form == "pregnancy_test" for t in tasks(*lines, now=local("2026-03-30")))

    assert not missing()
    assert not missing(line("demographics", told="M||YES"))
    assert missing(line("demographics", told="F|YES|"))


@pytest.mark.parametrize(
    ("clock", "there", "missing"),
    [
        ("10:10", (), ["before infusion"]),
        ("10:21", (), ["before infusion", "15 min after start"]),
        ("10:21", ("PRE_INF",), ["15 min after start"]),
        ("23:00", ("PRE_INF", "INF_15M", "INF_30M", "INF_1H", "INF_2H"), ["4 h after start"]),
    ],
)
def test_vital_signs_around_the_infusion_are_missing_once_their_time_is_over(
    clock: str, there: tuple[str, ...], missing: list[str]
) -> None:
    lines = [line("vital_signs", "D0", local("2026-03-01").isoformat(), told) for told in there]
    start = [infused(local("2026-03-01")), line("visit", "D0", "2026-03-01")]
    found = tasks(*start, *lines, now=local("2026-03-01", clock))
    told = [t.what["en"].removeprefix("vital signs ") for t in found if t.form == "vital_signs"]
    assert told == missing


@pytest.mark.parametrize(("sets", "told"), [(0, "2 missing"), (1, "1 missing"), (2, "")])
def test_inpatients_lack_vital_signs_until_two_sets_are_there(sets: int, told: str) -> None:
    rows = [line("vital_signs", "D3", f"2026-03-04T{8 + n}:00:00+08:00", "VISIT") for n in range(sets)]
    start = [infused(local("2026-03-01")), line("visit", "D3", "2026-03-04")]
    assert not [t for t in tasks(*start, *rows, now=local("2026-03-04", "23:59")) if t.form == "vital_signs"]
    found = [
        t.what["en"]
        for t in tasks(*start, *rows, now=local("2026-03-05", "00:01"))
        if t.form == "vital_signs"
    ]
    assert bool(found) is bool(told) and all(told in words for words in found)


def test_cytokines_are_asked_for_every_twelve_hours_while_crs_is_of_grade_two() -> None:
    start = [infused(local("2026-03-01"))]
    grades = [("2026-03-04", "08:00", "2"), ("2026-03-05", "08:00", "3"), ("2026-03-05", "16:00", "1")]
    crs = [line("crs_assessment", "D3", local(day, clock).isoformat(), grade) for day, clock, grade in grades]
    taken = line("pd_cytokine", "D3", local("2026-03-04", "18:00").isoformat())

    def gaps(*rows: Line) -> list[str]:
        found = tasks(*start, *crs, *rows, now=local("2026-03-06"))
        return [
            t.what["en"].partition(": ")[2]
            for t in found
            if t.form == "pd_cytokine" and "CRS" in t.what["en"]
        ]

    assert gaps() == ["2026-03-04 08:00 – 2026-03-05 16:00"]
    assert gaps(taken) == ["2026-03-04 18:00 – 2026-03-05 16:00"]
    assert gaps(taken, line("pd_cytokine", "D4", local("2026-03-05", "06:00").isoformat())) == []


@pytest.fixture
def busy(subject: Any, li: Any, wu: Any) -> Any:
    """A subject with a visit, a form to complete and a query."""
    enter(subject, Visit, li, visit="D28", actual_date="2026-03-05", status="COMPLETE")
    enter(subject, Demographics, li, sex="F", childbearing_potential="YES", birth_date="1990")
    record = enter(subject, Ecog, li, visit="D28", ecog_date="2026-03-05", ecog="1").record
    raise_query(record, "ecog", "Is this right?", by=wu)
    return subject


@pytest.mark.django_db
def test_the_page_and_the_api_tell_the_same(busy: Any, person_client: Any, make_token: Any) -> None:
    browser: Client = person_client("coordinator_li")
    browser.cookies["edc_language"] = "en"
    page = browser.get("/today").content.decode()
    rows = [
        r for r in Api(make_token("coordinator_li")).get("worklist/").json() if r["subject"] == busy.subjid
    ]
    assert {"form", "query"} <= {row["kind"] for row in rows} <= set(KINDS)
    assert all(f'href="{row["page"]}"' in page for row in rows)
    assert f"/subjects/{busy.subjid}/D28/pregnancy_test" in {row["page"] for row in rows}
    for row in rows:
        assert browser.get(row["page"], follow=True).status_code == 200, row
    browser.cookies["edc_language"] = "zh-hans"
    assert "待答复质疑" in browser.get("/today").content.decode()


@pytest.mark.django_db
def test_another_site_sees_none_of_it(busy: Any, person_client: Any, make_token: Any) -> None:
    assert busy.subjid not in person_client("coordinator_elsewhere").get("/today").content.decode()
    found = Api(make_token("coordinator_elsewhere")).get("worklist/").json()
    assert busy.subjid not in {row["subject"] for row in found}
