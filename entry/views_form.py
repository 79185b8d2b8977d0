"""One page for every form: look, enter, correct, complete, retract. Saving goes through the door and nowhere else."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from entry.astct import computed, graded_item
from entry.attachments import download, file_names, given_out, with_files
from entry.derived import beside
from entry.door import NotFound
from entry.echo import echo
from entry.flags import flags_of
from entry.form_links import choices
from entry.forms_page import Row, attach, both_values, read_out, rows_of, sections
from entry.from_result import Suggestion, suggested
from entry.locking import TOLD, Locking, attempt
from entry.places import Place, by_visit, form_url, many, place_of, record_named, record_url
from entry.signature_box import Signing, attempt_signature, offered
from entry.signin import signed_in
from entry.study_place import standing_place
from entry.submit import Outcome, Sheet, candidate, judged, retract, sheet_of, submit
from entry.typed import raw_of
from entry.words import counted
from review.models import Query
from review.places import line_name
from review.shown import label_of, names_of_links, shown
from review.signatures import signatures_of
from safety.forms import STUDY_FORM
from safety.models import Deviation
from subjects.codelists import MILESTONE
from subjects.crf import CRF
from subjects.models import Eligibility
from trial import audit
from trial.access import Act, Actor
from trial.codes import MISSING
from trial.findings import Problem
from trial.item import items
from trial.sites import zone_of
from trial.text import T
from visits.schedule import visit_of

_OWN_BOXES = (
    *("reason", "not_done_reason", "not_done", "lock_state", "lock_reason"),
    *("sign_meaning", "sign_username", "sign_password"),
)
REASONS = (
    T("transcription error", "转录错误"),
    T("source corrected", "原始资料已更正"),
    T("result received later", "结果后补"),
    T("answer to a query", "答复质疑"),
)


@require_http_methods(["GET", "POST"])
@signed_in()
def form_page(request: HttpRequest, subjid: str, visit: str, form: str, key: str = "") -> HttpResponse:
    """The page of one form (GET), or of what became of it (POST)."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST":
        return _sent(request, subjid, visit, form, "" if key == "new" else key)
    with audit.reading(actor):
        place = place_of(request, subjid, visit, form, "" if key == "new" else key)
        if not key and many(place.model):
            return _rows(request, place)
        if place.record is None and not actor.may(Act.ENTER):
            raise Http404
        raw = raw_of(place.record or place.blank(), place.zone)
        if place.record is None and place.model is Eligibility:
            asked = request.GET.get("milestone", "")
            raw["milestone"] = asked if asked in MILESTONE.codes else ""
        found = suggested(place, request.GET.get("result", "")) if place.record is None else None
        return show_form(
            request, Outcome(place, raw={**raw, **(found.raw if found else {})}), suggestion=found
        )


def _sent(request: HttpRequest, subjid: str, visit: str, form: str, key: str) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        place = place_of(request, subjid, visit, form, key)
    post, unkept = with_files(request, place.model, place.subject)
    with audit.reading(actor):
        sheet = sheet_of(place, post)
    if sheet.act == "retract" and place.record is not None:
        outcome = retract(place, request.POST.get("retract_reason", ""), sheet.seen)
    else:
        outcome = submit(sheet, unkept)
    if outcome.saved is None:
        with audit.reading(actor):
            return show_form(request, outcome, sheet)
    messages.success(request, _told(outcome))
    return redirect(_onward(request, place, outcome.saved))


def _onward(request: HttpRequest, place: Place, saved: CRF) -> str:
    if saved.retracted:
        return f"/subjects/{place.subject.subjid}"
    if request.POST.get("act") == "another" and many(place.model):
        return form_url(place.subject.subjid, place.model, place.visit) + "/new"
    return record_url(place.subject.subjid, saved)


def _told(outcome: Outcome) -> str:
    """What happened, in one sentence: "Saved, version 2. 1 question opened."."""
    saved = outcome.saved
    assert saved is not None
    if saved.retracted:
        return str(
            T("The record is retracted. It stays visible in the history.", "记录已撤销,仍保留在历史中。")
        )
    parts = (
        [T(f"Saved, version {saved.version}.", f"已保存,版本 {saved.version}。")]
        if outcome.changed
        else [T("Nothing was changed.", "没有改动。")]
    )
    if outcome.asked:
        n = counted(outcome.asked, "query is open", "queries are open", "条质疑待答复")
        parts.append(T(f"{n}: see beside the fields.", f"{n},见相应项目旁。"))
    if outcome.answered:
        parts.append(
            T(
                f"{counted(outcome.answered, 'query', 'queries', '')} answered.",
                f"已答复 {outcome.answered} 条质疑。",
            )
        )
    return " ".join(str(part) for part in parts)


def _rows(request: HttpRequest, place: Place) -> HttpResponse:
    """The rows of a form that can be filled in several times."""
    rows = place.model._default_manager.filter(subject_id=place.subject.pk).order_by("sequence", "pk")
    if by_visit(place.model):
        rows = rows.filter(visit=place.visit)
    table = log_table(place, list(rows))
    if not table["rows"] and place.actor.may(Act.ENTER):
        return redirect(form_url(place.subject.subjid, place.model, place.visit) + "/new")
    return render(request, "entry/rows.html", {"place": place, **table})


def log_table(place: Place, rows: list[CRF], columns: int = 5) -> dict[str, Any]:
    """The first items of several records as a table: heads, and for each record its words and its address."""
    model = place.model
    names = [n for n, m in items(model).items() if not m.part_of and m.calc is None][:columns]
    told = [model._meta.get_field(n) for n in names]
    linked = names_of_links(told, rows)
    cells = [
        {
            "record": row,
            "url": record_url(place.subject.subjid, row),
            "cells": [shown(c, getattr(row, c.attname), place.zone, linked) for c in told],  # type: ignore[union-attr]
        }
        for row in rows
    ]
    return {"heads": [label_of(c) for c in told], "rows": cells}


def show_form(
    request: HttpRequest,
    outcome: Outcome,
    sheet: Sheet | None = None,
    asked: Locking | None = None,
    signing: Signing | None = None,
    suggestion: Suggestion | None = None,
) -> HttpResponse:
    """The form page; `asked` is a lock and `signing` a signature that was refused. Call it inside `audit.reading`."""
    place, model = outcome.place, outcome.place.model
    record = place.record
    links = choices(model, place.subject.pk, place.subject.site_id)
    rows = rows_of(model, record or place.blank(), outcome.raw, links, place.visit, place.zone)
    queries = (
        list(Query.objects.filter(record_id=record.pk).exclude(status="CLOSED").order_by("entered_at"))
        if record
        else []
    )
    flags = list(Deviation.objects.filter(record_id=record.pk).exclude(status="CLEARED")) if record else []
    free = attach(model, rows, outcome.problems, queries, flags)
    both_values(rows, outcome.meanwhile)
    may_enter = place.actor.may(Act.ENTER)
    readonly = not may_enter or bool(record and (record.retracted or record.lock_state != "OPEN"))
    if record is not None:
        _typed(rows, record)
        read_out(model, record, rows, place.zone, links)
        derived = beside(record, place.zone)
        for row in rows:
            row.computed = derived.get(row.name, [])
    for row in rows:
        row.live = row.name == graded_item(model.form)
    context = {
        "place": place,
        "record": record,
        "sections": sections(model, rows),
        "problems": [(p, _target(model, rows, p), _about(model, rows, p)) for p in outcome.problems],
        "wrong": {p.field for p in outcome.problems},
        "free_queries": free[1],
        "free_deviations": free[2],
        "open_queries": queries,
        "message": outcome.message,
        "status": outcome.status,
        "readonly": readonly and (outcome.status == 200 or asked is not None or signing is not None),
        "signatures": signatures_of(record) if record else [],
        "signing": signing or Signing(),
        "unsigned": signing is not None,
        "meanings": offered(record, place.actor) if record else [],
        "locking": (asked or Locking()) if record and place.actor.may(Act.LOCK) else None,
        "seen": record.version if record else 0,
        "suggestion": suggestion,
        "files": bool(file_names(model)),
        "raw": outcome.raw,
        "answers": sheet.answers if sheet else {},
        "reason": sheet.reason if sheet else "",
        "reasons": REASONS,
        "whys": MISSING.choices,
        "not_done_options": [
            (c, str(w), c == outcome.raw.get("not_done_reason")) for c, w in MISSING.choices
        ],
        "visit_def": visit_of(place.visit),
        "many": many(model),
        "retract_failed": bool(sheet and sheet.act == "retract"),
        **flags_of(place.subject),
    }
    return render(request, "entry/form.html", context, status=outcome.status)


def _target(model: type[CRF], rows: list[Row], problem: Problem) -> str:
    """The id of the box a problem is about."""
    if problem.field in _OWN_BOXES:
        return f"f-{problem.field}"
    for row in rows:
        boxes = [*row.boxes, row.missing] if row.missing else row.boxes
        found = next((box.id for box in boxes if box.name == problem.field), "")
        if found:
            return found
    row_ = next((row for row in rows if problem.field and row.name == _line(model, problem.field)), None)
    return row_.box.id if row_ else "form"


def _about(model: type[CRF], rows: list[Row], problem: Problem) -> str:
    """The label of the line a problem is about, unless its message names it."""
    named = _line(model, problem.field) if problem.field else ""
    label = next((row.label for row in rows if row.name == named), "")
    return "" if label in str(problem.message) else label


def _typed(rows: list[Row], record: CRF) -> None:
    for row in rows:
        row.typed = record.typed.get(row.name) or record.typed.get(f"{row.name}_value") or ""


@require_POST
@signed_in(Act.ENTER)
def check(request: HttpRequest, subjid: str, visit: str, form: str, key: str = "") -> HttpResponse:
    """What would be said about one line of the page as it stands now. Saves nothing."""
    from trial.edit_checks import unlikely

    actor: Actor = request.actor  # type: ignore[attr-defined]
    line = request.GET.get("line", "")
    with audit.reading(actor):
        place = place_of(request, subjid, visit, form, "" if key == "new" else key)
        model = place.model
        record, _, unread = candidate(sheet_of(place, request.POST))
        problems = judged(record, place.zone, unread)
        record.status = "DRAFT"
        doubts = [] if problems else unlikely(record)
        context = {
            "problems": [p for p in problems if p.field and _line(model, p.field) == line],
            "doubts": [d for d in doubts if _line(model, d.field) == line],
            "echo": echo(model, record, line, place.zone) if not unread else "",
            "calculated": _calculations(place, record),
            "line": line,
            "graded": graded_item(form),
            "computed": computed(record),
        }
        return render(request, "entry/_checked.html", context)


def _line(model: type[CRF], name: str) -> str:
    return line_name(model, name.removeprefix("missing."))


def _calculations(place: Place, record: CRF) -> list[tuple[str, str]]:
    names = [n for n, m in items(place.model).items() if m.calc is not None and not m.part_of]
    return [(n, shown(place.model._meta.get_field(n), getattr(record, n), place.zone)) for n in names]


@require_http_methods(["GET", "POST"])
@signed_in(Act.LOCK)
def lock(request: HttpRequest, form: str, key: str) -> HttpResponse:
    """Freeze, lock or open a record (POST); a page that is loaded again here leads back to the record."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        record = record_named(form, key)
        if request.method == "GET":
            return redirect(record_url(record.subject.subjid, record))
        place = Place(actor, record.subject, type(record), record.visit, record, zone_of(record.site_id))
    asked = Locking.sent(request.POST)
    outcome = attempt(place, asked)
    if outcome.saved is None:
        with audit.reading(actor):
            return show_form(request, outcome, asked=asked)
    messages.success(request, TOLD[outcome.saved.lock_state])
    return redirect(record_url(place.subject.subjid, outcome.saved))


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@signed_in(Act.SIGN)
def sign(request: HttpRequest, form: str, key: str) -> HttpResponse:
    """Sign a record (POST); a page that is loaded again here leads back to the record."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        record = record_named(form, key)
        if request.method == "GET":
            return redirect(record_url(record.subject.subjid, record) + "#signatures")
        place = Place(actor, record.subject, type(record), record.visit, record, zone_of(record.site_id))
    asked = Signing.sent(request.POST)
    outcome = attempt_signature(place, asked, request)
    if outcome.saved is None:
        with audit.reading(actor):
            return show_form(request, outcome, signing=asked)
    messages.success(request, T("The record is signed.", "记录已签署。"))
    return redirect(record_url(place.subject.subjid, record) + "#signatures")


@require_GET
@signed_in()
def go_to_record(request: HttpRequest, form: str, key: str) -> HttpResponse:
    """The page of a record known by form and id: where queries and deviations lead."""
    with audit.reading(request.actor):  # type: ignore[attr-defined]
        field = request.GET.get("field", "")
        if form in STUDY_FORM:
            place = standing_place(request.actor, form, key)  # type: ignore[attr-defined]
            return redirect(f"{place.url}#row-{field}" if field else place.url)
        record = record_named(form, key)
        return redirect(
            record_url(record.subject.subjid, record, line_name(type(record), field) if field else "")
        )


@require_GET
@signed_in()
def attachment(request: HttpRequest, key: str) -> HttpResponse:
    """A file of a subject, as a download; that it was taken is on record."""
    try:
        return cast(HttpResponse, download(*given_out(key, by=request.actor)))  # type: ignore[attr-defined]
    except NotFound:
        raise Http404 from None
