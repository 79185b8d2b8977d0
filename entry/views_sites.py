"""Pages of the sites: the list, a site, a new site. Saving goes through their door."""

import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from entry.form_links import Choices
from entry.forms_page import attach, both_values, read_out, rows_of, sections
from entry.seen import seen_of
from entry.signin import signed_in
from entry.site_door import save_site
from entry.typed import Raw, asked_names, changed
from entry.typed import shown as text_of
from entry.verdicts import NotFound, Rejected, Stale
from review.history_page import history_of_record
from trial import audit
from trial.access import Act, Actor, Forbidden
from trial.answers import read
from trial.findings import Problem
from trial.models import Site
from trial.site_checks import DEFAULT_ZONE, site_doubts
from trial.text import T


@dataclass
class Shown:
    """What a site's page shows besides the site; `meanwhile` holds both values of a conflict."""

    site: Site
    is_new: bool
    raw: Raw
    problems: list[Problem] = field(default_factory=list)
    message: str = ""
    status: int = 200
    reason: str = ""
    meanwhile: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of this page."""
        return "/study/site/new" if self.is_new else site_url(self.site)

    unchecked = True  # no line of this page is judged while it is typed


def site_url(site: Site) -> str:
    """The address of a site's page."""
    return f"/study/site/{quote(site.code)}"


@require_GET
@signed_in()
def sites(request: HttpRequest) -> HttpResponse:
    """The actor's sites with their dates."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        rows = list(Site.objects.filter(pk__in=actor.sites).order_by("code"))
        whole = not Site.objects.exclude(pk__in=actor.sites).exists()
    context = {
        "rows": [(one, site_url(one), len(site_doubts(one))) for one in rows],
        "may_add": actor.may(Act.STUDY) and whole,
    }
    return render(request, "entry/sites.html", context)


@require_http_methods(["GET", "POST"])
@signed_in()
def site_page(request: HttpRequest, code: str) -> HttpResponse:
    """One site (GET), or what became of it (POST); `new` stands for one that is not there yet."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    site = Site() if code == "new" else Site.objects.filter(code=code, pk__in=actor.sites).first()
    if site is None or (not actor.may(Act.STUDY) and (code == "new" or request.method == "POST")):
        raise Http404
    if request.method == "GET":
        return _show(request, Shown(site, code == "new", _raw(site)))
    return _save(request, site, code == "new")


def _save(request: HttpRequest, site: Site, is_new: bool) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    before = _raw(site)
    mine = changed(before, _sent(request.POST))
    shown = Shown(site, is_new, {**before, **mine}, reason=request.POST.get("reason", ""))
    record, shown.problems = _filled(site, mine)
    if not shown.problems:
        try:
            saved = save_site(
                record, by=actor, reason=shown.reason, seen=None if is_new else seen_of(request.POST)
            )
        except Rejected as rejected:
            shown.problems = rejected.problems
        except Stale as stale:
            shown.message, shown.status = stale.message, 409
            _beside(shown, stale.current, mine)
        except Forbidden as forbidden:
            shown.message, shown.status = forbidden.message, 403
        except NotFound:
            raise Http404 from None
        else:
            told = T("Saved.", "已保存。") if saved.changed else T("Nothing was changed.", "没有改动。")
            messages.success(request, told)
            # A new site is not among the sites of this request; from the next on it is.
            return redirect(site_url(saved.record))
    shown.status = shown.status if shown.status != 200 else 422
    return _show(request, shown)


def _beside(shown: Shown, current: Site, mine: Raw) -> None:
    """Show the site as it stands, with both values wherever they differ; the next saving is on that version."""
    now = _raw(current)
    shown.site, shown.raw = current, {**now, **mine}
    shown.meanwhile = {name: (now[name], text) for name, text in mine.items() if now[name] != text}


def _raw(site: Site) -> Raw:
    columns = {name: site._meta.get_field(name) for name in asked_names(Site)}
    return {name: text_of(column, getattr(site, name), DEFAULT_ZONE) for name, column in columns.items()}


def _sent(post: QueryDict) -> Raw:
    return {name: str(post[name]) for name in asked_names(Site) if name in post}


def _filled(site: Site, mine: Raw) -> tuple[Site, list[Problem]]:
    """The site with what was typed, and what of it cannot be read."""
    reading = read(Site, mine, DEFAULT_ZONE)
    record = copy.copy(site)
    for name, value in reading.values.items():
        setattr(record, name, value.strip() if isinstance(value, str) else value)
    return record, list(reading.problems)


def _show(request: HttpRequest, shown: Shown) -> HttpResponse:
    site, actor = shown.site, request.actor  # type: ignore[attr-defined]
    model: Any = Site
    record: Any = site
    rows = rows_of(model, record, shown.raw, Choices({}), "", DEFAULT_ZONE)
    for row in rows:
        row.missing = None
    free = attach(model, rows, shown.problems)[0]
    both_values(rows, shown.meanwhile)
    read_out(model, record, rows, DEFAULT_ZONE, Choices({}))
    with audit.reading(actor):
        history = [] if shown.is_new else history_of_record(site)
    context = {
        "place": shown,
        "record": None if shown.is_new else site,
        "sections": sections(model, rows),
        "problems": shown.problems,
        "wrong": {problem.field for problem in shown.problems},
        "free": free,
        "doubts": [] if shown.is_new else site_doubts(site),
        "message": shown.message,
        "status": shown.status,
        "readonly": not actor.may(Act.STUDY),
        "seen": 0 if shown.is_new else site.version,
        "reason": shown.reason,
        "history": history,
    }
    return render(request, "entry/site.html", context, status=shown.status)
