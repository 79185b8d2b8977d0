"""The subject matrix, a new subject, and the page of one subject."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dosing.levels import level
from entry.door import Rejected, create_subject
from entry.flags import flags_of
from entry.matrix import STATES, SUBJECTS_PER_PAGE, MatrixRow, VisitState, groups, open_queries, row_of, rows
from entry.overview import Line, lines_of
from entry.places import form_url, many, record_url, subject_of
from entry.signin import signed_in
from entry.words import counted
from review.models import Query
from safety.forms import FORM
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Act, Actor
from trial.models import Site
from trial.sites import zone_of
from trial.text import T
from visits.schedule import CONDITIONS, LOGS

SHOW = {
    "": T("All", "全部"),
    "queries": T("With open queries", "有质疑"),
    "overdue": T("Overdue", "有逾期"),
    "deviations": T("With deviations", "有偏离"),
}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The day starts at the subjects."""
    actor: Actor | None = request.actor  # type: ignore[attr-defined]
    return redirect("/admin/" if actor and not actor.may(Act.READ) else "/subjects")


@require_GET
@signed_in()
def subjects(request: HttpRequest) -> HttpResponse:
    """Every subject of the actor's sites against every visit; `?q=` goes straight to one subject."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    wanted, show = request.GET.get("q", "").strip(), request.GET.get("show", "")
    with audit.reading(actor):
        if wanted:
            return _go(request, wanted)
        number = int(request.GET.get("page", "1")) if request.GET.get("page", "1").isdecimal() else 1
        start = (min(max(number, 1), 10_000) - 1) * SUBJECTS_PER_PAGE
        found = list(Subject.objects.order_by("subjid")[start : start + SUBJECTS_PER_PAGE + 1])
        matrix = rows(found[:SUBJECTS_PER_PAGE])
        kept = [row for row in matrix if not show or _shows(row, show)]
        context = {
            "groups": groups(),
            "rows": kept,
            "previous": number - 1 if start else 0,
            "following": number + 1 if len(found) > SUBJECTS_PER_PAGE else 0,
            "show": show,
            "filters": f"show={show}" if show in SHOW else "",
            "shows": SHOW.items(),
            "states": STATES.items(),
            "total": len(matrix),
            "sums": _sums(matrix),
        }
        return render(request, "entry/matrix.html", context)


def _sums(matrix: list[MatrixRow]) -> list[str]:
    """What waits, over all subjects shown."""

    def total(name: str) -> int:
        return sum(getattr(row, name) for row in matrix)

    return [
        counted(total("queries"), "open query", "open queries", "条待答复质疑"),
        counted(total("deviations"), "open deviation", "open deviations", "项未处理偏离"),
        counted(total("overdue"), "visit overdue", "visits overdue", "次访视逾期"),
    ]


def _shows(row: MatrixRow, show: str) -> bool:
    return bool(getattr(row, show)) if show in ("queries", "overdue", "deviations") else True


def _go(request: HttpRequest, wanted: str) -> HttpResponse:
    """The subject with this number, however much of it was typed: 01-003, 003, 3."""
    ids = list(Subject.objects.order_by("subjid").values_list("subjid", flat=True))
    tail = re.sub(r"\D", "", wanted.rpartition("-")[2])
    near = [s for s in ids if s == wanted] or [
        s for s in ids if tail and int(s.rpartition("-")[2]) == int(tail[:9])
    ]
    if len(near) == 1:
        return redirect(f"/subjects/{near[0]}")
    return render(request, "entry/search.html", {"wanted": wanted, "near": near}, status=200 if near else 404)


@require_http_methods(["GET", "POST"])
@signed_in(Act.ENROL)
def new_subject(request: HttpRequest) -> HttpResponse:
    """Enter a subject under its screening number."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    sites = list(Site.objects.filter(pk__in=actor.sites).order_by("code"))
    typed, problems = request.POST.get("subjid", "").strip(), []
    site = next(
        (s for s in sites if str(s.pk) == request.POST.get("site")), sites[0] if len(sites) == 1 else None
    )
    if request.method == "POST" and site is not None:
        try:
            made = create_subject(typed, site, by=actor)
        except Rejected as rejected:
            problems = rejected.problems
        else:
            messages.success(
                request, T(f"Subject {made.subjid} is entered.", f"受试者 {made.subjid} 已建立。")
            )
            return redirect(f"/subjects/{made.subjid}")
    context = {"sites": sites, "site": site, "typed": typed, "problems": problems}
    return render(request, "entry/subject_new.html", context, status=422 if problems else 200)


@dataclass
class FormState:
    """One form on the subject's page."""

    title: str
    url: str
    state: str
    word: str
    note: str = ""
    rows: int = 0
    queries: int = 0
    new_url: str = ""
    lines: list["LineState"] = field(default_factory=list)


@dataclass
class LineState:
    """One row of a form that can be filled in several times."""

    words: str
    url: str
    state: str
    word: str
    queries: int


@dataclass
class VisitBlock:
    """One visit on the subject's page."""

    visit: VisitState
    forms: list[FormState]
    optional: list[FormState]
    open: bool


@require_GET
@signed_in()
def subject_page(request: HttpRequest, subjid: str) -> HttpResponse:
    """One subject: how far every visit and log is, what is asked, what deviates."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        subject = subject_of(subjid)
        lines = lines_of([subject.pk])[subject.pk]
        asked = open_queries([subject.pk])
        row = row_of(subject, lines, asked)
        counts = {key: n for (_, key), n in asked.items()}
        blocks = [_block(subject, visit, lines, counts) for visit in row.visits.values()]
        context = {
            "subject": subject,
            "row": row,
            "zone": zone_of(subject.site_id),
            "dose": level(row.outline.dose),
            "blocks": [b for b in blocks if b.open or b.visit.lines],
            "later": [b for b in blocks if not (b.open or b.visit.lines)],
            "logs": [_log(subject, log.form, lines, counts) for log in LOGS],
            "queries": list(
                Query.objects.filter(subject_id=subject.pk, status="OPEN").order_by("entered_at")
            ),
            **flags_of(subject),
        }
        return render(request, "entry/subject.html", context)


def _block(subject: Subject, visit: VisitState, lines: list[Line], counts: dict[Any, int]) -> VisitBlock:
    """A visit with its forms: the required ones, those that are there, then those asked for on a condition."""
    plan = visit.visit
    there = [line.form for line in visit.lines]
    names = list(dict.fromkeys(("visit", *plan.forms, *there, *plan.optional)))
    forms: list[FormState] = []
    needed: list[FormState] = []
    for name in names:
        found = [x for x in lines if x.form == name and (x.visit == plan.code or FORM[name].repeats == "one")]
        note = "" if name in plan.forms or name == "visit" or found else str(CONDITIONS.get(name, ""))
        optional = name in plan.optional and name not in plan.forms and not found
        (needed if optional else forms).append(
            _form(subject, FORM[name], plan.code, found, counts, note, optional)
        )
    started = visit.state not in ("none",)
    return VisitBlock(visit, forms, needed, started or plan.code in ("SCR",))


def _form(
    subject: Subject,
    model: type[CRF],
    visit: str,
    found: list[Line],
    counts: dict[Any, int],
    note: str,
    optional: bool,
) -> FormState:
    state = form_state(found, counts, optional)
    url = form_url(subject.subjid, model, visit)
    return FormState(
        title=str(model._meta.verbose_name),
        url=url if found or not many(model) else f"{url}/new",
        state=state,
        word=_word(state, optional),
        note=note,
        rows=len(found) if many(model) else 0,
        queries=sum(counts.get(line.pk, 0) for line in found),
        new_url=f"{url}/new" if many(model) else "",
    )


def form_state(found: list[Line], counts: dict[Any, int], optional: bool = False) -> str:
    """The state of a form from its records."""
    if not found:
        return "none" if optional else "due"
    if any(counts.get(line.pk) for line in found):
        return "attention"
    if all(line.not_done for line in found):
        return "skipped"
    if all(line.lock_state != "OPEN" for line in found):
        return "locked"
    return "done" if all(line.status == "COMPLETE" or line.not_done for line in found) else "started"


def _word(state: str, optional: bool) -> str:
    if state == "due":
        return str(T("to enter", "待录入"))
    return str(T("if needed", "按需") if state == "none" and optional else STATES[state])


def _log(subject: Subject, name: str, lines: list[Line], counts: dict[Any, int]) -> FormState:
    model, found = FORM[name], [line for line in lines if line.form == name]
    expected = next(log.expected for log in LOGS if log.form == name)
    made = _form(subject, model, "", found, counts, "", not expected)
    zone = zone_of(subject.site_id)
    for line in found:
        state = form_state([line], counts)
        record: CRF = model(id=line.pk, subject_id=subject.pk, visit=line.visit, sequence=line.sequence)
        words = f"{line.sequence}. {line.day(zone) or line.dated or ''} {_told(model, line)}".strip()
        made.lines.append(
            LineState(
                words, record_url(subject.subjid, record), state, _word(state, False), counts.get(line.pk, 0)
            )
        )
    return made


def _told(model: type[CRF], line: Line) -> str:
    """The codes an overview line tells, as words."""
    from entry.overview import TOLD

    words = []
    for name, code in zip(TOLD.get(line.form, ()), line.told.split("|"), strict=False):
        codes = model._meta.get_field(name).item.codes  # type: ignore[union-attr]
        if code not in ("", "{}"):
            words.append(str(codes.label(code)) if codes else code)
    return " · ".join(words)


@require_GET
@signed_in()
def flags(request: HttpRequest, subjid: str) -> HttpResponse:
    """The deviations of a subject, asked for every two seconds by an open page; 204 when nothing is new."""
    with audit.reading(request.actor):  # type: ignore[attr-defined]
        subject = subject_of(subjid)
        found = flags_of(subject)
        if request.GET.get("seen") == found["digest"]:
            return HttpResponse(status=204)
        return render(request, "entry/_flags.html", {"subject": subject, **found})
