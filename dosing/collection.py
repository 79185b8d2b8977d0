"""Leukapheresis, and the therapy that bridges the time until the product is ready."""

from collections.abc import Iterator
from decimal import Decimal

from dosing.arithmetic import half_up, share
from dosing.codelists import ACCESS, BRIDGING_INTENT
from subjects.crf import CRF
from trial.findings import Doubt, Problem
from trial.item import code, day, moment, number, text, whole, yes_no
from trial.protocol import V1
from trial.text import T

_CD3_AGREES_WITHIN = Decimal("0.10")


class Apheresis(CRF):
    """Leukapheresis: one record per procedure. The limits of a sufficient collection are illustrative."""

    form = "apheresis"
    domain = "PR"
    repeats = "log"
    dated_by = "aph_start_dt"

    aph_start_dt = moment(en="Start of apheresis", zh="单采开始时间", cdash="PRSTDAT+PRSTTIM", required=True)
    aph_end_dt = moment(
        en="End of apheresis",
        zh="单采结束时间",
        cdash="PRENDAT+PRENTIM",
        strictly_after="aph_start_dt",
        required=True,
    )
    access = code(ACCESS, en="Vascular access", zh="血管通路", required=True)
    device = text(60, en="Device", zh="单采设备")
    blood_volume_ml = whole(
        en="Blood volume processed",
        zh="循环血量",
        unit="mL",
        hard=(500, 30000),
        soft=(3000, 15000),
        required=True,
    )
    product_volume_ml = number(
        7, 1, en="Product volume", zh="采集物体积", unit="mL", hard=(5, 1000), soft=(50, 300), required=True
    )
    tnc_e9 = number(
        8,
        3,
        en="Total nucleated cells",
        zh="总有核细胞数",
        unit="10^9",
        hard=(0, 200),
        soft=(1, 50),
        required=True,
    )
    cd3_pct = number(
        5, 2, en="CD3+ share", zh="CD3+ 细胞比例", unit="%", hard=(0, 100), soft=(5, 95), required=True
    )
    cd3_e9 = number(
        8,
        3,
        en="CD3+ cells",
        zh="CD3+ 细胞数",
        unit="10^9",
        hard=(0, 200),
        soft=(1, 30),
        required=True,
        note=T("Below 1 × 10^9 the collection may not suffice.", "低于 1×10^9 时采集量可能不足。"),
    )
    blast_pct_product = number(
        5, 2, en="Blasts in product", zh="采集物原始细胞比例", unit="%", hard=(0, 100), soft=(0, 60)
    )
    viability_pct = number(
        5, 2, en="Viability", zh="细胞活率", unit="%", hard=(0, 100), soft=(85, 100), required=True
    )
    bag_ids = text(200, en="Bag identifiers (DIN / ISBT 128)", zh="血袋编号(DIN / ISBT 128)", required=True)
    pre_alc = number(
        7,
        3,
        en="Lymphocyte count before apheresis",
        zh="单采前淋巴细胞绝对值",
        unit="10^9/L",
        hard=(0, 800),
        required=True,
    )
    steroid_free_days = whole(
        en="Days without corticosteroid before apheresis",
        zh="单采前停用糖皮质激素天数",
        unit="d",
        hard=(0, 365),
        soft=(7, None),
        required=True,
    )
    ae_during = yes_no(en="Adverse event during apheresis", zh="单采期间是否发生不良事件", required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Leukapheresis", "白细胞单采")

    def contradictions(self) -> Iterator[Problem]:
        """CD3+ cells are some of the nucleated cells."""
        if self.cd3_e9 is not None and self.tnc_e9 is not None and self.cd3_e9 > self.tnc_e9:
            yield Problem(
                "cd3_e9",
                "part_exceeds_whole",
                T(
                    f"{self.cd3_e9} × 10^9 CD3+ cells are more than the {self.tnc_e9} × 10^9 nucleated cells "
                    "they are part of. Check both counts and their powers of ten.",
                    f"CD3+ 细胞数 {self.cd3_e9}×10^9 大于总有核细胞数 {self.tnc_e9}×10^9,后者应包含前者。"
                    "请核对两个计数及其数量级。",
                ),
                value=str(self.cd3_e9),
                limit=f"≤ {self.tnc_e9}",
            )

    def doubts(self) -> Iterator[Doubt]:
        """More procedures than foreseen; the CD3+ count and the share it should follow from."""
        yield from self._one_too_many()
        expected = share(self.tnc_e9, self.cd3_pct)
        if expected is None or self.cd3_e9 is None or self.cd3_e9 > self.tnc_e9:
            return
        if abs(self.cd3_e9 - expected) > expected * _CD3_AGREES_WITHIN:
            shown = half_up(expected, "0.001")
            yield Doubt(
                "cd3_e9",
                "apheresis.cd3_product",
                T(
                    f"{self.cd3_e9} × 10^9 CD3+ cells were entered; {self.tnc_e9} × 10^9 nucleated cells "
                    f"with {self.cd3_pct} % CD3+ make {shown} × 10^9. Please check the three values.",
                    f"录入的 CD3+ 细胞数为 {self.cd3_e9}×10^9;按总有核细胞数 {self.tnc_e9}×10^9 和 CD3+ 比例 "
                    f"{self.cd3_pct}% 计算为 {shown}×10^9。请核对这三个数值。",
                ),
                value=str(self.cd3_e9),
                limit=f"{shown} ± 10 %",
            )

    def _one_too_many(self) -> Iterator[Doubt]:
        most = V1.apheresis_max.value
        if (self.sequence or 0) > most:
            yield Doubt(
                "aph_start_dt",
                "apheresis.too_many",
                T(
                    f"This is apheresis {self.sequence} of the subject; the protocol foresees at most {most}. Check that it "
                    "is no second entry of an earlier one, or say why it was needed.",
                    f"这是该受试者的第 {self.sequence} 次单采;方案规定最多 {most} 次。请核实是否重复录入,或说明必要性。",
                ),
                value=str(self.sequence),
                limit=f"≤ {most}",
            )


class Bridging(CRF):
    """Anti-leukaemia therapy between apheresis and lymphodepletion. What is permitted is not public."""

    form = "bridging"
    domain = "CM"
    repeats = "log"
    dated_by = "start_date"

    regimen = text(200, en="Regimen", zh="治疗方案", cdash="CMTRT (CMCAT=BRIDGING)", required=True)
    start_date = day(en="Start date", zh="开始日期", cdash="CMSTDAT", required=True)
    end_date = day(en="End date", zh="结束日期", cdash="CMENDAT", not_before="start_date")
    intent = code(BRIDGING_INTENT, en="Intent", zh="治疗目的", required=True)
    response_bm_blast_pct = number(
        5, 2, en="Marrow blasts after bridging", zh="桥接治疗后骨髓原始细胞比例", unit="%", hard=(0, 100)
    )

    class Meta(CRF.Meta):
        verbose_name = T("Bridging therapy", "桥接治疗")
