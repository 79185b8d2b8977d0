"""Samples expected, received and recorded: what the schedule asks for, what a laboratory's file holds, what was entered."""

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from exchange.imported import ImportFile
from exchange.incoming_files.mapping import Line, Mapper
from exchange.incoming_files.options import options_of
from exchange.incoming_files.profiles import profile_named
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.register import write_back
from exchange.incoming_files.run import place_of
from exchange.incoming_files.tables import open_table
from safety.calendar import READS, schedule, windows
from safety.casebook import Casebook, casebooks
from safety.forms import FORM
from subjects.crf import CRF
from trial import audit
from trial.access import Actor
from trial.item import items
from trial.kinds import parse
from trial.refused import Refused
from trial.text import T
from visits.models import PdCytokine, PkSample, Visit
from visits.schedule import visit_of, visit_rank
from visits.timepoints import moments

SAMPLED: dict[str, type[CRF]] = {model.form: model for model in (PkSample, PdCytokine)}
APART = ("specimen", "assay")
MOST_ROWS = 200_000
FINDINGS = {
    "MISSING": T("missing", "缺少"),
    "NOT_ENTERED": T("in the file, not entered", "文件中有,未录入"),
    "NOT_IN_FILE": T("entered, not in the file", "已录入,文件中没有"),
    "EXTRA": T("not planned", "计划外"),
    "DUPLICATE": T("doubled", "重复"),
    "DATE_MISMATCH": T("dates differ", "日期不一致"),
    "OUT_OF_WINDOW": T("outside its window", "超出时间窗"),
}


@dataclass
class Sampling:
    """The samples of one form at one visit of one subject: planned, in the file, recorded, and what does not agree."""

    subject: str
    visit: str
    planned: int = 0
    low: datetime | None = None
    high: datetime | None = None
    over: bool = False
    in_file: list[tuple[int, str, datetime | None]] = field(default_factory=list)
    recorded: list[tuple[UUID, str, datetime | None]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def judge(self, with_file: bool) -> None:
        """Fill the findings."""
        filed, known = len(self.in_file), len(self.recorded)
        found = {
            "MISSING": self.over and self.planned > 0 and not filed and not known,
            "NOT_ENTERED": filed > 0 and not known,
            "NOT_IN_FILE": with_file and known > 0 and not filed,
            "EXTRA": not self.planned and (filed > 0 or known > 0),
            "DUPLICATE": _doubled(self.in_file) or _doubled(self.recorded),
            "DATE_MISMATCH": self._dates_differ(),
            "OUT_OF_WINDOW": any(self._outside(when) for _, _, when in (*self.in_file, *self.recorded)),
        }
        self.findings = [name for name, holds in found.items() if holds]

    def _dates_differ(self) -> bool:
        filed = {(kind, when) for _, kind, when in self.in_file}
        known = {(kind, when) for _, kind, when in self.recorded}
        return bool(filed and known) and any(
            not {w for k, w in known if k == kind} & {when} and any(k == kind for k, _ in known)
            for kind, when in filed
        )

    def _outside(self, when: datetime | None) -> bool:
        inside = self.low is None or self.high is None or when is None or self.low <= when <= self.high
        return not inside


def _doubled(samples: Sequence[tuple[Any, str, Any]]) -> bool:
    kinds = [kind for _, kind, _ in samples]
    return len(kinds) != len(set(kinds))


def reconcile(by: Actor, form: str, keys: Sequence[UUID], file: ImportFile | None = None) -> list[Sampling]:
    """Every sampling of these subjects that is planned, in the file or recorded. Raises FileRefused or KeyError."""
    model = SAMPLED[form]
    with audit.reading(by):
        filed = _in_file(file, form) if file is not None else {}
        found: list[Sampling] = []
        for book in casebooks(keys, (Visit, model, *READS)):
            found += _of(book, model, filed)
    for one in found:
        one.judge(file is not None)
    return found


def _of(book: Casebook, model: type[CRF], filed: dict[tuple[str, str], list[Any]]) -> list[Sampling]:
    made: dict[str, Sampling] = {}
    for code, window in windows(book).items():
        points = schedule(book).points(code, model.form)
        if points and window.expected and window.low is not None:
            start = book.infusions[0].inf_start_dt if book.infusions else None
            span = moments(points[0], start, window.low, window.high, book.zone)
            over = span.high is not None and span.high < book.now
            times = sum(point.times for point in points)
            made[code] = Sampling(book.subjid, code, times, span.low, span.high, over)
    for row in book.of(model):
        one = made.setdefault(row.visit, Sampling(book.subjid, row.visit))
        one.recorded.append(
            (row.pk if hasattr(row, "pk") else row.id, _kind(row), getattr(row, model.dated_by))
        )
    for (subject, visit), samples in filed.items():
        if subject == book.subjid:
            made.setdefault(visit, Sampling(subject, visit)).in_file += samples
    return sorted(made.values(), key=lambda one: visit_rank(one.visit))


def _kind(row: Any) -> str:
    return " ".join(str(getattr(row, name, "")) for name in APART).strip()


def _in_file(file: ImportFile, form: str) -> dict[tuple[str, str], list[tuple[int, str, datetime | None]]]:
    """The samples of a file by subject number and visit: first line, what tells two apart, moment."""
    profile, options = profile_named(file.profile), options_of(file.options)
    samples: dict[tuple[str, str], list[tuple[int, str, datetime | None]]] = defaultdict(list)
    seen: set[tuple[str, ...]] = set()
    with tempfile.TemporaryDirectory(prefix="edc-samples-") as folder:
        path = Path(folder) / "file"
        write_back(file, path)
        table = open_table(path, options.sheet)
        place = place_of(file.site)
        mapper = Mapper(profile, options, table.heading, place)
        for number, cells in table:
            line = mapper.line(number, cells)
            key = (line.subject, line.visit, line.key) if profile.layout == "long" else (str(number),)
            if line.form == form and not line.refusals and key not in seen:
                seen.add(key)
                kind = " ".join(line.answers.get(name, "") for name in APART).strip()
                samples[line.subject, line.visit].append((number, kind, _moment(line, form, place.zone)))
            if len(seen) > MOST_ROWS:
                raise FileRefused(
                    "too_many_rows", f"More than {MOST_ROWS} samples.", f"样本超过 {MOST_ROWS} 个。"
                )
    return samples


def _moment(line: Line, form: str, zone: str) -> datetime | None:
    model = FORM[form]
    try:
        read = parse(
            model._meta.get_field(model.dated_by),
            items(model)[model.dated_by],
            line.answers.get(model.dated_by, ""),
            zone,
        )
    except Refused:
        return None
    return read if isinstance(read, datetime) else None


def told(one: Sampling) -> dict[str, Any]:
    """A sampling as the API tells it."""
    visit = visit_of(one.visit)
    return {
        "subject": one.subject,
        "visit": one.visit,
        "label": {"en": visit.en, "zh": visit.zh} if visit else None,
        "planned": one.planned,
        "earliest": one.low.isoformat() if one.low else None,
        "latest": one.high.isoformat() if one.high else None,
        "in_file": [
            {"line": n, "kind": kind or None, "at": at.isoformat() if at else None}
            for n, kind, at in one.in_file
        ],
        "recorded": [
            {"record": str(key), "kind": kind or None, "at": at.isoformat() if at else None}
            for key, kind, at in one.recorded
        ],
        "findings": one.findings,
    }
