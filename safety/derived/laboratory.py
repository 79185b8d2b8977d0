"""CTCAE grades of laboratory results, in both directions, against a baseline and the range kept with each result."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from dosing.models import Lymphodepletion
from safety.adverse_events import AdverseEvent
from safety.casebook import Casebook
from safety.derived.vocabulary import Derived, Plain, Says, Seen, derivation, hash_of, inputs, plain
from safety.grading.ctcae import LabResult, Toxicity, corrected_calcium, grade
from safety.grading.ctcae_terms import BASIS, CITATION, OF_RESULT, TERMS, VERSION
from safety.milestones import lymphodepletion
from trial.analyte import Measured, measured
from trial.dates import span_of
from trial.protocol import Protocol
from visits.models import Chemistry, Coagulation, ConMeds, Haematology

FORMS: tuple[Any, ...] = (Haematology, Chemistry, Coagulation)
PARTS = ("value", "qual", "unit", "lln", "uln")
BASED_ON = ("value", "qual", "unit", "uln")
LATIN = re.compile("[a-z]+")
_ALL_CELLS = (" cytop", "bicytop", "pancytop", "血细胞减少")
_WHITE = ("leukop", "leucop", "neutrop", "lymphop", "white", "白细胞", "粒细胞", "淋巴细胞", *_ALL_CELLS)
_TRANSAMINASE = ("transaminase", "aminotransferase", " liver", "hepat", "转氨酶", "肝")
WORDS: Mapping[str, tuple[str, ...]] = {
    "wbc": _WHITE,
    "alc": _WHITE,
    "anc": ("neutrop", "粒细胞", *_ALL_CELLS),
    "plt": ("platelet", "thrombocytop", "血小板", *_ALL_CELLS),
    "hgb": ("anaemia", "haemoglobin", "hemoglobin", "贫血", "血红蛋白", *_ALL_CELLS),
    "alt": (" alt ", *_TRANSAMINASE),
    "ast": (" ast ", *_TRANSAMINASE),
    "tbil": ("bilirubin", "jaundice", "胆红素", "黄疸"),
    "creatinine": (" renal", "kidney", "肾"),
    "fibrinogen": ("fibrinogen", "coagulopathy", "纤维蛋白原", "凝血"),
    "aptt": ("coagulopathy", "凝血"),
    "inr": ("coagulopathy", "凝血"),
    "uric_acid": ("uric", " lysis", "尿酸", "溶瘤"),
    "phosphate": (" lysis", "溶瘤"),
}
"""By which words beside those of its terms an adverse event answers for a result. A blank is where a word begins or
ends: thrombocytopenia is no pancytopenia, a breast has no AST."""


@dataclass(frozen=True)
class Baseline:
    """The last result before lymphodepletion, in the term's unit, and the limit that was in force for it."""

    row: Any
    value: Decimal
    high: Decimal | None
    grades: Mapping[str, int | None]


Bases = Mapping[str, Baseline | None]


@dataclass(frozen=True)
class Paper:
    """One laboratory record with what its grades depend on. Two are the same when they are the same version of the
    same record, held against the same versions of the same others: a version never changes."""

    key: tuple[Any, ...]
    form: Any = field(compare=False)
    row: Any = field(compare=False)
    bases: Bases = field(compare=False)
    drugs: Sequence[Any] = field(compare=False)


@dataclass(frozen=True)
class Sheet:
    """The graded results of one record, as they are kept."""

    results: Plain
    worst: int | None
    seen: Seen


@derivation(
    "lab_grade",
    en="CTCAE grades of a laboratory record",
    zh="实验室检查CTCAE分级",
    group="LABORATORY",
    method=VERSION,
    basis=BASIS,
    cites=CITATION,
    reads=(*FORMS, Lymphodepletion, ConMeds, AdverseEvent),
    says=(
        Says("results", "Result, range, baseline and grades by analyte", "各项结果、参考范围、基线与分级"),
        Says("worst", "Worst grade", "最高分级"),
        Says("ask", "Results that ask for an adverse event", "需询问不良事件的项目"),
    ),
)
def laboratory_grades(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Each result is graded by every term of its analyte, in both directions. The baseline is the last value before
    the first dose of lymphodepletion, for the results after it; limits are those kept with the results. An adverse
    event is asked about at the first result of a run whose grade reaches the limit or lies so many grades above
    baseline, unless an adverse event that names the term is on record for that day. Calcium is corrected for albumin
    of the same sample."""
    for form in FORMS:
        asking: set[str] = set()
        for row, day, sheet in _sheets(book, form):
            if not sheet.results:
                continue
            reached = {name for name, one in sheet.results.items() if _reaches(one, protocol)}
            ask = sorted(n for n in reached - asking if event_of(book, n, sheet.results[n], day) is None)
            asking = (asking - set(sheet.results)) | reached
            value = {"results": sheet.results, "worst": sheet.worst, "ask": ask}
            yield Derived(str(row.pk), value, sheet.seen, day, form.form, row.pk, bool(ask))


def grades_of(book: Casebook, form: Any, typed: Collection[UUID] = ()) -> dict[UUID, Plain]:
    """The graded results of every record of one form as the book has them now; `typed` are records that are not stored
    as they stand in it. The book needs the form, lymphodepletion and medication."""
    return {row.pk: sheet.results for row, _, sheet in _sheets(book, form, typed)}


def _sheets(book: Casebook, form: Any, typed: Collection[UUID] = ()) -> Iterator[tuple[Any, date, Sheet]]:
    """The dated records of a form, oldest first, each with its day and its grades."""
    start = lymphodepletion(book)
    thin = [drug for drug in book.of(ConMeds) if drug.drug_class == "ANTICOAGULANT"]
    rows = sorted((r for r in book.of(form) if r.lb_dt), key=lambda r: r.lb_dt)
    before = [r for r in rows if start is not None and r.lb_dt < start.moment]
    bases = {name: _baseline(form, before, name) for name in form.analytes if name in OF_RESULT}
    stamp = tuple((base.row.pk, base.row.version) if base else None for base in bases.values())
    fresh = any(row.pk in typed for row in before)
    for row in rows:
        day = book.day(row.lb_dt)
        assert day is not None
        drugs = [drug for drug in thin if _taken(book, drug, day)] if form is Coagulation else []
        key = (form, row.pk, row.version, stamp, *((drug.pk, drug.version) for drug in drugs))
        paper = Paper(key, form, row, bases, drugs)
        yield row, day, graded(paper) if fresh or row.pk in typed else sheet_of(paper)


@lru_cache(maxsize=2048)
def sheet_of(paper: Paper) -> Sheet:
    """The grades of one record; kept for a while, since most records stay as they are from one evaluation to the next."""
    return graded(paper)


def graded(paper: Paper) -> Sheet:
    """The grades of one record, worked out anew."""
    form, row = paper.form, paper.row
    bases = {
        name: base if base and base.row.lb_dt < row.lb_dt else None for name, base in paper.bases.items()
    }
    results = Plain()
    for name, base in bases.items():
        found = _result(form, row, name, base, bool(paper.drugs))
        if found is not None:
            results[name] = found
    seen = [*inputs(form, row, *_fields(tuple(results)))]
    for name in results:
        known = bases[name]
        if known is not None:
            base_of = (name, "albumin") if name == "calcium" else (name,)
            seen += inputs(form, known.row, *(f"{one}_{part}" for one in base_of for part in BASED_ON))
    for drug in paper.drugs:
        seen += inputs(ConMeds, drug, "drug_class", "start_dt", "end_dt")
    grades = [
        told["grade"] for one in results.values() for told in one["grades"] if told["grade"] is not None
    ]
    held = Seen(seen)
    held.mark = hash_of(tuple(seen))
    return Sheet(results, max(grades, default=None), held)


@lru_cache(maxsize=256)
def _fields(names: tuple[str, ...]) -> tuple[str, ...]:
    """The answers that the results of these names stand in."""
    return ("lb_dt", *(f"{name}_{part}" for name in names for part in PARTS))


def _value(form: Any, row: Any, name: str) -> tuple[Measured, Decimal | None] | None:
    """The result in its canonical unit and the number that is graded: calcium corrected for albumin."""
    found = measured(row, form.analytes[name].quantity, name)
    if found is None:
        return None
    if name != "calcium":
        return found, found.value
    albumin = measured(row, "protein", "albumin")
    known = albumin.value if albumin is not None and not albumin.qualifier else None
    return found, corrected_calcium(found.value, known)


def _baseline(form: Any, before: Sequence[Any], name: str) -> Baseline | None:
    for row in reversed(before):
        found = _value(form, row, name)
        if found is not None and found[1] is not None:
            taken, value = found[0], found[1]
            own = LabResult(value, taken.low, taken.high, qualifier=taken.qualifier)
            grades = {term: grade(term, own).grade for term in OF_RESULT[name]}
            return Baseline(row, value, taken.high, grades)
    return None


def _result(form: Any, row: Any, name: str, base: Baseline | None, thin: bool) -> dict[str, Any] | None:
    """The graded result, as JSON keeps it."""
    found = _value(form, row, name)
    if found is None:
        return None
    taken, value = found
    one = LabResult(
        value,
        taken.low,
        taken.high,
        None if base is None else base.value,
        None if base is None else base.high,
        on_anticoagulant=thin,
        qualifier=taken.qualifier,
    )
    told: dict[str, Any] = {
        "value": plain(taken.value),
        "qualifier": taken.qualifier,
        "unit": taken.unit,
        "low": plain(taken.low),
        "high": plain(taken.high),
        "baseline": plain(one.baseline),
        "baseline_high": plain(one.baseline_uln),
        "grades": [_graded(grade(term, one), base, value) for term in OF_RESULT[name]],
    }
    return {**told, "corrected": plain(value)} if name == "calcium" else told


def _graded(found: Toxicity, base: Baseline | None, value: Decimal | None) -> dict[str, Any]:
    term = TERMS[found.term.casefold()]
    missing = found.missing if value is not None else ("albumin",)
    return {
        "term": found.term,
        "zh": term.zh,
        "direction": term.direction,
        "grade": found.grade,
        "baseline_grade": None if base is None else base.grades[found.term],
        "needs_clinical": found.needs_clinical,
        "baseline_assumed_normal": found.baseline_assumed_normal,
        "missing": list(missing),
    }


def _reaches(one: Mapping[str, Any], protocol: Protocol) -> bool:
    """Whether a grade asks for an adverse event."""
    least, rise = protocol.lab_ask_grade_min.value, protocol.lab_ask_increase_min.value
    for told in one["grades"]:
        found, before = told["grade"], told["baseline_grade"]
        if found is not None and (found >= least or (before is not None and found - before >= rise)):
            return True
    return False


@lru_cache(maxsize=1024)
def _spaced(term: str) -> str:
    """A term in small letters, with one blank at either end of every word of Latin letters."""
    parts = LATIN.sub(r" \g<0> ", term.casefold()).split()
    return f" {' '.join(parts)} "


def event_of(book: Casebook, name: str, one: Mapping[str, Any], day: date) -> AdverseEvent | None:
    """The adverse event on record for that day that names one of the terms, or the result by a usual word."""
    words = [_spaced(word).strip() for told in one["grades"] for word in (told["term"], told["zh"])]
    words += WORDS.get(name, ())
    for event in book.of(AdverseEvent):
        start, end = span_of(event.start_dt, book.zone), span_of(event.end_dt, book.zone)
        said = _spaced(event.term)
        there = start is None or start.first <= day
        still = end is None or end.last >= day
        if there and still and any(word in said for word in words):
            return event
    return None


def _taken(book: Casebook, drug: Any, day: date) -> bool:
    """Whether the drug was surely or possibly taken on that day."""
    start, end = span_of(drug.start_dt, book.zone), span_of(drug.end_dt, book.zone)
    return start is not None and start.first <= day and (end is None or end.last >= day)
