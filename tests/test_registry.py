"""The registry record in the code is the record, letter for letter."""

import hashlib
import json
import re
import warnings
from pathlib import Path

import pytest

from trial.registry import CRITERIA, REGISTRATION, criterion

SHARED = Path(__file__).resolve().parents[2] / "shared"
CRITERIA_SHA256 = "32dd085fff12f2c738e27ef1ca6084bdfac86035f632536bf02cb329a5dc2c9b"


def material(name: str) -> str:
    """A file handed over with the protocol; skips, and says so loudly, where it is not at hand."""
    path = SHARED / name
    if not SHARED.is_dir():
        warnings.warn(f"NOT COMPARED WITH THE REGISTRY RECORD: {path} is absent; checksum only", stacklevel=2)
        pytest.skip("the registry record is not at hand")
    return path.read_bytes().decode("utf-8")


def test_criteria_are_the_committed_ones() -> None:
    joined = "\n".join(one.text for one in CRITERIA).encode("utf-8")
    assert hashlib.sha256(joined).hexdigest() == CRITERIA_SHA256


def test_there_are_eleven_inclusion_and_eighteen_exclusion_criteria() -> None:
    ids = [f"I-{n:02}" for n in range(1, 12)] + [f"E-{n:02}" for n in range(1, 19)]
    assert [one.id for one in CRITERIA] == ids
    assert criterion("I-06").text == "Age 18 to 65"


def test_criteria_equal_the_clinical_specification_byte_for_byte() -> None:
    theirs = json.loads(material("clinical/rules.json"))["criteria"]
    assert [(one.id, one.text.encode()) for one in CRITERIA] == [
        (row["id"], row["verbatim"].encode()) for row in theirs
    ]


@pytest.mark.parametrize(
    ("heading", "ends", "letter"),
    [("Inclusion criteria", "Exclusion criteria", "I"), ("Exclusion criteria", "Trial design", "E")],
)
def test_criteria_equal_the_record_byte_for_byte(heading: str, ends: str, letter: str) -> None:
    record = material("protocol/registry-record.txt")
    part = record.split(f"\n{heading}\n", 1)[1].split(f"\n{ends}\n", 1)[0]
    rows = {int(number): text.encode() for number, text in re.findall(r"^  (\d+)\. (.*)$", part, re.M)}
    assert rows == {int(one.id[2:]): one.text.encode() for one in CRITERIA if one.id[0] == letter}


def test_every_fact_stands_in_the_record() -> None:
    lines = {
        line.strip(" •*-").removeprefix("Description:")
        for line in material("protocol/registry-record.txt").split("\n")
    }
    lines |= {re.sub(r"^\d+\. ", "", line) for line in lines}
    for name, value in vars(REGISTRATION).items():
        for fact in value if isinstance(value, tuple) else (value,):
            shown = f"{fact} estimated patients" if name == "enrolment" else str(fact)
            assert shown in lines, f"{name}: {shown!r}"
