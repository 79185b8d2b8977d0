"""Which dose was allocated, and the infusion itself."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from dosing.arithmetic import minutes
from dosing.codelists import DOSE_LEVEL, PREMEDICATION
from dosing.levels import planned_per_kg
from subjects.crf import CRF
from trial.findings import Doubt
from trial.item import code, codes_many, link, moment, number, text, whole, yes_no
from trial.text import T

_PRODUCT = T("Product", "制剂")
_CHECKS = T("Before the infusion", "回输前")
_INFUSION = T("Infusion", "回输")
_DOSE = T("Dose", "剂量")
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

    class Meta(CRF.Meta):
        verbose_name = T("Dose allocation", "剂量分配")


class Infusion(CRF):
    """The intravenous infusion of ssCART-19; its date is Day 0. One record per part if the dose is split."""

    form = "infusion"
    domain = "EC"
    repeats = "log"
    dated_by = "inf_start_dt"

    part_no = whole(en="Part", zh="回输次序", section=_PRODUCT, hard=(1, 3), soft=(1, 1), required=True)
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
    )

    class Meta(CRF.Meta):
        verbose_name = T("ssCART-19 infusion", "ssCART-19 回输")

    def doubts(self) -> Iterator[Doubt]:
        """Two persons check identity at the bedside, not one twice."""
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
