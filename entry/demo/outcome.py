"""How it went on: marrow, response, dose-limiting toxicity, follow-up, the end."""

from datetime import date, timedelta
from typing import Any

from entry.demo.icf import version_on
from entry.demo.story import MARK, Story, at
from trial.protocol import V1


def relapsed(story: Story, visit: str) -> bool:
    """Whether this story's leukaemia is back at a visit."""
    return story.relapse_at == visit


def marrow(story: Story, visit: str, day: date) -> Any:
    """A marrow in remission without residual disease, or one in relapse."""
    back = relapsed(story, visit)
    found = {"mrd_result": "DETECTED", "mrd_level": "0.21"} if back else {"mrd_result": "NOT_DETECTED"}
    blasts = story.vary(34, 0.2) if back else story.vary(0.8, 0.5)
    return story.put(
        "bone_marrow",
        visit,
        bm_dt=at(day, "10:00"),
        aspirate_adequate=True,
        cellularity="HYPER" if back else "NORMO",
        cells_counted=200,
        blast_pct_morph=f"{blasts:.1f}",
        blast_pct_flow="21.0" if back else "0.0",
        mrd_method="FLOW",
        mrd_sensitivity="0.0001",
        **found,
    )


def answer_of_disease(story: Story, visit: str, day: date) -> Any:
    """The investigator's response, on the counts and the marrow of the visit (or the last before it)."""
    counts = story.kept[("haematology", visit)]
    back = relapsed(story, visit)
    based = story.kept.get(("bone_marrow", visit)) or story.kept[("bone_marrow", "D28")]
    recovered = (
        counts.anc_value > V1.cr_neutrophils_above.value and counts.plt_value > V1.cr_platelets_above.value
    )
    answer = "RELAPSE" if back else "CR" if recovered else "CRi"
    lumbar = {"csf": story.kept[("csf", visit)]} if ("csf", visit) in story.kept else {}
    return story.put(
        "response",
        visit,
        assess_date=day,
        bone_marrow=based,
        circulating_blasts=False,
        extramedullary_disease=False,
        anc=counts.anc_value,
        plt=counts.plt_value,
        investigator_response=answer,
        **({"relapse_cd19_status": "CD19_NEGATIVE"} if back else {}),
        **lumbar,
    )


def dose_limiting(story: Story, visit: str, day: date) -> Any:
    """No dose-limiting toxicity, after the window; signed by investigator and medical monitor."""
    made = story.put("dlt_assessment", evaluable="YES", any_dlt="NO")
    return story.sign(made, "DLT", "investigator", "medical_monitor", on=day + timedelta(days=1))


def limiting_toxicity(story: Story, day: date, event: Any, words: str) -> Any:
    """A dose-limiting toxicity, with the event that was; signed likewise."""
    made = story.put(
        "dlt_assessment",
        evaluable="YES",
        any_dlt="YES",
        dlt_events=str(event.sequence),
        reason=f"{words} {MARK}",
    )
    return story.sign(made, "DLT", "investigator", "medical_monitor", on=day)


def contact(story: Story, visit: str, day: date) -> Any:
    """Seen alive at the visit."""
    quiet = ("new_malignancy", "new_neuro", "new_autoimmune", "new_haem", "pregnancy")
    return story.put(
        "survival_ltfu",
        visit,
        contact_date=day,
        contact_type="VISIT",
        vital_status="ALIVE",
        disease_status="RELAPSED" if relapsed(story, visit) else "IN_REMISSION",
        rcl_test="NEGATIVE",
        **dict.fromkeys(quiet, "NO"),
    )


def next_therapy(story: Story, day: date, **otherwise: Any) -> Any:
    """Treatment of a relapse, unless said otherwise."""
    answers = {"type": "INOTUZUMAB", "in_remission": "NO", "indication": "RELAPSE"}
    return story.put("subsequent_therapy", start_date=day, **{**answers, **otherwise})


def end(
    story: Story, day: date, reason: str, detail: str, phase: str = "STUDY", *, signed: bool = True
) -> Any:
    """The end of the study, or of treatment, for this subject; the investigator signs unless told otherwise."""
    made = story.put("end_of_study", phase=phase, date=day, reason=reason, detail=f"{detail} {MARK}")
    return story.sign(made, "REVIEW", "investigator", on=day + timedelta(days=2)) if signed else made


def die(story: Story, day: date, *, of_leukaemia: bool = False) -> None:
    """Death, with the end of the study: of haemophagocytic inflammation, or of the leukaemia."""
    hs = "Haemophagocytic syndrome with multi-organ failure 噬血细胞综合征伴多器官衰竭"
    all_ = "Relapsed leukaemia, sepsis in aplasia 白血病复发,粒缺期脓毒症"
    story.put(
        "death",
        death_date=day,
        primary_cause="LEUKAEMIA" if of_leukaemia else "IEC_HS",
        cause_text=f"{all_ if of_leukaemia else hs} {MARK}",
        autopsy="NO",
        related_to_sscart19="UNRELATED" if of_leukaemia else "PROBABLE",
    )
    where = "Death in another hospital 外院死亡" if of_leukaemia else "Death on the ward 住院期间死亡"
    end(story, day, "DEATH", where)


def noticed(story: Story, day: date) -> None:
    """The coordinator notes a deviation that no rule can see."""
    story.put(
        "protocol_deviation",
        category="SAMPLE",
        start_date=day,
        detected_dt=at(day, "16:10"),
        description=f"Serum stood two hours before it was spun 血清离心前放置两小时 {MARK}",
        severity="MINOR",
        impact_subject_safety=False,
        impact_data=True,
        closed_dt=at(day + timedelta(days=2), "10:00"),
    )


def withdraw(story: Story, day: date) -> None:
    """Consent to treatment and assessments is withdrawn; survival may still be followed."""
    version, dated = version_on(day, story.today)
    story.put(
        "informed_consent",
        consent_type="WITHDRAWAL",
        icf_version=version,
        icf_version_date=dated,
        consent_dt=at(day, "15:20"),
        signed_by_subject=True,
        copy_given=True,
        obtained_by=story.person("investigator"),
        withdrawal_scope=("TREATMENT", "ASSESSMENTS"),
    )
    end(story, day + timedelta(days=1), "WITHDRAWAL_SUBJECT", "Moves to another province 迁往外省")
