"""Freezing, locking and opening a record from its page, for those who may."""

from dataclasses import dataclass, replace

from django.http import Http404, QueryDict

from entry.door import NotFound, Rejected, Stale, set_lock
from entry.places import Place
from entry.submit import Outcome
from entry.typed import raw_of
from subjects.crf import CRF
from trial import audit
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
        seen = post.get("seen", "")
        version = int(seen) if seen.isdecimal() and len(seen) < 9 else 0
        return cls(post.get("state", ""), post.get("reason", ""), version)

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """Every state with its label, and whether it is the one wanted."""
        return [(code, str(label), code == self.state) for code, label in LOCK.choices]


def attempt(place: Place, asked: Locking) -> Outcome:
    """Set the lock through the door, and tell what came of it."""
    record = place.record
    if record is None:
        raise Http404
    try:
        changed = set_lock(record, asked.state, by=place.actor, reason=asked.reason, seen=asked.seen)
        return Outcome(place, saved=changed, changed=True)
    except NotFound:
        raise Http404 from None
    except Stale as stale:
        said = T(
            f"Somebody changed the record in between: it is at version {stale.current.version} now. "
            "Look at it as it stands below, then decide again.",
            f"该记录期间已被他人更改,现为版本 {stale.current.version}。请查看下方的当前内容后再作决定。",
        )
        return _refused(place, stale.current, Outcome(place, status=409, message=said))
    except Rejected as rejected:
        problems = [replace(problem, field=f"lock_{problem.field}") for problem in rejected.problems]
        status = 409 if any(problem.code == "wrong_state" for problem in problems) else 422
        return _refused(place, record, Outcome(place, status=status, problems=problems))


def _refused(place: Place, record: CRF, outcome: Outcome) -> Outcome:
    """The page is shown again, on the record as it stands."""
    outcome.place = place.at(record)
    with audit.reading(place.actor):
        outcome.raw = raw_of(record, place.zone)
    return outcome
