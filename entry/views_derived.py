"""Everything derived of one subject."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from entry.derived import derived_of
from entry.places import subject_of
from entry.signin import signed_in
from trial import audit
from trial.sites import zone_of


@require_GET
@signed_in()
def derived(request: HttpRequest, subjid: str) -> HttpResponse:
    """Grades, doses, response, survival and kinetics, each with method, source and inputs."""
    with audit.reading(request.actor):  # type: ignore[attr-defined]
        subject = subject_of(subjid)
        groups = derived_of(subject, zone_of(subject.site_id))
        return render(request, "entry/derived.html", {"subject": subject, "groups": groups})
