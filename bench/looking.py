"""What people wait for: pages, and the flag after a save."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client as TestClient
from django.test.utils import CaptureQueriesContext

from bench.measure import Line, medians, ms, percentile
from bench.place import Hands, Raw
from bench.saving import RawSaver, statements
from bench.serving import Client, Server
from dosing.models import Infusion
from entry.door import create_subject, save_record
from entry.places import form_url
from subjects.models import PriorTransplant
from trial.access import Actor
from trial.models import Person, Site
from visits.models import Ecog, Haematology

PEER_DASHBOARD = 577 / 0.64
"""The peer's dashboard of one subject as a multiple of the raw transaction, both measured elsewhere on one machine."""


def pages(
    hands: Hands, server: Server, person: Person, raw: RawSaver, subjid: str, rounds: int
) -> list[Line]:
    """The pages a coordinator opens all day: time over HTTP and statements, in turns with the raw transaction."""
    with hands.of("web"):
        inside = TestClient(headers={"accept-language": "en"})
        inside.force_login(person, backend="entry.signin.PersonBackend")
        cookie = inside.cookies[settings.SESSION_COOKIE_NAME].value
        client = Client(server.port, Cookie=f"{settings.SESSION_COOKIE_NAME}={cookie}")
        lines = []
        for title, path in (
            ("subject matrix, 60 subjects", "/subjects"),
            ("page of one subject", f"/subjects/{subjid}"),
            ("form page, record", form_url(subjid, Ecog, "SCR")),
            ("form page, empty", form_url(subjid, Haematology, "SCR")),
            ("form page, large, empty", f"{form_url(subjid, Infusion, '')}/new"),
        ):
            page, two = medians(_fetch(client, path), raw.new_two, rounds=rounds)
            n = _count(inside, path)
            lines.append(
                Line(title, ms(page), ms(two), page / two, "×", PEER_DASHBOARD / 10, PEER_DASHBOARD / 30)
            )
            lines.append(Line("  statements", f"{n}", "", n, "SQL", 12, 8))
        return lines


def _fetch(client: Client, path: str) -> Callable[[], Any]:
    return lambda: client.ask("GET", path).read()


def _count(inside: TestClient, path: str) -> int:
    inside.get(path)
    with CaptureQueriesContext(connection) as captured:
        answer = inside.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return statements(captured)


def flag_latency(hands: Hands, server: Server, client: Client, by: Actor, db: Raw, saves: int) -> list[Line]:
    """From the answer to a POST of an infusion until a GET shows DV-01: the doorbell, a real worker, the outbox."""
    subjids = _transplanted(hands, by, saves + 3)
    db.execute("DELETE FROM trial_outbox")
    with server.running(server.worker):
        acknowledged, sent = [], []
        for number, subjid in enumerate(subjids):
            began, answered, seen = _one_flag(client, subjid, 30.0 if number < 3 else 10.0)
            if number >= 3:
                acknowledged.append(seen - answered)
                sent.append(seen - began)
    half, worst = percentile(acknowledged, 0.5), percentile(acknowledged, 0.99)
    return [
        Line(f"flag visible after the answer, p50 of {saves}", ms(half), "", half * 1000, "ms"),
        Line(f"flag visible after the answer, p99 of {saves}", ms(worst), "", worst * 1000, "ms", 1000, 100),
        Line("  counted from the request's first byte, p50", ms(percentile(sent, 0.5))),
    ]


def _transplanted(hands: Hands, by: Actor, n: int) -> list[str]:
    """Subjects with an allogeneic transplant and nothing else."""
    with hands.of("web"):
        site = Site.objects.get(code="01")
        made = []
        for number in range(1, n + 1):
            subject = create_subject(f"01-{number:03d}", site, by=by)
            save_record(PriorTransplant(subject_id=subject.pk, sct_date="2025-01-02", sct_type="ALLO"), by=by)
            made.append(subject.subjid)
        return made


def _one_flag(client: Client, subjid: str, patience: float) -> tuple[float, float, float]:
    """When the infusion was sent, when the answer came, and when the flag was seen."""
    began = time.perf_counter()
    body = {"subject": subjid, "visit": "D0", "inf_start_dt": "2025-02-02T02:00:00Z"}
    client.json("POST", f"/api/v1/forms/{Infusion.form}/", body, expect=201)
    answered = time.perf_counter()
    while time.perf_counter() - answered < patience:
        if client.json("GET", f"/api/v1/deviations/?rule=DV-01&subject={subjid}"):
            return began, answered, time.perf_counter()
        time.sleep(0.002)
    raise TimeoutError(f"no flag within {patience} s: does the worker run? {subjid}")
