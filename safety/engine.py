"""The deviation engine: what the rules find, less what is already flagged, is stored; nothing else is touched."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from safety import completions, flags, stopping
from safety.binding import binding
from safety.casebook import Casebook, casebook, casebooks
from safety.derived import stored as derivations
from safety.derived.every import READS as DERIVED_FROM
from safety.eligibility import stored as verdicts
from safety.flags import Change
from safety.models import Deviation
from safety.rules import RULES
from safety.trialbook import TrialBook, trial_book
from subjects.crf import CRF, Subject
from trial import audit
from trial.access import Actor
from trial.at_once import rows_at_once
from trial.dates import utc_now
from trial.protocol import Protocol
from trial.rules import Finding, Rule

READS: tuple[type[CRF], ...] = tuple(
    dict.fromkeys(
        (
            *(form for rule in RULES.values() for form in rule.reads),
            *verdicts.READS,
            *DERIVED_FROM,
            *stopping.READS,
        )
    )
)
ACROSS: tuple[Rule, ...] = tuple(rule for rule in RULES.values() if rule.across)
_TRIAL_LOCK = 20_260_501
"""Evaluations share it; who looks for what a change means to the others holds it alone, so that none is stale."""


def find(
    book: Casebook, protocol: Protocol, rules: Iterable[Rule] | None = None
) -> dict[tuple[str, str], tuple[Rule, Finding]]:
    """Everything the rules find for one subject, by (rule id, key)."""
    found: dict[tuple[str, str], tuple[Rule, Finding]] = {}
    for rule in RULES.values() if rules is None else rules:
        for finding in completions.findings(rule, book, protocol):
            found.setdefault((rule.id, finding.key), (rule, finding))
    return found


def evaluate(subject_id: UUID, *, by: Actor, because: str = "") -> Change:
    """Re-evaluate one subject and store the difference. One transaction; the subject's row is locked throughout."""
    with audit.transaction(by, reason=because or "rules evaluated"):
        if not Subject.objects.select_for_update().filter(pk=subject_id).exists():
            return Change()
        return evaluate_locked(subject_id, by)


def evaluate_locked(subject_id: UUID, by: Actor) -> Change:
    """The same, for a caller that holds the subject's lock inside an attributed transaction."""
    _trial_lock(shared=True)
    book = casebook(subject_id, READS, judged=True)
    protocol = binding(book)
    stored = _stored_of(book)
    verdicts.write([verdicts.changes(book, protocol, stored.verdicts)])
    derivations.write([derivations.changes(book, protocol, stored.derived)])
    stopping.raise_holds(book, protocol)
    found = flags.changes(book, protocol, find(book, protocol), stored.flags, utc_now())
    flags.write([found])
    afterwards([subject_id], by)
    return found.counted


def afterwards(subject_ids: Sequence[UUID], by: Actor) -> None:
    """What the rooms above do once subjects are evaluated, in the same transaction: see AFTER_EVALUATION."""
    for name in settings.AFTER_EVALUATION:
        import_string(name)(subject_ids, by)


class _OfSubject(NamedTuple):
    """What stands of one subject: verdicts, digests of derived values, flags."""

    verdicts: verdicts.Standing
    derived: derivations.Standing
    flags: flags.Standing


def _stored_of(book: Casebook) -> _OfSubject:
    """What stands of one subject, in one round trip."""
    given = {"ids": [book.subject_id], "signed": verdicts.signatures(book)}
    judged, derived, flagged = rows_at_once([verdicts.STORED, derivations.STORED, flags.STORED], given)
    return _OfSubject(
        verdicts.standing(judged).get(book.subject_id, {}),
        derivations.standing(derived).get(book.subject_id, {}),
        flags.standing(flagged).get(book.subject_id, {}),
    )


def evaluate_new(subject_ids: Sequence[UUID], trial: TrialBook, by: Actor) -> list[UUID]:
    """Store what the rules find for subjects of whom nothing is stored yet, read and written set-wise.

    For a caller inside an attributed transaction who has made these subjects and lets nobody else change them. Returns
    those with an event that may stop enrolment, for whom the caller still has to `stopping.raise_holds`: that concerns the
    whole trial, and two callers side by side would wait for each other.
    """
    _trial_lock(shared=True)
    now = utc_now()
    flagged: list[flags.Changes] = []
    stops: list[UUID] = []
    judged: list[verdicts.Changes] = []
    derived: list[derivations.Changes] = []
    for book in casebooks(subject_ids, READS, judged=True, trial=trial):
        protocol = binding(book)
        judged.append(verdicts.changes(book, protocol, {}))
        derived.append(derivations.changes(book, protocol, {}))
        if stopping.may_stop(book, protocol):
            stops.append(book.subject_id)
        flagged.append(flags.changes(book, protocol, find(book, protocol), {}, now))
    verdicts.write(judged)
    derivations.write(derived)
    flags.write(flagged)
    afterwards(subject_ids, by)
    return stops


def _trial_lock(*, shared: bool) -> None:
    """Wait for, and hold to the end of the transaction, the lock over what subjects have to do with each other."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{'_shared' if shared else ''}(%s)", [_TRIAL_LOCK])


def sweep(*, by: Actor, chunk: int = 200) -> Iterator[UUID]:
    """The subjects whose stored flags differ from what the rules find now. Reads set-wise, in flat memory."""
    last: UUID | None = None
    with audit.reading(by):
        trial = trial_book()
    while True:
        with audit.reading(by):
            ids = _next_subjects(last, chunk)
            wrong = list(_out_of_step(ids, trial)) if ids else []
        yield from wrong
        if len(ids) < chunk:
            return
        last = ids[-1]


def concerned(chunk: int = 500) -> list[UUID]:
    """The treated or allocated subjects whose flags of the rules across subjects differ from what these find now.

    For a caller inside a transaction; evaluations wait until it ends. Reads set-wise, and only what these rules read.
    """
    _trial_lock(shared=False)
    trial = trial_book()
    forms = tuple(dict.fromkeys(form for rule in ACROSS for form in rule.reads))
    wrong: list[UUID] = []
    ids = _dosed()
    for start in range(0, len(ids), chunk):
        some = ids[start : start + chunk]
        stored = _stored(some, [rule.id for rule in ACROSS])
        wrong += _differing(casebooks(some, forms, trial=trial), stored, ACROSS)
    return wrong


def _dosed() -> list[UUID]:
    """Every subject with a record of dosing or a flag that speaks of others."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT subject_id FROM dosing_infusion UNION SELECT subject_id FROM dosing_doseallocation"
            " ORDER BY subject_id"
        )
        return [row[0] for row in cursor.fetchall()]


def _next_subjects(last: UUID | None, chunk: int) -> list[UUID]:
    subjects = Subject.objects.order_by("pk")
    if last is not None:
        subjects = subjects.filter(pk__gt=last)
    return list(subjects.values_list("pk", flat=True)[:chunk])


_COMPARED = ("status", "severity", "record_id", "field", "message_en", "protocol_version")
_compared = itemgetter(*_COMPARED)


def flags_stored(ids: Sequence[UUID], rules: Sequence[str]) -> dict[UUID, dict[tuple[str, str], Deviation]]:
    """The flags of these rules that stand, by subject, rule and key."""
    stored: dict[UUID, dict[tuple[str, str], Deviation]] = {}
    for one in Deviation.objects.filter(subject_id__in=ids, rule_id__in=rules).exclude(status="CLEARED"):
        stored.setdefault(one.subject_id, {})[one.rule_id, one.key] = one
    return stored


Stored = dict[UUID, dict[tuple[str, str], tuple[Any, ...]]]


def _out_of_step(ids: Sequence[UUID], trial: TrialBook | None = None) -> Iterator[UUID]:
    books = list(casebooks(ids, READS, judged=True, trial=trial))
    kept = verdicts.stored_verdicts(ids)
    moved = [b.subject_id for b in books if verdicts.out_of_step(b, binding(b), kept.get(b.subject_id, {}))]
    moved += derivations.out_of_step([(book, binding(book)) for book in books])
    yield from dict.fromkeys((*_differing(books, _stored(ids), tuple(RULES.values())), *moved))


def _stored(ids: Sequence[UUID], rules: Sequence[str] | None = None) -> Stored:
    stored: Stored = {}
    rows = Deviation.objects.filter(subject_id__in=ids).exclude(status="CLEARED")
    if rules is not None:
        rows = rows.filter(rule_id__in=rules)
    for subject_id, rule_id, key, *rest in rows.values_list("subject_id", "rule_id", "key", *_COMPARED):
        stored.setdefault(subject_id, {})[(rule_id, key)] = tuple(rest)
    return stored


def _differing(books: Iterable[Casebook], stored: Stored, rules: Sequence[Rule]) -> Iterator[UUID]:
    for book in books:
        protocol = binding(book)
        found = {
            key: _compared(flags.described(rule, finding, protocol))
            for key, (rule, finding) in find(book, protocol, rules).items()
        }
        if found != stored.get(book.subject_id, {}):
            yield book.subject_id
