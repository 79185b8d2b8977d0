"""Pages for the forms of the study itself: list, enter, correct, retract, lock, sign. Saving goes through their door."""

import copy
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from entry.form_links import Choices
from entry.forms_page import Row, attach, both_values, read_out, rows_of, sections
from entry.locking import TOLD, Locking, attempt
from entry.seen import seen_of
from entry.signature_box import Signing, attempt_signature, offered
from entry.signin import signed_in
from entry.study_door import retract_study_form, save_study_form
from entry.study_place import StudyPlace, new_place, standing_place, study_model, study_url
from entry.submit import Outcome
from entry.typed import Raw, changed, put, raw_of, sent
from entry.verdicts import Locked, NotFound, Rejected, Saved, Stale
from review.shown import label_of, shown
from review.signatures import signatures_of
from trial import audit
from trial.access import Act, Actor
from trial.dates import local_day, utc_now
from trial.edit_checks import calculate, impossible, unlikely
from trial.findings import Doubt, Problem
from trial.models import Site
from trial.sites import zone_of
from trial.text import T

CROSSED = T(
    "Another change came first. Load the list again: the record may be there already.",
    "与其他更改冲突。请重新加载列表:该记录可能已存在。",
)
_RETRACTED = T("The record is retracted. It stays visible in the history.", "记录已撤销,仍保留在历史中。")


@dataclass
class Shown:
    """What a page of a study form shows besides the record; `meanwhile` holds both values of a conflict."""

    raw: Raw
    problems: list[Problem] = field(default_factory=list)
    message: str = ""
    status: int = 200
    reason: str = ""
    meanwhile: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    locking: Locking | None = None
    signing: Signing | None = None
    retract_failed: bool = False


@require_http_methods(["GET"])
@signed_in()
def records(request: HttpRequest, form: str) -> HttpResponse:
    """Every record of a form of the study, at the actor's sites."""
    from trial.item import items

    actor: Actor = request.actor  # type: ignore[attr-defined]
    model = study_model(form)
    columns = [model._meta.get_field(name) for name in list(items(model))[:6]]
    with audit.reading(actor):
        rows = [
            {
                "record": row,
                "cells": [shown(c, getattr(row, c.attname), zone_of(row.site_id)) for c in columns],
            }
            for row in model._default_manager.select_related("site").order_by("site_id", "sequence")
        ]
        sites = list(Site.objects.filter(pk__in=actor.sites).order_by("code"))
    context = {
        "form": form,
        "title": model._meta.verbose_name,
        "heads": [label_of(c) for c in columns],
        "rows": rows,
        "sites": sites,
        "may_write": actor.may(Act.STUDY),
    }
    return render(request, "entry/study_rows.html", context)


@require_http_methods(["GET", "POST"])
@signed_in()
def record_page(request: HttpRequest, form: str, key: str) -> HttpResponse:
    """One record of a form of the study (GET), or what became of it (POST)."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        place = new_place(request, form) if key == "new" else standing_place(actor, form, key)
        if request.method == "GET":
            return _show(request, place, Shown(raw_of(place.record, place.zone)))
    if not actor.may(Act.STUDY):
        raise Http404
    if request.POST.get("act") == "retract" and not place.is_new:
        return _retract(request, place)
    return _save(request, place)


@require_http_methods(["GET", "POST"])
@signed_in(Act.LOCK)
def lock(request: HttpRequest, form: str, key: str) -> HttpResponse:
    """Freeze, lock or open a record (POST); a page that is loaded again here leads back to the record."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        place = standing_place(actor, form, key)
    if request.method == "GET":
        return redirect(place.url)
    asked = Locking.sent(request.POST)
    outcome = attempt(place, asked)
    if outcome.saved is None:
        return _asked_again(request, place, outcome, Shown(outcome.raw, locking=asked))
    messages.success(request, TOLD[outcome.saved.lock_state])
    return redirect(place.url)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@signed_in(Act.SIGN)
def sign(request: HttpRequest, form: str, key: str) -> HttpResponse:
    """Sign a record (POST); a page that is loaded again here leads back to the record."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        place = standing_place(actor, form, key)
    if request.method == "GET":
        return redirect(f"{place.url}#signatures")
    asked = Signing.sent(request.POST)
    outcome = attempt_signature(place, asked, request)
    if outcome.saved is None:
        return _asked_again(request, place, outcome, Shown(outcome.raw, signing=asked))
    messages.success(request, T("The record is signed.", "记录已签署。"))
    return redirect(f"{place.url}#signatures")


def _asked_again(request: HttpRequest, place: StudyPlace, outcome: Outcome, shown: Shown) -> HttpResponse:
    """The page after a lock or a signature that was refused."""
    shown.problems, shown.message, shown.status = outcome.problems, outcome.message, outcome.status
    with audit.reading(place.actor):
        return _show(request, _as_it_stands(place), shown)


def _as_it_stands(place: StudyPlace) -> StudyPlace:
    """The place with its record read anew. Call it inside `audit.reading`."""
    return place if place.is_new else standing_place(place.actor, place.model.form, str(place.record.pk))


def _retract(request: HttpRequest, place: StudyPlace) -> HttpResponse:
    record = copy.deepcopy(place.record)
    shown = Shown(raw_of(record, place.zone), retract_failed=True)
    saved = _through_the_door(
        shown,
        lambda: retract_study_form(
            record, by=place.actor, reason=request.POST.get("retract_reason", ""), seen=seen_of(request.POST)
        ),
    )
    if saved is not None:
        messages.success(request, _RETRACTED)
        return redirect(place.url)
    shown.problems = [replace(p, field="retract" if p.field == "reason" else p.field) for p in shown.problems]
    with audit.reading(place.actor):
        place = _as_it_stands(place)
        shown.raw = raw_of(place.record, place.zone)
        return _show(request, place, shown)


def _save(request: HttpRequest, place: StudyPlace) -> HttpResponse:
    post, actor = request.POST, place.actor
    before = raw_of(place.record, place.zone)
    mine = changed(before, sent(place.model, post))
    record: Any = copy.deepcopy(place.record)
    unread = put(record, mine, place.zone).problems
    if post.get("act") == "complete":
        record.status = "COMPLETE"
    if not place.is_new and not seen_of(request.POST) and not mine and record.status == place.record.status:
        messages.success(request, T("Saved.", "已保存。"))  # the same new page sent twice
        return redirect(place.url)
    shown = Shown({**before, **mine}, reason=post.get("reason", ""))
    saved = None
    if unread:
        shown.problems, shown.status = _all_that_refuses(record, place.zone, unread), 422
    else:
        seen = None if place.is_new else seen_of(request.POST)
        saved = _through_the_door(
            shown, lambda: save_study_form(record, by=actor, reason=shown.reason, seen=seen)
        )
    if saved is not None:
        told = T("Saved.", "已保存。") if saved.changed else T("Nothing was changed.", "没有改动。")
        messages.success(request, told)
        return redirect(study_url(saved.record))
    with audit.reading(actor):
        place = _as_it_stands(place)
        if shown.status == 409:
            current = raw_of(place.record, place.zone)
            shown.meanwhile = {n: (current.get(n, ""), v) for n, v in mine.items() if current.get(n) != v}
            shown.raw = {**current, **mine}
        return _show(request, place, shown)


def _all_that_refuses(record: Any, zone: str, unread: list[Problem]) -> list[Problem]:
    """What cannot be read and what cannot be, so that it is said at once."""
    calculate(record)
    now, bad = utc_now(), {problem.field for problem in unread}
    return [*unread, *(p for p in impossible(record, zone, local_day(now, zone), now) if p.field not in bad)]


def _through_the_door(shown: Shown, save: Any) -> Saved | None:
    """Save, or note on the page why not."""
    try:
        saved: Saved = save()
        return saved
    except Rejected as rejected:
        shown.problems, shown.status = rejected.problems, 422
    except Stale as stale:
        shown.message, shown.status = stale.message, 409
    except Locked as locked:
        shown.message, shown.status = locked.message, 423
    except IntegrityError:
        shown.message, shown.status = CROSSED, 409
    except NotFound:
        raise Http404 from None
    return None


def _show(request: HttpRequest, place: StudyPlace, shown: Shown) -> HttpResponse:
    record, model, actor = place.record, place.model, place.actor
    rows: list[Row] = rows_of(model, record, shown.raw, Choices({}), "", place.zone)
    free = attach(model, rows, shown.problems)[0]
    both_values(rows, shown.meanwhile)
    there = not place.is_new
    asked = shown.locking is not None or shown.signing is not None
    closed = record.retracted or record.lock_state != "OPEN"
    if there:
        read_out(model, record, rows, place.zone, Choices({}))
    doubts: list[Doubt] = unlikely(record) if there and not record.retracted else []
    context = {
        "place": place,
        "record": record if there else None,
        "site": Site.objects.get(pk=record.site_id),
        "sections": sections(model, rows),
        "problems": shown.problems,
        "wrong": {problem.field for problem in shown.problems},
        "free": free,
        "doubts": doubts,
        "message": shown.message,
        "status": shown.status,
        "readonly": not actor.may(Act.STUDY) or (closed and (shown.status == 200 or asked)),
        "seen": record.version if there else 0,
        "reason": shown.reason,
        "may_retract": there and not closed and actor.may(Act.STUDY),
        "retract_failed": shown.retract_failed,
        "signatures": signatures_of(record) if there else [],
        "meanings": offered(record, actor) if there else [],
        "signing": shown.signing or Signing(),
        "unsigned": shown.signing is not None,
        "locking": (shown.locking or Locking()) if there and actor.may(Act.LOCK) else None,
        "history": list(record.history.select_related("history_user").order_by("version")) if there else [],
    }
    return render(request, "entry/study_form.html", context, status=shown.status)
