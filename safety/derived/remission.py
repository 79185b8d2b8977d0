"""How the leukaemia answers: residual disease, response at each assessment, the best one of three months."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dosing.models import DoseAllocation, Infusion, Lymphodepletion
from safety.casebook import Casebook
from safety.derive import response as table
from safety.derive.response import Assessment, best_response, confirmed, mrd_category, orr_until, response_at
from safety.derived.vocabulary import Derived, Input, Says, derivation, inputs
from safety.milestones import infusion, lymphodepletion
from subjects.models import DiseaseHistory
from trial.analyte import measured
from trial.dates import local_day, span_of
from trial.item import Basis
from trial.protocol import Protocol
from visits.models import BoneMarrow, ConMeds, Csf, Haematology, Response, Transfusion

MARROW = ("bm_dt", "aspirate_adequate", "blast_pct_morph")
MRD = ("mrd_result", "mrd_level", "mrd_sensitivity", "mrd_method")
JUDGED = ("assess_date", "investigator_response")
COUNTS = ("lb_dt", "anc_value", "anc_qual", "anc_unit", "plt_value", "plt_qual", "plt_unit")


@dataclass(frozen=True)
class Assessed:
    """One response assessment: its day, what it says, its evidence."""

    row: Any
    day: date
    said: str
    value: dict[str, Any]
    inputs: tuple[Input, ...]


@derivation(
    "mrd",
    en="Residual disease",
    zh="微小残留病(MRD)",
    group="RESPONSE",
    method=table.VERSION,
    basis=Basis.GUIDELINE,
    cites="Clinical specification 6.8; ELN adult ALL 2024: below one in ten thousand",
    reads=(BoneMarrow,),
    says=(
        Says("category", "Category", "分类"),
        Says("level", "Level", "水平", "fraction"),
        Says("sensitivity", "Sensitivity of the assay", "检测灵敏度", "fraction"),
        Says("method", "Method", "方法"),
    ),
)
def residual_disease_of_each_marrow(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Negative is not detected, or below the threshold, with an assay that reaches the threshold; not detected with a
    lesser assay is named so. Detected at or above the threshold, or without a quantity, is positive."""
    for row in book.of(BoneMarrow):
        if row.mrd_result:
            value = {**_mrd(row, protocol), "level": row.mrd_level, "sensitivity": row.mrd_sensitivity}
            seen = inputs(BoneMarrow, row, "bm_dt", *MRD)
            yield Derived(str(row.pk), value, seen, book.day(row.bm_dt), BoneMarrow.form, row.pk)


def _mrd(row: Any, protocol: Protocol) -> dict[str, Any]:
    category = mrd_category(row.mrd_result, row.mrd_level, row.mrd_sensitivity, protocol)
    return {"category": category, "method": row.mrd_method}


@derivation(
    "response",
    en="Response at an assessment",
    zh="单次疗效评估",
    group="RESPONSE",
    method=table.VERSION,
    basis=table.BASIS,
    cites=table.CITATION,
    reads=(
        Response,
        BoneMarrow,
        Csf,
        Haematology,
        Transfusion,
        ConMeds,
        DiseaseHistory,
        Lymphodepletion,
        Infusion,
    ),
    says=(
        Says("response", "Response", "疗效"),
        Says("investigator", "Response by the investigator", "研究者判定疗效"),
        Says("agrees", "Both agree", "两者一致"),
        Says("marrow_day", "Day of the marrow", "骨髓日期"),
        Says("blasts_pct", "Blasts", "原始细胞", "%"),
        Says("anc", "Neutrophils", "中性粒细胞", "10^9/L"),
        Says("plt", "Platelets", "血小板", "10^9/L"),
        Says("supported", "Platelets or G-CSF within 7 days", "7天内输血小板或G-CSF"),
        Says("mrd", "Residual disease", "微小残留病"),
    ),
)
def response_of_each_assessment(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """From the marrow named (else that of the same visit), blood counts as entered (else those nearest to the marrow
    within the permitted days), circulating blasts, extramedullary disease (CNS3 counts as such), and the disease before
    lymphodepletion. Counts within so many days after a platelet transfusion or G-CSF do not make a complete remission.
    Where it cannot be told (NE), the investigator is not contradicted."""
    for one in assessed(book, protocol):
        yield Derived(
            str(one.row.pk), one.value, one.inputs, one.day, Response.form, one.row.pk,
            one.value["agrees"] is False,
        )  # fmt: skip


def assessed(book: Casebook, protocol: Protocol) -> list[Assessed]:
    """Every dated response assessment in the order of time, worked out once per book and protocol."""
    memory = book.once(_memory)
    key = (id(protocol), "assessed")
    if key not in memory:
        memory[key] = (protocol, _assessed(book, protocol))
    found: list[Assessed] = memory[key][1]
    return found


def _memory(book: Casebook) -> dict[tuple[int, str], tuple[Protocol, Any]]:
    """What was worked out for this book. A protocol is kept beside its result, so that its number stays its own."""
    return {}


def _assessed(book: Casebook, protocol: Protocol) -> list[Assessed]:
    made: list[Assessed] = []
    before = _baseline(book)
    for row in sorted((r for r in book.of(Response) if r.assess_date), key=lambda r: r.assess_date):
        remission = any(one.said in protocol.remission.value for one in made)
        made.append(_assess(book, row, before, remission, protocol))
    return made


@dataclass(frozen=True)
class Before:
    """The disease before lymphodepletion."""

    blasts_pct: Decimal | None
    extramedullary: bool | None
    inputs: tuple[Input, ...]


def _baseline(book: Casebook) -> Before:
    first = lymphodepletion(book) or infusion(book)
    marrows = [
        r for r in book.of(BoneMarrow)
        if r.bm_dt and first and r.bm_dt < first.moment and r.aspirate_adequate and r.blast_pct_morph is not None
    ]  # fmt: skip
    last = max(marrows, key=lambda r: r.bm_dt, default=None)
    history = next(iter(book.of(DiseaseHistory)), None)
    seen = inputs(BoneMarrow, last, *MARROW) if last is not None else ()
    if history is None:
        return Before(last.blast_pct_morph if last else None, None, seen)
    return Before(
        last.blast_pct_morph if last else None,
        bool(history.extramedullary_sites) or history.cns_status == "CNS3",
        (*seen, *inputs(DiseaseHistory, history, "extramedullary_sites", "cns_status")),
    )


def _assess(book: Casebook, row: Any, before: Before, remission: bool, protocol: Protocol) -> Assessed:
    marrow, csf = _marrow(book, row), _linked(book, Csf, row.csf_id)
    day: date = (book.day(marrow.bm_dt) if marrow is not None else None) or row.assess_date
    counts, counted, drawn = _counts(book, row, day, protocol)
    support = _support(book, drawn, protocol)
    blasts = marrow.blast_pct_morph if marrow is not None and marrow.aspirate_adequate else None
    said = response_at(
        Assessment(
            blasts,
            row.circulating_blasts,
            _outside(row, csf),
            counts[0],
            counts[1],
            bool(support),
            before.blasts_pct,
            before.extramedullary,
            remission,
        ),
        protocol,
    )
    answer = row.investigator_response if row.status == "COMPLETE" else ""
    value = {
        "response": said,
        "investigator": answer or None,
        "agrees": None if not answer or said == "NE" else answer == said,
        "marrow_day": day if marrow is not None else None,
        "blasts_pct": blasts,
        "anc": counts[0],
        "plt": counts[1],
        "supported": bool(support),
        "extramedullary": _outside(row, csf),
        "mrd": _mrd(marrow, protocol)["category"] if marrow is not None and marrow.mrd_result else None,
    }
    own = inputs(
        Response, row, "assess_date", "circulating_blasts", "extramedullary_disease", "investigator_response"
    )
    seen = inputs(BoneMarrow, marrow, *MARROW, *MRD) if marrow is not None else ()
    fluid = inputs(Csf, csf, "lp_dt", "cns_status") if csf is not None else ()
    return Assessed(
        row, row.assess_date, said, value, (*own, *seen, *fluid, *counted, *support, *before.inputs)
    )


def _marrow(book: Casebook, row: Any) -> Any | None:
    """The marrow the assessment names; else that of the same visit."""
    named = _linked(book, BoneMarrow, row.bone_marrow_id)
    if named is not None or row.bone_marrow_id is not None:
        return named
    same = [one for one in book.of(BoneMarrow) if row.visit and one.visit == row.visit and one.bm_dt]
    return max(same, key=lambda one: one.bm_dt, default=None)


def _linked(book: Casebook, form: Any, key: Any) -> Any | None:
    return next((one for one in book.of(form) if key is not None and one.pk == key), None)


def _outside(row: Any, csf: Any | None) -> bool | None:
    """Extramedullary disease: as entered, or CNS3 in the fluid."""
    if csf is not None and csf.cns_status == "CNS3":
        return True
    told: bool | None = row.extramedullary_disease
    return told


def _counts(
    book: Casebook, row: Any, day: date, protocol: Protocol
) -> tuple[tuple[Decimal | None, Decimal | None], tuple[Input, ...], date]:
    """Neutrophils and platelets, where they stand, and their day: as entered they count as of the marrow."""
    if row.anc is not None and row.plt is not None:
        return (row.anc, row.plt), inputs(Response, row, "anc", "plt"), day
    days = protocol.response_counts_days.value
    labs: Sequence[Any] = book.of(Haematology)
    near = [
        (abs((when - day).days), lab)
        for lab in labs
        if (when := book.day(lab.lb_dt)) is not None and abs((when - day).days) <= days
        if lab.anc_si is not None and lab.plt_si is not None
    ]
    if not near:
        return (row.anc, row.plt), inputs(Response, row, "anc", "plt"), day
    _, lab = min(near, key=lambda one: (one[0], one[1].lb_dt))
    anc, plt = measured(lab, "cells", "anc"), measured(lab, "cells", "plt")
    found = (
        anc.value if anc and not anc.qualifier else None,
        plt.value if plt and not plt.qualifier else None,
    )
    return found, inputs(Haematology, lab, *COUNTS), local_day(lab.lb_dt, book.zone)


def _support(book: Casebook, day: date, protocol: Protocol) -> tuple[Input, ...]:
    """Platelets and G-CSF in the days up to this one."""
    since = day - timedelta(days=protocol.response_support_days.value)
    bags = [
        part
        for row in book.of(Transfusion)
        if row.product == "PLATELET" and row.start_dt and since <= (book.day(row.start_dt) or day) <= day
        for part in inputs(Transfusion, row, "product", "start_dt")
    ]
    drugs = [
        part
        for row in book.of(ConMeds)
        if row.drug_class == "GCSF" and _within(book, row, since, day)
        for part in inputs(ConMeds, row, "drug_class", "start_dt", "end_dt")
    ]
    return (*bags, *drugs)


def _within(book: Casebook, drug: Any, since: date, until: date) -> bool:
    """Whether a drug may have been given between two days."""
    start, end = span_of(drug.start_dt, book.zone), span_of(drug.end_dt, book.zone)
    if start is None:
        return False
    last = end.last if end is not None else until if drug.ongoing else start.last
    return start.first <= until and last >= since


@derivation(
    "best_response",
    en="Best response within three months",
    zh="3个月内最佳疗效",
    group="RESPONSE",
    method=table.VERSION,
    basis=Basis.REGISTRY,
    cites="Registry, secondary objective 1: overall remission rate (CR and CRi) during the 3 months after ssCART-19",
    reads=(Response, DoseAllocation, Infusion),
    says=(
        Says("best", "Best response", "最佳疗效"),
        Says("responder", "In remission", "达到缓解"),
        Says("on", "On", "日期"),
        Says("until", "Counted until", "统计截止日"),
        Says("confirmed", "Confirmed at 28 days or more", "≥28天后确认"),
        Says("investigator", "Best response by the investigator", "研究者判定最佳疗效"),
        Says("level", "Dose level", "剂量水平"),
    ),
)
def best_within_three_months(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Whoever was infused counts; who has no evaluable assessment in the period counts as no responder (NE)."""
    if book.day0 is None:
        return
    found = assessed(book, protocol)
    best = best_response(book.day0, [(one.day, one.said) for one in found], protocol)
    theirs = best_response(book.day0, [(one.day, one.value["investigator"]) for one in found], protocol)
    after = [(one.day, one.said) for one in found if one.day > book.day0]
    plan = next((one for one in book.of(DoseAllocation) if one.level), None)
    value = {
        "best": best.response,
        "responder": best.responder,
        "on": best.on,
        "until": orr_until(book.day0, protocol),
        "confirmed": confirmed(after, protocol),
        "investigator": theirs.response,
        "investigator_responder": theirs.responder,
        "level": plan.level if plan is not None else None,
    }
    yield Derived("", value, (*_infused(book), *_of(found, plan)), best.on)


def _infused(book: Casebook) -> tuple[Input, ...]:
    return inputs(Infusion, book.infusions[0], "inf_start_dt")


def _of(found: Sequence[Assessed], plan: Any | None) -> tuple[Input, ...]:
    rows = tuple(part for one in found for part in inputs(Response, one.row, *JUDGED))
    said = tuple(
        Input(Response.form, one.row.pk, "derived:response", one.said, one.row.version) for one in found
    )
    return (*rows, *said, *(inputs(DoseAllocation, plan, "level") if plan is not None else ()))
