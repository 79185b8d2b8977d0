"""A writer: enters subjects, transplants and infusions that break DV-01, and corrections that clear it.

Started by the drill with one line of JSON; ends its story and writes down what it remembers when its input closes.
"""

import json
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

from tests.drills.client import Client, Unexpected

THREADS = 2
NUMBERS = 20
TOO_SOON, LONG_BEFORE = "2025-01-15", "2023-06-15"
DAY0, LATE_DAY0 = "2025-03-01T10:00:00+08:00", "2025-09-01T10:00:00+08:00"


class Writer:
    """One thread's subjects, and what stands in them as far as was acknowledged."""

    def __init__(self, client: Client, site: str, numbers: list[int], shared: "Shared") -> None:
        """Subjects are taken from `numbers` one after another, and again from the first."""
        self.client, self.site, self.numbers, self.shared = client, site, numbers, shared
        self.subjects: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        self.chance = random.Random(numbers[0])
        self.stories = 0

    def tell(self) -> None:
        """One story: a transplant, an infusion too soon after it, and perhaps what puts it right."""
        subjid = f"{self.site}-{self.numbers[self.stories % len(self.numbers)]:03d}"
        if subjid not in self.subjects:
            self.client.enrol(subjid, self.site)
            self.subjects[subjid] = {"prior_transplant": {}, "infusion": {}}
        transplant = self._enter(subjid, "prior_transplant", {"sct_date": TOO_SOON, "sct_type": "ALLO"})
        infusion = self._enter(subjid, "infusion", {"inf_start_dt": DAY0, "part_no": 1})
        end = self.chance.choice(
            (
                self._leave,
                self._transplant_was_earlier,
                self._to_and_fro,
                self._infusion_was_later,
                self._strike_out,
            )
        )
        end(subjid, transplant, infusion)
        self.shared.touch(self)
        self.stories += 1

    def _enter(self, subjid: str, form: str, answers: dict[str, Any]) -> str:
        key = self.client.enter(form, {"subject": subjid, **answers})
        self.subjects[subjid][form][key] = {**answers, "version": 1, "retracted": False}
        return key

    def _correct(self, subjid: str, form: str, key: str, **answers: Any) -> None:
        stands = self.subjects[subjid][form][key]
        version = self.client.correct(form, key, stands["version"], answers)
        if version != stands["version"] + 1:
            raise Unexpected(f"{form} {key}: {version} after {stands['version']}")
        stands.update(answers, version=version)

    def _leave(self, subjid: str, transplant: str, infusion: str) -> None:
        """The flag stays."""

    def _transplant_was_earlier(self, subjid: str, transplant: str, infusion: str) -> None:
        self._correct(subjid, "prior_transplant", transplant, sct_date=LONG_BEFORE)

    def _to_and_fro(self, subjid: str, transplant: str, infusion: str) -> None:
        self._correct(subjid, "prior_transplant", transplant, sct_date=LONG_BEFORE)
        self._correct(subjid, "prior_transplant", transplant, sct_date=TOO_SOON)

    def _infusion_was_later(self, subjid: str, transplant: str, infusion: str) -> None:
        self._correct(subjid, "infusion", infusion, inf_start_dt=LATE_DAY0)

    def _strike_out(self, subjid: str, transplant: str, infusion: str) -> None:
        form, key = self.chance.choice((("prior_transplant", transplant), ("infusion", infusion)))
        stands = self.subjects[subjid][form][key]
        version = self.client.retract(form, key, stands["version"])
        if version != stands["version"] + 1:
            raise Unexpected(f"{form} {key}: {version} after {stands['version']}")
        stands.update(version=version, retracted=True)


class Shared:
    """One record that all threads of this process change at the same time: some of them come second and are told."""

    def __init__(self, client: Client, site: str, number: int) -> None:
        """Enter the subject and the record."""
        self.subjid = f"{site}-{number:03d}"
        client.enrol(self.subjid, site)
        self.key = client.enter(
            "prior_transplant", {"subject": self.subjid, "sct_date": "2020-01-01", "sct_type": "ALLO"}
        )
        self.second = 0

    def touch(self, writer: Writer) -> None:
        """Change the record as it stands, until one's own change is in."""
        day = f"2020-{writer.chance.randint(1, 12):02d}-{writer.chance.randint(1, 28):02d}"
        for _ in range(20):
            seen = writer.client.get(f"/api/v1/forms/prior_transplant/{self.key}/").version
            if writer.client.correct("prior_transplant", self.key, seen, {"sct_date": day}) is not None:
                return
            self.second += 1


def main() -> None:
    """Write until standard input closes."""
    given = json.loads(sys.stdin.readline())
    port, over, trouble = int(os.environ["DRILL_PORT"]), threading.Event(), []
    clients = [Client(port, given["token"]) for _ in range(THREADS)]
    shared = Shared(clients[0], given["site"], given["first"])
    writers = [
        Writer(
            client,
            given["site"],
            list(range(given["first"] + 1 + n, given["first"] + NUMBERS, THREADS)),
            shared,
        )
        for n, client in enumerate(clients)
    ]

    def work(writer: Writer) -> None:
        try:
            while not over.is_set():
                writer.tell()
        except Exception as error:
            trouble.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    remembered = {
        "subjects": {subjid: forms for writer in writers for subjid, forms in writer.subjects.items()},
        "acknowledged": [save for client in clients for save in client.acknowledged],
        "requests": [request for client in clients for request in client.requests],
        "stories": sum(writer.stories for writer in writers),
        "second": shared.second,
        "trouble": trouble,
    }
    Path(given["file"]).write_text(json.dumps(remembered))


if __name__ == "__main__":
    main()
