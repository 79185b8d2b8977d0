"""The render model of a form page: model, answers and what is asked about them become sections of rows with widgets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from entry.form_links import Choices
from entry.typed import Raw, line_names
from review.models import Query
from review.places import line_name
from review.shown import NOTHING, label_of, shown
from safety.models import Deviation
from subjects.attachment import Attachment
from subjects.crf import CRF
from trial.answers import kind_of
from trial.codes import MISSING
from trial.findings import Problem
from trial.item import Basis, Item, items
from trial.text import T

Option = tuple[str, str, bool]
RADIOS_UP_TO = 5
HINTS: dict[str, str] = {
    "day": T("for example 2026-03-05 or 20260305", "例如 2026-03-05 或 20260305"),
    "moment": T("for example 2026-03-05 14:30, local time", "例如 2026-03-05 14:30(当地时间)"),
    "partial_day": T("as far as known: 2026, 2026-03 or 2026-03-05", "按已知精度:2026、2026-03 或 2026-03-05"),
    "partial_moment": T("as far as known: 2026-03, 2026-03-05 or 2026-03-05 14:30",
                        "按已知精度:2026-03、2026-03-05 或 2026-03-05 14:30"),
}  # fmt: skip


@dataclass
class Box:
    """One input: its name, its text, and for a closed answer its options."""

    name: str
    label: str
    widget: str
    value: Any = ""
    options: Sequence[Option] = ()
    mode: str = "text"
    blank: str = "—"

    @property
    def id(self) -> str:
        """The input's id; error summaries link to it."""
        return f"f-{self.name}"


@dataclass
class Meanwhile:
    """What somebody else saved in between, and what was typed here."""

    theirs: str
    yours: str


@dataclass
class Row:
    """One question: its boxes, and everything that is said about its answer."""

    name: str
    label: str
    boxes: list[Box]
    kind: str
    unit: str = ""
    hint: str = ""
    note: str = ""
    required: bool = False
    basis: str = ""
    when: Mapping[str, list[str]] = field(default_factory=dict)
    missing: Box | None = None
    shown: str = ""
    typed: str = ""
    file_url: str = ""
    problems: list[Problem] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    deviations: list[Deviation] = field(default_factory=list)
    meanwhile: Meanwhile | None = None
    computed: list[Any] = field(default_factory=list)
    live: bool = False

    @property
    def box(self) -> Box:
        """The first box of the row."""
        return self.boxes[0]

    @property
    def group(self) -> bool:
        """Whether the row is a set of inputs that needs a legend."""
        return self.box.widget in ("radio", "checks", "file") or len(self.boxes) > 1

    @property
    def missing_open(self) -> bool:
        """Whether the reason for a missing answer must be seen."""
        return bool(
            self.missing and (self.missing.value or any(p.field.startswith("missing") for p in self.problems))
        )


@dataclass
class Section:
    """Rows under one heading."""

    title: str
    rows: list[Row] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many of its rows are entered."""
        return sum(1 for row in self.rows if row.missing is not None)


def rows_of(model: type[CRF], record: CRF, raw: Raw, links: Choices, visit: str, zone: str) -> list[Row]:
    """Every row of the form in its order, showing the answers in `raw`."""
    meanings, made, analytes = items(model), [], getattr(model, "analytes", {})
    entered = set(line_names(model))
    for name, meaning in meanings.items():
        short = name.removesuffix("_value")
        if meaning.part_of:
            continue
        if meaning.calc is not None:
            made.append(_calculated(record, name, meaning, zone))
        elif short in analytes and short in entered:
            made.append(_row(short, meaning, _analyte_boxes(model, short, raw), "analyte", raw, visit))
            made[-1].unit = ""
        else:
            column = model._meta.get_field(name)
            kind = kind_of(column)
            made.append(_row(name, meaning, [_box(column, name, kind, raw, links)], kind, raw, visit))
            made[-1].hint = str(HINTS.get(kind, "")) or made[-1].hint
    return made


def _row(name: str, meaning: Item, boxes: list[Box], kind: str, raw: Raw, visit: str) -> Row:
    return Row(
        name=name,
        label=str(meaning.label),
        boxes=boxes,
        kind=kind,
        unit=meaning.unit,
        hint=_usual(meaning) if meaning.soft else "",
        note=str(meaning.note),
        required=meaning.required or visit in meaning.required_at,
        basis="" if meaning.basis is Basis.DEFAULT else str(meaning.basis.label),
        when={other: [_word(v) for v in wanted] for other, wanted in meaning.when.items()},
        missing=_missing_box(name, raw),
    )


def _usual(meaning: Item) -> str:
    """The range that answers usually lie in, and where it comes from."""
    return f"{T(f'usually {meaning.soft}', f'通常 {meaning.soft}')} · {meaning.basis.label}"


def _word(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _missing_box(name: str, raw: Raw) -> Box:
    key = f"missing.{name}"
    label = str(T("Why there is no answer", "无答案的原因"))
    return Box(key, label, "select", raw.get(key, ""), _options(MISSING.choices, [raw.get(key, "")]))


def _options(pairs: Iterable[tuple[str, str]], selected: list[str]) -> list[Option]:
    listed = [(code, str(label), code in selected) for code, label in pairs]
    known = {code for code, _, _ in listed}
    return [*listed, *((odd, odd, True) for odd in selected if odd and odd not in known)]


YES_NO_OPTIONS = (("true", T("Yes", "是")), ("false", T("No", "否")))


def _box(column: Any, name: str, kind: str, raw: Raw, links: Choices) -> Box:
    value, label = raw.get(name, ""), label_of(column)
    if kind == "yes_no":
        return Box(name, label, "radio", value, _options(YES_NO_OPTIONS, [value]))
    if kind == "code":
        pairs = column.item.codes.choices
        return Box(
            name, label, "radio" if len(pairs) <= RADIOS_UP_TO else "select", value, _options(pairs, [value])
        )
    if kind == "codes":
        return Box(name, label, "checks", value, _options(column.item.codes.choices, list(value or [])))
    if kind == "link":
        widget = "file" if column.related_model is Attachment else "select"
        return Box(name, label, widget, value, _options(links.of.get(name, []), [value]))
    if kind == "text" and column.max_length is None:
        return Box(name, label, "area", value)
    return Box(name, label, "text", value, mode="decimal" if kind in ("number", "whole") else "text")


def _analyte_boxes(model: type[CRF], short: str, raw: Raw) -> list[Box]:
    analyte = model.analytes[short]

    def text(part: str, label: str) -> Box:
        name = f"{short}_{part}"
        return Box(name, str(label), "text", raw.get(name, ""), mode="decimal" if part != "value" else "text")

    def select(part: str, label: str, pairs: Any, default: str = "") -> Box:
        name = f"{short}_{part}"
        value = raw.get(name, "") or default
        return Box(name, str(label), "select", value, _options(pairs, [value]))

    unit = select(
        "unit",
        T("Unit", "单位"),
        analyte.units.choices,
        "" if raw.get(f"{short}_value") else analyte.units.codes[0],
    )
    unit.blank = f"— ({analyte.units.codes[0]})"
    return [
        text("value", T("Result", "结果")),
        unit,
        text("lln", T("LLN", "参考下限")),
        text("uln", T("ULN", "参考上限")),
        select("cs", T("Significance", "临床意义"), model._meta.get_field(f"{short}_cs").item.codes.choices),  # type: ignore[union-attr]
    ]


def _calculated(record: CRF, name: str, meaning: Item, zone: str) -> Row:
    column = record._meta.get_field(name)
    box = Box(name, str(meaning.label), "calc")
    value = shown(column, getattr(record, name), zone)
    return Row(
        name, str(meaning.label), [box], "calc", unit=meaning.unit, note=str(meaning.note), shown=value
    )


def sections(model: type[CRF], rows: Iterable[Row]) -> list[Section]:
    """The rows under the form's headings, in order."""
    meanings, made, analytes = items(model), list[Section](), getattr(model, "analytes", {})
    for row in rows:
        key = f"{row.name}_value" if row.name in analytes else row.name
        title = str(meanings[key].section)
        if not made or made[-1].title != title:
            made.append(Section(title))
        made[-1].rows.append(row)
    return made


def attach(
    model: type[CRF],
    rows: list[Row],
    problems: Iterable[Problem] = (),
    queries: Iterable[Query] = (),
    deviations: Iterable[Deviation] = (),
) -> tuple[list[Problem], list[Query], list[Deviation]]:
    """Put everything that names a field on its row; what names none is returned, for the top of the page."""
    by_name = {row.name: row for row in rows}

    def place(things: Iterable[Any], shelf: str) -> list[Any]:
        free: list[Any] = []
        for thing in things:
            named = thing.field.removeprefix("missing.")
            row = by_name.get(line_name(model, named)) if named else None
            (free if row is None else getattr(row, shelf)).append(thing)
        return free

    return place(problems, "problems"), place(queries, "queries"), place(deviations, "deviations")


def read_out(model: type[CRF], record: CRF, rows: list[Row], zone: str, links: Choices) -> None:
    """Fill every row's answer as words, for those who only read."""
    for row in rows:
        if row.kind == "analyte":
            row.shown = analyte_words(record, row.name, zone)
        elif row.kind == "link":
            key = row.box.value if row.box.widget == "file" else ""
            row.file_url = f"/attachments/{key}" if key else ""
            row.shown = next((words for _, words, chosen in row.box.options if chosen), NOTHING)
        elif row.kind != "calc":
            column = model._meta.get_field(row.name)
            row.shown = shown(column, getattr(record, column.attname), zone)  # type: ignore[union-attr]
        marks = getattr(record, "missing", {})
        reason = marks.get(row.name) or marks.get(f"{row.name}_value")
        if reason:
            row.shown = str(T(f"no answer: {MISSING.label(reason)}", f"无答案:{MISSING.label(reason)}"))


def both_values(rows: Iterable[Row], meanwhile: Mapping[str, Any]) -> None:
    """Both values beside each other wherever somebody else saved in between: name to (stored now, typed or None)."""
    for row in rows:
        parts = [(box, meanwhile[box.name]) for box in row.boxes if box.name in meanwhile]
        if parts:
            theirs = "; ".join(_told(box, pair[0]) for box, pair in parts)
            mine = [_told(box, pair[1]) for box, pair in parts if pair[1] is not None]
            row.meanwhile = Meanwhile(theirs, "; ".join(mine))


def _told(box: Box, text: Any) -> str:
    labels = {code: label for code, label, _ in box.options}
    told = ", ".join(str(labels.get(t, t)) for t in (text if isinstance(text, list) else [text]) if t)
    return told or str(T("(no answer)", "(无答案)"))


def analyte_words(record: CRF, short: str, zone: str) -> str:
    def part(name: str) -> str:
        column: Any = record._meta.get_field(f"{short}_{name}")
        return shown(column, getattr(record, column.attname), zone)

    if part("value") == NOTHING:
        return NOTHING
    qualifier = getattr(record, f"{short}_qual")
    words = f"{qualifier}{part('value')} {getattr(record, f'{short}_unit') or record.analytes[short].units.codes[0]}"
    if part("lln") != NOTHING or part("uln") != NOTHING:
        words += f" ({part('lln')}–{part('uln')})"
    return words if part("cs") == NOTHING else f"{words} · {part('cs')}"
