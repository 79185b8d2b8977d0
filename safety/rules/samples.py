"""DV-54 and DV-55: samples for cell kinetics, taken in time and fit for the assay."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dosing.models import Infusion
from safety.calendar import READS, left_on, schedule, windows
from safety.casebook import Casebook
from safety.rules.evidence import facts
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from trial.text import both
from visits.codelists import SAMPLE_QUALITY
from visits.conditions import Known, transgene_detectable
from visits.models import PkSample, Visit
from visits.schedule import VisitDef, VisitWindow

FORM = "pk_sample"


@dataclass(frozen=True)
class Due:
    """One planned sample: its visit, its planned study day, and when it may be taken."""

    visit: VisitDef
    day: int
    low: date
    high: date
    window: VisitWindow


@rule(
    "DV-54",
    en="PK sample missing or outside its window",
    zh="药代动力学样本缺失或超窗",
    cites="Clinical specification, DV-54 and PK sampling (default days); registry: cellular kinetics",
    basis=Basis.DEFAULT,
    severity=Severity.MINOR,
    category="SAMPLE",
    reads=(PkSample, Visit, Infusion, *READS),
    clocked=True,
)
def kinetics_sampled_in_time(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Every planned sample is taken within its window around the planned day, or, of a visit that is planned by the
    month, within the window of that visit. It is found by its visit or by its planned day. Where sampling goes on
    only while the transgene is detectable, none is due after the last results in a row were below the limit; none is
    due after death or withdrawal."""
    if book.day0 is None:
        return
    for due in _planned(book, book.day0, protocol):
        rows = [r for r in book.of(PkSample) if r.visit == due.visit.code or r.nominal_day == due.day]
        days = [day for r in rows if (day := book.day(r.collect_dt))]
        if any(due.low <= day <= due.high for day in days):
            continue
        if days:
            yield _outside(book, due, next(r for r in rows if r.collect_dt is not None))
        elif book.today > due.high and due.window.expected and _expected(book, due, protocol):
            yield _not_taken(book, due, rows)


def _planned(book: Casebook, day0: date, protocol: Protocol) -> Iterator[Due]:
    plan, expected = schedule(book), windows(book)
    for code in dict.fromkeys(point.visit for point in plan.timepoints if point.form == FORM):
        visit, window = plan.by_code[code], expected[code]
        if window.nominal is not None and not window.survival_only:
            yield _due(visit, window, window.nominal, day0, protocol)


def _due(visit: VisitDef, window: VisitWindow, nominal: date, day0: date, protocol: Protocol) -> Due:
    early = not visit.months and visit.days <= protocol.pk_early_until_day.value
    width = protocol.pk_early_window_days.value if early else protocol.pk_late_window_days.value
    low, high = nominal - timedelta(days=width), nominal + timedelta(days=width)
    if visit.months:
        low, high = min(low, window.low or low), max(high, window.high or high)
    return Due(visit, (nominal - day0).days, low, high, window)


def _expected(book: Casebook, due: Due, protocol: Protocol) -> bool:
    """Whether the subject was there to the end of its window, and the visit requires the sample, or asks for it because
    the transgene was detectable."""
    left = left_on(book)
    if left is not None and due.high > left:
        return False
    if FORM in due.visit.forms:
        return True
    results = sorted(
        (r for r in book.of(PkSample) if r.collect_dt and r.result_text), key=lambda r: r.collect_dt
    )
    below = tuple(_below(r) for r in results if (book.day(r.collect_dt) or due.low) < due.low)
    return transgene_detectable(Known(due.low, below=below), protocol) is True


def _below(row: Any) -> bool:
    if row.copies_per_ug is not None and row.lloq is not None:
        return bool(row.copies_per_ug < row.lloq)
    return str(row.result_text).strip().upper() == "BLQ"


def _outside(book: Casebook, due: Due, row: Any) -> Finding:
    return Finding(
        key=f"sample:{due.visit.code}",
        en=f"The PK sample of {due.visit.code} was taken on {book.day(row.collect_dt)}, outside {due.low} to {due.high}.",
        zh=f"{due.visit.code} 的药代动力学样本采于 {book.day(row.collect_dt)},超出 {due.low} 至 {due.high}。",
        form=FORM,
        record=row.pk,
        field="collect_dt",
        facts=facts(FORM, row, "collect_dt", "nominal_day"),
        limit=f"{due.low} – {due.high}",
    )


def _not_taken(book: Casebook, due: Due, rows: list[Any]) -> Finding:
    infusion = book.infusions[0]
    seen: tuple[Fact, ...] = facts("infusion", infusion, "inf_start_dt")
    undated = rows[0] if rows else None
    if undated is not None:
        seen = (*seen, *facts(FORM, undated, "collect_dt"))
    said = (
        ("no PK sample is recorded", "无药代动力学样本记录")
        if undated is None
        else ("the time of its PK sample is not entered", "未填写药代动力学采样时间")
    )
    return Finding(
        key=f"sample:{due.visit.code}",
        en=f"{due.visit.en}: {said[0]}; it was due from {due.low} to {due.high}.",
        zh=f"{due.visit.zh}:{said[1]};应于 {due.low} 至 {due.high} 采集。",
        form=FORM if undated is not None else "infusion",
        record=undated.pk if undated is not None else infusion.pk,
        field="collect_dt" if undated is not None else "inf_start_dt",
        facts=seen,
        limit=f"{due.low} – {due.high}",
        pending=undated is not None,
    )


@rule(
    "DV-55",
    en="PK sample mishandled",
    zh="药代动力学样本不合格",
    cites="Clinical specification, DV-55 (default limit of genomic DNA)",
    basis=Basis.DEFAULT,
    severity=Severity.MINOR,
    category="SAMPLE",
    reads=(PkSample,),
)
def kinetics_sample_fit(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """A sample for cell kinetics is fit for the assay: neither haemolysed, clotted, in the wrong tube or otherwise
    unfit, nor, by PCR, with too little genomic DNA. A complete record that says neither leaves it open."""
    least, unfit = protocol.pk_gdna_min_ug.value, protocol.pk_unfit_samples.value
    for row in book.of(PkSample):
        little = row.gdna_ug is not None and row.gdna_ug < least
        if row.sample_quality in unfit:
            name = both(SAMPLE_QUALITY.label(row.sample_quality))
            yield _unfit(book, row, f"{name['en'].lower()}", name["zh"], "sample_quality", "OK")
        elif little:
            told = f"{row.gdna_ug} ug"
            yield _unfit(book, row, f"{told} genomic DNA", f"基因组 DNA {told}", "gdna_ug", f"≥ {least} ug")
        elif not row.sample_quality and row.gdna_ug is None and row.status == "COMPLETE":
            yield _unfit(
                book, row, "neither quality nor genomic DNA is entered", "未填写标本质量及基因组 DNA 量",
                "sample_quality", f"OK, ≥ {least} ug", pending=True,
            )  # fmt: skip


def _unfit(
    book: Casebook, row: Any, en: str, zh: str, field: str, limit: str, *, pending: bool = False
) -> Finding:
    return Finding(
        key=f"pk_sample:{row.pk}",
        en=f"PK sample of {book.day(row.collect_dt) or row.visit or '—'}: {en}.",
        zh=f"{book.day(row.collect_dt) or row.visit or '—'} 的药代动力学样本:{zh}。",
        form=FORM,
        record=row.pk,
        field=field,
        facts=facts(FORM, row, "sample_quality", "gdna_ug", "collect_dt"),
        limit=limit,
        pending=pending,
    )
