"""The change feed: whoever follows it has everything, in the order it became true."""

import base64
import json
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from entry.attachments import keep
from exchange.shapes import SHARED
from tests.api_client import Api, codes, exact, problem, text
from tests.entering import correct, enter
from tests.test_attachments import PDF
from tests.test_cohort_wakes import sign
from tests.test_holds import decide, gu, hold  # noqa: F401
from trial import audit, feed
from trial.integrity import history_model
from trial.models import Person
from visits.models import VitalSigns

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(make_token: Any) -> Api:
    """The coordinator's program."""
    return Api(make_token("coordinator_li"))


def pull(api: Api, cursor: str = "", limit: int = 100) -> tuple[list[Any], str]:
    """Everything after the cursor, and the new cursor."""
    changes: list[Any] = []
    while True:
        response = api.get(f"changes/?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert response.status_code == 200, text(response)
        answer = exact(response)
        changes += answer["changes"]
        cursor = answer["next"]
        if not answer["more"]:
            return changes, cursor


def test_every_step_of_a_record_is_told_with_its_data(api: Api, subject: Any) -> None:
    made = api.post("forms/haematology/", f'{{"subject": "{subject.subjid}", "visit": "SCR", "wbc": 4.50}}')
    api.patch(made["Location"], '{"wbc": 4.60, "reason": "misread"}', seen=1)
    api.delete(made["Location"], {"reason": "wrong subject"}, seen=2)
    changes, _ = pull(api)
    assert [(c["form"], c["operation"], c["version"]) for c in changes] == [
        ("subject", "created", 1),
        ("haematology", "created", 1),
        ("haematology", "changed", 2),
        ("haematology", "retracted", 3),
    ]
    last = changes[-1]
    assert (last["subject"], last["site"], last["reason"], last["actor_role"]) == (
        subject.subjid,
        "01",
        "wrong subject",
        "coordinator",
    )
    assert last["changed_at"].endswith("Z") and last["id"] == exact(made)["id"]
    assert last["data"] == exact(api.get(made["Location"]))
    assert [str(c["data"]["wbc_value"]) for c in changes[1:]] == ["4.50", "4.60", "4.60"]


def test_a_hold_and_its_signed_review_are_told_to_every_site_and_the_subject_to_its_own(
    make_token: Any,
    subject: Any,
    hold: Any,  # noqa: F811
    decide: Any,  # noqa: F811
) -> None:
    decide("LIFT")
    told = {}
    for person in ("coordinator_li", "coordinator_elsewhere"):
        changes, _ = pull(Api(make_token(person)))
        told[person] = [c for c in changes if c["form"] in ("hold", "enrolment_hold", "signature")]
    raised, review, signed, lifted = told["coordinator_li"]
    assert [c["form"] for c in told["coordinator_li"]] == ["hold", "enrolment_hold", "signature", "hold"]
    assert [c["operation"] for c in (raised, review, signed, lifted)] == [*["created"] * 3, "changed"]
    assert raised["subject"] == subject.subjid and raised["data"]["cause"] == "DEATH"
    assert raised["data"]["evidence"]["facts"] and raised["data"]["lifted_at"] is None
    assert (review["data"]["hold"], review["data"]["decision"]) == (raised["id"], "LIFT")
    assert (signed["data"]["record"], signed["data"]["name"]) == (review["id"], "Gu")
    assert lifted["data"]["lifted_at"] and lifted["reason"] == "Reviewed with the board."
    elsewhere = told["coordinator_elsewhere"]
    assert [c["id"] for c in elsewhere] == [raised["id"], review["id"], signed["id"], lifted["id"]]
    for mine, theirs in zip((review, signed), elsewhere[1:3], strict=True):
        assert theirs["data"] == mine["data"]
    for one in (elsewhere[0], elsewhere[3]):
        assert one["form"] == "hold" and one["data"]["cause"] == "DEATH"
        hidden = (one["subject"], one["subject_id"], one["site"], one["reason"])
        assert hidden == (None, None, None, None)
        assert (one["data"]["subject"], one["data"]["subject_id"], one["data"]["evidence"]) == (None,) * 3
    assert [c["data"]["lifted_at"] is None for c in (elsewhere[0], elsewhere[3])] == [True, False]


def test_a_signature_of_a_subjects_record_is_told_to_its_own_site_only(
    make_token: Any, subject: Any, li: Any
) -> None:
    record = enter(subject, VitalSigns, li, "SCR", temp_c="36.8").record
    with audit.transaction(li):
        sign(record, "REVIEW", "investigator", li, Person.objects.get(pk=li.person_id))
    here, there = (pull(Api(make_token(one)))[0] for one in ("coordinator_li", "coordinator_elsewhere"))
    assert [c["data"]["record"] for c in here if c["form"] == "signature"] == [str(record.pk)]
    assert there == []


def test_the_feed_tells_of_a_scan_to_its_site_what_it_is_and_where_and_none_of_its_bytes(
    api: Api, make_token: Any, subject: Any, li: Any
) -> None:
    kept = keep(subject, "scan.pdf", [PDF], by=li)
    (told,) = [c for c in pull(api)[0] if c["form"] == "attachment"]
    assert (told["operation"], told["id"], told["subject"], told["site"], told["version"]) == (
        *("created", str(kept.pk), subject.subjid, "01"),
        1,
    )
    data, known = told["data"], exact(api.get(f"attachments/{kept.pk}/"))
    assert data["content"] == f"/api/v1/attachments/{kept.pk}/content/"
    shared = ("id", "subject", "site", "name", "media_type", "size", "sha256", "content")
    assert {name: data[name] for name in shared} == {name: known[name] for name in shared}
    assert set(data) == {*shared, "subject_id", "version", "entered_at", "changed_at"}
    assert b"".join(api.get(data["content"]).streaming_content) == PDF
    assert pull(Api(make_token("coordinator_elsewhere")))[0] == []


def test_the_cursor_goes_on_where_it_stopped_page_by_page(api: Api, subject: Any, li: Any) -> None:
    for n in range(7):
        enter(subject, VitalSigns, li, "SCR", temp_c=f"36.{n}")
    whole, end = pull(api)
    by_twos, same_end = pull(api, limit=2)
    assert [c["cursor"] for c in by_twos] == [c["cursor"] for c in whole]
    rest, _ = pull(api, whole[3]["cursor"])
    assert [c["id"] for c in rest] == [c["id"] for c in whole[4:]]
    assert end and same_end


def test_an_empty_answer_still_moves_the_cursor(api: Api, subject: Any) -> None:
    _, cursor = pull(api)
    answer = exact(api.get(f"changes/?cursor={cursor}"))
    assert answer["changes"] == [] and answer["next"] and answer["more"] is False


def test_people_sites_and_tokens_are_never_told(make_token: Any, subject: Any) -> None:
    changes, _ = pull(Api(make_token("monitor_wu")))
    assert {c["form"] for c in changes} <= set(SHARED)
    assert "person" not in {c["form"] for c in changes}


@pytest.mark.req("R-45")
def test_a_site_sees_its_own_changes_only(
    api: Api, make_token: Any, new_subject: Any, actor: Any, other_site: Any
) -> None:
    here, there = new_subject(), new_subject(by=actor("coordinator_elsewhere"), at=other_site)
    assert {c["subject"] for c in pull(api)[0]} == {here.subjid}
    assert {c["subject"] for c in pull(Api(make_token("coordinator_elsewhere")))[0]} == {there.subjid}
    assert {c["subject"] for c in pull(Api(make_token("monitor_wu")))[0]} == {here.subjid, there.subjid}


def test_a_cursor_of_another_database_says_pull_again_from_the_start(api: Api, subject: Any) -> None:
    _, cursor = pull(api)
    parts = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    parts[1] = "7000000000000000000-1-00000001"
    other = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    document = problem(api.get(f"changes/?cursor={other}"), 409, "start_again")
    assert codes(document) == {"other_database"} and "without a cursor" in document["detail"]


def test_a_cursor_of_fewer_sites_does_not_hide_what_it_passed_by(
    make_token: Any, new_subject: Any, actor: Any, site: Any, other_site: Any
) -> None:
    new_subject(), new_subject(by=actor("coordinator_elsewhere"), at=other_site)
    narrow, wide = Api(make_token("monitor_wu", sites=[site.pk])), Api(make_token("monitor_wu"))
    _, cursor = pull(narrow)
    assert codes(problem(wide.get(f"changes/?cursor={cursor}"), 409, "start_again")) == {"more_sites"}
    _, whole = pull(wide)
    assert narrow.get(f"changes/?cursor={whole}").status_code == 200


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "e30",
        "W10",
        "0",
        "%00",
        "WzEsMiwzLDQsNV0",
        "é",
        base64.urlsafe_b64encode(b'[1,"x",1e999,1,[]]').decode(),
    ],
)
def test_a_text_that_is_no_cursor_is_refused(api: Api, cursor: str) -> None:
    assert problem(api.get(f"changes/?cursor={cursor}"), 400)["errors"][0]["parameter"] == "cursor"


def test_what_is_not_committed_is_not_told_and_not_passed_by(
    api: Api, subject: Any, new_subject: Any, li: Any
) -> None:
    """The slow writer has the smaller id and commits last: the very case that "id greater than my last" loses."""
    other = new_subject()
    _, cursor = pull(api)
    written, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                enter(subject, VitalSigns, li, "SCR", temp_c="36.1")
                written.set()
                may_commit.wait(20)
        finally:
            connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    assert written.wait(20)
    enter(other, VitalSigns, li, "SCR", temp_c="36.2")
    meanwhile, cursor = pull(api, cursor)
    may_commit.set()
    writer.join()
    after, _ = pull(api, cursor)
    assert meanwhile == []
    assert [str(c["data"]["temp_c"]) for c in after] == ["36.1", "36.2"]


@pytest.mark.slow
@pytest.mark.req("R-69")
def test_nothing_is_missed_while_many_write_and_commit_out_of_order(
    api: Api, new_subject: Any, li: Any
) -> None:
    subjects = [new_subject() for _ in range(6)]
    errors: list[BaseException] = []

    def write(subject: Any, seed: int) -> None:
        dice = random.Random(seed)
        try:
            for n in range(8):
                with transaction.atomic():
                    saved = enter(subject, VitalSigns, li, "SCR", temp_c=f"36.{n}")
                    time.sleep(dice.random() * 0.05)
                with transaction.atomic():
                    correct(saved.record, li, temp_c=f"37.{n}")
                    time.sleep(dice.random() * 0.05)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(s, n)) for n, s in enumerate(subjects)]
    for one in writers:
        one.start()
    told, cursor = [], ""
    while any(one.is_alive() for one in writers):
        fresh, cursor = pull(api, cursor, limit=5)
        told += fresh
    for one in writers:
        one.join()
    told += pull(api, cursor)[0]
    assert not errors
    kept = set(_versions(li))
    assert len(kept) == 6 * 8 * 2
    found = [(c["id"], c["version"]) for c in told if c["form"] == "vital_signs"]
    assert set(found) == kept, "the feed told every version"
    assert len(found) == len(set(found)), "and none twice"
    for key in {key for key, _ in found}:
        assert [v for k, v in found if k == key] == [1, 2], "each record in the order of its versions"


def _versions(li: Any) -> Iterator[tuple[str, int]]:
    with audit.reading(li):
        rows = list(history_model(VitalSigns).objects.values_list("id", "version"))
    return ((str(key), version) for key, version in rows)


def test_the_position_is_read_back_as_it_was_written() -> None:
    position = feed.Position(7, 9, "7711-5-00000001", (1, 2))
    assert feed.parse(position.text()) == position
    with pytest.raises(feed.BadCursor):
        feed.parse(position.text()[:-4])
