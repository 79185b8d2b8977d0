"""Enrolment holds over the API: read them; the medical monitor reviews and signs with the person's own name and password."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from entry.door import NotFound, Rejected
from entry.holding import review
from exchange.filters import is_uuid
from exchange.jsontext import dumps
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.view import ApiView, body_of, json_answer, seen_version
from safety.holds import CAUSE, HOLD_DECISION, EnrolmentHold, HoldReview
from subjects.crf import Subject
from trial import audit
from trial.access import Act, Actor
from trial.findings import Problem
from trial.text import T, both

_TOLD = ("decision", "rationale", "username", "password")
REVIEW = {
    "type": "object",
    "properties": {
        "decision": {"type": "string", "enum": list(HOLD_DECISION.codes)},
        "rationale": {"type": "string"},
        "username": {"type": "string"},
        "password": {"type": "string", "format": "password"},
    },
    "required": list(_TOLD),
    "additionalProperties": False,
}


def _told(hold: EnrolmentHold, subjects: dict[Any, Subject], reviews: list[HoldReview]) -> dict[str, Any]:
    """A hold as an object. Subject and evidence only where the subject may be seen."""
    subject = subjects.get(hold.subject_id)
    return {
        "id": str(hold.pk),
        "version": hold.version,
        "cause": hold.cause,
        "title": both(CAUSE.label(hold.cause)),
        "subject": subject.subjid if subject else None,
        "evidence": hold.evidence if subject else None,
        "protocol_version": hold.protocol_version,
        "raised_at": hold.raised_at.isoformat(),
        "lifted_at": hold.lifted_at.isoformat() if hold.lifted_at else None,
        "reviews": [
            {"id": str(one.pk), "decision": one.decision, "rationale": one.rationale}
            for one in reviews
            if one.hold_id == hold.pk
        ],
    }


def _all(actor: Actor) -> list[dict[str, Any]]:
    with audit.reading(actor):
        rows = list(EnrolmentHold.objects.order_by("-raised_at"))
        subjects = Subject.objects.in_bulk({one.subject_id for one in rows})
        reviews = list(HoldReview.objects.filter(retracted=False).order_by("entered_at"))
    return [_told(one, subjects, reviews) for one in rows]


class HoldsView(ApiView):
    """The holds of the trial."""

    tag = "holds"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Enrolment holds", "暂停入组", list_of(ANY))}

    def get(self, request: Request) -> HttpResponse:
        """The newest first; one without `lifted_at` stands."""
        return json_answer(dumps(_all(self.actor)))


class HoldReviewView(ApiView):
    """A review of one hold."""

    tag = "holds"
    ops: ClassVar[dict[str, Op]] = {
        "POST": Op(
            "Review a hold and sign the review", "评审暂停入组并签署", ANY, REVIEW, headers=("If-Match",)
        )
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.SIGN}

    def post(self, request: Request, key: str) -> HttpResponse:
        """The hold after the review; with the decision LIFT it is lifted."""
        if not is_uuid(key):
            raise NotFound
        seen, body = seen_version(request), body_of(request, _TOLD)
        problems = [
            Problem(name, "required", T(f"“{name}” is needed, as a text.", f"需要“{name}”,且应为文本。"))
            for name in _TOLD
            if not isinstance(body.get(name), str)
        ]
        if problems:
            raise Rejected(problems)
        hold = review(UUID(key), **body, by=self.actor, seen=seen, request=request._request)
        return json_answer(dumps(next(one for one in _all(self.actor) if one["id"] == str(hold.pk))))
