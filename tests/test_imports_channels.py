"""Files in over the API and on the page; samples; laboratories by page, file and API."""

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from entry import laboratories as keep
from entry import late_ranges, range_files
from entry.door import Forbidden, Rejected
from exchange import jobs
from exchange.incoming_files import limits
from exchange.incoming_files.samples import reconcile
from exchange.job_kinds import KINDS
from subjects.models import InformedConsent
from tests.api_client import Api, codes, exact, problem, text
from tests.entering import enter
from tests.pages import stored
from trial import audit
from visits.models import Chemistry, Ecog, Haematology, Laboratory, PkSample, ReferenceRange

HEAD = "subject,visit,ecog_date,ecog\n"


@pytest.fixture
def api(make_token: Any) -> Api:
    return Api(make_token("coordinator_li"))


def post(api: Api, body: str, query: str, **headers: str) -> Any:
    return api.send("POST", f"imports/?{query}", body, content_type="text/csv", **headers)


@pytest.mark.django_db
def test_a_file_is_checked_then_entered_over_the_api(api: Api, subject: Any, li: Any) -> None:
    sent = post(api, f"{HEAD}{subject.subjid},D0,2026-01-05,1\n", "profile=form:ecog&name=ecog.csv")
    assert sent.status_code == 201, text(sent)
    told = exact(sent)
    assert (told["state"], told["rows"], told["counts"]["created"]) == ("CHECKED", 1, 1)
    assert sent["Location"] == f"/api/v1/imports/{told['id']}/"
    done = exact(api.post(f"imports/{told['id']}/commit/", {"policy": "good"}))
    assert (done["state"], done["counts"]["created"], done["options"]) == ("DONE", 1, {"policy": "GOOD"})
    assert stored(li, Ecog, subject=subject).ecog == 1
    (row,) = exact(api.get(f"imports/{told['id']}/report/"))
    assert (row["line"], row["outcome"], row["subject"]) == (2, "created", subject.subjid)
    assert "created" in text(api.get(f"imports/{told['id']}/report/?format=csv"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("choice", "field"),
    [({"correct": "false"}, "correct"), ({"policy": "some"}, "policy"), ({"policy": 1}, "policy")],
)
def test_nothing_is_overwritten_on_a_choice_that_is_none(
    api: Api, subject: Any, li: Any, choice: Any, field: str
) -> None:
    enter(subject, Ecog, li, "D0", ecog_date="2026-01-05", ecog="1")
    told = exact(post(api, f"{HEAD}{subject.subjid},D0,2026-01-05,2\n", "profile=form:ecog"))
    answer = problem(api.post(f"imports/{told['id']}/commit/", choice), 400, "rejected")
    assert [one["field"] for one in answer["errors"]] == [field]
    assert stored(li, Ecog, subject=subject).ecog == 1


@pytest.mark.django_db
def test_an_import_job_of_no_file_is_not_found(api: Api) -> None:
    problem(api.post("jobs/", {"kind": "import", "parameters": {"file": "none"}}), 404)


@pytest.mark.django_db
def test_multipart_and_an_idempotency_key(api: Api, subject: Any) -> None:
    def send(line: str) -> Any:
        given = SimpleUploadedFile("../x.csv", f"{HEAD}{line}\n".encode(), "text/csv")
        data = {"file": given, "profile": "form:ecog", "dry_run": "false"}
        return api.client.post("/api/v1/imports/", data, headers={"Idempotency-Key": "one"})

    first, again = send(f"{subject.subjid},D0,2026-01-05,1"), send(f"{subject.subjid},D0,2026-01-05,1")
    assert exact(first)["id"] == exact(again)["id"] and exact(first)["name"] == "x.csv"
    assert exact(again)["state"] == "DONE"
    problem(send(f"{subject.subjid},D0,2026-01-05,2"), 422, "other_body")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "query", "code"),
    [
        (HEAD, "profile=form:ecog", "no_rows"),
        (HEAD, "profile=form:eccog", "unknown_profile"),
        ("a,b\n1,2\n", "profile=form:ecog", "wrong_columns"),
        (HEAD, "profile=form:ecog&dry_run=perhaps", "choice"),
        (HEAD, "profile=form:ecog&policy=most", "choice"),
    ],
)
def test_what_cannot_be_read_is_a_problem_document(api: Api, body: str, query: str, code: str) -> None:
    assert code in codes(problem(post(api, body, query), 400, "rejected"))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["text/csv", "application/octet-stream", ""])
def test_an_empty_body_is_an_empty_file(api: Api, kind: str) -> None:
    answer = api.post("imports/?profile=lab_long", "", content_type=kind)
    assert codes(problem(answer, 400, "rejected")) == {"empty"}


@pytest.mark.django_db
def test_more_than_the_limit_is_413_before_it_is_read(api: Api, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "MOST_BYTES", 10)
    monkeypatch.setattr("exchange.views_imports.SLACK", 0)
    problem(post(api, HEAD, "profile=form:ecog"), 413, "too_large")


@pytest.mark.django_db
def test_another_sites_file_is_not_found_and_readers_may_not_send(
    api: Api, make_token: Any, subject: Any
) -> None:
    told = exact(post(api, f"{HEAD}{subject.subjid},D0,2026-01-05,1\n", "profile=form:ecog"))
    problem(Api(make_token("coordinator_elsewhere")).get(f"imports/{told['id']}/"), 404)
    problem(post(Api(make_token("data_manager_qian")), HEAD, "profile=form:ecog&site=01"), 403)
    assert exact(Api(make_token("monitor_wu")).get(f"imports/{told['id']}/"))["state"] == "CHECKED"


@pytest.mark.django_db(transaction=True)
def test_a_large_file_is_202_and_polled(api: Api, subject: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "AT_ONCE_BYTES", 0)
    sent = post(api, f"{HEAD}{subject.subjid},D0,2026-01-05,1\n", "profile=form:ecog&dry_run=false")
    assert (sent.status_code, exact(sent)["busy"]) == (202, True)
    assert jobs.drain(KINDS) == 1
    told = exact(api.get(sent["Location"]))
    assert (told["state"], told["busy"], told["counts"]["created"]) == ("DONE", False, 1)


@pytest.mark.django_db
def test_the_page_checks_shows_the_rows_and_enters(person_client: Any, subject: Any, li: Any) -> None:
    page = person_client("coordinator_li")
    page.cookies["edc_language"] = "en"
    content = f"{HEAD}{subject.subjid},D0,2026-01-05,1\n{subject.subjid},D28,2026-01-05,9\n"
    sent = page.post(
        "/imports", {"profile": "form:ecog", "file": SimpleUploadedFile("e.csv", content.encode())}
    )
    assert sent.status_code == 302
    shown = page.get(sent["Location"]).content.decode()
    assert "ecog" in shown and "2 " in shown and "impossible" in shown
    assert page.post(f"{sent['Location']}/commit", {"policy": "GOOD"}).status_code == 302
    assert stored(li, Ecog, subject=subject).ecog == 1
    assert "e.csv" in page.get("/imports").content.decode()
    assert b"refused" in b"".join(page.get(f"{sent['Location']}/report").streaming_content)
    bad = page.post(
        "/imports", {"profile": "form:ecog", "file": SimpleUploadedFile("e.csv", b"a\n1\n")}, follow=True
    )
    assert "missing" in bad.content.decode()


@pytest.mark.django_db
def test_a_file_of_good_rows_shows_them_and_leads_to_the_records(
    person_client: Any, subject: Any, li: Any
) -> None:
    page = person_client("coordinator_li")
    page.cookies["edc_language"] = "en"
    content = (
        f"受试者,访视,采样时间,检验项目,结果,单位\n{subject.subjid},D0,2026-01-05 08:00,WBC,4.5,10^9/L\n"
    )
    sent = page.post(
        "/imports", {"profile": "lab_long", "file": SimpleUploadedFile("l.csv", content.encode())}
    )
    shown = page.get(sent["Location"]).content.decode()
    assert "No such rows" not in shown and f"<td>{subject.subjid}</td>" in shown
    page.post(f"{sent['Location']}/commit", {"policy": "ALL"})
    record = stored(li, Haematology, subject=subject)
    assert f"/records/haematology/{record.pk}" in page.get(sent["Location"]).content.decode()


# samples


@pytest.mark.django_db
def test_samples_expected_received_and_recorded_are_compared(api: Api, subject: Any, li: Any) -> None:
    enter(
        subject, InformedConsent, li, consent_type="INITIAL", consent_dt="2026-01-02 09:00", icf_version="1.0"
    )
    for visit, when in (("D7", "2026-01-12 08:00"), ("D10", "2026-01-15 08:00")):
        answers = {"collect_dt": when, "nominal_day": visit[1:], "specimen": "PB", "assay": "QPCR"}
        enter(subject, PkSample, li, visit, **answers)
    s, head = subject.subjid, "subject,visit,datetime,day,specimen,assay,result,lloq\n"
    file = f"{head}{s},D7,2026-01-12 09:00,7,PB,QPCR,1500,50\n{s},D14,2026-01-19 08:00,14,PB,QPCR,9,50\n"
    file += f"{s},D14,2026-01-19 10:00,14,PB,QPCR,10,50\n"
    told = exact(post(api, file, "profile=pk"))
    rows = exact(api.get(f"samples/?form=pk_sample&subject={subject.pk}&import={told['id']}"))
    found = {row["visit"]: set(row["findings"]) for row in rows}
    assert "DATE_MISMATCH" in found["D7"]
    assert "NOT_IN_FILE" in found["D10"]
    assert {"NOT_ENTERED", "DUPLICATE"} <= found["D14"]


@pytest.mark.django_db
def test_a_sample_that_was_due_and_never_came_is_missing(subject: Any, li: Any, monkeypatch: Any) -> None:
    from dosing.models import Infusion

    enter(subject, Infusion, li, inf_start_dt="2026-01-05 09:00")
    rows = {row.visit: row for row in reconcile(li, "pk_sample", [subject.pk])}
    assert rows["D7"].planned == 1 and rows["D7"].findings == ["MISSING"]


# laboratories


@pytest.fixture
def central(actor: Any, site: Any) -> Laboratory:
    return keep.add_laboratory(site, "Central", "中心实验室", None, True, by=actor("data_manager_qian"))


def row(**change: str) -> dict[str, str]:
    stated = {"analyte": "alt", "unit": "U/L", "low": "9", "high": "50", "valid_from": "2026-01-01"}
    return {**stated, **change}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, "valid_from"),
        ({"analyte": "gold"}, "analyte"),
        ({"unit": "g/L", "valid_from": "2030-01-01"}, "unit"),
        ({"low": "60", "analyte": "ast"}, "low"),
        ({"low": "", "high": "", "analyte": "ast"}, "low"),
        ({"valid_to": "2025-01-01", "analyte": "ast"}, "valid_to"),
        ({"age_low": "60", "age_high": "18", "analyte": "ast"}, "age_low"),
        ({"low": "many"}, "low"),
        ({"valid_from": "soon"}, "valid_from"),
    ],
)
def test_a_range_that_cannot_be_or_overlaps_is_refused(
    central: Laboratory, actor: Any, change: dict[str, str], field: str
) -> None:
    qian = actor("data_manager_qian")
    keep.add_range(range_files.range_of(central, row()), by=qian)
    with pytest.raises(Rejected) as refused:
        keep.add_range(range_files.range_of(central, row(**change)), by=qian)
    assert field in {p.field for p in refused.value.problems}


@pytest.mark.django_db
def test_a_range_ends_and_the_next_begins(central: Laboratory, actor: Any, li: Any) -> None:
    qian = actor("data_manager_qian")
    one = keep.add_range(range_files.range_of(central, row()), by=qian)
    keep.end_range(one.pk, date(2026, 6, 30), by=qian, reason="new reagent")
    keep.add_range(range_files.range_of(central, row(valid_from="2026-07-01", high="45")), by=qian)
    with pytest.raises(Forbidden):
        keep.add_range(range_files.range_of(central, row(analyte="ast")), by=li)


@pytest.mark.django_db
def test_ranges_come_by_file_once_all_or_none(central: Laboratory, actor: Any, site: Any) -> None:
    qian = actor("data_manager_qian")
    head = ",".join(range_files.RANGE_COLUMNS)
    good = f"{head}\nCentral,alt,M,,,U/L,9,50,2026-01-01,\nCentral,alt,F,,,U/L,7,40,2026-01-01,\n"
    assert (
        range_files.import_ranges(good, site, by=qian),
        range_files.import_ranges(good, site, by=qian),
    ) == (2, 0)
    with pytest.raises(Rejected) as refused:
        range_files.import_ranges(
            f"{good}Central,ast,,,,U/L,1,2,2026-01-01,\nNowhere,ast,,,,U/L,1,2,2026-01-01,\n", site, by=qian
        )
    assert [p.field for p in refused.value.problems] == ["line 5 laboratory"]
    with audit.reading(qian):
        assert ReferenceRange.objects.filter(lab=central).count() == 2


@pytest.mark.django_db
def test_a_late_range_is_attached_only_when_asked_for_and_with_a_reason(
    central: Laboratory, actor: Any, li: Any, subject: Any, capsys: Any
) -> None:
    record = enter(subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", alt="30").record
    keep.add_range(range_files.range_of(central, row()), by=actor("data_manager_qian"))
    assert stored(li, Chemistry, pk=record.pk).alt_uln is None
    (bare,) = [one for one in late_ranges.without_ranges(li) if one.record.pk == record.pk]
    assert bare.analytes == ("alt",)
    with pytest.raises(Rejected):
        late_ranges.attach([late_ranges.Chosen("chemistry", record.pk, 1)], by=li, reason=" ")
    call_command("attach_ranges", "--by", "coordinator_li")
    assert "nothing was changed" in capsys.readouterr().out
    assert late_ranges.attach(
        [late_ranges.Chosen("chemistry", record.pk, 1)], by=li, reason="range came late"
    ) == (1, [])
    now = stored(li, Chemistry, pk=record.pk)
    assert (now.alt_uln, now.version) == (50, 2)
    with audit.reading(li):
        assert now.history.get(version=2).history_change_reason == "range came late"


@pytest.mark.django_db
def test_the_page_of_the_laboratories_adds_and_the_api_shows(
    person_client: Any, make_token: Any, actor: Any
) -> None:
    page = person_client("data_manager_qian")
    page.cookies["edc_language"] = "en"
    assert (
        page.post("/laboratories", {"act": "add_laboratory", "site": "01", "name": "Ward lab"}).status_code
        == 302
    )

    with audit.reading(actor("data_manager_qian")):
        lab = Laboratory.objects.get(name="Ward lab")
    sent = {"act": "add_range", "laboratory": str(lab.pk), **row()}
    assert page.post("/laboratories", sent).status_code == 302
    again = page.post("/laboratories", sent)
    assert again.status_code == 422 and "overlaps" in again.content.decode()
    api = Api(make_token("coordinator_li"))
    assert "Ward lab" in {one["name"] for one in exact(api.get("laboratories/?limit=1000"))}
    assert {"alt"} == {
        o["analyte"] for o in exact(api.get("reference-ranges/?limit=1000")) if o["laboratory"] == "Ward lab"
    }
    assert person_client("coordinator_li").post("/laboratories", sent).status_code == 403
    assert person_client("coordinator_li").get("/laboratories/attach").status_code == 200
