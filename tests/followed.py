"""What completes a treated subject: the product's tests and custody, samples, and what each visit asks for."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dosing.models import ChainOfIdentity
from safety.rules.custody import STEPS
from tests.books import at
from visits.models import (
    Coagulation,
    CrsAssessment,
    Csf,
    Ecg,
    Haematology,
    IcansAssessment,
    PdCytokine,
    PkSample,
    Urinalysis,
    VitalSigns,
)

D = Decimal
READY: dict[str, Any] = {"status": "COMPLETE"}
DAY0 = date(2026, 3, 16)
AROUND = (
    ("PRE_INF", "09:00"),
    ("INF_15M", "10:15"),
    ("INF_30M", "10:30"),
    ("INF_1H", "11:00"),
    ("INF_2H", "12:00"),
    ("INF_4H", "14:00"),
)
TESTED: dict[str, Any] = {
    "formulation": "CRYOPRESERVED",
    "viability_pct": D(90),
    "cd3_pct": D(95),
    "car_pos_pct": D(40),
    "vcn": D(2),
    "endotoxin_eu_ml": D("0.5"),
    "volume_ml": D(50),
    "sterility": "NO_GROWTH",
    "mycoplasma": "NEGATIVE",
    "rcl": "NEGATIVE",
}


def followed(subject: Any) -> Any:
    """The subject with everything that the schedule, the product and the first days ask for up to Day 3."""
    _set(subject["batch"], **TESTED)
    _set(subject["infusion"], post_thaw_viability_pct=D(85), dosing_weight_kg=D(70))
    _set(subject["level"], allocated_dt=at("2026-03-16", "08:00"))
    _set(subject["event"], expected=True, rel_sscart19="POSSIBLE")
    for name, row in subject.items():
        if name.startswith(("flu-", "cyc-")):
            _set(row, weight_kg=D(70), height_cm=D(170), planned_mg_m2=D(30))
    subject.update(_custody())
    subject.update(_at_visits(subject))
    return subject


def _set(row: Any, **answers: Any) -> None:
    for name, value in answers.items():
        setattr(row, name, value)


def custody_step(step: str, when: datetime, **facts: Any) -> ChainOfIdentity:
    """A step done by two persons under the subject's number, cold where the product is frozen."""
    usual = {"coi_id": "COI-1", "performed_by_id": 1, "verified_by_id": 2, "excursion": False}
    cold = {"temp_min_c": D(-180), "temp_max_c": D(-150)}
    return ChainOfIdentity(step=step, step_dt=when, **{**usual, **cold, **READY, **facts})


def _custody() -> dict[str, Any]:
    """Every step from the collection to the infusion, in order, an hour apart on the last day."""
    steps = [step for step in STEPS if step != "DISCARDED"]
    end = at("2026-03-16")
    times = [end - timedelta(hours=len(steps) - n - 1) for n in range(len(steps))]
    return {f"coi {step}": custody_step(step, when) for step, when in zip(steps, times, strict=True)}


def vitals(when: datetime, visit: str, timepoint: str = "VISIT", **facts: Any) -> VitalSigns:
    """Nothing unusual, some answers apart."""
    usual = {"temp_c": D("36.6"), "spo2_pct": D(98), "weight_kg": D(70)}
    return VitalSigns(vs_dt=when, visit=visit, timepoint=timepoint, **{**usual, **READY, **facts})


def sample(when: datetime, visit: str, nominal: int, **facts: Any) -> PkSample:
    """A fit blood sample by PCR."""
    usual = {"specimen": "PB", "assay": "QPCR", "result_text": "900", "copies_per_ug": D(900), "lloq": D(50)}
    fit = {"gdna_ug": D("0.2"), "sample_quality": "OK"}
    row = {"collect_dt": when, "visit": visit, "nominal_day": nominal}
    return PkSample(**{**row, **usual, **fit, **READY, **facts})


def crs(when: datetime, visit: str, grade: int | None = 0) -> CrsAssessment:
    """CRS as the investigator graded it."""
    return CrsAssessment(assess_dt=when, visit=visit, investigator_grade=grade, **READY)


def icans(when: datetime, visit: str, grade: int | None = 0) -> IcansAssessment:
    """ICANS as the investigator graded it."""
    return IcansAssessment(assess_dt=when, visit=visit, investigator_grade=grade, **READY)


def _at_visits(subject: Any) -> dict[str, Any]:
    """The forms of each visit that are not there yet."""
    there: dict[str, Any] = {}
    scr, when = {"visit": "SCR", **READY}, at("2026-02-10", "08:00")
    for form in (Ecg, Coagulation, Urinalysis, Csf):
        there[f"SCR {form.form}"] = form(**{form.dated_by: _fits(form, when)}, **scr)
    there["SCR icans"] = icans(when, "SCR")
    there["SCR vitals"] = vitals(when, "SCR")
    there["APH vitals"] = vitals(at("2026-02-16", "08:00"), "APH")
    there["APH haematology"] = Haematology(lb_dt=at("2026-02-16", "08:00"), visit="APH", **READY)
    for n in (-5, -4, -3, -2, -1):
        there |= _before(f"LD{n}" if n < -2 else f"D{n}", n, subject)
    for n in range(4):
        there |= _after(f"D{n}", n)
    return there


def _fits(form: Any, when: datetime) -> Any:
    return when if form._meta.get_field(form.dated_by).get_internal_type() == "DateTimeField" else when.date()


def _morning(n: int) -> datetime:
    return at((DAY0 + timedelta(days=n)).isoformat(), "08:00")


def _before(visit: str, n: int, subject: Any) -> dict[str, Any]:
    there: dict[str, Any] = {f"{visit} vitals": vitals(_morning(n), visit)}
    if n < -2:
        there[f"{visit} haematology"] = Haematology(lb_dt=_morning(n), visit=visit, **READY)
    if n in (-4, -3):  # that of the first day stands among the re-checks
        from tests.people import chemistry

        there[f"{visit} chemistry"] = chemistry((DAY0 + timedelta(days=n)).isoformat(), visit=visit)
    return there


def _after(visit: str, n: int) -> dict[str, Any]:
    when = _morning(n)
    there: dict[str, Any] = {
        f"{visit} crs": crs(when, visit),
        f"{visit} icans": icans(when, visit),
        f"{visit} vitals": vitals(when, visit),
    }
    if n == 0:
        there |= {f"D0 {code}": vitals(at("2026-03-16", time), "D0", code) for code, time in AROUND}
    else:
        from tests.people import chemistry

        there[f"{visit} haematology"] = Haematology(lb_dt=when, visit=visit, **READY)
        there[f"{visit} chemistry"] = chemistry((DAY0 + timedelta(days=n)).isoformat(), visit=visit)
        there[f"{visit} coagulation"] = Coagulation(lb_dt=when, visit=visit, **READY)
    if n in (0, 1):
        there[f"{visit} pk"] = sample(when, visit, n)
    if n in (0, 1, 3):
        there[f"{visit} cytokines"] = PdCytokine(collect_dt=when, visit=visit, nominal_day=n, **READY)
    return there
