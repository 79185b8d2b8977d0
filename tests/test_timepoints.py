"""The table of timepoints, said a second time: every measurement of every visit with the room it has."""

from datetime import date, timedelta

import pytest
from django.utils.translation import override

from dosing.levels import level
from tests.books import SHANGHAI, at
from visits.schedule import SCHEDULES, VISITS, schedule_of
from visits.timepoints import TIMEPOINTS, Moments, Timepoint, moments

EARLY, LATE = (1, 4, 7, 10, 14), (17, 21, 28)
MONTHS = (2, 3, 6, 9, 12, 15, 18, 21, 24)
ROOM = {
    "vital_signs": [
        *(("D0", code, at, low, high, 1) for code, at, low, high in (
            ("PRE_INF", 0, 240, 0), ("INF_15M", 15, 5, 5), ("INF_30M", 30, 10, 10),
            ("INF_1H", 60, 15, 15), ("INF_2H", 120, 30, 30), ("INF_4H", 240, 30, 30),
        )),
        *((f"D{day}", "", None, 0, 0, 2) for day in range(1, 8)),
    ],
    "pk_sample": [
        ("D0", "", 0, 1440, 0, 1),
        *((f"D{day}", "", None, 1440, 1440, 1) for day in EARLY),
        *((f"D{day}", "", None, 2880, 2880, 1) for day in LATE),
        *((f"M{month}", "", None, 0, 0, 1) for month in MONTHS),
        *((f"Y{year}", "", None, 0, 0, 1) for year in range(3, 16)),
    ],
    "pd_cytokine": [
        ("D0", "", 0, 1440, 0, 1),
        *((f"D{day}", "", None, 1440, 1440, 1) for day in (1, 3, 5, 7, 10, 14)),
        *((f"D{day}", "", None, 2880, 2880, 1) for day in LATE),
    ],
}  # fmt: skip
"""By form: visit, code, minutes from the start of the infusion, how many earlier and later, how often."""


@pytest.mark.parametrize("form", ROOM)
def test_how_early_and_how_late_each_measurement_may_be(form: str) -> None:
    minute = timedelta(minutes=1)
    planned = [
        (p.visit, p.code, p.minutes, p.before // minute, p.after // minute, p.times)
        for p in TIMEPOINTS
        if p.form == form
    ]
    assert planned == ROOM[form]


def point(form: str, visit: str) -> Timepoint:
    return next(p for p in TIMEPOINTS if (p.form, p.visit) == (form, visit))


def test_a_sample_of_a_day_lies_between_the_midnights_around_the_days_it_may_be_taken() -> None:
    day = date(2026, 4, 20)
    found = moments(point("pk_sample", "D4"), None, day, day + timedelta(days=1), SHANGHAI)
    assert found == Moments(at("2026-04-19", "00:00"), None, at("2026-04-23", "00:00"))


@pytest.mark.parametrize(
    ("low", "high"), [(None, None), (date(2026, 4, 20), None), (None, date(2026, 4, 20))]
)
def test_without_a_window_nothing_is_known_of_a_day(low: date | None, high: date | None) -> None:
    assert moments(point("pk_sample", "D4"), None, low, high, SHANGHAI) == Moments()


@pytest.mark.parametrize(
    ("language", "names"),
    [
        (
            "en",
            ["vital signs before infusion", "vital signs, twice a day", "PK sample, before infusion",
             "PK sample", "cytokines", "Level 1: 1 × 10^6 cells/kg"],
        ),
        (
            "zh-hans",
            ["生命体征 回输前", "生命体征,每日两次", "药代动力学采样,回输前", "药代动力学采样", "细胞因子采样",
             "剂量水平 1:1×10^6 细胞/kg"],
        ),
    ],
)  # fmt: skip
def test_every_timepoint_and_dose_level_has_a_name(language: str, names: list[str]) -> None:
    first = level("DL1")
    assert first is not None
    points = (
        ("vital_signs", "D0"),
        ("vital_signs", "D1"),
        ("pk_sample", "D0"),
        ("pk_sample", "M2"),
        ("pd_cytokine", "D3"),
    )
    with override(language):
        assert VISITS["SCR"].label == {"en": "Screening", "zh-hans": "筛选期"}[language]
        assert [*(point(*one).label for one in points), first.label] == names


def test_every_version_of_the_protocol_has_its_own_schedule() -> None:
    assert [schedule_of(version).version for version in ("1.0", "2.0")] == list(SCHEDULES) == ["1.0", "2.0"]
