"""Words for now: the same choice of language as `trial.text.T`, taken at once where nothing is kept."""

from django.utils.translation import get_language


def now(en: str, zh: str) -> str:
    """One of two texts, by the active language."""
    return zh if (get_language() or "en").startswith("zh") else en


def counted(n: int, one: str, more: str, zh: str) -> str:
    """A number with its word: "1 form", "2 forms"."""
    return now(f"{n} {one if n == 1 else more}", f"{n} {zh}")
