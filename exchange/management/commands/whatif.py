"""`manage.py whatif VERSION`: what an amendment would change today; later, whether it did."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from safety import whatif
from safety.models import Deviation
from subjects.crf import Subject
from trial import audit
from trial.people import system_actor
from trial.protocol import PROTOCOLS


class Command(BaseCommand):
    """Predict, keep the prediction in a file, and compare a kept one with what happened."""

    help = (
        "Run another protocol version over today's data: every verdict, window and deviation that changes. --out keeps the"
        " prediction; --check FILE tells, for the subjects bound since, whether it came true (exit 4 where it did not)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The version, whose subjects, and what to do with the result."""
        parser.add_argument("version", choices=list(PROTOCOLS))
        parser.add_argument("--subject", action="append", default=[], metavar="01-001")
        parser.add_argument("--json", action="store_true", help="rows as JSON in place of a table")
        parser.add_argument("--out", type=Path, help="keep the prediction in this file")
        parser.add_argument("--check", type=Path, help="compare with a kept prediction")

    def handle(self, *args: Any, **options: Any) -> None:
        """Predict or compare."""
        if options["check"]:
            self._check(options["check"], options["version"])
            return
        system = system_actor()
        found = list(
            whatif.predict(options["version"], by=system, subject_ids=_ids(options["subject"], system))
        )
        if options["out"]:
            options["out"].write_text(json.dumps(whatif.as_rows(found), ensure_ascii=False, indent=1))
        if options["json"]:
            self.stdout.write(json.dumps(whatif.as_rows(found), ensure_ascii=False))
            return
        for one in found:
            kept = " (signed: stays)" if one.kept else ""
            self.stdout.write(f"{one.subjid} {one.kind} {one.key}: {one.before} -> {one.after}{kept}")
        for (kind, change), n in sorted(whatif.summary(found).items()):
            self.stdout.write(f"{kind} {change}: {n}")

    def _check(self, file: Path, version: str) -> None:
        """Each predicted deviation against the flag that stands now, for the subjects that the version binds."""
        rows = [row for row in json.loads(file.read_text()) if row["kind"] == "deviation"]
        system = system_actor()
        bound = set(whatif.bound_to(version, by=system))
        wanted = [row for row in rows if row["subjid"] in bound]
        with audit.reading(system):
            stored = {
                (d.subject.subjid, f"{d.rule_id}:{d.key}"): f"{d.status} {d.severity}"
                for d in Deviation.objects.exclude(status="CLEARED").select_related("subject")
            }
        wrong = [
            row for row in wanted if not _came(row, stored.get((row["subjid"], row["key"]), whatif.NONE))
        ]
        for row in wrong:
            there = stored.get((row["subjid"], row["key"]), whatif.NONE)
            self.stdout.write(f"{row['subjid']} {row['key']}: predicted {row['after']}, found {there}")
        self.stdout.write(f"{len(wanted) - len(wrong)} of {len(wanted)} predicted changes came true")
        if wrong:
            raise CommandError("the prediction did not come true everywhere", returncode=4)


def _came(row: dict[str, Any], there: str) -> bool:
    """Whether a predicted deviation stands as predicted; whatever the site has done with it since, it stands."""
    if whatif.NONE in (row["after"], there):
        return bool(row["after"] == there)
    return bool(row["after"].split()[1] == there.split()[1])


def _ids(subjids: list[str], by: Any) -> list[Any] | None:
    if not subjids:
        return None
    with audit.reading(by):
        found = dict(Subject.objects.filter(subjid__in=subjids).values_list("subjid", "pk"))
    missing = [one for one in subjids if one not in found]
    if missing:
        raise CommandError(f"There is no subject {missing[0]}.")
    return list(found.values())
