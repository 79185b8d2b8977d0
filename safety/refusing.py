"""What an enrolment hold refuses, and whom it does not concern: who was let in, or dosed, before it was raised.

A hold stops new enrolments and doses. Whoever was enrolled before goes on to be recorded, corrected and signed: a
correction makes an old signature stale, and to refuse its renewal would leave the record wrong, not the trial safer.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from dosing.models import Apheresis, Infusion, Lymphodepletion
from safety.holds import EnrolmentHold, standing
from subjects.models import Eligibility, Signature
from trial.findings import Problem
from trial.text import T

_TREATED: tuple[tuple[type[Any], str], ...] = (
    (Apheresis, "aph_start_dt"),
    (Lymphodepletion, "admin_dt"),
    (Infusion, "inf_start_dt"),
)


def enrolment_refused(subject_id: UUID) -> Problem | None:
    """Why this subject is not let in now; None while no hold stands, or where it was enrolled before."""
    hold = standing().first()
    return None if hold is None or _enrolled(subject_id, hold.raised_at) else _why(hold)


def dose_refused(subject_id: UUID) -> Problem | None:
    """Why no dose is allocated to this subject now; None while no hold stands, or where it was infused before."""
    hold = standing().first()
    return (
        None if hold is None or _begun(Infusion, "inf_start_dt", subject_id, hold.raised_at) else _why(hold)
    )


def _enrolled(subject_id: UUID, until: datetime) -> bool:
    """Whether by then the investigator had signed that the subject is eligible, or its treatment had begun."""
    given = Signature.objects.filter(subject_id=subject_id, meaning="ELIGIBILITY", signed_at__lt=until)
    for record, version in given.values_list("record_id", "record_version"):
        if Eligibility.history.filter(id=record, version=version, overall="ELIGIBLE").exists():
            return True
    return any(_begun(form, field, subject_id, until) for form, field in _TREATED)


def _begun(form: type[Any], field: str, subject_id: UUID, until: datetime) -> bool:
    standing_rows = form._default_manager.filter(subject_id=subject_id, retracted=False, not_done=False)
    return bool(standing_rows.filter(**{f"{field}__lt": until}).exists())


def _why(hold: EnrolmentHold) -> Problem:
    said = T(
        f"Enrolment is on hold since {hold.raised_at:%Y-%m-%d} ({hold.get_cause_display()}). No subject is enrolled or "
        "allocated a dose until the medical monitor has signed a review that lifts it; see the page of holds.",
        f"自 {hold.raised_at:%Y-%m-%d} 起暂停入组({hold.get_cause_display()})。在医学监查员签署解除暂停的评审之前,"
        "不得入组或分配剂量;详见暂停入组页。",
    )
    return Problem("", "enrolment_hold", said, rule="7.5")
