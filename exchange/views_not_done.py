"""A visit that was not done, and taking that back, for a token."""

from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from entry.not_done import Group, mark, undo
from exchange.jsontext import dumps
from exchange.operation import Op, Schema
from exchange.view import ApiView, body_of, json_answer
from exchange.writes import subject_of
from trial.access import Act
from trial.codes import MISSING

FORM_: Schema = {"type": "string", "description": "One form of the visit; without it the whole visit."}
MARKING: Schema = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "enum": list(MISSING.codes)},
        "form": FORM_,
        "note": {"type": "string", "maxLength": 500},
    },
    "required": ["reason"],
    "additionalProperties": False,
}
UNDOING: Schema = {"type": "object", "properties": {"form": FORM_}, "additionalProperties": False}
ANSWER: Schema = {
    "type": "object",
    "properties": {
        "visit": {"type": "string"},
        "records": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "form": {"type": "string"},
                    "record": {"type": "string", "format": "uuid"},
                    "version": {"type": "integer"},
                    "not_done": {"type": "boolean"},
                    "retracted": {"type": "boolean"},
                },
            },
        },
    },
}


class VisitNotDoneView(ApiView):
    """A visit, or one form of it, that was not done."""

    tag = "visits"
    ops: ClassVar[dict[str, Op]] = {
        "POST": Op(
            "Mark the visit and its forms without answers as not done; all or nothing",
            "将该访视及其尚无答案的表单标记为未做;全部成功或全部不做",
            ANSWER,
            MARKING,
        )
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.ENTER}

    def post(self, request: Request, key: str, visit: str) -> HttpResponse:
        """The records that were marked."""
        body = body_of(request, ("reason", "form", "note"))
        told = {name: str(body.get(name) or "") for name in ("reason", "form", "note")}
        subject = subject_of(self.actor, key)
        group = mark(subject, visit, told["reason"], by=self.actor, form=told["form"], note=told["note"])
        return json_answer(dumps(_told(group)))


class VisitUndoView(ApiView):
    """Taking a marking back."""

    tag = "visits"
    ops: ClassVar[dict[str, Op]] = {
        "POST": Op(
            "Take the last marking back; 409 when something changed since",
            "撤回最近一次标记;若此后有更改则返回 409",
            ANSWER,
            UNDOING,
        )
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.ENTER}

    def post(self, request: Request, key: str, visit: str) -> HttpResponse:
        """The records as they stand again."""
        sent = request.META.get("CONTENT_LENGTH", "") not in ("", "0")
        form = str((body_of(request, ("form",)) if sent else {}).get("form") or "")
        return json_answer(dumps(_told(undo(subject_of(self.actor, key), visit, by=self.actor, form=form))))


def _told(group: Group) -> dict[str, Any]:
    records = [
        {
            "form": record.form,
            "record": record.pk,
            "version": record.version,
            "not_done": record.not_done,
            "retracted": record.retracted,
        }
        for record in group.records
    ]
    return {"visit": group.visit, "records": records}
