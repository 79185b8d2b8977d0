"""CAR T cells in the body (PK), cytokines and B cells (PD): secondary objectives 2 and 3."""

import re
from collections.abc import Iterator
from decimal import Decimal

from subjects.crf import CRF
from trial.analyte import Analyte
from trial.findings import Doubt, Problem
from trial.item import Basis, code, moment, number, text, whole, yes_no
from trial.text import T
from visits.calc import aplasia
from visits.codelists import PK_ASSAY, PK_SPECIMEN, SAMPLE_QUALITY
from visits.laboratory import measured_at

BELOW = "BLQ"
NUMBER = re.compile(r"^\d+(\.\d+)?([eE][+-]?\d{1,2})?$", re.ASCII)
RESULT = T("Result", "结果")


class PkSample(CRF):
    """One sample for CAR T cell kinetics. The reported text is kept beside the number."""

    form = "pk_sample"
    domain = "PC"
    repeats = "rows"
    dated_by = "collect_dt"

    collect_dt = moment(en="Date and time of sampling", zh="采样日期时间", cdash="PCDAT+PCTIM", required=True)
    nominal_day = whole(
        en="Planned day", zh="计划采样日", unit="day", hard=(0, 5475), cdash="PCTPTNUM", required=True
    )
    specimen = code(PK_SPECIMEN, en="Specimen", zh="标本类型", cdash="PCSPEC", required=True)
    assay = code(PK_ASSAY, en="Assay", zh="检测方法", cdash="PCMETHOD", required=True)
    result_text = text(
        20,
        en="Result as reported",
        zh="报告结果",
        cdash="PCORRES",
        required=True,
        section=RESULT,
        note=T("A number, or BLQ for below the limit of quantification.", "数值;低于定量限填 BLQ。"),
        sdtm="PCORRES where PCTESTCD = CARTGCN",
    )
    copies_per_ug = number(
        14,
        2,
        en="CAR transgene copies",
        zh="CAR拷贝数",
        unit="copies/ug gDNA",
        hard=(0, 1_000_000_000),
        soft=(0, 1_000_000),
        when={"assay": ("QPCR",)},
        section=RESULT,
        sdtm="PCSTRESN, PCSTRESU where PCTESTCD = CARTGCN",
    )
    lloq = number(
        10,
        2,
        en="Lower limit of quantification",
        zh="定量下限",
        unit="copies/ug",
        hard=("0.01", None),
        cdash="PCLLOQ",
        required=True,
        section=RESULT,
        note=T("Of this assay on this day.", "当日该检测的定量下限。"),
    )
    car_pct_cd3 = number(
        6,
        3,
        en="CAR+ share of CD3+ cells",
        zh="CAR阳性占CD3阳性细胞比例",
        unit="%",
        hard=(0, 100),
        required=True,
        when={"assay": ("FLOW",)},
        section=RESULT,
        sdtm="CPORRES, CPORRESU where CPTESTCD = CARCD3",
    )
    car_per_ul = number(
        12,
        3,
        en="CAR T cells",
        zh="CAR-T细胞计数",
        unit="cells/uL",
        hard=(0, 1_000_000),
        section=RESULT,
        sdtm="CPORRES, CPORRESU where CPTESTCD = CARABS",
    )
    gdna_ug = number(
        8,
        4,
        en="Genomic DNA in the assay",
        zh="基因组DNA量",
        unit="ug",
        soft=("0.1", None),
        sdtm="SUPPPC.GDNAUG",
    )
    sample_quality = code(SAMPLE_QUALITY, en="Quality of the sample", zh="标本质量", sdtm="PCSPCCND")

    class Meta(CRF.Meta):
        verbose_name = T("PK sample", "药代动力学样本")

    def contradictions(self) -> Iterator[Problem]:
        """The reported text is a number or BLQ."""
        if self.result_text and self.reported is None and not self.below:
            yield Problem(
                "result_text",
                "contradiction",
                T(
                    f"“{self.result_text}” is neither a number nor BLQ. "
                    "A result below the limit is entered as BLQ.",
                    f"“{self.result_text}”既不是数字也不是 BLQ。低于定量下限的结果请填写 BLQ。",
                ),
                self.result_text,
                "number | BLQ",
                fix=BELOW if self.result_text.strip().startswith("<") else "",
            )

    @property
    def below(self) -> bool:
        """Whether the laboratory reported "below the limit of quantification"."""
        return str(self.result_text).strip().upper() == BELOW

    @property
    def reported(self) -> Decimal | None:
        """The reported number, if it is one."""
        written = self.result_text.strip()
        return Decimal(written) if NUMBER.match(written) else None

    def doubts(self) -> Iterator[Doubt]:
        """Reported text and number of copies must tell the same."""
        if self.assay != "QPCR":
            return
        copies, reported = self.copies_per_ug, self.reported
        if copies is None:
            asked = self.status == "COMPLETE" and "copies_per_ug" not in self.missing
            if reported is not None and asked:
                yield Doubt(
                    "copies_per_ug",
                    "pk_sample.copies_missing",
                    T(
                        f"The result {self.result_text} is a number, but copies per ug are missing.",
                        f"报告结果 {self.result_text} 为数字,但缺少每 ug 拷贝数。请填写。",
                    ),
                )
            return
        if reported is not None and reported != copies:
            yield Doubt(
                "copies_per_ug",
                "pk_sample.copies_differ",
                T(
                    f"{copies} copies/ug differ from the reported result {self.result_text}. Check both.",
                    f"{copies} copies/ug 与报告结果 {self.result_text} 不一致。请核对。",
                ),
                str(copies),
                self.result_text,
            )
        if self.below and self.lloq is not None and copies >= self.lloq:
            yield Doubt(
                "copies_per_ug",
                "pk_sample.copies_though_below",
                T(
                    f"Reported BLQ, yet {copies} copies/ug reach the limit {self.lloq}. Check the two.",
                    f"报告为 BLQ,但 {copies} copies/ug 已达到定量下限 {self.lloq}。请核对结果和定量下限。",
                ),
                str(copies),
                f"< {self.lloq}",
            )


class PdCytokine(CRF):
    """Cytokines in serum. Tocilizumab raises the IL-6 that is measured."""

    form = "pd_cytokine"
    domain = "LB"
    repeats = "rows"
    dated_by = "collect_dt"

    collect_dt = moment(en="Date and time of sampling", zh="采样日期时间", cdash="LBDAT+LBTIM", required=True)
    laboratory = measured_at()
    nominal_day = whole(en="Planned day", zh="计划采样日", unit="day", required=True, sdtm="LBTPTNUM")
    il6 = Analyte("cytokine", en="IL-6", zh="白介素-6", hard=(0, 1_000_000), soft=(0, 10_000), required=True)
    il2 = Analyte("cytokine", en="IL-2", zh="白介素-2", hard=(0, 100_000), soft=(0, 500))
    il10 = Analyte("cytokine", en="IL-10", zh="白介素-10", hard=(0, 100_000), soft=(0, 2000), required=True)
    ifn_gamma = Analyte(
        "cytokine", en="Interferon gamma", zh="γ-干扰素", hard=(0, 1_000_000), soft=(0, 20_000), required=True
    )
    tnf_alpha = Analyte(
        "cytokine", en="TNF alpha", zh="肿瘤坏死因子-α", hard=(0, 100_000), soft=(0, 500), required=True
    )
    il8 = Analyte("cytokine", en="IL-8", zh="白介素-8", hard=(0, 100_000), soft=(0, 2000))
    mcp1 = Analyte("cytokine", en="MCP-1", zh="单核细胞趋化蛋白-1", hard=(0, 1_000_000), soft=(0, 20_000))
    gm_csf = Analyte(
        "cytokine", en="GM-CSF", zh="粒细胞-巨噬细胞集落刺激因子", hard=(0, 100_000), soft=(0, 500)
    )
    sil2r = Analyte(
        "receptor", en="Soluble IL-2 receptor", zh="可溶性白介素-2受体", hard=(0, 1_000_000), soft=(0, 50_000)
    )
    note = text(200, en="Note", zh="备注", sdtm="CO.COVAL")

    class Meta(CRF.Meta):
        verbose_name = T("Cytokines", "细胞因子")


class PdBcell(CRF):
    """B cells and immunoglobulins."""

    form = "pd_bcell"
    domain = "LB"
    repeats = "visit"
    dated_by = "collect_dt"

    collect_dt = moment(en="Date and time of sampling", zh="采样日期时间", cdash="LBDAT+LBTIM", required=True)
    laboratory = measured_at()
    nominal_day = whole(en="Planned day", zh="计划采样日", unit="day", required=True, sdtm="LBTPTNUM")
    cd19_pct_lymph = Analyte(
        "percent",
        en="CD19+ share of lymphocytes",
        zh="CD19阳性B细胞占淋巴细胞比例",
        hard=(0, 100),
        soft=(0, 30),
        required=True,
    )
    cd19_abs = Analyte(
        "cells", en="CD19+ B cells", zh="CD19阳性B细胞绝对值", hard=(0, 50), soft=(0, 1), required=True
    )
    igg = Analyte("immunoglobulin", en="IgG", zh="免疫球蛋白G", hard=(0, 100), soft=(3, 18), required=True)
    iga = Analyte("immunoglobulin", en="IgA", zh="免疫球蛋白A", hard=(0, 30), soft=("0.2", 5))
    igm = Analyte("immunoglobulin", en="IgM", zh="免疫球蛋白M", hard=(0, 30), soft=("0.1", 4))
    aplasia = yes_no(
        en="B-cell aplasia (under 3 % of lymphocytes)",
        zh="B细胞缺乏(占淋巴细胞<3%)",
        calc=aplasia,
        basis=Basis.GUIDELINE,
    )

    class Meta(CRF.Meta):
        verbose_name = T("B cells and immunoglobulins", "B细胞与免疫球蛋白")
