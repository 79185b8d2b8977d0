"""The table of timepoints, said a second time: every measurement of every visit with the room it has."""

from datetime import timedelta

import pytest

from visits.timepoints import TIMEPOINTS

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
