"""Child processes that never outlive us, and how to know a process again."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux: the signal a child gets when its parent dies, kill -9 included."""

LOG_LIMIT = 10_000_000
"""Bytes after which a log is put aside as `.1` at the next start."""


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path | None = None,
    cwd: Path | None = None,
    user: tuple[int, int] | None = None,
    on_orphan: signal.Signals = signal.SIGTERM,
    own_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start `command` as a child that gets `on_orphan` should we die.

    Its output goes to the end of `log`, if given; `user` is a user and group id to change to;
    `own_session` keeps the terminal's Ctrl-C away from it. Raises OSError when it cannot be started.
    """
    output = log.open("ab") if log else None
    try:
        return subprocess.Popen(
            [os.fspath(part) for part in command],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL if own_session else None,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            user=user[0] if user else None,
            group=user[1] if user else None,
            extra_groups=[] if user else None,
            start_new_session=own_session,
            preexec_fn=_die_with_parent(on_orphan),
        )
    finally:
        if output:
            output.close()


def _die_with_parent(how: signal.Signals) -> Callable[[], None] | None:
    """Return what the child does before its program starts. Nothing outside Linux."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(_SET_DEATH_SIGNAL, int(how), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask to be told
            os.kill(os.getpid(), signal.SIGKILL)

    return arrange


def stop(
    process: subprocess.Popen[bytes],
    *steps: tuple[signal.Signals, float],
) -> None:
    """Send each signal in turn, waiting up to its number of seconds, then kill the process and its group."""
    for how, patience in steps:
        if process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        kill_group(process.pid)
        process.wait()


def kill_group(leader: int) -> None:
    """Kill what is left of the process group that `leader` opened; no error when nothing is left."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def identity(pid: int) -> str | None:
    """Return text that no other process ever shares, or None when there is no such process.

    Process ids come back after a restart of the machine or container; an id with its start time does not.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[0] in "ZX" else f"{boot}/{pid}/{fields[19]}"


def working_folder(pid: int) -> Path | None:
    """Return the folder a process works in, or None when it is gone or may not be looked at."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None


def rotate(log: Path) -> None:
    """Put a log that grew beyond LOG_LIMIT aside, keeping one older one."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))


def tail(log: Path, since: int = 0, lines: int = 20) -> list[str]:
    """Return the last lines of a log written after byte `since`; none when there is no log."""
    if not log.exists():
        return []
    with log.open("rb") as stream:
        stream.seek(since)
        return stream.read().decode(errors="replace").splitlines()[-lines:]
