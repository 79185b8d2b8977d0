"""The second, named door: many records of one file in one transaction, with the checks of the first door for each.

`door.examine` refuses, `trial.edit_checks.unlikely` asks, the database writes the audit; only the reading and writing
are done for many at once. Subjects are locked in the order of their ids, so that two files never wait for each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db.models import Max

from entry.around import Around
from entry.door import NotFound
from review.queries import open_automatic, sync_many
from safety.doorbell import ring
from subjects.crf import CRF, Subject
from trial.access import Act, Actor, require
from trial.edit_checks import unlikely
from trial.many_changes import update_many
from visits.models import Laboratory

LOCKED_AT_ONCE = 500
STAMPED = frozenset(("id", "version", "entered_at", "changed_at", "subject", "site"))
"""What no correction writes."""


@contextmanager
def subjects_locked(keys: Iterable[UUID], by: Actor) -> Iterator[dict[UUID, Subject]]:
    """Inside `audit.transaction`: hold these subjects, in a fixed order, until the transaction ends. Yields them by id.

    Raises Forbidden, or NotFound when one is not among the actor's sites.
    """
    require(by, Act.ENTER)
    wanted = sorted(set(keys))
    found: dict[UUID, Subject] = {}
    for start in range(0, len(wanted), LOCKED_AT_ONCE):
        some = wanted[start : start + LOCKED_AT_ONCE]
        held = list(Subject.objects.select_for_update().filter(pk__in=some).order_by("pk"))
        if len(held) != len(some) or not all(by.at(one.site_id) for one in held):
            raise NotFound
        found |= {one.pk: one for one in held}
    yield found


class Neighbourhood(Around):
    """`Around` for the records of a file: they come one after another, and sites and laboratories are read once."""

    def __init__(self, subject: Subject, like: "Neighbourhood | None" = None) -> None:
        super().__init__(subject, ())
        if like is not None and like.subject.site_id == subject.site_id:
            self.__dict__["ranges"], self.__dict__["laboratories"] = like.ranges, like.laboratories

    def holds(self, column: Any, target: Any) -> bool:
        """As `Around.holds`, for a record that was not known before."""
        if column.related_model is Laboratory:
            return str(target) in {str(lab.pk) for lab in self.laboratories}
        self._targets.pop(column, None)
        self.records = [column.model(**{column.attname: target})]
        return super().holds(column, target)


def insert(records: Sequence[CRF], by: Actor) -> dict[Any, int]:
    """Save examined new records of one form. Answers how many queries each opened, by the record's id."""
    if not records:
        return {}
    _number(records)
    type(records[0])._default_manager.bulk_create(records, batch_size=200)
    doubts = [(record, unlikely(record)) for record in records]
    open_automatic(doubts, by=by)
    ring()
    return {record.pk: len(found) for record, found in doubts}


def update(changed: Sequence[tuple[CRF, CRF]], by: Actor) -> dict[Any, int]:
    """Save examined corrections of one form, each with the record as it stood, under the transaction's reason.

    Only what changed is written, some hundreds of records at a time. Answers how many queries stand for each, by id.
    """
    if not changed:
        return {}
    for record, before in changed:
        record.entered_at, record.lock_state = before.entered_at, before.lock_state
    records = [record for record, _ in changed]
    if update_many(records, _columns(changed)) != len(records):
        raise NotFound
    for record, before in changed:
        record.version = before.version + 1
    doubts = [(record, unlikely(record)) for record in records]
    sync_many(doubts, by=by)
    ring()
    return {record.pk: len(found) for record, found in doubts}


def _columns(changed: Sequence[tuple[CRF, CRF]]) -> list[Any]:
    """The columns in which one of the records differs from how it stood; what the database stamps is not among them."""
    return [
        column
        for column in type(changed[0][0])._meta.concrete_fields
        if column.name not in STAMPED
        and any(getattr(one, column.attname) != getattr(before, column.attname) for one, before in changed)
    ]


def _number(records: Sequence[CRF]) -> None:
    """Give each its sequence: 1 where the form stands once per subject or visit, else the next number."""
    model = type(records[0])
    if model.repeats in ("one", "visit"):
        for record in records:
            record.sequence = 1
        return
    subjects = {record.subject_id for record in records}
    rows = model._default_manager.filter(subject_id__in=subjects).values_list("subject_id", "visit")
    last: dict[Any, int] = defaultdict(int)
    last.update({(subject, visit): n for subject, visit, n in rows.annotate(n=Max("sequence"))})
    for record in records:
        last[record.subject_id, record.visit] += 1
        record.sequence = last[record.subject_id, record.visit]
