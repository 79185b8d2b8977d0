"""Laboratory grades: which result is the baseline, which drug and which event count, what is typed and not yet kept."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dosing.models import Lymphodepletion
from safety.adverse_events import AdverseEvent
from safety.derived.laboratory import event_of, grades_of
from tests.books import at, book
from tests.people import chemistry
from tests.test_derived import (
    LD,
    drug,
    results,
    told,
)
from trial.edit_checks import calculate
from visits.models import Chemistry, Coagulation

D = Decimal


def alt(day: str, value: int, time: str = "08:00") -> Chemistry:
    return chemistry(day, time, alt_value=D(value), alt_uln=D(40))


def dose(day: str | None, mg: str | None = "50") -> Lymphodepletion:
    """A dose of lymphodepletion at ten."""
    return Lymphodepletion(admin_dt=day and at(day), actual_mg=None if mg is None else D(mg), planned_day=-5)


@pytest.mark.parametrize(
    ("doses", "baseline"),
    [
        ([dose("2026-03-11")], "50"),
        ([dose("2026-03-12"), dose("2026-03-11")], "50"),  # the first of them
        ([dose(None), dose("2026-03-11")], "50"),
        ([dose("2026-03-09", "0"), dose("2026-03-11")], "50"),  # nothing was given
        ([dose("2026-03-09", "1"), dose("2026-03-11")], "45"),
        ([dose("2026-03-09", None), dose("2026-03-11")], "45"),
        ([dose(None)], None),
        ([], None),
    ],
)
def test_the_baseline_lies_before_the_first_dose_that_was_given(
    doses: list[Any], baseline: str | None
) -> None:
    rows = [
        alt("2026-03-08", 45),
        alt("2026-03-10", 50),
        alt("2026-03-11", 55, "10:00"),
        alt("2026-03-20", 60),
    ]
    told_ = results(*doses, *rows)
    assert told_[-1]["results"]["alt"]["baseline"] == baseline
    assert told_[0]["results"]["alt"]["baseline"] is None  # before it, or the baseline itself


def test_the_baseline_has_none_itself() -> None:
    before, base, after = (
        r["results"]["alt"]
        for r in results(LD, alt("2026-03-08", 45), alt("2026-03-10", 50), alt("2026-03-20", 60))
    )
    assert [one["baseline"] for one in (before, base, after)] == [None, None, "50"]


def test_the_worst_grade_of_a_record() -> None:
    row = chemistry("2026-03-20", alt_value=D(330), alt_uln=D(40), ast_value=D(50))  # 8.25 and 1.4 times
    assert results(row)[0]["worst"] == 3
    empty = Chemistry(lb_dt=at("2026-03-19"))
    assert results(empty) == []
    assert len(results(empty, row)) == 1  # and it hides no other


@pytest.mark.parametrize(
    ("albumin", "corrected"), [(("30", ""), "2.1"), (("30", "<"), None), (("40", ""), "1.9")]
)
def test_a_bounded_albumin_corrects_no_calcium(albumin: tuple[str, str], corrected: str | None) -> None:
    facts = {"calcium_value": D("1.90"), "calcium_lln": D("2.1"), "calcium_uln": D("2.6")}
    row = chemistry("2026-03-20", albumin_value=D(albumin[0]), albumin_qual=albumin[1], **facts)
    assert results(LD, row)[0]["results"]["calcium"]["corrected"] == corrected


def test_the_baseline_of_a_corrected_calcium_rests_on_its_albumin() -> None:
    facts = {"calcium_value": D("2.2"), "calcium_lln": D("2.1"), "calcium_uln": D("2.6"), "calcium_qual": "<"}
    base = Chemistry(lb_dt=at("2026-03-10"), albumin_value=D(30), albumin_unit="g/L", **facts)
    after = Chemistry(lb_dt=at("2026-03-20"), calcium_value=D("2.2"))
    (_, one) = told("lab_grade", LD, base, after)
    assert [(i.field, i.value) for i in one.inputs if i.record == base.pk] == [
        ("calcium_value", "2.2"),
        ("calcium_qual", "<"),
        ("calcium_uln", "2.6"),
        ("albumin_value", "30"),
        ("albumin_unit", "g/L"),
    ]
    assert [(i.field, i.value) for i in one.inputs if i.record == after.pk] == [
        ("lb_dt", "2026-03-20T10:00:00+08:00"),
        ("calcium_value", "2.2"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "grade"),
    [
        ("2026-03-20", "", 1),  # begun on the day: 2.4 is 1.2 times the baseline
        ("2026-03-21", "", 2),  # grade 2 by the value alone
        ("2026-03-01", "2026-03-20", 1),  # its last day
        ("2026-03-01", "2026-03-19", 2),
        ("2026-03", "2026-03", 1),  # perhaps
        ("", "2026-03-30", 2),
    ],
)
def test_an_anticoagulant_on_the_day(start: str, end: str, grade: int) -> None:
    rows = [
        Coagulation(lb_dt=at(day), inr_value=D(n))
        for day, n in (("2026-03-10", "2.0"), ("2026-03-20", "2.4"))
    ]
    heparin = drug("ANTICOAGULANT", start, end_dt=end, ongoing=not end)
    found = told("lab_grade", LD, *rows, heparin)[-1]
    assert found.value["results"]["inr"]["grades"][0]["grade"] == grade
    named = [(i.field, i.value) for i in found.inputs if i.record == heparin.pk]
    ended = [("end_dt", end)] if end else []
    assert named == ([("drug_class", "ANTICOAGULANT"), ("start_dt", start), *ended] if grade == 1 else [])


def test_what_is_typed_is_graded_as_it_is_typed() -> None:
    older, base, after = alt("2026-03-08", 45), alt("2026-03-10", 50), alt("2026-03-20", 60)
    steps = [  # which are typed, not stored; what stands in them, always of the same version
        ((), 50, 60),
        ((base,), 51, 60),
        ((base,), 52, 60),
        ((after,), 50, 61),
        ((after,), 50, 62),
        ((base, after), 53, 63),
        ((), 50, 60),
    ]
    for rows in ((base, after), (older, base, after)):
        for typed, before, now in steps:
            base.alt_value, after.alt_value = D(before), D(now)
            for row in rows:
                calculate(row)
            found = grades_of(book(LD, *rows), Chemistry, {one.pk for one in typed})[after.pk]["alt"]
            assert (found["baseline"], found["value"]) == (str(before), str(now))


@pytest.mark.parametrize(
    ("result", "term", "named"),
    [
        ("wbc", "Leukopenia", True),
        ("wbc", "白细胞减少", True),
        ("alc", "Lymphopenia", True),
        ("anc", "Febrile neutropenia", True),
        ("anc", "粒细胞缺乏", True),
        ("plt", "Thrombocytopenia", True),
        ("hgb", "ANAEMIA", True),
        ("alt", "Raised transaminases", True),
        ("ast", "肝功能异常", True),
        ("ast", "ALT/AST raised", True),
        ("alt", "Hepatitis", True),
        ("tbil", "Jaundice", True),
        ("creatinine", "Acute kidney injury", True),
        ("fibrinogen", "Coagulopathy", True),
        ("aptt", "Coagulopathy", True),
        ("inr", "凝血功能障碍", True),
        ("uric_acid", "Tumour lysis syndrome", True),
        ("phosphate", "Tumour lysis syndrome", True),
        ("sodium", "Tumour lysis syndrome", False),
        ("plt", "Coagulopathy", False),
        ("creatinine", "Jaundice", False),
        ("plt", "Pancytopenia", True),
        ("hgb", "Cytopenia", True),
        ("wbc", "Prolonged cytopenias", True),
        ("anc", "全血细胞减少", True),
        ("hgb", "Thrombocytopenia", False),
        ("anc", "Thrombocytopenia", False),
        ("wbc", "Thrombocytopenia", False),
        ("plt", "Neutropenia", False),
        ("alt", "Raised ALT", True),
        ("alt", "AST/ALT raised", True),
        ("alt", "ALT升高", True),
        ("ast", "3级AST升高", True),
        ("ast", "Raised AST", True),
        ("ast", "Breast pain", False),
        ("alt", "Cobalt poisoning", False),
        ("ast", "Preterm delivery", False),
        ("creatinine", "Renal failure", True),
        ("creatinine", "Adrenal insufficiency", False),
        ("uric_acid", "Facial paralysis", False),
    ],
)
def test_by_which_word_an_event_answers_for_a_result(result: str, term: str, named: bool) -> None:
    event = AdverseEvent(term=term, start_dt="2026-03-20")
    found = event_of(book(event), result, {"grades": []}, date(2026, 3, 20))
    assert (found is event) is named


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"start_dt": "2026-03-20"}, True),  # begun on the day
        ({"start_dt": "2026-03-21"}, False),
        ({"start_dt": "2026-03-01", "end_dt": "2026-03-20"}, True),  # ended on it
        ({"start_dt": "2026-03-01", "end_dt": "2026-03-19"}, False),
        ({"start_dt": "", "end_dt": "2026-03-20"}, True),
        ({"start_dt": "2026-03-21", "end_dt": "2026-03-22"}, False),
    ],
)
def test_an_event_answers_for_the_days_it_lasted(facts: dict[str, str], named: bool) -> None:
    other = AdverseEvent(term="Rash", start_dt="2026-03-20")
    event = AdverseEvent(term="Thrombocytopenia", **facts)
    assert (event_of(book(other, event), "plt", {"grades": []}, date(2026, 3, 20)) is event) is named
