"""Keeps the study's own processes running: web, worker and beat."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launch import process
from launch.trouble import say

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between the death of a child and its next start: doubled each time, up to the longest."""

STEADY = 30.0
"""Seconds a child must live for its earlier deaths to be forgotten."""


@dataclass
class Child:
    """One process that must run as long as we do, in a session of its own."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    log: Path
    running: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started: float = field(default=0.0)
    due: float = field(default=0.0)

    def start(self) -> None:
        """Start it. Raises OSError when its program cannot be run."""
        self.running = process.start(self.command, env=self.env, cwd=self.folder, log=self.log)
        self.started = time.monotonic()

    def tend(self) -> None:
        """Notice a death, and start it again when its pause is over. To be called several times a second."""
        now = time.monotonic()
        if self.running is None:
            if now >= self.due:
                self.start()
            return
        code = self.running.poll()
        if code is None:
            return
        process.kill_group(self.running.pid)  # helpers that it left behind
        self.running = None
        self.deaths = 1 if now - self.started > STEADY else self.deaths + 1
        pause = min(FIRST_PAUSE * 2 ** (self.deaths - 1), LONGEST_PAUSE)
        self.due = now + pause
        how = f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
        say(f"The {self.name} process ended ({how}); it is started again in {pause:.1f} s, see {self.log}.")

    def ask_to_end(self) -> None:
        """Ask it to finish what it has in hand and end."""
        if self.running and self.running.poll() is None:
            self.running.terminate()

    def end(self, patience: float) -> None:
        """Wait up to `patience` seconds for its end, then kill it with everything it started."""
        if self.running:
            try:
                self.running.wait(patience)
            except subprocess.TimeoutExpired:
                say(f"The {self.name} process did not end in time and is killed; unfinished work is kept.")
            process.kill_group(self.running.pid)
            self.running.wait()
            self.running = None


def end_all(children: Sequence[Child], patience: float = 12.0) -> None:
    """End all children at the same time; takes at most about `patience` seconds."""
    deadline = time.monotonic() + patience
    for child in children:
        child.ask_to_end()
    for child in children:
        child.end(max(0.1, deadline - time.monotonic()))
