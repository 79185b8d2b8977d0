"""Answers as text: what a box shows for a stored answer, and what was sent back.

The page reads only what was changed on it. An answer whose text comes back as it was shown is left alone, so looking
at a form and saving it can never alter a value, whatever its digits, blanks or time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.http import QueryDict

from trial.answers import kind_of, read
from trial.findings import Problem
from trial.item import items

Raw = dict[str, Any]
NOT_DONE = ("not_done", "not_done_reason")


def shown(column: Any, value: Any, zone: str) -> str | list[str]:
    """A stored answer as its box shows it: reading that text again gives the same answer."""
    kind = kind_of(column)
    if kind == "codes":
        return list(value or [])
    if value is None or value == "":
        return ""
    if kind == "yes_no":
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if kind == "partial_moment" and isinstance(value, str) and "T" in value:
        return local_text(datetime.fromisoformat(value), zone)
    if isinstance(value, datetime):
        return local_text(value, zone)
    return value.isoformat() if isinstance(value, date) else str(value)


def local_text(moment: datetime, zone: str) -> str:
    """A moment on the site's clock; with its offset where that clock shows the same time twice."""
    local = moment.astimezone(ZoneInfo(zone))
    text = local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")
    if local.replace(fold=0).utcoffset() == local.utcoffset():
        return text
    return text + local.isoformat()[-6:]


def asked_names(model: Any) -> list[str]:
    """The names of the boxes of a form: every item that is entered. A qualifier is typed with its value (`<0.1`)."""
    return [n for n, m in items(model).items() if m.calc is None and not (m.part_of and n.endswith("_qual"))]


def line_names(model: Any) -> list[str]:
    """The names of the lines of a form: an analyte is one line under its own name."""
    analytes = getattr(model, "analytes", {})
    entered = [n for n, m in items(model).items() if m.calc is None and not m.part_of]
    return [n.removesuffix("_value") if n.removesuffix("_value") in analytes else n for n in entered]


def section_lines(model: Any) -> list[list[str]]:
    """The names of the lines under each heading of the form, in the order of the form."""
    analytes = getattr(model, "analytes", {})
    made, title = list[list[str]](), None
    for name, meaning in items(model).items():
        if meaning.part_of:
            continue
        if not made or str(meaning.section) != title:
            title = str(meaning.section)
            made.append([])
        if meaning.calc is None:
            short = name.removesuffix("_value")
            made[-1].append(short if short in analytes else name)
    return made


UNMARK = "-"


def _mark_sections(model: Any, post: QueryDict, raw: Raw) -> None:
    """A whole section not done: its reason for every line without an answer; `-` takes the section's marks away."""
    for number, lines in enumerate(section_lines(model)):
        why = post.get(f"section.{number}", "")
        for line in lines if why else ():
            box = line if line in raw else f"{line}_value"
            if why == UNMARK:
                raw[f"missing.{line}"] = ""
            elif raw.get(box, "?") in ("", []) and not raw.get(f"missing.{line}"):
                raw[f"missing.{line}"] = why


def raw_of(record: Any, zone: str) -> Raw:
    """Every box of the form as text, for this record."""
    raw: Raw = {}
    for name in asked_names(record):
        column = record._meta.get_field(name)
        raw[name] = shown(column, getattr(record, column.attname), zone)
        short = name.removesuffix("_value")
        if short in record.analytes and name != short:
            raw[name] = f"{getattr(record, short + '_qual')}{raw[name]}" if raw[name] else ""
    for name in line_names(record):
        raw[f"missing.{name}"] = record.missing.get(name) or record.missing.get(f"{name}_value") or ""
    raw["not_done"] = "1" if record.not_done else ""
    raw["not_done_reason"] = record.not_done_reason
    return raw


def sent(model: Any, post: QueryDict) -> Raw:
    """The boxes that came with a POST, as text. What the page did not send is not touched."""
    raw: Raw = {}
    for name in asked_names(model):
        if name not in post:
            continue
        if kind_of(model._meta.get_field(name)) == "codes":
            raw[name] = [code for code in post.getlist(name) if code]
        else:
            raw[name] = str(post[name]).replace("\r\n", "\n")
    for name in (*(f"missing.{n}" for n in line_names(model)), *NOT_DONE):
        if name in post:
            raw[name] = post[name]
    _mark_sections(model, post, raw)
    for name, analyte in getattr(model, "analytes", {}).items():
        if raw.get(f"{name}_value") == "" and raw.get(f"{name}_unit") == analyte.units.codes[0]:
            del raw[f"{name}_unit"]  # the unit offered first beside an empty box says nothing
    return raw


def changed(before: Raw, now: Raw) -> Raw:
    """What was changed on the page: the boxes whose text is not the text that was shown."""
    return {name: value for name, value in now.items() if not _same(before.get(name, ""), value)}


def _same(old: Any, new: Any) -> bool:
    if isinstance(new, list):
        return set(old or []) == set(new)
    return bool(str(old).replace("\r\n", "\n") == new)


@dataclass
class Applied:
    """What putting answers on a record came to."""

    problems: list[Problem] = field(default_factory=list)
    read: set[str] = field(default_factory=set)


def put(record: Any, raw: Mapping[str, Any], zone: str) -> Applied:
    """Read the answers in `raw` and set them on the record; what cannot be read is told and left as it was."""
    answers = {n: v for n, v in raw.items() if n not in NOT_DONE and not n.startswith("missing.")}
    reasons = {n.removeprefix("missing."): v for n, v in raw.items() if n.startswith("missing.")}
    reading = read(type(record), {**answers, "missing": reasons}, zone)
    for name, value in reading.values.items():
        setattr(record, record._meta.get_field(name).attname, value)
    said = {f"{n}_value": "" for n in reasons if n in record.analytes}
    record.missing = {n: why for n, why in {**record.missing, **said, **reading.missing}.items() if why}
    record.typed = {n: t for n, t in record.typed.items() if n not in answers} | reading.typed
    if "not_done" in raw:
        record.not_done = raw["not_done"] == "1"
    if "not_done_reason" in raw:
        record.not_done_reason = raw["not_done_reason"]
    if not record.not_done:
        record.not_done_reason = ""
    return Applied(list(reading.problems), set(answers))
