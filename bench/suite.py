"""Everything that is measured, in order. Imports the study, so Django must be set up before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import cohort, judging, looking, place, proving, pulling, saving
from bench.measure import Line
from bench.place import Hands, Raw
from bench.serving import Client, server
from exchange.tokens import mint
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.models import Person, Site
from trial.people import actor_for, system_actor

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    few: int
    subjects: int
    saves: int
    sweeps: int
    pulls: int
    flags: int
    proofs: int


WHOLE = Size(few=100, subjects=2000, saves=200, sweeps=7, pulls=9, flags=50, proofs=3)
QUICK = Size(few=100, subjects=500, saves=60, sweeps=3, pulls=3, flags=20, proofs=1)


def run(size: Size, say: Say) -> list[Line]:
    """Set up the study, measure, and return the lines."""
    hands = Hands()
    try:
        staff = _set_up(hands, size, say)
        with place.raw() as db:
            return _measure(hands, db, staff, size, say)
    finally:
        hands.let_go()


def _measure(hands: Hands, db: Raw, staff: dict[str, Person], size: Size, say: Say) -> list[Line]:
    with hands.of("web"):
        li = _actor(staff["coordinator"])
        system = system_actor()
        tokens = {name: mint(staff[name]) for name in ("coordinator", "downstream")}
        site = Site.objects.get(code="01").pk
        with audit.reading(li):
            subjids = list(Subject.objects.order_by("pk").values_list("subjid", flat=True)[: size.few])
        saving.Saver(li).new()
    raw, lines = saving.RawSaver(db), []
    parts: list[tuple[str, Callable[[], list[Line]]]] = [
        ("ledger", lambda: proving.verification(hands, db, size.proofs)),
        ("rules, everybody", lambda: judging.sweeps(hands, system, db, size.sweeps)),
        ("rules, one subject", lambda: judging.one_subject(hands, system, raw, size.saves)),
        ("saves in process", lambda: saving.in_process(hands, li, raw, size.saves)),
        ("slope", lambda: saving.slope(hands, li, (size.few, size.subjects), size.saves)),
    ]
    lines += _each(parts, say)
    db.execute("VACUUM ANALYZE visits_vitalsigns")
    with server() as web:
        one = Client(web.port, Authorization=f"Bearer {tokens['coordinator']}")
        all_ = Client(web.port, Authorization=f"Bearer {tokens['downstream']}")
        lines += _each(
            [
                ("pulls", lambda: pulling.pulls(db, all_, one, site, size.pulls)),
                ("saves over HTTP", lambda: saving.over_http(one, subjids, raw, size.saves)),
                (
                    "pages",
                    lambda: looking.pages(hands, web, staff["coordinator"], raw, subjids[0], size.saves // 4),
                ),
                ("flags", lambda: looking.flag_latency(hands, web, one, li, db, size.flags)),
            ],
            say,
        )
    return lines


def _set_up(hands: Hands, size: Size, say: Say) -> dict[str, Person]:
    """People and a few subjects; a copy of that; then the other subjects."""
    began = time.monotonic()
    with hands.of("owner"):
        staff = cohort.people_and_sites()
    hands.let_go()
    with place.raw() as db:
        cohort.enter(db, 1, size.few)
    place.split()
    with place.raw() as db:
        cohort.enter(db, size.few + 1, size.subjects)
    say(f"{size.subjects:,} subjects are entered ({time.monotonic() - began:.0f} s)")
    return staff


def _actor(person: Person) -> Actor:
    actor = actor_for(person, None, "bench")
    assert actor is not None
    return actor


def _each(parts: list[tuple[str, Callable[[], list[Line]]]], say: Say) -> list[Line]:
    lines = []
    for title, measure in parts:
        began = time.monotonic()
        try:
            lines += measure()
        except (
            Exception
        ) as error:  # one part that breaks shall not lose what the others took minutes to measure
            lines.append(Line(title, "not measured", value=0.0, unit="", goal=1.0, at_least=True))
            say(f"{title}: {type(error).__name__}: {error}")
            continue
        say(f"{title}: measured ({time.monotonic() - began:.0f} s)")
    return lines
