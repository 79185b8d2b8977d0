"""What waits for the sites, as a list: the same content as the page of the day."""

from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from entry.worklist import KINDS, Task, worklist
from exchange import visits
from exchange.filters import AFTER, SITE, SUBJECT_FILTERS, SUBJECT_LIMIT, after_of, limit_of, where_of
from exchange.jsontext import dumps
from exchange.lists import next_link
from exchange.operation import Op, Schema
from exchange.schemas import list_of
from exchange.view import ApiView, Param, json_answer
from subjects.crf import Subject
from trial import audit

_DAY: Schema = {"type": ["string", "null"], "format": "date"}
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": list(KINDS)},
        "subject": {"type": "string"},
        "subject_id": {"type": "string", "format": "uuid"},
        "site": {"type": "string"},
        "visit": {"type": ["string", "null"]},
        "form": {"type": "string"},
        "what": {"type": "object"},
        "first": _DAY,
        "last": _DAY,
        "days": {"type": "integer", "description": "Days late, or the age of a query / 逾期天数或质疑天数"},
        "today": {"type": "string", "format": "date", "description": "The day at the site / 中心当日"},
        "page": {"type": "string", "description": "Where it is done in the browser / 浏览器中的地址"},
    },
}


class WorklistView(ApiView):
    """What is due, late, missing and asked."""

    tag = "visits"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op(
            "What waits: visits, forms, timepoints, queries", "待办:访视、表单、时间点、质疑", list_of(SCHEMA)
        )
    }
    params: ClassVar[dict[str, tuple[Param, ...]]] = {
        "GET": (
            SUBJECT_FILTERS[0].param,
            SITE.param,
            SUBJECT_LIMIT,
            AFTER,
        )
    }

    def get(self, request: Request) -> HttpResponse:
        """The tasks of a page of `limit` subjects."""
        params, limit = request.query_params, limit_of(request.query_params)
        after = after_of(params, "uuid")
        where = where_of((SUBJECT_FILTERS[0], SITE), params)
        with audit.reading(self.actor):
            keys = visits.subject_keys(where, after, limit + 1)
            tasks = worklist(list(Subject.objects.filter(pk__in=keys[:limit]).order_by("subjid")))
        response = json_answer(dumps([_row(task) for task in tasks]))
        if len(keys) > limit:
            response["Link"] = next_link(request, after=str(keys[limit - 1]))
        return response


def _row(task: Task) -> dict[str, Any]:
    return {
        "kind": task.kind,
        "subject": task.subject,
        "subject_id": task.subject_id,
        "site": task.site,
        "visit": task.visit or None,
        "form": task.form,
        "what": task.what,
        "first": task.first,
        "last": task.last,
        "days": task.days,
        "today": task.today,
        "page": task.url,
    }
