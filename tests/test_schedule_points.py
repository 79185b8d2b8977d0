"""Timepoints, conditions, unscheduled visits, withdrawal: what the schedule asks for beyond its windows."""

import dataclasses
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.tables import tables
from tests.test_schedule import INFUSED, window
from trial.protocol import V1 as PROTOCOL
from visits.conditions import Known, asked_for
from visits.schedule import (
    SCHEDULE,
    V1,
    Anchors,
    State,
    is_visit,
    occasion,
    schedule_of,
    state,
    unscheduled,
    visit_of,
    visit_rank,
    visit_windows,
)
from visits.timepoints import hours_without, moments

SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"
ON = date(2026, 5, 8)


@pytest.mark.parametrize(
    ("code", "number"),
    [("UNSCHED", 1), ("UNSCHED-2", 2), ("UNSCHED-17", 17), ("UNSCHED-999", 999)],
)
def test_unscheduled_visits_are_numbered(code: str, number: int) -> None:
    found = visit_of(code)
    assert is_visit(code) and occasion(code) == number and unscheduled(number) == code
    assert found is not None and found.code == code and "bone_marrow" in found.optional


@pytest.mark.parametrize(
    "code",
    [
        "UNSCHED-0",
        "UNSCHED-1",
        "UNSCHED-02",
        "UNSCHED-1000",
        "UNSCHED-",
        "UNSCHED-2x",
        "D29",
        "",
        "UNSCHED-²",
    ],
)
def test_no_other_code_names_a_visit(code: str) -> None:
    assert not is_visit(code) and visit_of(code) is None and occasion(code) == 0


def test_numbered_visits_stand_after_the_first_one() -> None:
    codes = ["UNSCHED-10", "UNSCHED", "D0", "UNSCHED-2", "SCR"]
    assert sorted(codes, key=visit_rank) == ["SCR", "D0", "UNSCHED", "UNSCHED-2", "UNSCHED-10"]


def test_a_version_without_a_schedule_of_its_own_keeps_the_first() -> None:
    assert schedule_of("1.0") is V1 and schedule_of("9.9") is V1


def test_an_amended_schedule_moves_the_windows_of_whom_it_binds() -> None:
    wider = tuple(dataclasses.replace(v, after=5) if v.code == "D28" else v for v in SCHEDULE)
    amended = {
        w.code: w for w in visit_windows(INFUSED, dataclasses.replace(V1, version="2.0", visits=wider))
    }
    assert amended["D28"].high == date(2026, 5, 24) and window("D28").high == date(2026, 5, 21)


@pytest.mark.parametrize(
    ("code", "expected", "survival_only"),
    [
        ("D21", True, False),
        ("D28", False, False),
        ("M2", False, False),
        ("M3", True, True),
        ("M9", False, True),  # where it is asked for, but not always
        ("Y15", True, True),
    ],
)
def test_who_withdraws_from_assessments_is_still_followed_for_survival(
    code: str, expected: bool, survival_only: bool
) -> None:
    left = window(code, dataclasses.replace(INFUSED, survival_only=date(2026, 5, 20)))
    assert (left.expected, left.survival_only) == (expected, survival_only)
    assert left.asked(("haematology", "survival_ltfu")) == (
        ("survival_ltfu",) if survival_only else ("haematology", "survival_ltfu")
    )


def test_nothing_at_all_is_expected_when_survival_follow_up_is_withdrawn_too() -> None:
    day = date(2026, 5, 20)
    both = dataclasses.replace(INFUSED, survival_only=day, death_or_withdrawal=day)
    found = visit_windows(both)
    assert [w.code for w in found if w.expected][-1] == "D21"
    assert not any(w.survival_only for w in found)


def test_withdrawal_is_read_from_the_consents() -> None:
    from safety.calendar import anchors
    from subjects.models import InformedConsent
    from tests.books import at, book

    def withdrawn(day: str, *scope: str) -> InformedConsent:
        return InformedConsent(consent_type="WITHDRAWAL", consent_dt=at(day), withdrawal_scope=list(scope))

    only = anchors(book(withdrawn("2026-03-01", "TREATMENT"), withdrawn("2026-04-01", "ASSESSMENTS")))
    assert (only.survival_only, only.death_or_withdrawal) == (date(2026, 4, 1), None)
    both = anchors(book(withdrawn("2026-04-01", "ASSESSMENTS"), withdrawn("2026-06-01", "SURVIVAL_FU")))
    assert (both.survival_only, both.death_or_withdrawal) == (date(2026, 4, 1), date(2026, 6, 1))


# --- timepoints

START = datetime(2026, 4, 21, 10, 0, tzinfo=ZoneInfo(SHANGHAI))


def test_the_vital_signs_around_the_infusion_are_those_of_the_protocol() -> None:
    codes = tuple(p.code for p in V1.points("D0", "vital_signs"))
    assert codes == PROTOCOL.infusion_vitals.value


@pytest.mark.parametrize(
    ("code", "low", "high"),
    [
        ("PRE_INF", "06:00", "10:00"),
        ("INF_15M", "10:10", "10:20"),
        ("INF_30M", "10:20", "10:40"),
        ("INF_1H", "10:45", "11:15"),
        ("INF_2H", "11:30", "12:30"),
        ("INF_4H", "13:30", "14:30"),
    ],
)
def test_intensive_vital_signs_count_from_the_start_of_the_infusion(code: str, low: str, high: str) -> None:
    point = next(p for p in V1.points("D0", "vital_signs") if p.code == code)
    when = moments(point, START, None, None, SHANGHAI)
    assert when.low is not None and when.high is not None
    assert (when.low.strftime("%H:%M"), when.high.strftime("%H:%M")) == (low, high)
    assert when.hold(when.low) and when.hold(when.high)
    assert when.hold(when.low - timedelta(seconds=1)) is False and when.hold(None) is None
    assert moments(point, None, None, None, SHANGHAI).hold(START) is None


def test_inpatients_have_two_sets_of_vital_signs_a_day() -> None:
    twice = {p.visit for p in V1.timepoints if p.form == "vital_signs" and p.times == 2}
    assert twice == {f"D{day}" for day in range(1, 8)}


@pytest.mark.parametrize(
    ("form", "visits"),
    [
        ("pd_cytokine", "D0 D1 D3 D5 D7 D10 D14 D17 D21 D28"),
        (
            "pk_sample",
            "D0 D1 D4 D7 D10 D14 D17 D21 D28 M2 M3 M6 M9 M12 M15 M18 M21 M24 "
            + " ".join(f"Y{n}" for n in range(3, 16)),
        ),
    ],
)
def test_samples_are_planned_where_their_form_is(form: str, visits: str) -> None:
    planned = [v.code for v in SCHEDULE if any(p.form == form for p in V1.points(v.code))]
    assert planned == visits.split()
    assert all(form in (*v.forms, *v.optional) for v in SCHEDULE if v.code in planned)


def test_a_day_of_sampling_runs_from_midnight_to_midnight_at_the_site_whatever_the_clocks_do() -> None:
    point = next(p for p in V1.points("D1", "vital_signs"))
    spring = date(2026, 3, 8)  # a day of 23 hours in New York
    when = moments(point, None, spring, spring, NEW_YORK)
    assert when.low is not None and when.high is not None
    assert when.high.timestamp() - when.low.timestamp() == 23 * 3600
    assert when.low.date() == spring and when.high.date() == date(2026, 3, 9)


def _hour(hour: float) -> datetime:
    return START + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("until", "taken", "gaps"),
    [
        (12, (), []),
        (13, (), [(0, 13)]),
        (30, (10, 22), []),
        (30, (10,), [(10, 30)]),
        (30, (-1, 31), [(0, 30)]),
    ],
)
def test_cytokines_every_twelve_hours_while_crs_lasts(
    until: float, taken: tuple[float, ...], gaps: list[tuple[float, float]]
) -> None:
    found = hours_without(
        START, _hour(until), [_hour(t) for t in taken], PROTOCOL.crs_cytokine_max_hours.value
    )
    assert list(found) == [(_hour(a), _hour(b)) for a, b in gaps]


# --- conditions: one fact changed per row

KNOWN: dict[str, Any] = {"sex": "F", "childbearing": "YES", "fertile": ""}


@pytest.mark.parametrize(
    ("form", "visit", "changed", "answer"),
    [
        ("pregnancy_test", "LD-5", {}, True),
        ("pregnancy_test", "LD-5", {"childbearing": "NO"}, False),
        ("pregnancy_test", "LD-5", {"childbearing": ""}, None),
        ("pregnancy_test", "LD-5", {"sex": "M", "childbearing": ""}, False),
        ("pregnancy_test", "LD-5", {"sex": ""}, None),
        ("contraception", "M12", {"sex": "M", "fertile": "YES"}, True),
        ("contraception", "M12", {"sex": "M", "fertile": "NO"}, False),
        ("contraception", "M12", {"sex": "M", "fertile": ""}, None),
        ("echo", "LD-5", {}, True),
        ("echo", "LD-5", {"newest": {"echo": ON - timedelta(days=28)}}, False),
        ("echo", "LD-5", {"newest": {"echo": ON - timedelta(days=29)}}, True),
        ("viral_serology", "LD-5", {"newest": {"viral_serology": ON - timedelta(days=28)}}, False),
        ("ecog", "D0", {"newest": {"ecog": ON - timedelta(days=7)}}, False),
        ("ecog", "D0", {"newest": {"ecog": ON - timedelta(days=8)}}, True),
        ("chemistry", "D0", {"newest": {"chemistry": ON - timedelta(days=7)}}, False),
        ("chemistry", "APH", {"newest": {"chemistry": ON - timedelta(days=7)}}, False),
        ("chemistry", "LD-5", {"newest": {"chemistry": ON - timedelta(days=7)}}, False),
        ("chemistry", "LD-5", {"newest": {"chemistry": ON - timedelta(days=8)}}, True),
        ("chemistry", "D9", {"newest": {"chemistry": ON - timedelta(days=1)}}, False),
        ("chemistry", "D9", {"newest": {"chemistry": ON - timedelta(days=2)}}, True),
        ("crs_assessment", "D17", {}, None),
        ("crs_assessment", "D17", {"crs": 0}, False),
        ("crs_assessment", "D17", {"crs": 1}, True),
        ("icans_assessment", "D28", {"icans": 2}, True),
        ("bone_marrow", "M2", {}, None),
        ("bone_marrow", "M2", {"relapses": (ON,)}, True),
        ("bone_marrow", "M2", {"relapses": (ON,), "newest": {"bone_marrow": ON}}, False),
        (
            "bone_marrow",
            "M2",
            {"relapses": (ON - timedelta(days=9), ON), "newest": {"bone_marrow": ON - timedelta(days=5)}},
            True,
        ),
        ("bone_marrow", "M2", {"relapses": (ON + timedelta(days=1),)}, None),
        ("cd19_flow", "UNSCHED-2", {"relapses": (ON,)}, True),
        ("bone_marrow", "UNSCHED", {"relapses": (ON,)}, True),
        ("icans_assessment", "D28", {}, None),
        ("icans_assessment", "D28", {"icans": 0}, False),
        ("icans_assessment", "D28", {"icans": 1}, True),
        ("crs_assessment", "D17", {"crs": 2}, True),
        ("pregnancy_test", "M2", {"sex": "F", "childbearing": "YES"}, True),
        ("pregnancy_test", "M2", {"sex": "F", "childbearing": "NO"}, False),
        ("pregnancy_test", "M2", {"sex": "F", "childbearing": ""}, None),
        ("pregnancy_test", "M2", {"sex": "M", "childbearing": "YES"}, False),
        ("pregnancy_test", "M2", {"sex": "", "childbearing": "YES"}, None),
        ("contraception", "M12", {"sex": "M", "fertile": "YES"}, True),
        ("contraception", "M12", {"sex": "M", "fertile": "NO"}, False),
        ("contraception", "M12", {"sex": "M", "fertile": ""}, None),
        ("contraception", "M12", {"sex": "F", "childbearing": "YES", "fertile": "NO"}, True),
        ("bone_marrow", "M2", {"relapses": (ON,), "newest": {"bone_marrow": ON - timedelta(days=1)}}, True),
        ("haematology", "D9", {"newest": {"haematology": ON - timedelta(days=1)}}, False),
        ("haematology", "D9", {"newest": {"haematology": ON - timedelta(days=2)}}, True),
        ("haematology", "D9", {}, True),
        ("pk_sample", "M15", {"below": (True, True)}, False),
        ("pk_sample", "M15", {"below": (False,)}, True),
        ("pulmonary", "LD-5", {"newest": {"eligibility": ON}}, True),
        ("pulmonary", "LD-5", {"newest": {"eligibility": ON - timedelta(days=1)}}, None),
        ("echo", "LD-5", {}, True),
        ("pk_sample", "M15", {}, None),
        ("pk_sample", "M15", {"below": (True,)}, True),
        ("pk_sample", "M15", {"below": (False, True, True)}, False),
        ("pk_sample", "M15", {"below": (True, True, False)}, True),
        ("survival_estimate", "LD-5", {}, None),
        ("survival_estimate", "LD-5", {"newest": {"eligibility": ON}}, True),
        ("csf", "M3", {}, None),
        ("ecog", "UNSCHED", {}, None),
    ],
)
def test_an_optional_form_is_asked_for_exactly_when_its_condition_holds(
    form: str, visit: str, changed: dict[str, Any], answer: bool | None
) -> None:
    assert asked_for(form, visit, Known(ON, **{**KNOWN, **changed}), PROTOCOL) is answer


# --- an independent oracle: count the days one by one


def _oracle_month(start: date, months: int) -> date:
    """The day `months` later, walking: the largest day of the target month that is not after the start's day."""
    year, month = start.year, start.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    found = date(year, month, 1)
    while found.day < start.day and (found + timedelta(days=1)).month == month:
        found += timedelta(days=1)
    return found


@pytest.mark.req("R-30")
@given(
    start=st.datetimes(datetime(2021, 1, 1), datetime(2030, 12, 31)),
    zone=st.sampled_from([SHANGHAI, NEW_YORK, "Pacific/Apia", "Europe/London", "Asia/Kolkata"]),
    minutes=st.integers(-500_000, 4_000_000),
)
def test_due_and_overdue_agree_with_counting_days_at_the_site(
    start: datetime, zone: str, minutes: int
) -> None:
    from dosing.models import Infusion
    from safety.calendar import anchors
    from tests.books import book
    from trial.dates import local_day

    infused = start.replace(tzinfo=ZoneInfo("UTC"))
    now = infused + timedelta(minutes=minutes)
    subject = book(Infusion(inf_start_dt=infused), now=now)
    subject = dataclasses.replace(subject, site=dataclasses.replace(subject.site, time_zone=zone))
    day0 = infused.astimezone(ZoneInfo(zone)).date()
    today = now.astimezone(ZoneInfo(zone)).date()
    assert local_day(now, zone) == today == subject.today
    found = {w.code: w for w in visit_windows(anchors(subject))}
    for visit in SCHEDULE:
        if visit.anchor != "D0":
            continue
        nominal = (
            _oracle_month(day0, visit.months)
            if visit.months
            else date.fromordinal(day0.toordinal() + visit.days)
        )
        away = today.toordinal() - nominal.toordinal()
        wanted = (
            State.NOT_DUE if away < -visit.before else State.DUE if away <= visit.after else State.OVERDUE
        )
        assert state(found[visit.code], subject.today) is wanted, visit.code


@pytest.mark.parametrize("path", [path.name for path in tables()])
def test_the_tables_of_the_documentation_are_those_of_the_code(path: str) -> None:
    file, text = next((f, t) for f, t in tables().items() if f.name == path)
    assert file.read_text(encoding="utf-8") == text, "run manage.py tables and commit what it wrote"


def test_every_condition_of_the_schedule_has_words_and_belongs_to_an_optional_form() -> None:
    from visits.conditions import CONDITION
    from visits.schedule import CONDITIONS

    optional = {form for visit in SCHEDULE for form in visit.optional}
    assert set(CONDITION) <= optional and set(CONDITION) <= set(CONDITIONS)
    assert set(CONDITIONS) - set(CONDITION) == {"csf"}  # has words alone: only the site can tell
    assert Anchors() == Anchors(survival_only=None)
