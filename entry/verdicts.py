"""What the door answers: saved, or why not."""

from dataclasses import dataclass, field
from typing import Any

from subjects.crf import CRF
from trial.findings import Doubt, Problem
from trial.record import LOCK
from trial.text import T


@dataclass
class Saved:
    """What the door did: the record at its new version, whether anything changed, and what it asks about."""

    record: Any
    changed: bool
    doubts: list[Doubt] = field(default_factory=list)


class Rejected(Exception):
    """The record cannot be saved as it is; nothing was written."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.field or 'form'}: {p.code}" for p in problems))


class Stale(Exception):
    """Somebody saved in between. `differences` maps a field to (stored now, sent by you)."""

    def __init__(self, current: Any, seen: int, differences: dict[str, tuple[Any, Any]]) -> None:
        self.current, self.seen, self.differences = current, seen, differences
        self.message = T(
            f"The record is at version {current.version}; you saw version {seen}. Compare both values and save again.",
            f"记录已是版本 {current.version},您看到的是版本 {seen}。请比较两个值后重新保存。",
        )
        super().__init__(f"version {current.version}, seen {seen}")


class Locked(Exception):
    """The record is frozen or locked; a data manager may unlock it with a reason."""

    def __init__(self, record: Any) -> None:
        self.record = record
        en, zh = next((en, zh) for code, en, zh in LOCK.rows if code == record.lock_state)
        self.message = T(
            f"The record is {en.lower()} and takes no change. Ask the data manager to unlock it.",
            f"该记录已{zh},不能修改。请联系数据管理员解锁。",
        )
        super().__init__(record.lock_state)


class NotFound(Exception):
    """No such subject or record in the actor's sites (the two are told apart to nobody)."""


@dataclass
class Row:
    """One record of a batch, the version that was seen (None: new), and what became of it."""

    record: CRF
    seen: int | None
    saved: Saved | None = None
    refused: Exception | None = None
