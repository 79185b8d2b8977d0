"""Derived values as they are kept: what has to be written of one subject, and by what a change is known."""

from dataclasses import replace
from datetime import date
from json import dumps, loads
from typing import Any

from dosing.models import DoseAllocation, Infusion
from safety.casebook import Casebook
from safety.derived import stored
from safety.derived.every import derive
from safety.derived.stored import Key
from subjects.models import Demographics, InformedConsent
from tests.books import at, book
from tests.test_eligibility_criteria import amended
from trial.fields import uuid7
from trial.protocol import V1

AGE: Key = ("age", "")


def treated(born: str = "1980-05") -> Casebook:
    """A subject with consent, a birth date, a dose level and an infusion."""
    consent = InformedConsent(
        consent_type="INITIAL", consent_dt=at("2026-02-09"), icf_version="1.0", signed_by_subject=True
    )
    person = Demographics(birth_date=born, sex="M", visit="SCR")
    level = DoseAllocation(level="DL1", allocated_dt=at("2026-03-10"))
    return book(consent, person, level, Infusion(inf_start_dt=at("2026-03-16"), part_no=1))


def there(told: Casebook) -> dict[Key, tuple[str, bool]]:
    """What is kept once everything was written."""
    return {key: (digest, True) for key, digest in stored.digests(derive(told, V1), V1).items()}


def test_at_first_everything_is_new() -> None:
    told = treated()
    found = stored.changes(told, V1, {})
    names = [(row["name"], row["key"]) for row in found.fresh]
    assert names == sorted(names) and set(names) == set(derive(told, V1)) and not found.moved
    assert len({row["id"] for row in found.fresh}) == len(names)
    for row in found.fresh:
        assert (row["version"], row["subject_id"], row["site_id"]) == (1, told.subject_id, told.site.id)
        assert row["stands"] is True and row["computed_at"] and row["protocol_version"] == "1.0"
        assert len(row["digest"]) == len(row["input_hash"]) == 64


def test_a_new_row_is_the_derived_value_and_its_inputs() -> None:
    told = treated()
    (person,) = told.of(Demographics)
    how, one = derive(told, V1)[AGE]
    fresh = stored.changes(told, V1, {}).fresh
    (row,) = (r for r in fresh if r["name"] == "age")
    kept = stored.kept(how, one, V1)
    assert loads(str(row["value"])) == kept["value"] and loads(str(row["inputs"])) == kept["inputs"]
    apart = {"value", "inputs"}
    assert {k: v for k, v in kept.items() if k not in apart} == {k: row[k] for k in kept if k not in apart}
    assert {(i["form"], i["record"]) for i in kept["inputs"]} >= {("demographics", str(person.pk))}
    assert (kept["method"], kept["stands"], kept["differs"]) == (how.method, True, False)
    assert (kept["form"], kept["record_id"], kept["on"]) == (one.form, one.record, one.on)
    assert kept == stored.kept(how, one, V1, stored.kept_of(how, one, V1))


def test_what_stands_is_not_written_again() -> None:
    told = treated()
    found = stored.changes(told, V1, there(told))
    assert not found.fresh and not found.moved and found.subject_id == told.subject_id


def test_what_differs_or_came_back_is_written_and_what_is_gone_stands_no_longer() -> None:
    told = treated()
    kept = there(told)
    digest = kept[AGE][0]
    spoiled = stored.changes(told, V1, {**kept, AGE: ("spoiled", True)})
    assert set(spoiled.moved) == {AGE} and spoiled.moved[AGE]["digest"] == digest
    again = stored.changes(told, V1, {**kept, AGE: (digest, False)})
    assert set(again.moved) == {AGE} and again.moved[AGE]["stands"] is True
    gone = stored.changes(told, V1, {**kept, ("pk", "QPCR:PB"): ("x" * 64, True)})
    assert gone.moved == {("pk", "QPCR:PB"): {"stands": False, "differs": False}}
    known = stored.changes(told, V1, {**kept, ("pk", "QPCR:PB"): ("x" * 64, False)})
    assert not known.moved and not known.fresh


def test_the_digest_is_of_everything_but_the_versions_of_records() -> None:
    told = treated()
    how, one = derive(told, V1)[AGE]
    digest = stored.kept_of(how, one, V1).digest
    newer = tuple(i._replace(version=i.version + 1) for i in one.inputs)
    assert stored.kept_of(how, replace(one, inputs=newer), V1).digest == digest
    first = one.inputs[0]
    others = [
        stored.kept_of(replace(how, name="x"), one, V1),
        stored.kept_of(replace(how, method="x"), one, V1),
        stored.kept_of(how, one, replace(V1, version="9.9")),
        stored.kept_of(how, replace(one, key="x"), V1),
        stored.kept_of(how, replace(one, on=date(2020, 1, 1)), V1),
        stored.kept_of(how, replace(one, differs=True), V1),
        stored.kept_of(how, replace(one, value={"years": 1}), V1),
        stored.kept_of(how, replace(one, inputs=(first._replace(value="x"), *one.inputs[1:])), V1),
    ]
    assert len({digest, *(other.digest for other in others)}) == len(others) + 1


def test_the_text_of_a_value_is_the_value() -> None:
    told = treated()
    for how, one in derive(told, V1).values():
        kept = stored.kept_of(how, one, V1)
        assert loads(kept.text) == loads(dumps(kept.value))


def test_what_was_read_is_sorted_by_subject() -> None:
    one, other = uuid7(), uuid7()
    rows: list[tuple[Any, ...]] = [
        (one, "age", "", "a", True),
        (other, "age", "", "b", False),
        (one, "pk", "QPCR:PB", "c", True),
    ]
    assert stored.standing(rows) == {
        one: {AGE: ("a", True), ("pk", "QPCR:PB"): ("c", True)},
        other: {AGE: ("b", False)},
    }


def test_another_protocol_writes_everything_anew() -> None:
    told = treated()
    second = replace(amended(), version="2.0")
    assert set(stored.changes(told, second, there(told)).moved) == set(derive(told, second))
