"""One answer as the text of one cell of a grid, and back.

A cell holds what a person would type: a label for a code, `<0.1` for a result below its limit, `1.2 mg/dL` for a
result in another unit than the one at the column's head, and `nd`, `unk` or `na` for no answer. A mark is kept apart
from the answer, as everywhere: the cell only shows it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from entry.form_links import Choices
from entry.typed import Raw, line_names, shown
from review.shown import NOTHING, label_of
from review.shown import shown as in_words
from trial.answers import kind_of, normalise
from trial.codes import MISSING
from trial.findings import Problem
from trial.item import items
from trial.text import T

Pick = tuple[str, tuple[str, ...]]
SIGN = "∅"
WORDS = {
    "nd": "NOT_DONE",
    "not done": "NOT_DONE",
    "unk": "UNKNOWN",
    "uk": "UNKNOWN",
    "na": "NOT_APPLICABLE",
    "n/a": "NOT_APPLICABLE",
}


@dataclass(frozen=True)
class Head:
    """One column of a grid: an item, or one part of a laboratory result (its limits, its significance)."""

    name: str
    label: str
    kind: str
    column: Any
    unit: str = ""
    required: bool = False
    picks: tuple[Pick, ...] = ()
    units: tuple[str, ...] = ()
    part: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def read_only(self) -> bool:
        """Whether the system computes it."""
        return self.kind == "calc"


def heads_of(model: Any, links: Choices) -> list[Head]:
    """Every column that a grid of the form can have, in the order of the form."""
    made = []
    lines = set(line_names(model))
    for name, meaning in items(model).items():
        column, short = model._meta.get_field(name), name.removesuffix("_value")
        if meaning.part_of:
            if name.endswith(("_lln", "_uln", "_cs")):
                made.append(_head(name, column, links, part=True))
        elif meaning.calc is not None:
            made.append(Head(name, str(meaning.label), "calc", column, meaning.unit))
        elif short in model.analytes and short in lines:
            units = model.analytes[short].units.codes
            made.append(
                Head(short, str(meaning.label), "analyte", column, units[0], meaning.required, units=units)
            )
        else:
            made.append(_head(name, column, links))
    return made


def _head(name: str, column: Any, links: Choices, part: bool = False) -> Head:
    kind, meaning = kind_of(column), column.item
    picks: tuple[Pick, ...] = ()
    if kind == "yes_no":
        picks = _yes_no()
    elif kind in ("code", "codes"):
        picks = tuple((code, (T(en, zh), en, zh, code)) for code, en, zh in meaning.codes.rows)
    elif kind == "link":
        picks = _distinct(links.of.get(name, []))
    return Head(
        name,
        label_of(column),
        kind,
        column,
        meaning.unit,
        meaning.required,
        picks,
        part=part,
        words=_words(picks),
    )


def _yes_no() -> tuple[Pick, ...]:
    """Yes and no, shown in the active language and understood in both."""
    return (
        ("true", (T("Yes", "是"), "Yes", "是", "true", "1")),
        ("false", (T("No", "否"), "No", "否", "false", "0")),
    )


def _distinct(pairs: Iterable[tuple[str, str]]) -> tuple[Pick, ...]:
    """Linked records by their words; two that read alike are told apart by the end of their ids."""
    listed = list(pairs)
    words = [text for _, text in listed]
    return tuple((key, (text if words.count(text) == 1 else f"{text} ({key[-4:]})",)) for key, text in listed)


def _words(picks: Iterable[Pick]) -> dict[str, str]:
    """What a cell shows for each code: its label, or the code itself where two labels are the same."""
    labels = {code: str(texts[0]) for code, texts in picks}
    often = Counter(labels.values())
    return {code: label if often[label] == 1 else code for code, label in labels.items()}


def text_of(record: Any, head: Head, zone: str) -> str:
    """The text that stands in the cell for what is stored."""
    reason = record.missing.get(head.name) or record.missing.get(f"{head.name}_value")
    if reason and not head.part:
        return f"{SIGN} {MISSING.label(reason)}"
    value = getattr(record, head.column.attname)
    if head.kind == "calc":
        text = in_words(head.column, value, zone)
        return "" if text == NOTHING else text
    told = shown(head.column, value, zone)
    if isinstance(told, list):
        return ", ".join(head.words.get(code, code) for code in told)
    return _result(record, head, told) if head.kind == "analyte" else head.words.get(told, told)


def _result(record: Any, head: Head, text: str) -> str:
    unit = getattr(record, f"{head.name}_unit")
    tail = f" {unit}" if text and unit and unit != head.units[0] else ""
    return f"{getattr(record, f'{head.name}_qual')}{text}{tail}" if text else ""


def mark_of(head: Head, text: str) -> str:
    """The reason for no answer that was typed, "" when an answer was typed.

    In a text item only the sign `∅` or a leading stroke (`/nd`) marks; everywhere else the words do. A word that is
    itself an answer of the item's list stays an answer.
    """
    word = normalise(text).casefold()
    signed = word.startswith((SIGN, "/"))
    if head.part or not word or (head.kind == "text" and not signed):
        return ""
    word = word.lstrip(f"{SIGN}/ ").strip()
    if not word:
        return "NOT_DONE" if signed else ""
    found = WORDS.get(word) or _reason(word) or (_reason_in(word[3:]) if word.startswith("nd ") else "")
    taken = {code for code, _ in head.picks}
    return "" if found in taken and not signed else found


def _reason(word: str) -> str:
    known = ((code, (code, en, zh)) for code, en, zh in MISSING.rows)
    return next((code for code, texts in known if word in (t.casefold() for t in texts)), "")


def _reason_in(words: str) -> str:
    """The one reason whose words hold what was typed after `nd`: `nd haemolysed`."""
    told = words.strip()
    near = [code for code, en, zh in MISSING.rows if told and told in f"{code} {en} {zh}".casefold()]
    return near[0] if len(near) == 1 else ""


def pick_of(picks: Iterable[Pick], text: str) -> str:
    """The code whose code or label was typed, whole or by an unambiguous beginning; "" when there is none."""
    near = near_to(picks, text)
    return near[0] if len(near) == 1 else ""


def near_to(picks: Iterable[Pick], text: str) -> list[str]:
    """The codes that a text can mean: those whose code or label it is, else those of which it is the beginning."""
    word = normalise(text).casefold()
    known = [(code, [normalise(str(t)).casefold() for t in texts]) for code, texts in picks]
    whole = [code for code, texts in known if word in texts]
    return whole or [code for code, texts in known if any(t.startswith(word) for t in texts)]


@dataclass
class Read:
    """What a cell's text says: the boxes it fills, as `entry.typed.put` takes them, and what cannot be read."""

    raw: Raw = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_cell(head: Head, text: str) -> Read:
    """The text of a cell as answers, or as a mark. Reading further (numbers, dates) is left to `trial.answers`."""
    box = f"{head.name}_value" if head.kind == "analyte" else head.name
    reason = mark_of(head, text)
    marks = {} if head.part else {f"missing.{head.name}": reason}
    if head.kind == "analyte":
        marks[f"missing.{box}"] = ""
    if reason or not normalise(text):
        emptied: Raw = {box: [] if head.kind == "codes" else "", **marks}
        return Read({**emptied, f"{head.name}_unit": ""} if head.kind == "analyte" else emptied)
    if head.kind == "analyte":
        return Read({**_split_unit(head, text), **marks})
    if head.kind == "codes":
        parts = [part.strip() for part in re.split(r"[,;、]", normalise(text)) if part.strip()]
        unclear = [_unclear(head, part) for part in parts if not pick_of(head.picks, part)]
        return Read({}, unclear) if unclear else Read({box: [pick_of(head.picks, p) for p in parts], **marks})
    if not head.picks and head.kind != "link":
        return Read({box: text, **marks})
    found = pick_of(head.picks, text)
    if not found and head.kind in ("link", "code"):
        return Read({}, [_no_such(head, text) if head.kind == "link" else _unclear(head, text)])
    return Read({box: found or text, **marks})


_WITH_UNIT = re.compile(r"^((?:<=|>=|<|>)?\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*([^\d\s.,].*|10\^.*|1)?$", re.S)


def _split_unit(head: Head, text: str) -> Raw:
    """`1.2 mg/dL` as value and unit; a bare number is in the unit at the column's head."""
    found = _WITH_UNIT.match(normalise(text))
    tail = (found[2] or "").strip() if found else ""
    if not found or not tail:
        return {f"{head.name}_value": text, f"{head.name}_unit": head.units[0]}
    unit = next((u for u in head.units if u.casefold() == tail.casefold()), tail)
    return {f"{head.name}_value": found[1], f"{head.name}_unit": unit}


def _no_such(head: Head, text: str) -> Problem:
    known = "; ".join(str(texts[0]) for _, texts in head.picks[:5])
    more = " …" if len(head.picks) > 5 else ""
    return Problem(
        head.name,
        "no_such_record",
        T(
            f"“{text[:80]}” is none of the records that can be chosen here: {known or 'there is none yet'}{more}.",
            f"“{text[:80]}”不是此处可选的记录:{known or '暂无'}{more}。",
        ),
        text[:80],
    )


def _unclear(head: Head, text: str) -> Problem:
    """A text that means none of the answers, or several: what it could mean, as the answers read in each language."""
    near = near_to(head.picks, text)
    told = [pick for pick in head.picks if pick[0] in near or not near]
    en, zh = _listed(told, 1), _listed(told, 2)
    word = text[:80]
    said = (
        T(f"“{word}” could be: {en}. Type more of it.", f"“{word}”可能是:{zh}。请再多键入一些。")
        if near
        else T(f"“{word}” is none of the answers: {en}.", f"“{word}”不是可选答案:{zh}。")
    )
    codes = ", ".join(code for code, _ in head.picks)
    return Problem(head.name, "ambiguous" if near else "unknown_code", said, word, codes)


def _listed(picks: list[Pick], language: int) -> str:
    """The labels of some answers, with their codes where two read alike; the first dozen."""
    labels = [texts[language] for _, texts in picks]
    words = [
        label if labels.count(label) == 1 else f"{label} ({code})"
        for (code, _), label in zip(picks, labels, strict=True)
    ]
    return "; ".join(words[:12]) + (" …" if len(words) > 12 else "")
