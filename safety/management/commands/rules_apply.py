"""`manage.py rules_apply`: put the rules of this release in force and bring every subject's flags in step."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from safety import engine
from safety.rule_set import apply, status
from trial.models import Person
from trial.people import actor_for, system_actor


class Command(BaseCommand):
    """Record who applied the set and why, then repair the flags that differ."""

    help = "Apply the rules of this release to all subjects; see what would change with rules_diff first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by", required=True, metavar="USER", help="account of the data manager who decides"
        )
        parser.add_argument("--reason", required=True, help="why, for the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        person = Person.objects.filter(username=options["by"], is_active=True).first()
        by = actor_for(person, "data_manager") if person is not None else None
        if by is None or by.role != "data_manager":
            raise CommandError(f"{options['by']} is no data manager today")
        if status().changed:
            apply(by, options["reason"])
        repaired = 0
        for subject_id in engine.sweep(by=system_actor()):
            engine.evaluate(subject_id, by=system_actor(), because=f"rule set {status().here[:12]} applied")
            repaired += 1
        self.stdout.write(f"rule set {status().here[:12]} is in force; flags of {repaired} subjects changed")
