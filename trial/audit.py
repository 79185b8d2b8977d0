"""Transactions with a name on them: who, in which role, why, over which sites.

`transaction(by, reason)` writes; `reading(by)` only reads. Both set PostgreSQL settings for this transaction alone
(`set_config(..., true)`), so they are safe behind a connection pool. The history trigger refuses a write that names
nobody, and row-level security shows no row when no site is set.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db import transaction as django_transaction

from trial.access import Actor

_SET = (
    "SELECT set_config('edc.sites', %s, true), set_config('edc.actor', %s, true), set_config('edc.role', %s, true),"
    " set_config('edc.reason', %s, true), set_config('edc.request', %s, true)"
)


def _name(sites: tuple[int, ...], actor: str, role: str, reason: str, request: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SET, [",".join(map(str, sites)), actor, role, reason, request])


@contextmanager
def transaction(by: Actor, reason: str = "") -> Iterator[None]:
    """One attributed, all-or-nothing write. `reason` is required by the database to change an existing row."""
    with django_transaction.atomic():
        _name(by.sites, str(by.person_id), by.role, reason, by.request_id)
        yield


@contextmanager
def reading(by: Actor) -> Iterator[None]:
    """One consistent read over the actor's sites; a write inside it is refused by the history trigger."""
    with django_transaction.atomic():
        _name(by.sites, "", by.role, "", by.request_id)
        yield


@contextmanager
def snapshot(by: Actor) -> Iterator[None]:
    """A read of one moment, however many statements it takes. Inside another transaction it is a plain `reading`."""
    outermost = not connection.in_atomic_block
    with django_transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        _name(by.sites, "", by.role, "", by.request_id)
        yield


def give_reason(reason: str) -> None:
    """Set the reason for the rest of the running transaction, where the system itself knows it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('edc.reason', %s, true)", [reason])
