"""How each form of a visit is answered: one small function per form, told the story, the visit and its day."""

from collections.abc import Callable
from datetime import date
from typing import Any

from entry.demo.courses import Crs, Icans
from entry.demo.story import Story, at
from entry.demo.values import (
    B_CELLS,
    BLOOD,
    CHEMISTRY,
    COAGULATION,
    COPIES,
    CYTOKINES,
    LEVEL_FACTOR,
    LLOQ,
    TOCILIZUMAB_RAISES_IL6,
    along,
    along_log,
    under_stress,
)
from safety.forms import FORM
from trial.units import canonical
from visits.calc import ICE_ITEMS
from visits.timepoints import TIMEPOINTS

ICE_FULL = {name: 3 if name == "naming" else 1 for name in ICE_ITEMS}
INFUSION_POINTS = (
    ("PRE_INF", "09:20"),
    ("INF_15M", "10:15"),
    ("INF_30M", "10:30"),
    ("INF_1H", "11:00"),
    ("INF_2H", "12:00"),
    ("INF_4H", "14:00"),
)


def _units(form: str, *names: str) -> dict[str, str]:
    """The unit printed beside each result."""
    analytes = FORM[form].analytes
    return {f"{name}_unit": canonical(analytes[name].quantity) for name in names}


def _shown(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}"


def haematology(story: Story, visit: str, day: date, **typed: Any) -> Any:
    """Blood count; the white cells are what their kinds and the blasts add up to."""
    n = story.study_day(day)
    found = {name: story.vary(along(curve, n), 0.12) for name, curve in BLOOD.items()}
    kinds = sum(round(found[name], 2) for name in ("anc", "alc", "monocytes"))
    blasts = round(found["blast_pb_pct"])
    answers = {name: _shown(found[name], 2) for name in ("anc", "alc", "monocytes")}
    answers |= {
        "wbc": _shown(max(kinds / (1 - blasts / 100), 0.12), 2),
        "hgb": _shown(found["hgb"], 0),
        "plt": _shown(found["plt"], 0),
        "blast_pb_pct": str(blasts),
        "reticulocytes": _shown(found["reticulocytes"], 1),
    }
    answers |= typed
    return story.put(
        "haematology", visit, lb_dt=at(day, "07:10"), **answers, **_units("haematology", *answers)
    )


def _panel(
    story: Story, form: str, visit: str, day: date, table: dict[str, tuple[float, float, int]], typed: Any
) -> Any:
    n, severity = story.study_day(day), story.course.severity
    answers = {
        name: _shown(
            story.vary(under_stress(rest, times, n, severity), 0.015 if name == "sodium" else 0.06), decimals
        )
        for name, (rest, times, decimals) in table.items()
    }
    units = _units(form, *answers)
    return story.put(form, visit, lb_dt=at(day, "07:10"), **{**answers, **units, **typed})


def chemistry(story: Story, visit: str, day: date, **typed: Any) -> Any:
    """Clinical chemistry as the inflammation moves it."""
    return _panel(story, "chemistry", visit, day, CHEMISTRY, typed)


def coagulation(story: Story, visit: str, day: date, **typed: Any) -> Any:
    """Clotting as the inflammation moves it."""
    return _panel(story, "coagulation", visit, day, COAGULATION, typed)


def urinalysis(story: Story, visit: str, day: date) -> Any:
    """A quiet dipstick."""
    protein = story.dice.choice(("NEG", "NEG", "TRACE"))
    return story.put("urinalysis", visit, lb_dt=at(day, "07:20"), protein=protein, blood="NEG")


TWICE = (("VISIT", "08:00"), ("VISIT", "20:00"))
WARD = {point.visit for point in TIMEPOINTS if point.form == "vital_signs" and point.times == len(TWICE)}


def signs_of(story: Story, day: date) -> Crs | None:
    """The CRS signs of a day, if there are any."""
    return story.course.crs.get(story.study_day(day)) if story.day0 else None


def vital_signs(story: Story, visit: str, day: date, unseen: str = "", **typed: Any) -> Any:
    """Vital signs: once, on the ward twice, or at every timepoint around the infusion but the `unseen` one."""
    points = INFUSION_POINTS if visit == "D0" else TWICE if visit in WARD else TWICE[:1]
    for timepoint, time in points:
        if timepoint == unseen:
            continue
        _vital_signs(story, visit, at(day, time), timepoint, signs_of(story, day), typed)
    return story.kept[("vital_signs", visit)]


def _vital_signs(
    story: Story, visit: str, when: str, timepoint: str, crs: Crs | None, typed: dict[str, Any]
) -> None:
    low = crs is not None and crs.hypotension
    oxygen: dict[str, Any] = {"room_air": True}
    if crs is not None and crs.device != "NONE":
        oxygen = {"room_air": False, "o2_device": crs.device, "o2_flow_lpm": crs.flow}
    weighed = visit in ("SCR", "LD-5", "LD-4", "LD-3", "D28", "M3") or timepoint == "PRE_INF"
    body = {"weight_kg": story.body.weight_kg, "height_cm": story.body.height_cm} if weighed else {}
    found = {
        "temp_c": crs.temp if crs else _shown(story.vary(36.6, 0.008), 1),
        "temp_route": "AXILLARY",
        "sbp": round(story.vary(86 if low else 116, 0.05)),
        "dbp": round(story.vary(51 if low else 73, 0.05)),
        "pulse": round(story.vary(118 if crs else 82, 0.08)),
        "resp_rate": round(story.vary(24 if crs else 17, 0.1)),
        "spo2_pct": _shown(story.vary(93 if oxygen["room_air"] is False else 97.5, 0.01), 0),
    }
    story.put("vital_signs", visit, vs_dt=when, timepoint=timepoint, **{**found, **oxygen, **body, **typed})


def crs_assessment(story: Story, visit: str, day: date) -> Any:
    """The day's CRS signs and grade."""
    crs = signs_of(story, day) or Crs(_shown(story.vary(36.6, 0.008), 1), 0)
    flow = {"o2_flow_lpm": crs.flow} if crs.flow else {}
    return story.put(
        "crs_assessment",
        visit,
        assess_dt=at(day, "09:00"),
        temp_c=crs.temp,
        fever_other_cause=False,
        hypotension=crs.hypotension,
        iv_fluids=crs.hypotension,
        vasopressors=crs.pressors,
        hypoxia=crs.device != "NONE",
        oxygen_device=crs.device,
        investigator_grade=crs.grade,
        **flow,
    )


def icans_assessment(story: Story, visit: str, day: date) -> Any:
    """The day's ICE score, neurological signs and grade."""
    found = story.course.icans.get(story.study_day(day)) if story.day0 else None
    signs = found or Icans(0, {}, "NORMAL")
    scores = {name: full - signs.lost.get(name, 0) for name, full in ICE_FULL.items()}
    return story.put(
        "icans_assessment",
        visit,
        assess_dt=at(day, "09:05"),
        **scores,
        consciousness=signs.consciousness,
        seizure=signs.seizure,
        motor_weakness_focal=False,
        edema="NONE",
        attributable=True,
        investigator_grade=signs.grade,
    )


def pk_sample(story: Story, visit: str, day: date, **typed: Any) -> Any:
    """CAR copies: not there before the infusion, a peak in the second week, a long decline."""
    n = story.study_day(day)
    copies = story.vary(along_log(COPIES, n) * LEVEL_FACTOR[story.level], 0.3) if n > 0 else 0.0
    common = {
        "specimen": "PB",
        "assay": "QPCR",
        "lloq": LLOQ,
        "gdna_ug": "0.2",
        "nominal_day": _nominal(story, visit),
    }
    time = "09:00" if n == 0 else "07:15"
    common |= typed
    if copies < LLOQ:
        return story.put("pk_sample", visit, collect_dt=at(day, time), result_text="BLQ", **common)
    result = str(round(copies))
    return story.put(
        "pk_sample", visit, collect_dt=at(day, time), result_text=result, copies_per_ug=result, **common
    )


def _nominal(story: Story, visit: str) -> int:
    return story.study_day(story.nominal(visit))


def pd_cytokine(story: Story, visit: str, day: date, **typed: Any) -> Any:
    """Cytokines; tocilizumab raises the IL-6 that is measured for two weeks."""
    n, severity = story.study_day(day), story.course.severity
    found = {
        name: (under_stress(rest, times, n, severity), d) for name, (rest, times, d) in CYTOKINES.items()
    }
    if any(0 < n - given <= 14 for given in story.course.tocilizumab):
        found["il6"] = (min(found["il6"][0] * TOCILIZUMAB_RAISES_IL6, 8_000), 1)
    answers = {name: _shown(story.vary(value, 0.1), decimals) for name, (value, decimals) in found.items()}
    units = _units("pd_cytokine", *answers)
    time = "09:00" if n == 0 else "07:15"
    return story.put(
        "pd_cytokine",
        visit,
        collect_dt=at(day, time),
        nominal_day=_nominal(story, visit),
        **{**answers, **units, **typed},
    )


def pd_bcell(story: Story, visit: str, day: date) -> Any:
    """B cells are gone while CAR-T cells persist; immunoglobulins follow."""
    n = story.study_day(day)
    decimals = {"cd19_abs": 3}
    answers = {
        name: _shown(story.vary(along(curve, n), 0.15), decimals.get(name, 1))
        for name, curve in B_CELLS.items()
    }
    units = _units("pd_bcell", *answers)
    return story.put(
        "pd_bcell", visit, collect_dt=at(day, "07:15"), nominal_day=_nominal(story, visit), **answers, **units
    )


def ecg(story: Story, visit: str, day: date) -> Any:
    """A normal electrocardiogram."""
    rate, interval = round(story.vary(80, 0.1)), round(story.vary(418, 0.03))
    return story.put(
        "ecg", visit, eg_dt=at(day, "10:40"), heart_rate=rate, qtcf_ms=interval, interpretation="NORMAL"
    )


def ecog(story: Story, visit: str, day: date, grade: int = 1) -> Any:
    """Performance status."""
    return story.put("ecog", visit, ecog_date=day, ecog=grade)


def csf(story: Story, visit: str, day: date) -> Any:
    """Cerebrospinal fluid without blasts."""
    return story.put(
        "csf",
        visit,
        lp_dt=at(day, "14:30"),
        csf_wbc=story.dice.randrange(4),
        csf_rbc=story.dice.randrange(6),
        csf_blasts="NEGATIVE",
        csf_flow_blasts="NEGATIVE",
    )


WRITERS: dict[str, Callable[[Story, str, date], Any]] = {
    "haematology": haematology,
    "chemistry": chemistry,
    "coagulation": coagulation,
    "urinalysis": urinalysis,
    "vital_signs": vital_signs,
    "crs_assessment": crs_assessment,
    "icans_assessment": icans_assessment,
    "pk_sample": pk_sample,
    "pd_cytokine": pd_cytokine,
    "pd_bcell": pd_bcell,
    "ecg": ecg,
    "ecog": ecog,
    "csf": csf,
}
