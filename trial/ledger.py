"""Sealing and verifying the ledger.

A seal covers the entries whose transactions lie in [previous xmin, xmin): every one of them is finished, so no row
can appear in a sealed window later. Its root is a Merkle root in RFC 6962 form; each seal holds the hash of the one
before, so a checkpoint kept outside proves everything older.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum

from trial.dates import utc_now
from trial.models import LedgerEntry, Seal


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962, section 2.1, over the leaves in order. The empty tree is SHA-256 of nothing."""
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves:
        size, node = 1, hashlib.sha256(b"\x00" + leaf).digest()
        while stack and stack[-1][0] == size:
            node = hashlib.sha256(b"\x01" + stack.pop()[1] + node).digest()
            size *= 2
        stack.append((size, node))
    if not stack:
        return hashlib.sha256(b"").digest()
    root = stack.pop()[1]
    while stack:
        root = hashlib.sha256(b"\x01" + stack.pop()[1] + root).digest()
    return root


def _oldest_open() -> int:
    """Every transaction below this number is finished."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


def system_identifier() -> str:
    """The database cluster's own number: transaction ids mean nothing in another one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT edc_system_identifier()")
        return str(cursor.fetchone()[0])


def seal() -> Seal | None:
    """Seal the finished transactions since the last seal; None when nothing new was written. Needs the worker's role."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1900)")
        last = Seal.objects.order_by("-xmin_to").first()
        start, stop = (last.xmin_to if last else 0), _oldest_open()
        leaves = list(_window(start, stop))
        if not leaves:
            return None
        size = (Seal.objects.aggregate(n=Sum("entries"))["n"] or 0) + len(leaves)
        made = Seal(
            xmin_from=start,
            xmin_to=stop,
            entries=len(leaves),
            size=size,
            root=merkle_root(leaves),
            previous=bytes(last.hash) if last else b"",
            system_identifier=system_identifier(),
            sealed_at=utc_now(),
        )
        made.hash = seal_hash(made)
        made.save(force_insert=True)
        return made


def seal_hash(one: Any) -> bytes:
    """What a seal commits to: the seal before, its window, how many entries so far, the root, the time."""
    when = one.sealed_at.isoformat().encode()
    body = bytes(one.previous) + struct.pack(">qqqq", one.xmin_from, one.xmin_to, one.entries, one.size)
    return hashlib.sha256(body + bytes(one.root) + when).digest()


def _window(start: int, stop: int) -> Iterator[bytes]:
    entries = LedgerEntry.objects.filter(xid__gte=start, xid__lt=stop).order_by("xid", "id")
    for found in entries.values_list("hash", flat=True).iterator(chunk_size=5000):
        yield bytes(found)


@dataclass(frozen=True)
class Fault:
    """Where the ledger does not hold: the chain or seal, the entry's number, and what is wrong."""

    place: str
    n: int
    what: str


def entry_hash(previous: bytes, n: int, digest: bytes) -> bytes:
    """hash = SHA-256(previous hash || n as 8 bytes || SHA-256(salt || payload))."""
    return hashlib.sha256(previous + struct.pack(">q", n) + digest).digest()


def verify() -> Iterator[Fault]:
    """Recompute every chain and every seal. Yields nothing when the ledger holds."""
    yield from _verify_chains()
    yield from _verify_seals()


def _verify_chains() -> Iterator[Fault]:
    chain, n, previous = None, 0, b""
    rows = LedgerEntry.objects.order_by("chain", "n").values_list(
        "chain", "n", "hash", "digest", "salt", "payload"
    )
    for this, number, hash_, digest, salt, payload in rows.iterator(chunk_size=5000):
        if this != chain:
            chain, n, previous = this, 0, b""
        if number != n + 1:
            yield Fault(str(this), number, f"entry {n + 1} is missing")
        if hashlib.sha256(bytes(salt) + payload.encode()).digest() != bytes(digest):
            yield Fault(str(this), number, "the payload is not what was hashed")
        if entry_hash(previous, number, bytes(digest)) != bytes(hash_):
            yield Fault(str(this), number, "the chain is broken")
        n, previous = number, bytes(hash_)


def _verify_seals() -> Iterator[Fault]:
    previous, size = b"", 0
    for one in Seal.objects.order_by("xmin_to"):
        leaves = list(_window(one.xmin_from, one.xmin_to))
        size += one.entries
        if len(leaves) != one.entries or merkle_root(leaves) != bytes(one.root):
            yield Fault(
                "seal", one.pk, f"sealed {one.entries} entries, {len(leaves)} stand there or they differ"
            )
        if bytes(one.previous) != previous or seal_hash(one) != bytes(one.hash) or size != one.size:
            yield Fault("seal", one.pk, "the seal is not the one that was made")
        previous = bytes(one.hash)
