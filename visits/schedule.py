"""The schedule of activities: which visit, when, with which forms. Clinical specification, section 5.

Days count from Day 0, the calendar day at the site on which the first infusion started; months clamp to the
end of the month. Every day and every width of a window is an illustrative default; `Basis.REGISTRY` marks the
visits whose place the registry record itself states. Every visit also has its own `visit` form.
Pure: nothing here asks the database.

A `Schedule` belongs to a protocol version: `schedule_of(version)`. `SCHEDULE`, `LOGS` and `VISITS` are those of
version 1.0, from which an amendment is stated by replacing visits.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Literal

from trial.codes import CodeList
from trial.dates import add_months
from trial.item import Basis
from trial.text import T
from visits.timepoints import TIMEPOINTS, Timepoint

Anchor = Literal["ICF", "ENROL", "APH", "LD", "D0", ""]


@dataclass(frozen=True)
class VisitDef:
    """One visit of the schedule.

    anchor       ICF consent, ENROL enrolment, APH apheresis, LD planned Day 0, D0 Day 0, "" none
    days, months where the visit lies from its anchor; months take precedence
    before/after width of the window in days
    forms        required at the visit
    optional     asked for when their condition holds (see CONDITIONS), or when the site has reason
    logs         logs that get a row on this occasion (see LOGS)
    """

    code: str
    en: str
    zh: str
    anchor: Anchor
    days: int = 0
    months: int = 0
    before: int = 0
    after: int = 0
    forms: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    basis: Basis = Basis.DEFAULT

    @property
    def label(self) -> str:
        """The visit's name in the active language."""
        return T(self.en, self.zh)


@dataclass(frozen=True)
class LogDef:
    """A form outside the visits, and the point from which it is open. `expected`: a row must come."""

    form: str
    since: Anchor
    expected: bool = False


WATCH = ("vital_signs", "crs_assessment", "icans_assessment")
BLOOD = ("haematology", "chemistry")
CLOTTING = ("coagulation",)
KINETICS = ("pk_sample",)
CYTOKINES = ("pd_cytokine",)
B_CELLS = ("pd_bcell",)
TOXICITY = ("crs_assessment", "icans_assessment")

INPATIENT = (*WATCH, *BLOOD, *CLOTTING)
LATE_VISIT = ("haematology", "survival_ltfu")
AS_NEEDED = ("pk_sample", "pd_bcell", "bone_marrow", "response")

SCHEDULE: tuple[VisitDef, ...] = (
    VisitDef(
        "SCR",
        "Screening",
        "筛选期",
        "ICF",
        after=28,
        forms=(
            "demographics",
            "disease_history",
            "vital_signs",
            "ecg",
            "echo",
            "pulmonary",
            "ecog",
            *BLOOD,
            *CLOTTING,
            "urinalysis",
            "viral_serology",
            "bone_marrow",
            "cd19_flow",
            "csf",
            "icans_assessment",
            "survival_estimate",
        ),
        optional=("pregnancy_test", "contraception"),
        logs=(
            "informed_consent",
            "prior_transplant",
            "prior_therapy",
            "medical_history",
            "con_meds",
            "eligibility",
        ),
    ),
    VisitDef(
        "APH",
        "Apheresis",
        "单采",
        "ENROL",
        days=1,
        after=13,
        forms=("vital_signs", "haematology"),
        optional=("chemistry", "pulmonary", "ecog", "survival_estimate"),
        logs=("apheresis", "eligibility", "chain_of_identity"),
    ),
    VisitDef(
        "LD-5",
        "Lymphodepletion, Day -5",
        "清淋 第-5天",
        "LD",
        days=-5,
        before=1,
        after=1,
        forms=("vital_signs", *BLOOD),
        optional=(
            "pregnancy_test",
            "pulmonary",
            "ecog",
            "echo",
            "viral_serology",
            "survival_estimate",
            "bone_marrow",
        ),
        logs=("lymphodepletion", "eligibility"),
    ),
    VisitDef(
        "LD-4",
        "Lymphodepletion, Day -4",
        "清淋 第-4天",
        "LD",
        days=-4,
        before=1,
        after=1,
        forms=("vital_signs", *BLOOD),
        logs=("lymphodepletion",),
    ),
    VisitDef(
        "LD-3",
        "Lymphodepletion, Day -3",
        "清淋 第-3天",
        "LD",
        days=-3,
        before=1,
        after=1,
        forms=("vital_signs", *BLOOD),
        logs=("lymphodepletion",),
    ),
    # The specification gives the two days of rest no window; one day either side, as for lymphodepletion.
    VisitDef(
        "D-2",
        "Day -2",
        "第-2天",
        "LD",
        days=-2,
        before=1,
        after=1,
        forms=("vital_signs",),
        logs=("con_meds",),
    ),
    VisitDef(
        "D-1",
        "Day -1",
        "第-1天",
        "LD",
        days=-1,
        before=1,
        after=1,
        forms=("vital_signs",),
        logs=("con_meds",),
    ),
    VisitDef(
        "D0",
        "Day 0, infusion",
        "第0天 回输",
        "D0",
        forms=("dose_allocation", *WATCH, *KINETICS, *CYTOKINES),
        optional=("pulmonary", "ecog", "chemistry", "ecg", "pregnancy_test", "survival_estimate"),
        logs=("infusion", "eligibility", "chain_of_identity"),
        basis=Basis.REGISTRY,
    ),
    VisitDef("D1", "Day 1", "第1天", "D0", days=1, forms=(*INPATIENT, *KINETICS, *CYTOKINES)),
    VisitDef("D2", "Day 2", "第2天", "D0", days=2, forms=INPATIENT),
    VisitDef("D3", "Day 3", "第3天", "D0", days=3, forms=(*INPATIENT, *CYTOKINES)),
    VisitDef("D4", "Day 4", "第4天", "D0", days=4, forms=(*INPATIENT, *KINETICS)),
    VisitDef("D5", "Day 5", "第5天", "D0", days=5, forms=(*INPATIENT, *CYTOKINES)),
    VisitDef("D6", "Day 6", "第6天", "D0", days=6, forms=INPATIENT),
    VisitDef("D7", "Day 7", "第7天", "D0", days=7, forms=(*INPATIENT, *KINETICS, *CYTOKINES)),
    VisitDef("D8", "Day 8", "第8天", "D0", days=8, forms=(*WATCH, *BLOOD), optional=CLOTTING),
    VisitDef("D9", "Day 9", "第9天", "D0", days=9, forms=WATCH, optional=(*BLOOD, *CLOTTING)),
    VisitDef(
        "D10",
        "Day 10",
        "第10天",
        "D0",
        days=10,
        forms=(*WATCH, *BLOOD, *KINETICS, *CYTOKINES),
        optional=CLOTTING,
    ),
    VisitDef("D11", "Day 11", "第11天", "D0", days=11, forms=WATCH, optional=(*BLOOD, *CLOTTING)),
    VisitDef("D12", "Day 12", "第12天", "D0", days=12, forms=(*WATCH, *BLOOD), optional=CLOTTING),
    VisitDef("D13", "Day 13", "第13天", "D0", days=13, forms=WATCH, optional=(*BLOOD, *CLOTTING)),
    VisitDef(
        "D14",
        "Day 14",
        "第14天",
        "D0",
        days=14,
        forms=(*WATCH, *BLOOD, *KINETICS, *CYTOKINES, *B_CELLS),
        optional=CLOTTING,
    ),
    VisitDef(
        "D17",
        "Day 17",
        "第17天",
        "D0",
        days=17,
        before=1,
        after=1,
        forms=(*BLOOD, *KINETICS, *CYTOKINES),
        optional=TOXICITY,
    ),
    VisitDef(
        "D21",
        "Day 21",
        "第21天",
        "D0",
        days=21,
        before=2,
        after=2,
        forms=(*BLOOD, *CLOTTING, *KINETICS, *CYTOKINES, *TOXICITY),
        optional=B_CELLS,
    ),
    VisitDef(
        "D28",
        "Day 28",
        "第28天",
        "D0",
        days=28,
        before=2,
        after=2,
        forms=(
            "vital_signs",
            "ecg",
            "ecog",
            *BLOOD,
            *CLOTTING,
            "urinalysis",
            "bone_marrow",
            "csf",
            *KINETICS,
            *CYTOKINES,
            *B_CELLS,
            "response",
            "dlt_assessment",
        ),
        optional=(*TOXICITY, "pregnancy_test"),
        logs=("adverse_event", "con_meds"),
    ),
    VisitDef(
        "M2",
        "Month 2",
        "第2个月",
        "D0",
        months=2,
        before=7,
        after=7,
        forms=(*BLOOD, *KINETICS, *B_CELLS, "response"),
        optional=("bone_marrow", "pregnancy_test"),
    ),
    VisitDef(
        "M3",
        "Month 3",
        "第3个月",
        "D0",
        months=3,
        before=7,
        after=7,
        forms=(
            *BLOOD,
            *CLOTTING,
            "vital_signs",
            "ecog",
            "bone_marrow",
            *KINETICS,
            *B_CELLS,
            "response",
            "survival_ltfu",
        ),
        optional=("csf", "pregnancy_test"),
        logs=("adverse_event",),
        basis=Basis.REGISTRY,
    ),
    VisitDef(
        "M6",
        "Month 6",
        "第6个月",
        "D0",
        months=6,
        before=14,
        after=14,
        forms=(*BLOOD, "bone_marrow", *KINETICS, *B_CELLS, "response", "survival_ltfu"),
    ),
    VisitDef(
        "M9",
        "Month 9",
        "第9个月",
        "D0",
        months=9,
        before=14,
        after=14,
        forms=(*BLOOD, *KINETICS, *B_CELLS, "response"),
        optional=("bone_marrow", "survival_ltfu"),
    ),
    VisitDef(
        "M12",
        "Month 12",
        "第12个月",
        "D0",
        months=12,
        before=14,
        after=14,
        forms=(*BLOOD, "bone_marrow", *KINETICS, *B_CELLS, "response", "survival_ltfu"),
        optional=("contraception",),
    ),
    VisitDef(
        "M15",
        "Month 15",
        "第15个月",
        "D0",
        months=15,
        before=30,
        after=30,
        forms=LATE_VISIT,
        optional=AS_NEEDED,
    ),
    VisitDef(
        "M18",
        "Month 18",
        "第18个月",
        "D0",
        months=18,
        before=30,
        after=30,
        forms=(*LATE_VISIT, *B_CELLS),
        optional=("pk_sample", "bone_marrow", "response"),
    ),
    VisitDef(
        "M21",
        "Month 21",
        "第21个月",
        "D0",
        months=21,
        before=30,
        after=30,
        forms=LATE_VISIT,
        optional=AS_NEEDED,
    ),
    VisitDef(
        "M24",
        "Month 24",
        "第24个月",
        "D0",
        months=24,
        before=30,
        after=30,
        forms=(*LATE_VISIT, *B_CELLS),
        optional=("pk_sample", "bone_marrow", "response"),
    ),
    *(
        VisitDef(
            f"Y{year}",
            f"Year {year}",
            f"第{year}年",
            "D0",
            months=12 * year,
            before=60,
            after=60,
            forms=("survival_ltfu",),
            optional=("pk_sample",),
        )
        for year in range(3, 16)
    ),
    VisitDef(
        "UNSCHED",
        "Unscheduled",
        "计划外访视",
        "",
        optional=(
            *WATCH,
            *BLOOD,
            *CLOTTING,
            "urinalysis",
            "ecg",
            "echo",
            "pulmonary",
            "ecog",
            "viral_serology",
            "pregnancy_test",
            "contraception",
            "bone_marrow",
            "cd19_flow",
            "csf",
            *KINETICS,
            *CYTOKINES,
            *B_CELLS,
            "response",
            "survival_ltfu",
        ),
    ),
)

# Bridging and manufacturing are phases between apheresis and lymphodepletion, not visits: their forms are
# logs.
LOGS: tuple[LogDef, ...] = (
    LogDef("informed_consent", "ICF", expected=True),
    LogDef("eligibility", "ICF", expected=True),
    LogDef("prior_therapy", "ICF", expected=True),
    LogDef("prior_transplant", "ICF"),
    LogDef("medical_history", "ICF"),
    LogDef("con_meds", "ICF"),
    LogDef("transfusion", "ICF"),
    LogDef("adverse_event", "ICF"),
    LogDef("apheresis", "ENROL", expected=True),
    LogDef("chain_of_identity", "APH", expected=True),
    LogDef("manufacturing", "APH", expected=True),
    LogDef("bridging", "APH"),
    LogDef("lymphodepletion", "LD", expected=True),
    LogDef("infusion", "D0", expected=True),
    LogDef("subsequent_therapy", "D0"),
    LogDef("protocol_deviation", "ICF"),
    LogDef("end_of_study", "ICF"),
    LogDef("death", "ICF"),
)

# When an optional form is asked for. A form may stand here and still be required at other visits.
CONDITIONS: dict[str, str] = {
    "pregnancy_test": T("women of childbearing potential", "有生育能力的女性"),
    "contraception": T("subjects who can conceive or father a child", "有生育能力的受试者"),
    "bone_marrow": T("when indicated; always at relapse", "有指征时;复发时必做"),
    "cd19_flow": T("always at relapse", "复发时必做"),
    "csf": T("when clinically indicated", "有临床指征时"),
    "echo": T("when the last is older than 28 days", "距上次检查超过28天时"),
    "viral_serology": T("when the last is older than 28 days", "距上次检查超过28天时"),
    "chemistry": T("when the last is older than 7 days, or every other day", "距上次检查超过7天时,或隔日"),
    "haematology": T("every other day", "隔日"),
    "ecog": T("when the last is older than 7 days", "距上次评估超过7天时"),
    "pulmonary": T("when eligibility is confirmed again", "再次确认入选资格时"),
    "survival_estimate": T("when eligibility is confirmed again", "再次确认入选资格时"),
    "crs_assessment": T("while CRS lasts, and on any fever", "CRS持续期间及任何发热时"),
    "icans_assessment": T("while ICANS lasts", "ICANS持续期间"),
    "pk_sample": T("while the transgene is detectable", "CAR转基因可检出期间"),
}

UNSCHEDULED = "UNSCHED"
SURVIVAL = "survival_ltfu"
VISITS: dict[str, VisitDef] = {visit.code: visit for visit in SCHEDULE}
VISIT_CODES = CodeList("CL_VISIT", tuple((visit.code, visit.en, visit.zh) for visit in SCHEDULE))
_NUMBERED = re.compile(r"^UNSCHED-([2-9]|[1-9][0-9]{1,2})$", re.ASCII)


def occasion(code: str) -> int:
    """Which unscheduled visit a code names: UNSCHED is the first, UNSCHED-2 the second; 0 for any other code."""
    if code == UNSCHEDULED:
        return 1
    found = _NUMBERED.match(code)
    return int(found[1]) if found else 0


def unscheduled(number: int) -> str:
    """The code of the subject's unscheduled visit of this number, counted from 1."""
    return UNSCHEDULED if number == 1 else f"{UNSCHEDULED}-{number}"


@dataclass(frozen=True)
class Schedule:
    """The schedule of one protocol version: visits in the order of time, logs, and timepoints within visits."""

    version: str
    visits: tuple[VisitDef, ...]
    logs: tuple[LogDef, ...]
    timepoints: tuple[Timepoint, ...]

    @cached_property
    def by_code(self) -> dict[str, VisitDef]:
        """The planned visits by code; an unscheduled visit stands here once."""
        return {visit.code: visit for visit in self.visits}

    def visit(self, code: str) -> VisitDef | None:
        """The visit of a code, UNSCHED-2 and the like included; None for a code that names no visit."""
        known = self.by_code.get(code)
        number = occasion(code)
        if known is not None or number == 0:
            return known
        first = self.by_code[UNSCHEDULED]
        return replace(first, code=code, en=f"{first.en} {number}", zh=f"{first.zh} {number}")

    def points(self, visit: str, form: str = "") -> tuple[Timepoint, ...]:
        """The timepoints of a visit, perhaps of one form only."""
        return tuple(p for p in self.timepoints if p.visit == visit and form in ("", p.form))


def _widened(visits: tuple[VisitDef, ...], **days: int) -> tuple[VisitDef, ...]:
    """The visits with the windows of some widened (or narrowed) to so many days on either side."""
    return tuple(
        replace(visit, before=days[visit.code], after=days[visit.code]) if visit.code in days else visit
        for visit in visits
    )


V1 = Schedule("1.0", SCHEDULE, LOGS, TIMEPOINTS)
# Amendment 1, for demonstration: invented, no sponsor wrote it.
V2 = Schedule("2.0", _widened(SCHEDULE, D17=2, D28=4, M2=10, M3=10, M24=14), LOGS, TIMEPOINTS)
SCHEDULES: dict[str, Schedule] = {V1.version: V1, V2.version: V2}
"""One schedule per protocol version that changed it."""


def schedule_of(version: str) -> Schedule:
    """The schedule of a protocol version; a version that states none of its own keeps that of 1.0."""
    return SCHEDULES.get(version, V1)


def visit_of(code: str) -> VisitDef | None:
    """The visit that a code names, UNSCHED-2 and the like included; None for a code that names no visit."""
    return V1.visit(code)


def is_visit(code: str) -> bool:
    """Whether a code names a visit."""
    return code in VISITS or occasion(code) > 0


def visit_rank(code: str) -> tuple[int, int]:
    """Where a visit's code stands in a list; unknown codes come last."""
    planned = list(VISITS)
    base = UNSCHEDULED if occasion(code) else code
    return (planned.index(base) if base in VISITS else len(planned), occasion(code))


@dataclass(frozen=True)
class Anchors:
    """The days of one subject that the schedule hangs on, on the calendar of the site; None while not known.

    `d0` is the site's calendar day of the first infusion. After `death_or_withdrawal` nothing is expected; after
    `survival_only`, the day on which assessments were withdrawn, only the visits that ask for survival are.
    """

    icf: date | None = None
    enrol: date | None = None
    apheresis: date | None = None
    planned_d0: date | None = None
    d0: date | None = None
    death_or_withdrawal: date | None = None
    survival_only: date | None = None

    def day(self, anchor: Anchor) -> date | None:
        """The day of an anchor. Lymphodepletion hangs on the planned Day 0, else on Day 0."""
        return {
            "ICF": self.icf,
            "ENROL": self.enrol,
            "APH": self.apheresis,
            "LD": self.planned_d0 or self.d0,
            "D0": self.d0,
        }.get(anchor)


@dataclass(frozen=True)
class VisitWindow:
    """When one visit of one subject lies: all three days are None while its anchor is not known.

    `expected` is False for a visit that nobody may ask for: an unscheduled one, or one whose window was still
    open when the subject died or withdrew. `survival_only`: of its forms only the survival follow-up is asked for.
    """

    code: str
    nominal: date | None = None
    low: date | None = None
    high: date | None = None
    expected: bool = True
    survival_only: bool = False

    def asked(self, forms: tuple[str, ...]) -> tuple[str, ...]:
        """Which of these forms may still be asked for at the visit."""
        return tuple(form for form in forms if form == SURVIVAL) if self.survival_only else forms


class State(StrEnum):
    """Where a visit that has not taken place stands today."""

    NOT_DUE = "NOT_DUE"
    DUE = "DUE"
    OVERDUE = "OVERDUE"


def visit_windows(anchors: Anchors, schedule: Schedule = V1) -> tuple[VisitWindow, ...]:
    """The window of every visit of a schedule, in its order."""
    return tuple(visit_window(visit, anchors) for visit in schedule.visits)


def visit_window(visit: VisitDef, anchors: Anchors) -> VisitWindow:
    """The window of one visit."""
    start = anchors.day(visit.anchor)
    if start is None:
        expected, only = _expected(visit, anchors, None)
        return VisitWindow(visit.code, expected=bool(visit.anchor) and expected, survival_only=only)
    nominal = add_months(start, visit.months) if visit.months else start + timedelta(days=visit.days)
    low, high = nominal - timedelta(days=visit.before), nominal + timedelta(days=visit.after)
    return VisitWindow(visit.code, nominal, low, high, *_expected(visit, anchors, high))


def _expected(visit: VisitDef, anchors: Anchors, high: date | None) -> tuple[bool, bool]:
    """Whether a visit is expected, and whether for survival alone. A window still open at the end counts as after."""

    def beyond(end: date | None) -> bool:
        return end is not None and (high is None or high > end)

    if beyond(anchors.death_or_withdrawal):
        return False, False
    if not beyond(anchors.survival_only):
        return True, False
    survives = SURVIVAL in (*visit.forms, *visit.optional) and bool(visit.anchor)
    return survives and SURVIVAL in visit.forms, survives


def state(window: VisitWindow, today: date) -> State:
    """Whether a visit that has not taken place is not due, due or overdue on `today`, a day at the site."""
    if not window.expected or window.low is None or window.high is None or today < window.low:
        return State.NOT_DUE
    return State.DUE if today <= window.high else State.OVERDUE


def in_window(window: VisitWindow, actual: date | None) -> bool | None:
    """Whether a visit took place within its window, both ends included; None when that cannot be told."""
    if actual is None or window.low is None or window.high is None:
        return None
    return window.low <= actual <= window.high


def required_forms(visit_code: str) -> tuple[str, ...]:
    """Names of the forms required at a visit. Raises KeyError for a code that is not in the schedule."""
    return VISITS[visit_code].forms


def optional_forms(visit_code: str) -> tuple[str, ...]:
    """Names of the forms asked for only under a condition. Raises KeyError for an unknown code."""
    return VISITS[visit_code].optional
