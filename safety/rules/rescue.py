"""DV-57 and DV-58: tocilizumab and steroids for toxicity that is graded, and tocilizumab within its limits."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple

from dosing.models import Infusion
from safety.casebook import Casebook
from safety.rules.evidence import all_facts, clock, facts
from trial.dates import as_read, moments_of
from trial.item import Basis, words
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from visits.models import ConMeds, CrsAssessment, IcansAssessment

FORM = "con_meds"
TOCILIZUMAB, STEROID = "TOCILIZUMAB", "CORTICOSTEROID"


def _finding(
    key: str,
    row: Any,
    field: str,
    en: str,
    zh: str,
    seen: tuple[Fact, ...],
    limit: str,
    limit_zh: str = "",
    *,
    pending: bool = False,
) -> Finding:
    return Finding(key, en, zh, FORM, row.pk, field, seen, limit, pending, limit_zh=limit_zh)


@rule(
    "DV-57",
    en="Tocilizumab or steroid given without a grade",
    zh="未记录分级即给予托珠单抗或糖皮质激素",
    cites="Clinical specification, DV-57 (default: 12 h)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="TREATMENT",
    reads=(ConMeds, CrsAssessment, IcansAssessment, Infusion),
)
def rescue_given_for_a_grade(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Whenever tocilizumab, or a corticosteroid for the toxicity of the cells, is begun after the infusion, the
    investigator graded CRS or ICANS as present within the hours before. A start or an indication that is not known
    well enough, or an assessment without a grade, leaves it open."""
    if not book.infusions:
        return
    started = book.infusions[0].inf_start_dt
    for row in book.of(ConMeds):
        times = moments_of(row.start_dt, book.zone)
        if row.drug_class not in protocol.rescue_classes.value or not _after(times, started):
            continue
        if row.drug_class == STEROID and row.indication not in ("", *protocol.rescue_indications.value):
            continue
        yield from _ungraded(book, row, times, protocol)


def _after(times: tuple[datetime, datetime] | None, started: datetime) -> bool:
    """Whether it may have begun once the infusion had."""
    return times is None or times[1] >= started


def _ungraded(
    book: Casebook, row: Any, times: tuple[datetime, datetime] | None, protocol: Protocol
) -> Iterator[Finding]:
    least, hours = protocol.rescue_min_grade.value, protocol.rescue_grade_hours.value
    before = timedelta(hours=hours)
    graded, open_ = _assessed(book, least)
    seen = facts(FORM, row, "drug_class", "start_dt", "indication")
    drug = (row.drug, row.drug) if row.drug else words(ConMeds, "drug_class", row.drug_class)
    limit = f"grade ≥ {least}, ≤ {hours} h", f"≥ {least} 级,≤ {hours} h"
    if times is not None:
        first, last = times
        exact = first == last
        found = [m for m in graded if first - before <= m <= last]
        unknown = [m for m in open_ if first - before <= m <= last]
        if found and exact:
            return
        certain = not found and not unknown and first >= book.infusions[0].inf_start_dt
        if row.drug_class == STEROID and not row.indication:
            certain = False
        if certain:
            when = clock(first, book.zone) if exact else row.start_dt
            yield _finding(
                f"con_meds:{row.pk}",
                row,
                "start_dt",
                f"{drug[0]} begun on {when}; no CRS or ICANS of grade {least} or more was graded in "
                f"the {hours} h before.",
                f"{drug[1]} 于 {when} 开始;此前 {hours} 小时内无 {least} 级及以上的 CRS 或 ICANS 评估。",
                seen,
                *limit,
            )
            return
    yield _finding(
        f"con_meds:{row.pk}",
        row,
        "start_dt",
        f"Whether CRS or ICANS was graded in the {hours} h before {drug[0]} cannot be told: its "
        "time or indication, or the grade of an assessment, is not known well enough.",
        f"无法判定 {drug[1]} 给药前 {hours} 小时内是否已评估 CRS 或 ICANS:给药时间、适应证或评估分级不够确切。",
        seen,
        *limit,
        pending=True,
    )


def _assessed(book: Casebook, least: int) -> tuple[list[datetime], list[datetime]]:
    """The times at which CRS or ICANS was graded at least so, and those of assessments without a grade."""
    rows: Sequence[Any] = (*book.of(CrsAssessment), *book.of(IcansAssessment))
    dated = [r for r in rows if r.assess_dt is not None]
    graded = [
        r.assess_dt for r in dated if r.investigator_grade is not None and r.investigator_grade >= least
    ]
    return graded, [r.assess_dt for r in dated if r.investigator_grade is None]


@rule(
    "DV-58",
    en="Tocilizumab too soon again, or too often",
    zh="托珠单抗给药间隔过短或次数过多",
    cites="Clinical specification, DV-58; product label of tocilizumab, to be verified",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="TREATMENT",
    reads=(ConMeds,),
)
def tocilizumab_within_its_limits(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Doses of tocilizumab lie at least the interval apart, and there are no more than the protocol allows. Times
    known only in part leave it open where some of them would break the rule."""
    rows = [r for r in book.of(ConMeds) if r.drug_class == TOCILIZUMAB]
    doses = [Dose(*times, r) for r in rows if (times := moments_of(r.start_dt, book.zone))]
    doses.sort(key=lambda dose: (dose.first, dose.last, dose.row.sequence))
    yield from _intervals(doses, protocol)
    yield from _too_many([dose.row for dose in doses] + [r for r in rows if not r.start_dt], protocol)


class Dose(NamedTuple):
    """A dose, and the first and the last moment at which it can have been given."""

    first: datetime
    last: datetime
    row: Any


def _most_apart(one: Dose, two: Dose) -> timedelta:
    """The longest time that can lie between two doses. Which of them came first may not be known either."""
    return max(two.last - one.first, one.last - two.first)


def _neighbours(doses: Sequence[Dose], least: timedelta) -> list[tuple[Dose, Dose]]:
    """The pairs of doses that may lie too near, those that surely do first. Of doses whose times are known the next
    one counts; one whose time is not may lie anywhere in its span."""
    pairs = [(one, two) for one, two in combinations(doses, 2) if two.first - one.last < least]
    return sorted(pairs, key=lambda pair: _most_apart(*pair))


def _intervals(doses: Sequence[Dose], protocol: Protocol) -> Iterator[Finding]:
    hours = protocol.tocilizumab_interval_hours.value
    least = timedelta(hours=hours)
    for first, second in _neighbours(doses, least):
        one, two = first.row, second.row
        times = as_read(one.start_dt), as_read(two.start_dt)
        pending = _most_apart(first, second) >= least
        unsure = (
            ("; the times are not known well enough to tell", ";时间不够确切,无法判定")
            if pending
            else ("", "")
        )
        yield _finding(
            f"interval:{two.pk}",
            two,
            "start_dt",
            f"Tocilizumab on {times[0]} and again on {times[1]}; at least {hours} h apart{unsure[0]}.",
            f"托珠单抗于 {times[0]} 及 {times[1]} 给药;间隔至少 {hours} 小时{unsure[1]}。",
            all_facts(FORM, (one, two), "start_dt"),
            f"≥ {hours} h",
            pending=pending,
        )


def _too_many(rows: Sequence[Any], protocol: Protocol) -> Iterator[Finding]:
    most = protocol.tocilizumab_max_doses.value
    for place, row in enumerate(rows, start=1):
        number = max(place, row.dose_number or place)
        if number > most:
            yield _finding(
                f"count:{row.pk}",
                row,
                "dose_number",
                f"Dose {number} of tocilizumab; at most {most} are given.",
                f"第 {number} 次给予托珠单抗;最多 {most} 次。",
                facts(FORM, row, "dose_number", "start_dt"),
                f"≤ {most}",
            )
