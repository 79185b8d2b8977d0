"""What checks answer: a `Problem` refuses a value, a `Doubt` saves it and asks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Why an answer is refused. `message` is bilingual and complete: value, expectation, likely fix.

    field is "" for the form as a whole; code is a stable word; limit says what was expected; rule names the source.
    """

    field: str
    code: str
    message: str
    value: str = ""
    limit: str = ""
    rule: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Doubt:
    """Why a saved answer is asked about. `check` is permanent: the same doubt on the same field is one query."""

    field: str
    check: str
    message: str
    value: str = ""
    limit: str = ""
