"""The language of a printout: Chinese, English, or both side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.utils import translation

Made = TypeVar("Made")
LANGUAGES: dict[str, tuple[str, ...]] = {"both": ("zh-hans", "en"), "zh": ("zh-hans",), "en": ("en",)}


@dataclass(frozen=True)
class Tongue:
    """`code` is "zh", "en" or "both"."""

    code: str

    @property
    def languages(self) -> tuple[str, ...]:
        """Django's names of its languages, in the order of printing."""
        return LANGUAGES[self.code]

    @property
    def tag(self) -> str:
        """The language of the file for who reads it aloud."""
        return "en" if self.code == "en" else "zh-CN"

    def each(self, make: Callable[[], Made]) -> tuple[Made, ...]:
        """What `make` gives in every language."""
        made = []
        for language in self.languages:
            with translation.override(language):
                made.append(make())
        return tuple(made)

    def say(self, text: str) -> str:
        """A text in its languages."""
        return joined(self.each(lambda: str(text)))


def joined(texts: Sequence[str]) -> str:
    """The same thing said in each language, once where it is the same."""
    return " / ".join(dict.fromkeys(text for text in texts if text))
