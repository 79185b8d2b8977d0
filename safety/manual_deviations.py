"""Deviations that people notice: the log kept by hand beside those that the rules find (`safety.Deviation`)."""

from subjects.crf import CRF
from trial.codes import CodeList
from trial.item import code, day, long_text, moment, yes_no
from trial.text import T

RULE_ID = CodeList("CL_RULE", tuple((f"DV-{n:02}", f"DV-{n:02}", f"DV-{n:02}") for n in range(1, 65)))
SOURCE = CodeList(
    "CL_DV_SOURCE", (("AUTO", "Found by a rule", "规则发现"), ("MANUAL", "Noticed", "人工发现"))
)
CATEGORY = CodeList(
    "CL_DVCAT",
    (
        ("CONSENT", "Consent", "知情同意"),
        ("ELIGIBILITY", "Eligibility", "入选资格"),
        ("TREATMENT", "Treatment", "研究治疗"),
        ("PROCEDURE", "Procedure", "研究操作"),
        ("VISIT_WINDOW", "Visit window", "访视窗口"),
        ("PROHIBITED_MED", "Prohibited medication", "禁用药物"),
        ("SAFETY_REPORTING", "Safety reporting", "安全性报告"),
        ("SAMPLE", "Sample", "样本"),
        ("DATA", "Data", "数据"),
        ("PRODUCT", "Product", "细胞产品"),
    ),
)
SEVERITY = CodeList(
    "CL_DV_SEVERITY",
    (
        ("MINOR", "Minor", "轻微"),
        ("MAJOR", "Major", "重大"),
        ("IMPORTANT", "Important (ICH E3)", "重要(ICH E3)"),
    ),
)
_WHAT, _IMPACT, _AFTER = (
    T("What happened", "偏离内容"),
    T("Impact", "影响"),
    T("What was done", "处理"),
)


def _by_hand(record: object) -> str:
    """This log is kept by hand; what rules find stands apart."""
    return "MANUAL"


class ProtocolDeviation(CRF):
    """One deviation from the protocol that a person noticed. Those that rules find are never entered here."""

    form = "protocol_deviation"
    domain = "DV"
    repeats = "log"
    dated_by = "start_date"

    source = code(SOURCE, en="Source", zh="来源", section=_WHAT, calc=_by_hand)
    rule_id = code(
        RULE_ID, en="Rule it concerns, if any", zh="涉及的规则(如有)", section=_WHAT, sdtm="DVDECOD"
    )
    category = code(CATEGORY, en="Category", zh="类别", section=_WHAT, cdash="DVCAT", required=True)
    start_date = day(en="Date of the deviation", zh="偏离日期", section=_WHAT, cdash="DVSTDAT", required=True)
    detected_dt = moment(en="Noticed at", zh="发现时间", section=_WHAT, required=True)
    description = long_text(en="Description", zh="描述", section=_WHAT, cdash="DVTERM", required=True)
    severity = code(SEVERITY, en="Severity", zh="严重程度", section=_IMPACT, required=True)
    impact_subject_safety = yes_no(
        en="Affects the subject's rights, safety or well-being",
        zh="是否影响受试者权益、安全或健康",
        section=_IMPACT,
        required=True,
    )
    impact_data = yes_no(
        en="Affects the reliability of the data", zh="是否影响数据可靠性", section=_IMPACT, required=True
    )
    capa = long_text(
        en="Corrective and preventive action",
        zh="纠正与预防措施",
        section=_AFTER,
        when={"severity": ("MAJOR", "IMPORTANT")},
        required=True,
    )
    irb_reported_dt = moment(
        en="Reported to the ethics committee",
        zh="报告伦理委员会时间",
        section=_AFTER,
        when={"severity": ("IMPORTANT",)},
        not_before="detected_dt",
        required=True,
    )
    closed_dt = moment(en="Closed", zh="关闭时间", section=_AFTER, not_before="detected_dt")

    class Meta(CRF.Meta):
        verbose_name = T("Deviation noticed by a person", "人工登记的方案偏离")
