"""The audit trail of one record, told beside each of its answers: who, when, why, from what to what."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from review.history_page import KINDS, Change, differences, role_name
from review.places import line_name
from review.shown import Names, clock
from subjects.crf import CRF
from trial.models import Person


@dataclass
class Step:
    """One change of one column in one version. `kind` says whether it was the first entry."""

    order: int
    version: int
    kind: str
    who: str
    role: str
    when: str
    why: str
    label: str
    old: str
    new: str


def trail_of(row: CRF, filed: Any, names: Names) -> dict[str, list[Step]]:
    """Every step of every line of a record, oldest first, by the line's name (a column's own where it is on no line)."""
    model, before = type(row), None
    found: dict[str, list[Step]] = defaultdict(list)
    for version in filed.past.get(row.pk, ()):
        for change in differences(model, before, version, filed.zone, names):
            found[line_name(model, change.field)].append(_step(version, change, filed))
        before = version
    return dict(found)


def _step(version: Any, change: Change, filed: Any) -> Step:
    person = filed.linked.get((Person, version.history_user_id))
    return Step(
        order=version.history_id,
        version=version.version,
        kind=str(KINDS[version.history_type]),
        who=str(person or version.history_user_id or ""),
        role=role_name(version.actor_role),
        when=clock(version.history_date, filed.zone),
        why=version.history_change_reason or "",
        label=change.label,
        old=change.old,
        new=change.new,
    )
