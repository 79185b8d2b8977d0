"""How derived values are named and in which order they come, and how answers and values are written as text."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from hashlib import sha256
from json import loads
from typing import Any

import pytest
from django.utils.translation import override

from dosing.models import Infusion
from safety.derived import every, times
from safety.derived.every import DERIVATIONS
from safety.derived.vocabulary import (
    GROUPS,
    Derived,
    Input,
    Plain,
    Says,
    Seen,
    derivation,
    hash_of,
    inputs,
    plain,
    text_of,
    told,
    written,
)
from tests.books import at, book
from tests.test_derived_evidence import RESTS_ON
from tests.test_derived_evidence import told as derived
from trial.fields import uuid7
from trial.item import Basis
from trial.protocol import V1
from trial.rules import Fact

D = Decimal
NAMES = """
    age subject_status analysis_sets dlt_window
    bsa crcl ld_dose dose_given dose_total endotoxin
    crs_grade crs_episode icans_grade icans_episode
    lab_grade
    mrd response best_response
    os pfs dor
    pk cytokine_peak b_cell_aplasia
"""


def test_every_value_of_the_protocol_is_derived_in_this_order() -> None:
    assert list(DERIVATIONS) == NAMES.split()
    assert [how.name for how in every._ALL] == list(DERIVATIONS)
    groups = [how.group for how in DERIVATIONS.values()]
    assert list(GROUPS) == sorted(set(groups), key=groups.index)


@pytest.mark.parametrize("name", RESTS_ON)
def test_what_a_value_rests_on_is_read_for_it(name: str) -> None:
    how = DERIVATIONS[name.split(",")[0].split()[0]]
    rests_on = {i.form for one in derived(how.name, *RESTS_ON[name][0]) for i in one.inputs}
    assert rests_on <= {form.form for form in how.reads}


def test_survival_reads_what_it_rests_on() -> None:
    (one,) = derived("os", *RESTS_ON["os"][0])
    assert {form.form for form in times.READS} == {i.form for i in one.inputs}


# --- words ---------------------------------------------------------------------------------------------------------


@derivation(
    "answer",
    en="The answer",
    zh="答案",
    group="SUBJECT",
    method="A1.0",
    basis=Basis.DEFAULT,
    cites="A table",
    reads=(Infusion,),
    says=(Says("answer", "Answer", "答案"),),
)
def answer_to_all(book: Any, protocol: Any) -> Iterator[Derived]:
    """As long as
    it takes."""
    yield Derived("", {"answer": 42}, ())


def test_a_derivation_is_made_of_a_function() -> None:
    how = derivation(
        "answer",
        en="The answer",
        zh="答案",
        group="SUBJECT",
        method="A1.0",
        basis=Basis.DEFAULT,
        cites="A table",
        reads=(Infusion,),
        says=answer_to_all.says,
    )(answer_to_all.work)
    assert how == answer_to_all and how.text == "As long as it takes."
    assert [one.value for one in how(book(), V1)] == [{"answer": 42}]
    with override("en"):
        assert how.title == "The answer"
    with override("zh-hans"):
        assert how.title == "答案"


def test_an_input_is_a_fact_of_the_rules() -> None:
    key = uuid7()
    assert Input("death", key, "death_date", "2026-04", 3).fact == Fact("death", key, "death_date", "2026-04")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, ""),
        ("", ""),
        ("CR", "CR"),
        (D("1E+3"), "1000"),
        (D("0.50"), "0.50"),  # as stored
        (0, "0"),
        (False, "False"),
        ([], ""),
        (["SKIN", "TESTIS"], "SKIN,TESTIS"),
        (("SKIN", 2), "SKIN,2"),
        (date(2026, 3, 16), "2026-03-16"),
        (at("2026-03-16"), "2026-03-16T10:00:00+08:00"),
    ],
)
def test_an_answer_as_text(answer: Any, text: str) -> None:
    assert told(answer) == text


# --- JSON and hashes -----------------------------------------------------------------------------------------------


def test_parts_that_are_written_already_stand_in_the_text_as_any_other() -> None:
    graded = Plain({"alt": {"value": "80"}})
    assert graded.text == '{"alt":{"value":"80"}}'
    for value in (
        {"results": graded, "worst": 1},
        {"worst": 1, "ask": ["alt"]},
        {"one": graded, "two": graded},
        {},
    ):
        same = {name: dict(one) if isinstance(one, Plain) else one for name, one in value.items()}
        assert text_of(value) == text_of(same)
        assert loads(text_of(value)) == same
    graded.text = '{"alt":"as written"}'  # written once
    assert text_of({"worst": 1, "results": graded}) == '{"worst":1,"results":{"alt":"as written"}}'
    assert text_of({"results": graded}) == '{"results":{"alt":"as written"}}'


def test_the_hash_is_over_form_record_field_and_value_and_not_the_versions() -> None:
    one, other = uuid7(), uuid7()
    seen = (
        Input("death", one, "death_date", "2026-04", 1),
        Input("death", one, "primary_cause", "CRS", 1),
        Input("death", other, "death_date", "2026-05", 2),
    )
    lines = (
        f"death\x1f{one}\x1fdeath_date\x1f2026-04",
        f"death\x1f{one}\x1fprimary_cause\x1fCRS",
        f"death\x1f{other}\x1fdeath_date\x1f2026-05",
    )
    expected = sha256("\x1e".join(lines).encode()).hexdigest()
    assert hash_of(seen) == hash_of([one_._replace(version=9) for one_ in seen]) == expected
    assert hash_of(seen) != hash_of(seen[:2]) != hash_of(seen[::-1])
    known = Seen(seen)
    known.mark = "known"
    assert hash_of(known) == "known"


def test_inputs_as_they_are_kept() -> None:
    one, other = uuid7(), uuid7()
    seen = (
        Input("death", one, "death_date", "2026-04", 1),
        Input("death", one, "place", 'at "home"\n', 1),
        Input("death", other, "death_date", "死", 2),
    )
    names = ("form", "record", "field", "value", "version")
    assert loads(written(seen)) == [
        dict(zip(names, (i.form, str(i.record), i.field, i.value, i.version), strict=True)) for i in seen
    ]
    assert written(()) == "[]"


def test_empty_answers_are_no_inputs_and_a_link_stands_without_its_id() -> None:
    batch = uuid7()
    row = Infusion(inf_start_dt=at("2026-03-16"), batch_id=batch, part_no=None, version=4)
    assert inputs(Infusion, row, "batch_id", "part_no", "inf_start_dt") == (
        Input("infusion", row.pk, "batch", str(batch), 4),
        Input("infusion", row.pk, "inf_start_dt", "2026-03-16T10:00:00+08:00", 4),
    )
    assert inputs(Infusion, row, "batch_id") == (Input("infusion", row.pk, "batch", str(batch), 4),)
    assert inputs(Infusion, row) == ()


@pytest.mark.parametrize(
    ("number", "text"), [("0.000", "0"), ("10", "10"), ("-1.50", "-1.5"), ("0.10", "0.1")]
)
def test_a_number_reads_the_same_however_it_was_stored(number: str, text: str) -> None:
    assert plain(D(number)) == text
