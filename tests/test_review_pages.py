"""Monitors look, ask and close; they change nothing that a site entered."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from entry.door import save_record
from review.history_page import steps
from review.models import Query
from review.queries import answer, raise_query
from safety.forms import FORMS
from safety.models import Deviation
from subjects.models import Demographics
from trial import audit
from trial.access import Actor
from trial.answers import read
from trial.item import items
from trial.models import Person, Site
from visits.models import CrsAssessment, Haematology

pytestmark = pytest.mark.django_db
ZONE = "Asia/Shanghai"
COUNT = {
    "lb_dt": "2026-03-05 08:10",
    "wbc": "0.3",
    "plt": "＜１８",
    "hgb": "85",
    "missing": {"anc": "SAMPLE_LOST"},
}


def answered(record: Any, raw: dict[str, Any]) -> Any:
    """The record with the answers read as a page would read them."""
    reading = read(type(record), raw, ZONE)
    assert not reading.problems
    for name, value in reading.values.items():
        setattr(record, type(record)._meta.get_field(name).attname, value)
    record.missing, record.typed = {**record.missing, **reading.missing}, {**record.typed, **reading.typed}
    return record


@pytest.fixture
def blood_count(subject: Any, li: Actor) -> Haematology:
    """A blood count with 18 platelets, typed in full width, and lost neutrophils."""
    record = answered(Haematology(subject=subject, visit="D14", status="COMPLETE"), COUNT)
    saved: Haematology = save_record(record, by=li).record
    return saved


@pytest.fixture
def corrected(blood_count: Haematology, li: Actor) -> Haematology:
    """The same count after the coordinator corrected the platelets to 21."""
    corrected = answered(blood_count, {"plt": "21"})
    saved: Haematology = save_record(corrected, by=li, reason="transcription error", seen=1).record
    return saved


@pytest.fixture
def deviation(blood_count: Haematology) -> Deviation:
    """A deviation that points at the platelets."""
    row = Deviation(
        subject_id=blood_count.subject_id,
        site_id=blood_count.site_id,
        rule_id="DV-01",
        key="test",
        status="OPEN",
        severity="IMPORTANT",
        form="haematology",
        record_id=blood_count.pk,
        field="plt_value",
        message_en="Too few platelets",
        message_zh="血小板过少",
        citation="registry I-01",
        basis="registry",
        evidence={
            "facts": [
                {"form": "haematology", "record": str(blood_count.pk), "field": "plt_value", "value": "18"}
            ],
            "limit": "≥ 20",
        },
        protocol_version="1.0",
        detected_at=datetime(2026, 3, 6, 1, 0, tzinfo=UTC),
    )
    with audit.transaction(Actor(0, "system", (blood_count.site_id,), "rules")):
        row.save(force_insert=True)
    return row


@pytest.fixture
def asked(blood_count: Haematology, wu: Actor) -> Query:
    """The monitor's question about the platelets."""
    return raise_query(blood_count, "plt_value", "Please check the platelets", by=wu)


@pytest.fixture
def monitor(person_client: Any) -> Any:
    """The monitor's browser, in English."""
    client = person_client("monitor_wu")
    client.cookies["edc_language"] = "en"
    return client


def page(client: Any, address: str, status: int = 200) -> str:
    """The text of a page."""
    response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    return str(response.content.decode())


def of(record: Any, name: str = "change", *args: Any) -> str:
    """The admin's address of a record or of a model's list."""
    meta = record._meta
    return reverse(
        f"admin:{meta.app_label}_{meta.model_name}_{name}",
        args=args or ([record.pk] if name != "changelist" else []),
    )


# Who may come in


@pytest.mark.req("R-44")
def test_nobody_comes_in_without_signing_in(client: Any) -> None:
    response = client.get("/admin/", follow=False)
    assert response.status_code == 302
    assert client.get(response["Location"])["Location"].startswith("/login?next=")


@pytest.mark.req("R-44")
@pytest.mark.parametrize("person", ["coordinator_li", "investigator_kang", "statistician_sun"])
def test_site_roles_and_the_statistician_have_no_review_site(person_client: Any, person: str) -> None:
    answer = person_client(person).get("/admin/", follow=True)
    assert answer.status_code == 403 and "Your role does not include this page" in answer.content.decode()
    assert "Medical monitor" in answer.content.decode() and "医学监查员" in answer.content.decode()


@pytest.mark.req("R-56")
def test_the_administrator_sees_people_and_no_clinical_value(
    person_client: Any, blood_count: Haematology, asked: Query
) -> None:
    client = person_client("admin_he")
    assert "Please check" not in page(client, "/admin/")
    page(client, of(Person, "changelist"))
    for address in (
        of(blood_count),
        of(Haematology, "changelist"),
        of(Query, "changelist"),
        of(blood_count, "history"),
        "/admin/audit/",
    ):
        page(client, address, 403)


def test_packages_bring_no_pages_of_their_own() -> None:
    from django.contrib import admin

    labels = {model._meta.app_label for model in admin.site._registry}
    assert labels == {"review", "safety", "subjects", "visits", "dosing", "trial", "exchange"}


# Looking


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.form)
def test_every_form_has_its_list(monitor: Any, form: Any) -> None:
    page(monitor, of(form, "changelist"))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.form)
def test_every_form_has_its_page_with_every_item(monitor: Any, subject: Any, form: Any, li: Actor) -> None:
    with audit.transaction(li):
        record = form(subject=subject, site_id=subject.site_id, visit="D1")
        record.save(force_insert=True)
    text = page(monitor, of(record))
    shown = [name for name, meaning in items(form).items() if not meaning.part_of]
    assert text.count('<tr id="item-') == len(shown)
    page(monitor, of(record, "history"))


def test_a_value_stands_with_unit_missing_reason_and_as_typed(monitor: Any, blood_count: Haematology) -> None:
    text = page(monitor, of(blood_count))
    assert "&lt; 18" in text
    assert "10^9/L" in text
    assert "Sample lost" in text
    assert "＜１８" in text


def test_queries_and_deviations_stand_beside_their_item(
    monitor: Any, blood_count: Haematology, asked: Query, deviation: Deviation
) -> None:
    row = page(monitor, of(blood_count)).split('<tr id="item-plt"')[1].split("</tr>")[0]
    assert "Please check the platelets" in row
    assert "Too few platelets" in row
    assert "history/?field=plt" in row
    assert "field=plt_value" in row


@pytest.mark.req("R-12")
def test_a_history_tells_who_when_why_and_from_what_to_what(monitor: Any, corrected: Haematology) -> None:
    text = page(monitor, of(corrected, "history"))
    for told in (
        "李娜 Li Na",
        "Site coordinator",
        "+08:00",
        ZONE,
        "transcription error",
        "<del>18</del>",
        "<ins>21</ins>",
        "edc_app",
    ):
        assert told in text, told


@pytest.mark.req("R-12")
@pytest.mark.parametrize(
    ("form", "field", "first", "told"),
    [
        (CrsAssessment, "fever_other_cause", False, "No"),
        (CrsAssessment, "investigator_grade", 0, "0"),
        (CrsAssessment, "fever_other_cause", None, None),
        (Haematology, "wbc_value", Decimal(0), "0"),
        (Haematology, "retracted", False, None),
        (Haematology, "wbc_qual", "", None),
    ],
)
def test_no_and_nought_are_first_answers_and_what_is_unset_is_none(
    form: Any, field: str, first: Any, told: str | None
) -> None:
    column = next(c for c in form._meta.concrete_fields if c.name == field)
    steps_ = [(change.old, change.new) for change in steps(column, None, first, ZONE)]
    assert [new for _, new in steps_] == ([] if told is None else [told])


@pytest.mark.req("R-12")
def test_the_history_of_one_item_tells_of_no_other(monitor: Any, corrected: Haematology) -> None:
    text = page(monitor, of(corrected, "history") + "?field=hgb")
    assert "<ins>85</ins>" in text
    assert "transcription error" not in text


@pytest.mark.req("R-12")
def test_the_history_of_one_item_tells_why_it_was_missing_and_how_it_was_typed(
    monitor: Any, blood_count: Haematology
) -> None:
    lost = page(monitor, of(blood_count, "history") + "?field=anc")
    assert "Neutrophils: Marked as missing" in lost
    assert "<ins>Sample lost</ins>" in lost
    assert "＜１８" in page(monitor, of(blood_count, "history") + "?field=plt")


def test_a_retracted_record_stays_visible_and_struck_out(
    monitor: Any, blood_count: Haematology, li: Actor
) -> None:
    from entry.door import retract_record

    retract_record(blood_count, by=li, reason="wrong subject", seen=1)
    assert "<del>" in page(monitor, of(Haematology, "changelist"))
    assert "Retracted" in page(monitor, of(blood_count))
    assert "wrong subject" in page(monitor, of(blood_count, "history"))


@pytest.mark.req("R-45")
def test_a_record_of_a_site_outside_the_scope_is_not_found(
    person_client: Any, blood_count: Haematology, other_site: Site
) -> None:
    from datetime import date

    from trial.models import Assignment
    from trial.people import add

    he = Actor(Person.objects.get(username="admin_he").pk, "system_admin", ())
    far = add(f"far_{uuid4().hex[:8]}", "Far Away", f"{uuid4().hex[:8]}@example.invalid", None, by=he)
    with audit.transaction(he):
        Assignment(person=far, role="monitor", site=other_site, valid_from=date(2020, 1, 1)).save(
            force_insert=True
        )
    client = person_client(far)
    page(client, of(blood_count), 404)
    page(client, of(blood_count, "history"), 404)
    assert blood_count.subject.subjid not in page(client, of(Haematology, "changelist"))
    assert blood_count.subject.subjid not in page(client, "/admin/audit/")


# Nothing is changed here


@pytest.mark.req("R-32")
@pytest.mark.parametrize(
    "form", [Demographics, Haematology, Deviation, Query, Site, Person], ids=lambda m: m.__name__
)
def test_nothing_is_added_changed_or_deleted_in_review(
    monitor: Any, form: Any, corrected: Haematology, asked: Query, deviation: Deviation
) -> None:
    key = {Haematology: corrected.pk, Query: asked.pk, Deviation: deviation.pk}.get(form, 1)
    for name, args in (("add", ()), ("delete", (key,))):
        address = reverse(f"admin:{form._meta.app_label}_{form._meta.model_name}_{name}", args=args)
        assert monitor.post(address, {"post": "yes"}).status_code in (403, 404)
    change = reverse(f"admin:{form._meta.app_label}_{form._meta.model_name}_change", args=(key,))
    assert monitor.post(change, {"plt_value": "1"}).status_code == 405
    deleted = monitor.post(
        of(form, "changelist"), {"action": "delete_selected", "_selected_action": [str(key)]}
    )
    assert deleted.status_code in (200, 302)
    if form is Haematology:
        with audit.reading(Actor(0, "monitor", (corrected.site_id,))):
            assert Haematology.objects.get(pk=corrected.pk).version == 2


# Asking and closing


def test_a_monitor_asks_about_one_item(monitor: Any, blood_count: Haematology) -> None:
    address = reverse("admin:query_raise", args=("haematology", blood_count.pk))
    text = page(monitor, address + "?field=plt_value")
    assert '<option value="plt_value" selected>' in text
    response = monitor.post(address, {"field": "plt_value", "text": "Is 18 right?"})
    assert response.status_code == 302
    assert response["Location"].endswith("#item-plt")
    assert "Is 18 right?" in page(monitor, response["Location"].split("#")[0])


def test_a_question_without_text_is_refused_in_words(monitor: Any, blood_count: Haematology) -> None:
    address = reverse("admin:query_raise", args=("haematology", blood_count.pk))
    response = monitor.post(address, {"field": "plt_value", "text": "  "})
    assert response.status_code == 422
    assert "Write the question" in response.content.decode()


def test_an_auditor_looks_and_asks_nothing(
    person_client: Any, blood_count: Haematology, asked: Query
) -> None:
    auditor = person_client("auditor_zhou")
    assert "queries/raise" not in page(auditor, of(blood_count))
    address = reverse("admin:query_raise", args=("haematology", blood_count.pk))
    assert auditor.post(address, {"field": "", "text": "?"}).status_code == 403
    assert (
        auditor.post(reverse("admin:query_step", args=(asked.pk, "close")), {"text": "ok"}).status_code == 403
    )
    assert (
        auditor.post(reverse("admin:query_close_many"), {"query": [asked.pk], "text": "ok"}).status_code
        == 403
    )
    assert auditor.get(of(asked)).status_code == 200


def test_an_answered_query_is_closed_and_opened_again(
    monitor: Any, asked: Query, li: Actor, wu: Actor
) -> None:
    answer(asked.pk, "It is right", by=li)
    assert "It is right" in page(monitor, of(asked))
    monitor.post(reverse("admin:query_step", args=(asked.pk, "close")), {"text": "Seen in the source"})
    assert "Seen in the source" in page(monitor, of(asked))
    monitor.post(reverse("admin:query_step", args=(asked.pk, "reopen")), {"text": "One more thing"})
    with audit.reading(wu):
        assert Query.objects.get(pk=asked.pk).status == "OPEN"


def test_a_step_that_the_state_forbids_is_refused_in_words(monitor: Any, asked: Query) -> None:
    response = monitor.post(reverse("admin:query_step", args=(asked.pk, "reopen")), {"text": "again"})
    assert response.status_code == 422
    assert "The query is OPEN" in response.content.decode()


def test_answered_queries_are_closed_together_each_under_the_monitors_name(
    monitor: Any, asked: Query, blood_count: Haematology, li: Actor, wu: Actor
) -> None:
    second = raise_query(blood_count, "hgb_value", "And this?", by=wu)
    answer(asked.pk, "It is right", by=li)
    chosen = {"action": "close_answered", "_selected_action": [str(asked.pk), str(second.pk)]}
    text = monitor.post(of(Query, "changelist"), chosen).content.decode()
    assert "Left out because they are not answered: 1" in text
    assert str(second.pk) not in text
    monitor.post(reverse("admin:query_close_many"), {"query": [str(asked.pk)], "text": "Both seen"})
    with audit.reading(wu):
        closed = Query.objects.get(pk=asked.pk)
        assert (closed.status, closed.talk[-1]["by"], closed.talk[-1]["text"]) == (
            "CLOSED",
            wu.name,
            "Both seen",
        )
        assert closed.history.latest("history_id").history_user_id == wu.person_id


# Deviations, work list, audit trail


def test_a_deviation_shows_its_rule_evidence_and_history(
    monitor: Any, deviation: Deviation, blood_count: Haematology
) -> None:
    text = page(monitor, of(deviation))
    for told in (
        "Too few platelets",
        "registry I-01",
        "Important",
        "≥ 20",
        "Platelets",
        f"{blood_count.pk}/change/#item-plt",
    ):
        assert told in text, told
    monitor.cookies["edc_language"] = "zh-hans"
    assert "血小板过少" in page(monitor, of(deviation))


@pytest.mark.parametrize(
    "filters",
    ["", "?status__exact=OPEN", "?rule_id=DV-01", "?severity=IMPORTANT", "?protocol_version=1.0", "?q=01-"],
)
def test_deviations_are_found_by_what_monitors_ask_for(
    monitor: Any, deviation: Deviation, filters: str
) -> None:
    assert "Too few platelets" in page(monitor, of(Deviation, "changelist") + filters)


@pytest.mark.parametrize(
    "filters", ["?status__exact=OPEN", "?source__exact=MONITOR", "?form=haematology", "?age=0-3", "?q=01-"]
)
def test_queries_are_found_by_what_monitors_ask_for(monitor: Any, asked: Query, filters: str) -> None:
    assert "Please check the platelets" in page(monitor, of(Query, "changelist") + filters)
    assert "Please check the platelets" not in page(monitor, of(Query, "changelist") + "?age=15")


def test_the_work_list_leads_to_what_waits(
    monitor: Any, asked: Query, deviation: Deviation, li: Actor
) -> None:
    answer(asked.pk, "It is right", by=li)
    text = page(monitor, "/admin/")
    for told in ("It is right", "DV-01", "Newest changes", "Haematology"):
        assert told in text, told


@pytest.mark.req("R-12")
@pytest.mark.parametrize(
    ("looked_for", "found"),
    [
        ("subject={subjid}", True),
        ("subject=99-999", False),
        ("person={li}", True),
        ("form=visits_haematology", True),
        ("form=visits_haematology&value=transcription", True),
        ("value=no such text anywhere", False),
        ("since=2020-01-01", True),
        ("until=2020-01-01", False),
    ],
)
def test_the_audit_trail_is_asked_by_subject_person_form_date_and_value(
    monitor: Any, corrected: Haematology, li: Actor, looked_for: str, found: bool
) -> None:
    asked_for = looked_for.format(subjid=corrected.subject.subjid, li=li.person_id)
    assert ("transcription error" in page(monitor, f"/admin/audit/?{asked_for}")) is found


def test_the_audit_trail_is_turned_page_by_page_without_gap_or_repeat(
    monitor: Any, blood_count: Haematology, li: Actor
) -> None:
    from review.audit_page import PAGE
    from trial.models import LedgerEntry

    record = blood_count
    for n in range(PAGE + 5):
        record = save_record(
            answered(record, {"plt": str(20 + n)}), by=li, reason=f"step {n:03d}", seen=record.version
        ).record
    seen: list[str] = []
    address = f"/admin/audit/?subject={record.subject.subjid}"
    while address:
        response = monitor.get(address)
        seen += [line.cursor for line in response.context["lines"]]
        address = response.context["next_url"]
    assert len(seen) == len(set(seen)) == LedgerEntry.objects.filter(chain=record.subject_id).count()


def test_study_lists_open_and_hide_what_is_secret(monitor: Any, li: Actor) -> None:
    from trial.models import Assignment, IcfVersion, SiteProtocol

    for model in (Site, IcfVersion, SiteProtocol, Person, Assignment):
        page(monitor, of(model, "changelist"))
        first = model.objects.order_by("pk").first()
        page(monitor, of(first))
        page(monitor, of(first, "history"))
    assert "argon2" not in page(monitor, of(Person.objects.get(pk=li.person_id)))


def test_a_subject_lists_every_record(monitor: Any, blood_count: Haematology) -> None:
    text = page(monitor, reverse("admin:subjects_subject_change", args=(blood_count.subject_id,)))
    assert of(blood_count) in text


@pytest.mark.parametrize("rows", [1, 6])
def test_a_list_costs_the_same_queries_whatever_its_length(
    monitor: Any, new_subject: Any, li: Actor, rows: int, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        save_record(
            answered(Haematology(subject=new_subject(), visit="D14", status="COMPLETE"), COUNT), by=li
        )
    with django_assert_num_queries(17):
        page(monitor, of(Haematology, "changelist"))


def test_the_language_follows_the_cookie_and_the_switch(monitor: Any) -> None:
    assert "Work list" in page(monitor, "/admin/")
    monitor.post("/admin/language/", {"language": "zh-hans", "next": "/admin/"})
    assert "工作清单" in page(monitor, "/admin/")
