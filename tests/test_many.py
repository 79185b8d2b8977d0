"""Many rows in one statement: what is written is what was given, with history and ledger as for any other write."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from safety.models import Derivation, Deviation
from trial import audit
from trial.fields import uuid7
from trial.ledger_models import LedgerEntry
from trial.many import Written, insert
from trial.people import system_actor

pytestmark = [pytest.mark.django_db]
ODD = '"quoted", \\ back\nline, 患者, ½, {"not": "JSON"}'
AT = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)


def row(subject: Any, key: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "version": 1,
        "subject_id": subject.pk,
        "site_id": subject.site_id,
        "name": "bsa",
        "key": key,
        "form": "",
        "record_id": None,
        "on": None,
        "value": {},
        "inputs": [],
        "input_hash": "",
        "method": "M",
        "protocol_version": "1.0",
        "digest": "",
        "differs": False,
        "stands": True,
        "computed_at": AT,
        **changed,
    }


@pytest.mark.parametrize(
    ("column", "given"),
    [
        ("form", ODD[:40]),
        ("value", {"said": ODD, "number": "1.50", "none": None, "list": [1, "b"], "yes": True}),
        ("inputs", [{"field": "bsa", "value": ODD, "version": 3}]),
        ("on", date(2024, 2, 29)),
        ("record_id", uuid7()),
        ("differs", True),
        ("computed_at", AT),
    ],
)
def test_what_is_given_is_what_stands(subject: Any, column: str, given: Any) -> None:
    by = system_actor()
    with audit.transaction(by):
        insert(Derivation, [row(subject, "other"), row(subject, "this", **{column: given})])
        there = {one.key: one for one in Derivation.objects.filter(subject_id=subject.pk)}
        this = next(one for key, one in there.items() if key != "other")
        assert getattr(this, column) == given
        assert len(there) == 2 and there["other"].value == {} and there["other"].record_id is None


def test_text_that_is_written_already_is_not_written_again(subject: Any) -> None:
    with audit.transaction(system_actor()):
        insert(Derivation, [row(subject, "", value=Written('{"a":[1.50,"b"]}'))])
        assert Derivation.objects.get(subject_id=subject.pk).value == {"a": [1.50, "b"]}


def test_every_row_has_its_history_and_its_place_in_the_chain(subject: Any) -> None:
    by = system_actor()
    with audit.transaction(by, "said why"):
        before = LedgerEntry.objects.filter(chain=subject.pk).count()
        insert(Derivation, [row(subject, str(n)) for n in range(3)])
        history = Derivation.history.filter(subject_id=subject.pk)
        assert [(h.key, h.history_type, h.history_change_reason) for h in history.order_by("history_id")] == [
            (str(n), "+", "said why") for n in range(3)
        ]
        assert LedgerEntry.objects.filter(chain=subject.pk).count() == before + 3
        assert all(one.entered_at and one.version == 1 for one in Derivation.objects.all())


def test_more_rows_than_one_statement_takes(subject: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("trial.many.BATCH", 2)
    with audit.transaction(system_actor()):
        insert(Derivation, [row(subject, str(n)) for n in range(5)])
        assert Derivation.objects.filter(subject_id=subject.pk).count() == 5
        insert(Derivation, [])
        assert Derivation.objects.filter(subject_id=subject.pk).count() == 5


def test_a_row_that_is_there_is_refused_and_nobody_writes_unnamed(subject: Any) -> None:
    with audit.transaction(system_actor()):
        insert(Derivation, [row(subject, "")])
        with pytest.raises(IntegrityError, match="one_derivation_per_key"), transaction.atomic():
            insert(Derivation, [row(subject, "")])
    with pytest.raises(IntegrityError, match="nobody is named"), audit.reading(system_actor()):
        insert(Derivation, [row(subject, "another")])


def test_a_model_of_which_nothing_is_given_but_what_it_asks_for(subject: Any) -> None:
    """A flag has columns of text, identifiers and JSON; what is not named takes the database's default."""
    flag = {
        "id": uuid7(),
        "version": 1,
        "subject_id": subject.pk,
        "site_id": subject.site_id,
        "rule_id": "DV-01",
        "key": "k",
        "status": "OPEN",
        "severity": "MAJOR",
        "form": "infusion",
        "record_id": None,
        "field": "",
        "message_en": ODD,
        "message_zh": "异基因",
        "citation": "registry I-01(2)",
        "basis": "registry",
        "evidence": {"facts": [], "limit": "3 months"},
        "protocol_version": "1.0",
        "detected_at": AT,
    }
    with audit.transaction(system_actor()):
        insert(Deviation, [flag])
        there = Deviation.objects.get(subject_id=subject.pk)
        assert {name: getattr(there, name) for name in flag} == flag and there.cleared_at is None
