"""Rows between reading and entering, in a temporary file: sorted by record there, so memory stays bounded.

A 50 MB file has a million rows; held as objects they would take a hundred times the memory that this takes.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from exchange.incoming_files.mapping import Line

Outcome = dict[str, Any]


class Stage:
    """Mapped rows by record, and outcomes by line."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="edc-import-")
        self.db = sqlite3.connect(Path(self.folder.name) / "stage", isolation_level=None)
        self.db.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; PRAGMA temp_store=FILE;"
            "CREATE TABLE line (number INTEGER PRIMARY KEY, subject TEXT, form TEXT, key TEXT, doc TEXT);"
            "CREATE TABLE outcome (number INTEGER PRIMARY KEY, doc TEXT); BEGIN"
        )

    def close(self) -> None:
        """Remove the temporary file."""
        self.db.close()
        self.folder.cleanup()

    def put(self, line: Line, subject: str) -> None:
        """Keep a mapped row under its record; a refused one has its outcome already."""
        if line.refusals:
            self.tell(
                line.number,
                {
                    "line": line.number,
                    "outcome": "refused",
                    **_where(line),
                    "problems": [one.document() for one in line.refusals],
                },
            )
            return
        doc = json.dumps(vars(line), ensure_ascii=False)  # no refusals here, so everything in it is JSON
        self.db.execute(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?)", (line.number, subject, line.form, line.key, doc)
        )

    def tell(self, number: int, outcome: Outcome) -> None:
        """The outcome of one row; the last one told stands."""
        self.db.execute(
            "INSERT OR REPLACE INTO outcome VALUES (?, ?)", (number, json.dumps(outcome, ensure_ascii=False))
        )

    def records(self) -> Iterator[tuple[str, list[Line]]]:
        """Subject id and rows of each record, subject by subject in the order of their ids."""
        cursor = self.db.execute(
            "SELECT subject, form, key, doc FROM line ORDER BY subject, form, key, number"
        )
        for (subject, _, _), rows in groupby(cursor, key=lambda row: row[:3]):
            yield subject, [_line(row[3]) for row in rows]

    def owners(self) -> list[str]:
        """The ids of every subject that a row speaks of; "" for the study itself."""
        return [row[0] for row in self.db.execute("SELECT DISTINCT subject FROM line ORDER BY subject")]

    def staged(self) -> int:
        """How many rows were mapped."""
        return int(self.db.execute("SELECT count(*) FROM line").fetchone()[0])

    def told(self) -> int:
        """How many rows have an outcome so far."""
        return int(self.db.execute("SELECT count(*) FROM outcome").fetchone()[0])

    def hold(self, why: dict[str, str]) -> None:
        """Every row that is not refused is held, with `why`; what it would have become is not said."""
        held = (
            "json_remove(json_set(doc, '$.outcome', 'held', '$.problems', json(?)), '$.queries', '$.record')"
        )
        wanted = "json_extract(doc, '$.outcome') <> 'refused'"
        said = json.dumps([why], ensure_ascii=False)
        self.db.execute(f"UPDATE outcome SET doc = {held} WHERE {wanted}", (said,))

    def outcomes(self) -> Iterator[Outcome]:
        """Every outcome in the order of the file."""
        for (doc,) in self.db.execute("SELECT doc FROM outcome ORDER BY number"):
            yield json.loads(doc)


def _line(doc: str) -> Line:
    return Line(**json.loads(doc))


def _where(line: Line) -> dict[str, str]:
    return {
        name: text
        for name, text in (("subject", line.subject), ("form", line.form), ("visit", line.visit))
        if text
    }


where = _where
