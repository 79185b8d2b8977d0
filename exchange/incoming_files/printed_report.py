"""The report of a file's rows as lines of CSV or JSON, piece by piece."""

import csv
import io
import json
from collections.abc import Iterator

from exchange.imported import ImportFile
from exchange.incoming_files.register import REPORT_COLUMNS, report, report_rows
from trial.access import Actor


def csv_lines(by: Actor, file: ImportFile) -> Iterator[bytes]:
    """CSV with a byte order mark; a text that a spreadsheet would run as a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.DictWriter(out, REPORT_COLUMNS)
    writer.writeheader()
    yield b"\xef\xbb\xbf" + _taken(out)
    for row in report_rows(report(by, file)):
        writer.writerow({name: _plain(value) for name, value in row.items()})
        if out.tell() > 60_000:
            yield _taken(out)
    yield _taken(out)


def _plain(value: object) -> object:
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


def _taken(out: io.StringIO) -> bytes:
    said = out.getvalue().encode()
    out.seek(0)
    out.truncate()
    return said


def json_lines(by: Actor, file: ImportFile, as_list: bool) -> Iterator[bytes]:
    """One JSON object a row; with `as_list` together one JSON list."""
    first = True
    for outcome in report(by, file):
        mark = ("[" if first else ",") if as_list else ""
        yield f"{mark}{json.dumps(outcome, ensure_ascii=False)}\n".encode()
        first = False
    if as_list:
        yield b"[]" if first else b"]"
