"""Exclusion criteria E-01 to E-18. MET means that the exclusion is present, which keeps the subject out.

Each function reads the registered text as the protocol version says; the text itself stands in `trial.registry`.
"""

from safety.eligibility.answers import detected, one_of, positive, yes
from safety.eligibility.decision import Words, judges
from safety.eligibility.facts import Screening
from safety.eligibility.intervals import within_before
from subjects.codelists import ALLERGEN_CLASS, RELAPSE_TYPE
from trial.logic import Verdict, all_of, any_of
from trial.protocol import Protocol


def _marrow_speaks_against(facts: Screening, protocol: Protocol) -> Words | None:
    blasts, least = facts.bm_blast_pct_morph, protocol.blasts_min_pct.value
    if facts.relapse_type != protocol.excluded_relapse_type.value or blasts is None or blasts < least:
        return None
    return (
        f"The relapse is called extramedullary alone, but the marrow holds {blasts} % blasts. Check both.",
        f"复发类型为孤立性髓外复发,但骨髓原始细胞为 {blasts}%。请核对两者。",
    )


@judges(
    "E-01",
    "relapse_after_first_remission",
    "number_of_relapses",
    "relapse_type",
    limit=lambda p: RELAPSE_TYPE.words(p.excluded_relapse_type.value),
    note=_marrow_speaks_against,
)
def isolated_extramedullary_relapse(facts: Screening, protocol: Protocol) -> Verdict:
    """The latest relapse was extramedullary alone; without any relapse it was not."""
    if facts.relapse_type:
        return Verdict.of(facts.relapse_type == protocol.excluded_relapse_type.value)
    never = facts.number_of_relapses == 0 or (
        facts.number_of_relapses is None and facts.relapse_after_first_remission == "NO"
    )
    return Verdict.NOT_MET if never else Verdict.UNKNOWN


def _past_malignancy(facts: Screening, protocol: Protocol) -> Words | None:
    if facts.malignancy_past != "YES" or facts.malignancy_ongoing == "YES":
        return None
    return "A past malignancy is recorded. Confirm that it is cured.", "有既往恶性肿瘤记录。请确认已治愈。"


@judges(
    "E-02",
    "malignancy_ongoing",
    limit=lambda p: ("other malignancy, ongoing", "其他恶性肿瘤,持续存在"),
    note=_past_malignancy,
)
def other_malignancy(facts: Screening, protocol: Protocol) -> Verdict:
    """Another malignancy at the same time; one that is past does not exclude and is asked about."""
    return yes(facts.malignancy_ongoing)


@judges(
    "E-03",
    "prior_antigens",
    "prior_therapy_complete",
    limit=lambda p: (
        f"any prior therapy against {' or '.join(p.excluded_antigens.value)}",
        f"曾接受针对{'或'.join(p.excluded_antigens.value)}的治疗",
    ),
)
def prior_cd19_therapy(facts: Screening, protocol: Protocol) -> Verdict:
    """Any prior therapy whose targets include CD19 or CD3, however long ago; blinatumomab always does."""
    if set(facts.prior_antigens) & set(protocol.excluded_antigens.value):
        return Verdict.MET
    return Verdict.NOT_MET if facts.prior_therapy_complete else Verdict.UNKNOWN


@judges(
    "E-04",
    "any_immunosuppressant",
    "steroid_last_dose",
    "icf",
    "planned",
    limit=lambda p: (
        f"within {p.steroid_washout_days.value} days before consent, or planned",
        f"签署知情同意前{p.steroid_washout_days.value}天内使用,或计划使用",
    ),
)
def immunosuppression(facts: Screening, protocol: Protocol) -> Verdict:
    """Immunosuppressants or glucocorticoids in the days before consent, both ends included, or planned after it."""
    recent = within_before(facts.steroid_last_dose, facts.icf, days=protocol.steroid_washout_days.value)
    return any_of((all_of((yes(facts.any_immunosuppressant), recent)), yes(facts.planned)))


def _dna_alone(facts: Screening, protocol: Protocol) -> Words | None:
    without = facts.hbeab == facts.hbcab == "NEGATIVE"
    if not without or facts.hbv_dna not in protocol.dna_above_detection.value:
        return None
    return "HBV DNA detected without HBeAb or HBcAb. Check it.", "HBeAb和HBcAb均阴性而HBV-DNA检出。请核对。"


@judges(
    "E-05",
    "hbsag",
    "hbeag",
    "hbeab",
    "hbcab",
    "hbv_dna",
    "hcv_ab",
    "tp_ab",
    "ebv_dna",
    "cmv_dna",
    limit=lambda p: (
        "a positive marker, or DNA above the limit of detection",
        "任一标志物阳性,或核酸高于检测下限",
    ),
    note=_dna_alone,
)
def viral_markers(facts: Screening, protocol: Protocol) -> Verdict:
    """HBsAg, HBeAg, HCV or treponema antibody positive; HBeAb or HBcAb positive with HBV DNA detected; EBV DNA or
    CMV DNA detected. Detected below quantification is detected."""
    found = protocol.dna_above_detection.value
    antibodies = any_of((positive(facts.hbeab), positive(facts.hbcab)))
    return any_of(
        (
            positive(facts.hbsag),
            positive(facts.hbeag),
            all_of((antibodies, detected(facts.hbv_dna, found))),
            positive(facts.hcv_ab),
            positive(facts.tp_ab),
            detected(facts.ebv_dna, found),
            detected(facts.cmv_dna, found),
        )
    )


def _signs_of_infection(facts: Screening, protocol: Protocol) -> Words | None:
    """Fever shortly before, or a severe infection that goes on, although the investigator sees none uncontrolled."""
    if facts.uncontrolled_infection != "NO":
        return None
    en, zh = [], []
    if facts.fever_c is not None:
        day, hours = _day_of(facts, "fever_c"), protocol.infection_ask_fever_hours.value
        en.append(f"{facts.fever_c} °C{day[0]} within {hours} hours")
        zh.append(f"{hours} 小时内体温 {facts.fever_c} °C{day[1]}")
    if facts.infection_grade is not None:
        day = _day_of(facts, "infection_grade")
        en.append(f"an infection of grade {facts.infection_grade}{day[0]} that goes on")
        zh.append(f"{facts.infection_grade} 级感染持续{day[1]}")
    if not en:
        return None
    return (
        f"Answered with no uncontrolled infection, but there is {' and '.join(en)}. Confirm.",
        f"回答为无未控制的感染,但有{'、'.join(zh)}。请确认。",
    )


def _day_of(facts: Screening, name: str) -> Words:
    source = facts.sources.get(name)
    day = source.day if source else ""
    return (f" ({day})", f"({day})") if day else ("", "")


@judges(
    "E-06",
    "uncontrolled_infection",
    limit=lambda p: ("investigator's judgement", "由研究者判断"),
    note=_signs_of_infection,
)
def uncontrolled_infection(facts: Screening, protocol: Protocol) -> Verdict:
    """The investigator's answer. Fever in the hours before, or a severe infection that goes on, is asked about."""
    return yes(facts.uncontrolled_infection)


@judges("E-07", "hiv_ab", "tp_ab", "sars_cov_2", limit=lambda p: ("any of them positive", "任一阳性"))
def hiv_syphilis_covid(facts: Screening, protocol: Protocol) -> Verdict:
    """HIV antibody, treponema antibody or SARS-CoV-2 positive."""
    return any_of((positive(facts.hiv_ab), positive(facts.tp_ab), positive(facts.sars_cov_2)))


def _allergic(facts: Screening, classes: tuple[str, ...]) -> Verdict:
    if set(facts.severe_allergies) & set(classes):
        return Verdict.MET
    return Verdict.NOT_MET if facts.allergies_complete else Verdict.UNKNOWN


@judges("E-08", "severe_allergies", "allergies_complete", limit=lambda p: ("aminoglycosides", "氨基糖苷类"))
def aminoglycoside_allergy(facts: Screening, protocol: Protocol) -> Verdict:
    """A severe immediate reaction to an aminoglycoside, at any time."""
    return _allergic(facts, ("AMINOGLYCOSIDE",))


def _cns_leukaemia(facts: Screening, protocol: Protocol) -> Words | None:
    if facts.cns_leukaemia != "YES" or protocol.cns_leukaemia_excludes.value:
        return None
    return (
        "Leukaemia in the CNS is recorded; the criterion does not name it. Confirm.",
        "有中枢神经系统白血病记录;该标准未列明。请确认。",
    )


@judges(
    "E-09",
    "cns_history",
    "cns_leukaemia",
    limit=lambda p: ("past or present", "既往或现患"),
    note=_cns_leukaemia,
)
def cns_disease(facts: Screening, protocol: Protocol) -> Verdict:
    """Any disease of the CNS, past or present; leukaemia there only if the protocol counts it."""
    leukaemia = (yes(facts.cns_leukaemia),) if protocol.cns_leukaemia_excludes.value else ()
    return any_of((yes(facts.cns_history), *leukaemia))


@judges(
    "E-10",
    "angioplasty_dates",
    "icf",
    "myocardial_infarction",
    "unstable_angina",
    "other_heart_disease",
    limit=lambda p: (
        f"angioplasty or stent within {p.cardiac_window_months.value} months before consent; others ever",
        f"签署知情同意前{p.cardiac_window_months.value}个月内血管成形或支架;其他不限时间",
    ),
)
def heart_disease(facts: Screening, protocol: Protocol) -> Verdict:
    """Angioplasty or stent within the months before consent; infarction, unstable angina or other significant heart
    disease at any time."""
    months = protocol.cardiac_window_months.value
    dates = facts.angioplasty_dates
    recent = (
        Verdict.UNKNOWN
        if dates is None
        else any_of(within_before(day, facts.icf, months=months) for day in dates)
    )
    return any_of(
        (
            recent,
            yes(facts.myocardial_infarction),
            yes(facts.unstable_angina),
            yes(facts.other_heart_disease),
        )
    )


@judges("E-11", "primary_immunodeficiency", limit=lambda p: ("any", "任何"))
def primary_immunodeficiency(facts: Screening, protocol: Protocol) -> Verdict:
    """A primary immunodeficiency."""
    return yes(facts.primary_immunodeficiency)


@judges(
    "E-12",
    "severe_allergies",
    "allergies_complete",
    limit=lambda p: (
        ", ".join(ALLERGEN_CLASS.words(one)[0].lower() for one in p.study_drug_allergens.value),
        "、".join(ALLERGEN_CLASS.words(one)[1] for one in p.study_drug_allergens.value),
    ),
)
def study_drug_allergy(facts: Screening, protocol: Protocol) -> Verdict:
    """A severe immediate reaction to a drug used in this study, at any time."""
    return _allergic(facts, protocol.study_drug_allergens.value)


@judges(
    "E-13",
    "live_vaccine",
    "live_vaccine_date",
    "screening_start",
    limit=lambda p: (
        f"within {p.live_vaccine_days.value} days before screening",
        f"筛选前{p.live_vaccine_days.value}天内",
    ),
)
def live_vaccine(facts: Screening, protocol: Protocol) -> Verdict:
    """A live vaccine in the weeks before screening, both ends included; other vaccines never count."""
    recent = within_before(
        facts.live_vaccine_date, facts.screening_start, days=protocol.live_vaccine_days.value
    )
    return all_of((yes(facts.live_vaccine), recent))


@judges(
    "E-14",
    "sex",
    "wocbp",
    "pregnancy_test",
    "lactating",
    limit=lambda p: ("pregnant or lactating", "妊娠或哺乳"),
)
def pregnant_or_lactating(facts: Screening, protocol: Protocol) -> Verdict:
    """Lactating, or of childbearing potential with a positive test; never a man."""
    pregnant = all_of((yes(facts.wocbp), positive(facts.pregnancy_test)))
    return all_of((one_of(facts.sex, ("F",)), any_of((yes(facts.lactating), pregnant))))


@judges("E-15", "autoimmune_active", limit=lambda p: ("active at consent", "签署知情同意时活动"))
def active_autoimmune_disease(facts: Screening, protocol: Protocol) -> Verdict:
    """An autoimmune disease that was active at consent."""
    return yes(facts.autoimmune_active)


@judges(
    "E-16", "prior_allo_sct", "gvhd_active", limit=lambda p: ("active before consent", "签署知情同意前活动")
)
def active_gvhd(facts: Screening, protocol: Protocol) -> Verdict:
    """GVHD active at consent; without an allogeneic transplant there is none."""
    return all_of((yes(facts.prior_allo_sct), yes(facts.gvhd_active)))


@judges(
    "E-17",
    "imp_ever",
    "imp_last_dose",
    "icf",
    limit=lambda p: (
        f"within {p.imp_washout_months.value} months before consent",
        f"签署知情同意前{p.imp_washout_months.value}个月内",
    ),
)
def investigational_product(facts: Screening, protocol: Protocol) -> Verdict:
    """An investigational product whose last day lies in the months before consent, both ends included."""
    recent = within_before(facts.imp_last_dose, facts.icf, months=protocol.imp_washout_months.value)
    return all_of((yes(facts.imp_ever), recent))


@judges("E-18", "other_unsuitable", limit=lambda p: ("investigator's judgement", "由研究者判断"))
def otherwise_unsuitable(facts: Screening, protocol: Protocol) -> Verdict:
    """The investigator's answer."""
    return yes(facts.other_unsuitable)
