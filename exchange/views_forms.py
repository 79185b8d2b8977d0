"""The addresses of every form: one list view and two record views serve them all, one address per form."""

from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from entry.door import Saved, set_lock
from exchange.catalogue import EVERY, form_summary
from exchange.filters import FORM_FILTERS, PAGING, where_of
from exchange.incoming import MOST_REASON, Sent, sent_of
from exchange.jsontext import dumps
from exchange.lists import history_answer, listing, one_answer
from exchange.operation import Op
from exchange.problems import pointer, problem_of_header
from exchange.schemas import ANY, change_ref, entry_ref, list_of, record_ref, records_ref, versions_ref
from exchange.shapes import rows_of
from exchange.view import ApiView, Param, body_of, json_answer, object_of, seen_version, text_header
from exchange.writes import correct, create, idempotency_key, record_of, retract
from safety.forms import FORMS
from subjects.crf import CRF
from trial.access import Act
from trial.findings import Doubt
from trial.record import LOCK
from trial.text import T

REASON = {"type": "object", "properties": {"reason": {"type": "string"}}, "additionalProperties": False}
LOCKING = {
    "type": "object",
    "properties": {
        "state": {
            "type": "string",
            "enum": list(LOCK.codes),
            "description": "; ".join(f"{code} = {en} / {zh}" for code, en, zh in LOCK.rows),
        },
        "reason": {"type": "string", "maxLength": MOST_REASON},
    },
    "required": ["state"],
    "additionalProperties": False,
}


class FormsView(ApiView):
    """The forms of the study."""

    tag = "catalogue"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("The forms of the study", "研究表单列表", list_of(ANY))}

    def get(self, request: Request) -> HttpResponse:
        """Every form: name, title, how often it repeats, where its records are."""
        return json_answer(dumps([form_summary(model) for model in EVERY]))


class RecordsView(ApiView):
    """The records of one form."""

    model: type[CRF] = FORMS[0]  # each address sets its own
    tag = "forms"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Records of the form", "该表单的记录", records_ref, formats=True),
        "POST": Op("Enter a record", "录入记录", record_ref, entry_ref, 201, ("Idempotency-Key", "X-Reason")),
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.ENTER}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (*(f.param for f in FORM_FILTERS), *PAGING)}

    def get(self, request: Request) -> HttpResponseBase:
        """The records, in pages or as a stream."""
        return listing(
            request,
            self.actor,
            rows_of(self.model),
            where_of(FORM_FILTERS, request.query_params),
            self.model.form,
        )

    def post(self, request: Request) -> HttpResponse:
        """A new record: 201 with its address, or 200 when this Idempotency-Key made it before."""
        key = idempotency_key(text_header(request, "Idempotency-Key"))
        sent = _sent(self.model, request)
        made = create(self.actor, self.model, sent, key)
        response = _saved(self, made.saved, 201 if made.fresh else 200)
        response["Location"] = f"{request.path}{made.saved.record.pk}/"
        return response


class RecordView(ApiView):
    """One record of a form."""

    model: type[CRF] = FORMS[0]  # each address sets its own
    tag = "forms"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("One record", "单条记录", record_ref),
        "PATCH": Op(
            "Correct what is sent", "更正所发送的项目", record_ref, change_ref, 200, ("If-Match", "X-Reason")
        ),
        "PUT": Op(
            "Replace every answer", "替换全部答案", record_ref, change_ref, 200, ("If-Match", "X-Reason")
        ),
        "DELETE": Op(
            "Retract with a reason", "说明原因并撤销", record_ref, REASON, 200, ("If-Match", "X-Reason")
        ),
    }
    acts: ClassVar[dict[str, Act]] = {"PUT": Act.ENTER, "PATCH": Act.ENTER, "DELETE": Act.ENTER}

    def get(self, request: Request, key: str) -> HttpResponse:
        """The record as it stands, with its version as ETag."""
        return one_answer(self.actor, self.model, key)

    def patch(self, request: Request, key: str) -> HttpResponse:
        """Change only what is sent."""
        return self._correct(request, key, replace=False)

    def put(self, request: Request, key: str) -> HttpResponse:
        """Replace every answer: what is not sent becomes empty."""
        return self._correct(request, key, replace=True)

    def delete(self, request: Request, key: str) -> HttpResponse:
        """Retract the record; it stays readable, struck out."""
        record = record_of(self.actor, self.model, key)
        seen = seen_version(request)
        has_body = request.META.get("CONTENT_LENGTH", "") not in ("", "0")
        body = body_of(request, ("reason",)) if has_body else {}
        reason = sent_of(self.model, body).reason or _reason(request)
        return _saved(self, retract(self.actor, record, reason.strip(), seen), 200)

    def _correct(self, request: Request, key: str, replace: bool) -> HttpResponse:
        record = record_of(self.actor, self.model, key)
        seen = seen_version(request)
        sent = _sent(self.model, request)
        return _saved(self, correct(self.actor, record, sent, seen, replace), 200)


class RecordHistoryView(ApiView):
    """Every version of one record."""

    model: type[CRF] = FORMS[0]  # each address sets its own
    tag = "forms"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Every version of the record", "记录的全部版本", versions_ref)}

    def get(self, request: Request, key: str) -> HttpResponse:
        """The versions, oldest first."""
        return history_answer(self.actor, self.model, key)


class RecordLockView(ApiView):
    """The lock of one record."""

    model: type[CRF] = FORMS[0]  # each address sets its own
    tag = "forms"
    ops: ClassVar[dict[str, Op]] = {
        "POST": Op(
            "Freeze, lock or open the record; 409 when it is in that state already",
            "冻结、锁定或开放该记录;若已处于该状态则返回 409",
            record_ref,
            LOCKING,
            200,
            ("If-Match", "X-Reason"),
        )
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.LOCK}

    def post(self, request: Request, key: str) -> HttpResponse:
        """Another lock state, with its reason; no answer changes."""
        record = record_of(self.actor, self.model, key)
        seen = seen_version(request)
        body = body_of(request, ("state", "reason"))
        reason = sent_of(self.model, {k: v for k, v in body.items() if k == "reason"}).reason
        set_lock(record, body.get("state", ""), by=self.actor, reason=reason or _reason(request), seen=seen)
        return one_answer(self.actor, self.model, key)


def _sent(model: type[CRF], request: Request) -> Sent:
    sent = sent_of(model, object_of(request))
    sent.reason = sent.reason or _reason(request)
    return sent


def _reason(request: Request) -> str:
    reason = text_header(request, "X-Reason")
    if len(reason) > MOST_REASON or not reason.isprintable():
        said = T(
            f"X-Reason holds at most {MOST_REASON} printable characters.",
            f"X-Reason 最多 {MOST_REASON} 个可打印字符。",
        )
        raise problem_of_header("X-Reason", "unreadable", said)
    return reason


def _saved(view: Any, saved: Saved, status: int) -> HttpResponse:
    """The record as it now stands, with what the save asks about."""
    doubts = [_doubt(one) for one in saved.doubts]
    return one_answer(view.actor, view.model, str(saved.record.pk), status, doubts=doubts)


def _doubt(one: Doubt) -> dict[str, str]:
    """What a saved answer is asked about; the same text stands in the query that was opened."""
    return {
        "pointer": pointer(one.field),
        "field": one.field,
        "check": one.check,
        "detail": str(one.message),
        "value": one.value,
        "limit": one.limit,
    }
