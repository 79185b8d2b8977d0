"""Reminders of deadlines: one row for each step that a clock reached, whoever asked how often."""

from django.db import models

from safety.clocks import KIND
from subjects.crf import Subject
from trial.models import Site
from trial.record import Audited
from trial.text import T


class Reminder(Audited):
    """A clock of a serious event reached a step. `roles` are told by e-mail; `mailed_at` says when that was done.

    `due_at` is the deadline as it was then; `reached_at` when the step was reached.
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    record_id = models.UUIDField()
    clock = models.CharField(max_length=10, choices=KIND.choices)
    step = models.CharField(max_length=12)
    due_at = models.DateTimeField()
    reached_at = models.DateTimeField()
    roles = models.JSONField(default=list)
    mailed_at = models.DateTimeField(null=True)
    mailed_to = models.PositiveSmallIntegerField(default=0)

    class Meta(Audited.Meta):
        verbose_name = T("reminder", "提醒")
        verbose_name_plural = T("reminders", "提醒")
        constraints = (models.UniqueConstraint(fields=["record_id", "clock", "step"], name="reminded_once"),)

    def __str__(self) -> str:
        return f"{self.clock} {self.step}"
