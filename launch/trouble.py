"""How the launcher talks: progress and trouble, each in one sentence on standard error."""

from __future__ import annotations

import errno
import sys
from contextlib import suppress
from typing import TextIO

NO_SPACE = "No space left on device"
"""How programs and collected copy errors say that the disk is full."""


class Trouble(Exception):
    """Something the person at the keyboard must know or do. Its text is one clear sentence."""


def say(sentence: str) -> None:
    """Print one line of progress. Standard output stays free for what a caller wants to read."""
    tell(sentence, sys.stderr)


def tell(text: str, stream: TextIO) -> None:
    """Print, but let nothing fail because nobody listens any more (a closed terminal or pipe)."""
    with suppress(OSError):
        print(text, file=stream, flush=True)


def explain(error: OSError) -> str:
    """Turn an error of the operating system into one sentence that names the file and the way out."""
    where = str(error.filename) if error.filename else "a file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or NO_SPACE in str(error):
        return disk_full(where)
    if error.errno == errno.EROFS:
        return f"{where} lies on a read-only disk; choose another folder with --var."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"No permission to use {where}; change its owner or choose another folder with --var."
    return f"{where} cannot be used: {error.strerror or error}."


def disk_full(where: object) -> str:
    """Return the sentence for a disk without space."""
    return f"The disk that holds {where} is full; free some space or choose another folder with --var."
