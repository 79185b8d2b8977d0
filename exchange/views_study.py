"""The addresses of the forms of the study itself: the same contract as a subject's forms, with a site for a subject."""

from typing import Any, ClassVar

from django.db import IntegrityError
from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from entry.study_door import retract_study_form, save_study_form, set_study_lock
from entry.verdicts import NotFound, Rejected, Saved
from exchange.filters import CHANGED, PAGING, SITE, is_uuid, where_of
from exchange.incoming import Sent, apply, sent_of
from exchange.lists import doubts_of, listing, one_answer
from exchange.operation import Op
from exchange.schemas import change_ref, entry_ref, record_ref, records_ref
from exchange.shapes import rows_of
from exchange.view import ApiView, Param, body_of, object_of, seen_version, text_header
from exchange.views_forms import LOCKING, REASON, RecordHistoryView
from exchange.views_signatures import RecordSignaturesView
from exchange.writes import idempotency_key, key_id, replayed
from safety.forms import STUDY_FORMS
from subjects.crf import StudyForm
from trial import audit
from trial.access import Act, Actor
from trial.fields import uuid7
from trial.findings import Problem
from trial.models import Site
from trial.sites import zone_of
from trial.text import T

_HEADERS = ("If-Match", "X-Reason")


class StudyRecordsView(ApiView):
    """The records of one form of the study."""

    model: type[StudyForm] = STUDY_FORMS[0]  # each address sets its own
    tag = "forms"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Records of the form", "该表单的记录", records_ref, formats=True),
        "POST": Op("Enter a record", "录入记录", record_ref, entry_ref, 201, ("Idempotency-Key", "X-Reason")),
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.STUDY}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (SITE.param, CHANGED.param, *PAGING)}

    def get(self, request: Request) -> HttpResponseBase:
        """The records, in pages or as a stream."""
        where = where_of((SITE, CHANGED), request.query_params)
        return listing(request, self.actor, rows_of(self.model), where, self.model.form)

    def post(self, request: Request) -> HttpResponse:
        """A new record: 201 with its address, or 200 when this Idempotency-Key made it before."""
        key = idempotency_key(text_header(request, "Idempotency-Key"))
        body = dict(object_of(request))
        site = _site(self.actor, body.pop("site", None))
        record: Any = self.model(site=site, status="DRAFT")
        record.pk = key_id(self.actor, self.model.form, key) if key else uuid7()
        sent = _sent(self.model, body, request)
        apply(record, sent, zone_of(site.pk), replace=False)
        if key and replayed(self.actor, record) is not None:
            return one_answer(self.actor, self.model, str(record.pk), 200, doubts=[])
        try:
            saved = save_study_form(record, by=self.actor, reason=sent.reason)
        except IntegrityError:  # the same key twice at once: the other one made it
            if not key or replayed(self.actor, record) is None:
                raise
            return one_answer(self.actor, self.model, str(record.pk), 200, doubts=[])
        response = _answer(self, saved, 201)
        response["Location"] = f"{request.path}{record.pk}/"
        return response


class StudyRecordView(ApiView):
    """One record of a form of the study."""

    model: type[StudyForm] = STUDY_FORMS[0]  # each address sets its own
    tag = "forms"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("One record", "单条记录", record_ref),
        "PATCH": Op("Correct what is sent", "更正所发送的项目", record_ref, change_ref, 200, _HEADERS),
        "PUT": Op("Replace every answer", "替换全部答案", record_ref, change_ref, 200, _HEADERS),
        "DELETE": Op("Retract with a reason", "说明原因并撤销", record_ref, REASON, 200, _HEADERS),
    }
    acts: ClassVar[dict[str, Act]] = {"PUT": Act.STUDY, "PATCH": Act.STUDY, "DELETE": Act.STUDY}

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
        record, seen = _record(self.actor, self.model, key), seen_version(request)
        has_body = request.META.get("CONTENT_LENGTH", "") not in ("", "0")
        sent = _sent(self.model, body_of(request, ("reason",)) if has_body else {}, request)
        if not sent.reason.strip():
            said = T("Say why, in X-Reason or as “reason”.", "请在 X-Reason 或 “reason” 中说明原因。")
            raise Rejected([Problem("reason", "required", said)])
        return _answer(self, retract_study_form(record, by=self.actor, reason=sent.reason, seen=seen), 200)

    def _correct(self, request: Request, key: str, replace: bool) -> HttpResponse:
        record, seen = _record(self.actor, self.model, key), seen_version(request)
        sent = _sent(self.model, dict(object_of(request)), request)
        apply(record, sent, zone_of(record.site_id), replace)
        return _answer(self, save_study_form(record, by=self.actor, reason=sent.reason, seen=seen), 200)


class StudyRecordLockView(ApiView):
    """The lock of one record."""

    model: type[StudyForm] = STUDY_FORMS[0]  # each address sets its own
    tag = "forms"
    ops: ClassVar[dict[str, Op]] = {
        "POST": Op(
            "Freeze, lock or open the record", "冻结、锁定或开放该记录", record_ref, LOCKING, 200, _HEADERS
        )
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.LOCK}

    def post(self, request: Request, key: str) -> HttpResponse:
        """Another lock state, with its reason; no answer changes."""
        record, seen = _record(self.actor, self.model, key), seen_version(request)
        body = body_of(request, ("state", "reason"))
        sent = _sent(self.model, {k: v for k, v in body.items() if k == "reason"}, request)
        set_study_lock(record, body.get("state", ""), by=self.actor, reason=sent.reason, seen=seen)
        return one_answer(self.actor, self.model, key)


class StudyRecordSignaturesView(RecordSignaturesView):
    """The signatures of one record of the study."""

    def record(self, key: str) -> Any:
        """The record of the actor's sites. Raises NotFound."""
        return _record(self.actor, self.model, key)  # type: ignore[arg-type]  # the address sets a form of the study


class StudyRecordHistoryView(RecordHistoryView):
    """Every version of one record of the study."""


def _site(actor: Actor, code: Any) -> Site:
    """The site a record concerns: named by its code, or the only one of the actor. Raises Rejected or NotFound."""
    sites = Site.objects.filter(pk__in=actor.sites).order_by("code")
    if code is None and len(sites) == 1:
        return sites[0]
    if not isinstance(code, str) or not code:
        said = T("Say which site it concerns: “site”: “01”.", "请说明所属中心:“site”: “01”。")
        raise Rejected([Problem("site", "required", said, limit="01")])
    site = next((one for one in sites if one.code == code), None)
    if site is None:
        raise NotFound
    return site


def _sent(model: type[StudyForm], body: dict[str, Any], request: Request) -> Sent:
    stray = [name for name in ("subject", "visit") if name in body]
    if stray:
        said = T(
            "This form concerns the study, not a subject or a visit. Leave it out.",
            "本表属于研究本身,不属于受试者或访视。请去掉。",
        )
        raise Rejected([Problem(name, "unknown_item", said) for name in stray])
    form: Any = model
    sent = sent_of(form, body)
    sent.reason = sent.reason or text_header(request, "X-Reason")
    return sent


def _there(actor: Actor, model: type[StudyForm], key: str) -> Any:
    with audit.reading(actor):
        return model._default_manager.select_related("site").filter(pk=key).first()


def _record(actor: Actor, model: type[StudyForm], key: str) -> Any:
    """A record of the actor's sites. Raises NotFound."""
    record = _there(actor, model, key) if is_uuid(key) else None
    if record is None:
        raise NotFound
    return record


def _answer(view: Any, saved: Saved, status: int) -> HttpResponse:
    return one_answer(view.actor, view.model, str(saved.record.pk), status, doubts=doubts_of(saved))
