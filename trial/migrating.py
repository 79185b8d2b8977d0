"""Many tables in one step.

Django renders every related model again after each `CreateModel`, and once more for each trigger. In this study all
forms hang on the subject, so that is every model, some two hundred times: a first migration took minutes. `together`
lets runs of such operations change the state first and render once.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation
from pgtrigger.migrations import AddTrigger


class Together(Operation):
    """Several operations of one kind as one: their state first, then the database."""

    def __init__(self, operations: list[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Add to the state without rendering it in between."""
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Each operation against the common end state."""
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """The other way round."""
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """What migrate prints."""
        return f"{len(self.operations)} × {type(self.operations[0]).__name__}"


def together(operations: Iterable[Operation]) -> list[Operation]:
    """Runs of CreateModel and of AddTrigger as one operation each; everything else as it stands."""
    grouped: list[Operation] = []
    for kind, run in groupby(operations, type):
        run_list = list(run)
        grouped += [Together(run_list)] if kind in (CreateModel, AddTrigger) else run_list
    return grouped
