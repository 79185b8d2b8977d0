"""Deviations as the site works with them: the list of those that rules found and people noticed, and each with its steps."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from entry.deviation_steps import ANSWERS, STEPS, possible, take
from entry.flags import Flag, shown
from entry.seen import seen_of
from entry.signin import signed_in
from entry.verdicts import NotFound, Rejected, Stale
from entry.views_help import listed
from review.assessment import (
    STATE,
    DeviationAssessment,
    assessment_of,
    came_back,
    in_state,
    state_of,
    version_of,
)
from review.history_page import history_of_record, role_name
from safety.manual_deviations import CATEGORY, SEVERITY
from safety.models import DEVIATION_STATUS, Deviation, ProtocolDeviation
from trial import audit
from trial.access import Act, Actor
from trial.codes import YES_NO
from trial.dates import utc_now
from trial.findings import Problem
from trial.sites import zone_of
from trial.text import T

PER_PAGE = 50
KINDS: tuple[tuple[str, str], ...] = (
    ("AUTO", T("found by rules", "规则发现")),
    ("MANUAL", T("noticed by people", "人工登记")),
)
_LONGEST_AGE = 3650


@dataclass(frozen=True)
class Listed:
    """A line of the list: a flag of the rules, or an entry of the log kept by hand."""

    flag: Flag | None = None
    noticed: ProtocolDeviation | None = None


@require_GET
@signed_in()
def deviations(request: HttpRequest) -> HttpResponse:
    """Every deviation among the actor's sites, by what the rules say, what the site said, age, rule and subject."""
    names = ("status", "state", "kind", "age", "rule", "subject")
    wanted = {name: request.GET.get(name, "").strip() for name in names}
    with audit.reading(request.actor):  # type: ignore[attr-defined]
        page = Paginator(_rows(wanted), PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "lines": _lines(page.object_list),
            "wanted": wanted,
            "statuses": DEVIATION_STATUS.choices,
            "states": STATE.choices,
            "kinds": KINDS,
            "rules": listed(),
            "filters": urlencode({name: value for name, value in wanted.items() if value}),
        }
        return render(request, "entry/deviations.html", context)


def _rows(wanted: dict[str, str]) -> Any:
    """Key, moment and kind of every line that is wanted, newest first."""
    auto = _found(wanted).annotate(kind=Value("AUTO"), at=F("detected_at")).values_list("pk", "at", "kind")
    if wanted["kind"] == "AUTO":
        return auto.order_by("-at", "pk")
    told = Coalesce("detected_dt", "entered_at")
    manual = _noticed(wanted).annotate(kind=Value("MANUAL"), at=told).values_list("pk", "at", "kind")
    if wanted["kind"] == "MANUAL":
        return manual.order_by("-at", "pk")
    return auto.union(manual, all=True).order_by("-at")


def _found(wanted: dict[str, str]) -> Any:
    """What the rules found, narrowed."""
    rows = Deviation.objects.all()
    if wanted["status"] in DEVIATION_STATUS.codes:
        rows = rows.filter(status=wanted["status"])
    elif not wanted["status"]:
        rows = rows.exclude(status="CLEARED")
    if wanted["state"] in STATE.codes:
        rows = rows.filter(in_state(wanted["state"]))
    return _narrowed(rows, wanted, "detected_at__lte")


def _noticed(wanted: dict[str, str]) -> Any:
    """What people noticed, narrowed. Its own states are two: closed, or not."""
    rows = ProtocolDeviation.objects.filter(retracted=False, not_done=False)
    if wanted["status"] in ("PENDING", "CLEARED") or wanted["state"] not in ("", "OPEN", "CLOSED"):
        return rows.none()
    if wanted["state"]:
        rows = rows.filter(closed_dt__isnull=wanted["state"] == "OPEN")
    return _narrowed(rows, wanted, "detected_dt__lte")


def _narrowed(rows: Any, wanted: dict[str, str], moment: str) -> Any:
    if wanted["rule"]:
        rows = rows.filter(rule_id=wanted["rule"])
    if wanted["subject"]:
        rows = rows.filter(subject__subjid__contains=wanted["subject"][:12])
    if wanted["age"].isdecimal():
        rows = rows.filter(**{moment: utc_now() - timedelta(days=min(int(wanted["age"]), _LONGEST_AGE))})
    return rows


def _lines(rows: Iterable[tuple[UUID, Any, str]]) -> list[Listed]:
    """The lines of one page, read in two statements."""
    rows = list(rows)
    keys = {kind: [key for key, _, of in rows if of == kind] for kind, _ in KINDS}
    found = Deviation.objects.select_related("subject", "assessment").filter(pk__in=keys["AUTO"])
    flags = {flag.deviation.pk: flag for flag in shown(found)}
    noticed = {
        one.pk: one
        for one in ProtocolDeviation.objects.select_related("subject").filter(pk__in=keys["MANUAL"])
    }
    return [Listed(flags.get(key), noticed.get(key)) for key, _, _ in rows]


@dataclass
class Sent:
    """What was sent with a step that was refused, to be shown again."""

    step: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    problems: list[Problem] = field(default_factory=list)


@require_GET
@signed_in()
def deviation(request: HttpRequest, key: UUID) -> HttpResponse:
    """One deviation: what the rule found, what the site said, every version of both, and the next steps."""
    return _page(request, key, Sent())


@require_POST
@signed_in(Act.ASSESS)
def deviation_step(request: HttpRequest, key: UUID, step: str) -> HttpResponse:
    """Take one step; a refused one is shown again with what was sent."""
    if step not in STEPS:
        raise Http404
    actor: Actor = request.actor  # type: ignore[attr-defined]
    sent = Sent(step, {name: request.POST.get(name, "") for name in ANSWERS}, request.POST.get("text", ""))
    try:
        take(
            key,
            step,
            sent.answers,
            sent.text,
            by=actor,
            seen=seen_of(request.POST),
        )
    except NotFound:
        raise Http404 from None
    except Stale as stale:
        said = T(
            "Somebody took a step, or the rules found something else, in between. Look at the deviation as it stands, "
            "then decide again.",
            "期间他人已处理,或规则的发现有变化。请查看当前内容后再作决定。",
        )
        sent.problems = [Problem("", "stale", said, str(stale.seen), str(stale.current.version))]
        return _page(request, key, sent, 409)
    except Rejected as rejected:
        sent.problems = rejected.problems
        state = any(p.code == "wrong_state" for p in rejected.problems)
        return _page(request, key, sent, 409 if state else 422)
    messages.success(request, T(f"Done: {STEPS[step].en}.", f"已完成:{STEPS[step].zh}。"))
    return redirect(f"/deviations/{key}")


def _page(request: HttpRequest, key: UUID, sent: Sent, status: int = 200) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        found = Deviation.objects.select_related("subject", "assessment").filter(pk=key).first()
        if found is None:
            raise Http404
        said = assessment_of(found)
        context = {
            "d": found,
            "flag": shown([found])[0],
            "said": said,
            "talk": _talk(said),
            "state": STATE.label(state_of(found)),
            "came_back": came_back(found),
            "seen": version_of(found),
            "zone": zone_of(found.site_id),
            "steps": possible(found, actor),
            "sent": sent,
            "wrong": {p.field for p in sent.problems},
            "answers": sent.answers if sent.step == "classify" else _answers(found, said),
            "categories": CATEGORY.choices,
            "severities": SEVERITY.choices,
            "yes_no": YES_NO.choices,
            "severity": SEVERITY.label(said.severity) if said else "",
            "histories": _histories(found, said),
            "noticed": _noticed_too(found),
        }
        return render(request, "entry/deviation.html", context, status=status)


def _talk(said: DeviationAssessment | None) -> list[dict[str, str]]:
    """What was said, step by step, with role and state in words."""
    lines = said.talk if said else []
    return [{**one, "role": role_name(one["role"]), "state": str(STATE.label(one["state"]))} for one in lines]


UNTOLD = ("deviation", "judged", "talk")


def _histories(found: Deviation, said: DeviationAssessment | None) -> list[tuple[str, Any]]:
    """Every version of what the rules found and of what the site said, each under its title."""
    of_rules = (T("What the rules found", "规则的发现"), history_of_record(found, "status"))
    if said is None:
        return [of_rules]
    entries = history_of_record(said)
    for entry in entries:
        entry.changes = [change for change in entry.changes if change.field not in UNTOLD]
    return [of_rules, (T("What the site said", "中心的说明"), entries)]


def _answers(found: Deviation, said: DeviationAssessment | None) -> dict[str, str]:
    """What the form of classifying starts with: what was said, else the rule's own severity."""
    if said is None:
        return {"severity": found.severity}
    told = {name: _plain(getattr(said, name)) for name in ANSWERS}
    return {**told, "severity": told["severity"] or found.severity}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "YES" if value else "NO"
    return "" if value is None else str(value)


def _noticed_too(found: Deviation) -> list[ProtocolDeviation]:
    """Entries of the log kept by hand that name the same rule for the same subject."""
    rows = ProtocolDeviation.objects.filter(
        subject_id=found.subject_id, rule_id=found.rule_id, retracted=False
    )
    return list(rows.order_by("sequence"))
