"""The schedule of activities as a table: forms, windows, logs and samples of every visit, row by row."""

from datetime import date, timedelta

import pytest

from tests.test_schedule import INFUSED, window
from visits.schedule import LOGS, VISIT_CODES, VISITS, Anchors, schedule_of, visit_of, visit_windows

YEARS = tuple(f"Y{year}" for year in range(3, 16))
FORMS: list[tuple[str, str, str, str]] = [
    # visit, required, when its condition holds, logs that belong to the visit
    (
        "SCR",
        "demographics disease_history vital_signs ecg echo pulmonary ecog haematology "
        "chemistry coagulation urinalysis viral_serology bone_marrow cd19_flow csf "
        "icans_assessment survival_estimate",
        "pregnancy_test contraception",
        "informed_consent prior_transplant prior_therapy medical_history con_meds eligibility",
    ),
    (
        "APH",
        "vital_signs haematology",
        "chemistry pulmonary ecog survival_estimate",
        "apheresis eligibility chain_of_identity",
    ),
    (
        "LD-5",
        "vital_signs haematology chemistry",
        "pregnancy_test pulmonary ecog echo viral_serology survival_estimate bone_marrow",
        "lymphodepletion eligibility",
    ),
    (
        "LD-4",
        "vital_signs haematology chemistry",
        "",
        "lymphodepletion",
    ),
    (
        "LD-3",
        "vital_signs haematology chemistry",
        "",
        "lymphodepletion",
    ),
    (
        "D-2",
        "vital_signs",
        "",
        "con_meds",
    ),
    (
        "D-1",
        "vital_signs",
        "",
        "con_meds",
    ),
    (
        "D0",
        "dose_allocation vital_signs crs_assessment icans_assessment pk_sample pd_cytokine",
        "pulmonary ecog chemistry ecg pregnancy_test survival_estimate",
        "infusion eligibility chain_of_identity",
    ),
    (
        "D1",
        "vital_signs crs_assessment icans_assessment haematology chemistry coagulation pk_sample pd_cytokine",
        "",
        "",
    ),
    (
        "D2",
        "vital_signs crs_assessment icans_assessment haematology chemistry coagulation",
        "",
        "",
    ),
    (
        "D3",
        "vital_signs crs_assessment icans_assessment haematology chemistry coagulation pd_cytokine",
        "",
        "",
    ),
    (
        "D4",
        "vital_signs crs_assessment icans_assessment haematology chemistry coagulation pk_sample",
        "",
        "",
    ),
    (
        "D5",
        "vital_signs crs_assessment icans_assessment haematology chemistry coagulation pd_cytokine",
        "",
        "",
    ),
    (
        "D6",
        "vital_signs crs_assessment icans_assessment haematology chemistry coagulation",
        "",
        "",
    ),
    (
        "D7",
        "vital_signs crs_assessment icans_assessment haematology chemistry coagulation pk_sample pd_cytokine",
        "",
        "",
    ),
    (
        "D8",
        "vital_signs crs_assessment icans_assessment haematology chemistry",
        "coagulation",
        "",
    ),
    (
        "D9",
        "vital_signs crs_assessment icans_assessment",
        "haematology chemistry coagulation",
        "",
    ),
    (
        "D10",
        "vital_signs crs_assessment icans_assessment haematology chemistry pk_sample pd_cytokine",
        "coagulation",
        "",
    ),
    (
        "D11",
        "vital_signs crs_assessment icans_assessment",
        "haematology chemistry coagulation",
        "",
    ),
    (
        "D12",
        "vital_signs crs_assessment icans_assessment haematology chemistry",
        "coagulation",
        "",
    ),
    (
        "D13",
        "vital_signs crs_assessment icans_assessment",
        "haematology chemistry coagulation",
        "",
    ),
    (
        "D14",
        "vital_signs crs_assessment icans_assessment haematology chemistry pk_sample pd_cytokine pd_bcell",
        "coagulation",
        "",
    ),
    (
        "D17",
        "haematology chemistry pk_sample pd_cytokine",
        "crs_assessment icans_assessment",
        "",
    ),
    (
        "D21",
        "haematology chemistry coagulation pk_sample pd_cytokine crs_assessment icans_assessment",
        "pd_bcell",
        "",
    ),
    (
        "D28",
        "vital_signs ecg ecog haematology chemistry coagulation urinalysis bone_marrow csf "
        "pk_sample pd_cytokine pd_bcell response dlt_assessment",
        "crs_assessment icans_assessment pregnancy_test",
        "adverse_event con_meds",
    ),
    (
        "M2",
        "haematology chemistry pk_sample pd_bcell response",
        "bone_marrow pregnancy_test",
        "",
    ),
    (
        "M3",
        "haematology chemistry coagulation vital_signs ecog bone_marrow pk_sample pd_bcell "
        "response survival_ltfu",
        "csf pregnancy_test",
        "adverse_event",
    ),
    (
        "M6",
        "haematology chemistry bone_marrow pk_sample pd_bcell response survival_ltfu",
        "",
        "",
    ),
    (
        "M9",
        "haematology chemistry pk_sample pd_bcell response",
        "bone_marrow survival_ltfu",
        "",
    ),
    (
        "M12",
        "haematology chemistry bone_marrow pk_sample pd_bcell response survival_ltfu",
        "contraception",
        "",
    ),
    (
        "M15",
        "haematology survival_ltfu",
        "pk_sample pd_bcell bone_marrow response",
        "",
    ),
    (
        "M18",
        "haematology survival_ltfu pd_bcell",
        "pk_sample bone_marrow response",
        "",
    ),
    (
        "M21",
        "haematology survival_ltfu",
        "pk_sample pd_bcell bone_marrow response",
        "",
    ),
    (
        "M24",
        "haematology survival_ltfu pd_bcell",
        "pk_sample bone_marrow response",
        "",
    ),
    (
        "Y3",
        "survival_ltfu",
        "pk_sample",
        "",
    ),
    (
        "UNSCHED",
        "",
        "vital_signs crs_assessment icans_assessment haematology chemistry coagulation "
        "urinalysis ecg echo pulmonary ecog viral_serology pregnancy_test contraception "
        "bone_marrow cd19_flow csf pk_sample pd_cytokine pd_bcell response survival_ltfu",
        "",
    ),
]


@pytest.mark.parametrize(("code", "required", "optional", "logs"), FORMS)
def test_forms_of_each_visit(code: str, required: str, optional: str, logs: str) -> None:
    for one in YEARS if code == "Y3" else (code,):
        visit = VISITS[one]
        found = (visit.forms, visit.optional, visit.logs)
        assert [set(names) for names in found] == [set(row.split()) for row in (required, optional, logs)]


def test_these_are_all_the_visits() -> None:
    codes = [code for code, *_ in FORMS if code not in ("Y3", "UNSCHED")]
    assert [one.code for one in visit_windows(INFUSED)] == [*codes, *YEARS, "UNSCHED"]
    assert {code: visit_of(code).en for code in ("D28", "UNSCHED-2")} == {  # type: ignore[union-attr]
        "D28": "Day 28",
        "UNSCHED-2": "Unscheduled 2",
    }
    assert VISIT_CODES.codes == tuple(VISITS)


WINDOWS: list[tuple[str, int, int, int]] = [
    # visit, day after the planned day 0, days before, days after
    ("LD-5", -5, 1, 1),
    ("LD-4", -4, 1, 1),
    ("LD-3", -3, 1, 1),
    ("D-2", -2, 1, 1),
    ("D-1", -1, 1, 1),
    # visit, day after the infusion
    *((f"D{day}", day, 0, 0) for day in (0, 1, 2, 3, 4, 5, 6, 7, 10, 14) if f"D{day}" in VISITS),
    ("D17", 17, 1, 1),
    ("D21", 21, 2, 2),
    ("D28", 28, 2, 2),
]


@pytest.mark.parametrize(("code", "day", "before", "after"), WINDOWS)
def test_window_counted_in_days(code: str, day: int, before: int, after: int) -> None:
    start = INFUSED.planned_d0 if day < 0 else INFUSED.d0
    assert start is not None
    found, nominal = window(code), start + timedelta(days=day)
    assert (found.nominal, found.low, found.high) == (
        nominal,
        nominal - timedelta(days=before),
        nominal + timedelta(days=after),
    )


@pytest.mark.parametrize(
    ("code", "month", "days"),
    [
        ("M2", "2026-06-21", 7),
        ("M3", "2026-07-21", 7),
        ("M6", "2026-10-21", 14),
        ("M9", "2027-01-21", 14),
        ("M12", "2027-04-21", 14),
        ("M15", "2027-07-21", 30),
        ("M18", "2027-10-21", 30),
        ("M21", "2028-01-21", 30),
        ("M24", "2028-04-21", 30),
        *((f"Y{year}", f"{2026 + year}-04-21", 60) for year in range(3, 16)),
    ],
)
def test_window_counted_in_months(code: str, month: str, days: int) -> None:
    found, nominal = window(code), date.fromisoformat(month)
    around = timedelta(days=days)
    assert (found.nominal, found.low, found.high) == (nominal, nominal - around, nominal + around)


@pytest.mark.parametrize(
    ("code", "days"), [("D17", 2), ("D28", 4), ("M2", 10), ("M3", 10), ("M24", 14), ("D21", 2), ("M12", 14)]
)
def test_the_second_version_widens_some_windows(code: str, days: int) -> None:
    second = schedule_of("2.0")
    assert second.version == "2.0" and schedule_of("1.0").version == "1.0"
    found = next(one for one in visit_windows(INFUSED, second) if one.code == code)
    assert found.low is not None and found.high is not None
    assert found.high - found.low == timedelta(days=2 * days)


def test_logs_that_every_subject_has_once_its_anchor_is_reached() -> None:
    assert {log.form: log.since for log in LOGS if log.expected} == {
        "informed_consent": "ICF",
        "eligibility": "ICF",
        "prior_therapy": "ICF",
        "apheresis": "ENROL",
        "chain_of_identity": "APH",
        "manufacturing": "APH",
        "lymphodepletion": "LD",
        "infusion": "D0",
    }


# Samples and measurements within a visit


@pytest.mark.parametrize(
    ("form", "tolerance"),
    [
        (
            "pk_sample",
            {
                **dict.fromkeys(("D1", "D4", "D7", "D10", "D14"), 1),
                **dict.fromkeys(("D17", "D21", "D28"), 2),
                **dict.fromkeys(("M2", "M3", "M6", "M9", "M12", "M15", "M18", "M21", "M24", *YEARS), 0),
            },
        ),
        (
            "pd_cytokine",
            {
                **dict.fromkeys(("D1", "D3", "D5", "D7", "D10", "D14"), 1),
                **dict.fromkeys(("D17", "D21", "D28"), 2),
            },
        ),
    ],
)
def test_days_of_samples_and_how_far_they_may_be_off(form: str, tolerance: dict[str, int]) -> None:
    found = {
        one.visit: one for one in schedule_of("1.0").timepoints if one.form == form and one.minutes is None
    }
    assert {visit: (one.before.days, one.after.days) for visit, one in found.items()} == {
        visit: (days, days) for visit, days in tolerance.items()
    }
    assert {one.times for one in found.values()} == {1}
    words = {"pk_sample": "PK sample", "pd_cytokine": "cytokines"}
    assert {one.en for one in found.values()} == {words[form]}


def test_a_sample_before_the_infusion_may_be_of_the_day_before() -> None:
    for form in ("pk_sample", "pd_cytokine"):
        (one,) = schedule_of("1.0").points("D0", form)
        assert (one.minutes, one.before, one.after) == (0, timedelta(days=1), timedelta(0))


def test_vital_signs_around_the_infusion_and_on_the_ward() -> None:
    around = {
        one.code: (one.minutes, one.before.seconds // 60, one.after.seconds // 60)
        for one in schedule_of("1.0").points("D0", "vital_signs")
    }
    assert around == {
        "PRE_INF": (0, 240, 0),
        "INF_15M": (15, 5, 5),
        "INF_30M": (30, 10, 10),
        "INF_1H": (60, 15, 15),
        "INF_2H": (120, 30, 30),
        "INF_4H": (240, 30, 30),
    }
    ward = {
        one.visit: (one.times, one.before, one.after)
        for one in schedule_of("1.0").timepoints
        if one.form == "vital_signs" and one.minutes is None
    }
    assert ward == {f"D{day}": (2, timedelta(0), timedelta(0)) for day in range(1, 8)}


def test_screening_and_apheresis_are_open_forward_only() -> None:
    anchors = Anchors(icf=date(2026, 3, 1), enrol=date(2026, 3, 20))
    assert (window("SCR", anchors).low, window("SCR", anchors).high) == (date(2026, 3, 1), date(2026, 3, 29))
    assert (window("APH", anchors).low, window("APH", anchors).high) == (date(2026, 3, 21), date(2026, 4, 3))
