"""An XLSX workbook as rows. Sizes are looked at before anything is read; formulas are seen, never evaluated."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from exchange.incoming_files.limits import MOST_COLUMNS
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.workbook_size import look_at_sizes, no_workbook
from trial.text import T

FORMULA = "\x1fformula\x1f"
ERROR = "\x1ferror\x1f"
MOST_ROWS = 1_048_576  # of a sheet, by the format
DAMAGED = (
    *(InvalidFileException, zipfile.BadZipFile, zlib.error, KeyError, IndexError, TypeError, ValueError),
    *(OSError, SyntaxError),
)
"""What openpyxl raises for a file that only looks like a workbook."""
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([^"]{1,40})"')

if not openpyxl.DEFUSEDXML:  # pragma: no cover - the lock holds defusedxml
    raise RuntimeError("openpyxl reads without defusedxml; install what requirements.txt names")


class Workbook:
    """The one visible sheet of a workbook, or the one that is asked for by name."""

    def __init__(self, path: Path, sheet: str = "") -> None:
        look_at_sizes(path)
        try:
            self.file = path.open("rb")  # as a file: a name without .xlsx would be refused
            self.book = openpyxl.load_workbook(self.file, read_only=True, data_only=False, keep_links=False)
        except DAMAGED:
            raise no_workbook() from None
        visible = [one for one in self.book.worksheets if one.sheet_state == "visible"]
        hidden = [one.title for one in self.book.worksheets if one.sheet_state != "visible"]
        self.notes = [_hidden(hidden)] if hidden else []
        self.sheet = self._chosen(visible, sheet)
        self.sheet.reset_dimensions()  # what a file says of its own size is often wrong, and rows would be lost
        self._no_merged_cells(path)

    def _chosen(self, visible: list[Any], wanted: str) -> Any:
        names = ", ".join(one.title for one in visible)
        named = [one for one in visible if one.title == wanted] if wanted else visible
        if len(named) == 1:
            return named[0]
        raise FileRefused(
            "which_sheet",
            f"Say which sheet to read; visible are: {names or 'none'}.",
            f"请指定要读取的工作表;可见的有:{names or '无'}。",
            names,
        )

    def _no_merged_cells(self, path: Path) -> None:
        """Refuse merged cells: a value over several rows belongs to nobody knows which."""
        inside = self.sheet._worksheet_path
        with zipfile.ZipFile(path) as packed, packed.open(inside) as part:
            tail = b""
            while block := part.read(1 << 20):
                found = _MERGE.search(tail + block)
                if found:
                    raise _merged(found[1].decode("ascii", "replace"))
                tail = block[-100:]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with its number in the sheet, cells as text; as wide as the first that holds something, or wider."""
        wide = 0
        for number, cells in self._read():
            if number > MOST_ROWS:
                raise _too_long()
            if len(cells) > MOST_COLUMNS:
                raise FileRefused(
                    "too_many_columns",
                    f"Row {number} has {len(cells)} columns; at most {MOST_COLUMNS} are read.",
                    f"第 {number} 行有 {len(cells)} 列;最多读取 {MOST_COLUMNS} 列。",
                    str(MOST_COLUMNS),
                )
            told = [_text(cell) for cell in cells]
            wide = wide or len(told) * any(told)
            yield number, told + [""] * (wide - len(told))
        self.close()

    def _read(self) -> Iterator[tuple[int, Any]]:
        """The rows; a sheet that breaks off in the middle is refused as a whole."""
        found = enumerate(self.sheet.iter_rows(), 1)
        while True:
            try:
                row = next(found, None)
            except DAMAGED:
                raise no_workbook() from None
            if row is None:
                return
            yield row

    def close(self) -> None:
        """Let go of the file."""
        self.book.close()
        self.file.close()


def _text(cell: Any) -> str:
    """A cell as it would have been typed. A formula and an error are marked, and refused with their row."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f" or (isinstance(value, str) and value.startswith("=")):
        return FORMULA + str(getattr(value, "text", value))
    if cell.data_type == "e":
        return ERROR + str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        timed = "h" in (cell.number_format or "").lower() or value.time() != time()
        return value.strftime("%Y-%m-%d %H:%M:%S" if timed else "%Y-%m-%d")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _too_long() -> FileRefused:
    return FileRefused(
        "too_many_rows",
        f"A sheet has at most {MOST_ROWS:,} rows; this one names a row beyond. Save it again, or as CSV.",
        f"工作表最多 {MOST_ROWS:,} 行;该表含有超出此范围的行。请重新保存,或另存为 CSV。",
        str(MOST_ROWS),
    )


def _hidden(names: list[str]) -> str:
    shown = ", ".join(names)
    return T(f"Hidden sheets are not read: {shown}.", f"隐藏的工作表未读取:{shown}。")


def _merged(where: str) -> FileRefused:
    return FileRefused(
        "merged_cells",
        f"Cells {where} are merged, so it is not clear which rows hold the value. Undo the merge and send the file again.",
        f"单元格 {where} 已合并,无法确定数值属于哪些行。请取消合并后重新发送。",
        where,
    )
