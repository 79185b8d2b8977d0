"""`manage.py vectors FILE.json`: acceptance vectors through the production functions."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from safety.vectors.run import Outcome, load, run


class Command(BaseCommand):
    """One line a group, then the total and every difference. Exits 1 on any difference or unknown group."""

    help = "Run acceptance vectors through the grading, derivation and eligibility functions."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """The file of vectors."""
        parser.add_argument("file", type=Path, help="vectors in the format of the clinical specification")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the file and report."""
        try:
            outcomes = run(load(options["file"]))
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        for outcome in outcomes:
            done = outcome.state == "run"
            said = f"{outcome.passed}/{outcome.total}" if done else outcome.state
            self.stdout.write(f"{outcome.name} {said}")
        counted = [one for one in outcomes if one.state == "run"]
        total = sum(one.total for one in counted)
        self.stdout.write(f"TOTAL {sum(one.passed for one in counted)}/{total}")
        for outcome in counted:
            self._differences(outcome)
        unknown = [one.name for one in outcomes if one.state == "unknown group"]
        if unknown:
            raise CommandError(f"Unknown groups: {', '.join(unknown)}", returncode=1)
        if any(one.differences for one in counted):
            raise CommandError("Some vectors came out differently.", returncode=1)

    def _differences(self, outcome: Outcome) -> None:
        for one in outcome.differences:
            self.stdout.write(f"{one.id}: expected {_text(one.expected)}, got {_text(one.got)}")


def _text(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
