"""The numbers of vectors, and whether a result is the expected one.

A text that is a number stands for its printed decimals: the result is rounded half-up to as many before comparing.
JSON numbers compare with a relative tolerance. None is "not derivable" and equals only itself.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from dosing.arithmetic import half_up
from trial.refused import normalise

RELATIVE = Decimal("1e-9")
UNIT_TOLERANCE = Decimal("1e-6")
Same = Callable[[Any, Any], bool]


def same(expected: Any, got: Any) -> bool:
    """Whether `got` is what was expected.

    Objects need every expected key, further keys do not matter; one that holds nothing but None is None.
    """
    if expected is None and isinstance(got, Mapping):
        return all(value is None for value in got.values())
    if isinstance(expected, Mapping):
        known = isinstance(got, Mapping) and set(expected) <= set(got)
        return known and all(same(value, got[key]) for key, value in expected.items())
    if isinstance(expected, list):
        long = isinstance(got, list | tuple) and len(got) == len(expected)
        return long and all(same(*pair) for pair in zip(expected, got, strict=True))
    if expected is None or got is None or isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, str):
        return _same_text(expected, got)
    return isinstance(got, Decimal | int) and abs(Decimal(got) - expected) <= RELATIVE * abs(expected)


def _same_text(expected: str, got: Any) -> bool:
    if not isinstance(got, Decimal | int):
        return expected == str(got)
    printed = number(expected)
    exponent = printed.as_tuple().exponent
    step = f"1e{exponent}" if isinstance(exponent, int) and exponent < 0 else "1"
    return half_up(Decimal(got), step) == printed


def close(expected: Any, got: Any) -> bool:
    """Whether two amounts in one unit agree to a millionth."""
    if expected is None or got is None:
        return expected is got
    return abs(number(expected) - number(got)) <= UNIT_TOLERANCE


def number(value: Any) -> Decimal:
    """A JSON number, or a text that is one as typed anywhere, exactly. Raises ValueError for anything else."""
    try:
        return Decimal(normalise(str(value)))
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r}") from error


def maybe(value: Any) -> Decimal | None:
    """A number, or None where there is none."""
    return None if value is None or value == "" else number(value)


def bounded(value: Any) -> tuple[str, Decimal | None]:
    """A qualifier (`<` `>` `<=` `>=` or none) and a number: a laboratory reports "<0.1"."""
    found = re.match(r"(<=|>=|<|>)\s*(.*)", normalise(value)) if isinstance(value, str) else None
    return (found[1], number(found[2])) if found else ("", maybe(value))


def whole(value: Any) -> int | None:
    """A whole number, or None where there is none."""
    return None if value is None or value == "" else int(number(value))
