"""What rules and derivations keep as nested values (evidence, inputs, results), in words and in the active language."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from review.places import field_name, form_name
from review.shown import LABELS, NOTHING, clock, fact_value
from safety.derived.every import DERIVATIONS
from safety.forms import FORMS
from trial.text import T

YES, NO = T("Yes", "是"), T("No", "否")
YES_NO = {"True": YES, "False": NO, "YES": YES, "NO": NO}
ARROWS = {"low": "↓", "high": "↑"}
LONG = 12
"""A number of more characters is rounded for display; the value itself stays as it was worked out."""

KEYS: dict[str, str] = {
    "facts": T("Seen", "所见"),
    "lacking": T("Not known", "尚缺"),
    "limit": T("Limit", "限值"),
    "note": T("Note", "说明"),
    "factor": T("Factor", "系数"),
    "entered": T("Entered", "录入值"),
    "weight_kg": T("Weight", "体重"),
    "investigator": T("By the investigator", "研究者判定"),
    "days": T("Days", "天数"),
    "until": T("Until", "截至"),
    "unit": T("Unit", "单位"),
    "grades": T("Grades", "分级"),
    "drug": T("Drug", "药物"),
    "class": T("Class", "类别"),
    "start": T("Start", "开始"),
    "rule": T("Rule", "规则"),
}


def told(value: Any, zone: str) -> str:
    """A nested value as a person reads it; "—" for nothing."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, dict):
        return _fact(value, zone) if "form" in value and "field" in value else _mapping(value, zone)
    if isinstance(value, list):
        return ("; " if isinstance(value[0], dict) else ", ").join(told(one, zone) for one in value)
    return _text(str(value), zone)


Key = tuple[str, ...]


def parts(value: Any, zone: str) -> dict[Key, tuple[str, str]]:
    """A nested value piece by piece: each answer that was looked at and each named result, as its label and its words."""
    if isinstance(value, list):
        return dict(_piece((str(place),), one, zone) for place, one in enumerate(value))
    found: dict[Key, tuple[str, str]] = {}
    for name, one in (value or {}).items():
        if isinstance(one, list) and one and isinstance(one[0], dict):
            for key, (label, words) in parts(one, zone).items():
                found[name, *key] = (f"{_label(name)}: {label}", words)
        elif not (name.endswith("_zh") and name.removesuffix("_zh") in value):
            limit = T(str(one), str(value[f"{name}_zh"])) if f"{name}_zh" in value else told(one, zone)
            found[(name,)] = (_label(name), str(limit))
    return found


def _piece(place: Key, one: Any, zone: str) -> tuple[Key, tuple[str, str]]:
    """An answer is known again by its record and item, whatever its place in the list."""
    if not (isinstance(one, dict) and "form" in one and "field" in one):
        return place, ("", told(one, zone))
    key = (one["form"], str(one.get("record", "")), one["field"], one.get("name", ""))
    version = f" · v{one['version']}" if "version" in one else ""
    return key, (_about(one), f"{_value(one, zone)}{version}")


def _fact(fact: Mapping[str, Any], zone: str) -> str:
    """An answer that was looked at: its form and item, or its own words, and what it said."""
    return f"{_about(fact)}: {_value(fact, zone)}" if "value" in fact else _about(fact)


def _about(fact: Mapping[str, Any]) -> str:
    form, field = fact["form"], fact["field"]
    if fact.get("en"):
        return str(T(fact["en"], fact["zh"]))
    return " · ".join(part for part in (form_name(form), field_name(form, field)) if part)


def _value(fact: Mapping[str, Any], zone: str) -> str:
    """What an answer said; that it was looked at, where the value is not kept."""
    if "value" not in fact:
        if fact.get("why_zh"):
            return str(T(fact["why"], fact["why_zh"]))
        return str(T("missing", "缺失") if fact.get("why") else T("seen", "已查看"))
    form, field, value = fact["form"], fact["field"], fact["value"]
    return fact_value(form, field, value, zone) if field else told(value, zone)


def _mapping(value: Mapping[str, Any], zone: str) -> str:
    if set(value) == {"en", "zh"}:
        return str(T(value["en"], value["zh"]))
    if "grades" in value and "value" in value:
        return _result(value)
    told_of = (
        (name, T(str(one), str(value[f"{name}_zh"])) if f"{name}_zh" in value else told(one, zone))
        for name, one in value.items()
        if not (name.endswith("_zh") and name.removesuffix("_zh") in value)
    )
    return "; ".join(f"{_label(name)}: {words}" for name, words in told_of)


def _result(value: Mapping[str, Any]) -> str:
    """A laboratory result with its grades of 1 and above."""
    grades = " ".join(f"{ARROWS[one['direction']]}{one['grade']}" for one in value["grades"] if one["grade"])
    parts = (f"{value.get('qualifier') or ''}{value['value']}", value.get("unit") or "", grades)
    return " ".join(str(part) for part in parts if part)


def _label(name: str) -> str:
    return str(KEYS.get(name) or _said().get(name) or LABELS.get(name) or name)


@cache
def _said() -> dict[str, str]:
    """The words for what derivations say and for the analytes of the laboratory forms, by name."""
    return dict(_names())


def _names() -> Iterator[tuple[str, str]]:
    for form in FORMS:
        for name in form.analytes:
            yield name, form._meta.get_field(f"{name}_value").item.label  # type: ignore[union-attr]
    for how in DERIVATIONS.values():
        for one in how.says:
            yield one.name, T(one.en, one.zh)


def _text(text: str, zone: str) -> str:
    if text in YES_NO:
        return str(YES_NO[text])
    if "T" in text and text[:4].isdigit():
        try:
            return clock(datetime.fromisoformat(text), zone)
        except ValueError:
            return text
    if len(text) > LONG and "." in text:
        try:
            return f"{Decimal(text):.4f}".rstrip("0").rstrip(".")
        except InvalidOperation:
            return text
    return text
