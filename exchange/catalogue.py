"""What there is: every form and item, every rule, every number of the protocol, read from their one definition."""

import csv
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import override

from exchange.annotation import names_of
from exchange.jsontext import dumps
from exchange.kinds import KINDS
from exchange.missing_markers import Marker, form_markers, marker_of
from safety import in_chinese
from safety.forms import FORMS, STUDY_FORMS
from safety.rules import RULES
from subjects.crf import CRF, StudyForm
from trial.ambiguity import readings_of
from trial.ambiguity_models import provisional
from trial.answers import kind_of
from trial.codes import MISSING
from trial.item import Basis, Item, Range, items
from trial.protocol import PROTOCOLS, numbers
from trial.protocol_names import name_of
from trial.rules import Rule
from trial.text import both
from visits.schedule import SCHEDULE

COLUMNS = (
    *(
        "form",
        "form_en",
        "form_zh",
        "item",
        "en",
        "zh",
        "type",
        "unit",
        "max_length",
        "max_digits",
        "decimal_places",
    ),
    *(
        "hard_low",
        "hard_high",
        "soft_low",
        "soft_high",
        "codes",
        "required",
        "required_at",
        "when",
        "calculated",
    ),
    *("part_of", "section_en", "section_zh", "cdash", "sdtm", "basis", "note_en", "note_zh"),
    *("not_submitted_en", "not_submitted_zh"),
)


EVERY: tuple[Any, ...] = (*FORMS, *STUDY_FORMS)


def form_summary(model: type[CRF]) -> dict[str, Any]:
    """A form as the list of forms shows it."""
    return {
        "form": model.form,
        "label": both(title_of(model)),
        "domain": model.domain,
        "repeats": model.repeats,
        "dated_by": model.dated_by or None,
        "visits": [v.code for v in SCHEDULE if model.form in v.forms],
        "optional_visits": [v.code for v in SCHEDULE if model.form in v.optional],
        "records": f"/api/v1/forms/{model.form}/",
    }


def title_of(model: type[CRF]) -> Any:
    """The form's bilingual title."""
    return model._meta.verbose_name


def item_row(model: type[CRF] | type[StudyForm], name: str, meaning: Item) -> dict[str, Any]:
    """One item of the dictionary."""
    column: Any = model._meta.get_field(name)
    kind = kind_of(column)
    limits = column.base_field if kind == "codes" else column
    return {
        "item": name,
        "label": {"en": meaning.en, "zh": meaning.zh},
        "type": kind,
        "unit": meaning.unit or None,
        "max_length": getattr(limits, "max_length", None) if kind in ("text", "code", "codes") else None,
        "max_digits": column.max_digits if kind == "number" else None,
        "decimal_places": column.decimal_places if kind == "number" else None,
        "hard": _range(meaning.hard or _analyte_range(model, name, "hard")),
        "soft": _range(meaning.soft or _analyte_range(model, name, "soft")),
        "codes": _codes(meaning),
        "codelist": meaning.codes.name if meaning.codes else None,
        "links_to": _target(column) if kind == "link" else None,
        "required": meaning.required,
        "required_at": list(meaning.required_at),
        "when": {other: list(wanted) for other, wanted in meaning.when.items()},
        "calculated": meaning.calc is not None,
        "part_of": meaning.part_of or None,
        "not_before": meaning.not_before or None,
        "strictly_after": meaning.strictly_after or None,
        "section": both(meaning.section) if meaning.section else None,
        **_outside(model, name, meaning),
        "basis": str(meaning.basis),
        "note": both(meaning.note) if meaning.note else None,
        "no_answer": _mark(marker_of(model, name, meaning)),
    }


def _outside(model: type[CRF] | type[StudyForm], name: str, meaning: Item) -> dict[str, Any]:
    """The names an item has outside: stated, or following from its domain; why it has none in SDTM."""
    names = names_of(model, name, meaning)
    return {
        "cdash": names.cdash,
        "sdtm": names.sdtm if names.submitted else None,
        "not_submitted": None if names.submitted else both(names.sdtm),
    }


def _mark(marker: Marker | None) -> dict[str, Any] | None:
    """Where the reason for a missing answer stands: its column in CSV, its name in `missing`, what it is set for."""
    if marker is None:
        return None
    return {
        "column": marker.column,
        "key": marker.key or None,
        "codelist": MISSING.name if marker.codes else None,
        "set_for": list(marker.levels),
        "sdtm": marker.sdtm or None,
    }


def _analyte_range(model: type[CRF] | type[StudyForm], name: str, which: str) -> Range | None:
    """A laboratory value's range, which holds in the canonical unit."""
    analyte = model.analytes.get(name.removesuffix("_value")) if name.endswith("_value") else None
    return getattr(analyte, which, None)


def _range(limits: Range | None) -> dict[str, Any] | None:
    return {"low": limits.low, "high": limits.high} if limits else None


def _codes(meaning: Item) -> list[dict[str, str]] | None:
    if meaning.codes is None:
        return None
    return [{"code": code, "en": en, "zh": zh} for code, en, zh in meaning.codes.rows]


def _target(column: Any) -> str:
    model = column.related_model
    return str(getattr(model, "form", "") or model._meta.model_name)


@lru_cache(maxsize=1)
def dictionary_json() -> str:
    """Every form with its items."""
    forms = [
        {
            **form_summary(model),
            "not_done": [_mark(marker) for marker in form_markers(model)],
            "no_answer_codes": [{"code": code, "en": en, "zh": zh} for code, en, zh in MISSING.rows],
            "items": [item_row(model, name, meaning) for name, meaning in items(model).items()],
        }
        for model in EVERY
    ]
    return dumps(forms)


@lru_cache(maxsize=1)
def dictionary_csv() -> str:
    """Every item as one line, the markers for what has no answer among them: a form's first, an item's behind it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for model in EVERY:
        title = both(title_of(model))
        for marker in form_markers(model):
            writer.writerow(_line(model.form, title, _marker_row(marker)))
        for name, meaning in items(model).items():
            row, own = item_row(model, name, meaning), marker_of(model, name, meaning)
            writer.writerow(_line(model.form, title, row))
            if own is not None:
                writer.writerow(_line(model.form, title, _marker_row(own, row["section"])))
    return text.getvalue()


def _marker_row(marker: Marker, section: dict[str, str] | None = None) -> dict[str, Any]:
    """A marker as an item of the dictionary."""
    codes = [{"code": code, "en": en, "zh": zh} for code, en, zh in marker.codes]
    absent = ("unit", "max_digits", "decimal_places", "hard", "soft", "cdash", "not_submitted")
    return {
        **dict.fromkeys(absent),
        "item": marker.column,
        "label": {"en": marker.en, "zh": marker.zh},
        "type": marker.type,
        "max_length": MISSING.longest if codes else None,
        "codes": codes,
        "required": False,
        "required_at": [],
        "when": {},
        "calculated": False,
        "part_of": marker.part_of or None,
        "section": section,
        "sdtm": marker.sdtm or None,
        "basis": str(Basis.DEFAULT),
        "note": {"en": marker.note_en, "zh": marker.note_zh},
    }


def _line(form: str, title: dict[str, str], row: dict[str, Any]) -> list[Any]:
    hard, soft = row["hard"] or {}, row["soft"] or {}
    codes = ";".join(f"{c['code']}={c['en']}|{c['zh']}" for c in row["codes"] or ())
    when = ";".join(f"{k}={'|'.join(map(str, v))}" for k, v in row["when"].items())
    section, note, unsent = row["section"] or {}, row["note"] or {}, row["not_submitted"] or {}
    return [
        *(
            form,
            title["en"],
            title["zh"],
            row["item"],
            row["label"]["en"],
            row["label"]["zh"],
            row["type"],
            row["unit"],
        ),
        *(row["max_length"], row["max_digits"], row["decimal_places"]),
        *(hard.get("low"), hard.get("high"), soft.get("low"), soft.get("high"), codes),
        *(row["required"], ";".join(row["required_at"]), when, row["calculated"], row["part_of"]),
        *(
            section.get("en"),
            section.get("zh"),
            row["cdash"],
            row["sdtm"],
            row["basis"],
            note.get("en"),
            note.get("zh"),
        ),
        *(unsent.get("en"), unsent.get("zh")),
    ]


def rule_row(rule: Rule, open_: Mapping[str, list[str]]) -> dict[str, Any]:
    """A rule as it is listed; `open_` are the readings nobody has approved, by what rests on them."""
    return {
        "id": rule.id,
        "title": {"en": rule.en, "zh": rule.zh},
        "text": rule.text,
        "text_zh": in_chinese.RULES[rule.id],
        "cites": rule.cites,
        "basis": str(rule.basis),
        "severity": str(rule.severity),
        "category": rule.category,
        "reads": sorted(getattr(form, "form", form.__name__) for form in rule.reads),
        "clocked": rule.clocked,
        "readings": [one.id for one in readings_of(rule.id)],
        "provisional": open_.get(rule.id, []),
    }


def rules_json() -> str:
    """Every deviation rule."""
    open_ = provisional()
    return dumps([rule_row(rule, open_) for rule in RULES.values()])


@lru_cache(maxsize=1)
def protocol_json() -> str:
    """Every protocol version with its numbers and where each comes from."""
    return dumps(
        [
            {
                "version": protocol.version,
                "title": {"en": protocol.en, "zh": protocol.zh},
                "numbers": [
                    {
                        "name": name,
                        "label": both(name_of(name)),
                        "value": one.value,
                        "basis": str(one.basis),
                        "cite": one.cite,
                        "note": one.note or None,
                    }
                    for name, one in numbers(protocol)
                ],
            }
            for protocol in PROTOCOLS.values()
        ]
    )


def problems_json() -> str:
    """Every kind of problem: what `type` of an error document leads to."""
    with override("en"):
        return dumps(
            [
                {"kind": name, "status": status, "title": both(title)}
                for name, (status, title) in KINDS.items()
            ]
        )
