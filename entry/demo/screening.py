"""Before treatment: consent, history, screening, the investigator's checklist."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from entry.demo.forms import (
    chemistry,
    coagulation,
    csf,
    ecg,
    ecog,
    haematology,
    icans_assessment,
    urinalysis,
    vital_signs,
)
from entry.demo.icf import version_on
from entry.demo.story import CONSENT_BEFORE, MARK, Story, at
from entry.signing import SignatureRefused
from subjects.checklist import EXCLUSIONS, INCLUSIONS
from trial.dates import add_months

SCREENED_AFTER = 3  # days from consent to the screening visit


def consent(story: Story, *, version: str = "", kind: str = "INITIAL", **more: Any) -> Any:
    """The subject signs, on the day the story was planned to begin: the version in force, unless said otherwise."""
    assert story.consented is not None
    current, dated = version_on(story.consented, story.today)
    answers: dict[str, Any] = {"consent_dt": at(story.consented, "09:30"), **more}
    return story.put(
        "informed_consent",
        consent_type=kind,
        icf_version=version or current,
        icf_version_date=dated,
        signed_by_subject=True,
        impartial_witness=False,
        copy_given=True,
        obtained_by=story.person("investigator"),
        **answers,
    )


def born(story: Story, age: int | None = None, days_past: int = 130) -> date:
    """A birthday that makes the subject `age` at consent, the birthday `days_past` days ago."""
    years = story.body.age if age is None else age
    return add_months(story.from_consent(-days_past), -12 * years)


def introduce(story: Story, *, birth: str = "") -> None:
    """Demographics; for women and men what contraception needs."""
    female = story.body.sex == "F"
    known = {"childbearing_potential": "YES"} if female else {"male_fertile": "YES"}
    story.put(
        "demographics",
        birth_date=birth or str(born(story)),
        sex=story.body.sex,
        ethnic_group="HAN",
        race="ASIAN",
        **known,
    )
    contraception(story, "SCR", story.from_consent(0))
    if female:
        pregnancy_test(story, "SCR", story.from_consent(4))


def contraception(story: Story, visit: str, day: date) -> Any:
    """The commitment to contraception."""
    method = "COC" if story.body.sex == "F" else "CONDOM+SPERMICIDE"
    return story.put("contraception", visit, agrees="YES", method=(method,))


def pregnancy_test(story: Story, visit: str, day: date) -> Any:
    """A negative test."""
    answers = {"specimen": "SERUM_HCG", "result": "NEGATIVE", "lactating": "NO"}
    return story.put("pregnancy_test", visit, pt_date=day, **answers)


def illness(story: Story, *, transplanted: str = "NO", **more: Any) -> None:
    """The leukaemia so far: diagnosis, remission, relapse, two lines of therapy."""
    diagnosed, relapsed = story.from_consent(-760), story.from_consent(-48)
    answers = {
        "diagnosis_date": f"{diagnosed:%Y-%m}",
        "immunophenotype": "B_COMMON",
        "ph_status": "NEGATIVE",
        "ph_like": "NO",
        "cytogenetic_risk": story.dice.choice(("STANDARD", "POOR")),
        "relapse_after_first_remission": "YES",
        "first_remission_date": f"{diagnosed + timedelta(days=62):%Y-%m}",
        "number_of_relapses": 1,
        "relapse_type": "BM_ISOLATED",
        "last_relapse_date": relapsed,
        "primary_refractory": "NO",
        "prior_lines": 2,
        "prior_allo_sct": transplanted,
        "cns_status": "CNS1",
    }
    story.put("disease_history", **{**answers, **more})
    regimens = (
        ("Hyper-CVAD", diagnosed + timedelta(days=9), diagnosed + timedelta(days=190), "CR"),
        ("FLAG-IDA", relapsed - timedelta(days=40), relapsed - timedelta(days=12), "NR"),
    )
    for line, (regimen, start, end, best) in enumerate(regimens, 1):
        story.put(
            "prior_therapy",
            line_no=line,
            regimen=f"{regimen} {MARK}",
            category="CHEMO",
            start_date=f"{start:%Y-%m}",
            ongoing=False,
            end_date=f"{end:%Y-%m}",
            best_response=best,
            investigational=False,
            intrathecal=False,
        )
    story.put(
        "medical_history",
        term=f"Hypertension 高血压 {MARK}",
        category="OTHER",
        start_date=f"{diagnosed.year - 3}",
        ongoing=True,
    )
    story.put(
        "con_meds",
        drug=f"Amlodipine 氨氯地平 {MARK}",
        drug_class="OTHER",
        dose="5",
        dose_unit="mg",
        frequency="QD",
        route="PO",
        start_dt=f"{diagnosed.year - 3}",
        ongoing=True,
        indication="OTHER",
    )


def transplant(story: Story, when: str, **otherwise: Any) -> Any:
    """An allogeneic transplant, with the date as far as it is known."""
    relapse = story.from_consent(-10)
    answers = {
        "sct_type": "ALLO",
        "donor_type": story.dice.choice(("HAPLO", "MSD")),
        "conditioning": "MAC",
        "bm_relapse_after_sct": "YES",
        "relapse_after_sct_date": f"{relapse:%Y-%m}",
        "agvhd_max_grade": 1,
        "cgvhd_max": "NONE",
        "gvhd_active_at_consent": "NO",
        "is_prophylaxis_stop_date": f"{relapse:%Y-%m}",
    }
    return story.put("prior_transplant", sct_date=when, **{**answers, **otherwise})


def screen(
    story: Story,
    *,
    echo_day: int = 2,
    counted_day: int = SCREENED_AFTER,
    performance: int = 1,
    blasts: str = "",
    lvef: int = 63,
    saturation: int = 97,
    cd19_by: str = "FLOW_CYTOMETRY",
    chemistry_found: Mapping[str, Any] | None = None,
    **virus: Any,
) -> None:
    """The screening visit with everything the schedule asks of it. `echo_day`, and `counted_day` of the blood count,
    count from consent."""
    with story.together():
        today = story.from_consent(SCREENED_AFTER)
        story.put("visit", "SCR", actual_date=today)
        for write in (vital_signs, ecg):
            write(story, "SCR", today)
        haematology(story, "SCR", story.from_consent(counted_day))
        for write in (coagulation, urinalysis, csf, icans_assessment):
            write(story, "SCR", today)
        chemistry(story, "SCR", today, **(chemistry_found or {}))
        ecog(story, "SCR", today, performance)
        lungs(story, "SCR", today, saturation)
        heart(story, "SCR", story.from_consent(echo_day), lvef)
        serology(story, "SCR", today, **virus)
        marrow_at_screening(
            story, story.from_consent(SCREENED_AFTER + 1), blasts or f"{story.vary(46, 0.4):.1f}", cd19_by
        )
        judgement(story, "SCR")


def heart(story: Story, visit: str, day: date, lvef: int = 63) -> Any:
    """An echocardiogram of a healthy heart."""
    return story.put(
        "echo",
        visit,
        echo_date=day,
        method="ECHOCARDIOGRAM",
        lvef_pct=round(story.vary(lvef, 0.03)),
        pericardial_effusion="NONE",
    )


def lungs(story: Story, visit: str, day: date, saturation: int = 97) -> Any:
    """Breathing and oxygen saturation, without complaint unless said otherwise."""
    found = {"dyspnea_grade": 0, "spo2_pct": saturation, "room_air": True}
    return story.put("pulmonary", visit, assess_dt=at(day, "08:10"), **found)


def serology(story: Story, visit: str, day: date, **found: Any) -> Any:
    """Viral tests, negative unless said otherwise."""
    tests = ("hbsag", "hbeag", "hbeab", "hbcab", "hcv_ab", "tp_ab", "hiv_ab", "sars_cov_2")
    answers: dict[str, Any] = {
        **dict.fromkeys(tests, "NEGATIVE"),
        "hbsab": "POSITIVE",
        "sars_cov_2_method": "PCR",
    }
    answers |= {"ebv_dna_result": "NOT_DETECTED", "cmv_dna_result": "NOT_DETECTED"}
    return story.put("viral_serology", visit, lb_date=day, **{**answers, **found})


def marrow_at_screening(story: Story, day: date, blasts: str, cd19_by: str) -> None:
    """The marrow the diagnosis rests on, with CD19."""
    story.put(
        "bone_marrow",
        "SCR",
        bm_dt=at(day, "10:00"),
        aspirate_adequate=True,
        cellularity="HYPER",
        cells_counted=200,
        blast_pct_morph=blasts,
        blast_pct_flow=f"{story.vary(float(blasts), 0.1):.1f}",
        karyotype="46,XN[20]",
    )
    story.put(
        "cd19_flow",
        "SCR",
        sample_date=day,
        specimen="BONE_MARROW",
        method=cd19_by,
        cd19_result="POSITIVE",
        cd19_pct_blasts=f"{story.vary(95, 0.04):.1f}",
        cd22_pct=f"{story.vary(80, 0.15):.1f}",
    )


def judgement(story: Story, visit: str) -> Any:
    """What only the investigator can judge; expansion is qualified by the small-scale test."""
    yes = ("est_survival_gt_3m", "vascular_access_ok")
    no = ("uncontrolled_infection", "other_unsuitable", "planned_immunosuppression")
    return story.put(
        "survival_estimate",
        visit,
        tcell_expansion_qualified="QUALIFIED",
        **dict.fromkeys(yes, "YES"),
        **dict.fromkeys(no, "NO"),
    )


def judge(story: Story, milestone: str, day: date, *, signed: bool = True, **otherwise: Any) -> Any:
    """The checklist of all 29 criteria: every inclusion met, no exclusion, unless said otherwise.

    Signed where the data agree; a checklist that they contradict cannot be signed.
    """
    answers = {**dict.fromkeys(INCLUSIONS, "MET"), **dict.fromkeys(EXCLUSIONS, "NOT_MET")}
    planned = story.planned or story.from_consent(CONSENT_BEFORE)
    known = {} if otherwise else {"planned_infusion_date": max(planned, day)}
    made = story.put(
        "eligibility", milestone=milestone, assessed_date=day, **{**answers, **known, **otherwise}
    )
    if signed:
        try:
            story.sign(made, "ELIGIBILITY", "investigator", on=day)
        except SignatureRefused as refused:  # the data say otherwise; this site goes on without the signature
            assert refused.problem.code == "not_eligible", refused.problem
            story.unsigned.append(made)
    return made


def check_again(story: Story, visit: str, day: date) -> None:
    """What eligibility is confirmed on before lymphodepletion."""
    lungs(story, visit, day)
    ecog(story, visit, day)
    heart(story, visit, day)
    serology(story, visit, day)
    judgement(story, visit)


def admit(
    story: Story,
    *,
    icf: str = "",
    birth: str = "",
    sct: str = "",
    graft: Mapping[str, Any] | None = None,
    **screening: Any,
) -> None:
    """Consent, history, screening and the decision to enrol, in one go. `sct` is the date of a transplant, `graft`
    what else is known of it."""
    consent(story, version=icf)
    introduce(story, birth=birth)
    if sct:
        relapse = f"{story.from_consent(-10):%Y-%m}"
        illness(story, transplanted="YES", number_of_relapses=2, last_relapse_date=relapse)
        transplant(story, sct, **(graft or {}))
    else:
        illness(story)
    screen(story, **screening)
    judge(story, "SCREENING", story.enrolled)
