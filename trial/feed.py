"""The change feed: ledger entries in the order of their transactions, none ever missed.

The order of `id` is not the order of commits: a slow transaction commits a small id late, and whoever reads "id
greater than my last" never sees it. So the feed goes by (xid, id) and stops below the oldest transaction that is
still open (`pg_snapshot_xmin`): everything below is finished, and nothing can appear there any more.

An entry without a site (an enrolment hold of the whole trial) is for every reader.

A position means something only in the database it came from, so it carries the database's identity. It also carries
the sites it was read for: entries of a site that was not among them were passed by unread.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

IDENTITY = (
    "SELECT edc_system_identifier() || '-' || d.oid::text || '-' || left(pg_walfile_name(pg_current_wal_lsn()), 8)"
    " FROM pg_database d WHERE d.datname = current_database()"
)
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
ENTRIES = (
    "SELECT e.xid, e.id, e.record_table, e.record_id, e.history_id, e.operation FROM trial_ledgerentry e"
    " WHERE (e.xid, e.id) > (%s, %s) AND e.xid < %s AND e.record_table = ANY(%s)"
    " AND (e.site_id = ANY(%s) OR e.site_id IS NULL)"
    " ORDER BY e.xid, e.id LIMIT %s"
)
PASSED_BY = (
    "SELECT EXISTS (SELECT FROM trial_ledgerentry e WHERE e.site_id = ANY(%s) AND (e.xid, e.id) <= (%s, %s)"
    " AND e.record_table = ANY(%s))"
)
VERSION = 1
_MOST = 2**63 - 1


class BadCursor(ValueError):
    """The text is no cursor of ours."""


@dataclass(frozen=True)
class Position:
    """How far a reader has come: after entry `id` of transaction `xid`, in which database, over which sites."""

    xid: int
    id: int
    system: str
    sites: tuple[int, ...]

    def text(self) -> str:
        """The cursor as opaque text."""
        body = json.dumps([VERSION, self.system, self.xid, self.id, list(self.sites)], separators=(",", ":"))
        return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Entry:
    """One change: where it stands in the feed, and which version of which row it is."""

    xid: int
    id: int
    table: str
    record_id: str
    history_id: int
    operation: str


def parse(text: str) -> Position:
    """The position that a cursor says. Raises BadCursor."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        version, system, xid, id_, sites = json.loads(raw)
        whole = [xid, id_, *sites]
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise BadCursor from None
    right = isinstance(system, str) and all(type(n) is int and 0 <= n <= _MOST for n in whole)
    if version != VERSION or not right or any(s > 2**31 - 1 for s in sites):
        raise BadCursor
    return Position(xid, id_, system, tuple(sites))


def identity() -> str:
    """Which database this is: cluster, database, timeline. It changes with a restore, and then so do the numbers."""
    return str(_value(IDENTITY))


def start(sites: Sequence[int]) -> Position:
    """The position before the first change."""
    return Position(0, 0, identity(), tuple(sites))


def passed_by(position: Position, sites: Sequence[int], tables: Sequence[str]) -> bool:
    """Whether entries of sites that this position was not read for lie behind it."""
    added = [site for site in sites if site not in position.sites]
    return bool(added) and bool(_value(PASSED_BY, added, position.xid, position.id, list(tables)))


def read(
    position: Position, sites: Sequence[int], tables: Sequence[str], limit: int
) -> tuple[list[Entry], Position, bool]:
    """The next entries, the position after them, and whether more are ready now.

    Runs inside `audit.reading`. The horizon is taken before the entries: what commits in between waits for the
    next call. When all was read the position moves up to the horizon, since nothing can appear below it.
    """
    horizon = int(_value(HORIZON))
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES, [position.xid, position.id, horizon, list(tables), list(sites), limit + 1])
        found = [Entry(*row) for row in cursor.fetchall()]
    more = len(found) > limit
    entries = found[:limit]
    end = max((position.xid, position.id), (horizon - 1, _MOST))
    xid, id_ = (entries[-1].xid, entries[-1].id) if more else end
    return entries, Position(xid, id_, position.system, tuple(sites)), more


def _value(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return cursor.fetchone()[0]
