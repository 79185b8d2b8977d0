"""`manage.py selfcheck`: the system's own inspection; exit code 4 when something is wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from trial.selfcheck import faults


class Command(BaseCommand):
    """Print every fault in one sentence each."""

    help = "Check settings, database role, audit triggers, rights, durability, migrations and clock."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = list(faults())
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer: {str(error).splitlines()[0]}", returncode=1
            ) from None
        for fault in found:
            self.stdout.write(f"FAULT {fault}")
        if found:
            raise CommandError(f"{len(found)} faults", returncode=4)
        self.stdout.write("all is well")
