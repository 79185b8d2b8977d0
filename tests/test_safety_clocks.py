"""Clocks of serious events: right over time zones, daylight saving and corrections; each reminder exactly once."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.db import transaction

from entry import views_safety
from safety import reminding
from safety.adverse_events import AdverseEvent
from safety.clocks import Clock, clocks, step_reached
from safety.engine import evaluate
from safety.models import Deviation, Reminder
from tests.conftest import acting_as
from tests.entering import correct, enter
from trial import audit
from trial.audit_sql import REMIND
from trial.jurisdiction import JURISDICTIONS, after_days, after_hours
from trial.models import Outbox
from trial.people import system_actor
from trial.protocol import PROTOCOLS, V1, under

SHANGHAI, BERLIN, NEW_YORK = "Asia/Shanghai", "Europe/Berlin", "America/New_York"


def at(text: str, zone: str = SHANGHAI) -> datetime:
    """A moment on the clock of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


ENDS = [
    # start, days, how they end, the authority's zone, the last moment
    (at("2026-03-01 10:00"), 7, "EXACT", SHANGHAI, at("2026-03-08 10:00")),
    (at("2026-03-01 10:00"), 7, "MIDNIGHT", SHANGHAI, at("2026-03-08 23:59:59.999999")),
    (at("2026-03-01 00:30"), 7, "MIDNIGHT", NEW_YORK, at("2026-03-07 23:59:59.999999", NEW_YORK)),
    (
        at("2026-03-05 12:00", NEW_YORK),
        7,
        "EXACT",
        NEW_YORK,
        at("2026-03-12 13:00", NEW_YORK),
    ),  # clocks go forward
    (at("2026-03-05 12:00", NEW_YORK), 7, "MIDNIGHT", NEW_YORK, at("2026-03-12 23:59:59.999999", NEW_YORK)),
    (at("2026-10-20 12:00", BERLIN), 15, "EXACT", BERLIN, at("2026-11-04 11:00", BERLIN)),  # clocks go back
    (at("2028-02-25 09:00"), 7, "EXACT", SHANGHAI, at("2028-03-03 09:00")),  # a leap year
    (at("2026-12-25 23:59"), 15, "MIDNIGHT", SHANGHAI, at("2027-01-09 23:59:59.999999")),
]


@pytest.mark.parametrize(("start", "days", "end", "zone", "last"), ENDS)
def test_days_end_as_the_profile_says(
    start: datetime, days: int, end: str, zone: str, last: datetime
) -> None:
    assert after_days(start, days, end, zone) == last.astimezone(UTC)


def test_hours_are_exact_when_the_clocks_change() -> None:
    assert after_hours(at("2026-03-28 12:00", BERLIN), 24) == at("2026-03-29 13:00", BERLIN)


def event(**answers: Any) -> AdverseEvent:
    """A serious event of which the site became aware on 1 March at ten."""
    known = {"serious": True, "sae_aware_dt": at("2026-03-01 10:00"), "sae_criteria": ["HOSPITALISATION"]}
    return AdverseEvent(**known | answers)


def due(one: Clock) -> str:
    """When a clock ends, in Shanghai."""
    return f"{one.due.astimezone(ZoneInfo(SHANGHAI)):%m-%d %H:%M}"


SUSAR = {"expected": False, "rel_sscart19": "POSSIBLE"}
CLOCKS = [
    (event(serious=False), {}),
    (event(sae_aware_dt=None), {}),
    (event(expected=True, rel_sscart19="POSSIBLE"), {"SPONSOR": "03-02 10:00"}),
    (event(expected=False, rel_sscart19="UNRELATED"), {"SPONSOR": "03-02 10:00"}),
    (event(**SUSAR), {"SPONSOR": "03-02 10:00", "SUSAR": "03-16 10:00"}),
    (event(**SUSAR, sae_criteria=["LIFE_THREATENING"]), {"SPONSOR": "03-02 10:00", "SUSAR": "03-08 10:00"}),
    (event(**SUSAR, outcome="FATAL"), {"SPONSOR": "03-02 10:00", "SUSAR": "03-08 10:00"}),
    (event(), {"SPONSOR": "03-02 10:00", "SUSAR": "03-16 10:00"}),  # not known yet whether it is one
    (event(**SUSAR, sae_aware_dt=at("2026-03-01 09:00")), {"SPONSOR": "03-02 09:00", "SUSAR": "03-16 09:00"}),
]


@pytest.mark.parametrize(("one", "expected"), CLOCKS)
def test_an_event_starts_its_clocks(one: AdverseEvent, expected: dict[str, str]) -> None:
    assert {clock.kind: due(clock) for clock in clocks(one, V1)} == expected


def test_the_jurisdiction_decides_when_the_days_end() -> None:
    ends = {
        code: next(due(c) for c in clocks(event(**SUSAR), under(V1, code)) if c.kind == "SUSAR")
        for code in JURISDICTIONS
    }
    # 1 March, ten in Shanghai, is still 28 February in New York
    assert ends == {"CN": "03-16 10:00", "EU": "03-17 06:59", "US": "03-16 11:59"}
    with pytest.raises(KeyError):
        under(V1, "NOWHERE")
    assert {p.jurisdiction.value for p in PROTOCOLS.values()} == {"CN"}


RUNNING = Clock(AdverseEvent().pk, "SPONSOR", at("2026-03-01 10:00"), at("2026-03-02 10:00"))
STEPS = [
    ("2026-03-01 21:59", None),
    ("2026-03-01 22:00", "P50"),
    ("2026-03-02 04:00", "P75"),
    ("2026-03-02 09:59", "P75"),
    ("2026-03-02 10:00", "P100"),
    ("2026-03-03 09:59", "P100"),
    ("2026-03-03 10:00", "D1"),
    ("2026-03-12 10:00", "D10"),
]


@pytest.mark.parametrize(("now", "step"), STEPS)
def test_reminders_escalate(now: str, step: str | None) -> None:
    reached = step_reached(RUNNING, V1, at(now))
    assert (reached and reached[0]) == step
    stopped = Clock(RUNNING.event, "SPONSOR", RUNNING.start, RUNNING.due, at("2026-03-01 12:00"))
    assert step_reached(stopped, V1, at(now)) is None


@pytest.fixture
def serious(subject: Any, li: Any) -> Any:
    """A serious event, expected, of which the site became aware on 1 March at ten."""
    with time_machine.travel(at("2026-03-01 11:00"), tick=True):
        told = {"term": "Fever <b>", "serious": "YES", "expected": "YES", "sae_aware_dt": "2026-03-01 10:00"}
        return enter(subject, AdverseEvent, li, **told).record


def run(now: str) -> list[str]:
    """The worker at a time of the day; the steps of the reminders there are then."""
    with acting_as("worker"), time_machine.travel(at(now), tick=True):
        reminding.remind(system_actor())
        reminding.send(system_actor())
        with audit.reading(system_actor()):
            return list(Reminder.objects.order_by("entered_at", "id").values_list("step", flat=True))


def again(record: Any, by: Any) -> Any:
    """The record as it stands."""
    with audit.reading(by):
        return AdverseEvent.objects.select_related("subject").get(pk=record.pk)


@pytest.mark.django_db(transaction=True)
def test_each_step_is_reminded_of_once_and_a_report_ends_it(
    serious: Any, li: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("2026-03-01 12:00") == []
    assert run("2026-03-01 22:01") == run("2026-03-01 22:02") == ["P50"]
    assert [m.to for m in mail.outbox] == [["coordinator_li@example.invalid"]]
    assert "Fever" not in mail.outbox[0].body + mail.outbox[0].subject and "01-" not in mail.outbox[0].body
    assert mail.outbox[0].body.endswith("/safety\n")

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:  # the worker dies between the row of the step and its note
        broken.setattr(Outbox.objects, "bulk_create", killed)
        with pytest.raises(SystemExit):
            run("2026-03-02 04:01")
    with monkeypatch.context() as broken:  # the mail server does not answer
        broken.setattr(reminding, "get_connection", lambda: (_ for _ in ()).throw(OSError))
        assert run("2026-03-02 04:02") == ["P50", "P75"]
    assert len(mail.outbox) == 1
    with acting_as("worker"):
        assert list(Outbox.objects.filter(topic=REMIND).values_list("attempts", flat=True)) == [1]
    assert run("2026-03-02 04:03") == ["P50", "P75"]
    assert {m.to[0].partition("@")[0] for m in mail.outbox} == {"coordinator_li", "investigator_kang"}
    assert run("2026-03-05 10:01") == ["P50", "P75", "D3"]  # only the newest step after a pause
    correct(again(serious, li), li, sae_aware_dt="2026-03-04 10:00")
    assert run("2026-03-05 10:02") == ["P50", "P75", "D3", "P100"]  # the corrected clock has just run out
    correct(again(serious, li), li, sae_report_dt="2026-03-05 10:05")
    assert run("2026-03-09 10:00") == ["P50", "P75", "D3", "P100"]
    evaluate(serious.subject_id, by=system_actor())
    with audit.reading(li):
        late = Deviation.objects.get(subject_id=serious.subject_id, rule_id="DV-59")
        assert late.status == "OPEN"


@pytest.mark.django_db
def test_the_unique_key_is_the_last_wall(serious: Any, li: Any, subject: Any) -> None:
    from django.db import IntegrityError

    told = {"subject_id": subject.pk, "site_id": subject.site_id, "record_id": serious.pk, "clock": "SPONSOR"}
    moments = {"due_at": RUNNING.due, "reached_at": RUNNING.due}
    with audit.transaction(system_actor(), "test"):
        Reminder(**told, **moments, step="P50").save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic(), audit.transaction(system_actor(), "test"):
        Reminder(**told, **moments, step="P50").save(force_insert=True)


def _english(client: Any, address: str) -> str:
    text: str = client.get(address, headers={"accept-language": "en"}).content.decode()
    return text


@pytest.mark.django_db
def test_the_desk_shows_what_is_left(serious: Any, person_client: Any, subject: Any) -> None:
    with time_machine.travel(at("2026-03-01 12:00"), tick=False):
        for person in ("coordinator_li", "monitor_wu"):
            text = _english(person_client(person), "/safety")
            assert subject.subjid in text and "22:00" in text and "Fever &lt;b&gt;" in text, person
        assert f"/subjects/{subject.subjid}" not in _english(
            person_client("coordinator_elsewhere"), "/safety"
        )
    with time_machine.travel(at("2026-03-03 11:30"), tick=False):
        assert "overdue by 1 d 01:30" in _english(person_client("coordinator_li"), "/safety?show=ALL")


@pytest.mark.django_db
def test_a_long_list_of_clocks_leaves_out_what_presses_least(
    serious: Any, person_client: Any, subject: Any, li: Any, monkeypatch: Any
) -> None:
    with time_machine.travel(at("2026-03-03 11:00"), tick=True):
        told = {"term": "Later", "serious": "YES", "expected": "YES", "sae_aware_dt": "2026-03-03 10:00"}
        enter(subject, AdverseEvent, li, **told)
    monkeypatch.setattr(views_safety, "MOST", 1)
    with time_machine.travel(at("2026-03-03 11:30"), tick=False):
        text = _english(person_client("coordinator_li"), "/safety")
    assert "overdue by 1 d 01:30" in text and "Later" not in text


@pytest.mark.django_db
@pytest.mark.parametrize("reported", ["", "2026-03-02 09:00"])
def test_a_serious_event_without_awareness_stands_on_the_desk_and_on_today(
    reported: str, person_client: Any, subject: Any, li: Any
) -> None:
    """Reported or not, and though it surely is no SUSAR: whether it was reported in time cannot be told."""
    told = {"term": "Sepsis", "serious": "YES", "expected": "YES", "start_dt": "2026-03-01"}
    event = enter(subject, AdverseEvent, li, **told, sae_report_dt=reported).record
    there = f"/records/adverse_event/{event.pk}?field=sae_aware_dt"
    for person in ("coordinator_li", "monitor_wu"):
        desk, today = (_english(person_client(person), page) for page in ("/safety", "/today"))
        assert "Time of awareness missing" in desk and there in desk and "Sepsis" in desk, person
        assert "time of awareness missing" in today and there in today, person
        assert (
            "严重不良事件 1:研究中心何时获知?"
            in person_client(person).get("/today", headers={"accept-language": "zh-hans"}).content.decode()
        )
    correct(again(event, li), li, sae_aware_dt="2026-03-01 10:00")
    today = _english(person_client("monitor_wu"), "/today")
    assert there not in today and there not in _english(person_client("monitor_wu"), "/safety")


@pytest.mark.django_db
def test_an_event_that_is_not_serious_needs_no_awareness(person_client: Any, subject: Any, li: Any) -> None:
    enter(subject, AdverseEvent, li, term="Cough", serious="NO")
    assert "sae_aware_dt" not in _english(person_client("coordinator_li"), "/today")
