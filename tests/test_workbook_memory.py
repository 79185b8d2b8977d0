"""A workbook made to fill the memory of the server: measured in a process of its own, by its peak."""

import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings

from exchange.incoming_files import limits

TYPES = "[Content_Types].xml"
READ = r"""
import re, sys
from pathlib import Path
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.workbook import Workbook
peak = lambda: int(re.search("VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1])
before = peak()
try:
    told = sum(1 for _ in Workbook(Path(sys.argv[1])).rows())
except FileRefused as refused:
    told = refused.code
print(told, (peak() - before) // 1024)
"""


def packed(tmp_path: Path, strings: bytes) -> Path:
    """A workbook of one row whose shared texts are these."""
    plain, made = tmp_path / "plain.xlsx", tmp_path / "made.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["subject", "value"])
    book.save(plain)
    named = (
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        b'spreadsheetml.sharedStrings+xml"/></Types>'
    )
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            text = old.read(part)
            new.writestr(part.filename, text.replace(b"</Types>", named) if part.filename == TYPES else text)
        new.writestr("xl/sharedStrings.xml", strings)
    return made


def table(entries: bytes) -> bytes:
    head = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return head + b"<si><t>subject</t></si><si><t>value</t></si>" + entries + b"</sst>"


def long_texts(size: int) -> bytes:
    """Texts of 2,000 characters that pack badly, one of them in every text beyond the common plane."""
    dice = random.Random(1)
    one = ["<si><t>\U0001d400" + dice.randbytes(1000).hex() + "</t></si>" for _ in range(size // 2_020)]
    return "".join(one).encode()


def tiny_texts(size: int) -> bytes:
    """As many empty texts as the size holds; some noise keeps the packed size within the allowed ratio."""
    dice = random.Random(2)
    noise = b"<!--" + dice.randbytes(size // 90).hex().encode() + b"-->"
    return b"<si/>" * ((size - len(noise)) // 5) + noise


def read(path: Path) -> tuple[str, int]:
    """What became of the workbook, and by how many megabytes its reading raised the peak of the process."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told, megabytes = done.stdout.split()
    return told, int(megabytes)


@pytest.mark.parametrize(
    ("entries", "size", "told"),
    [
        (long_texts, 60_000_000, "too_many_texts"),
        (tiny_texts, 30_000_000, "too_many_texts"),
        (long_texts, limits.MOST_HELD - 200_000, "1"),
        (tiny_texts, limits.MOST_TAGS * 5 - 200_000, "1"),
    ],
)
def test_shared_texts_take_bounded_memory(
    tmp_path: Path, entries: Callable[[int], bytes], size: int, told: str
) -> None:
    became, megabytes = read(packed(tmp_path, table(entries(size))))
    assert became == told
    assert megabytes < (30 if told == "too_many_texts" else 250), megabytes


def test_a_part_declared_as_texts_and_as_a_sheet_is_held_to_the_texts(tmp_path: Path) -> None:
    made = packed(tmp_path, table(tiny_texts(30_000_000)))
    again = tmp_path / "again.xlsx"
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            text = old.read(part)
            if part.filename == TYPES:
                sheet = re.search(rb'<Override[^>]*worksheet\+xml"[^>]*>', text)
                assert sheet is not None
                twice = re.sub(rb'PartName="[^"]*"', b'PartName="/xl/sharedStrings.xml"', sheet[0])
                text = text.replace(sheet[0], sheet[0] + twice)
            new.writestr(part.filename, text)
    assert read(again)[0] == "too_many_texts"
