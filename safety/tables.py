"""The schedule and the forms as tables for the documentation, written from their definitions.

`manage.py tables` writes them; a test compares them with what is committed, so they cannot drift.
"""

import csv
import io
from pathlib import Path

from django.conf import settings
from django.db import models

from safety.forms import FORMS, STUDY_FORMS
from subjects.crf import Subject
from trial.item import items
from trial.models import Site
from visits.conditions import AT_VISIT, CONDITION, clinical_judgement
from visits.schedule import V1, LogDef, Schedule, VisitDef
from visits.timepoints import Timepoint

SCHEDULE_COLUMNS = (
    *("kind", "visit", "en", "zh", "anchor", "day", "month", "minutes", "before", "after", "times"),
    *("required", "conditional", "logs", "basis"),
)


def schedule_csv(schedule: Schedule = V1) -> str:
    """Every visit, log and timepoint of a schedule. Widths of visits are days, those of timepoints hours."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(SCHEDULE_COLUMNS)
    writer.writerows(_visit(visit) for visit in schedule.visits)
    writer.writerows(_log(log) for log in schedule.logs)
    writer.writerows(_point(point) for point in schedule.timepoints)
    return text.getvalue()


def _visit(v: VisitDef) -> tuple[object, ...]:
    place = ("", v.months) if v.months else (v.days if v.anchor else "", "")
    width = (v.before, v.after) if v.anchor else ("", "")
    conditional = "; ".join(f"{form} ({_when(form, v.code)})" for form in v.optional)
    return (
        *("visit", v.code, v.en, v.zh, v.anchor, *place, "", *width, ""),
        *("; ".join(v.forms), conditional, "; ".join(v.logs), str(v.basis)),
    )


def _when(form: str, visit: str) -> str:
    """The condition under which a form is asked for, in the words of its function."""
    condition = AT_VISIT.get((form, visit)) or CONDITION.get(form, clinical_judgement)
    if visit.startswith("UNSCHED") and form not in ("bone_marrow", "cd19_flow"):
        condition = clinical_judgement
    return condition.__qualname__.partition(".")[0].replace("_", " ")


def _log(log: LogDef) -> tuple[object, ...]:
    required, optional = (log.form, "") if log.expected else ("", log.form)
    return ("log", "", "", "", log.since, *[""] * 6, required, optional, "", "")


def _point(p: Timepoint) -> tuple[object, ...]:
    minutes = "" if p.minutes is None else p.minutes
    widths = (f"{width.total_seconds() / 3600:g}" for width in (p.before, p.after))
    return (
        "timepoint",
        *(p.visit, p.en, p.zh, "D0", "", "", minutes, *widths, p.times),
        *(f"{p.form} {p.code}".strip(), "", "", str(p.basis)),
    )


SDTM: dict[str, str] = {
    "site": "DM.SITEID",
    "subject": "DM (SUBJID, USUBJID, ARMCD, RFXSTDTC)",
    "informed_consent": "DS (PROTOCOL MILESTONE), DM.RFICDTC, SUPPDS",
    "demographics": "DM, SC",
    "disease_history": "MH (PRIMARY DIAGNOSIS), FA, GF",
    "prior_transplant": "PR (PRIOR HSCT), MH",
    "prior_therapy": "CM (PRIOR ALL THERAPY), PR for radiotherapy",
    "medical_history": "MH",
    "visit": "SV, SE",
    "vital_signs": "VS",
    "ecog": "RS (ECOG101)",
    "haematology": "LB (HEMATOLOGY)",
    "chemistry": "LB (CHEMISTRY)",
    "coagulation": "LB (COAGULATION)",
    "urinalysis": "LB (URINALYSIS)",
    "viral_serology": "MB, IS",
    "echo": "CV",
    "ecg": "EG",
    "pulmonary": "VS (OXYSAT), FA",
    "pregnancy_test": "LB (HCG), RP",
    "contraception": "RP",
    "cd19_flow": "CP",
    "bone_marrow": "PR, MI, LB, CP",
    "csf": "LB (CEREBROSPINAL FLUID)",
    "survival_estimate": "IE",
    "eligibility": "IE (criteria not met), TI",
    "apheresis": "PR (LEUKAPHERESIS), BE, RELSPEC",
    "manufacturing": "none: operational; EC.ECLOT, BS",
    "chain_of_identity": "none: operational; BE",
    "bridging": "CM (BRIDGING)",
    "lymphodepletion": "EC, EX",
    "dose_allocation": "none: operational; DM.ARMCD, TA",
    "infusion": "EC, EX",
    "crs_assessment": "AE, FA (CYTOKINE RELEASE SYNDROME)",
    "icans_assessment": "AE, FT (ICE)",
    "pk_sample": "PC, PP",
    "pd_cytokine": "LB (CYTOKINES)",
    "pd_bcell": "LB, CP",
    "response": "RS",
    "dlt_assessment": "SUPPAE (AEDLT)",
    "adverse_event": "AE, SUPPAE",
    "adverse_event_grade": "FA",
    "con_meds": "CM (CONCOMITANT)",
    "transfusion": "CM (BLOOD PRODUCT)",
    "subsequent_therapy": "CM (SUBSEQUENT), PR",
    "survival_ltfu": "SS, DS",
    "protocol_deviation": "DV",
    "end_of_study": "DS (DISPOSITION EVENT)",
    "death": "DM.DTHDTC, DS, DD, AE",
    "src_review": "none: operational",
}
"""Where a form goes in SDTM, domain by domain, as the standards page of the study decides."""

_HEAD = """# Forms

Written by `manage.py tables` from the models and the schedule; a test compares. Where a field differs from the
clinical specification, [departures.csv](departures.csv) says how and why.

| form | model | kept | required at | optional at | SDTM | CDASH variables |
|---|---|---|---|---|---|---|
"""


def forms_page() -> str:
    """Every form: its model, when it is collected, and where it goes."""
    plain = (("site", Site, "one per site"), ("subject", Subject, "one per subject"))
    rows = [_row(name, model, kept) for name, model, kept in plain]
    rows += [_row(form.form, form, form.repeats) for form in FORMS]
    rows += [_row(form.form, form, form.repeats) for form in STUDY_FORMS]
    return _HEAD + "".join(rows)


def _row(name: str, model: type[models.Model], kept: str) -> str:
    required = " ".join(v.code for v in V1.visits if name in v.forms or name == "visit")
    optional = " ".join(v.code for v in V1.visits if name in v.optional)
    log = next((log for log in V1.logs if log.form == name), None)
    since = f"log from {log.since}" if log else ""
    cdash = " ".join(dict.fromkeys(meaning.cdash for meaning in items(model).values() if meaning.cdash))
    label = f"`{model._meta.app_label}.{model.__name__}`"
    return f"| {name} | {label} | {kept} | {required or since} | {optional} | {SDTM[name]} | {cdash} |\n"


def tables() -> dict[Path, str]:
    """Every generated table by the file it stands in."""
    docs = Path(settings.BASE_DIR) / "docs"
    return {docs / "schedule.csv": schedule_csv(), docs / "forms" / "README.md": forms_page()}
