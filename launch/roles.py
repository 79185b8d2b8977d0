"""The three people who may enter the database: its owner, the web processes and the workers.

edc_owner    owns the tables and changes them (migrations); may create the test database
edc_app      web processes: bound by row-level security, may not touch the audit trail
edc_worker   background work: an identity of its own, so the audit trail tells it from people
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from launch.places import private_file
from launch.trouble import Trouble

DATABASE = "edc"
OWNER = "edc_owner"
APP = "edc_app"
WORKER = "edc_worker"

Connection = psycopg.Connection[tuple[object, ...]]


def passwords(file: Path, roles: tuple[str, ...]) -> dict[str, str]:
    """Return the password of each role, making up those that `file` does not hold yet.

    Raises Trouble when the file cannot be understood.
    """
    try:
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    except ValueError:
        raise Trouble(
            f"{file} is damaged; restore it from a copy, since it holds the database's passwords."
        ) from None
    missing = [role for role in roles if role not in known]
    if missing:
        known |= {role: secrets.token_urlsafe(24) for role in missing}
        private_file(file, json.dumps(known, indent=1))
    return known


def url(parts: Mapping[str, object], user: str | None = None, password: str | None = None) -> str:
    """Write connection parameters as a URL that libpq, psycopg and Django's settings understand.

    `user` and `password` replace those in `parts`. A socket folder goes into the query, as libpq wants it.
    """
    rest = {name: str(value) for name, value in parts.items() if value not in (None, "")}
    who = quote(user or rest.get("user", ""), safe="")
    word = password if user else rest.get("password")
    login = (f"{who}:{quote(word, safe='')}" if word else who) + "@" if who else ""
    host = rest.get("host", "")
    database = quote(rest.get("dbname", ""), safe="")
    for name in ("user", "password", "dbname"):
        rest.pop(name, None)
    place = ""
    if host and not host.startswith("/") and "," not in host:
        place = f"[{host}]" if ":" in host else host
        port = rest.pop("port", "")
        place += f":{port}" if port else ""
        rest.pop("host")
    query = urlencode(rest, safe="/,", quote_via=quote)
    return f"postgresql://{login}{place}/{database}" + (f"?{query}" if query else "")


def create_owner(connection: Connection, password: str) -> None:
    """Make the owner's role and its database, on a server of our own. Does nothing when both are there."""
    if not _exists(connection, "pg_roles", "rolname", OWNER):
        _create(connection, OWNER, password, "NOSUPERUSER NOBYPASSRLS CREATEDB CREATEROLE")
    if not _exists(connection, "pg_database", "datname", DATABASE):
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
        )


def create_users(owner_url: str, words: Mapping[str, str]) -> None:
    """Make the two login roles through the owner's connection, or set their passwords when they differ.

    Raises Trouble when the owner may not, or when a role could get round row-level security.
    """
    try:
        with psycopg.connect(owner_url, autocommit=True, connect_timeout=5) as connection:
            for role in (APP, WORKER):
                _create_user(connection, owner_url, role, words[role])
    except psycopg.errors.InsufficientPrivilege as error:
        raise Trouble(
            f"The owner in DATABASE_URL may not manage the roles {APP} and {WORKER} ({first_line(error)}): "
            "grant it CREATEROLE, or create them and set DATABASE_OWNER_URL and DATABASE_WORKER_URL too."
        ) from error


def _create_user(connection: Connection, owner_url: str, role: str, password: str) -> None:
    """Bring one login role into the state that the study needs."""
    if not _exists(connection, "pg_roles", "rolname", role):
        _create(connection, role, password, "NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE")
    elif not _opens(owner_url, role, password):
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
        )
    _check_bounds(connection, role)
    may = "SET" if connection.info.server_version >= 160000 else "MEMBER"
    able = connection.execute("SELECT pg_has_role(current_user, %s, %s)", (role, may)).fetchone()
    if able != (True,):  # SET ROLE lets the owner look at the study as this role does
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


def _create(connection: Connection, role: str, password: str, rights: str) -> None:
    """Create a login role with exactly these rights."""
    connection.execute(
        sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
            sql.Identifier(role), sql.SQL(rights), sql.Literal(password)
        )
    )


def drop_database(connection: Connection, name: str) -> None:
    """Drop a database, whoever is connected to it. `connection` belongs to its owner and is on another one.

    WITH (FORCE) would be refused whenever autovacuum is at work there, because that is nobody's to end; a plain
    DROP sends autovacuum away itself and waits for those who were told to go.
    """
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = %s AND backend_type = 'client backend'",
        (name,),
    )
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _exists(connection: Connection, table: str, column: str, name: str) -> bool:
    """Tell whether one of PostgreSQL's own tables names `name`."""
    question = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
    return connection.execute(question, (name,)).fetchone() is not None


def _check_bounds(connection: Connection, role: str) -> None:
    """Raise Trouble when a role that the study binds by rules could walk round them."""
    found = connection.execute(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = %s", (role,)
    ).fetchone()
    if found == (True,):
        raise Trouble(
            f"The role {role} is above the rules; run: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS NOCREATEROLE"
        )


def _opens(owner_url: str, role: str, password: str) -> bool:
    """Tell whether a role can sign in with this password."""
    try:
        psycopg.connect(as_role(owner_url, role, password), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def as_role(address: str, role: str, password: str) -> str:
    """Return the same address for another role."""
    return url(conninfo_to_dict(address), role, password)


def check(address: str, name: str) -> None:
    """Raise Trouble, naming the variable `name`, when the database at `address` does not answer in 5 s."""
    try:
        parts = conninfo_to_dict(address)
        psycopg.connect(make_conninfo(address, connect_timeout=5)).close()
    except psycopg.ProgrammingError as error:
        raise Trouble(f"{name} is not the address of a PostgreSQL database: {first_line(error)}.") from error
    except psycopg.OperationalError as error:
        place = f"{parts.get('host', 'localhost')}, port {parts.get('port', 5432)}"
        raise Trouble(f"The database of {name} ({place}) cannot be used: {first_line(error)}.") from error


def first_line(error: psycopg.Error) -> str:
    """Return what the driver says, on one line, without a closing stop."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
