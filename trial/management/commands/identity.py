"""`manage.py identity USERNAME --checked-by ADMIN --document "identity card"`: who was seen with which document."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trial.access import Forbidden
from trial.entitlement import lacking
from trial.models import Person
from trial.people import actor_for, check_identity


class Command(BaseCommand):
    """Record the check of an identity, without which nobody signs; without a document, tell what is missing."""

    help = "Record that an administrator verified a person's identity before the first signature."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The person, who checked, and what was seen."""
        parser.add_argument("username")
        parser.add_argument(
            "--checked-by", metavar="ADMIN", help="user name of the administrator who saw the person"
        )
        parser.add_argument("--document", default="", help="the kind of document that was seen; no number")

    def handle(self, *args: Any, **options: Any) -> None:
        """Record it, or tell; refuse with a sentence."""
        person = self._person(options["username"])
        if options["checked_by"]:
            by = actor_for(self._person(options["checked_by"]), "system_admin")
            if by is None:
                raise CommandError(f"{options['checked_by']} holds no role today.")
            try:
                check_identity(person, options["document"], by=by)
            except Forbidden:
                raise CommandError(f"{options['checked_by']} does not give access to people.") from None
            except ValueError as refused:
                raise CommandError(str(refused)) from None
        missing = lacking(person.pk)
        self.stdout.write(
            f"{person.username}: {', '.join(missing)}" if missing else f"{person.username} may sign"
        )

    def _person(self, username: str) -> Person:
        person = Person.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no person {username}.")
        return person
