"""What a person accepts before the first electronic signature, and whether it may be given."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from entry.signature_box import STATUS
from entry.signin import signed_in
from entry.signing import SignatureRefused, recognise
from trial import audit
from trial.access import Actor
from trial.entitlement import ACCOUNTABILITY, IDENTITY, STATEMENT, lacking
from trial.findings import Problem
from trial.people import accept_accountability
from trial.text import T


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@signed_in(None)
def accountability(request: HttpRequest) -> HttpResponse:
    """The statement and what is still missing (GET); accept it with user name and password (POST)."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if request.method == "GET":
        return _page(request, actor)
    name = request.POST.get("username", "").strip()
    try:
        recognise(actor, name, request.POST.get("password", ""), request)
    except SignatureRefused as refused:
        return _page(request, actor, refused.problem)
    accept_accountability(actor.person_id, by=actor)
    messages.success(request, T("The statement is accepted.", "已接受责任声明。"))
    return redirect("/accountability")


def _page(request: HttpRequest, actor: Actor, problem: Problem | None = None) -> HttpResponse:
    with audit.reading(actor):
        missing = lacking(actor.person_id)
        context = {
            "statement": STATEMENT,
            "accepted": ACCOUNTABILITY not in missing,
            "verified": IDENTITY not in missing,
            "problem": problem,
            "username": request.POST.get("username", ""),
        }
        status = STATUS.get(problem.code, 422) if problem else 200
        return render(request, "entry/accountability.html", context, status=status)
