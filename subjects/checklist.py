"""The investigator's eligibility checklist: one record per milestone, one answer per criterion.

What the rules find from the data stands apart from this form; here is what the investigator says.
"""

from collections.abc import Iterator
from typing import Any

from subjects.codelists import MILESTONE, OVERALL, VERDICT
from subjects.crf import CRF
from trial.findings import Doubt
from trial.item import Basis, code, day, long_text
from trial.logic import Verdict, all_of
from trial.text import T

INCLUSION = T("Inclusion criteria", "入选标准")
EXCLUSION = T("Exclusion criteria", "排除标准")
INCLUSIONS = tuple(f"i_{n:02}" for n in range(1, 12))
EXCLUSIONS = tuple(f"e_{n:02}" for n in range(1, 19))
OUTCOME = {Verdict.MET: "ELIGIBLE", Verdict.NOT_MET: "INELIGIBLE", Verdict.UNKNOWN: "UNKNOWN"}


def _criterion(number: str, en: str, zh: str) -> Any:
    """The answer to one criterion of the registry record: "I-01" and what it is about, in a few words."""
    return code(
        VERDICT,
        en=f"{number} {en}",
        zh=f"{number} {zh}",
        section=INCLUSION if number.startswith("I") else EXCLUSION,
        cdash=f"{number.replace('-', '')}_IEORRES",
        basis=Basis.REGISTRY,
        required=True,
    )


def _answer(record: Any, name: str) -> Verdict:
    """The answer as a verdict; none yet is unknown."""
    return Verdict(getattr(record, name) or "UNKNOWN")


def conclusion(record: Any) -> str:
    """Eligible when every inclusion is met and no exclusion is; one failure suffices for not eligible."""
    inclusions = (_answer(record, name) for name in INCLUSIONS)
    exclusions = (~_answer(record, name) for name in EXCLUSIONS)
    return OUTCOME[all_of((*inclusions, *exclusions))]


class Eligibility(CRF):
    """All 29 criteria at one milestone, as judged by the investigator.

    For an exclusion, Met means that it is present. There are no waivers: a criterion
    that failed stays failed whatever reason is given for a discordance.
    """

    form = "eligibility"
    domain = "IE"
    repeats = "log"
    dated_by = "assessed_date"

    milestone = code(MILESTONE, en="Milestone", zh="评估节点", required=True, sdtm="VISIT")
    assessed_date = day(en="Date of assessment", zh="评估日期", cdash="IEDAT", required=True)
    planned_infusion_date = day(
        en="Planned infusion date",
        zh="计划回输日期",
        cdash="PLINFDAT",
        future=True,
        note=T(
            "After an allogeneic transplant I-01 cannot be told without it.",
            "有异基因移植史者,缺此日期则 I-01 不能判定。",
        ),
    )

    i_01 = _criterion("I-01", "Relapsed or refractory ALL", "复发或难治性ALL")
    i_02 = _criterion("I-02", "CD19 expression by flow cytometry", "流式细胞术证实CD19表达")
    i_03 = _criterion("I-03", "At least 5% marrow blasts by morphology", "骨髓形态学原始细胞≥5%")
    i_04 = _criterion("I-04", "Adequate organ function", "器官功能充分")
    i_05 = _criterion("I-05", "Consent signed by the subject", "受试者本人签署知情同意书")
    i_06 = _criterion("I-06", "Age 18 to 65", "年龄18至65岁")
    i_07 = _criterion("I-07", "Effective contraception", "采取有效避孕措施")
    i_08 = _criterion("I-08", "Qualified T-cell expansion", "T细胞扩增合格")
    i_09 = _criterion("I-09", "ECOG 0 or 1", "ECOG评分0至1分")
    i_10 = _criterion("I-10", "Vessels allow apheresis", "血管条件满足单采")
    i_11 = _criterion("I-11", "Expected survival over 3 months", "预计生存期大于3个月")

    e_01 = _criterion("E-01", "Isolated extramedullary relapse", "孤立性髓外复发")
    e_02 = _criterion("E-02", "Other malignancy", "合并其他恶性肿瘤")
    e_03 = _criterion("E-03", "Prior anti-CD19 or anti-CD3 therapy", "既往接受抗CD19或抗CD3治疗")
    e_04 = _criterion(
        "E-04", "Immunosuppressants or steroids, recent or planned", "近期使用或计划使用免疫抑制剂或激素"
    )
    e_05 = _criterion("E-05", "Hepatitis, syphilis, EBV or CMV markers", "乙肝、丙肝、梅毒、EBV或CMV检测异常")
    e_06 = _criterion("E-06", "Uncontrolled infection", "未控制的感染")
    e_07 = _criterion("E-07", "HIV, syphilis or COVID-19", "HIV、梅毒或新型冠状病毒感染")
    e_08 = _criterion("E-08", "Severe aminoglycoside hypersensitivity", "氨基糖苷类严重速发型超敏反应史")
    e_09 = _criterion("E-09", "CNS disease, past or present", "既往或现患中枢神经系统疾病")
    e_10 = _criterion("E-10", "Significant heart disease or recent stent", "有临床意义的心脏病或近期支架植入")
    e_11 = _criterion("E-11", "Primary immunodeficiency", "原发性免疫缺陷")
    e_12 = _criterion("E-12", "Severe hypersensitivity to a study drug", "对研究用药有严重速发型超敏反应")
    e_13 = _criterion("E-13", "Live vaccine within 6 weeks", "6周内接种活疫苗")
    e_14 = _criterion("E-14", "Pregnant or lactating", "妊娠或哺乳")
    e_15 = _criterion("E-15", "Active autoimmune disease", "活动性自身免疫性疾病")
    e_16 = _criterion("E-16", "Active GVHD", "活动性移植物抗宿主病")
    e_17 = _criterion("E-17", "Investigational product within 3 months", "3个月内使用试验用药品")
    e_18 = _criterion("E-18", "Otherwise unsuitable", "研究者认为不适合的其他情况")

    discordance_reason = long_text(
        en="Reason for differing from the computed result",
        zh="与系统判定不一致的原因",
        note=T(
            "Name the criterion. A reason never makes a subject eligible.",
            "请注明标准编号。说明原因不能使受试者变为合格。",
        ),
    )
    overall = code(OVERALL, en="Overall", zh="总体结论", calc=conclusion)

    class Meta(CRF.Meta):
        verbose_name = T("Eligibility checklist", "入选排除标准核对表")

    def doubts(self) -> Iterator[Doubt]:
        """Isolated extramedullary relapse and a marrow full of blasts exclude each other; a plan lies ahead."""
        if (
            self.planned_infusion_date
            and self.assessed_date
            and self.planned_infusion_date < self.assessed_date
        ):
            yield Doubt(
                "planned_infusion_date",
                "eligibility.planned_infusion_is_past",
                T(
                    f"The infusion is planned for {self.planned_infusion_date}, before this assessment "
                    f"({self.assessed_date}).",
                    f"计划回输日期 {self.planned_infusion_date} 早于本次评估日期({self.assessed_date})。",
                ),
                value=str(self.planned_infusion_date),
                limit=str(self.assessed_date),
            )
        if self.e_01 == "MET" and self.i_03 == "MET":
            yield Doubt(
                "e_01",
                "eligibility.isolated_relapse_with_marrow",
                T(
                    "E-01 (isolated extramedullary relapse) is met together with I-03 (5% marrow blasts or "
                    "more). One of the two is expected to be not met.",
                    "E-01（孤立性髓外复发）与I-03（骨髓原始细胞≥5%）同时为“符合”。两者之一应为“不符合”。",
                ),
                value="MET",
                limit="NOT_MET",
            )
