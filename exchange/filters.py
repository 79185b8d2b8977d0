"""What a list can be narrowed by. Every value is checked before it reaches SQL, and refused by name."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from exchange.problems import problem_of_parameter
from exchange.sql import Where
from exchange.view import Param
from review.assessment import FINAL, STATE
from review.models import QUERY_SOURCE, QUERY_STATUS
from safety.derived.every import DERIVATIONS
from safety.eligibility.evaluate import CRITERION_IDS, MILESTONES
from safety.eligibility_result import COMPUTED
from safety.forms import ANY_FORM, FORM
from safety.models import DEVIATION_STATUS
from safety.rules import RULES
from subjects.signature import MEANINGS
from trial.codes import CodeList
from trial.record import STATUS
from trial.text import T
from visits.schedule import VISITS, is_visit

DEFAULT_LIMIT, MOST_LIMIT = 100, 1000
_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


@dataclass(frozen=True)
class Filter:
    """A parameter, and what it adds to the WHERE clause."""

    param: Param
    narrow: Callable[[Where, str], Where]


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID as we write them."""
    return bool(_UUID.match(text))


def _refuse(name: str, value: str, expected: str) -> Exception:
    return problem_of_parameter(
        name,
        "unreadable",
        T(
            f"“{value[:80]}” is no {name}; expected: {expected}.",
            f"参数 {name} 的值“{value[:80]}”无效;应为:{expected}。",
        ),
        value,
        expected,
    )


def _choice(name: str, column: str, allowed: tuple[str, ...], en: str, zh: str) -> Filter:
    def narrow(where: Where, value: str) -> Where:
        if value not in allowed:
            raise _refuse(name, value, ", ".join(allowed))
        return where.and_(f"{column} = %s", value)

    return Filter(Param(name, en, zh, {"type": "string", "enum": list(allowed)}), narrow)


def _status(codes: CodeList) -> Filter:
    return _choice("status", "f.status", codes.codes, "Only rows in this status.", "仅此状态的记录。")


def _subject(where: Where, value: str) -> Where:
    if is_uuid(value):
        return where.and_("f.subject_id = %s::uuid", value)
    return where.and_("f.subject_id = (SELECT id FROM subjects_subject WHERE subjid = %s)", value[:40])


def _this_subject(where: Where, value: str) -> Where:
    return where.and_("f.id = %s::uuid", value) if is_uuid(value) else where.and_("f.subjid = %s", value[:40])


def _visit(where: Where, value: str) -> Where:
    if not is_visit(value):
        raise _refuse("visit", value, ", ".join(VISITS))
    return where.and_("f.visit = %s", value)


def _site(where: Where, value: str) -> Where:
    return where.and_("f.site_id = (SELECT id FROM trial_site WHERE code = %s)", value[:40])


def _record(where: Where, value: str) -> Where:
    if not is_uuid(value):
        raise _refuse("record", value, "UUID")
    return where.and_("f.record_id = %s::uuid", value)


def _changed_since(where: Where, value: str) -> Where:
    return where.and_("f.changed_at >= %s", moment("changed_since", value))


def moment(name: str, value: str) -> datetime:
    """A moment with its offset, or a date at 00:00 UTC. A blank before the offset is a “+” that was not encoded."""
    text = value.strip().replace(" ", "+") if "T" in value else value.strip()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and 1900 <= found.year <= 2100:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _refuse(name, value, "2026-03-05T00:00:00Z")


def _dv_state(where: Where, value: str) -> Where:
    """By the state in force; SQL says the same as `review.assessment.in_state`."""
    if value not in STATE.codes:
        raise _refuse("state", value, ", ".join(STATE.codes))
    final = ", ".join(f"'{state}'" for state in FINAL)
    said = (
        f"(SELECT CASE WHEN a.state IN ({final}) AND a.judged <> f.evidence THEN 'OPEN' ELSE a.state END"
        " FROM review_deviationassessment a WHERE a.deviation_id = f.id)"
    )
    return where.and_(f"coalesce({said}, 'OPEN') = %s", value)


SUBJECT = Filter(Param("subject", "Subject number (01-001) or id.", "受试者编号(01-001)或 id。"), _subject)
THIS_SUBJECT = Filter(
    Param("subject", "Subject number (01-001) or id.", "受试者编号(01-001)或 id。"), _this_subject
)
SITE = Filter(Param("site", "Site code, for example 01.", "中心编号,例如 01。"), _site)
VISIT = Filter(
    Param(
        "visit",
        "Visit code; further unscheduled visits are UNSCHED-2, UNSCHED-3 …",
        "访视代码;后续计划外访视为 UNSCHED-2、UNSCHED-3 ……",
        {
            "anyOf": [
                {"type": "string", "enum": list(VISITS)},
                {"type": "string", "pattern": "^UNSCHED-[1-9][0-9]{0,2}$"},
            ]
        },
    ),
    _visit,
)
CHANGED = Filter(
    Param(
        "changed_since",
        "Rows changed at or after this moment. To follow changes without loss use /changes/.",
        "自该时刻起有更改的记录。如需无遗漏地跟踪更改,请使用 /changes/。",
        {"type": "string", "format": "date-time"},
    ),
    _changed_since,
)
RECORD = Filter(
    Param(
        "record", "Id of the record asked about.", "被质疑记录的 id。", {"type": "string", "format": "uuid"}
    ),
    _record,
)
FORM_FILTERS = (SUBJECT, VISIT, SITE, _status(STATUS), CHANGED)
SUBJECT_FILTERS = (THIS_SUBJECT, SITE, CHANGED)
QUERY_FILTERS = (
    SUBJECT,
    SITE,
    _status(QUERY_STATUS),
    _choice("form", "f.form", tuple(FORM), "Form name.", "表单名称。"),
    RECORD,
    _choice("source", "f.source", QUERY_SOURCE.codes, "Who asked.", "质疑来源。"),
    CHANGED,
)
DEVIATION_FILTERS = (
    Filter(
        Param(
            "state", "What the site did.", "中心的处理状态。", {"type": "string", "enum": list(STATE.codes)}
        ),
        _dv_state,
    ),
    _choice("rule", "f.rule_id", tuple(RULES), "Rule id.", "规则编号。"),
    _status(DEVIATION_STATUS),
    SUBJECT,
    SITE,
    CHANGED,
)
ELIGIBILITY_FILTERS = (
    SUBJECT,
    SITE,
    _choice("milestone", "f.milestone", MILESTONES, "Milestone.", "评估节点。"),
    _choice("criterion", "f.criterion", CRITERION_IDS, "Criterion.", "标准编号。"),
    _choice("verdict", "f.verdict", COMPUTED.codes, "What the data say.", "系统判定。"),
    CHANGED,
)
DERIVATION_FILTERS = (
    SUBJECT,
    SITE,
    _choice("name", "f.name", tuple(DERIVATIONS), "What is derived.", "衍生值名称。"),
    _choice(
        "differs",
        "f.differs::text",
        ("true", "false"),
        "Differs from what was entered, or asks.",
        "与录入不一致或需询问。",
    ),
    _choice(
        "stands", "f.stands::text", ("true", "false"), "Still follows from the data.", "当前数据仍支持。"
    ),
    CHANGED,
)
SIGNATURE_FILTERS = (
    SUBJECT,
    SITE,
    _choice("form", "f.form", tuple(ANY_FORM), "Form name.", "表单名称。"),
    _choice("meaning", "f.meaning", tuple(MEANINGS), "What the signature says.", "签名含义。"),
    CHANGED,
)
LIMIT = Param(
    "limit",
    f"Rows per page, at most {MOST_LIMIT}.",
    f"每页行数,最多 {MOST_LIMIT}。",
    {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT},
)
SUBJECT_LIMIT = Param(
    "limit",
    f"Subjects per page, at most {MOST_LIMIT}; each comes with all its rows.",
    f"每页受试者数,最多 {MOST_LIMIT};每例受试者的全部行一并返回。",
    {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT},
)
AFTER = Param(
    "after", "Where the page before ended; follow the Link header.", "上一页结束处;请使用响应头 Link。"
)
FORMAT = Param(
    "format",
    "json pages; csv and ndjson stream everything.",
    "json 分页;csv 和 ndjson 一次流式输出全部。",
    {"type": "string", "enum": ["json", "csv", "ndjson"], "default": "json"},
)
BOM = Param(
    "bom",
    "With csv, 1: for people and spreadsheets (byte order mark; a text that starts like a formula gets an apostrophe).",
    "csv 时取 1:供人用电子表格打开(带 BOM;形似公式的文本前加单引号)。",
    {"type": "string", "enum": ["0", "1"], "default": "0"},
)
PAGING = (LIMIT, AFTER, FORMAT, BOM)


def where_of(filters: tuple[Filter, ...], params: Any) -> Where:
    """The conditions that the request's parameters ask for."""
    where = Where()
    for one in filters:
        if one.param.name in params:
            where = one.narrow(where, params[one.param.name])
    return where


def limit_of(params: Any) -> int:
    """How many rows a page holds."""
    text = params.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or not 1 <= int(text) <= MOST_LIMIT:
        raise _refuse("limit", text, f"1 – {MOST_LIMIT}")
    return int(text)


def after_of(params: Any, key_type: str) -> str:
    """The key after which the page starts."""
    text = str(params.get("after", ""))
    fits = is_uuid(text) if key_type == "uuid" else re.fullmatch(r"\d{1,9}", text, re.ASCII)
    if text and not fits:
        raise _refuse("after", text, "the value in the Link header")
    return str(UUID(text)) if text and key_type == "uuid" else text


def format_of(params: Any) -> str:
    """json, csv, csv for people (csv+bom) or ndjson."""
    found = params.get("format", "json")
    if found not in ("json", "csv", "ndjson"):
        raise _refuse("format", found, "json, csv, ndjson")
    bom = params.get("bom", "0")
    if bom not in ("0", "1"):
        raise _refuse("bom", bom, "0, 1")
    return "csv+bom" if found == "csv" and bom == "1" else str(found)
