"""Reading answers: one path from what was typed, sent or imported to typed values.

The page, the API and files all come through `read`, so the same text means the same everywhere. What Chinese
keyboards produce (full-width digits, `。`, `－`) is read as what was meant; what was typed is kept beside it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import models

from trial.codes import MISSING
from trial.findings import Problem
from trial.item import Item, items
from trial.kinds import code_of, kind_of, parse
from trial.refused import Refused, normalise, shown
from trial.text import T

__all__ = ["Reading", "Refused", "kind_of", "normalise", "parse", "read"]


@dataclass
class Reading:
    """`values` by field name, `missing` reasons, `typed` texts that reading changed, and what was refused."""

    values: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(model: type[models.Model], raw: Mapping[str, Any], zone: str) -> Reading:
    """Read the answers in `raw` for the items of `model`; only the names present in `raw` are touched.

    `raw` holds text (pages, files) or JSON values (API). Times without an offset are local to `zone` (IANA name).
    An unknown name, a calculated item or an unreadable answer becomes a Problem; nothing is guessed.
    """
    reading = Reading()
    known = items(model)
    shorthand = getattr(model, "analytes", {})
    for name, answer in raw.items():
        if name == "missing":
            _read_missing(model, answer, reading)
        elif name in shorthand:
            _read_one(model, f"{name}_value", answer, zone, reading)
        elif name not in known:
            reading.problems.append(_unknown(name, (*known, *shorthand)))
        elif known[name].calc is not None:
            reading.problems.append(_calculated(name, answer))
        else:
            _read_one(model, name, answer, zone, reading)
    return reading


def _read_one(model: type[models.Model], name: str, answer: Any, zone: str, reading: Reading) -> None:
    column = model._meta.get_field(name)
    meaning: Item = column.item  # type: ignore[union-attr]
    try:
        if name.endswith("_value") and name.removesuffix("_value") in getattr(model, "analytes", {}):
            answer = _split_qualifier(name, answer, reading)
        value = parse(column, meaning, answer, zone)
    except Refused as refused:
        reading.problems.append(
            Problem(name, refused.code, refused.message, shown(answer), refused.limit, fix=refused.fix)
        )
        return
    reading.values[name] = value
    if isinstance(answer, str) and _reads_differently(answer.strip(), value):
        reading.typed[name] = answer[:200]


def _reads_differently(typed: str, value: Any) -> bool:
    """Whether the stored value would be shown otherwise than it was typed (full-width digits, 2026年3月5日)."""
    if isinstance(value, date) or (
        isinstance(value, str) and re.match(r"\d{4}(-|$)", value) and not typed.startswith(value)
    ):
        return not typed.startswith(value.isoformat()[:10] if isinstance(value, date) else value[:10])
    return bool(typed) and normalise(typed) != typed


def _split_qualifier(name: str, answer: Any, reading: Reading) -> Any:
    """`<0.1` is the value 0.1 with the qualifier `<`."""
    qualifier = name.removesuffix("_value") + "_qual"
    found = re.match(r"^(<=|>=|<|>)\s*(.*)$", normalise(answer), re.S) if isinstance(answer, str) else None
    if not found:
        reading.values.setdefault(qualifier, "")
        return answer
    reading.values[qualifier] = found[1]
    reading.typed[name] = answer[:200]
    return found[2]


def _read_missing(model: type[models.Model], answer: Any, reading: Reading) -> None:
    """Why items have no answer: {"platelets": "NOT_DONE"}; an empty reason takes the mark away."""
    names = set(items(model)) | set(getattr(model, "analytes", {}))
    if not isinstance(answer, Mapping):
        reading.problems.append(
            Problem(
                "missing",
                "not_an_object",
                T("“missing” maps item names to reasons.", "“missing”应为 项目名 → 原因 的映射。"),
            )
        )
        return
    for name, reason in answer.items():
        if name not in names:
            reading.problems.append(_unknown(f"missing.{name}", tuple(names)))
        elif reason in ("", None):
            reading.missing[name] = ""
        else:
            try:
                reading.missing[name] = code_of(MISSING, reason)
            except Refused as refused:
                reading.problems.append(
                    Problem(f"missing.{name}", refused.code, refused.message, shown(reason), refused.limit)
                )


def _unknown(name: str, known: tuple[str, ...]) -> Problem:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    hint_en, hint_zh = (f" Did you mean “{near[0]}”?", f"是否为“{near[0]}”?") if near else ("", "")
    return Problem(
        str(name)[:80],
        "unknown_item",
        T(f"This form has no item “{name}”.{hint_en}", f"本表没有项目“{name}”。{hint_zh}"),
        fix=near[0] if near else "",
    )


def _calculated(name: str, answer: Any) -> Problem:
    return Problem(
        name,
        "calculated",
        T("This item is calculated by the system and cannot be entered.", "此项由系统计算,不能录入。"),
        shown(answer),
    )
