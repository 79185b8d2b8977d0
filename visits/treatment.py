"""What is given beside the study treatment: medication and blood products."""

from collections.abc import Iterator

from subjects.crf import CRF
from trial.findings import Doubt
from trial.item import code, link, moment, number, partial_moment, text, whole, yes_no
from trial.text import T
from visits.calc import prednisone_equivalent, steroid_factor
from visits.codelists_treatment import BLOOD_PRODUCT, DOSE_UNIT, DRUG_CLASS, FREQUENCY, INDICATION, ROUTE

TIMED_CLASSES = ("TOCILIZUMAB", "CORTICOSTEROID", "VASOPRESSOR")
DOSING = T("Dose", "剂量")
PERIOD = T("Period", "用药时间")
REASON = T("Reason", "用药原因")


class ConMeds(CRF):
    """Prior and concomitant medication. The class of the drug is what rules read (registry E-04, E-13)."""

    form = "con_meds"
    domain = "CM"
    repeats = "log"
    dated_by = "start_dt"

    drug = text(200, en="Drug", zh="药物名称", cdash="CMTRT", required=True)
    drug_class = code(DRUG_CLASS, en="Class", zh="药物类别", cdash="CMCLAS", required=True)
    dose = number(10, 3, en="Dose", zh="单次剂量", hard=("0.001", None), cdash="CMDOSE", section=DOSING)
    dose_unit = code(DOSE_UNIT, en="Unit of dose", zh="剂量单位", cdash="CMDOSU", section=DOSING)
    frequency = code(FREQUENCY, en="Frequency", zh="给药频次", cdash="CMDOSFRQ", section=DOSING)
    route = code(ROUTE, en="Route", zh="给药途径", cdash="CMROUTE", required=True, section=DOSING)
    pred_equiv_mg_day = number(
        16,
        6,
        en="Prednisone equivalent",
        zh="泼尼松等效剂量",
        unit="mg/day",
        calc=prednisone_equivalent,
        section=DOSING,
        note=T(
            "Systemic prednisone, prednisolone, methylprednisolone, dexamethasone and hydrocortisone.",
            "全身用泼尼松、泼尼松龙、甲泼尼龙、地塞米松、氢化可的松。",
        ),
    )
    dose_number = whole(
        en="Number of this tocilizumab dose",
        zh="托珠单抗给药序次",
        hard=(1, 10),
        soft=(1, 4),
        required=True,
        when={"drug_class": ("TOCILIZUMAB",)},
        section=DOSING,
    )
    start_dt = partial_moment(
        en="Start",
        zh="开始时间",
        cdash="CMSTDAT+CMSTTIM",
        required=True,
        section=PERIOD,
        note=T(
            "With the time of day for tocilizumab, steroids and vasopressors.",
            "托珠单抗、糖皮质激素和升压药须填时刻。",
        ),
    )
    ongoing = yes_no(en="Ongoing", zh="是否持续", cdash="CMONGO", required=True, section=PERIOD)
    end_dt = partial_moment(
        en="End",
        zh="结束时间",
        cdash="CMENDAT+CMENTIM",
        required=True,
        when={"ongoing": (False,)},
        not_before="start_dt",
        section=PERIOD,
    )
    indication = code(
        INDICATION, en="Indication", zh="用药原因", cdash="CMINDC", required=True, section=REASON
    )
    linked_ae = link(
        "safety.AdverseEvent",
        en="Adverse event treated",
        zh="对应的不良事件",
        cdash="RELREC (AESPID)",
        required=True,
        when={"indication": ("CRS", "ICANS", "AE")},
        section=REASON,
    )

    class Meta(CRF.Meta):
        verbose_name = T("Prior and concomitant medication", "既往及合并用药")

    def doubts(self) -> Iterator[Doubt]:
        """A dose without unit, a start without the time that a rule needs, a steroid under another class."""
        if self.dose is not None and not self.dose_unit and "dose_unit" not in self.missing:
            yield Doubt(
                "dose_unit",
                "con_meds.dose_without_unit",
                T(f"Dose {self.dose} has no unit. Choose one.", f"剂量 {self.dose} 缺少单位。请选择单位。"),
                str(self.dose),
            )
        if self.drug_class in TIMED_CLASSES and self.start_dt and "T" not in self.start_dt:
            yield Doubt(
                "start_dt",
                "con_meds.time_missing",
                T(
                    f"Start {self.start_dt} lacks the time of day, which this class of drug needs. Add it.",
                    f"开始时间 {self.start_dt} 缺少时刻,该类药物需要精确到时分。请补充。",
                ),
                self.start_dt,
                "YYYY-MM-DD HH:MM",
            )
        if self.drug_class and self.drug_class != "CORTICOSTEROID" and steroid_factor(self.drug) is not None:
            yield Doubt(
                "drug_class",
                "con_meds.steroid_in_other_class",
                T(
                    f"“{self.drug}” is a corticosteroid but stands under {self.drug_class}. Check the class.",
                    f"“{self.drug}”为糖皮质激素,但药物类别为 {self.drug_class}。请核对类别。",
                ),
                self.drug_class,
                "CORTICOSTEROID",
            )


class Transfusion(CRF):
    """One transfusion. Platelets given within 7 days of a marrow bear on the response."""

    form = "transfusion"
    domain = "PR"
    repeats = "log"
    dated_by = "start_dt"

    product = code(
        BLOOD_PRODUCT, en="Product", zh="血液制品", cdash="CMTRT/PRTRT", required=True, sdtm="PRTRT"
    )
    units = number(
        5, 1, en="Units", zh="输注量", unit="unit", hard=("0.1", 50), soft=("0.5", 6), required=True
    )
    start_dt = moment(en="Start", zh="开始时间", cdash="CMSTDAT+CMSTTIM", required=True)
    irradiated = yes_no(en="Irradiated", zh="经辐照", required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Transfusion", "输血")
