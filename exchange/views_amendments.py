"""Protocol versions and what one would change, over the API."""

from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from entry.door import NotFound
from exchange.jsontext import dumps
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.view import ApiView, Param, json_answer
from exchange.writes import subject_of
from safety import reconsents, whatif
from safety.casebook import casebooks
from subjects.crf import Subject
from trial import audit
from trial.models import SiteProtocol
from trial.protocol import PROTOCOLS, changed_numbers

SUBJECT = Param("subject", "Only this subject, by number or id.", "仅该受试者(编号或 id)。")


class AmendmentsView(ApiView):
    """The protocol versions."""

    tag = "protocol"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Protocol versions and approvals", "方案版本与批准", list_of(ANY))
    }

    def get(self, request: Request) -> HttpResponse:
        """Every version: title, what it changes against the one before, where it is approved."""
        with audit.reading(self.actor):
            approved = list(
                SiteProtocol.objects.filter(site_id__in=self.actor.sites).values_list(
                    "protocol_version", "site__code", "approved_on"
                )
            )
        versions = list(PROTOCOLS.values())
        return json_answer(dumps([_row(versions, place, approved) for place in range(len(versions))]))


def _row(versions: list[Any], place: int, approved: list[Any]) -> dict[str, Any]:
    one = versions[place]
    changes = changed_numbers(versions[place - 1], one) if place else []
    return {
        "version": one.version,
        "title": {"en": one.en, "zh": one.zh},
        "changes": [
            {"name": name, "before": old.value, "after": new.value, "basis": str(new.basis), "cite": new.cite}
            for name, old, new in changes
        ],
        "approved": [{"site": site, "on": day} for version, site, day in approved if version == one.version],
    }


class WhatIfView(ApiView):
    """What a version would change in today's subjects."""

    tag = "protocol"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("What a version would change today", "某版本若今日生效的影响", list_of(ANY))
    }
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (SUBJECT,)}

    def get(self, request: Request, version: str) -> HttpResponse:
        """Every verdict, window and deviation that differs; nothing is written."""
        if version not in PROTOCOLS:
            raise NotFound
        named = request.query_params.get("subject", "")
        ids = [subject_of(self.actor, named).pk] if named else None
        found = list(whatif.predict(version, by=self.actor, subject_ids=ids))
        return json_answer(dumps(whatif.as_rows(found)))


class ReconsentsView(ApiView):
    """Who has to sign a new version of the consent form."""

    tag = "protocol"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Re-consents due", "待重新签署知情同意", list_of(ANY))}

    def get(self, request: Request) -> HttpResponse:
        """Subject, version signed, version to sign, and by when."""
        with audit.reading(self.actor):
            ids = list(Subject.objects.order_by("subjid").values_list("pk", flat=True))
            found = reconsents.due(casebooks(ids, reconsents.READS))
        return json_answer(dumps([vars(one) for one in found]))
