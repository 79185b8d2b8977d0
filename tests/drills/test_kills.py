"""A hundred kills of web and worker processes under load, and a broker that forgets everything and dies."""

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.drills import judging
from tests.drills.study import Study

# what is killed: (process, its master?, how often)
TARGETS = (
    ("web", False, 46),
    ("worker", False, 41),
    ("web", True, 5),
    ("worker", True, 5),
    ("beat", True, 3),
)
KILLS = sum(times for *_, times in TARGETS)


@pytest.mark.req("R-27")
@pytest.mark.req("R-77")
@pytest.mark.timeout(420)
def test_nothing_acknowledged_is_lost_and_every_deviation_is_flagged_once(
    study: Study, tmp_path: Path, figures: Any
) -> None:
    chance = random.Random(19)
    targets = [(name, master) for name, master, times in TARGETS for _ in range(times)]
    chance.shuffle(targets)
    began, before = time.monotonic(), study.kills
    with study.writers(tmp_path) as writers:
        time.sleep(2)
        for n, (name, master) in enumerate(targets):
            if n == KILLS // 3:
                study.flush_broker()
            if n == KILLS * 2 // 3:
                study.kill_broker()
            time.sleep(chance.uniform(0.05, 1.0))
            study.kill(name, master, chance)
    lasted, settled = time.monotonic() - began, study.settle()
    flags, content = (
        judging.flags(study, writers.results),
        judging.missing_content(study, writers.acknowledged),
    )
    sound = study.assert_sound(writers.acknowledged)
    median, worst = judging.flag_seconds(study)
    figures(
        "kills",
        kills=study.kills - before,
        seconds=round(lasted),
        stories=sum(r["stories"] for r in writers.results),
        acknowledged=len(writers.acknowledged),
        answers=judging.statuses(writers),
        lost=len(content),
        twice_or_never=judging.twice_or_never(study, writers.results),
        flags=flags,
        settled_after=f"{settled:.1f} s",
        flag_after=f"{median:.1f} s (median) {worst:.1f} s (p99)",
        invariants=sound,
    )
    assert study.kills - before == KILLS and judging.trouble(writers) == []
    assert content == [] and judging.twice_or_never(study, writers.results) == 0
    assert flags["wanted"] > 20 and (flags["missed"], flags["false"], flags["doubled"]) == (0, 0, 0)
