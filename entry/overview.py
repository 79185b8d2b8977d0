"""Every record of some subjects in one statement, and what follows from them: anchors, status, dose level.

A line is one record: where it stands, how far it is, its date, and the one answer that the overview needs of it.
Nothing derived here is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import DateField, DateTimeField

from dosing.levels import level
from dosing.models import Infusion
from safety.calendar import READS, anchors
from safety.casebook import Casebook, SiteBook
from safety.forms import FORMS
from subjects.crf import CRF
from trial.dates import add_months, local_day, span
from trial.text import T
from visits.models import Visit
from visits.schedule import Anchors

TOLD: dict[str, tuple[str, ...]] = {
    "informed_consent": ("consent_type", "withdrawal_scope"),
    "eligibility": ("milestone", "overall"),
    "lymphodepletion": ("planned_day",),
    "dose_allocation": ("level",),
    "end_of_study": ("phase", "reason"),
}
STATUSES: dict[str, str] = {
    "NEW": T("New", "新建"),
    "CONSENTED": T("Screening", "筛选中"),
    "SCREEN_FAILED": T("Screen failed", "筛选失败"),
    "ENROLLED": T("Enrolled", "已入组"),
    "LEUKAPHERESED": T("Apheresis done", "已单采"),
    "MFG": T("Manufacturing", "制备中"),
    "LD": T("Lymphodepletion", "清淋中"),
    "INFUSED": T("Infused", "已回输"),
    "FOLLOW_UP": T("Follow-up", "随访中"),
    "LTFU": T("Long-term follow-up", "长期随访"),
    "COMPLETED": T("Completed", "已完成"),
    "WITHDRAWN": T("Withdrawn", "已退出"),
    "DEAD": T("Died", "已死亡"),
}


@dataclass(frozen=True)
class Line:
    """One standing record."""

    form: str
    subject_id: UUID
    pk: UUID
    visit: str
    sequence: int
    status: str
    lock_state: str
    not_done: bool
    dated: str
    told: str

    def day(self, zone: str) -> date | None:
        """The site's calendar day of the record, when it is wholly known."""
        if not self.dated:
            return None
        if len(self.dated) > 10:
            moment = datetime.fromisoformat(self.dated)
            return local_day(moment, zone) if moment.tzinfo else moment.date()
        known = span(self.dated)
        return known.first if known.known else None


def lines_of(subject_ids: Sequence[UUID]) -> dict[UUID, list[Line]]:
    """Every record of these subjects that is not retracted, one statement for all forms. Call inside `audit.reading`."""
    found: dict[UUID, list[Line]] = {key: [] for key in subject_ids}
    if not subject_ids:
        return found
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [list(subject_ids)] * len(FORMS))
        for row in cursor.fetchall():
            found[row[1]].append(Line(*row))
    for lines in found.values():
        lines.sort(key=lambda line: (line.form, line.visit, line.sequence, line.pk))
    return found


@lru_cache(maxsize=1)
def _statement() -> str:
    """One SELECT over every form's table, made of the models' own names; the subjects are its parameters."""
    return " UNION ALL ".join(_select(form) for form in FORMS)


def _select(form: type[CRF]) -> str:
    def text(name: str) -> str:
        column: Any = form._meta.get_field(name)
        return f"coalesce({connection.ops.quote_name(column.column)}::text, '')"

    told = " || '|' || ".join(text(name) for name in TOLD.get(form.form, ())) or "''"
    dated = text(form.dated_by) if form.dated_by else "''"
    return (
        f"SELECT '{form.form}', subject_id, id, visit, sequence, status, lock_state, not_done, {dated}, {told}"
        f" FROM {connection.ops.quote_name(form._meta.db_table)} WHERE subject_id = ANY(%s) AND NOT retracted"
    )


@dataclass
class Outline:
    """One subject's course, derived from its lines."""

    lines: list[Line]
    zone: str
    today: date
    anchors: Anchors = field(init=False)
    status: str = field(init=False)
    dose: str = field(init=False)

    def __post_init__(self) -> None:
        self.anchors = _anchors(self)
        self.status = _status(self)
        allocated = next((line.told for line in self.of("dose_allocation")), "")
        self.dose = allocated if level(allocated) else ""

    def of(self, form: str, told: str = "") -> list[Line]:
        """The lines of one form that hold answers, perhaps only those told so."""
        return [x for x in self.lines if x.form == form and not x.not_done and x.told.startswith(told)]

    def first(self, form: str, told: str = "") -> date | None:
        """The first known day of a form."""
        return min((d for d in (x.day(self.zone) for x in self.of(form, told)) if d), default=None)

    @property
    def study_day(self) -> int | None:
        """Days since the infusion; Day 0 is the day of the infusion."""
        return None if self.anchors.d0 is None else (self.today - self.anchors.d0).days


def _anchors(outline: Outline) -> Anchors:
    """The anchors as the rules see them: a casebook of the few answers that the overview holds."""
    forms: tuple[type[CRF], ...] = (Visit, Infusion, *READS)
    rows = {form: [_row(form, x) for x in outline.lines if x.form == form.form] for form in forms}
    zone = outline.zone
    site = SiteBook(0, "", zone, None)
    return anchors(
        Casebook(UUID(int=0), "", site, datetime.combine(outline.today, time(12), ZoneInfo(zone)), rows)
    )


def _row(form: type[CRF], line: Line) -> Any:
    """A line in the shape of the form's row."""
    told = dict(zip(TOLD.get(form.form, ()), line.told.split("|"), strict=False))
    answers: dict[str, Any] = {**told, form.dated_by: _typed(form, line.dated)}
    if told.get("planned_day") is not None:
        answers["planned_day"] = int(told["planned_day"]) if told["planned_day"] else None
    return SimpleNamespace(pk=line.pk, visit=line.visit, not_done=line.not_done, **answers)


def _typed(form: type[CRF], dated: str) -> Any:
    column: Any = form._meta.get_field(form.dated_by)
    if not dated:
        return None if column.null else ""
    if isinstance(column, DateTimeField):
        return datetime.fromisoformat(dated)
    return date.fromisoformat(dated) if isinstance(column, DateField) else dated


def _status(outline: Outline) -> str:
    """Where the subject stands: how it ended, else the last step that is on record."""
    if outline.of("death"):
        return "DEAD"
    ended = outline.of("end_of_study", "STUDY")
    if any("SCREEN_FAILURE" in line.told for line in ended) or outline.of(
        "end_of_study", "TREATMENT|SCREEN_FAILURE"
    ):
        return "SCREEN_FAILED"
    if ended:
        return "COMPLETED" if any(line.told.endswith("|COMPLETED") for line in ended) else "WITHDRAWN"
    if outline.of("informed_consent", "WITHDRAWAL"):
        return "WITHDRAWN"
    if outline.anchors.d0:
        return _after_infusion(outline.anchors.d0, outline.today)
    steps = (("LD", "lymphodepletion"), ("MFG", "manufacturing"), ("LEUKAPHERESED", "apheresis"))
    reached = next((status for status, form in steps if outline.of(form)), "")
    if reached:
        return reached
    if outline.anchors.enrol:
        return "ENROLLED"
    return "CONSENTED" if outline.anchors.icf else "NEW"


def _after_infusion(day0: date, today: date) -> str:
    if today <= add_months(day0, 1):
        return "INFUSED"
    return "FOLLOW_UP" if today <= add_months(day0, 24) else "LTFU"
