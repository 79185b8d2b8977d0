"""The site's steps on a deviation: acknowledge, classify, close, justify, open again.

Each is one audited transaction under the subject's lock, refuses a version other than the one that was seen, and never
touches what the rules found.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from entry.door import lock_subject
from entry.verdicts import NotFound, Rejected, Stale
from review.assessment import STATE, DeviationAssessment, assessment_of, severity_of, state_of, version_of
from safety.manual_deviations import CATEGORY, SEVERITY
from safety.models import Deviation
from trial import audit
from trial.access import Act, Actor, require
from trial.codes import YES_NO, CodeList
from trial.dates import local_day, utc_now
from trial.findings import Problem
from trial.sites import zone_of
from trial.text import T

MOST = 2000
TEXTS = ("cause", "severity_reason", "capa", "irb_not_reported_reason")
ANSWERS = (
    *("category", "cause", "severity", "severity_reason", "impact_subject_safety", "impact_data", "capa"),
    *("irb_reported_on", "irb_not_reported_reason"),
)
"""What the site answers when it classifies."""


@dataclass(frozen=True)
class Step:
    """A step: from which states it leads where, whether it needs words of its own, and what it is called."""

    name: str
    en: str
    zh: str
    before: tuple[str, ...]
    after: str
    needs_text: bool = False

    @property
    def label(self) -> str:
        """Its name in the active language."""
        return T(self.en, self.zh)


_ALL = (
    Step("acknowledge", "Acknowledge", "确认知悉", ("OPEN",), "ACKNOWLEDGED"),
    Step("classify", "Classify", "分类", ("OPEN", "ACKNOWLEDGED", "CLASSIFIED"), "CLASSIFIED"),
    Step("close", "Close", "关闭", ("CLASSIFIED",), "CLOSED"),
    Step(
        "justify",
        "Justify: this is no deviation",
        "说明:并非偏离",
        ("OPEN", "ACKNOWLEDGED", "CLASSIFIED"),
        "JUSTIFIED",
        needs_text=True,
    ),
    Step("reopen", "Open again", "重新打开", ("CLOSED", "JUSTIFIED"), "OPEN", needs_text=True),
)
STEPS: dict[str, Step] = {step.name: step for step in _ALL}


def possible(deviation: Deviation, by: Actor) -> list[Step]:
    """The steps that this actor can take now. A finding that cannot be told yet can only be acknowledged."""
    if not by.may(Act.ASSESS) or deviation.status == "CLEARED":
        return []
    state = state_of(deviation)
    fitting = [step for step in _ALL if state in step.before]
    return [s for s in fitting if s.name == "acknowledge"] if deviation.status == "PENDING" else fitting


def take(
    key: UUID,
    name: str,
    answers: Mapping[str, Any],
    text: str,
    *,
    by: Actor,
    seen: int,
    token: str = "",
) -> Deviation:
    """Take one step. `seen` is the version that was looked at (`version_of`); `token` names a request that may come twice.

    Raises Forbidden, NotFound, Stale or Rejected; then nothing was written. A token that was used before answers with
    the deviation as it stands, or with Rejected ("other_body") when it was another step or said something else.
    """
    require(by, Act.ASSESS)
    step = STEPS[name]
    with audit.transaction(by, text.strip()[:500] or step.en):
        deviation = _locked(key)
        said = assessment_of(deviation)
        told = _digest(step, text.strip(), answers)
        if token and said is not None and _replayed(said, told, token):
            return deviation
        if version_of(deviation) != seen:
            raise Stale(_Now(version_of(deviation)), seen, {})
        problems = _problems(deviation, step, answers, text, by)
        if problems:
            raise Rejected(problems)
        _write(
            deviation, said, step, answers, text.strip(), by, {"token": token, "told": told} if token else {}
        )
    return _found(key, by)


@dataclass
class _Now:
    """The version that stands, for whoever saw another."""

    version: int


def _locked(key: UUID) -> Deviation:
    """The deviation as it stands, after its subject's row is taken."""
    subject_id = Deviation.objects.filter(pk=key).values_list("subject_id", flat=True).first()
    if subject_id is None:
        raise NotFound
    lock_subject(subject_id)
    return Deviation.objects.select_related("assessment").get(pk=key)


def _found(key: UUID, by: Actor) -> Deviation:
    with audit.reading(by):
        return Deviation.objects.select_related("assessment", "subject").get(pk=key)


def _digest(step: Step, text: str, answers: Mapping[str, Any]) -> str:
    """What a request says, so that the same key with anything else is noticed."""
    classified = {name: _told(answers, name) for name in ANSWERS} if step.name == "classify" else {}
    return sha256(json.dumps([step.name, text, classified], ensure_ascii=False).encode()).hexdigest()


def _replayed(said: DeviationAssessment, told: str, token: str) -> bool:
    before = next((one for one in said.talk if one.get("token") == token), None)
    if before is not None and before.get("told") != told:
        refused = T(
            "This key came before with another step or other words. Use a new key for a new step.",
            "该键曾用于其他操作或其他内容。新操作请使用新的键。",
        )
        raise Rejected([Problem("", "other_body", refused)])
    return before is not None


def _problems(
    deviation: Deviation, step: Step, answers: Mapping[str, Any], text: str, by: Actor
) -> list[Problem]:
    if step not in possible(deviation, by):
        return [_wrong_state(deviation, step)]
    found = _text_problems(step, text)
    if step.name == "classify":
        found += _answer_problems(deviation, answers)
    if step.name == "close":
        found += _open_ends(deviation)
    return found


def _wrong_state(deviation: Deviation, step: Step) -> Problem:
    if deviation.status == "CLEARED":
        said = T(
            "The rules no longer find this deviation: a correction cleared it. There is nothing left to do.",
            "更正数据后规则已不再发现该偏离,无需处理。",
        )
    elif deviation.status == "PENDING":
        said = T(
            "The rules cannot tell yet whether this is a deviation. Enter what is missing; until then it can only be "
            "acknowledged.",
            "规则尚不能判定是否为偏离。请补录缺失数据;在此之前只能确认知悉。",
        )
    else:
        words = {code: (f"“{en}”", f"“{zh}”") for code, en, zh in STATE.rows}
        now_en, now_zh = words[state_of(deviation)]
        en, zh = (joint.join(words[one][n] for one in step.before) for n, joint in enumerate((" or ", "或")))
        said = T(
            f"The state is {now_en}; “{step.en}” needs {en}.", f"当前状态为{now_zh};“{step.zh}”需要状态{zh}。"
        )
    return Problem("state", "wrong_state", said, state_of(deviation), ", ".join(step.before))


def _text_problems(step: Step, text: str) -> list[Problem]:
    if step.needs_text and not text.strip():
        return [_needed("text", T("Say why.", "请说明理由。"))]
    if len(text) > MOST:
        return [
            Problem(
                "text", "too_long", T(f"At most {MOST} characters.", f"最多 {MOST} 个字符。"), limit=str(MOST)
            )
        ]
    return []


def _needed(field: str, said: str) -> Problem:
    return Problem(field, "required", said)


_SAFETY = T(
    "Say whether it affects the subject's rights, safety or well-being: yes or no.",
    "请说明是否影响受试者权益、安全或健康:是或否。",
)
_RELIABILITY = T(
    "Say whether it affects the reliability of the data: yes or no.", "请说明是否影响数据可靠性:是或否。"
)


def _answer_problems(deviation: Deviation, answers: Mapping[str, Any]) -> list[Problem]:
    found = [
        *_code_problems("category", CATEGORY, answers, T("Choose the category.", "请选择类别。")),
        *_code_problems("severity", SEVERITY, answers, T("Choose the severity.", "请选择严重程度。")),
        *_code_problems("impact_subject_safety", YES_NO, answers, _SAFETY),
        *_code_problems("impact_data", YES_NO, answers, _RELIABILITY),
    ]
    if not _told(answers, "cause"):
        found.append(_needed("cause", T("Say what caused the deviation.", "请说明偏离原因。")))
    severity = answers.get("severity")
    if (
        severity != deviation.severity
        and severity in SEVERITY.codes
        and not _told(answers, "severity_reason")
    ):
        said = T(
            f"The rule says {deviation.severity}, you chose {severity}. Say why; both are kept.",
            f"规则判定为“{SEVERITY.label(deviation.severity)}”,您选择“{SEVERITY.label(str(severity))}”。请说明理由,两者均会保留。",
        )
        found.append(Problem("severity_reason", "required", said, str(severity), deviation.severity))
    return found + _day_problems(deviation, answers) + _lengths(answers)


def _code_problems(name: str, codes: CodeList, answers: Mapping[str, Any], said: str) -> list[Problem]:
    value = answers.get(name) or ""
    if value in codes.codes:
        return []
    code = "not_in_list" if value else "required"
    return [Problem(name, code, said, str(value)[:40], ", ".join(codes.codes))]


def _told(answers: Mapping[str, Any], name: str) -> str:
    return str(answers.get(name) or "").strip()


def _day_problems(deviation: Deviation, answers: Mapping[str, Any]) -> list[Problem]:
    typed = _told(answers, "irb_reported_on")
    if not typed:
        return []
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        said = T(
            f"“{typed[:20]}” is no date; write 2026-03-05.", f"“{typed[:20]}”不是日期;请写成 2026-03-05。"
        )
        return [Problem("irb_reported_on", "unreadable", said, typed[:20], "2026-03-05")]
    today = local_day(utc_now(), zone_of(deviation.site_id))
    if day > today:
        said = T(f"{day} is in the future; today is {today}.", f"{day} 晚于今天({today})。")
        return [Problem("irb_reported_on", "future", said, str(day), f"≤ {today}")]
    return []


def _lengths(answers: Mapping[str, Any]) -> list[Problem]:
    said = T(f"At most {MOST} characters.", f"最多 {MOST} 个字符。")
    return [Problem(n, "too_long", said, limit=str(MOST)) for n in TEXTS if len(_told(answers, n)) > MOST]


def _open_ends(deviation: Deviation) -> list[Problem]:
    """What the severity asks for before a deviation is closed (the log kept by hand asks for the same)."""
    said: Any = assessment_of(deviation)
    severity, found = severity_of(deviation), []
    if severity in ("MAJOR", "IMPORTANT") and not said.capa:
        told = T(
            "A major or important deviation needs corrective and preventive action. Classify it again with the action.",
            "重大或重要偏离须填写纠正与预防措施。请重新分类并填写。",
        )
        found.append(_needed("capa", told))
    if severity == "IMPORTANT" and said.irb_reported_on is None and not said.irb_not_reported_reason:
        told = T(
            "An important deviation is reported to the ethics committee: give the date, or why it was not reported.",
            "重要偏离须报告伦理委员会:请填写报告日期,或说明未报告的理由。",
        )
        found.append(_needed("irb_reported_on", told))
    return found


def _write(
    deviation: Deviation,
    said: DeviationAssessment | None,
    step: Step,
    answers: Mapping[str, Any],
    text: str,
    by: Actor,
    sent: Mapping[str, str],
) -> None:
    row = said or DeviationAssessment(
        deviation_id=deviation.pk, subject_id=deviation.subject_id, site_id=deviation.site_id
    )
    row.state, row.judged = step.after, deviation.evidence
    if step.name == "classify":
        _classify(row, answers)
    if step.name == "justify":
        row.justification = text
    row.closed_at = utc_now() if step.name == "close" else None
    row.talk = [*row.talk, {**_line(step, text, by), **sent}]
    row.save(force_insert=said is None, force_update=said is not None)


def _classify(row: DeviationAssessment, answers: Mapping[str, Any]) -> None:
    row.category, row.severity = answers["category"], answers["severity"]
    for name in TEXTS:
        setattr(row, name, _told(answers, name))
    row.impact_subject_safety = answers["impact_subject_safety"] == "YES"
    row.impact_data = answers["impact_data"] == "YES"
    day = _told(answers, "irb_reported_on")
    row.irb_reported_on = date.fromisoformat(day) if day else None


def _line(step: Step, text: str, by: Actor) -> dict[str, str]:
    return {
        "at": utc_now().isoformat(timespec="seconds"),
        "by": by.name,
        "role": by.role,
        "text": text,
        "state": step.after,
        "step": step.name,
    }
