"""`Screening`: the facts that the criteria ask for, flattened from the forms, as of one milestone.

None is "not known": never answered, not done, too old, or by a method that does not count. Yes-or-no answers are
"YES", "NO", "UNKNOWN" or None. Dates are ISO text as far as they are known, dates, or the span of days they could be.
Numbers are in the unit stated beside them. `sources` says where each fact stands, `lacking` why one does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any
from uuid import UUID

from safety.eligibility.intervals import Day
from subjects.codelists import (
    ALLERGEN_CLASS,
    CONTRACEPTION_METHOD,
    DNA_RESULT,
    EXPANSION,
    RELAPSE_TYPE,
    SEX,
    TARGET_ANTIGEN,
)
from trial.codes import POS_NEG, CodeList
from visits.codelists import CD19_METHOD, CD19_SPECIMEN, ECHO_METHOD

# ruff: noqa: RUF009 - the call makes a dataclass field, not a default


def _fact(en: str, zh: str, unit: str = "", default: Any = None, codes: CodeList | None = None) -> Any:
    return field(default=default, metadata={"en": en, "zh": zh, "unit": unit, "codes": codes})


@dataclass(frozen=True)
class Source:
    """Where a fact stands: form, record and field, and the day it is of."""

    form: str
    record: UUID | None
    field: str
    day: str = ""


@dataclass(frozen=True)
class Screening:
    """Everything the criteria look at. The names are those of the acceptance vectors."""

    # Anchors
    icf: Day = _fact("Consent", "签署知情同意日期")
    screening_start: Day = _fact("Start of screening", "筛选开始日期")
    infusion_date: Day = _fact("Infusion, actual or else planned", "回输日期(实际,否则计划)")

    # I-01, E-01, E-16
    relapse_after_first_remission: str | None = _fact("Relapse after first remission", "首次缓解后复发")
    refractory_primary: str | None = _fact("Primary refractory", "原发难治")
    induction_cycles: int | None = _fact("Induction cycles without remission", "未达缓解的诱导疗程数")
    prior_allo_sct: str | None = _fact("Prior allogeneic transplant", "既往异基因移植")
    last_allo_sct_date: Day = _fact("Latest allogeneic transplant", "最近一次异基因移植日期")
    bm_relapse_after_sct: str | None = _fact("Marrow relapse after transplant", "移植后骨髓复发")
    gvhd_active: str | None = _fact("GVHD active at consent", "签署知情同意时GVHD活动")
    ph_positive: str | None = _fact("Ph positive", "Ph阳性")
    tki_intolerant: str | None = _fact("TKI not tolerated", "TKI不耐受")
    tki_lines_failed: int | None = _fact("TKI lines failed", "TKI治疗失败线数")
    tki_contraindicated: str | None = _fact("TKI contraindicated", "TKI禁忌")
    number_of_relapses: int | None = _fact("Number of relapses", "复发次数")
    relapse_type: str | None = _fact("Type of latest relapse", "最近一次复发类型", codes=RELAPSE_TYPE)

    # I-02, I-03
    cd19_specimen: str | None = _fact("CD19 specimen", "CD19标本", codes=CD19_SPECIMEN)
    cd19_method: str | None = _fact("CD19 method", "CD19检测方法", codes=CD19_METHOD)
    cd19_result: str | None = _fact("CD19 result", "CD19结果", codes=POS_NEG)
    cd19_pct_blasts: Decimal | None = _fact("CD19+ share of blasts", "CD19阳性原始细胞比例", "%")
    bm_blast_pct_morph: Decimal | None = _fact(
        "Marrow lymphoblasts by morphology", "骨髓形态学原始淋巴细胞", "%"
    )

    # I-04. A qualifier (< <= > >=) says that the true value lies beyond the number.
    lvef_pct: Decimal | None = _fact("LVEF", "左室射血分数", "%")
    lvef_method: str | None = _fact("LVEF method", "LVEF检测方法", codes=ECHO_METHOD)
    creatinine: Decimal | None = _fact("Creatinine", "肌酐")
    creatinine_unit: str | None = _fact("Creatinine unit", "肌酐单位")
    creatinine_qual: str = _fact("Creatinine qualifier", "肌酐限定符", default="")
    alt: Decimal | None = _fact("ALT", "ALT", "U/L")
    alt_uln: Decimal | None = _fact("ALT upper limit", "ALT参考上限", "U/L")
    alt_qual: str = _fact("ALT qualifier", "ALT限定符", default="")
    ast: Decimal | None = _fact("AST", "AST", "U/L")
    ast_uln: Decimal | None = _fact("AST upper limit", "AST参考上限", "U/L")
    ast_qual: str = _fact("AST qualifier", "AST限定符", default="")
    bilirubin: Decimal | None = _fact("Total bilirubin", "总胆红素")
    bilirubin_unit: str | None = _fact("Bilirubin unit", "胆红素单位")
    bilirubin_qual: str = _fact("Bilirubin qualifier", "胆红素限定符", default="")
    dyspnea_grade: int | None = _fact("Dyspnoea grade", "呼吸困难分级")
    spo2_pct: Decimal | None = _fact("SpO2", "血氧饱和度", "%")
    room_air: bool | None = _fact("On room air", "未吸氧")

    # I-05 to I-11
    consent_signed: str | None = _fact("Signed by the subject", "受试者本人签署")
    consent_version_approved: str | None = _fact("Version approved on that day", "签署版本已获批准")
    treatment_withdrawn: str | None = _fact("Consent to treatment withdrawn", "撤回治疗同意")
    birth_date: Day = _fact("Date of birth", "出生日期")
    sex: str | None = _fact("Sex", "性别", codes=SEX)
    male_fertile: str | None = _fact("Fertile man", "男性有生育能力")
    wocbp: str | None = _fact("Childbearing potential", "有生育能力的女性")
    contraception_agrees: str | None = _fact("Agrees to contraception", "同意避孕")
    contraception_methods: tuple[str, ...] | None = _fact(
        "Methods of contraception", "避孕方法", codes=CONTRACEPTION_METHOD
    )
    tcell_expansion: str | None = _fact("T-cell expansion", "T细胞扩增", codes=EXPANSION)
    ecog: int | None = _fact("ECOG", "ECOG评分")
    vascular_access: str | None = _fact("Vessels allow apheresis", "血管条件满足单采")
    survival_over_3_months: str | None = _fact("Expected survival over 3 months", "预计生存期大于3个月")

    # E-02, E-03, E-08 to E-12, E-15: from logs; None while a log is not known to be complete
    malignancy_ongoing: str | None = _fact("Other malignancy, ongoing", "其他恶性肿瘤(持续)")
    malignancy_past: str | None = _fact("Other malignancy, past", "其他恶性肿瘤(既往)")
    prior_antigens: tuple[str, ...] = _fact(
        "Antigens of prior therapy", "既往治疗靶抗原", default=(), codes=TARGET_ANTIGEN
    )
    prior_therapy_complete: bool | None = _fact("Prior therapy complete", "既往治疗记录完整")
    severe_allergies: tuple[str, ...] = _fact(
        "Severe immediate reactions to", "严重速发型过敏原", default=(), codes=ALLERGEN_CLASS
    )
    allergies_complete: bool | None = _fact("Allergies complete", "过敏记录完整")
    cns_history: str | None = _fact("CNS disease, past or present", "中枢神经系统疾病史")
    cns_leukaemia: str | None = _fact("Leukaemia in the CNS", "中枢神经系统白血病")
    angioplasty_dates: tuple[Day, ...] | None = _fact("Angioplasty or stent on", "血管成形或支架日期")
    myocardial_infarction: str | None = _fact("Myocardial infarction", "心肌梗死")
    unstable_angina: str | None = _fact("Unstable angina", "不稳定型心绞痛")
    other_heart_disease: str | None = _fact("Other significant heart disease", "其他有临床意义的心脏病")
    primary_immunodeficiency: str | None = _fact("Primary immunodeficiency", "原发性免疫缺陷")
    autoimmune_active: str | None = _fact("Autoimmune disease active", "自身免疫病活动")

    # E-04, E-13, E-17
    any_immunosuppressant: str | None = _fact(
        "Immunosuppressant or steroid before consent", "同意前用免疫抑制剂或激素"
    )
    steroid_last_dose: Day = _fact("Its last day", "末次用药日期")
    planned: str | None = _fact("Immunosuppressants or steroids planned", "计划使用免疫抑制剂或激素")
    live_vaccine: str | None = _fact("Live vaccine", "活疫苗")
    live_vaccine_date: Day = _fact("Day of live vaccine", "活疫苗接种日期")
    imp_ever: str | None = _fact("Investigational product", "试验用药品")
    imp_last_dose: Day = _fact("Its last day", "末次给药日期")

    # E-05, E-07
    hbsag: str | None = _fact("HBsAg", "HBsAg", codes=POS_NEG)
    hbeag: str | None = _fact("HBeAg", "HBeAg", codes=POS_NEG)
    hbeab: str | None = _fact("HBeAb", "HBeAb", codes=POS_NEG)
    hbcab: str | None = _fact("HBcAb", "HBcAb", codes=POS_NEG)
    hbv_dna: str | None = _fact("HBV DNA", "HBV-DNA", codes=DNA_RESULT)
    hcv_ab: str | None = _fact("HCV antibody", "HCV-Ab", codes=POS_NEG)
    tp_ab: str | None = _fact("Treponema antibody", "TP-Ab", codes=POS_NEG)
    hiv_ab: str | None = _fact("HIV antibody", "HIV抗体", codes=POS_NEG)
    ebv_dna: str | None = _fact("EBV DNA", "EBV-DNA", codes=DNA_RESULT)
    cmv_dna: str | None = _fact("CMV DNA", "CMV-DNA", codes=DNA_RESULT)
    sars_cov_2: str | None = _fact("SARS-CoV-2", "新型冠状病毒", codes=POS_NEG)

    # E-06, E-14, E-18
    uncontrolled_infection: str | None = _fact("Uncontrolled infection", "未控制的感染")
    pregnancy_test: str | None = _fact("Pregnancy test", "妊娠检测", codes=POS_NEG)
    lactating: str | None = _fact("Lactating", "哺乳")
    other_unsuitable: str | None = _fact("Otherwise unsuitable", "其他不适合情况")

    # Signs that decide nothing and are asked about
    fever_c: Decimal | None = _fact("Fever", "发热", "°C")
    infection_grade: int | None = _fact("Grade of an infection that goes on", "持续感染的分级")
    later_blasts_pct: Decimal | None = _fact("Blasts in a later marrow", "后续骨髓原始细胞比例", "%")
    unsigned_version: str | None = _fact(
        "Consent version in force and not signed", "现行但未签署的知情同意版本"
    )
    batch_rejected: str | None = _fact("Batch rejected", "批次不予放行")

    sources: Mapping[str, Source] = field(default_factory=dict)
    lacking: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wording:
    """How a fact is named and in which unit it is."""

    en: str
    zh: str
    unit: str
    codes: CodeList | None

    def said(self, value: str, at: int) -> str:
        """How a value reads in English (at 0) or Chinese (at 1)."""
        if value in _ANSWERS:
            return _ANSWERS[value][at]
        return self.codes.words(value)[at] if self.codes else value


_ANSWERS = {"True": ("Yes", "是"), "False": ("No", "否"), "YES": ("Yes", "是"), "NO": ("No", "否")}
WORDING: dict[str, Wording] = {
    one.name: Wording(one.metadata["en"], one.metadata["zh"], one.metadata["unit"], one.metadata["codes"])
    for one in fields(Screening)
    if one.metadata
}
