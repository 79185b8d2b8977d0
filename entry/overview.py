"""What follows from a subject's lines: anchors, binding version, status, dose level. Nothing derived here is stored."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import DateField, DateTimeField

from dosing.levels import level
from dosing.models import Infusion
from entry.lines import TOLD, Line
from entry.needs import History, history_of
from safety.binding import binding
from safety.calendar import READS, anchors
from safety.casebook import Casebook, SiteBook
from subjects.crf import CRF
from trial.dates import add_months
from trial.protocol import Protocol
from trial.text import T
from visits.models import Visit
from visits.schedule import Anchors, Schedule, VisitWindow, schedule_of, visit_windows

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


@dataclass
class Outline:
    """One subject's course, derived from its lines."""

    lines: list[Line]
    zone: str
    today: date
    site: SiteBook | None = None
    protocol: Protocol = field(init=False)
    anchors: Anchors = field(init=False)
    status: str = field(init=False)
    dose: str = field(init=False)

    def __post_init__(self) -> None:
        book = _book(self)
        self.anchors, self.protocol = anchors(book), binding(book)
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
    def schedule(self) -> Schedule:
        """The schedule of the protocol version that binds the subject."""
        return schedule_of(self.protocol.version)

    @property
    def windows(self) -> dict[str, VisitWindow]:
        """The window of every planned visit by its code."""
        return {window.code: window for window in visit_windows(self.anchors, self.schedule)}

    @cached_property
    def history(self) -> History:
        """What the conditions of the schedule ask for."""
        return history_of(self.lines, self.zone)

    @property
    def study_day(self) -> int | None:
        """Days from the infusion, which is on Day 0, to today, or to the day on which the subject died or left."""
        if self.anchors.d0 is None:
            return None
        return (min(self.today, self.anchors.death_or_withdrawal or self.today) - self.anchors.d0).days


def _book(outline: Outline) -> Casebook:
    """A casebook of the few answers that the overview holds: the anchors and the binding version as the rules see them."""
    forms: tuple[type[CRF], ...] = (Visit, Infusion, *READS)
    rows = {form: [_row(form, x) for x in outline.lines if x.form == form.form] for form in forms}
    zone = outline.zone
    site = outline.site or SiteBook(0, "", zone, None)
    return Casebook(UUID(int=0), "", site, datetime.combine(outline.today, time(12), ZoneInfo(zone)), rows)


def _row(form: type[CRF], line: Line) -> Any:
    """A line in the shape of the form's row."""
    told = dict(zip(TOLD.get(form.form, ()), line.told.split("|"), strict=False))
    answers: dict[str, Any] = {**told, form.dated_by: _typed(form, line.dated)}
    if "signed_by_subject" in told:
        answers["signed_by_subject"] = {"true": True, "false": False}.get(told["signed_by_subject"])
    if told.get("last_known_alive") is not None:
        alive = told["last_known_alive"]
        answers["last_known_alive"] = date.fromisoformat(alive) if alive else None
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
    if any('|["SAMPLES"]|' not in line.told for line in outline.of("informed_consent", "WITHDRAWAL")):
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
