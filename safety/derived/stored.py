"""Derived values as they are kept: worked out with every evaluation, and only what differs is written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from json import loads
from typing import Any, NamedTuple
from uuid import UUID

from safety.casebook import Casebook
from safety.derivation import Derivation
from safety.derived.every import derive
from safety.derived.vocabulary import Derivation as How
from safety.derived.vocabulary import Derived, hash_of, plain, text_of, written
from trial.at_once import rows_at_once
from trial.dates import utc_now
from trial.fields import uuid7
from trial.many import Written, insert
from trial.protocol import Protocol

Key = tuple[str, str]
Found = Mapping[Key, tuple[How, Derived]]


class Kept(NamedTuple):
    """What is kept of a derived value: it as JSON keeps it, its text, the hash of its inputs, the digest of all."""

    value: Any
    text: str
    mark: str
    digest: str


def kept_of(how: How, one: Derived, protocol: Protocol) -> Kept:
    """A derived value as it is kept. The digest is SHA-256 over everything, the versions of its records apart."""
    value, mark = plain(one.value), hash_of(one.inputs)
    text = text_of(value)
    parts = (how.name, one.key, how.method, protocol.version, mark, str(one.on), str(one.differs), text)
    return Kept(value, text, mark, sha256("\x1e".join(parts).encode()).hexdigest())


def kept(how: How, one: Derived, protocol: Protocol, told: Kept | None = None) -> dict[str, Any]:
    """The columns of a derived value; `told` where it is known already."""
    told = told or kept_of(how, one, protocol)
    texts = {"value": told.value, "inputs": loads(written(one.inputs))}
    return {**_columns(how, one, protocol, told), **texts}


def _columns(how: How, one: Derived, protocol: Protocol, told: Kept) -> dict[str, Any]:
    """Those that are not JSON."""
    return {
        "form": one.form,
        "record_id": one.record,
        "on": one.on,
        "input_hash": told.mark,
        "method": how.method,
        "protocol_version": protocol.version,
        "digest": told.digest,
        "differs": one.differs,
        "stands": True,
    }


def digests(found: Found, protocol: Protocol) -> dict[Key, str]:
    """The digest of everything found, by name and key."""
    return {key: kept_of(how, one, protocol).digest for key, (how, one) in found.items()}


@dataclass(frozen=True)
class Changes:
    """What has to be written of one subject: rows that are new, the columns of others by name and key, and who is gone."""

    subject_id: UUID
    fresh: Sequence[dict[str, Any]] = ()
    moved: Mapping[Key, dict[str, Any]] = field(default_factory=dict)


STORED = "SELECT subject_id, name, key, digest, stands FROM safety_derivation WHERE subject_id = ANY(%(ids)s)"
"""The digests that are kept of subjects `ids`."""
Standing = Mapping[Key, tuple[str, bool]]
_GONE = {"stands": False, "differs": False}


def standing(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, dict[Key, tuple[str, bool]]]:
    """What STORED found, by subject, name and key."""
    told: dict[UUID, dict[Key, tuple[str, bool]]] = defaultdict(dict)
    for subject, name, key, digest, stands in rows:
        told[subject][name, key] = (digest, stands)
    return told


def changes(book: Casebook, protocol: Protocol, there: Standing) -> Changes:
    """What differs from what is stored of one subject."""
    found = derive(book, protocol)
    fresh: list[dict[str, Any]] = []
    moved: dict[Key, dict[str, Any]] = {}
    for key in sorted(found):
        how, one = found[key]
        told = kept_of(how, one, protocol)
        if key not in there:
            texts = {"value": Written(told.text), "inputs": written(one.inputs)}
            fresh.append(_new(book, key, {**_columns(how, one, protocol, told), **texts}))
        elif there[key] != (told.digest, True):
            moved[key] = kept(how, one, protocol, told)
    gone = {key: _GONE for key, (_, stands) in there.items() if stands and key not in found}
    return Changes(book.subject_id, fresh, {**moved, **gone})


def write(found: Sequence[Changes]) -> None:
    """Write what differs inside the caller's attributed transaction."""
    insert(Derivation, [row for one in found for row in one.fresh])
    for one in found:
        if one.moved:
            _change(one.subject_id, one.moved)


def _new(book: Casebook, key: Key, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "version": 1,
        "subject_id": book.subject_id,
        "site_id": book.site.id,
        "name": key[0],
        "key": key[1],
        "computed_at": utc_now(),
        **values,
    }


def _change(subject_id: UUID, moved: Mapping[Key, Mapping[str, Any]]) -> None:
    names, keys = {name for name, _ in moved}, {key for _, key in moved}
    for row in Derivation.objects.filter(subject_id=subject_id, name__in=names, key__in=keys):
        if (row.name, row.key) in moved:  # a name of one and the key of another may make a third
            for name, value in moved[row.name, row.key].items():
                setattr(row, name, value)
            row.computed_at = utc_now()
            row.save(force_update=True)


def out_of_step(books: Sequence[tuple[Casebook, Protocol]]) -> list[UUID]:
    """The subjects whose kept values are not what follows from their casebooks now."""
    ids = [book.subject_id for book, _ in books]
    there = standing(rows_at_once([STORED], {"ids": ids})[0])
    return [
        book.subject_id
        for book, protocol in books
        if digests(derive(book, protocol), protocol)
        != {key: digest for key, (digest, stands) in there.get(book.subject_id, {}).items() if stands}
    ]
