"""The blank annotated CRF as a person reads it, in the active language, made from the same definitions as the forms."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from exchange.annotation import Form, names_of, sponsor
from exchange.catalogue import form_summary, item_row
from exchange.jsontext import dumps
from exchange.missing_markers import Marker, form_markers, marker_of
from review.shown import heading, label_of
from safety.forms import FORMS, STUDY_FORMS
from trial.answers import kind_of
from trial.item import Basis, Item, items
from trial.protocol import PROTOCOLS
from trial.text import T
from visits.schedule import LOGS, SCHEDULE

REPEATS: dict[str, str] = {
    "one": T("once per subject", "每名受试者一次"),
    "visit": T("once per visit", "每次访视一次"),
    "rows": T("several rows per visit", "每次访视多行"),
    "log": T("log", "日志"),
}
KINDS: dict[str, str] = {
    "day": T("date: YYYY-MM-DD", "日期:YYYY-MM-DD"),
    "moment": T("date and time: YYYY-MM-DD HH:MM", "日期时间:YYYY-MM-DD HH:MM"),
    "partial_day": T("date as far as known", "日期(已知部分)"),
    "partial_moment": T("date and time as far as known", "日期时间(已知部分)"),
    "number": T("number", "数值"),
    "whole": T("whole number", "整数"),
    "text": T("text", "文本"),
    "link": T("reference", "引用"),
    "yes_no": T("yes / no", "是/否"),
    "code": T("one of", "单选"),
    "codes": T("any of", "多选"),
}


UNSUBMITTED = T("not submitted: SDTM has no place for it here", "不递交:SDTM 无相应变量")


@dataclass
class Field:
    """One empty box."""

    name: str
    label: str
    kind: str
    unit: str
    options: list[str]
    required: bool
    limits: str
    asked: str
    note: str
    calculated: bool
    basis: str
    cdash: str
    sdtm: str
    submitted: bool
    no_answer: str = ""


@dataclass
class BlankPart:
    """Boxes under one heading."""

    title: str
    fields: list[Field]


@dataclass
class Blank:
    """One empty form."""

    form: str
    title: str
    domain: str
    repeats: str
    visits: str
    parts: list[BlankPart]

    @property
    def fields(self) -> list[Field]:
        """Its boxes under all headings."""
        return [one for part in self.parts for one in part.fields]


EVERY: tuple[Form, ...] = (*FORMS, *STUDY_FORMS)


def blanks() -> list[Blank]:
    """Every form of the study, in the order of the protocol, in the active language."""
    return [_blank(form) for form in EVERY]


def digest() -> str:
    """SHA-256 over every definition that the CRF prints: the same definitions give the same digest."""
    told = []
    for form in EVERY:
        fields = [[item_row(form, n, m), names_of(form, n, m).cdash] for n, m in items(form).items()]
        marks = [[m.column, m.sdtm, m.levels] for m in form_markers(form)]
        told.append([form.form, form.domain, form.repeats, fields, marks])
    summaries = [form_summary(form) for form in FORMS]
    return sha256(dumps([told, summaries, list(PROTOCOLS)]).encode()).hexdigest()


def _blank(form: Form) -> Blank:
    parts: list[BlankPart] = []
    for name, meaning in items(form).items():
        if meaning.part_of:
            continue
        if not parts or parts[-1].title != str(meaning.section):
            parts.append(BlankPart(str(meaning.section), []))
        parts[-1].fields.append(_field(form, name, meaning))
    parts.append(_not_done(form))
    return Blank(form.form, heading(form), form.domain, str(REPEATS[form.repeats]), _visits(form), parts)


def _visits(form: Form) -> str:
    """Where the form is collected: required and optional visits, or the log."""
    needed = [v.code for v in SCHEDULE if form.form in v.forms]
    optional = [v.code for v in SCHEDULE if form.form in v.optional]
    said = [", ".join(needed)] if needed else []
    said += (
        [str(T(f"on a condition: {', '.join(optional)}", f"按条件:{', '.join(optional)}"))]
        if optional
        else []
    )
    if form.form == "visit":
        said.append(str(T("every visit", "每次访视")))
    if not said:
        logged = any(log.form == form.form for log in LOGS)
        said.append(str(T("as it happens", "随时记录") if logged else T("outside the visits", "访视之外")))
    return "; ".join(said)


def _field(form: Form, name: str, meaning: Item) -> Field:
    column: Any = form._meta.get_field(name)
    kind, names = kind_of(column), names_of(form, name, meaning)
    analyte = form.analytes.get(name.removesuffix("_value"))
    codes = meaning.codes.rows if meaning.codes else ()
    options = [f"{T(en, zh)} ({code})" for code, en, zh in codes]
    if kind == "yes_no":
        options = [str(T("Yes", "是")), str(T("No", "否"))]
    return Field(
        name=name,
        label=str(meaning.label),
        kind=str(KINDS.get(kind, kind)),
        unit=" | ".join(analyte.units.codes) if analyte is not None else meaning.unit,
        options=options,
        required=bool(meaning.required or meaning.required_at),
        limits=_limits(meaning, analyte),
        asked=_asked(form, meaning),
        note=str(meaning.note),
        calculated=meaning.calc is not None,
        basis=str(meaning.basis.label),
        cdash=names.cdash,
        sdtm=str(names.sdtm),
        submitted=names.submitted,
        no_answer=_no_answer(marker_of(form, name, meaning)),
    )


def _no_answer(marker: Marker | None) -> str:
    """Where the reason for a missing answer goes: its column and, where there is one, its name in SDTM."""
    if marker is None:
        return ""
    return f"{marker.column} → {marker.sdtm}" if marker.sdtm else marker.column


def _not_done(form: Form) -> BlankPart:
    """The boxes for a form that was not done as a whole."""
    fields = [
        Field(
            name=marker.column,
            label=str(marker.label),
            kind=str(KINDS[marker.type]),
            unit="",
            options=[f"{T(en, zh)} ({code})" for code, en, zh in marker.codes] or [str(T("Yes", "是"))],
            required=False,
            limits="",
            asked="",
            note=str(T(marker.note_en, marker.note_zh)),
            calculated=False,
            basis=str(Basis.DEFAULT.label),
            cdash=sponsor(marker.column),
            sdtm=marker.sdtm or str(UNSUBMITTED),
            submitted=bool(marker.sdtm),
        )
        for marker in form_markers(form)
    ]
    return BlankPart(str(T("If there is no answer", "无答案时")), fields)


def _limits(meaning: Item, analyte: Any) -> str:
    hard, soft = (
        meaning.hard or getattr(analyte, "hard", None),
        meaning.soft or getattr(analyte, "soft", None),
    )
    said = [str(T(f"refused outside {hard}", f"超出 {hard} 拒收"))] if hard else []
    said += [str(T(f"queried outside {soft}", f"超出 {soft} 质疑"))] if soft else []
    if meaning.required_at:
        said.append(
            str(
                T(
                    f"required at {', '.join(meaning.required_at)}",
                    f"于 {', '.join(meaning.required_at)} 必填",
                )
            )
        )
    return "; ".join(said)


def _asked(form: Form, meaning: Item) -> str:
    """Under which answers the field is asked at all."""
    said = []
    for other, wanted in meaning.when.items():
        column: Any = form._meta.get_field(other)
        words = [_word(column, one) for one in wanted]
        said.append(f"{label_of(column)} = {' | '.join(words)}")
    return "; ".join(said)


def _word(column: Any, value: Any) -> str:
    if isinstance(value, bool):
        return str(T("Yes", "是") if value else T("No", "否"))
    codes = column.item.codes
    return str(codes.label(str(value))) if codes is not None else str(value)
