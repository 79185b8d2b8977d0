"""Safety laboratory. Each analyte keeps the result as reported; ranges hold for its canonical unit."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from subjects.crf import CRF
from trial.analyte import Analyte, measured
from trial.findings import Doubt
from trial.item import code, link, moment
from trial.text import T
from visits.codelists import DIPSTICK

ROUNDING = Decimal("1.05")
LIVER = T("Liver", "肝功能")
KIDNEY = T("Kidney and metabolism", "肾功能与代谢")
ELECTROLYTES = T("Electrolytes", "电解质")
INFLAMMATION = T("Inflammation", "炎症指标")


def measured_at() -> Any:
    """Which laboratory of the site measured the panel; a new panel gets the site's default laboratory."""
    return link(
        "visits.Laboratory",
        en="Laboratory",
        zh="检测实验室",
        cdash="LBNAM",
        note=T(
            "Left empty on a new form: the default laboratory of the site. Its reference ranges are kept with the results.",
            "新表留空时取中心的默认实验室;其参考范围随结果保存。",
        ),
    )


class Haematology(CRF):
    """Blood count with differential."""

    form = "haematology"
    domain = "LB"
    repeats = "visit"
    dated_by = "lb_dt"

    lb_dt = moment(en="Date and time of sampling", zh="采样日期时间", cdash="LBDAT+LBTIM", required=True)
    laboratory = measured_at()
    wbc = Analyte(
        "cells", en="White blood cells", zh="白细胞计数", hard=(0, 1000), soft=("0.1", 100), required=True
    )
    anc = Analyte(
        "cells", en="Neutrophils", zh="中性粒细胞绝对值", hard=(0, 500), soft=(0, 30), required=True
    )
    alc = Analyte("cells", en="Lymphocytes", zh="淋巴细胞绝对值", hard=(0, 800), soft=(0, 20), required=True)
    hgb = Analyte("protein", en="Haemoglobin", zh="血红蛋白", hard=(10, 250), soft=(60, 180), required=True)
    plt = Analyte("cells", en="Platelets", zh="血小板计数", hard=(0, 3000), soft=(5, 600), required=True)
    blast_pb_pct = Analyte(
        "percent", en="Blasts in blood", zh="外周血原始细胞比例", hard=(0, 100), soft=(0, 95), required=True
    )
    monocytes = Analyte("cells", en="Monocytes", zh="单核细胞绝对值", hard=(0, 200), soft=(0, 3))
    reticulocytes = Analyte("percent", en="Reticulocytes", zh="网织红细胞比例", hard=(0, 50), soft=(0, 10))

    class Meta(CRF.Meta):
        verbose_name = T("Haematology", "血常规")

    def doubts(self) -> Iterator[Doubt]:
        """The kinds of white cells together cannot outnumber the white cells, rounding apart."""
        white = measured(self, "cells", "wbc")
        kinds = [measured(self, "cells", name) for name in ("anc", "alc", "monocytes")]
        total = sum((one.value for one in kinds if one is not None and not one.qualifier), Decimal(0))
        if white is not None and not white.qualifier and total > white.value * ROUNDING:
            yield Doubt(
                "wbc_value",
                "haematology.differential",
                T(
                    f"Neutrophils, lymphocytes and monocytes add up to {total:f}, more than the white cells "
                    f"{white.value:f} 10^9/L. Check the values and their units.",
                    f"中性粒细胞、淋巴细胞与单核细胞之和 {total:f} 超过白细胞 {white.value:f} 10^9/L。"
                    "请核对数值和单位。",
                ),
                f"{white.value:f}",
                f"≥ {total:f}",
            )


class Chemistry(CRF):
    """Clinical chemistry. Creatinine, transaminases and bilirubin are read by registry I-04(2) and (3)."""

    form = "chemistry"
    domain = "LB"
    repeats = "visit"
    dated_by = "lb_dt"

    lb_dt = moment(en="Date and time of sampling", zh="采样日期时间", cdash="LBDAT+LBTIM", required=True)
    laboratory = measured_at()
    creatinine = Analyte(
        "creatinine",
        en="Creatinine",
        zh="肌酐",
        hard=(5, 3000),
        soft=(30, 300),
        required=True,
        section=KIDNEY,
    )
    alt = Analyte(
        "enzyme",
        en="Alanine aminotransferase (ALT)",
        zh="丙氨酸氨基转移酶(ALT)",
        hard=(0, 20000),
        soft=(3, 500),
        required=True,
        section=LIVER,
    )
    ast = Analyte(
        "enzyme",
        en="Aspartate aminotransferase (AST)",
        zh="天门冬氨酸氨基转移酶(AST)",
        hard=(0, 20000),
        soft=(3, 500),
        required=True,
        section=LIVER,
    )
    tbil = Analyte(
        "bilirubin",
        en="Total bilirubin",
        zh="总胆红素",
        hard=(0, 1500),
        soft=(3, 100),
        required=True,
        section=LIVER,
    )
    dbil = Analyte(
        "bilirubin", en="Direct bilirubin", zh="直接胆红素", hard=(0, 1500), soft=(0, 60), section=LIVER
    )
    alp = Analyte(
        "enzyme",
        en="Alkaline phosphatase",
        zh="碱性磷酸酶",
        hard=(0, 5000),
        soft=(20, 500),
        required=True,
        section=LIVER,
    )
    ggt = Analyte(
        "enzyme",
        en="Gamma-glutamyl transferase",
        zh="γ-谷氨酰转移酶",
        hard=(0, 5000),
        soft=(5, 500),
        section=LIVER,
    )
    ldh = Analyte(
        "enzyme",
        en="Lactate dehydrogenase",
        zh="乳酸脱氢酶",
        hard=(0, 30000),
        soft=(80, 3000),
        required=True,
        section=LIVER,
    )
    albumin = Analyte(
        "protein", en="Albumin", zh="白蛋白", hard=(5, 80), soft=(20, 55), required=True, section=LIVER
    )
    urea = Analyte(
        "urea",
        en="Urea",
        zh="尿素",
        hard=("0.1", 100),
        soft=(2, 20),
        required=True,
        section=KIDNEY,
        note=T("mg/dL means urea nitrogen.", "以 mg/dL 计时指尿素氮。"),
    )
    uric_acid = Analyte(
        "uric_acid", en="Uric acid", zh="尿酸", hard=(5, 3000), soft=(100, 700), required=True, section=KIDNEY
    )
    glucose = Analyte(
        "glucose", en="Glucose", zh="葡萄糖", hard=("0.5", 100), soft=(3, 20), required=True, section=KIDNEY
    )
    sodium = Analyte(
        "mmol", en="Sodium", zh="钠", hard=(90, 200), soft=(130, 150), required=True, section=ELECTROLYTES
    )
    potassium = Analyte(
        "mmol", en="Potassium", zh="钾", hard=(1, 12), soft=(3, 6), required=True, section=ELECTROLYTES
    )
    calcium = Analyte(
        "calcium",
        en="Calcium",
        zh="钙",
        hard=("0.5", 6),
        soft=("1.8", "2.8"),
        required=True,
        section=ELECTROLYTES,
    )
    phosphate = Analyte(
        "phosphate",
        en="Phosphate",
        zh="无机磷",
        hard=("0.05", 10),
        soft=("0.6", "2.5"),
        required=True,
        section=ELECTROLYTES,
    )
    magnesium = Analyte(
        "magnesium", en="Magnesium", zh="镁", hard=("0.1", 10), soft=("0.5", "1.3"), section=ELECTROLYTES
    )
    crp = Analyte(
        "crp",
        en="C-reactive protein",
        zh="C反应蛋白",
        hard=(0, 1000),
        soft=(0, 300),
        required=True,
        section=INFLAMMATION,
    )
    ferritin = Analyte(
        "ferritin",
        en="Ferritin",
        zh="铁蛋白",
        hard=(1, 500000),
        soft=(10, 10000),
        required=True,
        section=INFLAMMATION,
    )
    triglycerides = Analyte(
        "triglycerides",
        en="Triglycerides",
        zh="甘油三酯",
        hard=("0.1", 80),
        soft=("0.4", 6),
        section=INFLAMMATION,
    )

    class Meta(CRF.Meta):
        verbose_name = T("Clinical chemistry", "血生化")

    def doubts(self) -> Iterator[Doubt]:
        """Direct bilirubin is a part of the total."""
        total, direct = measured(self, "bilirubin", "tbil"), measured(self, "bilirubin", "dbil")
        if (
            total is None
            or direct is None
            or total.qualifier
            or direct.qualifier
            or direct.value <= total.value
        ):
            return
        yield Doubt(
            "dbil_value",
            "chemistry.direct_bilirubin",
            T(
                f"Direct bilirubin {direct.value:f} exceeds total {total.value:f} umol/L. Exchanged?",
                f"直接胆红素 {direct.value:f} 高于总胆红素 {total.value:f} umol/L。是否将两者填反?",
            ),
            f"{direct.value:f}",
            f"≤ {total.value:f}",
        )


class Coagulation(CRF):
    """Clotting."""

    form = "coagulation"
    domain = "LB"
    repeats = "visit"
    dated_by = "lb_dt"

    lb_dt = moment(en="Date and time of sampling", zh="采样日期时间", cdash="LBDAT+LBTIM", required=True)
    laboratory = measured_at()
    inr = Analyte(
        "ratio", en="INR", zh="国际标准化比值(INR)", hard=("0.5", 20), soft=("0.8", 2), required=True
    )
    aptt = Analyte(
        "seconds", en="aPTT", zh="活化部分凝血活酶时间(APTT)", hard=(10, 250), soft=(20, 60), required=True
    )
    fibrinogen = Analyte(
        "fibrinogen", en="Fibrinogen", zh="纤维蛋白原", hard=(0, 20), soft=("0.8", 8), required=True
    )
    d_dimer = Analyte("d_dimer", en="D-dimer", zh="D-二聚体", hard=(0, 200), soft=(0, 20))

    class Meta(CRF.Meta):
        verbose_name = T("Coagulation", "凝血功能")


class Urinalysis(CRF):
    """Urine dipstick."""

    form = "urinalysis"
    domain = "LB"
    repeats = "visit"
    dated_by = "lb_dt"

    lb_dt = moment(en="Date and time of sampling", zh="采样日期时间", cdash="LBDAT+LBTIM", required=True)
    laboratory = measured_at()
    protein = code(DIPSTICK, en="Protein", zh="尿蛋白", required=True)
    blood = code(DIPSTICK, en="Blood", zh="尿隐血", required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Urinalysis", "尿常规")
