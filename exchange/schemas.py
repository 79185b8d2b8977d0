"""JSON schemas of every form, made from its items by one function, and the OpenAPI document that holds them."""

from typing import Any

from exchange.catalogue import title_of
from exchange.operation import Schema
from exchange.shapes import COMMON
from safety.forms import FORMS, STUDY_FORMS
from subjects.crf import CRF
from subjects.signature import MEANINGS
from trial.answers import kind_of
from trial.codes import MISSING
from trial.item import Item, items
from trial.record import LOCK, STATUS
from trial.text import both

UUID: Schema = {"type": "string", "format": "uuid"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
WORDS: Schema = {
    "type": "object",
    "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
    "required": ["en", "zh"],
}
ANY: Schema = {"type": "object", "additionalProperties": True}


SIGNATURE: Schema = {
    "type": "object",
    "description": "Who signed which version, when, saying what, and whether it stands / 电子签名",
    "properties": {
        "name": {"type": "string"},
        "role": {"type": "string"},
        "signed_at": MOMENT,
        "meaning": {"type": "string", "enum": list(MEANINGS)},
        "statement": WORDS,
        "version": {"type": "integer"},
        "stands": {"type": "boolean"},
    },
}


def nullable(schema: Schema) -> Schema:
    """The schema, or null for no answer."""
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def ref(name: str) -> Schema:
    """A reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(schema: Schema) -> Schema:
    """A plain list."""
    return {"type": "array", "items": schema}


def record_ref(view: Any) -> Schema:
    """The form of the view's model as it is read."""
    return ref(view.model.__name__)


def records_ref(view: Any) -> Schema:
    """A list of them."""
    return list_of(record_ref(view))


def entry_ref(view: Any) -> Schema:
    """The form as it is first sent."""
    return ref(f"{view.model.__name__}Entry")


def change_ref(view: Any) -> Schema:
    """The form as it is corrected."""
    return ref(f"{view.model.__name__}Change")


def versions_ref(view: Any) -> Schema:
    """The versions of one record."""
    properties = {
        "version": {"type": "integer"},
        "operation": {"type": "string", "enum": ["created", "changed", "deleted"]},
        "at": MOMENT,
        "actor_id": {"type": ["integer", "null"]},
        "actor": {"type": ["string", "null"]},
        "actor_role": {"type": "string"},
        "reason": {"type": ["string", "null"]},
        "request_id": {"type": "string"},
        "record": record_ref(view) if getattr(view, "model", None) is not None else ANY,
    }
    return list_of({"type": "object", "properties": properties})


def _basic(model: type[CRF], name: str, meaning: Item) -> Schema:
    column: Any = model._meta.get_field(name)
    kind = kind_of(column)
    codes = list(meaning.codes.codes) if meaning.codes else []
    link = (
        UUID
        if kind != "link" or column.target_field.get_internal_type() == "UUIDField"
        else {"type": "integer"}
    )
    known: dict[str, Schema] = {
        "text": {"type": "string", "maxLength": column.max_length or 10_000} if kind == "text" else {},
        "code": {"type": "string", "enum": codes},
        "codes": {"type": "array", "items": {"type": "string", "enum": codes}},
        "link": link,
        "yes_no": {"type": "boolean"},
        "whole": {"type": "integer", **_limits(meaning)},
        "number": {"type": "number", **_limits(meaning)},
        "day": {"type": "string", "format": "date"},
        "moment": MOMENT,
        "partial_day": {"type": "string", "pattern": r"^\d{4}(-\d{2}(-\d{2})?)?$"},
        "partial_moment": {"type": "string", "maxLength": 22},
    }
    return known[kind]


def _limits(meaning: Item) -> Schema:
    limits = meaning.hard
    if limits is None:
        return {}
    found = {"minimum": limits.low, "maximum": limits.high}
    return {
        name: int(value) if value == value.to_integral_value() else float(value)
        for name, value in found.items()
        if value is not None
    }


def _described(meaning: Item) -> Schema:
    """Label, unit, ranges, codes and note in both languages."""
    unit = f" [{meaning.unit}]" if meaning.unit else ""
    parts = [f"{meaning.en}{unit} / {meaning.zh}{unit}"]
    if meaning.hard:
        parts.append(f"possible / 可能范围: {meaning.hard}")
    if meaning.soft:
        parts.append(f"usual / 预期范围: {meaning.soft}")
    if meaning.codes:
        parts.append("; ".join(f"{code} = {en} / {zh}" for code, en, zh in meaning.codes.rows))
    if meaning.note:
        words = both(meaning.note)
        parts.append(f"{words['en']} / {words['zh']}" if words["en"] != words["zh"] else words["en"])
    return {
        "title": meaning.en,
        "description": ". ".join(parts),
        **({"x-unit": meaning.unit} if meaning.unit else {}),
    }


def item_schema(model: type[CRF], name: str, meaning: Item) -> Schema:
    """The schema of one item as it is read."""
    basic = _basic(model, name, meaning)
    return {**(basic if basic["type"] == "array" else nullable(basic)), **_described(meaning)}


def _sendable(model: type[CRF]) -> dict[str, Schema]:
    """The items that may be sent. A laboratory value may also come as text with its qualifier: "<0.1"."""
    found: dict[str, Schema] = {}
    for name, meaning in items(model).items():
        if meaning.calc is None:
            schema = item_schema(model, name, meaning)
            qualified = name.endswith("_value") and name.removesuffix("_value") in model.analytes
            found[name] = {**schema, "type": ["number", "string", "null"]} if qualified else schema
            if qualified:
                found[name.removesuffix("_value")] = {**found[name], "description": f"Short for {name}."}
    return found


_READ: dict[str, Schema] = {
    "id": UUID,
    "subject": {"type": "string", "description": "Subject number / 受试者编号"},
    "subject_id": UUID,
    "site": {"type": "string", "description": "Site code / 中心编号"},
    "visit": {"type": ["string", "null"]},
    "sequence": {"type": "integer"},
    "status": {"type": "string", "enum": list(STATUS.codes)},
    "version": {"type": "integer"},
    "lock_state": {"type": "string", "enum": list(LOCK.codes)},
    "retracted": {"type": "boolean"},
    "not_done": {"type": "boolean"},
    "not_done_reason": nullable({"type": "string", "enum": list(MISSING.codes)}),
    "missing": {"type": "object", "additionalProperties": {"type": "string", "enum": list(MISSING.codes)}},
    "entered_at": MOMENT,
    "changed_at": MOMENT,
    "signatures": {"type": "array", "items": SIGNATURE},
}
_MISSING_SENT: Schema = {
    "type": ["object", "null"],
    "additionalProperties": nullable({"type": "string", "enum": list(MISSING.codes)}),
}
_CONTROL: dict[str, Schema] = {
    "status": _READ["status"],
    "not_done": {"type": ["boolean", "null"]},
    "not_done_reason": _READ["not_done_reason"],
    "missing": _MISSING_SENT,
    "reason": {"type": ["string", "null"], "maxLength": 1000},
}


def form_schemas(model: type[CRF]) -> dict[str, Schema]:
    """A form as it is read, first sent, and corrected."""
    name, title = model.__name__, both(title_of(model))
    said = f"{title['en']} / {title['zh']}"
    read = {key: _READ[key] for key in COMMON}
    read |= {item: item_schema(model, item, meaning) for item, meaning in items(model).items()}
    placed: dict[str, Schema] = {"subject": {"type": "string"}, "visit": {"type": ["string", "null"]}}
    required = ["subject", "visit"] if model.repeats in ("visit", "rows") else ["subject"]
    sent = {**_CONTROL, **_sendable(model)}
    change = {
        "type": "object",
        "additionalProperties": False,
        "description": said,
        "properties": {**placed, **sent},
    }
    return {
        name: {"type": "object", "description": said, "properties": read, "required": list(read)},
        f"{name}Change": change,
        f"{name}Entry": {"allOf": [ref(f"{name}Change"), {"type": "object", "required": required}]},
    }


def study_schemas(model: Any) -> dict[str, Schema]:
    """A form of the study as it is read, first sent, and corrected: a site stands for subject and visit."""
    found = form_schemas(model)
    name = model.__name__
    for gone in ("subject", "subject_id", "visit"):
        found[name]["properties"].pop(gone, None)
        found[f"{name}Change"]["properties"].pop(gone, None)
    found[name]["required"] = list(found[name]["properties"])
    entry = {**found[f"{name}Change"]["properties"], "site": {"type": "string"}}
    found[f"{name}Entry"] = {"type": "object", "additionalProperties": False, "properties": entry}
    return found


PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "description": "RFC 9457 problem / 错误说明",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": ANY},
    },
    "required": ["type", "title", "status", "detail", "instance"],
}


def with_components(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular's hook: add every named schema to the document."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    content = {"application/problem+json": {"schema": ref("Problem")}}
    result["components"]["responses"] = {
        "Problem": {"description": "RFC 9457 problem / 错误说明", "content": content}
    }
    for model in FORMS:
        schemas.update(form_schemas(model))
    for study_form in STUDY_FORMS:
        schemas.update(study_schemas(study_form))
    security = result["components"].setdefault("securitySchemes", {})
    security.setdefault("bearer", {"type": "http", "scheme": "bearer"})
    return result
