"""Queries: a question on one field of one record, and the talk about it."""

from django.db import models

from review.assessment import DeviationAssessment
from subjects.crf import Subject
from trial.codes import CodeList
from trial.models import Site
from trial.record import Audited
from trial.text import T

__all__ = ["QUERY_SOURCE", "QUERY_STATUS", "DeviationAssessment", "Query"]

QUERY_STATUS = CodeList(
    "CL_QUERY",
    (("OPEN", "Open", "待答复"), ("ANSWERED", "Answered", "已答复"), ("CLOSED", "Closed", "已关闭")),
)
QUERY_SOURCE = CodeList(
    "CL_QUERY_SOURCE", (("AUTO", "Edit check", "自动核查"), ("MONITOR", "Monitor", "监查员"))
)


class Query(Audited):
    """A question. `check_id` names the edit check of an automatic one: same check, same field, one query.

    `field` is the item's name, or "" for the whole form. What was said stands in `talk`, oldest first:
    [{"at", "by", "role", "text", "status"}]. `text` is stored in both languages for automatic queries.
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="queries")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    form = models.CharField(max_length=40)
    record_id = models.UUIDField()
    field = models.CharField(max_length=60, blank=True, default="")
    source = models.CharField(max_length=10, choices=QUERY_SOURCE.choices)
    check_id = models.CharField(max_length=100, blank=True, default="")
    status = models.CharField(max_length=10, choices=QUERY_STATUS.choices, default="OPEN")
    text_en = models.TextField()
    text_zh = models.TextField(blank=True, default="")
    value = models.CharField(max_length=200, blank=True, default="")
    talk = models.JSONField(default=list, blank=True)

    class Meta(Audited.Meta):
        verbose_name = T("query", "质疑")
        verbose_name_plural = T("queries", "质疑")
        constraints = (
            models.UniqueConstraint(
                fields=["record_id", "field", "check_id"],
                condition=models.Q(source="AUTO"),
                name="one_query_per_check",
            ),
        )
        indexes = (models.Index(fields=["record_id"], name="query_record"),)

    @property
    def text(self) -> str:
        """The question in the active language."""
        return T(self.text_en, self.text_zh or self.text_en)
