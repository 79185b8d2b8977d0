"""`manage.py ledger verify|seal|checkpoint`: prove the record, seal it, print what is kept outside."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trial import ledger
from trial.models import Seal


class Command(BaseCommand):
    """Recompute every hash; seal what is new; or print the newest checkpoint as JSON."""

    help = "verify: recompute chains and seals (exit 4 on a fault). seal: seal what is new. checkpoint: print the newest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["verify", "seal", "checkpoint"])

    def handle(self, *args: Any, **options: Any) -> None:
        {"verify": self._verify, "seal": self._seal, "checkpoint": self._checkpoint}[options["what"]]()

    def _verify(self) -> None:
        found = list(ledger.verify())
        for fault in found:
            self.stdout.write(f"FAULT {fault.place} entry {fault.n}: {fault.what}")
        if found:
            raise CommandError(f"{len(found)} faults", returncode=4)
        self.stdout.write("the ledger holds")

    def _seal(self) -> None:
        made = ledger.seal()
        self.stdout.write(
            f"sealed {made.entries} entries" if made else "nothing to do: nothing new is finished"
        )

    def _checkpoint(self) -> None:
        last = Seal.objects.order_by("-xmin_to").first()
        if last is None:
            raise CommandError("there is no seal yet", returncode=3)
        self.stdout.write(
            json.dumps(
                {
                    "size": last.size,
                    "root": bytes(last.root).hex(),
                    "hash": bytes(last.hash).hex(),
                    "previous": bytes(last.previous).hex(),
                    "sealed_at": last.sealed_at.isoformat(),
                    "system": last.system_identifier,
                }
            )
        )
