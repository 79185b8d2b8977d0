"""CAR-T cells in the body, the cytokines they raise, the B cells they remove."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dosing.models import Infusion
from safety.casebook import Casebook
from safety.derive import kinetics as pk
from safety.derive.bcell import b_cell_aplasia
from safety.derived.vocabulary import Derived, Input, Says, derivation, inputs
from trial.analyte import Measured, measured
from trial.dates import moments_of
from trial.item import Basis
from trial.protocol import Protocol
from visits.models import ConMeds, PdBcell, PdCytokine, PkSample

SECONDS_A_DAY = 86400
PK_FIELDS = ("collect_dt", "assay", "specimen", "result_text", "lloq")
UNITS = {"QPCR": "copies/ug", "FLOW": "%"}


@derivation(
    "pk",
    en="Cellular kinetics",
    zh="细胞动力学(PK)",
    group="KINETICS",
    method=pk.VERSION,
    basis=pk.BASIS,
    cites=pk.CITATION,
    reads=(PkSample, Infusion),
    says=(
        Says("assay", "Assay", "检测方法"),
        Says("specimen", "Specimen", "标本类型"),
        Says("unit", "Unit of concentration", "浓度单位"),
        Says("cmax", "Cmax", "Cmax"),
        Says("tmax", "Tmax", "Tmax", "day"),
        Says("clast", "Clast", "Clast"),
        Says("tlast", "Tlast, last detected", "Tlast(末次可定量)", "day"),
        Says("first_detected", "First detected", "首次可定量", "day"),
        Says("auc0_28", "AUC0-28d", "AUC0-28d", "unit*day"),
        Says("half_life_days", "Terminal half-life", "终末半衰期", "day"),
        Says("flag", "What to know of the area", "AUC说明"),
        Says("samples", "Samples", "样本数"),
    ),
)
def kinetics_of_each_assay(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Actual times from the start of the infusion, one profile for each assay and specimen: copies by quantitative PCR
    and shares by flow cytometry are never mixed. Results below the limit of quantification as PKNCA treats them."""
    if not book.infusions:
        return
    start = book.infusions[0].inf_start_dt
    kinds = sorted({(r.assay, r.specimen) for r in book.of(PkSample) if r.assay in pk.RESULT and r.specimen})
    for assay, specimen in kinds:
        rows = [r for r in book.of(PkSample) if (r.assay, r.specimen) == (assay, specimen) and r.collect_dt]
        profile = pk.samples_of(rows, start, protocol, assay, specimen)
        found = pk.kinetics(profile, protocol)
        value = {
            "assay": assay,
            "specimen": specimen,
            "unit": UNITS[assay],
            "cmax": found.cmax,
            "tmax": found.tmax,
            "clast": found.clast,
            "tlast": found.tlast,
            "first_detected": found.first_detected,
            "auc0_28": found.auc,
            "half_life_days": found.half_life_days,
            "flag": found.flag or None,
            "samples": len(profile),
        }
        seen = tuple(
            part
            for row in sorted(rows, key=lambda r: r.collect_dt)
            for part in inputs(PkSample, row, *PK_FIELDS, pk.RESULT[assay])
        )
        yield Derived(f"{assay}:{specimen}", value, (*_infused(book), *seen), book.day0)


def _infused(book: Casebook) -> tuple[Input, ...]:
    return inputs(Infusion, book.infusions[0], "inf_start_dt")


@derivation(
    "cytokine_peak",
    en="Peak of a cytokine",
    zh="细胞因子峰值",
    group="KINETICS",
    method="PEAK1.0",
    basis=Basis.DEFAULT,
    cites="Clinical specification 6.10",
    reads=(PdCytokine, ConMeds, Infusion),
    says=(
        Says("cytokine", "Cytokine", "细胞因子"),
        Says("peak", "Peak", "峰值"),
        Says("unit", "Unit", "单位"),
        Says("qualifier", "Bounded", "限定符"),
        Says("at", "At", "时间"),
        Says("day", "Time to peak", "达峰时间", "day"),
        Says("before", "Before the infusion", "回输前"),
        Says("fold", "Times the value before", "相对回输前倍数"),
        Says("after_tocilizumab", "Peak after the first tocilizumab", "峰值在首次托珠单抗之后"),
        Says("tocilizumab_samples", "Samples after the first tocilizumab", "首次托珠单抗后样本数"),
    ),
)
def peak_of_each_cytokine(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """The highest result from the infusion on, the earliest on ties, in days and as a multiple of the last result
    before. Tocilizumab raises the IL-6 that is measured: what was drawn after its first dose is flagged."""
    if not book.infusions:
        return
    start, toci = book.infusions[0].inf_start_dt, _tocilizumab(book)
    rows = sorted((r for r in book.of(PdCytokine) if r.collect_dt), key=lambda r: r.collect_dt)
    for name, analyte in PdCytokine.analytes.items():
        told = [(r, one) for r in rows if (one := measured(r, analyte.quantity, name)) is not None]
        after = [(r, one) for r, one in told if r.collect_dt >= start]
        if after:
            before = [(r, one) for r, one in told if r.collect_dt < start]
            yield _peak(book, name, after, before, start, toci)


def _peak(
    book: Casebook,
    name: str,
    after: Sequence[tuple[Any, Measured]],
    before: Sequence[tuple[Any, Measured]],
    start: datetime,
    toci: Any | None,
) -> Derived:
    row, top = max(after, key=lambda one: (one[1].value, -one[0].collect_dt.timestamp()))
    base = before[-1][1] if before else None
    given = None if toci is None else moments_of(toci.start_dt, book.zone)
    since = None if given is None else given[0]
    usable = base is not None and not base.qualifier and base.value > 0 and not top.qualifier
    value = {
        "cytokine": name,
        "peak": top.value,
        "unit": top.unit,
        "qualifier": top.qualifier or None,
        "at": row.collect_dt,
        "day": Decimal(str((row.collect_dt - start).total_seconds())) / SECONDS_A_DAY,
        "before": None if base is None else base.value,
        "fold": top.value / base.value if usable and base is not None else None,
        "after_tocilizumab": since is not None and row.collect_dt >= since,
        "tocilizumab_samples": sum(1 for r, _ in after if since is not None and r.collect_dt >= since),
    }
    parts = (f"{name}_value", f"{name}_qual", f"{name}_unit")
    seen = tuple(
        part for r, _ in (*before[-1:], *after) for part in inputs(PdCytokine, r, "collect_dt", *parts)
    )
    drug = inputs(ConMeds, toci, "drug_class", "start_dt") if toci is not None else ()
    return Derived(name, value, (*_infused(book), *seen, *drug), book.day(row.collect_dt))


def _tocilizumab(book: Casebook) -> Any | None:
    """The first dose of tocilizumab after the infusion."""
    start = book.infusions[0].inf_start_dt
    rows = [
        (when[0], row)
        for row in book.of(ConMeds)
        if row.drug_class == "TOCILIZUMAB"
        and (when := moments_of(row.start_dt, book.zone))
        and when[1] >= start
    ]
    return min(rows, key=lambda one: one[0], default=(None, None))[1]


@derivation(
    "b_cell_aplasia",
    en="B-cell aplasia",
    zh="B细胞缺乏",
    group="KINETICS",
    method="BCELL1.0",
    basis=Basis.GUIDELINE,
    cites="Maude et al., N Engl J Med 2014; from memory, to be verified against the source",
    reads=(PdBcell, Infusion),
    says=(
        Says("onset_day", "Onset", "开始", "day"),
        Says("recovered", "Recovered", "已恢复"),
        Says("duration_days", "Duration", "持续时间", "day"),
        Says("samples", "Samples", "样本数"),
    ),
)
def aplasia_of_b_cells(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """From the first sample after the infusion below the share to the first later one that reaches it; without one it
    goes on at the last sample. A bounded result counts where every value it stands for says the same."""
    rows = sorted((r for r in book.of(PdBcell) if r.collect_dt), key=lambda r: r.collect_dt)
    if book.day0 is None or not rows:
        return
    limit = protocol.aplasia_below_pct.value
    samples = [(day, _share(r, limit)) for r in rows if (day := book.day(r.collect_dt)) is not None]
    found = b_cell_aplasia(book.day0, samples, protocol)
    onset = None if found.onset_day is None else book.day0 + timedelta(days=found.onset_day)
    value = {
        "onset_day": found.onset_day,
        "recovered": found.recovered,
        "duration_days": found.duration_days,
        "samples": sum(1 for day, share in samples if share is not None and day >= book.day0),
    }
    names = ("collect_dt", "cd19_pct_lymph_value", "cd19_pct_lymph_qual", "cd19_pct_lymph_unit")
    seen = tuple(part for row in rows for part in inputs(PdBcell, row, *names))
    yield Derived("", value, (*_infused(book), *seen), onset)


def _share(row: Any, limit: Decimal) -> Decimal | None:
    """The share of CD19+ cells that is compared; None where a bounded result leaves the answer open."""
    found = measured(row, "percent", "cd19_pct_lymph")
    if found is None or not found.qualifier:
        return None if found is None else found.value
    if found.qualifier in ("<", "<="):
        most = found.value.next_minus() if found.qualifier == "<" else found.value
        return most if most < limit else None
    return found.value if found.value >= limit else None
