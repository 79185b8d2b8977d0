"""The acceptance vectors of the clinical specification, and the command that runs a file of them."""

import json
import subprocess
import sys
import warnings
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from safety.eligibility.facts import WORDING
from safety.vectors.compare import same
from safety.vectors.criteria import SETTINGS, eligibility
from safety.vectors.run import ADAPTERS, NOT_BUILT, load, run_group

MORE = Path(__file__).resolve().parent / "vectors_more.json"
FILE = Path(__file__).resolve().parent.parent.parent / "shared" / "clinical" / "vectors.json"


@pytest.fixture(scope="module")
def groups() -> dict[str, Any]:
    """The groups of the specification; a loud skip where the specification is not beside the repository."""
    if not FILE.exists():
        warnings.warn(f"NO VECTORS WERE RUN: {FILE} does not exist", stacklevel=1)
        pytest.skip(f"NO VECTORS WERE RUN: {FILE} does not exist")
    return load(FILE)


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_vector_of_the_group_comes_out(name: str, groups: dict[str, Any]) -> None:
    outcome = run_group(name, groups[name]["vectors"])
    assert outcome.total and outcome.differences == ()


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_vector_of_the_project_s_own_comes_out(name: str) -> None:
    assert run_group(name, load(MORE)[name]["vectors"]).differences == ()


def test_every_group_of_the_file_is_run_or_named_as_not_built(groups: dict[str, Any]) -> None:
    assert set(groups) == {*ADAPTERS, *NOT_BUILT}


def test_every_group_bears_an_input_without_anything() -> None:
    for name in set(ADAPTERS) - {"CTCAE", "CALENDAR", "ELIGIBILITY"}:
        found = run_group(name, [{"id": "empty", "input": {}, "expected": "?"}]).differences[0].got
        assert "Error" not in str(found), (name, found)


@pytest.mark.parametrize(
    ("criterion", "data", "verdict"),
    [
        (
            "I-02",
            {"cd19_specimen": "BONE_MARROW", "cd19_method": "FLOW_CYTOMETRY", "cd19_result": "POSITIVE"},
            "MET",
        ),
        ("I-04a", {"lvef_pct": "50", "lvef_method": "ECHOCARDIOGRAM"}, "MET"),
        ("I-04d", {"dyspnea_grade": "1", "spo2_pct": 91, "room_air": "YES"}, "NOT_MET"),
        ("E-09", {"cns_history": "NO", "cns_leukaemia": "YES", "cns_leukaemia_excludes": True}, "MET"),
    ],
)
def test_names_among_the_data_are_facts_first_and_settings_else(
    criterion: str, data: dict[str, Any], verdict: str
) -> None:
    assert not SETTINGS & set(WORDING)
    assert eligibility({"criterion": criterion, "data": data}) == verdict


def run_file(folder: Path, groups: dict[str, Any]) -> tuple[str, int]:
    """What the command prints for such a file, and its exit code."""
    file, out = folder / "vectors.json", StringIO()
    file.write_text(json.dumps({"groups": groups}))
    try:
        call_command("vectors", str(file), stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


MRD = {"id": "MRD-1", "input": {"result": "DETECTED"}, "expected": "POSITIVE"}


def test_command_prints_groups_and_total(tmp_path: Path) -> None:
    said = run_file(tmp_path, {"MRD": {"vectors": [MRD]}, "CRM": {"vectors": [MRD]}})
    assert said == ("MRD 1/1\nCRM not built\nTOTAL 1/1\n", 0)


def test_command_lists_a_difference_and_fails(tmp_path: Path) -> None:
    wrong = {**MRD, "expected": "NEGATIVE"}
    said = run_file(tmp_path, {"MRD": {"vectors": [MRD, wrong]}})
    assert said == ('MRD 1/2\nTOTAL 1/2\nMRD-1: expected "NEGATIVE", got "POSITIVE"\n', 1)


def test_command_fails_on_a_group_it_does_not_know(tmp_path: Path) -> None:
    said = run_file(tmp_path, {"WEATHER": {"vectors": [MRD]}, "MRD": {"vectors": [MRD]}})
    assert said == ("WEATHER unknown group\nMRD 1/1\nTOTAL 1/1\n", 1)


def test_an_error_is_a_difference(tmp_path: Path) -> None:
    unknown = {"id": "X", "input": {"criterion": "I-09", "data": {"shoe_size": 43}}, "expected": "MET"}
    said, code = run_file(tmp_path, {"ELIGIBILITY": {"vectors": [unknown]}})
    assert code == 1 and "KeyError: 'shoe_size'" in said


def test_the_project_s_own_vectors_come_out_by_the_command_anywhere_without_a_database(
    tmp_path: Path,
) -> None:
    """Worked out by hand from the specification's text: limits from both sides, missing, partial and contradictory."""
    file = tmp_path / "验收向量.json"
    file.write_bytes(b"\xef\xbb\xbf" + MORE.read_bytes())  # as an editor on Windows saves it
    manage = Path(__file__).resolve().parent.parent / "manage.py"
    no_database = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "EDC_ENV": "test"}
    ran = subprocess.run(
        [sys.executable, str(manage), "vectors", str(file)],
        cwd=tmp_path,
        env=no_database,
        capture_output=True,
        text=True,
        check=False,
    )
    groups = load(MORE)
    sizes = {name: len(group["vectors"]) for name, group in groups.items()}
    total = sum(sizes.values())
    lines = [f"{name} {size}/{size}" for name, size in sizes.items()] + [f"TOTAL {total}/{total}"]
    assert (ran.returncode, ran.stdout.splitlines()) == (0, lines), ran.stderr
    assert list(sizes) == list(ADAPTERS) and min(sizes.values()) >= 25


@pytest.mark.parametrize(
    "vector",
    [
        {"id": "A", "input": {}},  # would pass wherever the result is null
        {"id": "A", "expected": None},
        "A",
        None,
        ["A"],
    ],
)
def test_what_is_no_vector_is_a_difference(vector: Any, tmp_path: Path) -> None:
    said, code = run_file(tmp_path, {"CRS": {"vectors": [vector]}})
    assert code == 1 and said.startswith("CRS 0/1\nTOTAL 0/1\n") and "no vector" in said


def test_an_empty_group_and_a_file_of_groups_not_built(tmp_path: Path) -> None:
    assert run_file(tmp_path, {"CRS": {"vectors": []}}) == ("CRS 0/0\nTOTAL 0/0\n", 0)
    unbuilt = {"DLT": {"vectors": [MRD]}, "BOIN": {}, "CRM": None}
    assert run_file(tmp_path, unbuilt) == ("DLT not built\nBOIN not built\nCRM not built\nTOTAL 0/0\n", 0)


@pytest.mark.parametrize("field", ["hbsab", "hbv_dna_iu_ml"])
def test_a_field_of_the_forms_that_no_criterion_reads_changes_nothing(field: str) -> None:
    """E-05: HBsAb is irrelevant."""
    assert eligibility({"criterion": "E-05", "data": {"hcv_ab": "POSITIVE", field: "POSITIVE"}}) == "MET"


@pytest.mark.parametrize("group", [None, [], {}, {"vector": []}, {"vectors": {"a": 1}}, {"vectors": None}])
def test_command_refuses_a_group_without_a_list_of_vectors(group: Any, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text(json.dumps({"groups": {"CRS": group}}))
    with pytest.raises(CommandError, match="group CRS has no list of vectors"):
        call_command("vectors", str(file))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"groups": 3}'])
def test_command_refuses_what_is_no_file_of_vectors(content: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text(content)
    with pytest.raises(CommandError):
        call_command("vectors", str(file))


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        ("1.63", "1.6329931619", True),
        ("1.63", "1.6251", True),
        ("1.63", "1.6249", False),
        ("1", "0.8", True),  # as many decimals as printed: the renal factor is therefore compared exactly
        (None, "0", False),
        (True, "1", False),
    ],
)
def test_texts_compare_at_their_printed_decimals(expected: Any, got: str, equal: bool) -> None:
    assert same(expected, Decimal(got)) is equal
