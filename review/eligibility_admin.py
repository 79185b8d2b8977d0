"""Eligibility verdicts and approvals of readings, for monitors."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from review.filters import named_filter
from review.history_page import role_name
from review.read_only import ReadOnly
from review.shown import clock
from safety.eligibility.evaluate import JUDGES
from trial.access import Act
from trial.ambiguity import BY_ID
from trial.item import Basis
from trial.text import T

STUDY_ZONE = "Asia/Shanghai"


class EligibilityResultAdmin(ReadOnly):
    """What the data say of each criterion at each milestone; the rules write it, nobody else."""

    detail_template = "review/plain.html"
    needs = (Act.READ,)
    list_display = (
        "subject",
        "criterion",
        "milestone",
        "verdict",
        "verdict_now",
        "as_of",
        "protocol_version",
        "signed",
    )
    list_filter = (
        "milestone",
        "verdict",
        ("criterion", named_filter("criterion", T("criterion", "标准"), lambda one: one)),
        "site",
        "protocol_version",
    )
    list_select_related = ("subject", "site")
    search_fields = ("subject__subjid",)
    ordering = ("subject__subjid", "milestone", "criterion")

    @admin.display(description=T("Signed", "已签署"), boolean=True)
    def signed(self, result: Any) -> bool:
        """Whether the set is frozen by the investigator's signature."""
        return result.signature_id is not None

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """The verdict with its reason."""
        return {
            "title": f"{record.subject.subjid} · {record.criterion} · {record.get_milestone_display()}",
            "subtitle": "",
            "lead": f"{record.get_verdict_display()}. {record.reason}",
            "rests_on": (record.criterion,),
            "told": [
                (T("As of", "判定日期"), record.as_of),
                (T("Basis", "依据"), Basis(JUDGES[record.criterion].basis).label),
                (T("Protocol version", "方案版本"), record.protocol_version),
                (T("Rule version", "规则版本"), record.rule_version),
                (T("Would be now", "当前应为"), record.get_verdict_now_display() or "—"),
            ],
            "outside": f"/subjects/{record.subject.subjid}/eligibility#{record.criterion}",
        }


class ReadingApprovalAdmin(ReadOnly):
    """Who approved which reading of the registry record."""

    detail_template = "review/plain.html"
    needs = (Act.READ, Act.PEOPLE)
    list_display = ("reading", "reading_version", "name", "shown_role", "approved", "counts")
    list_filter = (("reading", named_filter("reading", T("reading", "解读"), lambda one: one)),)
    ordering = ("-approved_at",)

    @admin.display(description=T("Role", "角色"), ordering="role")
    def shown_role(self, approval: Any) -> str:
        """The role in which it was given."""
        return role_name(approval.role)

    @admin.display(description=T("Approved", "批准时间"), ordering="approved_at")
    def approved(self, approval: Any) -> str:
        """When, with the offset."""
        return clock(approval.approved_at, STUDY_ZONE)

    @admin.display(description=T("Counts", "有效"), boolean=True)
    def counts(self, approval: Any) -> bool:
        """Whether the reading is still the one that was approved."""
        reading = BY_ID.get(approval.reading)
        return reading is not None and reading.digest == approval.digest

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """The reading that was approved."""
        reading = BY_ID.get(record.reading)
        return {
            "title": f"{record.reading} · {record.name}",
            "subtitle": "",
            "lead": str(reading.reading) if reading else "",
            "told": [
                (T("Printed name", "姓名"), record.name),
                (T("Role", "角色"), role_name(record.role)),
                (T("Approved", "批准时间"), clock(record.approved_at, STUDY_ZONE)),
                (T("Version approved", "所批准版本"), record.reading_version),
            ],
            "outside": f"/ambiguities#{record.reading}",
        }
