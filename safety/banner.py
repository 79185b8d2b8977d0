"""The holds that every page shows. Asked of the database at most every few seconds; what a hold refuses asks anew
(safety/refusing.py)."""

import time

from safety.holds import standing

SECONDS = 20.0
_kept: tuple[float, list[str]] | None = None


def causes() -> list[str]:
    """The causes of the holds in force, each once, as this process last saw them."""
    global _kept
    if _kept is None or time.monotonic() - _kept[0] > SECONDS:
        _kept = time.monotonic(), list(dict.fromkeys(standing().values_list("cause", flat=True)))
    return _kept[1]


def forget() -> None:
    """Look again at the next page."""
    global _kept
    _kept = None
