"""DV-07, 12 to 15 and 21: what is checked again before each step of treatment."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dosing.models import Apheresis
from subjects.models import Eligibility
from tests.books import at, signature
from tests.people import (
    BROKEN,
    HELD,
    PENDING,
    READY,
    Change,
    also,
    both,
    changed,
    chemistry,
    lungs,
    pregnancy_test,
    put,
    verdict,
    without,
)
from visits.models import Echo

D = Decimal
NOT_INFUSED = without("infusion", "before_infusion")
NO_LD = without(*(f"{drug}{day}" for drug in ("flu", "cyc") for day in (-5, -4, -3)))
NEVER_TREATED = both(NOT_INFUSED, NO_LD, without("apheresis"))
NEVER_ENROLLED = both(NEVER_TREATED, without("eligibility", "before_apheresis", "before_ld"))


def checklist(milestone: str, day: str, signed_by: str = "investigator") -> Change:
    """One more checklist, signed or not."""
    row = Eligibility(milestone=milestone, assessed_date=date.fromisoformat(day), overall="ELIGIBLE", **READY)
    return also(row, signature(row, "ELIGIBILITY", signed_by)) if signed_by else also(row)


def echo(day: str, **facts: Any) -> Echo:
    usual = {"echo_date": date.fromisoformat(day), "method": "ECHOCARDIOGRAM", "lvef_pct": D(60)}
    return Echo(**{**usual, **READY, **facts})


def woman(*tests: Any, **facts: Any) -> Change:
    """A woman of childbearing potential with these tests."""
    return both(put("demographics", **{"sex": "F", "childbearing_potential": "YES", **facts}), also(*tests))


ONLY_BEFORE = without("chemistry_d0", "LD-4 chemistry", "LD-3 chemistry")
"""No chemistry after the one before lymphodepletion."""

ROWS = [
    # DV-07: apheresis on 16 February, lymphodepletion from 11 March, infusion on 16 March
    ("DV-07", put("before_apheresis", assessed_date=date(2026, 2, 13)), HELD),  # three days
    ("DV-07", put("before_apheresis", assessed_date=date(2026, 2, 12)), BROKEN),
    ("DV-07", put("before_apheresis", assessed_date=date(2026, 2, 16)), HELD),
    ("DV-07", put("before_apheresis", assessed_date=date(2026, 2, 17)), BROKEN),
    ("DV-07", put("before_ld", assessed_date=date(2026, 3, 8)), HELD),
    ("DV-07", put("before_ld", assessed_date=date(2026, 3, 7)), BROKEN),
    ("DV-07", put("before_infusion", assessed_date=date(2026, 3, 12)), BROKEN),
    ("DV-07", put("before_ld", milestone="SCREENING"), BROKEN),
    ("DV-07", without("before_infusion"), BROKEN),
    ("DV-07", without("before_infusion_signed"), BROKEN),
    ("DV-07", put("before_infusion_signed", role="sub_investigator"), BROKEN),
    ("DV-07", put("before_infusion_signed", meaning="REVIEW"), BROKEN),
    ("DV-07", put("before_infusion", version=2), BROKEN),  # changed since it was signed
    ("DV-07", put("before_ld", assessed_date=None), PENDING),
    ("DV-07", both(put("before_ld", assessed_date=None), checklist("PRE_LD", "2026-03-10")), HELD),
    ("DV-07", both(without("before_ld_signed"), checklist("PRE_LD", "2026-03-09")), HELD),
    ("DV-07", NOT_INFUSED, HELD),
    ("DV-07", both(NEVER_TREATED, without("before_apheresis", "before_ld")), HELD),
    ("DV-07", also(Apheresis(aph_start_dt=at("2026-02-18"))), HELD),
    (
        "DV-07",
        also(Apheresis(aph_start_dt=at("2026-02-19"))),
        BROKEN,
    ),  # the second has no checklist of its own
    # DV-12: enrolled on 12 February
    ("DV-12", put("echo", lvef_pct=D("50.0")), HELD),
    ("DV-12", put("echo", lvef_pct=D("49.9")), BROKEN),
    ("DV-12", put("echo", method="MUGA"), BROKEN),
    ("DV-12", put("echo", method=""), PENDING),
    ("DV-12", put("echo", lvef_pct=None), PENDING),
    ("DV-12", put("echo", echo_date=date(2026, 2, 13)), PENDING),
    ("DV-12", put("echo", echo_date=date(2026, 1, 15)), HELD),  # 28 days
    ("DV-12", put("echo", echo_date=date(2026, 1, 14)), PENDING),
    ("DV-12", put("echo", echo_date=date(2026, 1, 14), lvef_pct=D(45)), BROKEN),
    ("DV-12", put("echo_ld", lvef_pct=D("49.9")), BROKEN),
    ("DV-12", put("echo_ld", method="CMR"), BROKEN),
    ("DV-12", without("echo_ld"), PENDING),  # that of screening is 29 days old
    ("DV-12", both(without("echo_ld"), put("echo", echo_date=date(2026, 2, 11))), HELD),
    ("DV-12", also(echo("2026-03-12", lvef_pct=D(30))), HELD),  # after lymphodepletion began
    ("DV-12", both(without("echo"), NEVER_ENROLLED), HELD),
    # DV-13
    ("DV-13", put("chemistry", creatinine_value=D("141.44")), HELD),
    ("DV-13", put("chemistry", creatinine_value=D("141.45")), BROKEN),
    ("DV-13", put("chemistry", creatinine_value=D("1.6"), creatinine_unit="mg/dL"), HELD),
    ("DV-13", put("chemistry", creatinine_value=D("1.6001"), creatinine_unit="mg/dL"), BROKEN),
    ("DV-13", put("chemistry", creatinine_value=D(30), creatinine_qual="<"), HELD),
    ("DV-13", put("chemistry", creatinine_value=D(150), creatinine_qual="<"), PENDING),
    ("DV-13", put("chemistry", creatinine_value=None), PENDING),
    ("DV-13", put("chemistry", status="DRAFT"), PENDING),
    ("DV-13", put("chemistry_ld", creatinine_value=D(142)), BROKEN),
    ("DV-13", put("chemistry_d0", creatinine_value=D(142)), BROKEN),
    (
        "DV-13",
        put("chemistry_d0", creatinine_value=D(142), lb_dt=at("2026-03-16", "10:01")),
        HELD,
    ),  # after it
    ("DV-13", put("chemistry_d0", creatinine_value=D(142), lb_dt=at("2026-03-16", "10:00")), BROKEN),
    ("DV-13", ONLY_BEFORE, HELD),  # that of 10 March is six days old
    ("DV-13", both(ONLY_BEFORE, put("chemistry_ld", lb_dt=at("2026-03-08"))), PENDING),
    ("DV-13", both(ONLY_BEFORE, put("chemistry_ld", lb_dt=at("2026-03-09"))), HELD),
    ("DV-13", also(chemistry("2026-03-12", creatinine_value=D(200)), chemistry("2026-03-15")), HELD),
    ("DV-13", both(put("chemistry_d0", creatinine_value=D(142)), NOT_INFUSED), HELD),
    ("DV-13", both(put("chemistry", creatinine_value=D(142)), NEVER_ENROLLED), HELD),
    # DV-14
    ("DV-14", put("chemistry", alt_value=D(120)), HELD),
    ("DV-14", put("chemistry", alt_value=D("120.1")), BROKEN),
    ("DV-14", put("chemistry", ast_value=D("60.3"), ast_uln=D("20.1")), HELD),  # floats would get it wrong
    ("DV-14", put("chemistry", ast_value=D("105.01")), BROKEN),
    ("DV-14", put("chemistry", tbil_value=D("34.2")), HELD),
    ("DV-14", put("chemistry", tbil_value=D("34.21")), BROKEN),
    ("DV-14", put("chemistry", tbil_value=D("2.0"), tbil_unit="mg/dL"), HELD),
    ("DV-14", put("chemistry", tbil_value=D("2.01"), tbil_unit="mg/dL"), BROKEN),
    ("DV-14", put("chemistry", alt_uln=None), PENDING),
    ("DV-14", put("chemistry", alt_uln=None, ast_value=D(200)), BROKEN),
    ("DV-14", put("chemistry", tbil_value=None), PENDING),
    ("DV-14", put("chemistry_ld", alt_value=D(121)), BROKEN),
    ("DV-14", put("chemistry_d0", tbil_value=D(40)), BROKEN),
    ("DV-14", both(put("chemistry", alt_value=D(500)), NEVER_ENROLLED), HELD),
    # DV-15
    ("DV-15", put("lungs", spo2_pct=D(91)), BROKEN),
    ("DV-15", put("lungs", spo2_pct=D("91.1")), HELD),
    ("DV-15", put("lungs", dyspnea_grade=1), HELD),
    ("DV-15", put("lungs", dyspnea_grade=2), BROKEN),
    ("DV-15", put("lungs", room_air=False), PENDING),
    ("DV-15", put("lungs", room_air=False, dyspnea_grade=3), BROKEN),
    ("DV-15", put("lungs", spo2_pct=None), PENDING),
    ("DV-15", put("lungs_ld", spo2_pct=D(90)), BROKEN),
    ("DV-15", put("lungs_ld", assess_dt=at("2026-03-04")), HELD),  # seven days
    ("DV-15", put("lungs_ld", assess_dt=at("2026-03-03")), PENDING),
    ("DV-15", put("lungs_d0", spo2_pct=D(90)), BROKEN),
    ("DV-15", put("lungs_d0", assess_dt=at("2026-03-15")), HELD),  # one day
    ("DV-15", put("lungs_d0", assess_dt=at("2026-03-14")), PENDING),
    ("DV-15", also(lungs("2026-03-16", "11:00", spo2_pct=D(80), room_air=False)), HELD),  # during CRS
    ("DV-15", both(put("lungs", spo2_pct=D(80)), NEVER_ENROLLED), HELD),
    # DV-21: lymphodepletion from 11 March
    ("DV-21", put("demographics", male_fertile="NO"), HELD),
    ("DV-21", woman(pregnancy_test("2026-03-04")), HELD),  # seven days
    ("DV-21", woman(pregnancy_test("2026-03-03")), BROKEN),
    ("DV-21", woman(pregnancy_test("2026-03-11")), HELD),
    ("DV-21", woman(pregnancy_test("2026-03-12")), BROKEN),
    ("DV-21", woman(), BROKEN),
    ("DV-21", woman(pregnancy_test("2026-03-10", result="POSITIVE")), BROKEN),
    ("DV-21", woman(pregnancy_test("2026-03-10", result="INDETERMINATE")), BROKEN),
    ("DV-21", woman(pregnancy_test("2026-03-10", lactating="YES")), BROKEN),
    ("DV-21", woman(pregnancy_test("2026-03-10", lactating="YES"), childbearing_potential="NO"), BROKEN),
    ("DV-21", woman(pregnancy_test("2026-03-10"), childbearing_potential="NO"), HELD),
    ("DV-21", woman(childbearing_potential="NO"), PENDING),  # whether she is lactating is not known
    ("DV-21", woman(childbearing_potential=""), PENDING),
    ("DV-21", put("demographics", sex=""), PENDING),
    ("DV-21", both(woman(), NO_LD), HELD),
    (
        "DV-21",
        both(woman(), *(put(f"{d}{n}", actual_mg=D(0)) for d in ("flu", "cyc") for n in (-5, -4, -3))),
        HELD,
    ),
]


@pytest.mark.parametrize(("rule", "change", "expected"), ROWS)
def test_one_changed_fact(rule: str, change: Change, expected: str) -> None:
    assert verdict(rule, changed(change)) == expected


def test_each_milestone_is_a_finding_of_its_own_at_the_value_that_breaks_it() -> None:
    subject = changed(
        put("chemistry", creatinine_value=D(150)),
        put("chemistry_d0", creatinine_value=D("1.7"), creatinine_unit="mg/dL"),
    )
    found = subject.of("DV-13")
    assert set(found) == {"enrolment", "infusion"}
    at_infusion = found["infusion"]
    assert (at_infusion.form, at_infusion.record, at_infusion.field) == (
        "chemistry",
        subject["chemistry_d0"].pk,
        "creatinine_value",
    )
    assert (
        "1.7" in at_infusion.en
        and "2026-03-16" in at_infusion.en
        and at_infusion.limit == "≤ 1.6 mg/dL (141.44 umol/L)"
    )


def test_everything_that_fails_together_is_shown() -> None:
    subject = changed(put("chemistry", alt_value=D(121), tbil_value=D(40)))
    finding = subject.of("DV-14")["enrolment"]
    shown = {(fact.field, fact.value) for fact in finding.facts}
    assert {("alt_value", "121"), ("alt_uln", "40"), ("tbil_value", "40")} <= shown
    assert "ast_value" not in {field for field, _ in shown}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"room_air": False}, "room_air"),
        ({"dyspnea_grade": None}, "dyspnea_grade"),
        ({"room_air": None}, "room_air"),
    ],
)
def test_what_cannot_be_told_is_asked_about_where_it_was_answered(facts: dict[str, Any], field: str) -> None:
    subject = changed(put("lungs_ld", **facts))
    finding = subject.of("DV-15")["lymphodepletion"]
    assert (finding.record, finding.field, finding.pending) == (subject["lungs_ld"].pk, field, True)


def test_a_method_that_does_not_count_is_named() -> None:
    finding = changed(put("echo", method="MUGA")).of("DV-12")["enrolment"]
    assert finding.field == "method" and "MUGA" in finding.en and "echocardiogram" in finding.limit


def test_the_unsigned_checklist_is_named_and_the_missing_one_at_the_step() -> None:
    unsigned = changed(without("before_ld_signed"))
    finding = next(iter(unsigned.of("DV-07").values()))
    assert (finding.form, finding.record) == ("eligibility", unsigned["before_ld"].pk)
    absent = changed(without("before_ld", "before_ld_signed"))
    finding = next(iter(absent.of("DV-07").values()))
    assert (finding.form, finding.field) == ("lymphodepletion", "admin_dt")
    assert "3 days" in finding.en


def test_no_test_points_to_where_it_would_stand() -> None:
    finding = changed(woman()).of("DV-21")["lymphodepletion"]
    assert (finding.form, finding.record, finding.field) == ("pregnancy_test", None, "result")
    assert "2026-03-11" in finding.en
