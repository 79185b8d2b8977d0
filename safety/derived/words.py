"""The codes that derivations give, in words: what a page shows where the API and the files keep the code."""

from typing import Any

from safety.derive import kinetics
from safety.derive.survival import Reason
from trial.codes import CodeList
from visits import codelists

STATUS = CodeList(
    "CL_SUBJ_STATUS",
    (
        ("NEW", "Not consented yet", "尚未签署知情同意"),
        ("CONSENTED", "Consented", "已签署知情同意"),
        ("SCREEN_FAILED", "Screen failure", "筛选失败"),
        ("ENROLLED", "Enrolled", "已入组"),
        ("LEUKAPHERESED", "Leukapheresis done", "已单采"),
        ("MFG", "In manufacturing", "制备中"),
        ("LD", "In lymphodepletion", "清淋中"),
        ("INFUSED", "Infused", "已回输"),
        ("FOLLOW_UP", "In follow-up", "随访中"),
        ("LTFU", "In long-term follow-up", "长期随访中"),
        ("COMPLETED", "Completed", "已完成"),
        ("WITHDRAWN", "Withdrawn", "已退出"),
        ("DEAD", "Died", "已死亡"),
    ),
)
SETS = CodeList(
    "CL_ANALYSIS_SET",
    (
        ("ENROLLED", "Enrolled", "入组集"),
        ("LEUKAPHERESED", "Leukapheresed", "单采集"),
        ("SAFETY", "Safety", "安全性集"),
        ("DLT", "DLT-evaluable", "DLT可评价集"),
        ("EFFICACY", "Efficacy", "疗效集"),
        ("PK", "Cell kinetics", "细胞动力学集"),
    ),
)
MRD = CodeList(
    "CL_MRD_CATEGORY",
    (
        ("NEGATIVE", "Negative", "阴性"),
        ("NEGATIVE_INSUFFICIENT_SENSITIVITY", "Negative, not sensitive enough", "阴性(灵敏度不足)"),
        ("POSITIVE", "Positive", "阳性"),
        ("UNKNOWN", "Unknown", "未知"),
    ),
)
REASON = CodeList(
    "CL_TIME_REASON",
    (
        (Reason.DEATH, "Death", "死亡"),
        (Reason.PROGRESSION, "Progression or relapse", "疾病进展或复发"),
        (Reason.NO_RESPONSE, "No response", "未缓解"),
        (Reason.NEW_THERAPY, "New anti-leukaemia therapy", "新的抗白血病治疗"),
        (Reason.TRANSPLANT, "Transplant in remission", "缓解期移植"),
        (Reason.NO_ASSESSMENT, "No assessment", "无评估"),
        (Reason.NO_EVENT, "No event so far", "至今无事件"),
        (Reason.CUT_OFF, "Data cut-off", "数据截止"),
    ),
)
FLAG = CodeList(
    "CL_PK_FLAG",
    (
        (kinetics.ALL_BLQ, "All results below the limit of quantification", "全部低于定量下限"),
        (kinetics.INSUFFICIENT, "Too few samples", "采样不足"),
        (kinetics.TRUNCATED, "Ends before Day 28", "早于第28天截止"),
    ),
)
CODED: dict[tuple[str, str], CodeList] = {
    ("subject_status", "status"): STATUS,
    ("analysis_sets", "sets"): SETS,
    ("mrd", "category"): MRD,
    ("mrd", "method"): codelists.MRD_METHOD,
    ("response", "mrd"): MRD,
    ("response", "response"): codelists.RESPONSE,
    ("response", "investigator"): codelists.RESPONSE,
    ("best_response", "best"): codelists.RESPONSE,
    ("best_response", "investigator"): codelists.RESPONSE,
    ("os", "reason"): REASON,
    ("pfs", "reason"): REASON,
    ("dor", "reason"): REASON,
    ("pk", "assay"): codelists.PK_ASSAY,
    ("pk", "specimen"): codelists.PK_SPECIMEN,
    ("pk", "flag"): FLAG,
}
"""Derivation and value to the list of its codes."""


def in_words(derivation: str, name: str, value: Any) -> Any:
    """A derived code, or a list of them, by its label in the active language; anything else as it is."""
    codes = CODED.get((derivation, name))
    if codes is None:
        return value
    if isinstance(value, list):
        return [in_words(derivation, name, one) for one in value]
    return str(codes.label(value)) if isinstance(value, str) and value else value
