"""The second, named door of the demonstration: told stories are copied set-wise into a study of thousands of subjects.

The stories themselves were entered through the one door. Here each is copied with INSERT … SELECT in attributed
transactions, so the database writes history, ledger and outbox as for any other write; dates move by whole days,
measured values by a few percent and never across a limit, links lead to the copies, signatures are bound to what the
copies say, and the rules look at every copy. Only the demonstration may do this; production refuses.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from entry.demo import copying
from entry.demo.clock import Clock
from entry.demo.people import site_code, subject_number
from review.models import Query
from safety import stopping
from safety.binding import binding
from safety.calendar import left_on, windows
from safety.casebook import Casebook, casebooks
from safety.engine import READS, evaluate_new
from safety.forms import FORM, FORMS
from safety.trialbook import trial_book
from subjects.crf import Subject
from subjects.models import Signature
from subjects.signature import content_digest
from trial import audit
from trial.access import Actor
from trial.fields import uuid7
from trial.heap import settle
from trial.models import Outbox, Site

CHUNK = 100
"""Subjects in one transaction: the history trigger holds one advisory lock for each of them until the commit."""
JUDGED = 25  # subjects whose rules are evaluated in one transaction
WRITERS = 2
"""Transactions at a time: the work is the database's, and a small machine has two cores."""
WAITING_DAYS = 3  # how far back a subject may move who was not infused yet


@dataclass(frozen=True)
class Template:
    """A told subject, and by how many days its copies may lie further back."""

    id: UUID
    subjid: str
    slack: int


@dataclass(frozen=True)
class Copy:
    """A subject to be made of a template."""

    id: UUID
    subjid: str
    site: int
    template: Template
    shift: int


def replicate(
    told: int,
    subjects: int,
    sites: Mapping[str, Site],
    seed: int,
    by: Actor,
    clock: Clock,
    said: Callable[[int], None] = lambda number: None,
) -> None:
    """Copy the first `told` subjects in turn until there are `subjects`. Raises PermissionError outside a demonstration."""
    if settings.ENV not in ("demo", "test"):
        raise PermissionError("subjects are copied in a demonstration only")
    with audit.reading(by):
        templates = _templates(told)
        asked = copying.asked_about()
        signed = _signed([one.id for one in templates])
    copies = [_copy(number, templates, sites, seed) for number in range(told + 1, subjects + 1)]

    def write(some: Sequence[Copy]) -> None:
        with audit.transaction(by, "copied for the demonstration"):
            _write(some, asked, signed, seed)

    chunks = [copies[start : start + CHUNK] for start in range(0, len(copies), CHUNK)]
    for done, _ in enumerate(_side_by_side(write, chunks), 1):
        said(min(told + done * CHUNK, subjects))
    clock.lap("copies")
    _judge([one.id for one in copies], by)
    clock.lap("rules over the copies")


def _side_by_side(work: Callable[[Any], None], chunks: Sequence[Any]) -> Iterator[None]:
    """Do the work on every chunk, some at a time, each over a connection of its thread's own."""

    def one(chunk: Any) -> None:
        try:
            work(chunk)
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        yield from pool.map(one, chunks)


def _judge(made: Sequence[UUID], by: Actor) -> None:
    """Let the rules look at all copies; what these mean to the told subjects is left to the outbox."""
    with audit.reading(by):
        trial = trial_book()
    settle()

    stops: list[UUID] = []

    def judge(some: Sequence[UUID]) -> None:
        with audit.transaction(by, "rules evaluated"):
            stops.extend(evaluate_new(some, trial, by))
            Outbox.objects.filter(subject_id__in=some).delete()

    for _ in _side_by_side(judge, [made[start : start + JUDGED] for start in range(0, len(made), JUDGED)]):
        pass
    with audit.transaction(by, "stopping rules evaluated"):
        for book in casebooks(sorted(stops), stopping.READS, trial=trial):
            stopping.raise_holds(book, binding(book))


def _templates(told: int) -> list[Template]:
    numbers = [subject_number(number) for number in range(1, told + 1)]
    ids = list(Subject.objects.filter(subjid__in=numbers).order_by("subjid").values_list("pk", flat=True))
    return [Template(book.subject_id, book.subjid, _slack(book)) for book in casebooks(ids, READS)]


def _slack(book: Casebook) -> int:
    """How many days further back the subject may lie: no visit that is to come may be missed by it, and nobody
    consents before the site was open."""
    assert book.consent_day is not None and book.site.activation_date is not None
    most = (book.consent_day - book.site.activation_date).days
    if left_on(book) is not None:
        return most
    if book.day0 is None:
        return min(most, WAITING_DAYS)
    coming = [
        w.high for code, w in windows(book).items() if w.expected and w.high and code not in book.visit_days
    ]
    return min([most, *((high - book.today).days for high in coming if high >= book.today)])


def _copy(number: int, templates: Sequence[Template], sites: Mapping[str, Site], seed: int) -> Copy:
    template = templates[(number - 1) % len(templates)]
    subjid = subject_number(number)
    back = random.Random(f"{seed}/{subjid}").randint(0, template.slack)
    return Copy(uuid7(), subjid, sites[site_code(number)].pk, template, -back)


def _write(
    copies: Sequence[Copy],
    asked: Sequence[UUID],
    signed: Mapping[UUID, Sequence[Signature]],
    seed: int,
) -> None:
    given: dict[str, Any] = {
        "ids": [one.id for one in copies],
        "subjids": [one.subjid for one in copies],
        "sites": [one.site for one in copies],
        "templates": [one.template.id for one in copies],
        "before": [one.template.subjid for one in copies],
        "shifts": [one.shift for one in copies],
        "asked": list(asked),
        "seed": seed,
    }
    with connection.cursor() as cursor:
        cursor.execute(copying.OF_SUBJECT, given)
        for form in FORMS:
            cursor.execute(copying.of_form(form), given)
        cursor.execute(copying.of_record_table(Query), given)
        cursor.execute(copying.NEW_IDS, {**given, "records": _records(copies, signed)})
        new = {(subject, old): fresh for subject, old, fresh in cursor.fetchall()}
    _sign(copies, signed, new)


def _signed(templates: Sequence[UUID]) -> dict[UUID, list[Signature]]:
    """The signatures that stand, by template."""
    found: dict[UUID, list[Signature]] = defaultdict(list)
    for one in Signature.objects.filter(subject_id__in=templates).order_by("signed_at"):
        assert one.subject_id is not None
        if FORM[one.form]._default_manager.filter(pk=one.record_id, version=one.record_version).exists():
            found[one.subject_id].append(one)
    return found


def _records(copies: Sequence[Copy], signed: Mapping[UUID, Sequence[Signature]]) -> list[UUID]:
    return list({one.record_id for copy in copies for one in signed.get(copy.template.id, ())})


def _sign(
    copies: Sequence[Copy],
    signed: Mapping[UUID, Sequence[Signature]],
    new: Mapping[tuple[UUID, UUID], UUID],
) -> None:
    """The same people sign the copies, in the same roles; every signature is bound to what its copy says."""
    wanted = [(copy, one) for copy in copies for one in signed.get(copy.template.id, ())]
    by_form: dict[str, set[UUID]] = defaultdict(set)
    for copy, one in wanted:
        by_form[one.form].add(new[(copy.id, one.record_id)])
    digests = {
        record.pk: content_digest(record)
        for form, ids in by_form.items()
        for record in FORM[form]._default_manager.filter(pk__in=ids)
    }
    Signature.objects.bulk_create(
        [_signature(copy, one, new[(copy.id, one.record_id)], digests) for copy, one in wanted],
        batch_size=500,
    )


def _signature(copy: Copy, one: Signature, record: UUID, digests: Mapping[UUID, str]) -> Signature:
    return Signature(
        subject_id=copy.id,
        site_id=copy.site,
        form=one.form,
        record_id=record,
        record_version=1,
        digest=digests[record],
        meaning=one.meaning,
        person_id=one.person_id,
        name=one.name,
        role=one.role,
        signed_at=one.signed_at + timedelta(days=copy.shift),
    )
