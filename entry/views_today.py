"""The coordinator's day: what is due, late, missing and asked, each a link to the form where it is done."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from entry.signin import signed_in
from entry.worklist import KINDS, worklist
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.dates import local_day, utc_now
from trial.models import Site

SUBJECTS_PER_PAGE = 100


@require_GET
@signed_in()
def today(request: HttpRequest) -> HttpResponse:
    """The work list of the actor's sites; `?page=` goes on to the next hundred subjects."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    asked = request.GET.get("page", "1")
    number = min(max(int(asked), 1), 10_000) if asked.isdecimal() and len(asked) < 6 else 1
    start = (number - 1) * SUBJECTS_PER_PAGE
    with audit.reading(actor):
        found = list(Subject.objects.order_by("subjid")[start : start + SUBJECTS_PER_PAGE + 1])
        tasks = worklist(found[:SUBJECTS_PER_PAGE])
        sites = Site.objects.filter(pk__in=actor.sites).order_by("code").only("code", "time_zone")
        days = [(site.code, local_day(utc_now(), site.time_zone), site.time_zone) for site in sites]
    lists = [(kind, str(title), [t for t in tasks if t.kind == kind]) for kind, title in KINDS.items()]
    context = {
        "lists": lists,
        "days": days,
        "next": next((t for t in tasks if t.kind == "week"), None),
        "idle": not any(rows for kind, _, rows in lists if kind != "week"),
        "previous": number - 1 if start else 0,
        "following": number + 1 if len(found) > SUBJECTS_PER_PAGE else 0,
    }
    return render(request, "entry/today.html", context)
