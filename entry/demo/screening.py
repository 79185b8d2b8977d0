"""Before treatment: consent, history, screening, the investigator's checklist."""

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
from entry.demo.story import MARK, Story, at
from subjects.checklist import EXCLUSIONS, INCLUSIONS
from trial.dates import add_months

ICF_DATE = date(2021, 2, 15)


def consent(story: Story, *, version: str = "1.0", kind: str = "INITIAL", **more: Any) -> Any:
    """The subject signs, on the day the story was planned to begin."""
    assert story.consented is not None
    answers: dict[str, Any] = {"consent_dt": at(story.consented, "09:30"), **more}
    return story.put(
        "informed_consent",
        consent_type=kind,
        icf_version=version,
        icf_version_date=ICF_DATE,
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
    story.put("contraception", "SCR", agrees="YES", method=("COC",) if female else ("CONDOM+SPERMICIDE",))
    if female:
        story.put(
            "pregnancy_test",
            "SCR",
            pt_date=story.from_consent(1),
            specimen="SERUM_HCG",
            result="NEGATIVE",
            lactating="NO",
        )


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


def transplant(story: Story, when: str) -> Any:
    """An allogeneic transplant, with the date as far as it is known."""
    relapse = story.from_consent(-10)
    return story.put(
        "prior_transplant",
        sct_date=when,
        sct_type="ALLO",
        donor_type=story.dice.choice(("HAPLO", "MSD")),
        conditioning="MAC",
        bm_relapse_after_sct="YES",
        relapse_after_sct_date=f"{relapse:%Y-%m}",
        agvhd_max_grade=1,
        cgvhd_max="NONE",
        gvhd_active_at_consent="NO",
        is_prophylaxis_stop_date=f"{relapse:%Y-%m}",
    )


def screen(
    story: Story, *, day: int = 1, echo_day: int = 2, performance: int = 1, blasts: str = "", **virus: Any
) -> None:
    """The screening visit with everything the schedule asks of it. `day`, `echo_day` count from consent."""
    today = story.from_consent(day)
    story.put("visit", "SCR", actual_date=today)
    for write in (vital_signs, ecg, haematology, chemistry, coagulation, urinalysis, csf, icans_assessment):
        write(story, "SCR", today)
    ecog(story, "SCR", today, performance)
    lungs(story, "SCR", today)
    heart(story, "SCR", story.from_consent(echo_day))
    serology(story, "SCR", today, **virus)
    marrow_at_screening(story, story.from_consent(day + 1), blasts or f"{story.vary(46, 0.4):.1f}")
    judgement(story, "SCR")


def heart(story: Story, visit: str, day: date) -> Any:
    """An echocardiogram of a healthy heart."""
    return story.put(
        "echo",
        visit,
        echo_date=day,
        method="ECHOCARDIOGRAM",
        lvef_pct=round(story.vary(63, 0.06)),
        pericardial_effusion="NONE",
    )


def lungs(story: Story, visit: str, day: date) -> Any:
    """Breathing and oxygen saturation without complaint."""
    saturation = round(story.vary(97, 0.01))
    return story.put(
        "pulmonary", visit, assess_dt=at(day, "08:10"), dyspnea_grade=0, spo2_pct=saturation, room_air=True
    )


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


def marrow_at_screening(story: Story, day: date, blasts: str) -> None:
    """The marrow the diagnosis rests on, with CD19 by flow."""
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
        method="FLOW_CYTOMETRY",
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


def judge(story: Story, milestone: str, day: date, **otherwise: Any) -> Any:
    """The checklist of all 29 criteria: every inclusion met, no exclusion, unless said otherwise."""
    answers = {**dict.fromkeys(INCLUSIONS, "MET"), **dict.fromkeys(EXCLUSIONS, "NOT_MET")}
    return story.put("eligibility", milestone=milestone, assessed_date=day, **{**answers, **otherwise})


def admit(story: Story, *, icf: str = "1.0", birth: str = "", sct: str = "", **screening: Any) -> None:
    """Consent, history, screening and the decision to enrol, in one go. `sct` is the date of a transplant."""
    consent(story, version=icf)
    introduce(story, birth=birth)
    if sct:
        relapse = f"{story.from_consent(-10):%Y-%m}"
        illness(story, transplanted="YES", number_of_relapses=2, last_relapse_date=relapse)
        transplant(story, sct)
    else:
        illness(story)
    screen(story, **screening)
    judge(story, "SCREENING", story.enrolled)
