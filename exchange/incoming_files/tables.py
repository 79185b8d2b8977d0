"""Any file as a table: a heading and rows. CSV in several encodings, or XLSX; found out by looking, not by the name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exchange.incoming_files import text_table
from exchange.incoming_files.limits import MOST_BYTES
from exchange.incoming_files.refusals import FileRefused, shown
from exchange.incoming_files.workbook import Workbook
from trial.text import both


@dataclass
class Table:
    """A heading, what is to be said about the file, and the rows that hold something, each with its line."""

    heading: list[str]
    notes: list[dict[str, str]]
    _rows: Iterator[tuple[int, list[str]]]
    blank: int = field(default=0)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        for line, cells in self._rows:
            if any(cell.strip() for cell in cells):
                yield line, cells
            else:
                self.blank += 1


def open_table(path: Path, sheet: str = "") -> Table:
    """Read the heading of a file. Raises FileRefused: too large, empty, unreadable, headings doubled."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise too_large(size)
    if not size:
        raise empty_file()
    with path.open("rb") as file:
        start = file.read(8)
    notes: list[Any] = []
    if start.startswith(b"PK\x03\x04"):
        book = Workbook(path, sheet)
        rows, notes = book.rows(), book.notes
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileRefused(
            "old_excel",
            "This is an old or encrypted Excel file. Save it as XLSX without a password, or as CSV.",
            "这是旧版或加密的 Excel 文件。请另存为无密码的 XLSX 或 CSV。",
        )
    else:
        encoding = text_table.encoding_of(path)
        notes = [text_table.told(encoding)]
        rows = text_table.rows(path, encoding, text_table.separator_of(path, encoding))
    return Table(_heading(rows), [both(note) for note in notes], rows)


def too_large(size: int) -> FileRefused:
    """The file holds more than is read."""
    return FileRefused(
        "too_large",
        f"The file has {size:,} bytes; at most {MOST_BYTES:,} are taken. Split it.",
        f"文件大小为 {size:,} 字节;最多 {MOST_BYTES:,} 字节。请拆分后发送。",
        str(MOST_BYTES),
    )


def empty_file() -> FileRefused:
    """The file holds nothing."""
    return FileRefused("empty", "The file is empty.", "文件为空。")


def _heading(rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    for _, cells in rows:
        names = [cell.strip() for cell in cells]
        while names and not names[-1]:
            names.pop()
        if not names:
            continue
        doubled = sorted({shown(name) for name in names if name and names.count(name) > 1})
        if doubled or "" in names:
            said = ", ".join(doubled) or "(blank)"
            raise FileRefused(
                "bad_heading",
                f"Every column needs a heading of its own; doubled or blank: {said}.",
                f"每一列都需要唯一的列名;重复或空白:{said}。",
                said,
            )
        return names
    raise empty_file()
