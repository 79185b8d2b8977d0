"""Two databases of the benchmark's own, made by the owner and dropped at the end; who is connected to which."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from launch.roles import drop_database

ROOT = Path(__file__).resolve().parent.parent
BIG, SMALL = "edc_bench", "edc_bench_small"
ROLES = {"owner": "DATABASE_OWNER_URL", "web": "DATABASE_URL", "worker": "DATABASE_WORKER_URL"}

Raw = psycopg.Connection[Any]


class NotReady(Exception):
    """The benchmark cannot start; the text is one sentence saying why."""


def prepare() -> dict[str, str]:
    """Make the database, let this process and its children use it, lay the tables. Returns the old addresses."""
    before = {name: os.environ.get(name, "") for name in ROLES.values()}
    if not all(before.values()):
        raise NotReady("No database is named; start with: make bench")
    with _maintenance(before) as db:
        _drop(db)
        db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(BIG)))
    for name, url in before.items():
        os.environ[name] = make_conninfo(url, dbname=BIG)
    os.environ["EDC_ENV"] = "test"  # static files are found where they lie; nothing else differs
    os.environ["EDC_API_RATE"] = "10000000/min"
    for command in (["migrate", "--no-input", "-v", "0"], ["setup_study", "-v", "0"]):
        _manage(command)
    return before


def remove(before: dict[str, str]) -> None:
    """Drop the databases."""
    with _maintenance(before) as db:
        _drop(db)


def _maintenance(addresses: dict[str, str]) -> Raw:
    return psycopg.connect(make_conninfo(addresses[ROLES["owner"]], dbname="postgres"), autocommit=True)


def _drop(db: Raw) -> None:
    for name in (BIG, SMALL):
        drop_database(db, name)


def _manage(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={**os.environ, "EDC_PROCESS": "owner"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotReady(f"manage.py {command[0]} failed: {done.stderr.strip().splitlines()[-1]}")


def raw(role: str = "owner", database: str = BIG) -> Raw:
    """A bare psycopg connection, as a client would open it. A commit that is not durable would prove nothing."""
    connection: Raw = psycopg.connect(
        make_conninfo(os.environ[ROLES[role]], dbname=database), autocommit=True
    )
    for setting in ("fsync", "synchronous_commit"):
        value = connection.execute(f"SHOW {setting}").fetchone()
        if value != ("on",):
            raise NotReady(f"{setting} is {value}; only durable commits are measured")
    return connection


class Hands:
    """Django's connection, taken up as one of the three roles in one of the two databases."""

    def __init__(self) -> None:
        """Nothing is connected yet."""
        self.known: dict[tuple[str, str], Any] = {}

    @contextmanager
    def of(self, role: str, database: str = BIG) -> Iterator[Any]:
        """Work as a role until the body ends."""
        from django.db import connections

        before = connections["default"]
        connections["default"] = self._connection(role, database)
        try:
            yield connections["default"]
        finally:
            connections["default"] = before

    def _connection(self, role: str, database: str) -> Any:
        key = (role, database)
        if key not in self.known:
            from django.db import connections
            from django.db.utils import load_backend

            parts = conninfo_to_dict(os.environ[ROLES[role]])
            settings = {**connections.settings["default"], "NAME": database}
            settings.update(USER=parts["user"], PASSWORD=parts.get("password", ""))
            self.known[key] = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "default")
        return self.known[key]

    def let_go(self) -> None:
        """Close every connection."""
        for connection in self.known.values():
            connection.close()
        self.known.clear()


def split() -> None:
    """Copy the database as it stands under the second name. Nobody may be connected to it."""
    with _maintenance({name: os.environ[name] for name in ROLES.values()}) as db:
        command = "CREATE DATABASE {} TEMPLATE {}"
        db.execute(sql.SQL(command).format(sql.Identifier(SMALL), sql.Identifier(BIG)))
