"""The two fonts of every printout, from packages that hold nothing else: Chinese and Latin, and the signs it lacks.

Noto Sans SC covers GB 2312 wholly; superscripts (10⁶) come from Noto Sans. A character that neither has is printed as
its number, so that nothing vanishes from a printout unseen.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import fontpkg_noto_sans
import pylopdf_fonts_zh_cn
from fontTools.ttLib import TTFont

MAIN, SIGNS = "sc", "signs"


def main_path() -> Path:
    """The font of nearly everything."""
    return Path(pylopdf_fonts_zh_cn.sans_path())


def signs_path() -> Path:
    """The font of what the first lacks."""
    return Path(fontpkg_noto_sans.__file__).parent / "files" / "NotoSans[wdth,wght].ttf"


@lru_cache(maxsize=2)
def characters(path: Path) -> frozenset[int]:
    """Every character a font can draw."""
    with TTFont(path, lazy=True) as font:
        found: Any = font.getBestCmap()
        return frozenset(found)


def printable(text: str) -> str:
    """The text with every character that no font has written as its number: ‹U+1F600›."""
    main, signs = characters(main_path()), characters(signs_path())
    if all(ord(c) in main for c in text):
        return text
    return "".join(c if ord(c) in main or ord(c) in signs else f"‹U+{ord(c):04X}›" for c in text)


def plain(text: str) -> bool:
    """Whether the first font has every character of a text."""
    main = characters(main_path())
    return all(ord(c) in main for c in text)
