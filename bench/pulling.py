"""What a full pull over REST costs, against COPY of the same rows."""

from __future__ import annotations

import re
import statistics

from bench.measure import Line, turns
from bench.place import Raw
from bench.serving import Client
from exchange.shapes import rows_of
from exchange.sql import quote
from visits.models import VitalSigns

PATH = "/api/v1/forms/vital_signs/"
NEXT = re.compile(r'<([^>]+)>; rel="next"')


def pulls(db: Raw, whole: Client, restricted: Client, site: int, rounds: int) -> list[Line]:
    """Everything and one site's part of it: CSV, NDJSON, JSON pages of 1,000, in turns with COPY."""
    lines = []
    for title, client, where in (
        ("", whole, ""),
        (", site-restricted", restricted, f" WHERE f.site_id = {site}"),
    ):
        copy = _copy(where)
        (n,) = db.execute(f"SELECT count(*) FROM visits_vitalsigns f{where}").fetchone() or (0,)
        deeds = (
            lambda copy=copy: _drain_copy(db, copy),
            lambda client=client: client.drain(f"{PATH}?format=csv"),
            lambda client=client: client.drain(f"{PATH}?format=ndjson"),
            lambda client=client: _pages(client),
        )
        seconds = [statistics.median(s) for s in turns(*deeds, rounds=rounds, warm=2)]
        goals = (("CSV", 80, 95), ("NDJSON", 35, 45), ("JSON pages of 1,000", 20, 25))
        for (name, goal, moonshot), taken in zip(goals, seconds[1:], strict=True):
            text = f"pull of {n:,} rows, {name}{title}"
            ours, reference = f"{n / taken:,.0f} rows/s", f"{n / seconds[0]:,.0f} rows/s"
            lines.append(
                Line(text, ours, reference, 100 * seconds[0] / taken, "%", goal, moonshot, at_least=True)
            )
    return lines


def _copy(where: str) -> str:
    """COPY of the same columns as they are stored: no text form, no order, no policy."""
    names = {"subject": "s.subjid", "site": "t.code"}
    rows = rows_of(VitalSigns)
    columns = ", ".join(names.get(name, f"f.{quote(name)}") for name in (c.name for c in rows.columns))
    return f"COPY (SELECT {columns} FROM {rows.source}{where}) TO STDOUT WITH (FORMAT csv, HEADER true)"


def _drain_copy(db: Raw, statement: str) -> int:
    size = 0
    with db.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            size += len(block)
    return size


def _pages(client: Client) -> None:
    path = f"{PATH}?limit=1000"
    while True:
        _, link = client.drain(path)
        found = NEXT.search(link)
        if not found:
            return
        path = found[1]
