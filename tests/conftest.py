"""A real database made by its owner and used by the runtime role, as in production."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, TransactionTestCase
from psycopg.conninfo import conninfo_to_dict

from tests.cast import CAST, PASSWORD, enter_the_cast

ROLES = {"owner": "DATABASE_OWNER_URL", "web": "DATABASE_URL", "worker": "DATABASE_WORKER_URL"}


def become(role: str) -> None:
    """Let this process's connection act as the owner, the web or the worker."""
    parts = conninfo_to_dict(os.environ[ROLES[role]])
    connection.close()
    connection.settings_dict.update(
        USER=parts["user"],
        PASSWORD=parts.get("password", ""),
        HOST=parts.get("host", ""),
        PORT=str(parts.get("port", "") or ""),
    )


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Act as another database role for a while; only for transactional tests."""
    become(role)
    try:
        yield
    finally:
        become("web")


def owner_connection() -> "psycopg.Connection[Any]":
    """A direct connection to the test database as its owner."""
    parts = conninfo_to_dict(os.environ[ROLES["owner"]])
    parts["dbname"] = connection.settings_dict["NAME"]
    return psycopg.connect(**parts, autocommit=True)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        become("owner")
        suffix = os.environ.get("PYTEST_DB_SUFFIX", "")
        connection.settings_dict["TEST"]["NAME"] = f"test_edc{'_' + suffix if suffix else ''}"
        old_name = connection.settings_dict["NAME"]
        _drop(connection.settings_dict["TEST"]["NAME"])
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        call_command("setup_study", verbosity=0)
        enter_the_cast()
        become("web")
    yield
    with django_db_blocker.unblock():
        connection.close()
        name, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], old_name
        _drop(name)


def _drop(name: str) -> None:
    """Drop a test database, whoever is still connected to it."""
    with psycopg.connect(os.environ[ROLES["owner"]], autocommit=True) as owner:
        owner.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _forget_subjects(self: Any) -> None:
    """After a transactional test: subjects and what hangs on them go; sites and people stay."""
    from django.core.cache import cache

    from subjects.crf import Subject
    from trial.integrity import audited_models, history_model

    cache.clear()
    connection.close()
    clinical = [
        m for m in audited_models() if m is Subject or any(f.name == "subject" for f in m._meta.fields)
    ]
    tables = [m._meta.db_table for m in clinical] + [history_model(m)._meta.db_table for m in clinical]
    with owner_connection() as db:
        db.execute(f"TRUNCATE {', '.join(tables)}, trial_outbox, trial_seal CASCADE")
        db.execute("DELETE FROM trial_ledgerentry WHERE chain <> '00000000-0000-0000-0000-000000000000'")


TransactionTestCase._fixture_teardown = _forget_subjects  # type: ignore[method-assign]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """The demonstration brings people and ranges that stay: its tests come after all others."""
    items.sort(key=lambda item: item.path.name == "test_demo.py")


@pytest.fixture(autouse=True)
def _fresh_facts() -> None:
    from trial import sites

    sites.forget()


@pytest.fixture
def site(db: None) -> Any:
    from trial.models import Site

    return Site.objects.get(code="01")


@pytest.fixture
def other_site(db: None) -> Any:
    from trial.models import Site

    return Site.objects.get(code="02")


def _person(name: str) -> Any:
    from trial.models import Person

    return Person.objects.get(username=name)


def _part(name: str) -> Any:
    def part(db: None) -> Any:
        return _person(name)

    part.__name__ = name
    return pytest.fixture(part)


for _member in CAST:
    globals()[_member.name] = _part(_member.name)


@pytest.fixture
def actor(db: None) -> Callable[..., Any]:
    """The Actor of a person (a Person or an account name), in a role if given."""
    from trial.people import actor_for

    def make(person: Any, role: str | None = None) -> Any:
        found = actor_for(_person(person) if isinstance(person, str) else person, role, "test")
        assert found is not None
        return found

    return make


@pytest.fixture
def li(actor: Any) -> Any:
    """The coordinator of site 01, acting."""
    return actor("coordinator_li")


@pytest.fixture
def wu(actor: Any) -> Any:
    """The sponsor's monitor, acting."""
    return actor("monitor_wu")


_NUMBERS = iter(range(1, 999))


def new_subject_number(code: str = "01") -> str:
    """A screening number not used before in this run."""
    return f"{code}-{next(_NUMBERS):03d}"


@pytest.fixture
def new_subject(li: Any, site: Any) -> Callable[..., Any]:
    """Enters a subject through the door."""
    from entry.door import create_subject

    def make(by: Any = None, at: Any = None) -> Any:
        place = at or site
        return create_subject(new_subject_number(place.code), place, by=by or li)

    return make


@pytest.fixture
def subject(new_subject: Any) -> Any:
    """A subject of site 01."""
    return new_subject()


@pytest.fixture
def person_client(db: None) -> Callable[[Any], Client]:
    """A browser signed in as a person (a Person or an account name)."""

    def make(person: Any) -> Client:
        client = Client()
        client.force_login(
            _person(person) if isinstance(person, str) else person, backend="entry.signin.PersonBackend"
        )
        return client

    return make


@pytest.fixture
def password() -> str:
    """Everybody's pass phrase."""
    return PASSWORD


@pytest.fixture
def make_token(db: None) -> Callable[..., str]:
    """An API token of a person, as the person would hold it."""

    def make(person: Any, role: str | None = None, days: int = 1, sites: Any = None) -> str:
        from exchange.tokens import mint

        who = _person(person) if isinstance(person, str) else person
        return str(
            mint(
                who, role=role, expiry=timedelta(days=days), sites=sites, label=f"test {uuid.uuid4().hex[:6]}"
            )
        )

    return make
