"""Reading answers: what people type, in the shapes their keyboards make, becomes what they meant, or a clear refusal."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from dosing.administration import duration
from dosing.models import Infusion
from subjects.models import Demographics, InformedConsent, PriorTherapy, PriorTransplant
from trial.answers import read
from visits.models import Chemistry, Ecog, VitalSigns

SHANGHAI = "Asia/Shanghai"


def value(model: Any, name: str, answer: Any) -> Any:
    """The typed value of one answer; its problem's code when it is refused."""
    reading = read(model, {name: answer}, SHANGHAI)
    return reading.problems[0].code if reading.problems else reading.values[name]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-03-05", "2026-03-05"),
        ("20260305", "2026-03-05"),
        ("2026-3-5", "2026-03-05"),
        ("2026/3/5", "2026-03-05"),
        ("2026.03.05", "2026-03-05"),
        ("2026年3月5日", "2026-03-05"),
        ("２０２６－０３－０５", "2026-03-05"),
        (" 2026-03-05 ", "2026-03-05"),
        ("2026-03", "2026-03"),
        ("2026年3月", "2026-03"),
        ("2026", "2026"),
        ("2026年", "2026"),
        ("2024-02-29", "2024-02-29"),
        ("", ""),
        (None, ""),
        ("03/05/2026", "ambiguous_date"),
        ("5.3.2026", "ambiguous_date"),
        ("11/26/2026", "not_a_date"),  # only one of the two readings is a day
        ("31.02.2026", "not_a_date"),
        ("2026-02-30", "no_such_day"),
        ("2025-02-29", "no_such_day"),
        ("2026-13", "no_such_day"),
        ("2026-00-10", "no_such_day"),
        ("1026-03-05", "year_out_of_range"),
        ("unknown", "not_a_date"),
        ("２０２６－０３－０５－１", "not_a_date"),
        (20260305, "not_a_date"),
        (True, "not_a_date"),
        (["2026"], "not_a_date"),
    ],
)
@pytest.mark.req("R-29")
def test_partial_dates(typed: Any, meant: str) -> None:
    assert value(PriorTransplant, "sct_date", typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"), [("2026-03-05", date(2026, 3, 5)), ("2026-03", "incomplete_date"), ("", None)]
)
def test_whole_dates_are_whole(typed: str, meant: Any) -> None:
    assert value(Ecog, "ecog_date", typed) == meant


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("2026-03-05 08:10", "2026-03-05T00:10:00+00:00"),
        ("2026-03-05T08:10", "2026-03-05T00:10:00+00:00"),
        ("2026年3月5日 8:10", "2026-03-05T00:10:00+00:00"),
        ("２０２６－０３－０５　０８：１０", "2026-03-05T00:10:00+00:00"),
        ("20260305 08:10:30", "2026-03-05T00:10:30+00:00"),
        ("2026-03-05T08:10:00Z", "2026-03-05T08:10:00+00:00"),
        ("2026-03-05T08:10-05:00", "2026-03-05T13:10:00+00:00"),
        ("2026-03-05", "time_missing"),
        ("2026-03 08:10", "time_without_day"),
        ("2026-03-05 25:00", "no_such_time"),
        ("2026-02-30 08:00", "no_such_day"),
    ],
)
@pytest.mark.req("R-08")
def test_moments_are_the_sites_unless_an_offset_says_otherwise(typed: str, utc: str) -> None:
    found = value(VitalSigns, "vs_dt", typed)
    assert found == (datetime.fromisoformat(utc) if "T" in utc else utc)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-03-29 01:50", "2026-03-29 03:10", 20),  # the clock goes forward at two
        ("2026-10-25 01:50", "2026-10-25 03:10", 140),  # and back at three
        ("2026-03-28 01:50", "2026-03-28 03:10", 80),
    ],
)
def test_minutes_are_those_that_passed_also_where_summer_time_begins(
    start: str, end: str, expected: int
) -> None:
    reading = read(Infusion, {"inf_start_dt": start, "inf_end_dt": end}, "Europe/Berlin")
    assert duration(Infusion(**reading.values)) == expected


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("36.5", "36.5"),
        ("３６．５", "36.5"),
        ("36。5", "36.5"),
        ("+36.5", "36.5"),
        ("36.50", "36.5"),
        (36.5, "36.5"),
        (Decimal("36.5"), "36.5"),
        (36, "36"),
        ("－36.5", "-36.5"),
        ("36,5", "not_a_number"),
        ("36.55", "too_many_decimals"),
        ("12345", "too_large"),
        ("1e400", "too_large"),
        ("1e9999", "not_a_number"),
        ("nan", "not_a_number"),
        ("inf", "not_a_number"),
        ("Infinity", "not_a_number"),
        (float("nan"), "not_a_number"),
        ("0x10", "not_a_number"),
        ("1_000", "not_a_number"),
        ("=1+1", "not_a_number"),
        (True, "not_a_number"),
        ([1], "not_a_number"),
        ({"a": 1}, "not_a_number"),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_numbers(typed: Any, meant: Any) -> None:
    found = value(VitalSigns, "temp_c", typed)
    assert (str(found) if isinstance(found, Decimal) else found) == meant


def test_thousands_may_be_separated_and_cells_written_in_powers() -> None:
    assert value(Infusion, "actual_per_kg", "1,000,000") == 1_000_000
    assert value(Infusion, "actual_per_kg", "1e6") == 1_000_000
    assert value(Infusion, "actual_per_kg", "５．０E６") == 5_000_000


@pytest.mark.parametrize(
    ("typed", "meant"), [("1", 1), ("１", 1), ("1.0", 1), ("1.5", "not_whole"), ("99999999999", "too_large")]
)
def test_whole_numbers(typed: str, meant: Any) -> None:
    assert value(Ecog, "ecog", typed) == meant


@pytest.mark.parametrize(
    ("typed", "qualifier", "meant"),
    [
        ("<0.1", "<", "0.1"),
        ("＜０．１", "<", "0.1"),
        ("≤ 5", "<=", "5"),
        (">300", ">", "300"),
        ("12", "", "12"),
        ("< x", None, None),
    ],
)
def test_a_laboratory_value_may_be_bounded(typed: str, qualifier: str | None, meant: str | None) -> None:
    reading = read(Chemistry, {"crp": typed}, SHANGHAI)
    if qualifier is None:
        assert reading.problems[0].code == "not_a_number"
        return
    assert (reading.values["crp_qual"], str(reading.values["crp_value"])) == (qualifier, meant)


def test_a_code_in_the_wrong_case_is_refused_with_the_right_one() -> None:
    (problem,) = read(Demographics, {"sex": "f"}, SHANGHAI).problems
    assert (problem.code, problem.fix) == ("unknown_code", "F") and "M, F" in problem.limit
    with override("zh-hans"):
        assert "是否为" in str(problem.message)


def test_several_codes_may_be_a_list_or_a_text() -> None:
    assert value(PriorTherapy, "target_antigens", ["CD19", "CD22", "CD19"]) == ["CD19", "CD22"]
    assert value(PriorTherapy, "target_antigens", "CD19、CD22") == ["CD19", "CD22"]
    assert value(PriorTherapy, "target_antigens", "cd19") == "unknown_code"
    assert value(PriorTherapy, "target_antigens", None) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("yes", True),
        ("是", True),
        ("0", False),
        (False, False),
        ("", None),
        ("maybe", "not_yes_no"),
        (2, "not_yes_no"),
    ],
)
def test_yes_and_no(typed: Any, meant: Any) -> None:
    assert value(InformedConsent, "signed_by_subject", typed) == meant


@pytest.mark.parametrize("text", ["a\x00b", "a\x07b", "x" * 201, 5.5, ["x"], "\ud800"])
def test_texts_that_cannot_be_kept_are_refused(text: Any) -> None:
    assert (
        value(PriorTherapy, "regimen", text) in {"control_character", "too_long", "not_text"} or text == 5.5
    )


def test_an_unknown_name_is_refused_with_the_nearest_known() -> None:
    (problem,) = read(Ecog, {"ecogg": "1"}, SHANGHAI).problems
    assert (problem.code, problem.fix) == ("unknown_item", "ecog")


@pytest.mark.req("R-47")
@pytest.mark.parametrize(
    "name",
    [
        "id",
        "version",
        "subject",
        "site",
        "site_id",
        "changed_at",
        "status",
        "lock_state",
        "retracted",
        "pk",
        "__class__",
    ],
)
def test_what_is_not_an_item_cannot_be_set(name: str) -> None:
    assert value(Ecog, name, "1") == "unknown_item"


def test_a_calculated_item_cannot_be_entered() -> None:
    assert value(VitalSigns, "bsa_m2", "1.8") == "calculated"


def test_reasons_for_missing_answers_come_from_the_list() -> None:
    reading = read(
        Chemistry, {"missing": {"crp": "NOT_DONE", "alt": "lost", "nonsense": "NOT_DONE"}}, SHANGHAI
    )
    assert reading.missing == {"crp": "NOT_DONE"}
    assert {(p.field, p.code) for p in reading.problems} == {
        ("missing.alt", "unknown_code"),
        ("missing.nonsense", "unknown_item"),
    }


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_every_day_reads_back_from_each_shape(day: date) -> None:
    shapes = [
        day.isoformat(),
        day.strftime("%Y%m%d"),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}/{day.month}/{day.day}",
    ]
    assert {value(Ecog, "ecog_date", shape) for shape in shapes} == {day}


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-999, max_value=999, places=1))
@pytest.mark.req("R-18")
def test_a_number_is_kept_digit_for_digit(number: Decimal) -> None:
    found = value(VitalSigns, "temp_c", str(number))
    assert str(found) == str(number) or (found == number == 0)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_whatever_is_sent_is_a_value_or_a_refusal_never_an_error(answer: Any) -> None:
    for model, names in (
        (VitalSigns, ("temp_c", "vs_dt", "room_air", "timepoint", "missing", "pulse")),
        (PriorTherapy, ("regimen", "target_antigens", "start_date")),
        (Infusion, ("batch",)),
        (Chemistry, ("crp", "crp_unit")),
    ):
        for name in names:
            reading = read(model, {name: answer}, SHANGHAI)
            assert (
                reading.problems
                or name in reading.values
                or name == "missing"
                or f"{name}_value" in reading.values
            )


@pytest.mark.parametrize(
    ("model", "name", "typed", "kept"),
    [
        (PriorTransplant, "sct_date", "2026年3月5日", True),
        (PriorTransplant, "sct_date", "20260305", True),
        (PriorTransplant, "sct_date", "2026-03-05", False),
        (PriorTransplant, "sct_date", "2026-03", False),
        (Ecog, "ecog_date", "2026/3/5", True),
        (Ecog, "ecog_date", "2026-03-05", False),
        (VitalSigns, "vs_dt", "2026-03-05 08:10", False),
        (VitalSigns, "vs_dt", "2026年3月5日 8:10", True),
        (VitalSigns, "temp_c", "３６．５", True),
        (VitalSigns, "temp_c", "36.5", False),
        (PriorTherapy, "regimen", "2020-style VDCP", False),
    ],
)
def test_the_text_is_kept_where_reading_changed_it(model: Any, name: str, typed: str, kept: bool) -> None:
    assert (name in read(model, {name: typed}, SHANGHAI).typed) is kept
