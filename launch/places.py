"""Which folder holds what, who may reach it, and whether it is fit for use."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch.trouble import Trouble, disk_full, explain, say

NEED_BYTES = 200_000_000
"""Free space below which nothing is started: a fresh server takes about 100 MB of it."""

SOCKET_PATH_LIMIT = 107
"""Longest path of a Unix socket in bytes, without the closing zero; fixed by the operating system."""

ELSEWHERE = Path("/var/lib/sscart19")
"""Where root keeps a server's files when the user `nobody` cannot reach the project's own folder."""


def prepare(var: Path) -> Path:
    """Create `var` with its log folder and return it as an absolute path.

    Raises Trouble when it cannot be written to or its disk has less than NEED_BYTES left.
    """
    var = Path(os.path.abspath(var))
    try:
        fresh = not var.exists()
        var.mkdir(parents=True, exist_ok=True)
        if fresh:
            var.chmod(0o755)  # root's umask may be 077, and the server's user must pass through
        (var / "log").mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=var):
            pass
        check_space(var)
    except OSError as error:
        error.filename = var
        raise Trouble(explain(error)) from error
    return var


def check_space(folder: Path) -> None:
    """Raise Trouble when the disk of `folder` has too little space left."""
    free = shutil.disk_usage(folder).free
    if free < NEED_BYTES:
        raise Trouble(
            f"{disk_full(folder)} ({free // 1_000_000} MB left, {NEED_BYTES // 1_000_000} MB needed)"
        )


@contextmanager
def hold(file: Path, doing: str) -> Iterator[None]:
    """Hold an exclusive lock on `file` while the body runs; the system lets go of it even after kill -9.

    Raises Trouble when another process holds it. Refusing is safer than sharing: two test runs on one
    server would drop each other's test database.
    """
    with file.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            who = handle.read().strip() or "unknown"
            raise Trouble(
                f"{doing} {file.parent} (process {who}): "
                "stop it, or choose another folder with --var (make run VAR=folder)."
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def server_user(data: Path) -> tuple[int, int] | None:
    """Return user and group id that PostgreSQL must run as, or None to run as whoever we are.

    PostgreSQL refuses to run as root. Data that exist belong to somebody: then that user runs it.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return nobody.pw_uid, nobody.pw_gid


def passable(folder: Path) -> bool:
    """Tell whether every user may walk to and into `folder`. A folder that is not there is no hindrance."""
    folder = folder.resolve()
    return not folder.exists() or all(
        step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents)
    )


def server_area(var: Path) -> Path:
    """Return the folder for PostgreSQL's data, passwords and copied programs, creating it.

    As root it must be passable for `nobody`. Data that exist are never left behind: they decide.
    """
    home = var / "postgres"
    away = ELSEWHERE / hashlib.sha256(bytes(home)).hexdigest()[:12]
    if os.geteuid() != 0 or (not (away / "data").exists() and passable(var)):
        area = home
    elif (home / "data").exists():
        raise Trouble(
            f"The server's user cannot reach {home / 'data'}; make its parents passable: chmod o+x."
        )
    else:
        say(f"The user nobody cannot reach {var}, so the database is kept in {away}.")
        area = away
    area.mkdir(parents=True, exist_ok=True)
    area.chmod(0o755)
    return area


def socket_folder(area: Path, longest_name: str, owner: tuple[int, int] | None) -> Path:
    """Create a folder for sockets that only `owner` may enter and return it.

    It lies in `area`, or, when that path is too long for a socket, in the system's folder for temporary
    files under a name that nobody can guess.
    """
    folder = area / "socket"
    if len(bytes(folder / longest_name)) > SOCKET_PATH_LIMIT:
        folder = Path(tempfile.mkdtemp(prefix="edc-"))
        if len(bytes(folder / longest_name)) > SOCKET_PATH_LIMIT:
            folder.rmdir()
            folder = Path(tempfile.mkdtemp(prefix="edc-", dir="/tmp"))
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    if owner:
        os.chown(folder, *owner)
    return folder


def private_file(file: Path, text: str) -> None:
    """Write `text` to `file` so that only we may read it and a crash leaves the old or the new text."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def secret_key(var: Path) -> str:
    """Return EDC_SECRET_KEY: what the environment says, else one that is made up once and kept in `var`."""
    given = os.environ.get("EDC_SECRET_KEY")
    if given:
        return given
    file = prepare(var) / "secret"
    if not file.exists():
        private_file(file, secrets.token_urlsafe(48))
    return file.read_text()
