"""Not done, for an item, a section, a form and a whole visit: set in one step, undone in one, never beside a value."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from entry.door import Rejected, save_record
from entry.not_done import mark, undo
from review.models import Query
from safety.forms import FORMS
from subjects.crf import CRF
from tests.entering import correct, enter, fill
from tests.pages import boxes, stored
from trial import audit
from trial.fields import uuid7
from trial.integrity import history_model
from visits.models import Chemistry, CrsAssessment, Haematology, Visit, VitalSigns

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def page(person_client: Any) -> Client:
    made: Client = person_client("coordinator_li")
    made.cookies["edc_language"] = "en"
    return made


@pytest.fixture
def api(make_token: Any) -> Client:
    return Client(
        headers={"authorization": f"Bearer {make_token('coordinator_li')}", "accept-language": "en"}
    )


def everything(li: Any, subject: Any) -> dict[Any, Any]:
    """What counts of a subject, as the lists of records tell it: every answer, mark and state; versions apart."""
    found = {}
    with audit.reading(li):
        for model in FORMS:
            for row in model._default_manager.filter(subject_id=subject.pk, retracted=False):
                told = {f.attname: getattr(row, f.attname) for f in model._meta.concrete_fields}
                found[row.pk] = {k: v for k, v in told.items() if k not in ("version", "changed_at")}
    return found


def history(li: Any, model: type[CRF], subject: Any) -> list[Any]:
    with audit.reading(li):
        return list(history_model(model).objects.filter(subject_id=subject.pk).order_by("history_id"))


def state(li: Any, record: Any) -> set[str]:
    with audit.reading(li):
        return set(Query.objects.filter(record_id=record.pk).values_list("status", flat=True))


def test_a_whole_visit_is_one_transaction_with_one_reason_and_one_undo_restores_it(
    subject: Any, li: Any
) -> None:
    empty = enter(subject, Haematology, li, "D2", status="COMPLETE").record
    draft = enter(subject, CrsAssessment, li, "D2").record
    given = enter(subject, Chemistry, li, "D2", lb_dt="2026-01-05 08:00", alt="22").record
    assert state(li, empty) == {"OPEN"}
    before = everything(li, subject)

    group = mark(subject, "D2", "SUBJECT_REFUSED", by=li, note="went home")
    marked = {record.form for record in group.records}
    assert {"visit", "haematology", "crs_assessment", "vital_signs", "icans_assessment"} <= marked
    assert "chemistry" not in marked
    assert state(li, empty) == {"CLOSED"}
    past = [history(li, type(record), subject)[-1] for record in group.records]
    assert {(row.xid, row.history_change_reason) for row in past} == {
        (past[0].xid, "visit D2 not done: SUBJECT_REFUSED; went home")
    }
    assert all(row.not_done and row.not_done_reason == "SUBJECT_REFUSED" for row in past)

    undone = undo(subject, "D2", by=li)
    assert len(undone.records) == len(group.records)
    assert everything(li, subject) == before
    assert state(li, empty) == {"OPEN"}
    rows = history(li, CrsAssessment, subject)
    assert [(r.version, r.not_done, r.status) for r in rows if r.id == draft.pk] == [
        (1, False, "DRAFT"), (2, True, "COMPLETE"), (3, False, "DRAFT")
    ]  # fmt: skip
    assert len({history(li, type(r), subject)[-1].xid for r in undone.records}) == 1
    assert stored(li, Chemistry, pk=given.pk).version == 1
    with pytest.raises(Rejected, match="wrong_state"):
        undo(subject, "D2", by=li)


def test_a_visit_can_be_marked_undone_and_marked_again(subject: Any, li: Any) -> None:
    for number in range(2):
        again = replace(li, request_id=f"request {number}")
        mark(subject, "D3", "NOT_DONE", by=again)
        undo(subject, "D3", by=again)
    assert everything(li, subject) == {}


def test_what_was_changed_since_is_not_taken_back(subject: Any, li: Any) -> None:
    group = mark(subject, "D3", "OTHER", by=li)
    vitals = next(record for record in group.records if record.form == "vital_signs")
    vitals.not_done, vitals.not_done_reason = False, ""
    correct(vitals, li, temp_c="37")
    with pytest.raises(Rejected) as refused:
        undo(subject, "D3", by=li)
    assert "D3" in refused.value.problems[0].value
    assert stored(li, Visit, subject=subject, visit="D3").not_done


@pytest.mark.parametrize(("why", "field"), [("BORED", "reason"), ("", "reason")])
def test_a_reason_outside_the_list_is_refused(why: str, field: str, subject: Any, li: Any) -> None:
    with pytest.raises(Rejected) as refused:
        mark(subject, "D3", why, by=li)
    assert refused.value.problems[0].field == field and everything(li, subject) == {}


def test_a_visit_that_took_place_is_not_marked(subject: Any, li: Any) -> None:
    enter(subject, Visit, li, "D3", actual_date="2026-01-05")
    with pytest.raises(Rejected) as refused:
        mark(subject, "D3", "NOT_DONE", by=li)
    assert (refused.value.problems[0].field, refused.value.problems[0].value) == ("actual_date", "2026-01-05")


def test_one_form_by_one_click_and_back(subject: Any, li: Any, page: Client) -> None:
    start = f"/subjects/{subject.subjid}/D3"
    assert page.post(f"{start}/not-done", {"form": "haematology", "why": "SAMPLE_LOST"}).status_code == 302
    row = stored(li, Haematology, subject=subject)
    assert (row.not_done, row.not_done_reason, row.visit) == (True, "SAMPLE_LOST", "D3")
    assert "Undo “not done”" in page.get(f"{start}/haematology").content.decode()
    assert page.post(f"{start}/not-done", {"form": "haematology", "why": "SAMPLE_LOST"}).status_code == 409
    assert page.post(f"{start}/undo", {"form": "haematology"}).status_code == 302
    assert everything(li, subject) == {}
    assert page.post(f"{start}/undo", {"form": "haematology"}).status_code == 409
    assert page.post(f"{start}/not-done", {"form": "nothing", "why": "OTHER"}).status_code == 404


def test_a_visit_on_the_page_of_the_subject(subject: Any, li: Any, page: Client) -> None:
    enter(subject, VitalSigns, li, "D4", temp_c="37")
    text = page.get(f"/subjects/{subject.subjid}").content.decode()
    assert f'action="/subjects/{subject.subjid}/D4/not-done"' in text
    answer = page.post(f"/subjects/{subject.subjid}/D4/not-done", {"why": "NOT_DONE"}, follow=True)
    assert "marked as not done" in answer.content.decode()
    assert "Undo: the whole visit as before" in answer.content.decode()
    assert not stored(li, VitalSigns, subject=subject).not_done


def test_the_same_over_the_api(subject: Any, li: Any, api: Client) -> None:
    start = f"/api/v1/subjects/{subject.subjid}/visits/D5"

    def post(path: str, **body: str) -> Any:
        return api.post(f"{start}/{path}/", json.dumps(body), content_type="application/json")

    made = post("not-done", reason="EQUIPMENT")
    assert made.status_code == 200 and {r["not_done"] for r in made.json()["records"]} == {True}
    assert post("not-done", reason="EQUIPMENT").status_code == 409
    assert post("not-done", reason="nonsense").status_code == 400
    back = post("undo")
    assert back.status_code == 200 and {r["retracted"] for r in back.json()["records"]} == {True}
    assert post("undo").status_code == 409
    assert (
        api.post("/api/v1/subjects/01-999/visits/D5/undo/", "{}", content_type="application/json").status_code
        == 404
    )


def test_a_whole_section_is_marked_by_one_choice_and_taken_back_by_one(
    subject: Any, li: Any, page: Client
) -> None:
    where = f"/subjects/{subject.subjid}/D1/vital_signs"
    sent = boxes(page.get(f"{where}/new"))
    page.post(
        where + "/new", {**sent, "temp_c": "37", "spo2_pct": "98", "section.1": "EQUIPMENT", "act": "save"}
    )
    row = stored(li, VitalSigns, subject=subject)
    assert row.missing == dict.fromkeys(("room_air", "o2_device", "o2_flow_lpm"), "EQUIPMENT")
    assert str(row.spo2_pct) == "98"
    sent = boxes(page.get(f"{where}/{row.pk}"))
    page.post(f"{where}/{row.pk}", {**sent, "section.1": "-", "reason": "found the sheet", "act": "save"})
    assert stored(li, VitalSigns, pk=row.pk).missing == {}


def test_the_question_about_a_missing_answer_follows_the_mark(subject: Any, li: Any) -> None:
    record = enter(subject, Haematology, li, "D1", status="COMPLETE", lb_dt="2026-01-05 08:00").record

    def asked(name: str) -> str:
        with audit.reading(li):
            return str(Query.objects.get(record_id=record.pk, field=name).status)

    assert asked("plt_value") == "OPEN"
    record = correct(record, li, missing={"plt": "SAMPLE_LOST"}).record
    assert asked("plt_value") == "CLOSED"
    record.missing = {}
    save_record(record, by=li, reason="marked by mistake", seen=record.version)
    assert asked("plt_value") == "OPEN"


def test_csv_keeps_the_reason_in_a_column_of_its_own(subject: Any, li: Any, api: Client) -> None:
    enter(subject, Haematology, li, "D1", lb_dt="2026-01-05 08:00", plt="18", missing={"wbc": "SAMPLE_LOST"})
    mark(subject, "D3", "SUBJECT_REFUSED", by=li, form="haematology")
    answer = api.get(f"/api/v1/forms/haematology/?subject={subject.subjid}&format=csv")
    rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))  # type: ignore[attr-defined]
    first, second = sorted(rows, key=lambda row: row["visit"])
    assert (first["plt_value"], first["plt_value__nd"]) == ("18", "")
    assert (first["wbc_value"], first["wbc_value__nd"]) == ("", "SAMPLE_LOST")
    assert {second[name] for name in second if name.endswith("__nd")} == {"SUBJECT_REFUSED"}
    lines = api.get(f"/api/v1/forms/haematology/?subject={subject.subjid}&format=ndjson")
    told = [json.loads(x) for x in b"".join(lines.streaming_content).decode().splitlines()]  # type: ignore[attr-defined]
    told.sort(key=lambda row: row["visit"])
    assert told[0]["wbc_value"] is None and told[0]["missing"] == {"wbc": "SAMPLE_LOST"}


VALUE_AND_MARK = [({"plt": "18"}, {"plt": "NOT_DONE"}), ({"lb_dt": "2026-01-05 08:00"}, {"lb_dt": "UNKNOWN"}),
                  ({"plt": "0"}, {"plt_value": "OTHER"})]  # fmt: skip


@pytest.mark.req("R-26")
@pytest.mark.parametrize(("answers", "missing"), VALUE_AND_MARK)
@pytest.mark.parametrize("channel", ["door", "api", "page", "grid"])
def test_a_value_and_a_mark_never_stand_together(
    channel: str, answers: Any, missing: Any, subject: Any, li: Any, api: Client, page: Client
) -> None:
    where = f"/subjects/{subject.subjid}/D1/haematology"
    name, why = next(iter(missing.items()))
    box = next(iter(answers)) if "lb_dt" in answers else "plt_value"
    value = next(iter(answers.values()))
    if channel == "door":
        with pytest.raises(Rejected, match="answered_and_missing"):
            save_record(fill(Haematology(subject=subject, visit="D1"), **answers, missing=missing), by=li)
    elif channel == "api":
        body = json.dumps({"subject": subject.subjid, "visit": "D1", **answers, "missing": missing})
        if "lb_dt" in answers:
            body = body.replace("2026-01-05 08:00", "2026-01-05T08:00:00Z")
        answer = api.post("/api/v1/forms/haematology/", body, content_type="application/json")
        assert answer.status_code == 400 and "answered_and_missing" in answer.content.decode()
    elif channel == "page":
        line = name.removesuffix("_value")
        answer = page.post(where, {box: value, f"missing.{line}": why, "act": "save"})
        assert answer.status_code == 422 and "marked as missing" in answer.content.decode()
    else:
        line = name.removesuffix("_value")
        for text, wanted in ((value, False), (f"∅ {why}", True), (value, False)):
            there = everything(li, subject)
            key, seen = next(((k, len(history(li, Haematology, subject))) for k in there), (uuid7(), 0))
            cells = {"row": f"0:{key}:{seen}", "0.visit": "D1", f"0.{line}": text, "reason": "source"}
            answer = page.post(f"/subjects/{subject.subjid}/grid/haematology", cells)
            assert answer.status_code == 302, answer.content.decode()[-3000:]
            row = stored(li, Haematology, subject=subject)
            assert bool(row.missing) is wanted and (getattr(row, box) is None) is wanted
        return
    assert everything(li, subject) == {}
