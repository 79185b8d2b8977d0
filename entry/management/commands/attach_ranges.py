"""`manage.py attach_ranges --by USERNAME`: list results without a range; with --reason give them the range in force."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from entry.door import Forbidden, Rejected
from entry.late_ranges import Chosen, attach, without_ranges
from trial.models import Person
from trial.people import actor_for


class Command(BaseCommand):
    """Nothing is attached without a reason. Ends with 4 when a record could not be changed."""

    help = "List results that were entered before their reference range; with --reason attach the range in force."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who, in which role, and why."""
        parser.add_argument("--by", required=True, metavar="USERNAME")
        parser.add_argument("--role")
        parser.add_argument(
            "--reason", default="", help="why the ranges are attached; without it they are only listed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """List, then attach where a reason is given."""
        person = Person.objects.filter(username=options["by"]).first()
        by = actor_for(person, options["role"], "attach_ranges") if person else None
        if by is None:
            raise CommandError(f"{options['by']} holds no role today.", returncode=2)
        rows = without_ranges(by, 5_000)
        for bare in rows:
            self.stdout.write(
                f"{bare.subjid} {bare.record.form} {bare.record.visit}: {', '.join(bare.analytes)}"
            )
        if not options["reason"]:
            self.stdout.write(f"{len(rows)} records; nothing was changed")
            return
        if not rows:
            self.stdout.write("0 records have their ranges")
            return
        try:
            chosen = [Chosen(bare.record.form, bare.record.pk, bare.record.version) for bare in rows]
            done, failed = attach(chosen, by=by, reason=options["reason"])
        except (Forbidden, Rejected) as refused:
            raise CommandError(str(getattr(refused, "message", refused)), returncode=2) from None
        self.stdout.write(f"{done} records have their ranges")
        if failed:
            raise CommandError("\n".join(f"{one.chosen.id}: {one.why}" for one in failed), returncode=4)
