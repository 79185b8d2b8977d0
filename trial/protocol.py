"""The numbers of the protocol: frozen values per version, each with its source, so that rules hold none.

Only the registry record is public. What it does not state is an illustrative default, and says so. Visit days
and windows stand in the schedule of visits, dose levels beside the dosing forms. An amendment is one more
value here: `V2 = replace(V1, version="2.0", thaw_max_min=...)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from trial.jurisdiction import CN, JURISDICTIONS
from trial.sourced import Sourced as Sourced
from trial.sourced import default as _default
from trial.sourced import guideline as _guideline
from trial.sourced import registry as _registry
from trial.text import T

D = Decimal
Words = tuple[str, ...]


@dataclass(frozen=True)
class Protocol:
    """Every number and choice the rules ask for. Limits named `_min` or `_max` hold for the limit itself."""

    version: str
    en: str
    zh: str

    # The study
    enrolment_target: Sourced[int]

    # Inclusion criteria
    sct_gap_months: Sourced[int]
    sct_gap_all_limbs: Sourced[bool]
    induction_cycles_min: Sourced[int]
    tki_lines_failed_min: Sourced[int]
    ph_restrictive: Sourced[bool]
    cd19_specimens: Sourced[Words]
    cd19_method: Sourced[str]
    cd19_ask_below_pct: Sourced[Decimal]
    blasts_min_pct: Sourced[Decimal]
    lvef_min_pct: Sourced[Decimal]
    lvef_method: Sourced[str]
    creatinine_max_mg_dl: Sourced[Decimal]
    transaminase_max_uln: Sourced[Decimal]
    bilirubin_max_mg_dl: Sourced[Decimal]
    dyspnoea_max_grade: Sourced[int]
    spo2_above_pct: Sourced[Decimal]
    age_min: Sourced[int]
    age_max: Sourced[int]
    contraception_months: Sourced[int]
    ecog_max: Sourced[int]
    survival_more_than_months: Sourced[int]

    # Exclusion criteria
    excluded_relapse_type: Sourced[str]
    excluded_antigens: Sourced[Words]
    steroid_washout_days: Sourced[int]
    immunosuppressants: Sourced[Words]
    steroid_exemptions: Sourced[Words]
    dna_above_detection: Sourced[Words]
    infection_ask_fever_c: Sourced[Decimal]
    infection_ask_fever_hours: Sourced[int]
    infection_ask_ae_grade_min: Sourced[int]
    cns_leukaemia_excludes: Sourced[bool]
    cardiac_window_months: Sourced[int]
    study_drug_allergens: Sourced[Words]
    live_vaccine_days: Sourced[int]
    pregnancy_test_days: Sourced[int]
    imp_washout_months: Sourced[int]

    # Consent, enrolment, re-checks
    consent_first_forms: Sourced[Words]
    reconsent_days: Sourced[int]
    recheck_days: Sourced[int]
    recheck: Sourced[Mapping[str, Words]]
    organ_recheck_milestones: Sourced[Words]
    unknown_allowed_before: Sourced[Mapping[str, str]]
    screening_max_days: Sourced[int]
    max_age_days: Sourced[Mapping[str, int]]
    viral_dna_max_age_days: Sourced[int]
    sars_cov_2_max_age_days: Sourced[int]
    spo2_infusion_max_age_days: Sourced[int]

    # Apheresis and lymphodepletion
    apheresis_max: Sourced[int]
    ld_drugs: Sourced[Words]
    ld_mg_m2: Sourced[Mapping[str, Decimal]]
    ld_days: Sourced[tuple[int, ...]]
    ld_gap_max_days: Sourced[int]
    ld_to_infusion_days: Sourced[tuple[int, int]]
    ld_valid_days: Sourced[int]
    ld_dose_tolerance_pct: Sourced[Decimal]
    fludarabine_bands: Sourced[tuple[tuple[Decimal, Decimal], ...]]
    fludarabine_excess_pct: Sourced[Decimal]
    crcl_creatinine_max_age_days: Sourced[int]
    ld_fever_c: Sourced[Decimal]
    ld_fever_hours: Sourced[int]

    # Product
    infusable_decisions: Sourced[Words]
    exception_decision: Sourced[str]
    product_viability_min_pct: Sourced[Decimal]
    product_cd3_min_pct: Sourced[Decimal]
    product_car_min_pct: Sourced[Decimal]
    product_vcn_max: Sourced[Decimal]
    product_endotoxin_max_eu_kg: Sourced[Decimal]
    product_beads_below: Sourced[int]
    product_failing_results: Sourced[Mapping[str, Words]]
    product_open_results: Sourced[Words]
    product_judged_decisions: Sourced[Words]
    coi_mandatory_steps: Sourced[Words]
    coi_thawed_steps: Sourced[Words]
    coi_two_person_steps: Sourced[Words]
    cryo_max_c: Sourced[Decimal]
    cryo_steps: Sourced[Words]

    # Infusion
    post_thaw_viability_min_pct: Sourced[Decimal]
    thaw_max_min: Sourced[int]
    infusion_max_min: Sourced[int]
    dose_tolerance_pct: Sourced[Decimal]
    infusion_part_gap_days: Sourced[int]
    dosing_weight_change_pct: Sourced[Decimal]
    infusion_vitals: Sourced[Words]
    forbidden_premedication: Sourced[Words]
    tocilizumab_on_site_min: Sourced[int]

    # Escalation and dose-limiting toxicity
    stagger_first_days: Sourced[int]
    stagger_next_days: Sourced[int]
    stagger_in_expansion: Sourced[bool]
    cohort_size: Sourced[int]
    starting_level: Sourced[str]
    src_signing_roles: Sourced[Words]
    src_steps: Sourced[Mapping[str, int]]
    level_max_subjects: Sourced[int]
    dlt_window_days: Sourced[int]
    dlt_report_days: Sourced[int]
    dlt_signing_roles: Sourced[Words]
    dlt_min_dose_pct: Sourced[Decimal]
    related_from_possible: Sourced[Words]
    crs_grade3_max_hours: Sourced[int]
    infusion_reaction_grade3_max_hours: Sourced[int]
    nonhaem_grade3_max_hours: Sourced[int]
    cytopenia_until_day: Sourced[int]

    # Concomitant treatment
    steroid_free_after_infusion_days: Sourced[int]
    steroid_rescue_indications: Sourced[Words]
    allowed_immunosuppression: Sourced[Words]
    live_vaccine_ban_months: Sourced[int]
    prohibited_classes: Sourced[Words]
    prohibited_from_day: Sourced[int]
    prohibited_until_months: Sourced[int]
    anti_cd19_agents: Sourced[Words]
    relapse_lifts_ban: Sourced[Words]
    chemo_allowed_indications: Sourced[Words]
    chemo_allowed_routes: Sourced[Words]
    tki_ban_months: Sourced[int]
    subsequent_therapy_months: Sourced[int]
    subsequent_therapy_allowed: Sourced[Words]
    remission: Sourced[Words]

    # Visits, samples, grading
    critical_visits: Sourced[Words]
    critical_forms: Sourced[Words]
    pk_early_until_day: Sourced[int]
    pk_early_window_days: Sourced[int]
    pk_late_window_days: Sourced[int]
    pk_gdna_min_ug: Sourced[Decimal]
    pk_unfit_samples: Sourced[Words]
    daily_grading_days: Sourced[tuple[int, int]]
    absence_reasons: Sourced[Words]
    absence_open_reasons: Sourced[Words]
    rescue_classes: Sourced[Words]
    rescue_indications: Sourced[Words]
    rescue_min_grade: Sourced[int]
    rescue_grade_hours: Sourced[int]
    tocilizumab_interval_hours: Sourced[int]
    tocilizumab_max_doses: Sourced[int]

    # Safety reporting and follow-up
    sae_report_hours: Sourced[int]
    susar_fatal_days: Sourced[int]
    susar_other_days: Sourced[int]
    susar_days_end: Sourced[str]
    authority_zone: Sourced[str]
    jurisdiction: Sourced[str]
    hold_death_days: Sourced[int]
    hold_severe_grade: Sourced[int]
    hold_severe_events: Sourced[int]
    grade_of_death: Sourced[int]
    reminder_percents: Sourced[tuple[int, ...]]
    reminder_overdue_days: Sourced[int]
    reminder_roles: Sourced[Mapping[str, Words]]
    ltfu_contact_months: Sourced[int]
    ltfu_from_months: Sourced[int]

    # Response, kinetics and time to event
    remission_blasts_below_pct: Sourced[Decimal]
    cr_neutrophils_above: Sourced[Decimal]
    cr_platelets_above: Sourced[Decimal]
    cr_counts_inclusive: Sourced[bool]
    progression_increase_pct: Sourced[Decimal]
    response_confirmed_days: Sourced[int]
    mrd_threshold: Sourced[Decimal]
    orr_months: Sourced[int]
    orr_grace_days: Sourced[int]
    nr_is_pfs_event: Sourced[bool]
    sct_censors_pfs: Sourced[bool]
    aplasia_below_pct: Sourced[Decimal]
    pk_lloq_copies_per_ug: Sourced[Decimal]
    pk_auc_end_day: Sourced[int]
    pk_auc_end_window_days: Sourced[int]
    pk_half_life_min_points: Sourced[int]
    pk_half_life_min_r2: Sourced[Decimal]
    pk_stop_after_below: Sourced[int]
    response_counts_days: Sourced[int]
    response_support_days: Sourced[int]
    fever_treated_hours: Sourced[int]
    toxicity_episode_gap_days: Sourced[int]
    toxicity_severe_grade: Sourced[int]
    lab_ask_grade_min: Sourced[int]
    lab_ask_increase_min: Sourced[int]
    dose_agreement_pct: Sourced[Decimal]
    ward_blood_every_days: Sourced[int]
    crs_cytokine_min_grade: Sourced[int]
    crs_cytokine_max_hours: Sourced[int]

    @property
    def title(self) -> str:
        """The protocol's title in the active language."""
        return T(self.en, self.zh)


def numbers(protocol: Protocol) -> list[tuple[str, Sourced[Any]]]:
    """Every sourced value of a version by name, in the order of the protocol."""
    named = ((field.name, getattr(protocol, field.name)) for field in fields(protocol))
    return [(name, value) for name, value in named if isinstance(value, Sourced)]


_VERIFY = "Known from memory; to be verified against the source."
_OUR_READING = "Not in the registry record: our reading."
_ESCALATION = "Used by dose escalation alone, which is not built yet."
_RECHECK: Mapping[str, Words] = MappingProxyType(
    {
        "SCREENING": tuple(f"I-{n:02}" for n in range(1, 12)) + tuple(f"E-{n:02}" for n in range(1, 19)),
        "PRE_APHERESIS": ("I-04", "I-05", "I-09", "I-10", "E-04", "E-06", "E-07", "E-14"),
        "PRE_LD": (
            *("I-01", "I-04", "I-05", "I-07", "I-08", "I-09", "I-11"),
            *("E-01", "E-04", "E-05", "E-06", "E-07", "E-09", "E-14", "E-15", "E-16", "E-18"),
        ),
        "PRE_INFUSION": (
            *("I-01", "I-04", "I-05", "I-07", "I-08", "I-09"),
            *("E-04", "E-06", "E-07", "E-14", "E-16", "E-18"),
        ),
    }
)

V1 = Protocol(
    version="1.0",
    en="ssCART-19 cells in CD19 positive relapsed or refractory acute lymphoblastic leukemia (NCT04825496)",
    zh="ssCART-19 细胞治疗 CD19 阳性复发或难治性急性淋巴细胞白血病的临床研究(NCT04825496)",
    enrolment_target=_registry(18, "Enrollment", "Stated in the record; no rule depends on it."),
    # Inclusion criteria
    sct_gap_months=_registry(
        3, "I-01(2), DV-01", "Calendar months, to the day of infusion; exactly three suffice."
    ),
    sct_gap_all_limbs=_default(
        True,
        "I-01, DV-01",
        "Read literally the interval belongs to limb (2) alone; here it binds whoever had an allogeneic SCT.",
    ),
    induction_cycles_min=_registry(2, "I-01(3)"),
    tki_lines_failed_min=_registry(2, "I-01(4)"),
    ph_restrictive=_default(False, "I-01(4)", "True would ask limb (4) of every Ph+ subject."),
    cd19_specimens=_registry(("BONE_MARROW", "PERIPHERAL_BLOOD"), "I-02, DV-11"),
    cd19_method=_registry("FLOW_CYTOMETRY", "I-02, DV-11"),
    cd19_ask_below_pct=_default(
        D(20), "I-02", "A positive result on fewer blasts is asked about, never refused."
    ),
    blasts_min_pct=_registry(D(5), "I-03, DV-10", "By morphology only."),
    lvef_min_pct=_registry(D(50), "I-04(1), DV-12"),
    lvef_method=_registry("ECHOCARDIOGRAM", "I-04(1), DV-12"),
    creatinine_max_mg_dl=_registry(D("1.6"), "I-04(2), DV-13"),
    transaminase_max_uln=_registry(
        D(3), "I-04(3), DV-14", "Times the upper limit of normal kept with the result."
    ),
    bilirubin_max_mg_dl=_registry(D("2.0"), "I-04(3), DV-14"),
    dyspnoea_max_grade=_registry(1, "I-04(4), DV-15"),
    spo2_above_pct=_registry(D(91), "I-04(4), DV-15", "Strictly above, on room air."),
    age_min=_registry(
        18, "I-06, DV-08", "Completed years; that consent is the day of reckoning is our reading."
    ),
    age_max=_registry(65, "I-06, DV-08", "Up to the day before the 66th birthday."),
    contraception_months=_default(12, "I-07", "After infusion; the registry says: throughout the study."),
    ecog_max=_registry(1, "I-09, DV-09"),
    survival_more_than_months=_registry(3, "I-11", "Strictly more; the investigator answers."),
    # Exclusion criteria
    excluded_relapse_type=_registry("EM_ISOLATED", "E-01"),
    excluded_antigens=_registry(("CD19", "CD3"), "E-03, DV-16"),
    steroid_washout_days=_registry(14, "E-04, DV-17", "Two weeks; day 14 itself counts."),
    immunosuppressants=_default(
        ("CORTICOSTEROID", "CALCINEURIN_INHIB", "OTHER_IMMUNOSUPPRESSANT", "RUXOLITINIB"),
        "E-04, DV-17, DV-28",
        "The registry says immunosuppressants or hormones; hormones are read as glucocorticoids.",
    ),
    steroid_exemptions=_default(
        (), "E-04", "None in the registry: topical, inhaled and replacement count as well."
    ),
    dna_above_detection=_registry(
        ("DETECTED", "DETECTED_BELOW_LLOQ"), "E-05, DV-18", "The limit named is that of detection."
    ),
    infection_ask_fever_c=_default(D("38.0"), "E-06", "Asked about when no infection is reported."),
    infection_ask_fever_hours=_default(72, "E-06"),
    infection_ask_ae_grade_min=_default(3, "E-06"),
    cns_leukaemia_excludes=_default(
        False, "E-09", "Leukaemia in the CNS is not named; it is asked about instead."
    ),
    cardiac_window_months=_registry(
        12, "E-10, DV-19", "Angioplasty or stent only; the rest has no time limit."
    ),
    study_drug_allergens=_default(
        ("FLUDARABINE", "CYCLOPHOSPHAMIDE", "TOCILIZUMAB", "DMSO", "ALBUMIN", "OTHER_STUDY_DRUG"),
        "E-12",
        "The registry says any drug to be used in this study.",
    ),
    live_vaccine_days=_registry(42, "E-13, DV-20", "Six weeks before screening; day 42 itself counts."),
    pregnancy_test_days=_default(
        7, "E-14, DV-21", "How old a negative test may be at the start of lymphodepletion."
    ),
    imp_washout_months=_registry(3, "E-17, DV-22", "That the last day counts is our reading."),
    # Consent, enrolment, re-checks
    consent_first_forms=_guideline(
        (
            *("echo", "bone_marrow", "cd19_flow", "viral_serology", "pregnancy_test", "apheresis"),
            *("lymphodepletion", "infusion", "pk_sample"),
        ),
        "DV-03; ICH E6 (GCP)",
        _VERIFY,
    ),
    reconsent_days=_default(30, "DV-05"),
    recheck_days=_default(3, "DV-07"),
    recheck=_default(
        _RECHECK,
        "Re-check matrix, DV-02, DV-06, DV-07",
        "From the registry: I-01(2) at infusion, I-05, E-04 and E-13 at their own anchors. Marrow before "
        "lymphodepletion is optional: asked about, never ineligible.",
    ),
    organ_recheck_milestones=_default(
        ("PRE_LD", "PRE_INFUSION"), "DV-13, DV-14, DV-15", "The limits are registry."
    ),
    unknown_allowed_before=_default(
        MappingProxyType({"I-08": "PRE_LD"}), "I-08, DV-06", "Expansion cannot be known before apheresis."
    ),
    screening_max_days=_default(28, "Schedule SCR, DV-24", "From consent to enrolment."),
    max_age_days=_default(
        MappingProxyType(
            {
                "chemistry": 7,
                "haematology": 7,
                "echo": 28,
                "viral_serology": 28,
                "pregnancy_test": 7,
                "bone_marrow": 28,
                "cd19_flow": 28,
                "ecog": 7,
                "pulmonary": 7,
            }
        ),
        "DV-24",
        "How old an assessment may be, by form.",
    ),
    viral_dna_max_age_days=_default(28, "E-05, DV-24"),
    sars_cov_2_max_age_days=_default(7, "E-07, DV-24"),
    spo2_infusion_max_age_days=_default(1, "I-04(4), DV-24", "At PRE_INFUSION."),
    # Apheresis and lymphodepletion
    apheresis_max=_default(2, "Apheresis form", "A further one is asked about, never refused."),
    ld_drugs=_registry(("FLUDARABINE", "CYCLOPHOSPHAMIDE"), "Arm description, DV-25"),
    ld_mg_m2=_default(
        MappingProxyType({"FLUDARABINE": D(30), "CYCLOPHOSPHAMIDE": D(300)}),
        "Lymphodepletion form",
        "Per day. Only the drug names are public.",
    ),
    ld_days=_default((-5, -4, -3), "DV-31", "The registry says several days prior to infusion."),
    ld_gap_max_days=_default(1, "DV-31"),
    ld_to_infusion_days=_default((2, 7), "DV-31", "From the last dose to Day 0."),
    ld_valid_days=_default(14, "DV-34", "Beyond this, lymphodepletion is repeated."),
    ld_dose_tolerance_pct=_default(D(10), "DV-30"),
    fludarabine_bands=_guideline(
        ((D(80), D("1.0")), (D(50), D("0.8")), (D(30), D("0.6"))),
        "DV-32; US label of fludarabine, renal impairment",
        "Creatinine clearance in mL/min and factor from there on; below all, not given. Labels disagree.",
    ),
    fludarabine_excess_pct=_default(D(10), "DV-32", "Above the renally adjusted dose."),
    crcl_creatinine_max_age_days=_default(3, "Lymphodepletion form"),
    ld_fever_c=_default(D("38.0"), "DV-33"),
    ld_fever_hours=_default(24, "DV-33"),
    # Product
    infusable_decisions=_default(("RELEASED",), "DV-35"),
    exception_decision=_default("OUT_OF_SPEC_EXCEPTION", "DV-35", "Needs a signature."),
    product_viability_min_pct=_default(
        D(70), "DV-36, I-08", "Customary in published release tables (PMC6319086)."
    ),
    product_cd3_min_pct=_default(D(80), "DV-36"),
    product_car_min_pct=_default(D(10), "DV-36", "Of viable CD3+ cells."),
    product_vcn_max=_default(D(5), "DV-36", "Copies per cell; customary with the FDA."),
    product_endotoxin_max_eu_kg=_default(D(5), "DV-36", "EU per kg and hour."),
    product_beads_below=_guideline(
        100,
        "Published release tables (PMC6319086, PMC11461191)",
        "Per 3e6 cells; from here on asked about, no release specification of DV-36.",
    ),
    product_failing_results=_default(
        MappingProxyType({"sterility": ("GROWTH",), "mycoplasma": ("POSITIVE",), "rcl": ("POSITIVE",)}),
        "DV-36",
    ),
    product_open_results=_default(
        ("PENDING", "NEGATIVE_TO_DATE"), "DV-36", "While one stands, the batch cannot be judged to the end."
    ),
    product_judged_decisions=_default(
        ("RELEASED", "CONDITIONAL_RELEASE", "OUT_OF_SPEC_EXCEPTION"),
        "DV-36",
        "A rejected batch that was not infused breaks nothing. " + _OUR_READING,
    ),
    coi_mandatory_steps=_default(
        (
            "COLLECTED",
            "LABELLED",
            "RECEIVED_MFG",
            "HARVESTED",
            "RELEASED",
            "RECEIVED_SITE",
            "BEDSIDE_CHECK",
            "INFUSED",
        ),
        "DV-38",
        _OUR_READING,
    ),
    coi_thawed_steps=_default(
        ("THAWED",), "DV-38", "Mandatory as well for a cryopreserved product. " + _OUR_READING
    ),
    coi_two_person_steps=_default(
        ("BEDSIDE_CHECK",), "DV-38", "Where performing and verifying person must differ."
    ),
    cryo_max_c=_default(D(-130), "DV-40"),
    cryo_steps=_default(
        ("SHIPPED_TO_SITE", "RECEIVED_SITE", "STORED"),
        "DV-40",
        "For a cryopreserved product. " + _OUR_READING,
    ),
    # Infusion
    post_thaw_viability_min_pct=_default(D(70), "DV-41"),
    thaw_max_min=_default(30, "DV-42", "From the end of thawing to the start of the infusion."),
    infusion_max_min=_default(60, "DV-42"),
    dose_tolerance_pct=_default(D(20), "DV-43", "Also in PMC11461191."),
    infusion_part_gap_days=_default(
        1,
        "DV-43, DV-44",
        "So long a further part of a split infusion may come; NCT03064269 gave three on consecutive days, this study gives "
        "one. " + _OUR_READING,
    ),
    dosing_weight_change_pct=_default(D(10), "Infusion form", "Weight on Day 0 against the weight dosed by."),
    infusion_vitals=_default(
        ("PRE_INF", "INF_15M", "INF_30M", "INF_1H", "INF_2H", "INF_4H"), "Schedule D0, DV-45"
    ),
    forbidden_premedication=_default(("CORTICOSTEROID",), "DV-27"),
    tocilizumab_on_site_min=_default(
        2, "Infusion form", "Doses; the practice of US risk programmes. Fewer are asked about."
    ),
    # Escalation and dose-limiting toxicity
    stagger_first_days=_default(14, "DV-46", "First to second subject of a level; cf. NCT07488546."),
    stagger_next_days=_default(7, "DV-46"),
    stagger_in_expansion=_default(False, "DV-46"),
    cohort_size=_default(3, "Escalation 3+3", "The algorithm is not public. " + _ESCALATION),
    starting_level=_default("DL1", "DV-48, DV-50", "The first level; who starts here needs no decision."),
    src_signing_roles=_default(
        ("investigator", "medical_monitor", "statistician"),
        "DV-47, DV-48, DV-50; staggering, cohorts, SRC",
        "Whose signatures make a review of the committee binding.",
    ),
    src_steps=_default(
        MappingProxyType({"ESCALATE": 1, "STAY": 0, "DEESCALATE": -1, "STOP_MTD": -1}),
        "DV-50",
        "From the level reviewed to the highest one that may be allocated; any other word allows none. "
        + _OUR_READING,
    ),
    level_max_subjects=_default(6, "DV-47", "Evaluable subjects treated at one level."),
    dlt_window_days=_default(28, "DLT definition, DV-49", "Day 0 to this day, both included; cf. ZUMA-3."),
    dlt_report_days=_default(7, "DV-49", "After the window."),
    dlt_signing_roles=_default(("investigator",), "DV-49", "Whose signature is due in time. " + _OUR_READING),
    dlt_min_dose_pct=_default(D(80), "DLT definition", "Of the planned dose, to be evaluable."),
    related_from_possible=_default(("POSSIBLE", "PROBABLE", "RELATED"), "DLT definition, DV-60"),
    crs_grade3_max_hours=_default(
        72, "DLT definition", "CRS and ICANS of grade 3; longer is a DLT. " + _ESCALATION
    ),
    infusion_reaction_grade3_max_hours=_default(24, "DLT definition", _ESCALATION),
    nonhaem_grade3_max_hours=_default(
        168, "DLT definition", "Laboratory-only events included. " + _ESCALATION
    ),
    cytopenia_until_day=_default(
        42, "DLT definition", "Grade 4 still present after it, marrow free of leukaemia. " + _ESCALATION
    ),
    # Concomitant treatment
    steroid_free_after_infusion_days=_default(7, "DV-26", "From the start of lymphodepletion to this day."),
    steroid_rescue_indications=_default(("CRS", "ICANS", "AE"), "DV-26", "AE: an infusion reaction."),
    allowed_immunosuppression=_default(
        ("BRIDGING", "PHYSIOLOGIC_REPLACEMENT"), "DV-28", "Between consent and infusion."
    ),
    live_vaccine_ban_months=_default(6, "DV-29", "After infusion."),
    prohibited_classes=_default(
        ("CHEMO", "TKI", "OTHER_IMMUNOSUPPRESSANT"), "DV-61", "And any other anti-CD19 agent."
    ),
    prohibited_from_day=_default(-5, "DV-61"),
    prohibited_until_months=_default(3, "DV-61"),
    anti_cd19_agents=_default(
        (
            *("blinatumomab", "贝林妥欧单抗", "倍林妥莫", "tafasitamab", "坦昔妥单抗", "loncastuximab"),
            *("inebilizumab", "伊奈利珠单抗", "tisagenlecleucel", "brexucabtagene", "obecabtagene"),
            *("axicabtagene", "阿基仑赛", "relmacabtagene", "瑞基奥仑赛", "inaticabtagene", "纳基奥仑赛"),
        ),
        "DV-61",
        "Looked for in the name of the drug. " + _OUR_READING,
    ),
    relapse_lifts_ban=_default(
        ("CHEMO", "TKI", "ANTI_CD19"),
        "DV-61",
        "What may be given once a relapse or progression is recorded. " + _OUR_READING,
    ),
    chemo_allowed_indications=_default(("BRIDGING",), "DV-61"),
    chemo_allowed_routes=_default(("IT",), "DV-61"),
    tki_ban_months=_default(3, "DV-61", "After infusion, without relapse."),
    subsequent_therapy_months=_default(3, "DV-62"),
    subsequent_therapy_allowed=_default(("ALLO_SCT",), "DV-62"),
    remission=_registry(("CR", "CRi"), "Secondary objective 1 (ORR includes CR and CRi), DV-62"),
    # Visits, samples, grading
    critical_visits=_default(("D28", "M3"), "DV-51, DV-52, DV-53", "Here a window missed is MAJOR."),
    critical_forms=_default(("bone_marrow",), "DV-53"),
    pk_early_until_day=_default(
        14,
        "DV-54",
        "The days and months of sampling stand in the schedule; that PK is characterised is registry.",
    ),
    pk_early_window_days=_default(1, "DV-54"),
    pk_late_window_days=_default(2, "DV-54"),
    pk_gdna_min_ug=_default(D("0.1"), "DV-55"),
    pk_unfit_samples=_default(("HAEMOLYSED", "WRONG_TUBE", "CLOTTED", "OTHER"), "DV-55"),
    daily_grading_days=_default((0, 14), "DV-56"),
    absence_reasons=_default(
        ("COVID", "SUBJECT_DECISION", "SUBJECT_REFUSED"),
        "DV-56",
        "A day whose visit did not take place for one of these is no day of hospital stay. " + _OUR_READING,
    ),
    absence_open_reasons=_default(
        ("OTHER", "UNKNOWN"),
        "DV-56",
        "These do not say whether the subject was in hospital, so the day cannot be told. " + _OUR_READING,
    ),
    rescue_classes=_default(("TOCILIZUMAB", "CORTICOSTEROID"), "DV-57"),
    rescue_indications=_default(
        ("CRS", "ICANS", "IEC_HS"), "DV-57", "For these a corticosteroid is a rescue. " + _OUR_READING
    ),
    rescue_min_grade=_default(1, "DV-57"),
    rescue_grade_hours=_default(12, "DV-57"),
    tocilizumab_interval_hours=_default(8, "DV-58", "As in the product label. " + _VERIFY),
    tocilizumab_max_doses=_default(4, "DV-58", "As in the product label. " + _VERIFY),
    # Safety reporting and follow-up
    sae_report_hours=CN.sae_report_hours,
    susar_fatal_days=CN.susar_fatal_days,
    susar_other_days=CN.susar_other_days,
    susar_days_end=CN.susar_days_end,
    authority_zone=CN.authority_zone,
    jurisdiction=_default("CN", "DV-59, DV-60", "The sponsor's authority; see trial/jurisdiction.py."),
    hold_death_days=_default(
        30, "Stopping rules, 7.5", "After any infusion; related to ssCART-19 or lymphodepletion."
    ),
    hold_severe_grade=_default(4, "Stopping rules, 7.5", "Of CRS or ICANS, by the investigator."),
    hold_severe_events=_default(
        2,
        "Stopping rules, 7.5",
        "At one level; CRS and ICANS of one subject count as two, the stricter reading.",
    ),
    grade_of_death=_guideline(5, "CTCAE v5.0"),
    reminder_percents=_default((50, 75, 100), "SAE desk", "Of the time from awareness to the end of it."),
    reminder_overdue_days=_default(1, "SAE desk", "A reminder every so many days while it is overdue."),
    reminder_roles=_default(
        MappingProxyType(
            {
                "P50": ("coordinator",),
                "P75": ("coordinator", "investigator"),
                "P100": ("coordinator", "investigator", "medical_monitor"),
                "OVERDUE": ("coordinator", "investigator", "medical_monitor"),
            }
        ),
        "SAE desk",
        "Who is reminded when; each step reaches further.",
    ),
    ltfu_contact_months=_guideline(13, "DV-63; FDA, long-term follow-up after gene therapy (2020)", _VERIFY),
    ltfu_from_months=_default(24, "DV-63", "Long-term follow-up begins after the visit of month 24."),
    # Response, kinetics and time to event
    remission_blasts_below_pct=_guideline(
        D(5),
        "Response; ELN adult ALL 2024",
        "From 5 % on: no remission, and relapse after one. Sources differ.",
    ),
    cr_neutrophils_above=_guideline(D("1.0"), "Response; ELN adult ALL 2024", "In 10^9/L."),
    cr_platelets_above=_guideline(D(100), "Response; ELN adult ALL 2024", "In 10^9/L."),
    cr_counts_inclusive=_default(
        False, "Response", "ELN prints more than, CIBMTR at least; True would let the limit itself suffice."
    ),
    progression_increase_pct=_guideline(
        D(25), "Response; Horowitz et al., NCI workshop 2010", "Of marrow blasts, relative to baseline."
    ),
    response_confirmed_days=_guideline(
        28, "Response; CIBMTR", "Kept beside the response; the registry asks for no confirmation."
    ),
    mrd_threshold=_guideline(D("0.0001"), "MRD; ELN adult ALL 2024", "As a fraction; below it is negative."),
    orr_months=_registry(3, "Secondary objective 1 (during the 3 months after administration)"),
    orr_grace_days=_default(7, "Overall remission rate", "The window of the M3 visit."),
    nr_is_pfs_event=_default(False, "Progression-free survival", "True would count no remission at M3."),
    sct_censors_pfs=_default(
        False, "Progression-free survival", "True would censor at a transplant in remission."
    ),
    aplasia_below_pct=_guideline(D(3), "B-cell aplasia; Maude et al. 2014", "Of lymphocytes. " + _VERIFY),
    pk_lloq_copies_per_ug=_default(D(50), "PK", "When the result does not state its own limit."),
    pk_auc_end_day=_guideline(28, "PK; Mueller et al., Clin Cancer Res 2018"),
    pk_auc_end_window_days=_default(3, "PK", "How early the last sample may be for a truncated area."),
    pk_half_life_min_points=_default(3, "PK", "Quantifiable results after the maximum."),
    pk_half_life_min_r2=_default(D("0.8"), "PK", "Adjusted, of the log-linear fit."),
    # Gradings and derivations
    response_counts_days=_default(3, "Response", "From the marrow to the blood counts, either way."),
    response_support_days=_default(
        7, "Response; cf. ELIANA", "A platelet transfusion or G-CSF so long before makes a count not count."
    ),
    fever_treated_hours=_default(
        24,
        "CRS; clinical specification, antipyretic_or_anticytokine",
        "Before an assessment; once treated, the fever of an episode stays treated to its end. "
        + _OUR_READING,
    ),
    toxicity_episode_gap_days=_default(
        3, "Episodes of CRS and ICANS", "Longer without a grade of 1 or more ends an episode."
    ),
    toxicity_severe_grade=_default(3, "Episodes of CRS and ICANS", "Time at this grade or above is summed."),
    lab_ask_grade_min=_default(3, "Laboratory grades", "From here on an adverse event is asked about."),
    lab_ask_increase_min=_default(2, "Laboratory grades", "Grades above baseline, from here on asked about."),
    dose_agreement_pct=_default(
        D(1),
        "Cell dose",
        "How far the dose entered may lie from the computed one before it is asked about. " + _OUR_READING,
    ),
    # The schedule's conditions
    pk_stop_after_below=_default(
        2, "PK sampling", "Results in a row below the limit, after which none is due."
    ),
    ward_blood_every_days=_default(2, "Schedule D8 to D14", "Haematology and chemistry every other day."),
    crs_cytokine_min_grade=_default(
        2, "Cytokine sampling", "From this grade of CRS on, every 8 to 12 hours."
    ),
    crs_cytokine_max_hours=_default(12, "Cytokine sampling", "Longest time between two samples meanwhile."),
)

_AMENDED = "Amendment 1, for demonstration: invented, no sponsor wrote it."

V2 = replace(
    V1,
    version="2.0",
    en="Amendment 1 (demonstration) of the ssCART-19 study NCT04825496",
    zh="ssCART-19 研究 NCT04825496 第 1 次修订(演示)",
    # Wider: older subjects, thawing that takes longer, a dose a little further from the plan.
    age_max=_default(70, "I-06, DV-08", _AMENDED),
    thaw_max_min=_default(45, "DV-42", _AMENDED),
    live_vaccine_days=_default(28, "E-13, DV-20", _AMENDED),
    # Narrower: the heart, leukaemia in the CNS, lymphodepletion closer to the infusion, reports of SAEs unchanged.
    lvef_min_pct=_default(D(55), "I-04(1), DV-12", _AMENDED),
    cns_leukaemia_excludes=_default(True, "E-09", _AMENDED),
    ld_valid_days=_default(10, "DV-34", _AMENDED),
    dose_tolerance_pct=_default(D(15), "DV-43", _AMENDED),
)


def under(protocol: Protocol, jurisdiction: str) -> Protocol:
    """The same protocol for a sponsor under another authority. Raises KeyError for one that has no profile."""
    profile = JURISDICTIONS[jurisdiction]
    return replace(
        protocol,
        sae_report_hours=profile.sae_report_hours,
        susar_fatal_days=profile.susar_fatal_days,
        susar_other_days=profile.susar_other_days,
        susar_days_end=profile.susar_days_end,
        authority_zone=profile.authority_zone,
        jurisdiction=_default(jurisdiction, "DV-59, DV-60"),
    )


PROTOCOLS: dict[str, Protocol] = {V1.version: V1, V2.version: V2}


def changed_numbers(old: Protocol, new: Protocol) -> list[tuple[str, Sourced[Any], Sourced[Any]]]:
    """The numbers in which two versions differ: name, old and new."""
    return [
        (name, one, getattr(new, name)) for name, one in numbers(old) if one.value != getattr(new, name).value
    ]
