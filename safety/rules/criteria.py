"""Findings about the criteria at a milestone: broken when the last facts say so, pending when none that counts tells.

A value beyond the limit breaks the rule however old it is; one within it counts only while it is recent enough.
"""

from collections.abc import Iterator
from typing import Any

from safety.casebook import Casebook
from safety.eligibility.decision import Decision
from safety.eligibility.evaluate import JUDGES
from safety.eligibility.facts import Screening
from safety.eligibility.stood import Stood, stood
from safety.milestones import NAMES, Reached, enrolment
from safety.rules.evidence import told as answer
from safety.rules.grounds import PLACES, fact, field_of, grounds, row_verdicts
from subjects.crf import CRF
from trial.logic import Verdict
from trial.protocol import Protocol
from trial.rules import Fact, Finding

KEYS = {"SCREENING": "enrolment", "PRE_LD": "lymphodepletion", "PRE_INFUSION": "infusion"}


def judged(
    book: Casebook, protocol: Protocol, reached: Reached, id_: str, *, ask: str = "", key: str = ""
) -> Iterator[Finding]:
    """What one criterion says at one milestone. `ask` names the fact to complete when nothing is plainly lacking."""
    told = stood(book, protocol, reached)
    key = key or KEYS[reached.milestone]
    judge = JUDGES[id_]
    if admits(id_, judge.check(told.last, protocol)) is Verdict.NOT_MET:
        yield broken(book, protocol, told, judge(told.last, protocol), key)
    elif judge.check(told.valid, protocol) is Verdict.UNKNOWN:
        yield undecided(book, protocol, told, judge(told.valid, protocol), key, ask=ask)


def admits(id_: str, verdict: Verdict) -> Verdict:
    """MET when a verdict on this criterion lets the subject in."""
    return verdict if id_.startswith("I") else ~verdict


def broken(book: Casebook, protocol: Protocol, told: Stood, decision: Decision, key: str) -> Finding:
    """The finding of a criterion that does not admit the subject, at the answers that decide it."""
    sets = grounds(decision.criterion, told.last, protocol)
    facts = [fact(book, decision.criterion, name, told.last, protocol) for names in sets for name in names]
    return _finding(told, decision, key, facts, pending=False)


def undecided(
    book: Casebook,
    protocol: Protocol,
    told: Stood,
    decision: Decision,
    key: str,
    *,
    ask: str = "",
    pending: bool = True,
) -> Finding:
    """The finding of a criterion that cannot be told, at what is lacking; where nothing is, at the fact to `ask`, or
    at a result that is indeterminate."""
    uses = decision_uses(decision)
    open_ = (name for name in uses if getattr(told.valid, name) == "INDETERMINATE")
    lead = next(iter(decision.lacking), ask or next(open_, uses[0]))
    names = dict.fromkeys((lead, *decision.lacking))
    facts = [fact(book, decision.criterion, name, told.last, protocol) for name in names]
    return _finding(told, decision, key, facts, pending=pending)


def decision_uses(decision: Decision) -> tuple[str, ...]:
    """The facts that the criterion of a decision looks at."""
    return JUDGES[decision.criterion].uses


def _finding(told: Stood, decision: Decision, key: str, facts: list[Fact], *, pending: bool) -> Finding:
    en, zh = NAMES[told.reached.milestone]
    day, first, id_ = told.reached.day, facts[0], decision.criterion
    return Finding(
        key=key,
        en=f"{id_} at the {en} ({day}): {decision.en}",
        zh=f"{zh}({day})时 {id_}:{decision.zh}",
        form=first.form,
        record=first.record,
        field=first.field,
        facts=(*facts, told.reached.fact),
        limit=decision.limit[0],
        limit_zh=decision.limit[1],
        pending=pending,
    )


def history(
    book: Casebook,
    protocol: Protocol,
    id_: str,
    form: type[CRF],
    *,
    facts: Screening | None = None,
) -> Iterator[Finding]:
    """What one criterion that reads a log says at enrolment: a finding for each row that breaks it by itself.

    A row that might is pending; so is a log that is not known to be complete, where no row says anything by itself.
    """
    reached = enrolment(book)
    if reached is None:
        return
    told = stood(book, protocol, reached)
    facts = facts or told.valid
    if admits(id_, JUDGES[id_].check(facts, protocol)) is Verdict.MET:
        return
    decision = JUDGES[id_](facts, protocol)
    rows = row_verdicts(book, id_, form, facts, protocol)
    guilty = [
        (row, one, verdict is Verdict.UNKNOWN)
        for row, one, verdict in rows
        if admits(id_, verdict) is not Verdict.MET
    ]
    for row, one, pending in guilty:
        yield _of_row(book, protocol, told, JUDGES[id_](one, protocol), one, form, row, pending=pending)
    if not guilty:
        pending = decision.admits is Verdict.UNKNOWN
        yield undecided(book, protocol, told, decision, f"{form.form}:log", pending=pending)


def _of_row(
    book: Casebook,
    protocol: Protocol,
    told: Stood,
    decision: Decision,
    facts: Screening,
    form: type[CRF],
    row: Any,
    *,
    pending: bool,
) -> Finding:
    id_ = decision.criterion
    names = [name for names in grounds(id_, facts, protocol) for name in names] or list(
        decision_uses(decision)
    )
    own = [name for name in names if PLACES[name][0] is form]
    field = _open_field(own, facts) if pending else field_of(own[-1], row)
    looked = dict.fromkeys((field, *(field_of(name, row) for name in own)))
    shown = [Fact(form.form, row.pk, one, answer(getattr(row, one))) for one in looked]
    others = [fact(book, id_, name, facts, protocol) for name in names if PLACES[name][0] is not form]
    return _finding(told, decision, f"{form.form}:{row.pk}", [*shown, *others], pending=pending)


def _open_field(own: list[str], facts: Screening) -> str:
    """The field that leaves a row open: that of the last fact it tells something of, else of the first it does not."""
    told = [name for name in own if getattr(facts, name) not in (None, "NO", False, ())]
    return PLACES[told[-1] if told else own[0]][1][0]
