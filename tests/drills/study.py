"""The study under drill: the launcher's own web, worker and beat processes, on a database and a broker of their own."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from launch import roles
from launch.children import Child, end_all
from launch.run import ROOT, _as, _await_health, _children
from launch.valkey import Valkey

DATABASE = "edc_drill"
ADDRESSES = ("DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_WORKER_URL")


class Study:
    """Web, worker and beat, kept running as the launcher keeps them; and the means to kill each of them."""

    def __init__(self, folder: Path) -> None:
        """Choose folder, port and addresses; nothing is started."""
        (folder / "log").mkdir(parents=True)
        self.folder, self.port = folder, _free_port()
        self.given = {name: os.environ[name] for name in ADDRESSES}
        self.broker, self.broker_wanted = Valkey(folder), True
        self.kills = 0
        self.tokens: dict[str, str] = {}
        self.children: list[Child] = []
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self._over = threading.Event()
        self._killing = threading.Lock()

    def start(self) -> None:
        """Make the database, seed it, start everything and wait until it answers."""
        self.broker.start()
        self.addresses = {**_new_database(self.given), "REDIS_URL": self.broker.url()}
        self.base = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
        self.base |= {"EDC_ENV": "test", "EDC_API_RATE": "9000000/min", "PYTHONUNBUFFERED": "1"}
        self.manage("migrate", "--no-input", who="owner")
        self.manage("setup_study", who="owner")
        self.tokens = json.loads(self._run([sys.executable, "-m", "tests.drills.seed"], "owner"))
        self.children = _children(self.folder, self.port, self.base, self.addresses)
        for child in self.children:
            child.start()
        _await_health(self.port, self.children)
        self.keeper.start()

    def stop(self) -> None:
        """End everything and drop the database."""
        self._over.set()
        if self.keeper.ident:
            self.keeper.join()
        end_all(self.children)
        self.broker.stop()
        with psycopg.connect(self.given["DATABASE_OWNER_URL"], autocommit=True) as owner:
            roles.drop_database(owner, DATABASE)

    def _keep(self) -> None:
        """Start again what died. The pause does not grow, or a hundred kills would be one long pause."""
        while not self._over.wait(0.1):
            with self._killing:
                for child in self.children:
                    child.deaths = 0
                    child.tend()
                if self.broker_wanted and not self.broker.alive():
                    self.broker.start()

    # --- asking -------------------------------------------------------------------------------------------------

    def manage(self, *arguments: str, who: str = "worker", given: str = "") -> str:
        """Run a management command and return what it said; fails the drill when the command fails."""
        return self._run([sys.executable, "manage.py", *arguments], who, given)

    def _run(self, command: list[str], who: str, given: str = "") -> str:
        done = subprocess.run(
            command,
            env=_as(who, self.base, self.addresses),
            cwd=ROOT,
            input=given,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def spawn(self, module: str, *arguments: str, who: str = "web") -> "subprocess.Popen[str]":
        """Start a helper of the drill (`tests.drills.<module>`) that is talked to over its pipes."""
        command = [sys.executable, "-m", f"tests.drills.{module}", *arguments]
        env = _as(who, self.base, self.addresses) | {"DRILL_PORT": str(self.port)}
        return subprocess.Popen(
            command, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def connect(self, who: str = "worker") -> "psycopg.Connection[Any]":
        """A connection of our own as one of the three roles."""
        name = {"owner": ADDRESSES[0], "web": ADDRESSES[1], "worker": ADDRESSES[2]}[who]
        return psycopg.connect(self.addresses[name], autocommit=True, connect_timeout=5)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database answers, over every site."""
        with self.connect() as connection:
            return list(connection.execute(sql, values).fetchall())

    def settle(self, patience: float = 90.0) -> float:
        """Wait until the outbox is empty; return how long that took."""
        began = time.monotonic()
        while self.rows("SELECT count(*) FROM trial_outbox")[0][0]:
            assert time.monotonic() - began < patience, "the outbox does not empty"
            time.sleep(0.1)
        return time.monotonic() - began

    def assert_sound(self, acknowledged: Iterable[dict[str, Any]] = ()) -> str:
        """Every invariant, and every acknowledged save; returns what the command said."""
        lines = "\n".join(json.dumps({k: a[k] for k in ("form", "id", "version")}) for a in acknowledged)
        return self.manage("invariants", *(["--acknowledged", "-"] if lines else []), given=lines)

    # --- killing ------------------------------------------------------------------------------------------------

    def kill(self, name: str, master: bool, chance: random.Random) -> None:
        """kill -9 the master of "web", "worker" or "beat", or one of the processes it forked, as soon as one is there."""
        for _ in range(600):
            with self._killing:
                running = next(child.running for child in self.children if child.name == name)
                alive = running is not None and running.poll() is None
                there = ([running.pid] if master else children_of(running.pid)) if running and alive else []
                if there:
                    os.kill(chance.choice(there), signal.SIGKILL)
                    self.kills += 1
                    return
            time.sleep(0.05)
        raise AssertionError(f"no {name} process came back")

    def kill_broker(self) -> None:
        """kill -9 of Valkey."""
        with self._killing:
            assert self.broker.server is not None
            self.broker.server.kill()
            self.broker.server.wait()

    @contextmanager
    def without_broker(self, how: str) -> Iterator[None]:
        """Valkey "dead" (killed, not started again) or "deaf" (stopped: it takes connections and never answers)."""
        server = self.broker.server
        assert server is not None
        if how == "deaf":
            server.send_signal(signal.SIGSTOP)
        else:
            self.broker_wanted = False
            self.kill_broker()
        try:
            yield
        finally:
            self.broker_wanted = True
            if how == "deaf":
                server.send_signal(signal.SIGCONT)

    def flush_broker(self) -> None:
        """Throw away everything that Valkey holds."""
        assert self.broker.socket is not None
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self.broker.socket / "valkey.sock"))
            line.sendall(b"FLUSHALL\r\n")
            assert line.recv(64).startswith(b"+OK")

    def postmaster(self) -> int | None:
        """The process id of the database server, None when it is not on this machine's own socket."""
        note = (
            Path(str(conninfo_to_dict(self.given["DATABASE_URL"]).get("host") or "/nowhere"))
            / ".s.PGSQL.5432.lock"
        )
        return int(note.read_text().split("\n", 1)[0]) if note.exists() else None

    def kill_backend(self) -> bool:
        """kill -9 of one of the server's processes that works for the web: the server recovers as after a crash."""
        found = self.rows(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'edc_app' AND datname = current_database()"
            " ORDER BY state = 'active' DESC, random() LIMIT 1"
        )
        for (pid,) in found:
            os.kill(pid, signal.SIGKILL)
        return bool(found)

    @contextmanager
    def writers(self, folder: Path, processes: int = 3) -> Iterator["Writers"]:
        """Writers over REST while the body runs; afterwards `.results` holds what they remember."""
        running = Writers(self, folder, processes)
        try:
            yield running
        finally:
            running.end()


class Writers:
    """Processes that enter, correct and retract over REST, and remember what was acknowledged."""

    numbers = iter(range(1, 999, 20))

    def __init__(self, study: Study, folder: Path, processes: int) -> None:
        """Start them, each at its own subject numbers, by turns at both sites."""
        self.files = [folder / f"writer-{n}.json" for n in range(processes)]
        self.running = []
        for n, file in enumerate(self.files):
            site, first = ("01", "02")[n % 2], next(Writers.numbers)
            given = json.dumps({"token": study.tokens[site], "site": site, "first": first, "file": str(file)})
            process = study.spawn("writer")
            assert process.stdin
            process.stdin.write(given + "\n")
            self.running.append(process)
        self.results: list[dict[str, Any]] = []

    def end(self) -> None:
        """Let each finish the story it is at, and read what they remember."""
        for process in self.running:
            assert process.stdin
            process.stdin.close()
        for process in self.running:
            assert process.wait(120) == 0, "a writer failed"
        self.results = [json.loads(file.read_text()) for file in self.files]

    @property
    def acknowledged(self) -> list[dict[str, Any]]:
        """Every acknowledged save."""
        return [save for result in self.results for save in result["acknowledged"]]

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every request: method, status (0: cut off), seconds, when."""
        return [request for result in self.results for request in result["requests"]]


def children_of(parent: int) -> list[int]:
    """The processes that a process forked."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def _new_database(given: dict[str, str]) -> dict[str, str]:
    """An empty database beside the given one, and its addresses."""
    with psycopg.connect(given["DATABASE_OWNER_URL"], autocommit=True) as owner:
        roles.drop_database(owner, DATABASE)
        owner.execute(f"CREATE DATABASE {DATABASE}")
    return {name: roles.url({**conninfo_to_dict(url), "dbname": DATABASE}) for name, url in given.items()}
