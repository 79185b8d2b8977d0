"""An answer that cannot be read, and the first look at every typed text."""

import unicodedata
from typing import Any


class Refused(ValueError):
    """One answer that cannot be read. `message` is bilingual; `limit` says what was expected."""

    def __init__(self, code: str, message: str, limit: str = "", fix: str = "") -> None:
        self.code, self.message, self.limit, self.fix = code, message, limit, fix
        super().__init__(code)


_PUNCTUATION = str.maketrans(
    {"。": ".", "，": ",", "－": "-", "—": "-", "–": "-", "＜": "<", "＞": ">", "≤": "<=", "≥": ">="}
)


def normalise(raw: str) -> str:
    """Full-width forms as ASCII, typographic dashes and stops as keyboard ones, no outer blanks."""
    if raw.isascii():  # nothing to change, and nearly every answer
        return raw.strip()
    return unicodedata.normalize("NFKC", raw.translate(_PUNCTUATION)).strip()


def shown(answer: Any) -> str:
    """An answer as it may stand in a message: short, one line."""
    return str(answer)[:80].replace("\n", " ")
