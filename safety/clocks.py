"""The clocks of serious adverse events: from the site's awareness to the sponsor, and for a SUSAR to the authority.

Pure: a clock follows from the event's answers and the protocol alone, so a corrected time of awareness moves it and a
report stops it, and nothing has to be kept in step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from safety.adverse_events import is_susar, susar_ends
from trial.codes import CodeList
from trial.jurisdiction import after_hours
from trial.protocol import Protocol

KIND = CodeList(
    "CL_SAE_CLOCK",
    (("SPONSOR", "To the sponsor", "报告申办者"), ("SUSAR", "SUSAR, to the authority", "SUSAR 递交监管部门")),
)


@dataclass(frozen=True)
class Clock:
    """One clock of one event. `sure` is False while it is not known whether the event is a SUSAR."""

    event: UUID
    kind: str
    start: datetime
    due: datetime
    stopped: datetime | None = None
    sure: bool = True

    def late(self, now: datetime) -> bool:
        """Whether the time was, or is, overrun."""
        return (self.stopped or now) > self.due

    def left(self, now: datetime) -> timedelta:
        """What is left of a running clock; negative when it is overdue."""
        return self.due - now


def clocks(event: Any, protocol: Protocol) -> Iterator[Clock]:
    """The clocks of a serious event whose time of awareness is known; none for any other event."""
    if event.serious is not True or event.sae_aware_dt is None:
        return
    start = event.sae_aware_dt
    due = after_hours(start, protocol.sae_report_hours.value)
    yield Clock(event.pk, "SPONSOR", start, due, event.sae_report_dt)
    susar = is_susar(event, protocol)
    if susar is not False:
        due = susar_ends(event, protocol)
        yield Clock(event.pk, "SUSAR", start, due, event.susar_submitted_dt, sure=susar is True)


def step_reached(clock: Clock, protocol: Protocol, now: datetime) -> tuple[str, datetime] | None:
    """The newest step of reminding that a running clock has reached, and when: P50, P75, P100, then D1, D2 ... overdue."""
    if clock.stopped is not None:
        return None
    every = timedelta(days=protocol.reminder_overdue_days.value)
    overdue = (now - clock.due) // every
    if overdue > 0:
        return f"D{overdue}", clock.due + overdue * every
    whole = clock.due - clock.start
    passed = [
        (percent, at)
        for percent in protocol.reminder_percents.value
        if (at := clock.start + whole * percent / 100) <= now
    ]
    return (f"P{passed[-1][0]}", passed[-1][1]) if passed else None


def roles_for(step: str, protocol: Protocol) -> tuple[str, ...]:
    """Who is reminded at a step."""
    told = protocol.reminder_roles.value
    return told.get(step, told["OVERDUE"])
