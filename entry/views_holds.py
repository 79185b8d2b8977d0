"""The page of enrolment holds: what stopped enrolment, and the medical monitor's signed reviews."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from entry.flags import record_link
from entry.holding import review
from entry.seen import seen_of
from entry.signature_box import STATUS
from entry.signin import signed_in
from entry.signing import SignatureRefused, meanings_for
from entry.verdicts import NotFound, Rejected, Stale
from review.history_page import role_name
from review.places import field_name, form_name
from safety.holds import HOLD_DECISION, EnrolmentHold, HoldReview
from subjects.crf import Subject
from subjects.models import Signature
from trial import audit
from trial.access import Act, Actor
from trial.findings import Problem
from trial.text import T


@require_GET
@signed_in()
def holds(request: HttpRequest) -> HttpResponse:
    """Every hold, those that stand first."""
    return _page(request, "", {}, [])


@sensitive_post_parameters("password")
@require_POST
@signed_in(Act.SIGN)
def review_hold(request: HttpRequest, key: UUID) -> HttpResponse:
    """Record and sign a review; a refused one is shown again."""
    post = request.POST
    typed = {name: post.get(name, "") for name in ("decision", "rationale", "username")}
    try:
        hold = review(
            key,
            **typed,
            by=request.actor,  # type: ignore[attr-defined]
            password=post.get("password", ""),
            seen=seen_of(post),
            request=request,
        )
    except NotFound:
        raise Http404 from None
    except Stale as stale:
        return _page(request, str(key), typed, [Problem("", "stale", stale.message)], 409)
    except SignatureRefused as refused:
        status = STATUS.get(refused.problem.code, 422)
        return _page(request, str(key), typed, [refused.problem], status)
    except Rejected as rejected:
        state = any(p.code == "wrong_state" for p in rejected.problems)
        return _page(request, str(key), typed, rejected.problems, 409 if state else 422)
    said = T("The review is signed; the hold is lifted.", "评审已签署,暂停已解除。")
    kept = T("The review is signed; the hold stands.", "评审已签署,维持暂停。")
    messages.success(request, said if hold.lifted_at else kept)
    return redirect("/holds")


def _page(
    request: HttpRequest, key: str, typed: dict[str, str], problems: list[Problem], status: int = 200
) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        context = {
            "lines": _lines(),
            "key": key,
            "typed": typed,
            "problems": problems,
            "wrong": {p.field for p in problems},
            "decisions": HOLD_DECISION.choices,
            "may_review": bool(meanings_for(HoldReview.form, actor)),
        }
        return render(request, "entry/holds.html", context, status=status)


def _lines() -> list[dict[str, Any]]:
    """Holds with their evidence, where the subject may be seen, and their reviews with who signed."""
    rows = sorted(EnrolmentHold.objects.all(), key=lambda one: (one.lifted_at is not None, one.raised_at))
    subjects = Subject.objects.in_bulk({one.subject_id for one in rows})
    reviews = defaultdict(list)
    signed = {s.record_id: s for s in Signature.objects.filter(form=HoldReview.form, meaning="HOLD")}
    for one in HoldReview.objects.filter(retracted=False).order_by("entered_at"):
        signature = signed.get(one.pk)
        role = role_name(signature.role) if signature else ""
        reviews[one.hold_id].append({"review": one, "signature": signature, "role": role})
    return [
        {
            "hold": one,
            "subject": subjects.get(one.subject_id),
            "facts": [_fact(fact) for fact in one.evidence["facts"]] if one.subject_id in subjects else [],
            "reviews": reviews[one.pk],
        }
        for one in rows
    ]


def _fact(fact: dict[str, Any]) -> dict[str, str]:
    return {
        "form": form_name(fact["form"]),
        "field": field_name(fact["form"], fact["field"]),
        "value": str(T("Open the record", "打开记录")),
        "url": record_link(fact["form"], fact["record"], fact["field"]),
    }
