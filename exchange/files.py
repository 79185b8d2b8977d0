"""Files of jobs: kept in one private folder that no web server serves, whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings

BLOCK = 1 << 20


def folder() -> Path:
    """The folder (EDC_FILES_DIR), made for its owner alone when it is not there."""
    place = Path(settings.FILES_DIR)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def output(job: UUID, attempt: int) -> Path:
    """Where the file that an attempt at a job makes stands; one that lost the job spoils no other's file."""
    return folder() / f"{job}.{attempt}.out"


@contextmanager
def whole(target: Path) -> Iterator[IO[bytes]]:
    """A file to write; it takes its name when the body ends well, with its bytes on the disk."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def digest(file: IO[bytes]) -> tuple[str, int]:
    """SHA-256 in hex, and the size in bytes."""
    found, size = sha256(), 0
    while block := file.read(BLOCK):
        found.update(block)
        size += len(block)
    return found.hexdigest(), size


def remove(job: UUID) -> None:
    """Remove what a job made, in every attempt."""
    for path in folder().glob(f"{job}.*"):
        path.unlink(missing_ok=True)
