"""`manage.py catalogue [--check]`: print the dictionary, the rules and the protocol's numbers into docs/."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from exchange.printed import differing, printed


class Command(BaseCommand):
    """Write the printed catalogue, or say whether what stands there is up to date."""

    help = "Write docs/dictionary.csv, docs/rules.csv and docs/protocol.csv (--check: only compare, exit 4 if they differ)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, and whether only to look."""
        parser.add_argument("--check", action="store_true", help="write nothing")
        parser.add_argument("--folder", type=Path, default=Path(settings.BASE_DIR) / "docs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write what differs."""
        folder: Path = options["folder"]
        names = differing(folder)
        if not names:
            self.stdout.write("nothing to do: the printed catalogue is up to date")
            return
        if options["check"]:
            raise CommandError(f"not up to date: {', '.join(names)}; run manage.py catalogue", returncode=4)
        for name in names:
            (folder / name).write_bytes(printed()[name].encode())
        self.stdout.write(f"written: {', '.join(names)}")
