"""Heart, lungs and performance status: what registry I-04 and I-09 ask for."""

from subjects.crf import CRF
from trial.item import code, day, moment, number, whole, yes_no
from trial.text import T
from visits.codelists import ECG_READING, ECHO_METHOD, EFFUSION


class Echo(CRF):
    """Echocardiography. Registry I-04(1) names the echocardiogram; another method is kept, never decides."""

    form = "echo"
    domain = "CV"
    repeats = "visit"
    dated_by = "echo_date"

    echo_date = day(en="Date of examination", zh="检查日期", cdash="CVDAT", required=True)
    method = code(ECHO_METHOD, en="Method", zh="检查方法", cdash="CVMETHOD", required=True)
    lvef_pct = number(
        4,
        1,
        en="Left ventricular ejection fraction",
        zh="左心室射血分数(LVEF)",
        unit="%",
        hard=(5, 90),
        soft=(45, 75),
        cdash="LVEF_CVORRES",
        required=True,
    )
    pericardial_effusion = code(EFFUSION, en="Pericardial effusion", zh="心包积液")

    class Meta(CRF.Meta):
        verbose_name = T("Echocardiography", "超声心动图")


class Ecg(CRF):
    """12-lead electrocardiogram."""

    form = "ecg"
    domain = "EG"
    repeats = "visit"
    dated_by = "eg_dt"

    eg_dt = moment(en="Date and time", zh="检查日期时间", cdash="EGDAT+EGTIM", required=True)
    heart_rate = whole(
        en="Heart rate", zh="心率", unit="/min", hard=(20, 300), soft=(50, 120), cdash="EGHRMN", required=True
    )
    qtcf_ms = whole(
        en="QTcF interval",
        zh="QTcF间期",
        unit="ms",
        hard=(200, 800),
        soft=(350, 470),
        cdash="QTCFAG",
        required=True,
    )
    interpretation = code(
        ECG_READING, en="Interpretation", zh="心电图判读", cdash="INTP_EGORRES", required=True
    )

    class Meta(CRF.Meta):
        verbose_name = T("12-lead ECG", "12导联心电图")


class Pulmonary(CRF):
    """Dyspnoea and oxygen saturation, the two halves of registry I-04(4)."""

    form = "pulmonary"
    domain = "RE"
    repeats = "visit"
    dated_by = "assess_dt"

    assess_dt = moment(en="Date and time", zh="评估日期时间", required=True)
    dyspnea_grade = whole(
        en="Dyspnoea grade (CTCAE v5)",
        zh="呼吸困难分级(CTCAE v5)",
        hard=(0, 4),
        soft=(0, 2),
        required=True,
        note=T(
            "1 on moderate, 2 on minimal exertion; 3 at rest, limits self-care; 4 life-threatening.",
            "1 中度活动时;2 轻微活动时;3 静息时,影响自理;4 危及生命。",
        ),
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
        sdtm="VSORRES, VSORRESU where VSTESTCD = OXYSAT",
    )
    room_air = yes_no(en="Measured on room air", zh="未吸氧状态下测量", required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Dyspnoea and oxygen saturation", "呼吸困难与血氧饱和度")


class Ecog(CRF):
    """ECOG performance status (registry I-09)."""

    form = "ecog"
    domain = "RS"
    repeats = "visit"
    dated_by = "ecog_date"

    ecog_date = day(en="Date of assessment", zh="评估日期", cdash="RSDAT/QSDAT", required=True)
    ecog = whole(
        en="ECOG performance status",
        zh="ECOG体能状态评分",
        hard=(0, 5),
        soft=(0, 2),
        cdash="ECOG101",
        required=True,
        note=T(
            "0 active; 1 no hard work; 2 up over half the day; 3 limited self-care; 4 disabled; 5 dead.",
            "0 活动如常;1 不能从事重体力活动;2 白天半数以上时间可起床;3 自理受限;4 完全不能自理;5 死亡。",
        ),
    )

    class Meta(CRF.Meta):
        verbose_name = T("ECOG performance status", "ECOG体能状态")
