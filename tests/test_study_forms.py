"""The committee's review: a form of the study, entered over the API and on its page with the strictness of any form."""

from typing import Any

import pytest

from dosing.committee import SrcReview
from dosing.models import Infusion
from tests.api_client import Api, problem
from tests.entering import correct, enter
from trial.fields import uuid7
from trial.models import Site

pytestmark = pytest.mark.django_db
REVIEW = {
    "site": "01",
    "data_cutoff": "2026-02-01",
    "meeting_date": "2026-02-03",
    "level": "DL1",
    "subjects_reviewed": "01-001, 01-002",
    "n_evaluable": 2,
    "n_dlt": 0,
    "algorithm_recommendation": "ESCALATE",
    "decision": "ESCALATE",
    "status": "COMPLETE",
}
FORM = "forms/src_review/"


@pytest.fixture
def qian(make_token: Any) -> Api:
    return Api(make_token("data_manager_qian"))


def test_the_contract_is_that_of_every_form(qian: Api, make_token: Any) -> None:
    made = qian.post(FORM, REVIEW, Idempotency_Key="meeting-1")
    assert made.status_code == 201 and made.json()["sequence"] >= 1, made.content
    key, tag = made.json()["id"], made.headers["ETag"]
    assert tag == '"1"' and "subject" not in made.json()
    assert qian.post(FORM, REVIEW, Idempotency_Key="meeting-1").status_code == 200
    for other in ({"n_dlt": 1}, {"site": "02"}):
        problem(qian.post(FORM, {**REVIEW, **other}, Idempotency_Key="meeting-1"), 422, "other_body")
    one = f"{FORM}{key}/"
    assert qian.patch(one, {"n_dlt": 1}).status_code == 428
    assert qian.patch(one, {"n_dlt": 1}, seen=1).json()["errors"][0]["field"] == "reason"
    changed = qian.patch(one, {"n_dlt": 1, "reason": "recounted"}, seen=1)
    assert changed.status_code == 200 and changed.json()["n_dlt"] == 1 and changed.json()["version"] == 2
    assert qian.patch(one, {"n_dlt": 2, "reason": "late"}, seen=1).status_code == 412
    assert qian.patch(one, {"n_dlt": 3, "reason": "more than all"}, seen=2).status_code == 400
    assert [v["version"] for v in qian.get(f"{one}history/").json()] == [1, 2]
    assert key in {row["id"] for row in qian.get(f"{FORM}?site=01").json()}
    locked = qian.post(f"{one}lock/", {"state": "LOCKED", "reason": "decided"}, If_Match='"2"')
    assert locked.status_code == 200 and locked.json()["lock_state"] == "LOCKED", locked.content
    assert qian.patch(one, {"n_dlt": 0, "reason": "again"}, seen=3).status_code == 423
    names = {form["form"] for form in qian.get("dictionary/").json()}
    assert {"src_review", "protocol_deviation"} <= names
    li = Api(make_token("coordinator_li"))
    assert li.post(FORM, REVIEW).status_code == 403 and li.get(one).status_code == 200
    assert Api(make_token("coordinator_elsewhere")).get(one).status_code == 404


def _changes(api: Api) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = api.get(f"changes/?limit=500{f'&cursor={cursor}' if cursor else ''}").json()
        found += page["changes"]
        cursor = page["next"]
        if not page["more"]:
            return found


@pytest.mark.django_db(transaction=True)
def test_the_change_feed_tells_of_it_without_a_subject(qian: Api) -> None:
    key = qian.post(FORM, REVIEW).json()["id"]
    told = [c for c in _changes(qian) if c["form"] == "src_review" and c["data"]["id"] == key]
    assert [(c["operation"], c["subject"], c["site"]) for c in told] == [("created", None, "01")]


def test_what_is_unlikely_is_saved_and_said(qian: Api) -> None:
    made = qian.post(FORM, {**REVIEW, "decision": "STAY"})
    assert made.status_code == 201 and made.json()["doubts"][0]["check"] == "src_review.rationale"
    refused = qian.post(FORM, {**REVIEW, "visit": "D0"})
    assert refused.status_code == 400 and refused.json()["errors"][0]["field"] == "visit"


def test_a_subject_tells_what_follows_from_its_records(subject: Any, li: Any, make_token: Any) -> None:
    enter(subject, Infusion, li, inf_start_dt="2026-02-20 10:00", part_no="1")
    facts = Api(make_token("coordinator_li")).get(f"subjects/{subject.subjid}/").json()["derived"]
    assert facts["infusion_date"] == "2026-02-20" and facts["dose_level"] is None
    assert facts["analysis_sets"] == ["ENROLLED", "SAFETY"] and facts["dlt_evaluable"] is None
    assert SrcReview.form == "src_review"


def test_the_page_enters_corrects_and_refuses_as_every_form_does(person_client: Any) -> None:
    browser = person_client("data_manager_qian")
    browser.cookies["edc_language"] = "en"
    site = Site.objects.get(code="01").pk
    page = browser.get(f"/study/src_review/new?site={site}").content.decode()
    assert "Data cut-off" in page and 'name="new_id"' in page
    new_id = page.split('name="new_id" value="')[1].split('"')[0]
    answers = {k: str(v) for k, v in REVIEW.items() if k not in ("site", "status")}
    sheet = {**answers, "new_id": new_id, "seen": "0", "act": "complete"}
    wrong = browser.post(f"/study/src_review/new?site={site}", {**sheet, "n_dlt": "5"})
    assert wrong.status_code == 422 and "among 2 evaluable" in wrong.content.decode()
    made = browser.post(f"/study/src_review/new?site={site}", sheet)
    assert made.status_code == 302 and made["Location"] == f"/study/src_review/{new_id}"
    again = browser.post(made["Location"], {"n_dlt": "1", "seen": "1", "act": "save"})
    assert again.status_code == 422 and "Say why" in again.content.decode()
    assert (
        browser.post(made["Location"], {"n_dlt": "1", "seen": "1", "reason": "recounted"}).status_code == 302
    )
    stale = browser.post(made["Location"], {"n_dlt": "2", "seen": "1", "reason": "late"})
    assert stale.status_code == 409
    both = stale.content.decode().split('id="row-n_dlt"')[1].split('class="meanwhile"')[1].split("</div>")[0]
    assert "</b> 1<" in both and "</b> 2<" in both
    assert new_id in browser.get("/study/src_review").content.decode()
    reader = person_client("coordinator_li")
    assert '<form method="post" id="form"' not in reader.get(made["Location"]).content.decode()
    assert reader.post(made["Location"], {"n_dlt": "0", "seen": "2", "reason": "x"}).status_code == 404
    assert person_client("coordinator_elsewhere").get(made["Location"]).status_code == 404


def _complete(qian: Api) -> tuple[str, str]:
    """A review that is complete: its id and the address of its page."""
    key = qian.post(FORM, REVIEW).json()["id"]
    return key, f"/study/src_review/{key}"


def _browser(person_client: Any, person: str) -> Any:
    browser = person_client(person)
    browser.cookies["edc_language"] = "en"
    return browser


def test_a_record_is_locked_opened_and_retracted_on_its_page(qian: Api, person_client: Any) -> None:
    key, page = _complete(qian)
    browser = _browser(person_client, "data_manager_qian")
    assert f'action="{page}/lock"' in browser.get(page).content.decode()
    assert browser.post(f"{page}/lock", {"state": "LOCKED", "seen": "1"}).status_code == 422
    locked = browser.post(f"{page}/lock", {"state": "LOCKED", "reason": "decided", "seen": "1"})
    assert locked.status_code == 302 and locked["Location"] == page
    told = browser.get(page).content.decode()
    assert "takes no change until you open it" in told and 'id="form"' not in told
    assert browser.post(page, {"n_dlt": "1", "seen": "2", "reason": "late"}).status_code == 423
    assert browser.post(f"{page}/lock", {"state": "OPEN", "reason": "r", "seen": "1"}).status_code == 409
    assert browser.post(f"{page}/lock", {"state": "OPEN", "reason": "r", "seen": "2"}).status_code == 302
    empty = browser.post(page, {"act": "retract", "seen": "3", "retract_reason": ""})
    assert empty.status_code == 422 and 'href="#f-retract"' in empty.content.decode()
    gone = {"act": "retract", "seen": "3", "retract_reason": "entered twice"}
    assert browser.post(page, gone).status_code == 302
    assert "This record is retracted" in browser.get(page).content.decode()
    assert qian.get(f"{FORM}{key}/").json()["retracted"] is True
    assert person_client("coordinator_li").post(f"{page}/lock", {"state": "LOCKED"}).status_code == 403


@pytest.mark.req("R-38")
def test_the_committee_signs_on_the_page_and_over_the_api(
    qian: Api, person_client: Any, make_token: Any, password: str
) -> None:
    key, page = _complete(qian)
    kang = _browser(person_client, "investigator_kang")
    assert "I took part in this review" in kang.get(page).content.decode()
    mine = {"meaning": "COMMITTEE", "username": "investigator_kang", "seen": "1"}
    wrong = kang.post(f"{page}/sign", {**mine, "password": "not mine"})
    assert wrong.status_code == 422 and "Not signed" in wrong.content.decode()
    signed = kang.post(f"{page}/sign", {**mine, "password": password})
    assert signed.status_code == 302 and signed["Location"] == f"{page}#signatures"
    told = kang.get(page).content.decode()
    assert "康医生 Dr Kang" in told and "s-done" in told
    sun = Api(make_token("statistician_sun"))
    sent = {"meaning": "COMMITTEE", "username": "statistician_sun", "password": password}
    made = sun.post(f"{FORM}{key}/signatures/", sent, If_Match='"1"')
    assert made.status_code == 201 and made.json()["subject"] is None, made.content
    listed = sun.get(f"{FORM}{key}/signatures/").json()
    assert [(s["role"], s["meaning"]) for s in listed] == [
        ("investigator", "COMMITTEE"),
        ("statistician", "COMMITTEE"),
    ]
    assert [s["stands"] for s in sun.get(f"{FORM}{key}/").json()["signatures"]] == [True, True]
    qian.patch(f"{FORM}{key}/", {"n_dlt": 1, "reason": "recounted"}, seen=1)
    assert "no longer stands" in kang.get(page).content.decode()
    assert [s["stands"] for s in sun.get(f"{FORM}{key}/").json()["signatures"]] == [False, False]
    assert kang.post(f"{page}/sign", {**mine, "password": password}).status_code == 409
    li = person_client("coordinator_li")
    assert "f-sign_password" not in li.get(page).content.decode()
    assert li.post(f"{page}/sign", {**mine, "password": password}).status_code == 403


def test_monitors_see_the_review_with_its_signatures(
    qian: Api, person_client: Any, actor: Any, password: str, rf: Any
) -> None:
    from entry.signing import sign
    from trial import audit

    key, page = _complete(qian)
    kang = actor("investigator_kang")
    with audit.reading(kang):
        review = SrcReview.objects.get(pk=key)
    who = {"username": "investigator_kang", "password": password, "request": rf.post("/")}
    made = sign(review, "COMMITTEE", by=kang, seen=1, **who)
    monitor = _browser(person_client, "monitor_wu")
    listed = monitor.get("/admin/dosing/srcreview/")
    assert listed.status_code == 200 and f"/admin/dosing/srcreview/{key}/change/" in listed.content.decode()
    shown = monitor.get(f"/admin/dosing/srcreview/{key}/change/").content.decode()
    assert "康医生 Dr Kang" in shown and "Safety review committee #" in shown and "Raise query" not in shown
    assert monitor.get(f"/admin/dosing/srcreview/{key}/history/").status_code == 200
    beside = monitor.get(f"/admin/subjects/signature/{made.pk}/change/").content.decode()
    assert f"/admin/dosing/srcreview/{key}/change/" in beside
    assert monitor.get(f"/records/src_review/{key}?field=decision")["Location"] == f"{page}#row-decision"


def test_an_allocation_names_the_review_that_opened_its_level(
    qian: Api, subject: Any, li: Any, person_client: Any
) -> None:
    from dosing.models import DoseAllocation
    from entry.door import Rejected, retract_record

    key = qian.post(FORM, REVIEW).json()["id"]
    first = enter(
        subject, DoseAllocation, li, level="DL1", status="COMPLETE", allocated_dt="2026-03-05 09:00"
    )
    assert "src_decision" not in {doubt.field for doubt in first.doubts}
    retract_record(first.record, by=li, reason="other level", seen=1)
    answers = {"level": "DL2", "allocated_dt": "2026-03-05 09:00", "status": "COMPLETE"}
    second = enter(subject, DoseAllocation, li, **answers)
    assert [doubt.check for doubt in second.doubts] == ["missing.src_decision"]
    page = _browser(person_client, "coordinator_li").get(f"/subjects/{subject.subjid}/log/dose_allocation")
    assert f'<option value="{key}">01 #' in page.content.decode()
    named = correct(second.record, li, src_decision=key)
    assert named.doubts == [] and str(named.record.src_decision_id) == key
    with pytest.raises(Rejected) as refused:
        correct(named.record, li, src_decision=str(subject.pk))
    assert [p.code for p in refused.value.problems] == ["no_such_record"]
    gone = qian.post(FORM, REVIEW).json()["id"]
    qian.delete(f"{FORM}{gone}/", {"reason": "entered twice"}, seen=1)
    with pytest.raises(Rejected):
        correct(named.record, li, src_decision=gone)


def test_a_page_that_is_sent_twice_makes_one_record(person_client: Any, site: Any) -> None:
    page, key = person_client("data_manager_qian"), str(uuid7())
    sent = {"new_id": key, "seen": "0", "data_cutoff": "2026-02-01", "act": "save"}
    first, again = (page.post(f"/study/src_review/new?site={site.pk}", sent) for _ in range(2))
    assert (first.status_code, again.status_code, again["Location"]) == (302, 302, first["Location"])
    other = page.post(f"/study/src_review/new?site={site.pk}", {**sent, "data_cutoff": "2026-02-02"})
    assert other.status_code == 409
    assert SrcReview.objects.get(pk=key).version == 1
