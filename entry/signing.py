"""Signing a record: name and password are given anew, the record is as it was seen, and the meaning is said."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest

from entry.door import NotFound, Stale, lock_subject
from safety import refusing
from safety.doorbell import ring
from safety.eligibility import stored
from subjects.signature import MEANINGS, Meaning, Signature, content_digest
from trial import audit, entitlement
from trial.access import Act, Actor, require
from trial.dates import utc_now
from trial.findings import Problem
from trial.text import T


class SignatureRefused(Exception):
    """The signature cannot be given; nothing was written."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


def meanings_for(form: str, by: Actor) -> list[Meaning]:
    """What this actor may sign a record of this form with."""
    if not by.may(Act.SIGN):
        return []
    return [one for one in MEANINGS.values() if one.fits(form) and by.role in one.roles]


def sign(
    record: Any, meaning: str, *, by: Actor, username: str, password: str, seen: int, request: HttpRequest
) -> Signature:
    """Sign a complete record at the version that was seen.

    Raises Forbidden, NotFound, Stale or SignatureRefused. A wrong password counts towards the lock-out of the account.
    """
    require(by, Act.SIGN)
    told = next((one for one in meanings_for(record.form, by) if one.code == meaning), None)
    if meaning not in MEANINGS:
        raise SignatureRefused(_no_meaning(meaning))
    if told is None:
        raise SignatureRefused(_not_yours(meaning))
    person_signing(by, username, password, request)
    return write_signature(record, told, by=by, seen=seen)


def write_signature(
    record: Any, told: Meaning, *, by: Actor, seen: int, at: datetime | None = None
) -> Signature:
    """Write the signature of a person who has been recognised: the second half of `sign`, and never called without it
    but by the demonstration, whose people are invented and signed on the days of their stories (`at`).

    Raises NotFound, Stale or SignatureRefused; PermissionError when a study that is real is told the time.
    """
    if at is not None and settings.ENV not in ("demo", "test"):
        raise PermissionError("a signature bears the time at which it is given")
    with audit.transaction(by, told.en):
        if getattr(record, "subject_id", None) is not None:
            lock_subject(record.subject_id)
        current = type(record)._default_manager.select_for_update().filter(pk=record.pk).first()
        if current is None or not by.at(current.site_id):
            raise NotFound
        if current.version != seen:
            raise Stale(current, seen, {})
        if current.status != "COMPLETE" or current.retracted:
            raise SignatureRefused(_not_complete())
        if told.code == "ELIGIBILITY":
            _stop_unless_eligible(current)
        if told.code in APPROVALS:
            _stop_while_on_hold(current, told.code)
        made = Signature(
            subject_id=getattr(current, "subject_id", None),
            site_id=current.site_id,
            form=current.form,
            record_id=current.pk,
            record_version=current.version,
            digest=content_digest(current),
            meaning=told.code,
            person_id=by.person_id,
            name=by.name,
            role=by.role,
            signed_at=at or utc_now(),
        )
        made.save(force_insert=True)
        if told.code == "ELIGIBILITY":
            stored.refresh(current.subject_id)  # the set keeps the evidence as it was signed
    ring()
    return made


def person_signing(by: Actor, username: str, password: str, request: HttpRequest) -> None:
    """Make sure that the actor may sign and is there in person. Raises SignatureRefused; a wrong password counts."""
    missing = entitlement.lacking(by.person_id)
    if missing:
        raise SignatureRefused(_not_entitled(missing[0]))
    recognise(by, username, password, request)


def recognise(by: Actor, username: str, password: str, request: HttpRequest) -> None:
    """Make sure that the actor in person is there. Raises SignatureRefused; a wrong password counts, an empty one does
    not: nothing was guessed."""
    if not username or not password:
        raise SignatureRefused(_wrong_password())
    person = authenticate(request, username=username, password=password)
    if getattr(request, "axes_locked_out", False):
        request.axes_locked_out = False  # type: ignore[attr-defined]  # this page answers, not the sign-in page
        raise SignatureRefused(_locked_out())
    if person is None or person.pk != by.person_id:
        raise SignatureRefused(_wrong_password())


APPROVALS: dict[str, Callable[[UUID], Problem | None]] = {
    "ELIGIBILITY": refusing.enrolment_refused,
    "ALLOCATION": refusing.dose_refused,
}
"""The signatures that let a subject in, or to a dose, and what a hold says to each."""


def _stop_while_on_hold(current: Any, meaning: str) -> None:
    """While a stopping rule holds enrolment nobody is let in; what keeps a subject out can be signed."""
    if getattr(current, "overall", "ELIGIBLE") != "ELIGIBLE":
        return
    held = APPROVALS[meaning](current.subject_id)
    if held is not None:
        raise SignatureRefused(replace(held, field="meaning"))


def _stop_unless_eligible(current: Any) -> None:
    """A checklist that says eligible is signed only where the data say so too; any other conclusion can be signed."""
    if current.overall != "ELIGIBLE":
        return
    evaluation = stored.evaluation_of(current.subject_id, current.milestone)
    if evaluation.overall != "ELIGIBLE":
        raise SignatureRefused(_not_eligible([one.criterion for one in stored.holding(evaluation)]))


def _not_eligible(criteria: list[str]) -> Problem:
    named = ", ".join(criteria)
    return Problem(
        "meaning",
        "not_eligible",
        T(
            f"The checklist says eligible, the data do not: {named}. There are no waivers. Enter what is missing or "
            "correct the answers; the eligibility page shows the evidence.",
            f"核对表结论为合格,但系统根据数据不能得出该结论:{named}。不允许豁免。请补录缺失数据或更正回答;证据见入选排除页。",
        ),
        named,
        rule=named,
    )


def _no_meaning(meaning: str) -> Problem:
    return Problem(
        "meaning",
        "required",
        T("Say what the signature means.", "请选择签名的含义。"),
        meaning[:40],
        ", ".join(MEANINGS),
    )


def _not_yours(meaning: str) -> Problem:
    return Problem(
        "meaning",
        "not_yours",
        T(
            "Your role cannot sign this record with that meaning. Choose one that is offered.",
            "您的角色不能以该含义签署此记录。请选择所列的含义。",
        ),
        meaning[:40],
    )


def _wrong_password() -> Problem:
    return Problem(
        "password",
        "wrong_password",
        T(
            "User name and password are not those of your account. Nothing was signed.",
            "用户名和密码与您的账户不符。未签署。",
        ),
    )


def _locked_out() -> Problem:
    return Problem(
        "password",
        "locked_out",
        T(
            "Five attempts with this user name have failed. Nothing was signed. Wait 15 minutes and try again, or ask "
            "the study administrator.",
            "该用户名已连续五次验证失败。未签署。请等待 15 分钟后重试,或联系研究管理员。",
        ),
    )


def _not_entitled(code: str) -> Problem:
    said = {
        entitlement.IDENTITY: T(
            "Your identity has not been verified yet, so you cannot sign. Ask the study administrator to check your "
            "identity document.",
            "您的身份尚未核实,不能签署。请联系研究管理员核验您的身份证件。",
        ),
        entitlement.ACCOUNTABILITY: T(
            "You have not accepted the statement of accountability yet, so you cannot sign. Accept it at /accountability.",
            "您尚未接受电子签名责任声明,不能签署。请在 /accountability 页面接受该声明。",
        ),
    }[code]
    return Problem("", code, said)


def _not_complete() -> Problem:
    return Problem(
        "status",
        "not_complete",
        T(
            "Only a complete record can be signed. Complete it first.",
            "只有已完成的记录才能签署。请先完成该表。",
        ),
    )
