"""What the review site tells of nested values: item, old and new in words, in both languages, and nothing lost."""

import re
from html import unescape
from typing import Any

import pytest
from django.utils.translation import override

from dosing.models import Infusion
from review.history_page import steps
from review.nested import told
from review.places import field_name
from review.shown import shown
from safety.engine import evaluate
from safety.models import AdverseEvent, Derivation, Deviation, EligibilityResult
from subjects.models import InformedConsent, PriorTransplant
from tests.entering import correct, enter
from trial.people import system_actor
from visits.models import ConMeds, CrsAssessment

ZONE = "Asia/Shanghai"
FACT = {"form": "infusion", "field": "inf_start_dt", "value": "2026-11-20T02:00:00+00:00", "record": "r1"}
LEVEL = {"form": "dose_allocation", "field": "level", "value": "DL3", "record": "r2"}
RESULT = {
    **{"low": "9", "high": "50", "unit": "U/L", "value": "250", "qualifier": ">"},
    "grades": [{"term": "ALT", "zh": "ALT", "grade": 3, "direction": "high"}],
}


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        ({}, "—", "—"),
        (True, "Yes", "是"),
        (FACT, "ssCART-19 infusion · Start of infusion: 2026-11-20 10:00 +08:00", "2026-11-20 10:00 +08:00"),
        ([FACT, LEVEL], "2026-11-20 10:00 +08:00; ", "2026-11-20 10:00 +08:00; "),
        ({"limit": "within 3 months", "limit_zh": "3 个月内"}, "Limit: within 3 months", "限值: 3 个月内"),
        ({"note": {"en": "From March on", "zh": "三月起"}}, "Note: From March on", "说明: 三月起"),
        (
            {**FACT, "en": "Consent", "zh": "知情同意", "field": "", "value": "YES"},
            "Consent: Yes",
            "知情同意: 是",
        ),
        ({"grade": 2, "agrees": False}, "Grade: 2; Both agree: No", "分级: 2; 两者一致: 否"),
        ({"results": {"alt": RESULT}}, "(ALT): >250 U/L ↑3", "(ALT): >250 U/L ↑3"),
        ({"cells": "649263994.6543296"}, "649263994.6543", "649263994.6543"),
        ({"unheard of": "1.20"}, "unheard of: 1.20", "unheard of: 1.20"),
    ],
)
def test_a_nested_value_is_told_in_words(value: Any, en: str, zh: str) -> None:
    for language, words in (("en", en), ("zh-hans", zh)):
        with override(language):
            assert words in told(value, ZONE), told(value, ZONE)


def changes(name: str, old: Any, new: Any, model: Any = Deviation) -> list[tuple[str, str, str]]:
    with override("en"):
        found = list(steps(model._meta.get_field(name), old, new, ZONE))
        return [(str(one.label), one.old, one.new) for one in found]


def test_a_changed_answer_is_one_step_and_the_others_are_none() -> None:
    old = {"facts": [FACT, LEVEL], "limit": "DL3"}
    new = {"facts": [LEVEL, {**FACT, "value": "2026-11-21T02:00:00+00:00"}], "limit": "DL3"}
    ((label, was, now),) = changes("evidence", old, new)
    assert label.startswith("Evidence: Seen: ssCART-19 infusion · ")
    assert (was, now) == ("2026-11-20 10:00 +08:00", "2026-11-21 10:00 +08:00")
    assert changes("evidence", {}, {"limit": "DL3"}) == [("Evidence: Limit", "—", "DL3")]
    gone = changes("evidence", old, {})
    assert [label.partition(":")[2][:6] for label, _, _ in gone] == [" Seen:", " Seen:", " Limit"]
    assert {now for _, _, now in gone} == {"—"} and gone[2][1] == "DL3"


def test_another_version_of_the_same_answer_is_told() -> None:
    one = {**FACT, "version": 1}
    ((label, was, now),) = changes("inputs", [one], [{**one, "version": 2}], Derivation)
    assert label.startswith("Inputs: ssCART-19 infusion") and (was[-4:], now[-4:]) == ("· v1", "· v2")


def test_what_differs_in_nothing_that_is_told_piece_by_piece_is_told_whole() -> None:
    lacking = {"form": "infusion", "field": "inf_start_dt", "why": "missing"}
    found = changes("evidence", {"lacking": [lacking]}, {"lacking": [{**lacking, "why": "unreadable"}]})
    assert [label for label, _, _ in found] == ["Evidence"] and "Start of infusion" in found[0][2]


def test_what_follows_from_a_record_is_named_in_words() -> None:
    told_ = []
    for language in ("en", "zh-hans"):
        with override(language):
            told_ += [
                field_name("crs_assessment", "derived:crs_grade"),
                field_name("response", "derived:response"),
            ]
    assert told_ == [
        "CRS grade, derived",
        "Response at an assessment, derived",
        "CRS分级(推导值)",
        "单次疗效评估(推导值)",
    ]


def test_why_a_fact_is_lacking_is_told_in_both_languages() -> None:
    gap = {
        "form": "ecog",
        "field": "ecog",
        "why": "older than 7 d: 2026-05-18",
        "why_zh": "早于 7 天:2026-05-18",
    }
    said = []
    for language in ("en", "zh-hans"):
        with override(language):
            said += [
                one.new for one in steps(Deviation._meta.get_field("evidence"), {}, {"lacking": [gap]}, ZONE)
            ]
    assert said == ["older than 7 d: 2026-05-18", "早于 7 天:2026-05-18"]


@pytest.fixture
def judged(subject: Any, li: Any) -> Any:
    """A subject infused too early after a transplant, with a graded assessment and an adverse event."""
    told_ = {"consent_type": "INITIAL", "consent_dt": "2026-01-05 09:00", "icf_version": "9.9"}
    enter(subject, InformedConsent, li, **told_)
    enter(subject, PriorTransplant, li, sct_date="2025-12-20", sct_type="ALLO")
    given = enter(subject, Infusion, li, inf_start_dt="2026-01-20 10:00").record
    crs = {"assess_dt": "2026-01-22 08:00", "temp_c": "38.6", "fever_other_cause": "false", "hypotension": "false",
           "vasopressors": ["NONE"], "hypoxia": "false", "oxygen_device": "NONE"}  # fmt: skip
    enter(subject, CrsAssessment, li, "D2", **crs)
    evaluate(subject.pk, by=system_actor())
    correct(given, li, inf_start_dt="2026-01-21 10:00")
    evaluate(subject.pk, by=system_actor())
    return subject


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_audit_trail_tells_verdicts_deviations_and_derived_values_without_any_code_of_ours(
    language: str, judged: Any, person_client: Any
) -> None:
    client = person_client("monitor_wu")
    client.cookies["edc_language"] = language
    for model in (Deviation, EligibilityResult, Derivation):
        address = f"/admin/audit/?subject={judged.subjid}&form={model._meta.db_table}"
        response = client.get(address)
        text = unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
        assert response.context["lines"], model
        for wrong in ("{'", "[{", "': ", "True", "False", "None,", "T02:00", "+00:00"):
            assert wrong not in text, (model, wrong, text[max(0, text.find(wrong) - 80) :][:160])
    moved = [
        c
        for line in response.context["lines"]
        for c in line.changes
        if c.old == "2026-01-20 10:00 +08:00 · v1"
    ]
    assert moved and all(c.new == "2026-01-21 10:00 +08:00 · v2" for c in moved)


@pytest.mark.django_db
def test_moments_known_in_part_read_as_other_moments_and_can_be_copied_back(
    subject: Any, li: Any, person_client: Any
) -> None:
    """The list of adverse events showed 2026-01-20T06:00+08:00."""
    start = "2026-01-20 06:00"
    record = enter(subject, AdverseEvent, li, term="Fever", start_dt=start, ongoing="true").record
    enter(subject, AdverseEvent, li, term="Rash", start_dt="2026-01")
    client = person_client("coordinator_li")
    client.cookies["edc_language"] = "en"
    listed = client.get(f"/subjects/{subject.subjid}/log/adverse_event").content.decode()
    assert f"{start} +08:00" in listed and ">2026-01<" in listed and "T06:00" not in listed
    words = shown(AdverseEvent._meta.get_field("start_dt"), record.start_dt, ZONE)
    drug = enter(subject, ConMeds, li, drug="Paracetamol", start_dt=words).record
    assert drug.start_dt == record.start_dt
    key = record.pk
    sent = {"row": f"0:{key}:1", "0.start_dt": words}
    checked = client.post(f"/subjects/{subject.subjid}/grid/adverse_event/check", sent).json()["lines"][0]
    assert checked["wrong"] == [] and checked["told"] == {}
    late = {"row": f"0:{key}:1", "0.ongoing": "No", "0.end_dt": "2026-01-20 05:00"}
    (said,) = client.post(f"/subjects/{subject.subjid}/grid/adverse_event/check", late).json()["lines"]
    assert (
        "The end 2026-01-20 05:00 +08:00 is earlier than the start 2026-01-20 06:00 +08:00"
        in said["told"]["end_dt"]
    )
