"""The ASTCT grade of CRS and ICANS assessments as they stand on a page: what is typed is graded among what is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from entry.derived import Computed
from safety.binding import binding
from safety.casebook import casebook
from safety.derived.every import DERIVATIONS
from safety.derived.toxicity import grades_of
from subjects.crf import CRF, Subject
from subjects.models import Death
from trial.text import T
from visits.models import ConMeds, CrsAssessment, IcansAssessment

GRADED: Mapping[str, tuple[str, str]] = {
    CrsAssessment.form: ("investigator_grade", "crs_grade"),
    IcansAssessment.form: ("investigator_grade", "icans_grade"),
}
"""Beside which item of a form its grade stands, and the derivation that gives it."""


def graded_item(form: str) -> str:
    """The item of a form that the grade stands beside; "" for every other form."""
    return GRADED.get(form, ("", ""))[0]


def grades(subject: Subject, model: Any, typed: Iterable[CRF] = ()) -> Mapping[UUID, int | None]:
    """The grade of every dated assessment of a subject, as it is stored once these are saved. Two round trips, however many
    are typed; call it inside `audit.reading`."""
    book, fresh = casebook(subject.pk, (model, ConMeds, Death)), {one.pk: one for one in typed}
    rows = [row for row in book.rows[model] if row.pk not in fresh]
    book = replace(book, rows={**book.rows, model: [*rows, *fresh.values()]})
    return grades_of(book, model, binding(book))


def differs(said: Any, grade: int | None) -> bool:
    """Whether the investigator says another grade."""
    return grade is not None and said not in (None, "") and str(said) != str(grade)


def computed(record: Any) -> list[Computed]:
    """The grade of a record that is being typed, as the page says it of a stored one; nothing of other forms, or while its
    moment is not known."""
    if record.form not in GRADED:
        return []
    item, name = GRADED[record.form]
    found = grades(record.subject, type(record), [record])
    if record.pk not in found:
        return []
    how, grade = DERIVATIONS[name], found[record.pk]
    words = f"{how.title}: {'–' if grade is None else grade}"
    return [Computed(words, how.method, differs(getattr(record, item), grade))]


AS_COMPUTED = T("ASTCT grade as computed", "按ASTCT计算的分级")
