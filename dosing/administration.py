"""Which dose was allocated, and the infusion itself."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from dosing.arithmetic import half_up, minutes
from dosing.codelists import DOSE_LEVEL, PREMEDICATION
from dosing.levels import planned_per_kg
from subjects.crf import CRF
from trial.audit_sql import Stamp, WriteHistory
from trial.findings import Doubt
from trial.item import code, codes_many, link, moment, number, text, whole, yes_no
from trial.protocol import V1
from trial.text import T

_PRODUCT = T("Product", "制剂")
_CHECKS = T("Before the infusion", "回输前")
_INFUSION = T("Infusion", "回输")
_DOSE = T("Dose", "剂量")
FIRST_LEVEL = "DL1"
PARTS_MOST = 3
"""Parts into which an infusion may be split."""
DMSO_DENSITY = Decimal("1.10")
"""Grams in a millilitre of dimethyl sulfoxide at room temperature."""
DMSO_MOST = Decimal(1)
"""Grams per kilogram from which an infusion is asked about; an illustrative default of the specification."""
_CRYO = T("Cryopreserved product only.", "仅适用于冻存制剂。")


def planned(record: Any) -> Decimal | None:
    """The planned cells per kilogram at the allocated level."""
    return planned_per_kg(record.level)


def thaw_to_infusion(record: Any) -> int | None:
    """Minutes from the end of thawing to the start of the infusion."""
    return minutes(record.thaw_end_dt, record.inf_start_dt)


def duration(record: Any) -> int | None:
    """Minutes from the start to the end of the infusion."""
    return minutes(record.inf_start_dt, record.inf_end_dt)


def dmso(record: Any) -> Decimal | None:
    """Grams of DMSO infused per kilogram, half-up to 0.001: the volume, its share of DMSO, its density, the weight."""
    volume, share, weight = record.volume_infused_ml, record.dmso_pct, record.dosing_weight_kg
    if volume is None or share is None or not weight:
        return None
    return half_up(Decimal(volume) * Decimal(share) / 100 * DMSO_DENSITY / Decimal(weight), "0.001")


class DoseAllocation(CRF):
    """The dose level of a subject. The registry says that doses escalate; the levels are from a preprint."""

    form = "dose_allocation"
    domain = ""
    repeats = "one"
    dated_by = "allocated_dt"

    allocated_dt = moment(en="Time of allocation", zh="剂量分配时间", required=True)
    level = code(DOSE_LEVEL, en="Dose level", zh="剂量水平", required=True)
    planned_per_kg = number(
        24, 4, en="Planned CAR+ T cells per kg", zh="计划 CAR 阳性 T 细胞数/kg", unit="cells/kg", calc=planned
    )

    src_decision = link(
        "dosing.SrcReview",
        en="Committee review that opened the level",
        zh="开放该剂量水平的委员会评审",
        when={"level": tuple(level for level in DOSE_LEVEL.codes if level != FIRST_LEVEL)},
        required=True,
        note=T(
            "Asked at every level but the first: no review is needed to start.",
            "除首个剂量水平外均需填写:起始剂量无需评审。",
        ),
    )

    class Meta(CRF.Meta):
        triggers: ClassVar[list[Any]] = [
            Stamp(),
            WriteHistory(wakes_rules=True, wakes_cohort=("level", "not_done", "retracted")),
        ]
        verbose_name = T("Dose allocation", "剂量分配")


class Infusion(CRF):
    """The intravenous infusion of ssCART-19; its date is Day 0. One record per part if the dose is split."""

    form = "infusion"
    domain = "EC"
    repeats = "log"
    dated_by = "inf_start_dt"

    part_no = whole(
        en="Part", zh="回输次序", section=_PRODUCT, hard=(1, PARTS_MOST), soft=(1, 1), required=True
    )
    batch = link(
        "dosing.Manufacturing", en="Batch", zh="批次", section=_PRODUCT, cdash="ECLOT", required=True
    )
    bag_ids = text(200, en="Bag identifiers", zh="血袋编号", section=_PRODUCT, required=True)
    thaw_start_dt = moment(en="Start of thawing", zh="复苏开始时间", section=_PRODUCT, note=_CRYO)
    thaw_end_dt = moment(
        en="End of thawing",
        zh="复苏结束时间",
        section=_PRODUCT,
        not_before="thaw_start_dt",
        note=_CRYO,
    )
    post_thaw_viability_pct = number(
        5,
        2,
        en="Viability before infusion",
        zh="回输前(复苏后)细胞活率",
        section=_PRODUCT,
        unit="%",
        hard=(0, 100),
        soft=(70, 100),
        required=True,
        sdtm="SUPPEC.PTVIABPC",
    )
    post_thaw_car_pct = number(
        5,
        2,
        en="CAR+ share before infusion",
        zh="回输前(复苏后)CAR 阳性率",
        section=_PRODUCT,
        unit="%",
        hard=(0, 100),
        soft=(10, 80),
        sdtm="SUPPEC.PTCARPC",
    )
    bedside_id_check = yes_no(
        en="Identity checked at the bedside by two persons",
        zh="是否双人床旁核对身份",
        section=_CHECKS,
        required=True,
    )
    verified_by_1 = link(
        "trial.Person",
        en="First person checking",
        zh="核对人一",
        section=_CHECKS,
        when={"bedside_id_check": (True,)},
        required=True,
    )
    verified_by_2 = link(
        "trial.Person",
        en="Second person checking",
        zh="核对人二",
        section=_CHECKS,
        when={"bedside_id_check": (True,)},
        required=True,
    )
    tocilizumab_available = yes_no(
        en="At least two doses of tocilizumab on site",
        zh="现场是否备有至少 2 剂托珠单抗",
        section=_CHECKS,
        required=True,
    )
    premed_given = yes_no(en="Premedication given", zh="是否给予预防用药", section=_CHECKS, required=True)
    premed = codes_many(
        PREMEDICATION,
        en="Premedication",
        zh="预防用药",
        section=_CHECKS,
        when={"premed_given": (True,)},
        required=True,
    )
    inf_start_dt = moment(
        en="Start of infusion",
        zh="回输开始时间",
        section=_INFUSION,
        cdash="ECSTDAT+ECSTTIM",
        strictly_after="thaw_start_dt",
        not_before="thaw_end_dt",
        required=True,
    )
    inf_end_dt = moment(
        en="End of infusion",
        zh="回输结束时间",
        section=_INFUSION,
        cdash="ECENDAT+ECENTIM",
        strictly_after="inf_start_dt",
        required=True,
    )
    thaw_to_inf_min = whole(
        en="Thawing to infusion",
        zh="复苏至回输间隔",
        section=_INFUSION,
        unit="min",
        calc=thaw_to_infusion,
    )
    duration_min = whole(
        en="Duration of infusion", zh="回输时长", section=_INFUSION, unit="min", calc=duration
    )
    interrupted = yes_no(en="Infusion interrupted", zh="回输是否中断", section=_INFUSION, required=True)
    reaction = yes_no(en="Infusion reaction", zh="是否发生输注反应", section=_INFUSION, required=True)
    dosing_weight_kg = number(
        5,
        1,
        en="Weight used for the dose",
        zh="剂量计算用体重",
        section=_DOSE,
        unit="kg",
        hard=(25, 250),
        required=True,
    )
    volume_infused_ml = number(
        7,
        1,
        en="Volume infused",
        zh="回输体积",
        section=_DOSE,
        cdash="ECVAMT",
        unit="mL",
        hard=(1, 1000),
        soft=(5, 250),
        required=True,
    )
    dmso_pct = number(
        5,
        2,
        en="DMSO in the product",
        zh="制剂中 DMSO 含量",
        section=_DOSE,
        unit="%",
        hard=(0, 100),
        soft=(0, 15),
        note=T(
            "Share of the volume as formulated; cryopreserved product only, 0 for a fresh one.",
            "按制剂配方的体积分数;仅适用于冻存制剂,新鲜制剂填 0。",
        ),
    )
    dmso_g_per_kg = number(
        6, 3, en="DMSO given per kg", zh="每公斤体重输入 DMSO", section=_DOSE, unit="g/kg", calc=dmso
    )
    actual_per_kg = number(
        24,
        4,
        en="CAR+ T cells given per kg",
        zh="实际回输 CAR 阳性 T 细胞数/kg",
        section=_DOSE,
        cdash="ECDOSE (ECDOSU=cells/kg)",
        unit="cells/kg",
        hard=(0, None),
        soft=(50_000, 100_000_000),
        required=True,
        sdtm="ECDOSE, ECDOSU where ECMOOD = PERFORMED",
    )

    class Meta(CRF.Meta):
        triggers: ClassVar[list[Any]] = [
            Stamp(),
            WriteHistory(wakes_rules=True, wakes_cohort=("inf_start_dt", "not_done", "retracted")),
        ]
        verbose_name = T("ssCART-19 infusion", "ssCART-19 回输")

    def doubts(self) -> Iterator[Doubt]:
        """Two persons check identity at the bedside, not one twice; DMSO stays under its usual limit; tocilizumab is on
        site."""
        yield from self._much_dmso()
        if self.tocilizumab_available is False:
            doses = V1.tocilizumab_on_site_min.value
            yield Doubt(
                "tocilizumab_available",
                "infusion.tocilizumab",
                T(
                    f"At least {doses} doses of tocilizumab are to be on site before the infusion; the answer is no. Check "
                    "it, or say why the infusion went ahead.",
                    f"回输前现场应备有至少 {doses} 剂托珠单抗;回答为“否”。请核实,或说明仍然回输的原因。",
                ),
                value=T("no", "否"),
                limit=f"≥ {doses}",
            )
        if self.verified_by_1_id is not None and self.verified_by_1_id == self.verified_by_2_id:
            yield Doubt(
                "verified_by_2",
                "infusion.same_person",
                T(
                    "The same person is entered twice for the bedside identity check. Enter the second "
                    "person, or confirm that only one person checked.",
                    "床旁身份核对的两位核对人为同一人。请录入第二位核对人,或确认当时仅一人核对。",
                ),
                value=str(self.verified_by_2_id),
                limit=T("another person", "另一位人员"),
            )

    def _much_dmso(self) -> Iterator[Doubt]:
        given = dmso(self)
        if given is not None and given > DMSO_MOST:
            yield Doubt(
                "dmso_pct",
                "infusion.dmso",
                T(
                    f"{given} g of DMSO per kg were infused; up to {DMSO_MOST} g/kg is usual. Check the share of DMSO, "
                    "the volume and the weight.",
                    f"每公斤体重输入 DMSO {given} g;通常不超过 {DMSO_MOST} g/kg。请核对 DMSO 含量、回输体积和体重。",
                ),
                value=f"{given}",
                limit=f"≤ {DMSO_MOST} g/kg",
            )
