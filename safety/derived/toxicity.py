"""CRS and ICANS: the ASTCT grade of every assessment, and the episodes they make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from safety.casebook import Casebook
from safety.derived.vocabulary import Derived, Input, Says, derivation, inputs
from safety.grading import crs, icans
from safety.grading import episodes as course_of
from safety.grading.course import TREATS_FEVER, crs_course, icans_course
from safety.grading.episodes import Assessed, Episode, episodes
from subjects.models import Death
from trial.dates import Span, local_day, span_of
from trial.protocol import Protocol
from visits.calc import ICE_ITEMS
from visits.models import ConMeds, CrsAssessment, IcansAssessment

CRS_FIELDS = (
    *("assess_dt", "temp_c", "fever_other_cause", "hypotension", "vasopressors", "hypoxia"),
    *("oxygen_device", "o2_flow_lpm", "ppv_reason"),
)
ICANS_FIELDS = (
    *("assess_dt", *ICE_ITEMS, "unable_reason", "consciousness", "seizure"),
    *("motor_weakness_focal", "edema", "attributable"),
)
DRUG_FIELDS = ("drug_class", "start_dt", "end_dt", "ongoing")
AGAINST_IT = (
    "TOCILIZUMAB",
    "CORTICOSTEROID",
    "SILTUXIMAB",
    "ANAKINRA",
    "RUXOLITINIB",
    "VASOPRESSOR",
    "ANTIPYRETIC",
)
GRADE_SAYS = (
    Says("grade", "Grade", "分级"),
    Says("investigator", "Grade by the investigator", "研究者判定分级"),
    Says("agrees", "Both agree", "两者一致"),
)
EPISODE_SAYS = (
    Says("number", "Number of the episode", "次序"),
    Says("onset", "Onset", "开始日期"),
    Says("worst", "Worst grade", "最高分级"),
    Says("over", "Last day", "结束日期"),
    Says("seen_over", "Two clear days were seen", "已见连续两日为0级"),
    Says("days", "Duration", "持续天数", "day"),
    Says("hours_severe", "Time at grade 3 or above", "3级及以上持续时间", "h"),
    Says("severe_open", "Time at grade 3 or above still open", "3级及以上时间未闭合"),
    Says("treatment", "Treatment given for it", "针对性治疗"),
)


@dataclass(frozen=True)
class Graded:
    """One toxicity of a subject: the rows, their grades, and death by it."""

    rows: Sequence[Any]
    grades: dict[UUID, int | None]
    died: Span | None
    death: tuple[Input, ...]


def _crs(book: Casebook, protocol: Protocol) -> Graded:
    died, death = _death(book, "CRS")
    rows = [row for row in book.of(CrsAssessment) if row.assess_dt]
    return Graded(rows, crs_course(rows, book.of(ConMeds), book.zone, protocol, died), died, death)


def _icans(book: Casebook) -> Graded:
    died, death = _death(book, "ICANS")
    rows = [row for row in book.of(IcansAssessment) if row.assess_dt]
    return Graded(rows, icans_course(rows, book.zone, died), died, death)


def grades_of(book: Casebook, form: type[Any], protocol: Protocol) -> dict[UUID, int | None]:
    """The grade of every dated assessment of one of the two forms, None where it cannot be told."""
    return (_crs(book, protocol) if form is CrsAssessment else _icans(book)).grades


def _death(book: Casebook, cause: str) -> tuple[Span | None, tuple[Input, ...]]:
    """The day of death by this cause, and where it stands."""
    row = next((one for one in book.of(Death) if one.primary_cause == cause and one.death_date), None)
    if row is None:
        return None, ()
    return span_of(row.death_date, book.zone), inputs(Death, row, "death_date", "primary_cause")


def compared(row: Any, grade: int | None) -> dict[str, Any]:
    """A grade beside the investigator's; only a form that is complete says something."""
    said = row.investigator_grade if row.status == "COMPLETE" else None
    return {
        "grade": grade,
        "investigator": said,
        "agrees": None if grade is None or said is None else grade == said,
    }


@derivation(
    "crs_grade",
    en="CRS grade",
    zh="CRS分级",
    group="TOXICITY",
    method=crs.VERSION,
    basis=crs.BASIS,
    cites=crs.CITATION,
    reads=(CrsAssessment, ConMeds, Death),
    says=GRADE_SAYS,
)
def crs_grades(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """The grade of each assessment: fever not due to another cause, then the worse of circulation and breathing. Once
    the fever of an episode was treated (antipyretic or anti-cytokine within the hours before an assessment), the rest
    of it needs none. The last assessment on the day of a death by CRS is grade 5."""
    found = _crs(book, protocol)
    for row in found.rows:
        value = compared(row, found.grades[row.pk])
        drugs = _drugs(book, TREATS_FEVER, local_day(row.assess_dt, book.zone))
        seen = inputs(CrsAssessment, row, *CRS_FIELDS, "investigator_grade")
        yield Derived(
            str(row.pk), value, (*seen, *drugs, *found.death), book.day(row.assess_dt),
            "crs_assessment", row.pk, value["agrees"] is False,
        )  # fmt: skip


@derivation(
    "icans_grade",
    en="ICANS grade",
    zh="ICANS分级",
    group="TOXICITY",
    method=icans.VERSION,
    basis=icans.BASIS,
    cites=icans.CITATION,
    reads=(IcansAssessment, Death),
    says=(Says("ice", "ICE score", "ICE总分"), *GRADE_SAYS),
)
def icans_grades(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """The grade of each assessment: the worst of ICE score, consciousness, seizure, motor findings and oedema that is
    not due to another cause. The last assessment on the day of a death by ICANS is grade 5."""
    found = _icans(book)
    for row in found.rows:
        value = {"ice": icans.ice_total(row), **compared(row, found.grades[row.pk])}
        seen = inputs(IcansAssessment, row, *ICANS_FIELDS, "investigator_grade")
        yield Derived(
            str(row.pk), value, (*seen, *found.death), book.day(row.assess_dt),
            "icans_assessment", row.pk, value["agrees"] is False,
        )  # fmt: skip


@derivation(
    "crs_episode",
    en="CRS episode",
    zh="CRS发作",
    group="TOXICITY",
    method=crs.VERSION,
    basis=course_of.BASIS,
    cites=course_of.CITATION,
    reads=(CrsAssessment, ConMeds, Death),
    says=EPISODE_SAYS,
)
def crs_episodes(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Assessments of grade 1 or more without a longer gap than permitted make one episode. It is over on the first of
    two days in a row of grade 0; where that was not seen, on its last day of grade 1 or more. Time at grade 3 or above
    carries each assessment forward to the next."""
    yield from _episodes(book, protocol, _crs(book, protocol), CrsAssessment, "CRS")


@derivation(
    "icans_episode",
    en="ICANS episode",
    zh="ICANS发作",
    group="TOXICITY",
    method=icans.VERSION,
    basis=course_of.BASIS,
    cites=course_of.CITATION,
    reads=(IcansAssessment, ConMeds, Death),
    says=EPISODE_SAYS,
)
def icans_episodes(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """As episodes of CRS."""
    yield from _episodes(book, protocol, _icans(book), IcansAssessment, "ICANS")


def _episodes(book: Casebook, protocol: Protocol, found: Graded, form: Any, name: str) -> Iterator[Derived]:
    graded = []
    for row in found.rows:
        grade = found.grades[row.pk]
        if grade is not None:
            graded.append(Assessed(row.pk, row.assess_dt, local_day(row.assess_dt, book.zone), grade))
    rows = {row.pk: row for row in found.rows}
    for number, one in enumerate(episodes(graded, protocol, found.died), start=1):
        drugs = _given_for(book, one, name)
        seen = tuple(part for a in one.assessments for part in _graded(form, rows[a.key], name, a.grade))
        fatal = found.death if one.worst == course_of.FATAL else ()
        taken = tuple(part for drug in drugs for part in inputs(ConMeds, drug, "drug", *DRUG_FIELDS))
        yield Derived(
            str(one.assessments[0].key), _said(number, one, drugs), (*seen, *taken, *fatal), one.onset,
            form.form, one.assessments[0].key,
        )  # fmt: skip


def _graded(form: Any, row: Any, name: str, grade: int) -> tuple[Input, ...]:
    """An assessment as an episode rests on it: when it was, the investigator's grade, the derived one."""
    derived = Input(form.form, row.pk, f"derived:{name.lower()}_grade", str(grade), row.version)
    return (*inputs(form, row, "assess_dt", "investigator_grade"), derived)


def _said(number: int, one: Episode, drugs: Sequence[Any]) -> dict[str, Any]:
    treatment = [{"drug": d.drug, "class": d.drug_class, "start": d.start_dt} for d in drugs]
    return {
        "number": number,
        "onset": one.onset,
        "worst": one.worst,
        "over": one.over,
        "seen_over": one.seen_over,
        "days": one.days,
        "hours_severe": one.hours_severe,
        "severe_open": one.severe_open,
        "treatment": treatment,
        "grades": [{"at": a.moment, "grade": a.grade} for a in one.assessments],
    }


def _given_for(book: Casebook, one: Episode, name: str) -> list[Any]:
    """The drugs given for this toxicity that were begun between its first and its last day."""
    found = [
        drug
        for drug in book.of(ConMeds)
        if drug.indication == name and drug.drug_class in AGAINST_IT
        if (start := span_of(drug.start_dt, book.zone)) is not None
        if start.last >= one.onset and start.first <= one.over
    ]
    return sorted(found, key=lambda drug: (drug.start_dt, drug.sequence))


def _drugs(book: Casebook, classes: Sequence[str], until: date) -> tuple[Input, ...]:
    """Drugs of these classes that may have been begun by that day."""
    rows = [
        drug
        for drug in book.of(ConMeds)
        if drug.drug_class in classes
        if (start := span_of(drug.start_dt, book.zone)) is None or start.first <= until
    ]
    return tuple(part for drug in rows for part in inputs(ConMeds, drug, *DRUG_FIELDS))
