"""How each kind of row looks outside: the same columns for lists, single reads, streams, history and the feed."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.db import models
from django.db.models import ForeignKey

from exchange.columns import (
    ID,
    SITE,
    STAMPS,
    SUBJECT,
    literal,
    moment_sql,
    own,
    site_join,
    subject_join,
    text_sql,
)
from exchange.findings import FINDINGS
from exchange.sql import Column, Kind, Rows, quote
from review.assessment import DeviationAssessment
from review.models import Query
from safety.forms import FORMS, STUDY_FORMS
from safety.models import Derivation, Deviation, EligibilityResult, EnrolmentHold, HoldReview
from subjects.attachment import Attachment
from subjects.crf import CRF, StudyForm, Subject
from subjects.signature import MEANINGS, Signature
from trial.answers import kind_of
from trial.integrity import history_model
from trial.item import items
from trial.models import Site
from visits.models import Laboratory, ReferenceRange

COMMON = (
    *(
        "id",
        "subject",
        "subject_id",
        "site",
        "visit",
        "sequence",
        "status",
        "version",
        "lock_state",
        "retracted",
    ),
    *("not_done", "not_done_reason", "missing", "entered_at", "changed_at", "signatures"),
)
_KINDS: dict[str, Kind] = {
    "yes_no": "bool",
    "whole": "number",
    "number": "number",
    "day": "day",
    "moment": "moment",
    "link": "id",
    "codes": "array",
}


_COMMON = (
    ID,
    *SUBJECT,
    SITE,
    own("visit", "text"),
    own("sequence", "number"),
    own("status", "text"),
    own("version", "number"),
    own("lock_state", "text"),
    own("retracted", "bool"),
    own("not_done", "bool"),
    own("not_done_reason", "text"),
    own("missing", "json"),
    *STAMPS,
)


def _item_column(model: type[models.Model], name: str) -> Column:
    field: Any = model._meta.get_field(name)
    kind: Kind = _KINDS.get(kind_of(field), "text")
    column = f"f.{quote(field.column)}"
    sql = moment_sql(column) if kind == "moment" else text_sql(column) if kind == "text" else column
    return Column(name, sql, kind)


def form_columns(model: type[CRF], past: bool = False) -> tuple[Column, ...]:
    """Common keys first, then the form's items by name. A past version carries the signatures given on it."""
    return (*_COMMON, _signatures(model, past), *_items_and_marks(model))


def _items_and_marks(model: type[CRF] | type[StudyForm]) -> Iterator[Column]:
    for name, meaning in items(model).items():
        yield _item_column(model, name)
        if meaning.calc is None and not meaning.part_of:
            yield _why_not(model, name)


def _why_not(model: type[CRF] | type[StudyForm], name: str) -> Column:
    """Why an item has no answer, beside it in CSV: its own mark, or that of the whole form."""
    short = name.removesuffix("_value")
    names = (short, name) if short in model.analytes else (name,)
    marks = [f"f.missing ->> {literal(one)}" for one in names]
    whole = "CASE WHEN f.not_done THEN f.not_done_reason END"
    return Column(f"{name}__nd", f"nullif(coalesce({', '.join([*marks, whole])}), '')", "text", csv_only=True)


def _statements() -> str:
    """What each meaning of a signature says, as a table m(code, en, zh)."""
    rows = ", ".join(f"({literal(m.code)}, {literal(m.en)}, {literal(m.zh)})" for m in MEANINGS.values())
    return f"(VALUES {rows}) AS m(code, en, zh)"


def _signatures(model: type[CRF] | type[StudyForm], past: bool) -> Column:
    """The signatures of a record. One stands while the record is at the version signed, or was only locked since."""
    table, history = quote(Signature._meta.db_table), quote(history_model(model)._meta.db_table)
    locked_since = (
        f"(f.lock_state <> 'OPEN' AND NOT EXISTS (SELECT FROM {history} h WHERE h.id = f.id"
        " AND h.version > g.record_version AND h.lock_state = 'OPEN'))"
    )
    one = (
        "json_build_object('name', g.name, 'role', g.role, 'signed_at', "
        f"{moment_sql('g.signed_at')}, 'meaning', g.meaning, 'statement', json_build_object('en', m.en, 'zh', m.zh),"
        f" 'version', g.record_version, 'stands', g.record_version = f.version{'' if past else f' OR {locked_since}'})"
    )
    given = " AND g.record_version = f.version" if past else ""
    sql = (
        f"(SELECT coalesce(json_agg({one} ORDER BY g.signed_at, g.id), '[]'::json) FROM {table} g"
        f" LEFT JOIN {_statements()} ON m.code = g.meaning WHERE g.record_id = f.id{given})"
    )
    return Column("signatures", sql, "json")


def _signature_columns() -> tuple[Column, ...]:
    return (
        ID,
        *SUBJECT,
        SITE,
        own("version", "number"),
        own("form", "text"),
        Column("record", "f.record_id", "id"),
        own("record_version", "number"),
        own("digest", "text"),
        own("name", "text"),
        own("role", "text"),
        own("signed_at", "moment"),
        Column("listed", "nullif(f.listed, '')", "text"),
        own("meaning", "text"),
        Column("statement", "json_build_object('en', m.en, 'zh', m.zh)", "json"),
        *STAMPS,
    )


STUDY_COMMON = tuple(name for name in COMMON if name not in ("subject", "subject_id", "visit"))


def study_columns(model: type[StudyForm], past: bool = False) -> tuple[Column, ...]:
    """The common keys of a form of the study, which has no subject and no visit, then its items by name."""
    common = (column for column in _COMMON if column.name in STUDY_COMMON)
    return (*common, _signatures(model, past), *_items_and_marks(model))


def _subject_columns() -> tuple[Column, ...]:
    return (ID, Column("subjid", "f.subjid", "text"), SITE, own("version", "number"), *STAMPS)


def _query_columns() -> tuple[Column, ...]:
    return (
        ID,
        *SUBJECT,
        SITE,
        own("version", "number"),
        own("status", "text"),
        own("source", "text"),
        own("form", "text"),
        Column("record", "f.record_id", "id"),
        own("field", "text"),
        Column("check", text_sql("f.check_id"), "text"),
        Column(
            "text",
            "json_build_object('en', f.text_en, 'zh', coalesce(nullif(f.text_zh, ''), f.text_en))",
            "json",
        ),
        own("value", "text"),
        own("talk", "json"),
        *STAMPS,
    )


def _attachment_columns() -> tuple[Column, ...]:
    """What a file is and where its bytes are; the bytes themselves are only given where the copy is put on record."""
    return (
        ID,
        *SUBJECT,
        SITE,
        own("version", "number"),
        own("name", "text"),
        own("media_type", "text"),
        own("size", "number"),
        own("sha256", "text"),
        Column("content", "'/api/v1/attachments/' || f.id || '/content/'", "text"),
        *STAMPS,
    )


@cache
def rows_of(model: type[models.Model], past: bool = False) -> Rows:
    """The rows of a model as they look outside; with `past`, those of its history table."""
    table = history_model(model)._meta.db_table if past else model._meta.db_table
    if model is Subject:
        return Rows(_subject_columns(), table, site_join())
    if model is Site:
        return Rows(_SITE_COLUMNS, table, key_type="int")
    if model is Query:
        return Rows(_query_columns(), table, subject_join())
    if model is Attachment:
        return Rows(_attachment_columns(), table, subject_join())
    if model in FINDINGS:
        return FINDINGS[model](table, past)
    if model is Signature:
        joins = f" LEFT JOIN {quote(Subject._meta.db_table)} s ON s.id = f.subject_id{site_join()}"
        return Rows(_signature_columns(), table, f"{joins} LEFT JOIN {_statements()} ON m.code = f.meaning")
    if issubclass(model, StudyForm):
        return Rows(study_columns(model, past), table, site_join())
    return Rows(form_columns(model, past), table, subject_join())  # type: ignore[arg-type]


_SITE_COLUMNS = (
    ID,
    Column("code", "f.code", "text"),
    *(own(name, "text") for name in ("name", "name_zh", "pi_name", "country", "time_zone")),
    *(own(name, "text") for name in ("irb_approval_no", "hgrac_approval_no")),
    *(own(name, "day") for name in ("irb_approval_date", "activation_date", "closeout_date")),
    own("version", "number"),
    *STAMPS,
)
SITES = Rows(_SITE_COLUMNS, Site._meta.db_table, key_type="int")
LABORATORIES = Rows(
    (
        ID,
        SITE,
        *(own(name, "text") for name in ("name", "name_zh")),
        *(own(name, "day") for name in ("valid_from", "valid_to")),
        own("is_default", "bool"),
        own("version", "number"),
        *STAMPS,
    ),
    Laboratory._meta.db_table,
    site_join(),
)
REFERENCE_RANGES = Rows(
    (
        ID,
        SITE,
        Column("laboratory_id", "f.lab_id", "id"),
        *(own(name, "text") for name in ("laboratory", "analyte", "sex", "unit")),
        *(own(name, "number") for name in ("age_low", "age_high", "low", "high")),
        *(own(name, "day") for name in ("valid_from", "valid_to")),
        own("version", "number"),
        *STAMPS,
    ),
    ReferenceRange._meta.db_table,
    site_join(),
)
SHARED: dict[str, type[models.Model]] = {
    "subject": Subject,
    "query": Query,
    "deviation": Deviation,
    "deviation_assessment": DeviationAssessment,
    "eligibility_result": EligibilityResult,
    "derivation": Derivation,
    "signature": Signature,
    "attachment": Attachment,
    "hold": EnrolmentHold,
    HoldReview.form: HoldReview,
    **{form.form: form for form in FORMS},
    **{form.form: form for form in STUDY_FORMS},
}
NAME_OF_TABLE: dict[str, str] = {model._meta.db_table: name for name, model in SHARED.items()}


def links_to(model: type[models.Model], name: str) -> type[models.Model] | None:
    """The model that a linking item leads to; None for every other item."""
    field = model._meta.get_field(name)
    return field.related_model if isinstance(field, ForeignKey) else None
