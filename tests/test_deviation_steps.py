"""What the site does with a deviation: who may take which step in which state, what each step asks for, and that what
the rules find and what people say never overwrite each other."""

from typing import Any

import pytest
from django.utils.translation import override

from dosing.models import Infusion
from entry.deviation_steps import STEPS, take
from entry.verdicts import Rejected, Stale
from review.assessment import came_back, in_state, state_of, version_of
from review.models import DeviationAssessment
from review.shown import fact_value
from safety.engine import evaluate
from safety.manual_deviations import SEVERITY
from safety.models import Deviation
from subjects.models import PriorTransplant
from tests.api_client import Api, exact, problem
from tests.entering import correct, enter
from trial import audit
from trial.access import Forbidden
from trial.people import system_actor
from trial.rules import Severity

pytestmark = [pytest.mark.django_db, pytest.mark.req("R-28")]

COMPLETE = {
    "category": "TREATMENT",
    "cause": "The calendar was read wrongly.",
    "severity": "IMPORTANT",
    "impact_subject_safety": "YES",
    "impact_data": "NO",
    "capa": "A second person checks the interval.",
    "irb_reported_on": "2026-03-05",
}
WAY = {
    "OPEN": (),
    "ACKNOWLEDGED": ("acknowledge",),
    "CLASSIFIED": ("classify",),
    "CLOSED": ("classify", "close"),
    "JUSTIFIED": ("justify",),
}
POSSIBLE = {
    "OPEN": {"acknowledge", "classify", "justify"},
    "ACKNOWLEDGED": {"classify", "justify"},
    "CLASSIFIED": {"classify", "close", "justify"},
    "CLOSED": {"reopen"},
    "JUSTIFIED": {"reopen"},
}


@pytest.fixture
def transplant(subject: Any, li: Any) -> Any:
    """An allogeneic transplant six weeks before the infusion."""
    enter(subject, Infusion, li, inf_start_dt="2025-03-01 10:00")
    return enter(subject, PriorTransplant, li, sct_date="2025-01-15", sct_type="ALLO").record


def found(subject: Any, by: Any, rule: str = "DV-01") -> Deviation:
    """The deviation as it stands."""
    evaluate(subject.pk, by=system_actor())
    with audit.reading(by):
        return Deviation.objects.select_related("assessment").get(subject_id=subject.pk, rule_id=rule)


def step(
    deviation: Deviation, name: str, by: Any, text: str = "seen with the team", **answers: Any
) -> Deviation:
    """Take a step, having seen the deviation as it is in hand."""
    given = COMPLETE | answers if name == "classify" else {}
    return take(deviation.pk, name, given, text, by=by, seen=version_of(deviation))


@pytest.mark.parametrize("state", WAY)
def test_each_state_allows_its_steps_and_no_others(
    state: str, subject: Any, transplant: Any, li: Any
) -> None:
    deviation = found(subject, li)
    for name in WAY[state]:
        deviation = step(deviation, name, li)
    assert state_of(deviation) == state
    for name in set(STEPS) - POSSIBLE[state]:
        with pytest.raises(Rejected) as refused:
            step(deviation, name, li)
        assert [p.code for p in refused.value.problems] == ["wrong_state"]
    for name in POSSIBLE[state]:
        with pytest.raises(Stale):
            take(deviation.pk, name, COMPLETE, "why", by=li, seen=version_of(deviation) - 1)
    with audit.reading(li):
        assert Deviation.objects.filter(in_state(state), pk=deviation.pk).exists()
        others = [one for one in WAY if one != state]
        assert not any(Deviation.objects.filter(in_state(one), pk=deviation.pk).exists() for one in others)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("person", ["monitor_wu", "data_manager_qian", "statistician_sun", "auditor_zhou"])
def test_sponsors_roles_take_no_step(person: str, name: str, actor: Any) -> None:
    with pytest.raises(Forbidden):
        take(Deviation().pk, name, COMPLETE, "why", by=actor(person), seen=1)


LACKING = [
    ("category", {"category": ""}, "classify"),
    ("category", {"category": "NONSENSE"}, "classify"),
    ("cause", {"cause": " "}, "classify"),
    ("severity", {"severity": ""}, "classify"),
    ("severity_reason", {"severity": "MINOR"}, "classify"),
    ("impact_subject_safety", {"impact_subject_safety": ""}, "classify"),
    ("impact_data", {"impact_data": ""}, "classify"),
    ("irb_reported_on", {"irb_reported_on": "05.03.2026"}, "classify"),
    ("irb_reported_on", {"irb_reported_on": "2999-01-01"}, "classify"),
    ("irb_reported_on", {"irb_reported_on": ""}, "close"),
    ("capa", {"capa": ""}, "close"),
    ("capa", {"severity": "MAJOR", "severity_reason": "no harm", "capa": "", "irb_reported_on": ""}, "close"),
    ("", {"severity": "MAJOR", "severity_reason": "no harm", "irb_reported_on": ""}, "close"),
    ("", {"severity": "MINOR", "severity_reason": "no harm", "capa": "", "irb_reported_on": ""}, "close"),
    ("", {"irb_reported_on": "", "irb_not_reported_reason": "the committee asked for yearly lists"}, "close"),
]


def test_what_a_step_lacks_is_named(subject: Any, transplant: Any, li: Any) -> None:
    deviation = found(subject, li)
    for field, answers, name in LACKING:
        try:
            if name == "close":
                deviation = step(deviation, "classify", li, **answers)
            deviation = step(deviation, name, li, **(answers if name == "classify" else {}))
            lacking = []
        except Rejected as refused:
            lacking = [p.field for p in refused.problems]
        assert lacking == ([field] if field else []), (field, answers, name)
        if state_of(deviation) == "CLOSED":
            deviation = step(deviation, "reopen", li)


def test_a_question_without_an_answer_is_named(subject: Any, transplant: Any, li: Any) -> None:
    with pytest.raises(Rejected) as refused:
        step(found(subject, li), "classify", li, impact_subject_safety="", impact_data="")
    with override("zh-hans"):
        said = {one.field: str(one.message) for one in refused.value.problems}
    assert "受试者权益" in said["impact_subject_safety"] and "数据可靠性" in said["impact_data"]


def test_the_page_says_at_classification_what_closing_will_ask_for(
    person_client: Any, subject: Any, transplant: Any, li: Any
) -> None:
    browser = person_client("coordinator_li")
    browser.cookies["edc_language"] = "en"
    told = browser.get(f"/deviations/{found(subject, li).pk}").content.decode()
    assert "cannot be closed without it" in told


def test_a_severity_has_one_word() -> None:
    for language in ("en", "zh-hans"):
        with override(language):
            for one in (Severity.MAJOR, Severity.MINOR):
                assert one.label == SEVERITY.label(one)


def test_a_justified_deviation_comes_back_when_its_evidence_changes(
    subject: Any, transplant: Any, li: Any
) -> None:
    justified = step(found(subject, li), "justify", li, "The date is that of an autologous transplant.")
    assert state_of(found(subject, li)) == "JUSTIFIED"
    transplant.refresh_from_db()
    correct(transplant, li, sct_date="2025-02-15")
    again = found(subject, li)
    assert (state_of(again), came_back(again), again.status) == ("OPEN", True, "OPEN")
    with audit.reading(li):
        assert Deviation.objects.filter(in_state("OPEN"), pk=again.pk).exists()
    transplant.refresh_from_db()
    correct(transplant, li, sct_date="2024-01-15")
    cleared = found(subject, li)
    assert cleared.status == "CLEARED" and justified.assessment.justification
    with pytest.raises(Rejected):
        step(cleared, "acknowledge", li)
    transplant.refresh_from_db()
    correct(transplant, li, sct_date="2025-02-15")
    acknowledged = step(found(subject, li), "acknowledge", li)
    assert [line["step"] for line in acknowledged.assessment.talk] == ["justify", "acknowledge"]


def test_the_severity_of_the_rule_and_of_the_site_are_both_kept(
    subject: Any, transplant: Any, li: Any
) -> None:
    step(found(subject, li), "classify", li, severity="MINOR", severity_reason="No harm came of it.")
    one = found(subject, li)
    assert (one.severity, one.assessment.severity) == ("IMPORTANT", "MINOR")
    with audit.reading(li):
        kept = list(DeviationAssessment.history.filter(deviation_id=one.pk))
    assert [(row.actor_role, row.history_change_reason) for row in kept] == [
        ("coordinator", "seen with the team")
    ]


def test_the_api_takes_each_step_once(make_token: Any, subject: Any, transplant: Any, li: Any) -> None:
    api, monitor = Api(make_token("coordinator_li")), Api(make_token("monitor_wu"))
    address = f"deviations/{found(subject, li).pk}/"
    seen = api.get(address)["ETag"]
    problem(api.post(address + "acknowledge/", {}), 428)
    problem(monitor.post(address + "acknowledge/", {}, If_Match=seen), 403)
    first = api.post(address + "acknowledge/", {"text": "read"}, If_Match=seen, Idempotency_Key="a1")
    again = api.post(address + "acknowledge/", {"text": "read"}, If_Match=seen, Idempotency_Key="a1")
    assert (first.status_code, again.status_code, again["ETag"]) == (200, 200, first["ETag"])
    assert (
        exact(again)["assessment"]["state"] == "ACKNOWLEDGED" and len(exact(again)["assessment"]["talk"]) == 1
    )
    other = {"text": "other words"}
    problem(api.post(address + "acknowledge/", other, If_Match=seen, Idempotency_Key="a1"), 422, "other_body")
    problem(api.post(address + "justify/", {"text": "no"}, If_Match=seen), 412, "stale")
    body = COMPLETE | {"impact_subject_safety": True, "impact_data": False}
    lacking = problem(api.post(address + "classify/", {**body, "cause": ""}, If_Match=first["ETag"]), 400)
    assert [error["field"] for error in lacking["errors"]] == ["cause"]
    classified = api.post(address + "classify/", body, If_Match=first["ETag"], Idempotency_Key="c1")
    milder = {**body, "severity": "MINOR", "severity_reason": "one day only"}
    changed = api.post(address + "classify/", milder, If_Match=first["ETag"], Idempotency_Key="c1")
    problem(changed, 422, "other_body")
    assert exact(classified)["assessment"]["impact_subject_safety"] is True
    closed = api.post(address + "close/", {}, If_Match=classified["ETag"])
    assert exact(closed)["assessment"]["closed_at"]
    problem(api.post(address + "close/", {}, If_Match=closed["ETag"]), 409, "wrong_state")
    assert [row["id"] for row in exact(api.get("deviations/?state=CLOSED"))] == [exact(closed)["id"]]
    problem(api.get("deviations/?state=NOPE"), 400)


def test_the_pages_show_state_history_and_the_next_steps(
    person_client: Any, subject: Any, transplant: Any, li: Any
) -> None:
    page, deviation = person_client("coordinator_li"), found(subject, li)
    address = f"/deviations/{deviation.pk}"
    assert b'action="' + address.encode() + b'/classify"' in page.get(address).content
    refused = page.post(address + "/classify", {**COMPLETE, "cause": "", "seen": version_of(deviation)})
    assert refused.status_code == 422 and b"A second person checks" in refused.content
    sent = {**COMPLETE, "seen": version_of(deviation), "text": "done"}
    assert page.post(address + "/classify", sent).status_code == 302
    assert page.post(address + "/classify", sent).status_code == 409
    assert address.encode() in page.get("/deviations?state=CLASSIFIED").content
    assert address.encode() not in page.get("/deviations?state=OPEN&rule=DV-01").content
    assert b"calendar was read wrongly" in person_client("monitor_wu").get(address).content
    assert page.get(address + "/nonsense").status_code in (404, 405)
    admin = person_client("monitor_wu").get(f"/admin/safety/deviation/{deviation.pk}/change/")
    assert b"calendar was read wrongly" in admin.content
    assert person_client("coordinator_elsewhere").get(address).status_code == 404


@pytest.mark.parametrize(
    ("language", "limit"),
    [("en", "≥ 3 months; not before 2025-04-15"), ("zh-hans", "≥ 3 个月;不早于 2025-04-15")],
)
def test_the_page_tells_evidence_on_the_sites_clock_and_the_limit_in_its_language(
    language: str, limit: str, subject: Any, transplant: Any, li: Any, person_client: Any
) -> None:
    client = person_client("coordinator_li")
    client.cookies["edc_language"] = language
    page = client.get(f"/deviations/{found(subject, li).pk}").content.decode()
    assert limit in page
    assert "2025-03-01 10:00" in page and "2025-03-01T" not in page


def test_the_page_names_roles_and_states_in_the_readers_language(
    person_client: Any, subject: Any, transplant: Any, li: Any
) -> None:
    page = person_client("coordinator_li")
    address = f"/deviations/{found(subject, li).pk}"
    page.post(f"{address}/acknowledge", {"seen": "1", "text": "已阅"})
    talk = page.get(address, headers={"accept-language": "zh-hans"}).content.decode().split('class="talk"')[1]
    assert (
        "临床协调员" in talk and "已确认" in talk and "ACKNOWLEDGED" not in talk and "coordinator" not in talk
    )
    refused = page.post(f"{address}/close", {"seen": "2"}, headers={"accept-language": "zh-hans"})
    assert "当前状态为“已确认”" in refused.content.decode() and 'id="errors"' in refused.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("inf_start_dt", "2026-03-01T02:00:00+00:00", "2026-03-01 10:00"),
        (
            "inf_start_dt",
            "01-004 DL1 2026-03-01",
            "01-004 DL1 2026-03-01",
        ),  # another subject's, in the rule's own words
        ("inf_start_dt", "", "—"),
    ],
)
def test_what_a_rule_looked_at_is_shown_as_its_form_shows_it_or_in_the_words_of_the_rule(
    field: str, value: str, says: str
) -> None:
    assert says in fact_value("infusion", field, value, "Asia/Shanghai")
