"""Every record of some subjects in one statement.

A line is one record: where it stands, how far it is, its date, and the few answers that an overview needs of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from safety.forms import FORMS
from subjects.crf import CRF
from trial.dates import local_day, span

TOLD: dict[str, tuple[str, ...]] = {
    "informed_consent": ("consent_type", "withdrawal_scope", "icf_version", "signed_by_subject"),
    "demographics": ("sex", "childbearing_potential", "male_fertile"),
    "vital_signs": ("timepoint",),
    "crs_assessment": ("investigator_grade",),
    "icans_assessment": ("investigator_grade",),
    "pk_sample": ("result_text",),
    "response": ("investigator_response",),
    "eligibility": ("milestone", "overall"),
    "lymphodepletion": ("planned_day",),
    "dose_allocation": ("level",),
    "end_of_study": ("phase", "reason"),
    "survival_ltfu": ("vital_status", "last_known_alive"),
    "adverse_event": ("serious", "sae_aware_dt", "term"),
    "con_meds": ("drug",),
    "medical_history": ("term",),
    "prior_therapy": ("category",),
    "chain_of_identity": ("step",),
    "manufacturing": ("batch_no",),
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

    def answers(self) -> dict[str, str]:
        """What the record tells, by the item's name; a free text stands last and may hold the separator."""
        names = TOLD.get(self.form, ())
        return dict(zip(names, self.told.split("|", max(0, len(names) - 1)), strict=False))

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


def moment_of(line: Line) -> datetime | None:
    """The moment of a record, when its time is known."""
    if len(line.dated) <= 10:
        return None
    moment = datetime.fromisoformat(line.dated)
    return moment if moment.tzinfo else None
