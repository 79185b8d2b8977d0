"""How one row becomes another subject's row: the SQL of each column, written from the model's fields."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.db import models

from review.models import Query
from subjects.attachment import Attachment
from subjects.crf import CRF, StudyForm
from trial.fields import PartialDateField, PartialDateTimeField
from trial.item import Range, items
from trial.models import Person
from trial.units import canonical
from visits.models import Laboratory
from visits.schedule import SCHEDULE

COPIES = (
    "unnest(%(ids)s::uuid[], %(subjids)s::text[], %(sites)s::bigint[], %(templates)s::uuid[], %(before)s::text[],"
    " %(shifts)s::int[]) r(id, subjid, site, template, before, shift)"
)
OF_SUBJECT = (
    "INSERT INTO subjects_subject (id, version, site_id, subjid)"
    f" SELECT r.id, 1, r.site, r.subjid FROM {COPIES} ORDER BY r.subjid"
)
SHARE = "0.04"  # how far a measured value moves at most

# Written by the stamp trigger, or the copy's own.
_OWN = {
    "subject_id": "r.id",
    "site_id": "r.site",
    "version": "1",
    "entered_at": "NULL::timestamptz",
    "changed_at": "NULL::timestamptz",
}
# The consent form is the site's, not the subject's: a copy signs the version that was in force on its own day, and signs
# a renewed one when the site has it renewed. A version that was never approved stays what it is.
_CURRENT = (
    "(SELECT v.{name} FROM trial_icfversion v WHERE v.site_id = r.site AND v.irb_approval_date <= ({day})::date"
    " ORDER BY v.irb_approval_date DESC LIMIT 1)"
)
_APPROVED = 'EXISTS (SELECT FROM trial_icfversion v WHERE v.site_id = r.site AND v.label = o."icf_version")'
_SIGNED = (
    'CASE WHEN o."consent_type" = \'RECONSENT\' THEN o."consent_dt"'
    ' ELSE o."consent_dt" + make_interval(days => r.shift) END'
)


def _of_version(name: str, column: str) -> str:
    return f'CASE WHEN {_APPROVED} THEN {_CURRENT.format(name=name, day=_SIGNED)} ELSE o."{column}" END'


_OF_THE_SITE = {
    ("informed_consent", "consent_dt"): _SIGNED,
    ("informed_consent", "icf_version"): _of_version("label", "icf_version"),
    ("informed_consent", "icf_version_date"): _of_version("version_date", "icf_version_date"),
}
# What moves beside the analytes, which all do but shares of a whole.
_MEASURED: Mapping[str, tuple[str, ...]] = {"vital_signs": ("sbp", "dbp", "pulse", "resp_rate")}
_STILL = {"blast_pb_pct", "reticulocytes", "inr"}
# The response was judged on the counts of these visits: they stay as they are.
_JUDGED = tuple(visit.code for visit in SCHEDULE if "response" in visit.forms)


def new_id(old: str) -> str:
    """The id of the copy of a row, ordered by subject as ids are by time."""
    mixed = f"md5({old}::text || r.id::text)"
    return f"(left(replace(r.id::text, '-', ''), 12) || '7' || left({mixed}, 3) || '8' || right({mixed}, 15))::uuid"


NEW_IDS = f"SELECT r.id, o.id, {new_id('o.id')} FROM {COPIES} CROSS JOIN unnest(%(records)s::uuid[]) o(id)"


def asked_about() -> list[UUID]:
    """Records with an automatic query: they keep their values, so that the copied question fits."""
    return list(Query.objects.filter(source="AUTO").values_list("record_id", flat=True).distinct())


@cache
def of_form(form: type[CRF]) -> str:
    """INSERT … SELECT of every row of a form."""
    moving = _moving(form)
    values = {str(column.column): _value(form, column, moving) for column in form._meta.local_concrete_fields}
    return _insert(form, values)


@cache
def of_record_table(model: type[models.Model]) -> str:
    """INSERT … SELECT of a table whose rows name a record of the subject by its id."""
    values = {str(column.column): _plain(column) for column in model._meta.local_concrete_fields}
    return _insert(model, {**values, "record_id": new_id("o.record_id")})


def _insert(model: type[models.Model], values: Mapping[str, str]) -> str:
    table = model._meta.db_table
    names = ", ".join(f'"{name}"' for name in values)
    selected = ", ".join({**values, "id": new_id("o.id")}.values())
    source = f"{table} o JOIN {COPIES} ON o.subject_id = r.template"
    return f"INSERT INTO {table} ({names}) SELECT {selected} FROM {source} ORDER BY r.subjid, o.id"


def _plain(column: Any) -> str:
    return _OWN.get(column.column, f'o."{column.column}"')


def _value(form: type[CRF], column: Any, moving: Mapping[str, str]) -> str:
    there = f'o."{column.column}"'
    if column.name not in items(form):
        return _plain(column)
    if column.name in moving:
        return f"CASE WHEN {_free(form)} THEN {moving[column.name]} ELSE {there} END"
    if isinstance(column, models.ForeignKey):
        return _link(column.related_model, there)
    if (form.form, column.name) in _OF_THE_SITE:
        return _OF_THE_SITE[form.form, column.name]
    if isinstance(column, PartialDateField | PartialDateTimeField):
        return _partly_known(there)
    if isinstance(column, models.DateTimeField):
        return f"{there} + make_interval(days => r.shift)"
    if isinstance(column, models.DateField):
        return f"{there} + r.shift"
    if isinstance(column, models.CharField | models.TextField) and items(form)[column.name].codes is None:
        return f"replace({there}, r.before, r.subjid)"
    return there


def _link(model: Any, there: str) -> str:
    """The same person or record of the study; the laboratory of this name at the copy's site; else the copy of the record.

    A file is its own subject's: a copy has none."""
    if model is Person or issubclass(model, StudyForm):
        return there
    if model is Attachment:
        return "NULL::uuid"
    if model is Laboratory:
        same = "other.name = l.name AND other.site_id = r.site"
        return f"(SELECT other.id FROM visits_laboratory l JOIN visits_laboratory other ON {same} WHERE l.id = {there})"
    return f"CASE WHEN {there} IS NOT NULL THEN {new_id(there)} END"


def _partly_known(there: str) -> str:
    """A partial date moves by whole days where the day is known, else with the middle of its month; a year stays."""
    return (
        f"CASE WHEN length({there}) >= 10 THEN to_char(left({there}, 10)::date + r.shift, 'YYYY-MM-DD')"
        f" || substr({there}, 11) WHEN length({there}) = 7"
        f" THEN to_char(({there} || '-15')::date + r.shift, 'YYYY-MM') ELSE {there} END"
    )


def _free(form: type[CRF]) -> str:
    """Whether a row's values may move: read as they were typed, not asked about, not the ground of a response."""
    judged = ", ".join(f"'{code}'" for code in _JUDGED)
    return f"o.typed = '{{}}' AND o.id <> ALL(%(asked)s::uuid[]) AND o.visit NOT IN ({judged})"


def _moving(form: type[CRF]) -> dict[str, str]:
    """The columns of measured values with the SQL of the moved value; all of one row move by the same share."""
    factor = (
        f"(1 + {SHARE} * mod(hashtextextended(r.subjid || '/{form.form}/' || o.visit || '/' || o.sequence,"
        " %(seed)s::bigint), 1000) / 1000.0)::numeric"
    )
    found: dict[str, str] = {}
    for name, analyte in form.analytes.items():
        if name not in _STILL:
            moved = _moved(f"o.{name}_value", factor, analyte.soft or analyte.hard)
            only = f"o.{name}_unit = '{_canonical(analyte)}' AND o.{name}_qual = ''"
            found[f"{name}_value"] = f"CASE WHEN {only} THEN {moved} ELSE o.{name}_value END"
            found[f"{name}_si"] = (
                f"CASE WHEN {only} AND o.{name}_si IS NOT NULL THEN {moved} ELSE o.{name}_si END"
            )
    for name in _MEASURED.get(form.form, ()):
        found[name] = f"({_moved(f'o.{name}::numeric', factor, items(form)[name].soft)})::int"
    return found


def _canonical(analyte: Any) -> str:
    return canonical(analyte.quantity).replace("%", "%%")


def _moved(there: str, factor: str, limits: Range | None) -> str:
    """The value times the factor, as many decimals as before; one within its limits stays there, one beyond stays put."""
    moved = f"round({there} * {factor}, scale({there}))"
    if limits is None:
        return moved
    inside: list[str] = []
    if limits.low is not None:
        moved, inside = f"greatest({moved}, {limits.low:f})", [*inside, f"{there} >= {limits.low:f}"]
    if limits.high is not None:
        moved, inside = f"least({moved}, {limits.high:f})", [*inside, f"{there} <= {limits.high:f}"]
    return f"CASE WHEN {' AND '.join(inside)} THEN {moved} ELSE {there} END"
