"""Reading a printout back, as a browser's PDF reader does."""

import re
from typing import Any

import pypdfium2


def pages_of(file: Any) -> list[str]:
    """The text of every page of a PDF, given as bytes or as a path."""
    document = pypdfium2.PdfDocument(file)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def running_text(pages: list[str]) -> str:
    """What stands between the running heads and feet, squeezed: a text may go on over the edge of a page."""
    bodies = []
    for page in pages:
        lines = page.splitlines()
        foot = next(n for n, line in enumerate(lines) if line.startswith("SHA-256 "))
        bodies.append(squeezed("".join(lines[1:foot])))
    return "".join(bodies)


def squeezed(text: str) -> str:
    """A text without its white space, which line breaks of a printout put anywhere."""
    return re.sub(r"\s+", "", text)
