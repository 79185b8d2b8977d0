"""Tells whether a slow step of the start can be left out because nothing it reads has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg

from launch.places import private_file

_APART = {"var", "tests", "bench", "docs", "launch", "staticfiles", "node_modules"}
_SOURCES = {".py", ".sql", ".json", ".csv", ".toml", ".txt"}


class Done:
    """Remembers, in one file, on which input each step last succeeded."""

    def __init__(self, file: Path) -> None:
        """Read the file; a missing or damaged one means that nothing was done."""
        self.file = file
        try:
            self.known: dict[str, str] = json.loads(file.read_text())
        except (OSError, ValueError):
            self.known = {}

    def already(self, step: str, mark: str) -> bool:
        """Tell whether `step` succeeded on this input."""
        return self.known.get(step) == mark

    def note(self, step: str, mark: str) -> None:
        """Remember that `step` succeeded on this input."""
        self.known[step] = mark
        private_file(self.file, json.dumps(self.known, indent=1))


def of_sources(root: Path) -> str:
    """Return a hash over the study's own source files and the lock of what it is built on."""
    return _hash(root, [*_files(root, _SOURCES), root / "requirements.txt"])


def of_static_files(root: Path) -> str:
    """Return a hash over the study's own static files, its settings and the lock."""
    own = [file for file in _files(root, None) if "static" in file.relative_to(root).parts]
    return _hash(root, [*own, root / "config" / "settings.py", root / "requirements.txt"])


def of_database(owner_url: str) -> str:
    """Return text that changes when the database is another one or when migrations were applied or undone."""
    with psycopg.connect(owner_url, autocommit=True, connect_timeout=10) as connection:
        who = connection.execute(
            "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database()),"
            " to_regclass('django_migrations') IS NOT NULL FROM pg_control_system()"
        ).fetchone()
        assert who is not None
        count: object = None
        if who[2]:
            count = connection.execute("SELECT count(*), max(id) FROM django_migrations").fetchone()
    return f"{who[0]}/{who[1]}/{count}"


def _files(root: Path, suffixes: set[str] | None) -> Iterator[Path]:
    """Yield the files of the study's packages, in a fixed order; with `suffixes`, only such files."""
    for package in sorted(root.iterdir()):
        if not package.is_dir() or package.name in _APART or package.name.startswith("."):
            continue
        for file in sorted(package.rglob("*")):
            if (
                file.is_file()
                and "__pycache__" not in file.parts
                and (not suffixes or file.suffix in suffixes)
            ):
                yield file


def _hash(root: Path, files: Iterable[Path]) -> str:
    """Return one hash over names and contents."""
    total = hashlib.sha256()
    for file in files:
        if file.exists():
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{file.relative_to(root)}\0{content}\n".encode())
    return total.hexdigest()
