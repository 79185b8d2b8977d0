"""The subject matrix, a new subject, and the page of one subject."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.postgres.fields import ArrayField
from django.db.models import DateTimeField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dosing.levels import level
from entry.door import Rejected, create_subject
from entry.flags import flags_of
from entry.lines import Line, lines_of
from entry.matrix import STATES, SUBJECTS_PER_PAGE, MatrixRow, VisitState, groups, open_queries, row_of, rows
from entry.places import by_visit, form_url, grid_url, many, record_url, subject_of
from entry.signin import signed_in
from entry.words import counted
from review.models import Query
from safety.casebook import site_books
from safety.forms import FORM
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Act, Actor
from trial.codes import MISSING
from trial.item import Item, items
from trial.models import Site
from trial.sites import zone_of
from trial.text import T
from visits.schedule import CONDITIONS, LOGS, occasion, unscheduled

SHOWN = 20
"""Rows of a log on the subject's page; a log of medications can hold hundreds."""

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
    grid_url: str = ""
    name: str = ""
    at_visit: bool = False
    lines: list["LineState"] = field(default_factory=list)
    earlier: int = 0
    """How many more rows there are than the newest, which are shown."""


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
        row = row_of(subject, lines, asked, site_books()[subject.site_id])
        counts = {key: n for (_, key), n in asked.items()}
        blocks = [_block(subject, visit, lines, counts) for visit in row.visits.values()]
        context = {
            "subject": subject,
            "row": row,
            "zone": zone_of(subject.site_id),
            "dose": level(row.outline.dose),
            "whys": MISSING.choices,
            "blocks": [b for b in blocks if b.open or b.visit.lines],
            "unscheduled": _unscheduled(subject, row),
            "later": [b for b in blocks if not (b.open or b.visit.lines)],
            "logs": [_log(subject, log.form, lines, counts) for log in LOGS],
            "queries": list(
                Query.objects.filter(subject_id=subject.pk, status="OPEN").order_by("entered_at")
            ),
            **flags_of(subject),
        }
        return render(request, "entry/subject.html", context)


def _unscheduled(subject: Subject, row: MatrixRow) -> str:
    """The address of the next unscheduled visit: the first number that no record has."""
    used = {occasion(code) for code, visit in row.visits.items() if visit.lines}
    number = next(n for n in range(1, 1000) if n not in used)
    return form_url(subject.subjid, FORM["visit"], unscheduled(number))


def _block(subject: Subject, visit: VisitState, lines: list[Line], counts: dict[Any, int]) -> VisitBlock:
    """A visit with its forms: the required ones, those that are there, then those asked for on a condition."""
    plan = visit.visit
    there = [line.form for line in visit.lines]
    asked, optional_ = visit.wanted, visit.window.asked(plan.optional)
    names = list(dict.fromkeys(("visit", *asked, *there, *optional_)))
    forms: list[FormState] = []
    needed: list[FormState] = []
    for name in names:
        found = [x for x in lines if x.form == name and (x.visit == plan.code or FORM[name].repeats == "one")]
        note = "" if name in plan.forms or name == "visit" or found else str(CONDITIONS.get(name, ""))
        optional = name in optional_ and name not in asked and not found
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
        grid_url=grid_url(subject.subjid, model, visit),
        name=model.form,
        at_visit=by_visit(model),
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
    made.earlier = max(0, len(found) - SHOWN)
    for line in found[made.earlier :]:
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
    """What an overview line tells, as words: codes by their labels, of yes and no the yes, no moments."""
    words = []
    for name, answer in line.answers().items():
        column = model._meta.get_field(name)
        meaning = items(model)[name]
        if answer in ("", "{}", "false") or isinstance(column, DateTimeField):
            continue
        if answer == "true":
            words.append(str(meaning.label))
        elif isinstance(column, ArrayField):
            words += [_label(meaning, code) for code in re.findall(r"\w+", answer)]
        else:
            words.append(_label(meaning, answer))
    return " · ".join(words)


def _label(meaning: Item, answer: str) -> str:
    return str(meaning.codes.label(answer)) if meaning.codes else answer


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
