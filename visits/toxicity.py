"""Daily assessment of the two toxicities of CAR T cells, CRS and ICANS, after ASTCT 2019.

What is seen is recorded here. The grade is derived where medication, earlier assessments and death are known.
"""

from collections.abc import Iterator

from subjects.crf import CRF
from trial.findings import Doubt, Problem
from trial.item import code, codes_many, items, moment, number, whole, yes_no
from trial.text import T
from visits.calc import ICE_ITEMS, ice_total
from visits.codelists import (
    CEREBRAL_EDEMA,
    CONSCIOUSNESS,
    ICE_UNABLE,
    OXYGEN_DEVICE,
    PRESSURE_REASON,
    SEIZURE,
    VASOPRESSOR,
)
from visits.oxygen import PRESSURE_DEVICES, WITH_DEVICE, flow_doubts

CIRCULATION = T("Circulation", "循环")
BREATHING = T("Breathing", "呼吸")
ICE = T("ICE score", "ICE评分")
SIGNS = T("Neurological signs", "神经系统体征")
JUDGEMENT = T("Judgement", "判定")
DEEPLY_UNCONSCIOUS = ("UNAROUSABLE_OR_VIGOROUS_STIMULI", "STUPOR_OR_COMA")


class CrsAssessment(CRF):
    """Cytokine release syndrome: temperature, circulation and breathing at one time."""

    form = "crs_assessment"
    domain = "FA"
    repeats = "rows"
    dated_by = "assess_dt"

    assess_dt = moment(en="Date and time", zh="评估日期时间", cdash="FADAT+FATIM", required=True)
    temp_c = number(
        4, 1, en="Temperature", zh="体温", unit="degC", hard=(25, 45), soft=(35, 41), required=True
    )
    fever_other_cause = yes_no(en="Fever due to another cause", zh="发热由其他原因所致", required=True)
    hypotension = yes_no(
        en="Hypotension not due to another cause",
        zh="低血压(非其他原因所致)",
        required=True,
        section=CIRCULATION,
    )
    iv_fluids = yes_no(en="Intravenous fluids for it", zh="因低血压静脉补液", section=CIRCULATION)
    vasopressors = codes_many(
        VASOPRESSOR, en="Vasopressors", zh="血管升压药", required=True, section=CIRCULATION
    )
    hypoxia = yes_no(
        en="Hypoxia not due to another cause", zh="低氧(非其他原因所致)", required=True, section=BREATHING
    )
    oxygen_device = code(OXYGEN_DEVICE, en="Oxygen device", zh="给氧方式", required=True, section=BREATHING)
    o2_flow_lpm = number(
        4,
        1,
        en="Oxygen flow",
        zh="氧流量",
        unit="L/min",
        hard=(0, 80),
        when={"oxygen_device": WITH_DEVICE},
        section=BREATHING,
        note=T("Asked of nasal cannulas, low and high flow.", "鼻导管(低流量与高流量)时填写。"),
    )
    ppv_reason = code(
        PRESSURE_REASON,
        en="Reason for positive pressure",
        zh="正压通气原因",
        required=True,
        when={"oxygen_device": PRESSURE_DEVICES},
        section=BREATHING,
    )
    investigator_grade = whole(
        en="CRS grade by the investigator",
        zh="研究者判定CRS分级",
        hard=(0, 5),
        required=True,
        section=JUDGEMENT,
    )

    class Meta(CRF.Meta):
        verbose_name = T("CRS assessment", "CRS评估")

    def contradictions(self) -> Iterator[Problem]:
        """ "None" stands alone among vasopressors."""
        if "NONE" in self.vasopressors and len(self.vasopressors) > 1:
            given = ", ".join(self.vasopressors)
            yield Problem(
                "vasopressors",
                "contradiction",
                T(
                    f"“None” is chosen together with a vasopressor ({given}). Keep one or the other.",
                    f"同时选择了“无”和升压药({given})。请只保留其一。",
                ),
                given,
                fix=", ".join(one for one in self.vasopressors if one != "NONE"),
            )

    def doubts(self) -> Iterator[Doubt]:
        """Treatment without the sign it is for, the sign without treatment, and flow against device."""
        pressors = [one for one in self.vasopressors if one != "NONE"]
        if self.hypotension is False and pressors:
            yield Doubt(
                "hypotension",
                "crs_assessment.pressor_without_hypotension",
                T(
                    f"Vasopressors ({', '.join(pressors)}) without hypotension. "
                    "Confirm that another cause explains them.",
                    f"使用升压药({', '.join(pressors)})但低血压为“否”。请确认是否由其他原因所致。",
                ),
                ", ".join(pressors),
            )
        for_lack_of_oxygen = self.oxygen_device in WITH_DEVICE and self.ppv_reason in ("", "HYPOXIA")
        if self.hypoxia is False and for_lack_of_oxygen:
            yield Doubt(
                "hypoxia",
                "crs_assessment.oxygen_without_hypoxia",
                T(
                    f"Oxygen is given ({self.oxygen_device}) without hypoxia. "
                    "Confirm that another cause explains it.",
                    f"已给氧({self.oxygen_device})但低氧为“否”。请确认是否由其他原因所致。",
                ),
                self.oxygen_device,
            )
        if self.hypoxia is True and self.oxygen_device == "NONE":
            yield Doubt(
                "oxygen_device",
                "crs_assessment.hypoxia_without_oxygen",
                T(
                    "Hypoxia without any oxygen. Name the device, or confirm that none was used.",
                    "低氧但未给氧。请填写给氧方式,或确认确未给氧。",
                ),
                "NONE",
            )
        yield from flow_doubts(self, self.oxygen_device)


class IcansAssessment(CRF):
    """Neurotoxicity: the ICE score and the signs of ICANS at one time. A baseline is taken at screening."""

    form = "icans_assessment"
    domain = "FT"
    repeats = "rows"
    dated_by = "assess_dt"

    assess_dt = moment(en="Date and time", zh="评估日期时间", cdash="FTDAT+FTTIM", required=True)
    orient_year = whole(en="Orientation: year", zh="定向:年份", hard=(0, 1), section=ICE)
    orient_month = whole(en="Orientation: month", zh="定向:月份", hard=(0, 1), section=ICE)
    orient_city = whole(en="Orientation: city", zh="定向:城市", hard=(0, 1), section=ICE)
    orient_hospital = whole(en="Orientation: hospital", zh="定向:医院", hard=(0, 1), section=ICE)
    naming = whole(en="Naming three objects", zh="命名三件物品", hard=(0, 3), section=ICE)
    commands = whole(en="Following a command", zh="执行指令", hard=(0, 1), section=ICE)
    writing = whole(
        en="Writing a sentence",
        zh="书写句子",
        hard=(0, 1),
        section=ICE,
        note=T("The same sentence every time.", "每次书写同一句话。"),
    )
    attention = whole(en="Counting back from 100 by ten", zh="从100起连续减10", hard=(0, 1), section=ICE)
    ice_total = whole(
        en="ICE score", zh="ICE总分", hard=(0, 10), cdash="FTORRES", calc=ice_total, section=ICE
    )
    unable_reason = code(ICE_UNABLE, en="Reason why it could not be scored", zh="无法评分的原因", section=ICE)
    consciousness = code(CONSCIOUSNESS, en="Consciousness", zh="意识水平", required=True, section=SIGNS)
    seizure = code(SEIZURE, en="Seizure", zh="癫痫发作", required=True, section=SIGNS)
    motor_weakness_focal = yes_no(
        en="Deep focal motor weakness", zh="严重局灶性运动无力", required=True, section=SIGNS
    )
    edema = code(
        CEREBRAL_EDEMA,
        en="Cerebral oedema or raised pressure",
        zh="脑水肿/颅内压增高",
        required=True,
        section=SIGNS,
    )
    attributable = yes_no(
        en="Not due to another cause",
        zh="非其他原因所致",
        required=True,
        section=JUDGEMENT,
        note=T("If No, record an adverse event instead.", "如为否,请改为记录不良事件。"),
    )
    investigator_grade = whole(
        en="ICANS grade by the investigator",
        zh="研究者判定ICANS分级",
        hard=(0, 5),
        required=True,
        section=JUDGEMENT,
    )

    class Meta(CRF.Meta):
        verbose_name = T("ICANS assessment", "ICANS评估")

    def doubts(self) -> Iterator[Doubt]:
        """Unscored items without a reason; "cannot be roused" against points scored or a waking subject."""
        yield from self._unscored()
        if self.unable_reason != "UNAROUSABLE":
            return
        points = sum(getattr(self, name) or 0 for name in ICE_ITEMS)
        if points:
            yield Doubt(
                "unable_reason",
                "icans_assessment.points_though_unarousable",
                T(
                    f"{points} points are scored although the subject could not be roused. "
                    "The score counts as 0; check the items or the reason.",
                    f"受试者无法唤醒,却有 {points} 分得分。总分按 0 计;请核对各项得分或原因。",
                ),
                str(points),
                "0",
            )
        if self.consciousness and self.consciousness not in DEEPLY_UNCONSCIOUS:
            yield Doubt(
                "consciousness",
                "icans_assessment.awake_though_unarousable",
                T(
                    "ICE was not scored because the subject could not be roused, yet consciousness says "
                    "otherwise. Check both.",
                    "ICE 因无法唤醒而未评分,但意识水平与之不符。请核对两项。",
                ),
                self.consciousness,
                ", ".join(DEEPLY_UNCONSCIOUS),
            )

    def _unscored(self) -> Iterator[Doubt]:
        open_items = [n for n in ICE_ITEMS if getattr(self, n) is None and n not in self.missing]
        if self.status == "COMPLETE" and open_items and not self.unable_reason:
            meaning = items(self)
            names_en = ", ".join(meaning[n].en for n in open_items)
            names_zh = "、".join(meaning[n].zh for n in open_items)
            yield Doubt(
                "unable_reason",
                "icans_assessment.unscored",
                T(
                    f"Not scored: {names_en}. Score them, or say why they could not be scored.",
                    f"未评分:{names_zh}。请补充评分,或说明无法评分的原因。",
                ),
            )
