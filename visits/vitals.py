"""What is measured at the bedside."""

from collections.abc import Iterator

from subjects.crf import CRF
from trial.findings import Doubt, Problem
from trial.item import code, moment, number, whole, yes_no
from trial.text import T
from visits.calc import bsa
from visits.codelists import OXYGEN_DEVICE, TEMPERATURE_ROUTE, VITALS_TIMEPOINT
from visits.oxygen import WITH_DEVICE, flow_doubts

WEIGHED_AT = ("SCR", "LD-5", "LD-4", "LD-3")
OXYGEN = T("Oxygen", "氧合")
BODY = T("Body measures", "身体测量")


class VitalSigns(CRF):
    """Vital signs: once at an ordinary visit, at each timepoint around an infusion, often on the days after.
    A temperature is kept as measured; nothing is added for the axilla."""

    form = "vital_signs"
    domain = "VS"
    repeats = "rows"
    dated_by = "vs_dt"

    vs_dt = moment(en="Date and time", zh="测量日期时间", cdash="VSDAT+VSTIM", required=True)
    timepoint = code(VITALS_TIMEPOINT, en="Timepoint", zh="时间点", cdash="VSTPT", required=True)
    temp_c = number(
        4,
        1,
        en="Temperature",
        zh="体温",
        unit="degC",
        hard=(25, 45),
        soft=(35, 41),
        cdash="TEMP_VSORRES",
        required=True,
    )
    temp_route = code(
        TEMPERATURE_ROUTE, en="Site of temperature", zh="测温部位", cdash="VSLOC", required=True
    )
    sbp = whole(
        en="Systolic pressure",
        zh="收缩压",
        unit="mmHg",
        hard=(30, 300),
        soft=(80, 180),
        cdash="SYSBP_VSORRES",
        required=True,
    )
    dbp = whole(
        en="Diastolic pressure",
        zh="舒张压",
        unit="mmHg",
        hard=(10, 200),
        soft=(40, 110),
        cdash="DIABP_VSORRES",
        required=True,
    )
    pulse = whole(
        en="Pulse",
        zh="脉搏",
        unit="/min",
        hard=(20, 300),
        soft=(50, 130),
        cdash="PULSE_VSORRES",
        required=True,
    )
    resp_rate = whole(
        en="Respiratory rate",
        zh="呼吸频率",
        unit="/min",
        hard=(4, 80),
        soft=(10, 30),
        cdash="RESP_VSORRES",
        required=True,
    )
    spo2_pct = number(
        4,
        1,
        en="Oxygen saturation (SpO2)",
        zh="血氧饱和度(SpO2)",
        unit="%",
        hard=(30, 100),
        soft=(88, 100),
        cdash="OXYSAT_VSORRES",
        required=True,
        section=OXYGEN,
    )
    room_air = yes_no(en="Measured on room air", zh="未吸氧状态下测量", required=True, section=OXYGEN)
    o2_device = code(
        OXYGEN_DEVICE,
        en="Oxygen device",
        zh="给氧方式",
        required=True,
        when={"room_air": (False,)},
        section=OXYGEN,
    )
    o2_flow_lpm = number(
        4,
        1,
        en="Oxygen flow",
        zh="氧流量",
        unit="L/min",
        hard=(0, 80),
        when={"o2_device": WITH_DEVICE},
        section=OXYGEN,
        note=T("Asked of nasal cannulas, low and high flow.", "鼻导管(低流量与高流量)时填写。"),
    )
    height_cm = number(
        5,
        1,
        en="Height",
        zh="身高",
        unit="cm",
        hard=(100, 230),
        soft=(140, 200),
        cdash="HEIGHT_VSORRES",
        required_at=("SCR",),
        section=BODY,
    )
    weight_kg = number(
        5,
        1,
        en="Weight",
        zh="体重",
        unit="kg",
        hard=(25, 250),
        soft=(40, 120),
        cdash="WEIGHT_VSORRES",
        required_at=WEIGHED_AT,
        section=BODY,
    )
    bsa_m2 = number(
        4,
        2,
        en="Body surface area (Mosteller)",
        zh="体表面积(Mosteller公式)",
        unit="m2",
        cdash="BSA (VSTESTCD)",
        calc=bsa,
        section=BODY,
    )

    class Meta(CRF.Meta):
        verbose_name = T("Vital signs", "生命体征")

    def contradictions(self) -> Iterator[Problem]:
        """Diastolic below systolic; room air and a device exclude each other."""
        if self.sbp is not None and self.dbp is not None and self.dbp >= self.sbp:
            yield Problem(
                "dbp",
                "contradiction",
                T(
                    f"Diastolic {self.dbp} must be below systolic {self.sbp} mmHg. Were the two exchanged?",
                    f"舒张压 {self.dbp} 必须低于收缩压 {self.sbp} mmHg。是否将两者填反?",
                ),
                str(self.dbp),
                f"< {self.sbp}",
            )
        if self.room_air is True and self.o2_device in WITH_DEVICE:
            yield Problem(
                "o2_device",
                "contradiction",
                T(
                    "Room air is answered Yes, yet an oxygen device is given. Change one of the two.",
                    "“未吸氧”为“是”,却填写了给氧方式。请更正其中之一。",
                ),
                self.o2_device,
                "NONE",
                fix="NONE",
            )
        if self.room_air is False and self.o2_device == "NONE":
            yield Problem(
                "o2_device",
                "contradiction",
                T(
                    "Room air is answered No, yet the device is None. Name it, or answer room air Yes.",
                    "“未吸氧”为“否”,但给氧方式为“无”。请填写给氧方式,或将“未吸氧”改为“是”。",
                ),
                "NONE",
                ", ".join(WITH_DEVICE),
            )

    def doubts(self) -> Iterator[Doubt]:
        """Flow and device; the weight that the dose is counted for."""
        if self.room_air is not True:
            yield from flow_doubts(self, self.o2_device)
        before_infusion = self.visit == "D0" and self.timepoint == "PRE_INF" and self.status == "COMPLETE"
        if before_infusion and self.weight_kg is None and "weight_kg" not in self.missing:
            yield Doubt(
                "weight_kg",
                "vital_signs.weight_before_infusion",
                T(
                    "Weight before infusion is missing; the dose per kg is checked against it. Enter kg.",
                    "缺少回输前体重;每公斤剂量需据此核对。请填写体重(kg)。",
                ),
            )
