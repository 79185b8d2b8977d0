"""Words in the two languages of the study, stated side by side where they are used."""

from typing import NamedTuple

from django.utils.functional import lazy
from django.utils.translation import get_language


class _Words(NamedTuple):
    en: str
    zh: str

    def __str__(self) -> str:
        return self.zh if (get_language() or "en").startswith("zh") else self.en


_shown = lazy(str, str)  # made once: making a lazy type costs more than everything it shows


def T(en: str, zh: str) -> str:
    """One text in English and Simplified Chinese, resolved when it is shown.

    >>> str(T("Platelets", "血小板计数"))
    'Platelets'

    Typed as `str` because Django takes a lazy text wherever it takes a string.
    """
    return _shown(_Words(en, zh))


def both(text: str) -> dict[str, str]:
    """The two languages of a text, for documents that carry both: {"en": ..., "zh": ...}."""
    from django.utils.translation import override

    with override("en"):
        en = str(text)
    with override("zh-hans"):
        zh = str(text)
    return {"en": en, "zh": zh}
