"""Background work is done once, within the sites of who asked, and its file is for that person alone."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from entry.door import NotFound
from exchange import files, jobs
from exchange.job import Job
from exchange.job_kinds import KINDS
from exchange.jobs import JobRefused, Kind, Work
from subjects.crf import Subject
from tests.api_client import Api, codes, problem, text
from tests.conftest import acting_as, new_subject_number
from trial import audit
from trial.access import Act, Actor
from trial.dates import utc_now
from trial.people import end_access
from trial.text import T

SAID = "名单 01-001\n".encode()


def _keep(by: Actor, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return dict(parameters)


def _list(work: Work) -> None:
    """A small real job: the numbers of the subjects that the requester may see."""
    with audit.reading(work.by):
        found = list(Subject.objects.order_by("subjid").values_list("subjid", flat=True))
    work.progress(len(found), len(found))
    with work.file("名单.txt", "text/plain; charset=utf-8") as out:
        out.write(" ".join(found).encode())


@pytest.fixture
def kind(monkeypatch: Any, tmp_path: Any) -> Callable[..., Kind]:
    """Registers a kind of job for one test; its files stand in a folder of the test."""
    monkeypatch.setattr(settings, "FILES_DIR", str(tmp_path / "files"))

    def make(work: Callable[[Work], None] = _list, act: Act = Act.READ) -> Kind:
        made = Kind("numbers", "Subject numbers", "受试者名单", act, _keep, work)
        monkeypatch.setitem(KINDS, made.code, made)
        return made

    return make


@pytest.mark.django_db
def test_asked_for_over_the_api_made_by_a_worker_and_fetched(
    kind: Any, make_token: Any, new_subject: Any
) -> None:
    kind()
    subject, api = new_subject(), Api(make_token("coordinator_li"))
    asked = api.post("jobs/", {"kind": "numbers"})
    assert asked.status_code == 202 and asked["Retry-After"] == "2"
    assert asked.json()["state"] == "WAITING" and asked.json()["file"] is None
    problem(api.get(f"{asked['Location']}file/"), 404)
    assert jobs.drain(KINDS) == 1
    told = api.get(asked["Location"])
    assert told.json()["state"] == "DONE" and "Retry-After" not in told
    fetched = api.get(told.json()["file"]["address"])
    body = text(fetched)
    assert subject.subjid in body.split()
    assert fetched["Cache-Control"] == "no-store"
    assert fetched["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E5%90%8D")
    assert hashlib.sha256(body.encode()).hexdigest() == told.json()["file"]["sha256"]
    assert [one["id"] for one in api.get("jobs/").json()] == [asked.json()["id"]]


@pytest.mark.django_db
@pytest.mark.req("R-45")
def test_the_work_sees_the_sites_of_who_asked_and_no_other(
    kind: Any, actor: Any, new_subject: Any, other_site: Any
) -> None:
    made = kind()
    elsewhere = actor("coordinator_elsewhere")
    there, here = new_subject(by=elsewhere, at=other_site), new_subject()
    job = jobs.ask(made, elsewhere, {})
    jobs.drain(KINDS)
    listed = files.output(job.pk, 1).read_text().split()
    assert there.subjid in listed and here.subjid not in listed


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-24")
def test_no_casebook_of_another_site_even_where_the_database_shows_every_site(
    li: Any, other_site: Any, actor: Any, new_subject: Any
) -> None:
    """A worker started by mistake under the role of the rules: the job's own check is the wall that is left."""
    there = new_subject(by=actor("coordinator_elsewhere"), at=other_site)
    with acting_as("worker"):
        with pytest.raises(NotFound):
            jobs.ask(KINDS["casebook"], li, {"subject": there.subjid})
        job = jobs.ask(KINDS["annotated_crf"], li, {})
        wish = {"subject": there.subjid, "language": "en", "audit": False}
        Job.objects.filter(pk=job.pk).update(kind="casebook", parameters=wish)
        jobs.drain(KINDS)
        job.refresh_from_db()
    assert (job.state, job.name) == ("FAILED", "")


@pytest.mark.django_db
@pytest.mark.parametrize("other", ["coordinator_elsewhere", "investigator_kang", "monitor_wu"])
def test_nobody_else_finds_the_job_or_its_file(
    kind: Any, li: Any, actor: Any, make_token: Any, other: str
) -> None:
    job = jobs.ask(kind(), li, {})
    jobs.drain(KINDS)
    with pytest.raises(NotFound):
        jobs.one(actor(other), job.pk)
    problem(Api(make_token(other)).get(f"jobs/{job.pk}/file/"), 404)


@pytest.mark.django_db
def test_a_wish_sent_twice_under_one_key_is_one_job(kind: Any, make_token: Any) -> None:
    kind()
    api = Api(make_token("coordinator_li"))
    first = api.post("jobs/", {"kind": "numbers", "parameters": {"n": 1}}, Idempotency_Key="a")
    again = api.post("jobs/", {"kind": "numbers", "parameters": {"n": 1}}, Idempotency_Key="a")
    assert first["Location"] == again["Location"] and Job.objects.count() == 1
    other = api.post("jobs/", {"kind": "numbers", "parameters": {"n": 2}}, Idempotency_Key="a")
    problem(other, 422, "other_body")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "code"),
    [({"kind": "nothing"}, "unknown_kind"), ({"kind": "numbers", "parameters": []}, "not_an_object")],
)
def test_what_cannot_be_asked_for_is_refused_by_name(
    kind: Any, make_token: Any, body: Any, code: str
) -> None:
    kind()
    answer = problem(Api(make_token("coordinator_li")).post("jobs/", body), 400, "rejected")
    assert codes(answer) == {code}


@pytest.mark.django_db
def test_who_lost_the_role_meanwhile_gets_nothing(
    kind: Any, li: Any, coordinator_li: Any, actor: Any
) -> None:
    job = jobs.ask(kind(), li, {})
    end_access(coordinator_li, by=actor("admin_he"), reason="left")
    jobs.drain(KINDS)
    job.refresh_from_db()
    assert job.state == "FAILED" and "has ended" in job.problem["en"]
    assert not files.output(job.pk, 1).exists()


@pytest.mark.django_db
def test_a_refusal_fails_at_once_and_says_why_in_both_languages(kind: Any, li: Any) -> None:
    def refuse(work: Work) -> None:
        raise JobRefused(T("There is nothing to print.", "没有可打印的内容。"))

    job = jobs.ask(kind(refuse), li, {})
    assert jobs.drain(KINDS) == 1
    job.refresh_from_db()
    assert (job.state, job.problem["zh"], job.attempts) == ("FAILED", "没有可打印的内容。", 1)


@pytest.mark.django_db
def test_a_fault_tells_the_log_its_place_and_no_value(kind: Any, li: Any, caplog: Any) -> None:
    row = ("01-001", "1.61")

    def fail(work: Work) -> None:
        try:
            raise KeyError(row)
        except KeyError as cause:
            raise ValueError(f"Failing row contains {row}") from cause

    jobs.ask(kind(fail), li, {})
    jobs.drain(KINDS)
    assert "1.61" not in caplog.text and "01-001" not in caplog.text
    assert (
        "ValueError" in caplog.text and "caused by KeyError" in caplog.text and "test_jobs.py" in caplog.text
    )


@pytest.mark.django_db
def test_a_fault_of_ours_is_tried_three_times_with_pauses(kind: Any, li: Any) -> None:
    def break_down(work: Work) -> None:
        raise ZeroDivisionError

    job = jobs.ask(kind(break_down), li, {})
    for attempt in (1, 2, 3):
        assert jobs.drain(KINDS) == 1
        job.refresh_from_db()
        assert job.attempts == attempt
        assert job.state == ("WAITING" if attempt < 3 else "FAILED")
        Job.objects.filter(pk=job.pk).update(due_at=utc_now())
    assert jobs.drain(KINDS) == 0


@pytest.mark.django_db
def test_an_attempt_that_lost_the_job_leaves_no_effect(kind: Any, li: Any, site: Any) -> None:
    """Two workers believe they hold the job; only what the later one wrote stands, once."""
    number = new_subject_number()

    def enter(work: Work) -> None:
        if work.job.attempts == 1:
            Job.objects.filter(pk=work.job.pk).update(due_at=utc_now() - timedelta(seconds=1))
            jobs.drain(KINDS)  # meanwhile another worker takes it over
        with work.transaction("made by a job"):
            Subject(subjid=number if work.job.attempts == 2 else "01-000", site=site).save(force_insert=True)

    job = jobs.ask(kind(enter), li, {})
    jobs.drain(KINDS)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("DONE", 2)
    with audit.reading(li):
        assert Subject.objects.filter(subjid=number).count() == 1
        assert not Subject.objects.filter(subjid="01-000").exists()


@pytest.mark.django_db
def test_an_attempt_that_lost_the_job_leaves_the_other_ones_file_alone(
    kind: Any, li: Any, make_token: Any
) -> None:
    def write(work: Work) -> None:
        if work.job.attempts == 1:
            Job.objects.filter(pk=work.job.pk).update(due_at=utc_now() - timedelta(seconds=1))
            jobs.drain(KINDS)  # meanwhile another worker takes it over and ends it
        with work.file("x.txt", "text/plain") as out:
            out.write(b"attempt %d" % work.job.attempts)

    job = jobs.ask(kind(write), li, {})
    jobs.drain(KINDS)
    answer = Api(make_token("coordinator_li")).get(f"jobs/{job.pk}/file/")
    assert b"".join(answer.streaming_content) == b"attempt 2"


@pytest.mark.django_db
def test_after_its_time_the_file_goes_and_the_job_stays(kind: Any, li: Any, make_token: Any) -> None:
    job = jobs.ask(kind(), li, {})
    jobs.drain(KINDS)
    Job.objects.filter(pk=job.pk).update(expires_at=utc_now())
    assert jobs.expire() == 1 and not files.output(job.pk, 1).exists()
    problem(Api(make_token("coordinator_li")).get(f"jobs/{job.pk}/file/"), 404)
    assert Api(make_token("coordinator_li")).get(f"jobs/{job.pk}/").json()["state"] == "EXPIRED"


@pytest.mark.django_db
def test_the_files_folder_is_private_and_no_file_is_half(kind: Any) -> None:
    kind()
    place = files.folder()
    assert place.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ZeroDivisionError), files.whole(place / "x") as out:
        out.write(SAID)
        raise ZeroDivisionError
    assert list(place.iterdir()) == []


@pytest.mark.django_db
def test_the_page_asks_shows_and_hands_over(kind: Any, person_client: Any) -> None:
    kind()
    page = person_client("coordinator_li")
    page.post("/jobs", {"kind": "numbers"})
    assert 'hx-get="/jobs/progress"' in page.get("/jobs").content.decode()
    jobs.drain(KINDS)
    shown = page.get("/jobs").content.decode()
    job = Job.objects.get()
    assert f"/jobs/{job.pk}/file" in shown and "hx-get" not in shown.partition('id="jobs"')[2]
    assert page.get(f"/jobs/{job.pk}/file").status_code == 200
    assert person_client("investigator_kang").get(f"/jobs/{job.pk}/file").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "with the audit trail · both languages"), ("zh-hans", "含稽查轨迹 · 中英双语")],
)
def test_the_page_tells_what_was_asked_for_in_words(
    person_client: Any, subject: Any, language: str, told: str
) -> None:
    page = person_client("coordinator_li")
    page.cookies["edc_language"] = language
    page.post("/jobs", {"kind": "casebook", "subject": subject.subjid, "language": "both", "audit": "1"})
    page.post("/jobs", {"kind": "casebook", "subject": subject.subjid, "language": "both"})
    shown = page.get("/jobs").content.decode()
    assert f"{subject.subjid} · {told}" in shown and "False" not in shown and "True" not in shown


SLEEPER = """
import sys, time, django
django.setup()
from exchange import jobs
def sleep(work):
    print("working", flush=True)
    time.sleep(60)
kind = jobs.Kind("numbers", "", "", "read", lambda by, p: {}, sleep)
jobs.drain({"numbers": kind})
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_mid_work_loses_nothing(kind: Any, li: Any, subject: Any) -> None:
    job = jobs.ask(kind(), li, {})
    told = connection.settings_dict
    address = make_conninfo(
        dbname=told["NAME"],
        user=told["USER"],
        password=told["PASSWORD"],
        host=told["HOST"],
        port=told["PORT"],
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", SLEEPER],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": address,
            "EDC_PROCESS": "jobs",
        },
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None and worker.stdout.readline() == "working\n"
    before = Job.objects.get(pk=job.pk).due_at
    assert jobs.drain(KINDS) == 0, "while the worker lives nobody else takes the job"
    deadline = time.monotonic() + 15
    while Job.objects.get(pk=job.pk).due_at == before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert Job.objects.get(pk=job.pk).due_at > before, "the lease is prolonged while it works"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    Job.objects.filter(pk=job.pk).update(due_at=utc_now())  # twenty seconds pass
    assert jobs.drain(KINDS) == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("DONE", 2)
    assert subject.subjid in files.output(job.pk, job.attempts).read_text()
    Job.objects.all().delete()
