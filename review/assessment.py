"""What the site says about a deviation that a rule found, kept apart from what the rule found.

The engine writes `safety.Deviation` and never this; people write this and never the deviation. Nothing is deleted: a
deviation that is called a false positive stays visible as such, and comes back by comparison when its evidence changes.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q

from safety.manual_deviations import CATEGORY, SEVERITY
from safety.models import Deviation
from subjects.crf import Subject
from trial.codes import CodeList
from trial.models import Site
from trial.record import Audited
from trial.text import T

STATE = CodeList(
    "CL_DV_STATE",
    (
        ("OPEN", "Nobody has looked yet", "待确认"),
        ("ACKNOWLEDGED", "Acknowledged", "已确认"),
        ("CLASSIFIED", "Classified", "已分类"),
        ("CLOSED", "Closed", "已关闭"),
        ("JUSTIFIED", "Justified, no deviation", "已说明,非偏离"),
    ),
)
FINAL = ("CLOSED", "JUSTIFIED")
"""States that hold for the evidence they were reached on, and no longer when it changes."""


class DeviationAssessment(Audited):
    """The site's side of one deviation. Without one, nobody has looked yet.

    `severity` is the site's, beside the rule's own; `judged` is the evidence on which the newest step was taken.
    What was said stands in `talk`, oldest first: [{"at", "by", "role", "text", "state", "step"}].
    """

    deviation = models.OneToOneField(Deviation, on_delete=models.PROTECT, related_name="assessment")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    state = models.CharField(max_length=15, choices=STATE.choices, default="OPEN")
    category = models.CharField(max_length=20, choices=CATEGORY.choices, blank=True, default="")
    cause = models.TextField(blank=True, default="")
    severity = models.CharField(max_length=10, choices=SEVERITY.choices, blank=True, default="")
    severity_reason = models.TextField(blank=True, default="")
    impact_subject_safety = models.BooleanField(null=True)
    impact_data = models.BooleanField(null=True)
    capa = models.TextField(blank=True, default="")
    irb_reported_on = models.DateField(null=True)
    irb_not_reported_reason = models.TextField(blank=True, default="")
    justification = models.TextField(blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    judged = models.JSONField(default=dict)
    talk = models.JSONField(default=list, blank=True)

    class Meta(Audited.Meta):
        verbose_name = T("assessment of a deviation", "偏离评估")
        verbose_name_plural = T("assessments of deviations", "偏离评估")

    def __str__(self) -> str:
        return f"{self.deviation_id} {self.state}"


def assessment_of(deviation: Deviation) -> DeviationAssessment | None:
    """What the site said about a deviation; None when it said nothing yet."""
    found: DeviationAssessment | None = getattr(deviation, "assessment", None)
    return found


def came_back(deviation: Deviation) -> bool:
    """Whether it was closed or justified on evidence that is another now."""
    said = assessment_of(deviation)
    return said is not None and said.state in FINAL and said.judged != deviation.evidence


def state_of(deviation: Deviation) -> str:
    """The state in force: what was closed or justified on other evidence is open again."""
    said = assessment_of(deviation)
    return "OPEN" if said is None or came_back(deviation) else said.state


def settled(deviation: Deviation) -> bool:
    """Whether the site is done with it: closed or justified, on the evidence as it is."""
    return state_of(deviation) in FINAL


def version_of(deviation: Deviation) -> int:
    """One number that grows with every change of what the rules found or what people said."""
    said = assessment_of(deviation)
    return deviation.version + (said.version if said is not None else 0)


def in_state(state: str) -> Q:
    """The deviations whose state in force is this one."""
    same = Q(assessment__judged=F("evidence"))
    if state in FINAL:
        return Q(assessment__state=state) & same
    if state != "OPEN":
        return Q(assessment__state=state)
    never = Q(assessment__isnull=True) | Q(assessment__state="OPEN")
    return never | (Q(assessment__state__in=FINAL) & ~same)


def severity_of(deviation: Deviation) -> str:
    """The severity that counts: the site's where it gave one, else the rule's."""
    said: Any = assessment_of(deviation)
    return said.severity if said is not None and said.severity else deviation.severity
