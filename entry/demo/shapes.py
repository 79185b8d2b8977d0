"""The stories: sixteen subjects over three dose levels. docs/demo.md says which breaks which rule.

With more subjects the same stories are told again, with other values and other bodies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from entry.demo import courses
from entry.demo.courses import Course
from entry.demo.forms import haematology, vital_signs
from entry.demo.outcome import die, end, next_therapy, withdraw
from entry.demo.product import collect, manufacture
from entry.demo.screening import admit, born, consent, illness, introduce, judge, screen, serology
from entry.demo.story import Body, Story, at
from entry.demo.talk import accept, ask, insist, reply, strike_out
from entry.demo.toxicity import bridging, course_events, fatal_inflammation, infection, serious
from entry.demo.treatment import attend, come_back, deplete, infuse, prepare, stay
from trial.dates import add_months, span

MONTHS_BETWEEN = 3


def treat(story: Story, *, until: int = 14, **infusion: object) -> None:
    """From apheresis over the infusion to the last day on the ward, as planned."""
    collect(story)
    prepare(story)
    deplete(story)
    infuse(story, **infusion)  # type: ignore[arg-type]
    stay(story, until)
    course_events(story)


def remission(story: Story) -> None:
    """All goes as planned, to month 3. Nothing is broken and nothing is open."""
    admit(story.plan(125))
    treat(story)
    come_back(story, "D17", "D21", "D28", "M2", "M3")


def transplant_corrected(story: Story) -> None:
    """A transplant date typed with the wrong month is flagged (DV-01), corrected with a reason, and cleared.

    The leukaemia comes back without CD19 at month 3.
    """
    story.plan(118).relapse_at = "M3"
    right = story.months_before(7, 3)
    admit(story, sct=str(story.months_before(2, 3)))
    treat(story)
    come_back(story, "D17", "D21", "D28", "M2", "M3")
    next_therapy(story, story.nominal("M3") + timedelta(days=12))
    reason = "Transcription error: month misread in the discharge letter 转录错误:出院小结月份误读"
    story.later(lambda s: s.correct(s.kept[("prior_transplant", "")], reason, sct_date=right))


def should_not_have_been_enrolled(story: Story) -> None:
    """Too old (DV-08), ECOG 2 (DV-09) and 3 % marrow blasts (DV-10), enrolled all the same."""
    admit(story.plan(111), birth=str(born(story, 66, 20)), performance=2, blasts="3.0")
    treat(story)
    come_back(story, "D17", "D21", "D28", "M2", "M3")
    ecog = story.kept[("ecog", "SCR")]
    first = ask(
        story, ecog, "ecog", "ECOG 2 at screening, enrolled: please comment 筛选期 ECOG 2 分仍入组,请说明"
    )
    reply(story, first, "Assessed 1 at the clinic, 2 on the ward 门诊评估 1 分,病房评估 2 分")
    insist(story, first, "Which one is the source? 请说明以哪份原始记录为准")


def remission_after_transplant(story: Story) -> None:
    """A transplant eight months before, CRS grade 2 with tocilizumab, remission to month 3. Nothing is broken."""
    admit(story.plan(100), sct=str(story.months_before(8, 12)))
    collect(story)
    bridging(story)
    prepare(story)
    deplete(story)
    infuse(story)
    stay(story)
    course_events(story)
    come_back(story, "D17", "D21", "D28", "M2", "M3")


def too_soon_after_transplant(story: Story) -> None:
    """Infused two months after an allogeneic transplant (DV-01)."""
    admit(story.plan(84), sct=str(story.months_before(2, 5)))
    treat(story)
    come_back(story, "D17", "D21")
    attend(story, "D28", leave_out=("csf", "response"))
    story.not_done("csf", "D28", "SUBJECT_REFUSED")
    come_back(story, "M2")
    question = ask(
        story,
        story.kept[("prior_transplant", "")],
        "sct_date",
        "Two months before the infusion: please confirm with the transplant centre 距回输两个月,请与移植中心核实",
    )
    reply(story, question, "Confirmed by the transplant centre 移植中心已确认")
    accept(story, question)


def late_and_missed(story: Story) -> None:
    """Day 28 six days late (DV-51), month 2 missed (DV-52), two serious events reported late or not yet (DV-59)."""
    admit(story.plan(77))
    collect(story)
    prepare(story)
    deplete(story)
    infuse(story)
    stay(story)
    course_events(story, report_after_days=2)
    come_back(story, "D17", "D21")
    attend(story, "D28", story.nominal("D28") + timedelta(days=6))
    story.not_done("visit", "M2", "SUBJECT_REFUSED")
    infection(story, 70, **serious(story, 71, None))
    twice = story.begin(
        "vital_signs", "D21", vs_dt=at(story.on(21), "08:00"), timepoint="VISIT", temp_c="36.9"
    )
    strike_out(story, twice, "Entered for the wrong subject 录入错受试者")


def product_out_of_order(story: Story) -> None:
    """A batch only conditionally released (DV-35) and expired (DV-37), checked by one person twice (DV-39),
    48 min after thawing and over 75 min (DV-42), 31 % over the planned dose (DV-43)."""
    admit(story.plan(65))
    collect(story)
    prepare(story, decision="CONDITIONAL_RELEASE", expires=story.on(-1), sterility="NEGATIVE_TO_DATE")
    deplete(story)
    infuse(story, dose=1.35, thawing=("08:55", "09:12"), ended="11:15", second="pharmacist")
    stay(story)
    course_events(story)
    come_back(story, "D17", "D21", "D28", "M2")
    ask(
        story,
        story.kept[("infusion", "")],
        "actual_per_kg",
        "Please attach the dose calculation 请提供剂量计算依据",
    )


def lymphodepletion_out_of_order(story: Story) -> None:
    """No cyclophosphamide (DV-25), one dose 15 % too high (DV-30), 17 days from the last dose to Day 0 (DV-34)."""
    admit(story.plan(48, delay=14))
    collect(story)
    prepare(story)
    deplete(story, drugs=("FLUDARABINE",), too_much="FLUDARABINE")
    infuse(story)
    stay(story)
    course_events(story)
    come_back(story, "D17", "D21", "D28")
    dose = story.kept[("lymphodepletion", "")]
    question = ask(story, dose, "drug", "Was cyclophosphamide given? 是否给予环磷酰胺?")
    reply(story, question, "Not given, haemorrhagic cystitis 因出血性膀胱炎未给药")


def withdrawn(story: Story) -> None:
    """Treated as planned; withdraws after Day 28."""
    story.blanks[("chemistry", "D10")] = {"ferritin": "SAMPLE_HAEMOLYSED", "ldh": "SAMPLE_HAEMOLYSED"}
    admit(story.plan(41))
    treat(story)
    come_back(story, "D17", "D21", "D28")
    withdraw(story, story.on(33))


def died(story: Story) -> None:
    """CRS grade 4, then haemophagocytic inflammation; death on Day 19, reported in time."""
    admit(story.plan(36))
    treat(story)
    attend(story, "D17")
    death = story.on(19)
    fatal_inflammation(story, 12, death)
    die(story, death)
    fever = story.question(story.kept[("crs_assessment", "D5")], "temp_c")
    reply(story, fever, "Measured twice, ice applied 已复测,物理降温")
    again = story.question(story.kept[("vital_signs", "D5")], "temp_c")
    accept(story, reply(story, again))


def transplant_month_unknown(story: Story) -> None:
    """Of a transplant only the month is known, so whether three months had passed cannot be told (DV-01, pending)."""
    ago = next(days for days in range(31, 36) if _ambiguous(story.plan(days)))
    month = f"{add_months(story.plan(ago).on(0), -MONTHS_BETWEEN):%Y-%m}"
    admit(story, sct=month)
    treat(story)
    come_back(story, "D17", "D21", "D28")
    ask(
        story,
        story.kept[("prior_transplant", "")],
        "sct_date",
        "Please find the day of the transplant 请补充移植日期的“日”",
    )


def _ambiguous(story: Story) -> bool:
    """Whether the month three months before the infusion leaves open if three months had passed."""
    month = span(f"{add_months(story.on(0), -MONTHS_BETWEEN):%Y-%m}").plus_months(MONTHS_BETWEEN)
    return month.first < story.on(0) < month.last


def on_the_ward(story: Story) -> None:
    """Day 14 is today. Echocardiography before consent (DV-03), consent on a version not approved (DV-04)."""
    admit(story.plan(14), icf="0.9", echo_day=-1)
    treat(story)
    sample = story.kept[("haematology", "D12")]
    story.correct(
        sample, "Sampling time after the report 按检验报告更正采样时间", lb_dt=at(story.on(12), "06:50")
    )


def not_manufactured(story: Story) -> None:
    """Enrolled and collected; the batch failed, so there is no infusion."""
    admit(story.plan(10))
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
    end(story, story.apheresis_day + timedelta(days=20), "MANUFACTURING_FAILURE", "Batch rejected 制备失败")


def being_manufactured(story: Story) -> None:
    """Enrolled and collected; the cells are being made."""
    story.plan(-18).day0 = None
    admit(story)
    collect(story)


def in_screening(story: Story) -> None:
    """In the middle of screening: partial dates, values still missing, one entered late, typed on a Chinese keyboard."""
    story.plan(-29).day0 = None
    consent(story)
    introduce(story, birth=f"{born(story):%Y-%m}")
    illness(story, transplanted="UNKNOWN", cytogenetic_risk="NK")
    day = story.from_consent(2)
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


def screen_failure(story: Story) -> None:
    """Hepatitis B virus was detected: not eligible, end of study."""
    story.plan(-20).day0 = None
    consent(story)
    introduce(story)
    illness(story)
    screen(story, hbcab="POSITIVE", hbv_dna_result="DETECTED", hbv_dna_iu_ml="1860", hbv_dna_lod="20")
    judge(story, "SCREENING", story.enrolled, e_05="MET")
    end(story, story.from_consent(7), "SCREEN_FAILURE", "E-05: HBV DNA detected 检出 HBV-DNA")


@dataclass(frozen=True)
class Shape:
    """A story with its subject: how it is told, at which level, with which course of toxicity."""

    tell: Callable[[Story], None]
    body: Body
    level: str = "DL1"
    course: Course = courses.MILD


SHAPES: tuple[Shape, ...] = (
    Shape(remission, Body("M", 34, "172.0", "66.5"), "DL1", courses.MILD),
    Shape(transplant_corrected, Body("F", 41, "161.0", "55.2"), "DL1", courses.QUIET),
    Shape(should_not_have_been_enrolled, Body("M", 66, "168.0", "62.0"), "DL1", courses.MILD),
    Shape(remission_after_transplant, Body("F", 28, "165.0", "58.4"), "DL2", courses.MODERATE),
    Shape(too_soon_after_transplant, Body("M", 45, "175.0", "71.3"), "DL2", courses.MODERATE),
    Shape(late_and_missed, Body("M", 52, "170.0", "69.0"), "DL2", courses.SEVERE),
    Shape(product_out_of_order, Body("F", 37, "158.0", "51.8"), "DL2", courses.MILD),
    Shape(lymphodepletion_out_of_order, Body("M", 23, "178.0", "73.5"), "DL3", courses.QUIET),
    Shape(withdrawn, Body("F", 49, "163.0", "60.1"), "DL3", courses.MODERATE),
    Shape(died, Body("M", 58, "169.0", "64.7"), "DL3", courses.FATAL),
    Shape(transplant_month_unknown, Body("M", 31, "174.0", "68.2"), "DL3", courses.MILD),
    Shape(on_the_ward, Body("F", 44, "160.0", "54.0"), "DL3", courses.MODERATE),
    Shape(not_manufactured, Body("M", 60, "171.0", "65.5")),
    Shape(being_manufactured, Body("F", 26, "167.0", "57.6")),
    Shape(in_screening, Body("M", 39, "173.0", "70.4")),
    Shape(screen_failure, Body("F", 55, "159.0", "56.3")),
)
