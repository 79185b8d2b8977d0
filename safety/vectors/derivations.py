"""From the vectors' inputs to doses, kinetics, response and survival. A limit named in an input overrides the protocol's."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from safety.derive.bcell import b_cell_aplasia
from safety.derive.body import body_surface, bsa_exact, cockcroft_gault, fludarabine, renal_factor
from safety.derive.dose import dose_given
from safety.derive.kinetics import kinetics, sample
from safety.derive.response import Assessment, best_response, mrd_category, response_at
from safety.derive.survival import (
    Course,
    Time,
    duration_of_response,
    overall_survival,
    progression_free_survival,
)
from safety.derive.units import convert
from safety.vectors.compare import maybe, number, whole
from trial.protocol import V1, Protocol

Input = dict[str, Any]


def amended(**values: Any) -> Protocol:
    """Version 1 with some values replaced; None leaves a value as it is."""
    changed = {k: replace(getattr(V1, k), value=v) for k, v in values.items() if v is not None}
    return replace(V1, **changed)


def day(text: str | None) -> date | None:
    """A whole ISO date, or None."""
    return date.fromisoformat(text) if text else None


def bsa(given: Input) -> Input:
    """Body surface, exact and as printed."""
    height, weight = maybe(given.get("height_cm")), maybe(given.get("weight_kg"))
    printed = body_surface(height, weight)
    exact = bsa_exact(height, weight) if height is not None and weight is not None and printed else None
    return {"bsa_exact": exact, "bsa_2dp": printed}


def units(given: Input) -> Decimal | None:
    """A result in another unit."""
    value = maybe(given.get("value"))
    return None if value is None else convert(given["analyte"], value, given["from_unit"], given["to_unit"])


def renal_dose(given: Input) -> Input:
    """Creatinine clearance and the fludarabine of one day."""
    height, weight = maybe(given.get("height_cm")), maybe(given.get("weight_kg"))
    creatinine = maybe(given.get("creatinine_mgdl"))
    crcl = cockcroft_gault(whole(given.get("age")), weight, creatinine, given.get("sex"))
    surface = body_surface(height, weight)
    dose = fludarabine(maybe(given.get("base_flu_mg_m2")), crcl, surface, V1)
    return {
        "crcl_ml_min": crcl,
        "factor": renal_factor(crcl, V1),
        "bsa_2dp": surface,
        "flu_daily_mg": None if dose is None else dose.mg,
    }


def dose(given: Input) -> Input:
    """The CAR-T dose given against the plan."""
    found = dose_given(
        volume_ml=maybe(given.get("volume_ml")),
        cells_per_ml=maybe(given.get("cells_per_ml")),
        viability_pct=maybe(given.get("viability_pct")),
        cd3_pct=maybe(given.get("cd3_pct")),
        car_pct_of_cd3=maybe(given.get("car_pct_of_cd3")),
        weight_kg=maybe(given.get("weight_kg")),
        planned_per_kg=maybe(given.get("planned_per_kg")),
        protocol=V1,
    )
    if found is None:
        return dict.fromkeys(("car_cells_total", "car_cells_per_kg", "deviation_pct", "within_20pct"))
    return {
        "car_cells_total": found.cells,
        "car_cells_per_kg": found.per_kg,
        "deviation_pct": found.deviation_pct,
        "within_20pct": found.within,
    }


def pk(given: Input) -> Input:
    """The kinetic parameters of one profile."""
    lloq = maybe(given.get("lloq"))
    pairs = zip(given.get("times_d") or (), given.get("conc_copies_per_ug") or (), strict=True)
    profile = [
        sample(number(time), None if said == "BLQ" else number(said), lloq)
        for time, said in pairs
        if time is not None and said is not None
    ]
    protocol = amended(
        pk_auc_end_day=whole(given.get("auc_end_d")), pk_auc_end_window_days=whole(given.get("end_window_d"))
    )
    found = kinetics(profile, protocol)
    return {
        "cmax": found.cmax,
        "tmax": found.tmax,
        "clast": found.clast,
        "tlast": found.tlast,
        "auc0_28": found.auc,
        "flag": found.flag or None,
    }


def response(given: Input) -> str:
    """The response at one assessment."""
    inadequate = given.get("aspirate_adequate") is False
    one = Assessment(
        blasts_pct=None if inadequate else maybe(given.get("bm_blast_pct")),
        circulating_blasts=given.get("circulating_blasts"),
        extramedullary=given.get("extramedullary_disease"),
        neutrophils=maybe(given.get("anc")),
        platelets=maybe(given.get("plt")),
        supported=bool(given.get("plt_transfusion_7d") or given.get("gcsf_7d")),
        baseline_blasts_pct=maybe(given.get("baseline_bm_blast_pct")),
        baseline_extramedullary=given.get("baseline_emd"),
        had_remission=given.get("prior_best") in V1.remission.value,
    )
    return response_at(one, amended(cr_counts_inclusive=given.get("cr_counts_inclusive")))


def mrd(given: Input) -> str:
    """The category of residual disease."""
    return mrd_category(given.get("result"), maybe(given.get("level")), maybe(given.get("sensitivity")), V1)


def orr(given: Input) -> Input:
    """The best response within three months."""
    assessed = [(date.fromisoformat(when), said) for when, said in given.get("assessments") or () if when]
    infusion = day(given.get("infusion"))
    if infusion is None:
        return {"best": None, "responder": None}
    best = best_response(infusion, assessed, V1)
    return {"best": best.response, "responder": best.responder}


def time_to_event(given: Input) -> Input:
    """Overall survival, progression-free survival and duration of response."""
    infusion = day(given.get("infusion"))
    if infusion is None:
        return {"OS": None, "PFS": None, "DOR": None}
    listed = {*(given.get("assessments") or ()), given.get("last_assessment")}
    dates = ("first_response", "progression", "death", "new_therapy", "last_known_alive", "cutoff")
    course = Course(
        infusion,
        assessments=tuple(sorted(one for text in listed if (one := day(text)))),
        transplant=day(given.get("allo_sct")),
        no_response=day(given.get("no_response")),
        **{name: day(given.get(name)) for name in dates},
    )
    protocol = amended(
        nr_is_pfs_event=given.get("nr_is_pfs_event"), sct_censors_pfs=given.get("sct_censors_pfs")
    )
    return {
        "OS": _said(overall_survival(course)),
        "PFS": _said(progression_free_survival(course, protocol)),
        "DOR": _said(duration_of_response(course, protocol)),
    }


def _said(time: Time | None) -> Input | None:
    return None if time is None else {"days": time.days, "event": time.event}


def aplasia(given: Input) -> Input:
    """Onset and duration of B-cell aplasia."""
    samples = [(date.fromisoformat(when), maybe(share)) for when, share in given.get("samples") or () if when]
    protocol = amended(aplasia_below_pct=maybe(given.get("threshold_pct")))
    found = b_cell_aplasia(day(given.get("infusion")), samples, protocol)
    return {
        "onset_day": found.onset_day,
        "recovered": found.recovered,
        "duration_days": found.duration_days,
    }
