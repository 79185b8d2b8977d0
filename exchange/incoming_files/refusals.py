"""Why a file, a row or a cell is not taken: bilingual, with the value, what was expected and the likely fix."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from trial.findings import Problem
from trial.text import T, both


class FileRefused(Exception):
    """The file as a whole cannot be taken; nothing of it was."""

    def __init__(self, code: str, en: str, zh: str, limit: str = "") -> None:
        self.code, self.limit, self.message = code, limit, T(en, zh)
        super().__init__(code)

    def document(self) -> dict[str, Any]:
        """The refusal as it is kept with the file."""
        return {"code": self.code, "limit": self.limit, **both(self.message)}


@dataclass(frozen=True)
class Refusal:
    """Why one row, or one cell of it, is refused. `column` is the file's own heading, "" for the row as a whole."""

    column: str
    code: str
    en: str
    zh: str
    value: str = ""
    limit: str = ""
    fix: str = ""

    def document(self) -> dict[str, str]:
        """As it stands in the report; what is empty is left out."""
        return {name: text for name, text in vars(self).items() if text}


def refusal(
    column: str, code: str, en: str, zh: str, value: str = "", limit: str = "", fix: str = ""
) -> Refusal:
    """A refusal with its value cut to what fits a line."""
    return Refusal(column, code, en, zh, shown(value), limit, fix)


def of_problem(problem: Problem, column: str) -> Refusal:
    """What the readers and checks of the forms say, under the file's own heading."""
    said = both(problem.message)
    return Refusal(
        column,
        problem.code,
        said["en"],
        said["zh"],
        shown(problem.value),
        str(problem.limit),
        str(problem.fix),
    )


def shown(value: Any) -> str:
    """A cell as it may stand in a message: short, on one line, without control characters."""
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return text if len(text) <= 80 else text[:79] + "…"


def near(text: str, known: Iterable[str]) -> str:
    """The known word that is nearest to `text`, "" when none is near."""
    by_fold = {one.casefold(): one for one in known}
    found = get_close_matches(text.casefold(), list(by_fold), 1, 0.6)
    return by_fold[found[0]] if found else ""
