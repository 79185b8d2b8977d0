"""The casebook page: one subject, everything, in the order of the protocol."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from entry.casebook import read
from entry.casebook_shown import book_of
from entry.places import subject_of
from entry.signin import signed_in
from trial import audit
from trial.access import Actor


@require_GET
@signed_in()
def casebook(request: HttpRequest, subjid: str) -> HttpResponse:
    """Every answer of a subject; `?audit=1` adds every version of every answer."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    wanted = request.GET.get("audit") == "1"
    with audit.snapshot(actor):
        filed = read(subject_of(subjid), audit=wanted)
    return render(request, "entry/casebook.html", {"book": book_of(filed), "subject": filed.subject})
