"""Signatures of records: read them, and sign with the person's own name and password."""

from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from entry.door import Rejected
from entry.signing import sign
from exchange import sql
from exchange.filters import PAGING, SIGNATURE_FILTERS, where_of
from exchange.lists import listing, one_answer
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.shapes import rows_of
from exchange.sql import Where
from exchange.view import ApiView, Param, body_of, json_answer, seen_version
from exchange.writes import record_of
from safety.forms import FORMS
from subjects.crf import CRF
from subjects.signature import MEANINGS, Signature
from trial.access import Act
from trial.findings import Problem
from trial.text import T

SIGNING = {
    "type": "object",
    "properties": {
        "meaning": {
            "type": "string",
            "enum": list(MEANINGS),
            "description": "; ".join(f"{m.code} = {m.en} / {m.zh}" for m in MEANINGS.values()),
        },
        "username": {"type": "string"},
        "password": {"type": "string", "format": "password"},
    },
    "required": ["meaning", "username", "password"],
    "additionalProperties": False,
}
MOST = 1000


class SignaturesView(ApiView):
    """Every signature of the token's sites."""

    tag = "signatures"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Signatures", "电子签名", list_of(ANY), formats=True)}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (*(f.param for f in SIGNATURE_FILTERS), *PAGING)}

    def get(self, request: Request) -> HttpResponseBase:
        """The signatures, in pages or as a stream."""
        where = where_of(SIGNATURE_FILTERS, request.query_params)
        return listing(request, self.actor, rows_of(Signature), where, "signatures")


class RecordSignaturesView(ApiView):
    """The signatures of one record."""

    model: type[CRF] = FORMS[0]  # each address sets its own
    tag = "signatures"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Signatures of the record", "该记录的电子签名", list_of(ANY)),
        "POST": Op(
            "Sign the record with user name and password",
            "以用户名和密码签署该记录",
            ANY,
            SIGNING,
            201,
            ("If-Match",),
        ),
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.SIGN}

    def record(self, key: str) -> Any:
        """The record of the actor's sites. Raises NotFound."""
        return record_of(self.actor, self.model, key)

    def get(self, request: Request, key: str) -> HttpResponse:
        """Oldest first."""
        record = self.record(key)
        where = Where(("f.record_id = %s::uuid",), (record.pk,))
        return json_answer(sql.page(self.actor, rows_of(Signature), where, MOST).body)

    def post(self, request: Request, key: str) -> HttpResponse:
        """A signature on the version in If-Match."""
        record = self.record(key)
        seen = seen_version(request)
        sent = _texts(body_of(request, ("meaning", "username", "password")))
        made = sign(record, **sent, by=self.actor, seen=seen, request=request._request)
        return one_answer(self.actor, Signature, str(made.pk), 201)


def _texts(body: dict[str, Any]) -> dict[str, str]:
    """The three texts, none empty. Raises Rejected; a password is never repeated in an answer."""
    problems = [
        Problem(name, "required", T(f"“{name}” is needed, as a text.", f"需要“{name}”,且应为文本。"))
        for name in ("meaning", "username", "password")
        if not isinstance(body.get(name), str) or not body[name]
    ]
    if body.get("meaning") not in MEANINGS and not any(p.field == "meaning" for p in problems):
        said = T(
            f"There is no such meaning; known: {', '.join(MEANINGS)}.",
            f"没有该签名含义;可用:{', '.join(MEANINGS)}。",
        )
        problems.append(Problem("meaning", "not_in_list", said, limit=", ".join(MEANINGS)))
    if problems:
        raise Rejected(problems)
    return {name: body[name] for name in ("meaning", "username", "password")}
