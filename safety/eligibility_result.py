"""What the data say of each criterion at each milestone, kept with its evidence."""

from typing import Any

from django.db import models

from subjects.codelists import MILESTONE
from subjects.crf import Subject
from subjects.signature import Signature
from trial.codes import CodeList
from trial.models import Site
from trial.record import Audited
from trial.text import T

COMPUTED = CodeList(
    "CL_COMPUTED",
    (
        ("MET", "Met", "符合"),
        ("NOT_MET", "Not met", "不符合"),
        ("UNKNOWN", "Cannot be told", "不能判定"),
        ("NOT_YET", "Not yet assessable", "尚不可评估"),
    ),
)


class EligibilityResult(Audited):
    """One criterion at one milestone. Once the investigator has signed the milestone (`signature`), verdict and
    evidence stay as they were signed; what the data would say now stands in `verdict_now` where it differs.

    For an exclusion MET means that it is present. `asked` is false where the milestone carries the answer forward.
    `evidence` is {"facts": [...], "lacking": [...], "limit", "note", "parts"}; see safety.eligibility.evidence.
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="eligibility_results")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    milestone = models.CharField(max_length=20, choices=MILESTONE.choices)
    criterion = models.CharField(max_length=4)
    verdict = models.CharField(max_length=8, choices=COMPUTED.choices)
    asked = models.BooleanField()
    reason_en = models.TextField()
    reason_zh = models.TextField()
    evidence = models.JSONField(default=dict)
    protocol_version = models.CharField(max_length=20)
    rule_version = models.CharField(max_length=20)
    as_of = models.DateField()
    decided_at = models.DateTimeField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")
    verdict_now = models.CharField(max_length=8, choices=COMPUTED.choices, blank=True, default="")

    class Meta(Audited.Meta):
        verbose_name = T("eligibility verdict", "入选排除判定")
        verbose_name_plural = T("eligibility verdicts", "入选排除判定")
        constraints = (
            models.UniqueConstraint(
                fields=["subject", "milestone", "criterion"], name="one_verdict_per_milestone"
            ),
        )

    def __str__(self) -> str:
        return f"{self.criterion} {self.milestone} {self.verdict}"

    @property
    def reason(self) -> str:
        """Why, in the active language."""
        return T(self.reason_en, self.reason_zh)

    @property
    def admits(self) -> bool | None:
        """Whether the criterion lets the subject in; None while that cannot be told."""
        told: dict[str, Any] = {"MET": True, "NOT_MET": False}
        met = told.get(self.verdict)
        return met if met is None or self.criterion.startswith("I") else not met
