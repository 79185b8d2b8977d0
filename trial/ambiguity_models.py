"""Approvals of readings: who approved which version, when, in which role. Written once, never changed."""

from collections.abc import Iterable
from typing import ClassVar

from django.db import models

from trial.ambiguity import READINGS, RESTING, readings_of
from trial.record import Audited
from trial.text import T


class ReadingApproval(Audited):
    """One approval, given with user name and password. `name` and `role` are as they were that day."""

    append_only: ClassVar[bool] = True

    reading = models.CharField(max_length=10)
    reading_version = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    meaning = models.CharField(max_length=20, default="READING")
    person = models.ForeignKey("trial.Person", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=30)
    approved_at = models.DateTimeField()

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("approval of a reading", "解读批准")
        verbose_name_plural = T("approvals of readings", "解读批准")
        constraints = (
            models.UniqueConstraint(fields=["reading", "digest", "person"], name="approved_once_a_person"),
        )

    def __str__(self) -> str:
        return f"{self.reading} v{self.reading_version} {self.name}"


def every_approval() -> "models.QuerySet[ReadingApproval]":
    """The approvals, the oldest first; those of earlier versions of a reading too."""
    return ReadingApproval.objects.order_by("approved_at", "pk")


def approvals(rows: Iterable[ReadingApproval] | None = None) -> dict[str, list[ReadingApproval]]:
    """The approvals that count, by reading: those of the reading as it stands. One statement, none with the rows."""
    wanted = {one.id: one.digest for one in READINGS}
    found: dict[str, list[ReadingApproval]] = {}
    for row in every_approval() if rows is None else rows:
        if wanted.get(row.reading) == row.digest:
            found.setdefault(row.reading, []).append(row)
    return found


def provisional(rows: Iterable[ReadingApproval] | None = None) -> dict[str, list[str]]:
    """Criterion, rule or derivation to the readings it rests on and nobody has approved. One statement at most."""
    approved = approvals(rows)
    open_ = {name: [one.id for one in readings_of(name) if one.id not in approved] for name in RESTING}
    return {name: ids for name, ids in open_.items() if ids}
