"""What follows from a subject's records and is stored nowhere: status, dose, dates, analysis sets."""

from typing import Any

from django.db.models import Q

from dosing.models import DoseAllocation
from entry.lines import lines_of
from entry.overview import Outline
from safety.casebook import site_books
from safety.models import DltAssessment
from subjects.crf import Subject
from trial.dates import local_day, utc_now

PROPERTIES: dict[str, Any] = {
    "status": {"type": "string"},
    "dose_level": {"type": ["string", "null"]},
    "cohort_slot": {"type": ["integer", "null"], "description": "Order of allocation within the level"},
    "enrol_date": {"type": ["string", "null"], "format": "date"},
    "infusion_date": {"type": ["string", "null"], "format": "date"},
    "dlt_evaluable": {"type": ["string", "null"], "enum": ["YES", "NO", "PENDING", None]},
    "analysis_sets": {"type": "array", "items": {"type": "string"}},
}


def derived(subject: Subject) -> dict[str, Any]:
    """The derived fields of one subject. Call it inside `audit.reading`."""
    book = site_books()[subject.site_id]
    lines = lines_of([subject.pk])[subject.pk]
    outline = Outline(lines, book.time_zone, local_day(utc_now(), book.time_zone), book)
    judged = DltAssessment.objects.filter(subject_id=subject.pk, retracted=False, not_done=False)
    evaluable = judged.values_list("evaluable", flat=True).first() or None
    return {
        "status": outline.status,
        "dose_level": outline.dose or None,
        "cohort_slot": _slot(subject),
        "enrol_date": outline.anchors.enrol,
        "infusion_date": outline.anchors.d0,
        "dlt_evaluable": evaluable,
        "analysis_sets": _sets(outline, evaluable),
    }


def _slot(subject: Subject) -> int | None:
    """The subject's place in the order of allocation to its level, among the sites in sight."""
    allocated = DoseAllocation.objects.filter(retracted=False, not_done=False, allocated_dt__isnull=False)
    own = allocated.filter(subject_id=subject.pk).values_list("level", "allocated_dt", "subject_id").first()
    if own is None or not own[0]:
        return None
    level, when, key = own
    earlier = Q(allocated_dt__lt=when) | Q(allocated_dt=when, subject_id__lt=key)
    return allocated.filter(earlier, level=level).count() + 1


def _sets(outline: Outline, evaluable: str | None) -> list[str]:
    """The analysis sets, by what is on record. Infused is the safety set."""
    infused = outline.anchors.d0 is not None
    treated = infused or any(
        line.dated for form in ("apheresis", "lymphodepletion") for line in outline.of(form)
    )
    holds = {
        "ENROLLED": outline.anchors.enrol is not None or treated,
        "LEUKAPHERESED": outline.anchors.apheresis is not None,
        "SAFETY": infused,
        "DLT": evaluable == "YES",
        "EFFICACY": infused and bool(outline.of("response")),
        "PK": infused and any(line.told for line in outline.of("pk_sample")),
    }
    return [name for name, held in holds.items() if held]
