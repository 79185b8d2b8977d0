"""The pages of the files that come in: send one, see row by row what would come of it, enter it."""

import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from entry.door import NotFound
from entry.signin import signed_in
from exchange.imported import ImportFile
from exchange.incoming_files import limits
from exchange.incoming_files.options import Options
from exchange.incoming_files.printed_report import csv_lines, json_lines
from exchange.incoming_files.profiles import PROFILES, SENDING, act_of, read_as
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.register import choose, file_of, report, take_in
from exchange.incoming_files.subject_map import read_map
from exchange.incoming_files.work import job_of, start
from review.shown import heading
from safety.forms import FORMS, STUDY_FORM, STUDY_FORMS
from trial import audit
from trial.access import Act, Actor, require, require_any
from trial.models import Site
from trial.text import T

PER_PAGE, SHOWN = 50, 100
BOXES = {"site": "site", "subject_map": "subject_map", "unknown_profile": "profile"}
SIGNS = {"SENT": "due", "CHECKED": "started", "DONE": "done", "REFUSED": "attention", "FAILED": "attention"}
WORDS = {
    "created": T("new", "新建"),
    "unchanged": T("already there", "已存在"),
    "corrected": T("corrected", "更正"),
    "refused": T("refused", "拒绝"),
    "held": T("held back", "暂缓"),
}
MARKS = {
    "created": "done",
    "corrected": "done",
    "unchanged": "skipped",
    "refused": "attention",
    "held": "due",
}


@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """GET lists the files of one's sites; POST takes one in and checks it."""
    return _send(request) if request.method == "POST" else _list(request)


@signed_in()
def _list(request: HttpRequest, refused: FileRefused | None = None, typed: Any = None) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        files = ImportFile.objects.select_related("site", "person").order_by("-entered_at")
        page = Paginator(files, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "lines": [(file, SIGNS[file.state], read_as(file.profile)) for file in page.object_list],
            "profiles": PROFILES.values() if actor.may(Act.ENTER) else (),
            "forms": [(f"form:{form.form}", f"{form.form} · {heading(form)}") for form in _forms(actor)],
            "sends": any(actor.may(act) for act in SENDING),
            "sites": Site.objects.filter(pk__in=actor.sites).order_by("code"),
            "most": f"{limits.MOST_BYTES / 2**20:g}",
            "most_bytes": f"{limits.MOST_BYTES:,}",
            "problem": str(refused.message) if refused else "",
            "target": BOXES.get(refused.code, "file") if refused else "",
            "typed": typed or {},
        }
        return render(request, "exchange/imports.html", context, status=422 if refused else 200)


def _forms(actor: Actor) -> list[Any]:
    """The forms whose files this actor may send."""
    return [*(FORMS if actor.may(Act.ENTER) else ()), *(STUDY_FORMS if actor.may(Act.STUDY) else ())]


@signed_in()
def _send(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    require_any(actor, *SENDING)
    given = request.FILES.get("file")
    try:
        if given is None:
            raise FileRefused("no_file", "Choose a file.", "请选择文件。")
        options = Options(
            subject_map=_map(request.FILES.get("subject_map")),
            ignore=tuple(x.strip() for x in request.POST.get("ignore", "").split(",") if x.strip()),
            sheet=request.POST.get("sheet", "").strip()[:80],
        )
        site = _site(actor, request.POST.get("site", ""))
        with tempfile.TemporaryDirectory(prefix="edc-upload-") as folder:
            path = Path(folder) / "file"
            _written(given, path)
            name = str(given.name or "file")
            file = take_in(path, name, request.POST.get("profile", ""), options, site, by=actor)
        start(file, actor, "CHECK")
    except FileRefused as refused:
        answer: HttpResponse = _list(request, refused, request.POST)
        return answer
    return redirect(f"/imports/{file.pk}")


def _map(given: Any) -> dict[str, str]:
    """The subject map that came beside the file, read like every file: by its own encoding, and whole or not at all."""
    if not given:
        return {}
    with tempfile.TemporaryDirectory(prefix="edc-upload-") as folder:
        path = Path(folder) / "map"
        _written(given, path)
        return read_map(path)


def _written(given: Any, path: Path) -> None:
    with path.open("wb") as out:
        for block in given.chunks():
            out.write(block)


def _site(actor: Actor, code: str) -> Site:
    sites = list(Site.objects.filter(pk__in=actor.sites))
    found = [site for site in sites if site.code == code] if code else sites
    if len(found) != 1:
        raise FileRefused("site", "Choose the site of the file.", "请选择文件所属中心。")
    return found[0]


@require_GET
@signed_in()
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """One file: how it was read, what came of its rows, and the way to enter it."""
    file = _found(request, key)
    return render(request, "exchange/import.html", _context(request, file))


@require_GET
@signed_in()
def progress(request: HttpRequest, key: UUID) -> HttpResponse:
    """The part that changes while a job is at work; when it is over, the whole page is asked for."""
    file = _found(request, key)
    context = _context(request, file)
    if not context["busy"]:
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    return render(request, "exchange/_import_progress.html", context)


@require_POST
@signed_in()
def commit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Enter a checked file: all of it or its good rows, with or without correcting what differs."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    require_any(actor, *SENDING)
    file = _found(request, key)
    require(actor, act_of(file.profile))
    if file.state != "DONE":
        choose(file, actor, policy=request.POST.get("policy", "ALL"), correct="correct" in request.POST)
        job = start(file, actor, "COMMIT")
        file = _found(request, key)
        if job is None and file.state == "DONE":
            messages.success(request, T("The file is entered.", "文件已导入。"))
    return redirect(f"/imports/{file.pk}")


@require_GET
@signed_in()
def report_file(request: HttpRequest, key: UUID) -> HttpResponse:
    """The report of every row, as CSV or as JSON lines."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    file = _found(request, key)
    wanted = "ndjson" if request.GET.get("format") == "ndjson" else "csv"
    lines = csv_lines(actor, file) if wanted == "csv" else json_lines(actor, file, as_list=False)
    response = StreamingHttpResponse(
        lines, content_type="text/csv; charset=utf-8" if wanted == "csv" else "application/x-ndjson"
    )
    response["Content-Disposition"] = f'attachment; filename="report-{file.pk}.{wanted}"'
    return cast(HttpResponse, response)


def _found(request: HttpRequest, key: UUID) -> ImportFile:
    try:
        return file_of(request.actor, key)  # type: ignore[attr-defined]
    except NotFound:
        raise Http404 from None


def _context(request: HttpRequest, file: ImportFile) -> dict[str, Any]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    job = job_of(file, actor)
    shown = request.GET.get("show", "refused" if file.counts.get("refused") else "all")
    wanted = (row for row in report(actor, file) if shown == "all" or row["outcome"] == shown)
    rows = list(islice(wanted, SHOWN + 1)) if file.rows else []
    return {
        "file": file,
        "sign": SIGNS[file.state],
        "read_as": read_as(file.profile),
        "job": job,
        "busy": job is not None and not job.over,
        "failure": _said(file.failure) if file.failure else "",
        "notes": [_said(note) for note in file.notes],
        "counts": [(WORDS[name], MARKS[name], n) for name, n in file.counts.items() if n and name in WORDS],
        "codes": sorted(file.counts.get("codes", {}).items()),
        "queries": file.counts.get("queries", 0),
        "refused": file.counts.get("refused", 0),
        "good": sum(file.counts.get(name, 0) for name in ("created", "corrected", "unchanged", "held")),
        "rows": [_row(row) for row in rows[:SHOWN]],
        "records": "/study" if file.profile.removeprefix("form:") in STUDY_FORM else "/records",
        "more": len(rows) > SHOWN,
        "show": shown,
        "shows": [("refused", WORDS["refused"]), ("all", T("all", "全部"))],
        "open": file.state not in ("DONE", "FAILED") and actor.may(act_of(file.profile)),
        "correct": file.options.get("correct", False),
        "conflicts": file.counts.get("codes", {}).get("conflict", 0),
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    problems: Iterable[dict[str, str]] = row.get("problems", ())
    return {
        **row,
        "word": WORDS[row["outcome"]],
        "said": [
            {"column": p.get("column", ""), "text": _said(p), "fix": p.get("fix", "")} for p in problems
        ],
    }


def _said(document: dict[str, str]) -> str:
    return T(document.get("en", ""), document.get("zh", ""))
