"""Freezing, locking and opening a record from its page, for those who may."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, QueryDict

from entry.door import NotFound, Rejected, Stale, set_lock
from entry.seen import seen_of
from entry.study_door import set_study_lock
from entry.submit import Outcome, changed_meanwhile, on_its_record
from subjects.crf import StudyForm
from trial.record import LOCK
from trial.text import T

TOLD: dict[str, str] = {
    "OPEN": T("The record is open again and can be corrected.", "记录已重新开放,可以修改。"),
    "FROZEN": T("The record is frozen.", "记录已冻结。"),
    "LOCKED": T("The record is locked.", "记录已锁定。"),
}


@dataclass
class Locking:
    """The small form below a record: the state that is wanted, why, and the version that was looked at."""

    state: str = ""
    reason: str = ""
    seen: int = 0

    @classmethod
    def sent(cls, post: QueryDict) -> "Locking":
        """What was sent."""
        return cls(post.get("state", ""), post.get("reason", ""), seen_of(post))

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """Every state with its label, and whether it is the one wanted."""
        return [(code, str(label), code == self.state) for code, label in LOCK.choices]


def attempt(place: Any, asked: Locking) -> Outcome:
    """Set the lock through the door of the record's kind, and tell what came of it. `place`: a Place or StudyPlace."""
    record: Any = place.record
    if record is None:
        raise Http404
    lock: Any = set_study_lock if isinstance(record, StudyForm) else set_lock
    try:
        changed = lock(record, asked.state, by=place.actor, reason=asked.reason, seen=asked.seen)
        return Outcome(place, saved=changed, changed=True)
    except NotFound:
        raise Http404 from None
    except Stale as stale:
        return changed_meanwhile(place, stale)
    except Rejected as rejected:
        problems = [replace(problem, field=f"lock_{problem.field}") for problem in rejected.problems]
        status = 409 if any(problem.code == "wrong_state" for problem in problems) else 422
        return on_its_record(place, record, Outcome(place, status=status, problems=problems))
