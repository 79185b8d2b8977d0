"""Mutation testing judges a change by what follows from it, never by what was worked out before it."""

from dataclasses import dataclass, field
from functools import cache, cached_property

from tests.mutation.memories import Memories

WORKED: list[str] = []


@cache
def table(name: str) -> str:
    WORKED.append(name)
    return name


@dataclass(frozen=True)
class Book:
    """An object that keeps a property and what it collects, beside what it was given."""

    given: dict[str, str]
    kept: dict[str, str] = field(default_factory=dict, init=False)

    @cached_property
    def day(self) -> str:
        WORKED.append("day")
        return "2026-05-15"


def test_what_was_worked_out_is_worked_out_anew_and_what_was_given_stays() -> None:
    WORKED.clear()
    book = Book({"icf": "1.0"})
    book.kept["windows"] = "old"
    memories = Memories()
    for _ in range(2):
        assert (table("forms"), book.day) == ("forms", "2026-05-15")
    assert WORKED == ["forms", "day"]
    memories.forget()
    assert book.given == {"icf": "1.0"} and book.kept == {}
    assert (table("forms"), book.day) == ("forms", "2026-05-15")
    assert WORKED == ["forms", "day", "forms", "day"]
