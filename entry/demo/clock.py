"""How long each step of a load takes."""

import time


class Clock:
    """How long each step took."""

    def __init__(self) -> None:
        """The first step starts now."""
        self.seconds: dict[str, float] = {}
        self.since = time.monotonic()

    def lap(self, step: str) -> None:
        """The step is over."""
        now = time.monotonic()
        self.seconds[step] = self.seconds.get(step, 0) + now - self.since
        self.since = now
