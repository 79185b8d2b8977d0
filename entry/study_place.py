"""Where a page of a form of the study stands: a form, a site, a record that is there or a blank one."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import Http404, HttpRequest

from safety.forms import STUDY_FORM
from trial.access import Act, Actor
from trial.fields import uuid7
from trial.sites import zone_of


@dataclass(frozen=True)
class StudyPlace:
    """One form of the study at a site; `record` is the one that is looked at, or a blank one."""

    actor: Actor
    model: Any
    record: Any
    is_new: bool
    zone: str
    unchecked: bool = True

    @property
    def home(self) -> str:
        """The address of the list of this form's records."""
        return f"/study/{self.model.form}"

    @property
    def url(self) -> str:
        """The address of the record, or of a new one at its site."""
        return f"{self.home}/new?site={self.record.site_id}" if self.is_new else study_url(self.record)

    @property
    def sign_url(self) -> str:
        """Where the record is signed."""
        return f"{study_url(self.record)}/sign"

    @property
    def lock_url(self) -> str:
        """Where the record is frozen, locked or opened."""
        return f"{study_url(self.record)}/lock"

    @property
    def title(self) -> str:
        """The form's name in the active language."""
        return str(self.model._meta.verbose_name)

    def at(self, record: Any) -> "StudyPlace":
        """The same place, standing on this record."""
        return replace(self, record=record, is_new=False)


def study_url(record: Any) -> str:
    """The address of a record of the study."""
    return f"/study/{record.form}/{quote(str(record.pk))}"


def study_model(form: str) -> Any:
    """The form of this name. Raises Http404."""
    if form not in STUDY_FORM:
        raise Http404
    return STUDY_FORM[form]


def standing_place(actor: Actor, form: str, key: str) -> StudyPlace:
    """The place of a record that is there. Call it inside `audit.reading`. Raises Http404."""
    model = study_model(form)
    try:
        wanted = UUID(key)
    except ValueError:
        raise Http404 from None
    record = model._default_manager.select_related("site").filter(pk=wanted).first()
    if record is None:
        raise Http404
    return StudyPlace(actor, model, record, False, zone_of(record.site_id))


def new_place(request: HttpRequest, form: str) -> StudyPlace:
    """The place of a new record, at the site that is named or the actor's only one; a page that is sent again stands on
    the record it made. Call it inside `audit.reading`. Raises Http404."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    model = study_model(form)
    asked = request.GET.get("site", "")
    site = asked if asked else str(actor.sites[0]) if len(actor.sites) == 1 else ""
    if not actor.may(Act.STUDY) or not site.isdecimal() or int(site) not in actor.sites:
        raise Http404
    record = model(site_id=int(site))
    record.pk = _new_id(request)
    if request.method == "POST":
        made = model._default_manager.select_related("site").filter(pk=record.pk, site_id=int(site)).first()
        if made is not None:
            return StudyPlace(actor, model, made, False, zone_of(int(site)))
    return StudyPlace(actor, model, record, True, zone_of(int(site)))


def _new_id(request: HttpRequest) -> UUID:
    """A new record keeps the id its page was given, so sending the page twice makes one record."""
    try:
        return UUID(request.POST.get("new_id", ""))
    except ValueError:
        return uuid7()
