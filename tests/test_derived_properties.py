"""What holds of every derivation, whatever the answers: time zones, leap days, units, order, scale."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosing.models import Infusion, Lymphodepletion
from safety.casebook import Casebook
from safety.derive.kinetics import Sample, kinetics
from safety.derive.units import convert
from safety.derived.every import DERIVATIONS, derive
from safety.derived.stored import digests
from safety.engine import find
from safety.grading.crs import CrsFindings, crs_grade
from safety.grading.ctcae import LabResult, grade
from safety.grading.ctcae_terms import TERMS
from safety.grading.episodes import Assessed, episodes
from safety.rules import RULES
from subjects.models import Death, Demographics, InformedConsent
from tests.books import at, book, the_site
from trial.dates import add_months, completed_years, span
from trial.fields import uuid7
from trial.protocol import V1
from visits.models import ConMeds, CrsAssessment, Visit

D = Decimal
ZONES = (
    "Asia/Shanghai",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe",
)
partials = st.builds(
    lambda day, length: day.isoformat()[:length], st.dates(date(2019, 1, 1), date(2028, 12, 31)), st.sampled_from((4, 7, 10))
)  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore")
fast = settings(max_examples=40)


def completions(partial: str) -> list[str]:
    """The first, the last and some days between that a partial date could be."""
    possible = span(partial)
    days = (possible.last - possible.first).days
    steps = sorted({0, days, days // 2, days // 3, min(1, days), max(0, days - 1)})
    return [(possible.first + timedelta(days=n)).isoformat() for n in steps]


def in_zone(made: Casebook, zone: str) -> Casebook:
    """The same book of a site elsewhere."""
    return replace(made, site=replace(the_site(), time_zone=zone))


# --- partial dates -----------------------------------------------------------------------------------------------


@fast
@given(partials)
def test_the_age_of_a_partial_birth_date_holds_for_every_day_it_could_be(partial: str) -> None:
    def ages(born: str) -> dict[str, Any]:
        consent = InformedConsent(consent_type="INITIAL", consent_dt=at("2046-02-28"))
        (one,) = DERIVATIONS["age"](book(consent, Demographics(birth_date=born)), V1)
        return dict(one.value)

    told = ages(partial)
    years = {ages(born)["years"] for born in completions(partial)}
    if told["years"] is not None:
        assert years == {told["years"]}
    else:
        assert {told["low"], told["high"]} == {min(years), max(years)}


@fast
@given(partials)
def test_survival_to_a_partial_death_lies_between_its_ends(partial: str) -> None:
    def time(died: str) -> dict[str, Any]:
        made = book(Infusion(inf_start_dt=at("2019-01-01")), Death(death_date=died))
        (one,) = DERIVATIONS["os"](made, V1)
        return dict(one.value)

    told = time(partial)
    days = [time(died)["days"] for died in completions(partial)]
    if told["days"] is not None:
        assert set(days) == {told["days"]}
    else:
        assert (told["days_low"], told["days_high"]) == (min(days), max(days))


DATED_RULES = ("DV-01", "DV-20", "DV-26", "DV-28", "DV-29", "DV-61")


@fast
@given(
    st.sampled_from(DATED_RULES),
    st.sampled_from(("CORTICOSTEROID", "LIVE_VACCINE", "CHEMO", "TKI")),
    partials,
)
def test_a_rule_on_a_partial_medication_date_agrees_with_every_completion_or_cannot_tell(
    rule: str, kind: str, partial: str
) -> None:
    def verdict(start: str) -> str:
        drug = ConMeds(
            drug_class=kind, drug="x", start_dt=start, ongoing=True, indication="OTHER", status="COMPLETE"
        )
        forms = [
            InformedConsent(consent_type="INITIAL", consent_dt=at("2023-11-20")),
            Lymphodepletion(drug="FLUDARABINE", admin_dt=at("2024-02-24"), planned_day=-5, actual_mg=D(50)),
            Infusion(inf_start_dt=at("2024-02-29")),
            Visit(visit="SCR", actual_date=date(2023, 11, 21)),
        ]
        found = find(book(*forms, drug), V1, [RULES[rule]])
        mine = [f for _, f in found.values() if f.record == drug.pk]
        return "held" if not mine else "pending" if all(f.pending for f in mine) else "broken"

    told = verdict(partial)
    each = {verdict(day) for day in completions(partial)}
    assert told == "pending" or each <= {told, "pending"}, (told, each)


# --- time zones and leap days ------------------------------------------------------------------------------------


@fast
@given(st.sampled_from(ZONES), st.datetimes(datetime(2023, 1, 1), datetime(2028, 12, 31)))
def test_a_day_is_the_sites_day_in_every_zone(zone: str, when: datetime) -> None:
    moment = when.replace(tzinfo=ZoneInfo("UTC"))
    made = in_zone(book(Infusion(inf_start_dt=moment)), zone)
    (window,) = DERIVATIONS["dlt_window"](made, V1)
    assert window.value["first"] == moment.astimezone(ZoneInfo(zone)).date()
    assert (window.value["last"] - window.value["first"]).days == V1.dlt_window_days.value


@fast
@given(st.sampled_from(ZONES), st.sampled_from(ZONES))
def test_the_same_moments_written_in_another_zone_give_the_same_values(one: str, other: str) -> None:
    moments = [at("2024-02-28", "23:30"), at("2024-02-29", "00:30"), at("2024-03-01", "12:00")]
    keys = [uuid7() for _ in range(4)]

    def made(zone: str) -> Casebook:
        local = [m.astimezone(ZoneInfo(zone)) for m in moments]
        rows = [
            CrsAssessment(id=key, assess_dt=m, temp_c=D(39), fever_other_cause=False, hypotension=False,
                          vasopressors=["NONE"], hypoxia=False, oxygen_device="NONE")
            for key, m in zip(keys, local, strict=False)
        ]  # fmt: skip
        return book(Infusion(id=keys[3], inf_start_dt=local[0]), *rows)

    first, second = (derive(made(zone), V1) for zone in (one, other))
    plain_ = [{k: dict(v.value) for k, (_, v) in found.items()} for found in (first, second)]
    assert plain_[0] == plain_[1]


@pytest.mark.parametrize(
    ("infused", "until"),
    [
        ("2023-11-29", "2024-03-07"),
        ("2023-11-30", "2024-03-07"),
        ("2022-11-30", "2023-03-07"),
        ("2024-02-29", "2024-06-05"),
    ],
)
def test_three_months_clamp_at_leap_days(infused: str, until: str) -> None:
    (best,) = DERIVATIONS["best_response"](book(Infusion(inf_start_dt=at(infused))), V1)
    assert best.value["until"] == date.fromisoformat(until)


@given(st.dates(date(1950, 1, 1), date(2010, 12, 31)), st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_a_birthday_comes_once_a_year_leap_days_included(born: date, day: date) -> None:
    years = completed_years(born, day)
    assert completed_years(born, add_months(day, 12) + timedelta(days=1)) - years in (1, 2)
    assert completed_years(born, day + timedelta(days=1)) - years in (0, 1)


# --- units -------------------------------------------------------------------------------------------------------

UNITS = (
    ("creatinine", "mg/dL", "umol/L"),
    ("tbil", "mg/dL", "umol/L"),
    ("hemoglobin", "g/dL", "g/L"),
    ("glucose", "mg/dL", "mmol/L"),
    ("calcium", "mg/dL", "mmol/L"),
    ("uric acid", "mg/dL", "umol/L"),
    ("platelets", "/uL", "10^9/L"),
)
amounts = st.decimals(min_value=D("0.001"), max_value=D(5000), places=3)


@given(st.sampled_from(UNITS), amounts)
def test_a_unit_there_and_back_is_the_same_number(unit: tuple[str, str, str], value: Decimal) -> None:
    analyte, one, other = unit
    back = convert(analyte, convert(analyte, value, one, other), other, one)
    assert abs(back - value) <= value * D("1e-24")


@given(st.sampled_from(UNITS), amounts, st.integers(1, 9))
def test_order_survives_a_change_of_unit_however_close(
    unit: tuple[str, str, str], value: Decimal, step: int
) -> None:
    analyte, one, other = unit
    more = value + D(step) * D("1e-12")
    assert convert(analyte, value, one, other) < convert(analyte, more, one, other)


# --- grades ------------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(sorted(TERMS)),
    st.integers(1, 2000),
    st.integers(1, 400),
    st.integers(1, 400),
    st.integers(0, 500),
)
def test_a_worse_value_never_lowers_a_grade(
    name: str, value: int, baseline: int, limit: int, worse: int
) -> None:
    term = TERMS[name]
    far = D(value) / 10 + worse if term.direction == "high" else max(D(0), D(value) / 10 - worse)
    facts: dict[str, Any] = {
        "lln": D(limit) / 20,
        "uln": D(limit) / 10,
        "baseline": D(baseline) / 10,
        "symptomatic": False,
    }
    near_, far_ = (grade(name, LabResult(v, **facts)).grade for v in (D(value) / 10, far))
    assert near_ is not None and far_ is not None and far_ >= near_


PRESSORS = ("NOREPINEPHRINE", "EPINEPHRINE", "DOPAMINE", "PHENYLEPHRINE", "VASOPRESSIN", "OTHER")
DEVICES = (
    "NONE",
    "NASAL_CANNULA",
    "BLOW_BY",
    "HIGH_FLOW_NC",
    "FACEMASK",
    "VENTURI",
    "NONREBREATHER",
    "CPAP",
    "MECH_VENT",
)


@given(
    st.sets(st.sampled_from(PRESSORS)),
    st.sampled_from(PRESSORS),
    st.sampled_from(DEVICES),
    st.integers(1, 12),
)
def test_one_more_pressor_never_lowers_crs(given_: set[str], more: str, device: str, flow: int) -> None:
    def graded(names: set[str]) -> int:
        found = CrsFindings(
            D(39), False, True, tuple(sorted(names)) or ("NONE",), device != "NONE", device, D(flow)
        )
        said = crs_grade(found)
        assert said is not None
        return said

    assert graded({*given_, more}) >= graded(given_)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 23), st.integers(0, 4)), max_size=25))
def test_episodes_hold_every_grade_once_in_order_and_apart(course: list[tuple[int, int, int]]) -> None:
    start = at("2026-03-01", "00:00")
    rows = [
        Assessed(uuid7(), when := start + timedelta(days=day, hours=hour), when.date(), said)
        for day, hour, said in sorted({(d, h): (d, h, g) for d, h, g in course}.values())
    ]
    found = episodes(rows, V1)
    inside = [a.key for one in found for a in one.assessments]
    assert inside == [a.key for a in sorted(rows, key=lambda a: a.moment) if a.grade >= 1]
    for one in found:
        assert one.onset <= one.over and one.worst == max(a.grade for a in one.assessments)
        assert one.hours_severe >= 0
    for one, following in pairwise(found):
        assert one.over <= following.onset and one.assessments[-1].day < following.onset


# --- kinetics ----------------------------------------------------------------------------------------------------


@fast
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.one_of(st.none(), st.integers(51, 10**6))),
        min_size=1,
        max_size=12,
        unique_by=lambda p: p[0],
    ),
    st.sampled_from((2, 10, 1000)),
)
def test_kinetics_scale_with_concentration(points: list[tuple[int, int | None]], factor: int) -> None:
    def of(times: int) -> Any:
        return kinetics([Sample(D(d), None if c is None else D(c) * times) for d, c in points], V1)

    one, many = of(1), of(factor)
    assert (one.tmax, one.tlast, one.first_detected, one.flag) == (
        many.tmax,
        many.tlast,
        many.first_detected,
        many.flag,
    )
    for name in ("cmax", "clast", "auc"):
        a, b = getattr(one, name), getattr(many, name)
        assert (a is None) == (b is None) and (a is None or abs(a * factor - b) <= b * D("1e-20"))
    if one.half_life_days is not None and many.half_life_days is not None:
        assert abs(one.half_life_days - many.half_life_days) < D("1e-15")


# --- keeping -----------------------------------------------------------------------------------------------------


def test_deriving_twice_gives_the_same_digests_in_any_order_of_forms() -> None:
    consent, infusion = (
        InformedConsent(consent_type="INITIAL", consent_dt=at("2026-02-09")),
        Infusion(inf_start_dt=at("2026-03-16")),
    )
    person = Demographics(birth_date="1980-05", sex="M")
    one, other = book(consent, infusion, person), book(person, infusion, consent)
    assert digests(derive(one, V1), V1) == digests(derive(other, V1), V1)
