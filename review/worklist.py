"""The first page of a monitor: what waits, what the rules found, what changed last."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min

from review.audit_page import LedgerLine, ledger_lines
from review.deviation_admin import rule_name, severity_name
from review.models import Query
from review.places import list_of, page_of
from review.query_admin import place_words
from safety.models import Deviation
from trial.access import Act, Actor
from trial.dates import utc_now
from trial.models import LedgerEntry
from trial.rules import Severity
from trial.text import T

SHOWN = 10


@dataclass
class Waiting:
    """How many queries are in one state, and since when the oldest."""

    label: str
    count: int
    oldest_days: int
    url: str


@dataclass
class RuleRow:
    """One rule with its open deviations."""

    name: str
    severity: str
    open: int
    pending: int
    url: str


def work_list(actor: Actor) -> dict[str, Any]:
    """What the actor's role may see of the work; nothing clinical for a role that may not read."""
    if not actor.may(Act.READ):
        return {"reads": False}
    return {
        "reads": True,
        "waiting": _waiting(),
        "answered": _oldest_answered(),
        "rules": _rules(),
        "changes": _changes() if actor.may(Act.AUDIT) else [],
        "query_list_url": list_of(Query, status__exact="ANSWERED"),
    }


def _waiting() -> list[Waiting]:
    counted = {
        row["status"]: row
        for row in Query.objects.exclude(status="CLOSED")
        .values("status")
        .annotate(n=Count("pk"), first=Min("entered_at"))
    }
    words = (
        ("ANSWERED", T("Answered: to check and close", "已答复,待审核关闭")),
        ("OPEN", T("Open: waiting for the site", "待答复,等待中心")),
    )
    now = utc_now()
    return [
        Waiting(
            str(label),
            counted[status]["n"] if status in counted else 0,
            (now - counted[status]["first"]).days if status in counted else 0,
            list_of(Query, status__exact=status),
        )
        for status, label in words
    ]


def _oldest_answered() -> list[dict[str, Any]]:
    rows = Query.objects.filter(status="ANSWERED").select_related("subject").order_by("changed_at")[:SHOWN]
    return [
        {
            "url": page_of(Query, query.pk),
            "subject": query.subject.subjid,
            "where": place_words(query),
            "text": str(query.text),
            "answer": query.talk[-1]["text"] if query.talk else "",
        }
        for query in rows
    ]


def _rules() -> list[RuleRow]:
    rows: dict[tuple[str, str], dict[str, int]] = {}
    open_ones = Deviation.objects.filter(status__in=("OPEN", "PENDING"))
    for row in open_ones.values("rule_id", "severity", "status").annotate(n=Count("pk")).order_by("rule_id"):
        rows.setdefault((row["rule_id"], row["severity"]), {})[row["status"]] = row["n"]
    grades = [grade.value for grade in Severity]
    ordered = sorted(
        rows.items(), key=lambda row: (grades.index(row[0][1]) if row[0][1] in grades else 9, row[0][0])
    )
    return [
        RuleRow(
            rule_name(rule),
            severity_name(severity),
            counts.get("OPEN", 0),
            counts.get("PENDING", 0),
            list_of(
                Deviation,
                rule_id=rule,
                severity=severity,
                status__exact="OPEN" if counts.get("OPEN") else "PENDING",
            ),
        )
        for (rule, severity), counts in ordered
    ]


def _changes() -> list[LedgerLine]:
    """The newest changes of clinical records: of all that is no study setting."""
    clinical = LedgerEntry.objects.exclude(record_table__startswith="trial_")
    return ledger_lines(clinical.order_by("-xid", "-id")[:SHOWN])
