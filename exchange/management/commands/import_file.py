"""`manage.py import_file FILE --profile NAME --by USERNAME`: check a file, and with --commit enter it."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from entry.door import Forbidden, NotFound
from exchange.imported import ImportFile
from exchange.incoming_files.options import Options
from exchange.incoming_files.printed_report import csv_lines
from exchange.incoming_files.profiles import PROFILES, profile_named
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.register import report, take_in
from exchange.incoming_files.subject_map import read_map
from exchange.incoming_files.work import work
from safety.forms import ANY_FORM
from trial.access import Actor
from trial.models import Person, Site
from trial.people import actor_for

USAGE, FINDINGS = 2, 4
SHOWN = 20


class Command(BaseCommand):
    """Ends with 0 when every row is good, 2 when the call or the file cannot be read, 4 when rows are refused."""

    help = (
        "Check a CSV or XLSX file row by row as a person of a site, and with --commit enter it in one audited "
        "transaction. Ends with 0: all good; 2: the call or the file cannot be read; 4: rows are refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """File, profile, person, and the choices of a run."""
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--profile", help="how the file is read; --profiles lists them")
        parser.add_argument("--profiles", action="store_true", help="list the profiles and end")
        parser.add_argument("--by", metavar="USERNAME", help="the person who enters the file")
        parser.add_argument("--role", help="one of the person's roles (default: the first held today)")
        parser.add_argument("--site", metavar="CODE", help="the file's site (default: the person's only one)")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="check only (the default)")
        how.add_argument("--commit", action="store_true", help="enter the file when the check is good")
        parser.add_argument("--take-good", action="store_true", help="enter the good rows, refuse the others")
        parser.add_argument("--correct", action="store_true", help="let changed values correct stored ones")
        parser.add_argument(
            "--subject-map", type=Path, metavar="CSV", help="two columns: subject in the file, our number"
        )
        parser.add_argument(
            "--ignore", action="append", default=[], metavar="HEADING", help="leave a column out; repeatable"
        )
        parser.add_argument("--sheet", default="", help="which sheet of a workbook")
        parser.add_argument("--report", type=Path, metavar="CSV", help="write the report of every row here")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is asked; refuse with a sentence."""
        if options["profiles"]:
            self.stdout.write("\n".join(f"{p.name:16} {p.en} / {p.zh}" for p in PROFILES.values()))
            self.stdout.write(f"{'form:<name>':16} " + ", ".join(ANY_FORM))
            return
        try:
            file = self._done(options)
        except FileRefused as refused:
            raise CommandError(_both(refused.document()), returncode=USAGE) from None
        except (Forbidden, NotFound) as refused:
            said = getattr(refused, "message", "the file is not of this person's sites")
            raise CommandError(str(said), returncode=USAGE) from None
        if file.state == "FAILED":
            raise CommandError(_both(file.failure), returncode=USAGE)
        self._say(file, _actor(options), options["report"])
        if file.counts["refused"]:
            sys.exit(FINDINGS)

    def _done(self, options: dict[str, Any]) -> ImportFile:
        path, name = options["file"], options["profile"]
        if path is None or not name or not options["by"]:
            raise CommandError("FILE, --profile and --by are needed; see --help.", returncode=USAGE)
        if not path.is_file():
            raise CommandError(f"There is no file {path}.", returncode=USAGE)
        profile_named(name)
        chosen = Options(
            policy="GOOD" if options["take_good"] else "ALL",
            correct=options["correct"],
            subject_map=read_map(options["subject_map"]) if options["subject_map"] else {},
            ignore=tuple(options["ignore"]),
            sheet=options["sheet"],
        )
        by = _actor(options)
        wish = "COMMIT" if options["commit"] else "CHECK"
        taken = take_in(path, path.name, name, chosen, _site(by, options["site"]), by=by, wish=wish)
        return work(taken.pk, by, wish)

    def _say(self, file: ImportFile, by: Actor, wanted: Path | None) -> None:
        for note in file.notes:
            self.stdout.write(_both(note))
        counts = {name: n for name, n in file.counts.items() if name != "codes"}
        self.stdout.write(
            f"{file.rows} rows: "
            + ", ".join(f"{n} {name}" for name, n in counts.items() if name != "queries")
        )
        self.stdout.write(f"{counts['queries']} queries opened" if file.state == "DONE" else "nothing saved")
        for code, n in sorted(file.counts["codes"].items()):
            self.stdout.write(f"  {code}: {n} rows")
        refused = (one for one in report(by, file) if one["outcome"] == "refused")
        for _, outcome in zip(range(SHOWN), refused, strict=False):
            for problem in outcome["problems"]:
                self.stdout.write(f"line {outcome['line']} {problem.get('column', '')}: {_both(problem)}")
        self.stdout.write(f"file {file.pk} is {file.state}")
        if wanted:
            with wanted.open("wb") as out:
                out.writelines(csv_lines(by, file))


def _both(document: dict[str, Any]) -> str:
    return f"{document['en']} {document['zh']}"


def _actor(options: dict[str, Any]) -> Actor:
    person = Person.objects.filter(username=options["by"]).first()
    by = actor_for(person, options["role"], "import_file") if person else None
    if by is None or (options["role"] and by.role != options["role"]):
        raise CommandError(f"{options['by']} holds no such role today.", returncode=USAGE)
    return by


def _site(by: Actor, code: str | None) -> Site:
    sites = Site.objects.filter(pk__in=by.sites)
    found = list(sites.filter(code=code) if code else sites)
    if len(found) != 1:
        known = ", ".join(sites.values_list("code", flat=True))
        raise CommandError(f"Name the site with --site; it is one of: {known}.", returncode=USAGE)
    return found[0]
