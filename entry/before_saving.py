"""What the door asks of a record besides its own edit checks: its place, its links, its reasons, its ranges."""

import re
from datetime import datetime
from typing import Any

from entry.around import Around, links
from safety.adverse_events import AdverseEvent
from subjects.crf import CRF, StudyForm
from trial.codes import MISSING
from trial.dates import local_day
from trial.findings import Problem
from trial.item import items
from trial.models import Site
from trial.record import LOCK
from trial.sites import zone_of
from trial.text import T
from trial.units import canonical
from visits.ranges import age_on, of_laboratory, snapshot


def subjid_problem(subjid: str, site: Site) -> Problem | None:
    """What is wrong with a screening number: it is the site's code, a dash and three digits."""
    if re.fullmatch(rf"{re.escape(site.code)}-[0-9]{{3}}", subjid):
        return None
    return Problem(
        "subjid",
        "format",
        T(
            f"“{subjid}” is not a screening number of site {site.code}; write it as {site.code}-001.",
            f"“{subjid}”不是中心 {site.code} 的筛选号;请写成 {site.code}-001。",
        ),
        subjid[:40],
        f"{site.code}-nnn",
    )


def reason_missing() -> Problem:
    """A value changes and nobody says why."""
    return Problem(
        "reason",
        "required",
        T(
            "Say why the value changes; the reason stays in the record.",
            "请说明修改原因;原因将永久保留在记录中。",
        ),
    )


def lock_problems(state: str, reason: str) -> list[Problem]:
    """An unknown lock state, or no reason for it."""
    problems = []
    if state not in LOCK.codes:
        shown, known = str(state or "")[:80], ", ".join(LOCK.codes)
        en, zh = (f"“{shown}” is no state of a record. ", f"“{shown}”不是记录的状态。") if shown else ("", "")
        told = "、".join(f"{code}({label})" for code, _, label in LOCK.rows)
        said = T(f"{en}Choose the new state: {known}.", f"{zh}请选择新状态:{told}。")
        problems.append(Problem("state", "unreadable" if shown else "required", said, shown, known))
    if not reason.strip():
        said = T(
            "Say why the record is frozen, locked or opened; the reason stays in the record.",
            "请说明冻结、锁定或开放该记录的原因;原因将永久保留在记录中。",
        )
        problems.append(Problem("reason", "required", said))
    return problems


def already(state: str) -> Problem:
    """The record is in the wanted state already."""
    en, zh = next((en, zh) for code, en, zh in LOCK.rows if code == state)
    said = T(
        f"The record is {en.lower()} already. Nothing was changed, and the reason was not kept.",
        f"该记录已处于“{zh}”状态。未作任何更改,原因也未保存。",
    )
    return Problem("state", "wrong_state", said, state)


def answered(record: CRF) -> list[str]:
    """The items of the form that hold an answer; what is calculated or a part of a result is none of its own."""
    asked = {name for name, meaning in items(record).items() if meaning.calc is None and not meaning.part_of}
    columns = [column for column in record._meta.concrete_fields if column.name in asked]
    return [column.name for column in columns if getattr(record, column.attname) not in (None, "", [])]


def form_problems(record: CRF, before: CRF | None) -> list[Problem]:
    """A form marked as not done says why, and holds no answers."""
    problems = []
    if record.not_done and record.not_done_reason not in MISSING.codes:
        problems.append(
            Problem(
                "not_done_reason",
                "required",
                T("Say why the form was not done.", "请说明本表未做的原因。"),
                record.not_done_reason,
                ", ".join(MISSING.codes),
            )
        )
    held = answered(record) if record.not_done and not record.retracted else []
    if held:
        problems.append(
            Problem(
                "not_done",
                "answered_and_missing",
                T(
                    "The form is marked as not done but holds answers. Take one of the two away.",
                    "本表标记为未做但含有答案。请去掉其中之一。",
                ),
                ", ".join(held[:5]),
            )
        )
    return problems


def reference_problems(record: CRF, before: CRF | None, around: Around) -> list[Problem]:
    """A link must lead to a record of the same subject or of the study, to a laboratory of its site, or to a person."""
    problems = []
    for column in links(record):
        target = getattr(record, column.attname)
        if target is None or (before is not None and str(getattr(before, column.attname)) == str(target)):
            continue
        if not around.holds(column, target):
            problems.append(
                Problem(
                    column.name,
                    "no_such_record",
                    _nowhere(column, target),
                    str(target),
                )
            )
    return problems


def _nowhere(column: Any, target: Any) -> str:
    """What is wrong with a link that leads nowhere."""
    if issubclass(column.related_model, StudyForm):
        return T(
            f"“{target}” names no record of the study that counts; choose one of the list.",
            f"“{target}”不是有效的研究记录;请从列表中选择。",
        )
    return T(f"“{target}” names no record of this subject.", f"“{target}”不是该受试者的记录。")


def prepare(record: Any, before: CRF | None, around: Around) -> None:
    """Name the protocol version that binds an adverse event; name the laboratory of a new panel, and keep its range in
    force with each result (see visits.ranges)."""
    if isinstance(record, AdverseEvent):
        record.bound_by = around.protocol
    laboratory = hasattr(record, "laboratory_id")
    when = getattr(record, record.dated_by) if record.dated_by and (laboratory or record.analytes) else None
    if when is None:
        return
    if before is not None:
        _drop_limits_of_another_panel(record, before)
    day = local_day(when, zone_of(record.site_id)) if isinstance(when, datetime) else when
    if laboratory and before is None and record.laboratory_id is None and not record.not_done:
        record.laboratory_id = around.default_laboratory(day)
    if not record.analytes or not around.ranges:
        return
    sex, born = around.person
    ranges = of_laboratory(around.ranges, getattr(record, "laboratory_id", None))
    snapshot(record, ranges, day, sex, age_on(born, day))


def _drop_limits_of_another_panel(record: Any, before: Any) -> None:
    """Limits that were kept for another unit, day or laboratory hold no longer, unless new ones came with the change."""
    moved = getattr(record, record.dated_by) != getattr(before, record.dated_by) or str(
        getattr(record, "laboratory_id", None)
    ) != str(getattr(before, "laboratory_id", None))
    for name, analyte in record.analytes.items():
        limits = (f"{name}_lln", f"{name}_uln")
        untouched = all(getattr(record, limit) == getattr(before, limit) for limit in limits)
        units = {getattr(one, f"{name}_unit") or canonical(analyte.quantity) for one in (record, before)}
        if untouched and (moved or len(units) > 1):
            for limit in limits:
                setattr(record, limit, None)
