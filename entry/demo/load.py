"""Tell every story, let the rules look at each, and come back for the corrections."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from entry.demo import ranges
from entry.demo.digest import digest
from entry.demo.people import assemble, site_code, subject_number
from entry.demo.shapes import SHAPES
from entry.demo.story import Body, Story
from entry.door import create_subject
from safety import outbox
from safety.doorbell import silence
from safety.models import Deviation
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.models import Outbox, Site
from trial.people import system_actor

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Loaded:
    """What a load left: subjects, deviations by rule and status, the hash of all answers."""

    subjects: int
    flags: Counter[tuple[str, str]] = field(default_factory=Counter)
    digest: str = ""


def load(subjects: int, anchor: date, seed: int, said: Callable[[int], None] = lambda number: None) -> Loaded:
    """Enter `subjects` subjects as their stories stand on `anchor`. The same arguments give the same answers."""
    system = system_actor()
    sites, actors = assemble(subjects, system)
    system = system_actor()
    for site in sites.values():
        ranges.install(site, system)
    with silence():
        for number in range(1, subjects + 1):
            _tell(number, sites[site_code(number)], actors, anchor, seed, system)
            said(number)
    with audit.reading(system):
        flags = Counter(Deviation.objects.values_list("rule_id", "status"))
    return Loaded(subjects, flags, digest(system))


def _tell(number: int, site: Site, actors: dict[str, Actor], anchor: date, seed: int, system: Actor) -> None:
    shape = SHAPES[(number - 1) % len(SHAPES)]
    subject = create_subject(subject_number(number), site, by=actors["coordinator"])
    dice = random.Random(f"{seed}/{subject.subjid}")
    body = shape.body if number <= len(SHAPES) else _another(shape.body, dice)
    story = Story(subject, actors, anchor, dice, body, shape.course, shape.level)
    shape.tell(story)
    settle(subject, system)
    for act in story.afterwards:
        act(story)
    if story.afterwards:
        settle(subject, system)


def _another(body: Body, dice: random.Random) -> Body:
    """Somebody of about the same build, of an age the protocol admits."""
    height = float(body.height_cm) * dice.uniform(0.97, 1.03)
    weight = float(body.weight_kg) * dice.uniform(0.9, 1.12)
    return Body(body.sex, dice.randint(19, 64), f"{height:.1f}", f"{weight:.1f}")


def settle(subject: Subject, system: Actor) -> None:
    """Wait until the rules have looked at everything entered for the subject, helping a running worker."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        outbox.drain(system)
        if not Outbox.objects.filter(subject_id=subject.pk).exists():
            return
        if time.monotonic() > ends:
            raise TimeoutError(f"{subject.subjid}: the outbox does not empty; see the worker's log")
        time.sleep(0.05)
