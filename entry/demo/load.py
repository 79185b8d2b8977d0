"""Tell every story, let the rules look at everything, and come back for the corrections."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from entry.demo import committee, icf, ranges
from entry.demo.clock import Clock
from entry.demo.digest import digest
from entry.demo.people import assemble, site_code, subject_number
from entry.demo.replicate import replicate
from entry.demo.shapes import SHAPES
from entry.demo.story import Story
from entry.door import create_subject
from safety import outbox
from safety.doorbell import silence
from safety.models import Deviation
from trial import audit
from trial.access import Actor
from trial.models import Outbox, Site
from trial.people import system_actor

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Loaded:
    """What a load left: subjects, deviations by rule and status, the hash of all answers, seconds by step."""

    subjects: int
    flags: Counter[tuple[str, str]] = field(default_factory=Counter)
    digest: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


def load(subjects: int, anchor: date, seed: int, said: Callable[[int], None] = lambda number: None) -> Loaded:
    """Enter `subjects` subjects as their stories stand on `anchor`. The same arguments give the same answers."""
    clock = Clock()
    system = system_actor()
    sites, actors = assemble(subjects, system)
    system = system_actor()
    for site in sites.values():
        ranges.install(site, system)
    icf.approve(sites.values(), anchor, system)
    clock.lap("people and ranges")
    told = min(subjects, len(SHAPES))
    with silence():
        stories, opened = [], {}
        if told == len(SHAPES):
            numbers = {number: subject_number(number) for number in range(1, told + 1)}
            opened = committee.meet(sites["01"], numbers, actors, anchor)
        for number in range(1, told + 1):
            story = _tell(number, sites[site_code(number)], actors, anchor, seed, system, opened)
            stories.append(story)
            said(number)
        clock.lap("entry")
        settle(system)
        clock.lap("rules")
        committee.lift_holds(actors)
        _come_back(stories)
        clock.lap("entry")
        settle(system)
        clock.lap("rules")
        if subjects > told:
            replicate(told, subjects, sites, seed, system, clock, said)
            settle(system)
            committee.lift_holds(actors)
            clock.lap("rules across subjects")
    with audit.reading(system):
        flags = Counter(Deviation.objects.values_list("rule_id", "status"))
    found = digest(system)
    clock.lap("hash")
    return Loaded(subjects, flags, found, clock.seconds)


def _tell(
    number: int,
    site: Site,
    actors: dict[str, Actor],
    anchor: date,
    seed: int,
    system: Actor,
    opened: Mapping[str, Any],
) -> Story:
    """One subject's story, all of it or nothing: every form passes the door, and one commit keeps them."""
    shape = SHAPES[number - 1]
    with audit.transaction(system):
        subject = create_subject(subject_number(number), site, by=actors["coordinator"])
        dice = random.Random(f"{seed}/{subject.subjid}")
        story = Story(
            subject, actors, anchor, dice, shape.body, shape.course, shape.level or "DL1", shape.ago
        )
        story.opened = opened
        shape.tell(story)
    return story


def _come_back(stories: list[Story]) -> None:
    for story in stories:
        for act in story.afterwards:
            act(story)


def settle(system: Actor) -> None:
    """Wait until the rules have looked at everything entered, helping a running worker."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        outbox.drain(system)
        if not Outbox.objects.exists():
            return
        if time.monotonic() > ends:
            raise TimeoutError("the outbox does not empty; see the worker's log")
        time.sleep(0.05)
