"""Derived values: each with its method and every answer it rests on; and the remission rate of the study."""

from collections import defaultdict
from decimal import Decimal
from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from exchange.filters import DERIVATION_FILTERS, PAGING, where_of
from exchange.jsontext import dumps
from exchange.lists import listing
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.shapes import rows_of
from exchange.view import ApiView, Param, json_answer
from exchange.writes import subject_of
from safety.derive.response import CITATION, exact_interval
from safety.derived.every import DERIVATIONS
from safety.derived.vocabulary import GROUPS
from safety.models import Derivation
from trial import audit
from trial.ambiguity import readings_of
from trial.ambiguity_models import provisional

PLACES = Decimal("0.000001")


class DerivationsView(ApiView):
    """Every derived value of the token's sites."""

    tag = "derivations"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Derived values", "衍生值", list_of(ANY), formats=True)}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {
        "GET": (*(f.param for f in DERIVATION_FILTERS), *PAGING)
    }

    def get(self, request: Request) -> HttpResponseBase:
        """The derived values, in pages or as a stream."""
        where = where_of(DERIVATION_FILTERS, request.query_params)
        return listing(request, self.actor, rows_of(Derivation), where, "derivations")


class SubjectDerivedView(ApiView):
    """What follows from the data of one subject, as its page shows it."""

    tag = "derivations"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("The subject's derived values by group", "该受试者的衍生值(按组)", ANY)
    }

    def get(self, request: Request, key: str) -> HttpResponse:
        """Every derivation with how it is done, its units, and each value with its inputs."""
        subject = subject_of(self.actor, key)
        with audit.reading(self.actor):
            rows = list(
                Derivation.objects.filter(subject_id=subject.pk, stands=True).order_by("name", "on", "key")
            )
            open_ = provisional()
        by_name: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            by_name[row.name].append(row)
        told = [
            {
                **described(name),
                "provisional": open_.get(name, []),
                "values": [_value(r) for r in by_name[name]],
            }
            for name in DERIVATIONS
            if by_name[name]
        ]
        return json_answer(dumps({"subject": subject.subjid, "subject_id": subject.pk, "derivations": told}))


def described(name: str) -> dict[str, Any]:
    """How something is derived, as the dictionary and the subject's answer tell it."""
    how = DERIVATIONS[name]
    en, zh = GROUPS[how.group]
    return {
        "name": how.name,
        "title": {"en": how.en, "zh": how.zh},
        "group": {"code": how.group, "en": en, "zh": zh},
        "text": how.text,
        "method": how.method,
        "basis": str(how.basis),
        "cites": how.cites,
        "reads": sorted(form.form for form in how.reads),
        "readings": [one.id for one in readings_of(name)],
        "says": [
            {"name": s.name, "label": {"en": s.en, "zh": s.zh}, "unit": s.unit or None} for s in how.says
        ],
    }


def _value(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "key": row.key or None,
        "form": row.form or None,
        "record": row.record_id,
        "on": row.on,
        "value": row.value,
        "differs": row.differs,
        "method": row.method,
        "protocol_version": row.protocol_version,
        "inputs": row.inputs,
        "input_hash": row.input_hash,
        "computed_at": row.computed_at.isoformat(),
    }


class DerivedDictionaryView(ApiView):
    """What is derived, how, and what each value means."""

    tag = "catalogue"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Dictionary of derived values", "衍生值字典", list_of(ANY))}

    def get(self, request: Request) -> HttpResponse:
        """Every derivation with its method, source, the forms it reads and the values it gives."""
        return json_answer(dumps([described(name) for name in DERIVATIONS]))


class ResponseSummaryView(ApiView):
    """The overall remission rate within three months."""

    tag = "derivations"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Overall remission rate, in all and per dose level", "总缓解率(总体及各剂量水平)", ANY)
    }

    def get(self, request: Request) -> HttpResponse:
        """Responders among the infused of the token's sites, with the exact 95 % interval; by derived response, and by
        the investigators'."""
        with audit.reading(self.actor):
            rows = Derivation.objects.filter(name="best_response", stands=True).values_list(
                "value", flat=True
            )
            values = list(rows)
            open_ = provisional().get("best_response", [])
        by_level: dict[str, list[Any]] = defaultdict(list)
        for value in values:
            by_level[value["level"] or ""].append(value)
        levels = [{"level": level or None, **rate(by_level[level])} for level in sorted(by_level)]
        how = DERIVATIONS["best_response"]
        body = {"overall": rate(values), "levels": levels, "method": how.method, "cites": [how.cites, CITATION],
                "text": how.text, "basis": str(how.basis), "provisional": open_}  # fmt: skip
        return json_answer(dumps(body))


def rate(values: list[Any]) -> dict[str, Any]:
    """How many responded, of how many, with the exact interval; null while nobody was infused."""
    infused = len(values)
    counts = {
        best: sum(1 for v in values if v["best"] == best)
        for best in ("CR", "CRi", "NR", "PD", "RELAPSE", "NE")
    }
    return {
        "infused": infused,
        **_proportion(sum(1 for v in values if v["responder"]), infused),
        "confirmed": sum(1 for v in values if v["confirmed"]),
        "best": counts,
        "by_investigator": _proportion(sum(1 for v in values if v["investigator_responder"]), infused),
    }


def _proportion(events: int, subjects: int) -> dict[str, Any]:
    if not subjects:
        return {"responders": 0, "rate": None, "low": None, "high": None}
    low, high = exact_interval(events, subjects)
    told = (Decimal(events) / subjects, low, high)
    rate_, low, high = (one.quantize(PLACES) for one in told)
    return {"responders": events, "rate": rate_, "low": low, "high": high}
