"""Eligibility: what the data say of every criterion at every milestone, and the readings it rests on."""

from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from entry.eligibility import eligibility_of
from entry.eligibility_shown import Cell, Column, CriterionRow, InfusionDay
from exchange.filters import ELIGIBILITY_FILTERS, PAGING, where_of
from exchange.jsontext import dumps
from exchange.lists import listing
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.shapes import rows_of
from exchange.view import ApiView, Param, json_answer
from exchange.writes import subject_of
from safety.models import EligibilityResult
from trial import audit
from trial.ambiguity import READINGS
from trial.ambiguity_models import approvals


class EligibilityView(ApiView):
    """Every stored verdict of the token's sites."""

    tag = "eligibility"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Eligibility verdicts", "入选排除判定", list_of(ANY), formats=True)
    }
    params: ClassVar[dict[str, tuple[Param, ...]]] = {
        "GET": (*(f.param for f in ELIGIBILITY_FILTERS), *PAGING)
    }

    def get(self, request: Request) -> HttpResponseBase:
        """The verdicts, in pages or as a stream."""
        where = where_of(ELIGIBILITY_FILTERS, request.query_params)
        return listing(request, self.actor, rows_of(EligibilityResult), where, "eligibility")


class SubjectEligibilityView(ApiView):
    """The eligibility of one subject, as its page shows it."""

    tag = "eligibility"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("The subject's eligibility with evidence", "该受试者的入选排除判定及证据", ANY)
    }

    def get(self, request: Request, key: str) -> HttpResponse:
        """29 criteria by milestone, evidence included."""
        subject = subject_of(self.actor, key)
        with audit.reading(self.actor):
            page = eligibility_of(subject)
        return json_answer(
            dumps(
                {
                    "subject": subject.subjid,
                    "subject_id": subject.pk,
                    "waivers": False,
                    "earliest_infusion": page.earliest,
                    "infusion": _infusion(page.infusion),
                    "milestones": [_milestone(one) for one in page.columns],
                    "criteria": [_criterion(one) for one in page.rows],
                }
            )
        )


def _infusion(one: InfusionDay | None) -> dict[str, str] | None:
    """The day held against the earliest one; `interval` is MET, NOT_MET or UNKNOWN."""
    return None if one is None else {"day": one.day, "interval": one.verdict}


def _milestone(one: Column) -> dict[str, Any]:
    signed = one.signature
    return {
        "milestone": one.milestone,
        "reached": one.reached,
        "computed": one.computed or None,
        "answered": one.answered or None,
        "outcome": one.outcome or None,
        "as_of": one.as_of,
        "protocol_version": one.protocol or None,
        "rule_version": one.rules or None,
        "discordances": one.discordances,
        "changed_since_signed": one.changed,
        "signature": {
            "name": signed.name,
            "role": signed.role,
            "signed": signed.signed,
            "statement": signed.statement,
        }
        if signed
        else None,
    }


def _criterion(row: CriterionRow) -> dict[str, Any]:
    return {
        "criterion": row.id,
        "text": row.text,
        "basis": row.basis_code,
        "limit": row.limit,
        "provisional": row.provisional,
        "milestones": [_cell(cell) for cell in row.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    head = {"milestone": cell.milestone, "verdict": cell.verdict, "reached": cell.reached}
    result = cell.result
    if result is None:
        return head
    return {
        **head,
        "asked": cell.asked,
        "answer": cell.answer or None,
        "discordant": cell.discordant,
        "verdict_now": cell.now or None,
        "reason": {"en": result.reason_en, "zh": result.reason_zh},
        "evidence": result.evidence,
        "as_of": result.as_of,
        "protocol_version": result.protocol_version,
        "rule_version": result.rule_version,
        "signed": result.signature_id is not None,
    }


class AmbiguitiesView(ApiView):
    """The register of readings."""

    tag = "catalogue"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Readings of the registry record, with approvals", "注册信息的解读及批准", list_of(ANY))
    }

    def get(self, request: Request) -> HttpResponse:
        """Every reading: what is open, how it is read, what else it could mean, the setting, and who approved it."""
        with audit.reading(self.actor):
            approved = approvals()
        return json_answer(dumps([_reading(one, approved.get(one.id, [])) for one in READINGS]))


def _reading(one: Any, approved: list[Any]) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.version,
        "where": one.where,
        "sentence": one.sentence,
        "question": _words(one.question),
        "reading": _words(one.chosen),
        "alternatives": [_words(other) for other in one.others],
        "key": one.key or None,
        "criteria": list(one.criteria),
        "rules": list(one.rules),
        "provisional": not approved,
        "approvals": [
            {"name": a.name, "role": a.role, "approved_at": a.approved_at.isoformat(), "meaning": a.meaning}
            for a in approved
        ],
    }


def _words(words: tuple[str, str]) -> dict[str, str]:
    return {"en": words[0], "zh": words[1]}
