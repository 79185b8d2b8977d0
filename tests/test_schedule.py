"""The schedule of activities: windows, what is due, and what is asked for at each visit."""

import dataclasses
from datetime import date, timedelta

import pytest

from trial.item import Basis
from visits.schedule import (
    LOGS,
    SCHEDULE,
    VISIT_CODES,
    VISITS,
    Anchors,
    State,
    VisitWindow,
    in_window,
    optional_forms,
    required_forms,
    state,
    visit_windows,
)

INFUSED = Anchors(
    icf=date(2026, 3, 1),
    enrol=date(2026, 3, 20),
    apheresis=date(2026, 3, 25),
    planned_d0=date(2026, 4, 20),
    d0=date(2026, 4, 21),
)


def window(code: str, anchors: Anchors = INFUSED) -> VisitWindow:
    """The window of one visit."""
    return next(one for one in visit_windows(anchors) if one.code == code)


@pytest.mark.parametrize(
    ("code", "nominal", "low", "high"),
    [
        ("SCR", "2026-03-01", "2026-03-01", "2026-03-29"),
        ("APH", "2026-03-21", "2026-03-21", "2026-04-03"),
        ("LD-5", "2026-04-15", "2026-04-14", "2026-04-16"),
        ("LD-3", "2026-04-17", "2026-04-16", "2026-04-18"),
        ("D-1", "2026-04-19", "2026-04-18", "2026-04-20"),
        ("D0", "2026-04-21", "2026-04-21", "2026-04-21"),
        ("D7", "2026-04-28", "2026-04-28", "2026-04-28"),
        ("D14", "2026-05-05", "2026-05-05", "2026-05-05"),
        ("D17", "2026-05-08", "2026-05-07", "2026-05-09"),
        ("D21", "2026-05-12", "2026-05-10", "2026-05-14"),
        ("D28", "2026-05-19", "2026-05-17", "2026-05-21"),
        ("M2", "2026-06-21", "2026-06-14", "2026-06-28"),
        ("M3", "2026-07-21", "2026-07-14", "2026-07-28"),
        ("M6", "2026-10-21", "2026-10-07", "2026-11-04"),
        ("M12", "2027-04-21", "2027-04-07", "2027-05-05"),
        ("M15", "2027-07-21", "2027-06-21", "2027-08-20"),
        ("M24", "2028-04-21", "2028-03-22", "2028-05-21"),
        ("Y3", "2029-04-21", "2029-02-20", "2029-06-20"),
        ("Y15", "2041-04-21", "2041-02-20", "2041-06-20"),
    ],
)
def test_window(code: str, nominal: str, low: str, high: str) -> None:
    first, from_, to = (date.fromisoformat(one) for one in (nominal, low, high))
    assert window(code) == VisitWindow(code, first, from_, to)


@pytest.mark.parametrize(
    ("d0", "code", "nominal"),
    [
        ("2025-11-30", "M3", "2026-02-28"),
        ("2023-11-30", "M3", "2024-02-29"),
        ("2025-12-31", "M2", "2026-02-28"),
        ("2024-02-29", "M12", "2025-02-28"),
        ("2024-02-29", "M24", "2026-02-28"),
        ("2024-02-29", "Y4", "2028-02-29"),
    ],
)
def test_months_clamp_to_the_end_of_the_month(d0: str, code: str, nominal: str) -> None:
    assert window(code, Anchors(d0=date.fromisoformat(d0))).nominal == date.fromisoformat(nominal)


@pytest.mark.parametrize(
    ("anchor", "codes"),
    [
        ("icf", {"SCR"}),
        ("enrol", {"APH"}),
        ("apheresis", set()),
        ("planned_d0", {"LD-5", "LD-4", "LD-3", "D-2", "D-1"}),
    ],
)
def test_an_anchor_opens_its_visits_alone(anchor: str, codes: set[str]) -> None:
    found = visit_windows(dataclasses.replace(Anchors(), **{anchor: date(2026, 3, 1)}))
    assert {one.code for one in found if one.nominal} == codes
    assert all(one.low is None and one.high is None for one in found if one.nominal is None)


def test_nothing_after_lymphodepletion_has_a_window_before_the_infusion() -> None:
    planned = visit_windows(dataclasses.replace(INFUSED, d0=None))
    after = {visit.code for visit in SCHEDULE if visit.anchor == "D0"}
    assert all(one.nominal is None for one in planned if one.code in after)


def test_lymphodepletion_hangs_on_the_plan_even_when_the_infusion_was_late() -> None:
    late = dataclasses.replace(INFUSED, d0=date(2026, 4, 23))
    assert window("LD-5", late) == window("LD-5")
    unplanned = dataclasses.replace(INFUSED, planned_d0=None)
    assert window("LD-5", unplanned).nominal == date(2026, 4, 16)


def test_every_day_of_a_window_holds_and_the_days_beside_it_do_not() -> None:
    for one in visit_windows(INFUSED):
        if one.low is None or one.high is None:
            assert in_window(one, date(2026, 4, 21)) is None
            continue
        inside = [one.low + timedelta(days=n) for n in range((one.high - one.low).days + 1)]
        assert all(in_window(one, actual) for actual in inside)
        assert in_window(one, one.low - timedelta(days=1)) is False
        assert in_window(one, one.high + timedelta(days=1)) is False
        assert in_window(one, None) is None


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2026-05-16", State.NOT_DUE),
        ("2026-05-17", State.DUE),
        ("2026-05-21", State.DUE),
        ("2026-05-22", State.OVERDUE),
    ],
)
def test_day_28_becomes_due_and_overdue(today: str, expected: State) -> None:
    assert state(window("D28"), date.fromisoformat(today)) is expected


def test_a_visit_without_window_is_never_due() -> None:
    assert state(window("D28", Anchors()), date(2041, 1, 1)) is State.NOT_DUE
    assert state(window("UNSCHED"), date(2041, 1, 1)) is State.NOT_DUE


@pytest.mark.parametrize(
    ("ended", "d21", "d28", "m2"),
    [
        (None, True, True, True),
        ("2026-05-21", True, True, False),
        ("2026-05-20", True, False, False),
        ("2026-05-14", True, False, False),
        ("2026-05-13", False, False, False),
    ],
)
def test_nothing_is_expected_after_death_or_withdrawal(
    ended: str | None, d21: bool, d28: bool, m2: bool
) -> None:
    day = date.fromisoformat(ended) if ended else None
    anchors = dataclasses.replace(INFUSED, death_or_withdrawal=day)
    assert [window(code, anchors).expected for code in ("D21", "D28", "M2")] == [d21, d28, m2]
    if not m2:
        assert state(window("M2", anchors), date(2041, 1, 1)) is State.NOT_DUE


def test_a_subject_who_withdrew_before_infusion_is_expected_at_no_later_visit() -> None:
    anchors = Anchors(icf=date(2026, 3, 1), death_or_withdrawal=date(2026, 4, 10))
    assert [one.code for one in visit_windows(anchors) if one.expected] == ["SCR"]


def test_codes_are_unique_and_in_the_order_of_time() -> None:
    assert len(VISITS) == len(SCHEDULE) == 48
    assert VISIT_CODES.codes == tuple(VISITS)
    nominal = [one.nominal for one in visit_windows(INFUSED) if one.nominal]
    assert nominal == sorted(nominal)


def test_day_zero_to_fourteen_are_all_there() -> None:
    assert [VISITS[f"D{n}"].days for n in range(15)] == list(range(15))
    assert all("crs_assessment" in required_forms(f"D{n}") for n in range(15))
    assert all("icans_assessment" in required_forms(f"D{n}") for n in range(15))


@pytest.mark.parametrize(
    ("form", "codes"),
    [
        ("pk_sample", "D0 D1 D4 D7 D10 D14 D17 D21 D28 M2 M3 M6 M9 M12"),
        ("pd_cytokine", "D0 D1 D3 D5 D7 D10 D14 D17 D21 D28"),
        ("pd_bcell", "D14 D28 M2 M3 M6 M9 M12 M18 M24"),
        ("bone_marrow", "SCR D28 M3 M6 M12"),
        ("response", "D28 M2 M3 M6 M9 M12"),
        ("ecg", "SCR D28"),
        ("dlt_assessment", "D28"),
        ("dose_allocation", "D0"),
    ],
)
def test_form_is_required_at(form: str, codes: str) -> None:
    assert [one.code for one in SCHEDULE if form in one.forms] == codes.split()


def test_no_form_is_required_and_optional_at_once_and_none_is_named_twice() -> None:
    for visit in SCHEDULE:
        named = (*required_forms(visit.code), *optional_forms(visit.code), *visit.logs)
        assert len(named) == len(set(named)), visit.code


def test_relapse_can_be_recorded_at_an_unscheduled_visit() -> None:
    assert {"bone_marrow", "cd19_flow"} <= set(optional_forms("UNSCHED"))


def test_logs_stand_outside_the_visits() -> None:
    logs = {one.form for one in LOGS}
    assert len(logs) == len(LOGS)
    for visit in SCHEDULE:
        assert not logs & {*visit.forms, *visit.optional}
        assert set(visit.logs) <= logs


def test_only_what_the_registry_states_is_marked_so() -> None:
    assert {one.code for one in SCHEDULE if one.basis is Basis.REGISTRY} == {"D0", "M3"}


def test_every_form_that_is_named_exists_and_is_kept_as_it_is_named() -> None:
    from safety.forms import FORM

    for visit in SCHEDULE:
        for name in (*visit.forms, *visit.optional):
            assert FORM[name].repeats != "log", (visit.code, name)
    for log in LOGS:
        assert FORM[log.form].repeats in ("log", "one"), log.form
