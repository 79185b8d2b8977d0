"""One form as a monitor reads it: sections of lines, each with its value, doubts, deviations and history."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from review.history_page import role_name
from review.models import Query
from review.places import ask_about, history_of, line_name
from review.shown import NOTHING, Names, clock, label_of, names_of_links, shown
from review.signatures import Shown, signatures_of
from safety.models import Deviation
from subjects.attachment import Attachment
from subjects.crf import CRF
from trial.access import Act, Actor
from trial.codes import MISSING
from trial.integrity import history_model
from trial.item import items
from trial.sites import zone_of
from trial.text import T


@dataclass
class Line:
    """One question of the form with its answer."""

    name: str
    label: str
    value: str
    unit: str = ""
    extra: list[str] = field(default_factory=list)
    missing: str = ""
    typed: str = ""
    calculated: bool = False
    asked: bool = True
    file_url: str = ""
    history_url: str = ""
    ask_url: str = ""
    queries: list[Query] = field(default_factory=list)
    deviations: list[Deviation] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is no answer."""
        return self.value == NOTHING


@dataclass
class Section:
    """Lines under one heading of the form."""

    title: str
    lines: list[Line] = field(default_factory=list)


@dataclass
class Sheet:
    """The whole page of one record."""

    sections: list[Section]
    facts: list[tuple[str, str]]
    queries: list[Query]
    deviations: list[Deviation]
    ask_url: str
    signatures: list[Shown]


def sheet(record: Any, actor: Actor) -> Sheet:
    """Read everything the page of `record` shows: a fixed number of queries, whatever the form."""
    model = type(record)
    zone = zone_of(record.site_id)
    names = names_of_links([model._meta.get_field(name) for name in items(model)], [record])
    queries = list(Query.objects.filter(record_id=record.pk).order_by("entered_at"))
    found = list(Deviation.objects.filter(record_id=record.pk).order_by("detected_at"))
    lines = list(_lines(record, zone, names))
    may_ask = actor.may(Act.ASK) and isinstance(record, CRF)  # a query is about a subject
    for line in lines:
        line.queries = [q for q in queries if q.field and line_name(model, q.field) == line.name]
        line.deviations = [d for d in found if d.field and line_name(model, d.field) == line.name]
        line.history_url = history_of(model, record.pk, line.name)
        line.ask_url = ask_about(record.form, record.pk, _column_name(model, line.name)) if may_ask else ""
    placed = {q.pk for line in lines for q in line.queries} | {
        d.pk for line in lines for d in line.deviations
    }
    return Sheet(
        sections=_sections(model, lines),
        facts=_facts(record, zone),
        queries=[q for q in queries if q.pk not in placed],
        deviations=[d for d in found if d.pk not in placed],
        ask_url=ask_about(record.form, record.pk) if may_ask else "",
        signatures=signatures_of(record),
    )


def _column_name(model: Any, line: str) -> str:
    return f"{line}_value" if line in getattr(model, "analytes", {}) else line


def _lines(record: Any, zone: str, names: Names) -> Iterable[Line]:
    analytes = getattr(record, "analytes", {})
    for name, meaning in items(record).items():
        if meaning.part_of:
            continue
        short = name.removesuffix("_value")
        if short in analytes:
            yield _analyte_line(record, short, zone)
            continue
        column = record._meta.get_field(name)
        yield Line(
            name=name,
            label=label_of(column),
            value=shown(column, getattr(record, column.attname), zone, names),
            unit=meaning.unit,
            missing=_missing(record, name),
            typed=record.typed.get(name, ""),
            calculated=meaning.calc is not None,
            asked=meaning.asked(record),
            file_url=_file_url(column, record),
        )


def _file_url(column: Any, record: Any) -> str:
    """Where the bytes of a kept file are; every copy is put on record there."""
    key = getattr(record, column.attname) if column.related_model is Attachment else None
    return f"/attachments/{key}" if key else ""


def _analyte_line(record: Any, short: str, zone: str) -> Line:
    """A result on one line: `< 0.9 10^9/L`, reference range, significance, value in the study's unit."""

    def part(name: str) -> str:
        column = record._meta.get_field(f"{short}_{name}")
        return shown(column, getattr(record, column.attname), zone)

    column = record._meta.get_field(f"{short}_value")
    meaning = column.item
    value, qualifier, unit = part("value"), getattr(record, f"{short}_qual"), getattr(record, f"{short}_unit")
    extra = []
    if part("lln") != NOTHING or part("uln") != NOTHING:
        extra.append(
            str(T(f"reference {part('lln')}–{part('uln')}", f"参考范围 {part('lln')}–{part('uln')}"))
        )
    if part("cs") != NOTHING:
        extra.append(part("cs"))
    if part("si") != NOTHING and unit and unit != meaning.unit:
        extra.append(f"= {part('si')} {meaning.unit}")
    return Line(
        name=short,
        label=label_of(column),
        value=f"{qualifier} {value}".strip() if value != NOTHING else NOTHING,
        unit=unit or meaning.unit,
        extra=extra,
        missing=_missing(record, short, f"{short}_value"),
        typed=record.typed.get(f"{short}_value", record.typed.get(short, "")),
        asked=meaning.asked(record),
    )


def _missing(record: Any, *names: str) -> str:
    reason = next((record.missing[name] for name in names if record.missing.get(name)), "")
    return str(MISSING.label(reason)) if reason else ""


def _sections(model: Any, lines: list[Line]) -> list[Section]:
    meanings = items(model)
    sections: dict[str, Section] = {}
    for line in lines:
        title = str(meanings[_column_name(model, line.name)].section)
        sections.setdefault(title, Section(title)).lines.append(line)
    return list(sections.values())


def _facts(record: Any, zone: str) -> list[tuple[str, str]]:
    """The state of the record in a few words, with who entered and who changed it last."""
    facts = [
        (str(T("Status", "状态")), record.get_status_display()),
        (str(T("Version", "版本")), str(record.version)),
        (str(T("Lock", "锁定")), record.get_lock_state_display()),
    ]
    if record.not_done:
        facts.append((str(T("Not done", "未做")), str(MISSING.label(record.not_done_reason))))
    rows = history_model(type(record)).objects.filter(id=record.pk).select_related("history_user")
    versions = list(rows.order_by("history_id"))
    for word, row in zip(
        (T("Entered", "录入"), T("Last change", "最后修改")), (versions[0], versions[-1]), strict=True
    ):
        who = f"{row.history_user} ({role_name(row.actor_role)})"
        facts.append((str(word), f"{clock(row.history_date, zone)} · {who}"))
    return facts if len(versions) > 1 else facts[:-1]
