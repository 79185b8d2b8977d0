"""What the links of a form can point at: records, people, laboratories, files and records of the study, each in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from subjects.attachment import Attachment
from subjects.crf import CRF, StudyForm
from trial.answers import kind_of
from trial.item import items
from trial.models import Person
from trial.people import colleagues
from visits.models import Laboratory


@dataclass(frozen=True)
class Choices:
    """What the links of a form can point at: column name to (id, words) pairs."""

    of: Mapping[str, list[tuple[str, str]]]


def choices(model: type[CRF], subject_id: Any, site_id: int) -> Choices:
    """The records and people a form's links may lead to. One statement for each kind of target."""
    people: list[tuple[str, str]] | None = None
    found: dict[str, list[tuple[str, str]]] = {}
    for name in items(model):
        column = model._meta.get_field(name)
        if kind_of(column) != "link":
            continue
        target: Any = column.related_model
        if target is Person:
            people = people if people is not None else [(str(p.pk), p.full_name) for p in colleagues(site_id)]
            found[name] = people
        elif target is Laboratory:
            found[name] = [
                (str(one.pk), str(one)) for one in target.objects.filter(site_id=site_id).order_by("name")
            ]
        elif target is Attachment:
            kept = target.objects.filter(subject_id=subject_id).order_by("entered_at")
            found[name] = [(str(one.pk), str(one)) for one in kept]
        elif issubclass(target, StudyForm):
            studied = target._default_manager.filter(retracted=False).select_related("site")
            found[name] = [(str(r.pk), told_study(r)) for r in studied.order_by("site__code", "sequence")]
        else:
            rows = target._default_manager.filter(subject_id=subject_id, retracted=False).order_by("sequence")
            found[name] = [(str(row.pk), told_record(row)) for row in rows]
    return Choices(found)


def told_record(row: Any) -> str:
    """A record in a list of choices: its first answers, then its place."""
    told = [getattr(row, row._meta.get_field(n).attname) for n in list(items(row))[:3]]
    words = " · ".join(str(v) for v in told if isinstance(v, str) and v)
    return f"{row._meta.verbose_name} {row.visit or row.sequence}{': ' + words if words else ''}"


def told_study(row: Any) -> str:
    """A record of the study in a list of choices: its number, its day, and its coded answers."""
    codes = [m.codes.label(getattr(row, n)) for n, m in items(row).items() if m.codes and getattr(row, n)]
    day = getattr(row, row.dated_by) if row.dated_by else None
    return " · ".join(
        str(part) for part in (f"{row.site.code} #{row.sequence}", day, *codes[:1], *codes[-1:]) if part
    )
