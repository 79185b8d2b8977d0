"""The page of the jobs: ask, see how far, download."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from entry.door import NotFound, Rejected
from entry.signin import signed_in
from exchange import jobs
from exchange.handing import file_of
from exchange.job import Job
from exchange.job_kinds import KINDS
from trial.access import Actor
from trial.text import T

SHOWN = 50
SIGNS = {"WAITING": "due", "RUNNING": "started", "DONE": "done", "FAILED": "attention", "EXPIRED": "skipped"}

LANGUAGE = {"both": T("both languages", "中英双语"), "zh": T("Chinese", "中文"), "en": T("English", "英文")}
CHOSEN = {"audit": T("with the audit trail", "含稽查轨迹")}


@dataclass
class JobLine:
    """One job as the page shows it."""

    job: Job
    title: str
    about: str
    sign: str


@require_http_methods(["GET", "POST"])
@signed_in()
def jobs_page(request: HttpRequest) -> HttpResponse:
    """The actor's jobs, newest first; a POST of `kind` and its parameters asks for one."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST":
        return _ask(request, actor)
    return render(request, "exchange/jobs.html", _context(actor))


def _ask(request: HttpRequest, actor: Actor) -> HttpResponse:
    kind = KINDS.get(request.POST.get("kind", ""))
    if kind is None:
        raise Http404
    sent = {
        name: value for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "kind")
    }
    try:
        jobs.ask(kind, actor, sent)
    except NotFound:
        raise Http404 from None
    except Rejected as rejected:
        return render(
            request, "exchange/jobs.html", {**_context(actor), "problems": rejected.problems}, status=422
        )
    messages.success(request, T("It is being made. This page shows how far it is.", "正在生成,进度见本页。"))
    return redirect("/jobs")


def _context(actor: Actor) -> dict[str, Any]:
    found = list(jobs.of(actor).order_by("-created_at")[:SHOWN])
    return {"lines": [_line(job) for job in found], "busy": any(not job.over for job in found)}


def _line(job: Job) -> JobLine:
    kind = KINDS.get(job.kind)
    # PostgreSQL keeps the parameters by the length of their names; whose the job is comes first.
    told = (_told(n, v) for n, v in sorted(job.parameters.items(), key=lambda one: one[0] != "subject"))
    about = " · ".join(one for one in told if one)
    return JobLine(job, str(kind.label) if kind else job.kind, about, SIGNS[job.state])


def _told(name: str, value: Any) -> str:
    """A parameter in words: what was chosen, not how it is stored; "" for what was not."""
    if isinstance(value, bool):
        return str(CHOSEN.get(name, name)) if value else ""
    return str(LANGUAGE.get(value, value)) if name == "language" else str(value or "")


@require_GET
@signed_in()
def progress(request: HttpRequest) -> HttpResponse:
    """The table alone, asked for every two seconds while a job is not over."""
    return render(request, "exchange/_jobs.html", _context(request.actor))  # type: ignore[attr-defined]


@require_GET
@signed_in()
def file(request: HttpRequest, key: UUID) -> HttpResponse:
    """The file of a job."""
    try:
        return cast(HttpResponse, file_of(request.actor, key))  # type: ignore[attr-defined]
    except NotFound:
        raise Http404 from None
