"""Every form and field of the clinical specification is there as specified, or listed with how and why it is not."""

import csv
import warnings
from pathlib import Path

import pytest

from tests.spec_forms import OURS, PLAIN, SPEC, differences, fields, spec

DEPARTURES = Path(__file__).parents[1] / "docs" / "forms" / "departures.csv"


@pytest.fixture(scope="module", autouse=True)
def specification() -> None:
    """The specification is third-party data and lies beside the repository."""
    if not SPEC.exists():
        warnings.warn(
            f"NOT COMPARED: {SPEC} is absent, so no form was held against the specification", stacklevel=1
        )
        pytest.skip(f"{SPEC} is absent")


def listed() -> list[dict[str, str]]:
    """What is listed as different."""
    with DEPARTURES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_form_is_there() -> None:
    wanted = {form["form"] for form in spec()["forms"]}
    assert len(wanted) == 49
    assert wanted == (set(OURS) | set(PLAIN)) - {"adverse_event_grade"}  # child rows of adverse_event


def test_every_field_is_as_specified_or_listed_with_what_differs() -> None:
    found = {(form, field, what, detail) for form, field, what, detail in differences()}
    told = {(row["form"], row["field"], row["what"], row["ours"]) for row in listed()}
    assert found - told == set(), "different, but not listed in docs/forms/departures.csv"
    assert told - found == set(), "listed in docs/forms/departures.csv, but as specified"


def test_every_departure_gives_its_reason() -> None:
    assert all(len(row["reason"]) > 10 for row in listed())
    keys = [(row["form"], row["field"], row["what"]) for row in listed()]
    assert len(keys) == len(set(keys))


def test_how_many_fields_are_columns() -> None:
    absent = {
        (row["form"], row["field"]) for row in listed() if (row["what"], row["ours"]) == ("field", "absent")
    }
    names = [(form, field["name"]) for form, field in fields()]
    assert len(names) == len(set(names)) == 505
    assert len(names) - len(absent) == 458


def test_a_field_that_is_dropped_or_changed_is_noticed() -> None:
    from tests import spec_forms

    form, field = next((f, x) for f, x in fields() if f == "vital_signs" and x["name"] == "temp_c")
    lists = spec()["codelists"]
    assert list(spec_forms._differs(form, field, lists)) == []
    changed = {
        "name": ("gone", "field"),
        "type": ("int", "type"),
        "unit": ("degF", "unit"),
        "hard": ("25.0-46.0", "hard"),
        "soft": ("", "soft"),
        "required": ("O", "required"),
        "cdash": ("TEMP", "cdash"),
    }
    for key, (value, what) in changed.items():
        assert [found for found, _ in spec_forms._differs(form, {**field, key: value}, lists)] == [what]
    sex = next(x for f, x in fields() if f == "demographics" and x["name"] == "sex")
    assert [w for w, _ in spec_forms._differs("demographics", {**sex, "notes": "F,M,X"}, lists)] == ["codes"]
