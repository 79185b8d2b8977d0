"""Stories of subjects who were infused at the first two dose levels, in the order of their infusions."""

from datetime import timedelta
from typing import Any

from entry.demo.icf import sign_again
from entry.demo.outcome import die, limiting_toxicity, next_therapy, withdraw
from entry.demo.product import collect
from entry.demo.screening import admit, born
from entry.demo.story import MARK, Story, at
from entry.demo.talk import accept, ask, insist, reply, strike_out
from entry.demo.toxicity import bridging, course_events, fatal_inflammation, infection, medicine, serious
from entry.demo.treatment import (
    EARLY,
    FOLLOW_UP,
    MONTHS,
    YEARS,
    attend,
    come_back,
    deplete,
    infuse,
    prepare,
    stay,
)


def treat(story: Story, *, until: int = 14, **infusion: object) -> None:
    """From apheresis over the infusion to the last day on the ward, as planned."""
    collect(story)
    prepare(story)
    deplete(story)
    infuse(story, **infusion)  # type: ignore[arg-type]
    stay(story, until)
    course_events(story)


def long_remission(story: Story) -> None:
    """All goes as planned, into the fifth year. Nothing is broken and nothing is open; what was reviewed is locked."""
    admit(story.plan())
    treat(story)
    come_back(story, *FOLLOW_UP)
    sign_again(story)
    for form, state in (
        ("demographics", "LOCKED"),
        ("disease_history", "LOCKED"),
        ("contraception", "FROZEN"),
    ):
        record = story.kept.get((form, "")) or story.kept[(form, "SCR")]
        story.lock(record, state, "Reviewed against the source 已完成原始数据核对")


def transplant_corrected(story: Story) -> None:
    """A transplant date typed with the wrong month is flagged (DV-01), corrected with a reason, and cleared.

    The leukaemia comes back without CD19 at month 3; death in the sixth month.
    """
    story.plan().relapse_at = "M3"
    right = story.months_before(7, 3)
    admit(story, sct=str(story.months_before(2, 3)))
    treat(story)
    come_back(story, *EARLY, "M2", "M3")
    next_therapy(story, story.nominal("M3") + timedelta(days=12))
    die(story, story.on(168), of_leukaemia=True)
    reason = "Transcription error: month misread in the discharge letter 转录错误:出院小结月份误读"

    def mend(s: Story) -> None:
        """The date is corrected; now the data allow the checklists to be signed."""
        s.correct(s.kept[("prior_transplant", "")], reason, sct_date=right)
        sign_checklists(s)

    story.later(mend)


def should_not_have_been_enrolled(story: Story) -> None:
    """Too old, ECOG 2, 3 % marrow blasts, CD19 shown by another method, blinatumomab in a trial two months before;
    infused five days after the subject before; out of touch when the consent form is renewed."""
    admit(
        story.plan(),
        birth=str(born(story, 66, 20)),
        performance=2,
        blasts="3.0",
        cd19_by="IHC",
    )
    trial_drug(story)
    treat(story)
    come_back(story, *EARLY, *MONTHS, "M15", "M18", "M21", "M24")
    ecog = story.kept[("ecog", "SCR")]
    first = ask(
        story, ecog, "ecog", "ECOG 2 at screening, enrolled: please comment 筛选期 ECOG 2 分仍入组,请说明"
    )
    reply(story, first, "Assessed 1 at the clinic, 2 on the ward 门诊评估 1 分,病房评估 2 分")
    insist(story, first, "Which one is the source? 请说明以哪份原始记录为准")


def trial_drug(story: Story) -> None:
    """A third line of therapy: blinatumomab as an investigational product, until two months before consent."""
    last = story.from_consent(-58)
    story.put(
        "prior_therapy",
        line_no=3,
        regimen=f"Blinatumomab in a clinical trial 贝林妥欧单抗(临床试验){MARK}",
        category="BLINATUMOMAB",
        target_antigens=("CD19", "CD3"),
        start_date=last - timedelta(days=27),
        ongoing=False,
        end_date=last,
        best_response="NR",
        investigational=True,
        intrathecal=False,
    )


def too_soon_after_transplant(story: Story) -> None:
    """Infused two months after an allogeneic transplant, with active GVHD under a steroid that is not stopped."""
    graft = {"gvhd_active_at_consent": "YES", "agvhd_max_grade": 2, "is_prophylaxis_stop_date": ""}
    story.blanks[("prior_transplant", "")] = {"is_prophylaxis_stop_date": "UNKNOWN"}
    admit(story.plan(), sct=str(story.months_before(2, 5)), graft=graft)
    medicine(
        story,
        "Methylprednisolone 甲泼尼龙",
        "CORTICOSTEROID",
        ("16", "mg", "QD", "PO"),
        at(story.from_consent(-12), "08:00"),
        at(story.on(3), "08:00"),
        indication="GVHD",
    )
    treat(story)
    come_back(story, "D17", "D21")
    attend(story, "D28", leave_out=("csf",))
    story.not_done("csf", "D28", "SUBJECT_REFUSED")
    come_back(story, *MONTHS, *YEARS)
    sign_again(story)
    question = ask(
        story,
        story.kept[("prior_transplant", "")],
        "sct_date",
        "Two months before the infusion: please confirm with the transplant centre 距回输两个月,请与移植中心核实",
    )
    reply(story, question, "Confirmed by the transplant centre 移植中心已确认")
    accept(story, question)


def remission_after_transplant(story: Story) -> None:
    """A transplant eight months before, CRS grade 2 with tocilizumab, remission for years. Nothing is broken."""
    admit(story.plan(), sct=str(story.months_before(8, 12)))
    collect(story)
    bridging(story)
    prepare(story)
    deplete(story)
    infuse(story)
    stay(story)
    course_events(story)
    come_back(story, *FOLLOW_UP)
    sign_again(story)


def sign_checklists(story: Story) -> None:
    """Checklists that could not be signed before, because the data contradicted them."""
    for checklist in story.unsigned:
        story.sign(checklist, "ELIGIBILITY", "investigator", on=checklist.assessed_date)


def withdrawn(story: Story) -> None:
    """Treated as planned; withdraws after Day 28. Two results of one day were lost with a haemolysed sample."""
    story.blanks[("chemistry", "D10")] = {"ferritin": "SAMPLE_HAEMOLYSED", "ldh": "SAMPLE_HAEMOLYSED"}
    admit(story.plan())
    treat(story)
    come_back(story, *EARLY)
    withdraw(story, story.on(33))


def organs_failing(story: Story) -> None:
    """Creatinine, transaminases, saturation and ejection fraction beyond the limits, a stent eight months before. The
    first at the second level, infused on the medical monitor's word a fortnight before the committee met."""
    story.opened = {}  # no review had opened the level
    admit(
        story.plan(),
        lvef=46,
        saturation=90,
        chemistry_found={"creatinine": "152", "alt": "176", "ast": "148"},
    )
    story.put(
        "medical_history",
        term=f"Coronary stent 冠状动脉支架植入 {MARK}",
        category="CARDIAC",
        subtype="ANGIOPLASTY_STENT",
        start_date=story.from_consent(-245),
        ongoing=False,
        end_date=story.from_consent(-245),
    )
    collect(story)
    prepare(story)
    deplete(story, creatinine="131")
    infuse(story)
    stay(story)
    course_events(story)
    come_back(story, *FOLLOW_UP)
    sign_again(story)


def late_and_missed(story: Story) -> None:
    """Severe CRS and ICANS; day 28 six days late, month 2 refused, two serious events reported late, one not yet."""
    admit(story.plan())
    collect(story)
    prepare(story)
    deplete(story)
    infuse(story)
    stay(story)
    course_events(story, report_after_days=2)
    come_back(story, "D17", "D21")
    attend(story, "D28", story.nominal("D28") + timedelta(days=6))
    story.not_done("visit", "M2", "SUBJECT_REFUSED")
    come_back(story, *MONTHS[1:], *YEARS)
    sign_again(story)
    infection(story, 70, **serious(story, 71, None))
    twice = story.begin(
        "vital_signs", "D21", vs_dt=at(story.on(21), "08:00"), timepoint="VISIT", temp_c="36.9"
    )
    strike_out(story, twice, "Entered for the wrong subject 录入错受试者")


def died(story: Story) -> None:
    """CRS grade 4, then haemophagocytic inflammation, which was dose-limiting; death on Day 19, reported in time."""
    admit(story.plan())
    treat(story)
    attend(story, "D17")
    death = story.on(19)
    event = fatal_inflammation(story, 12, death)
    limiting_toxicity(
        story,
        death + timedelta(days=3),
        event,
        "CRS grade 4 from day 5; IEC-HS grade 5 第5天起 CRS 4级;噬血细胞综合征 5级(死亡)",
    )
    die(story, death)
    fever = story.question(story.kept[("crs_assessment", "D5")], "temp_c")
    reply(story, fever, "Measured twice, ice applied 已复测,物理降温")
    again = story.question(story.kept[("vital_signs", "D5")], "temp_c")
    accept(story, reply(story, again))
    insist(
        story, reply(story, story.question(story.kept[("chemistry", "D6")], "crp_value")), "Unit? 请核实单位"
    )


def product_out_of_order(story: Story) -> None:
    """A batch below its specification, conditionally released, warmed on its way, expired, given too slowly and in
    too large a dose after a bedside check by one person; hepatitis serology was left incomplete."""
    admit(story.plan(), hbcab="POSITIVE")
    collect(story)
    prepare(
        story,
        skip="RECEIVED_SITE",
        warm="STORED",
        decision="CONDITIONAL_RELEASE",
        expires=story.on(-1),
        sterility="NEGATIVE_TO_DATE",
        viability_pct="66.0",
    )
    deplete(story)
    infuse(story, dose=1.35, thawing=("08:55", "09:12"), ended="11:15", second="pharmacist", viable="64.0")
    stay(story)
    course_events(story)
    come_back(story, *EARLY, *MONTHS, *YEARS)
    sign_again(story)
    ask(
        story,
        story.kept[("infusion", "")],
        "actual_per_kg",
        "Please attach the dose calculation 请提供剂量计算依据",
    )


def infusion_out_of_order(story: Story) -> None:
    """A live vaccine four weeks before, no pregnancy test and no signed check before lymphodepletion, dexamethasone
    as premedication, one round of vital signs left out."""
    admit(story.plan())
    vaccine(story, story.from_consent(-26))
    collect(story)
    prepare(story)
    deplete(story, checked=False, tested=False)
    infuse(story, premed=("PARACETAMOL", "CORTICOSTEROID"), unseen="INF_2H")
    stay(story)
    course_events(story)
    come_back(story, *EARLY, *MONTHS, *YEARS)
    sign_again(story)


def vaccine(story: Story, day: Any) -> None:
    """A live vaccine against varicella."""
    medicine(
        story,
        "Varicella vaccine, live 水痘减毒活疫苗",
        "LIVE_VACCINE",
        ("0.5", "mL", "ONCE", "SC"),
        str(day),
        str(day),
        indication="PROPHYLAXIS",
    )


def lymphodepletion_out_of_order(story: Story) -> None:
    """Fever on the first morning, no cyclophosphamide, one dose 15 % too high, 17 days from the last dose to Day 0."""
    admit(story.plan(delay=14))
    collect(story)
    prepare(story)
    deplete(story, drugs=("FLUDARABINE",), too_much="FLUDARABINE", fever="38.3")
    infuse(story)
    stay(story)
    course_events(story)
    come_back(story, *EARLY, *MONTHS, *YEARS)
    sign_again(story)
    dose = story.kept[("lymphodepletion", "")]
    question = ask(story, dose, "drug", "Was cyclophosphamide given? 是否给予环磷酰胺?")
    reply(story, question, "Not given, haemorrhagic cystitis 因出血性膀胱炎未给药")
