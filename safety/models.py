"""What goes wrong: adverse events, and the deviations that the rules find."""

from django.db import models

from safety.adverse_events import AdverseEvent, AdverseEventGrade, DltAssessment
from safety.applied_rules import RuleSet
from safety.derivation import Derivation
from safety.eligibility_result import EligibilityResult
from safety.holds import EnrolmentHold, HoldReview
from safety.manual_deviations import ProtocolDeviation
from safety.reminder import Reminder
from subjects.crf import Subject
from trial.ambiguity import named_by
from trial.codes import CodeList
from trial.models import Site
from trial.record import Audited
from trial.text import T

__all__ = [
    "AdverseEvent",
    "AdverseEventGrade",
    "Derivation",
    "Deviation",
    "DltAssessment",
    "EligibilityResult",
    "EnrolmentHold",
    "HoldReview",
    "ProtocolDeviation",
    "Reminder",
    "RuleSet",
]

DEVIATION_STATUS = CodeList(
    "CL_DEVIATION",
    (
        ("OPEN", "Open", "未处理"),
        ("PENDING", "Cannot be told yet", "尚不能判定"),
        ("CLEARED", "Cleared by correction", "更正后消除"),
    ),
)


class Deviation(Audited):
    """One finding of one rule on one thing (`key`), kept for ever: opened, perhaps cleared, perhaps open again.

    `evidence` is what the rule saw: {"facts": [{"form", "record", "field", "value"}...], "limit": ..., ...}.
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="deviations")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    rule_id = models.CharField(max_length=10)
    key = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=DEVIATION_STATUS.choices)
    severity = models.CharField(max_length=10)
    form = models.CharField(max_length=40, blank=True, default="")
    record_id = models.UUIDField(null=True)
    field = models.CharField(max_length=60, blank=True, default="")
    message_en = models.TextField()
    message_zh = models.TextField()
    citation = models.TextField()
    basis = models.CharField(max_length=24)
    evidence = models.JSONField(default=dict)
    protocol_version = models.CharField(max_length=20)
    detected_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)

    class Meta(Audited.Meta):
        verbose_name = T("protocol deviation", "方案偏离")
        verbose_name_plural = T("protocol deviations", "方案偏离")
        constraints = (models.UniqueConstraint(fields=["subject", "rule_id", "key"], name="deviation_once"),)
        indexes = (models.Index(fields=["record_id"], name="deviation_record"),)

    def __str__(self) -> str:
        return f"{self.rule_id} {self.status}"

    @property
    def message(self) -> str:
        """What is wrong, in the active language."""
        return T(self.message_en, self.message_zh)

    @property
    def rests_on(self) -> tuple[str, ...]:
        """The rule and perhaps the criterion, whose readings of the registry record this rests on."""
        return named_by(self.rule_id, self.key)
