"""The forms of the clinical specification (forms.json) held against ours, field by field.

`differences()` gives (form, field, what, detail) for everything that is not as the specification has it: `what` is
form, field, type, unit, hard, soft, required, codes or cdash.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import models

from dosing.committee import SrcReview
from safety.forms import FORM
from subjects.crf import Subject
from trial.answers import kind_of
from trial.item import Item, Range, items
from trial.models import Site

SPEC = Path(__file__).resolve().parents[2] / "shared" / "clinical" / "forms.json"
OURS: dict[str, type[models.Model]] = {**FORM, "src_review": SrcReview}
PLAIN: dict[str, tuple[type[models.Model], dict[str, str]]] = {
    "site": (Site, {"site_id": "code", "site_name": "name", "timezone": "time_zone"}),
    "subject": (Subject, {}),
}
"""Site and subject are rows of their own kind; their fields and what ours are named."""
RENAMED = {
    ("con_meds", "class"): "drug_class",
    ("visit", "visit_code"): "visit",
    ("visit", "not_done_reason"): "missed_reason",
}
KINDS = {
    "str": "text",
    "text": "text",
    "int": "whole",
    "dec": "number",
    "sci": "number",
    "bool": "yes_no",
    "date": "day",
    "pdate": "partial_day",
    "dt": "moment",
    "pdt": "partial_moment",
    "code": "code",
    "multi": "codes",
    "fk": "link",
    "file": "link",
}
Difference = tuple[str, str, str, str]


def spec() -> dict[str, Any]:
    """The specification's forms and code lists."""
    found: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))
    return found


def fields() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of the specification with its form."""
    for form in spec()["forms"]:
        for field in form["fields"]:
            yield form["form"], field


def differences() -> list[Difference]:
    """Everything that differs, in the order of the specification."""
    lists = spec()["codelists"]
    return [(form, f["name"], *one) for form, f in fields() for one in _differs(form, f, lists)]


def _differs(form: str, field: dict[str, Any], lists: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    name = field["name"]
    if form in PLAIN:
        model, names = PLAIN[form]
        known = {column.name for column in model._meta.get_fields()}
        if names.get(name, name) not in known:
            yield "field", "absent"
        elif name in names:
            yield "field", f"named {names[name]}"
        return
    ours = RENAMED.get((form, name), name)
    if (form, name) in RENAMED:
        yield "field", f"named {ours}"
    model = OURS[form]
    analyte = getattr(model, "analytes", {}).get(ours)
    if analyte is None and (ours not in items(model) or field["type"] == "analyte"):
        if ours not in {column.name for column in model._meta.get_fields()}:
            yield "field", "absent"
        return
    meaning = items(model)[f"{ours}_value" if analyte else ours]
    column = model._meta.get_field(f"{ours}_value" if analyte else ours)
    if not analyte:
        yield from _type(column, field)
    limits = analyte or meaning
    yield from _unit(meaning, field)
    yield from _range("hard", limits.hard, field["hard"], model, ours, meaning)
    yield from _range("soft", limits.soft, field["soft"], model, ours, meaning)
    yield from _required(meaning, field["required"])
    yield from _codes(meaning, field, lists)
    wanted = re.sub(r"\s*\(.*\)", "", field.get("cdash", ""))
    if wanted and wanted not in (meaning.cdash, meaning.sdtm, re.sub(r"\s*\(.*\)", "", meaning.cdash)):
        yield "cdash", meaning.cdash or "none"


def _type(column: Any, field: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind, *sizes = re.split(r"[(),]", field["type"])
    ours = kind_of(column)
    if ours != KINDS.get(kind):
        yield "type", ours
    elif kind == "dec" and [column.max_digits, column.decimal_places] != [int(n) for n in sizes[:2]]:
        yield "type", f"number({column.max_digits},{column.decimal_places})"
    elif kind == "str" and column.max_length != int(sizes[0]):
        yield "type", f"text({column.max_length})"


def _unit(meaning: Item, field: dict[str, Any]) -> Iterator[tuple[str, str]]:
    wanted = re.sub(r"\s*\(.*\)", "", field["unit"])
    if field["type"] != "analyte" and wanted not in ("", "local", meaning.unit):
        yield "unit", meaning.unit or "none"


_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"


def _number_range(text: str) -> tuple[Decimal, Decimal] | None:
    found = re.fullmatch(rf"({_NUMBER})(?:-|\.\.)({_NUMBER})", text)
    return (Decimal(found[1]), Decimal(found[2])) if found else None


def _range(
    which: str, ours: Range | None, wanted: str, model: type[models.Model], name: str, meaning: Item
) -> Iterator[tuple[str, str]]:
    numbers = _number_range(wanted)
    said = str(ours) if ours else "none"
    if numbers:
        if ours is None or (ours.low, ours.high) != numbers:
            yield which, said
    elif not wanted:
        if ours is not None:
            yield which, said
    elif re.fullmatch(r"\d+", wanted):
        if ours is None or {ours.low, ours.high} != {Decimal(wanted)}:
            yield which, said
    elif not _worded(wanted, model, name, meaning):
        yield which, said


def _worded(wanted: str, model: type[models.Model], name: str, meaning: Item) -> bool:
    """Whether a limit in words ("<= now", "> harvest") stands on the item, or from the other side on its partner."""
    if wanted in ("<= now", "<= today"):
        return not meaning.future
    partner = re.sub(r"^[<>]=?\s*", "", wanted)
    ahead = [n for n, m in items(model).items() if name in (m.not_before, m.strictly_after)]
    mine = meaning.strictly_after if wanted.startswith("> ") else meaning.not_before
    if "," in wanted:
        return False
    return partner in mine if wanted.startswith(">") and mine else any(partner in n for n in ahead)


def _required(meaning: Item, wanted: str) -> Iterator[tuple[str, str]]:
    if meaning.calc:
        ours = "calc"
    elif meaning.when or meaning.required_at:
        ours = "C"
    else:
        ours = "R" if meaning.required else "O"
    if ours != wanted.split()[0]:
        at = f" at {', '.join(meaning.required_at)}" if meaning.required_at else ""
        when = " ".join(f"{k} in {'/'.join(map(str, v))}" for k, v in meaning.when.items())
        yield "required", f"{ours}{at} {when}".strip()


def _codes(meaning: Item, field: dict[str, Any], lists: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    wanted = _named(field["notes"], lists) if field["type"] in ("code", "multi") else set()
    if wanted and meaning.codes and set(meaning.codes.codes) != wanted:
        yield "codes", ", ".join(meaning.codes.codes)


_CODE = re.compile(r"^[A-Z0-9][A-Za-z0-9_+-]*$")


def _named(notes: str, lists: dict[str, list[str]]) -> set[str]:
    """The codes that a note names, by list or one by one; empty when it names none."""
    listed = re.search(r"CL_\w+", notes)
    if listed and listed[0] in lists:
        notes = ",".join(lists[listed[0]])
    plain = re.sub(r"\([^)]*\)?|[^(]*\)", "", re.sub(r"\([^)]*\)", "", notes.partition("->")[0]))
    plain = re.sub(r"\b[A-Z]+: ", "", plain.partition(" (")[0])
    parts = [part.strip() for part in re.split(r"[,/;]", plain) if part.strip()]
    return set(parts) if len(parts) > 1 and all(_CODE.match(part) for part in parts) else set()
