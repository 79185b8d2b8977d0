"""Doses: body surface, creatinine clearance and what is due of each lymphodepletion drug; the cells that were given."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dosing.arithmetic import body_surface, dose_mg
from dosing.models import DoseAllocation, Infusion, Lymphodepletion, Manufacturing
from safety.casebook import Casebook
from safety.derive.body import BSA_CITATION, CRCL_CITATION, bsa_exact, cockcroft_gault, renal_factor
from safety.derive.dose import cells_given, dosing_weight
from safety.derived.vocabulary import Derived, Input, Says, derivation, inputs
from safety.rules.batch import batch_weight, endotoxin_per_kg, weighed
from safety.rules.lymphodepletion import creatinine_before, creatinine_mg_dl
from subjects.models import Demographics
from trial.dates import completed_years, span_of
from trial.item import Basis
from trial.protocol import Protocol
from visits.models import Chemistry, VitalSigns

HUNDRED = Decimal(100)
ROUNDING_MG = Decimal("0.1")
PRODUCT = ("cells_per_ml", "viability_pct", "cd3_pct", "car_pos_pct")


@derivation(
    "bsa",
    en="Body surface area",
    zh="体表面积",
    group="DOSE",
    method="MOSTELLER1987",
    basis=BSA_CITATION[0],
    cites=BSA_CITATION[1],
    reads=(Lymphodepletion,),
    says=(
        Says("bsa_m2", "Body surface, as dosed", "体表面积(用于给药)", "m2"),
        Says("exact", "Body surface, unrounded", "体表面积(未取整)", "m2"),
    ),
)
def body_surface_of_each_dose(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """The square root of height times weight over 3600, kept unrounded and dosed at two decimals, half up."""
    rows: Sequence[Any] = book.of(Lymphodepletion)
    for row in rows:
        surface = body_surface(row.height_cm, row.weight_kg)
        if surface is not None:
            value = {"bsa_m2": surface, "exact": bsa_exact(row.height_cm, row.weight_kg)}
            yield _about(book, row, value, inputs(Lymphodepletion, row, "height_cm", "weight_kg"))


def _about(
    book: Casebook, row: Any, value: dict[str, Any], seen: tuple[Input, ...], differs: bool = False
) -> Derived:
    return Derived(str(row.pk), value, seen, book.day(row.admin_dt), Lymphodepletion.form, row.pk, differs)


@derivation(
    "crcl",
    en="Creatinine clearance",
    zh="肌酐清除率",
    group="DOSE",
    method="COCKCROFTGAULT1976",
    basis=CRCL_CITATION[0],
    cites=CRCL_CITATION[1],
    reads=(Lymphodepletion, Demographics, Chemistry),
    says=(
        Says("crcl_ml_min", "Creatinine clearance", "肌酐清除率", "mL/min"),
        Says("age", "Age on the day", "当日年龄", "year"),
        Says("creatinine_mg_dl", "Creatinine", "肌酐", "mg/dL"),
        Says("factor", "Fludarabine factor", "氟达拉滨系数"),
        Says("not_to_be_given", "Below all bands: not to be given", "低于所有区间:不应给药"),
    ),
)
def clearance_at_each_fludarabine(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """By Cockcroft and Gault with the newest creatinine of the days before and the age on the day, total body weight.
    Where the birth date is known in part, it is told only if every age it could be gives the same factor, and then for
    the oldest."""
    for row in book.of(Lymphodepletion):
        if row.drug == "FLUDARABINE" and row.admin_dt:
            value, seen = _clearance(book, row, protocol)
            if value is not None:
                yield _about(book, row, value, seen)


def _clearance(
    book: Casebook, row: Any, protocol: Protocol
) -> tuple[dict[str, Any] | None, tuple[Input, ...]]:
    """The clearance on the day of a dose; None while an input is missing or leaves the factor open."""
    person, lab = next(iter(book.of(Demographics)), None), creatinine_before(book, row, protocol)
    born, day = span_of(person.birth_date, book.zone) if person else None, book.day(row.admin_dt)
    if person is None or lab is None or born is None or day is None:
        return None, ()
    creatinine = creatinine_mg_dl(lab)
    ages = [completed_years(birth, day) for birth in (born.first, born.last)]
    told = [cockcroft_gault(age, row.weight_kg, creatinine, person.sex) for age in ages]
    factors = {renal_factor(one, protocol) for one in told}
    if None in told or len(factors) != 1:
        return None, ()
    factor = factors.pop()
    value = {
        "crcl_ml_min": told[0],
        "age": ages[0],
        "creatinine_mg_dl": creatinine,
        "factor": factor,
        "not_to_be_given": factor is None,
    }
    seen = (
        *inputs(Lymphodepletion, row, "admin_dt", "weight_kg"),
        *inputs(Demographics, person, "birth_date", "sex"),
        *inputs(Chemistry, lab, "lb_dt", "creatinine_value", "creatinine_unit"),
    )
    return value, seen


@derivation(
    "ld_dose",
    en="Lymphodepletion dose due",
    zh="清淋药物应给剂量",
    group="DOSE",
    method="LD1.0",
    basis=Basis.DEFAULT,
    cites="Clinical specification 6.4; factors of the US label of fludarabine",
    reads=(Lymphodepletion, Demographics, Chemistry),
    says=(
        Says("planned_mg", "Dose due", "应给剂量", "mg"),
        Says("per_m2", "Dose per m2", "每平方米剂量", "mg/m2"),
        Says("factor", "Renal factor", "肾功能系数"),
        Says("entered", "Planned dose entered", "录入的计划剂量", "mg"),
        Says("agrees", "Both agree", "两者一致"),
    ),
)
def dose_due_of_each_drug(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Dose per m2 times renal factor times body surface at two decimals, half up to 0.1 mg; only fludarabine has a
    factor. The dose per m2 is the one entered, else that of the protocol."""
    for row in book.of(Lymphodepletion):
        value, seen = _due(book, row, protocol)
        if value is not None:
            yield _about(book, row, value, seen, value["agrees"] is False)


def _due(book: Casebook, row: Any, protocol: Protocol) -> tuple[dict[str, Any] | None, tuple[Input, ...]]:
    usual = protocol.ld_mg_m2.value.get(row.drug)
    per_m2 = row.planned_mg_m2 if row.planned_mg_m2 is not None else usual
    surface = body_surface(row.height_cm, row.weight_kg)
    if per_m2 is None or surface is None or usual is None:
        return None, ()
    factor, seen = Decimal(1), inputs(
        Lymphodepletion, row, "drug", "height_cm", "weight_kg", "planned_mg_m2", "planned_mg"
    )  # fmt: skip
    if row.drug == "FLUDARABINE":
        clearance, more = _clearance(book, row, protocol) if row.admin_dt else (None, ())
        if clearance is None:
            return None, ()
        factor, seen = clearance["factor"] or Decimal(0), (*seen, *more)
    due = dose_mg(per_m2 * factor, surface)
    entered = row.planned_mg if row.status == "COMPLETE" else None
    agrees = None if entered is None or due is None else abs(entered - due) <= ROUNDING_MG
    return {"planned_mg": due, "per_m2": per_m2, "factor": factor, "entered": entered, "agrees": agrees}, seen


DOSE_SAYS = (
    Says("per_kg", "CAR+ T cells per kg", "每公斤CAR阳性T细胞数", "cells/kg"),
    Says("cells", "CAR+ T cells", "CAR阳性T细胞数", "cells"),
)


@derivation(
    "dose_given",
    en="Cells given with each infusion",
    zh="每次回输的细胞剂量",
    group="DOSE",
    method="DOSE1.0",
    basis=Basis.DEFAULT,
    cites="Clinical specification 6.6",
    reads=(Infusion, Manufacturing, DoseAllocation, Lymphodepletion, VitalSigns),
    says=(
        *DOSE_SAYS,
        Says("weight_kg", "Weight dosed by", "剂量计算用体重", "kg"),
        Says("weight_due_kg", "Weight to dose by", "应采用的体重", "kg"),
        Says("entered", "Dose entered", "录入的剂量", "cells/kg"),
        Says("agrees", "Both agree", "两者一致"),
    ),
)
def dose_of_each_infusion(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Volume infused times nucleated cells per mL of the batch times viability, CD3+ and CAR+ shares, per kg of the
    weight entered. It agrees with the dose entered within the share that the protocol permits. The weight to dose by
    is that of lymphodepletion, unless Day 0 differs by more than permitted."""
    for row, value, seen in _doses(book, protocol):
        yield Derived(
            str(row.pk), value, seen, book.day(row.inf_start_dt), Infusion.form, row.pk,
            value["agrees"] is False,
        )  # fmt: skip


def _doses(book: Casebook, protocol: Protocol) -> Iterator[tuple[Any, dict[str, Any], tuple[Input, ...]]]:
    batches: dict[Any, Any] = {batch.pk: batch for batch in book.of(Manufacturing)}
    for row in book.infusions:
        batch = batches.get(row.batch_id)
        weight_due, weighed = _weight_due(book, row, protocol)
        weight = row.dosing_weight_kg or weight_due
        found = None if batch is None else _given(row, batch, weight)
        if found is None:
            continue
        cells, per_kg = found
        entered = row.actual_per_kg if row.status == "COMPLETE" else None
        value = {
            "per_kg": per_kg,
            "cells": cells,
            "weight_kg": weight,
            "weight_due_kg": weight_due,
            "entered": entered,
            "agrees": None if entered is None else _close(entered, per_kg, protocol),
        }
        own = inputs(Infusion, row, "volume_infused_ml", "dosing_weight_kg", "batch_id", "actual_per_kg")
        yield row, value, (*own, *inputs(Manufacturing, batch, *PRODUCT), *weighed)


def _given(row: Any, batch: Any, weight: Decimal | None) -> tuple[Decimal, Decimal] | None:
    """The cells of a part, and those per kg; None while an answer is missing."""
    cells = cells_given(
        row.volume_infused_ml, batch.cells_per_ml, batch.viability_pct, batch.cd3_pct, batch.car_pos_pct
    )
    return (cells, cells / weight) if cells is not None and weight else None


def _close(entered: Decimal, derived: Decimal, protocol: Protocol) -> bool:
    return abs(entered - derived) * HUNDRED <= protocol.dose_agreement_pct.value * derived


def _weight_due(
    book: Casebook, infusion: Any, protocol: Protocol
) -> tuple[Decimal | None, tuple[Input, ...]]:
    """The weight by which the dose is due, and where the two weights stand."""
    before = [
        r
        for r in book.of(Lymphodepletion)
        if r.admin_dt and r.weight_kg and r.admin_dt <= infusion.inf_start_dt
    ]
    last = max(before, key=lambda r: r.admin_dt, default=None)
    day = book.day(infusion.inf_start_dt)
    weighed = [v for v in book.of(VitalSigns) if v.weight_kg and v.vs_dt and book.day(v.vs_dt) == day]
    first = min(weighed, key=lambda v: v.vs_dt, default=None)
    seen = inputs(Lymphodepletion, last, "weight_kg") if last is not None else ()
    seen = (*seen, *(inputs(VitalSigns, first, "weight_kg") if first is not None else ()))
    conditioning = None if last is None else last.weight_kg
    return dosing_weight(conditioning, None if first is None else first.weight_kg, protocol), seen


@derivation(
    "dose_total",
    en="Dose given against the plan",
    zh="实际剂量与计划剂量",
    group="DOSE",
    method="DOSE1.0",
    basis=Basis.DEFAULT,
    cites="Clinical specification 6.6 and 7.6",
    reads=(Infusion, Manufacturing, DoseAllocation, Lymphodepletion, VitalSigns),
    says=(
        *DOSE_SAYS,
        Says("level", "Dose level", "剂量水平"),
        Says("planned_per_kg", "Planned", "计划", "cells/kg"),
        Says("deviation_pct", "Deviation from the plan", "与计划的偏差", "%"),
        Says("within", "Within tolerance", "在允许范围内"),
        Says("evaluable", "Enough of it to evaluate toxicity", "剂量足以评价DLT"),
    ),
)
def dose_against_plan(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """All parts together against the dose of the allocated level. While one part cannot be computed there is none."""
    plan = next((one for one in book.of(DoseAllocation) if one.planned_per_kg), None)
    parts = list(_doses(book, protocol))
    if plan is None or not parts or len(parts) < len(book.infusions):
        return
    exact = sum(
        (Fraction(value["cells"]) / Fraction(value["weight_kg"]) for _, value, _ in parts), Fraction(0)
    )
    planned = Fraction(plan.planned_per_kg)
    value = {
        "per_kg": _decimal(exact),
        "cells": sum((value["cells"] for _, value, _ in parts), Decimal(0)),
        "level": plan.level,
        "planned_per_kg": plan.planned_per_kg,
        "deviation_pct": _decimal((exact - planned) / planned * 100),
        "within": abs(exact - planned) * 100 <= Fraction(protocol.dose_tolerance_pct.value) * planned,
        "evaluable": exact * 100 >= Fraction(protocol.dlt_min_dose_pct.value) * planned,
    }
    seen: Sequence[Input] = [one for _, _, found in parts for one in found]
    yield Derived("", value, (*seen, *inputs(DoseAllocation, plan, "level", "planned_per_kg")), book.day0)


def _decimal(exact: Fraction) -> Decimal:
    """An exact number as it is written; compared it is before."""
    return Decimal(exact.numerator) / Decimal(exact.denominator)


@derivation(
    "endotoxin",
    en="Endotoxin per kg",
    zh="每公斤内毒素",
    group="DOSE",
    method="PRODUCT1.0",
    basis=Basis.DEFAULT,
    cites="Clinical specification, manufacturing form: endotoxin_eu_kg",
    reads=(Manufacturing, Infusion, Lymphodepletion, VitalSigns),
    says=(
        Says("eu_per_kg", "Endotoxin of the whole batch", "整批内毒素", "EU/kg"),
        Says("weight_kg", "Weight", "体重", "kg"),
    ),
)
def endotoxin_of_each_batch(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Endotoxin per mL times the volume of the batch per kg of the weight dosed by, else the last one measured."""
    for batch in book.of(Manufacturing):
        infused = [one for one in book.infusions if one.batch_id == batch.pk]
        weight, place = batch_weight(book, infused), weighed(book, infused)
        found = endotoxin_per_kg(batch, weight)
        if found is not None and place is not None:
            form, row, name = place
            seen = (
                *inputs(Manufacturing, batch, "endotoxin_eu_ml", "volume_ml"),
                *inputs(form, row, name),
            )
            on: date | None = batch.release_date
            value = {"eu_per_kg": found, "weight_kg": weight}
            yield Derived(str(batch.pk), value, seen, on, Manufacturing.form, batch.pk)
