"""Signing a record from its page, for those whose role may."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, QueryDict

from entry.door import NotFound, Stale
from entry.seen import seen_of
from entry.signing import SignatureRefused, meanings_for, sign
from entry.submit import Outcome, changed_meanwhile, on_its_record
from trial.access import Actor

STATUS = {
    "not_complete": 409,
    "enrolment_hold": 409,
    "not_eligible": 409,
    "locked_out": 429,
    "not_yours": 403,
    "list_changed": 409,
    "identity_not_verified": 403,
    "statement_not_accepted": 403,
}


@dataclass
class Signing:
    """The small form below a record: what the signature says, whose it is, and the version that was looked at."""

    meaning: str = ""
    username: str = ""
    password: str = ""
    seen: int = 0

    @classmethod
    def sent(cls, post: QueryDict) -> "Signing":
        """What was sent."""
        return cls(
            post.get("meaning", ""), post.get("username", "").strip(), post.get("password", ""), seen_of(post)
        )


def offered(record: Any, by: Actor) -> list[tuple[str, str]]:
    """What this actor may sign the record with, as code and words; nothing while it is a draft or struck out."""
    if record.status != "COMPLETE" or record.retracted:
        return []
    own_first = sorted(meanings_for(record.form, by), key=lambda one: not one.forms)
    return [(one.code, one.label) for one in own_first]


def attempt_signature(place: Any, asked: Signing, request: HttpRequest) -> Outcome:
    """Sign, and tell what came of it. `place`: a Place of a subject's form or a StudyPlace of a form of the study."""
    record = place.record
    if record is None:
        raise Http404
    try:
        sign(
            record,
            asked.meaning,
            by=place.actor,
            username=asked.username,
            password=asked.password,
            seen=asked.seen,
            request=request,
        )
        return Outcome(place, saved=record, changed=True)
    except NotFound:
        raise Http404 from None
    except Stale as stale:
        return changed_meanwhile(place, stale)
    except SignatureRefused as refused:
        problem = replace(refused.problem, field=f"sign_{refused.problem.field}")
        status = STATUS.get(problem.code, 422)
        return on_its_record(place, record, Outcome(place, status=status, problems=[problem]))
