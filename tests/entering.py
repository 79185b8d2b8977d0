"""Entering a form the way a channel does: text in, typed answers, the door."""

from typing import Any

from entry.door import Saved, save_record
from trial.answers import read
from trial.sites import zone_of


def fill(record: Any, **answers: Any) -> Any:
    """Read answers as they were typed onto a record; an unreadable answer fails the test."""
    reading = read(type(record), answers, zone_of(record.subject.site_id))
    assert not reading.problems, [(p.field, str(p.message)) for p in reading.problems]
    for name, value in reading.values.items():
        column = record._meta.get_field(name)
        setattr(record, column.attname, value)
    record.missing = {**record.missing, **reading.missing}
    record.typed = {**record.typed, **reading.typed}
    return record


def enter(subject: Any, form: Any, by: Any, visit: str = "", status: str = "DRAFT", **answers: Any) -> Saved:
    """Enter a new form through the door."""
    record = fill(form(subject=subject, visit=visit), **answers)
    record.status = status
    return save_record(record, by=by)


def correct(
    record: Any, by: Any, reason: str = "transcription error", seen: int | None = None, **answers: Any
) -> Saved:
    """Correct a saved form through the door, having seen `seen` (default: the version in hand)."""
    version = record.version if seen is None else seen
    return save_record(fill(record, **answers), by=by, reason=reason, seen=version)
