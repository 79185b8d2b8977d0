"""The launcher with real servers: what starts, who may enter, and what is said when something is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from launch import binaries, fingerprint, places, process, roles
from launch.children import Child, end_all
from launch.postgres import Postgres
from launch.services import given_database, services
from launch.trouble import Trouble

ROOT = Path(__file__).resolve().parent.parent
ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_WORKER_URL", "REDIS_URL")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")


@pytest.fixture(scope="module", autouse=True)
def nothing_given() -> Iterator[None]:
    """Hide the servers that this test run itself uses."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (*ADDRESSES, "EDC_POSTGRES_BIN", "EDC_SECRET_KEY", "EDC_ENV", "EDC_PROCESS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def folder() -> Iterator[Path]:
    """A fresh folder that every user may pass through (pytest's own is closed to the server's user)."""
    with tempfile.TemporaryDirectory(prefix="edc-launch-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "var"


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder and the addresses of servers that only look-ups use."""
    with tempfile.TemporaryDirectory(prefix="edc-launch-") as name:
        Path(name).chmod(0o755)
        with services(Path(name)) as addresses:
            yield Path(name), addresses


def launch(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher to its end."""
    return subprocess.run(
        [sys.executable, "-m", "launch", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
    )


def one(address: str, question: str) -> object:
    """Return the only value that a query gives."""
    with psycopg.connect(address, autocommit=True) as connection:
        row: tuple[object, ...] | None = connection.execute(question).fetchone()
    return row and row[0]


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def processes_of(place: Path) -> list[int]:
    """Return the processes whose command line names a folder, zombies and this one apart."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            named = bytes(place) in (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if named and int(entry.name) != os.getpid() and process.identity(int(entry.name)):
            found.append(int(entry.name))
    return found


def postmaster(var: Path) -> int:
    """Return the process id of the database server."""
    return int((var / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


# Who may enter


@pytest.mark.parametrize(
    ("name", "role", "creates"),
    [
        ("DATABASE_OWNER_URL", "edc_owner", True),
        ("DATABASE_URL", "edc_app", False),
        ("DATABASE_WORKER_URL", "edc_worker", False),
    ],
)
def test_each_role_enters_and_none_is_above_the_rules(
    running: tuple[Path, dict[str, str]], name: str, role: str, creates: bool
) -> None:
    address = running[1][name]
    assert one(address, "SELECT current_user || '@' || current_database()") == f"{role}@edc"
    rights = "rolsuper, rolbypassrls, rolreplication, rolcreatedb, rolcreaterole"
    found = one(address, f"SELECT array[{rights}] FROM pg_roles WHERE rolname = current_user")
    assert found == [False, False, False, creates, creates]


def test_the_owner_may_look_at_the_study_as_the_web_does(running: tuple[Path, dict[str, str]]) -> None:
    with psycopg.connect(running[1]["DATABASE_OWNER_URL"]) as connection:
        connection.execute("SET ROLE edc_app")
        assert connection.execute("SELECT current_user").fetchone() == ("edc_app",)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on"), ("data_checksums", "on"),
     ("listen_addresses", ""), ("TimeZone", "UTC"), ("server_encoding", "UTF8"), ("max_connections", "60")],
)  # fmt: skip
def test_what_is_acknowledged_is_kept(running: tuple[Path, dict[str, str]], setting: str, value: str) -> None:
    assert one(running[1]["DATABASE_URL"], f"SHOW {setting}") == value


def test_a_database_is_dropped_with_its_clients(
    running: tuple[Path, dict[str, str]],
) -> None:
    _, env = running
    with psycopg.connect(env["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("CREATE DATABASE doomed")
        url = roles.url({**conninfo_to_dict(env["DATABASE_URL"]), "dbname": "doomed"})
        client = psycopg.connect(url, autocommit=True)
        roles.drop_database(owner, "doomed")
        assert owner.execute("SELECT count(*) FROM pg_database WHERE datname = 'doomed'").fetchone() == (0,)
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
        client.close()
        roles.drop_database(owner, "doomed")  # what is gone already is no error


def test_a_wrong_password_is_refused(running: tuple[Path, dict[str, str]]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        one(roles.as_role(running[1]["DATABASE_URL"], "edc_owner", "guess"), "SELECT 1")


def test_secrets_are_for_us_alone(running: tuple[Path, dict[str, str]]) -> None:
    key = places.secret_key(running[0])
    assert len(key) >= 50 and places.secret_key(running[0]) == key
    for file in ("secret", "postgres/passwords.json"):
        assert (running[0] / file).stat().st_mode & 0o777 == 0o600
    for door in ("postgres/socket", "valkey/socket", "log"):
        assert (running[0] / door).stat().st_mode & 0o777 == 0o700


def test_celery_reaches_the_broker(running: tuple[Path, dict[str, str]]) -> None:
    kombu = pytest.importorskip("kombu")
    with kombu.Connection(running[1]["REDIS_URL"]) as broker:
        queue = broker.SimpleQueue("launch-test")
        queue.put({"n": 1})
        assert queue.get(timeout=5).payload == {"n": 1}


# Crashes


@pytest.mark.slow
def test_killed_servers_come_back_at_the_same_address_with_what_was_kept(folder: Path) -> None:
    with services(folder) as addresses:
        owner = addresses["DATABASE_OWNER_URL"]
        with psycopg.connect(owner) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        for pid in processes_of(folder):
            if b"valkey" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        os.kill(postmaster(folder), signal.SIGKILL)

        def back() -> bool:
            try:
                return one(owner, "SELECT answer FROM kept") == 42
            except psycopg.OperationalError:
                return False

        until(back)
        until(
            lambda: (
                sum(b"valkey" in Path(f"/proc/{p}/cmdline").read_bytes() for p in processes_of(folder)) > 0
            )
        )
    assert processes_of(folder) == []


@pytest.mark.slow
def test_a_killed_launcher_leaves_nothing_behind_and_the_next_start_works(folder: Path) -> None:
    command = [sys.executable, "-m", "launch", "services", "--var", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout
        addresses = dict(first.stdout.readline().strip().split("=", 1) for _ in ADDRESSES)
        with psycopg.connect(addresses["DATABASE_OWNER_URL"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        first.kill()
    with services(folder) as again:
        assert again == addresses
        assert one(again["DATABASE_URL"], "SELECT to_regclass('kept') IS NOT NULL") is True
    assert processes_of(folder) == []


def test_a_second_run_on_the_same_folder_is_refused_while_the_first_goes_on(
    running: tuple[Path, dict[str, str]],
) -> None:
    second = launch("with", "--var", running[0], "--", "true")
    assert second.returncode == 1
    assert str(os.getpid()) in second.stderr and "--var" in second.stderr
    assert one(running[1]["DATABASE_URL"], "SELECT 1") == 1


def test_a_server_that_we_did_not_start_is_left_alone(folder: Path) -> None:
    places.prepare(folder)
    server = Postgres(folder)
    server.start()
    try:
        (server.area / "server.json").unlink()
        with pytest.raises(Trouble, match="did not start"):
            Postgres(folder).start()
        assert server.alive()
        (server.area / "server.json").write_text("{}")
    finally:
        server.stop()
    note = server.data / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{server.data}\n")  # an id that belongs to something else by now
    server.start()
    server.stop()
    assert not note.exists()


# Where things lie


def test_a_long_path_gets_its_socket_elsewhere(folder: Path) -> None:
    deep = folder / "/".join(["a-rather-long-name-of-a-folder"] * 4)
    with services(deep) as addresses:
        assert one(addresses["DATABASE_URL"], "SELECT 1") == 1
        door = Path(str(conninfo_to_dict(addresses["DATABASE_URL"])["host"]))
        assert not door.is_relative_to(deep) and door.stat().st_mode & 0o777 == 0o700
    assert not door.exists()


@as_root
def test_a_closed_folder_keeps_its_data_where_the_server_can_reach_them(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(places, "ELSEWHERE", folder)
    area = places.server_area(tmp_path)
    assert area.parent == folder
    assert len(capsys.readouterr().err.splitlines()) == 1
    (area / "data").mkdir()
    tmp_path.chmod(0o755)
    assert places.server_area(tmp_path) == area, "data that exist are never left behind"


@as_root
def test_programs_in_a_closed_folder_are_copied_out(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    programs = next(binaries._candidates())
    copy = binaries.copy_out(programs, folder)
    assert copy != programs and copy.is_relative_to(folder)
    assert subprocess.run([copy / "postgres", "-V"], user=65534, group=65534, cwd="/").returncode == 0
    assert binaries.copy_out(programs, folder) == copy


# One sentence each


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/edc"}, "DATABASE_URL (127.0.0.1, port 1)"),
        ({"DATABASE_URL": "nonsense"}, "not the address of a PostgreSQL database"),
        ({"DATABASE_OWNER_URL": "postgresql:///edc"}, "DATABASE_URL is not"),
        (
            {"DATABASE_OWNER_URL": "postgresql:///edc", "DATABASE_URL": "postgresql:///edc"},
            "DATABASE_WORKER_URL must be set",
        ),
        ({"EDC_POSTGRES_BIN": "/nowhere/bin"}, "/nowhere/bin does not work"),
    ],
)
def test_a_wrong_database_gives_one_sentence(folder: Path, env: dict[str, str], says: str) -> None:
    ended = launch("with", "--var", folder, "--", "true", **env)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1 and says in ended.stderr


def test_a_folder_that_takes_no_files_gives_one_sentence() -> None:
    ended = launch("with", "--var", "/sys/edc", "--", "true")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1 and "/sys/edc" in ended.stderr


def test_a_full_disk_gives_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "NEED_BYTES", 10**18)
    with pytest.raises(Trouble, match="is full"):
        places.prepare(folder)


def test_a_taken_port_gives_one_sentence_and_a_free_port(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = launch("run", "--var", folder, "--port", port)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"Port {port} is taken" in ended.stderr and "make run PORT=" in ended.stderr
    assert not folder.exists()


# A database of one's own


def test_a_given_database_gets_its_two_roles(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = folder / "mine", folder / "theirs"
    mine.mkdir(parents=True)
    with services(theirs) as addresses:
        monkeypatch.setenv("DATABASE_URL", addresses["DATABASE_OWNER_URL"])
        first = given_database(mine)
        assert first is not None and first == given_database(mine)
        assert one(first["DATABASE_URL"], "SELECT current_user") == "edc_app"
        assert one(first["DATABASE_WORKER_URL"], "SELECT current_user") == "edc_worker"
        assert (mine / "passwords.json").stat().st_mode & 0o777 == 0o600

        monkeypatch.setenv("DATABASE_URL", first["DATABASE_WORKER_URL"])
        with pytest.raises(Trouble, match="grant it CREATEROLE"):
            given_database(theirs)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://edc_app:a%2Fb%40c@/edc?host=/run/a%20b",
        "postgresql://edc_app:pw@db.example:6432/edc?sslmode=verify-full",
        "postgresql://edc_app@[::1]:5432/edc",
        "host=a,b port=1,2 user=u dbname=d target_session_attrs=read-write",
    ],
)
def test_an_address_keeps_its_meaning_when_written_anew(address: str) -> None:
    assert conninfo_to_dict(roles.url(conninfo_to_dict(address))) == conninfo_to_dict(address)


# Commands and children


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
def test_a_commands_exit_code_passes_through(
    running: tuple[Path, dict[str, str]], script: str, code: int
) -> None:
    assert (
        launch("with", "--var", running[0] / "other", "--", "bash", "-c", script, **running[1]).returncode
        == code
    )


def test_a_child_that_dies_is_started_again_and_ends_with_its_helpers(folder: Path) -> None:
    folder.mkdir()
    script = f"echo started >> {folder}/log; sleep 1000 & sleep 1000; : {folder}"
    child = Child("test", ["bash", "-c", script], dict(os.environ), folder, folder / "out")
    child.start()

    def started(times: int) -> bool:
        child.tend()
        return (folder / "log").exists() and len((folder / "log").read_text().split()) == times

    until(lambda: started(1))
    assert child.running
    child.running.kill()
    until(lambda: started(2))
    assert child.deaths == 1
    end_all([child], patience=3.0)
    assert processes_of(folder) == []


STAND_IN = {
    "config/__init__.py": "",
    "config/settings.py": "",
    "config/celery.py": "from celery import Celery\napp = Celery('edc')\n",
    "config/wsgi.py": "def application(env, start):\n    start('200 OK', [])\n    return [b'well']\n",
    "manage.py": """
import os, pathlib, sys
pathlib.Path("var/static").mkdir(parents=True, exist_ok=True)
pathlib.Path("var/static/page.css").touch()
names = sorted(name for name in os.environ if name.startswith("DATABASE_"))
with open("calls", "a") as calls:
    print(sys.argv[1], os.environ["EDC_PROCESS"], *names, file=calls)
if sys.argv[1] == "demo":
    print("somebody / something")
""",
}


@pytest.mark.slow
def test_run_prepares_once_serves_and_ends_with_everything_it_started(folder: Path) -> None:
    project = folder.parent
    shutil.copytree(ROOT / "launch", project / "launch")
    for name, text in STAND_IN.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for expected in (["migrate", "setup_study", "demo", "collectstatic", "demo"], ["demo"]):
        (project / "calls").unlink(missing_ok=True)
        said = _run_and_end(project, port)
        assert f"http://127.0.0.1:{port}/" in said and "somebody / something" in said
        calls = [line.split() for line in (project / "calls").read_text().splitlines()]
        assert [call[0] for call in calls] == expected
        may = {
            "owner": set(ADDRESSES[:3]),
            "worker": {"DATABASE_URL", "DATABASE_WORKER_URL"},
            "web": {"DATABASE_URL"},
            "jobs": {"DATABASE_URL"},
        }
        assert all(set(names) == may[who] for _, who, *names in calls)
        assert processes_of(project) == []


def _run_and_end(project: Path, port: int) -> str:
    """Run the stand-in study until it is ready, ask it to end, and return what it printed."""
    command = [sys.executable, "-m", "launch", "run", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as study:
        assert study.stdout
        said = ""
        while "Ctrl-C" not in said:
            line = study.stdout.readline()
            assert line, study.stderr and study.stderr.read()
            said += line
        study.terminate()
        assert study.wait(20) == 130
    return said


def test_a_step_is_repeated_only_when_what_it_reads_has_changed(tmp_path: Path) -> None:
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "models.py").write_text("a = 1")
    before = fingerprint.of_sources(tmp_path)
    done = fingerprint.Done(tmp_path / "done.json")
    done.note("study", before)
    assert fingerprint.Done(tmp_path / "done.json").already("study", fingerprint.of_sources(tmp_path))
    (tmp_path / "trial" / "models.py").write_text("a = 2")
    assert not done.already("study", fingerprint.of_sources(tmp_path))
