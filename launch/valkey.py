"""A Valkey of our own: the doorbell between web and workers, reached through a socket only.

It is never the memory: the outbox table is. So a damaged store is put aside and a new one begun.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from launch import process
from launch.binaries import valkey_program
from launch.places import socket_folder
from launch.trouble import Trouble, say

_SOCKET = "valkey.sock"
_START_SECONDS = 20.0

SETTINGS = (
    "--port 0 --unixsocketperm 700 --appendonly yes --appendfsync everysec --daemonize no --databases 2"
).split()


class Valkey:
    """One server on one folder. Only one process may use it at a time: see places.hold."""

    def __init__(self, var: Path) -> None:
        """Choose the folders; nothing is started."""
        self.area = var / "valkey"
        self.log = var / "log" / "valkey.log"
        self.socket: Path | None = None
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers. Raises Trouble when it does not."""
        program = valkey_program()
        self.area.mkdir(mode=0o700, exist_ok=True)
        process.rotate(self.log)
        self.socket = self.socket or socket_folder(self.area, _SOCKET, None)
        if self._launch(program):
            return
        aside = self.area / f"damaged-{time.time_ns()}"
        aside.mkdir()
        for part in self.area.glob("appendonly*"):
            part.rename(aside / part.name)
        say(f"Valkey could not read what it kept; that lies in {aside} now and it starts empty.")
        if not self._launch(program):
            raise Trouble(f"Valkey did not start; the reason stands in {self.log}.")

    def alive(self) -> bool:
        """Tell whether the server that we started still runs."""
        return self.server is not None and self.server.poll() is None

    def stop(self) -> None:
        """Stop the server; it writes what it holds first."""
        if self.server:
            process.stop(self.server, (signal.SIGTERM, 10.0))
        if self.socket and self.socket.parent != self.area:
            shutil.rmtree(self.socket, ignore_errors=True)
        self.server = self.socket = None

    def url(self) -> str:
        """Return the broker's address as Celery reads it; redis clients want `unix:` in front."""
        return f"redis+socket://{self.socket}/{_SOCKET}"

    def _launch(self, program: Path) -> bool:
        """Start the server and tell whether it came up."""
        assert self.socket is not None
        door = self.socket / _SOCKET
        door.unlink(missing_ok=True)
        self.server = process.start(
            [program, *SETTINGS, "--save", "", "--dir", self.area, "--unixsocket", door],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            log=self.log,
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.alive():
            if _answers(door):
                return True
            time.sleep(0.01)
        process.stop(self.server, (signal.SIGTERM, 2.0))
        return False


def _answers(door: Path) -> bool:
    """Tell whether a server behind a socket says that it is ready (not: loading)."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1.0)
            line.connect(str(door))
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith(b"+PONG")
    except OSError:
        return False
