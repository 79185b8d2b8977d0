"""DV-02, 06, 11, 16 to 20, 22 to 24: who was enrolled. One fact changed per row, at the limit and beyond."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.eligibility.evaluate import CRITERION_IDS, JUDGES
from safety.eligibility.facts import Screening
from safety.rules.grounds import PLACES, grounds
from subjects.models import Eligibility, MedicalHistory, PriorTherapy, PriorTransplant
from tests.books import at
from tests.people import (
    BROKEN,
    HELD,
    NOW,
    PENDING,
    READY,
    Change,
    also,
    both,
    changed,
    chemistry,
    pregnancy_test,
    put,
    verdict,
    without,
)
from trial.dates import span
from trial.item import items
from trial.protocol import V1
from visits.models import Cd19Flow, ConMeds, Ecog

D = Decimal
CHECKLISTS = ("eligibility", "before_apheresis", "before_ld", "before_infusion")
NOT_TREATED_YET = ("infusion", *(f"{drug}{day}" for drug in ("flu", "cyc") for day in (-5, -4, -3)))
NEVER_ENROLLED = without(*CHECKLISTS, "apheresis", *NOT_TREATED_YET)
ONLY_COLLECTED = without(*CHECKLISTS, *NOT_TREATED_YET)  # no checklist: the apheresis stands for enrolment


def drug(kind: str, start: str, **facts: Any) -> ConMeds:
    """A medication, completed."""
    return ConMeds(drug="X", drug_class=kind, start_dt=start, **{"ongoing": False, **READY, **facts})


def steroid(start: str, end: str = "", **facts: Any) -> ConMeds:
    return drug("CORTICOSTEROID", start, end_dt=end, **facts)


def therapy(**facts: Any) -> PriorTherapy:
    """A second line of therapy that is long over."""
    usual: dict[str, Any] = {
        "category": "OTHER",
        "line_no": 2,
        "start_date": "2025-01",
        "end_date": "2025-02",
        "ongoing": False,
        "investigational": False,
    }
    return PriorTherapy(**{**usual, **READY, **facts})


def heart(subtype: str, start: str = "", **facts: Any) -> MedicalHistory:
    return MedicalHistory(
        category="CARDIAC", subtype=subtype, start_date=start, **{"ongoing": False, **READY, **facts}
    )


def transplant(gvhd: str, **facts: Any) -> Change:
    """An allogeneic transplant a year before, GVHD at consent as said."""
    row = PriorTransplant(
        sct_date="2025-02-01",
        sct_type="ALLO",
        bm_relapse_after_sct="YES",
        gvhd_active_at_consent=gvhd,
        **READY,
    )
    for name, value in facts.items():
        setattr(row, name, value)
    return both(put("disease", prior_allo_sct="YES"), also(row))


WOMAN = both(
    put("demographics", sex="F", childbearing_potential="YES"),
    also(pregnancy_test("2026-02-10"), pregnancy_test("2026-03-10")),
)

ROWS = [
    # DV-08 to DV-10: the limits, and which day is that of enrolment
    ("DV-08", put("demographics", birth_date="1960-02-10"), HELD),  # 66 the day after consent
    ("DV-08", put("demographics", birth_date="1960-02-09"), BROKEN),
    ("DV-08", put("demographics", birth_date="2008-02-09"), HELD),  # 18 that day
    ("DV-08", put("demographics", birth_date="2008-02-10"), BROKEN),
    ("DV-08", both(put("demographics", birth_date="1950"), ONLY_COLLECTED), BROKEN),
    ("DV-08", both(put("demographics", birth_date="1950"), NEVER_ENROLLED), HELD),
    ("DV-09", put("ecog", ecog=1), HELD),
    ("DV-09", put("ecog", ecog=2), BROKEN),
    ("DV-09", both(put("ecog", ecog=2), ONLY_COLLECTED), BROKEN),
    ("DV-09", both(put("ecog", ecog=2), NEVER_ENROLLED), HELD),
    ("DV-09", also(Ecog(ecog_date=date(2026, 2, 12), ecog=2, **READY)), BROKEN),  # on the day itself
    ("DV-09", also(Ecog(ecog_date=date(2026, 2, 13), ecog=2, **READY)), HELD),  # after it
    ("DV-09", both(without(*CHECKLISTS), also(Ecog(ecog_date=date(2026, 2, 16), ecog=2, **READY))), BROKEN),
    ("DV-09", both(without(*CHECKLISTS), also(Ecog(ecog_date=date(2026, 2, 17), ecog=2, **READY))), HELD),
    ("DV-10", put("marrow", blast_pct_morph=D(5)), HELD),
    ("DV-10", put("marrow", blast_pct_morph=D("4.99")), BROKEN),
    ("DV-10", both(put("marrow", blast_pct_morph=D(4)), ONLY_COLLECTED), BROKEN),
    ("DV-10", both(put("marrow", blast_pct_morph=D(4)), NEVER_ENROLLED), HELD),
    # DV-02
    ("DV-02", put("chemistry", creatinine_value=D("141.44")), HELD),  # 1.6 mg/dL
    ("DV-02", put("chemistry", creatinine_value=D("141.45")), BROKEN),
    ("DV-02", put("therapy", target_antigens=["CD19", "CD3"]), BROKEN),
    ("DV-02", put("judgement", uncontrolled_infection="YES"), BROKEN),
    ("DV-02", put("judgement", tcell_expansion_qualified="NOT_QUALIFIED"), BROKEN),
    ("DV-02", put("consent", signed_by_subject=False), BROKEN),
    ("DV-02", put("eligibility", i_11="NOT_MET"), BROKEN),
    ("DV-02", put("eligibility", e_18="MET"), BROKEN),
    ("DV-02", put("eligibility", i_11="UNKNOWN", e_18="NOT_MET"), HELD),
    ("DV-02", put("serology", hcv_ab="INDETERMINATE"), HELD),  # DV-06
    ("DV-02", both(put("ecog", ecog=2), NEVER_ENROLLED), HELD),
    (
        "DV-02",
        both(put("ecog", ecog=2), put("eligibility", overall="INELIGIBLE")),
        BROKEN,
    ),  # enrolled again later
    # DV-06
    ("DV-06", put("judgement", tcell_expansion_qualified=""), HELD),  # may be unknown until lymphodepletion
    ("DV-06", put("judgement", vascular_access_ok=""), BROKEN),
    ("DV-06", put("demographics", birth_date="1960-02"), BROKEN),
    ("DV-06", put("demographics", birth_date="1980"), HELD),
    ("DV-06", put("serology", hcv_ab="INDETERMINATE"), BROKEN),
    ("DV-06", put("chemistry", status="DRAFT"), BROKEN),
    ("DV-06", without("chemistry"), BROKEN),
    ("DV-06", both(without("chemistry"), NEVER_ENROLLED), HELD),
    ("DV-06", put("ecog", ecog=2), HELD),  # DV-02
    # DV-11
    ("DV-11", put("cd19", specimen="PERIPHERAL_BLOOD"), HELD),
    ("DV-11", put("cd19", cd19_result="NEGATIVE"), BROKEN),
    ("DV-11", put("cd19", cd19_result="INDETERMINATE"), BROKEN),
    ("DV-11", put("cd19", method="IHC"), BROKEN),
    ("DV-11", put("cd19", specimen="CSF"), BROKEN),
    ("DV-11", put("cd19", sample_date=date(2026, 1, 1)), HELD),  # positive, though too old: DV-24
    ("DV-11", put("cd19", sample_date=date(2026, 2, 12)), HELD),  # the day of enrolment
    ("DV-11", put("cd19", sample_date=date(2026, 2, 13)), PENDING),  # after it
    ("DV-11", put("cd19", cd19_result="NOT_DONE"), PENDING),
    ("DV-11", put("cd19", status="DRAFT"), PENDING),
    ("DV-11", without("cd19"), PENDING),
    ("DV-11", both(without("cd19"), NEVER_ENROLLED), HELD),
    # DV-16
    ("DV-16", put("therapy", target_antigens=["CD22"]), HELD),
    ("DV-16", put("therapy", target_antigens=["CD3"]), BROKEN),
    ("DV-16", put("therapy", target_antigens=["CD19"], status="DRAFT"), BROKEN),
    ("DV-16", put("therapy", category="CAR_T"), PENDING),  # targets not recorded
    ("DV-16", put("therapy", category="BLINATUMOMAB"), BROKEN),  # they need not be
    ("DV-16", put("therapy", category="INOTUZUMAB"), HELD),  # against CD22
    ("DV-16", put("therapy", status="DRAFT"), PENDING),
    ("DV-16", without("therapy"), PENDING),
    ("DV-16", put("therapy", not_done=True, not_done_reason="NOT_APPLICABLE"), HELD),
    ("DV-16", both(put("therapy", target_antigens=["CD3"]), NEVER_ENROLLED), HELD),
    # DV-17: consent on 9 February
    ("DV-17", also(steroid("2026-01-01", "2026-01-25")), HELD),  # 15 days before
    ("DV-17", also(steroid("2026-01-01", "2026-01-26")), BROKEN),  # 14 days before
    ("DV-17", also(steroid("2026-02-09", "2026-02-09")), BROKEN),
    ("DV-17", also(steroid("2026-02-10", "2026-02-10")), HELD),  # DV-28
    ("DV-17", also(steroid("2026-01-01", ongoing=True)), BROKEN),
    ("DV-17", also(drug("RUXOLITINIB", "2026-02-01", ongoing=True)), BROKEN),
    ("DV-17", also(drug("ANTIVIRAL", "2026-02-01", ongoing=True)), HELD),
    ("DV-17", also(steroid("2026-01-01", "2026-01")), PENDING),
    ("DV-17", also(steroid("2025-01", "2025")), HELD),  # over, whatever the day
    ("DV-17", also(steroid("2026-01-01", ongoing=None)), PENDING),
    ("DV-17", without("drug"), PENDING),
    ("DV-17", put("judgement", planned_immunosuppression="YES"), HELD),  # the other half of E-04: DV-02
    ("DV-17", put("judgement", planned_immunosuppression=""), HELD),
    ("DV-17", both(also(steroid("2026-02-09")), NEVER_ENROLLED), HELD),
    # DV-18
    *(
        ("DV-18", put("serology", **{name: "POSITIVE"}), BROKEN)
        for name in ("hbsag", "hbeag", "hcv_ab", "tp_ab")
    ),
    *(("DV-18", put("serology", **{name: "POSITIVE"}), BROKEN) for name in ("hiv_ab", "sars_cov_2")),
    ("DV-18", put("serology", hbsab="POSITIVE"), HELD),
    ("DV-18", put("serology", hbcab="POSITIVE"), HELD),  # no HBV DNA detected
    ("DV-18", put("serology", hbcab="POSITIVE", hbv_dna_result="DETECTED_BELOW_LLOQ"), BROKEN),
    ("DV-18", put("serology", hbcab="POSITIVE", hbv_dna_result=""), BROKEN),  # had to be measured
    ("DV-18", put("serology", hbeab="POSITIVE", hbv_dna_result="NOT_DONE"), BROKEN),
    ("DV-18", put("serology", hbv_dna_result=""), HELD),
    ("DV-18", put("serology", hbcab="INDETERMINATE", hbv_dna_result=""), PENDING),
    ("DV-18", put("serology", cmv_dna_result=""), PENDING),
    ("DV-18", put("serology", lb_date=date(2026, 2, 4)), PENDING),  # SARS-CoV-2 eight days old
    ("DV-18", put("serology", lb_date=date(2026, 2, 5)), HELD),
    ("DV-18", put("serology", lb_date=date(2026, 1, 1), hcv_ab="POSITIVE"), BROKEN),  # old, yet positive
    ("DV-18", without("serology"), PENDING),
    ("DV-18", both(put("serology", hbsag="POSITIVE"), NEVER_ENROLLED), HELD),
    # DV-19
    ("DV-19", also(heart("ANGIOPLASTY_STENT", "2025-02-09")), BROKEN),  # twelve months to the day
    ("DV-19", also(heart("ANGIOPLASTY_STENT", "2025-02-08")), HELD),
    ("DV-19", also(heart("ANGIOPLASTY_STENT", "2025")), PENDING),
    ("DV-19", also(heart("ANGIOPLASTY_STENT")), PENDING),
    ("DV-19", also(heart("MI", "1999")), BROKEN),
    ("DV-19", also(heart("UNSTABLE_ANGINA", "1999")), BROKEN),
    ("DV-19", also(heart("OTHER_SIGNIFICANT", "1999")), BROKEN),
    ("DV-19", also(heart("")), PENDING),
    ("DV-19", without("history"), PENDING),
    ("DV-19", both(also(heart("MI")), NEVER_ENROLLED), HELD),
    # DV-20: screening on 10 February
    ("DV-20", also(drug("LIVE_VACCINE", "2025-12-30")), BROKEN),  # 42 days before
    ("DV-20", also(drug("LIVE_VACCINE", "2025-12-29")), HELD),
    ("DV-20", also(drug("LIVE_VACCINE", "2026-02-10")), BROKEN),
    ("DV-20", also(drug("LIVE_VACCINE", "2026-02-11")), HELD),  # DV-29
    ("DV-20", also(drug("NON_LIVE_VACCINE", "2026-02-01")), HELD),
    ("DV-20", also(drug("LIVE_VACCINE", "2025-12")), PENDING),
    ("DV-20", without("drug"), PENDING),
    ("DV-20", both(also(drug("LIVE_VACCINE", "2026-02-10")), NEVER_ENROLLED), HELD),
    # DV-22
    ("DV-22", also(therapy(investigational=True, end_date="2025-11-09")), BROKEN),  # three months to the day
    ("DV-22", also(therapy(investigational=True, end_date="2025-11-08")), HELD),
    ("DV-22", also(therapy(category="IMP", end_date="2025-12-01")), BROKEN),
    ("DV-22", also(therapy(investigational=True, ongoing=True, end_date="")), BROKEN),
    ("DV-22", also(therapy(investigational=True, end_date="2025-11")), PENDING),
    ("DV-22", also(therapy(investigational=True, end_date="")), PENDING),
    ("DV-22", also(therapy(investigational=None)), PENDING),
    ("DV-22", without("therapy"), PENDING),
    ("DV-22", both(also(therapy(investigational=True, end_date="2026-01")), NEVER_ENROLLED), HELD),
    # DV-23
    ("DV-23", transplant("NO"), HELD),
    ("DV-23", transplant("YES"), BROKEN),
    ("DV-23", transplant("UNKNOWN"), PENDING),
    ("DV-23", transplant("YES", sct_type="AUTO"), PENDING),  # the history says there was an allogeneic one
    ("DV-23", put("disease", prior_allo_sct=""), PENDING),
    ("DV-23", both(transplant("YES"), NEVER_ENROLLED), HELD),
    # DV-24: enrolled on 12 February
    ("DV-24", put("chemistry", lb_dt=at("2026-02-05", "00:00")), HELD),
    ("DV-24", put("marrow", status="DRAFT"), PENDING),
    ("DV-24", without("haematology"), PENDING),
    ("DV-24", put("haematology", lb_dt=at("2026-02-05")), HELD),  # by its own day, not its visit's
    ("DV-24", put("haematology", lb_dt=at("2026-02-04")), BROKEN),
    ("DV-24", put("ecog", ecog_date=None, visit=""), PENDING),
    ("DV-24", put("ecog", ecog_date=date(2026, 2, 5)), HELD),  # seven days
    ("DV-24", put("ecog", ecog_date=date(2026, 2, 4)), BROKEN),
    ("DV-24", put("echo", echo_date=date(2026, 1, 15)), HELD),  # twenty-eight days
    ("DV-24", put("echo", echo_date=date(2026, 1, 14)), BROKEN),
    ("DV-24", put("cd19", sample_date=date(2026, 1, 14)), BROKEN),
    ("DV-24", put("serology", lb_date=date(2026, 2, 5)), HELD),
    ("DV-24", put("serology", lb_date=date(2026, 2, 4)), BROKEN),  # SARS-CoV-2: seven days
    ("DV-24", put("consent", consent_dt=at("2026-01-15")), HELD),  # 28 days before
    ("DV-24", put("consent", consent_dt=at("2026-01-14")), BROKEN),
    ("DV-24", WOMAN, HELD),
    ("DV-24", put("demographics", sex="F", childbearing_potential="YES"), PENDING),
    ("DV-24", put("demographics", sex="F", childbearing_potential="NO"), HELD),
    ("DV-24", put("demographics", sex=""), PENDING),
    ("DV-24", both(without("haematology"), NEVER_ENROLLED), HELD),
]


@pytest.mark.parametrize(("rule", "change", "expected"), ROWS)
def test_one_changed_fact(rule: str, change: Change, expected: str) -> None:
    assert verdict(rule, changed(change)) == expected


@pytest.mark.parametrize(
    ("answer", "value"),
    [("cmv_dna_result", "NOT_DONE"), ("hcv_ab", "INDETERMINATE"), ("hiv_ab", "INDETERMINATE"), ("tp_ab", "")],
)
def test_an_answer_that_tells_nothing_is_pointed_at(answer: str, value: str) -> None:
    found = changed(put("serology", **{answer: value})).of("DV-18")
    assert {one.field for one in found.values()} == {answer}


def test_of_a_specimen_that_is_not_asked_for_the_result_is_no_matter() -> None:
    (found,) = changed(put("cd19", specimen="CSF", cd19_result="INDETERMINATE")).of("DV-11").values()
    assert found.field == "specimen"


def test_each_failed_criterion_is_a_finding_of_its_own() -> None:
    subject = changed(
        put("chemistry", creatinine_value=D("1.61"), creatinine_unit="mg/dL"),
        put("ecog", ecog=2),
        put("judgement", other_unsuitable="YES"),
    )
    found = subject.of("DV-02")
    assert set(found) == {"criterion:I-04", "criterion:I-09", "criterion:E-18"}
    kidney = found["criterion:I-04"]
    assert (kidney.form, kidney.record, kidney.field) == (
        "chemistry",
        subject["chemistry"].pk,
        "creatinine_value",
    )
    assert "1.61" in kidney.en and "mg/dL" in kidney.en and "1.6 mg/dL" in kidney.limit
    assert (found["criterion:I-09"].field, found["criterion:I-09"].limit) == ("ecog", "0 – 1")


def test_two_organs_that_fail_are_one_finding_with_both() -> None:
    found = changed(put("chemistry", creatinine_value=D(200)), put("lungs", spo2_pct=D(91))).of("DV-02")
    assert set(found) == {"criterion:I-04"}
    assert {fact.field for fact in found["criterion:I-04"].facts} >= {"creatinine_value", "spo2_pct"}


def test_what_the_specific_rules_find_the_general_one_finds_too() -> None:
    subject = changed(put("serology", hbsag="POSITIVE"))
    assert verdict("DV-02", subject) == verdict("DV-18", subject) == BROKEN
    assert (
        subject.of("DV-02")["criterion:E-05"].field == subject.of("DV-18")["criterion:E-05"].field == "hbsag"
    )


def test_the_interval_after_a_transplant_waits_for_an_infusion() -> None:
    recent = transplant("NO", sct_date="2026-02-01")
    subject = changed(recent, put("disease", relapse_after_first_remission="NO"))
    assert verdict("DV-06", subject) == HELD  # the infusion is known
    for name in [name for name in subject if name[:3] in ("flu", "cyc")] + ["infusion"]:
        del subject[name]
    assert verdict("DV-06", subject) == PENDING
    waiting = subject.of("DV-06")["criterion:I-01"]
    asked = ("eligibility", subject["eligibility"].pk, "planned_infusion_date")
    assert (waiting.form, waiting.record, waiting.field) == asked
    subject["eligibility"].planned_infusion_date = date(2026, 5, 1)  # to the day three months after
    assert verdict("DV-06", subject) == HELD
    subject["eligibility"].planned_infusion_date = date(2026, 4, 30)
    assert verdict("DV-06", subject) == HELD and verdict("DV-02", subject) == BROKEN
    subject.update({"sct": PriorTransplant(sct_date="", sct_type="ALLO", **READY)})
    assert verdict("DV-06", subject) == BROKEN  # no infusion however late would settle that
    subject["eligibility"].planned_infusion_date = None
    assert verdict("DV-06", subject) == BROKEN


def test_every_offending_row_of_a_log_is_found_and_only_those() -> None:
    guilty, other = steroid("2026-02-01", "2026-02-03"), steroid("2026-01-01", "2026-01-02")
    second = drug("CALCINEURIN_INHIB", "2026-01-01", ongoing=True)
    found = changed(also(guilty, other, second)).of("DV-17")
    assert {finding.record for finding in found.values()} == {guilty.pk, second.pk}
    assert {finding.field for finding in found.values()} == {"end_dt", "start_dt"}
    assert "14 days before consent" in found[f"con_meds:{guilty.pk}"].limit


def test_every_row_says_its_own_whatever_the_others_say() -> None:
    """One medication breaks the rule; of another its end is not known, so it stays open, and a third is long over."""
    known, unsure, over = (
        steroid("2026-02-01", "2026-02-03"),
        steroid("2026-01", ""),
        steroid("2025-01-01", "2025-02-01"),
    )
    found = changed(also(known, unsure, over)).of("DV-17")
    assert {key: finding.pending for key, finding in found.items()} == {
        f"con_meds:{known.pk}": False,
        f"con_meds:{unsure.pk}": True,
    }


def test_a_negative_result_after_a_positive_one_decides() -> None:
    later = Cd19Flow(
        sample_date=date(2026, 2, 11),
        specimen="BONE_MARROW",
        method="FLOW_CYTOMETRY",
        cd19_result="NEGATIVE",
        **READY,
    )
    assert verdict("DV-11", changed(also(later))) == BROKEN


def test_hbv_dna_that_is_missing_is_asked_for_at_its_field() -> None:
    subject = changed(put("serology", hbcab="POSITIVE", hbv_dna_result=""))
    finding = subject.of("DV-18")["criterion:E-05"]
    assert (finding.form, finding.record, finding.field) == (
        "viral_serology",
        subject["serology"].pk,
        "hbv_dna_result",
    )


def test_screening_counts_the_oldest_result_of_a_form_that_still_stands_alone() -> None:
    """A later panel without creatinine does not make the creatinine recent."""
    subject = changed(
        put("chemistry", lb_dt=at("2026-02-04")),
        also(chemistry("2026-02-11", creatinine_value=None)),
    )
    finding = subject.of("DV-24")["form:chemistry"]
    assert "(Creatinine)" in finding.en and "ALT" not in finding.en
    assert finding.record == subject["chemistry"].pk


def test_who_was_never_found_eligible_is_judged_on_the_day_of_the_first_treatment() -> None:
    subject = changed(put("ecog", ecog_date=date(2026, 2, 9)))
    assert verdict("DV-24", subject) == HELD
    for name in ("eligibility", "before_apheresis", "before_ld", "before_infusion"):
        del subject[name]
    assert verdict("DV-24", subject) == HELD  # apheresis on the 16th
    subject["apheresis"].aph_start_dt = at("2026-02-17")
    assert "8 d old at enrolment (2026-02-17)" in subject.of("DV-24")["form:ecog"].en


def checklist(day: str, milestone: str = "SCREENING", **answers: Any) -> Change:
    """One more checklist, which did not find the subject eligible."""
    made = date.fromisoformat(day) if day else None
    return also(Eligibility(milestone=milestone, assessed_date=made, overall="INELIGIBLE", **answers))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (checklist("2026-02-11", i_09="NOT_MET"), HELD),  # answered anew on the 12th
        (checklist("2026-02-12", i_09="NOT_MET", sequence=2), BROKEN),
        (checklist("2026-02-13", i_09="NOT_MET"), HELD),  # after enrolment
        (checklist("2026-02-12", "PRE_APHERESIS", i_09="NOT_MET", sequence=2), HELD),
        (checklist("", i_09="NOT_MET"), HELD),
    ],
)
def test_the_newest_checklist_of_screening_up_to_enrolment_counts(change: Change, expected: str) -> None:
    assert verdict("DV-02", changed(change)) == expected


@pytest.mark.parametrize(
    ("rule", "change", "place"),
    [
        ("DV-11", put("cd19", method="IHC"), ("cd19_flow", "method")),
        ("DV-11", put("cd19", specimen="CSF"), ("cd19_flow", "specimen")),
        ("DV-11", put("cd19", cd19_result="INDETERMINATE"), ("cd19_flow", "cd19_result")),
        ("DV-06", without("lungs"), ("pulmonary", "dyspnea_grade")),
        ("DV-06", put("demographics", birth_date=""), ("demographics", "birth_date")),
        ("DV-16", put("therapy", target_antigens=["CD3"]), ("prior_therapy", "target_antigens")),
        ("DV-16", put("therapy", category="CAR_T"), ("prior_therapy", "target_antigens")),
        ("DV-16", put("therapy", category="BLINATUMOMAB"), ("prior_therapy", "category")),
        ("DV-17", also(steroid("2026-01-01", "2026-02-01")), ("con_meds", "end_dt")),
        ("DV-17", also(steroid("2026-01-01", ongoing=True)), ("con_meds", "start_dt")),
        ("DV-17", also(steroid("2026-01-01", ongoing=None)), ("con_meds", "end_dt")),
        ("DV-17", without("drug"), ("con_meds", "drug_class")),
        ("DV-19", also(heart("ANGIOPLASTY_STENT", "2025-06-01")), ("medical_history", "start_date")),
        ("DV-19", also(heart("ANGIOPLASTY_STENT", "2025")), ("medical_history", "start_date")),
        ("DV-19", also(heart("MI", "1999")), ("medical_history", "subtype")),
        ("DV-20", also(drug("LIVE_VACCINE", "2026-02-10")), ("con_meds", "start_dt")),
        ("DV-20", also(drug("LIVE_VACCINE", "2025-12")), ("con_meds", "start_dt")),
        ("DV-22", also(therapy(investigational=True, end_date="2025-12-01")), ("prior_therapy", "end_date")),
        ("DV-22", also(therapy(investigational=None)), ("prior_therapy", "investigational")),
        ("DV-23", transplant("YES"), ("prior_transplant", "gvhd_active_at_consent")),
        ("DV-23", transplant("UNKNOWN"), ("prior_transplant", "gvhd_active_at_consent")),
        ("DV-23", put("disease", prior_allo_sct=""), ("disease_history", "prior_allo_sct")),
        ("DV-24", put("ecog", ecog_date=None, visit=""), ("ecog", "ecog_date")),
        ("DV-24", without("haematology"), ("haematology", "lb_dt")),
    ],
)
def test_the_finding_points_at_the_answer(rule: str, change: Change, place: tuple[str, str]) -> None:
    finding = next(iter(changed(change).of(rule).values()))
    assert (finding.form, finding.field) == place


def test_the_days_that_decide_are_shown_beside_the_row() -> None:
    subject = changed(also(steroid("2026-01-01", "2026-02-01")))
    finding = next(iter(subject.of("DV-17").values()))
    shown = {(fact.form, fact.field, fact.value) for fact in finding.facts}
    assert ("informed_consent", "consent_dt", subject["consent"].consent_dt.isoformat()) in shown
    assert {("con_meds", "end_dt", "2026-02-01"), ("con_meds", "drug_class", "CORTICOSTEROID")} <= shown
    assert len(shown) == len(finding.facts) == 4  # and the enrolment


def test_an_undated_assessment_is_named_as_such() -> None:
    finding = changed(put("ecog", ecog_date=None, visit="")).of("DV-24")["form:ecog"]
    assert "without a date" in finding.en and finding.pending


def test_what_nobody_knows_has_no_grounds() -> None:
    assert grounds("I-09", Screening(), V1) == []
    assert grounds("I-09", Screening(ecog=2), V1) == [("ecog",)]


@pytest.mark.parametrize("id_", CRITERION_IDS)
def test_every_fact_of_a_criterion_has_a_place(id_: str) -> None:
    for name in JUDGES[id_].uses:
        form, fields = PLACES[name]
        assert set(fields) <= set(items(form)), name


@settings(max_examples=60, deadline=None)
@given(st.dates(date(2025, 12, 1), date(2026, 3, 1)), st.sampled_from((4, 7)))
def test_a_partial_vaccine_date_is_judged_as_every_day_it_could_be(day: date, length: int) -> None:
    text = day.isoformat()[:length]
    could = span(text)
    days = [date.fromordinal(n) for n in range(could.first.toordinal(), could.last.toordinal() + 1)]
    low, high = date(2025, 12, 30), date(2026, 2, 10)
    inside = {low <= one <= high for one in days}
    expected = PENDING if len(inside) == 2 else BROKEN if inside == {True} else HELD
    assert verdict("DV-20", changed(also(drug("LIVE_VACCINE", text)))) == expected


def test_a_rule_follows_its_protocol_version() -> None:
    later = replace(V1, steroid_washout_days=replace(V1.steroid_washout_days, value=30))
    subject = changed(also(steroid("2026-01-01", "2026-01-20")))
    assert not subject.of("DV-17") and subject.of("DV-17", NOW, later)
