"""The eligibility of one subject, and the register of readings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from entry.approving import approve, may_approve, register
from entry.eligibility import eligibility_of
from entry.places import subject_of
from entry.signature_box import STATUS
from entry.signin import signed_in
from entry.signing import SignatureRefused, meanings_for
from subjects.signature import MEANINGS
from trial import audit
from trial.findings import Problem
from trial.text import T


@require_GET
@signed_in()
def eligibility(request: HttpRequest, subjid: str) -> HttpResponse:
    """29 criteria by milestone, with evidence, what is missing, and both verdicts."""
    with audit.reading(request.actor):  # type: ignore[attr-defined]
        subject = subject_of(subjid)
        page = eligibility_of(subject)
        may_sign = any(m.code == "ELIGIBILITY" for m in meanings_for("eligibility", request.actor))  # type: ignore[attr-defined]
        context = {"page": page, "subject": subject, "may_sign": may_sign}
        return render(request, "entry/eligibility.html", context)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@signed_in()
def ambiguities(request: HttpRequest) -> HttpResponse:
    """Every reading with its alternatives, its setting and who approved it (GET); approve the chosen ones (POST)."""
    actor = request.actor  # type: ignore[attr-defined]
    if request.method == "GET":
        return _register(request)
    chosen, name = request.POST.getlist("reading"), request.POST.get("username", "").strip()
    try:
        made = approve(
            chosen, by=actor, username=name, password=request.POST.get("password", ""), request=request
        )
    except SignatureRefused as refused:
        return _register(request, refused.problem)
    n = len(made)
    messages.success(request, T(f"{n} readings are approved.", f"已批准 {n} 项解读。"))
    return redirect("/ambiguities")


def _register(request: HttpRequest, problem: Problem | None = None) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        context = {
            "readings": register(),
            "may_approve": may_approve(actor),
            "statement": MEANINGS["READING"].label,
            "problem": problem,
            "chosen": request.POST.getlist("reading"),
            "username": request.POST.get("username", ""),
        }
        status = (
            200 if problem is None else 422 if problem.code == "not_yours" else STATUS.get(problem.code, 422)
        )
        return render(request, "entry/ambiguities.html", context, status=status)
