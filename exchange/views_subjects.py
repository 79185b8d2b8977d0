"""Subjects and their visits."""

from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from entry.door import NotFound, Rejected, create_subject
from exchange import visits
from exchange.filters import (
    AFTER,
    PAGING,
    SITE,
    SUBJECT_FILTERS,
    SUBJECT_LIMIT,
    VISIT,
    after_of,
    limit_of,
    where_of,
)
from exchange.jsontext import dumps
from exchange.lists import history_answer, listing, next_link, one_answer
from exchange.operation import Op
from exchange.schemas import ANY, list_of, versions_ref
from exchange.shapes import rows_of
from exchange.sql import Where
from exchange.subject_facts import PROPERTIES, derived
from exchange.view import ApiView, Param, body_of, json_answer, text_header
from exchange.writes import idempotency_key, subject_of
from subjects.crf import Subject
from trial import audit
from trial.access import Act, Actor
from trial.findings import Problem
from trial.integrity import history_model
from trial.models import Site
from trial.text import T

NEW_SUBJECT = {
    "type": "object",
    "properties": {
        "subjid": {
            "type": "string",
            "pattern": r"^\d{2,4}-\d{3}$",
            "description": "Screening number / 筛选号",
        },
        "site": {"type": "string", "description": "Site code / 中心编号"},
    },
    "required": ["subjid", "site"],
    "additionalProperties": False,
}


class SubjectsView(ApiView):
    """The subjects of the token's sites."""

    tag = "subjects"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Subjects", "受试者", list_of(ANY), formats=True),
        "POST": Op("Enter a subject", "录入受试者", ANY, NEW_SUBJECT, 201, ("Idempotency-Key",)),
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.ENROL}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (*(f.param for f in SUBJECT_FILTERS), *PAGING)}

    def get(self, request: Request) -> HttpResponseBase:
        """The subjects, in pages or as a stream."""
        return listing(
            request, self.actor, rows_of(Subject), where_of(SUBJECT_FILTERS, request.query_params), "subjects"
        )

    def post(self, request: Request) -> HttpResponse:
        """A new subject under its screening number."""
        key = idempotency_key(text_header(request, "Idempotency-Key"))
        body = body_of(request, ("subjid", "site"))
        subjid, site = _text(body, "subjid"), _site_of(self.actor, _text(body, "site"))
        subject, status = _enter(self.actor, subjid, site, key)
        response = one_answer(self.actor, Subject, str(subject.pk), status)
        response["Location"] = f"{request.path}{subject.pk}/"
        return response


def _text(body: dict[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > 40:
        said = T(f"“{name}” is needed, as a text.", f"需要“{name}”,且应为文本。")
        raise Rejected([Problem(name, "required", said, str(value or "")[:40])])
    return value


def _site_of(actor: Actor, code: str) -> Site:
    """A site of the actor by its code. Raises NotFound for any other, existing or not."""
    site = Site.objects.filter(code=code, pk__in=actor.sites).first()
    if site is None:
        raise NotFound
    return site


def _enter(actor: Actor, subjid: str, site: Site, key: str) -> tuple[Subject, int]:
    """The new subject and 201; with a key, the subject this person entered under that number before and 200."""
    try:
        return create_subject(subjid, site, by=actor), 201
    except Rejected as refused:
        mine = (
            _entered_by(actor, subjid) if key and any(p.code == "taken" for p in refused.problems) else None
        )
        if mine is None:
            raise
        return mine, 200


def _entered_by(actor: Actor, subjid: str) -> Subject | None:
    with audit.reading(actor):
        subject = Subject.objects.filter(subjid=subjid).first()
        first = {"version": 1, "history_user_id": actor.person_id}
        if subject is None or not history_model(Subject).objects.filter(id=subject.pk, **first).exists():
            return None
        return subject


ONE_SUBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"derived": {"type": "object", "properties": PROPERTIES}},
}


class SubjectView(ApiView):
    """One subject, by number or id."""

    tag = "subjects"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("One subject", "单个受试者", ONE_SUBJECT)}

    def get(self, request: Request, key: str) -> HttpResponse:
        """The subject with its version as ETag, and what follows from its records as `derived`."""
        subject = subject_of(self.actor, key)
        with audit.reading(self.actor):
            facts = derived(subject)
        return one_answer(self.actor, Subject, str(subject.pk), derived=facts)


class SubjectHistoryView(ApiView):
    """Every version of one subject's own row."""

    tag = "subjects"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Every version of the subject's row", "受试者记录的全部版本", versions_ref)
    }

    def get(self, request: Request, key: str) -> HttpResponse:
        """The versions, oldest first."""
        return history_answer(self.actor, Subject, str(subject_of(self.actor, key).pk))


class SubjectVisitsView(ApiView):
    """The schedule of one subject."""

    tag = "visits"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("The subject's visits", "该受试者的访视", list_of(visits.SCHEMA))
    }

    def get(self, request: Request, key: str) -> HttpResponse:
        """Every visit: its window and when it took place."""
        subject = subject_of(self.actor, key)
        with audit.reading(self.actor):
            return json_answer(dumps(visits.of_subjects([subject.pk])))


class VisitsView(ApiView):
    """The schedule of every subject."""

    tag = "visits"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Visits of all subjects", "全部受试者的访视", list_of(visits.SCHEMA))
    }
    params: ClassVar[dict[str, tuple[Param, ...]]] = {
        "GET": (
            SUBJECT_FILTERS[0].param,
            SITE.param,
            VISIT.param,
            SUBJECT_LIMIT,
            AFTER,
        )
    }

    def get(self, request: Request) -> HttpResponse:
        """A page of `limit` subjects, each with all its visits (or the one asked for)."""
        params, limit = request.query_params, limit_of(request.query_params)
        after = after_of(params, "uuid")
        where = where_of((SUBJECT_FILTERS[0], SITE), params)
        VISIT.narrow(Where(), params["visit"]) if "visit" in params else None
        with audit.reading(self.actor):
            keys = visits.subject_keys(where, after, limit + 1)
            rows = visits.of_subjects(keys[:limit])
        wanted = [row for row in rows if params.get("visit", row["visit"]) == row["visit"]]
        response = json_answer(dumps(wanted))
        if len(keys) > limit:
            response["Link"] = next_link(request, after=str(keys[limit - 1]))
        return response
