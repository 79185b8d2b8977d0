"""The grid of a form and its panel: many records of one subject on one page, entered without a pointer."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from entry.astct import graded_item
from entry.cells import heads_of
from entry.door import NotFound
from entry.form_links import choices
from entry.grid import Grid, grid_of, newest, read_beside, records_of
from entry.grid_check import as_told, check_lines
from entry.grid_html import table
from entry.grid_save import Result, lay_over, read_lines, save_grid
from entry.panel import known_of
from entry.places import Place, by_visit, form_url, subject_of, visit_label
from entry.signin import signed_in
from entry.submit import STRANGER
from entry.views_form import REASONS
from entry.words import counted
from safety.forms import FORM
from trial import audit
from trial.access import Act, Actor, require
from trial.sites import zone_of
from trial.text import T
from visits.schedule import is_visit

BESIDE = 4


@require_http_methods(["GET", "POST"])
@signed_in()
def grid(request: HttpRequest, subjid: str, form: str, layout: str = "grid") -> HttpResponse:
    """Every record of a form of one subject as a grid; `?visit=` narrows it, `?c=` chooses columns."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST":
        require(actor, Act.ENTER)
        return _sent(request, subjid, form, layout)
    with audit.reading(actor):
        return _show(request, _grid(request, subjid, form, layout))


def panel(request: HttpRequest, subjid: str, form: str) -> HttpResponse:
    """The items downwards, the newest records and one new one beside each other."""
    answer: HttpResponse = grid(request, subjid, form, layout="panel")
    return answer


@require_POST
@signed_in(Act.ENTER)
def check(request: HttpRequest, subjid: str, form: str, layout: str = "grid") -> HttpResponse:
    """What would be said about the lines that were sent, as JSON (see `grid_check`). Saves nothing."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        place = _place(request, subjid, form)
        heads = heads_of(place.model, choices(place.model, place.subject.pk, place.subject.site_id))
        shown = Grid(place, layout, heads, heads, [], place.visit)
        shown.graded = graded_item(form)
        panel = layout == "panel" and bool(place.model.analytes)
        known = known_of(place.subject, place.model, place.zone) if panel else None
        if panel or shown.graded:
            shown.records = records_of(place)
        return JsonResponse(as_told(shown, check_lines(shown, read_lines(shown, request.POST), known), known))


def _place(request: HttpRequest, subjid: str, form: str) -> Place:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    model = FORM.get(form)
    visit = request.GET.get("visit", "")
    if model is None or model.repeats == "one" or (visit and (not is_visit(visit) or not by_visit(model))):
        raise Http404
    subject = subject_of(subjid)
    return Place(actor, subject, model, visit, None, zone_of(subject.site_id))


def _grid(request: HttpRequest, subjid: str, form: str, layout: str) -> Grid:
    place = _place(request, subjid, form)
    made = grid_of(place, layout, place.visit, request.GET.getlist("c"))
    return newest(made, BESIDE) if layout == "panel" else made


def _sent(request: HttpRequest, subjid: str, form: str, layout: str) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        shown = _grid(request, subjid, form, layout)
        if request.POST.get("typed_by", str(actor.person_id)) != str(actor.person_id):
            return _stranger(request, shown)
        lines = read_lines(shown, request.POST)
    try:
        result = save_grid(
            shown,
            lines,
            reason=request.POST.get("reason", ""),
            complete=request.POST.get("act") == "complete",
        )
    except NotFound:
        raise Http404 from None
    if not result.refused:
        messages.success(request, _told(result))
        return redirect(request.get_full_path())
    with audit.reading(actor):
        fresh = _grid(request, subjid, form, layout)
        lay_over(fresh, result)
        return _show(request, fresh, result)


def _stranger(request: HttpRequest, shown: Grid) -> HttpResponse:
    """Lines typed under another account are not saved under this one unseen: they are shown again first."""
    typed = [one for one in read_lines(shown, request.POST) if one.mine]
    lay_over(shown, Result(typed, every=True))
    return _show(request, shown, Result([], status=409, message=str(STRANGER)))


def _told(result: Result) -> str:
    """What happened, in one sentence."""
    parts = []
    if result.made:
        parts.append(counted(result.made, "new line", "new lines", "行新增"))
    if result.changed:
        parts.append(counted(result.changed, "line changed", "lines changed", "行更改"))
    said = (
        f"{T('Saved', '已保存')}: {', '.join(parts)}."
        if parts
        else str(T("Nothing was changed.", "没有改动。"))
    )
    if result.asked:
        said += " " + counted(result.asked, "query is open.", "queries are open.", "条质疑待答复。")
    return said


def _show(request: HttpRequest, shown: Grid, result: Result | None = None) -> HttpResponse:
    place = shown.place
    read_beside(shown)
    listed = {head.name for head in shown.chosen}
    saved = result is not None and (result.made or result.changed)
    context: dict[str, Any] = {
        "place": place,
        "grid": shown,
        "table": table(shown),
        "columns": [(head.name, head.label, head.name in listed) for head in shown.heads],
        "other": "panel" if shown.layout == "grid" else "grid",
        "has_panel": bool(place.model.analytes),
        "list_url": ""
        if by_visit(place.model) and not shown.visit
        else form_url(place.subject.subjid, place.model, shown.visit),
        "visit_name": visit_label(shown.visit) if shown.visit else "",
        "errors": _errors(shown, result) if result else [],
        "message": result.message if result else "",
        "saved": _told(result) if saved and result else "",
        "status": result.status if result else 200,
        "reason": request.POST.get("reason", ""),
        "reasons": REASONS,
        "reason_wanted": bool(result and result.reason_wanted),
        "empty": not shown.lines,
    }
    return render(request, "entry/grid.html", context, status=context["status"])


def _errors(shown: Grid, result: Result) -> list[tuple[str, str]]:
    """The summary's lines: where each leads, and what it says. A reason that is missing is asked for once."""
    found: dict[tuple[str, str], None] = {}
    for line in shown.lines:
        record = line.record
        number = (
            f"{T('Line', '行')} {record.sequence}" if record else f"{T('new line', '新行')} {line.number + 1}"
        )
        where = f"{line.visit} {number}" if line.visit else number
        for problem in line.problems:
            if problem.field == "reason":
                found[("f-reason", str(problem.message))] = None
            else:
                found[(shown.target(line, problem.field), f"{where}: {problem.message}")] = None
        if line.message:
            found[(f"s-{line.number}", f"{where}: {line.message}")] = None
    return list(found)
