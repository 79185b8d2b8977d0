"""A hundred kills of web and worker processes under load, and a broker that forgets everything and dies."""

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.drills import judging
from tests.drills.study import Study

KILLS = 100
# what is killed: (process, its master?, how often of a hundred)
TARGETS = (
    ("web", False, 38), ("worker", False, 38), ("web", True, 8), ("worker", True, 10), ("beat", True, 6),
)  # fmt: skip


@pytest.mark.req("R-27")
@pytest.mark.req("R-77")
@pytest.mark.timeout(420)
def test_nothing_acknowledged_is_lost_and_every_deviation_is_flagged_once(
    study: Study, tmp_path: Path, figures: Any
) -> None:
    chance = random.Random(19)
    killed = {f"{name}{' master' if master else ''}": 0 for name, master, _ in TARGETS}
    began = time.monotonic()
    with study.writers(tmp_path) as writers:
        time.sleep(2)
        while sum(killed.values()) < KILLS:
            name, master, _ = chance.choices(TARGETS, [weight for *_, weight in TARGETS])[0]
            if study.kill(name, master, chance):
                killed[f"{name}{' master' if master else ''}"] += 1
            if sum(killed.values()) == KILLS // 3:
                study.flush_broker()
            if sum(killed.values()) == KILLS * 2 // 3:
                study.kill_broker()
            time.sleep(chance.uniform(0.1, 1.1))
    lasted, settled = time.monotonic() - began, study.settle()
    flags, content = judging.flags(study, writers.results), judging.missing_content(study, writers.acknowledged)
    sound = study.assert_sound(writers.acknowledged)
    median, worst = judging.flag_seconds(study)
    figures(
        "kills",
        kills=sum(killed.values()),
        of=killed,
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
    assert judging.trouble(writers) == []
    assert content == [] and judging.twice_or_never(study, writers.results) == 0
    assert flags["wanted"] > 20 and (flags["missed"], flags["false"], flags["doubled"]) == (0, 0, 0)
