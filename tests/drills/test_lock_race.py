"""A lock and writes at the same moment, three hundred times: nothing is written after the lock."""

import random
import threading
import time
from collections import Counter
from typing import Any

import psycopg
import pytest

from tests.drills.client import Client
from tests.drills.study import Study

TRIALS = 300


class Locker:
    """The data manager's process."""

    def __init__(self, study: Study) -> None:
        """Start it and wait until it is ready."""
        self.process = study.spawn("locker")
        assert self.process.stdin and self.process.stdout
        self.to, self.from_ = self.process.stdin, self.process.stdout
        assert self._said() == "ready"

    def _said(self) -> str:
        return self.from_.readline().strip()

    def take_aim(self, key: str, delay: float) -> None:
        """Let it read the record it is going to lock."""
        self.to.write(f"{key} {delay}\n")
        assert self._said() == "set"

    def fire(self) -> None:
        """Lock now."""
        self.to.write("\n")

    def locked(self) -> int:
        """Wait for the lock."""
        return int(self._said())

    def end(self) -> None:
        """Let it go."""
        self.to.close()
        self.process.wait()


def write_raw(connection: "psycopg.Connection[Any]", site: int, key: str, delay: float) -> str:
    """A write that does not pass the door and takes no lock of the subject."""
    time.sleep(delay)
    try:
        with connection.transaction():
            connection.execute(
                "SELECT set_config('edc.sites', %s, true), set_config('edc.actor', '0', true),"
                " set_config('edc.reason', 'raw', true)",
                [str(site)],
            )
            connection.execute(
                "UPDATE subjects_priortransplant SET conditioning = 'MAC' WHERE id = %s", [key]
            )
        return "saved"
    except psycopg.errors.CheckViolation:
        return "refused"


def save(client: Client, key: str, delay: float) -> str:
    """A correction over REST by somebody who saw version 1."""
    time.sleep(delay)
    answer = client.send(
        "PATCH",
        f"/api/v1/forms/prior_transplant/{key}/",
        {"sct_date": "2018", "reason": "late"},
        If_Match='"1"',
    )
    return {200: "saved", 412: "stale", 423: "locked", 409: "locked"}.get(
        answer.status, f"{answer.status} {answer.body}"
    )


def race(
    locker: Locker,
    client: Client,
    connection: "psycopg.Connection[Any]",
    place: tuple[int, str],
    aim: float,
    chance: random.Random,
) -> dict[str, str]:
    """One trial: a lock, a correction over REST and a raw write set off together; what the two writers were told."""
    told: dict[str, str] = {}
    early, late = chance.uniform(0, 0.01), chance.uniform(0, 2 * aim)

    def rest() -> None:
        told["rest"] = save(client, place[1], early)

    def raw() -> None:
        told["raw"] = write_raw(connection, *place, late)

    locker.take_aim(place[1], chance.uniform(0, 2 * aim))
    writers = [threading.Thread(target=rest), threading.Thread(target=raw)]
    for writer in writers:
        writer.start()
    locker.fire()
    locker.locked()
    for writer in writers:
        writer.join()
    return told


@pytest.mark.req("R-23")
@pytest.mark.req("R-24")
@pytest.mark.timeout(240)
def test_no_write_lands_after_the_lock(study: Study, figures: Any) -> None:
    client, chance, locker = Client(study.port, study.tokens["01"]), random.Random(3), Locker(study)
    outcomes: Counter[tuple[str, str]] = Counter()
    site = study.rows("SELECT id FROM trial_site WHERE code = '01'")[0][0]
    subjects = [f"01-{970 + n}" for n in range(6)]
    for subjid in subjects:
        client.enrol(subjid, "01")
    keys, aim = [], 0.01
    with study.connect("web") as connection:
        for n in range(TRIALS):
            key = client.enter(
                "prior_transplant", {"subject": subjects[n % 6], "sct_date": "2019", "sct_type": "AUTO"}
            )
            keys.append(key)
            told = race(locker, client, connection, (site, key), aim, chance)
            # come closer to where save and lock win equally often
            aim = max(0.001, aim + (-0.002 if told["rest"] == "saved" else 0.002))
            outcomes[told["rest"], told["raw"]] += 1
    locker.end()
    after = study.rows(
        "SELECT count(*) FROM subjects_historicalpriortransplant h JOIN (SELECT id, min(version) AS version"
        " FROM subjects_historicalpriortransplant WHERE lock_state = 'LOCKED' GROUP BY id) l"
        " ON l.id = h.id AND h.version > l.version WHERE h.id = ANY(%s)",
        keys,
    )[0][0]
    acknowledged = sum(n for (rest, _), n in outcomes.items() if rest == "saved")
    kept = study.rows(
        "SELECT count(*) FROM subjects_priortransplant WHERE sct_date = '2018' AND lock_state = 'LOCKED' AND id = ANY(%s)",
        keys,
    )[0][0]
    figures(
        "lock race",
        trials=TRIALS,
        outcomes={f"rest {a}, raw {b}": n for (a, b), n in sorted(outcomes.items())},
        after_the_lock=after,
        acknowledged=acknowledged,
        kept=kept,
        invariants=study.assert_sound(),
    )
    assert after == 0 and kept == acknowledged
    assert {rest for rest, _ in outcomes} <= {"saved", "stale", "locked"}
    assert TRIALS / 10 < acknowledged < TRIALS * 9 / 10, "the race was no race"
