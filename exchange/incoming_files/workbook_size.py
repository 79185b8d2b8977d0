"""How large a workbook becomes when it is read: looked at before it is, so that no file takes the memory of the server.

Sheets are read row by row. Everything else (shared texts, styles, names) is held whole while the file is read, so it is
bounded by its bytes, unpacked, and by its tags: a tag of five bytes takes some hundred in memory.
"""

import re
import zipfile
import zlib
from pathlib import Path

from exchange.incoming_files.limits import (
    MOST_HELD,
    MOST_INFLATED,
    MOST_PARTS,
    MOST_RATIO,
    MOST_TAGS,
    RATIO_FROM,
)
from exchange.incoming_files.refusals import FileRefused

BLOCK = 1 << 20
TYPES = "[Content_Types].xml"
SHEET = b"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_OVERRIDE = re.compile(rb"<(?:\w+:)?Override\b([^>]*)>")
_VALUE = {
    name: re.compile(rb"\b" + name + rb"""\s*=\s*["']([^"']*)["']""")
    for name in (b"PartName", b"ContentType")
}


def look_at_sizes(path: Path) -> None:
    """Refuse a workbook that would inflate beyond the limits, or make us hold too much of it. Raises FileRefused."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
            _inflated(parts)
            _held(packed, parts)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        raise no_workbook() from None


def _inflated(parts: list[zipfile.ZipInfo]) -> None:
    total = sum(part.file_size for part in parts)
    steep = [
        p for p in parts if p.file_size > RATIO_FROM and p.file_size > MOST_RATIO * max(p.compress_size, 1)
    ]
    if len(parts) > MOST_PARTS or total > MOST_INFLATED or steep:
        raise FileRefused(
            "zip_bomb",
            f"The workbook would unpack to {total:,} bytes in {len(parts)} parts; at most {MOST_INFLATED:,} bytes in "
            f"{MOST_PARTS} parts, each at most {MOST_RATIO} times its packed size, are read. Save it as CSV.",
            f"该工作簿解压后为 {total:,} 字节、{len(parts)} 个部分;最多允许 {MOST_INFLATED:,} 字节、{MOST_PARTS} 个部分,"
            f"且压缩比不超过 {MOST_RATIO}。请另存为 CSV。",
            f"{MOST_INFLATED}",
        )


def _held(packed: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Refuse more bytes or tags outside the sheets than may be held."""
    types = next((part for part in parts if part.filename == TYPES), None)
    if types is None or types.file_size > BLOCK:
        raise no_workbook()
    sheets = _sheets(packed.read(types))
    whole = [part for part in parts if part.filename.lower() not in sheets and not part.is_dir()]
    size = sum(part.file_size for part in whole)
    if size > MOST_HELD:
        raise _too_much(size, 0)
    tags = 0
    for part in whole:
        with packed.open(part) as inside:
            while block := inside.read(BLOCK):
                tags += block.count(b"<")
    if tags > MOST_TAGS:
        raise _too_much(size, tags)


def _sheets(types: bytes) -> set[str]:
    """The parts that are declared as sheets and as nothing else."""
    declared: dict[str, set[bytes]] = {}
    for found in _OVERRIDE.finditer(types):
        name, kind = (_VALUE[key].search(found[1]) for key in (b"PartName", b"ContentType"))
        if name and kind:
            declared.setdefault(name[1].decode("utf-8", "replace").lstrip("/").lower(), set()).add(kind[1])
    return {name for name, kinds in declared.items() if kinds == {SHEET}}


def _too_much(size: int, tags: int) -> FileRefused:
    said_en = f"{tags:,} tags" if tags else f"{size:,} bytes"
    said_zh = f"{tags:,} 个标记" if tags else f"{size:,} 字节"
    return FileRefused(
        "too_many_texts",
        f"The texts and styles of the workbook take {said_en} beside its rows; at most {MOST_HELD:,} bytes and {MOST_TAGS:,} "
        "tags are read. Save the sheet as CSV, or send it in parts.",
        f"该工作簿除数据行外的文本和样式占 {said_zh};最多读取 {MOST_HELD:,} 字节和 {MOST_TAGS:,} 个标记。"
        "请将工作表另存为 CSV,或分批发送。",
        f"{MOST_HELD}",
    )


def no_workbook() -> FileRefused:
    """What looks like a workbook and is none."""
    return FileRefused(
        "not_a_workbook",
        "The file begins like a workbook but cannot be read as XLSX. Save it again, or as CSV.",
        "文件看似工作簿,但无法按 XLSX 读取。请重新保存,或另存为 CSV。",
    )
