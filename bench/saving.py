"""What a save costs: through the door in this process, over HTTP, with few and with many subjects."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.measure import Line, medians, ms
from bench.place import BIG, SMALL, Hands, Raw
from bench.serving import Client
from entry.door import save_record
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.fields import uuid7
from visits.models import VitalSigns

_CONTROL = re.compile(r"^(BEGIN|COMMIT|SAVEPOINT|RELEASE)\b")
ANSWERS: dict[str, Any] = {
    "timepoint": "VISIT",
    "temp_c": "36.8",
    "temp_route": "AXILLARY",
    "sbp": "121",
    "dbp": "78",
    "pulse": "76",
    "resp_rate": "16",
    "spo2_pct": "98.0",
    "room_air": True,
    "weight_kg": "64.5",
    "height_cm": "171.0",
}


def statements(captured: CaptureQueriesContext) -> int:
    """SQL statements, the transaction's own BEGIN and COMMIT apart."""
    return sum(1 for query in captured.captured_queries if not _CONTROL.match(query["sql"]))


class Saver:
    """Somebody who enters and corrects vital signs, of one subject after the other."""

    def __init__(self, by: Actor) -> None:
        """Look up the actor's subjects."""
        self.by = by
        with audit.reading(by):
            self.subjects: list[UUID] = list(
                Subject.objects.order_by("pk").values_list("pk", flat=True)[:2000]
            )
        self.turn = itertools.count()
        self.records: list[VitalSigns] = []

    def _blank(self) -> VitalSigns:
        number = next(self.turn)
        record = VitalSigns(
            subject_id=self.subjects[number * 7 % len(self.subjects)], visit="D4", status="COMPLETE"
        )
        for name, value in ANSWERS.items():
            decimal = isinstance(value, str) and name not in ("timepoint", "temp_route")
            whole = name in ("sbp", "dbp", "pulse", "resp_rate")
            setattr(record, name, int(value) if whole else Decimal(value) if decimal else value)
        record.vs_dt = datetime(2025, 1, 5, 2, number % 60, tzinfo=UTC)
        return record

    def new(self) -> None:
        """Save a new record."""
        self.records.append(save_record(self._blank(), by=self.by).record)

    def correct(self) -> None:
        """Correct one value of a record saved before."""
        record = self.records[next(self.turn) % len(self.records)]
        record.temp_c = Decimal("36.6") if record.temp_c != Decimal("36.6") else Decimal("36.9")
        save_record(record, by=self.by, reason="transcription error", seen=record.version)


class RawSaver:
    """The same rows without us: tables of the same columns and indexes, no trigger, no foreign key, no policy.

    `two` writes what the reference of the goals writes (the row and its history); `four` also the ledger's entry and
    the note in the outbox. One connection, prepared statements, one durable transaction: BEGIN, the statements, COMMIT.
    """

    TABLES = ("visits_vitalsigns", "visits_historicalvitalsigns", "trial_ledgerentry", "trial_outbox")

    def __init__(self, db: Raw) -> None:
        """Make the tables and take the values of one real save."""
        self.db = db
        self.inserts: list[str] = []
        self.values: list[list[Any]] = []
        for table in self.TABLES:
            db.execute(f"DROP TABLE IF EXISTS bench_{table}")
            db.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
            self._sample(table)
        self.ids: list[UUID] = []
        self.turn = itertools.count()

    def _sample(self, table: str) -> None:
        order = {"visits_vitalsigns": "id"}.get(table, "history_id" if "historical" in table else "id")
        where = "WHERE record_table = 'visits_vitalsigns'" if table == "trial_ledgerentry" else ""
        cursor = self.db.execute(f"SELECT * FROM {table} {where} ORDER BY {order} DESC LIMIT 1")
        row = cursor.fetchone()
        assert row is not None and cursor.description is not None
        names = [column.name for column in cursor.description]
        serial = {"visits_vitalsigns": ""}.get(table, order)
        kept = [n for n in names if n != serial]
        listed = ", ".join(f'"{n}"' for n in kept)
        self.inserts.append(
            f"INSERT INTO bench_{table} ({listed}) VALUES ({', '.join(f'%({n})s' for n in kept)})"
        )
        self.values.append([(n, _plain(v)) for n, v in zip(names, row, strict=True) if n in kept])

    def _row(self, number: int, **changed: Any) -> dict[str, Any]:
        return {**dict(self.values[number]), **changed}

    def _new(self, tables: int) -> None:
        key = uuid7()
        self.ids.append(key)
        changed: tuple[dict[str, Any], ...] = ({"id": key}, {"id": key}, {"chain": key, "n": 1}, {})
        with self.db.transaction():
            for number in range(tables):
                self.db.execute(self.inserts[number], self._row(number, **changed[number]), prepare=True)

    def _correct(self, tables: int) -> None:
        number = next(self.turn)
        key = self.ids[number % len(self.ids)]
        changed: tuple[dict[str, Any], ...] = ({"id": key}, {"id": key}, {"chain": key, "n": 2 + number}, {})
        with self.db.transaction():
            self.db.execute(
                "UPDATE bench_visits_vitalsigns SET temp_c = %s, version = version + 1, changed_at = %s WHERE id = %s",
                [Decimal("36.6"), datetime.now(UTC), key],
                prepare=True,
            )
            for number in range(1, tables):
                self.db.execute(self.inserts[number], self._row(number, **changed[number]), prepare=True)

    def new_two(self) -> None:
        """INSERT row, INSERT history."""
        self._new(2)

    def new_four(self) -> None:
        """INSERT row, INSERT history, INSERT ledger entry, INSERT outbox note."""
        self._new(4)

    def correct_two(self) -> None:
        """UPDATE row, INSERT history."""
        self._correct(2)

    def correct_four(self) -> None:
        """UPDATE row, INSERT history, INSERT ledger entry, INSERT outbox note."""
        self._correct(4)


def _plain(value: Any) -> Any:
    """A value as psycopg takes it back: JSON as JSON, bytes as bytes."""
    from psycopg.types.json import Jsonb

    return (
        Jsonb(value)
        if isinstance(value, dict | list)
        else bytes(value)
        if isinstance(value, memoryview)
        else value
    )


def in_process(hands: Hands, by: Actor, raw: RawSaver, rounds: int) -> list[Line]:
    """A new record and a correction through the door, in turns with the raw transactions."""
    with hands.of("web"):
        saver = Saver(by)
        new, two, four = medians(saver.new, raw.new_two, raw.new_four, rounds=rounds, warm=20)
        change, change_two, change_four = medians(
            saver.correct, raw.correct_two, raw.correct_four, rounds=rounds, warm=20
        )
        return [
            Line("save, new record, through the door", ms(new), ms(two), new / two, "×", 8, 4),
            Line("  against the same four rows", ms(new), ms(four), new / four),
            Line(
                "save, correction, through the door",
                ms(change),
                ms(change_two),
                change / change_two,
                "×",
                8,
                4,
            ),
            Line("  against the same four rows", ms(change), ms(change_four), change / change_four),
            _count("statements of a new record", saver.new),
            _count("statements of a correction", saver.correct),
        ]


def _count(title: str, deed: Callable[[], None]) -> Line:
    with CaptureQueriesContext(connection) as captured:
        deed()
    n = statements(captured)
    return Line(title, f"{n} and BEGIN, COMMIT", "", n, "SQL", 8, 6)


def over_http(client: Client, subjids: list[str], raw: RawSaver, rounds: int) -> list[Line]:
    """POST and PATCH of the same form with one keep-alive connection, in turns with the raw transaction."""
    turn = itertools.count()
    made: list[tuple[str, int]] = []
    path = "/api/v1/forms/vital_signs/"

    def post() -> None:
        number = next(turn)
        moment = f"2025-01-06T02:{number % 60:02d}:00Z"
        body = {
            "subject": subjids[number * 7 % len(subjids)],
            "visit": "D7",
            "status": "COMPLETE",
            **ANSWERS,
            "vs_dt": moment,
        }
        answer = client.json("POST", path, body, expect=201)
        made.append((answer["id"], 1))

    def patch() -> None:
        place = next(turn) % len(made)
        key, version = made[place]
        body = {"temp_c": "36.6" if version % 2 else "36.9", "reason": "transcription error"}
        client.json("PATCH", f"{path}{key}/", body, {"If-Match": f'"{version}"'})
        made[place] = (key, version + 1)

    new, two = medians(post, raw.new_two, rounds=rounds, warm=40)
    change, change_two = medians(patch, raw.correct_two, rounds=rounds, warm=20)
    return [
        Line("save, new record, over HTTP (POST)", ms(new), ms(two), new / two, "×", 12, 6),
        Line(
            "save, correction, over HTTP (PATCH)", ms(change), ms(change_two), change / change_two, "×", 12, 6
        ),
    ]


def slope(hands: Hands, by: Actor, sizes: tuple[int, int], rounds: int) -> list[Line]:
    """The same saves in the database with many subjects and in its copy with few, in turns."""
    savers = {}
    for database in (SMALL, BIG):
        with hands.of("web", database):
            savers[database] = Saver(by)
            savers[database].subjects = savers[database].subjects[: sizes[0] // 2]

    def deed(database: str, name: str) -> Callable[[], None]:
        def save() -> None:
            with hands.of("web", database):
                getattr(savers[database], name)()

        return save

    lines = []
    for name, title in (("new", "new record"), ("correct", "correction")):
        few, many = medians(deed(SMALL, name), deed(BIG, name), rounds=rounds, warm=20)
        text = f"slope: {title}, {sizes[1]:,} subjects against {sizes[0]:,}"
        lines.append(Line(text, ms(many), ms(few), many / few, "×", 1.15, 1.0))
    return lines
