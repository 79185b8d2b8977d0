"""Adverse events with their grades over time, and the judgement on dose-limiting toxicity."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from safety.codelists import AE_ACTION, AE_CATEGORY, EVALUABLE, OUTCOME, SAE_CRITERION
from subjects.codelists import RELATEDNESS
from subjects.crf import CRF
from trial.audit_sql import Stamp, WriteHistory
from trial.dates import as_read
from trial.findings import Doubt, Problem
from trial.item import code, codes_many, link, long_text, moment, partial_moment, text, whole, yes_no
from trial.jurisdiction import after_days
from trial.protocol import V1, Protocol
from trial.text import T, both

_EVENT = T("Event", "事件")
_SERIOUS = T("Seriousness", "严重性")
_CAUSE = T("Causality", "因果关系")
_COURSE = T("Action and outcome", "措施与转归")
_OVER = ("RECOVERED", "SEQUELAE")
_GRADE_OF_DEATH = 5


def is_susar(record: Any, protocol: Protocol) -> bool | None:
    """Serious, related to ssCART-19 at least possibly, and unexpected; None while that cannot be told."""
    related = record.rel_sscart19 in protocol.related_from_possible.value if record.rel_sscart19 else None
    parts = (record.serious, related, None if record.expected is None else not record.expected)
    if False in parts:
        return False
    return None if None in parts else True


URGENT = ("DEATH", "LIFE_THREATENING")


def urgent(record: Any) -> bool:
    """Whether an event is fatal or life-threatening: by a reason for being serious, its outcome, or grade 5."""
    fatal = record.outcome == "FATAL" or record.max_grade == _GRADE_OF_DEATH
    return fatal or any(reason in URGENT for reason in record.sae_criteria or ())


def days_to_submit(event: Any, protocol: Protocol) -> int:
    """Calendar days from awareness within which a SUSAR is submitted: fewer if fatal or life-threatening (ICH E2A)."""
    return protocol.susar_fatal_days.value if urgent(event) else protocol.susar_other_days.value


def susar_ends(event: Any, protocol: Protocol) -> datetime:
    """The last moment to submit a SUSAR whose time of awareness is known."""
    days, end, zone = days_to_submit(event, protocol), protocol.susar_days_end, protocol.authority_zone
    return after_days(event.sae_aware_dt, days, end.value, zone.value)


def susar_of(record: Any) -> bool | None:
    """Whether a record is a SUSAR by the protocol version that binds it."""
    return is_susar(record, record.bound_by)


def susar_due(record: Any) -> datetime | None:
    """When a SUSAR is due, from the site's awareness, by the protocol version that binds the record."""
    if not susar_of(record) or record.sae_aware_dt is None:
        return None
    return susar_ends(record, record.bound_by)


class AdverseEvent(CRF):
    """An adverse event, graded by CTCAE 5.0 (CRS and ICANS by ASTCT 2019). Grade records hold its course."""

    form = "adverse_event"
    domain = "AE"
    repeats = "log"
    dated_by = "start_dt"
    bound_by: Protocol = V1
    """The version that binds the subject; the door sets it before it calculates."""

    term = text(200, en="Event", zh="不良事件名称", section=_EVENT, cdash="AETERM", required=True)
    category = code(AE_CATEGORY, en="Category", zh="类别", section=_EVENT, cdash="AECAT", required=True)
    start_dt = partial_moment(
        en="Start", zh="开始时间", section=_EVENT, cdash="AESTDAT+AESTTIM", required=True
    )
    ongoing = yes_no(en="Ongoing", zh="是否持续", section=_EVENT, cdash="AEONGO", required=True)
    end_dt = partial_moment(
        en="End",
        zh="结束时间",
        section=_EVENT,
        cdash="AEENDAT+AEENTIM",
        not_before="start_dt",
        when={"ongoing": (False,)},
        required=True,
    )
    max_grade = whole(
        en="Highest grade", zh="最高分级", section=_EVENT, cdash="AETOXGR", hard=(1, 5), required=True
    )
    serious = yes_no(en="Serious", zh="是否为严重不良事件", section=_SERIOUS, cdash="AESER", required=True)
    sae_criteria = codes_many(
        SAE_CRITERION,
        en="Why serious",
        zh="严重性标准",
        section=_SERIOUS,
        cdash="AESDTH,AESLIFE,AESHOSP,AESDISAB,AESCONG,AESMIE",
        when={"serious": (True,)},
        required=True,
        sdtm="AESDTH, AESLIFE, AESHOSP, AESDISAB, AESCONG, AESMIE",
    )
    sae_aware_dt = moment(
        en="Site became aware",
        zh="研究中心获知时间",
        section=_SERIOUS,
        when={"serious": (True,)},
        required=True,
    )
    sae_report_dt = moment(
        en="Reported to the sponsor",
        zh="报告申办者时间",
        section=_SERIOUS,
        not_before="sae_aware_dt",
        when={"serious": (True,)},
        required=True,
    )
    expected = yes_no(
        en="Expected (investigator's brochure)",
        zh="是否预期(依据研究者手册)",
        section=_SERIOUS,
        when={"serious": (True,)},
        required=True,
    )
    rel_sscart19 = code(
        RELATEDNESS,
        en="Relation to ssCART-19",
        zh="与 ssCART-19 的相关性",
        section=_CAUSE,
        cdash="AEREL",
        required=True,
    )
    rel_ld = code(
        RELATEDNESS,
        en="Relation to lymphodepletion",
        zh="与清淋预处理的相关性",
        section=_CAUSE,
        required=True,
    )
    rel_apheresis = code(RELATEDNESS, en="Relation to apheresis", zh="与单采的相关性", section=_CAUSE)
    action = codes_many(
        AE_ACTION,
        en="Action taken",
        zh="采取的措施",
        section=_COURSE,
        cdash="AEACNOTH",
        required=True,
        sdtm="AEACNOTH",
    )
    outcome = code(OUTCOME, en="Outcome", zh="转归", section=_COURSE, cdash="AEOUT", required=True)
    susar = yes_no(
        en="Suspected unexpected serious adverse reaction",
        zh="可疑且非预期严重不良反应(SUSAR)",
        section=_SERIOUS,
        calc=susar_of,
    )
    sponsor_report_due = moment(
        en="SUSAR report due", zh="SUSAR 报告截止时间", section=_SERIOUS, future=True, calc=susar_due
    )
    susar_submitted_dt = moment(
        en="SUSAR submitted to the authorities",
        zh="SUSAR 递交监管部门时间",
        section=_SERIOUS,
        not_before="sae_aware_dt",
        when={"serious": (True,)},
        note=T("Only for a suspected unexpected serious adverse reaction.", "仅适用于 SUSAR。"),
    )

    class Meta(CRF.Meta):
        verbose_name = T("Adverse event", "不良事件")

    def __str__(self) -> str:
        return self.term or super().__str__()

    def contradictions(self) -> Iterator[Problem]:
        """Grade 5 is death; what is over does not go on; "none" stands alone; times keep their order."""
        yield from self._grade_of_death()
        outcome = both(OUTCOME.label(self.outcome))
        if self.ongoing and self.outcome in _OVER:
            yield Problem(
                "ongoing",
                "over_and_ongoing",
                T(
                    f"The event is marked as ongoing and its outcome as “{outcome['en']}”. Enter the end, or "
                    "change the outcome.",
                    f"事件标记为持续,而转归为“{outcome['zh']}”。请填写结束时间,或更正转归。",
                ),
                value=T("yes", "是"),
                limit=T("no", "否"),
            )
        if "NONE" in self.action and len(self.action) > 1:
            yield Problem(
                "action",
                "none_and_others",
                T(
                    "“None” is chosen together with other actions. Take “None” away, or the others.",
                    "“无”与其他措施同时被选中。请取消“无”或取消其他措施。",
                ),
                value=", ".join(self.action),
                limit="NONE",
            )
        start, end = _exact(self.start_dt), _exact(self.end_dt)
        since, until = as_read(self.start_dt), as_read(self.end_dt)
        if start and end and start > end and self.end_dt[:10] >= self.start_dt[:10]:
            yield Problem(
                "end_dt",
                "wrong_order",
                T(
                    f"The end {until} is earlier than the start {since}. Check both times.",
                    f"结束时间 {until} 早于开始时间 {since}。请核对两个时间。",
                ),
                value=self.end_dt,
                limit=f"≥ {self.start_dt}",
            )

    def _grade_of_death(self) -> Iterator[Problem]:
        if self.max_grade != _GRADE_OF_DEATH:
            return
        outcome = both(OUTCOME.label(self.outcome))
        if self.outcome not in ("", "FATAL"):
            yield Problem(
                "outcome",
                "death_without_fatal_outcome",
                T(
                    f"Grade 5 means death, but the outcome is “{outcome['en']}”. Correct the grade or "
                    "the outcome.",
                    f"5 级即死亡,但转归为“{outcome['zh']}”。请更正分级或转归。",
                ),
                value=self.outcome,
                limit="FATAL",
            )
        if self.serious is False:
            yield Problem(
                "serious",
                "death_not_serious",
                T(
                    "Grade 5 means death, and death is always serious. Answer “serious” with yes, or correct "
                    "the grade.",
                    "5 级即死亡,死亡必为严重不良事件。请将“是否为严重不良事件”改为“是”,或更正分级。",
                ),
                value=T("no", "否"),
                limit=T("yes", "是"),
            )

    def doubts(self) -> Iterator[Doubt]:
        """A fatal outcome, grade 5 and the criterion "death" usually come together."""
        fatal, criteria = self.outcome == "FATAL", self.sae_criteria or []
        outcome = both(OUTCOME.label(self.outcome))
        if fatal and self.max_grade is not None and self.max_grade != _GRADE_OF_DEATH:
            yield Doubt(
                "max_grade",
                "adverse_event.fatal_below_grade_5",
                T(
                    f"The outcome is fatal, the highest grade {self.max_grade}; a death by this event is "
                    "grade 5. Correct one of the two, or explain.",
                    f"转归为死亡,而最高分级为 {self.max_grade} 级;因本事件死亡应为 5 级。"
                    "请更正其一,或说明原因。",
                ),
                value=str(self.max_grade),
                limit=str(_GRADE_OF_DEATH),
            )
        if fatal and criteria and "DEATH" not in criteria:
            yield Doubt(
                "sae_criteria",
                "adverse_event.fatal_without_death",
                T(
                    "The outcome is fatal, but “death” is not among the reasons for being serious. Add it, "
                    "or correct the outcome.",
                    "转归为死亡,但严重性标准中未选“死亡”。请补选,或更正转归。",
                ),
                value=", ".join(criteria),
                limit="DEATH",
            )
        if "DEATH" in criteria and self.outcome and not fatal:
            yield Doubt(
                "outcome",
                "adverse_event.death_without_fatal",
                T(
                    f"“Death” is a reason for being serious, but the outcome is “{outcome['en']}”. Correct "
                    "one of the two.",
                    f"严重性标准包含“死亡”,但转归为“{outcome['zh']}”。请更正其一。",
                ),
                value=self.outcome,
                limit="FATAL",
            )


def _exact(partial: str) -> datetime | None:
    """The moment, where day and time are known."""
    return datetime.fromisoformat(partial) if "T" in partial else None


class AdverseEventGrade(CRF):
    """From when an adverse event had which grade: from these the days at grade 3 and above are counted."""

    form = "adverse_event_grade"
    domain = "FA"
    repeats = "log"
    dated_by = "from_dt"

    adverse_event = link("safety.AdverseEvent", en="Adverse event", zh="不良事件", required=True)
    grade = whole(en="Grade", zh="分级", hard=(1, 5), required=True)
    from_dt = partial_moment(en="From", zh="自何时起", required=True)

    class Meta(CRF.Meta):
        verbose_name = T("Adverse event grade", "不良事件分级变化")


class DltAssessment(CRF):
    """The judgement on dose-limiting toxicity (DLT) after the window. Its definition is not public."""

    form = "dlt_assessment"
    domain = ""
    repeats = "one"
    dated_by = ""

    evaluable = code(EVALUABLE, en="Evaluable for dose-limiting toxicity", zh="DLT 是否可评价", required=True)
    any_dlt = code(EVALUABLE, en="Any dose-limiting toxicity", zh="是否发生 DLT", required=True)
    dlt_events = text(
        200,
        en="Adverse events that were dose-limiting",
        zh="构成 DLT 的不良事件",
        note=T("Numbers of the adverse event log, separated by commas.", "不良事件日志中的序号,以逗号分隔。"),
        when={"any_dlt": ("YES",)},
    )
    reason = long_text(en="Events and reasons", zh="相关事件及理由")

    class Meta(CRF.Meta):
        triggers: ClassVar[list[Any]] = [
            Stamp(),
            WriteHistory(wakes_rules=True, wakes_cohort=("evaluable", "any_dlt", "not_done", "retracted")),
        ]
        verbose_name = T("Assessment of dose-limiting toxicity", "剂量限制性毒性(DLT)评价")

    def doubts(self) -> Iterator[Doubt]:
        """A judgement against the usual course says why; who had a toxicity counts as evaluable."""
        if not self.reason.strip() and (self.evaluable == "NO" or self.any_dlt == "YES"):
            yield Doubt(
                "reason",
                "dlt_assessment.reason",
                T(
                    "Name the events that were dose-limiting, or why the subject cannot be evaluated.",
                    "请写明构成 DLT 的事件,或受试者不可评价的理由。",
                ),
            )
        if self.evaluable == "NO" and self.any_dlt == "YES":
            yield Doubt(
                "evaluable",
                "dlt_assessment.toxic_not_evaluable",
                T(
                    "A dose-limiting toxicity is recorded, yet the subject is called not evaluable. Who had "
                    "one counts as evaluable; correct one of the two, or explain.",
                    "已记录发生 DLT,但受试者标为不可评价。发生 DLT 者应视为可评价;请更正其一,或说明理由。",
                ),
                value="NO",
                limit="YES",
            )
