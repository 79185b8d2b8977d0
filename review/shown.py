"""How a stored value reads on a review page: code labels, site time with its offset, names instead of ids."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst

from safety.forms import ANY_FORM
from trial.codes import MISSING
from trial.fields import PartialDateTimeField
from trial.text import T
from visits.schedule import visit_of

NOTHING = "—"
PER_ITEM = ("missing", "typed")
Names = Mapping[tuple[str, str], str]

LABELS: dict[str, str] = {
    "subject": T("Subject", "受试者"),
    "site": T("Site", "中心"),
    "subjid": T("Subject number", "受试者编号"),
    "visit": T("Visit", "访视"),
    "sequence": T("Row", "行号"),
    "version": T("Version", "版本"),
    "status": T("Status", "状态"),
    "lock_state": T("Lock", "锁定状态"),
    "retracted": T("Retracted", "已撤销"),
    "not_done": T("Not done", "未做"),
    "not_done_reason": T("Why not done", "未做原因"),
    "missing": T("Marked as missing", "标记为缺失"),
    "typed": T("As typed", "原始输入"),
    "code": T("Code", "编号"),
    "name": T("Name", "名称"),
    "name_zh": T("Name in Chinese", "中文名称"),
    "pi_name": T("Principal investigator", "主要研究者"),
    "country": T("Country", "国家"),
    "time_zone": T("Time zone", "时区"),
    "irb_approval_date": T("Ethics approval date", "伦理批准日期"),
    "irb_approval_no": T("Ethics approval number", "伦理批件号"),
    "hgrac_approval_no": T("Genetic-resources approval number", "人类遗传资源批件号"),
    "activation_date": T("Activated on", "启动日期"),
    "closeout_date": T("Closed on", "关闭日期"),
    "label": T("Label", "标签"),
    "version_date": T("Version date", "版本日期"),
    "valid_from": T("Valid from", "生效日期"),
    "valid_to": T("Valid until", "失效日期"),
    "protocol_version": T("Protocol version", "方案版本"),
    "approved_on": T("Approved on", "批准日期"),
    "username": T("User name", "用户名"),
    "email": T("E-mail", "电子邮箱"),
    "full_name": T("Full name", "姓名"),
    "language": T("Language", "语言"),
    "is_active": T("Account active", "账户有效"),
    "is_system": T("System account", "系统账户"),
    "person": T("Person", "人员"),
    "role": T("Role", "角色"),
    "form": T("Form", "表单"),
    "record_id": T("Record", "记录"),
    "field": T("Item", "项目"),
    "source": T("Source", "来源"),
    "check_id": T("Edit check", "核查编号"),
    "text_en": T("Text (English)", "内容(英文)"),
    "text_zh": T("Text (Chinese)", "内容(中文)"),
    "value": T("Value asked about", "被质疑的值"),
    "talk": T("Last said", "最近答复"),
    "rule_id": T("Rule", "规则"),
    "key": T("Key", "标识"),
    "severity": T("Severity", "严重程度"),
    "message_en": T("Message (English)", "说明(英文)"),
    "message_zh": T("Message (Chinese)", "说明(中文)"),
    "citation": T("Citation", "出处"),
    "basis": T("Basis", "依据"),
    "evidence": T("Evidence", "证据"),
    "laboratory": T("Laboratory", "实验室"),
    "lab": T("Laboratory", "实验室"),
    "sha256": T("SHA-256", "SHA-256"),
    "size": T("Bytes", "字节数"),
    "profile": T("Mapping profile", "映射方案"),
    "options": T("Options", "选项"),
    "wish": T("Asked for", "要求"),
    "state": T("State", "状态"),
    "run": T("Runs", "运行次数"),
    "rows": T("Rows", "行数"),
    "counts": T("Outcomes", "结果计数"),
    "notes": T("Notes", "说明"),
    "failure": T("Why not read", "未读取原因"),
    "report_sha256": T("SHA-256 of the report", "报告 SHA-256"),
    "is_default": T("Default of the site", "中心默认"),
    "analyte": T("Analyte", "检测项目"),
    "sex": T("Sex", "性别"),
    "age_low": T("From age", "年龄下限"),
    "age_high": T("To age", "年龄上限"),
    "unit": T("Unit", "单位"),
    "low": T("Lower limit", "参考下限"),
    "high": T("Upper limit", "参考上限"),
    "milestone": T("Milestone", "评估节点"),
    "criterion": T("Criterion", "标准"),
    "verdict": T("Verdict", "判定"),
    "verdict_now": T("Would be now", "当前应为"),
    "asked": T("Asked at this milestone", "该节点须评估"),
    "reason_en": T("Reason (English)", "理由(英文)"),
    "reason_zh": T("Reason (Chinese)", "理由(中文)"),
    "rule_version": T("Rule version", "规则版本"),
    "as_of": T("As of", "判定日期"),
    "decided_at": T("Decided", "判定时间"),
    "signature": T("Signature", "电子签名"),
    "record_version": T("Version signed", "所签版本"),
    "digest": T("Digest of the content", "内容摘要"),
    "meaning": T("Meaning", "含义"),
    "signed_at": T("Signed", "签署时间"),
    "reading": T("Reading", "解读"),
    "reading_version": T("Version approved", "所批准版本"),
    "approved_at": T("Approved", "批准时间"),
    "detected_at": T("Detected", "发现时间"),
    "cleared_at": T("Cleared", "消除时间"),
    "clock": T("Clock", "时限"),
    "step": T("Step", "提醒节点"),
    "due_at": T("Due", "截止"),
    "reached_at": T("Reached", "达到时间"),
    "roles": T("Roles", "角色"),
    "mailed_at": T("Mailed", "发送时间"),
    "mailed_to": T("Recipients", "收件人数"),
    "hold": T("Hold", "暂停事项"),
    "raised_at": T("Raised", "产生时间"),
    "lifted_at": T("Lifted", "解除时间"),
    "fingerprint": T("Fingerprint", "指纹"),
    "release": T("Release", "版本"),
    "rules": T("Rules", "规则数"),
    "protocols": T("Protocol versions", "方案版本"),
    "applied_at": T("Applied", "生效时间"),
    "deviation": T("Deviation", "偏离"),
    "category": T("Category", "类别"),
    "cause": T("Cause", "原因"),
    "severity_reason": T("Why another severity", "严重程度不同的理由"),
    "impact_subject_safety": T("Affects the subject's safety", "影响受试者安全"),
    "impact_data": T("Affects the data", "影响数据可靠性"),
    "capa": T("Corrective and preventive action", "纠正与预防措施"),
    "irb_reported_on": T("Reported to the ethics committee", "报告伦理委员会日期"),
    "irb_not_reported_reason": T("Why not reported", "未报告的理由"),
    "justification": T("Why this is no deviation", "并非偏离的理由"),
    "closed_at": T("Closed", "关闭时间"),
    "judged": T("Evidence judged", "所评估的证据"),
    "inputs": T("Inputs", "所据答案"),
    "input_hash": T("Hash of the inputs", "所据答案的哈希"),
    "method": T("Method", "方法"),
    "on": T("Day", "日期"),
    "differs": T("Differs from the answer", "与录入答案不一致"),
    "stands": T("Stands", "有效"),
    "computed_at": T("Computed", "计算时间"),
    "derivation.name": T("Derived value", "推导值"),
    "derivation.value": T("Result", "结果"),
}
"""By a column's name, or by its model and name where that says something else."""


def label_of(column: Any) -> str:
    """The column's name in the active language."""
    meaning = getattr(column, "item", None)
    if meaning is not None:
        return str(meaning.label)
    own = f"{column.model._meta.model_name}.{column.name}"
    return str(LABELS.get(own) or LABELS.get(column.name) or column.verbose_name)


def heading(model: Any) -> str:
    """A model's name as a heading; a name with capitals of its own (ssCART-19) keeps them."""
    name = str(model._meta.verbose_name)
    return capfirst(name) if name.islower() else name


def clock(moment: datetime | None, zone: str) -> str:
    """A moment on the site's clock, with its offset: 2026-03-05 10:42:07 +08:00."""
    if moment is None:
        return NOTHING
    text = moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %z")
    return f"{text[:-2]}:{text[-2:]}"


def _minutes(moment: datetime, zone: str) -> str:
    """An answer's moment as it was entered: seconds only where there are some."""
    text = clock(moment, zone)
    return text if moment.second else text[:16] + text[19:]


def shown(column: Any, value: Any, zone: str, names: Names | None = None) -> str:
    """One stored value of one column, as a person reads it. `names` holds the texts of linked records."""
    if value is None or value == "" or value == [] or value == {}:
        return NOTHING
    if isinstance(column, models.ForeignKey):
        return (names or {}).get((column.name, str(value)), str(value))
    if isinstance(column, models.DateTimeField):
        return _minutes(column.to_python(value), zone)
    if isinstance(value, bool):
        return str(T("Yes", "是") if value else T("No", "否"))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list):
        return _many(column, value, zone)
    if isinstance(value, dict):
        return _mapping(column, value, zone)
    if isinstance(column, PartialDateTimeField) and "T" in str(value):
        return _minutes(datetime.fromisoformat(value), zone)
    return _coded(column, value)


def _coded(column: Any, value: Any) -> str:
    meaning = getattr(column, "item", None)
    if meaning is not None and meaning.codes is not None:
        label = str(meaning.codes.label(str(value)))
        return label if label == value else f"{label} ({value})"
    if column.name == "visit" and (visit := visit_of(str(value))):
        return str(visit.label)
    if column.name == "not_done_reason":
        return str(MISSING.label(str(value)))
    if column.name == "form" and value in ANY_FORM:
        return str(ANY_FORM[value]._meta.verbose_name)
    choices = dict(column.flatchoices) if getattr(column, "choices", None) else {}
    return str(choices.get(value, value))


def _many(column: Any, value: list[Any], zone: str) -> str:
    if value and isinstance(value[0], dict):
        from review.nested import told

        return str(value[-1]["text"]) if "text" in value[-1] else told(value, zone)
    return ", ".join(_coded(column, one) for one in value)


def _mapping(column: Any, value: dict[str, Any], zone: str) -> str:
    if column.name not in PER_ITEM:
        from review.nested import told

        return told(value, zone)
    return "; ".join(f"{item_label(column.model, name)}: {mark(column, one)}" for name, one in value.items())


def item_label(model: Any, name: str) -> str:
    """The label of a column, or of an analyte by its short name, in the active language."""
    columns = {column.name: column for column in model._meta.concrete_fields}
    column = columns.get(f"{name}_value") if name in getattr(model, "analytes", {}) else columns.get(name)
    return label_of(column) if column is not None else name


def mark(column: Any, value: Any) -> str:
    """One item's mark in a record's `missing` or `typed`, or any other mapping's value."""
    if value in (None, ""):
        return NOTHING
    return str(MISSING.label(value)) if column.name == "missing" else str(value)


def names_of_links(columns: Iterable[Any], rows: Iterable[Any]) -> dict[tuple[str, str], str]:
    """The texts of every record that the rows link to, by column and key: one query per linking column."""
    rows = list(rows)
    names: dict[tuple[str, str], str] = {}
    for column in columns:
        if not isinstance(column, models.ForeignKey):
            continue
        wanted = {getattr(row, column.attname) for row in rows} - {None}
        if wanted:
            found = column.related_model._default_manager.in_bulk(wanted)
            names.update({(column.name, str(key)): str(target) for key, target in found.items()})
    return names


def plain(value: Any) -> Any:
    """A value as it compares between two versions: a decimal by its digits, an id as text."""
    if isinstance(value, Decimal | UUID | date):
        return str(value)
    return value


def fact_value(form: str, field: str, value: Any, zone: str) -> str:
    """What a rule looked at, as its own form shows it; as it stands where it is no column's text."""
    column = (
        next((f for f in ANY_FORM[form]._meta.fields if f.name == field), None) if form in ANY_FORM else None
    )
    if value in ("True", "False"):
        return str(T("Yes", "是") if value == "True" else T("No", "否"))
    if column is None or value in (None, ""):
        return str(value) if value not in (None, "") else NOTHING
    try:
        return shown(column, value, zone)
    except (TypeError, ValueError, AttributeError, ValidationError):
        return str(value)


def limit_of(evidence: Mapping[str, Any]) -> str:
    """The limit of a finding in the active language."""
    limit = str(evidence.get("limit", ""))
    return T(limit, str(evidence.get("limit_zh") or limit))
