"""The desk of serious adverse events: which clocks run, what is left of each, who was reminded."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from entry.flags import record_link
from entry.signin import signed_in
from entry.words import now as words
from safety.adverse_events import AdverseEvent
from safety.clocks import KIND, Clock
from safety.models import Reminder
from safety.reminding import clocks_of, running
from subjects.crf import Subject
from trial import audit
from trial.dates import utc_now
from trial.jurisdiction import JURISDICTIONS
from trial.protocol import V1
from trial.sites import facts, zone_of
from trial.text import T

MOST = 200
SHOWS = (("", T("running", "计时中")), ("ALL", T("all", "全部")))


@dataclass(frozen=True)
class Line:
    """One clock as the desk shows it. `left` is what is left, or by how much it is or was overdue."""

    subjid: str
    site: str
    term: str
    url: str
    kind: str
    sure: bool
    start: datetime
    due: datetime
    stopped: datetime | None
    late: bool
    left: str
    reminders: int
    zone: str


@require_GET
@signed_in()
def safety(request: HttpRequest) -> HttpResponse:
    """The clocks among the actor's sites, the most urgent first; `?show=ALL` adds those that have stopped."""
    show, now = request.GET.get("show", ""), utc_now()
    with audit.reading(request.actor):  # type: ignore[attr-defined]
        serious = AdverseEvent.objects.filter(serious=True, retracted=False, not_done=False)
        # What is cut off of a long list is what presses least: with running clocks the latest awareness.
        aware = F("sae_aware_dt")
        found = (
            serious.order_by(aware.desc(nulls_first=True))
            if show == "ALL"
            else serious.filter(running() | Q(sae_aware_dt=None)).order_by(aware.asc(nulls_first=True))
        )
        events = list(found[:MOST])
        jurisdiction = JURISDICTIONS[V1.jurisdiction.value]
        context = {
            "lines": _lines(events, show == "ALL", now),
            "unknown": _unknown(events),
            "show": show,
            "shows": SHOWS,
            "now": now,
            "jurisdiction": jurisdiction.label,
            "protocol": V1,
        }
        return render(request, "entry/safety.html", context)


def _lines(events: list[AdverseEvent], stopped_too: bool, now: datetime) -> list[Line]:
    subjects = Subject.objects.in_bulk({one.subject_id for one in events})
    told = Counter(
        Reminder.objects.filter(record_id__in=[one.pk for one in events]).values_list("record_id", "clock")
    )
    wanted = {one.pk for one in events}
    lines = [
        _line(event, clock, subjects[event.subject_id].subjid, site, told[event.pk, clock.kind], now)
        for event, clock, _, site in clocks_of(sorted(subjects), now)
        if event.pk in wanted and (stopped_too or clock.stopped is None)
    ]
    return sorted(lines, key=lambda line: (line.stopped is not None, line.due))


def _line(event: Any, clock: Clock, subjid: str, site: int, reminders: int, now: datetime) -> Line:
    return Line(
        subjid=subjid,
        site=facts(site).code,
        term=event.term,
        url=record_link(
            "adverse_event", event.pk, "sae_report_dt" if clock.kind == "SPONSOR" else "susar_submitted_dt"
        ),
        kind=KIND.label(clock.kind),
        sure=clock.sure,
        start=clock.start,
        due=clock.due,
        stopped=clock.stopped,
        late=clock.late(now),
        left=spoken(clock.left(clock.stopped or now)),
        reminders=reminders,
        zone=zone_of(site),
    )


def spoken(left: timedelta) -> str:
    """A span of time in days, hours and minutes, without its sign."""
    minutes = int(abs(left).total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    return (
        words(f"{days} d {hours:02}:{rest:02}", f"{days} 天 {hours:02}:{rest:02}")
        if days
        else f"{hours:02}:{rest:02}"
    )


def _unknown(events: list[AdverseEvent]) -> list[dict[str, str]]:
    """Serious events without a time of awareness: no clock can be told."""
    subjects = Subject.objects.in_bulk({one.subject_id for one in events if one.sae_aware_dt is None})
    return [
        {
            "subjid": subjects[one.subject_id].subjid,
            "term": one.term,
            "url": record_link("adverse_event", one.pk, "sae_aware_dt"),
        }
        for one in events
        if one.sae_aware_dt is None
    ]
