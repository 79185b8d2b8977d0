"""Where a page stands: subject, visit, form, record. What does not exist among the actor's sites is not found."""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import Http404, HttpRequest

from safety.forms import FORM
from subjects.crf import CRF, Subject
from trial.access import Actor
from trial.fields import uuid7
from trial.sites import zone_of
from trial.text import T

LOG = "log"


@dataclass(frozen=True)
class Place:
    """One form of one subject, at a visit or in a log; `record` is None while it is new."""

    actor: Actor
    subject: Subject
    model: type[CRF]
    visit: str
    record: CRF | None
    zone: str
    new_id: UUID = field(default_factory=uuid7)

    @property
    def url(self) -> str:
        """The address of this form, or of the record once there is one."""
        if self.record is not None:
            return record_url(self.subject.subjid, self.record)
        base = form_url(self.subject.subjid, self.model, self.visit)
        return f"{base}/new" if many(self.model) else base

    @property
    def sign_url(self) -> str:
        """Where the record is signed."""
        return f"/records/{self.model.form}/{self.record.pk}/sign" if self.record is not None else ""

    @property
    def lock_url(self) -> str:
        """Where the record is frozen, locked or opened."""
        return f"/records/{self.model.form}/{self.record.pk}/lock" if self.record is not None else ""

    @property
    def grid_url(self) -> str:
        """The address of the form's grid or panel, "" when it has none."""
        return grid_url(self.subject.subjid, self.model, self.visit)

    @property
    def title(self) -> str:
        """The form's name in the active language."""
        return str(self.model._meta.verbose_name)

    @property
    def visit_name(self) -> str:
        """The visit's name, or "log"."""
        return visit_label(self.visit) if self.visit else str(T("Log", "日志"))

    def blank(self) -> CRF:
        """A record of this form that nobody has saved yet."""
        made: Any = self.model(subject_id=self.subject.pk, site_id=self.subject.site_id, visit=self.visit)
        made.pk = self.new_id
        return made  # type: ignore[no-any-return]

    def at(self, record: CRF) -> "Place":
        """The same place, standing on this record."""
        return replace(self, record=record)


def many(model: type[CRF]) -> bool:
    """Whether a subject, or a visit, can hold several records of the form."""
    return model.repeats in ("rows", "log")


def by_visit(model: type[CRF]) -> bool:
    """Whether the form belongs to a visit."""
    return model.repeats in ("visit", "rows")


def visit_label(code: str) -> str:
    """The visit's name in the active language; its code when the schedule does not know it."""
    from visits.schedule import visit_of

    known = visit_of(code)
    return str(known.label) if known else code


def form_url(subjid: str, model: type[CRF], visit: str) -> str:
    """The address of a form at a visit, or of a form that stands once or in a log."""
    where = visit if by_visit(model) else LOG
    return f"/subjects/{quote(subjid)}/{quote(where)}/{model.form}"


def grid_url(subjid: str, model: type[CRF], visit: str = "") -> str:
    """The address of a form's grid, of laboratory results their panel; "" for a form that never repeats at a place."""
    if model.analytes:
        return f"/subjects/{quote(subjid)}/panel/{model.form}"
    if not many(model):
        return ""
    tail = f"?visit={quote(visit)}" if visit and by_visit(model) else ""
    return f"/subjects/{quote(subjid)}/grid/{model.form}{tail}"


def record_url(subjid: str, record: CRF, anchor: str = "") -> str:
    """The address of one record; `anchor` leads to a line of it."""
    base = form_url(subjid, type(record), record.visit)
    whole = f"{base}/{record.pk}" if many(type(record)) or record.retracted else base
    return f"{whole}#row-{anchor}" if anchor else whole


def subject_of(subjid: str) -> Subject:
    """The subject under this number. Call it inside `audit.reading`."""
    found = Subject.objects.filter(subjid=subjid).first()
    if found is None:
        raise Http404
    return found


def place_of(request: HttpRequest, subjid: str, visit: str, form: str, key: str = "") -> Place:
    """The place a URL names. Call it inside `audit.reading`. Raises Http404."""
    model = FORM.get(form)
    if model is None or (visit == LOG) is by_visit(model) or (visit != LOG and not _known(visit)):
        raise Http404
    actor: Actor = request.actor  # type: ignore[attr-defined]
    subject = subject_of(subjid)
    where = "" if visit == LOG else visit
    empty = Place(actor, subject, model, where, None, zone_of(subject.site_id))
    record = (
        standing(empty)
        if not key and not many(model)
        else _record(model, subject, where, key)
        if key
        else None
    )
    return empty if record is None else empty.at(record)


def _known(visit: str) -> bool:
    from visits.schedule import is_visit

    return is_visit(visit)


def standing(place: Place) -> CRF | None:
    """The record of a form that is filled in once, if it is there and not retracted."""
    rows = place.model._default_manager.filter(subject_id=place.subject.pk, retracted=False)
    if by_visit(place.model):
        rows = rows.filter(visit=place.visit)
    return rows.order_by("sequence").first()


def _record(model: type[CRF], subject: Subject, visit: str, key: str) -> CRF:
    rows = model._default_manager.filter(pk=_uuid(key), subject_id=subject.pk)
    record = (rows.filter(visit=visit) if by_visit(model) else rows).first()
    if record is None:
        raise Http404
    return record


def _uuid(key: str) -> UUID:
    try:
        return UUID(key)
    except ValueError:
        raise Http404 from None


def record_named(form: str, key: str) -> CRF:
    """A record by its form and id, wherever it stands. Call it inside `audit.reading`. Raises Http404."""
    model = FORM.get(form)
    record = model._default_manager.select_related("subject").filter(pk=_uuid(key)).first() if model else None
    if record is None:
        raise Http404
    return record
