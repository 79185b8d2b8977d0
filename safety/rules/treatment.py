"""Lymphodepletion and the cell dose: DV-25, DV-30, DV-34, DV-43."""

from collections.abc import Iterator
from decimal import Decimal

from dosing.models import DoseAllocation, Infusion, Lymphodepletion
from safety.casebook import Casebook
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule

HUNDRED = Decimal(100)


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
    """Before the infusion both drugs of the protocol were given, and no other drug as lymphodepletion."""
    if not book.infusions:
        return
    infusion, wanted = book.infusions[0], protocol.ld_drugs.value
    given = [
        r
        for r in book.of(Lymphodepletion)
        if r.admin_dt and r.admin_dt <= infusion.inf_start_dt and r.actual_mg != 0
    ]
    drugs = {r.drug for r in given}
    for drug in sorted(set(wanted) - drugs):
        yield Finding(
            key=f"missing:{drug}",
            en=f"Infused on {book.day0} without {drug.lower()} before; given: {', '.join(sorted(drugs)).lower() or 'nothing'}.",
            zh=f"{book.day0} 回输前未给予 {drug};已给予:{'、'.join(sorted(drugs)) or '无'}。",
            form="infusion",
            record=infusion.pk,
            field="inf_start_dt",
            facts=tuple(Fact("lymphodepletion", r.pk, "drug", r.drug) for r in given),
            limit=" + ".join(wanted),
        )
    for row in given:
        if row.drug and row.drug not in wanted:
            yield Finding(
                key=f"other:{row.pk}",
                en=f"{row.drug} was given as lymphodepletion; the protocol names {' and '.join(wanted).lower()}.",
                zh=f"清淋使用了 {row.drug};方案规定为 {'、'.join(wanted)}。",
                form="lymphodepletion",
                record=row.pk,
                field="drug",
                facts=(Fact("lymphodepletion", row.pk, "drug", row.drug),),
                limit=" + ".join(wanted),
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
    """Each daily dose is within the tolerance of the planned dose."""
    percent = protocol.ld_dose_tolerance_pct.value
    for row in book.of(Lymphodepletion):
        if not row.planned_mg or row.actual_mg is None:
            continue
        if abs(row.actual_mg - row.planned_mg) * HUNDRED <= percent * row.planned_mg:
            continue
        off = (row.actual_mg - row.planned_mg) / row.planned_mg * HUNDRED
        yield Finding(
            key=f"lymphodepletion:{row.pk}",
            en=f"{row.drug.lower()} {row.actual_mg} mg given, {row.planned_mg} mg planned ({off:+.1f} %; tolerance ±{percent} %).",
            zh=f"{row.drug} 实际 {row.actual_mg} mg,计划 {row.planned_mg} mg({off:+.1f}%;允许 ±{percent}%)。",
            form="lymphodepletion",
            record=row.pk,
            field="actual_mg",
            facts=(
                Fact("lymphodepletion", row.pk, "planned_mg", str(row.planned_mg)),
                Fact("lymphodepletion", row.pk, "actual_mg", str(row.actual_mg)),
            ),
            limit=f"±{percent} %",
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
    given = [
        r
        for r in book.of(Lymphodepletion)
        if r.admin_dt and r.admin_dt <= infusion.inf_start_dt and r.actual_mg != 0
    ]
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
)
def cell_dose_within_tolerance(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The dose given, all parts together, lies within the tolerance of the dose of the allocated level."""
    allocated = [a for a in book.of(DoseAllocation) if a.planned_per_kg]
    parts = [i for i in book.infusions if i.actual_per_kg is not None]
    if not parts or len(parts) < len(book.infusions):
        return
    if not allocated:
        yield _no_plan(parts)
        return
    planned, given = allocated[0].planned_per_kg, sum((i.actual_per_kg for i in parts), Decimal(0))
    percent = protocol.dose_tolerance_pct.value
    if abs(given - planned) * HUNDRED > percent * planned:
        off = (given - planned) / planned * HUNDRED
        yield Finding(
            key=f"dose:{allocated[0].pk}",
            en=f"{given:f} cells/kg given, {planned:f} planned at {allocated[0].level} ({off:+.1f} %; tolerance ±{percent} %).",
            zh=f"实际回输 {given:f} 细胞/kg,{allocated[0].level} 计划 {planned:f}({off:+.1f}%;允许 ±{percent}%)。",
            form="infusion",
            record=parts[-1].pk,
            field="actual_per_kg",
            facts=(
                *(Fact("infusion", i.pk, "actual_per_kg", f"{i.actual_per_kg:f}") for i in parts),
                Fact("dose_allocation", allocated[0].pk, "planned_per_kg", f"{planned:f}"),
            ),
            limit=f"±{percent} %",
        )


def _no_plan(parts: list[Infusion]) -> Finding:
    return Finding(
        key=f"unplanned:{parts[0].pk}",
        en="A dose was given, but no dose level is allocated; whether it is within tolerance cannot be told.",
        zh="已回输,但未录入剂量分配;无法判定剂量是否在允许范围内。",
        form="infusion",
        record=parts[0].pk,
        field="actual_per_kg",
        facts=tuple(Fact("infusion", i.pk, "actual_per_kg", f"{i.actual_per_kg:f}") for i in parts),
        pending=True,
    )
