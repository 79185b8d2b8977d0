"""How what the safety desk says looks outside: deviations and what sites said of them, eligibility, derived values, holds."""

from collections.abc import Callable

from django.db import models

from exchange.columns import ID, SITE, STAMPS, SUBJECT, literal, moment_sql, own, subject_join
from exchange.sql import Column, Rows, quote
from review.assessment import FINAL, DeviationAssessment
from safety.models import Derivation, Deviation, EligibilityResult, EnrolmentHold
from safety.rules import RULES
from subjects.crf import Subject
from trial.ambiguity import RESTING, readings_of
from trial.ambiguity_models import ReadingApproval
from trial.models import Site


def _deviation_columns() -> tuple[Column, ...]:
    return (
        ID,
        *SUBJECT,
        SITE,
        own("version", "number"),
        Column("rule", "f.rule_id", "text"),
        Column(
            "title",
            "json_build_object('en', coalesce(u.en, f.rule_id), 'zh', coalesce(u.zh, f.rule_id))",
            "json",
        ),
        own("status", "text"),
        own("severity", "text"),
        Column("message", "json_build_object('en', f.message_en, 'zh', f.message_zh)", "json"),
        own("citation", "text"),
        own("basis", "text"),
        own("protocol_version", "text"),
        own("form", "text"),
        Column("record", "f.record_id", "id"),
        own("field", "text"),
        own("evidence", "json"),
        own("detected_at", "moment"),
        own("cleared_at", "moment"),
        *STAMPS,
    )


def _eligibility_columns() -> tuple[Column, ...]:
    return (
        ID,
        *SUBJECT,
        SITE,
        own("version", "number"),
        own("milestone", "text"),
        own("criterion", "text"),
        own("verdict", "text"),
        own("verdict_now", "text"),
        own("asked", "bool"),
        Column("reason", "json_build_object('en', f.reason_en, 'zh', f.reason_zh)", "json"),
        own("evidence", "json"),
        own("as_of", "day"),
        own("protocol_version", "text"),
        own("rule_version", "text"),
        own("decided_at", "moment"),
        Column("signature", "f.signature_id", "id"),
        *STAMPS,
    )


def _derivation_columns() -> tuple[Column, ...]:
    return (
        ID,
        *SUBJECT,
        SITE,
        own("version", "number"),
        own("name", "text"),
        own("key", "text"),
        own("form", "text"),
        Column("record", "f.record_id", "id"),
        own("on", "day"),
        own("value", "json"),
        own("differs", "bool"),
        own("stands", "bool"),
        own("method", "text"),
        own("protocol_version", "text"),
        own("inputs", "json"),
        own("input_hash", "text"),
        own("computed_at", "moment"),
        *STAMPS,
    )


def _said() -> Column:
    """What the site said about a deviation; the state in force (see review.assessment.state_of)."""
    table = quote(DeviationAssessment._meta.db_table)
    final = ", ".join(literal(state) for state in FINAL)
    changed = f"a.state IN ({final}) AND a.judged <> f.evidence"
    names = (
        *("category", "cause", "severity", "severity_reason", "impact_subject_safety", "impact_data", "capa"),
        *("irb_reported_on", "irb_not_reported_reason", "justification", "talk", "version"),
    )
    told = ", ".join(f"'{name}', a.{quote(name)}" for name in names)
    one = (
        f"json_build_object('state', CASE WHEN {changed} THEN 'OPEN' ELSE a.state END, 'came_back', {changed},"
        f" 'closed_at', {moment_sql('a.closed_at')}, {told})"
    )
    nothing = "json_build_object('state', 'OPEN', 'came_back', false, 'version', 0)"
    sql = f"coalesce((SELECT {one} FROM {table} a WHERE a.deviation_id = f.id), {nothing})"
    return Column("assessment", sql, "json")


def _assessment_columns() -> tuple[Column, ...]:
    texts = (
        *("state", "category", "cause", "severity", "severity_reason", "capa", "irb_not_reported_reason"),
        "justification",
    )
    return (
        ID,
        *SUBJECT,
        SITE,
        own("version", "number"),
        Column("deviation", "f.deviation_id", "id"),
        *(own(name, "text") for name in texts),
        own("impact_subject_safety", "bool"),
        own("impact_data", "bool"),
        own("irb_reported_on", "day"),
        own("closed_at", "moment"),
        own("talk", "json"),
        *STAMPS,
    )


def _provisional(*joined: str) -> Column:
    """The readings that a finding rests on and nobody has approved."""
    ids = " || ".join(f"coalesce({name}.ids, '{{}}')" for name in joined)
    return Column("provisional", f"ARRAY(SELECT DISTINCT unnest({ids}) ORDER BY 1)", "array")


def _open_readings(name: str, what: str) -> str:
    """The readings nobody has approved, by what rests on them, joined as `name` where that is `what`."""
    rows = ", ".join(
        f"({literal(one)}, {literal(r.id)}, {literal(r.digest)})" for one in RESTING for r in readings_of(one)
    )
    table = quote(ReadingApproval._meta.db_table)
    return (
        f" LEFT JOIN (SELECT r.what, array_agg(r.id) AS ids FROM (VALUES {rows}) AS r(what, id, digest)"
        f" WHERE NOT EXISTS (SELECT FROM {table} a WHERE a.reading = r.id AND a.digest = r.digest)"
        f" GROUP BY r.what) AS {name} ON {name}.what = {what}"
    )


def _hold_columns() -> tuple[Column, ...]:
    """A hold concerns everybody; whose event raised it, and what was seen, only those who may see the subject."""
    return (
        ID,
        Column("subject", "s.subjid", "text"),
        Column("subject_id", "s.id", "id"),
        SITE,
        own("version", "number"),
        own("cause", "text"),
        Column("evidence", "CASE WHEN s.id IS NOT NULL THEN f.evidence END", "json"),
        own("protocol_version", "text"),
        own("raised_at", "moment"),
        own("lifted_at", "moment"),
        *STAMPS,
    )


def _titles() -> str:
    """The rules' titles as a table u(id, en, zh)."""
    rows = ", ".join(f"({literal(r.id)}, {literal(r.en)}, {literal(r.zh)})" for r in RULES.values())
    return f"(VALUES {rows}) AS u(id, en, zh)"


def _deviation_rows(table: str, past: bool) -> Rows:
    joins = f"{subject_join()} LEFT JOIN {_titles()} ON u.id = f.rule_id"
    if past:
        return Rows(_deviation_columns(), table, joins)
    named = "CASE WHEN f.key LIKE 'criterion:%%' THEN substr(f.key, 11, 4) END"
    joins += _open_readings("p", "f.rule_id") + _open_readings("q", named)
    return Rows((*_deviation_columns(), _provisional("p", "q"), _said()), table, joins)


def _resting(columns: tuple[Column, ...], table: str, what: str, past: bool) -> Rows:
    """Rows that may rest on readings; versions of the past do not say which are open now."""
    if past:
        return Rows(columns, table, subject_join())
    return Rows((*columns, _provisional("p")), table, subject_join() + _open_readings("p", what))


def _hold_rows(table: str, past: bool) -> Rows:
    """A hold has no site of its own: that of the subject, where the subject may be seen."""
    joins = f" LEFT JOIN {quote(Subject._meta.db_table)} s ON s.id = f.subject_id"
    joins += f" LEFT JOIN {quote(Site._meta.db_table)} t ON t.id = s.site_id"
    return Rows(_hold_columns(), table, joins)


FINDINGS: dict[type[models.Model], Callable[[str, bool], Rows]] = {
    Deviation: _deviation_rows,
    DeviationAssessment: lambda table, past: Rows(_assessment_columns(), table, subject_join()),
    EligibilityResult: lambda table, past: _resting(_eligibility_columns(), table, "f.criterion", past),
    Derivation: lambda table, past: _resting(_derivation_columns(), table, "f.name", past),
    EnrolmentHold: _hold_rows,
}
"""The rows of each, from its table or (past) from its history table."""
