"""A new adverse event as a laboratory result suggests it: its term, its day, its grade. The site checks and completes it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from entry.forms_page import analyte_words
from entry.panel import Beside, day_of, known_of
from entry.places import Place, record_url
from entry.typed import Raw, local_text
from safety.forms import FORM
from safety.models import AdverseEvent
from subjects.crf import CRF
from trial.text import T
from visits.models import Chemistry, Haematology


@dataclass(frozen=True)
class Suggestion:
    """Answers to begin with, and where they come from."""

    raw: Raw
    words: str
    url: str


def suggested(place: Place, told: str) -> Suggestion | None:
    """What the result `<form>.<record id>.<analyte>` suggests; None when it names no result of the subject.

    Call it inside `audit.reading`.
    """
    form, key, name = [*told.split("."), "", ""][:3]
    model = FORM.get(form)
    if place.model is not AdverseEvent or model is None or name not in getattr(model, "analytes", {}):
        return None
    records = list(model._default_manager.filter(subject_id=place.subject.pk, retracted=False))
    record = next((one for one in records if str(one.pk) == key), None)
    if record is None or getattr(record, f"{name}_value") is None:
        return None
    known = known_of(place.subject, model, place.zone)
    found = known.beside(records, [record])[UUID(key)][name]
    label = str(record._meta.get_field(f"{name}_value").item.label)  # type: ignore[union-attr]
    day = day_of(record, place.zone)
    where = f"{model._meta.verbose_name} {record.visit} {day or ''}".strip()
    result = f"{label} {analyte_words(record, name, place.zone)}"
    return Suggestion(
        _answers(record, label, found, place.zone),
        f"{where}: {result}",
        record_url(place.subject.subjid, record),
    )


def _answers(record: CRF, label: str, found: Beside, zone: str) -> Raw:
    when = getattr(record, record.dated_by) if record.dated_by else None
    start = local_text(when, zone) if isinstance(when, datetime) else str(when or "")
    raw: Raw = {"term": _direction(label, found.flag), "start_dt": start}
    if found.grades:
        term, grade = max(found.grades, key=lambda one: one[1])
        raw |= {"term": str(term), "max_grade": str(grade)}
    if isinstance(record, Haematology):
        raw["category"] = "HEM"
    elif isinstance(record, Chemistry):
        raw["category"] = "NONHEM_LAB"
    return raw


def _direction(label: str, flag: str) -> str:
    """The result's name with its direction, where no term of the table names it."""
    if flag == "high":
        return str(T(f"{label} high", f"{label}升高"))
    return str(T(f"{label} low", f"{label}降低")) if flag == "low" else label
