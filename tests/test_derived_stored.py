"""Derived values that are kept: only what changes is written, differences are asked about, the audit gives them again."""

import csv
import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest

from dosing.models import DoseAllocation, Infusion, Lymphodepletion
from exchange.views_derived import rate
from review.models import Query
from review.queries import close
from safety.casebook import casebook
from safety.derived.every import DERIVATIONS, derive
from safety.derived.replay import derived_at
from safety.derived.stored import digests
from safety.engine import READS, evaluate, sweep
from safety.models import Derivation
from subjects.models import Demographics, InformedConsent
from tests.api_client import Api, exact, problem, text
from tests.entering import correct, enter
from trial import audit
from trial.dates import utc_now
from trial.people import system_actor
from trial.protocol import V1
from visits.models import BoneMarrow, CrsAssessment, Haematology, PkSample, Response

FEVER: dict[str, Any] = {
    "assess_dt": "2026-03-18 08:00",
    "temp_c": "38.6",
    "fever_other_cause": "false",
    "hypotension": "false",
    "vasopressors": ["NONE"],
    "hypoxia": "false",
    "oxygen_device": "NONE",
}
COUNT: dict[str, Any] = {
    "lb_dt": "2026-03-20 08:00",
    "plt_value": "20",
    "plt_unit": "10^9/L",
    "plt_lln": "125",
    "plt_uln": "350",
}


@pytest.fixture
def treated(subject: Any, li: Any, actor: Any) -> dict[str, Any]:
    """Consent, infusion at DL1, a remission on Day 28, one kinetics sample."""
    kang = actor("investigator_kang")
    made = {
        "consent": enter(
            subject,
            InformedConsent,
            li,
            consent_type="INITIAL",
            consent_dt="2026-02-09 09:00",
            icf_version="1.0",
        ),
        "person": enter(subject, Demographics, li, "SCR", birth_date="1980-05", sex="M"),
        "level": enter(subject, DoseAllocation, kang, allocated_dt="2026-03-10 09:00", level="DL1"),
        "infusion": enter(subject, Infusion, li, inf_start_dt="2026-03-16 10:00", part_no="1"),
        "marrow": enter(
            subject,
            BoneMarrow,
            li,
            "D28",
            bm_dt="2026-04-13 09:00",
            aspirate_adequate="true",
            blast_pct_morph="2",
        ),
        "sample": enter(
            subject,
            PkSample,
            li,
            "D28",
            collect_dt="2026-04-13 10:00",
            nominal_day="28",
            specimen="PB",
            assay="QPCR",
            result_text="900",
            copies_per_ug="900",
            lloq="50",
        ),
    }
    records = {name: saved.record for name, saved in made.items()}
    records["response"] = enter(
        subject,
        Response,
        kang,
        "D28",
        assess_date="2026-04-14",
        bone_marrow=str(records["marrow"].pk),
        circulating_blasts="false",
        extramedullary_disease="false",
        anc="1.5",
        plt="150",
        investigator_response="CR",
        status="COMPLETE",
    ).record
    run(subject)
    return records


def run(subject: Any) -> None:
    """What the worker does."""
    evaluate(subject.pk, by=system_actor())


def kept(li: Any, subject: Any) -> dict[tuple[str, str], Derivation]:
    with audit.reading(li):
        return {(one.name, one.key): one for one in Derivation.objects.filter(subject=subject)}


def asked(li: Any, record: Any) -> list[Query]:
    with audit.reading(li):
        rows = Query.objects.filter(record_id=record.pk, check_id__startswith="computed.derived")
        return list(rows.order_by("field"))


@pytest.mark.django_db
def test_only_what_changes_is_written(subject: Any, treated: dict[str, Any], li: Any) -> None:
    before = kept(li, subject)
    assert {name for name, _ in before} >= {"age", "response", "best_response", "os", "pfs", "dor", "pk"}
    response = before[("response", str(treated["response"].pk))]
    assert response.value["response"] == "CR" and response.method == "ELN-ALL2024"
    assert {i["form"] for i in response.inputs} == {"response", "bone_marrow"}
    run(subject)
    assert {key: one.version for key, one in kept(li, subject).items()} == {
        key: one.version for key, one in before.items()
    }
    correct(treated["marrow"], li, blast_pct_morph="6")
    run(subject)
    after = kept(li, subject)
    moved = {key[0] for key in after if after[key].version != before[key].version}
    assert moved == {"response", "best_response", "os", "pfs", "dor"}
    changed = after[("response", str(treated["response"].pk))]
    assert (changed.value["response"], changed.differs, changed.version) == ("NR", True, 2)
    assert next(i for i in changed.inputs if i["field"] == "blast_pct_morph")["version"] == 2
    assert after[("dor", "")].stands is False  # no remission, no duration: what it said last stays readable


@pytest.mark.django_db
def test_what_lost_its_inputs_stands_no_longer_and_comes_back(
    subject: Any, treated: dict[str, Any], li: Any
) -> None:
    from entry.door import retract_record

    saved = retract_record(treated["sample"], by=li, reason="wrong subject", seen=1)
    run(subject)
    assert kept(li, subject)[("pk", "QPCR:PB")].stands is False
    assert saved.record.retracted
    again = {"collect_dt": "2026-04-13 11:00", "nominal_day": "28", "specimen": "PB", "assay": "QPCR"}
    enter(subject, PkSample, li, "D28", result_text="700", copies_per_ug="700", lloq="50", **again)
    run(subject)
    one = kept(li, subject)[("pk", "QPCR:PB")]
    assert (one.stands, one.value["cmax"], one.version) == (True, "700", 3)


@pytest.mark.django_db
def test_the_sweep_repairs_what_was_lost(subject: Any, treated: dict[str, Any], li: Any) -> None:
    assert subject.pk not in set(sweep(by=system_actor()))
    with audit.transaction(system_actor(), reason="a test spoils a value"):
        one = Derivation.objects.get(subject=subject, name="pfs")
        one.digest = "spoiled"
        one.save(force_update=True)
    assert subject.pk in set(sweep(by=system_actor()))
    run(subject)
    assert subject.pk not in set(sweep(by=system_actor()))


@pytest.mark.django_db
def test_of_two_records_with_two_values_each_only_the_lost_ones_are_repaired(subject: Any, li: Any) -> None:
    usual = {"drug": "CYCLOPHOSPHAMIDE", "weight_kg": "70", "height_cm": "170", "planned_mg_m2": "300"}
    one, other = (
        str(enter(subject, Lymphodepletion, li, admin_dt=f"2026-03-{day} 09:00", **usual).record.pk)
        for day in (11, 12)
    )
    run(subject)
    lost = (("bsa", one), ("ld_dose", other))  # not those of the same names and keys the other way round
    with audit.transaction(system_actor(), reason="a test spoils two values"):
        for name, key in lost:
            row = Derivation.objects.get(subject=subject, name=name, key=key)
            row.digest = "spoiled"
            row.save(force_update=True)
    run(subject)
    after = {key: (row.version, row.digest != "spoiled") for key, row in kept(li, subject).items()}
    assert {after[key] for key in lost} == {(3, True)}
    assert after["bsa", other] == after["ld_dose", one] == (1, True)


@pytest.mark.django_db
@pytest.mark.req("R-19")
def test_the_audit_gives_every_value_again_as_it_was(subject: Any, treated: dict[str, Any], li: Any) -> None:
    with audit.reading(li):
        first = digests(derive(casebook(subject.pk, READS), V1), V1)
        then = utc_now()
    correct(treated["marrow"], li, blast_pct_morph="6")
    enter(subject, CrsAssessment, li, "UNSCHED", **FEVER)
    with audit.reading(li):
        now = digests(derive(casebook(subject.pk, READS), V1), V1)
        assert digests(derived_at(subject.pk, then), V1) == first != now
        assert digests(derived_at(subject.pk, utc_now() + timedelta(seconds=1)), V1) == now
        assert {key for key, _ in digests(derived_at(subject.pk, then - timedelta(days=1)), V1).items()} == {
            ("subject_status", ""),
            ("analysis_sets", ""),
        }


# --- differences are asked about ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_grade_that_differs_opens_one_query_with_both_and_closes_when_they_agree(
    subject: Any, li: Any, actor: Any
) -> None:
    kang = actor("investigator_kang")
    record = enter(
        subject, CrsAssessment, kang, "UNSCHED", status="COMPLETE", investigator_grade="2", **FEVER
    ).record
    run(subject)
    run(subject)
    (query,) = asked(li, record)
    assert (query.field, query.status, query.value) == ("investigator_grade", "OPEN", "2/1")
    assert "2 was entered, 1 is derived by ASTCT2019" in query.text_en and "录入为 2" in query.text_zh
    record = correct(record, kang, hypotension="true").record  # the data now say 2
    with audit.reading(li):
        assert Query.objects.get(pk=query.pk).status == "OPEN"  # saving waits for nobody and closes nothing
    run(subject)
    (query,) = asked(li, record)
    assert query.status == "CLOSED" and record.investigator_grade == 2
    correct(record, kang, hypotension="false", hypoxia="true", oxygen_device="NONREBREATHER")  # and now 3
    run(subject)
    (query,) = asked(li, record)
    assert (query.status, query.value) == ("OPEN", "2/3")
    assert "2 was entered, 3 is derived" in query.text_en and "推导为 3" in query.text_zh


@pytest.mark.django_db
def test_a_draft_is_asked_nothing(subject: Any, li: Any) -> None:
    record = enter(subject, CrsAssessment, li, "UNSCHED", investigator_grade="2", **FEVER).record
    run(subject)
    assert asked(li, record) == []


@pytest.mark.django_db
def test_response_dose_and_laboratory_are_asked_about_as_well(
    subject: Any, treated: dict[str, Any], li: Any, wu: Any, actor: Any
) -> None:
    correct(treated["marrow"], li, blast_pct_morph="6")
    dose = enter(
        subject,
        Lymphodepletion,
        li,
        status="COMPLETE",
        drug="CYCLOPHOSPHAMIDE",
        planned_day="-5",
        admin_dt="2026-03-11 09:00",
        weight_kg="70",
        height_cm="170",
        planned_mg_m2="300",
        planned_mg="500",
        actual_mg="500",
    ).record
    count = enter(subject, Haematology, li, "UNSCHED", **COUNT).record
    run(subject)
    told = {
        name: asked(li, record)[0]
        for name, record in (("response", treated["response"]), ("dose", dose), ("count", count))
    }
    assert (told["response"].field, told["response"].value) == ("investigator_response", "CR/NR")
    assert (told["dose"].field, told["dose"].value) == ("planned_mg", "500/546")
    assert told["count"].text_en.startswith("AE? Platelet count decreased grade 4 (20 10^9/L; no baseline)")
    close(told["count"].pk, "Known, see the event.", by=wu)
    run(subject)
    assert asked(li, count)[0].status == "CLOSED"  # what a monitor closed stays closed


# --- shown and handed out ----------------------------------------------------------------------------------------


def words(browser: Any, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    plain = html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", plain)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "title"), [("en", "Best response within three months"), ("zh-hans", "3个月内最佳疗效")]
)
def test_the_page_shows_value_method_basis_and_inputs(
    language: str, title: str, subject: Any, treated: dict[str, Any], person_client: Any
) -> None:
    browser = person_client("coordinator_li")
    browser.cookies["edc_language"] = language
    there = f"/subjects/{subject.subjid}/derived"
    told = words(browser, there)
    assert title in told and "ELN-ALL2024" in told and "PKNCA0.12" in told
    page = browser.get(there).content.decode()
    assert f"/records/bone_marrow/{treated['marrow'].pk}?field=blast_pct_morph" in page
    assert there in browser.get(f"/subjects/{subject.subjid}").content.decode()
    assert person_client("coordinator_elsewhere").get(there).status_code == 404


@pytest.mark.django_db
def test_forms_show_what_is_derived_beside_the_answer(
    subject: Any, treated: dict[str, Any], li: Any, person_client: Any
) -> None:
    record = enter(subject, CrsAssessment, li, "UNSCHED", investigator_grade="2", **FEVER).record
    count = enter(subject, Haematology, li, "UNSCHED", **COUNT).record
    run(subject)
    browser = person_client("coordinator_li")
    browser.cookies["edc_language"] = "en"
    assert "CRS grade: 1 ASTCT2019" in words(
        browser, f"/subjects/{subject.subjid}/UNSCHED/crs_assessment/{record.pk}"
    )
    told = words(browser, f"/subjects/{subject.subjid}/UNSCHED/haematology/{count.pk}")
    assert "↓ Platelet count decreased grade 4" in told and "CTCAE5.0" in told
    response = treated["response"]
    assert "Response at an assessment: Complete remission" in words(
        browser, f"/subjects/{subject.subjid}/D28/response/{response.pk}"
    )


@pytest.mark.django_db
def test_the_api_gives_everything(subject: Any, treated: dict[str, Any], make_token: Any) -> None:
    api = Api(make_token("coordinator_li"))
    whole = exact(api.get(f"subjects/{subject.subjid}/derived/"))
    by_name = {one["name"]: one for one in whole["derivations"]}
    assert list(by_name) == [name for name in DERIVATIONS if name in by_name]
    assert by_name["pk"]["method"] == "PKNCA0.12" and by_name["pk"]["basis"] == "guideline"
    (profile,) = by_name["pk"]["values"]
    assert (profile["key"], profile["value"]["cmax"]) == ("QPCR:PB", "900")
    assert {i["field"] for i in profile["inputs"]} >= {"inf_start_dt", "copies_per_ug", "lloq"}
    assert len(profile["input_hash"]) == 64
    rows = exact(api.get(f"derivations/?subject={subject.subjid}&name=best_response"))
    assert [(r["value"]["best"], r["value"]["level"], r["stands"]) for r in rows] == [("CR", "DL1", True)]
    problem(api.get("derivations/?name=nothing"), 400)
    lines = list(
        csv.DictReader(
            io.StringIO(text(Api(make_token("statistician_sun")).get("derivations/?format=csv&name=os")))
        )
    )
    assert lines and lines[0]["method"] == "TTE1.0" and '"days"' in lines[0]["value"]
    assert (
        Api(make_token("coordinator_elsewhere")).get(f"subjects/{subject.subjid}/derived/").status_code == 404
    )
    described = {one["name"]: one for one in exact(api.get("dictionary/derived/"))}
    assert set(described) == set(DERIVATIONS) and all(
        one["cites"] and one["says"] for one in described.values()
    )


@pytest.mark.django_db
def test_the_remission_rate_with_its_exact_interval(
    subject: Any, treated: dict[str, Any], make_token: Any
) -> None:
    told = exact(Api(make_token("coordinator_li")).get("summary/response/"))
    assert (told["overall"]["infused"], told["overall"]["responders"]) == (1, 1)
    assert [one["level"] for one in told["levels"]] == ["DL1"]
    assert exact(Api(make_token("coordinator_elsewhere")).get("summary/response/"))["overall"]["rate"] is None


def test_a_rate_by_hand() -> None:
    # 43 of 47: Clopper-Pearson 79.62 % to 97.63 %
    one = {"best": "CR", "responder": True, "confirmed": True, "investigator_responder": True}
    none = {"best": "NE", "responder": False, "confirmed": False, "investigator_responder": True}
    told = rate([one] * 43 + [none] * 4)
    assert (told["infused"], told["responders"], f"{told['rate']:.4f}") == (47, 43, "0.9149")
    assert (f"{told['low']:.4f}", f"{told['high']:.4f}") == ("0.7962", "0.9763")
    assert told["by_investigator"]["rate"] == 1 and told["best"]["NE"] == 4 and told["confirmed"] == 43
    assert rate([])["rate"] is None
