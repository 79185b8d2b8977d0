"""A real PostgreSQL of our own: reached through a socket only, kept under `var`, stopped when we stop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from launch import process, roles
from launch.binaries import postgres_programs
from launch.places import private_file, server_area, server_user, socket_folder
from launch.trouble import NO_SPACE, Trouble, disk_full, say

SETTINGS = {
    # what is acknowledged is on the disk
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # nobody but this machine's owner gets in
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    # two cores, web, workers and a test run beside each other
    "shared_buffers": "128MB",
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "logging_collector": "off",
}

SUPERUSER = "postgres"
_SOCKET = ".s.PGSQL.5432.lock"
_RECOVERY_SECONDS = 120.0
_BENIGN = ("shared memory", "lock file", "still in use")
"""What a start says while the last pieces of a crashed server are still leaving; trying again helps."""


class Postgres:
    """One server on one data folder. Only one process may use it at a time: see places.hold."""

    def __init__(self, var: Path) -> None:
        """Choose the folders; nothing is started. Raises Trouble when the data cannot be reached."""
        self.area = server_area(var)
        self.data = self.area / "data"
        self.log = var / "log" / "postgres.log"
        self.user = server_user(self.data)
        self.words = roles.passwords(
            self.area / "passwords.json", (SUPERUSER, roles.OWNER, roles.APP, roles.WORKER)
        )
        self.socket: Path | None = None
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, creating it the first time, and make sure of database and roles.

        Raises Trouble when it does not come up.
        """
        programs = postgres_programs(self.area, self.user, self._major())
        self._end_leftovers()
        if not self.data.exists():
            self._create(programs)
        process.rotate(self.log)
        self.socket = self.socket or socket_folder(self.area, _SOCKET, self.user)
        for pause in (0.2, 0.5, 1.0, 2.0, 4.0):
            if self._launch(programs):
                break
            time.sleep(pause)
        else:
            raise Trouble(f"PostgreSQL did not start; the reason stands in {self.log}.")
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            roles.create_owner(connection, self.words[roles.OWNER])
        roles.create_users(self.url(roles.OWNER), self.words)

    def alive(self) -> bool:
        """Tell whether the server that we started still runs."""
        return self.server is not None and self.server.poll() is None

    def stop(self) -> None:
        """Stop the server: running transactions are undone, everything acknowledged is kept."""
        if self.server:
            process.stop(self.server, (signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
        if self.socket and self.socket.parent != self.area:
            shutil.rmtree(self.socket, ignore_errors=True)
        self.server = self.socket = None

    def url(self, role: str, database: str = roles.DATABASE) -> str:
        """Return the address of a database for a role."""
        parts = {"dbname": database, "host": str(self.socket)}
        return roles.url(parts, role, self.words[role])

    def _major(self) -> int | None:
        """Return the PostgreSQL version that made the data, None before there are any."""
        stamp = self.data / "PG_VERSION"
        return int(stamp.read_text()) if stamp.exists() else None

    def _create(self, programs: Path) -> None:
        """Make the data folder beside its final place, so that a crash never leaves half of one."""
        draft, word = self.area / "data-unfinished", self.area / "first-password"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        private_file(word, self.words[SUPERUSER])
        for path in (draft, word):
            if self.user:
                os.chown(path, *self.user)
        try:
            made = process.start(
                [programs / "initdb", "-D", draft, "-k", "-E", "UTF8", *_locale(programs), "-U", SUPERUSER,
                 "--auth-local=scram-sha-256", "--auth-host=reject", f"--pwfile={word}"],
                env=_environment(), cwd=self.area, user=self.user, log=self.log,
            ).wait()  # fmt: skip
        finally:
            word.unlink(missing_ok=True)
        if made != 0:
            raise Trouble(self._reason("PostgreSQL's data folder could not be made"))
        draft.rename(self.data)

    def _launch(self, programs: Path) -> bool:
        """Start the server and wait for it. False when it is worth another try; Trouble when it is not."""
        written = self.log.stat().st_size if self.log.exists() else 0
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self.server = process.start(
            [programs / "postgres", "-D", self.data, "-k", str(self.socket), *options],
            env=_environment(),
            cwd=self.area,
            user=self.user,
            log=self.log,
            on_orphan=signal.SIGINT,
        )
        self._remember()
        deadline = time.monotonic() + _RECOVERY_SECONDS
        while time.monotonic() < deadline:
            if self._answers():
                return True
            if self.server.poll() is not None:
                said = "\n".join(process.tail(self.log, written))
                if any(word in said for word in _BENIGN):
                    return False
                raise Trouble(self._reason("PostgreSQL did not start", written))
            time.sleep(0.03)
        self.stop()
        raise Trouble(f"PostgreSQL was not ready after {_RECOVERY_SECONDS:.0f} seconds; see {self.log}.")

    def _answers(self) -> bool:
        """Tell whether the server takes a connection. Raises Trouble when it refuses our password."""
        try:
            psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                self.stop()
                raise Trouble(
                    f"{self.area / 'passwords.json'} does not fit {self.data}; restore it."
                ) from error
            return False
        return True

    def _reason(self, what: str, since: int = 0) -> str:
        """Return one sentence from what the server wrote into its log last."""
        said = process.tail(self.log, since)
        if any(NO_SPACE in line for line in said):
            return disk_full(self.area)
        reasons = [line for line in said if "FATAL:" in line or "PANIC:" in line or "error:" in line]
        why = reasons[-1].strip() if reasons else (said[-1].strip() if said else "it said nothing")
        return f"{what}: {why} (more in {self.log})."

    def _remember(self) -> None:
        """Note which process is our server, to know it again after a crash of ours."""
        assert self.server is not None
        note = {"identity": process.identity(self.server.pid), "socket": str(self.socket)}
        private_file(self.area / "server.json", json.dumps(note))

    def _end_leftovers(self) -> None:
        """Deal with a server that a crash of ours left on this data folder.

        Removes the note of a server that is gone, waits for ours to end and stops it when it does not.
        Raises Trouble when a server runs there that we did not start.
        """
        last = self._last()
        old_socket = Path(last.get("socket", self.area))
        note = self.data / "postmaster.pid"
        if not sys.platform.startswith("linux") or not note.exists():
            return  # elsewhere PostgreSQL's own check has to do
        pid = int(note.read_text().split("\n", 1)[0])
        start = process.identity(pid)
        if start is None or process.working_folder(pid) != self.data.resolve():
            note.unlink(missing_ok=True)  # the process is gone, or its id belongs to something else now
            if old_socket.name.startswith("edc-"):
                shutil.rmtree(old_socket, ignore_errors=True)
            return
        if start != last.get("identity"):
            raise Trouble(
                f"A PostgreSQL that this program did not start (process {pid}) uses {self.data}; stop it."
            )
        say("Waiting for the database server of an earlier run to end.")
        for how, patience in (
            (None, 3.0),
            (signal.SIGINT, 15.0),
            (signal.SIGQUIT, 5.0),
            (signal.SIGKILL, 2.0),
        ):
            if how:
                os.kill(pid, how)
            if _ended(start, pid, patience):
                note.unlink(missing_ok=True)
                return
        raise Trouble(f"The database server of an earlier run (process {pid}) does not end; stop it.")

    def _last(self) -> dict[str, str]:
        """Return identity and socket folder of the server that we started last, as far as known."""
        try:
            note: dict[str, str] = json.loads((self.area / "server.json").read_text())
        except (OSError, ValueError):
            return {}
        return note


def _ended(start: str, pid: int, patience: float) -> bool:
    """Wait up to `patience` seconds for a process that is not our child to end."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.identity(pid) != start:
            return True
        time.sleep(0.05)
    return False


def _locale(programs: Path) -> list[str]:
    """Return the sort order: by code point, alike on every machine; from 17 on with Unicode letter case."""
    known = subprocess.run([programs / "initdb", "--help"], capture_output=True, text=True, check=False)
    if "--builtin-locale" in known.stdout:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C"]


def _environment() -> dict[str, str]:
    """Return a bare environment: no library path and no client variable leaks into the server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
