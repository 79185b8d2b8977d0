"""The enrolment hold: raised by a stopping rule, lifted only by a review that the medical monitor signs."""

from typing import Any, ClassVar

from django.db import models

from subjects.crf import StudyForm, Subject
from trial.audit_sql import Stamp, WriteHistory
from trial.codes import CodeList
from trial.item import code, link, long_text
from trial.record import Audited
from trial.text import T

CAUSE = CodeList(
    "CL_HOLD_CAUSE",
    (
        ("DEATH", "Death related to treatment", "治疗相关死亡"),
        ("SEVERE", "Several grade 4 CRS or ICANS at one dose level", "同一剂量水平多例 4 级 CRS 或 ICANS"),
        ("RCL", "Replication-competent lentivirus positive", "可复制型慢病毒(RCL)阳性"),
        ("MALIGNANCY", "Second malignancy", "第二肿瘤"),
    ),
)
HOLD_DECISION = CodeList(
    "CL_HOLD_DECISION", (("LIFT", "Lift the hold", "解除暂停"), ("KEEP", "Keep the hold", "维持暂停"))
)


class EnrolmentHold(Audited):
    """One hold of the whole trial, for one event. It names no site: everybody who enrols has to know of it.

    `key` is permanent per event, so that one event raises one hold and a new event a new one. `evidence` names the
    answers that the stopping rule saw and holds none of them, because every site reads this table.
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(max_length=15, choices=CAUSE.choices)
    key = models.CharField(max_length=120)
    evidence = models.JSONField(default=dict)
    protocol_version = models.CharField(max_length=20)
    raised_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta(Audited.Meta):
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory(wakes_cohort=("lifted_at",))]
        verbose_name = T("enrolment hold", "暂停入组")
        verbose_name_plural = T("enrolment holds", "暂停入组")
        constraints = (models.UniqueConstraint(fields=["cause", "key"], name="held_once"),)

    def __str__(self) -> str:
        return f"{self.cause} {self.raised_at:%Y-%m-%d}"


class HoldReview(StudyForm):
    """A review of one hold. Signed by the medical monitor, and deciding so, it lifts the hold. As the hold is of the whole
    trial, every site reads its reviews and who signed them."""

    form = "enrolment_hold"
    read_by_all: ClassVar[str] = "true"

    hold = link("safety.EnrolmentHold", en="Hold", zh="暂停事项", required=True)
    decision = code(HOLD_DECISION, en="Decision", zh="决定", required=True)
    rationale = long_text(en="Rationale", zh="理由", required=True)

    class Meta(StudyForm.Meta):
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory(read_by_all="true")]
        verbose_name = T("Review of an enrolment hold", "暂停入组评审")


def standing() -> "models.QuerySet[EnrolmentHold]":
    """The holds in force, the oldest first."""
    return EnrolmentHold.objects.filter(lifted_at=None).order_by("raised_at")
