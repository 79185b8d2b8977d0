"""DV-36 and DV-41: the batch as released, and the cells as they were after thawing."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from dosing.models import Infusion, Lymphodepletion, Manufacturing
from safety.casebook import Casebook
from safety.rules.evidence import facts
from subjects.crf import CRF
from trial.item import Basis, items, words
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from visits.models import VitalSigns

FORM = "manufacturing"
Failure = tuple[str, tuple[str, str], tuple[str, str]]
"""A field, what it says and what was asked for, both in English and Chinese."""


@rule(
    "DV-36",
    en="Batch fails its release specification",
    zh="制剂批次不符合放行标准",
    cites="Clinical specification, DV-36 (published release tables, PMC6319086, PMC11461191)",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="PRODUCT",
    reads=(Manufacturing, Infusion, Lymphodepletion, VitalSigns),
)
def batch_meets_its_specification(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """A batch that is released in any way, or infused, meets the limits of viability, CD3+ and CAR+ share, vector
    copies and endotoxin per kg, and none of its tests failed. While a result is open or missing, the rule cannot
    tell. A rejected batch that was not infused breaks nothing."""
    for batch in book.of(Manufacturing):
        infused = [i for i in book.infusions if i.batch_id == batch.pk]
        if not infused and batch.release_decision not in protocol.product_judged_decisions.value:
            continue
        failed, lacking = _judge(batch, batch_weight(book, infused), protocol)
        if failed:
            yield _failed(batch, failed)
        elif lacking:
            yield _cannot_tell(batch, lacking)


def _judge(batch: Any, weight: Decimal | None, protocol: Protocol) -> tuple[list[Failure], list[str]]:
    """What failed, and what is missing or not final."""
    failed, lacking = list[Failure](), list[str]()
    for field, least in (
        ("viability_pct", protocol.product_viability_min_pct.value),
        ("cd3_pct", protocol.product_cd3_min_pct.value),
        ("car_pos_pct", protocol.product_car_min_pct.value),
    ):
        _compare(batch, field, getattr(batch, field), failed, lacking, least=least)
    _compare(batch, "vcn", batch.vcn, failed, lacking, most=protocol.product_vcn_max.value)
    most = protocol.product_endotoxin_max_eu_kg.value
    _compare(batch, "endotoxin_eu_ml", endotoxin_per_kg(batch, weight), failed, lacking, most=most)
    for field, wrong in protocol.product_failing_results.value.items():
        answer = getattr(batch, field)
        if answer in wrong:
            en, zh = words(Manufacturing, field, *wrong)
            failed.append((field, words(Manufacturing, field, answer), (f"≠ {en}", f"≠ {zh}")))
        elif not answer or answer in protocol.product_open_results.value:
            lacking.append(field)
    return failed, lacking


def _compare(
    batch: Any,
    field: str,
    value: Decimal | None,
    failed: list[Failure],
    lacking: list[str],
    *,
    least: Decimal | None = None,
    most: Decimal | None = None,
) -> None:
    if value is None:
        lacking.append(field)
    elif least is not None and value < least:
        failed.append(_beyond(field, f"{value:f}", f"≥ {least}"))
    elif most is not None and value > most:
        said = f"{value:.4g}" if field == "endotoxin_eu_ml" else f"{value:f}"
        failed.append(_beyond(field, said, f"≤ {most}"))


def _beyond(field: str, value: str, limit: str) -> Failure:
    return field, (value, value), (limit, limit)


def endotoxin_per_kg(batch: Any, weight: Decimal | None) -> Decimal | None:
    """Endotoxin of the whole batch in EU per kg of the subject; None without volume, result or weight.

    An infusion lasts an hour at most, so this is also what is given per kg and hour.
    """
    if batch.endotoxin_eu_ml is None or batch.volume_ml is None or not weight:
        return None
    return Decimal(batch.endotoxin_eu_ml) * Decimal(batch.volume_ml) / Decimal(weight)


def weighed(book: Casebook, infused: Sequence[Any]) -> tuple[type[CRF], Any, str] | None:
    """Where the weight of a batch stands: with its infusion, else at the last lymphodepletion, else the last one measured."""
    given = sorted((r for r in book.of(Lymphodepletion) if r.admin_dt), key=lambda r: r.admin_dt)
    measured = sorted((v for v in book.of(VitalSigns) if v.vs_dt), key=lambda v: v.vs_dt)
    places: tuple[tuple[type[CRF], Any, str], ...] = (
        *((Infusion, one, "dosing_weight_kg") for one in infused),
        *((Lymphodepletion, one, "weight_kg") for one in reversed(given)),
        *((VitalSigns, one, "weight_kg") for one in reversed(measured)),
    )
    return next((place for place in places if getattr(place[1], place[2])), None)


def batch_weight(book: Casebook, infused: Sequence[Any]) -> Decimal | None:
    """The weight of a batch in kg, from where it stands."""
    place = weighed(book, infused)
    return None if place is None else Decimal(getattr(place[1], place[2]))


def _names(fields: list[str]) -> tuple[str, str]:
    asked = [items(Manufacturing)[field] for field in fields]
    return ", ".join(one.en for one in asked), "、".join(one.zh for one in asked)


def _failed(batch: Any, failed: list[Failure]) -> Finding:
    names_en, names_zh = [], []
    for field, value, limit in failed:
        en, zh = _names([field])
        per_en, per_zh = (" per kg", "(每公斤)") if field == "endotoxin_eu_ml" else ("", "")
        names_en.append(f"{en}{per_en} {value[0]} ({limit[0]})")
        names_zh.append(f"{zh}{per_zh} {value[1]}({limit[1]})")
    return Finding(
        key=f"manufacturing:{batch.pk}",
        en=f"Batch {batch.batch_no or '—'} fails its specification: {'; '.join(names_en)}.",
        zh=f"批次 {batch.batch_no or '—'} 不符合放行标准:{';'.join(names_zh)}。",
        form=FORM,
        record=batch.pk,
        field=failed[0][0],
        facts=(*facts(FORM, batch, *(field for field, _, _ in failed)), *_about(batch)),
        limit="; ".join(limit for _, _, (limit, _) in failed),
        limit_zh=";".join(limit for _, _, (_, limit) in failed),
    )


def _cannot_tell(batch: Any, lacking: list[str]) -> Finding:
    en, zh = _names(lacking)
    return Finding(
        key=f"manufacturing:{batch.pk}",
        en=f"Whether batch {batch.batch_no or '—'} meets its specification cannot be told yet; open: {en}.",
        zh=f"尚不能判定批次 {batch.batch_no or '—'} 是否符合放行标准;待定:{zh}。",
        form=FORM,
        record=batch.pk,
        field=lacking[0],
        facts=(*facts(FORM, batch, *lacking), *_about(batch)),
        pending=True,
    )


def _about(batch: Any) -> tuple[Fact, ...]:
    return facts(FORM, batch, "release_decision", "volume_ml")


@rule(
    "DV-41",
    en="Viability below specification after thawing",
    zh="复苏后细胞活率低于标准",
    cites="Clinical specification, DV-41 (default limit)",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="PRODUCT",
    reads=(Infusion,),
)
def thawed_cells_viable(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The viability of the cells right before the infusion reaches the limit; without it the rule cannot tell."""
    least = protocol.post_thaw_viability_min_pct.value
    for infusion in book.infusions:
        share = infusion.post_thaw_viability_pct
        if share is not None and share >= least:
            continue
        day = book.day(infusion.inf_start_dt)
        said = ("is not recorded", "未记录") if share is None else (f"was {share} %", f"为 {share}%")
        yield Finding(
            key=f"infusion:{infusion.pk}",
            en=f"Infused on {day}; the viability after thawing {said[0]}, at least {least} % is required.",
            zh=f"于 {day} 回输;复苏后细胞活率{said[1]},要求不低于 {least}%。",
            form="infusion",
            record=infusion.pk,
            field="post_thaw_viability_pct",
            facts=facts("infusion", infusion, "post_thaw_viability_pct", "inf_start_dt"),
            limit=f"≥ {least} %",
            pending=share is None,
        )
