"""`python -m bench [--quick | --sweep [SUBJECTS] | --file [MB]] [--json FILE]`: measure everything and print it. See `make bench`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from bench import place
from bench.measure import Line
from bench.report import machine, table, write_json


def main() -> int:
    """Measure; the exit code is 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure the study against raw PostgreSQL."
    )
    parser.add_argument("--quick", action="store_true", help="fewer subjects and rounds, under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument(
        "--sweep",
        type=int,
        nargs="?",
        const=20_000,
        default=0,
        metavar="SUBJECTS",
        help="only the rules, over 20,000 subjects or as many as are named, two of them against SQL",
    )
    parser.add_argument(
        "--file",
        type=int,
        nargs="?",
        const=50,
        default=0,
        metavar="MB",
        help="only a laboratory file of 50 MB, or as many as are named: entered, sent again, corrected",
    )
    wish = parser.parse_args()
    about, began = machine(), time.monotonic()
    try:
        before = place.prepare()
    except place.NotReady as error:
        print(error, file=sys.stderr)
        return 2
    try:
        lines = _run(wish.quick, wish.sweep, wish.file)
    finally:
        place.remove(before)
    about |= {
        "seconds": round(time.monotonic() - began),
        "load_after": round(os.getloadavg()[0], 2),
        "quick": wish.quick,
    }
    print(
        f"\n{table(lines)}\n\n{about['seconds']} s; {about['cores']} cores; load {about['load_before']} before."
    )
    if wish.json:
        write_json(wish.json, lines, about)
    return 0


def _run(quick: bool, sweep: int, file: int) -> list[Line]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()

    def say(text: str) -> None:
        print(f"  {text}", file=sys.stderr, flush=True)

    if sweep:
        from bench import sweeping

        return sweeping.run(sweep, say)
    if file:
        from bench import filing

        return filing.run(file, say)
    from bench.suite import QUICK, WHOLE, run

    return run(QUICK if quick else WHOLE, say)


if __name__ == "__main__":
    sys.exit(main())
