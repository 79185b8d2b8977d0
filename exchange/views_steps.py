"""The site's steps on a deviation over the API: acknowledge, classify, close, justify, open again."""

import json
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from entry.deviation_steps import ANSWERS, MOST, STEPS, take
from entry.door import NotFound, Rejected
from exchange.filters import is_uuid
from exchange.lists import one_text
from exchange.operation import Op
from exchange.problems import ApiProblem
from exchange.schemas import ANY
from exchange.view import ApiView, body_of, json_answer, seen_version, text_header
from exchange.writes import idempotency_key
from safety.manual_deviations import CATEGORY, SEVERITY
from safety.models import Deviation
from trial.access import Act, Actor
from trial.findings import Problem
from trial.text import T

_TEXT = {"type": "string", "maxLength": MOST}
_YES_NO = {"type": "boolean"}
_CLASSIFIED = {
    "category": {"type": "string", "enum": list(CATEGORY.codes)},
    "cause": _TEXT,
    "severity": {"type": "string", "enum": list(SEVERITY.codes)},
    "severity_reason": _TEXT,
    "impact_subject_safety": _YES_NO,
    "impact_data": _YES_NO,
    "capa": _TEXT,
    "irb_reported_on": {"type": ["string", "null"], "format": "date"},
    "irb_not_reported_reason": _TEXT,
}


def deviation_answer(actor: Actor, key: str) -> HttpResponse:
    """One deviation with what the site said. Its ETag grows with either."""
    body, version = one_text(actor, Deviation, key)
    said: int = json.loads(body)["assessment"]["version"]
    return json_answer(body, ETag=f'"{version + said}"')


def _body(self: Any) -> dict[str, Any]:
    """The body that a step takes."""
    needed = ["category", "cause", "severity", "impact_subject_safety", "impact_data"]
    classifying = self.step == "classify"
    return {
        "type": "object",
        "properties": {"text": _TEXT, **(_CLASSIFIED if classifying else {})},
        "required": needed if classifying else ["text"] if STEPS[self.step].needs_text else [],
        "additionalProperties": False,
    }


class DeviationStepView(ApiView):
    """One step on one deviation, at the version in If-Match. Sent again with its Idempotency-Key it does nothing twice."""

    step: str = "acknowledge"  # each address sets its own
    tag = "deviations"
    ops: ClassVar[dict[str, Op]] = {
        "POST": Op(
            "Take a step on the deviation",
            "处理该偏离",
            ANY,
            _body,
            headers=("If-Match", "Idempotency-Key"),
        )
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.ASSESS}

    def post(self, request: Request, key: str) -> HttpResponse:
        """The deviation after the step."""
        if not is_uuid(key):
            raise NotFound
        token, seen = idempotency_key(text_header(request, "Idempotency-Key")), seen_version(request)
        body = body_of(request, ("text", *(ANSWERS if self.step == "classify" else ())))
        answers = _answers(body)
        own = f"{self.actor.person_id}:{token}" if token else ""
        try:
            take(UUID(key), self.step, answers, answers.pop("text"), by=self.actor, seen=seen, token=own)
        except Rejected as refused:
            if any(one.code == "other_body" for one in refused.problems):
                raise ApiProblem("other_body", refused.problems[0].message) from None
            raise
        return deviation_answer(self.actor, key)


def _answers(body: dict[str, Any]) -> dict[str, str]:
    """The answers as the step takes them. Raises Rejected for a value of another kind."""
    answers = {"text": ""}
    for name, value in body.items():
        wanted = bool if name.startswith("impact_") else str
        if value is not None and not isinstance(value, wanted):
            kind = T("true or false", "true 或 false") if wanted is bool else T("a text", "文本")
            said = T(f"“{name}” must be {kind}.", f"“{name}” 应为{kind}。")
            raise Rejected([Problem(name, "unreadable", said, str(value)[:40], str(kind))])
        answers[name] = "" if value is None else ("YES" if value else "NO") if wanted is bool else str(value)
    return answers
