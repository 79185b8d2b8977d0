"""One valid record of any form, made from its items: for each the smallest answer that its definition allows."""

from typing import Any

from trial.item import Item, items
from trial.kinds import kind_of

SPECIAL = {
    ("src_review", "subjects_reviewed"): "01-001",
    ("disease_history", "number_of_relapses"): "1",
    ("visit", "missed_reason"): "",
    ("pk_sample", "result_text"): "BLQ",
    ("adverse_event", "ongoing"): "false",
}
"""Where a form asks more than its items say, or two answers exclude each other."""


def answers(form: Any) -> dict[str, str]:
    """Item name → text, as a file or a page would hold it. Calculated items, links and parts of results are left out."""
    found = {}
    for name, meaning in items(form).items():
        column: Any = form._meta.get_field(name)
        analyte = form.analytes.get(name.removesuffix("_value"))
        if meaning.calc is not None or kind_of(column) == "link" or (meaning.part_of and analyte is None):
            continue
        found[name] = SPECIAL.get((form.form, name), _answer(form, name, meaning, column, analyte))
    return found


def _answer(form: Any, name: str, meaning: Item, column: Any, analyte: Any) -> str:
    kind = kind_of(column)
    if meaning.codes is not None:
        return meaning.codes.codes[0]
    if kind in ("day", "partial_day"):
        return f"2026-01-{5 + _after(form, meaning):02d}"
    if kind in ("moment", "partial_moment"):
        return f"2026-01-{5 + _after(form, meaning):02d} 08:00"
    if kind in ("number", "whole"):
        limits = analyte.hard if analyte else meaning.hard
        return f"{limits.low:f}" if limits is not None and limits.low is not None else "1"
    return {"yes_no": "true"}.get(kind, "x")


def _after(form: Any, meaning: Item) -> int:
    """How many days after the first date this one lies, so that each follows the one it must follow."""
    other = meaning.not_before or meaning.strictly_after
    return 1 + _after(form, form._meta.get_field(other).item) if other else 0
