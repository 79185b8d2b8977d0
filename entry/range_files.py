"""Reference ranges from texts: those of a form, and a file of them, all or none."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from entry.door import Rejected
from entry.laboratories import may_keep, range_problem, range_problems
from trial import audit
from trial.access import Actor
from trial.findings import Problem
from trial.models import Site
from trial.text import T
from visits.models import Laboratory, ReferenceRange

RANGE_COLUMNS = (
    "laboratory",
    "analyte",
    "sex",
    "age_low",
    "age_high",
    "unit",
    "low",
    "high",
    "valid_from",
    "valid_to",
)


MOST_LINES = 5_000


def import_ranges(text: str, site: Site, *, by: Actor) -> int:
    """Ranges from a CSV with the columns RANGE_COLUMNS, all or none; answers how many are new.

    A range that stands exactly so is passed over, so the same file twice adds nothing. Raises Rejected, each problem's
    field naming its line.
    """
    may_keep(by, site.pk)
    labs: dict[str, Laboratory] = {}
    with audit.transaction(by, "reference ranges from a file"):
        Site.objects.select_for_update().get(pk=site.pk)
        labs = {lab.name: lab for lab in Laboratory.objects.filter(site=site)}
        stand = list(ReferenceRange.objects.filter(site=site))
        problems: list[Problem] = []
        fresh = []
        for line, row in _lines(text):
            try:
                one = _range(row, labs)
            except Rejected as wrong:
                problems += [_on_line(line, p) for p in wrong.problems]
                continue
            if any(_same(one, other) for other in stand):
                continue
            found = range_problems(one, [other for other in stand if other.lab_id == one.lab_id])
            problems += [_on_line(line, p) for p in found]
            stand.append(one)
            fresh.append(one)
        if problems:
            raise Rejected(problems)
        for one in fresh:
            one.save(force_insert=True)
    return len(fresh)


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    try:
        found = tuple(name.strip() for name in reader.fieldnames or ())
        rows = list(islice(reader, MOST_LINES + 1))
    except csv.Error:
        raise Rejected(
            [range_problem("", "The file cannot be read as CSV.", "文件无法按 CSV 读取。")]
        ) from None
    if set(found) != set(RANGE_COLUMNS):
        shown, wanted = ", ".join(found)[:300], ", ".join(RANGE_COLUMNS)
        raise Rejected(
            [
                range_problem(
                    "",
                    f"The columns are {wanted}; the file has: {shown}.",
                    f"列应为 {wanted};文件中为:{shown}。",
                    shown,
                )
            ]
        )
    for number, row in enumerate(rows, 2):
        if number > MOST_LINES:
            raise Rejected([range_problem("", f"At most {MOST_LINES} lines.", f"最多 {MOST_LINES} 行。")])
        yield (
            number,
            {
                (name or "").strip(): (value or "").strip()
                for name, value in row.items()
                if isinstance(value, str)
            },
        )


def _range(row: dict[str, str], labs: dict[str, Laboratory]) -> ReferenceRange:
    """A range from its texts. Raises Rejected."""
    lab = labs.get(row.get("laboratory", ""))
    if lab is None:
        name = row.get("laboratory", "")
        raise Rejected(
            [
                range_problem(
                    "laboratory",
                    f"The site has no laboratory “{name}”. Add it first.",
                    f"该中心没有实验室“{name}”。请先添加。",
                    name,
                )
            ]
        )
    return range_of(lab, row)


def range_of(lab: Laboratory, row: dict[str, str]) -> ReferenceRange:
    """A range of a laboratory from texts under the names of RANGE_COLUMNS. Raises Rejected."""
    problems: list[Problem] = []

    def read(name: str, kind: Any, shown: str) -> Any:
        text = row.get(name, "").strip()
        try:
            return kind(text) if text else None
        except (ValueError, InvalidOperation):
            problems.append(
                range_problem(
                    name,
                    f"“{text[:40]}” cannot be read; write {shown}.",
                    f"“{text[:40]}”无法识别;请写成 {shown}。",
                    text[:40],
                )
            )
            return None

    one = ReferenceRange(
        site_id=lab.site_id,
        lab=lab,
        laboratory=lab.name,
        analyte=row.get("analyte", "").strip(),
        sex=row.get("sex", "").strip(),
        unit=row.get("unit", "").strip(),
        age_low=read("age_low", _age, "18"),
        age_high=read("age_high", _age, "65"),
        low=read("low", _number, "3.5"),
        high=read("high", _number, "9.5"),
        valid_from=read("valid_from", date.fromisoformat, "2026-03-05"),
        valid_to=read("valid_to", date.fromisoformat, "2026-03-05"),
    )
    if not row.get("valid_from", "").strip():
        problems.append(range_problem("valid_from", "Say from which day it is in force.", "请填写生效日期。"))
    if problems:
        raise Rejected(problems)
    return one


def _age(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 130:
        raise ValueError(text)
    return int(text)


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or len(text) > 17:
        raise ValueError(text)
    return value


def _same(one: ReferenceRange, other: ReferenceRange) -> bool:
    names = (
        "lab_id",
        "analyte",
        "sex",
        "age_low",
        "age_high",
        "unit",
        "low",
        "high",
        "valid_from",
        "valid_to",
    )
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _on_line(line: int, problem: Problem) -> Problem:
    said = T(f"Line {line}: {problem.message}", f"第 {line} 行:{problem.message}")
    return Problem(f"line {line} {problem.field}".strip(), problem.code, said, problem.value)
