"""The product: its batch with the certificate of analysis, and who held it when."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from dosing.arithmetic import half_up, share
from dosing.codelists import COI_STEP, FORMULATION, RELEASE, STERILITY, TEST_RESULT
from subjects.crf import CRF
from trial.findings import Doubt, Problem
from trial.item import code, day, items, link, long_text, moment, number, text, whole, yes_no
from trial.protocol import V1
from trial.text import T

_BATCH = T("Batch", "批次")
_QUALITY = T("Identity and potency", "鉴别与效力")
_PURITY = T("Safety and purity", "安全性与纯度")
_AMOUNT = T("Amount", "装量")
_DECISION = T("Release", "放行")

_INFUSABLE = ("RELEASED", "CONDITIONAL_RELEASE", "OUT_OF_SPEC_EXCEPTION")
_EXPLAINED = ("OUT_OF_SPEC_EXCEPTION", "REJECTED")
_TWO_PERSON_STEPS = ("LABELLED", "BEDSIDE_CHECK", "THAWED")
_COLD_STEPS = ("SHIPPED_TO_MFG", "RECEIVED_MFG", "SHIPPED_TO_SITE", "RECEIVED_SITE", "STORED")


def car_cells(record: Any) -> Decimal | None:
    """Viable CAR-positive T cells: volume × concentration × viability × CD3+ × CAR+ of viable CD3+."""
    if record.volume_ml is None or record.cells_per_ml is None:
        return None
    nucleated = Decimal(record.volume_ml) * Decimal(record.cells_per_ml)
    total = share(nucleated, record.viability_pct, record.cd3_pct, record.car_pos_pct)
    return None if total is None else half_up(total, "0.0001")


class Manufacturing(CRF):
    """A batch with its certificate of analysis. The registry asks for qualified expansion only."""

    form = "manufacturing"
    domain = ""
    repeats = "log"
    dated_by = "mfg_start_date"

    batch_no = text(40, en="Batch number", zh="批号", section=_BATCH, required=True)
    apheresis = link("dosing.Apheresis", en="Apheresis", zh="来源单采", section=_BATCH, required=True)
    mfg_start_date = day(en="Start of manufacturing", zh="生产开始日期", section=_BATCH, required=True)
    harvest_date = day(
        en="Date of harvest", zh="收获日期", section=_BATCH, strictly_after="mfg_start_date", required=True
    )
    expiry_date = day(
        en="Expiry date",
        zh="有效期至",
        section=_BATCH,
        strictly_after="harvest_date",
        future=True,
        required=True,
    )
    formulation = code(FORMULATION, en="Formulation", zh="制剂形式", section=_BATCH, required=True)
    fold_expansion = number(
        8, 1, en="Fold expansion", zh="扩增倍数", section=_QUALITY, hard=(0, 10000), soft=(10, 1000)
    )
    viability_pct = number(
        5,
        2,
        en="Viability",
        zh="细胞活率",
        section=_QUALITY,
        unit="%",
        hard=(0, 100),
        soft=(80, 100),
        required=True,
    )
    cd3_pct = number(
        5,
        2,
        en="CD3+ share",
        zh="CD3+ 细胞比例",
        section=_QUALITY,
        unit="%",
        hard=(0, 100),
        soft=(90, 100),
        required=True,
    )
    car_pos_pct = number(
        5,
        2,
        en="CAR+ share of viable CD3+ cells",
        zh="CAR 阳性率(占活 CD3+ 细胞)",
        section=_QUALITY,
        unit="%",
        hard=(0, 100),
        soft=(10, 80),
        required=True,
    )
    vcn = number(
        6,
        3,
        en="Vector copy number",
        zh="载体拷贝数",
        section=_QUALITY,
        unit="copies/cell",
        hard=(0, 100),
        soft=("0.1", 5),
        required=True,
    )
    il6_knockdown_pct = number(
        5,
        2,
        en="IL-6 knockdown",
        zh="IL-6 敲低率",
        section=_QUALITY,
        unit="%",
        hard=(-100, 100),
        soft=(50, 100),
    )
    cytotox_pct = number(
        5, 2, en="Cytotoxicity", zh="杀伤率", section=_QUALITY, unit="%", hard=(0, 100), soft=(30, 100)
    )
    ifng_pg_ml = number(
        12,
        2,
        en="Interferon-gamma release",
        zh="干扰素-γ 释放量",
        section=_QUALITY,
        unit="pg/mL",
        hard=(0, None),
    )
    sterility = code(STERILITY, en="Sterility", zh="无菌检查", section=_PURITY, required=True)
    sterility_final_date = day(
        en="Date of final sterility result",
        zh="无菌检查最终结果日期",
        section=_PURITY,
        when={"sterility": ("NO_GROWTH", "GROWTH")},
        required=True,
    )
    endotoxin_eu_ml = number(
        8, 4, en="Endotoxin", zh="内毒素", section=_PURITY, unit="EU/mL", hard=(0, 1000), required=True
    )
    mycoplasma = code(TEST_RESULT, en="Mycoplasma", zh="支原体", section=_PURITY, required=True)
    rcl = code(
        TEST_RESULT,
        en="Replication-competent lentivirus",
        zh="复制型慢病毒(RCL)",
        section=_PURITY,
        required=True,
    )
    residual_beads = whole(
        en="Residual beads", zh="残留磁珠", section=_PURITY, unit="/3e6 cells", hard=(0, 100000)
    )
    residual_tumour_pct = number(
        6,
        3,
        en="Residual CD19+ cells",
        zh="残留 CD19+ 细胞比例",
        section=_PURITY,
        unit="%",
        hard=(0, 100),
    )
    volume_ml = number(
        7,
        1,
        en="Product volume",
        zh="制剂体积",
        section=_AMOUNT,
        unit="mL",
        hard=(1, 1000),
        soft=(10, 250),
        required=True,
    )
    cells_per_ml = number(
        24,
        4,
        en="Nucleated cells per mL",
        zh="有核细胞浓度",
        section=_AMOUNT,
        unit="cells/mL",
        hard=(0, 10_000_000_000),
        required=True,
    )
    car_cells_total = number(
        24,
        4,
        en="Viable CAR+ T cells",
        zh="CAR 阳性活 T 细胞总数",
        section=_AMOUNT,
        unit="cells",
        calc=car_cells,
    )
    release_decision = code(RELEASE, en="Release decision", zh="放行结论", section=_DECISION, required=True)
    release_date = day(
        en="Release date",
        zh="放行日期",
        section=_DECISION,
        not_before="harvest_date",
        when={"release_decision": _INFUSABLE},
        required=True,
    )
    oos_reason = long_text(
        en="What is out of specification, and why decided so",
        zh="不合格项及处理理由",
        section=_DECISION,
        when={"release_decision": _EXPLAINED},
        required=True,
    )

    class Meta(CRF.Meta):
        verbose_name = T("Manufacturing and release", "生产与放行")

    def __str__(self) -> str:
        return self.batch_no or super().__str__()

    def doubts(self) -> Iterator[Doubt]:
        """Few beads are left; an unconditional release waits for its tests."""
        most = V1.product_beads_below.value
        if self.residual_beads is not None and self.residual_beads >= most:
            yield Doubt(
                "residual_beads",
                "manufacturing.beads",
                T(
                    f"{self.residual_beads} residual beads per 3e6 cells; released products usually hold fewer than {most}. "
                    "Check the result against the certificate of analysis.",
                    f"残留磁珠 {self.residual_beads} 个/3×10^6 细胞;放行制剂通常少于 {most} 个。请与检验报告核对。",
                ),
                value=str(self.residual_beads),
                limit=f"< {most}",
            )
        if self.release_decision != "RELEASED":
            return
        for name in ("sterility", "mycoplasma", "rcl"):
            if getattr(self, name) == "PENDING":
                asked = items(self)[name]
                yield Doubt(
                    name,
                    "manufacturing.released_while_pending",
                    T(
                        f"The batch is released without condition while “{asked.en}” is pending. Enter the "
                        "result, or record a conditional release.",
                        f"该批次已无条件放行,但“{asked.zh}”结果仍待出。请录入结果,或改为有条件放行。",
                    ),
                    value="PENDING",
                    limit=T("a final result", "最终结果"),
                )


class ChainOfIdentity(CRF):
    """One step in the custody of a subject's material, vein to vein. Steps are added, never overwritten."""

    form = "chain_of_identity"
    domain = ""
    repeats = "log"
    dated_by = "step_dt"

    step = code(COI_STEP, en="Step", zh="环节", required=True)
    step_dt = moment(en="Time of step", zh="环节时间", required=True)
    coi_id = text(40, en="Chain-of-identity number", zh="身份链编号", required=True)
    subject_ref_checked = yes_no(
        en="Two subject identifiers checked", zh="是否核对两项受试者标识", required=True
    )
    performed_by = link("trial.Person", en="Performed by", zh="执行人", required=True)
    verified_by = link(
        "trial.Person", en="Verified by", zh="复核人", when={"step": _TWO_PERSON_STEPS}, required=True
    )
    location = text(80, en="Place", zh="地点", required=True)
    temp_min_c = number(
        6,
        1,
        en="Lowest temperature",
        zh="最低温度",
        unit="degC",
        hard=(-210, 40),
        when={"step": _COLD_STEPS},
        required=True,
    )
    temp_max_c = number(
        6,
        1,
        en="Highest temperature",
        zh="最高温度",
        unit="degC",
        hard=(-210, 40),
        when={"step": _COLD_STEPS},
        required=True,
    )
    excursion = yes_no(en="Temperature excursion", zh="是否发生温度超标", required=True)
    bag_ids = text(200, en="Bag identifiers", zh="血袋编号", required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Chain of identity and custody", "身份链与监管链")

    def contradictions(self) -> Iterator[Problem]:
        """The lowest temperature is not above the highest."""
        if self.temp_min_c is not None and self.temp_max_c is not None and self.temp_min_c > self.temp_max_c:
            yield Problem(
                "temp_min_c",
                "low_above_high",
                T(
                    f"The lowest temperature {self.temp_min_c} °C is above the highest, "
                    f"{self.temp_max_c} °C. Check the signs, or exchange the two values.",
                    f"最低温度 {self.temp_min_c} °C 高于最高温度 {self.temp_max_c} °C。"
                    "请核对正负号,或对调两个数值。",
                ),
                value=str(self.temp_min_c),
                limit=f"≤ {self.temp_max_c}",
            )

    def doubts(self) -> Iterator[Doubt]:
        """A check by the same person is no second check."""
        if self.verified_by_id is not None and self.verified_by_id == self.performed_by_id:
            yield Doubt(
                "verified_by",
                "chain_of_identity.same_person",
                T(
                    "The same person is entered as performing and as verifying this step. Enter the second "
                    "person, or confirm that there was none.",
                    "本环节的执行人与复核人为同一人。请录入第二位人员,或确认当时确无第二人复核。",
                ),
                value=str(self.verified_by_id),
                limit=T("another person", "另一位人员"),
            )
