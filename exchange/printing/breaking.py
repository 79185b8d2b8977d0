"""Breaking text into lines: between words in English, between any two characters in Chinese."""

import re
from collections.abc import Callable

_PIECE = re.compile(
    r"\s+|[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+"
)
NOT_FIRST = frozenset(",。;:!?、)】》”’,.;:!?)]}%‰")


def lines_of(text: str, room: float, width: Callable[[str], float]) -> list[str]:
    """The lines that fit into `room`; `width` measures a character. A word longer than a line is cut."""
    made: list[str] = []
    for paragraph in text.split("\n"):
        made += _paragraph(paragraph, room, width)
    return made or [""]


def _paragraph(text: str, room: float, width: Callable[[str], float]) -> list[str]:
    lines, line, used = [], "", 0.0
    for piece in _pieces(text, room, width):
        size = sum(map(width, piece))
        if line and used + size > room and piece not in NOT_FIRST:
            lines.append(line.rstrip())
            line, used = "", 0.0
            if piece.isspace():
                continue
        line += piece
        used += size
    lines.append(line.rstrip())
    return lines


def _pieces(text: str, room: float, width: Callable[[str], float]) -> list[str]:
    pieces: list[str] = []
    for piece in _PIECE.findall(text):
        while len(piece) > 1 and sum(map(width, piece)) > room:
            cut = next(n for n in range(len(piece), 0, -1) if n == 1 or sum(map(width, piece[:n])) <= room)
            pieces.append(piece[:cut])
            piece = piece[cut:]
        if piece:
            pieces.append(piece)
    return pieces
