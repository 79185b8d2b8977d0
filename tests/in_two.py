"""Run the tests in two processes, each on a server of its own, and say one result.

    python -m tests.in_two
    python -m tests.in_two seconds

Two servers, because the change feed and the seals wait for every transaction that is open on a server, in any of its
databases. Files are dealt out by how long they take, so that both ends come at about the same time; `seconds` prints what
they took in the last run, to write here anew. What a process prints stands in `var/test/1.log` and `2.log`; of a process in which
something failed it is repeated here.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
LOGS = HERE.parent / "var" / "test"
# Seconds on a quiet machine, where a file takes longer than most; they only balance the two.
SECONDS = {
    "test_matrix": 150,
    "test_review_browser": 79,
    "test_demo": 73,
    "test_grid_browser": 61,
    "test_imports_browser": 58,
    "test_browser": 46,
    "test_partial_dates": 44,
    "test_invariants": 38,
    "test_workbook_memory": 34,
    "test_query_counts": 33,
    "test_production": 32,
    "test_launch": 20,
    "test_casebook": 18,
    "test_astct_live": 17,
    "test_annotated_crf": 16,
    "test_eligibility_browser": 12,
    "test_review_pages": 12,
    "test_api_docs_browser": 12,
    "test_signatures": 12,
    "test_integrity": 11,
    "test_api_errors": 11,
    "test_today_browser": 11,
    "test_outbox": 11,
    "test_eligibility_stored": 10,
}
OTHERS = 2
COUNTED = re.compile(r"(\d+) (passed|failed|error|errors|skipped)\b")


def dealt() -> tuple[list[str], list[str]]:
    """The test files in two hands of about the same weight, the longest first."""
    files = sorted(HERE.glob("test_*.py"), key=lambda file: -SECONDS.get(file.stem, OTHERS))
    hands: tuple[list[str], list[str]] = ([], [])
    weights = [0, 0]
    for file in files:
        lighter = weights.index(min(weights))
        hands[lighter].append(str(file.relative_to(HERE.parent)))
        weights[lighter] += SECONDS.get(file.stem, OTHERS)
    return sorted(hands[0]), sorted(hands[1])


def main() -> int:
    """Run both, wait, tell what failed, and close with one line."""
    began, runs = time.monotonic(), []
    LOGS.mkdir(parents=True, exist_ok=True)
    for number, files in enumerate(dealt(), start=1):
        log = (LOGS / f"{number}.log").open("w")
        env = {**os.environ, "PYTEST_DB_SUFFIX": f"h{number}", "COLUMNS": "120"}
        options = ["-q", "-m", "not drill", "-p", "no:cacheprovider", f"--junitxml={LOGS / f'{number}.xml'}"]
        server = ["-m", "launch", "with", "--var", str(LOGS / str(number)), "--"]
        command = [sys.executable, *server, sys.executable, "-m", "pytest", *options, *files]
        runs.append((subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT), log.name))
    counts: Counter[str] = Counter()
    worst = 0
    for process, name in runs:
        code = process.wait()
        worst = worst or code
        text = Path(name).read_text(errors="replace")
        counts += _counted(text)
        print(text if code else text[-1500:], flush=True)
    failed = counts["failed"] + counts["error"] + counts["errors"]
    print(f"two processes, {time.monotonic() - began:.0f} s")
    print(f"{counts['passed']} passed, {failed} failed, {counts['skipped']} skipped")
    return worst


def seconds() -> None:
    """Print the files of the last run that took longer than most, the longest first, and how long the others took."""
    took: Counter[str] = Counter()
    for log in LOGS.glob("[12].xml"):
        for test in ElementTree.parse(log).iter("testcase"):
            took[test.get("classname", "").split(".")[1]] += float(test.get("time", 0))
    long = {file: s for file, s in took.most_common() if s >= 5 * OTHERS}
    print(*(f'    "{file}": {s:.0f},' for file, s in long.items()), sep="\n")
    others = len(took) - len(long)
    print(f"# the other {others} on average {(sum(took.values()) - sum(long.values())) / max(others, 1):.0f}")


def _counted(text: str) -> "Counter[str]":
    lines = [line for line in text.splitlines() if COUNTED.search(line) and " in " in line]
    return Counter({what: int(n) for n, what in COUNTED.findall(lines[-1])}) if lines else Counter()


if __name__ == "__main__":
    if sys.argv[1:] == ["seconds"]:
        seconds()
    else:
        sys.exit(main())
