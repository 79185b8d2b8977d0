"""`CRF`: the base of every case report form."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db import models

from trial.audit_sql import Stamp, WriteHistory
from trial.findings import Doubt, Problem
from trial.models import Site
from trial.record import Audited, Record
from trial.text import T


class Subject(Audited):
    """A subject under its screening number, which is never used again. Status and dose are derived, never typed."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="subjects")
    subjid = models.CharField(max_length=12, unique=True)

    class Meta(Audited.Meta):
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory(wakes_rules=True)]
        verbose_name = T("subject", "受试者")
        verbose_name_plural = T("subjects", "受试者")

    def __str__(self) -> str:
        return self.subjid


class CRF(Record):
    """A form of one subject. Subclasses state what they are in class attributes and their fields with `item(...)`.

    form      permanent name, as in the dictionary and the API
    domain    SDTM domain
    repeats   "one" per subject | "visit" once per visit | "rows" several per visit | "log" several per subject
    dated_by  the item that says when it happened
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    visit = models.CharField(max_length=12, blank=True, default="")
    sequence = models.PositiveIntegerField(default=1)

    form: ClassVar[str] = ""
    domain: ClassVar[str] = ""
    repeats: ClassVar[str] = "visit"
    dated_by: ClassVar[str] = ""
    analytes: ClassVar[dict[str, Any]] = {}

    class Meta(Record.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.visit or self.sequence}"

    def contradictions(self) -> Iterator[Problem]:
        """What cannot be, judged from this form alone: refused. Ranges and date order come from the items."""
        return iter(())

    def doubts(self) -> Iterator[Doubt]:
        """What is unlikely, judged from this form alone: saved, and asked about."""
        return iter(())


class StudyForm(Record):
    """A form that concerns the study at a site and no single subject: a committee's review, for instance.

    It has items, history, versions and locks as every form has. `form`, `domain` and `dated_by` as for a CRF.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveIntegerField(default=1)

    form: ClassVar[str] = ""
    domain: ClassVar[str] = ""
    repeats: ClassVar[str] = "log"
    dated_by: ClassVar[str] = ""
    analytes: ClassVar[dict[str, Any]] = {}

    class Meta(Record.Meta):
        abstract = True
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory()]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.sequence}"

    def contradictions(self) -> Iterator[Problem]:
        """What cannot be, judged from this form alone: refused."""
        return iter(())

    def doubts(self) -> Iterator[Doubt]:
        """What is unlikely, judged from this form alone: saved, and asked about."""
        return iter(())
