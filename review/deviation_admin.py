"""Deviations for monitors: what the rules found, with the evidence they saw."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from review.filters import named_filter
from review.history_page import history_of_record, zone_for
from review.places import field_name, form_name, record_page
from review.read_only import ReadOnly
from review.shown import NOTHING, clock, shown
from safety.forms import FORM
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


class DeviationAdmin(ReadOnly):
    """The list of deviations; the rules open and clear them, nobody else."""

    detail_template = "review/deviation.html"
    needs = (Act.READ,)
    list_display = (
        "subject",
        "rule",
        "shown_message",
        "status",
        "grade",
        "protocol_version",
        "detected",
        "where",
    )
    list_filter = (
        "status",
        ("rule_id", named_filter("rule_id", T("rule", "规则"), rule_name)),
        ("severity", named_filter("severity", T("severity", "严重程度"), severity_name)),
        "site",
        "protocol_version",
    )
    list_select_related = ("subject", "site")
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
            "rule_text": RULES[record.rule_id].text if record.rule_id in RULES else "",
            "where": _link(record.form, record.record_id, record.field),
            "facts": list(_facts(record, zone)),
            "limit": record.evidence.get("limit", ""),
            "detected": clock(record.detected_at, zone),
            "cleared": clock(record.cleared_at, zone),
            "entries": history_of_record(record, "status"),
        }


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
            _fact_value(form, field, fact.get("value"), zone),
            record_page(form, fact.get("record"), field),
        )


def _fact_value(form: str, field: str, value: Any, zone: str) -> str:
    """The value as its own form shows it; as it stands where it is no column's text."""
    column = next((f for f in FORM[form]._meta.fields if f.name == field), None) if form in FORM else None
    if column is None or value in (None, ""):
        return str(value) if value not in (None, "") else NOTHING
    try:
        return shown(column, value, zone)
    except (TypeError, ValueError, AttributeError):
        return str(value)
