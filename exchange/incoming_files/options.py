"""What the sender chooses beside the profile."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Options:
    """`policy` ALL: a refused row refuses the file; GOOD: the other rows are taken. `correct`: a value that differs
    from the stored one corrects it, else the row is a conflict. `subject_map`: subject in the file → our number.
    `ignore`: headings that are left out on purpose. `sheet`: which sheet of a workbook."""

    policy: Literal["ALL", "GOOD"] = "ALL"
    correct: bool = False
    subject_map: dict[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    sheet: str = ""

    def document(self) -> dict[str, Any]:
        """As kept with the file; only what was chosen."""
        chosen = {**vars(self), "ignore": list(self.ignore)}
        return {name: value for name, value in chosen.items() if value}


def options_of(document: dict[str, Any]) -> Options:
    """The options as they were kept."""
    return Options(**{**document, "ignore": tuple(document.get("ignore", ()))})
