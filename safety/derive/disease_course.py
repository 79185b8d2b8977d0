"""What is known of the leukaemia on a day: in remission, active, or neither; and when it first came back.

Read from the investigator's response assessments and the long-term follow-up; a derived response never replaces them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from trial.item import Basis
from trial.protocol import Protocol

BASIS = Basis.DEFAULT
CITATION = "Clinical specification 6.8 and DV-61, DV-62: the newest assessment up to the day speaks"
ACTIVE = ("RELAPSE", "PD", "NR")
RETURNED = ("RELAPSE", "PD")


@dataclass(frozen=True)
class Observed:
    """What one record says of the leukaemia on its day: remission, active disease or (None) neither."""

    day: date
    remission: bool | None
    returned: bool
    form: str
    record: Any
    field: str
    said: str


def course(responses: Iterable[Any], contacts: Iterable[Any], protocol: Protocol) -> Sequence[Observed]:
    """Every dated statement about the leukaemia, in the order of time; of one day the worse comes last."""
    found = [
        Observed(
            row.assess_date,
            _response(row.investigator_response, protocol),
            row.investigator_response in RETURNED,
            "response",
            row.pk,
            "investigator_response",
            row.investigator_response,
        )
        for row in responses
        if row.assess_date and row.investigator_response
    ]
    found += [
        Observed(
            row.contact_date,
            {"IN_REMISSION": True, "RELAPSED": False}.get(row.disease_status),
            row.disease_status == "RELAPSED",
            "survival_ltfu",
            row.pk,
            "disease_status",
            row.disease_status,
        )
        for row in contacts
        if row.contact_date and row.disease_status
    ]
    return sorted(found, key=lambda one: (one.day, one.remission is False))


def _response(said: str, protocol: Protocol) -> bool | None:
    if said in protocol.remission.value:
        return True
    return False if said in ACTIVE else None


def state_on(seen: Sequence[Observed], day: date) -> Observed | None:
    """The newest statement up to and including the day that says remission or active disease."""
    told = [one for one in seen if one.day <= day and one.remission is not None]
    return told[-1] if told else None


def returned_on(seen: Sequence[Observed]) -> date | None:
    """The first day on which a relapse or progression is recorded."""
    return min((one.day for one in seen if one.returned), default=None)
