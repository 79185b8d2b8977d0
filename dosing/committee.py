"""The safety review committee: what it looked at and what it decided about the next dose level."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from dosing.codelists import DOSE_LEVEL
from subjects.crf import StudyForm
from trial.audit_sql import Stamp, WriteHistory
from trial.codes import CodeList
from trial.findings import Doubt, Problem
from trial.item import code, day, long_text, text, whole
from trial.text import T

DECISION = CodeList(
    "CL_SRC_DECISION",
    (
        ("ESCALATE", "Escalate to the next level", "递增至下一剂量水平"),
        ("STAY", "Treat more at this level", "在本剂量水平继续入组"),
        ("DEESCALATE", "De-escalate", "递减剂量"),
        ("STOP_MTD", "Stop, maximum tolerated dose found", "停止,已确定最大耐受剂量"),
        ("STOP_NO_MTD", "Stop, no tolerated dose", "停止,无可耐受剂量"),
    ),
)
_BOLDNESS = {"STOP_NO_MTD": 0, "STOP_MTD": 0, "DEESCALATE": 1, "STAY": 2, "ESCALATE": 3}


def bolder(decision: str, recommendation: str) -> bool:
    """Whether a decision exposes subjects to more than the recommendation does."""
    return bool(decision and recommendation) and _BOLDNESS[decision] > _BOLDNESS[recommendation]


class SrcReview(StudyForm):
    """One meeting of the safety review committee on one dose level. Three signatures make it binding."""

    form = "src_review"
    domain = ""
    dated_by = "meeting_date"

    data_cutoff = day(en="Data cut-off", zh="数据截止日期", required=True)
    meeting_date = day(en="Date of meeting", zh="会议日期", not_before="data_cutoff", required=True)
    level = code(DOSE_LEVEL, en="Dose level reviewed", zh="评审的剂量水平", required=True)
    subjects_reviewed = text(
        300,
        en="Subjects reviewed",
        zh="评审的受试者",
        note=T("Screening numbers, separated by commas.", "筛选号,以逗号分隔。"),
        required=True,
    )
    n_evaluable = whole(en="Evaluable subjects", zh="可评价受试者数", hard=(0, 18), required=True)
    n_dlt = whole(
        en="Subjects with dose-limiting toxicity",
        zh="发生剂量限制性毒性的受试者数",
        hard=(0, 18),
        required=True,
    )
    algorithm_recommendation = code(
        DECISION, en="Recommendation of the design", zh="设计方案的建议", required=True
    )
    decision = code(DECISION, en="Decision", zh="决定", required=True)
    rationale = long_text(en="Rationale", zh="理由")

    class Meta(StudyForm.Meta):
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory(wakes_cohort=("version",))]
        verbose_name = T("Safety review committee", "安全评审委员会")

    @property
    def numbers(self) -> tuple[str, ...]:
        """The screening numbers reviewed."""
        return tuple(n for n in re.split(r"[,;,;、\s]+", self.subjects_reviewed) if n)

    def contradictions(self) -> Iterator[Problem]:
        """No more toxicities than evaluable subjects; screening numbers look like 01-001."""
        if self.n_dlt is not None and self.n_evaluable is not None and self.n_dlt > self.n_evaluable:
            yield Problem(
                "n_dlt",
                "more_than_all",
                T(
                    f"{self.n_dlt} subjects with toxicity among {self.n_evaluable} evaluable ones cannot be. Check both.",
                    f"可评价 {self.n_evaluable} 例中不可能有 {self.n_dlt} 例发生毒性。请核对两个数字。",
                ),
                str(self.n_dlt),
                f"≤ {self.n_evaluable}",
            )
        wrong = [n for n in self.numbers if not re.fullmatch(r"[0-9]{2,4}-[0-9]{3}", n)]
        if wrong:
            yield Problem(
                "subjects_reviewed",
                "format",
                T(
                    f"“{wrong[0]}” is not a screening number; write 01-001, 01-002.",
                    f"“{wrong[0]}”不是筛选号;请写成 01-001, 01-002。",
                ),
                wrong[0],
                "01-001",
            )

    def doubts(self) -> Iterator[Doubt]:
        """A decision that differs from the design's recommendation says why."""
        differs: Any = self.decision and self.decision != self.algorithm_recommendation
        if differs and self.algorithm_recommendation and not self.rationale.strip():
            yield Doubt(
                "rationale",
                "src_review.rationale",
                T(
                    "The decision differs from the recommendation of the design. Give the committee's rationale.",
                    "决定与设计方案的建议不一致。请填写委员会的理由。",
                ),
                self.decision,
                self.algorithm_recommendation,
            )
