"""What an enrolment hold stops, and how it is lifted: by a review that the medical monitor signs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from entry.signing import SignatureRefused, meanings_for, person_signing, write_signature
from entry.study_door import save_study_form
from entry.verdicts import NotFound, Rejected, Stale
from safety import banner
from safety.holds import HOLD_DECISION, EnrolmentHold, HoldReview
from subjects.signature import Meaning
from trial import audit
from trial.access import Act, Actor, Forbidden, require
from trial.dates import utc_now
from trial.findings import Problem
from trial.text import T

MEANING = "HOLD"


def review(
    key: UUID,
    decision: str,
    rationale: str,
    *,
    by: Actor,
    username: str,
    password: str,
    seen: int,
    request: HttpRequest,
) -> EnrolmentHold:
    """Record and sign a review of a hold that stands; one that says so lifts it. All of it, or nothing, is written.

    Raises Forbidden, NotFound, Stale, Rejected or SignatureRefused.
    """
    require(by, Act.SIGN)
    problems = _problems(decision, rationale)
    if problems:
        raise Rejected(problems)
    told = next((one for one in meanings_for(HoldReview.form, by) if one.code == MEANING), None)
    if told is None:
        raise Forbidden(by, Act.SIGN)
    person_signing(by, username, password, request)
    return write_review(key, decision, rationale, told, by=by, seen=seen)


def write_review(
    key: UUID, decision: str, rationale: str, told: Meaning, *, by: Actor, seen: int
) -> EnrolmentHold:
    """Write the signed review of a person who has been recognised: the second half of `review`, and never called without
    it but by the demonstration, whose people are invented. Raises NotFound, Stale, Rejected or SignatureRefused."""
    with audit.transaction(by, rationale.strip()[:500]):
        hold: EnrolmentHold = _standing(key, seen)
        record = HoldReview(
            site_id=by.sites[0],
            hold_id=hold.pk,
            decision=decision,
            rationale=rationale.strip(),
            status="COMPLETE",
        )
        saved = save_study_form(record, by=by)
        write_signature(saved.record, told, by=by, seen=saved.record.version)
        if decision == "LIFT":
            audit.give_reason(rationale.strip()[:500])
            hold.lifted_at = utc_now()
            hold.save(force_update=True)
    banner.forget()
    return hold


def _problems(decision: str, rationale: str) -> list[Problem]:
    found = []
    if decision not in HOLD_DECISION.codes:
        said = T("Choose what you decide.", "请选择决定。")
        found.append(Problem("decision", "required", said, decision[:20], ", ".join(HOLD_DECISION.codes)))
    if not rationale.strip():
        found.append(Problem("rationale", "required", T("Give the rationale.", "请填写理由。")))
    return found


def _standing(key: UUID, seen: int) -> Any:
    hold = EnrolmentHold.objects.select_for_update().filter(pk=key).first()
    if hold is None:
        raise NotFound
    if hold.version != seen:
        raise Stale(hold, seen, {})
    if hold.lifted_at is not None:
        said = T(
            "This hold is lifted already; a new event raises a new one.",
            "该暂停已解除;新的事件会产生新的暂停。",
        )
        raise Rejected([Problem("", "wrong_state", said)])
    return hold


__all__ = ["MEANING", "SignatureRefused", "review"]
