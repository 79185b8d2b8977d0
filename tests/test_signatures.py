"""Signing a record: on its page, over the API, and what becomes of a signature when the record changes."""

import html
import re
from typing import Any

import pytest
from django.db import Error, connection
from django.test import Client

from entry.door import retract_record, set_lock
from subjects.models import Signature
from tests.api_client import Api, codes, exact, problem
from tests.cast import PASSWORD
from tests.entering import correct, enter
from tests.pages import stored
from trial import audit
from visits.models import Ecog

pytestmark = pytest.mark.django_db
SAYS = "I have reviewed this record; it is complete and accurate."


@pytest.fixture
def kang(person_client: Any) -> Client:
    """The investigator's browser, in English."""
    browser: Client = person_client("investigator_kang")
    browser.cookies["edc_language"] = "en"
    return browser


@pytest.fixture
def record(subject: Any, li: Any) -> Any:
    """A completed form, at version 1."""
    return enter(subject, Ecog, li, "SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record


def home(record: Any) -> str:
    return f"/subjects/{record.subject.subjid}/SCR/ecog"


def sign(browser: Client, record: Any, seen: Any = 1, **other: Any) -> Any:
    """Send the small form below the record."""
    sent = {"meaning": "REVIEW", "username": "investigator_kang", "password": PASSWORD, "seen": seen}
    return browser.post(f"/records/ecog/{record.pk}/sign", {**sent, **other})


def words(answer: Any) -> str:
    plain = html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", plain)


def signatures(li: Any, record: Any) -> list[Signature]:
    with audit.reading(li):
        return list(Signature.objects.filter(record_id=record.pk))


@pytest.mark.req("R-36")
def test_every_display_of_a_signed_record_says_who_when_and_what(
    kang: Client, person_client: Any, make_token: Any, record: Any
) -> None:
    assert sign(kang, record)["Location"] == f"{home(record)}#signatures"
    told = words(kang.get(home(record)))
    assert "康医生 Dr Kang (Investigator) · 20" in told and SAYS in told and "stands" in told
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \+08:00", told)
    row = exact(Api(make_token("coordinator_li")).get(f"forms/ecog/{record.pk}/"))["signatures"]
    assert [(s["name"], s["role"], s["meaning"], s["stands"]) for s in row] == [
        ("康医生 Dr Kang", "investigator", "REVIEW", True)
    ]
    assert row[0]["statement"]["zh"].startswith("本人已审核") and row[0]["signed_at"].endswith("Z")
    monitor = person_client("monitor_wu")
    monitor.cookies["edc_language"] = "zh-hans"
    shown = words(monitor.get(f"/admin/visits/ecog/{record.pk}/change/"))
    assert "康医生 Dr Kang" in shown and "本人已审核该记录,内容完整、准确。" in shown and "+08:00" in shown
    (key,) = [s.pk for s in signatures_of(monitor)]
    page = words(monitor.get(f"/admin/subjects/signature/{key}/change/"))
    assert "有效" in page and "康医生" in page
    assert "康医生" in words(monitor.get("/admin/subjects/signature/"))


def signatures_of(browser: Client) -> list[Signature]:
    from trial.people import system_actor

    with audit.reading(system_actor()):
        return list(Signature.objects.all())


@pytest.mark.req("R-38")
def test_a_change_ends_the_signature_and_a_new_one_can_be_given(
    kang: Client, make_token: Any, record: Any, li: Any
) -> None:
    sign(kang, record)
    after = correct(record, li, ecog="2").record
    assert "no longer stands: the record changed after it" in words(kang.get(home(record)))
    back = correct(after, li, ecog="1").record
    assert not signatures(li, record)[0].stands_for(stored(li, Ecog, pk=record.pk))
    api = Api(make_token("coordinator_li"))
    assert [s["stands"] for s in exact(api.get(f"forms/ecog/{record.pk}/"))["signatures"]] == [False]
    assert sign(kang, record, seen=back.version).status_code == 302
    assert [s["stands"] for s in exact(api.get(f"forms/ecog/{record.pk}/"))["signatures"]] == [False, True]


@pytest.mark.req("R-25")
def test_locking_keeps_a_signature_and_unlocking_ends_it(
    kang: Client, make_token: Any, record: Any, li: Any, actor: Any
) -> None:
    sign(kang, record)
    api, qian = Api(make_token("coordinator_li")), actor("data_manager_qian")
    for state, stands in (("FROZEN", True), ("LOCKED", True), ("OPEN", False), ("LOCKED", False)):
        set_lock(stored(li, Ecog, pk=record.pk), state, by=qian, reason="interim analysis")
        now = stored(li, Ecog, pk=record.pk)
        with audit.reading(li):
            assert Signature.objects.get(record_id=record.pk).stands_for(now) is stands, state
        assert exact(api.get(f"forms/ecog/{record.pk}/"))["signatures"][0]["stands"] is stands, state


@pytest.mark.req("R-37")
def test_a_copy_to_another_record_does_not_verify(
    kang: Client, new_subject: Any, record: Any, li: Any
) -> None:
    """The same answers in another record, and a signature row that names it: the digest fits, the record does not."""
    twin = enter(new_subject(), Ecog, li, "SCR", status="COMPLETE", ecog_date="2026-03-05", ecog="1").record
    sign(kang, record)
    (signature,) = signatures(li, record)
    assert signature.stands_for(stored(li, Ecog, pk=record.pk))
    assert not signature.stands_for(stored(li, Ecog, pk=twin.pk))
    assert signatures(li, twin) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-37")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE subjects_signature SET name = 'somebody else'",
        "UPDATE subjects_signature SET record_version = record_version + 1",
        "DELETE FROM subjects_signature",
    ],
)
def test_the_database_gives_nobody_the_right_to_touch_a_signature(
    statement: str, kang: Client, record: Any, li: Any
) -> None:
    sign(kang, record)
    with (
        pytest.raises(Error, match="permission denied"),
        audit.transaction(li, "a try"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert [s.name for s in signatures(li, record)] == ["康医生 Dr Kang"]


@pytest.mark.parametrize(
    ("other", "status", "says"),
    [
        ({"password": "not this one"}, 422, "User name and password are not those of your account"),
        ({"username": "coordinator_li"}, 422, "User name and password are not those of your account"),
        ({"meaning": "DLT"}, 403, "Your role cannot sign this record with that meaning"),
        ({"seen": 0}, 409, "Somebody changed the record in between: it is at version 1 now"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_signed(
    other: dict[str, Any], status: int, says: str, kang: Client, record: Any, li: Any
) -> None:
    answer = sign(kang, record, **other)
    assert answer.status_code == status and says in words(answer) and "Not signed" in words(answer)
    assert "not this one" not in answer.content.decode()
    assert signatures(li, record) == []


def test_a_draft_and_a_retracted_record_offer_no_signature(
    kang: Client, subject: Any, record: Any, li: Any
) -> None:
    draft = enter(subject, Ecog, li, "D28", ecog="1").record
    assert "/sign" not in kang.get(f"/subjects/{subject.subjid}/D28/ecog").content.decode()
    assert "Only a complete record can be signed" in words(sign(kang, draft))
    retract_record(record, by=li, reason="wrong subject", seen=1)
    assert sign(kang, record, seen=2).status_code == 409


@pytest.mark.req("R-44")
def test_who_may_not_sign_sees_signatures_and_no_form(person_client: Any, kang: Client, record: Any) -> None:
    sign(kang, record)
    page = person_client("coordinator_li").get(home(record)).content.decode()
    assert "康医生" in page and "/sign" not in page
    assert sign(person_client("coordinator_li"), record).status_code == 403


@pytest.mark.req("R-43")
def test_five_wrong_passwords_close_the_account_for_signing_and_for_signing_in(
    kang: Client, record: Any, li: Any, make_token: Any
) -> None:
    from axes.utils import reset

    try:
        for _ in range(5):
            answer = sign(kang, record, password="guess")
        assert answer.status_code == 429 and "Five attempts with this user name have failed" in words(answer)
        assert sign(kang, record).status_code == 429
        api = Api(make_token("investigator_kang"))
        body = {"meaning": "REVIEW", "username": "investigator_kang", "password": PASSWORD}
        refused = api.post(f"forms/ecog/{record.pk}/signatures/", body, If_Match='"1"')
        assert problem(refused, 429, "throttled") and refused["Retry-After"]
        login = Client().post("/login", {"username": "investigator_kang", "password": PASSWORD})
        assert login.status_code == 429
        assert signatures(li, record) == []
    finally:
        reset()


def test_the_page_speaks_chinese(kang: Client, record: Any) -> None:
    kang.cookies["edc_language"] = "zh-hans"
    assert "本人已审核该记录,内容完整、准确。" in words(kang.get(home(record)))
    assert "未签署" in words(sign(kang, record, password="x"))
    sign(kang, record)
    assert "有效" in words(kang.get(home(record)))


# --- the API -----------------------------------------------------------------------------------------------------


@pytest.mark.req("R-36")
def test_a_program_signs_with_the_persons_own_password(make_token: Any, record: Any) -> None:
    api, where = Api(make_token("investigator_kang")), f"forms/ecog/{record.pk}/signatures/"
    body = {"meaning": "REVIEW", "username": "investigator_kang", "password": PASSWORD}
    made = api.post(where, body, If_Match='"1"')
    assert made.status_code == 201
    told = exact(made)
    assert (told["name"], told["role"], told["record_version"]) == ("康医生 Dr Kang", "investigator", 1)
    assert told["statement"] == {"en": SAYS, "zh": "本人已审核该记录,内容完整、准确。"}
    assert exact(api.get(where)) == [told] == exact(api.get("signatures/?form=ecog&meaning=REVIEW"))
    feed = [c for c in exact(api.get("changes/"))["changes"] if c["form"] == "signature"]
    assert all(c["data"]["record"] == str(record.pk) for c in feed)


def test_the_refusals_of_the_api(make_token: Any, record: Any, li: Any) -> None:
    api, where = Api(make_token("investigator_kang")), f"forms/ecog/{record.pk}/signatures/"
    body = {"meaning": "REVIEW", "username": "investigator_kang", "password": PASSWORD}
    problem(api.post(where, body), 428, "precondition")
    problem(api.post(where, body, If_Match='"7"'), 412, "stale")
    wrong = problem(api.post(where, {**body, "password": "guess"}, If_Match='"1"'), 422, "not_signed")
    assert codes(wrong) == {"wrong_password"} and "guess" not in str(wrong)
    problem(api.post(where, {**body, "meaning": "DLT"}, If_Match='"1"'), 403, "forbidden")
    assert codes(problem(api.post(where, {**body, "meaning": "OK"}, If_Match='"1"'), 400)) == {"not_in_list"}
    assert codes(problem(api.post(where, {"meaning": "REVIEW"}, If_Match='"1"'), 400)) == {"required"}
    problem(Api(make_token("coordinator_li")).post(where, body, If_Match='"1"'), 403, "forbidden")
    problem(api.patch(f"forms/ecog/{record.pk}/", {"signatures": [], "reason": "x"}, seen=1), 400, "rejected")
    draft = enter(record.subject, Ecog, li, "D28", ecog="1").record
    problem(api.post(f"forms/ecog/{draft.pk}/signatures/", body, If_Match='"1"'), 409, "wrong_state")
    assert signatures(li, record) == []
    from axes.utils import reset

    reset()
