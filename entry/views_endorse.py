"""The page on which the investigator endorses a subject's complete records together."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from entry.endorsing import MEANING, endorse, may_endorse, round_of
from entry.places import subject_of
from entry.signature_box import STATUS
from entry.signin import signed_in
from entry.signing import SignatureRefused
from entry.verdicts import NotFound
from subjects.signature import MEANINGS
from trial import audit
from trial.access import Act
from trial.findings import Problem
from trial.text import T


@require_GET
@signed_in()
def endorsement(request: HttpRequest, subjid: str) -> HttpResponse:
    """What is signed, what is complete and not signed yet, and how far the milestones are."""
    return _page(request, subjid)


@sensitive_post_parameters("password")
@require_POST
@signed_in(Act.SIGN)
def endorse_all(request: HttpRequest, subjid: str) -> HttpResponse:
    """Sign the whole list that was seen, with user name and password; a refused one is shown again."""
    actor, post = request.actor, request.POST  # type: ignore[attr-defined]
    with audit.reading(actor):
        subject = subject_of(subjid)
    try:
        made = endorse(
            subject.pk,
            post.get("seen", ""),
            by=actor,
            username=post.get("username", "").strip(),
            password=post.get("password", ""),
            request=request,
        )
    except NotFound:
        raise Http404 from None
    except SignatureRefused as refused:
        return _page(request, subjid, refused.problem)
    n = len(made)
    messages.success(request, T(f"{n} records are signed.", f"已签署 {n} 条记录。"))
    return redirect(f"/subjects/{subject.subjid}/endorsement")


def _page(request: HttpRequest, subjid: str, problem: Problem | None = None) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        subject = subject_of(subjid)
        context = {
            "subject": subject,
            "round": round_of(subject),
            "may_endorse": may_endorse(actor),
            "statement": MEANINGS[MEANING].label,
            "problem": problem,
            "username": request.POST.get("username", ""),
        }
        status = STATUS.get(problem.code, 422) if problem else 200
        return render(request, "entry/endorsement.html", context, status=status)
