"""Which milestones of the study a subject has passed, when, and by which answer: consent aside, the steps of treatment.

Everything that asks whether or when a subject was enrolled asks here: the windows of visits, the criteria, the rules.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from dosing.models import Apheresis, Infusion, Lymphodepletion
from safety.casebook import Casebook
from subjects.crf import CRF
from subjects.models import Eligibility
from trial.rules import Fact

READS: tuple[type[CRF], ...] = (Eligibility, Apheresis, Lymphodepletion, Infusion)
NAMES = {
    "SCREENING": ("enrolment", "入组"),
    "PRE_APHERESIS": ("apheresis", "单采"),
    "PRE_LD": ("start of lymphodepletion", "清淋开始"),
    "PRE_INFUSION": ("infusion", "回输"),
}


@dataclass(frozen=True)
class Reached:
    """A milestone that was passed, the day and perhaps the moment of it, and the answer that says so."""

    milestone: str
    day: date
    moment: datetime | None
    form: str
    record: UUID
    field: str

    @property
    def fact(self) -> Fact:
        """The answer that says when."""
        return Fact(self.form, self.record, self.field, (self.moment or self.day).isoformat())


def enrolment(book: Casebook) -> Reached | None:
    """The enrolment: the checklist that found the subject eligible; without one, the first treatment stands for it."""
    return book.once(_enrolment)


def _enrolment(book: Casebook) -> Reached | None:
    decided = found_eligible(book)
    if decided is not None:
        return decided
    treated = [one for one in (*aphereses(book), lymphodepletion(book), infusion(book)) if one]
    first = min(treated, key=lambda one: one.day, default=None)
    return None if first is None else replace(first, milestone="SCREENING", moment=None)


def found_eligible(book: Casebook) -> Reached | None:
    """The first checklist that found the subject eligible: the enrolment as it should be."""
    rows = [row for row in book.of(Eligibility) if row.overall == "ELIGIBLE" and row.assessed_date]
    first = min(rows, key=lambda row: row.assessed_date or date.max, default=None)
    if first is None or first.assessed_date is None:
        return None
    return Reached("SCREENING", first.assessed_date, None, Eligibility.form, first.pk, "assessed_date")


def aphereses(book: Casebook) -> list[Reached]:
    """Every apheresis that was begun."""
    rows = [row for row in book.of(Apheresis) if row.aph_start_dt]
    return [_reached(book, "PRE_APHERESIS", row, "aph_start_dt") for row in rows]


def lymphodepletion(book: Casebook) -> Reached | None:
    """The first dose of lymphodepletion that was given."""
    given = [row for row in book.of(Lymphodepletion) if row.admin_dt and row.actual_mg != 0]
    first = min(given, key=lambda row: row.admin_dt, default=None)
    return None if first is None else _reached(book, "PRE_LD", first, "admin_dt")


def infusion(book: Casebook) -> Reached | None:
    """The first infusion."""
    first = next(iter(book.infusions), None)
    return None if first is None else _reached(book, "PRE_INFUSION", first, "inf_start_dt")


def _reached(book: Casebook, milestone: str, row: Any, field: str) -> Reached:
    moment = getattr(row, field)
    day = book.day(moment)
    assert day is not None
    form = {"PRE_APHERESIS": Apheresis, "PRE_LD": Lymphodepletion}.get(milestone, Infusion).form
    return Reached(milestone, day, moment, form, row.pk, field)
