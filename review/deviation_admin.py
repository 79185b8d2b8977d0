"""Deviations for monitors: what the rules found, with the evidence they saw."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from review.assessment import STATE, assessment_of, came_back, in_state, severity_of, state_of
from review.filters import named_filter
from review.history_page import history_of_record, zone_for
from review.places import field_name, form_name, record_page
from review.read_only import ReadOnly
from review.shown import NOTHING, clock, fact_value, limit_of
from review.study_admin import StudyAdmin
from safety import in_chinese
from safety.rules import RULES
from trial.access import Act
from trial.item import Basis
from trial.rules import Severity
from trial.text import T


@dataclass
class ShownFact:
    """One answer the rule looked at, with the address of its record."""

    form: str
    field: str
    value: str
    url: str


def rule_name(rule_id: str) -> str:
    """A rule's id with its short title."""
    rule = RULES.get(rule_id)
    return f"{rule_id} {rule.title}" if rule is not None else rule_id


def severity_name(severity: str) -> str:
    """A grade's name in the active language."""
    return str(Severity(severity).label) if severity in set(Severity) else severity


def basis_name(basis: str) -> str:
    """Where the rule comes from, in the active language."""
    return str(Basis(basis).label) if basis in set(Basis) else basis


class StateFilter(admin.SimpleListFilter):
    """By what the site did with it."""

    title = T("site's handling", "中心处理")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states of the workflow."""
        return STATE.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Only deviations in the state chosen."""
        chosen = self.value()
        return queryset.filter(in_state(chosen)) if chosen in STATE.codes else queryset


class DeviationAdmin(ReadOnly):
    """The list of deviations; the rules open and clear them, the site says what it did about them."""

    detail_template = "review/deviation.html"
    needs = (Act.READ,)
    list_display = (
        "subject",
        "rule",
        "shown_message",
        "status",
        "handled",
        "grade",
        "protocol_version",
        "detected",
        "where",
    )
    list_filter = (
        "status",
        StateFilter,
        ("rule_id", named_filter("rule_id", T("rule", "规则"), rule_name)),
        ("severity", named_filter("severity", T("severity", "严重程度"), severity_name)),
        "site",
        "protocol_version",
    )
    list_select_related = ("subject", "site", "assessment")
    search_fields = ("subject__subjid",)
    ordering = ("-detected_at",)

    @admin.display(description=T("Rule", "规则"), ordering="rule_id")
    def rule(self, deviation: Any) -> str:
        """Id and title."""
        return rule_name(deviation.rule_id)

    @admin.display(description=T("What was found", "发现内容"))
    def shown_message(self, deviation: Any) -> str:
        """The message in the active language."""
        return str(deviation.message)

    @admin.display(description=T("Severity", "严重程度"), ordering="severity")
    def grade(self, deviation: Any) -> str:
        """The grade by name."""
        return severity_name(deviation.severity)

    @admin.display(description=T("Site's handling", "中心处理"))
    def handled(self, deviation: Any) -> str:
        """The state of the site's workflow."""
        back = T(" (evidence changed)", "(证据已变化)") if came_back(deviation) else ""
        return f"{STATE.label(state_of(deviation))}{back}"

    @admin.display(description=T("Detected", "发现时间"), ordering="detected_at")
    def detected(self, deviation: Any) -> str:
        """When the rules found it, on the site's clock."""
        return clock(deviation.detected_at, zone_for(deviation))

    @admin.display(description=T("Item", "项目"))
    def where(self, deviation: Any) -> str:
        """The item it points at."""
        return _link(deviation.form, deviation.record_id, deviation.field)

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """Message, evidence and what became of the deviation."""
        zone = zone_for(record)
        return {
            "title": f"{record.subject.subjid} · {rule_name(record.rule_id)}",
            "subtitle": "",
            "severity": severity_name(record.severity),
            "basis": basis_name(record.basis),
            "rule_text": _said(record.rule_id),
            "where": _link(record.form, record.record_id, record.field),
            "facts": list(_facts(record, zone)),
            "limit": limit_of(record.evidence),
            "detected": clock(record.detected_at, zone),
            "cleared": clock(record.cleared_at, zone),
            "entries": history_of_record(record, "status"),
            "handled": self.handled(record),
            "said": assessment_of(record),
            "said_severity": severity_name(severity_of(record)),
            "talk": [
                {**line, "at": clock(datetime.fromisoformat(line["at"]), zone)} for line in _talk(record)
            ],
        }


def _talk(deviation: Any) -> list[dict[str, str]]:
    """What the site said, oldest first."""
    said = assessment_of(deviation)
    return said.talk if said is not None else []


def _link(form: str, key: Any, field: str) -> str:
    """`Form: item`, leading to the item on the record's page."""
    if not form:
        return NOTHING
    words = ": ".join(part for part in (form_name(form), field_name(form, field)) if part)
    address = record_page(form, key, field)
    return format_html('<a href="{}">{}</a>', address, words) if address else words


def _facts(deviation: Any, zone: str) -> Iterator[ShownFact]:
    for fact in deviation.evidence.get("facts", []):
        form, field = fact.get("form", ""), fact.get("field", "")
        yield ShownFact(
            form_name(form),
            field_name(form, field),
            fact_value(form, field, fact.get("value"), zone),
            record_page(form, fact.get("record"), field),
        )


class DeviationAssessmentAdmin(StudyAdmin):
    """What sites said about deviations, with every version."""

    needs = (Act.READ,)
    list_display = ("subject", "deviation", "state", "category", "severity", "irb_reported_on", "closed_at")
    list_filter = ("state", "category", "site")
    list_select_related = ("subject", "deviation")
    search_fields = ("subject__subjid",)
    ordering = ("-changed_at",)


class ReminderAdmin(StudyAdmin):
    """Reminders of deadlines, each step once."""

    needs = (Act.READ,)
    list_display = ("subject", "clock", "step", "due_at", "reached_at", "mailed_at", "mailed_to")
    list_filter = ("clock", "step", "site")
    list_select_related = ("subject",)
    search_fields = ("subject__subjid",)
    ordering = ("-reached_at",)


class EnrolmentHoldAdmin(StudyAdmin):
    """Holds of enrolment, with every version."""

    needs = (Act.READ,)
    list_display = ("cause", "raised_at", "lifted_at", "protocol_version")
    list_filter = ("cause",)
    ordering = ("-raised_at",)


class HoldReviewAdmin(StudyAdmin):
    """Reviews of holds; the signatures stand with all others."""

    needs = (Act.READ,)
    list_display = ("hold", "decision", "status", "retracted")
    list_filter = ("decision",)
    ordering = ("-entered_at",)


class RuleSetAdmin(StudyAdmin):
    """The sets of rules that were applied, when and by whom."""

    needs = (Act.READ,)
    list_display = ("fingerprint", "release", "rules", "protocols", "applied_at")
    ordering = ("-applied_at",)


def _said(rule_id: str) -> str:
    """The rule's text in the active language; nothing for a rule that no longer runs."""
    rule = RULES.get(rule_id)
    return T(rule.text, in_chinese.RULES[rule_id]) if rule else ""
