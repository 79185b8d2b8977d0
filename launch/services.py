"""The database and the broker: those that the environment names, else our own."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from launch import places, roles
from launch.postgres import Postgres
from launch.trouble import Trouble, say
from launch.valkey import Valkey


class Engine(Protocol):
    """A server of our own."""

    def start(self) -> None: ...
    def alive(self) -> bool: ...
    def stop(self) -> None: ...


@contextmanager
def services(var: Path) -> Iterator[dict[str, str]]:
    """Give the addresses of a running database and broker; stop what was started when the body ends.

    The result holds DATABASE_OWNER_URL, DATABASE_URL, DATABASE_WORKER_URL and REDIS_URL. With DATABASE_URL
    and REDIS_URL in the environment nothing is started. A server of ours that dies is started again at the
    same address while the body runs. Raises Trouble.
    """
    var = places.prepare(var)
    with ExitStack() as stack:
        if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
            stack.enter_context(places.hold(var / "lock", "Another run already uses the servers in"))
        env: dict[str, str] = {}
        engines: list[Engine] = []
        env |= given_database(var) or _own_database(var, engines, stack)
        env |= given_broker() or _own_broker(var, engines, stack)
        stack.enter_context(_kept_alive(engines))
        yield env


def _own_database(var: Path, engines: list[Engine], stack: ExitStack) -> dict[str, str]:
    """Start our PostgreSQL and return its addresses."""
    server = Postgres(var)
    stack.callback(server.stop)
    began = time.monotonic()
    server.start()
    say(f"PostgreSQL is ready ({time.monotonic() - began:.1f} s).")
    engines.append(server)
    return {
        "DATABASE_OWNER_URL": server.url(roles.OWNER),
        "DATABASE_URL": server.url(roles.APP),
        "DATABASE_WORKER_URL": server.url(roles.WORKER),
    }


def _own_broker(var: Path, engines: list[Engine], stack: ExitStack) -> dict[str, str]:
    """Start our Valkey and return its address."""
    server = Valkey(var)
    stack.callback(server.stop)
    began = time.monotonic()
    server.start()
    say(f"Valkey is ready ({time.monotonic() - began:.1f} s).")
    engines.append(server)
    return {"REDIS_URL": server.url()}


def given_database(var: Path) -> dict[str, str] | None:
    """Return the addresses of the database that the environment names, None when it names none.

    DATABASE_URL alone is the owner's: the two login roles are then made there, their passwords kept in
    `var`. With DATABASE_OWNER_URL all three are taken as they are. Raises Trouble when that cannot work.
    """
    names = ("DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_WORKER_URL")
    given = {name: os.environ[name] for name in names if os.environ.get(name)}
    if "DATABASE_URL" not in given:
        if given:
            raise Trouble(f"{' and '.join(given)} is set but DATABASE_URL is not; set all three, or none.")
        return None
    if "DATABASE_OWNER_URL" in given:
        if "DATABASE_WORKER_URL" not in given:
            raise Trouble(
                "DATABASE_OWNER_URL and DATABASE_URL are set, so DATABASE_WORKER_URL must be set too."
            )
        for name, address in given.items():
            roles.check(address, name)
        return given
    owner = given["DATABASE_URL"]
    roles.check(owner, "DATABASE_URL")
    words = roles.passwords(var / "passwords.json", (roles.APP, roles.WORKER))
    roles.create_users(owner, words)
    return {
        "DATABASE_OWNER_URL": owner,
        "DATABASE_URL": roles.as_role(owner, roles.APP, words[roles.APP]),
        "DATABASE_WORKER_URL": roles.as_role(owner, roles.WORKER, words[roles.WORKER]),
    }


def given_broker() -> dict[str, str] | None:
    """Return the address of the broker that the environment names, None when it names none.

    Raises Trouble when nothing takes a connection there within 5 seconds.
    """
    address = os.environ.get("REDIS_URL")
    if not address:
        return None
    try:
        parts = urlsplit(address)
        if parts.scheme in ("unix", "redis+socket"):
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(5.0)
                line.connect(parse_qs(parts.query).get("path", [parts.path])[0])
        else:
            socket.create_connection((parts.hostname or "localhost", parts.port or 6379), 5.0).close()
    except (OSError, ValueError) as error:
        raise Trouble(
            f"The broker of REDIS_URL ({parts.hostname or parts.path}) does not answer: {error}."
        ) from error
    return {"REDIS_URL": address}


@contextmanager
def _kept_alive(engines: list[Engine]) -> Iterator[None]:
    """Start an engine again when it dies while the body runs."""
    done = threading.Event()

    def watch() -> None:
        pause = 0.2
        while not done.wait(pause):
            pause = 0.2
            for engine in [each for each in engines if not each.alive()]:
                say(f"{type(engine).__name__} ended unexpectedly and is started again.")
                try:
                    engine.start()
                except (Trouble, OSError) as error:
                    say(f"{error} Trying again in 5 seconds.")
                    pause = 5.0

    # An engine started by this thread is told to stop when the thread ends; by then we stop it anyway.
    watcher = threading.Thread(target=watch, name="engines", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
