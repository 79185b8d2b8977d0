"""A text file as rows: which encoding, which separator, and then one row after another, never the whole file."""

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from exchange.incoming_files.limits import MOST_CELL, MOST_COLUMNS
from exchange.incoming_files.refusals import FileRefused
from trial.text import T

BLOCK = 1 << 20
SEPARATORS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
Cells = tuple[int, list[str]]


def encoding_of(path: Path) -> str:
    """The encoding by its mark, or the first that reads the whole file: UTF-8, UTF-16, GB18030 (which holds GBK).

    Raises FileRefused when none does, or when the text holds NUL.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return _tried(path, name) or _unreadable()
    if b"\x00" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        name = "utf-16-le" if odd > len(head) // 4 else "utf-16-be" if even > len(head) // 4 else ""
        if name:
            return _tried(path, name) or _unreadable()
    return _tried(path, "utf-8") or _tried(path, "gb18030") or _unreadable()


def _tried(path: Path, name: str) -> str:
    """`name` when it reads every byte; "" when it does not. Raises FileRefused for a NUL character."""
    decoder = codecs.getincrementaldecoder(name)()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                _no_nul(decoder.decode(block))
            _no_nul(decoder.decode(b"", final=True))
    except UnicodeError:
        return ""
    return name


def _no_nul(text: str) -> None:
    if "\x00" in text:
        raise FileRefused(
            "nul",
            "The file holds NUL characters: it is damaged, or no text file. Export it again as CSV (UTF-8).",
            "文件中含有 NUL 字符:文件已损坏或并非文本文件。请重新导出为 CSV(UTF-8)。",
        )


def _unreadable() -> str:
    raise FileRefused(
        "encoding",
        "The text is neither UTF-8 nor UTF-16 nor GB18030/GBK. Save it as CSV UTF-8.",
        "文本既不是 UTF-8、UTF-16,也不是 GB18030/GBK。请另存为 CSV UTF-8。",
        "UTF-8, UTF-16, GB18030",
    )


def told(encoding: str) -> str:
    """What is said of the encoding."""
    if encoding == "gb18030":
        return T("Read as GBK/GB18030.", "按 GBK/GB18030 编码读取。")
    if encoding.startswith("utf-16"):
        return T("Read as UTF-16.", "按 UTF-16 编码读取。")
    if encoding == "utf-8-sig":
        return T("Read as UTF-8 with a byte order mark.", "按带 BOM 的 UTF-8 编码读取。")
    return T("Read as UTF-8.", "按 UTF-8 编码读取。")


def separator_of(path: Path, encoding: str) -> str:
    """The separator that stands most often in the first line, outside quotes."""
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline(100_000)
    outside = "".join(first.split('"')[0::2])
    return max(SEPARATORS, key=lambda one: (outside.count(one), -SEPARATORS.index(one)))


def rows(path: Path, encoding: str, separator: str) -> Iterator[Cells]:
    """Each row with the line on which it starts. Raises FileRefused where quotes do not close."""
    csv.field_size_limit(MOST_CELL * 10)
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(_whole_lines(file), delimiter=separator, strict=True)
        start = 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise _broken(start, str(error)) from None
            if len(cells) > MOST_COLUMNS:
                raise _too_wide(start, len(cells))
            yield start, cells
            start = reader.line_num + 1


def _whole_lines(file: io.TextIOBase) -> Iterator[str]:
    """Lines, none of them without end: a file of one huge line would be read whole."""
    most = MOST_COLUMNS * MOST_CELL
    while line := file.readline(most):
        yield line


def _broken(line: int, why: str) -> FileRefused:
    return FileRefused(
        "broken_csv",
        f"The row that starts on line {line} cannot be read ({why}): a quote is not closed, or a cell is too long.",
        f"从第 {line} 行开始的记录无法读取:引号未闭合,或单元格过长。",
    )


def _too_wide(line: int, width: int) -> FileRefused:
    return FileRefused(
        "too_many_columns",
        f"Line {line} has {width} columns; at most {MOST_COLUMNS} are read.",
        f"第 {line} 行有 {width} 列;最多读取 {MOST_COLUMNS} 列。",
        str(MOST_COLUMNS),
    )
