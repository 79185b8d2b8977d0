"""Production starts only when the self-check finds no fault: asked of real processes, on a real database."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core import checks
from django.db import connection, models
from django.test.utils import isolate_apps
from psycopg.conninfo import make_conninfo

from tests.conftest import owner_connection
from trial import checks_system
from trial.audit_sql import WriteHistory
from trial.item import item
from trial.record import Audited, Record
from visits.models import Ecog

LONG_KEY = "a-secret-key-of-more-than-forty-characters-for-this-test-only"
SERVE = ("-c", "import config.wsgi; print('serving')")
SELFCHECK = ("manage.py", "selfcheck")


def in_production(*command: str, **changed: str) -> "subprocess.CompletedProcess[str]":
    """Run Python as the production web would, as edc_app on the test database; "" takes a variable away."""
    told = connection.settings_dict
    parts = {"dbname": told["NAME"], "user": told["USER"], "password": told["PASSWORD"]}
    parts |= {"host": told["HOST"], "port": told["PORT"]}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("EDC_", "DATABASE_"))},
        "EDC_ENV": "production",
        "EDC_SECRET_KEY": LONG_KEY,
        "EDC_ALLOWED_HOSTS": "edc.example.org",
        "DATABASE_URL": make_conninfo(**{name: value for name, value in parts.items() if value}),
        **changed,
    }
    return subprocess.run(
        [sys.executable, *command],
        env={name: value for name, value in environment.items() if value},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def audit_switched_off() -> Iterator[str]:
    """The history trigger of one form is disabled for a while, by the only role that can; gives its name."""
    table, trigger = Ecog._meta.db_table, WriteHistory().get_pgid(Ecog)
    with owner_connection() as owner:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        try:
            yield trigger
        finally:
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


def faults(told: str, start: str) -> list[str]:
    """The lines that name a fault."""
    return [line.removeprefix(start) for line in told.splitlines() if line.startswith(start)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-83")
def test_with_a_long_key_and_a_sound_database_it_starts_as_the_web_role() -> None:
    assert connection.settings_dict["USER"] == "edc_app"
    started = in_production(*SERVE)
    assert (started.returncode, started.stdout) == (0, "serving\n"), started.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-83")
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"EDC_SECRET_KEY": ""}, "set EDC_SECRET_KEY to at least 40 random characters"),
        ({"EDC_SECRET_KEY": "short"}, "set EDC_SECRET_KEY to at least 40 random characters"),
        ({"EDC_DEBUG": "1"}, "DEBUG is on: unset EDC_DEBUG"),
        ({"EDC_ALLOWED_HOSTS": "*"}, "list the real ones in EDC_ALLOWED_HOSTS"),
    ],
)
def test_a_setting_that_is_no_good_stops_the_start_and_is_named(changed: dict[str, str], named: str) -> None:
    refused = in_production(*SERVE, **changed)
    assert refused.returncode != 0 and "serving" not in refused.stdout
    assert "The system does not start:" in refused.stderr
    (fault,) = faults(refused.stderr, "- ")
    assert named in fault
    assert "Traceback" not in refused.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-83")
def test_an_audit_trigger_that_is_switched_off_stops_the_start_and_is_named() -> None:
    with audit_switched_off() as trigger:
        refused = in_production(*SERVE)
    assert refused.returncode != 0 and "serving" not in refused.stdout
    (fault,) = faults(refused.stderr, "- ")
    assert trigger in fault and "visits_ecog" in fault
    assert in_production(*SERVE).returncode == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-83")
def test_the_owner_of_the_tables_may_not_serve() -> None:
    with owner_connection() as owner:
        address = make_conninfo(os.environ["DATABASE_OWNER_URL"], dbname=owner.info.dbname)
    refused = in_production(*SERVE, DATABASE_URL=address)
    assert refused.returncode != 0
    assert any("owns the table" in fault or "superuser" in fault for fault in faults(refused.stderr, "- "))


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-83")
def test_selfcheck_says_that_all_is_well() -> None:
    told = in_production(*SELFCHECK)
    assert (told.returncode, told.stdout) == (0, "all is well\n"), told.stdout + told.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-83")
def test_selfcheck_prints_every_fault_and_ends_with_4() -> None:
    with audit_switched_off() as trigger:
        told = in_production(*SELFCHECK, EDC_SECRET_KEY="", EDC_DEBUG="1")
    assert told.returncode == 4
    key, debug, audit = faults(told.stdout, "FAULT ")
    assert "EDC_SECRET_KEY" in key and "EDC_DEBUG" in debug and trigger in audit
    assert "3 faults" in told.stderr and "all is well" not in told.stdout


@pytest.mark.django_db(transaction=True)
def test_selfcheck_tells_a_database_that_does_not_answer_from_a_fault() -> None:
    told = in_production(
        *SELFCHECK, DATABASE_URL=make_conninfo(host="/nowhere", dbname="edc", user="edc_app")
    )
    assert told.returncode == 1
    assert "The database does not answer" in told.stderr
    assert not re.search("Traceback|FAULT", told.stdout + told.stderr)


# --- the checks of the forms themselves ---------------------------------------------------------------------------


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Models made here are real, but stand in a registry of their own, which the checks look at instead."""
    import pgtrigger.registry
    from simple_history.models import registered_models

    import trial.models as module

    kept = [pgtrigger.registry._registry, registered_models, vars(module)]
    before = [set(one) for one in kept]
    with isolate_apps("trial") as apps:
        monkeypatch.setattr(checks_system, "apps", apps)
        yield apps
    triggers, histories, names = (set(now) - then for now, then in zip(kept, before, strict=True))
    for uri in triggers:
        pgtrigger.registry.delete(uri)
    for table in histories:
        del registered_models[table]
    for name in names:
        delattr(module, name)


def throwaway(name: str, parent: Any, meta_of: tuple[Any, ...], fields: Any = None, **meta: Any) -> Any:
    """A model class as a form's module would state it; its Meta inherits from `meta_of`."""
    stated = type("Meta", meta_of, {"app_label": "trial", **meta})
    return type(name, (parent,), {"__module__": "trial.models", "Meta": stated, **(fields or {})})


def found() -> list[tuple[str, str]]:
    """What the two checks say: id and message."""
    errors = [
        *checks_system.every_audited_model_has_its_triggers(None),
        *checks_system.every_field_of_a_form_is_an_item(None),
    ]
    return [(str(error.id), str(error.msg)) for error in errors]


def test_the_models_of_the_study_pass_the_checks_at_start_up() -> None:
    assert found() == []
    registered = checks.registry.registry.get_checks()
    assert checks_system.every_audited_model_has_its_triggers in registered
    assert checks_system.every_field_of_a_form_is_an_item in registered


@pytest.mark.req("R-11")
def test_a_form_whose_meta_inherits_and_whose_fields_are_items_passes(registry: Any) -> None:
    remark = item(models.CharField(max_length=20), en="Remark", zh="备注")
    model = throwaway("Spoken", Record, (Record.Meta,), {"remark": remark})
    assert model in registry.get_models()
    assert found() == []


@pytest.mark.req("R-11")
def test_a_meta_that_forgets_its_parents_is_e001(registry: Any) -> None:
    half = [trigger for trigger in Audited.Meta.triggers if trigger.name != WriteHistory.name]
    made = [
        throwaway("Forgetful", Audited, ()),
        throwaway("HalfForgetful", Audited, (Audited.Meta,), triggers=half),
    ]
    assert made == [model for model in registry.get_models() if issubclass(model, Audited)]
    assert found() == [
        ("edc.E001", "trial.Forgetful has no audit triggers."),
        ("edc.E001", "trial.HalfForgetful has no audit triggers."),
    ]


@pytest.mark.req("R-11")
def test_a_column_that_says_not_what_it_means_is_e002(registry: Any) -> None:
    model = throwaway("Mute", Record, (Record.Meta,), {"remark": models.CharField(max_length=20)})
    assert model in registry.get_models()
    assert found() == [("edc.E002", "trial.Mute.remark has no item().")]


@pytest.mark.req("R-11")
def test_what_these_tests_made_is_gone() -> None:
    import pgtrigger

    names = [model._meta.object_name for model, _ in pgtrigger.registered()]
    assert not {"Spoken", "Mute", "Forgetful", "HalfForgetful"} & set(names)
