"""How it went on: later therapy, the end of treatment and study, death."""

from collections.abc import Iterator

from subjects.codelists import (
    DEATH_CAUSE,
    END_REASON,
    PHASE,
    RELATEDNESS,
    SUBSEQUENT_INDICATION,
    SUBSEQUENT_THERAPY,
)
from subjects.crf import CRF
from trial.codes import YES_NO_UNKNOWN
from trial.findings import Doubt
from trial.item import code, day, long_text, partial_day, text
from trial.text import T, both

ACTIVE_DISEASE = ("RELAPSE", "REFRACTORY")
EFFECTS_OF_CELLS = ("CRS", "ICANS", "IEC_HS")
LIKELY = ("POSSIBLE", "PROBABLE", "RELATED")


class SubsequentTherapy(CRF):
    """Treatment of the leukaemia after the infusion. It decides how time to event is censored."""

    form = "subsequent_therapy"
    domain = "CM"
    repeats = "log"
    dated_by = "start_date"

    type = code(SUBSEQUENT_THERAPY, en="Therapy", zh="治疗类型", cdash="CMTRT", required=True)
    start_date = day(en="Start", zh="开始日期", cdash="CMSTDAT", required=True)
    in_remission = code(
        YES_NO_UNKNOWN, en="In remission at the start", zh="开始时处于缓解状态", required=True
    )
    indication = code(SUBSEQUENT_INDICATION, en="Indication", zh="治疗指征", required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Subsequent therapy", "后续抗白血病治疗")

    def doubts(self) -> Iterator[Doubt]:
        """The indication fits the state of the disease."""
        active = self.in_remission == "YES" and self.indication in ACTIVE_DISEASE
        consolidated = self.in_remission == "NO" and self.indication == "CONSOLIDATION"
        if not (active or consolidated):
            return
        indication = both(SUBSEQUENT_INDICATION.label(self.indication))
        state = ("in remission", "缓解") if active else ("not in remission", "未缓解")
        yield Doubt(
            "indication",
            "subsequent_therapy.indication_against_state",
            T(
                f"“{indication['en']}” for a subject {state[0]} at the start. Check both answers.",
                f"治疗指征为“{indication['zh']}”，但开始时状态为“{state[1]}”。请核对两项。",
            ),
            value=self.indication,
        )


class EndOfStudy(CRF):
    """The end of treatment, and the end of the study: one record each."""

    form = "end_of_study"
    domain = "DS"
    repeats = "log"
    dated_by = "date"

    phase = code(PHASE, en="What ended", zh="结束的阶段", required=True, sdtm="DSSCAT")
    date = day(en="Date", zh="日期", cdash="DSSTDAT", required=True)
    reason = code(END_REASON, en="Reason", zh="原因", cdash="DSDECOD", required=True)
    detail = long_text(en="Detail", zh="说明", sdtm="DSTERM")

    class Meta(CRF.Meta):
        verbose_name = T("End of treatment or study", "治疗结束/研究结束")

    def doubts(self) -> Iterator[Doubt]:
        """Who failed screening had no treatment to end."""
        if self.phase == "TREATMENT" and self.reason == "SCREEN_FAILURE":
            yield Doubt(
                "reason",
                "end_of_study.screen_failure_in_treatment",
                T(
                    "Treatment ended by screen failure, yet who fails screening is not treated. "
                    "Was the study meant?",
                    "治疗结束的原因为筛选失败：筛选失败者未接受治疗。是否应为研究结束？",
                ),
                value="SCREEN_FAILURE",
            )


class Death(CRF):
    """Death, its cause and its relation to the product. Overall survival is read from here."""

    form = "death"
    domain = "DD"
    repeats = "one"
    dated_by = "death_date"

    death_date = partial_day(
        en="Date of death", zh="死亡日期", cdash="DTHDAT", required=True, sdtm="DM.DTHDTC"
    )
    primary_cause = code(
        DEATH_CAUSE, en="Primary cause", zh="主要死因", cdash="PRCDTH_DDORRES", required=True
    )
    cause_text = text(
        300,
        en="Cause in words",
        zh="死因描述",
        note=T("Coded with MedDRA.", "采用MedDRA编码。"),
        required=True,
    )
    autopsy = code(YES_NO_UNKNOWN, en="Autopsy", zh="是否尸检", required=True)
    related_to_sscart19 = code(
        RELATEDNESS, en="Relation to ssCART-19", zh="与ssCART-19的相关性", required=True
    )

    class Meta(CRF.Meta):
        verbose_name = T("Death", "死亡")

    def doubts(self) -> Iterator[Doubt]:
        """The cause and its relation to the product agree."""
        effect = self.primary_cause in EFFECTS_OF_CELLS and self.related_to_sscart19 == "UNRELATED"
        denied = self.primary_cause == "UNRELATED" and self.related_to_sscart19 in LIKELY
        if not (effect or denied):
            return
        cause = both(DEATH_CAUSE.label(self.primary_cause))
        relation = both(RELATEDNESS.label(self.related_to_sscart19))
        yield Doubt(
            "related_to_sscart19",
            "death.relation_against_cause",
            T(
                f"Cause “{cause['en']}”, relation to ssCART-19 “{relation['en']}”. Check both answers.",
                f"死因为“{cause['zh']}”，与ssCART-19的相关性为“{relation['zh']}”。请核对两项。",
            ),
            value=self.related_to_sscart19,
        )
