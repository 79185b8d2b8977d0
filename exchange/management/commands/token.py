"""`manage.py token USERNAME --role R --site 01 --days 30 --label x`: mint, list or end API tokens."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exchange.models import ApiToken
from exchange.tokens import CannotMint, mint, sites_by_code
from trial.models import Person


class Command(BaseCommand):
    """Make a token in a role delegated to a person and print it once; or list and end a person's tokens."""

    help = "Make an API token (printed once), or list (--list) or end (--revoke KEY) a person's tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Person, role, sites, life and label."""
        parser.add_argument("username")
        parser.add_argument(
            "--role", help="a role delegated to the person (default: the first one held today)"
        )
        parser.add_argument(
            "--site", action="append", default=[], metavar="CODE", help="narrow to a site; repeatable"
        )
        parser.add_argument("--days", type=int, default=30, help="days until the token ends (default 30)")
        parser.add_argument("--label", default="", help="what the token is for")
        parser.add_argument("--list", action="store_true", help="list the person's tokens")
        parser.add_argument("--revoke", metavar="KEY", help="end the token with this key (see --list)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is asked; refuse with a sentence."""
        person = Person.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is no person {options['username']}.")
        if options["list"]:
            self._list(person)
        elif options["revoke"]:
            self._revoke(person, options["revoke"])
        else:
            self._mint(person, options)

    def _mint(self, person: Person, options: dict[str, Any]) -> None:
        try:
            text = mint(
                person,
                options["role"],
                expiry=timedelta(days=options["days"]),
                sites=sites_by_code(options["site"]),
                label=options["label"],
            )
        except CannotMint as refused:
            raise CommandError(str(refused)) from None
        self.stderr.write("Keep it now: it is not shown again.")
        self.stdout.write(text)

    def _list(self, person: Person) -> None:
        for token in ApiToken.objects.filter(user=person).order_by("created"):
            sites = ",".join(map(str, token.sites)) or "all of the role"
            self.stdout.write(
                f"{token.token_key}  {token.role}  sites: {sites}  until {token.expiry:%Y-%m-%d}  {token.label}"
            )

    def _revoke(self, person: Person, key: str) -> None:
        ended, _ = ApiToken.objects.filter(user=person, token_key=key).delete()
        if not ended:
            raise CommandError(f"{person.username} has no token {key}.")
        self.stdout.write(f"Ended: {key}")
