"""`manage.py tables`: write the schedule and the list of forms into docs/, from their definitions."""

from typing import Any

from django.core.management.base import BaseCommand

from safety.tables import tables


class Command(BaseCommand):
    """Writes every generated table of the documentation."""

    help = "Write the tables of the documentation from the models and the schedule."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write each file and say so."""
        for path, text in tables().items():
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"wrote {path.name}")
