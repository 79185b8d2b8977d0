"""DV-12 to DV-15: the organs at enrolment, and again before lymphodepletion and infusion."""

from collections.abc import Iterator
from dataclasses import replace

from safety.casebook import Casebook
from safety.eligibility.evaluate import JUDGES
from safety.eligibility.stood import READS, rechecked, stood
from safety.milestones import Reached, enrolment, lymphodepletion
from safety.rules.criteria import KEYS, judged, undecided
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Finding, Severity, rule


@rule(
    "DV-12",
    en="LVEF below 50 %, or not by echocardiogram",
    zh="LVEF 低于 50% 或未采用超声心动图",
    cites="Registry I-04(1): left ventricular ejection fraction ≥ 50% by echocardiogram",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def ejection_fraction_suffices(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last left ventricular ejection fraction before enrolment, and before the first dose of lymphodepletion, is
    at least 50 % by echocardiogram. A last measurement by another method breaks the rule; one too old is pending."""
    for reached in (enrolment(book), lymphodepletion(book)):
        if reached is not None:
            yield from _ejection_fraction(book, protocol, reached)


def _ejection_fraction(book: Casebook, protocol: Protocol, reached: Reached) -> Iterator[Finding]:
    told = stood(book, protocol, reached)
    method = told.last.lvef_method
    if not method or method == protocol.lvef_method.value:
        yield from judged(book, protocol, reached, "I-04a")
        return
    decision = JUDGES["I-04a"](told.last, protocol)
    yield undecided(book, protocol, told, decision, KEYS[reached.milestone], ask="lvef_method", pending=False)


@rule(
    "DV-13",
    en="Creatinine above 1.6 mg/dL",
    zh="肌酐高于 1.6 mg/dL",
    cites="Registry I-04(2): creatinine ≤ 1.6mg/dl",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def creatinine_within_limit(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last creatinine before enrolment, before the first dose of lymphodepletion and before the infusion is at
    most 1.6 mg/dL (141.44 µmol/L), compared without rounding. That it is checked again after enrolment is a default."""
    for reached in rechecked(book, protocol):
        yield from judged(book, protocol, reached, "I-04b")


@rule(
    "DV-14",
    en="ALT or AST above 3 times the upper limit, or bilirubin above 2.0 mg/dL",
    zh="ALT 或 AST 超过正常上限 3 倍,或胆红素高于 2.0 mg/dL",
    cites="Registry I-04(3): ALT and AST≤3 times the ULN for age, total bilirubin ≤ 2.0mg/dl",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def liver_values_within_limits(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last ALT and AST before enrolment, lymphodepletion and infusion are at most three times the upper limit of
    normal kept with each result, and total bilirubin at most 2.0 mg/dL (34.2 µmol/L), compared without rounding. That
    they are checked again after enrolment is a default."""
    for reached in rechecked(book, protocol):
        yield from judged(book, protocol, reached, "I-04c")


@rule(
    "DV-15",
    en="SpO2 at most 91 % on room air, or dyspnoea above grade 1",
    zh="未吸氧时 SpO2 不高于 91%,或呼吸困难大于 1 级",
    cites="Registry I-04(4): ≤ Grade 1 dyspnea and pulse oxygenation > 91% on room air",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def lungs_suffice(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last saturation before enrolment, lymphodepletion and infusion is strictly above 91 % on room air, and
    dyspnoea at most grade 1. A saturation measured on oxygen proves neither and is pending. That they are checked
    again after enrolment is a default."""
    for reached in rechecked(book, protocol):
        yield from judged(book, protocol, reached, "I-04d", ask="room_air")


@rule(
    "DV-21",
    en="Pregnant, lactating, or no test before lymphodepletion",
    zh="清淋前妊娠、哺乳或未检测",
    cites="Registry E-14: Pregnant or lactating women; 7 days: clinical specification, DV-21",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def not_pregnant_at_lymphodepletion(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """When lymphodepletion starts a woman is neither pregnant nor lactating; of a woman of childbearing potential a
    test within the days before is negative, and none breaks the rule. Sex or childbearing potential not known is
    pending."""
    reached = lymphodepletion(book)
    if reached is None:
        return
    told = stood(book, protocol, reached)
    fertile = told.valid.sex == "F" and told.valid.wocbp == "YES"
    for finding in judged(book, protocol, reached, "E-14"):
        yield replace(finding, pending=False) if fertile else finding
