"""`python -m bench [--quick] [--json FILE]`: measure everything and print it. Needs the addresses that `make bench` gives."""

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
    wish = parser.parse_args()
    about, began = machine(), time.monotonic()
    try:
        before = place.prepare()
    except place.NotReady as error:
        print(error, file=sys.stderr)
        return 2
    try:
        lines = _run(wish.quick)
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


def _run(quick: bool) -> list[Line]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from bench.suite import QUICK, WHOLE, run

    return run(QUICK if quick else WHOLE, lambda text: print(f"  {text}", file=sys.stderr, flush=True))


if __name__ == "__main__":
    sys.exit(main())
