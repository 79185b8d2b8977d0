"""Entering, correcting and retracting over the API: the same door, told to a program."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from entry import laboratories
from entry.door import set_lock
from exchange.shapes import links_to
from safety.forms import FORMS
from tests.api_client import Api, codes, exact, problem, text
from trial.item import items
from trial.models import Person
from visits.models import Haematology

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(make_token: Any) -> Api:
    """The coordinator's program at site 01."""
    return Api(make_token("coordinator_li"))


@pytest.fixture
def made(api: Api, subject: Any) -> Any:
    """A blood count just entered."""
    response = api.post(
        "forms/haematology/", f'{{"subject": "{subject.subjid}", "visit": "SCR", "wbc": 4.50, "plt": 125}}'
    )
    assert response.status_code == 201, text(response)
    return response


def test_a_record_is_entered_and_read_back_as_it_was_sent(api: Api, made: Any, subject: Any) -> None:
    record = exact(made)
    assert made["ETag"] == '"1"'
    assert exact(api.get(made["Location"])) == {k: v for k, v in record.items() if k != "doubts"}
    assert record["subject"] == subject.subjid and record["site"] == "01" and record["visit"] == "SCR"
    assert record["status"] == "DRAFT" and record["retracted"] is False
    assert record["entered_at"].endswith("Z")


def test_a_number_keeps_the_digits_it_was_sent_with(api: Api, made: Any) -> None:
    assert '"wbc_value":4.50,' in text(api.get(made["Location"]))
    assert exact(made)["wbc_value"].as_tuple() == Decimal("4.50").as_tuple()
    assert exact(made)["plt_value"] == 125


def test_common_keys_come_first_then_the_items(made: Any) -> None:
    keys = list(exact(made))
    assert keys[:4] == ["id", "subject", "subject_id", "site"]
    assert keys.index("changed_at") < keys.index("lb_dt") < keys.index("wbc_value")


def test_a_local_time_is_kept_and_shown_in_utc(api: Api, subject: Any) -> None:
    record = exact(
        api.post(
            "forms/haematology/", {"subject": subject.subjid, "visit": "D1", "lb_dt": "2026-03-05 08:10"}
        )
    )
    assert record["lb_dt"] == "2026-03-05T00:10:00Z"


def test_a_partial_date_stays_partial(api: Api, subject: Any) -> None:
    record = exact(
        api.post("forms/demographics/", {"subject": subject.subjid, "birth_date": "1980-03", "sex": "F"})
    )
    assert record["birth_date"] == "1980-03"
    assert record["race"] is None


def test_below_the_limit_of_quantification_is_read_as_it_is_written(api: Api, subject: Any) -> None:
    record = exact(api.post("forms/haematology/", {"subject": subject.subjid, "visit": "D2", "anc": "<0.1"}))
    assert record["anc_value"] == Decimal("0.1") and record["anc_qual"] == "<"


def test_a_plain_number_takes_an_old_qualifier_away(api: Api, subject: Any) -> None:
    made = api.post("forms/haematology/", {"subject": subject.subjid, "visit": "D2", "anc": "<0.1"})
    record = exact(api.patch(made["Location"], {"anc": 12, "reason": "wrong column"}, seen=1))
    assert (record["anc_value"], record["anc_qual"]) == (12, None)


def test_an_unlikely_value_is_saved_and_asked_about(api: Api, subject: Any) -> None:
    response = api.post("forms/haematology/", {"subject": subject.subjid, "visit": "D3", "wbc": 500})
    assert response.status_code == 201
    (doubt,) = exact(response)["doubts"]
    assert doubt["field"] == "wbc_value" and "unusual" in doubt["detail"]
    (query,) = exact(api.get(f"queries/?record={exact(response)['id']}"))
    assert query["check"] == doubt["check"] and query["source"] == "AUTO"


def test_an_impossible_value_is_refused_with_value_limit_rule_and_fix(api: Api, subject: Any) -> None:
    body = {"subject": subject.subjid, "visit": "D3", "temp_c": 385}
    document = problem(api.post("forms/vital_signs/", body), 400, "rejected")
    (error,) = document["errors"]
    assert error["pointer"] == "/temp_c" and error["value"] == "385" and error["limit"] == "25 – 45"
    assert error["fix"] == "38.5" and error["rule"].startswith("hard range")


def test_the_pointer_names_the_key_that_was_sent(api: Api, subject: Any) -> None:
    document = problem(
        api.post("forms/haematology/", {"subject": subject.subjid, "visit": "D3", "wbc": 99999}), 400
    )
    assert [error["pointer"] for error in document["errors"]] == ["/wbc"]


@pytest.mark.req("R-47")
@pytest.mark.parametrize(
    "key",
    [
        "id",
        "version",
        "site",
        "site_id",
        "subject_id",
        "sequence",
        "lock_state",
        "retracted",
        "typed",
        "entered_at",
        "changed_at",
    ],
)
def test_what_the_system_sets_cannot_be_sent(api: Api, subject: Any, made: Any, key: str) -> None:
    body = {"subject": subject.subjid, "visit": "D4", key: 1}
    assert codes(problem(api.post("forms/haematology/", body), 400)) == {"read_only"}
    assert codes(problem(api.patch(made["Location"], {key: 1}, seen=1), 400)) == {"read_only"}


@pytest.mark.req("R-47")
@pytest.mark.parametrize(
    "key", ["wbc_valu", "history", "_state", "pk", "subject__site", "__class__", "wbc_si", "a/b~c"]
)
def test_any_other_key_is_refused_by_name(api: Api, subject: Any, key: str) -> None:
    document = problem(
        api.post("forms/haematology/", {"subject": subject.subjid, "visit": "D4", key: 1}), 400
    )
    (error,) = document["errors"]
    assert error["code"] in ("unknown_item", "calculated")
    assert error["pointer"] == "/" + key.replace("~", "~0").replace("/", "~1")
    if key == "wbc_valu":
        assert error["fix"] == "wbc_value"


def test_a_correction_needs_the_version_that_was_seen(api: Api, made: Any) -> None:
    problem(api.patch(made["Location"], {"wbc": 5, "reason": "misread"}), 428, "precondition")


@pytest.mark.parametrize("tag", ['W/"1"', "*", '"1", "2"', "1", '"x"', '""', '"-1"'])
def test_a_tag_that_does_not_say_what_was_seen_is_refused(api: Api, made: Any, tag: str) -> None:
    problem(api.send("PATCH", made["Location"], {"wbc": 5, "reason": "x"}, If_Match=tag), 400, "header")


def test_a_correction_needs_a_reason(api: Api, made: Any) -> None:
    document = problem(api.patch(made["Location"], {"wbc": 5}, seen=1), 400)
    assert document["errors"][0]["pointer"] == "/reason"


@pytest.mark.parametrize("how", ["body", "header", "chinese header"])
def test_the_reason_comes_in_the_body_or_in_a_header(api: Api, made: Any, how: str) -> None:
    word = "转录错误" if how == "chinese header" else "transcription error"
    sent = {"wbc": 5, "reason": word} if how == "body" else {"wbc": 5}
    headers = {} if how == "body" else {"X_Reason": word.encode().decode("latin-1")}
    response = api.patch(made["Location"], sent, seen=1, **headers)
    assert response.status_code == 200, text(response)
    assert response["ETag"] == '"2"'
    first, second = exact(api.get(made["Location"] + "history/"))
    assert (first["operation"], second["operation"], second["reason"]) == ("created", "changed", word)
    assert first["record"]["wbc_value"] == Decimal("4.50") and second["record"]["wbc_value"] == 5
    assert second["actor_role"] == "coordinator" and second["request_id"] == response["X-Request-ID"]


def test_a_stale_writer_gets_both_values(api: Api, made: Any) -> None:
    assert api.patch(made["Location"], {"wbc": 5, "reason": "one"}, seen=1).status_code == 200
    response = api.patch(made["Location"], {"wbc": 6, "reason": "two"}, seen=1)
    document = problem(response, 412, "stale")
    assert response["ETag"] == '"2"' and document["current_version"] == 2
    assert {"current": "5", "sent": "6"}.items() <= document["errors"][0].items()


def test_patch_changes_only_what_is_sent_and_put_empties_the_rest(api: Api, made: Any) -> None:
    patched = exact(api.patch(made["Location"], {"wbc": 5, "reason": "x"}, seen=1))
    assert (patched["wbc_value"], patched["plt_value"]) == (5, 125)
    put = exact(api.put(made["Location"], {"wbc": 6, "reason": "x"}, seen=2))
    assert (put["wbc_value"], put["plt_value"], put["version"]) == (6, None, 3)


def test_saving_the_same_again_changes_nothing(api: Api, made: Any) -> None:
    response = api.patch(made["Location"], '{"wbc": 4.50}', seen=1)
    assert (response.status_code, response["ETag"]) == (200, '"1"')


def test_a_record_does_not_move(api: Api, made: Any, new_subject: Any) -> None:
    other = new_subject()
    assert codes(problem(api.patch(made["Location"], {"visit": "D1", "reason": "x"}, seen=1), 400)) == {
        "fixed"
    }
    assert codes(
        problem(api.patch(made["Location"], {"subject": other.subjid, "reason": "x"}, seen=1), 400)
    ) == {"fixed"}


def test_missing_is_said_with_a_reason_and_taken_back(api: Api, made: Any) -> None:
    marked = exact(api.patch(made["Location"], {"missing": {"anc": "SAMPLE_LOST"}, "reason": "x"}, seen=1))
    assert marked["missing"] == {"anc": "SAMPLE_LOST"}
    back = exact(api.patch(made["Location"], {"missing": {"anc": None}, "anc": 1, "reason": "x"}, seen=2))
    assert back["missing"] == {} and back["anc_value"] == 1
    document = problem(
        api.patch(made["Location"], {"missing": {"wbc": "BROKEN"}, "reason": "x"}, seen=3), 400
    )
    assert document["errors"][0]["pointer"] == "/missing/wbc"


def test_a_form_not_done_says_why(api: Api, subject: Any) -> None:
    body = {"subject": subject.subjid, "visit": "D5", "not_done": True}
    problem(api.post("forms/haematology/", body), 400)
    record = exact(
        api.post("forms/haematology/", {**body, "not_done_reason": "SUBJECT_REFUSED", "status": "COMPLETE"})
    )
    assert record["not_done"] is True and record["not_done_reason"] == "SUBJECT_REFUSED"


def test_delete_strikes_out_with_a_reason_and_the_record_stays(api: Api, made: Any) -> None:
    problem(api.delete(made["Location"], seen=1), 400)
    problem(api.delete(made["Location"], {"reason": "x"}), 428)
    assert exact(api.delete(made["Location"], {"reason": "wrong subject"}, seen=1))["retracted"] is True
    kept = exact(api.get(made["Location"]))
    assert kept["retracted"] is True and kept["wbc_value"] == Decimal("4.50")
    assert exact(api.get(made["Location"] + "history/"))[-1]["reason"] == "wrong subject"


def test_a_locked_record_is_423(api: Api, made: Any, actor: Any) -> None:
    record = Haematology(pk=exact(made)["id"], subject_id=exact(made)["subject_id"])
    set_lock(record, "LOCKED", by=actor("data_manager_qian"), reason="database lock")
    problem(api.patch(made["Location"], {"wbc": 5, "reason": "x"}, seen=2), 423, "locked")


def test_the_same_form_twice_is_409_and_names_the_first(api: Api, made: Any, subject: Any) -> None:
    document = problem(
        api.post("forms/haematology/", {"subject": subject.subjid, "visit": "SCR", "wbc": 4}), 409, "exists"
    )
    assert document["errors"][0]["value"] == exact(made)["id"]


@pytest.mark.req("R-45")
def test_another_sites_subject_is_the_same_404_as_none(
    api: Api, made: Any, make_token: Any, new_subject: Any, actor: Any, other_site: Any
) -> None:
    theirs = new_subject(by=actor("coordinator_elsewhere"), at=other_site)
    elsewhere = Api(make_token("coordinator_elsewhere"))
    answers = [
        problem(api.post("forms/haematology/", {"subject": name, "visit": "SCR"}), 404)
        for name in (theirs.subjid, str(theirs.pk), "02-998", str(uuid4()))
    ]
    answers += [
        problem(elsewhere.get(made["Location"]), 404),
        problem(elsewhere.get(f"forms/haematology/{uuid4()}/"), 404),
    ]
    answers += [
        problem(elsewhere.patch(made["Location"], {"wbc": 1, "reason": "x"}, seen=1), 404),
        problem(elsewhere.delete(made["Location"], {"reason": "x"}, seen=1), 404),
        problem(elsewhere.get(made["Location"] + "history/"), 404),
        problem(elsewhere.get(f"subjects/{exact(made)['subject']}/visits/"), 404),
    ]
    for one in answers:
        one.pop("instance")
    assert all(one == answers[0] for one in answers)


@pytest.mark.req("R-45")
def test_a_link_to_another_subjects_record_is_refused(api: Api, subject: Any, new_subject: Any) -> None:
    other = new_subject()
    batch = exact(api.post("forms/manufacturing/", {"subject": other.subjid}))["id"]
    for wrong in (batch, str(uuid4()), "abc", 7):
        document = problem(
            api.post("forms/infusion/", {"subject": subject.subjid, "part_no": 1, "batch": wrong}), 400
        )
        assert document["errors"][0]["pointer"] == "/batch"


@pytest.mark.parametrize("person", [2**31, 2**63, -1, 0, "999999999999999999", "x"])
def test_a_link_to_nobody_is_refused(api: Api, subject: Any, person: Any) -> None:
    problem(api.post("forms/informed_consent/", {"subject": subject.subjid, "obtained_by": person}), 400)


def test_a_visit_that_is_not_in_the_schedule_is_refused(api: Api, subject: Any) -> None:
    document = problem(api.post("forms/haematology/", {"subject": subject.subjid, "visit": "D999"}), 400)
    assert document["errors"][0]["pointer"] == "/visit" and "D28" in document["errors"][0]["limit"]


@pytest.mark.req("R-35")
def test_the_same_key_and_body_make_one_record(api: Api, subject: Any) -> None:
    body = {"subject": subject.subjid, "part_no": 1}
    first = api.post("forms/infusion/", body, Idempotency_Key="k-1")
    again = api.post("forms/infusion/", body, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first["Location"] == again["Location"]
    assert len(exact(api.get(f"forms/infusion/?subject={subject.subjid}"))) == 1
    problem(api.post("forms/infusion/", {**body, "part_no": 2}, Idempotency_Key="k-1"), 422, "other_body")
    assert api.post("forms/infusion/", body, Idempotency_Key="k-2").status_code == 201


@pytest.mark.req("R-35")
def test_a_re_sent_body_is_known_even_after_a_correction(api: Api, subject: Any) -> None:
    body = f'{{"subject": "{subject.subjid}", "visit": "D7", "wbc": 4.50, "missing": {{"plt": "NOT_DONE", "anc": "OTHER"}}}}'
    first = api.post("forms/haematology/", body, Idempotency_Key="k-3")
    assert first.status_code == 201, text(first)
    api.patch(first["Location"], {"wbc": 5, "reason": "misread"}, seen=1)
    again = api.post("forms/haematology/", body, Idempotency_Key="k-3")
    assert (again.status_code, again["ETag"]) == (200, '"2"')
    problem(api.post("forms/haematology/", body.replace("4.50", "4.5"), Idempotency_Key="k-3"), 422)


@pytest.mark.req("R-35")
@pytest.mark.parametrize("form", ["haematology", "coagulation"])
def test_the_laboratory_that_was_filled_in_makes_no_other_body(
    api: Api, subject: Any, site: Any, actor: Any, form: str
) -> None:
    laboratories.add_laboratory(site, "Central", "", None, True, by=actor("data_manager_qian"))
    body = {"subject": subject.subjid, "visit": "D7", "lb_dt": "2026-03-05 08:10"}
    first = api.post(f"forms/{form}/", body, Idempotency_Key="k-4")
    assert first.status_code == 201 and exact(first)["laboratory"], text(first)
    again = api.post(f"forms/{form}/", body, Idempotency_Key="k-4")
    assert (again.status_code, again["Location"]) == (200, first["Location"]), text(again)
    other = body | {"lb_dt": "2026-03-05 08:20"}
    problem(api.post(f"forms/{form}/", other, Idempotency_Key="k-4"), 422, "other_body")


def test_one_persons_key_is_not_anothers(api: Api, make_token: Any, subject: Any) -> None:
    body = {"subject": subject.subjid, "part_no": 1}
    mine = api.post("forms/infusion/", body, Idempotency_Key="same")
    theirs = Api(make_token("investigator_kang")).post("forms/infusion/", body, Idempotency_Key="same")
    assert theirs.status_code == 201 and theirs["Location"] != mine["Location"]


@pytest.mark.req("R-35")
@pytest.mark.django_db(transaction=True)
def test_three_at_once_with_one_key_still_make_one(make_token: Any, subject: Any) -> None:
    token = make_token("coordinator_li")

    def send(_: int) -> tuple[int, str]:
        try:
            response = Api(token).post(
                "forms/haematology/",
                {"subject": subject.subjid, "visit": "D1", "wbc": 4},
                Idempotency_Key="race",
            )
            return response.status_code, response["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(send, range(3)))
    assert sorted(code for code, _ in answers) == [200, 200, 201]
    assert len({location for _, location in answers}) == 1


def test_a_subject_is_entered_found_and_never_twice(api: Api) -> None:
    made = api.post("subjects/", {"subjid": "01-901", "site": "01"}, Idempotency_Key="s1")
    assert made.status_code == 201 and exact(api.get("subjects/01-901/")) == exact(api.get(made["Location"]))
    assert api.post("subjects/", {"subjid": "01-901", "site": "01"}, Idempotency_Key="s1").status_code == 200
    problem(api.post("subjects/", {"subjid": "01-901", "site": "01"}), 409, "exists")
    problem(api.post("subjects/", {"subjid": "901", "site": "01"}), 400)
    problem(api.post("subjects/", {"subjid": "02-001", "site": "02"}), 404)
    problem(api.post("subjects/", {"subjid": "01-902"}), 400)
    assert exact(api.get("subjects/01-901/history/"))[0]["operation"] == "created"


def test_a_subjects_visits_show_window_and_what_took_place(api: Api, subject: Any, li: Any) -> None:
    api.post(
        "forms/informed_consent/",
        {"subject": subject.subjid, "consent_type": "INITIAL", "consent_dt": "2026-03-01 09:00"},
    )
    api.post("forms/visit/", {"subject": subject.subjid, "visit": "SCR", "actual_date": "2026-03-02"})
    visits = {row["visit"]: row for row in exact(api.get(f"subjects/{subject.subjid}/visits/"))}
    screening = visits["SCR"]
    assert (screening["earliest"], screening["latest"]) == ("2026-03-01", "2026-03-29")
    assert (screening["state"], screening["actual"], screening["in_window"]) == ("DONE", "2026-03-02", True)
    assert visits["D28"]["nominal"] is None and visits["D28"]["state"] == "NOT_DUE"
    everyone = exact(api.get("visits/?visit=SCR"))
    assert {row["visit"] for row in everyone} == {"SCR"}


LINKS = [(model, name) for model in FORMS for name in items(model) if links_to(model, name)]


@pytest.mark.parametrize(("model", "name"), LINKS, ids=[f"{m.form}.{n}" for m, n in LINKS])
def test_every_link_of_every_form_refuses_what_is_not_there(
    api: Api, subject: Any, model: Any, name: str
) -> None:
    wrong = 999_999 if links_to(model, name) is Person else str(uuid4())
    document = problem(
        api.post(f"forms/{model.form}/", {"subject": subject.subjid, "visit": "SCR", name: wrong}), 400
    )
    assert [error["pointer"] for error in document["errors"]] == [f"/{name}"]


@pytest.mark.parametrize("model", FORMS, ids=[m.form for m in FORMS])
def test_every_form_is_entered_read_listed_streamed_and_traced(api: Api, subject: Any, model: Any) -> None:
    made = api.post(f"forms/{model.form}/", {"subject": subject.subjid, "visit": "SCR"})
    assert made.status_code == 201, text(made)
    record = exact(api.get(made["Location"]))
    assert set(items(model)) < set(record)
    assert exact(api.get(f"forms/{model.form}/?subject={subject.subjid}")) == [record]
    assert exact(api.get(f"forms/{model.form}/?subject={subject.subjid}&format=ndjson")) == record
    header, line = text(api.get(f"forms/{model.form}/?subject={subject.subjid}&format=csv")).splitlines()
    beside = [name for name in header.split(",") if name.endswith("__nd")]
    assert [name for name in header.split(",") if name not in beside] == list(record) and record["id"] in line
    assert {name.removesuffix("__nd") for name in beside} < set(record)
    (first,) = exact(api.get(made["Location"] + "history/"))
    assert first["record"] == record
