"""`python -m launch run`: from a fresh clone to a study that one can sign in to, on this machine."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from launch import fingerprint, places, process
from launch.children import Child, end_all
from launch.services import services
from launch.trouble import Trouble, say, tell

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "var" / "static"
"""Where the settings collect static files."""

HEALTH_SECONDS = 90.0

FIRST_STEPS = """\
What to try first:
  1. Sign in as a coordinator, open a subject and enter a form with a value that breaks the protocol:
     it is saved, and a deviation is flagged beside it within seconds.
  2. Change a saved value: the study asks for the reason, and its history keeps both values.
  3. Sign in as a monitor and raise a query on a field; the coordinator sees it beside that field.
"""


def run(var: Path, port: int) -> int:
    """Start everything on `port` of this machine and stay until told to end. Raises Trouble."""
    began = time.monotonic()
    check_port(port)
    var = places.prepare(var)
    with places.hold(var / "run.lock", "The study already runs on"), services(var) as addresses:
        base = _environment(var)
        _leave_addresses(var, base, addresses)
        _prepare_study(var, base, addresses)
        children = _children(var, port, base, addresses)
        try:
            for child in children:
                process.rotate(child.log)
                child.start()
            accounts = _accounts(base, addresses)
            _await_health(port, children)
            _welcome(port, accounts, var, time.monotonic() - began)
            while True:
                time.sleep(0.3)
                for child in children:
                    child.tend()
        finally:
            say("Stopping.")
            end_all(children)


def check_port(port: int) -> None:
    """Raise Trouble when no server can listen on `port` of this machine."""
    if not 0 < port < 65536:
        raise Trouble(f"{port} is not a port; choose one between 1024 and 65535: make run PORT=8001.")
    for _ in range(10):  # a study that was killed a moment ago still lets go of its port
        if _can_listen(port):
            return
        time.sleep(0.1)
    free = next((other for other in range(port + 1, min(port + 50, 65536)) if _can_listen(other)), 8001)
    raise Trouble(f"Port {port} is taken or not allowed; choose another one: make run PORT={free}.")


def _can_listen(port: int) -> bool:
    """Tell whether a server could listen on this port of this machine now."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
            door.listen(1)
        except OSError:
            return False
    return True


def _environment(var: Path) -> dict[str, str]:
    """Return what every process of the study gets: no database address yet. Raises Trouble."""
    private = ("DATABASE_OWNER_URL", "DATABASE_URL", "DATABASE_WORKER_URL")
    env = {name: value for name, value in os.environ.items() if name not in private}
    env.setdefault("EDC_ENV", "demo")
    if env["EDC_ENV"] != "demo" and not env.get("EDC_SECRET_KEY"):
        raise Trouble(
            f"EDC_ENV is {env['EDC_ENV']}, so EDC_SECRET_KEY must be set; only the demo makes one up."
        )
    env.setdefault("EDC_FILES_DIR", str(var / "files"))
    return env | {"EDC_SECRET_KEY": places.secret_key(var), "PYTHONUNBUFFERED": "1"}


def _leave_addresses(var: Path, base: Mapping[str, str], addresses: Mapping[str, str]) -> None:
    """Keep the addresses in var/env, for its owner alone, so that `manage.py` finds the running study."""
    told = ("EDC_SECRET_KEY", "EDC_ENV", "EDC_FILES_DIR")
    lines = {**addresses, **{name: base[name] for name in told}}
    file = var / "env"
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write("".join(f"{name}={value}\n" for name, value in lines.items()))


def _as(who: str, base: Mapping[str, str], addresses: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of one kind of process, with only those addresses that it may use."""
    names = {
        "web": ("DATABASE_URL", "REDIS_URL"),
        "jobs": ("DATABASE_URL", "REDIS_URL"),
        "worker": ("DATABASE_URL", "DATABASE_WORKER_URL", "REDIS_URL"),
        "owner": tuple(addresses),
    }[who]
    return {**base, "EDC_PROCESS": who, **{name: addresses[name] for name in names}}


def _prepare_study(var: Path, base: Mapping[str, str], addresses: Mapping[str, str]) -> None:
    """Bring tables, study set-up, demo data and static files up to date; what is up to date is left out."""
    done = fingerprint.Done(var / "done.json")
    log = var / "log" / "setup.log"
    process.rotate(log)
    owner, worker = _as("owner", base, addresses), _as("worker", base, addresses)
    sources = fingerprint.of_sources(ROOT) + base["EDC_ENV"]
    if not done.already("study", sources + fingerprint.of_database(addresses["DATABASE_OWNER_URL"])):
        _manage("Tables", ["migrate", "--no-input"], owner, log)
        _manage("Study set-up", ["setup_study"], owner, log)
        if base["EDC_ENV"] == "demo":
            _manage("Demo subjects", ["demo", "--if-empty"], worker, log)
        done.note("study", sources + fingerprint.of_database(addresses["DATABASE_OWNER_URL"]))
    static = fingerprint.of_static_files(ROOT)
    if not (STATIC.is_dir() and any(STATIC.iterdir()) and done.already("static", static)):
        _manage("Static files", ["collectstatic", "--no-input"], _as("web", base, addresses), log)
        done.note("static", static)


def _manage(title: str, arguments: list[str], env: Mapping[str, str], log: Path) -> None:
    """Run one management command and say how long it took. Raises Trouble when it fails."""
    began = time.monotonic()
    written = log.stat().st_size if log.exists() else 0
    command = process.start([sys.executable, "manage.py", *arguments], env=env, log=log, cwd=ROOT)
    try:
        code = command.wait()
    finally:
        if command.poll() is None:
            command.kill()
            command.wait()
    if code != 0:
        said = [line.strip() for line in process.tail(log, written) if line.strip()]
        why = said[-1].rstrip(".") if said else f"exit code {code}"
        raise Trouble(f"{title} (manage.py {arguments[0]}) failed: {why} (more in {log}).")
    say(f"{title}: done ({time.monotonic() - began:.1f} s).")


def _children(var: Path, port: int, base: Mapping[str, str], addresses: Mapping[str, str]) -> list[Child]:
    """Describe the processes of the study."""
    python = [sys.executable, "-m"]
    beat = var / "beat"
    beat.mkdir(mode=0o700, exist_ok=True)
    memory = ["--worker-tmp-dir", "/dev/shm"] if os.access("/dev/shm", os.W_OK) else []
    web = (
        "gunicorn config.wsgi:application --workers 2 --worker-class gthread --threads 4 --preload "
        f"--timeout 60 --graceful-timeout 8 --no-control-socket --bind 127.0.0.1:{port}"
    ).split()
    worker = "celery -A config worker -c 2 --without-gossip --without-mingle --loglevel WARNING".split()
    jobs = (
        "celery -A config worker -Q jobs -n jobs@%h -c 1 --max-memory-per-child 400000 "
        "--without-gossip --without-mingle --loglevel WARNING"
    ).split()
    clock = "celery -A config beat --loglevel WARNING -s".split()
    as_web, as_worker = _as("web", base, addresses), _as("worker", base, addresses)
    logs = var / "log"
    return [
        Child("web", [*python, *web, *memory], as_web, ROOT, logs / "web.log"),
        Child("worker", [*python, *worker], as_worker, ROOT, logs / "worker.log"),
        Child("jobs", [*python, *jobs], _as("jobs", base, addresses), ROOT, logs / "jobs.log"),
        Child("beat", [*python, *clock, str(beat / "schedule")], as_worker, ROOT, logs / "beat.log"),
    ]


def _accounts(base: Mapping[str, str], addresses: Mapping[str, str]) -> subprocess.Popen[str] | None:
    """Begin to ask for the demo's accounts while the web processes start."""
    if base["EDC_ENV"] != "demo":
        return None
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--accounts"],
        env=_as("worker", base, addresses),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _await_health(port: int, children: list[Child]) -> None:
    """Wait until the study answers. Raises Trouble when it does not, or when a child keeps dying."""
    deadline = time.monotonic() + HEALTH_SECONDS
    while not _healthy(port):
        for child in children:
            child.tend()
            if child.deaths >= 3:
                raise Trouble(
                    f"The {child.name} process does not start: {_last_words(child)} (more in {child.log})."
                )
        if time.monotonic() > deadline:
            raise Trouble(
                f"The study did not become healthy in {HEALTH_SECONDS:.0f} s; see {children[0].log}."
            )
        time.sleep(0.1)


def _healthy(port: int) -> bool:
    """Tell whether the study says that it is well."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError, http.client.HTTPException):
        line.request("GET", "/health")
        return line.getresponse().status == 200
    return False


def _last_words(child: Child) -> str:
    """Return the last line that a child wrote."""
    said = [line.strip() for line in process.tail(child.log) if line.strip()]
    return said[-1].rstrip(".") if said else "it said nothing"


def _welcome(port: int, accounts: subprocess.Popen[str] | None, var: Path, seconds: float) -> None:
    """Print where the study is, who may sign in and what to try first."""
    lines = [
        f"\nThe study is ready ({seconds:.1f} s): http://127.0.0.1:{port}/\n",
        accounts.communicate()[0] if accounts else "",
        FIRST_STEPS,
        f"Data and logs lie in {var}. Ctrl-C stops everything.",
    ]
    tell("\n".join(lines), sys.stdout)
