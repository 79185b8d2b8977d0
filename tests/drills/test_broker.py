"""The broker is away, or there and deaf: saving goes on at its usual pace, and the flags come when it is back."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.drills import judging
from tests.drills.study import Study

AWAY = 10.0


@pytest.mark.req("R-76")
@pytest.mark.req("R-27")
@pytest.mark.parametrize("how", ["dead", "deaf"])
def test_without_the_broker_saves_go_on_and_flags_come_later(
    how: str, study: Study, tmp_path: Path, figures: Any
) -> None:
    with study.writers(tmp_path, processes=1) as writers:
        time.sleep(3)
        began = time.time()
        with study.without_broker(how):
            time.sleep(AWAY)
            ended = time.time()
    settled, sound = study.settle(), study.assert_sound(writers.acknowledged)
    flags = judging.flags(study, writers.results)
    meanwhile = [r for r in writers.requests if began < r["at"] < ended and r["method"] != "GET"]
    slowest = max(r["seconds"] for r in meanwhile)
    figures(
        f"broker {how}",
        away=f"{ended - began:.0f} s",
        saves_meanwhile=len(meanwhile),
        slowest_save=f"{slowest * 1000:.0f} ms",
        flags=flags,
        settled_after=f"{settled:.1f} s",
        invariants=sound,
    )
    assert judging.trouble(writers) == []
    assert meanwhile and all(r["status"] in (200, 201, 412) for r in meanwhile) and slowest < 1
    assert flags["wanted"] and (flags["missed"], flags["false"], flags["doubled"]) == (0, 0, 0)
