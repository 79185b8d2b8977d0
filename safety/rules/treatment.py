"""Lymphodepletion and the cell dose: DV-25, DV-30, DV-34, DV-43."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from dosing.models import DoseAllocation, Infusion, Lymphodepletion
from safety.casebook import Casebook
from safety.rules.evidence import all_facts
from safety.rules.infusion import part_may_follow
from trial.item import Basis, items, words
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule

HUNDRED = Decimal(100)


def drug_name(dose: Any) -> tuple[str, str]:
    """The drug of a dose of lymphodepletion in English and Chinese, in words where it is not entered."""
    return words(Lymphodepletion, "drug", dose.drug) if dose.drug else ("A drug", "清淋药物")


def _given_before(book: Casebook, infusion: Any) -> list[Any]:
    """The doses of lymphodepletion that were given up to the start of the infusion."""
    return [
        r
        for r in book.of(Lymphodepletion)
        if r.admin_dt and r.admin_dt <= infusion.inf_start_dt and r.actual_mg != 0
    ]


@rule(
    "DV-25",
    en="A lymphodepletion drug is missing",
    zh="清淋药物缺失",
    cites="Registry, arm description: a combination of fludarabine and cyclophosphamide will be used",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(Lymphodepletion, Infusion),
)
def both_lymphodepletion_drugs(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Before the infusion both drugs of the protocol were given, and never another drug as lymphodepletion. While a dose
    does not say which drug it was, or when it was given, a drug that is not there cannot be called missing."""
    if book.infusions:
        yield from _missing_drugs(book, book.infusions[0], protocol)
    wanted = protocol.ld_drugs.value
    named = words(Lymphodepletion, "drug", *wanted)
    for row in book.of(Lymphodepletion):
        if row.drug and row.drug not in wanted and row.actual_mg != 0 and (row.actual_mg or row.admin_dt):
            other = words(Lymphodepletion, "drug", row.drug)
            yield Finding(
                key=f"other:{row.pk}",
                en=f"{other[0]} was given as lymphodepletion; the protocol names {named[0].lower()}.",
                zh=f"清淋使用了{other[1]};方案规定为{named[1]}。",
                form="lymphodepletion",
                record=row.pk,
                field="drug",
                facts=(Fact("lymphodepletion", row.pk, "drug", row.drug),),
                limit=" + ".join(wanted),
            )


def _missing_drugs(book: Casebook, infusion: Any, protocol: Protocol) -> Iterator[Finding]:
    wanted, given = protocol.ld_drugs.value, _given_before(book, infusion)
    drugs = {r.drug for r in given}
    open_ = [r for r in book.of(Lymphodepletion) if r.actual_mg and (not r.drug or not r.admin_dt)]
    given_names = words(Lymphodepletion, "drug", *sorted(drugs - {""}))
    for drug in sorted(set(wanted) - drugs):
        perhaps = [r for r in open_ if r.drug in ("", drug)]
        missing = words(Lymphodepletion, "drug", drug)
        unsure = (
            (
                " A dose without its drug or its time may have been it.",
                "有一次给药未填写药物或时间,可能即为该药。",
            )
            if perhaps
            else ("", "")
        )
        yield Finding(
            key=f"missing:{drug}",
            en=f"Infused on {book.day0} without {missing[0].lower()} before; given: {given_names[0].lower() or 'nothing'}.{unsure[0]}",
            zh=f"{book.day0} 回输前未给予{missing[1]};已给予:{given_names[1] or '无'}。{unsure[1]}",
            form="infusion",
            record=infusion.pk,
            field="inf_start_dt",
            facts=tuple(
                dict.fromkeys(Fact("lymphodepletion", r.pk, "drug", r.drug) for r in (*given, *perhaps))
            ),
            limit=" + ".join(wanted),
            pending=bool(perhaps),
        )


@rule(
    "DV-30",
    en="Lymphodepletion dose outside tolerance",
    zh="清淋剂量超出允许范围",
    cites="Clinical specification, DV-30 (default tolerance)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="TREATMENT",
    reads=(Lymphodepletion,),
)
def lymphodepletion_dose_within_tolerance(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Each daily dose is within the tolerance of the planned dose. Of a dose that was begun without a planned or an actual
    dose it cannot be told."""
    percent = protocol.ld_dose_tolerance_pct.value
    for row in book.of(Lymphodepletion):
        if row.planned_mg is None or row.actual_mg is None:
            if row.admin_dt is not None:
                yield _dose_open(row, percent)
            continue
        if abs(row.actual_mg - row.planned_mg) * HUNDRED <= percent * row.planned_mg:
            continue
        drug = drug_name(row)
        off = (row.actual_mg - row.planned_mg) / row.planned_mg * HUNDRED if row.planned_mg else HUNDRED
        yield Finding(
            key=f"lymphodepletion:{row.pk}",
            en=f"{drug[0]}: {row.actual_mg} mg given, {row.planned_mg} mg planned ({off:+.1f} %; tolerance ±{percent} %).",
            zh=f"{drug[1]}:实际 {row.actual_mg} mg,计划 {row.planned_mg} mg({off:+.1f}%;允许 ±{percent}%)。",
            form="lymphodepletion",
            record=row.pk,
            field="actual_mg",
            facts=(
                Fact("lymphodepletion", row.pk, "planned_mg", str(row.planned_mg)),
                Fact("lymphodepletion", row.pk, "actual_mg", str(row.actual_mg)),
            ),
            limit=f"±{percent} %",
        )


def _dose_open(row: Any, percent: Decimal) -> Finding:
    field = "planned_mg" if row.planned_mg is None else "actual_mg"
    name = items(Lymphodepletion)[field]
    drug = drug_name(row)
    return Finding(
        key=f"lymphodepletion:{row.pk}",
        en=f"{drug[0]}: whether the dose was as planned cannot be told; missing: {name.en}.",
        zh=f"{drug[1]}:无法判定剂量是否符合计划;缺少:{name.zh}。",
        form="lymphodepletion",
        record=row.pk,
        field=field,
        facts=(
            Fact("lymphodepletion", row.pk, "planned_mg", str(row.planned_mg or "")),
            Fact("lymphodepletion", row.pk, "actual_mg", str(row.actual_mg or "")),
        ),
        limit=f"±{percent} %",
        pending=True,
    )


@rule(
    "DV-34",
    en="Too long from lymphodepletion to infusion",
    zh="清淋至回输间隔过长",
    cites="Clinical specification, DV-34 (default maximum); registry: several days prior",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(Lymphodepletion, Infusion),
)
def lymphodepletion_to_infusion_interval(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The infusion follows the last lymphodepletion dose within the greatest permitted number of days."""
    if not book.infusions:
        return
    infusion, most = book.infusions[0], protocol.ld_valid_days.value
    given = _given_before(book, infusion)
    if not given:
        return
    last = max(given, key=lambda r: r.admin_dt)
    day, day0 = book.day(last.admin_dt), book.day0
    assert day is not None and day0 is not None
    gap = (day0 - day).days
    if gap > most:
        yield Finding(
            key=f"infusion:{infusion.pk}",
            en=f"{gap} days from the last lymphodepletion dose ({day}) to the infusion ({day0}); at most {most}.",
            zh=f"末次清淋({day})至回输({day0})间隔 {gap} 天;最多 {most} 天。",
            form="infusion",
            record=infusion.pk,
            field="inf_start_dt",
            facts=(
                Fact("lymphodepletion", last.pk, "admin_dt", last.admin_dt.isoformat()),
                Fact("infusion", infusion.pk, "inf_start_dt", infusion.inf_start_dt.isoformat()),
            ),
            limit=f"≤ {most} d",
        )


@rule(
    "DV-43",
    en="Cell dose outside tolerance of the planned dose",
    zh="回输细胞剂量超出计划允许范围",
    cites="Clinical specification, DV-43 and 6.6 (default ±20 %)",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="TREATMENT",
    reads=(Infusion, DoseAllocation),
    clocked=True,
)
def cell_dose_within_tolerance(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The dose given, all parts together, lies within the tolerance of the dose of the allocated level. Without an
    allocation, with the dose of a part not entered, or while a further part of a split infusion may follow, the rule
    cannot tell, unless what is known exceeds the tolerance already."""
    allocated = next((a for a in book.of(DoseAllocation) if a.planned_per_kg), None)
    parts = book.infusions
    if not parts:
        return
    if allocated is None:
        yield _no_plan(parts)
        return
    given = sum((i.actual_per_kg for i in parts if i.actual_per_kg is not None), Decimal(0))
    whole = all(i.actual_per_kg is not None for i in parts)
    planned, percent = allocated.planned_per_kg, protocol.dose_tolerance_pct.value
    if whole and abs(given - planned) * HUNDRED <= percent * planned:
        return
    too_much = (given - planned) * HUNDRED > percent * planned
    open_ = not too_much and (not whole or part_may_follow(book, protocol))
    yield _off_plan(parts, allocated, given, percent, whole, open_)


def _off_plan(
    parts: Sequence[Any], allocated: Any, given: Decimal, percent: Decimal, whole: bool, open_: bool
) -> Finding:
    planned = allocated.planned_per_kg
    off = (given - planned) / planned * HUNDRED
    more = (
        ("", "")
        if not open_
        else (" A further part may follow.", "可能还有后续部分。")
        if whole
        else (" The dose of a part is not entered.", "有部分的剂量未填写。")
    )
    return Finding(
        key=f"dose:{allocated.pk}",
        en=f"{given:f} cells/kg given, {planned:f} planned at {allocated.level} ({off:+.1f} %; tolerance ±{percent} %)."
        f"{more[0]}",
        zh=f"实际回输 {given:f} 细胞/kg,{allocated.level} 计划 {planned:f}({off:+.1f}%;允许 ±{percent}%)。{more[1]}",
        form="infusion",
        record=parts[-1].pk,
        field="actual_per_kg",
        facts=(
            *all_facts("infusion", parts, "actual_per_kg"),
            Fact("dose_allocation", allocated.pk, "planned_per_kg", f"{planned:f}"),
        ),
        limit=f"±{percent} %",
        pending=open_,
    )


def _no_plan(parts: Sequence[Any]) -> Finding:
    return Finding(
        key=f"unplanned:{parts[0].pk}",
        en="A dose was given, but no dose level is allocated; whether it is within tolerance cannot be told.",
        zh="已回输,但未录入剂量分配;无法判定剂量是否在允许范围内。",
        form="infusion",
        record=parts[0].pk,
        field="actual_per_kg",
        facts=all_facts("infusion", parts, "actual_per_kg"),
        pending=True,
    )
