"""Faults in the log: what kind, and where in the code. Never what the values were: a message of the database quotes the
row it refused, and a log is no place for a subject's data."""

import logging
import traceback
from types import TracebackType


def places(fault: BaseException) -> str:
    """The kind of a fault and the places it passed, then those of what caused it."""
    told: list[str] = []
    one: BaseException | None = fault
    while one is not None:
        told.append(f"{type(one).__name__}\n{''.join(traceback.format_tb(one.__traceback__))}")
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "caused by ".join(told)


class Formatter(logging.Formatter):
    """Log lines as usual, faults as `places` tells them."""

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The fault of a log record."""
        return places(ei[1]) if ei[1] is not None else ""
