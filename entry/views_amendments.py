"""Protocol versions: what each changes, where it is approved, what it would change today, and who signs again."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from entry.amending import Approval, approve
from entry.door import Rejected
from entry.signin import signed_in
from entry.words import plainly
from safety import reconsents, whatif
from safety.casebook import Casebook, casebooks
from subjects.crf import Subject
from trial import audit
from trial.access import Act, Actor, require
from trial.dates import local_day, utc_now
from trial.models import Site, SiteProtocol
from trial.protocol import PROTOCOLS, Protocol, changed_numbers
from trial.protocol_names import name_of
from trial.sites import zone_of
from trial.text import T
from visits.schedule import schedule_of

MOST_SUBJECTS = 100
"""A page predicts so many subjects; `manage.py whatif` takes them all."""

KINDS = {
    "verdict": T("Eligibility verdicts", "入选排除判定"),
    "window": T("Visit windows", "访视窗口"),
    "deviation": T("Deviations", "方案偏离"),
}
CHANGES = {"new": T("new", "新增"), "gone": T("gone", "消失"), "changed": T("changed", "改变")}


@require_http_methods(["GET", "POST"])
@signed_in()
def amendments(request: HttpRequest) -> HttpResponse:
    """Every version with what it changes and where it is approved (GET); an approval is entered (POST)."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    problems: list[Any] = []
    if request.method == "POST":
        require(actor, Act.STUDY)
        with audit.reading(actor):
            asked = _asked(request, actor)
        try:
            approve(asked, by=actor, today=local_day(utc_now(), zone_of(asked.site.pk)))
        except Rejected as rejected:
            problems = rejected.problems
        else:
            said = T(
                f"Version {asked.version} is approved at site {asked.site.code}. The rules look at its subjects now.",
                f"版本 {asked.version} 已在中心 {asked.site.code} 批准。规则正在重新核查该中心的受试者。",
            )
            messages.success(request, said)
            return redirect("/amendments")
    with audit.reading(actor):
        context = {
            "versions": [_version(one) for one in PROTOCOLS.values()],
            "sites": list(Site.objects.filter(pk__in=actor.sites).order_by("code")),
            "due": reconsents.due(_books(actor)),
            "problems": problems,
            "wrong": {p.field for p in problems},
            "typed": request.POST,
        }
        return render(request, "entry/amendments.html", context, status=422 if problems else 200)


def _asked(request: HttpRequest, actor: Actor) -> Approval:
    sites = {str(site.pk): site for site in Site.objects.filter(pk__in=actor.sites)}
    site = sites.get(request.POST.get("site", ""))
    if site is None:
        raise Http404
    sent = {name: request.POST.get(name, "").strip() for name in ("version", "icf_label", "reason")}
    return Approval(
        site,
        sent["version"],
        _day(request.POST.get("approved_on", "")),
        sent["icf_label"],
        _day(request.POST.get("icf_date", "")),
        sent["reason"],
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _version(protocol: Protocol) -> dict[str, Any]:
    """One version as the page shows it: against the version before it."""
    order = list(PROTOCOLS.values())
    place = order.index(protocol)
    before = order[place - 1] if place else None
    approved = SiteProtocol.objects.filter(protocol_version=protocol.version).select_related("site")
    return {
        "version": protocol.version,
        "title": protocol.title,
        "before": before.version if before else "",
        "numbers": [_number(*one) for one in changed_numbers(before, protocol)] if before else [],
        "windows": list(_windows(before, protocol)) if before else [],
        "approved": sorted(approved, key=lambda one: one.site.code),
    }


def _number(name: str, old: Any, new: Any) -> dict[str, Any]:
    return {
        "name": name_of(name),
        "old": plainly(old.value),
        "new": plainly(new.value),
        "cite": new.cite,
        "basis": new.basis.label,
    }


def _windows(old: Protocol, new: Protocol) -> Iterator[dict[str, str]]:
    before, after = schedule_of(old.version).by_code, schedule_of(new.version).by_code
    for code in dict.fromkeys((*before, *after)):
        was, is_ = _width(before.get(code)), _width(after.get(code))
        if was != is_:
            yield {"code": code, "old": was, "new": is_}


def _width(visit: Any) -> str:
    return "–" if visit is None else f"−{visit.before} / +{visit.after} d"


def _books(actor: Actor) -> Iterator[Casebook]:
    ids = list(Subject.objects.order_by("subjid").values_list("pk", flat=True)[:MOST_SUBJECTS])
    return casebooks(ids, reconsents.READS)


@require_GET
@signed_in()
def what_if(request: HttpRequest, version: str) -> HttpResponse:
    """Every verdict, window and deviation that a version would change in today's subjects."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if version not in PROTOCOLS:
        raise Http404
    with audit.reading(actor):
        ids = list(Subject.objects.order_by("subjid").values_list("pk", flat=True)[: MOST_SUBJECTS + 1])
    found = list(whatif.predict(version, by=actor, subject_ids=ids[:MOST_SUBJECTS]))
    counts = whatif.summary(found)
    context = {
        "version": version,
        "title": PROTOCOLS[version].title,
        "sums": [(word, [(CHANGES[c], counts[(kind, c)]) for c in CHANGES]) for kind, word in KINDS.items()],
        "shifts": [(one, KINDS[one.kind], CHANGES[one.change]) for one in islice(found, 2000)],
        "total": len(found),
        "subjects": min(len(ids), MOST_SUBJECTS),
        "more": len(ids) > MOST_SUBJECTS,
        "now": datetime.now(ZoneInfo("Asia/Shanghai")),
    }
    return render(request, "entry/whatif.html", context)
