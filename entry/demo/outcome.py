"""How it went on: marrow, response, dose-limiting toxicity, follow-up, the end."""

from datetime import date, timedelta
from typing import Any

from entry.demo.story import MARK, Story, at


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
    recovered = counts.anc_value >= 1 and counts.plt_value >= 100
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
    """No dose-limiting toxicity, after the window."""
    return story.put("dlt_assessment", evaluable="YES", any_dlt="NO")


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


def next_therapy(story: Story, day: date) -> Any:
    """Treatment of a relapse."""
    return story.put(
        "subsequent_therapy", type="INOTUZUMAB", start_date=day, in_remission="NO", indication="RELAPSE"
    )


def end(story: Story, day: date, reason: str, detail: str, phase: str = "STUDY") -> Any:
    """The end of the study, or of treatment, for this subject."""
    return story.put("end_of_study", phase=phase, date=day, reason=reason, detail=f"{detail} {MARK}")


def die(story: Story, day: date) -> None:
    """Death of haemophagocytic inflammation, with the end of the study."""
    story.put(
        "death",
        death_date=day,
        primary_cause="IEC_HS",
        cause_text=f"Haemophagocytic syndrome with multi-organ failure 噬血细胞综合征伴多器官衰竭 {MARK}",
        autopsy="NO",
        related_to_sscart19="PROBABLE",
    )
    end(story, day, "DEATH", "Death on the ward 住院期间死亡")


def withdraw(story: Story, day: date) -> None:
    """Consent to treatment and assessments is withdrawn; survival may still be followed."""
    story.put(
        "informed_consent",
        consent_type="WITHDRAWAL",
        icf_version="1.0",
        icf_version_date=date(2021, 2, 15),
        consent_dt=at(day, "15:20"),
        signed_by_subject=True,
        copy_given=True,
        obtained_by=story.person("investigator"),
        withdrawal_scope=("TREATMENT", "ASSESSMENTS"),
    )
    end(story, day + timedelta(days=1), "WITHDRAWAL_SUBJECT", "Moves to another province 迁往外省")
