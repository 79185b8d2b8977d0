"""Laboratories and their reference ranges: adding and ending them.

The data manager keeps them (Act.STUDY). Nothing here changes a result that has its range: a later range holds for
results entered after it. See range_files for a file of ranges, and late_ranges for results entered before theirs.
"""

from datetime import date
from uuid import UUID

from entry.door import Forbidden, NotFound, Rejected, Stale
from safety.forms import FORMS
from trial import audit
from trial.access import Act, Actor, require
from trial.findings import Problem
from trial.models import Site
from trial.text import T
from trial.units import FACTORS
from visits.models import Laboratory, ReferenceRange
from visits.ranges import overlaps


def analytes() -> dict[str, str]:
    """Every result that can have a range: its name to its quantity."""
    return {name: one.quantity for form in FORMS for name, one in form.analytes.items()}


def result_names() -> dict[str, str]:
    """Every result that can have a range: its name to its label in the active language, in the order of the names.

    Lists begin with the name: it is typed on every keyboard, whatever the language of the labels."""
    told = {
        name: str(form._meta.get_field(f"{name}_value").item.label)  # type: ignore[union-attr]
        for form in FORMS
        for name in form.analytes
    }
    return dict(sorted(told.items()))


def add_laboratory(
    site: Site, name: str, name_zh: str, start: date | None, default: bool, *, by: Actor
) -> Laboratory:
    """A laboratory of a site; as the default it takes the place of the one before. Raises Forbidden or Rejected."""
    may_keep(by, site.pk)
    name = name.strip()
    if not name or len(name) > 120 or len(name_zh) > 120:
        raise Rejected(
            [
                range_problem(
                    "name",
                    "Give the laboratory a name of at most 120 characters.",
                    "请填写实验室名称(最多 120 个字符)。",
                )
            ]
        )
    with audit.transaction(by, "laboratory added"):
        Site.objects.select_for_update().get(pk=site.pk)
        if Laboratory.objects.filter(site=site, name=name).exists():
            raise Rejected(
                [
                    range_problem(
                        "name", f"The site has a laboratory “{name}”.", f"该中心已有实验室“{name}”。", name
                    )
                ]
            )
        if default:
            Laboratory.objects.filter(site=site, is_default=True).update(is_default=False)
        made = Laboratory(site=site, name=name, name_zh=name_zh.strip(), valid_from=start, is_default=default)
        made.save(force_insert=True)
    return made


def end_laboratory(key: UUID, last: date, *, by: Actor, reason: str, seen: int | None = None) -> None:
    """The last day on which a laboratory measures for its site; `seen`: the version that was looked at.

    Raises NotFound, Rejected or Stale.
    """
    require(by, Act.STUDY)
    needs_reason(reason)
    with audit.transaction(by, reason.strip()):
        lab = Laboratory.objects.select_for_update().filter(pk=key).first()
        if lab is None:
            raise NotFound
        _as_seen(lab, seen)
        if lab.valid_from is not None and last < lab.valid_from:
            raise Rejected([_before("last", last, lab.valid_from)])
        lab.valid_to = last
        lab.save(force_update=True)


def add_range(one: ReferenceRange, *, by: Actor) -> ReferenceRange:
    """A range in force from its first day. Raises Forbidden, or Rejected when it overlaps another of its laboratory."""
    assert one.lab is not None
    may_keep(by, one.lab.site_id)
    with audit.transaction(by, "reference range added"):
        Laboratory.objects.select_for_update().get(pk=one.lab.pk)
        _add(one, list(ReferenceRange.objects.filter(lab=one.lab)))
    return one


def _add(one: ReferenceRange, others: list[ReferenceRange]) -> None:
    assert one.lab is not None
    one.site_id, one.laboratory = one.lab.site_id, one.lab.name
    problems = range_problems(one, others)
    if problems:
        raise Rejected(problems)
    one.save(force_insert=True)


def range_problems(one: ReferenceRange, others: list[ReferenceRange]) -> list[Problem]:
    """What is wrong with a range, by itself and beside the others of its laboratory."""
    known = analytes()
    if one.analyte not in known:
        return [
            range_problem(
                "analyte",
                f"“{one.analyte}” is no result that has a range.",
                f"“{one.analyte}”不是有参考范围的检测项目。",
                one.analyte,
            )
        ]
    units = FACTORS[known[one.analyte]]
    problems = []
    if one.unit not in units:
        shown = ", ".join(units)
        problems.append(
            range_problem(
                "unit",
                f"“{one.unit}” is no unit of {one.analyte}; it has: {shown}.",
                f"“{one.unit}”不是 {one.analyte} 的单位;可用:{shown}。",
                one.unit,
            )
        )
    if one.sex not in ("", "M", "F"):
        problems.append(
            range_problem(
                "sex", "The sex is M, F or empty for either.", "性别为 M、F,或留空表示不限。", one.sex
            )
        )
    if one.low is None and one.high is None:
        problems.append(
            range_problem("low", "A range has a lower or an upper limit.", "参考范围至少应有下限或上限。")
        )
    if one.low is not None and one.high is not None and one.low > one.high:
        problems.append(
            range_problem(
                "low",
                f"The lower limit {one.low} is above the upper {one.high}.",
                f"下限 {one.low} 高于上限 {one.high}。",
                str(one.low),
            )
        )
    if one.age_low is not None and one.age_high is not None and one.age_low > one.age_high:
        problems.append(
            range_problem(
                "age_low", "The lower age is above the upper.", "年龄下限高于上限。", str(one.age_low)
            )
        )
    if one.valid_to is not None and one.valid_to < one.valid_from:
        problems.append(_before("valid_to", one.valid_to, one.valid_from))
    clash = next((other for other in others if other.pk != one.pk and overlaps(one, other)), None)
    if clash is not None and not problems:
        problems.append(_overlap(clash, "valid_from", one.valid_from))
    return problems


def _overlap(clash: ReferenceRange, field: str, day: date) -> Problem:
    until = clash.valid_to or "…"
    return range_problem(
        field,
        f"It overlaps {clash} of {clash.valid_from} – {until}. End that range first.",
        f"与 {clash}({clash.valid_from} – {until})重叠。请先终止该范围。",
        str(day),
    )


def end_range(key: UUID, last: date, *, by: Actor, reason: str, seen: int | None = None) -> None:
    """The last day on which a range is in force; results keep what they were read against. `seen` as above.

    Raises NotFound, Rejected or Stale.
    """
    require(by, Act.STUDY)
    needs_reason(reason)
    with audit.transaction(by, reason.strip()):
        one = ReferenceRange.objects.select_for_update().filter(pk=key).first()
        if one is None:
            raise NotFound
        _as_seen(one, seen)
        if last < one.valid_from:
            raise Rejected([_before("last", last, one.valid_from)])
        one.valid_to = last
        others = ReferenceRange.objects.filter(lab_id=one.lab_id).exclude(pk=one.pk) if one.lab_id else ()
        clash = next((other for other in others if overlaps(one, other)), None)
        if clash is not None:
            raise Rejected([_overlap(clash, "last", last)])
        one.save(force_update=True)


def _as_seen(one: Laboratory | ReferenceRange, seen: int | None) -> None:
    if seen is not None and one.version != seen:
        raise Stale(one, seen, {})


def may_keep(by: Actor, site_id: int) -> None:
    """Raise Forbidden unless the actor keeps the laboratories of this site."""
    require(by, Act.STUDY)
    if not by.at(site_id):
        raise Forbidden(by, Act.STUDY)


def needs_reason(reason: str) -> None:
    """Raise Rejected where a reason is wanted and none is given."""
    if not reason.strip():
        raise Rejected(
            [
                range_problem(
                    "reason",
                    "Say why; the reason stays in the record.",
                    "请说明原因;原因将永久保留在记录中。",
                )
            ]
        )


def range_problem(field: str, en: str, zh: str, value: str = "") -> Problem:
    """What is wrong with a laboratory or a range."""
    return Problem(field, "range", T(en, zh), value)


def _before(field: str, last: date, first: date) -> Problem:
    return range_problem(
        field,
        f"The last day {last} is before the first, {first}.",
        f"最后一天 {last} 早于第一天 {first}。",
        str(last),
    )
