"""Words for now: the same choice of language as `trial.text.T`, taken at once where nothing is kept."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import conditional_escape
from django.utils.translation import get_language


def now(en: str, zh: str) -> str:
    """One of two texts, by the active language."""
    return zh if (get_language() or "en").startswith("zh") else en


def counted(n: int, one: str, more: str, zh: str) -> str:
    """A number with its word: "1 form", "2 forms"."""
    return now(f"{n} {one if n == 1 else more}", f"{n} {zh}")


def plainly(value: Any) -> str:
    """A number or choice of the protocol as text; a mapping as its pairs, several as a list, none as a dash."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plainly(one)}" for key, one in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(plainly, value)) or "–"
    return (now("yes", "是") if value else now("no", "否")) if isinstance(value, bool) else str(value)


def esc(text: Any) -> str:
    """A text, escaped."""
    return str(conditional_escape(text)) if text else ""
