"""A subject map: which subject of the file is which of ours. A small CSV of two columns, with or without a heading."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from exchange.incoming_files.refusals import FileRefused, shown
from exchange.incoming_files.text_table import encoding_of

MOST_BYTES = 2_000_000
_NUMBER = re.compile(r"^\d{2,4}-\d{3}$")


def read_map(path: Path) -> dict[str, str]:
    """Subject in the file to our screening number. Raises FileRefused."""
    if path.stat().st_size > MOST_BYTES:
        raise _wrong(1, "", "")
    return parse_map(path.read_text(encoding=encoding_of(path)))


def parse_map(text: str) -> dict[str, str]:
    """The map in a text. Raises FileRefused naming the first line that is no pair, or says another thing twice."""
    found: dict[str, str] = {}
    for number, cells in _rows(text.lstrip("\ufeff")):
        pair = [cell.strip() for cell in cells]
        if not any(pair) or (number == 1 and len(pair) == 2 and not _NUMBER.match(pair[1])):
            continue
        if len(pair) != 2 or not pair[0] or not _NUMBER.match(pair[1]):
            raise _wrong(number, *[*pair, "", ""][:2])
        if found.setdefault(pair[0], pair[1]) != pair[1]:
            raise _wrong(number, *pair)
    return found


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    rows, number = csv.reader(io.StringIO(text, newline="")), 0
    while True:
        number += 1
        try:
            cells = next(rows, None)
        except csv.Error:
            raise _wrong(number, "", "") from None
        if cells is None:
            return
        yield number, cells


def _wrong(line: int, left: str, right: str) -> FileRefused:
    return FileRefused(
        "subject_map",
        f"Line {line} of the subject map (“{shown(left)}”, “{shown(right)}”) is no pair of the file's subject and our "
        "number (01-001), or contradicts a line before.",
        f"受试者对照表第 {line} 行(“{shown(left)}”,“{shown(right)}”)不是“文件中的编号, 本系统筛选号(01-001)”,"
        "或与前面的行矛盾。",
    )
