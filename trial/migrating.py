"""Many tables in one step.

Django renders every related model again after each `CreateModel`, and once more for each trigger. In this study all
forms hang on the subject, so that is every model, some two hundred times: a first migration took minutes. `together`
lets runs of such operations change the state first and render once, or not at all where no column changes.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.db.migrations.operations import AddConstraint, AddField, AddIndex, AlterField, CreateModel
from django.db.migrations.operations.base import Operation
from pgtrigger.migrations import AddTrigger, RemoveTrigger

_ORDER: tuple[type, ...] = (
    RemoveTrigger,
    CreateModel,
    AddField,
    AlterField,
    AddIndex,
    AddConstraint,
    AddTrigger,
)
# These change a table's surroundings and none of its columns: the models rendered before still serve.
_COLUMNS_STAY = (RemoveTrigger, AddIndex, AddConstraint, AddTrigger)


class Together(Operation):
    """Several operations of one kind as one: their state first, then the database."""

    def __init__(self, operations: list[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Add to the state without rendering it in between, and keep what is rendered where it still serves."""
        rendered, known = state.__dict__.pop("apps", None), set(state.models)
        for operation in self.operations:
            operation.state_forwards(app_label, state)
        if rendered and isinstance(self.operations[0], (CreateModel, *_COLUMNS_STAY)):
            rendered.render_multiple([model for key, model in state.models.items() if key not in known])
            state.__dict__["apps"] = rendered

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
    """The operations in the order of their kinds, and those of one kind as one; any other kind keeps to the end."""
    ordered = sorted(
        operations, key=lambda one: _ORDER.index(type(one)) if type(one) in _ORDER else len(_ORDER)
    )
    grouped: list[Operation] = []
    for kind, run in groupby(ordered, type):
        run_list = list(run)
        grouped += [Together(run_list)] if kind in _ORDER else run_list
    return grouped
