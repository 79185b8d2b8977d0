"""Which milestones are judged of a subject, as of which day each is, and which checklist was signed for it."""

from datetime import date
from typing import Any

from dosing.models import Manufacturing
from safety import calendar
from safety.casebook import Casebook
from safety.eligibility.evaluate import MILESTONES
from safety.milestones import READS as STEPS
from safety.milestones import Reached, aphereses, enrolment, infusion, lymphodepletion
from subjects.crf import CRF
from subjects.models import Eligibility

READS: tuple[type[CRF], ...] = tuple(dict.fromkeys((*calendar.READS, *STEPS, Manufacturing)))


def in_reach(book: Casebook) -> tuple[str, ...]:
    """The milestones in reach: consent, enrolment, cells collected, lymphodepletion begun; or a checklist is there."""
    begun = lymphodepletion(book) or infusion(book)
    collected = aphereses(book) or book.of(Manufacturing)
    signs = (book.consent_day, enrolment(book), collected, begun)
    listed = {row.milestone for row in book.of(Eligibility)}
    last = max(
        (at for at, name in enumerate(MILESTONES) if signs[at] or name in listed),
        default=-1,
    )
    return MILESTONES[: last + 1]


def checklist(book: Casebook, milestone: str) -> Any | None:
    """The investigator's newest complete checklist of a milestone."""
    rows = [row for row in book.of(Eligibility) if row.milestone == milestone and row.status == "COMPLETE"]
    return max(rows, key=lambda row: (row.assessed_date or date.min, row.sequence), default=None)


def signed(book: Casebook, milestone: str) -> Any | None:
    """The investigator's signature that still stands for the milestone's checklist."""
    row = checklist(book, milestone)
    return book.signed(row, "ELIGIBILITY", "investigator") if row is not None else None


def as_of(book: Casebook, milestone: str) -> date:
    """The day a milestone is judged on: that of its checklist; else of the step it stands before; else today.

    A subject who left the study is judged as of that day.
    """
    row = checklist(book, milestone)
    if row is not None and row.assessed_date:
        day: date = min(row.assessed_date, book.today)
        return day
    known = [day for day in (_step(book, milestone), calendar.left_on(book)) if day is not None]
    return min((*known, book.today))


def _step(book: Casebook, milestone: str) -> date | None:
    """The first step of the treatment that lies behind the milestone."""
    place = MILESTONES.index(milestone)
    steps: tuple[Reached | None, ...] = (*aphereses(book), lymphodepletion(book), infusion(book))
    days = [one.day for one in steps if one is not None and MILESTONES.index(one.milestone) >= place]
    return min(days, default=None)
