"""A downstream system that is killed again and again pulls every change exactly once, also of slow transactions."""

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.drills import judging
from tests.drills.client import Client
from tests.drills.study import Study

SECONDS = 25.0
SLOW = 4


class Puller:
    """The downstream process, and its death."""

    def __init__(self, study: Study, file: Path) -> None:
        """Start it."""
        self.study, self.file, self.kills = study, file, 0
        self._start()

    def _start(self) -> None:
        self.study.base["DRILL_TOKEN"] = self.study.tokens[
            "pull"
        ]  # not on the command line, which all may read
        self.process = self.study.spawn("puller", str(self.file))

    def kill(self, again: bool = True) -> None:
        """kill -9, and start again where it stood."""
        self.process.kill()
        self.process.wait()
        self.kills += 1
        if again:
            self._start()

    def pulled(self) -> list[tuple[str, str, int]]:
        """Every change in the file."""
        whole = self.file.read_bytes().rpartition(b"\n")[0].splitlines() if self.file.exists() else []
        return [(form, key, version) for line in whole for form, key, version in json.loads(line)["changes"]]


def change_slowly(study: Study, key: str, over: threading.Event, seed: int) -> None:
    """Transactions that stay open between their change and their commit, so that commits overtake each other."""
    chance = random.Random(seed)
    with study.connect("worker") as connection:
        while not over.is_set():
            with connection.transaction():
                connection.execute(
                    "SELECT set_config('edc.actor', '0', true), set_config('edc.role', 'system', true),"
                    " set_config('edc.reason', 'slow', true)"
                )
                connection.execute(
                    "UPDATE subjects_priortransplant SET conditioning ="
                    " CASE conditioning WHEN 'MAC' THEN 'RIC' ELSE 'MAC' END WHERE id = %s",
                    [key],
                )
                time.sleep(chance.choice((0, 0.01, 0.1, 0.6)))


def in_the_ledger(study: Study) -> list[tuple[str, str, int]]:
    """Every version that the feed must have shown, by the ledger."""
    from exchange.shapes import NAME_OF_TABLE

    rows = study.rows(
        "SELECT record_table, record_id, (payload::jsonb ->> 'version')::int FROM trial_ledgerentry"
        " WHERE record_table = ANY(%s)",
        list(NAME_OF_TABLE),
    )
    return [(NAME_OF_TABLE[table], key, version) for table, key, version in rows]


@pytest.mark.req("R-69")
@pytest.mark.timeout(240)
def test_a_puller_that_is_killed_misses_nothing(study: Study, tmp_path: Path, figures: Any) -> None:
    client, chance, over = Client(study.port, study.tokens["01"]), random.Random(7), threading.Event()
    slow = []
    for n in range(SLOW):
        client.enrol(f"01-{980 + n}", "01")
        slow.append(client.enter("prior_transplant", {"subject": f"01-{980 + n}", "sct_date": "2019"}))
    threads = [
        threading.Thread(target=change_slowly, args=(study, key, over, n)) for n, key in enumerate(slow)
    ]
    for thread in threads:
        thread.start()
    puller = Puller(study, tmp_path / "pulled.jsonl")
    with study.writers(tmp_path, processes=2) as writers:
        began = time.monotonic()
        while time.monotonic() - began < SECONDS:
            time.sleep(chance.uniform(0.3, 1.5))
            puller.kill()
    over.set()
    for thread in threads:
        thread.join()
    study.settle()
    wanted, patience = in_the_ledger(study), time.monotonic() + 60
    while len(puller.pulled()) < len(wanted) and time.monotonic() < patience:
        time.sleep(0.2)
    puller.kill(again=False)
    pulled = puller.pulled()
    order_of_versions = all(
        [v for f, k, v in pulled if (f, k) == ("prior_transplant", key)]
        == sorted(v for f, k, v in pulled if (f, k) == ("prior_transplant", key))
        for key in slow
    )
    figures(
        "feed",
        kills_of_the_puller=puller.kills,
        changes=len(wanted),
        pulled=len(pulled),
        missing=len(set(wanted) - set(pulled)),
        twice=len(pulled) - len(set(pulled)),
        not_in_the_ledger=len(set(pulled) - set(wanted)),
        overtakings=overtakings(study),
    )
    assert judging.trouble(writers) == []
    assert sorted(pulled) == sorted(wanted) and order_of_versions


def overtakings(study: Study) -> int:
    """Ledger entries with a higher id but an older transaction than the entry before: what a pull by id would miss."""
    rows = study.rows(
        "SELECT count(*) FROM (SELECT xid < max(xid) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS overtaken"
        " FROM trial_ledgerentry) e WHERE overtaken"
    )
    return int(rows[0][0])
