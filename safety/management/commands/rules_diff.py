"""`manage.py rules_diff`: what the rules of this release would change in the stored flags, before it is applied."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from safety.rule_changes import KINDS, Difference, counted, differences
from safety.rule_set import status
from safety.rules import RULES
from trial.people import system_actor


class Command(BaseCommand):
    """Print new, gone, changed and unchanged flags per rule; exit code 4 when anything would change."""

    help = "Compare the stored flags with what the rules find now, over all subjects. Nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rule", choices=list(RULES), help="only this rule")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = None if options["rule"] is None else [RULES[options["rule"]]]
        found = list(differences(system_actor(), chosen))
        changed = [one for one in found if one.kind != "unchanged"]
        self.stdout.write(_json(found, changed) if options["json"] else "\n".join(_lines(found, changed)))
        if changed:
            raise CommandError(f"{len(changed)} flags would change", returncode=4)


def _json(found: list[Difference], changed: list[Difference]) -> str:
    now = status()
    return json.dumps(
        {
            "rule_set": now.here,
            "applied": now.applied.fingerprint if now.applied else None,
            "rules": counted(found),
            "changes": [vars(one) for one in changed],
        },
        ensure_ascii=False,
    )


def _lines(found: list[Difference], changed: list[Difference]) -> list[str]:
    now = status()
    lines = [f"rules of this release {now.here[:12]}, in force {now.applied or 'none'}"]
    for rule, counts in counted(found).items():
        lines.append(f"{rule}  " + "  ".join(f"{kind} {counts[kind]}" for kind in KINDS))
    return [*lines, *(f"{one.kind:7} {one.subjid} {one.rule} {one.key}: {one.en}" for one in changed)]
