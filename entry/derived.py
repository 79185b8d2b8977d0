"""What follows from the answers, as pages show it: every derived value with its method, its source and its inputs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from entry.flags import record_link
from review.places import field_name, form_name
from safety.derived.every import DERIVATIONS
from safety.derived.vocabulary import GROUPS
from safety.derived.vocabulary import Derivation as How
from safety.derived.words import in_words
from safety.models import Derivation
from subjects.crf import CRF, Subject
from trial.item import Basis, items
from trial.text import T
from visits.models import ConMeds

YES_NO = {True: T("Yes", "是"), False: T("No", "否")}
ARROWS = {"low": "↓", "high": "↑"}
PLACES = Decimal("0.0001")
LONG = 9
NAMED = {"crs_grade": ("investigator_grade", "grade"), "icans_grade": ("investigator_grade", "grade"),
         "response": ("investigator_response", "response"), "ld_dose": ("planned_mg", "planned_mg"),
         "bsa": ("bsa_m2", "exact"), "dose_given": ("actual_per_kg", "per_kg"),
         "mrd": ("mrd_result", "category"), "endotoxin": ("endotoxin_eu_ml", "eu_per_kg")}  # fmt: skip
"""Beside which item of its form a derived value stands, and which of its values."""
FORMS = frozenset(("crs_assessment", "icans_assessment", "response", "lymphodepletion", "infusion", "bone_marrow",
                   "manufacturing", "haematology", "chemistry", "coagulation"))  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """One answer a value rests on."""

    label: str
    value: str
    url: str
    version: int


@dataclass
class Line:
    """One derived value as a row of a table."""

    on: str
    url: str
    where: str
    cells: list[str]
    differs: bool
    inputs: list[Seen]
    protocol: str
    notes: list[str] = field(default_factory=list)


@dataclass
class Table:
    """One derivation with its values."""

    name: str
    title: str
    text: str
    method: str
    basis: str
    cites: str
    heads: list[str]
    lines: list[Line]


@dataclass
class Group:
    """Derivations that belong together."""

    code: str
    title: str
    tables: list[Table]


@dataclass(frozen=True)
class Computed:
    """A derived value beside the item it is about."""

    words: str
    method: str
    differs: bool
    icon: str = ""


def derived_of(subject: Subject, zone: str) -> list[Group]:
    """Everything derived of a subject, in one statement. Call inside `audit.reading`."""
    rows: dict[str, list[Derivation]] = defaultdict(list)
    for row in Derivation.objects.filter(subject_id=subject.pk, stands=True).order_by("name", "on", "key"):
        rows[row.name].append(row)
    found: dict[str, list[Table]] = defaultdict(list)
    for name, how in DERIVATIONS.items():
        if rows[name]:
            found[how.group].append(_table(how, rows[name], zone))
    return [Group(code, str(T(*words)), found[code]) for code, words in GROUPS.items() if found[code]]


def _table(how: How, rows: Iterable[Derivation], zone: str) -> Table:
    heads = [str(T(s.en, s.zh)) + (f" ({s.unit})" if s.unit else "") for s in how.says]
    lines = [_line(how, row, zone) for row in rows]
    return Table(
        how.name, str(how.title), how.text, how.method, str(Basis(how.basis).label), how.cites, heads, lines
    )


def _line(how: How, row: Derivation, zone: str) -> Line:
    inputs = [
        Seen(
            " · ".join(part for part in (form_name(i["form"]), field_name(i["form"], i["field"])) if part),
            i["value"],
            record_link(i["form"], i["record"], "" if ":" in i["field"] else i["field"]),
            i["version"],
        )
        for i in row.inputs
    ]
    return Line(
        row.on.isoformat() if row.on else "",
        record_link(row.form, row.record_id),
        form_name(row.form),
        [shown(in_words(how.name, s.name, row.value.get(s.name)), zone) for s in how.says],
        row.differs,
        inputs,
        row.protocol_version,
    )


def shown(value: Any, zone: str) -> str:
    """A value as a person reads it: long decimals rounded for display, moments on the site's clock."""
    if value is None or value == [] or value == "":
        return "–"
    if isinstance(value, bool):
        return str(YES_NO[value])
    if isinstance(value, list):
        return "; ".join(shown(one, zone) for one in value)
    if isinstance(value, dict):
        return _nested(value, zone)
    return _text(str(value), zone)


def _nested(value: Mapping[str, Any], zone: str) -> str:
    """A treatment in words; graded results with what is graded 1 or above."""
    if "class" in value:
        kind = items(ConMeds)["drug_class"].codes
        drug = value["drug"] or (kind.label(value["class"]) if kind else value["class"])
        return f"{drug} ({_text(str(value['start']), zone)})"
    told = [
        f"{name} {one['value']} {one['unit']} {_grades(one)}" for name, one in value.items() if _grades(one)
    ]
    return "; ".join(told) or "0"


def _grades(result: Mapping[str, Any]) -> str:
    """The arrows and grades of a result that is out of range: "↓3"."""
    return " ".join(f"{ARROWS[g['direction']]}{g['grade']}" for g in result["grades"] if g["grade"])


def _text(text: str, zone: str) -> str:
    if "T" in text and text[:4].isdigit():
        try:
            return f"{datetime.fromisoformat(text).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
        except ValueError:
            return text
    if len(text) <= LONG or "." not in text:
        return text
    try:
        return f"{Decimal(text).quantize(PLACES).normalize():f}"
    except InvalidOperation:
        return text


def beside(record: CRF, zone: str) -> dict[str, list[Computed]]:
    """What is derived of one record, by the line of its form that it stands beside; one statement."""
    if record.form not in FORMS:
        return {}
    found: dict[str, list[Computed]] = defaultdict(list)
    for row in Derivation.objects.filter(record_id=record.pk, stands=True).order_by("name"):
        if row.name == "lab_grade":
            for name, result in row.value["results"].items():
                found[name] += [_graded(g, row.method, name in row.value["ask"]) for g in result["grades"]]
        elif row.name in NAMED:
            line, key = NAMED[row.name]
            words = f"{DERIVATIONS[row.name].title}: {shown(in_words(row.name, key, row.value[key]), zone)}"
            found[line].append(Computed(words, row.method, row.differs))
    return {name: [one for one in told if one.words] for name, told in found.items()}


def _graded(told: Mapping[str, Any], method: str, asks: bool) -> Computed:
    """A laboratory grade: its arrow, its term, and what is not known of it."""
    term = T(told["term"], told["zh"])
    if told["grade"] is None:
        missing = ", ".join(told["missing"])
        return Computed(
            str(T(f"{term}: no grade, missing {missing}", f"{term}:无法分级,缺少 {missing}")), method, False
        )
    if not told["grade"]:
        return Computed("", method, False)
    words = T(
        f"{ARROWS[told['direction']]} {term} grade {told['grade']}",
        f"{ARROWS[told['direction']]} {term} {told['grade']} 级",
    )
    notes = [
        T("symptoms could make it higher", "如有症状可能更高") if told["needs_clinical"] else "",
        T("baseline assumed normal", "假定基线正常") if told["baseline_assumed_normal"] else "",
    ]
    said = "; ".join(str(note) for note in notes if note)
    return Computed(f"{words} ({said})" if said else str(words), method, asks and told["grade"] >= 1)
