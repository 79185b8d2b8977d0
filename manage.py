#!/usr/bin/env python
"""Django's command line for the study."""

import os
import sys
from pathlib import Path

AS_OWNER = {"migrate", "makemigrations", "setup_study", "sqlmigrate"}
AS_WORKER = {"demo", "ledger", "rules_apply", "rules_diff", "sweep", "token", "whatif"}


def main() -> None:
    """Run one management command in the database role that it needs.

    Beside a running `make run` the addresses are read from var/env, so no environment has to be set by hand.
    """
    _find_the_running_study(Path(__file__).parent / "var" / "env")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in AS_OWNER:
        os.environ.setdefault("EDC_PROCESS", "owner")
    elif command in AS_WORKER:
        os.environ.setdefault("EDC_PROCESS", "worker")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def _find_the_running_study(file: Path) -> None:
    """Take the addresses that `make run` left, unless the environment names a database."""
    if os.environ.get("DATABASE_URL") or not os.access(file, os.R_OK):
        return
    for line in file.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)


if __name__ == "__main__":
    main()
