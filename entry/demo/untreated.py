"""Stories of subjects who were not infused, or not yet."""

from datetime import timedelta

from entry.demo.forms import haematology, vital_signs
from entry.demo.outcome import die, end, withdraw
from entry.demo.product import collect, manufacture
from entry.demo.screening import (
    SCREENED_AFTER,
    admit,
    born,
    consent,
    illness,
    introduce,
    judge,
    screen,
    serology,
)
from entry.demo.story import Story, at


def not_manufactured(story: Story) -> None:
    """Enrolled and collected; the batch failed and was rejected, so there is no infusion."""
    admit(story.plan())
    story.day0 = None
    collect(story)
    manufacture(
        story,
        decision="REJECTED",
        viability_pct="58.0",
        fold_expansion=4,
        oos_reason="Viability and expansion below the limits 细胞活率及扩增倍数低于标准",
    )
    assert story.apheresis_day is not None
    when = story.apheresis_day + timedelta(days=20)
    end(story, when, "MANUFACTURING_FAILURE", "Batch rejected 制备失败", signed=False)


def thought_better(story: Story) -> None:
    """Eligible; withdraws consent before the cells are collected."""
    admit(story.plan())
    story.day0 = None
    withdraw(story, story.from_consent(8))


def progressed(story: Story) -> None:
    """Collected; dies of the leukaemia while the cells are being made."""
    admit(story.plan())
    story.day0 = None
    collect(story)
    die(story, story.from_consent(21), of_leukaemia=True)


def being_manufactured(story: Story) -> None:
    """Enrolled and collected; the cells are being made."""
    story.plan().day0 = None
    admit(story)
    collect(story)


def in_screening(story: Story) -> None:
    """In the middle of screening: partial dates, values still missing, one entered late, typed on a Chinese keyboard."""
    story.plan().day0 = None
    consent(story)
    introduce(story, birth=f"{born(story):%Y-%m}")
    illness(story, transplanted="UNKNOWN", cytogenetic_risk="NK")
    day = story.from_consent(SCREENED_AFTER)
    story.put("visit", "SCR", actual_date=f"{day:%Y年%m月%d日}")
    vital_signs(story, "SCR", day)
    story.blanks[("haematology", "SCR")] = {"reticulocytes": "NOT_DONE"}
    haematology(story, "SCR", day, hgb="８８．０")
    story.begin(
        "chemistry",
        "SCR",
        lb_dt=at(day, "07:10"),
        creatinine="0.71",
        creatinine_unit="mg/dL",
        potassium="４。１",
        alt="<5",
    )
    serology(story, "SCR", day, hbcab="POSITIVE")
    lungs = story.begin("pulmonary", "SCR", assess_dt=at(day, "08:10"), spo2_pct="97")
    story.finish(lungs, dyspnea_grade=0, room_air=True)
    ecg = story.put("ecg", "SCR", eg_dt=at(day, "10:40"), heart_rate="78", interpretation="NORMAL")
    story.correct(ecg, "Late entry: report received two days later 补录:报告两天后收到", qtcf_ms="412")
    story.begin("bone_marrow", "SCR", bm_dt=at(day + timedelta(days=1), "10:00"), aspirate_adequate=True)


def hepatitis(story: Story) -> None:
    """Hepatitis B virus was detected: not eligible, end of study."""
    story.plan().day0 = None
    consent(story)
    introduce(story)
    illness(story)
    screen(story, hbcab="POSITIVE", hbv_dna_result="DETECTED", hbv_dna_iu_ml="1860", hbv_dna_lod="20")
    judge(story, "SCREENING", story.enrolled, e_05="MET")
    end(story, story.from_consent(7), "SCREEN_FAILURE", "E-05: HBV DNA detected 检出 HBV-DNA")


def weak_heart(story: Story) -> None:
    """An ejection fraction below the limit: not eligible, end of study."""
    story.plan().day0 = None
    consent(story)
    introduce(story)
    illness(story)
    screen(story, lvef=41)
    judge(story, "SCREENING", story.enrolled, i_04="NOT_MET")
    end(story, story.from_consent(7), "SCREEN_FAILURE", "I-04: LVEF below 50 % 左室射血分数低于50%")
