"""`manage.py invariants`: ask the database everything that must always hold, and name what does not."""

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from safety.invariants import Acknowledged, broken, lost
from trial.models import Outbox


class Command(BaseCommand):
    """Print one line for each broken invariant; exit code 4 when there is one."""

    help = "Check the invariants I1 to I7. I1 needs the acknowledged saves, one JSON object a line, from --acknowledged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--acknowledged",
            metavar="FILE",
            help='saves that were acknowledged, one a line: {"form": …, "id": …, "version": …}; - reads them from stdin',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        waiting = Outbox.objects.count()
        if waiting:
            self.stderr.write(
                f"{waiting} notes wait in the outbox; until the worker has done them, I4 may not hold"
            )
        saves = list(_acknowledged(options["acknowledged"])) if options["acknowledged"] else []
        found = [*lost(saves), *broken()]
        for one in found:
            self.stdout.write(str(one))
        if found:
            raise CommandError(f"{len(found)} invariants do not hold", returncode=4)
        kept = f"; {len(saves)} acknowledged saves are there" if saves else ""
        self.stdout.write(f"all invariants hold{kept}")


def _acknowledged(name: str) -> list[Acknowledged]:
    text = sys.stdin.read() if name == "-" else Path(name).read_text()
    rows = (json.loads(line) for line in text.splitlines() if line.strip())
    return [Acknowledged(row["form"], UUID(row["id"]), int(row["version"])) for row in rows]
