"""Assessments, samples and follow-up: DV-49, 53 to 58, 60 to 64."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from safety.adverse_events import AdverseEvent, DltAssessment
from safety.content import Versions
from safety.engine import find
from safety.rules import RULES
from subjects.models import Death, EndOfStudy, InformedConsent, SubsequentTherapy
from tests.books import at, book, signature
from tests.followed import D, crs, icans, sample
from tests.people import INFUSED, NOW, Change, Subject, also, both, changed, clean, put, without
from trial.protocol import V1
from trial.rules import Severity
from visits.models import BoneMarrow, ConMeds, Csf, PkSample, Response, SurvivalLtfu, Visit

BROKEN, HELD, OPEN = False, None, True


def noon(day: str) -> datetime:
    """Noon of a day in Shanghai."""
    return at(day, "12:00")


def day(n: int, time: str = "10:00") -> datetime:
    """A moment n days after Day 0."""
    return at((INFUSED + timedelta(days=n)).isoformat(), time)


def drug(drug_class: str, start: str, **facts: Any) -> ConMeds:
    """A medication, ended on the day it began."""
    usual = {"drug": drug_class.lower(), "ongoing": False, "end_dt": start[:10], "status": "COMPLETE"}
    return ConMeds(drug_class=drug_class, start_dt=start, **{**usual, **facts})


TOCI = "TOCILIZUMAB"
ROWS: list[tuple[str, Change, bool | None]] = [
    # DV-53: every form of a visit that took place
    ("DV-53", without("D2 coagulation"), BROKEN),
    ("DV-53", without("D2 vitals"), BROKEN),  # those of another visit do not stand for them
    ("DV-53", put("D2 coagulation", not_done=True), BROKEN),
    ("DV-53", both(without("D2 coagulation"), without("D2")), HELD),  # the visit itself is missed
    ("DV-53", without("chemistry_d0"), HELD),  # optional on Day 0
    # DV-54
    ("DV-54", without("D1 pk"), BROKEN),
    ("DV-54", put("D1 pk", collect_dt=day(2)), HELD),
    ("DV-54", put("D1 pk", collect_dt=day(3)), BROKEN),
    ("DV-54", put("D1 pk", visit="UNSCHED"), HELD),  # found by its planned day
    ("DV-54", put("D1 pk", collect_dt=None), OPEN),
    # DV-55
    ("DV-55", put("D1 pk", sample_quality="HAEMOLYSED"), BROKEN),
    ("DV-55", put("D1 pk", sample_quality="WRONG_TUBE"), BROKEN),
    ("DV-55", put("D1 pk", gdna_ug=D("0.0999")), BROKEN),
    ("DV-55", put("D1 pk", gdna_ug=D("0.1")), HELD),
    ("DV-55", put("D1 pk", gdna_ug=None), HELD),
    ("DV-55", put("D1 pk", gdna_ug=None, sample_quality=""), OPEN),
    ("DV-55", put("D1 pk", gdna_ug=None, sample_quality="", status="DRAFT"), HELD),
    # DV-56
    ("DV-56", without("D2 crs"), BROKEN),
    ("DV-56", without("D2 icans"), BROKEN),
    ("DV-56", put("D2 crs", assess_dt=None), OPEN),
    ("DV-56", both(without("D2 crs"), put("D3 crs", assess_dt=None)), BROKEN),  # open is Day 3 alone
    ("DV-56", put("D2 crs", assess_dt=day(2, "23:59"), visit="D3"), HELD),  # the day counts, not the visit
    # DV-57
    ("DV-57", also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1)), BROKEN),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), crs(day(1, "22:00"), "D1", 1)),
        HELD,
    ),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), crs(day(1, "21:59"), "D1", 1)),
        BROKEN,
    ),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), icans(day(2, "10:00"), "D2", 2)),
        HELD,
    ),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), crs(day(2, "10:01"), "D2", 3)),
        BROKEN,
    ),
    ("DV-57", also(drug(TOCI, "2026-03-18", dose_number=1), crs(day(2, "09:00"), "D2", 1)), OPEN),
    ("DV-57", also(drug(TOCI, "2026-03-18", dose_number=1)), BROKEN),  # at no hour of the day
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1), crs(day(2, "09:00"), "D2", None)),
        OPEN,
    ),
    ("DV-57", also(drug("CORTICOSTEROID", "2026-03-18T10:00+08:00", indication="ICANS")), BROKEN),
    ("DV-57", also(drug("CORTICOSTEROID", "2026-03-18T10:00+08:00", indication="OTHER")), HELD),
    ("DV-57", also(drug("CORTICOSTEROID", "2026-03-18T10:00+08:00", indication="")), OPEN),
    ("DV-57", also(drug(TOCI, "", dose_number=1, end_dt="")), OPEN),
    ("DV-57", also(drug(TOCI, "2026-03-15T10:00+08:00", dose_number=1)), HELD),  # before the infusion
    # DV-58
    (
        "DV-58",
        also(drug(TOCI, "2026-03-18T02:00+08:00"), drug(TOCI, "2026-03-18T10:00+08:00")),
        HELD,  # eight hours
    ),
    (
        "DV-58",
        also(drug(TOCI, "2026-03-18T02:01+08:00"), drug(TOCI, "2026-03-18T10:00+08:00")),
        BROKEN,
    ),
    ("DV-58", also(drug(TOCI, "2026-03-18"), drug(TOCI, "2026-03-18T10:00+08:00")), OPEN),
    ("DV-58", also(drug(TOCI, "2026-03-18"), drug(TOCI, "2026-03-19T10:00+08:00")), HELD),
    (
        "DV-58",
        also(drug(TOCI, "2026-03-18"), drug(TOCI, "2026-03-18T05:00+08:00")),
        OPEN,
    ),  # either came first
    ("DV-58", also(drug(TOCI, "2026-03-18"), drug(TOCI, "2026-03-19T07:59+08:00")), OPEN),
    ("DV-58", also(drug(TOCI, "2026-03-18"), drug(TOCI, "2026-03-19T08:00+08:00")), HELD),
    ("DV-58", also(drug(TOCI, "2026-03-18T02:00+08:00", dose_number=4)), HELD),
    ("DV-58", also(drug(TOCI, "2026-03-18T02:00+08:00", dose_number=5)), BROKEN),
    (
        "DV-58",
        also(*(drug(TOCI, f"2026-03-{d}T02:00+08:00", dose_number=1) for d in (16, 17, 18, 19, 20))),
        BROKEN,
    ),
    # DV-60: aware on 18 March 10:00
    ("DV-60", put("event", expected=None), OPEN),
    ("DV-60", put("event", rel_sscart19="", expected=False), OPEN),
    ("DV-60", put("event", rel_sscart19=""), HELD),  # expected, whatever its cause
    ("DV-60", put("event", expected=None, rel_sscart19="UNRELATED"), HELD),
    ("DV-60", put("event", expected=False, sae_aware_dt=None), OPEN),
    ("DV-60", put("event", expected=False), HELD),  # not due yet
    # DV-61: 11 March to 16 June
    ("DV-61", also(drug("CHEMO", "2026-03-17", route="IV")), BROKEN),
    ("DV-61", also(drug("CHEMO", "2026-03-11", route="IV", drug="vincristine")), BROKEN),
    ("DV-61", also(drug("CHEMO", "2026-03-10", route="IV", drug="vincristine")), HELD),
    ("DV-61", also(drug("CHEMO", "2026-03-11", route="IV", drug="Fludarabine")), HELD),
    ("DV-61", also(drug("CHEMO", "2026-03-17", route="IT")), HELD),
    ("DV-61", also(drug("CHEMO", "2026-03-17", route="IV", indication="BRIDGING")), HELD),
    ("DV-61", also(drug("CHEMO", "2026-03", route="IV", drug="vincristine", end_dt="")), OPEN),
    ("DV-61", also(drug("TKI", "2026-03-12", end_dt="2026-03-16")), HELD),
    ("DV-61", also(drug("TKI", "2026-03-12", end_dt="2026-03-17")), BROKEN),
    ("DV-61", also(drug("OTHER_IMMUNOSUPPRESSANT", "2026-03-17")), BROKEN),
    ("DV-61", also(drug("OTHER", "2026-03-17", drug="Blinatumomab 28 ug")), BROKEN),
    ("DV-61", also(drug("ANTIBIOTIC", "2026-03-17")), HELD),
    (
        "DV-61",
        also(
            drug("CHEMO", "2026-03-19", route="IV", drug="vincristine"),
            Response(assess_date=date(2026, 3, 19), investigator_response="PD"),
        ),
        HELD,
    ),
    (
        "DV-61",
        also(
            drug("OTHER_IMMUNOSUPPRESSANT", "2026-03-19"),
            Response(assess_date=date(2026, 3, 19), investigator_response="PD"),
        ),
        BROKEN,
    ),
    # DV-62: before 16 June
    *(
        ("DV-62", also(SubsequentTherapy(type=kind, start_date=start, in_remission=told), *seen), verdict)
        for kind, start, told, seen, verdict in (
            ("CHEMO", date(2026, 6, 15), "YES", (), BROKEN),
            ("CHEMO", date(2026, 6, 16), "YES", (), HELD),
            ("CHEMO", date(2026, 6, 15), "NO", (), HELD),
            ("CHEMO", date(2026, 6, 15), "UNKNOWN", (), OPEN),
            ("CHEMO", None, "YES", (), OPEN),
            ("ALLO_SCT", date(2026, 6, 15), "YES", (), HELD),
            (
                "CHEMO",
                date(2026, 6, 15),
                "NO",
                (Response(assess_date=date(2026, 4, 13), investigator_response="CRi"),),
                BROKEN,  # the assessment outweighs the answer
            ),
            (
                "CHEMO",
                date(2026, 6, 15),
                "YES",
                (
                    Response(assess_date=date(2026, 4, 13), investigator_response="CR"),
                    SurvivalLtfu(contact_date=date(2026, 6, 10), disease_status="RELAPSED"),
                ),
                HELD,
            ),
        )
    ),
    # DV-64
    ("DV-64", also(EndOfStudy(phase="STUDY", date=date(2026, 3, 20), status="COMPLETE")), OPEN),
    ("DV-64", also(EndOfStudy(phase="TREATMENT", date=date(2026, 3, 20), status="COMPLETE")), HELD),
    (
        "DV-64",
        also(EndOfStudy(phase="STUDY", date=date(2026, 3, 20), status="COMPLETE", lock_state="LOCKED")),
        BROKEN,
    ),
]


@pytest.mark.parametrize(("rule", "change", "verdict"), ROWS)
def test_one_changed_fact(rule: str, change: Change, verdict: bool | None) -> None:
    assert changed(change).says(rule) is verdict


@pytest.mark.parametrize(("rule", "change", "verdict"), [row for row in ROWS if row[2] is not HELD])
def test_every_finding_says_where_and_why_in_both_languages(
    rule: str, change: Change, verdict: bool | None
) -> None:
    for finding in changed(change).of(rule).values():
        assert finding.form and finding.field and finding.record and finding.facts
        assert finding.en != finding.zh and finding.en.endswith(".") and finding.zh.endswith("。")


# --- what a visit asks for ---------------------------------------------------------------------------------------


def at_visit(code: str, when: date, form: Any = None) -> Subject:
    """The clean subject with one more visit, perhaps with a form of it."""
    return changed(also(Visit(visit=code, actual_date=when), *([form] if form is not None else [])))


@pytest.mark.parametrize(
    ("code", "when", "form", "severity"),
    [
        ("D28", date(2026, 4, 13), "bone_marrow", Severity.MAJOR),
        ("D28", date(2026, 4, 13), "csf", Severity.MINOR),
        ("M3", date(2026, 6, 16), "bone_marrow", Severity.MAJOR),
        ("M6", date(2026, 9, 16), "bone_marrow", Severity.MINOR),
    ],
)
def test_a_marrow_missing_at_a_critical_visit_weighs_more(
    code: str, when: date, form: str, severity: Severity
) -> None:
    found = at_visit(code, when).of("DV-53", noon("2026-12-31"))[f"{code}:{form}"]
    assert found.severity == severity and not found.pending


def test_without_a_decision_to_enrol_apheresis_has_no_window() -> None:
    """The treatment that then stands for enrolment is no day from which its own visit could be counted."""
    subject = changed(put("APH", actual_date=date(2026, 2, 27)))
    assert "visit:APH" in "".join(subject.of("DV-51"))
    for name in ("eligibility", "before_apheresis", "before_ld", "before_infusion"):
        del subject[name]
    assert not [key for key in (*subject.of("DV-51"), *subject.of("DV-52")) if "APH" in key]


def test_a_form_is_missing_only_when_the_window_is_over() -> None:
    """D28 on 12 April; its window ends on the 15th."""
    subject = at_visit("D28", date(2026, 4, 12))
    assert "D28:csf" not in subject.of("DV-53", at("2026-04-15", "23:59"))
    assert "D28:csf" in subject.of("DV-53", at("2026-04-16", "00:01"))


def test_a_form_that_was_not_done_is_missing_at_once_and_a_filled_one_outweighs_it() -> None:
    not_done = Csf(visit="D28", not_done=True, not_done_reason="NOT_DONE")
    subject = at_visit("D28", date(2026, 4, 13), not_done)
    found = subject.of("DV-53", noon("2026-04-13"))
    assert found["D28:csf"].record == not_done.pk and found["D28:csf"].field == "not_done"
    subject["another"] = Csf(visit="D28", lp_dt=at("2026-04-13"))
    assert "D28:csf" not in subject.of("DV-53", noon("2026-05-13"))


def test_nothing_is_asked_at_a_visit_whose_window_the_subject_did_not_live_to_see() -> None:
    subject = at_visit("D28", date(2026, 4, 12))
    subject["death"] = Death(death_date="2026-04-13")
    assert not [key for key in subject.of("DV-53", noon("2026-12-31")) if key.startswith("D28")]


# --- samples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visit", "nominal", "n", "verdict"),
    [
        ("D14", 14, 15, HELD),
        ("D14", 14, 16, BROKEN),
        ("D17", 17, 19, HELD),  # two days from here on
        ("D17", 17, 20, BROKEN),
        ("D28", 28, 26, HELD),
        ("D28", 28, 25, BROKEN),
        ("M2", 61, 54, HELD),  # the window of the visit: 16 May, seven days either side
        ("M2", 61, 53, BROKEN),
        ("M2", 61, 68, HELD),
        ("M2", 61, 69, BROKEN),
    ],
)
def test_the_window_of_a_sample(visit: str, nominal: int, n: int, verdict: bool | None) -> None:
    subject = changed(also(sample(day(n), visit, nominal)))
    found = subject.of("DV-54", noon("2026-03-20")).get(f"sample:{visit}")
    assert (found is None) is (verdict is HELD)


def test_a_sample_is_missing_when_its_window_is_over_at_the_site() -> None:
    subject = clean()
    assert "sample:D4" not in subject.of("DV-54", day(5, "23:59"))
    assert "sample:D4" in subject.of("DV-54", day(6, "00:01"))


def test_after_death_no_sample_is_due() -> None:
    subject = changed(also(Death(death_date="2026-03-20")))
    assert not subject.of("DV-54", noon("2027-12-31"))


def measured(last: str) -> dict[str, Any]:
    """A result below the limit, or a number (the limit is 50), or none yet."""
    return {"result_text": last, "copies_per_ug": D(last) if last.isdigit() else None}


LOW = at("2027-05-17")
"""The first day of the window of M15, which is 16 June."""


@pytest.mark.parametrize(
    ("last", "more", "due"),
    [
        ("BLQ", (), False),
        (" blq ", (), False),
        ("49", (), False),
        ("50", (), True),  # the limit can be measured
        ("", (), True),  # not known yet: the one before was the only one
        ("BLQ", (("", LOW - timedelta(days=1)),), False),  # one more without a result says nothing
        ("BLQ", (("60", LOW - timedelta(days=1)),), True),
        ("BLQ", (("60", LOW),), False),  # came within the window: too late to ask for its sample
    ],
)
def test_late_samples_are_due_only_while_the_transgene_is_detectable(
    last: str, more: tuple[tuple[str, datetime], ...], due: bool
) -> None:
    samples = [sample(day(275), "M9", 275, **measured("BLQ")), sample(day(365), "M12", 365, **measured(last))]
    samples += [sample(when, "UNSCHED", -1, **measured(result)) for result, when in more]
    assert ("sample:M15" in changed(also(*samples)).of("DV-54", noon("2027-12-31"))) is due


def test_who_withdrew_from_assessments_owes_no_samples() -> None:
    told = InformedConsent(
        consent_type="WITHDRAWAL", consent_dt=at("2026-03-19"), withdrawal_scope=["ASSESSMENTS"]
    )
    found = changed(without("D1 pk"), also(told)).of("DV-54", noon("2027-12-31"))
    assert set(found) == {"sample:D1"}


# --- daily grading, the clock ------------------------------------------------------------------------------------


def test_a_day_without_grading_breaks_the_rule_at_the_sites_midnight() -> None:
    """D4 is 20 March; Shanghai's midnight is 16:00 in UTC."""
    subject = clean()
    assert not subject.of("DV-56", datetime(2026, 3, 20, 15, 59, tzinfo=UTC))
    found = subject.of("DV-56", datetime(2026, 3, 20, 16, 1, tzinfo=UTC))
    assert set(found) == {"crs_assessment:D4", "icans_assessment:D4"}


@pytest.mark.parametrize(
    ("missed", "days"),
    [
        ({"missed_reason": "SUBJECT_DECISION"}, set()),  # on leave: no day of hospital stay
        ({"missed_reason": "MISSED"}, {"D3"}),  # nobody looked
        ({"missed_reason": "", "not_done": True, "not_done_reason": "SUBJECT_REFUSED"}, set()),
        ({"missed_reason": "", "not_done": True, "not_done_reason": "EQUIPMENT"}, {"D3"}),
        ({"missed_reason": ""}, {"D3"}),
    ],
)
def test_a_day_on_which_the_subject_was_not_there_is_no_day_of_the_stay(
    missed: dict[str, Any], days: set[str]
) -> None:
    """What is graded on such a day counts all the same; that the visit was missed is DV-52."""
    absent = put("D3", actual_date=None, **missed)
    subject = changed(absent, without("D3 crs", "D3 icans"))
    now = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)
    assert {key.split(":")[1] for key in subject.of("DV-56", now)} == days
    assert [key for key in subject.of("DV-52", now) if "D3" in key]


@pytest.mark.parametrize(
    "missed", [{"missed_reason": "OTHER"}, {"not_done": True, "not_done_reason": "OTHER"}]
)
def test_a_reason_that_does_not_say_where_the_subject_was_leaves_the_day_open(missed: dict[str, Any]) -> None:
    absent = put("D3", actual_date=None, **missed)
    now = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)
    assert not changed(absent).of("DV-56", now)  # it is graded
    found = changed(absent, without("D3 crs", "D3 icans")).of("DV-56", now)
    assert {key.split(":")[1] for key in found} == {"D3"} and all(one.pending for one in found.values())
    assert all("in hospital" in one.en and "是否在院" in one.zh for one in found.values())


def test_grading_ends_with_day_14_and_with_the_subject() -> None:
    keys = set(clean().of("DV-56", noon("2026-12-31")))
    assert "crs_assessment:D14" in keys and "crs_assessment:D15" not in keys
    died = changed(also(Death(death_date="2026-03-22"))).of("DV-56", noon("2026-12-31"))
    assert set(died) == {f"{form}_assessment:D{n}" for form in ("crs", "icans") for n in (4, 5)}


@pytest.mark.parametrize(
    ("criteria", "outcome", "days"),
    [([], "", 15), (["LIFE_THREATENING"], "", 7), (["DEATH"], "FATAL", 7), (["HOSPITALISATION"], "", 15)],
)
def test_a_susar_is_due_in_days_from_awareness(criteria: list[str], outcome: str, days: int) -> None:
    """Aware on 18 March at 10:00; to the minute, with and without a submission."""
    told = {"expected": False, "sae_criteria": criteria, "outcome": outcome}
    due = at("2026-03-18") + timedelta(days=days)
    waiting = changed(put("event", **told))
    assert not waiting.of("DV-60", due) and waiting.of("DV-60", due + timedelta(minutes=1))
    for submitted, late in ((due, False), (due + timedelta(minutes=1), True)):
        subject = changed(put("event", **told, susar_submitted_dt=submitted))
        assert bool(subject.of("DV-60", noon("2026-12-31"))) is late


def test_an_event_that_is_not_serious_is_no_susar() -> None:
    subject = changed(also(AdverseEvent(serious=False, expected=False, rel_sscart19="RELATED")))
    assert not subject.of("DV-60", noon("2027-01-01"))


# --- dose-limiting toxicity --------------------------------------------------------------------------------------


def assessed(*signatures: tuple[str, str], **facts: Any) -> Change:
    """An assessment of dose-limiting toxicity with signatures (role, day)."""
    row = DltAssessment(evaluable="YES", any_dlt="NO", status="COMPLETE", **facts)
    return also(row, *(signature(row, "DLT", role, when) for role, when in signatures))


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda subject: None, BROKEN),
        (assessed(), BROKEN),
        (assessed(("medical_monitor", "2026-04-13")), BROKEN),
        (assessed(("investigator", "2026-04-20")), HELD),  # Day 35
        (assessed(("investigator", "2026-04-21")), BROKEN),
    ],
)
def test_the_assessment_is_signed_a_week_after_the_window(change: Change, verdict: bool | None) -> None:
    subject = changed(change)
    assert not subject.of("DV-49", at("2026-04-20", "23:59"))
    assert subject.says("DV-49", at("2026-04-21", "00:01")) is verdict


def test_a_signature_on_an_older_version_does_not_count_but_a_lock_does_not_void_it() -> None:
    subject = changed(assessed(("investigator", "2026-04-13")))
    row = next(r for r in subject.values() if isinstance(r, DltAssessment))
    row.version = 2
    now = noon("2026-05-01")
    assert "assessment" in subject.of("DV-49", now)
    locked = book(*subject.values(), now=now, versions={row.pk: Versions(content=1, locked=2)})
    assert not [key for key in find(locked, V1) if key[0] == "DV-49"]


# --- follow-up and closeout --------------------------------------------------------------------------------------


def contacts(*days: str) -> Change:
    """Contacts of the follow-up."""
    return also(*(SurvivalLtfu(contact_date=date.fromisoformat(one), visit=one[:4]) for one in days))


@pytest.mark.parametrize(
    ("change", "now", "keys"),
    [
        (lambda s: None, "2029-04-16", set()),  # 24 months are 16 March 2028, 13 more 16 April 2029
        (lambda s: None, "2029-04-17", {"since:2028-03-16"}),
        (contacts("2028-03-01"), "2029-04-01", set()),
        (contacts("2028-03-01"), "2029-04-02", {"since:2028-03-01"}),
        (contacts("2028-03-01", "2029-04-01"), "2030-05-01", set()),
        (contacts("2028-03-01", "2029-04-02"), "2030-05-01", {"since:2028-03-01"}),
        (contacts("2026-09-16"), "2028-03-16", set()),  # not yet long-term follow-up
    ],
)
def test_contact_within_thirteen_months(change: Change, now: str, keys: set[str]) -> None:
    assert set(changed(change).of("DV-63", noon(now))) == keys


def test_the_follow_up_ends_with_the_subject_and_after_fifteen_years() -> None:
    died = changed(contacts("2028-03-01"), also(Death(death_date="2029-03-01")))
    assert not died.of("DV-63", noon("2035-01-01"))
    yearly = changed(contacts(*(f"{year}-03-16" for year in range(2028, 2042))))
    assert not yearly.of("DV-63", noon("2055-01-01"))


def test_a_signed_end_of_study_breaks_nothing() -> None:
    row = EndOfStudy(phase="STUDY", date=date(2026, 3, 20), status="COMPLETE", lock_state="LOCKED")
    signed = changed(also(row, signature(row, "REVIEW", "investigator")))
    assert not signed.of("DV-64")
    by_another = changed(also(row, signature(row, "REVIEW", "sub_investigator")))
    assert by_another.of("DV-64")


@pytest.mark.parametrize(
    ("versions", "broken"),
    [(Versions(2, 3), False), (Versions(3, 0), False), (Versions(5, 3), True)],
)
def test_an_answer_changed_after_the_lock(versions: Versions, broken: bool) -> None:
    subject = clean()
    marrow = next(r for r in subject.values() if isinstance(r, BoneMarrow))
    found = find(book(*subject.values(), now=NOW, versions={marrow.pk: versions}), V1, [RULES["DV-64"]])
    assert bool(found) is broken


def test_a_sample_of_another_day_is_no_sample_of_this_one() -> None:
    """The sample before the infusion lies within the window of Day 1, and does not stand for it."""
    subject = changed(without("D1 pk"))
    assert "sample:D1" in subject.of("DV-54") and isinstance(subject["D0 pk"], PkSample)
