"""The scan of a signed consent form: kept as it is with its hash, given only to who may see the subject, each copy on record."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from entry.attachments import MOST_BYTES, keep
from entry.door import Rejected, save_record
from subjects.models import Attachment, AttachmentCopy, InformedConsent
from tests.api_client import Api
from tests.entering import enter
from tests.pages import boxes, stored
from trial import audit
from trial.access import Forbidden
from trial.integrity import history_model

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 9000 + b"\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 500
SIGNED = {"consent_type": "INITIAL", "consent_dt": "2026-01-05 09:00", "icf_version": "9.9"}


@pytest.fixture
def browser(person_client: Any) -> Client:
    made: Client = person_client("coordinator_li")
    made.cookies["edc_language"] = "en"
    return made


def upload(data: bytes, name: str = "C:\\scans\\同意书 1.PDF") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/octet-stream")


def page(subject: Any) -> str:
    return f"/subjects/{subject.subjid}/log/informed_consent/new"


@pytest.mark.parametrize(
    ("data", "kind", "ending"), [(PDF, "application/pdf", ".pdf"), (JPEG, "image/jpeg", ".jpg")]
)
def test_a_scan_is_kept_with_the_consent_and_comes_back_as_it_was(
    data: bytes, kind: str, ending: str, subject: Any, li: Any, browser: Client
) -> None:
    sent = {**boxes(browser.get(page(subject))), **SIGNED, "scan.file": upload(data)}
    answer = browser.post(page(subject), sent)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    record = stored(li, InformedConsent, subject=subject)
    kept = stored(li, Attachment, subject=subject)
    assert (record.scan_id, kept.sha256) == (kept.pk, hashlib.sha256(data).hexdigest())
    assert (kept.media_type, kept.size, kept.name) == (kind, len(data), f"同意书 1{ending}")
    shown = browser.get(answer["Location"]).content.decode()
    assert f'href="/attachments/{kept.pk}"' in shown and kept.sha256[:12] in shown
    copy = browser.get(f"/attachments/{kept.pk}")
    assert b"".join(copy.streaming_content) == data
    assert (
        copy["Content-Disposition"].startswith("attachment") and copy["X-Content-Type-Options"] == "nosniff"
    )
    with audit.reading(li):
        taken = history_model(AttachmentCopy).objects.get(attachment_id=kept.pk)
        made = history_model(Attachment).objects.get(id=kept.pk)
    assert (taken.history_user_id, taken.actor_role) == (li.person_id, "coordinator")
    assert made.history_user_id == li.person_id


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"MZ\x90\x00" + b"\x00" * 100, "other_kind"),
        (b"<script>alert(1)</script>", "other_kind"),
        (b"", "other_kind"),
        (b"\x89PNG\r\n\x1a\n", "other_kind"),
        (b"%PDF-1.7" + b"\x00" * MOST_BYTES, "too_large"),
    ],
)
def test_what_is_no_scan_is_refused_and_the_answers_stay(
    data: bytes, code: str, subject: Any, li: Any, browser: Client
) -> None:
    sent = {**boxes(browser.get(page(subject))), **SIGNED, "scan.file": upload(data, "scan.pdf")}
    answer = browser.post(page(subject), sent)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert {"other_kind": "neither a PDF nor a JPEG", "too_large": "larger than 10 MB"}[code] in text
    assert 'value="2026-01-05 09:00"' in text
    with audit.reading(li):
        assert (
            not Attachment.objects.exists() and not InformedConsent.objects.filter(subject=subject).exists()
        )


def test_a_file_outlives_answers_that_are_refused_and_is_kept_once(
    subject: Any, li: Any, browser: Client
) -> None:
    sent = {
        **boxes(browser.get(page(subject))),
        **SIGNED,
        "consent_dt": "2090-01-01 09:00",
        "scan.file": upload(PDF),
    }
    answer = browser.post(page(subject), sent)
    kept = stored(li, Attachment, subject=subject)
    assert answer.status_code == 422 and f'<option value="{kept.pk}" selected>' in answer.content.decode()
    sent = {**boxes(answer), "consent_dt": "2026-01-05 09:00", "scan.file": upload(PDF, "again.pdf")}
    assert browser.post(page(subject), sent).status_code == 302
    assert stored(li, Attachment, subject=subject).pk == stored(li, InformedConsent, subject=subject).scan_id


def test_only_who_sees_the_subject_gets_the_file(
    subject: Any, li: Any, actor: Any, person_client: Any, new_subject: Any
) -> None:
    kept = keep(subject, "scan.pdf", [PDF], by=li)
    for person, status in (("coordinator_elsewhere", 404), ("monitor_wu", 200), ("admin_he", 403)):
        assert person_client(person).get(f"/attachments/{kept.pk}").status_code == status, person
    assert person_client("monitor_wu").get("/attachments/1").status_code == 404
    with pytest.raises(Forbidden):
        keep(subject, "scan.pdf", [PDF], by=actor("monitor_wu"))
    with pytest.raises(Rejected) as refused:
        enter(new_subject(), InformedConsent, li, scan=str(kept.pk), **SIGNED)
    assert [p.code for p in refused.value.problems] == ["no_such_record"]


def test_what_was_kept_is_never_changed(subject: Any, li: Any) -> None:
    from django.db import DatabaseError, transaction

    kept = keep(subject, "scan.pdf", [PDF], by=li)
    with audit.transaction(li, "tampering"):
        for change in (
            lambda: Attachment.objects.filter(pk=kept.pk).update(sha256="0" * 64),
            lambda: kept.parts.update(data=b""),
            lambda: kept.parts.all().delete(),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()


def test_a_later_scan_takes_a_reason_and_the_history_names_both(subject: Any, li: Any) -> None:
    first, second = (keep(subject, f"{n}.pdf", [PDF + bytes([n])], by=li) for n in (1, 2))
    record = enter(subject, InformedConsent, li, status="COMPLETE", scan=str(first.pk), **SIGNED).record
    record.scan_id = second.pk
    with pytest.raises(Rejected):
        save_record(record, by=li, seen=1)
    save_record(record, by=li, seen=1, reason="better scan")
    with audit.reading(li):
        past = history_model(InformedConsent).objects.filter(id=record.pk).order_by("version")
        assert [row.scan_id for row in past] == [first.pk, second.pk]


def test_over_the_api_a_file_is_sent_named_in_the_consent_and_fetched(
    subject: Any, li: Any, make_token: Any
) -> None:
    api, monitor = Api(make_token("coordinator_li")), Api(make_token("monitor_wu"))
    where = f"/api/v1/subjects/{subject.subjid}/attachments/"
    sent = api.client.post(f"{where}?name=icf.pdf", PDF, content_type="application/pdf")
    assert sent.status_code == 201, sent.content
    kept = sent.json()
    assert (kept["sha256"], kept["size"], kept["name"]) == (
        hashlib.sha256(PDF).hexdigest(),
        len(PDF),
        "icf.pdf",
    )
    again = api.client.post(where, {"file": upload(PDF, "other.pdf")})
    assert again.status_code == 201 and again.json()["id"] == kept["id"]
    body = {"subject": subject.subjid, "scan": kept["id"], **SIGNED, "consent_dt": "2026-01-05T01:00:00Z"}
    made = api.post("forms/informed_consent/", body)
    assert made.status_code == 201 and made.json()["scan"] == kept["id"]
    assert [one["id"] for one in monitor.get(f"subjects/{subject.subjid}/attachments/").json()] == [
        kept["id"]
    ]
    assert monitor.get(f"attachments/{kept['id']}/").json() == kept
    copy = monitor.client.get(kept["content"])
    assert b"".join(copy.streaming_content) == PDF
    assert monitor.client.post(where, PDF, content_type="application/pdf").status_code == 403
    assert api.client.post(where, b"MZ", content_type="application/octet-stream").status_code == 400
    assert api.client.post(where, {"other": "x"}).status_code == 400
    assert api.get(f"attachments/{subject.pk}/").status_code == 404
    elsewhere = Api(make_token("coordinator_elsewhere"))
    assert elsewhere.get(f"attachments/{kept['id']}/content/").status_code == 404
    with audit.reading(li):
        assert AttachmentCopy.objects.count() == 1


def test_a_monitor_opens_the_scan_from_the_review_site_and_the_copy_is_on_record(
    subject: Any, li: Any, actor: Any, person_client: Any
) -> None:
    kept = keep(subject, "scan.pdf", [PDF], by=li)
    record = enter(subject, InformedConsent, li, scan=str(kept.pk), **SIGNED).record
    monitor = person_client("monitor_wu")
    shown = monitor.get(f"/admin/subjects/informedconsent/{record.pk}/change/").content.decode()
    assert f'href="/attachments/{kept.pk}"' in shown and kept.sha256[:12] in shown
    taken = monitor.get(f"/attachments/{kept.pk}")
    assert b"".join(taken.streaming_content) == PDF
    copy = stored(li, AttachmentCopy, attachment=kept)
    assert copy.person_id == actor("monitor_wu").person_id
