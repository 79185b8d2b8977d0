"""Inclusion criteria I-01 to I-11. MET means that the subject satisfies the criterion.

Each function reads the registered text as the protocol version says; the text itself stands in `trial.registry`.
"""

from decimal import Decimal

from safety.eligibility.answers import above, at_least, at_most, one_of, yes
from safety.eligibility.decision import Judge, Words, judges
from safety.eligibility.facts import Screening
from safety.eligibility.intervals import age_range, as_span, at_least_months_after
from subjects.codelists import EXPANSION
from trial.logic import Verdict, all_of, any_of
from trial.protocol import Protocol
from trial.units import FACTORS, canonical, convert
from visits.codelists import CD19_METHOD, CD19_SPECIMEN, ECHO_METHOD


def sct_interval(facts: Screening, protocol: Protocol) -> Verdict:
    """Whether the infusion keeps the interval from the latest allogeneic transplant."""
    return at_least_months_after(facts.last_allo_sct_date, protocol.sct_gap_months.value, facts.infusion_date)


def tki_limb(facts: Screening, protocol: Protocol) -> Verdict:
    """Limb (4): Ph-positive, and TKI not tolerated, failed in enough lines, or contraindicated."""
    failed = at_least(facts.tki_lines_failed, protocol.tki_lines_failed_min.value)
    exhausted = any_of((yes(facts.tki_intolerant), failed, yes(facts.tki_contraindicated)))
    return all_of((yes(facts.ph_positive), exhausted))


def _other_limbs(facts: Screening, protocol: Protocol) -> tuple[Verdict, Verdict, Verdict]:
    """Limbs (1) relapse after remission, (2) marrow relapse after transplant, (3) primary refractory."""
    transplant = (yes(facts.prior_allo_sct), yes(facts.bm_relapse_after_sct), sct_interval(facts, protocol))
    cycles = at_least(facts.induction_cycles, protocol.induction_cycles_min.value)
    return (
        yes(facts.relapse_after_first_remission),
        all_of(transplant),
        all_of((yes(facts.refractory_primary), cycles)),
    )


def enters_otherwise(facts: Screening, protocol: Protocol) -> Verdict:
    """Whether the subject enters by a limb other than (2), that of the marrow relapse after a transplant."""
    first, _, third = _other_limbs(facts, protocol)
    return any_of((first, third, tki_limb(facts, protocol)))


def _about_the_disease(facts: Screening, protocol: Protocol) -> Words | None:
    """The earliest day to infuse after a transplant; Ph-positive disease that entered without limb (4)."""
    transplant = as_span(facts.last_allo_sct_date)
    if (
        yes(facts.prior_allo_sct) is Verdict.MET
        and transplant
        and sct_interval(facts, protocol) is not Verdict.MET
    ):
        day = transplant.plus_months(protocol.sct_gap_months.value).last
        return f"Earliest permissible infusion date: {day}", f"最早可回输日期:{day}"
    if yes(facts.ph_positive) is Verdict.MET and tki_limb(facts, protocol) is not Verdict.MET:
        return (
            "Ph-positive without exhausted TKI therapy. Confirm that another limb was meant.",
            "Ph阳性但TKI治疗未用尽。请确认依据其他条款入选。",
        )
    return None


@judges(
    "I-01",
    "relapse_after_first_remission",
    "prior_allo_sct",
    "bm_relapse_after_sct",
    "last_allo_sct_date",
    "infusion_date",
    "refractory_primary",
    "induction_cycles",
    "ph_positive",
    "tki_intolerant",
    "tki_lines_failed",
    "tki_contraindicated",
    limit=lambda p: (
        f"one of limbs (1) to (4); ≥ {p.sct_gap_months.value} months from allogeneic SCT",
        f"符合(1)至(4)之一;距异基因移植≥{p.sct_gap_months.value}个月",
    ),
    note=_about_the_disease,
)
def relapsed_or_refractory(facts: Screening, protocol: Protocol) -> Verdict:
    """One of four limbs: relapse after first remission; marrow relapse after allogeneic transplant, the interval to
    the infusion kept; no remission after the induction cycles; Ph-positive with TKI therapy exhausted.

    Where the protocol says so the interval binds whoever had a transplant, and limb (4) every Ph-positive subject.
    """
    limb_4 = tki_limb(facts, protocol)
    verdicts = [any_of((*_other_limbs(facts, protocol), limb_4))]
    if protocol.sct_gap_all_limbs.value:
        verdicts.append(any_of((~yes(facts.prior_allo_sct), sct_interval(facts, protocol))))
    if protocol.ph_restrictive.value:
        verdicts.append(any_of((~yes(facts.ph_positive), limb_4)))
    return all_of(verdicts)


def _few_cd19(facts: Screening, protocol: Protocol) -> Words | None:
    share, least = facts.cd19_pct_blasts, protocol.cd19_ask_below_pct.value
    if facts.cd19_result != "POSITIVE" or share is None or share >= least:
        return None
    return f"Positive on {share} % of blasts, under {least} %.", f"CD19阳性比例仅{share}%,低于{least}%。"


@judges(
    "I-02",
    "cd19_specimen",
    "cd19_method",
    "cd19_result",
    limit=lambda p: (
        f"positive by {CD19_METHOD.words(p.cd19_method.value)[0].lower()} in "
        f"{' or '.join(CD19_SPECIMEN.words(one)[0].lower() for one in p.cd19_specimens.value)}",
        f"{'或'.join(CD19_SPECIMEN.words(one)[1] for one in p.cd19_specimens.value)}"
        f"{CD19_METHOD.words(p.cd19_method.value)[1]}阳性",
    ),
    note=_few_cd19,
)
def cd19_expressed(facts: Screening, protocol: Protocol) -> Verdict:
    """CD19 positive by flow cytometry of marrow or blood. Another method or specimen proves neither."""
    counts = facts.cd19_specimen in protocol.cd19_specimens.value
    if not counts or facts.cd19_method != protocol.cd19_method.value:
        return Verdict.UNKNOWN
    return Verdict.of({"POSITIVE": True, "NEGATIVE": False}.get(facts.cd19_result or ""))


def _fewer_blasts_since(facts: Screening, protocol: Protocol) -> Words | None:
    later, least = facts.later_blasts_pct, protocol.blasts_min_pct.value
    if later is None or later >= least:
        return None
    return (
        f"A marrow after screening holds {later} % blasts, under {least} %. This does not make the subject ineligible; "
        "confirm that the treatment goes on.",
        f"筛选后骨髓原始细胞为 {later}%,低于 {least}%。此项不使受试者不合格;请确认继续治疗。",
    )


@judges(
    "I-03",
    "bm_blast_pct_morph",
    limit=lambda p: (f"≥ {p.blasts_min_pct.value} %",) * 2,
    note=_fewer_blasts_since,
)
def enough_marrow_blasts(facts: Screening, protocol: Protocol) -> Verdict:
    """Lymphoblasts by morphology of an adequate aspirate reach the limit; flow cytometry never stands in."""
    return at_least(facts.bm_blast_pct_morph, protocol.blasts_min_pct.value)


@judges(
    "I-04a",
    "lvef_pct",
    "lvef_method",
    limit=lambda p: (
        f"≥ {p.lvef_min_pct.value} % ({ECHO_METHOD.words(p.lvef_method.value)[0].lower()})",
        f"≥ {p.lvef_min_pct.value} %({ECHO_METHOD.words(p.lvef_method.value)[1]})",
    ),
)
def heart_function(facts: Screening, protocol: Protocol) -> Verdict:
    """Left ventricular ejection fraction by echocardiogram; by another method it proves neither."""
    if facts.lvef_method != protocol.lvef_method.value:
        return Verdict.UNKNOWN
    return at_least(facts.lvef_pct, protocol.lvef_min_pct.value)


def _within_mg_dl(
    quantity: str, value: Decimal | None, unit: str | None, limit_mg_dl: Decimal, qualifier: str
) -> Verdict:
    """A result in any unit of its quantity against a limit in mg/dL; both are multiplied, nothing is rounded."""
    if value is None or unit not in FACTORS[quantity]:
        return Verdict.UNKNOWN
    return at_most(convert(quantity, value, unit), convert(quantity, limit_mg_dl, "mg/dL"), qualifier)


def _in_both(quantity: str, limit_mg_dl: Decimal) -> str:
    """A limit in mg/dL with what it is in the unit that results are compared in."""
    return (
        f"{limit_mg_dl} mg/dL ({convert(quantity, limit_mg_dl, 'mg/dL').normalize():f} {canonical(quantity)})"
    )


@judges(
    "I-04b",
    "creatinine",
    "creatinine_unit",
    limit=lambda p: (f"≤ {_in_both('creatinine', p.creatinine_max_mg_dl.value)}",) * 2,
)
def kidney_function(facts: Screening, protocol: Protocol) -> Verdict:
    """Creatinine within the limit, in whichever unit it was reported."""
    limit = protocol.creatinine_max_mg_dl.value
    return _within_mg_dl("creatinine", facts.creatinine, facts.creatinine_unit, limit, facts.creatinine_qual)


@judges(
    "I-04c",
    "alt",
    "alt_uln",
    "ast",
    "ast_uln",
    "bilirubin",
    "bilirubin_unit",
    limit=lambda p: (
        f"ALT, AST ≤ {p.transaminase_max_uln.value} × ULN; bilirubin ≤ "
        f"{_in_both('bilirubin', p.bilirubin_max_mg_dl.value)}",
        f"ALT、AST ≤ {p.transaminase_max_uln.value} × ULN;总胆红素 ≤ "
        f"{_in_both('bilirubin', p.bilirubin_max_mg_dl.value)}",
    ),
)
def liver_function(facts: Screening, protocol: Protocol) -> Verdict:
    """ALT and AST within the multiple of the upper limit kept with the result, total bilirubin within its own."""
    times = protocol.transaminase_max_uln.value
    bilirubin = _within_mg_dl(
        "bilirubin",
        facts.bilirubin,
        facts.bilirubin_unit,
        protocol.bilirubin_max_mg_dl.value,
        facts.bilirubin_qual,
    )
    return all_of(
        (
            at_most(facts.alt, None if facts.alt_uln is None else times * facts.alt_uln, facts.alt_qual),
            at_most(facts.ast, None if facts.ast_uln is None else times * facts.ast_uln, facts.ast_qual),
            bilirubin,
        )
    )


@judges(
    "I-04d",
    "dyspnea_grade",
    "spo2_pct",
    "room_air",
    limit=lambda p: (
        f"dyspnoea ≤ grade {p.dyspnoea_max_grade.value}; SpO2 > {p.spo2_above_pct.value} % on room air",
        f"呼吸困难≤{p.dyspnoea_max_grade.value}级;未吸氧时SpO2>{p.spo2_above_pct.value} %",
    ),
)
def lung_function(facts: Screening, protocol: Protocol) -> Verdict:
    """Dyspnoea within the grade, and saturation strictly above the limit on room air; on oxygen it proves neither."""
    saturation = above(facts.spo2_pct, protocol.spo2_above_pct.value) if facts.room_air else Verdict.UNKNOWN
    return all_of((at_most(facts.dyspnea_grade, protocol.dyspnoea_max_grade.value), saturation))


_ORGANS: tuple[Judge, ...] = (heart_function, kidney_function, liver_function, lung_function)


def _every_organ(protocol: Protocol) -> Words:
    limits = [one.limit(protocol) for one in _ORGANS]
    return "; ".join(en for en, _ in limits), ";".join(zh for _, zh in limits)


@judges("I-04", limit=_every_organ, parts=_ORGANS)
def organ_function(facts: Screening, protocol: Protocol) -> Verdict:
    """Heart, kidney, liver and lung, each with its own decision."""
    return all_of(one.check(facts, protocol) for one in _ORGANS)


def _newer_version(facts: Screening, protocol: Protocol) -> Words | None:
    label = facts.unsigned_version
    if not label:
        return None
    return (
        f"Version “{label}” of the consent form is in force and not signed. Have it signed, or say why not.",
        f"现行知情同意书版本“{label}”尚未签署。请重新签署,或说明原因。",
    )


@judges(
    "I-05",
    "consent_signed",
    "consent_version_approved",
    "treatment_withdrawn",
    limit=lambda p: (
        "signed by the subject on a version approved and valid that day, treatment not withdrawn",
        "由受试者本人签署当日已批准且有效的版本,且未撤回治疗同意",
    ),
    note=_newer_version,
)
def consent_given(facts: Screening, protocol: Protocol) -> Verdict:
    """Signed by the subject in person, on a version approved on that day, and not withdrawn for the treatment."""
    return all_of(
        (yes(facts.consent_signed), yes(facts.consent_version_approved), ~yes(facts.treatment_withdrawn))
    )


@judges(
    "I-06",
    "birth_date",
    "icf",
    limit=lambda p: (
        f"{p.age_min.value} to {p.age_max.value} years at consent",
        f"签署知情同意时{p.age_min.value}至{p.age_max.value}岁",
    ),
)
def age_within_limits(facts: Screening, protocol: Protocol) -> Verdict:
    """Age in completed years on the day of consent, for every day the birth date could be."""
    ages = age_range(facts.birth_date, facts.icf)
    if ages is None:
        return Verdict.UNKNOWN
    least, most = protocol.age_min.value, protocol.age_max.value
    if least <= ages[0] and ages[1] <= most:
        return Verdict.MET
    return Verdict.NOT_MET if ages[1] < least or ages[0] > most else Verdict.UNKNOWN


@judges(
    "I-07",
    "sex",
    "male_fertile",
    "wocbp",
    "contraception_agrees",
    "contraception_methods",
    limit=lambda p: (
        f"infertile, or agrees to contraception until {p.contraception_months.value} months after the infusion and "
        "names a method",
        f"无生育能力,或同意避孕至回输后 {p.contraception_months.value} 个月并填写避孕方法",
    ),
)
def contraception_ensured(facts: Screening, protocol: Protocol) -> Verdict:
    """Not applicable to the infertile; else contraception is agreed to and a method is named."""
    man, woman = one_of(facts.sex, ("M",)), one_of(facts.sex, ("F",))
    infertile = any_of((all_of((man, ~yes(facts.male_fertile))), all_of((woman, ~yes(facts.wocbp)))))
    named = Verdict.MET if facts.contraception_methods else Verdict.UNKNOWN
    return any_of((infertile, all_of((yes(facts.contraception_agrees), named))))


def _product_rejected(facts: Screening, protocol: Protocol) -> Words | None:
    if facts.tcell_expansion != "QUALIFIED" or facts.batch_rejected != "YES":
        return None
    return (
        "Expansion is called qualified, but the batch was rejected. Check both.",
        "T细胞扩增结论为合格,但批次不予放行。请核对两者。",
    )


@judges("I-08", "tcell_expansion", limit=lambda p: EXPANSION.words("QUALIFIED"), note=_product_rejected)
def expansion_qualified(facts: Screening, protocol: Protocol) -> Verdict:
    """The laboratory's word on T-cell expansion; pending is not known."""
    return Verdict.of({"QUALIFIED": True, "NOT_QUALIFIED": False}.get(facts.tcell_expansion or ""))


@judges("I-09", "ecog", limit=lambda p: (f"0 – {p.ecog_max.value}",) * 2)
def performance_status(facts: Screening, protocol: Protocol) -> Verdict:
    """ECOG performance status within the limit."""
    return at_most(facts.ecog, protocol.ecog_max.value)


@judges("I-10", "vascular_access", limit=lambda p: ("investigator's judgement", "由研究者判断"))
def vessels_allow_apheresis(facts: Screening, protocol: Protocol) -> Verdict:
    """The investigator's answer."""
    return yes(facts.vascular_access)


@judges(
    "I-11",
    "survival_over_3_months",
    limit=lambda p: (
        f"> {p.survival_more_than_months.value} months; investigator's judgement",
        f"大于{p.survival_more_than_months.value}个月;由研究者判断",
    ),
)
def expected_survival(facts: Screening, protocol: Protocol) -> Verdict:
    """The investigator's answer."""
    return yes(facts.survival_over_3_months)
