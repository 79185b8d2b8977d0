"""DV-46, DV-47, DV-48, DV-50: the other subjects and the committee. How the cohorts may follow one another.

What the escalation design itself would recommend is not computed here; the committee's review records it.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from dosing.committee import DECISION
from dosing.levels import LEVELS
from dosing.models import DoseAllocation, Infusion
from safety.adverse_events import DltAssessment
from safety.casebook import Casebook
from safety.rules.evidence import clock, facts
from safety.trialbook import MAY_EXPAND, ORDER, Review, Treated, TrialBook
from trial.access import ROLES
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule

UNKNOWN = ""
CITES = "Clinical specification, 7.5: staggering, cohorts, committee (cf. NCT07488546)"


def _own(book: Casebook) -> tuple[Any, str, datetime, date] | None:
    """The first infusion with the allocated level, its start and its day; None while there is no infusion."""
    if book.day0 is None:
        return None
    infusion = book.infusions[0]
    level = next((a.level for a in book.of(DoseAllocation) if a.level in ORDER), UNKNOWN)
    return infusion, level, infusion.inf_start_dt, book.day0


def binding_reviews(trial: TrialBook, until: date, protocol: Protocol) -> list[Review]:
    """The reviews up to a day that bear every signature, the latest first."""
    return [r for r in trial.reviews_until(until) if not r.lacks(protocol.src_signing_roles.value)]


def expansion(trial: TrialBook, level: str, day: date, protocol: Protocol) -> bool:
    """Whether on that day a level that the study expands had been cleared: the committee escalated from it."""
    return level in MAY_EXPAND and any(
        r.level == level and r.decision == "ESCALATE" for r in binding_reviews(trial, day, protocol)
    )


def _finding(
    infusion: Any,
    key: str,
    en: str,
    zh: str,
    limit: str,
    others: tuple[Fact, ...] = (),
    *,
    pending: bool = False,
    limit_zh: str = "",
) -> Finding:
    seen = (*facts("infusion", infusion, "inf_start_dt"), *others)
    return Finding(
        key, en, zh, "infusion", infusion.pk, "inf_start_dt", seen, limit, pending, limit_zh=limit_zh
    )


def _other(one: Treated) -> Fact:
    """Another subject's infusion as evidence: number and day, no record of theirs."""
    return Fact("infusion", None, "inf_start_dt", f"{one.subjid} {one.level or '?'} {one.day}")


def _named(roles: Iterable[str]) -> tuple[str, str]:
    """Roles by their names in English and Chinese."""
    known = [ROLES[role] for role in roles]
    return ", ".join(role.en.lower() for role in known), "、".join(role.zh for role in known)


def _review(one: Review) -> Fact:
    return Fact("src_review", one.id, "decision", f"{one.level} {one.decision} {one.meeting}")


def _no_level(infusion: Any, day: date) -> Finding:
    return _finding(
        infusion,
        "level",
        f"Infused on {day}, but no dose level is allocated; how the infusion stands to others cannot be told.",
        f"已于 {day} 回输,但未分配剂量水平;无法判定与其他受试者的关系。",
        "",
        pending=True,
    )


@rule(
    "DV-46",
    en="Infused too soon after the subject before",
    zh="与前一例受试者回输间隔不足",
    cites=CITES,
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(Infusion, DoseAllocation),
    across=True,
)
def infusions_staggered(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The second subject of a dose level is infused no sooner than the longer interval after the first, every
    following one no sooner than the shorter interval after the one before. A cleared level that is being expanded
    needs no interval. A subject without a level whose infusion lies within the interval leaves it open."""
    own = _own(book)
    if own is None:
        return
    infusion, level, started, day = own
    if not level:
        yield _no_level(infusion, day)
        return
    if not protocol.stagger_in_expansion.value and expansion(book.trial, level, day, protocol):
        return
    count = book.trial.before(level, started, book.subjid)
    if count:
        before = book.trial.at_level[level][count - 1]
        wanted = protocol.stagger_first_days.value if count == 1 else protocol.stagger_next_days.value
        gap = (day - before.day).days
        if gap < wanted:
            yield _finding(
                infusion,
                "stagger",
                f"Infused on {day} at {level}, {gap} days after {before.subjid} ({before.day}), "
                f"number {count} of the level; at least {wanted} days.",
                f"于 {day} 以 {level} 回输,距该水平第 {count} 例 {before.subjid}({before.day}){gap} 天;至少 {wanted} 天。",
                f"≥ {wanted} d",
                (_other(before),),
            )
            return
    yield from _unknown_before(book, infusion, day, protocol)


def _unknown_before(book: Casebook, infusion: Any, day: date, protocol: Protocol) -> Iterator[Finding]:
    earliest = day - timedelta(days=protocol.stagger_first_days.value - 1)
    rows = [o for o in book.trial.between(UNKNOWN, earliest, day) if o.subjid != book.subjid]
    if rows:
        one = rows[-1]
        yield _finding(
            infusion,
            "stagger",
            f"Infused on {day}; {one.subjid} was infused on {one.day} at a level that is not recorded, so the interval "
            "cannot be told.",
            f"于 {day} 回输;{one.subjid} 于 {one.day} 回输但剂量水平未记录,无法判定间隔。",
            f"≥ {protocol.stagger_first_days.value} d",
            (_other(one),),
            pending=True,
        )


@rule(
    "DV-47",
    en="Cohort overfilled, or cohorts in parallel",
    zh="队列超员或队列并行",
    cites=CITES,
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(Infusion, DoseAllocation, DltAssessment),
    across=True,
)
def cohorts_one_after_another(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """No more evaluable subjects are treated at one level than the protocol allows, and nobody is infused at a level
    while the one below, at which somebody was treated, is open: the committee has not decided on it, or a subject of
    it is neither past the window of dose-limiting toxicity nor had one. Expansion of a cleared level counts for
    neither. Nor is anybody infused while a stopping rule holds enrolment."""
    own = _own(book)
    if own is None:
        return
    infusion, level, started, day = own
    yield from _on_hold(book, infusion, started)
    if not level:
        yield _no_level(infusion, day)
        return
    if not expansion(book.trial, level, day, protocol):
        yield from _overfilled(book, infusion, level, started, protocol)
    yield from _parallel(book, infusion, level, day, protocol)


def _on_hold(book: Casebook, infusion: Any, started: datetime) -> Iterator[Finding]:
    held = next(
        (
            since
            for since, until in book.trial.holds
            if since <= started and (until is None or started < until)
        ),
        None,
    )
    if held is None:
        return
    since, given = clock(held, book.zone), clock(started, book.zone)
    yield _finding(
        infusion,
        "hold",
        f"Infused {given} while enrolment was on hold since {since}.",
        f"于 {given} 回输,而自 {since} 起暂停入组。",
        "no hold",
        limit_zh="无暂停",
    )


def _overfilled(
    book: Casebook, infusion: Any, level: str, started: datetime, protocol: Protocol
) -> Iterator[Finding]:
    most = protocol.level_max_subjects.value
    assessed = next((d.evaluable for d in book.of(DltAssessment)), "")
    count = book.trial.before(level, started, book.subjid)
    sure, maybe = book.trial.evaluable_before(level, count)
    if assessed == "NO" or maybe < most:
        return
    certain = sure >= most and assessed == "YES"
    unsure = ("", "") if certain else (" Not all of them are assessed yet.", "其中部分尚未完成评价。")
    yield _finding(
        infusion,
        "overfilled",
        f"Infused at {level} after {sure} evaluable subjects and {maybe - sure} not assessed yet; at most {most} "
        f"evaluable ones are treated at a level.{unsure[0]}",
        f"在 {level} 回输,此前已有 {sure} 例可评价及 {maybe - sure} 例待评价;每一水平最多 {most} 例可评价。{unsure[1]}",
        f"≤ {most}",
        tuple(_other(one) for one in book.trial.at_level[level][max(0, count - most) : count]),
        pending=not certain,
    )


def _parallel(book: Casebook, infusion: Any, level: str, day: date, protocol: Protocol) -> Iterator[Finding]:
    below = _below(level)
    if below is None or book.trial.last_day(below, day) is None:
        return
    decided = next((r for r in binding_reviews(book.trial, day, protocol) if r.level == below), None)
    window = protocol.dlt_window_days.value
    cleared = expansion(book.trial, below, day, protocol)
    watched = [] if cleared else _watched(book.trial, below, day, window)
    if decided is not None and not watched:
        return
    why = (
        (f"{watched[0].subjid} ({watched[0].day}) is not past day {window} and had no dose-limiting toxicity",
         f"{watched[0].subjid}({watched[0].day})未满 {window} 天且无剂量限制性毒性")
        if watched
        else ("the committee has not decided on it", "委员会尚未作出决定")
    )  # fmt: skip
    yield _finding(
        infusion,
        "parallel",
        f"Infused on {day} at {level} while {below} is open: {why[0]}.",
        f"于 {day} 在 {level} 回输,而 {below} 尚未结束:{why[1]}。",
        f"{below}: > {window} d, decided",
        tuple(_other(one) for one in watched),
        limit_zh=f"{below}:> {window} d,已有决定",
    )


def _watched(trial: TrialBook, level: str, day: date, window: int) -> list[Treated]:
    """Who of the level is still inside the window on that day and had no dose-limiting toxicity."""
    recent = trial.between(level, day - timedelta(days=window), day)
    return [one for one in recent if one.any_dlt != "YES"]


def _below(level: str) -> str | None:
    place = ORDER[level]
    return LEVELS[place - 1].code if place > 0 else None


@rule(
    "DV-48",
    en="Dose escalated without the committee's approval",
    zh="未经委员会批准即递增剂量",
    cites=CITES,
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(Infusion, DoseAllocation),
    across=True,
)
def escalation_was_approved(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Before the first infusion at a level above the starting level the committee decided, on or before that day, to
    escalate from the level below, and every signature is given; while signatures are missing the rule cannot tell."""
    own = _own(book)
    if own is None:
        return
    infusion, level, started, day = own
    if not level:
        yield _no_level(infusion, day)
        return
    if ORDER[level] <= ORDER[protocol.starting_level.value]:
        return
    if book.trial.before(level, started, book.subjid):
        return
    below = _below(level)
    said = [r for r in book.trial.reviews_until(day) if r.level == below and r.decision == "ESCALATE"]
    lacking = [r.lacks(protocol.src_signing_roles.value) for r in said]
    if any(not roles for roles in lacking):
        return
    unsigned = (
        (f"its review of {said[0].meeting} lacks the signature of {_named(lacking[0])[0]}",
         f"{said[0].meeting} 的评审缺少{_named(lacking[0])[1]}的签名")
        if said
        else (f"no review of {below} decided to escalate by then", f"此前无 {below} 的递增决定")
    )  # fmt: skip
    yield _finding(
        infusion,
        "approval",
        f"First infusion at {level}, on {day}: {unsigned[0]}.",
        f"{level} 首例回输({day}):{unsigned[1]}。",
        f"{below}: {DECISION.words('ESCALATE')[0]} ≤ {day}",
        tuple(_review(r) for r in said[:1]),
        pending=bool(said),
        limit_zh=f"{below}:{DECISION.words('ESCALATE')[1]} ≤ {day}",
    )


@rule(
    "DV-50",
    en="Allocation bolder than the committee or the design",
    zh="剂量分配比委员会或设计方案更激进",
    cites=CITES + "; the design's word is the recommendation recorded in the review",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(DoseAllocation, Infusion),
    across=True,
)
def allocation_within_decision(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The allocated level is not above what the newest binding review on or before the day of allocation permits, by
    its decision and by the design's recommendation it records; without a review, not above the starting level."""
    for row in book.of(DoseAllocation):
        if row.level in ORDER:
            yield from _bolder(book, row, protocol)


def _bolder(book: Casebook, row: Any, protocol: Protocol) -> Iterator[Finding]:
    day = book.day(row.allocated_dt) or book.day0
    start, place = ORDER[protocol.starting_level.value], ORDER[row.level]
    if day is None:
        if place > start:
            yield _allocated(row, "its day is not entered", "未填写分配日期", "", (), pending=True)
        return
    reviews = book.trial.reviews_until(day)
    last = next(iter(binding_reviews(book.trial, day, protocol)), None)
    permitted = start + 1 if last is None else _permitted(last, protocol)
    if place < permitted:
        return
    unsigned = next(
        (r for r in reviews if r.lacks(protocol.src_signing_roles.value) and place < _permitted(r, protocol)),
        None,
    )
    most = LEVELS[permitted - 1].code if permitted > 0 else "–"
    if unsigned is not None:
        roles = _named(unsigned.lacks(protocol.src_signing_roles.value))
        yield _allocated(
            row,
            f"the review of {unsigned.meeting} would permit it, but lacks the signature of {roles[0]}",
            f"{unsigned.meeting} 的评审允许该水平,但缺少{roles[1]}的签名",
            f"≤ {most}",
            (_review(unsigned),),
            pending=True,
        )
        return
    why = (
        ("no review permits more than the starting level", "无评审允许高于起始水平")
        if last is None
        else (
            f"the review of {last.meeting} on {last.level} decided “{DECISION.words(last.decision)[0]}”, the design "
            f"recommended “{DECISION.words(last.recommendation or 'nothing recorded')[0]}”",
            f"{last.meeting} 对 {last.level} 的评审决定“{DECISION.words(last.decision)[1]}”,"
            f"设计方案建议“{DECISION.words(last.recommendation or '未记录')[1]}”",
        )
    )
    yield _allocated(row, why[0], why[1], f"≤ {most}", (_review(last),) if last else ())


def _permitted(review: Review, protocol: Protocol) -> int:
    """How many levels a review permits, from the lowest up. A missing recommendation restricts nothing."""
    if review.level not in ORDER:
        return 0
    steps, words = protocol.src_steps.value, (review.decision, review.recommendation or review.decision)
    return min(ORDER[review.level] + 1 + steps[word] if word in steps else 0 for word in words)


def _allocated(
    row: Any, en: str, zh: str, limit: str, others: tuple[Fact, ...], *, pending: bool = False
) -> Finding:
    return Finding(
        key=f"dose_allocation:{row.pk}",
        en=f"{row.level} was allocated; {en}.",
        zh=f"已分配 {row.level};{zh}。",
        form="dose_allocation",
        record=row.pk,
        field="level",
        facts=(*facts("dose_allocation", row, "level", "allocated_dt"), *others),
        limit=limit,
        pending=pending,
    )
