"""Why an answer is absent, as dictionary, CRF and exports name it: for an item, its section, its form, its visit.

An item's mark stands in `missing` of the record, in CSV in `<item>__nd`; a form's in `not_done` and `not_done_reason`. A
section that is marked marks its items, and a visit its visit form and every form expected at it.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from entry.typed import section_lines
from exchange.annotation import EVENTS, FINDINGS, INTERVENTIONS, names_of
from subjects.crf import CRF, StudyForm
from trial.codes import MISSING
from trial.item import Item, items
from trial.text import T

Form = type[CRF] | type[StudyForm]
LEVELS: dict[str, tuple[str, str]] = {
    "item": ("the item", "本项"),
    "section": ("its section", "所在部分"),
    "form": ("the form", "整张表"),
    "visit": ("the whole visit", "整个访视"),
}


@dataclass(frozen=True)
class Marker:
    """A column that says why there is no answer. `key` is its name in `missing`; `levels` are keys of LEVELS."""

    column: str
    key: str
    en: str
    zh: str
    type: str
    levels: tuple[str, ...]
    sdtm: str
    part_of: str = ""

    @property
    def label(self) -> str:
        """What it says, in the active language."""
        return T(self.en, self.zh)

    @property
    def note_en(self) -> str:
        """For what it is set in one step."""
        return f"Set in one step for {_listed(self.levels, 0, ', ', ' or ')}."

    @property
    def note_zh(self) -> str:
        """For what it is set in one step, in Chinese."""
        return f"可一步标记:{_listed(self.levels, 1, '、', '或')}。"

    @property
    def codes(self) -> tuple[tuple[str, str, str], ...]:
        """The reasons, where it holds one."""
        return MISSING.rows if self.type == "code" else ()


def _listed(levels: tuple[str, ...], which: int, comma: str, last: str) -> str:
    words = [LEVELS[level][which] for level in levels]
    return last.join([comma.join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def marker_of(model: Form, name: str, meaning: Item) -> Marker | None:
    """The marker of one item; None of what is calculated or a part of a result."""
    if meaning.calc is not None or meaning.part_of:
        return None
    short = name.removesuffix("_value")
    key = short if short in model.analytes else name
    return Marker(
        f"{name}__nd",
        key,
        f"{meaning.en}: why there is no answer",
        f"{meaning.zh}:无答案的原因",
        "code",
        ("item", *(("section",) if key in _in_sections(model) else ()), *_whole(model)),
        _sdtm(model, name),
        name,
    )


def form_markers(model: Form) -> tuple[Marker, Marker]:
    """The markers of a whole form, of the visit form for the visit: that it was not done, and why."""
    what_en, what_zh = ("visit", "访视") if getattr(model, "form", "") == "visit" else ("form", "表")
    sdtm, levels = _sdtm(model, ""), _whole(model)
    return (
        Marker("not_done", "", f"The {what_en} was not done", f"本{what_zh}未做", "yes_no", levels, sdtm),
        Marker(
            "not_done_reason",
            "",
            f"Why the {what_en} was not done",
            f"本{what_zh}未做的原因",
            "code",
            levels,
            sdtm,
            "not_done",
        ),
    )


def _whole(model: Form) -> tuple[str, ...]:
    return ("form", "visit") if getattr(model, "repeats", "") in ("visit", "rows") else ("form",)


@cache
def _in_sections(model: Any) -> frozenset[str]:
    """The lines that stand with others under one heading, and are marked with them."""
    return frozenset(line for lines in section_lines(model) if len(lines) > 1 for line in lines)


def _sdtm(model: Form, name: str) -> str:
    """Where SDTM keeps it: --STAT and --REASND of the test, or of the visit SVOCCUR and SVREASOC; else nowhere."""
    domain = model.domain
    if domain == "SV":
        return "SVOCCUR, SVREASOC"
    if name:
        test = re.search(r"\b([A-Z]{2})TESTCD = (.+)$", str(names_of(model, name, items(model)[name]).sdtm))
        return f"{test[1]}STAT = NOT DONE, {test[1]}REASND where {test[1]}TESTCD = {test[2]}" if test else ""
    return f"{domain}STAT = NOT DONE, {domain}REASND" if domain in FINDINGS | INTERVENTIONS | EVENTS else ""
