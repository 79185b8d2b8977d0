"""DV-02 and DV-06: who was enrolled although a criterion failed, or although it could not be told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from safety.casebook import Casebook
from safety.eligibility.decision import Decision
from safety.eligibility.evaluate import JUDGES, MILESTONES
from safety.eligibility.stood import READS, Stood, stood, verdicts
from safety.milestones import enrolment
from safety.rules.criteria import admits, broken, undecided
from subjects.models import Eligibility
from trial.item import Basis
from trial.logic import Verdict
from trial.protocol import Protocol
from trial.registry import criterion
from trial.rules import Fact, Finding, Severity, rule


@rule(
    "DV-02",
    en="Ineligible subject enrolled",
    zh="不符合入排标准的受试者入组",
    cites="Registry, inclusion criteria I-01 to I-11 and exclusion criteria E-01 to E-18",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def enrolled_subject_is_eligible(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """On the day of enrolment no inclusion criterion is not met and no exclusion criterion is met, neither by the
    data as they stood that day nor by the investigator's checklist. One finding for each criterion that failed."""
    reached = enrolment(book)
    if reached is None:
        return
    told = stood(book, protocol, reached)
    checklist = _checklist(book, reached.day)
    for id_, verdict in verdicts(book, protocol).items():
        if admits(id_, verdict) is Verdict.NOT_MET:
            yield _computed(book, protocol, told, JUDGES[id_](told.valid, protocol))
        elif checklist is not None and _denied(checklist, id_):
            yield _answered(checklist, id_, reached.day)


def _computed(book: Casebook, protocol: Protocol, told: Stood, decision: Decision) -> Finding:
    """At the failing part, where a criterion has parts."""
    parts = [part for part in decision.parts if part.admits is Verdict.NOT_MET] or [decision]
    counted = replace(told, last=told.valid)
    findings = [broken(book, protocol, counted, part, f"criterion:{decision.criterion}") for part in parts]
    first, *more = findings
    facts = dict.fromkeys(fact for one in findings for fact in one.facts)
    return replace(
        first,
        en=" ".join(one.en for one in (first, *more)),
        zh="".join(one.zh for one in (first, *more)),
        facts=tuple(facts),
        limit="; ".join(one.limit for one in (first, *more)),
        limit_zh=";".join(one.limit_zh for one in (first, *more)),
    )


def _checklist(book: Casebook, on: date) -> Any | None:
    """The investigator's newest checklist of screening up to the day."""
    rows = [row for row in book.of(Eligibility) if row.milestone == MILESTONES[0]]
    known = [row for row in rows if row.assessed_date is not None and row.assessed_date <= on]
    return max(known, key=lambda row: (row.assessed_date, row.sequence), default=None)


def _denied(checklist: Any, id_: str) -> bool:
    return bool(getattr(checklist, _item(id_)) == ("NOT_MET" if id_.startswith("I") else "MET"))


def _item(id_: str) -> str:
    """The item of the checklist that answers a criterion."""
    return id_.replace("-", "_").lower()


def _answered(checklist: Any, id_: str, day: date) -> Finding:
    said, field = getattr(checklist, _item(id_)), _item(id_)
    return Finding(
        key=f"criterion:{id_}",
        en=f"Enrolled on {day}, although the investigator answered {said} to {id_} on {checklist.assessed_date}: "
        f"{criterion(id_).text}.",
        zh=f"于 {day} 入组,而研究者于 {checklist.assessed_date} 对 {id_} 的回答为 {said}。",
        form="eligibility",
        record=checklist.pk,
        field=field,
        facts=(
            Fact("eligibility", checklist.pk, field, said),
            Fact("eligibility", checklist.pk, "assessed_date", str(checklist.assessed_date)),
        ),
        limit="MET" if id_.startswith("I") else "NOT_MET",
    )


@rule(
    "DV-06",
    en="Unknown eligibility at enrolment",
    zh="入组时入排标准未能判定",
    cites="Clinical specification, DV-06; registry, all criteria",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def eligibility_is_known_at_enrolment(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """On the day of enrolment every criterion can be told from data that are complete and recent enough, but for
    those that the protocol lets be unknown until later. The interval after a transplant cannot be told before an
    infusion is planned: until then it is pending."""
    reached = enrolment(book)
    if reached is None:
        return
    told = stood(book, protocol, reached)
    for id_, verdict in verdicts(book, protocol).items():
        if verdict is not Verdict.UNKNOWN or id_ in protocol.unknown_allowed_before.value:
            continue
        one = JUDGES[id_](told.valid, protocol)
        part = next((part for part in one.parts if part.verdict is Verdict.UNKNOWN), one)
        waits = _only_the_infusion_is_lacking(part, told, protocol)
        if waits:
            part = replace(part, lacking=("infusion_date",))
        yield undecided(book, protocol, told, part, f"criterion:{id_}", pending=waits)


def _only_the_infusion_is_lacking(decision: Decision, told: Stood, protocol: Protocol) -> bool:
    """Whether a late enough infusion would settle the criterion."""
    if "infusion_date" not in decision.lacking:
        return False
    late = replace(told.valid, infusion_date=date.max)
    return JUDGES[decision.criterion].check(late, protocol) is not Verdict.UNKNOWN
