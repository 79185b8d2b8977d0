"""Approving readings of the registry record: name and password are given anew, and each reading is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from entry.signing import SignatureRefused, meanings_for, person_signing
from entry.words import plainly
from review.history_page import STUDY_ZONE, role_name
from review.shown import clock
from trial import audit
from trial.access import Act, Actor, require
from trial.ambiguity import BY_ID, READINGS, Reading
from trial.ambiguity_models import ReadingApproval, approvals
from trial.dates import utc_now
from trial.findings import Problem
from trial.protocol import PROTOCOLS
from trial.text import T


@dataclass(frozen=True)
class Listed:
    """One reading as its page shows it: with the value of its setting in each protocol version, and who approved it."""

    reading: Reading
    values: list[tuple[str, str, str]]
    approvals: list[tuple[str, str, str]]


def register() -> list[Listed]:
    """Every reading with its approvals. Call inside `audit.reading`."""
    approved = approvals()
    return [
        Listed(
            one,
            _values(one.key),
            [(a.name, role_name(a.role), clock(a.approved_at, STUDY_ZONE)) for a in approved.get(one.id, [])],
        )
        for one in READINGS
    ]


def _values(key: str) -> list[tuple[str, str, str]]:
    """The setting in each version of the protocol, with its basis."""
    if not key:
        return []
    found: list[tuple[str, Any]] = [(v, getattr(p, key)) for v, p in PROTOCOLS.items()]
    return [(version, _short(sourced.value), str(sourced.basis.label)) for version, sourced in found]


def _short(value: Any) -> str:
    text = plainly(value)
    return text if len(text) <= 120 else text[:119] + "…"


def may_approve(by: Actor) -> bool:
    """Whether the actor's role approves readings."""
    return any(one.code == "READING" for one in meanings_for("reading", by))


def approve(
    ids: Sequence[str], *, by: Actor, username: str, password: str, request: HttpRequest
) -> list[ReadingApproval]:
    """Approve readings as they stand. Those this person approved already are left alone.

    Raises Forbidden or SignatureRefused. A wrong password counts towards the lock-out of the account.
    """
    require(by, Act.SIGN)
    if not may_approve(by):
        raise SignatureRefused(Problem("reading", "not_yours", T(
            "Your role does not approve readings. The medical monitor and the investigator do.",
            "您的角色不能批准解读。请由医学监查员或主要研究者批准。",
        )))  # fmt: skip
    chosen = [BY_ID[one] for one in dict.fromkeys(ids) if one in BY_ID]
    if not chosen:
        raise SignatureRefused(Problem("reading", "required", T(
            "Choose the readings that you approve.", "请选择要批准的解读。"
        )))  # fmt: skip
    person_signing(by, username, password, request)
    with audit.transaction(by, "readings approved"):
        mine = set(ReadingApproval.objects.filter(person_id=by.person_id).values_list("reading", "digest"))
        made = [_approval(one, by) for one in chosen if (one.id, one.digest) not in mine]
        for one in made:
            one.save(force_insert=True)
    return made


def _approval(reading: Reading, by: Actor) -> ReadingApproval:
    return ReadingApproval(
        reading=reading.id,
        reading_version=reading.version,
        digest=reading.digest,
        person_id=by.person_id,
        name=by.name,
        role=by.role,
        approved_at=utc_now(),
    )
