"""What an amendment would change: every verdict, window and deviation of today's subjects under another version.

Nothing is written. A subject is held against the other version as if it were bound to it; what is signed stays as it was
signed, and what it would be is told beside it. `safety.engine` and the stored verdicts come from the same functions,
so the prediction is what happens once the version binds.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from safety import engine
from safety.binding import binding
from safety.calendar import windows
from safety.casebook import Casebook, casebooks
from safety.eligibility import milestones, stored
from safety.trialbook import trial_book
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Actor
from trial.ambiguity import named_by, open_for
from trial.ambiguity_models import provisional
from trial.protocol import PROTOCOLS
from trial.text import T

READS: tuple[type[CRF], ...] = tuple(dict.fromkeys((*engine.READS, *stored.READS)))
CHUNK = 100
NONE = "-"
_RECORD = re.compile(r":[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Shift:
    """One thing that differs. `kind` is verdict, window or deviation; `key` names it within the subject.

    `before` and `after` are what it is under the binding version and under the other one, "-" for nothing. `kept`:
    the investigator has signed it, so it stays as it is.
    """

    subjid: str
    kind: str
    key: str
    before: str
    after: str
    en: str = ""
    zh: str = ""
    kept: bool = False

    @property
    def rests_on(self) -> tuple[str, ...]:
        """The criterion, or the rule and perhaps its criterion, whose readings of the registry record this rests on."""
        first, _, rest = self.key.partition(":")
        return {"verdict": (rest,), "deviation": named_by(first, rest)}.get(self.kind, ())

    @property
    def name(self) -> str:
        """The key for a reader: without the identifiers of records, which the words describe."""
        return _RECORD.sub("", self.key)

    @property
    def words(self) -> str:
        """What would be said, in the active language."""
        return T(self.en, self.zh)

    @property
    def change(self) -> str:
        """new, gone or changed."""
        if self.before == NONE:
            return "new"
        return "gone" if self.after == NONE else "changed"


def predict(version: str, *, by: Actor, subject_ids: Sequence[UUID] | None = None) -> Iterator[Shift]:
    """Everything that version `version` would change, subject by subject. Raises KeyError for an unknown version."""
    known = PROTOCOLS[version]
    with audit.reading(by):
        ids = list(Subject.objects.order_by("subjid").values_list("pk", flat=True))
        wanted = ids if subject_ids is None else [key for key in ids if key in set(subject_ids)]
        trial = trial_book()
    for start in range(0, len(wanted), CHUNK):
        with audit.reading(by):
            books = list(casebooks(wanted[start : start + CHUNK], READS, judged=True, trial=trial))
        for book in books:
            yield from shifts(book, replace(book, bound=known.version))


def shifts(now: Casebook, then: Casebook) -> Iterator[Shift]:
    """What differs between one subject's book as it is bound and the same book bound to another version."""
    yield from _verdicts(now, then)
    yield from _windows(now, then)
    yield from _deviations(now, then)


def _verdicts(now: Casebook, then: Casebook) -> Iterator[Shift]:
    for milestone in milestones.in_reach(now):
        signed = milestones.signed(now, milestone) is not None
        before, after = _decided(now, milestone), _decided(then, milestone)
        for criterion, (verdict, en, zh) in after.items():
            if before[criterion][0] != verdict:
                yield Shift(
                    now.subjid,
                    "verdict",
                    f"{milestone}:{criterion}",
                    before[criterion][0],
                    verdict,
                    en,
                    zh,
                    signed,
                )


def _decided(book: Casebook, milestone: str) -> dict[str, tuple[str, str, str]]:
    protocol = binding(book)
    _, evaluation = stored.judged(book, protocol, milestone)
    return {
        one.criterion: (stored.verdict_of(one, milestone, protocol), one.en, one.zh)
        for one in evaluation.decisions
    }


def _windows(now: Casebook, then: Casebook) -> Iterator[Shift]:
    before, after = windows(now), windows(then)
    for code in dict.fromkeys((*before, *after)):
        old, new = _span(before.get(code)), _span(after.get(code))
        expected = any(one is not None and one.expected for one in (before.get(code), after.get(code)))
        if old != new and expected:
            said = f"{code}: {old} → {new}"
            yield Shift(now.subjid, "window", code, old, new, said, said)


def _span(window: Any) -> str:
    if window is None or window.low is None:
        return NONE
    return f"{window.low} … {window.high}"


def _deviations(now: Casebook, then: Casebook) -> Iterator[Shift]:
    before, after = _found(now), _found(then)
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, _NOTHING), after.get(key, _NOTHING)
        if old != new:
            said = new if new[0] != NONE else old
            ends = (f"{old[0]}, {old[3]}", f"{new[0]}, {new[3]}") if old[0] == new[0] else (old[0], new[0])
            yield Shift(now.subjid, "deviation", key, *ends, said[1], said[2])


_NOTHING = (NONE, "", "", "")


def _found(book: Casebook) -> dict[str, tuple[str, str, str, str]]:
    """What the rules find: rule and key to how it stands, what is said, and the limit."""
    protocol = binding(book)
    return {
        f"{rule_id}:{key}": (_standing(rule, finding), finding.en, finding.zh, finding.limit)
        for (rule_id, key), (rule, finding) in engine.find(book, protocol).items()
    }


def _standing(rule: Any, finding: Any) -> str:
    status = "PENDING" if finding.pending else "OPEN"
    return f"{status} {finding.severity or rule.severity}"


def summary(found: Iterable[Shift]) -> Counter[tuple[str, str]]:
    """How many of each kind are new, gone or changed."""
    return Counter((one.kind, one.change) for one in found)


def as_rows(found: Iterable[Shift]) -> list[dict[str, Any]]:
    """The shifts as plain rows, for a file or the API, each with the readings it rests on that nobody has approved."""
    open_ = provisional()
    return [
        {**asdict(one), "change": one.change, "provisional": open_for(open_, one.rests_on)} for one in found
    ]


def bound_to(version: str, *, by: Actor) -> list[str]:
    """The screening numbers of the subjects whom this version binds now."""
    with audit.reading(by):
        ids = list(Subject.objects.order_by("subjid").values_list("pk", flat=True))
        return [book.subjid for book in casebooks(ids, ()) if binding(book).version == version]
