"""Several records at once: the same checks for each, one transaction, and no statement more for a longer batch."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entry.door import Locked, NotFound, Rejected, Row, Stale, save_record, save_rows, set_lock
from review.models import Query
from tests.entering import correct, enter, fill
from trial import audit
from trial.integrity import history_model
from visits.models import Haematology, VitalSigns

pytestmark = [pytest.mark.django_db]
VITALS = {"vs_dt": "2026-01-05 08:00", "timepoint": "VISIT", "temp_c": "36.8", "temp_route": "AXILLARY"}


def new(subject: Any, **answers: Any) -> Row:
    return Row(fill(VitalSigns(subject=subject, visit="D1"), **{**VITALS, **answers}), None)


def stored(li: Any, subject: Any) -> list[Any]:
    with audit.reading(li):
        return list(VitalSigns.objects.filter(subject=subject).order_by("sequence"))


def test_the_good_rows_are_saved_and_each_refusal_stands_in_its_row(subject: Any, li: Any) -> None:
    stale = enter(subject, VitalSigns, li, "D1", **VITALS).record
    correct(stale, li, temp_c="36.9")
    rows = save_rows(
        [
            new(subject, temp_c="36.5"),
            new(subject, temp_c="385"),
            Row(fill(stale, temp_c="37.5"), 1),
            new(subject, temp_c="41.6"),
        ],
        by=li,
        reason="source corrected",
    )
    assert [type(row.refused) for row in rows] == [type(None), Rejected, Stale, type(None)]
    assert [str(row.temp_c) for row in stored(li, subject)] == ["36.9", "36.5", "41.6"]
    assert [row.sequence for row in stored(li, subject)] == [1, 2, 3]
    assert rows[3].saved is not None and [d.field for d in rows[3].saved.doubts] == ["temp_c"]


def test_a_batch_is_one_transaction_and_leaves_one_history_row_each(subject: Any, li: Any) -> None:
    rows = save_rows([new(subject) for _ in range(3)], by=li)
    with audit.reading(li):
        past = list(history_model(VitalSigns).objects.filter(id__in=[row.record.pk for row in rows]))
    assert len(past) == 3 and len({row.xid for row in past}) == 1


def test_as_a_whole_one_refusal_keeps_everything_out(subject: Any, li: Any) -> None:
    with pytest.raises(Rejected):
        save_rows([new(subject), new(subject, temp_c="385")], by=li, whole=True)
    assert stored(li, subject) == []


def test_a_change_without_a_reason_is_refused_row_by_row(subject: Any, li: Any) -> None:
    record = enter(subject, VitalSigns, li, "D1", **VITALS).record
    rows = save_rows([Row(fill(record, temp_c="37.9"), 1), new(subject)], by=li)
    assert isinstance(rows[0].refused, Rejected) and rows[0].refused.problems[0].field == "reason"
    assert len(stored(li, subject)) == 2


def test_locked_rows_and_foreign_subjects(subject: Any, li: Any, actor: Any, new_subject: Any) -> None:
    record = enter(subject, VitalSigns, li, "D1", **VITALS).record
    set_lock(record, "FROZEN", by=actor("data_manager_qian"), reason="data cut")
    (row,) = save_rows([Row(fill(record, temp_c="37.9"), 2)], by=li, reason="late")
    assert isinstance(row.refused, Locked)
    with pytest.raises(NotFound):
        save_rows([new(subject)], by=actor("coordinator_elsewhere"))
    with pytest.raises(ValueError, match="one subject"):
        save_rows([new(subject), new(new_subject())], by=li)


def test_a_longer_batch_asks_nothing_more_than_its_own_writes(subject: Any, li: Any) -> None:
    def statements(size: int) -> int:
        rows = []
        for number in range(size):
            record = Haematology(subject=subject, visit=f"D{number}")
            rows.append(Row(fill(record, lb_dt=f"2026-01-{number + 1:02d} 08:00", plt="180"), None))
        with CaptureQueriesContext(connection) as captured:
            save_rows(rows, by=li)
        assert all(row.saved for row in rows), [row.refused for row in rows]
        told = [q["sql"] for q in captured.captured_queries]
        for row in rows:
            with audit.reading(li):
                row.record.refresh_from_db()
            save_record(fill_retracted(row.record), by=li, reason="test", seen=1)
        return sum(
            1 for sql in told if not sql.startswith(("SAVEPOINT", "RELEASE", "INSERT", "BEGIN", "COMMIT"))
        )

    assert statements(2) == statements(12)


def fill_retracted(record: Any) -> Any:
    record.retracted = True
    return record


def test_a_question_that_closed_by_itself_opens_again_with_its_doubt(subject: Any, li: Any) -> None:
    record = enter(subject, VitalSigns, li, "D1", **{**VITALS, "temp_c": "41.6"}).record

    def state() -> str:
        with audit.reading(li):
            return str(Query.objects.get(record_id=record.pk, field="temp_c").status)

    assert state() == "OPEN"
    record = correct(record, li, temp_c="37").record
    assert state() == "CLOSED"
    correct(record, li, temp_c="41.6")
    assert state() == "OPEN"
