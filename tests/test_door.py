"""The one door: what it refuses, what it saves and asks about, and what it never loses."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dosing.models import Infusion
from entry.door import (
    Forbidden,
    Locked,
    NotFound,
    Rejected,
    Stale,
    create_subject,
    retract_record,
    save_record,
    set_lock,
)
from review import queries
from review.models import Query
from subjects.models import Demographics, DiseaseHistory, PriorTransplant
from tests.entering import correct, enter, fill
from trial import audit
from visits.models import Chemistry, Ecog, Haematology, VitalSigns

pytestmark = [pytest.mark.django_db]


def problems_of(call: Any) -> dict[str, str]:
    """Field → code of what the door refuses."""
    with pytest.raises(Rejected) as refused:
        call()
    return {p.field: p.code for p in refused.value.problems}


def open_queries(record: Any, by: Any) -> dict[str, str]:
    """Field → check of the record's queries that are not closed."""
    with audit.reading(by):
        return dict(
            Query.objects.filter(record_id=record.pk)
            .exclude(status="CLOSED")
            .values_list("field", "check_id")
        )


def test_the_impossible_is_refused_with_the_likely_fix(subject: Any, li: Any) -> None:
    with pytest.raises(Rejected) as refused:
        enter(subject, VitalSigns, li, "SCR", vs_dt="2026-01-05 08:00", temp_c="385")
    (problem,) = [p for p in refused.value.problems if p.field == "temp_c"]
    assert (problem.code, problem.value, problem.fix) == (
        "impossible",
        "385",
        "38.5",
    ) and "25" in problem.limit
    with audit.reading(li):
        assert not VitalSigns.objects.exists() and not VitalSigns.history.exists()


def test_the_unlikely_is_saved_and_asked_about(subject: Any, li: Any) -> None:
    saved = enter(subject, VitalSigns, li, "SCR", vs_dt="2026-01-05 08:00", temp_c="41.5")
    assert saved.record.version == 1 and open_queries(saved.record, li)["temp_c"] == "soft.temp_c"


@pytest.mark.req("R-06")
def test_correcting_the_unlikely_closes_its_query_and_needs_a_reason(subject: Any, li: Any) -> None:
    record = enter(subject, VitalSigns, li, "SCR", vs_dt="2026-01-05 08:00", temp_c="41.5").record
    assert problems_of(lambda: save_record(fill(record, temp_c="36.5"), by=li, seen=1)) == {
        "reason": "required"
    }
    correct(record, li, temp_c="36.5")
    assert "temp_c" not in open_queries(record, li)


def test_a_query_the_monitor_closed_stays_closed_until_the_value_changes(
    subject: Any, li: Any, wu: Any
) -> None:
    record = enter(subject, VitalSigns, li, "SCR", vs_dt="2026-01-05 08:00", temp_c="41.5").record
    with audit.reading(wu):
        query = Query.objects.get(record_id=record.pk, field="temp_c")
    queries.close(query.pk, "confirmed in the source", by=wu)
    again = correct(record, li, pulse="80").record
    assert "temp_c" not in open_queries(again, li)
    correct(again, li, temp_c="41.8")
    assert open_queries(again, li)["temp_c"] == "soft.temp_c"


def test_what_is_missing_on_a_completed_form_is_a_query_not_a_refusal(subject: Any, li: Any) -> None:
    saved = enter(subject, Ecog, li, "SCR", status="COMPLETE", ecog_date="2026-01-05")
    assert open_queries(saved.record, li) == {"ecog": "missing.ecog"}


def test_a_reason_for_what_is_missing_answers_the_query(subject: Any, li: Any) -> None:
    saved = enter(subject, Ecog, li, "SCR", status="COMPLETE", ecog_date="2026-01-05")
    saved.record.missing = {"ecog": "NOT_DONE"}
    save_record(saved.record, by=li, reason="not assessed", seen=1)
    assert open_queries(saved.record, li) == {}


def test_an_answer_and_a_reason_for_its_absence_contradict(subject: Any, li: Any) -> None:
    record = fill(Ecog(subject=subject, visit="SCR"), ecog_date="2026-01-05", ecog="1")
    record.missing = {"ecog": "NOT_DONE"}
    assert problems_of(lambda: save_record(record, by=li)) == {"ecog": "answered_and_missing"}


def test_filling_blanks_of_a_draft_is_still_first_entry(subject: Any, li: Any) -> None:
    record = enter(subject, Ecog, li, "SCR", ecog_date="2026-01-05").record
    saved = save_record(fill(record, ecog="1"), by=li, seen=1)
    with audit.reading(li):
        assert Ecog.history.filter(id=saved.record.pk).first().history_change_reason == "entry continued"


@pytest.mark.req("R-22")
def test_a_stale_version_is_refused_with_both_values(subject: Any, li: Any) -> None:
    record = enter(subject, Ecog, li, "SCR", ecog_date="2026-01-05", ecog="1").record
    correct(record, li, ecog="2")
    with pytest.raises(Stale) as refused:
        save_record(
            fill(Ecog(pk=record.pk, subject=subject, visit="SCR"), ecog_date="2026-01-05", ecog="0"),
            by=li,
            reason="x",
            seen=1,
        )
    assert refused.value.differences["ecog"] == ("2", "0") and refused.value.current.version == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-22")
def test_of_two_writers_at_once_one_wins_and_the_other_is_told(subject: Any, li: Any) -> None:
    record = enter(subject, Ecog, li, "SCR", ecog_date="2026-01-05", ecog="0").record
    outcomes: list[str] = []

    def write(value: str, barrier: threading.Barrier) -> None:
        mine = fill(Ecog(pk=record.pk, subject=subject, visit="SCR"), ecog_date="2026-01-05", ecog=value)
        barrier.wait()
        try:
            save_record(mine, by=li, reason="typing", seen=1)
            outcomes.append("saved")
        except Stale:
            outcomes.append("stale")
        finally:
            connection.close()

    barrier = threading.Barrier(4)
    writers = [threading.Thread(target=write, args=(str(n % 2 + 1), barrier)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == ["saved", "stale", "stale", "stale"]


def test_saving_what_is_already_there_changes_nothing(subject: Any, li: Any) -> None:
    record = enter(subject, Ecog, li, "SCR", ecog_date="2026-01-05", ecog="1").record
    saved = correct(record, li, ecog="1")
    assert not saved.changed and saved.record.version == 1


def test_one_form_per_visit_and_one_per_subject(subject: Any, li: Any) -> None:
    enter(subject, Ecog, li, "SCR", ecog_date="2026-01-05")
    enter(subject, Ecog, li, "D28", ecog_date="2026-03-05")
    assert problems_of(lambda: enter(subject, Ecog, li, "SCR", ecog_date="2026-01-06")) == {"": "exists"}
    enter(subject, Demographics, li, sex="F")
    assert problems_of(lambda: enter(subject, Demographics, li, sex="M")) == {"": "exists"}
    assert problems_of(lambda: enter(subject, Haematology, li, "")) == {"visit": "required"}


def test_rows_of_a_log_are_numbered(subject: Any, li: Any) -> None:
    numbers = [enter(subject, PriorTransplant, li, sct_date=f"202{n}").record.sequence for n in range(3)]
    assert numbers == [1, 2, 3]


@pytest.mark.req("R-14")
def test_a_retracted_record_stays_and_makes_room(subject: Any, li: Any) -> None:
    record = enter(subject, Demographics, li, sex="F").record
    assert problems_of(lambda: retract_record(record, by=li, reason="", seen=1)) == {"reason": "required"}
    retract_record(record, by=li, reason="wrong subject", seen=1)
    enter(subject, Demographics, li, sex="M")
    with audit.reading(li):
        assert Demographics.objects.filter(subject=subject).count() == 2


def test_a_locked_record_is_refused_until_unlocked(subject: Any, li: Any, actor: Any) -> None:
    record = enter(subject, Ecog, li, "SCR", ecog_date="2026-01-05", ecog="1").record
    manager = actor("data_manager_qian")
    with pytest.raises(Forbidden):
        set_lock(record, "LOCKED", by=li, reason="why not")
    set_lock(record, "LOCKED", by=manager, reason="soft lock")
    with pytest.raises(Locked):
        save_record(fill(record, ecog="2"), by=li, reason="late", seen=2)
    set_lock(record, "OPEN", by=manager, reason="correction agreed")
    assert save_record(fill(record, ecog="2"), by=li, reason="late", seen=3).record.version == 4


@pytest.mark.req("R-32")
@pytest.mark.parametrize(
    "who", ["monitor_wu", "data_manager_qian", "statistician_sun", "auditor_zhou", "admin_he"]
)
def test_the_sponsors_people_enter_nothing(who: str, subject: Any, actor: Any) -> None:
    with pytest.raises(Forbidden):
        enter(subject, Ecog, actor(who), "SCR", ecog_date="2026-01-05")
    with pytest.raises(Forbidden):
        create_subject("01-998", subject.site, by=actor(who))


@pytest.mark.req("R-45")
def test_another_sites_subject_does_not_exist(subject: Any, actor: Any) -> None:
    with pytest.raises(NotFound):
        enter(subject, Ecog, actor("coordinator_elsewhere"), "SCR", ecog_date="2026-01-05")
    with pytest.raises(Forbidden):
        create_subject("01-997", subject.site, by=actor("coordinator_elsewhere"))


@pytest.mark.req("R-45")
def test_a_link_must_stay_within_the_subject(subject: Any, new_subject: Any, li: Any) -> None:
    from dosing.models import Manufacturing

    other = enter(new_subject(), Manufacturing, li, batch_no="B-1").record
    assert problems_of(lambda: enter(subject, Infusion, li, batch=str(other.pk))) == {
        "batch": "no_such_record"
    }


@pytest.mark.parametrize("number", ["1", "01-1", "02-001", "01-0001", "S001", "01-００1"])
def test_a_screening_number_has_the_sites_form(number: str, site: Any, li: Any) -> None:
    assert problems_of(lambda: create_subject(number, site, by=li)) == {"subjid": "format"}


def test_a_screening_number_is_never_used_again(subject: Any, site: Any, li: Any) -> None:
    assert problems_of(lambda: create_subject(subject.subjid, site, by=li)) == {"subjid": "taken"}


def test_units_are_normalised_and_what_was_typed_is_kept(subject: Any, li: Any) -> None:
    saved = enter(
        subject,
        Chemistry,
        li,
        "SCR",
        lb_dt="2026-01-05 08:00",
        creatinine="１．５０",
        creatinine_unit="mg/dL",
        crp="<0.5",
    )
    record = saved.record
    assert (str(record.creatinine_value), record.creatinine_si, record.typed["creatinine_value"]) == (
        "1.50",
        record.creatinine_value * 884 / 10,
        "１．５０",
    )
    assert (record.crp_qual, str(record.crp_value), record.typed["crp_value"]) == ("<", "0.5", "<0.5")


@pytest.mark.req("R-18")
def test_what_was_entered_is_what_is_stored(subject: Any, li: Any) -> None:
    pk = enter(
        subject, Chemistry, li, "SCR", lb_dt="2026-01-05 08:00", potassium="4.10", alt="0007"
    ).record.pk
    with audit.reading(li):
        stored = Chemistry.objects.get(pk=pk)
    assert (str(stored.potassium_value), str(stored.alt_value)) == ("4.10", "7")


def test_an_answer_the_skip_logic_does_not_ask_for_is_asked_about(subject: Any, li: Any) -> None:
    saved = enter(subject, Demographics, li, sex="M", childbearing_potential="YES")
    assert open_queries(saved.record, li).get("childbearing_potential") == "skip.childbearing_potential"


def test_a_form_not_done_needs_a_reason_and_holds_no_answers(subject: Any, li: Any) -> None:
    record = fill(Ecog(subject=subject, visit="SCR"), ecog="1")
    record.not_done = True
    assert problems_of(lambda: save_record(record, by=li)) == {
        "not_done_reason": "required",
        "not_done": "answered_and_missing",
    }
    empty = Ecog(subject=subject, visit="SCR", not_done=True, not_done_reason="EQUIPMENT")
    assert save_record(empty, by=li).changed


def test_a_save_takes_at_most_eight_statements(subject: Any, li: Any) -> None:
    with CaptureQueriesContext(connection) as first:
        record = enter(subject, DiseaseHistory, li, prior_allo_sct="NO").record
    with CaptureQueriesContext(connection) as second:
        correct(record, li, prior_allo_sct="YES")
    assert len(first) <= 8 and len(second) <= 8, (len(first), len(second))
