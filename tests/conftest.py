"""A real database made by its owner and used by the runtime role, as in production."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import settings as hypothesis
from psycopg.conninfo import conninfo_to_dict

from launch.roles import drop_database
from tests.cast import CAST, PASSWORD, enter_the_cast

hypothesis.register_profile("study", deadline=None)  # a slow machine is not a wrong answer
hypothesis.load_profile("study")

# A page's patience with the cache is a third of a second; on a busy machine that fails a test of something else.
settings.CACHES["default"]["OPTIONS"]["socket_timeout"] = 60.0

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


# What the study's empty database is made of. While none of it changes, the database is copied and not built again.
_MADE_OF = (
    "*/migrations/*.py",
    "trial/[aimr]*.py",
    "trial/management/commands/setup_study.py",
    "tests/c*st.py",
)
_KEPT = "edc_kept_"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        become("owner")
        suffix = os.environ.get("PYTEST_DB_SUFFIX", "")
        name, old_name = f"test_edc{'_' + suffix if suffix else ''}", connection.settings_dict["NAME"]
        connection.settings_dict["TEST"]["NAME"] = name
        with psycopg.connect(os.environ[ROLES["owner"]], autocommit=True) as turn:
            turn.execute("SELECT pg_advisory_lock(20260501)")  # of two runs one builds, the other copies
            _drop(name)
            if not _copied(_kept_name(), name):
                connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
                call_command("setup_study", verbosity=0)
                enter_the_cast()
                _keep(name)
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        become("web")
    yield
    with django_db_blocker.unblock():
        connection.close()
        name, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], old_name
        _drop(name)


def _kept_name() -> str:
    """The name under which a database made of these sources is kept."""
    root, mark = Path(settings.BASE_DIR), sha256()
    for file in sorted(file for pattern in _MADE_OF for file in root.glob(pattern)):
        mark.update(f"{file.relative_to(root)}".encode() + file.read_bytes())
    return _KEPT + mark.hexdigest()[:16]


def _copied(kept: str, name: str) -> bool:
    """Copy the kept database, if there is one."""
    with psycopg.connect(os.environ[ROLES["owner"]], autocommit=True) as owner:
        there = owner.execute("SELECT 1 FROM pg_database WHERE datname = %s", [kept]).fetchone()
        if there:
            owner.execute(f'CREATE DATABASE "{name}" TEMPLATE "{kept}" STRATEGY file_copy')
    return there is not None


def _keep(name: str) -> None:
    """Keep a copy of the database just made, in place of older ones."""
    connection.close()
    with psycopg.connect(os.environ[ROLES["owner"]], autocommit=True) as owner:
        for (older,) in owner.execute(
            f"SELECT datname FROM pg_database WHERE datname LIKE '{_KEPT}%'"
        ).fetchall():
            drop_database(owner, older)
        owner.execute(f'CREATE DATABASE "{_kept_name()}" TEMPLATE "{name}" STRATEGY file_copy')


def _drop(name: str) -> None:
    """Drop a test database, whoever is still connected to it."""
    with psycopg.connect(os.environ[ROLES["owner"]], autocommit=True) as owner:
        drop_database(owner, name)


def _forget_subjects(self: Any) -> None:
    """After a transactional test: subjects and what hangs on them go; sites and people stay.

    Only the tables that hold something are emptied: to truncate all of them takes longer than most tests.
    """
    from django.core.cache import cache

    cache.clear()
    connection.close()
    tables = _clinical_tables()
    asked = " UNION ALL ".join(f"SELECT '{t}' WHERE EXISTS (SELECT FROM {t})" for t in tables)
    with owner_connection() as db, db.transaction():
        db.execute("SET CONSTRAINTS ALL DEFERRED")
        for (table,) in db.execute(asked).fetchall():
            db.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            db.execute(f"DELETE FROM {table}")
        # What concerned the study stands at the end of the chain of people and sites, which otherwise goes on.
        db.execute(
            "DELETE FROM trial_ledgerentry WHERE chain <> '00000000-0000-0000-0000-000000000000'"
            " OR record_table = ANY(%s)",
            [list(tables)],
        )
        db.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for (table,) in db.execute(_SWITCHED_OFF).fetchall():
            db.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


_SWITCHED_OFF = (
    "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'"
)


@cache
def _clinical_tables() -> tuple[str, ...]:
    """Every table that a subject, a laboratory or the study's conduct fills, its history included."""
    from subjects.crf import StudyForm, Subject
    from trial.integrity import audited_models, history_model
    from visits.models import Laboratory, ReferenceRange

    clinical = [
        model
        for model in audited_models()
        if model in (Subject, Laboratory, ReferenceRange)
        or issubclass(model, StudyForm)
        or any(field.name == "subject" for field in model._meta.fields)
    ]
    tables = [table for m in clinical for table in (m._meta.db_table, history_model(m)._meta.db_table)]
    return (*tables, "subjects_attachmentpart", "trial_outbox", "trial_seal")


TransactionTestCase._fixture_teardown = _forget_subjects  # type: ignore[method-assign]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """The demonstration brings people and ranges that stay: its tests come after all others."""
    items.sort(key=lambda item: item.path.name == "test_demo.py")


@pytest.fixture(autouse=True)
def _fresh_facts() -> None:
    from safety import banner
    from trial import sites

    sites.forget()
    banner.forget()


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
def qian(actor: Any) -> Any:
    """The data manager, acting."""
    return actor("data_manager_qian")


@pytest.fixture
def li(actor: Any) -> Any:
    """The coordinator of site 01, acting."""
    return actor("coordinator_li")


@pytest.fixture
def wu(actor: Any) -> Any:
    """The sponsor's monitor, acting."""
    return actor("monitor_wu")


_NUMBERS = cycle(range(1, 999))


def new_subject_number(code: str = "01") -> str:
    """A screening number that nobody holds at the moment."""
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
