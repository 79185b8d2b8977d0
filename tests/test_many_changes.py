"""Many rows changed in one statement are changed as one by one: values of every kind, history, and nobody else's rows."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.entering import enter
from trial import audit
from trial.integrity import history_model
from trial.many_changes import update_many
from visits.models import CrsAssessment, Haematology

pytestmark = pytest.mark.django_db
DAY = "2026-01-05 08:00"


def columns(model: Any, *names: str) -> list[Any]:
    return [model._meta.get_field(name) for name in names]


def test_texts_numbers_lists_marks_days_and_nothing_at_all_are_written(subject: Any, li: Any) -> None:
    rows = [
        enter(subject, CrsAssessment, li, f"D{n}", assess_dt=DAY, temp_c="39", vasopressors=["NONE"]).record
        for n in (1, 2, 3)
    ]
    told: list[dict[str, Any]] = [
        {"temp_c": Decimal("40.1"), "vasopressors": ["NOREPINEPHRINE", "VASOPRESSIN"], "missing": {}},
        {"temp_c": None, "vasopressors": [], "missing": {"temp_c": "EQUIPMENT"}},
        {"temp_c": Decimal("37"), "vasopressors": ["NONE"], "missing": {"x": "it's “so”, 100 %s"}},
    ]
    for row, values in zip(rows, told, strict=True):
        row.not_done_reason = ""
        row.assess_dt = None if values["temp_c"] is None else row.assess_dt
        for name, value in values.items():
            setattr(row, name, value)
    with audit.transaction(li, "many"):
        changed = columns(CrsAssessment, "temp_c", "vasopressors", "missing", "assess_dt")
        with CaptureQueriesContext(connection) as captured:
            assert update_many(rows, changed) == 3
        assert len(captured.captured_queries) == 1
    with audit.reading(li):
        stored = {row.visit: row for row in CrsAssessment.objects.filter(subject=subject)}
        past = history_model(CrsAssessment).objects.filter(subject_id=subject.pk, version=2)
        assert {row.history_change_reason for row in past} == {"many"} and past.count() == 3
    for n, values in enumerate(told, 1):
        found = stored[f"D{n}"]
        assert {name: getattr(found, name) for name in values} == values and found.version == 2
        assert (found.assess_dt is None) is (n == 2)


def test_what_does_not_change_makes_no_version(subject: Any, li: Any) -> None:
    rows = [enter(subject, Haematology, li, f"D{n}", lb_dt=DAY, plt=str(n)).record for n in (1, 2)]
    rows[1].plt_value = Decimal(9)
    with audit.transaction(li, "one of two"):
        update_many(rows, columns(Haematology, "plt_value"))
        assert update_many(rows, []) == 0 and update_many([], columns(Haematology, "plt_value")) == 0
    with audit.reading(li):
        versions = (
            Haematology.objects.filter(subject=subject).order_by("visit").values_list("version", flat=True)
        )
        assert list(versions) == [1, 2]


def test_nobody_is_named_and_nothing_is_written(subject: Any, li: Any) -> None:
    row = enter(subject, Haematology, li, "D1", lb_dt=DAY, plt="1").record
    row.plt_value = Decimal(9)
    with audit.reading(li), pytest.raises(DatabaseError), transaction.atomic():
        update_many([row], columns(Haematology, "plt_value"))


def test_rows_of_another_site_are_not_found(subject: Any, li: Any, actor: Any) -> None:
    row = enter(subject, Haematology, li, "D1", lb_dt=DAY, plt="1").record
    row.plt_value = Decimal(9)
    with audit.transaction(actor("coordinator_elsewhere"), "not mine"):
        assert update_many([row], columns(Haematology, "plt_value")) == 0
