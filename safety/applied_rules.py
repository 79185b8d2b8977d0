"""The sets of rules that were applied to the whole study, one row each: see safety.rule_set."""

from typing import Any, ClassVar

from django.db import models

from trial.audit_sql import Stamp, WriteHistory
from trial.record import Audited
from trial.text import T


class RuleSet(Audited):
    """A set of rules that was applied to the whole study. The newest row is the set in force."""

    append_only = True

    fingerprint = models.CharField(max_length=64)
    release = models.CharField(max_length=60, blank=True, default="")
    rules = models.PositiveSmallIntegerField()
    protocols = models.CharField(max_length=100)
    applied_at = models.DateTimeField()

    class Meta(Audited.Meta):
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory()]
        verbose_name = T("rule set", "规则集")
        verbose_name_plural = T("rule sets", "规则集")

    def __str__(self) -> str:
        return self.fingerprint[:12]
