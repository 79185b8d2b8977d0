"""Taking turns with a stopwatch, and one line of the result."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Deed = Callable[[], object]


def stopwatch(deed: Deed) -> float:
    """Seconds that one call takes."""
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def turns(*deeds: Deed, rounds: int, warm: int = 3) -> list[list[float]]:
    """Seconds of each call of each deed: A B C A B C …, the first `warm` rounds not counted.

    The garbage collector rests during a call and works between the rounds, so that no deed pays for another.
    """
    taken: list[list[float]] = [[] for _ in deeds]
    gc.collect()
    gc.disable()
    try:
        for number in range(-warm, rounds):
            for deed, seconds in zip(deeds, taken, strict=True):
                spent = stopwatch(deed)
                if number >= 0:
                    seconds.append(spent)
            gc.collect(1)
    finally:
        gc.enable()
    return taken


def medians(*deeds: Deed, rounds: int, warm: int = 3) -> list[float]:
    """The median seconds of each deed, all of them measured in turns."""
    return [statistics.median(seconds) for seconds in turns(*deeds, rounds=rounds, warm=warm)]


def percentile(seconds: list[float], share: float) -> float:
    """The value that `share` (0 to 1) of the sorted values do not exceed."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ms(seconds: float) -> str:
    """Seconds as milliseconds for the table."""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def rate(n: float, what: str) -> str:
    """A rate for the table."""
    return f"{n:,.0f} {what}/s"


@dataclass(frozen=True)
class Line:
    """One line of the result. `value` is what the goal judges; a line without a goal only informs.

    at_least   the goal is a lower bound (a rate, a share), not an upper one (a cost)
    """

    operation: str
    ours: str
    reference: str = ""
    value: float | None = None
    unit: str = "×"
    goal: float | None = None
    moonshot: float | None = None
    at_least: bool = False

    def reaches(self, limit: float | None) -> bool | None:
        """Whether the value is within a limit; None when there is nothing to judge."""
        if limit is None or self.value is None:
            return None
        return self.value >= limit if self.at_least else self.value <= limit

    @property
    def verdict(self) -> str:
        """moonshot | yes | NO | nothing when no goal is set."""
        if self.reaches(self.goal) is None:
            return ""
        return "moonshot" if self.reaches(self.moonshot) else "yes" if self.reaches(self.goal) else "NO"
