"""The investigator endorses what is complete of a subject: one look, one password, one signature on each record.

Every signature of such a round keeps the hash of the whole list that was before the investigator's eyes, so that it can
be shown later which records were endorsed together, and that none was slipped in (ICH E6(R3) 3.16.1, EMA 6.3).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.http import HttpRequest

from entry.door import NotFound, lock_subject
from entry.places import record_url
from entry.signing import SignatureRefused, meanings_for, person_signing
from review.places import form_name, visit_name
from safety.doorbell import ring
from safety.forms import FORMS
from subjects.crf import CRF, Subject
from subjects.signature import Signature, content_digest
from trial import audit
from trial.access import Act, Actor, require
from trial.at_once import at_once
from trial.dates import utc_now
from trial.findings import Problem
from trial.text import T
from visits.schedule import visit_rank

MEANING = "REVIEW"
MILESTONES: tuple[tuple[str, str, str], ...] = (
    ("eligibility", "ELIGIBILITY", "milestone"),
    ("dlt_assessment", "DLT", ""),
    ("end_of_study", MEANING, "phase"),
)
"""What the investigator endorses one by one: the form, the meaning, and the item that names the milestone."""


@dataclass(frozen=True)
class Line:
    """One record of the list."""

    title: str
    visit: str
    version: int
    url: str


@dataclass(frozen=True)
class Milestone:
    """A record that the protocol has the investigator sign by itself."""

    title: str
    signed: bool
    complete: bool
    url: str


@dataclass(frozen=True)
class Round:
    """What is complete of a subject and bears no standing signature of review; `hash` is that of the list."""

    lines: list[Line]
    hash: str
    complete: int
    milestones: list[Milestone]

    @property
    def endorsed(self) -> int:
        """How many complete records bear a signature that stands."""
        return self.complete - len(self.lines)


def may_endorse(by: Actor) -> bool:
    """Whether the actor's role endorses records."""
    return any(one.code == MEANING for one in meanings_for(FORMS[0].form, by))


def round_of(subject: Subject) -> Round:
    """What the page shows, in a constant number of statements. Call inside `audit.reading`."""
    rows, given = _read(subject.pk)
    complete = [row for row in rows if row.status == "COMPLETE"]
    open_ = _open(complete, given)
    return Round(
        [
            Line(form_name(r.form), str(visit_name(r.visit)), r.version, record_url(subject.subjid, r))
            for r in open_
        ],
        list_hash(open_),
        len(complete),
        [*_milestones(subject, rows, given)],
    )


def endorse(
    subject_id: UUID, seen: str, *, by: Actor, username: str, password: str, request: HttpRequest
) -> list[Signature]:
    """Sign every record of the list whose hash was seen; all of them or none.

    Raises Forbidden, NotFound or SignatureRefused; a list that is another by now is refused (`list_changed`).
    """
    require(by, Act.SIGN)
    if not seen:  # no list was looked at
        raise SignatureRefused(_changed())
    told = next((one for one in meanings_for(FORMS[0].form, by) if one.code == MEANING), None)
    if told is None:
        raise SignatureRefused(_not_yours())
    person_signing(by, username, password, request)
    with audit.transaction(by, told.en):
        subject = lock_subject(subject_id)
        if not by.at(subject.site_id):
            raise NotFound
        rows, given = _read(subject_id)
        open_ = _open([row for row in rows if row.status == "COMPLETE"], given)
        if not open_ or list_hash(open_) != seen:
            raise SignatureRefused(_changed())
        now = utc_now()
        made = [
            Signature(
                subject_id=subject_id,
                site_id=subject.site_id,
                form=row.form,
                record_id=row.pk,
                record_version=row.version,
                digest=content_digest(row),
                meaning=MEANING,
                person_id=by.person_id,
                name=by.name,
                role=by.role,
                signed_at=now,
                listed=seen,
            )
            for row in open_
        ]
        Signature.objects.bulk_create(made, batch_size=200)
    ring()
    return made


def list_hash(records: Iterable[Any]) -> str:
    """SHA-256 over form, id, version and digest of every record of a list, whatever its order."""
    lines = sorted(f"{r.form} {r.pk} {r.version} {content_digest(r)}" for r in records)
    return sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class _Given:
    """The signatures of a subject by record, and of records locked since one was given the last version before that."""

    signatures: dict[UUID, list[Signature]]
    opened: dict[UUID, int]

    def stands(self, row: Any, meaning: str) -> bool:
        """Whether a signature with this meaning stands for the record as it is."""
        return any(
            one.meaning == meaning and one.stands_beside(row, lambda: self.opened.get(row.pk))
            for one in self.signatures.get(row.pk, ())
        )


def _read(subject_id: UUID) -> tuple[list[CRF], _Given]:
    """Every record that is not struck out, in the order of the visits, and the signatures on them."""
    standing = {"subject_id": subject_id, "retracted": False}
    kept = at_once(
        [
            *(form._default_manager.filter(**standing).order_by("visit", "sequence") for form in FORMS),
            Signature.objects.filter(subject_id=subject_id).order_by("signed_at"),
        ]
    )
    signed: dict[UUID, list[Signature]] = defaultdict(list)
    for one in kept[-1]:
        signed[one.record_id].append(one)
    rows = [row for found in kept[:-1] for row in found]
    opened: dict[UUID, int] = {}
    for form, found in zip(FORMS, kept[:-1], strict=True):
        locked = [row.pk for row in found if row.lock_state != "OPEN" and row.pk in signed]
        if locked:
            past = form.history.filter(id__in=locked, lock_state="OPEN")
            opened |= dict(past.values_list("id").annotate(Max("version")).order_by())
    return sorted(rows, key=lambda row: visit_rank(row.visit)), _Given(signed, opened)


def _open(rows: Iterable[CRF], given: _Given) -> list[CRF]:
    """Records without a standing signature of review."""
    return [row for row in rows if not given.stands(row, MEANING)]


def _milestones(subject: Subject, rows: Sequence[CRF], given: _Given) -> Iterable[Milestone]:
    for form, meaning, item in MILESTONES:
        for row in (one for one in rows if one.form == form and not one.not_done):
            column: Any = row._meta.get_field(item) if item else None
            said = f" · {column.item.codes.label(getattr(row, item))}" if item and getattr(row, item) else ""
            yield Milestone(
                f"{form_name(form)}{said}",
                given.stands(row, meaning),
                row.status == "COMPLETE",
                record_url(subject.subjid, row),
            )


def _not_yours() -> Problem:
    said = T(
        "Your role does not endorse records; the investigator does.", "您的角色不能批量签署;请由研究者签署。"
    )
    return Problem("meaning", "not_yours", said)


def _changed() -> Problem:
    said = T(
        "The list is another by now: records were added, changed or signed meanwhile. Nothing was signed. Look at it again.",
        "清单已发生变化:其间有记录新增、更改或签署。未签署任何记录。请重新核对。",
    )
    return Problem("", "list_changed", said)
