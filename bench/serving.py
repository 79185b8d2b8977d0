"""The study's own web server and worker, started as the launcher starts them, and a client with one open connection."""

from __future__ import annotations

import http.client
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from launch import run as launcher
from launch.children import Child, end_all

START_SECONDS = 40.0


class Refused(Exception):
    """The server answered otherwise than expected."""


class Client:
    """One client: a token or a session cookie, and a connection that stays open."""

    def __init__(self, port: int, **headers: str) -> None:
        """Nothing is connected yet."""
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Accept-Language": "en", **headers}

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        expect: int = 200,
    ) -> http.client.HTTPResponse:
        """The answer, its body not read yet. Opens the connection again when the server let it go."""
        sent = {**self.headers, **(headers or {})}
        try:
            self.line.request(method, path, body, sent)
            answer = self.line.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self.line.close()
            self.line.request(method, path, body, sent)
            answer = self.line.getresponse()
        if answer.status != expect:
            raise Refused(f"{method} {path}: {answer.status} {answer.read()[:300].decode(errors='replace')}")
        return answer

    def json(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        expect: int = 200,
    ) -> Any:
        """The answer as JSON."""
        sent = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        return json.loads(self.ask(method, path, sent, {**kind, **(headers or {})}, expect).read())

    def drain(self, path: str) -> tuple[int, str]:
        """Read a whole answer in blocks, as a downstream system would: its size and its Link header."""
        answer = self.ask("GET", path)
        link, size = answer.getheader("Link", ""), 0
        while block := answer.read(65536):
            size += len(block)
        return size, link


class Server:
    """Web and worker processes with the launcher's own flags, each in its own log."""

    def __init__(self, folder: Path) -> None:
        """Describe them; nothing is started."""
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            self.port = int(door.getsockname()[1])
        names = ("DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_WORKER_URL", "REDIS_URL")
        addresses = {name: os.environ[name] for name in names}
        base = {name: value for name, value in os.environ.items() if name not in names}
        (folder / "log").mkdir()
        children = launcher._children(folder, self.port, base, addresses)
        self.web, self.worker = (next(c for c in children if c.name == name) for name in ("web", "worker"))

    @contextmanager
    def running(self, child: Child) -> Iterator[None]:
        """Run one of the two until the body ends."""
        child.start()
        try:
            yield
        finally:
            end_all([child])

    def await_health(self) -> None:
        """Wait until the web server answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException, Refused):
                Client(self.port).ask("GET", "/health")
                return
            time.sleep(0.1)
        raise Refused(
            "the web server did not start: " + " | ".join(self.web.log.read_text().splitlines()[-3:])
        )


@contextmanager
def server() -> Iterator[Server]:
    """The web server, answering; the worker is started by who needs it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edc-bench-")))
        one = Server(folder)
        stack.enter_context(one.running(one.web))
        one.await_health()
        yield one
