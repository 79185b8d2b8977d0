"""One fact at its edge: midnight, a second signature, an answer not given, a transplant of unknown type."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dosing.models import Infusion, Lymphodepletion, Manufacturing
from safety import rule_set
from safety.adverse_events import AdverseEvent, DltAssessment, susar_due, susar_ends, susar_of
from safety.binding import binding
from safety.casebook import Casebook
from safety.content import Versions
from safety.derived.remission import assessed
from safety.derived.subject import status_of_the_subject
from safety.eligibility.histories import transplants
from safety.eligibility.intervals import at_least_months_after
from safety.grading import icans
from safety.grading.crs import CrsFindings, crs_grade
from safety.grading.episodes import Assessed, episodes
from safety.grading.icans import icans_grade
from safety.rules import RULES
from safety.rules.consent import PROCEDURES
from subjects.models import DiseaseHistory, InformedConsent, PriorTransplant
from tests.books import at, book, signature
from tests.followed import vitals
from trial.fields import uuid7
from trial.logic import Verdict
from trial.models import IcfVersion, SiteProtocol
from trial.protocol import PROTOCOLS, V1, under
from visits.models import (
    BoneMarrow,
    Echo,
    Ecog,
    Haematology,
    IcansAssessment,
    Response,
    SurvivalLtfu,
    Transfusion,
)

D = Decimal
BROKEN, HELD, OPEN = False, None, True


def judged(rule: str, *forms: Any, **book_: Any) -> bool | None:
    """What a rule says of these forms: broken, held, or open because all it finds is pending."""
    found = RULES[rule](book(*forms, **book_), V1)
    return all(one.pending for one in found) if found else HELD


# --- DV-01 and I-01(2) -------------------------------------------------------------------------------------------


@pytest.mark.req("R-29")
@pytest.mark.parametrize(
    ("history", "verdict"),
    [
        (DiseaseHistory(prior_allo_sct="NO"), HELD),
        (DiseaseHistory(prior_allo_sct="YES"), OPEN),
        (DiseaseHistory(prior_allo_sct="UNKNOWN"), OPEN),  # nobody may call that no transplant
    ],
)
def test_who_may_have_been_transplanted_is_not_called_safe(
    history: DiseaseHistory, verdict: bool | None
) -> None:
    assert judged("DV-01", history, Infusion(inf_start_dt=at("2026-04-15"))) is verdict
    assert (
        judged("DV-01", history, PriorTransplant(sct_type="AUTO"), Infusion(inf_start_dt=at("2026-04-15")))
        is verdict
    )


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (("2026-03-01", "ALLO"), Verdict.NOT_MET),
        (("2026-03-01", "AUTO"), Verdict.MET),
        (("2026-03-01", ""), Verdict.UNKNOWN),  # it may have been allogeneic
        (("", ""), Verdict.UNKNOWN),
        (("2015-03-01", ""), Verdict.MET),  # whatever it was, it is long ago
    ],
)
def test_a_transplant_of_unknown_type_beside_an_old_one_leaves_the_interval_open(
    other: tuple[str, str], verdict: Verdict
) -> None:
    rows = (
        PriorTransplant(sct_date="2019-05-01", sct_type="ALLO"),
        PriorTransplant(sct_date=other[0], sct_type=other[1]),
    )
    last = transplants(book(*rows), "YES")["last_allo_sct_date"]
    assert at_least_months_after(last, 3, date(2026, 4, 15)) is verdict


# --- lymphodepletion ---------------------------------------------------------------------------------------------


def dose(drug: str, day: str | None, **facts: Any) -> Lymphodepletion:
    """One drug on one day."""
    return Lymphodepletion(drug=drug, admin_dt=day and at(day), actual_mg=D(50), **facts)


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ((dose("FLUDARABINE", "2026-03-11"), dose("CYCLOPHOSPHAMIDE", "2026-03-11")), HELD),
        ((dose("FLUDARABINE", "2026-03-11"),), BROKEN),
        (
            (dose("FLUDARABINE", "2026-03-11"), dose("CYCLOPHOSPHAMIDE", None)),
            OPEN,
        ),  # given, nobody wrote when
        ((dose("FLUDARABINE", "2026-03-11"), dose("", "2026-03-11")), OPEN),  # nobody wrote what
        ((dose("FLUDARABINE", "2026-03-11"), dose("CYCLOPHOSPHAMIDE", "2026-03-17")), BROKEN),  # after it
    ],
)
def test_a_drug_whose_time_is_not_entered_is_not_called_missing(
    rows: tuple[Any, ...], verdict: bool | None
) -> None:
    assert judged("DV-25", *rows, Infusion(inf_start_dt=at("2026-03-16"))) is verdict


# --- the infusion ------------------------------------------------------------------------------------------------


def test_vital_signs_after_midnight_belong_to_an_infusion_late_in_the_evening() -> None:
    """Started at 21:00: the check four hours later is one of the next calendar day."""
    around = (
        ("PRE_INF", -30),
        ("INF_15M", 15),
        ("INF_30M", 30),
        ("INF_1H", 60),
        ("INF_2H", 120),
        ("INF_4H", 240),
    )
    start = at("2026-03-16", "21:00")
    rows = [vitals(start + timedelta(minutes=after), "D0", code) for code, after in around]
    assert rows[-1].vs_dt.date() == date(2026, 3, 17)
    assert judged("DV-45", Infusion(inf_start_dt=start), *rows) is HELD
    assert judged("DV-45", Infusion(inf_start_dt=start), *rows[:-1]) is BROKEN


@pytest.mark.parametrize(
    ("decision", "signed", "verdict"),
    [
        ("RELEASED", (), HELD),
        ("OUT_OF_SPEC_EXCEPTION", ("RELEASE",), HELD),
        ("OUT_OF_SPEC_EXCEPTION", ("REVIEW",), BROKEN),
        ("OUT_OF_SPEC_EXCEPTION", (), BROKEN),
        ("CONDITIONAL_RELEASE", ("RELEASE",), BROKEN),
        ("", (), OPEN),
    ],
)
def test_an_exception_from_the_specification_is_signed(
    decision: str, signed: tuple[str, ...], verdict: bool | None
) -> None:
    batch = Manufacturing(batch_no="B1", release_decision=decision)
    given = [signature(batch, meaning, "cell_lab") for meaning in signed]
    assert (
        judged("DV-35", Infusion(inf_start_dt=at("2026-03-16"), batch_id=batch.pk), batch, *given) is verdict
    )


# --- dose-limiting toxicity --------------------------------------------------------------------------------------


def limiting(version: int, *days: tuple[int, str]) -> bool | None:
    """What DV-49 says of an assessment in this version that the investigator signed in these versions on these days."""
    row = DltAssessment(evaluable="YES", any_dlt="NO", status="COMPLETE", version=version)
    signed = [signature(row, "DLT", "investigator", day) for _, day in days]
    for one, (seen, _) in zip(signed, days, strict=True):
        one.record_version = seen
    return judged("DV-49", Infusion(inf_start_dt=at("2026-03-16")), row, *signed)


def test_a_correction_signed_again_does_not_make_the_first_signature_late() -> None:
    """Due on Day 35, the 20th of April."""
    assert limiting(1, (1, "2026-04-18")) is HELD
    assert limiting(2, (1, "2026-04-18"), (2, "2026-05-05")) is HELD
    assert limiting(2, (1, "2026-04-18")) is BROKEN  # the correction is not signed
    assert limiting(2, (1, "2026-04-25"), (2, "2026-05-05")) is BROKEN  # the first was late


def test_a_signature_ends_with_the_unlocking_as_its_page_says() -> None:
    row = Ecog(ecog=1, version=3)
    given = signature(row, "REVIEW", "investigator")
    given.record_version = 1

    def stands(opened: int) -> bool:
        kept = {row.pk: Versions(content=1, locked=2, opened=opened)}
        return book(row, given, versions=kept).signed(row, "REVIEW") is not None

    assert stands(0)
    assert not stands(3)


# --- serious events ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "days"),
    [
        ({"sae_criteria": ["HOSPITALISATION"]}, 15),
        ({"sae_criteria": ["DEATH"]}, 7),
        ({"sae_criteria": ["LIFE_THREATENING"]}, 7),
        ({"outcome": "FATAL"}, 7),
        ({"max_grade": 5}, 7),  # grade 5 is death
        ({"max_grade": 4}, 15),
    ],
)
def test_the_form_and_the_clock_name_the_same_day(facts: dict[str, Any], days: int) -> None:
    aware = at("2026-03-01")
    event = AdverseEvent(serious=True, expected=False, rel_sscart19="POSSIBLE", sae_aware_dt=aware, **facts)
    assert susar_due(event) == susar_ends(event, V1) == aware + timedelta(days=days)


def test_the_form_goes_by_the_version_that_binds() -> None:
    aware = at("2026-03-01", "23:30")
    event = AdverseEvent(serious=True, expected=False, rel_sscart19="POSSIBLE", sae_aware_dt=aware)
    shorter = replace(V1, susar_other_days=replace(V1.susar_other_days, value=10))
    event.bound_by = shorter
    assert susar_due(event) == aware + timedelta(days=10)
    event.bound_by = under(V1, "EU")  # to the midnight of day 15 in Amsterdam, where it was 16:30 on 1 March
    assert susar_due(event) == datetime(2026, 3, 16, 22, 59, 59, 999999, tzinfo=UTC)
    event.bound_by = replace(V1, related_from_possible=replace(V1.related_from_possible, value=("RELATED",)))
    assert susar_of(event) is False and susar_due(event) is None


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"serious": True}, OPEN),  # nobody wrote when the site became aware
        ({"serious": True, "sae_report_dt": at("2026-03-02")}, OPEN),
        ({"serious": False}, HELD),
        ({"serious": None}, HELD),
    ],
)
def test_a_serious_event_without_its_time_of_awareness_is_not_called_in_time(
    facts: dict[str, Any], verdict: bool | None
) -> None:
    assert judged("DV-59", AdverseEvent(**facts)) is verdict


def test_the_clock_of_a_report_is_the_sites() -> None:
    late = AdverseEvent(
        serious=True, sae_aware_dt=at("2026-03-01").astimezone(UTC), sae_report_dt=at("2026-03-03")
    )
    (found,) = RULES["DV-59"](book(late), V1)
    assert "aware 2026-03-01 10:00, due 2026-03-02 10:00, reported 2026-03-03 10:00" in found.en


@pytest.mark.parametrize(
    ("scope", "status"),
    [(["SAMPLES"], "FOLLOW_UP"), (["ASSESSMENTS", "SAMPLES"], "WITHDRAWN"), ([], "WITHDRAWN")],
)
def test_who_withdraws_the_use_of_samples_alone_stays_in_the_study(scope: list[str], status: str) -> None:
    told = book(
        Infusion(inf_start_dt=at("2026-03-16")),
        InformedConsent(consent_type="WITHDRAWAL", withdrawal_scope=scope),
    )
    (one,) = status_of_the_subject(told, V1)
    assert one.value == {"status": status}


# --- grading -----------------------------------------------------------------------------------------------------


TREATED = CrsFindings(D("38.5"), None, False, ("NONE",), False, "NONE", prior_fever=True, fever_treated=True)


@pytest.mark.parametrize(
    ("changed", "grade"),
    [
        ({"hypotension": True, "vasopressors": ("NOREPINEPHRINE", "EPINEPHRINE")}, 4),
        ({"hypotension": True, "vasopressors": ("NOREPINEPHRINE",)}, 3),
        ({"hypoxia": True, "oxygen_device": "BLOW_BY"}, 2),
        ({}, None),  # grade 1 if the fever is one of CRS, else 0
        ({"hypotension": True, "fever_treated": False}, None),
    ],
)
def test_once_fever_was_treated_its_cause_left_open_hides_no_grade(
    changed: dict[str, Any], grade: int | None
) -> None:
    assert crs_grade(replace(TREATED, **changed)) == grade


def test_who_cannot_be_roused_has_grade_4_whatever_else_is_missing() -> None:
    assert icans_grade(icans.findings(IcansAssessment(unable_reason="UNAROUSABLE"))) == 4
    awake = IcansAssessment(unable_reason="UNAROUSABLE", consciousness="AWAKENS_TO_VOICE")
    assert icans_grade(icans.findings(awake)) is None  # they contradict one another: asked about
    assert icans_grade(icans.findings(IcansAssessment(unable_reason="SEDATED"))) is None


def test_two_assessments_of_one_moment_do_not_count_its_hours_twice() -> None:
    def one(hour: int, grade: int) -> Assessed:
        return Assessed(uuid7(), at("2026-03-17", f"{hour:02}:00"), date(2026, 3, 17), grade)

    (found,) = episodes([one(8, 3), one(8, 4), one(8, 1), one(20, 1)], V1)
    assert found.hours_severe == 12


# --- response ----------------------------------------------------------------------------------------------------


def response(bag: str, counts: str) -> str:
    """The response of a marrow of 13 April with platelets given on one day and blood counted on another."""
    marrow = BoneMarrow(
        bm_dt=at("2026-04-13"), aspirate_adequate=True, blast_pct_morph=D(1), status="COMPLETE"
    )
    blood = Haematology(lb_dt=at(counts), anc_value=D(2), plt_value=D(150), status="COMPLETE")
    for name in ("anc", "plt"):
        setattr(blood, f"{name}_si", getattr(blood, f"{name}_value"))
    row = Response(
        assess_date=date(2026, 4, 16),
        bone_marrow_id=marrow.pk,
        circulating_blasts=False,
        extramedullary_disease=False,
        status="COMPLETE",
    )
    given = Transfusion(product="PLATELET", start_dt=at(bag))
    return assessed(book(Infusion(inf_start_dt=at("2026-03-16")), marrow, blood, row, given), V1)[0].said


@pytest.mark.parametrize(
    ("bag", "counts", "said"),
    [
        ("2026-04-15", "2026-04-16", "CRi"),  # after the marrow, before the counts
        ("2026-04-09", "2026-04-16", "CRi"),  # seven days before the counts
        ("2026-04-08", "2026-04-16", "CR"),
        ("2026-04-12", "2026-04-11", "CR"),  # the counts were there before the bag
    ],
)
def test_platelets_are_held_against_the_day_of_the_counts(bag: str, counts: str, said: str) -> None:
    assert response(bag, counts) == said


# --- consent, follow-up, the set of rules ------------------------------------------------------------------------


def test_a_consent_that_was_refused_binds_to_no_amendment() -> None:
    def consented(signed: bool | None) -> Casebook:
        told = book(
            InformedConsent(consent_type="INITIAL", icf_version="1.0", consent_dt=at("2026-01-05"), signed_by_subject=True),
            InformedConsent(consent_type="RECONSENT", icf_version="2.0", consent_dt=at("2026-05-05"), signed_by_subject=signed),
        )  # fmt: skip
        newer = IcfVersion(label="2.0", irb_approval_date=date(2026, 4, 1), protocol_version="2.0")
        approved = SiteProtocol(protocol_version="2.0", approved_on=date(2026, 4, 1))
        site = replace(told.site, icf_versions=(*told.site.icf_versions, newer), protocols=(approved,))
        return replace(told, site=site)

    assert binding(consented(True)).version == "2.0"
    assert binding(consented(None)).version == "2.0"
    assert binding(consented(False)).version == "1.0"


def test_who_could_not_be_reached_was_not_contacted() -> None:
    def silent(status: str) -> bool | None:
        rows = (
            SurvivalLtfu(contact_date=date(2024, 3, 1), vital_status="ALIVE"),
            SurvivalLtfu(contact_date=date(2025, 2, 1), vital_status=status),
        )
        return judged("DV-63", Infusion(inf_start_dt=at("2022-01-10")), *rows, now=at("2025-06-01"))

    assert silent("ALIVE") is HELD
    assert silent("LOST") is BROKEN


def test_what_needs_consent_first_is_what_the_protocol_names() -> None:
    named = {name for one in PROTOCOLS.values() for name in one.consent_first_forms.value}
    assert {form.form for form in PROCEDURES} == named


def test_the_fingerprint_covers_what_the_rules_stand_on() -> None:
    root = Path(rule_set.__file__).parent.parent
    covered = {file.relative_to(root).as_posix() for file in rule_set.sources()}
    assert covered >= {
        "safety/rules/transplant.py",
        "safety/adverse_events.py",
        "safety/calendar.py",
        "visits/schedule.py",
        "dosing/levels.py",
        "trial/dates.py",
        "trial/jurisdiction.py",
    }


# --- which consent is the first -----------------------------------------------------------------------------------


def initial(day: str, signed: bool | None) -> InformedConsent:
    return InformedConsent(
        consent_type="INITIAL", consent_dt=at(day), icf_version="1.0", signed_by_subject=signed
    )


@pytest.mark.parametrize(
    ("consents", "anchor"),
    [
        ([("2026-03-10", True)], "2026-03-10"),
        ([("2026-03-01", False), ("2026-03-10", True)], "2026-03-10"),  # refused, signed later
        ([("2026-03-01", False), ("2026-03-10", None)], "2026-03-10"),
        ([("2026-03-01", None), ("2026-03-10", True)], "2026-03-01"),  # not answered yet
        ([("2026-03-01", True), ("2026-03-10", True)], "2026-03-01"),
        ([("2026-03-05", False), ("2026-03-01", False)], "2026-03-01"),
    ],
)
def test_a_consent_that_was_left_unsigned_anchors_nothing_where_another_was_signed(
    consents: list[tuple[str, bool | None]], anchor: str
) -> None:
    told = book(*(initial(*one) for one in consents))
    assert told.consent_day == date.fromisoformat(anchor)


@pytest.mark.parametrize(("day", "verdict"), [("2026-03-05", BROKEN), ("2026-03-10", HELD)])
def test_a_procedure_between_an_unsigned_and_the_signed_consent_came_before_consent(
    day: str, verdict: bool | None
) -> None:
    echo = Echo(echo_date=date.fromisoformat(day))
    assert judged("DV-03", initial("2026-03-01", False), initial("2026-03-10", True), echo) is verdict
