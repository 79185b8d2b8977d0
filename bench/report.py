"""The result as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.measure import Line

HEAD = ("operation", "ours", "reference", "value", "goal", "moonshot", "met?")


def table(lines: Sequence[Line]) -> str:
    """The lines under each other, columns aligned."""
    cells = [HEAD, *(_cells(line) for line in lines)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(HEAD))]
    rows = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([rows[0], "  ".join("-" * width for width in widths), *rows[1:]])


def _cells(line: Line) -> tuple[str, ...]:
    sign = "≥ " if line.at_least else "≤ "
    return (
        line.operation,
        line.ours,
        line.reference,
        _number(line.value, line.unit),
        _number(line.goal, line.unit, sign),
        _number(line.moonshot, line.unit, sign),
        line.verdict,
    )


def _number(value: float | None, unit: str, sign: str = "") -> str:
    if value is None:
        return ""
    digits = 0 if value >= 100 or unit == "SQL" else 2 if value < 10 else 1
    return f"{sign}{value:,.{digits}f} {unit}".replace(" ×", "×").replace(" %", "%")


def write_json(file: Path, lines: Sequence[Line], about: dict[str, object]) -> None:
    """Everything that was measured, with what it was measured on."""
    found = {"about": about, "lines": [{**asdict(line), "verdict": line.verdict} for line in lines]}
    file.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def machine() -> dict[str, object]:
    """What the figures depend on, besides us."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }
