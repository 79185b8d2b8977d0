"""Lymphodepletion, the product, its custody and the infusion: DV-31 to 33, 36, 38, 40, 41, 44, 45."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from dosing.levels import planned_per_kg
from dosing.models import DoseAllocation, Infusion, Lymphodepletion
from subjects.models import SurvivalEstimate
from tests.books import at
from tests.followed import custody_step, vitals
from tests.people import Change, also, both, changed, chemistry, put, without

D = Decimal
BROKEN, HELD, OPEN = False, None, True
"""What `judged` says of a rule: found, not found, pending."""


def later(name: str, days: int) -> Change:
    """Move one dose of lymphodepletion by days."""

    def change(subject: Any) -> None:
        row = subject[name]
        row.admin_dt = at(date.fromordinal(date(2026, 3, 16).toordinal() + days).isoformat())

    return change


def earlier_dose(day: str) -> Lymphodepletion:
    """A first dose of lymphodepletion on a day."""
    return Lymphodepletion(drug="FLUDARABINE", planned_day=-5, admin_dt=at(day), actual_mg=D("54.6"))


def kidneys(creatinine: str, *days: str) -> Change:
    """The creatinine in umol/L of the days of lymphodepletion."""

    def change(subject: Any) -> None:
        for row in [r for r in subject.values() if type(r).__name__ == "Chemistry" and r.visit != "SCR"]:
            row.creatinine_value = D(creatinine)

    return change


def without_steps(*steps: str) -> Change:
    """Take steps out of the chain of identity."""
    return without(*(f"coi {step}" for step in steps))


def not_infused(subject: Any) -> None:
    """Before the infusion."""
    del subject["infusion"]


ROWS: list[tuple[str, Change, bool | None]] = [
    # DV-25: both drugs up to the infusion of 16 March at 10:00, and no other
    ("DV-25", both(*(put(f"flu{n}", admin_dt=at("2026-03-16", "10:00")) for n in (-5, -4, -3))), HELD),
    ("DV-25", both(*(put(f"flu{n}", admin_dt=at("2026-03-16", "10:01")) for n in (-5, -4, -3))), BROKEN),
    ("DV-25", both(*(put(f"flu{n}", actual_mg=D(0)) for n in (-5, -4, -3))), BROKEN),
    ("DV-25", both(*(put(f"flu{n}", actual_mg=D(1)) for n in (-5, -4, -3))), HELD),
    ("DV-25", put("flu-4", drug="MELPHALAN", admin_dt=None), BROKEN),
    ("DV-25", put("flu-4", drug="MELPHALAN", actual_mg=None), BROKEN),
    ("DV-25", put("flu-4", drug="MELPHALAN", actual_mg=None, admin_dt=None), HELD),  # only planned
    # DV-31: days -5, -4, -3 before the planned infusion
    ("DV-31", both(later("flu-3", -2), later("cyc-3", -2)), BROKEN),
    ("DV-31", both(later("flu-5", -6), later("cyc-5", -6), put("flu-5", planned_day=-5)), BROKEN),  # a gap
    ("DV-31", put("infusion", inf_start_dt=at("2026-03-15")), HELD),  # two days after the last dose
    ("DV-31", put("infusion", inf_start_dt=at("2026-03-14")), BROKEN),
    ("DV-31", put("infusion", inf_start_dt=at("2026-03-20")), HELD),  # seven
    ("DV-31", put("infusion", inf_start_dt=at("2026-03-21")), BROKEN),
    ("DV-31", put("flu-5", actual_mg=D(0)), HELD),  # not given, so on no day
    ("DV-31", later("flu-5", -7), BROKEN),
    ("DV-31", both(later("flu-5", -7), put("flu-5", actual_mg=D(0))), HELD),
    ("DV-31", also(earlier_dose("2026-03-04")), BROKEN),  # seven days before: of the same course
    ("DV-31", also(earlier_dose("2026-03-03")), HELD),  # of a course before
    ("DV-31", put("flu-4", admin_dt=None), OPEN),
    ("DV-31", both(*(put(f"{d}{n}", planned_day=None) for d in ("flu", "cyc") for n in (-5, -4, -3))), OPEN),
    # DV-32: 54.6 mg at 70 kg, 170 cm, 45 years
    ("DV-32", kidneys("100"), HELD),  # 81.6 mL/min
    ("DV-32", kidneys("103"), BROKEN),  # 79.3: factor 0.8
    ("DV-32", both(kidneys("103"), *(put(f"flu{n}", actual_mg=D("48.048")) for n in (-5, -4, -3))), HELD),
    ("DV-32", both(kidneys("103"), *(put(f"flu{n}", actual_mg=D("48.049")) for n in (-5, -4, -3))), BROKEN),
    ("DV-32", both(kidneys("280"), *(put(f"flu{n}", actual_mg=D("0.1")) for n in (-5, -4, -3))), BROKEN),
    ("DV-32", both(kidneys("280"), *(put(f"flu{n}", actual_mg=D(0)) for n in (-5, -4, -3))), HELD),
    ("DV-32", both(kidneys("103"), *(put(f"flu{n}", planned_mg_m2=None) for n in (-5, -4, -3))), BROKEN),
    # 25 mg/m2 are planned: 25 * 1.82 * 0.8 and 10 % more are 40.04 mg
    (
        "DV-32",
        both(
            kidneys("103"), *(put(f"flu{n}", planned_mg_m2=D(25), actual_mg=D("40.04")) for n in (-5, -4, -3))
        ),
        HELD,
    ),
    (
        "DV-32",
        both(
            kidneys("103"), *(put(f"flu{n}", planned_mg_m2=D(25), actual_mg=D("40.05")) for n in (-5, -4, -3))
        ),
        BROKEN,
    ),
    ("DV-32", put("flu-4", actual_mg=D(70)), HELD),  # too much for any kidney: that is DV-30
    (
        "DV-32",
        both(
            without("LD-4 chemistry", "LD-3 chemistry"),
            put("chemistry_ld", lb_dt=at("2026-03-11"), creatinine_value=D(103)),
        ),
        BROKEN,
    ),
    # measured at the very moment of the only dose
    (
        "DV-32",
        both(
            put("flu-4", actual_mg=D(0)),
            put("flu-3", actual_mg=D(0)),
            put("chemistry_ld", lb_dt=at("2026-03-11"), creatinine_value=D(103)),
        ),
        BROKEN,
    ),
    ("DV-32", put("demographics", sex=""), OPEN),
    ("DV-32", put("flu-4", weight_kg=None), OPEN),
    ("DV-32", without("LD-4 chemistry", "LD-3 chemistry", "chemistry_ld"), OPEN),
    ("DV-32", both(kidneys("101.5"), put("demographics", birth_date="1980")), OPEN),  # 45 or 46 years
    # DV-33: the first dose on 11 March at 10:00
    ("DV-33", put("LD-5 vitals", temp_c=D("38.0")), BROKEN),
    ("DV-33", put("LD-5 vitals", temp_c=D("37.9")), HELD),
    ("DV-33", also(vitals(at("2026-03-10", "10:00"), "LD-5", temp_c=D("38.5"))), BROKEN),  # 24 h before
    ("DV-33", also(vitals(at("2026-03-10", "09:59"), "LD-5", temp_c=D("38.5"))), HELD),
    ("DV-33", also(vitals(at("2026-03-11", "10:01"), "LD-5", temp_c=D("38.5"))), HELD),
    ("DV-33", also(vitals(at("2026-03-11", "10:00"), "LD-5", temp_c=D("38.5"))), BROKEN),
    # the first dose counts: at 08:30, before the others
    (
        "DV-33",
        both(
            put("flu-5", admin_dt=at("2026-03-11", "08:30")),
            also(vitals(at("2026-03-11", "09:00"), "LD-5", temp_c=D("38.5"))),
        ),
        HELD,
    ),
    (
        "DV-33",
        both(
            later("cyc-5", -4),
            also(SurvivalEstimate(uncontrolled_infection="YES", visit="LD-4", status="COMPLETE")),
        ),
        HELD,
    ),
    ("DV-33", without("LD-5 vitals"), OPEN),
    ("DV-33", put("judgement", uncontrolled_infection="YES"), BROKEN),
    ("DV-33", put("judgement", uncontrolled_infection=""), OPEN),
    (
        "DV-33",
        also(SurvivalEstimate(uncontrolled_infection="YES", visit="LD-5", status="COMPLETE")),
        BROKEN,
    ),
    # DV-36: limits of the certificate
    *(
        ("DV-36", put("batch", **{field: D(value)}), verdict)
        for field, value, verdict in (
            ("viability_pct", "70", HELD),
            ("viability_pct", "69.99", BROKEN),
            ("cd3_pct", "80", HELD),
            ("cd3_pct", "79.99", BROKEN),
            ("car_pos_pct", "10", HELD),
            ("car_pos_pct", "9.99", BROKEN),
            ("vcn", "5", HELD),
            ("vcn", "5.001", BROKEN),
            ("endotoxin_eu_ml", "7", HELD),  # 7 * 50 / 70 = 5 EU/kg
            ("endotoxin_eu_ml", "7.0001", BROKEN),
        )
    ),
    ("DV-36", put("batch", sterility="GROWTH"), BROKEN),
    ("DV-36", put("batch", mycoplasma="POSITIVE"), BROKEN),
    ("DV-36", put("batch", rcl="POSITIVE"), BROKEN),
    ("DV-36", put("batch", sterility="NEGATIVE_TO_DATE"), OPEN),
    ("DV-36", put("batch", rcl=""), OPEN),
    ("DV-36", put("batch", vcn=None), OPEN),
    ("DV-36", put("batch", endotoxin_eu_ml=None), OPEN),
    ("DV-36", put("batch", volume_ml=None), OPEN),
    ("DV-36", put("batch", vcn=None, rcl="POSITIVE"), BROKEN),  # a failure outweighs what is missing
    ("DV-36", put("batch", release_decision="OUT_OF_SPEC_EXCEPTION", cd3_pct=D(60)), BROKEN),
    ("DV-36", both(put("batch", release_decision="REJECTED", cd3_pct=D(60)), not_infused), HELD),
    ("DV-36", put("batch", release_decision="REJECTED", cd3_pct=D(60)), BROKEN),  # infused all the same
    # DV-38: one number, every step, two persons
    ("DV-38", put("coi LABELLED", coi_id="COI-2"), BROKEN),
    ("DV-38", put("coi LABELLED", coi_id=" COI-1 "), HELD),
    ("DV-38", put("coi LABELLED", coi_id=""), OPEN),
    ("DV-38", without_steps("RECEIVED_SITE"), BROKEN),
    ("DV-38", without_steps("THAWED"), BROKEN),
    ("DV-38", both(without_steps("THAWED"), put("batch", formulation="FRESH")), HELD),
    ("DV-38", without_steps("PACKED"), HELD),  # not mandatory
    ("DV-38", both(not_infused, without_steps("INFUSED")), HELD),
    ("DV-38", both(not_infused, without_steps("INFUSED", "BEDSIDE_CHECK", "THAWED")), HELD),
    ("DV-38", both(not_infused, without_steps("INFUSED", "LABELLED")), BROKEN),  # a later one is there
    ("DV-38", put("coi BEDSIDE_CHECK", verified_by_id=1), BROKEN),
    ("DV-38", put("coi BEDSIDE_CHECK", verified_by_id=None), OPEN),
    ("DV-38", put("coi STORED", verified_by_id=1), HELD),
    # DV-40: at -130 degrees or below
    ("DV-40", put("coi STORED", temp_max_c=D("-130.0")), HELD),
    ("DV-40", put("coi STORED", temp_max_c=D("-129.9")), BROKEN),
    ("DV-40", put("coi STORED", temp_max_c=None), OPEN),
    ("DV-40", put("coi STORED", temp_max_c=None, temp_min_c=D(-120)), BROKEN),
    ("DV-40", put("coi COLLECTED", temp_max_c=D(20)), HELD),
    ("DV-40", put("coi COLLECTED", excursion=True), BROKEN),
    ("DV-40", both(put("batch", formulation="FRESH"), put("coi STORED", temp_max_c=D(4))), HELD),
    ("DV-40", both(put("batch", formulation=""), put("coi STORED", temp_max_c=D(4))), OPEN),
    # DV-41
    ("DV-41", put("infusion", post_thaw_viability_pct=D("70.00")), HELD),
    ("DV-41", put("infusion", post_thaw_viability_pct=D("69.99")), BROKEN),
    ("DV-41", put("infusion", post_thaw_viability_pct=None), OPEN),
    # DV-44: 1e6 allocated; DL-1 is 0.4 to 0.6, DL2 4 to 6 million
    ("DV-44", put("infusion", actual_per_kg=D(4_000_000)), BROKEN),
    ("DV-44", put("infusion", actual_per_kg=D(3_999_999)), HELD),  # no level's dose: that is DV-43
    ("DV-44", put("infusion", actual_per_kg=D(500_000)), BROKEN),
    ("DV-44", put("infusion", actual_per_kg=None), OPEN),
    ("DV-44", without("level"), OPEN),
    # DV-45
    ("DV-45", without("D0 INF_30M"), BROKEN),
    ("DV-45", without("D0 vitals"), HELD),  # none of the timepoints
    ("DV-45", put("D0 INF_4H", vs_dt=None), HELD),
    ("DV-45", put("D0 INF_4H", vs_dt=at("2026-03-16", "23:59")), HELD),  # late, yet of that day
    ("DV-45", put("D0 INF_4H", vs_dt=at("2026-03-17")), BROKEN),
    ("DV-45", put("D0 INF_4H", spo2_pct=None), OPEN),
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


def split(*parts: tuple[int | None, str, str | None], level: str = "DL3") -> Change:
    """The infusion in parts of number, day and cells per kg, at a level; each part at 10:00."""

    def change(subject: Any) -> None:
        del subject["infusion"]
        subject["level"] = DoseAllocation(
            level=level, planned_per_kg=planned_per_kg(level), status="COMPLETE"
        )
        for number, day, cells in parts:
            dose = None if cells is None else D(cells)
            told = {"part_no": number, "inf_start_dt": at(day), "actual_per_kg": dose}
            subject[f"part {number}"] = Infusion(**told, status="COMPLETE")

    return change


ONE, TWO, THREE = (1, "2026-03-16"), (2, "2026-03-17"), (3, "2026-03-18")


@pytest.mark.parametrize(
    ("parts", "today", "dose", "level"),
    [
        # 1e7 are planned; 1e6 is the dose of DL1, 5e6 of DL2
        ([(*ONE, "1e6")], "2026-03-16", BROKEN, BROKEN),  # a single part is taken as the whole dose
        ([(None, "2026-03-16", "1e6")], "2026-03-16", BROKEN, BROKEN),  # as is one without a number
        ([(*ONE, "1e6"), (*TWO, "4e6")], "2026-03-18", OPEN, OPEN),  # the third part may come
        ([(*ONE, "1e6"), (*TWO, "4e6")], "2026-03-19", BROKEN, BROKEN),  # it did not
        ([(*ONE, "1e6"), (*TWO, "4e6"), (*THREE, "5e6")], "2026-03-18", HELD, HELD),
        ([(*ONE, "1e6"), (*TWO, "2e6"), (*THREE, "2e6")], "2026-03-18", BROKEN, BROKEN),  # the last
        ([(*ONE, "1e6"), (*TWO, "1.2e7")], "2026-03-18", BROKEN, HELD),  # too much already
        ([(*ONE, "1e6"), (*TWO, "9e6")], "2026-03-18", HELD, HELD),
        ([(*ONE, "1e7"), (*TWO, None)], "2026-03-30", OPEN, OPEN),
        ([(*ONE, "1.2e7"), (*TWO, None)], "2026-03-30", OPEN, OPEN),  # exactly 20 % more
        ([(*ONE, "1.2000001e7"), (*TWO, None)], "2026-03-30", BROKEN, OPEN),
    ],
)
def test_the_parts_of_a_split_infusion_make_one_dose(
    parts: Any, today: str, dose: bool | None, level: bool | None
) -> None:
    subject, now = changed(split(*parts)), at(today, "23:00")
    assert (subject.says("DV-43", now), subject.says("DV-44", now)) == (dose, level)
    whole = all(cells is not None for _, _, cells in parts)
    for rule, said in (("DV-43", dose), ("DV-44", level)):
        for one in subject.of(rule, now).values():
            follows = said is OPEN and whole
            assert ("A further part may follow." in one.en) is ("可能还有后续部分。" in one.zh) is follows


def test_a_second_course_after_a_long_pause_is_judged_on_its_own() -> None:
    """Lymphodepletion of February was in vain: it was repeated, and the days of the second course count."""
    rows = {}
    for day, planned in (("2026-02-20", -5), ("2026-02-21", -4), ("2026-02-22", -3)):
        rows[day] = Lymphodepletion(
            drug="CYCLOPHOSPHAMIDE", planned_day=planned, admin_dt=at(day), actual_mg=D(540)
        )
    assert not changed(also(*rows.values())).of("DV-31")


@pytest.mark.parametrize(
    ("hour", "missing"),
    [("10:20", 0), ("10:21", 1), ("14:30", 4), ("14:31", 5)],
)
def test_a_timepoint_is_missed_once_its_time_has_passed(hour: str, missing: int) -> None:
    """Infused at 10:00; nothing is recorded after the start."""
    subject = changed(
        without(*(f"D0 {code}" for code in ("INF_15M", "INF_30M", "INF_1H", "INF_2H", "INF_4H")))
    )
    assert len(subject.of("DV-45", at("2026-03-16", hour))) == missing


def test_a_dose_at_the_moment_of_the_infusion_is_the_last_before_it() -> None:
    subject = changed(put("flu-3", admin_dt=at("2026-03-16", "10:00")))
    assert any("0 days from the last" in one.en for one in subject.of("DV-31").values())


def test_the_clearance_follows_the_unit_that_was_entered() -> None:
    """0.9 mg/dL is a normal kidney, 90 umol/L too; 9 mg/dL is none."""
    for value, unit, verdict in (("0.9", "mg/dL", None), ("90", "umol/L", None), ("9", "mg/dL", False)):
        row = chemistry("2026-03-13", "09:00", creatinine_value=D(value), creatinine_unit=unit)
        assert changed(also(row)).says("DV-32") is verdict, (value, unit)


def test_a_creatinine_after_the_dose_or_too_old_does_not_count() -> None:
    subject = changed(without("LD-4 chemistry", "LD-3 chemistry", "chemistry_ld"))
    subject["late"] = chemistry("2026-03-13", "10:01")
    subject["old"] = chemistry(
        "2026-03-08", "08:00"
    )  # three days before the first dose, four before the second
    pending = {f.record for f in subject.of("DV-32").values() if f.pending}
    assert pending == {subject["flu-4"].pk, subject["flu-3"].pk}


def test_a_colder_or_a_later_step_breaks_nothing() -> None:
    extra = custody_step("STORED", at("2026-03-15"), temp_max_c=D(-196), temp_min_c=D(-196))
    assert not changed(also(extra)).judged()


def test_nothing_of_the_infusion_is_asked_before_it() -> None:
    subject = changed(not_infused)
    asked = subject.judged(datetime(2026, 3, 16, 1, 0, tzinfo=UTC))
    assert not {"DV-38", "DV-41", "DV-44", "DV-45"} & set(asked), asked
