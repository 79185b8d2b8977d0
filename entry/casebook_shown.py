"""A subject's record as a person reads it, in the active language: chapters of sheets of answers.

The page and the printout both show this; what they show cannot differ.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from entry.casebook import Filed
from entry.casebook_parts import Answer, Asked, Book, Chapter, Flagged, Part, Sheet, Signed
from entry.casebook_trail import trail_of
from entry.form_links import told_record
from entry.forms_page import analyte_words
from entry.places import by_visit, record_url
from review.models import Query
from review.places import form_name, line_name, visit_name
from review.shown import NOTHING, Names, clock, heading, shown
from safety.forms import FORMS
from safety.models import Deviation
from safety.rules import title_of
from subjects.crf import CRF
from subjects.signature import MEANINGS, Signature
from trial.access import ROLES
from trial.ambiguity import open_for
from trial.codes import MISSING
from trial.item import Basis, Item, items
from trial.record import LOCK, STATUS
from trial.rules import Severity
from trial.text import T
from visits.schedule import visit_rank


class _Shelf:
    """What is said about records, by record and line, each handed out once."""

    def __init__(self, filed: Filed) -> None:
        self.filed = filed
        self.of: dict[tuple[UUID | None, str, str], list[Any]] = defaultdict(list)
        for query in filed.queries:
            if filed.audited or query.status != "CLOSED":
                self._put("query", query, _asked(query, filed.zone))
        for flag in filed.deviations:
            if filed.audited or flag.status != "CLEARED":
                self._put("flag", flag, _flagged(flag, filed.provisional))
        self.signed: dict[UUID, list[Signature]] = defaultdict(list)
        for one in filed.signatures:
            self.signed[one.record_id].append(one)

    def _put(self, shelf: str, thing: Query | Deviation, words: Any) -> None:
        model = next((form for form in FORMS if form.form == thing.form), None)
        named = thing.field.removeprefix("missing.")
        line = line_name(model, named) if model is not None and named else ""
        self.of[(thing.record_id, line, shelf)].append(words)

    def take(self, key: UUID | None, line: str, shelf: str) -> list[Any]:
        """What is said about one line of a record ("" for the record as a whole)."""
        return self.of.pop((key, line, shelf), [])

    def rest(self, shelf: str, key: UUID | None = None) -> list[Any]:
        """What nobody took: of one record, or of all."""
        found = [k for k in self.of if k[2] == shelf and (key is None or k[0] == key)]
        return [words for k in found for words in self.of.pop(k)]


_ENTRY = (
    *("informed_consent", "demographics", "disease_history", "prior_transplant", "prior_therapy"),
    *("medical_history", "eligibility"),
)
_CELLS = (
    *("apheresis", "chain_of_identity", "manufacturing", "bridging", "dose_allocation"),
    *("lymphodepletion", "infusion"),
)
_END = ("subsequent_therapy", "end_of_study", "death")
PLACES: dict[str, str] = {
    **dict.fromkeys(_ENTRY, "entry"),
    **dict.fromkeys(_CELLS, "cells"),
    **dict.fromkeys(_END, "end"),
}
"""Chapter of the forms that belong to no visit; those that run through the whole study stand in the logs."""

INFUSION = "D0"


def book_of(filed: Filed) -> Book:
    """The casebook in the active language; asks the database for nothing."""
    shelf, names = _Shelf(filed), _names(filed)
    by_place: dict[str, list[CRF]] = defaultdict(list)
    for row in filed.all_rows():
        by_place[_place(row)].append(row)

    def sheets(place: str) -> list[Sheet]:
        return [_sheet(row, filed, shelf, names) for row in by_place.get(place, ())]

    chapters = [
        Chapter("entry", str(T("Consent, history, eligibility", "知情同意、病史与入选")), "", sheets("entry"))
    ]
    cells = Chapter("cells", str(T("Cells and treatment", "细胞产品与治疗")), "", sheets("cells"))
    visits = filed.course.visits
    codes = {row.visit for row in filed.all_rows() if by_visit(type(row))} | {
        code for code, visit in visits.items() if visit.absent and visit.state not in ("none", "due")
    }
    for code in sorted(codes, key=visit_rank):
        if cells not in chapters and visit_rank(code) >= visit_rank(INFUSION):
            chapters.append(cells)
        chapters.append(_visit(code, visits.get(code), sheets(f"v-{code}")))
    if cells not in chapters:
        chapters.append(cells)
    chapters.append(Chapter("logs", str(T("Logs", "日志")), "", sheets("logs")))
    chapters.append(
        Chapter("end", str(T("After treatment, end of study", "后续治疗与研究结束")), "", sheets("end"))
    )
    return Book(
        subjid=filed.subject.subjid,
        facts=_facts(filed),
        chapters=[one for one in chapters if one.sheets or one.absent],
        digest=filed.digest,
        as_of=clock(filed.as_of, filed.zone),
        checkpoint=_checkpoint(filed),
        audited=filed.audited,
        queries=shelf.rest("query"),
        deviations=shelf.rest("flag"),
    )


def _place(row: CRF) -> str:
    if by_visit(type(row)):
        return f"v-{row.visit}"
    return PLACES.get(row.form, "logs")


def _visit(code: str, state: Any, sheets: list[Sheet]) -> Chapter:
    about = []
    if state is not None:
        about = [state.words, str(state.actual or "")]
        if state.window.low and state.window.high:
            about.append(
                str(
                    T(
                        f"window {state.window.low} to {state.window.high}",
                        f"窗口 {state.window.low} 至 {state.window.high}",
                    )
                )
            )
    absent = [form_name(form) for form in state.absent] if state is not None else []
    return Chapter(
        f"v-{code}", f"{code} · {visit_name(code)}", " · ".join(filter(None, about)), sheets, absent
    )


def _facts(filed: Filed) -> list[tuple[str, str]]:
    course = filed.course.outline
    told = [
        (T("Subject", "受试者"), filed.subject.subjid),
        (T("Site", "中心"), f"{filed.site.code} {T(filed.site.name, filed.site.name_zh or filed.site.name)}"),
        (T("Status", "状态"), filed.course.status),
        (T("Dose level", "剂量水平"), course.dose or NOTHING),
        (T("Consent", "知情同意"), str(course.anchors.icf or NOTHING)),
        (T("Infusion (Day 0)", "回输(第0天)"), str(course.anchors.d0 or NOTHING)),
        (T("Protocol version", "方案版本"), course.protocol.version),
        (T("Records", "记录数"), str(sum(1 for _ in filed.all_rows()))),
    ]
    return [(str(label), str(value)) for label, value in told]


def _checkpoint(filed: Filed) -> str:
    seal = filed.seal
    if seal is None:
        return str(T("no checkpoint yet", "尚无检查点"))
    when, root = clock(seal.sealed_at, filed.zone), bytes(seal.hash).hex()
    return str(T(f"{seal.size} entries, sealed {when}, {root}", f"{seal.size} 条,封存于 {when},{root}"))


def _names(filed: Filed) -> Names:
    """The words of whatever a link leads to, by column and key."""
    of_model: dict[Any, dict[str, str]] = defaultdict(dict)
    for (model, key), one in filed.linked.items():
        of_model[model][str(key)] = told_record(one) if isinstance(one, CRF) else str(one)
    links = {
        (column.name, column.related_model)
        for form in FORMS
        for column in form._meta.concrete_fields
        if isinstance(column, models.ForeignKey) and hasattr(column, "item")
    }
    return {(name, key): words for name, model in links for key, words in of_model[model].items()}


def _sheet(row: CRF, filed: Filed, shelf: _Shelf, names: Names) -> Sheet:
    model = type(row)
    trail = trail_of(row, filed, names) if filed.audited else {}
    number = f" {row.sequence}" if row.repeats in ("rows", "log") else ""
    parts = list(_parts(row, filed.zone, names))
    for answer in (answer for part in parts for answer in part.answers):
        answer.queries = shelf.take(row.pk, answer.name, "query")
        answer.deviations = shelf.take(row.pk, answer.name, "flag")
        answer.trail = trail.pop(answer.name, [])
    return Sheet(
        key=row.pk,
        form=row.form,
        title=heading(model) + number,
        url=record_url(filed.subject.subjid, row),
        state=str(STATUS.label(row.status)),
        lock=str(LOCK.label(row.lock_state)) if row.lock_state != "OPEN" else "",
        version=row.version,
        changed=clock(row.changed_at, filed.zone),
        retracted=row.retracted,
        not_done=str(
            MISSING.label(row.not_done_reason) if row.not_done_reason else T("no reason given", "未说明原因")
        )
        if row.not_done
        else "",
        parts=parts,
        queries=shelf.rest("query", row.pk),
        deviations=shelf.rest("flag", row.pk),
        signatures=[_signed(one, filed) for one in shelf.signed.get(row.pk, ())],
        trail=sorted((step for steps in trail.values() for step in steps), key=lambda step: step.order),
    )


def _parts(row: CRF, zone: str, names: Names) -> Iterator[Part]:
    part: Part | None = None
    for name, meaning in items(row).items():
        if meaning.part_of:
            continue
        answer = _answer(row, name, meaning, zone, names)
        if answer.value == NOTHING and (row.not_done or not meaning.asked(row)):
            continue
        if part is None or part.title != str(meaning.section):
            if part is not None:
                yield part
            part = Part(str(meaning.section), [])
        part.answers.append(answer)
    if part is not None:
        yield part


def _answer(row: CRF, name: str, meaning: Item, zone: str, names: Names) -> Answer:
    short = name.removesuffix("_value")
    column: Any = row._meta.get_field(name)
    if short in row.analytes:
        made = Answer(short, str(meaning.label), analyte_words(row, short, zone))
    else:
        made = Answer(
            name, str(meaning.label), shown(column, getattr(row, column.attname), zone, names), meaning.unit
        )
    made.calculated = meaning.calc is not None
    made.typed = str(row.typed.get(name, ""))
    reason = row.missing.get(name) or row.missing.get(short)
    if reason:
        made.value, made.missing = (
            str(T(f"no answer: {MISSING.label(reason)}", f"无答案:{MISSING.label(reason)}")),
            True,
        )
    if made.value == NOTHING:
        made.unit = ""
    return made


def _asked(query: Query, zone: str) -> Asked:
    talk = [
        (str(said.get("by", "")), clock_text(said.get("at", ""), zone), str(said.get("text", "")))
        for said in query.talk
    ]
    return Asked(
        query.get_status_display(),
        query.status == "OPEN",
        str(query.text),
        query.get_source_display(),
        clock(query.entered_at, zone),
        talk,
    )


def clock_text(moment: str, zone: str) -> str:
    """A moment kept as ISO text, on the site's clock."""
    try:
        return clock(datetime.fromisoformat(moment), zone)
    except ValueError:
        return moment


def _flagged(one: Deviation, provisional: Mapping[str, list[str]]) -> Flagged:
    severity = str(Severity(one.severity).label) if one.severity in list(Severity) else one.severity
    return Flagged(
        one.rule_id,
        str(title_of(one.rule_id)),
        one.get_status_display(),
        one.status != "CLEARED",
        severity,
        str(one.message),
        one.citation,
        str(Basis(one.basis).label) if one.basis in list(Basis) else one.basis,
        open_for(provisional, one.rests_on),
    )


def _signed(one: Signature, filed: Filed) -> Signed:
    meaning = MEANINGS.get(one.meaning)
    role = ROLES.get(one.role)
    return Signed(
        one.name,
        str(role.label) if role else one.role,
        clock(one.signed_at, filed.zone),
        str(meaning.label) if meaning else one.meaning,
        one.record_version,
        one.pk in filed.standing,
    )


def every_answer(book: Book) -> Iterable[Answer]:
    """Every answer of the casebook."""
    return (answer for chapter in book.chapters for sheet in chapter.sheets for answer in sheet.answers)
