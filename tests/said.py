"""What a finding says, word for word: where it is mended, in both languages, the limit, and the answers it shows."""

import re
from typing import NamedTuple

from tests.people import NOW, Change, changed
from trial.rules import Finding

RECORD = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Said(NamedTuple):
    """One row: the rule, what is changed of the clean subject, and one of the rule's findings."""

    rule: str
    change: Change
    pending: bool
    place: str
    en: str
    zh: str
    limit: str
    shown: str


def shown(finding: Finding) -> str:
    """The answers a finding shows; how many, where they are more than thirteen. A link stands as #."""
    if len(finding.facts) > 13:
        return f"{len(finding.facts)} answers"
    told = (f"{fact.form}.{fact.field} {fact.value}".strip() for fact in finding.facts)
    return RECORD.sub("#", "; ".join(told))


def limit(finding: Finding) -> str:
    """The limit, in Chinese too where it has words."""
    return finding.limit + (f" | {finding.limit_zh}" if finding.limit_zh else "")


def check(row: Said) -> None:
    """Fails when no finding of the rule is exactly the one of the row."""
    found = [
        (one.pending, f"{one.form}.{one.field}", one.en, one.zh, limit(one), shown(one))
        for one in changed(row.change).of(row.rule, NOW).values()
    ]
    assert tuple(row[2:]) in found
