"""DV-07: the criteria are checked and signed again before each step of treatment."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from safety.casebook import Casebook
from safety.milestones import NAMES, READS, Reached, aphereses, infusion, lymphodepletion
from subjects.models import Eligibility
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule


@rule(
    "DV-07",
    en="Eligibility not checked again at a milestone",
    zh="关键节点前未重新核对入排标准",
    cites="Clinical specification, DV-07 (default interval)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="ELIGIBILITY",
    reads=READS,
)
def eligibility_checked_again(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Before each apheresis, the first dose of lymphodepletion and the infusion there is a checklist of that milestone,
    dated within the days before it or on the day, whose verdict the investigator signed as it stands. A checklist
    without a date is pending."""
    for reached in (*aphereses(book), lymphodepletion(book), infusion(book)):
        if reached is not None:
            yield from _checked(book, reached, protocol.recheck_days.value)


def _checked(book: Casebook, reached: Reached, days: int) -> Iterator[Finding]:
    sets = [row for row in book.of(Eligibility) if row.milestone == reached.milestone]
    low = reached.day - timedelta(days=days)
    recent = [row for row in sets if row.assessed_date and low <= row.assessed_date <= reached.day]
    if any(book.signed(row, "ELIGIBILITY", "investigator") for row in recent):
        return
    undated = [row for row in sets if not row.assessed_date]
    if recent:
        yield _unsigned(recent[-1], reached, days)
    elif undated:
        yield _undated(undated[-1], reached, days)
    else:
        yield _absent(sets, reached, days)


def _unsigned(row: Any, reached: Reached, days: int) -> Finding:
    en, zh = NAMES[reached.milestone]
    return _finding(
        row,
        reached,
        days,
        f"{reached.day}, {en}: the checklist of {row.assessed_date} is not signed by the investigator as it stands.",
        f"{reached.day} {zh}:{row.assessed_date} 的核对表当前版本未经研究者签名。",
    )


def _undated(row: Any, reached: Reached, days: int) -> Finding:
    en, zh = NAMES[reached.milestone]
    return _finding(
        row,
        reached,
        days,
        f"{reached.day}, {en}: the checklist of this milestone has no date, so it cannot be told whether it is recent.",
        f"{reached.day} {zh}:该节点的核对表无日期,无法判定是否在规定时间内。",
        pending=True,
    )


def _absent(sets: list[Any], reached: Reached, days: int) -> Finding:
    en, zh = NAMES[reached.milestone]
    dates = ", ".join(str(row.assessed_date) for row in sets)
    return _finding(
        None,
        reached,
        days,
        f"{reached.day}, {en}: no checklist of this milestone is dated within {days} days before; "
        f"recorded: {dates or 'none'}.",
        f"{reached.day} {zh}:此前 {days} 天内无该节点的核对表;已记录:{dates or '无'}。",
        tuple(Fact("eligibility", row.pk, "assessed_date", str(row.assessed_date)) for row in sets),
    )


def _finding(
    row: Any | None,
    reached: Reached,
    days: int,
    en: str,
    zh: str,
    facts: tuple[Fact, ...] = (),
    *,
    pending: bool = False,
) -> Finding:
    """At the checklist when there is one, else at the step that was taken without."""
    own = () if row is None else (Fact("eligibility", row.pk, "assessed_date", str(row.assessed_date or "")),)
    return Finding(
        key=f"{reached.form}:{reached.record}",
        en=en,
        zh=zh,
        form=reached.form if row is None else "eligibility",
        record=reached.record if row is None else row.pk,
        field=reached.field if row is None else "assessed_date",
        facts=(*own, *facts, reached.fact),
        limit=f"≤ {days} d; signed",
        limit_zh=f"≤ {days} 天;已签名",
        pending=pending,
    )
