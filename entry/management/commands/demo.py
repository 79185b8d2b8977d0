"""`manage.py demo`: a study to look at, with invented subjects. Refused in production."""

from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from entry.demo.describe import described, shown
from entry.demo.load import Loaded, load
from entry.demo.people import CAST, PASS_PHRASE
from entry.demo.shapes import SHAPES
from safety.rules import RULES
from subjects.crf import Subject
from trial import audit
from trial.access import ROLES
from trial.models import Person, Site
from trial.people import SYSTEM_USERNAME, system_actor, today_somewhere
from trial.text import both

EARLIEST = date(
    2025, 7, 1
)  # the first subject consented 1535 days before the telling, after the site was opened
MOST_SUBJECTS = 50_000
PAGE = Path(settings.BASE_DIR) / "docs" / "demo.md"


class Command(BaseCommand):
    """Enter the demonstration study through the one door, or print who may sign in."""

    help = "Enter invented subjects as the demonstration people would (only where EDC_ENV is demo or test)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accounts", action="store_true", help="print the accounts and their pass phrase, enter nothing"
        )
        parser.add_argument(
            "--describe", action="store_true", help="write the tables of docs/demo.md anew, enter nothing"
        )
        parser.add_argument("--if-empty", action="store_true", help="do nothing when subjects exist")
        parser.add_argument(
            "--subjects",
            type=_count,
            default=len(SHAPES),
            metavar="N",
            help=f"how many (default {len(SHAPES)})",
        )
        parser.add_argument(
            "--anchor",
            type=_day,
            default=None,
            metavar="YYYY-MM-DD",
            help="the story's today (default: today)",
        )
        parser.add_argument(
            "--seed", type=int, default=19, help="another number gives other values (default 19)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENV not in ("demo", "test"):
            raise CommandError(
                f"The demonstration is refused because EDC_ENV is {settings.ENV}: it runs only in demo or test."
            )
        if options["accounts"]:
            self.stdout.write("\n".join(accounts()))
            return
        if options["describe"]:
            PAGE.write_text(described(PAGE.read_text()))
            self.stdout.write(f"{len(shown())} of {len(RULES)} rules are shown; see {PAGE.name}")
            return
        if not self._to_do(options["if_empty"]):
            return
        anchor = options["anchor"] or today_somewhere()
        if not EARLIEST <= anchor <= today_somewhere():
            raise CommandError(
                f"--anchor {anchor} must lie between {EARLIEST} and today, {today_somewhere()}.", returncode=2
            )
        self._report(load(options["subjects"], anchor, options["seed"], self._said), anchor)

    def _to_do(self, if_empty: bool) -> bool:
        if (
            not Person.objects.filter(username=SYSTEM_USERNAME).exists()
            or not Site.objects.filter(code="01").exists()
        ):
            raise CommandError("The study is not set up; run “manage.py setup_study” first.")
        with audit.reading(system_actor()):
            there = Subject.objects.count()
        if there and not if_empty:
            raise CommandError(
                f"There are {there} subjects already; the demonstration is entered into an empty study only.",
                returncode=3,
            )
        if there:
            self.stdout.write(f"nothing to do: there are {there} subjects already")
        return not there

    def _said(self, number: int) -> None:
        if number % 100 == 0:
            self.stderr.write(f"{number} subjects entered")

    def _report(self, done: Loaded, anchor: date) -> None:
        flags = ", ".join(f"{rule} {status.lower()} {n}" for (rule, status), n in sorted(done.flags.items()))
        self.stdout.write(f"{done.subjects} invented subjects entered, as of {anchor}")
        self.stdout.write(f"deviations flagged: {flags}")
        self.stdout.write(f"content hash: {done.digest}")
        self.stderr.write(", ".join(f"{step} {seconds:.1f} s" for step, seconds in done.seconds.items()))


def accounts() -> list[str]:
    """The demonstration's accounts, aligned: user name, role in English and Chinese; and the one pass phrase."""
    rows = [("user name 用户名", "role", "角色")]
    for part in CAST:
        role = both(ROLES[part.role].label)
        rows.append((part.username, role["en"], role["zh"]))
    widths = [max(_width(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    return [*lines, f"pass phrase of everybody 统一口令: {PASS_PHRASE}"]


def _width(text: str) -> int:
    """Columns a text takes on a terminal; Chinese characters take two."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_SUBJECTS:
        raise ArgumentTypeError(f"a number from 1 to {MOST_SUBJECTS} was expected, not {text}")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"a day like 2026-03-05 was expected, not {text}") from None
