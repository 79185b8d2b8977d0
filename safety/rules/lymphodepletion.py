"""DV-31, DV-32, DV-33: lymphodepletion on its days, adjusted to the kidney, and not begun in fever or infection."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dosing.arithmetic import body_surface
from dosing.models import Infusion, Lymphodepletion
from safety.casebook import Casebook
from safety.derive.body import cockcroft_gault, renal_factor
from safety.eligibility.measurements import GROUPS, read
from safety.rules.evidence import all_facts, clock, facts
from safety.rules.treatment import drug_name
from subjects.models import Demographics, SurvivalEstimate
from trial.dates import completed_years, span_of
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from trial.units import convert
from visits.models import Chemistry, Visit, VitalSigns

FORM = "lymphodepletion"
HUNDRED = Decimal(100)
_E06 = next(group for group in GROUPS if "uncontrolled_infection" in group.facts)


def _given(book: Casebook) -> list[Any]:
    """The doses that were given, first first."""
    rows = [r for r in book.of(Lymphodepletion) if r.admin_dt and r.actual_mg != 0]
    return sorted(rows, key=lambda r: r.admin_dt)


def _courses(book: Casebook, protocol: Protocol) -> list[list[Any]]:
    """The doses by course: a pause longer than the infusion may take to follow begins a new one."""
    longest, courses = protocol.ld_to_infusion_days.value[1], list[list[Any]]()
    for row in _given(book):
        if courses and (_day(book, row) - _day(book, courses[-1][-1])).days <= longest:
            courses[-1].append(row)
        else:
            courses.append([row])
    return courses


def _day(book: Casebook, row: Any) -> date:
    day = book.day(row.admin_dt)
    assert day is not None
    return day


@rule(
    "DV-31",
    en="Lymphodepletion on other days than planned",
    zh="清淋给药日或间隔偏离",
    cites="Clinical specification, DV-31 (default days); registry: several days prior to infusion",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="TREATMENT",
    reads=(Lymphodepletion, Infusion),
)
def lymphodepletion_on_its_days(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Each dose is given on one of the protocol's days before the planned infusion, the days of a course follow one
    another without a gap, and the infusion follows the last dose within the permitted days. The planned infusion is
    the one that the first dose of the course implies by its planned day."""
    courses = _courses(book, protocol)
    for course in courses:
        yield from _wrong_days(book, course, protocol)
        yield from _gaps(book, course, protocol)
    yield from _to_infusion(book, courses, protocol)
    for row in book.of(Lymphodepletion):
        if row.admin_dt is None and row.actual_mg:
            yield _finding(
                f"undated:{row.pk}",
                row,
                "admin_dt",
                f"{row.actual_mg} mg {drug_name(row)[0].lower()} were given, but the time is not entered.",
                f"已给予{drug_name(row)[1]} {row.actual_mg} mg,但未填写给药时间。",
                facts(FORM, row, "actual_mg", "admin_dt"),
                pending=True,
            )


def _finding(
    key: str,
    row: Any,
    field: str,
    en: str,
    zh: str,
    seen: tuple[Fact, ...],
    limit: str = "",
    *,
    form: str = FORM,
    pending: bool = False,
    limit_zh: str = "",
) -> Finding:
    return Finding(key, en, zh, form, row.pk, field, seen, limit, pending, limit_zh=limit_zh)


def _wrong_days(book: Casebook, course: Sequence[Any], protocol: Protocol) -> Iterator[Finding]:
    days = protocol.ld_days.value
    first = next((r for r in course if r.planned_day is not None), None)
    planned = None if first is None else _day(book, first) - timedelta(days=first.planned_day)
    limit = ", ".join(str(day) for day in days)
    if planned is None:
        row = course[0]
        yield _finding(
            f"day:{row.pk}",
            row,
            "planned_day",
            f"Given on {_day(book, row)}; the planned day is not entered, so the day before infusion cannot be told.",
            f"给药日期 {_day(book, row)};未填写计划给药日,无法判定相对回输的天数。",
            facts(FORM, row, "admin_dt", "planned_day"),
            limit,
            pending=True,
        )
        return
    for row in course:
        day = (_day(book, row) - planned).days
        if day not in days:
            yield _finding(
                f"day:{row.pk}",
                row,
                "admin_dt",
                f"{drug_name(row)[0].capitalize()} was given on Day {day} before the planned infusion ({planned}); "
                f"the protocol's days are {limit}.",
                f"{drug_name(row)[1]}于计划回输({planned})的第 {day} 天给药;方案规定为 {limit}。",
                facts(FORM, row, "admin_dt", "planned_day"),
                limit,
            )


def _gaps(book: Casebook, course: Sequence[Any], protocol: Protocol) -> Iterator[Finding]:
    most = protocol.ld_gap_max_days.value
    for one, two in itertools.pairwise(course):
        gap = (_day(book, two) - _day(book, one)).days
        if gap > most:
            yield _finding(
                f"gap:{two.pk}",
                two,
                "admin_dt",
                f"{gap} days lie between the doses of {_day(book, one)} and {_day(book, two)}; at most {most}.",
                f"{_day(book, one)} 与 {_day(book, two)} 两次给药间隔 {gap} 天;最多 {most} 天。",
                all_facts(FORM, (one, two), "admin_dt"),
                f"≤ {most} d",
            )


def _to_infusion(book: Casebook, courses: Sequence[Any], protocol: Protocol) -> Iterator[Finding]:
    if book.day0 is None:
        return
    infusion, (least, most) = book.infusions[0], protocol.ld_to_infusion_days.value
    before = [r for course in courses for r in course if r.admin_dt <= infusion.inf_start_dt]
    if not before:
        return
    last = before[-1]
    gap = (book.day0 - _day(book, last)).days
    if not least <= gap <= most:
        yield _finding(
            f"interval:{infusion.pk}",
            infusion,
            "inf_start_dt",
            f"{gap} {'day' if gap == 1 else 'days'} from the last lymphodepletion dose ({_day(book, last)}) to Day 0 ({book.day0}); "
            f"{least} to {most} are planned.",
            f"末次清淋({_day(book, last)})至第 0 天({book.day0})间隔 {gap} 天;方案为 {least} 至 {most} 天。",
            (*facts(FORM, last, "admin_dt"), *facts("infusion", infusion, "inf_start_dt")),
            f"{least}–{most} d",
            form="infusion",
        )


@rule(
    "DV-32",
    en="Fludarabine not adjusted to renal function",
    zh="氟达拉滨未按肾功能调整",
    cites="Clinical specification, DV-32 and 6.4; US label of fludarabine, renal impairment",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(Lymphodepletion, Demographics, Chemistry),
)
def fludarabine_adjusted_to_kidney(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """A daily dose of fludarabine does not exceed, beyond the tolerance, the dose per m2 times body surface times the
    factor of the creatinine clearance (Cockcroft-Gault, newest creatinine of the days before); below all bands
    none is given. An age known only in part breaks the rule when every age it could be does."""
    for row in _given(book):
        if row.drug == "FLUDARABINE" and row.actual_mg is not None:
            yield from _renal(book, row, protocol)


def _renal(book: Casebook, row: Any, protocol: Protocol) -> Iterator[Finding]:
    creatinine, person = creatinine_before(book, row, protocol), next(iter(book.of(Demographics)), None)
    born = span_of(person.birth_date, book.zone) if person is not None else None
    surface = body_surface(row.height_cm, row.weight_kg)
    per_m2 = row.planned_mg_m2 if row.planned_mg_m2 is not None else protocol.ld_mg_m2.value["FLUDARABINE"]
    lacking = [
        words
        for missing, words in (
            (creatinine is None, ("creatinine of the days before", "近日肌酐")),
            (person is None or born is None or not person.sex, ("birth date or sex", "出生日期或性别")),
            (surface is None, ("height or weight", "身高或体重")),
        )
        if missing
    ]
    seen = facts(FORM, row, "actual_mg", "planned_mg_m2", "weight_kg", "height_cm")
    if lacking:
        yield _finding(
            f"dose:{row.pk}",
            row,
            "actual_mg",
            f"Whether {row.actual_mg} mg suit the renal function cannot be told; missing: "
            + ", ".join(en for en, _ in lacking)
            + ".",
            f"无法判定 {row.actual_mg} mg 是否符合肾功能;缺少:{'、'.join(zh for _, zh in lacking)}。",
            seen,
            pending=True,
        )
        return
    assert creatinine is not None and born is not None and person is not None and surface is not None
    seen = (*seen, *facts("chemistry", creatinine, "creatinine_value"), *facts("demographics", person, "birth_date", "sex"))  # fmt: skip
    value = creatinine_mg_dl(creatinine)
    day, verdicts = _day(book, row), list[tuple[bool, Decimal, Decimal | None]]()
    for birth in (born.first, born.last):
        crcl = cockcroft_gault(completed_years(birth, day), row.weight_kg, value, person.sex)
        if crcl is None:
            return
        factor = renal_factor(crcl, protocol)
        verdicts.append((_too_much(row.actual_mg, factor, per_m2 * surface, protocol), crcl, factor))
    if any(broken for broken, _, _ in verdicts):
        yield _renal_finding(row, verdicts, seen, protocol)


def _too_much(given: Decimal, factor: Decimal | None, full: Decimal, protocol: Protocol) -> bool:
    if factor is None:
        return True  # a dose of 0 is none that was given
    return factor < 1 and given * HUNDRED > full * factor * (HUNDRED + protocol.fludarabine_excess_pct.value)


def _renal_finding(
    row: Any,
    verdicts: Sequence[tuple[bool, Decimal, Decimal | None]],
    seen: tuple[Fact, ...],
    protocol: Protocol,
) -> Finding:
    certain = all(broken for broken, _, _ in verdicts)
    crcl, factor = next((c, f) for broken, c, f in verdicts if broken)
    excess = protocol.fludarabine_excess_pct.value
    may_en, may_zh = (
        ("it must not be given", "不应给药")
        if factor is None
        else (f"factor {factor}, at most {excess} % above", f"系数 {factor},最多超出 {excess}%")
    )
    unsure = (
        ("", "") if certain else (" The age is not known well enough to tell.", "年龄不够确切,无法判定。")
    )
    return _finding(
        f"dose:{row.pk}",
        row,
        "actual_mg",
        f"{row.actual_mg} mg fludarabine at a creatinine clearance of {crcl:.1f} mL/min: {may_en}.{unsure[0]}",
        f"肌酐清除率 {crcl:.1f} mL/min 时给予氟达拉滨 {row.actual_mg} mg:{may_zh}。{unsure[1]}",
        seen,
        may_en,
        pending=not certain,
        limit_zh=may_zh,
    )


def creatinine_before(book: Casebook, row: Any, protocol: Protocol) -> Any | None:
    """The newest chemistry with a creatinine, not younger than the dose and not older than permitted."""
    earliest = _day(book, row) - timedelta(days=protocol.crcl_creatinine_max_age_days.value)
    measured: Sequence[Any] = book.of(Chemistry)
    rows = [
        one
        for one in measured
        if one.creatinine_value
        and one.lb_dt is not None
        and one.lb_dt <= row.admin_dt
        and _of(book, one) >= earliest
    ]
    return max(rows, key=lambda one: one.lb_dt, default=None)


def _of(book: Casebook, row: Any) -> date:
    day = book.day(row.lb_dt)
    assert day is not None
    return day


def creatinine_mg_dl(row: Any) -> Decimal:
    """The creatinine in mg/dL, exactly; without a unit it is in the canonical one."""
    unit = row.creatinine_unit or "umol/L"
    return convert("creatinine", Decimal(row.creatinine_value), unit) / convert(
        "creatinine", Decimal(1), "mg/dL"
    )


@rule(
    "DV-33",
    en="Lymphodepletion begun in fever or uncontrolled infection",
    zh="在发热或未控制感染时开始清淋",
    cites="Clinical specification, DV-33; registry E-06: uncontrolled infection",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="TREATMENT",
    reads=(Lymphodepletion, VitalSigns, SurvivalEstimate, Visit),
)
def lymphodepletion_begun_without_infection(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """In the hours before the first dose of lymphodepletion no temperature reached the limit, and the investigator's
    newest judgement up to that day denies an uncontrolled infection. Without a temperature or a judgement the rule
    cannot tell."""
    given = _given(book)
    if given:
        yield from _fever(book, given[0], protocol)
        yield from _infection(book, given[0])


def _fever(book: Casebook, first: Any, protocol: Protocol) -> Iterator[Finding]:
    limit, hours = protocol.ld_fever_c.value, protocol.ld_fever_hours.value
    earliest = first.admin_dt - timedelta(hours=hours)
    measured = [
        v
        for v in book.of(VitalSigns)
        if v.temp_c is not None and v.vs_dt is not None and earliest <= v.vs_dt <= first.admin_dt
    ]
    when = clock(first.admin_dt, book.zone)
    if not measured:
        yield _finding(
            "fever",
            first,
            "admin_dt",
            f"Lymphodepletion began on {when}; no temperature of the {hours} h before is recorded.",
            f"清淋开始于 {when};此前 {hours} 小时内无体温记录。",
            facts(FORM, first, "admin_dt"),
            f"< {limit} °C",
            pending=True,
        )
        return
    worst = max(measured, key=lambda v: v.temp_c)
    if worst.temp_c >= limit:
        yield _finding(
            "fever",
            first,
            "admin_dt",
            f"Lymphodepletion began on {when}; {worst.temp_c} °C were measured on {clock(worst.vs_dt, book.zone)}, "
            f"within {hours} h before.",
            f"清淋开始于 {when};此前 {hours} 小时内({clock(worst.vs_dt, book.zone)})体温 {worst.temp_c} °C。",
            (*facts(FORM, first, "admin_dt"), *facts("vital_signs", worst, "temp_c", "vs_dt")),
            f"< {limit} °C",
        )


def _infection(book: Casebook, first: Any) -> Iterator[Finding]:
    day = _day(book, first)
    reading = read(book, _E06, day, None)
    answer = reading.facts.get("uncontrolled_infection")
    if answer == "NO":
        return
    missing = answer is None
    seen = facts(FORM, first, "admin_dt")
    if not missing:
        source = reading.sources["uncontrolled_infection"]
        seen = (*seen, Fact("survival_estimate", source.record, "uncontrolled_infection", str(answer)))
    told = (
        ("no judgement on uncontrolled infection (E-06) is recorded", "无未控制感染(E-06)的判断记录")
        if missing
        else ("an uncontrolled infection is recorded (E-06)", "记录存在未控制的感染(E-06)")
    )
    yield _finding(
        "infection",
        first,
        "admin_dt",
        f"Lymphodepletion began on {day}; {told[0]}.",
        f"清淋开始于 {day};{told[1]}。",
        seen,
        "E-06",
        pending=missing,
    )
