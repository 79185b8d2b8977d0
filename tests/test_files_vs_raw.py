"""Thousands of vital-sign rows that nobody here wrote: every one ends with an outcome, and the counts add up.

`make files` (EDC_FULL_FILES=1) takes the whole file and one of 50 MB, and prints rows, refusals, seconds and memory.
"""

import csv
import os
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from entry.door import create_subject
from exchange.incoming_files.options import Options
from exchange.incoming_files.register import report, take_in
from exchange.incoming_files.work import work
from tests.conftest import new_subject_number
from trial import audit
from visits.models import VitalSigns

RAW = Path(__file__).resolve().parents[2] / "shared" / "data" / "pharmaverse-raw" / "vs_raw.csv"
FULL = os.environ.get("EDC_FULL_FILES") == "1"
PEOPLE = 6
LIKELY = {"unit_mistake", "impossible", "contradiction_in_file", "contradiction"}


@pytest.mark.slow
@pytest.mark.django_db
def test_every_row_of_real_shaped_vital_signs_has_an_outcome(tmp_path: Path, li: Any, site: Any) -> None:
    if not RAW.exists():
        pytest.skip(f"NOT PROVEN HERE: {RAW} is absent; the third-party data lie beside the repository")
    with RAW.open(newline="") as file:
        rows = list(csv.DictReader(file))
    start = "" if FULL else "706"
    people = sorted({row["PATNUM"] for row in rows if row["PATNUM"].startswith(start)})[
        : None if FULL else PEOPLE
    ]
    chosen = [row for row in rows if row["PATNUM"] in people]
    path = tmp_path / "vs_raw.csv"
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(chosen)
    subjects = {one: create_subject(new_subject_number(), site, by=li).subjid for one in people}
    options = Options(policy="GOOD", subject_map=subjects)

    def send() -> Any:
        file = take_in(path, "vs_raw.csv", "vs_raw", options, site, by=li)
        return work(file.pk, li, "COMMIT")

    began = time.perf_counter()
    first = send()
    _say("vs_raw, entered", first, time.perf_counter() - began)
    told = list(report(li, first))
    assert first.state == "DONE" and first.rows == len(chosen) == len(told) > 100
    assert [one["line"] for one in told] == list(range(2, len(chosen) + 2))
    counts = Counter(one["outcome"] for one in told)
    assert counts["created"] + counts["refused"] + counts["unchanged"] == len(chosen)
    assert counts["created"] > 0.9 * len(chosen)
    refused = [one for one in told if one["outcome"] == "refused"]
    assert all(problem["en"] and problem["zh"] for one in refused for problem in one["problems"])
    assert {problem["code"] for one in refused for problem in one["problems"]} <= LIKELY
    with audit.reading(li):
        stored = list(VitalSigns.objects.filter(subject__subjid__in=subjects.values()))
    assert len(stored) == len({one["record"] for one in told if "record" in one})
    pulses = Counter(row["PULSE"] for row in chosen if row["PULSE"])
    lost = sum(1 for one in refused for row in [chosen[one["line"] - 2]] if row["PULSE"])
    assert sum(pulses.values()) - sum(1 for one in stored if one.pulse is not None) == lost
    began = time.perf_counter()
    again = send()
    _say("vs_raw, again", again, time.perf_counter() - began)
    assert (
        again.counts["created"] == 0 and again.counts["unchanged"] == counts["created"] + counts["unchanged"]
    )


def _say(what: str, file: Any, seconds: float) -> None:
    """The figures of a run, for `make files`."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed = file.rows / seconds
    print(
        f"\n{what}: {file.rows} rows in {seconds:.1f} s ({speed:.0f} rows/s), peak {peak:.0f} MB, {file.counts}"
    )


@pytest.mark.skipif(not FULL, reason="make files")
@pytest.mark.django_db
def test_fifty_megabytes_are_checked_in_bounded_memory(
    tmp_path: Path, li: Any, site: Any, new_subject: Any
) -> None:
    people = [new_subject().subjid for _ in range(20)]
    path = tmp_path / "large.csv"
    with path.open("w") as out:
        out.write("subject,visit,datetime,test,value,unit,timepoint\n")
        number = 0
        while out.tell() < 50_000_000:
            when = f"2025-{number // 2880 % 12 + 1:02d}-{number // 96 % 28 + 1:02d} {number // 4 % 24:02d}:{number % 4 * 15:02d}"
            for test, value in (("TEMP", "36.8"), ("SYSBP", "120"), ("DIABP", "80"), ("PULSE", "70")):
                out.write(
                    f"{people[number % 20]},UNSCHED-{number // 20 % 900 + 2},{when},{test},{value},,Q4H\n"
                )
            number += 1
    file = take_in(path, "large.csv", "vitals_long", Options(policy="GOOD"), site, by=li)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    done = work(file.pk, li, "CHECK")
    _say("50 MB, checked", done, time.perf_counter() - began)
    assert done.state == "CHECKED" and done.rows > 500_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024
