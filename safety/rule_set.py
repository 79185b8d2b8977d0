"""Which set of rules the stored flags were made by, so that "the version of the rules" can be cited.

A set is the sources of the rules and of what they stand on, and the numbers of every protocol version. When a release
brings another set, the flags of the whole study change only after a data manager has seen the difference and applied it;
a subject that is saved meanwhile is evaluated with the rules of the release that runs.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from safety.applied_rules import RuleSet
from safety.rules import RULES
from subjects.crf import Subject
from trial import audit
from trial.access import Act, Actor, require
from trial.dates import utc_now
from trial.protocol import PROTOCOLS, numbers

_ROOT = Path(__file__).parent.parent
_SOURCES = (
    "safety/rules/*.py",
    "safety/eligibility/*.py",
    "safety/grading/*.py",
    "safety/derive/*.py",
    "safety/[abcem]*.py",
    "safety/flags.py",
    "safety/trialbook.py",
    "visits/schedule.py",
    "visits/timepoints.py",
    "visits/conditions.py",
    "visits/calc.py",
    "visits/oxygen.py",
    "dosing/arithmetic.py",
    "dosing/levels.py",
    "trial/dates.py",
    "trial/jurisdiction.py",
    "trial/logic.py",
    "trial/units.py",
)
"""Files that decide what is found: the rules, and the schedule, levels, calendar and units they reckon with."""


@dataclass(frozen=True)
class Standing:
    """The set that this release brings beside the one in force."""

    here: str
    applied: RuleSet | None

    @property
    def changed(self) -> bool:
        """Whether the release's set is another than the one in force."""
        return self.applied is None or self.applied.fingerprint != self.here


def sources() -> list[Path]:
    """The files whose content is part of the set."""
    return sorted({file for pattern in _SOURCES for file in _ROOT.glob(pattern)})


@cache
def fingerprint() -> str:
    """SHA-256 over ids, sources and protocol numbers, worked out once per process."""
    mark = sha256()
    mark.update("\n".join(RULES).encode())
    for file in sources():
        mark.update(file.relative_to(_ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    for version, protocol in PROTOCOLS.items():
        mark.update(version.encode())
        for name, number in numbers(protocol):
            mark.update(f"\n{name}={number.value!r}".encode())
    return mark.hexdigest()


def status() -> Standing:
    """What is in force and what this release brings."""
    return Standing(fingerprint(), RuleSet.objects.order_by("-applied_at", "-entered_at").first())


def apply(by: Actor, reason: str) -> RuleSet:
    """Put this release's set in force; the sweep then brings every subject's flags in step. Raises Forbidden."""
    require(by, Act.STUDY)
    made = RuleSet(
        fingerprint=fingerprint(),
        release=settings.RELEASE,
        rules=len(RULES),
        protocols=", ".join(PROTOCOLS),
        applied_at=utc_now(),
    )
    with audit.transaction(by, reason.strip()[:500] or "rule set applied"):
        made.save(force_insert=True)
    return made


def may_sweep(by: Actor) -> bool:
    """Whether the sweep may repair flags. A set that is another than the one in force waits for a data manager, unless
    there are no subjects yet or EDC_RULES_APPLY is auto."""
    if not status().changed:
        return True
    with audit.reading(by):
        empty = not Subject.objects.exists()
    if settings.RULES_APPLY == "auto" or empty:
        apply(by, "first set of the study" if empty else "applied automatically: EDC_RULES_APPLY=auto")
        return True
    return False
