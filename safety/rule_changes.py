"""What the rules of this release find beside what is stored, over all subjects, without writing anything."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from safety import engine, flags, narrow
from safety.binding import binding
from safety.casebook import Casebook, casebooks
from safety.rules import RULES
from safety.trialbook import trial_book
from subjects.crf import Subject
from trial import audit
from trial.access import Actor
from trial.ambiguity import named_by
from trial.rules import Rule
from trial.text import T

KINDS = ("new", "gone", "changed", "unchanged")


@dataclass(frozen=True)
class Difference:
    """One flag: `kind` is new, gone, changed or unchanged; the words are those that would stand (or stood)."""

    kind: str
    subjid: str
    rule: str
    key: str
    en: str
    zh: str

    @property
    def rests_on(self) -> tuple[str, ...]:
        """The rule and perhaps the criterion, whose readings of the registry record this rests on."""
        return named_by(self.rule, self.key)

    @property
    def words(self) -> str:
        """What is found, in the active language."""
        return T(self.en, self.zh)


def differences(
    by: Actor, rules: Iterable[Rule] | None = None, chunk: int = 200, most: int | None = None
) -> Iterator[Difference]:
    """Every flag of every subject (of the first `most` subjects), subject by subject; memory stays flat."""
    chosen = tuple(RULES.values() if rules is None else rules)
    with audit.reading(by):
        subjects = dict(Subject.objects.order_by("pk").values_list("pk", "subjid")[:most])
        trial = trial_book()
    ids = list(subjects)
    for start in range(0, len(ids), chunk):
        with audit.reading(by):
            found = list(_of(ids[start : start + chunk], subjects, chosen, trial))
        yield from found


def _of(
    ids: list[UUID], subjects: dict[UUID, str], rules: tuple[Rule, ...], trial: Any
) -> Iterator[Difference]:
    stored = engine.flags_stored(ids, [rule.id for rule in rules])
    for book in _books(ids, rules, trial):
        protocol = binding(book)
        there = stored.get(book.subject_id, {})
        found = {
            key: flags.described(rule, finding, protocol)
            for key, (rule, finding) in engine.find(book, protocol, rules).items()
        }
        for key in {**there, **found}:
            yield _difference(subjects[book.subject_id], key, there.get(key), found.get(key))


def _books(ids: list[UUID], rules: tuple[Rule, ...], trial: Any) -> Iterator[Casebook]:
    """Books for these rules: of one rule that says what it asks for, no more than that is read."""
    if len(rules) == 1 and rules[0].asks:
        return narrow.books(ids, rules[0])
    return casebooks(ids, engine.READS, judged=True, trial=trial)


def _difference(subjid: str, key: tuple[str, str], there: Any, found: dict[str, Any] | None) -> Difference:
    if found is None:
        return Difference("gone", subjid, *key, there.message_en, there.message_zh)
    kind = "new" if there is None else "changed" if flags.differs(there, found) else "unchanged"
    return Difference(kind, subjid, *key, found["message_en"], found["message_zh"])


def counted(found: Iterable[Difference]) -> dict[str, dict[str, int]]:
    """How many of each kind, by rule."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        counts[one.rule][one.kind] += 1
    return {rule: {kind: counts[rule][kind] for kind in KINDS} for rule in sorted(counts)}
