"""Pregnancy, contraception, and what only the investigator can judge."""

from collections.abc import Iterator
from typing import Any

from subjects.codelists import CONTRACEPTION_METHOD, EXPANSION, INFECTION_TYPE, PREGNANCY_SPECIMEN
from subjects.crf import CRF
from trial.codes import POS_NEG, YES_NO
from trial.findings import Doubt
from trial.item import Basis, code, codes_many, day, long_text, yes_no
from trial.text import T


class PregnancyTest(CRF):
    """Pregnancy and lactation. Registry E-14."""

    form = "pregnancy_test"
    domain = "LB"
    repeats = "visit"
    dated_by = "pt_date"

    pt_date = day(en="Date of test", zh="检测日期", cdash="LBDAT", required=True)
    specimen = code(
        PREGNANCY_SPECIMEN,
        en="Test",
        zh="检测类型",
        note=T("Serum at screening.", "筛选期须为血清检测。"),
        required=True,
        sdtm="LBSPEC",
    )
    result = code(POS_NEG, en="Result", zh="结果", cdash="HCG_LBORRES", required=True)
    lactating = code(
        YES_NO, en="Lactating", zh="是否哺乳", required=True, sdtm="RPORRES where RPTESTCD = LACTATIN"
    )

    class Meta(CRF.Meta):
        verbose_name = T("Pregnancy test", "妊娠检测")

    def doubts(self) -> Iterator[Doubt]:
        """Screening expects the serum test."""
        if self.visit == "SCR" and self.specimen == "URINE_HCG":
            yield Doubt(
                "specimen",
                "pregnancy_test.urine_at_screening",
                T(
                    "A urine test at screening: a serum test is expected. Was serum tested too?",
                    "筛选期采用尿妊娠试验：应为血清检测。是否另有血清检测结果？",
                ),
                value="URINE_HCG",
                limit="SERUM_HCG",
            )


def any_highly_effective(record: Any) -> bool | None:
    """Whether one of the methods alone is reliable: every one of the list but the condom is."""
    methods = record.method
    return any(method != "CONDOM+SPERMICIDE" for method in methods) if methods else None


class Contraception(CRF):
    """Commitment to contraception. Registry I-07."""

    form = "contraception"
    domain = "RP"
    repeats = "visit"
    dated_by = ""

    agrees = code(
        YES_NO,
        en="Agrees to contraception throughout the study",
        zh="同意在整个研究期间采取避孕措施",
        basis=Basis.REGISTRY,
        required=True,
    )
    method = codes_many(
        CONTRACEPTION_METHOD, en="Methods", zh="避孕方法", when={"agrees": ("YES",)}, required=True
    )
    highly_effective = yes_no(
        en="Highly effective",
        zh="高效避孕",
        calc=any_highly_effective,
        basis=Basis.GUIDELINE,
        note=T(
            "After the CTFG recommendations on contraception in trials; to be verified against their text.",
            "参照CTFG临床试验避孕建议；须与原文核对。",
        ),
    )

    class Meta(CRF.Meta):
        verbose_name = T("Contraception", "避孕承诺")


class SurvivalEstimate(CRF):
    """What only the investigator can judge. Registry I-08, I-10, I-11, E-04 (plans), E-06 and E-18."""

    form = "survival_estimate"
    domain = "IE"
    repeats = "visit"
    dated_by = ""

    est_survival_gt_3m = code(
        YES_NO,
        en="Expected to survive more than 3 months (I-11)",
        zh="预计生存期大于3个月（I-11）",
        basis=Basis.REGISTRY,
        required=True,
    )
    vascular_access_ok = code(
        YES_NO,
        en="Vessels allow apheresis (I-10)",
        zh="血管条件满足单采（I-10）",
        basis=Basis.REGISTRY,
        required=True,
    )
    tcell_expansion_qualified = code(
        EXPANSION,
        en="T-cell expansion (I-08)",
        zh="T细胞扩增（I-08）",
        note=T("From the manufacturer's small-scale expansion.", "依据制备方小规模扩增试验。"),
        basis=Basis.REGISTRY,
        required=True,
    )
    uncontrolled_infection = code(
        YES_NO,
        en="Uncontrolled infection (E-06)",
        zh="未控制的感染（E-06）",
        basis=Basis.REGISTRY,
        required=True,
    )
    infection_type = codes_many(
        INFECTION_TYPE,
        en="Kind of infection",
        zh="感染类型",
        basis=Basis.REGISTRY,
        when={"uncontrolled_infection": ("YES",)},
        required=True,
    )
    other_unsuitable = code(
        YES_NO,
        en="Otherwise unsuitable for cell therapy (E-18)",
        zh="其他不适合接受细胞治疗的情况（E-18）",
        basis=Basis.REGISTRY,
        required=True,
    )
    unsuitable_reason = long_text(
        en="Reason", zh="不适合的原因", when={"other_unsuitable": ("YES",)}, required=True
    )
    planned_immunosuppression = code(
        YES_NO,
        en="Immunosuppressants or steroids planned after consent (E-04)",
        zh="签署知情同意后计划使用免疫抑制剂或激素（E-04）",
        basis=Basis.REGISTRY,
        required=True,
    )

    class Meta(CRF.Meta):
        verbose_name = T("Investigator's judgement", "研究者判断")
