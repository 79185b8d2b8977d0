"""The database server is killed under load: what was acknowledged is there, and nobody is left hanging."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.drills import judging
from tests.drills.study import Study

ROUNDS = 6


def wait_for_database(study: Study) -> float:
    """Seconds until the database answers again."""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        try:
            study.rows("SELECT 1")
            return time.monotonic() - began
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise AssertionError("the database does not come back")


@pytest.mark.req("R-76")
@pytest.mark.req("R-77")
@pytest.mark.timeout(300)
def test_a_crash_of_the_database_loses_nothing_and_answers_503(
    study: Study, tmp_path: Path, figures: Any
) -> None:
    if study.postmaster() is None:
        pytest.skip("the database is reached over the network: its processes are not ours to kill")
    outages = []
    with study.writers(tmp_path) as writers:
        for n in range(ROUNDS):
            time.sleep(3)
            if n % 2:
                pid = study.postmaster()
                assert pid
                os.kill(pid, signal.SIGKILL)
            else:
                assert study.kill_backend()
            time.sleep(0.05)
            outages.append(wait_for_database(study))
        time.sleep(3)
        ended = time.time()
    settled, content = study.settle(), judging.missing_content(study, writers.acknowledged)
    sound, flags = study.assert_sound(writers.acknowledged), judging.flags(study, writers.results)
    slowest = max(r["seconds"] for r in writers.requests)
    figures(
        "database",
        crashes=ROUNDS,
        outages=" ".join(f"{o:.1f}" for o in outages) + " s",
        acknowledged=len(writers.acknowledged),
        answers=judging.statuses(writers),
        lost=len(content),
        slowest_answer=f"{slowest:.1f} s",
        flags=flags,
        settled_after=f"{settled:.1f} s",
        invariants=sound,
    )
    assert judging.trouble(writers) == []
    assert content == [] and judging.twice_or_never(study, writers.results) == 0
    assert slowest < 10
    assert any(r["status"] in (200, 201) and r["at"] > ended - 2 for r in writers.requests), (
        "it did not recover"
    )
    assert (flags["missed"], flags["false"], flags["doubled"]) == (0, 0, 0)
