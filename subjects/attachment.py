"""Files kept for a subject, such as the scan of a signed consent form: written once, never changed, never removed."""

from typing import Any, ClassVar

from django.db import models

from subjects.crf import Subject
from trial.audit_sql import Stamp, WriteHistory
from trial.models import Person, Site
from trial.record import Audited
from trial.text import T


class Attachment(Audited):
    """A file of a subject. Its bytes lie in pieces beside it; `sha256` is theirs, so nothing can be put in their place."""

    append_only: ClassVar[bool] = True

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta(Audited.Meta):
        abstract = False
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory()]
        verbose_name = T("attachment", "附件")
        verbose_name_plural = T("attachments", "附件")

    def __str__(self) -> str:
        return f"{self.name} (SHA-256 {self.sha256[:12]}…)"


class AttachmentPart(models.Model):
    """A piece of an attachment, compressed; written once. The audited row above holds the hash of the whole."""

    row_secured: ClassVar[bool] = True

    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, related_name="parts")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = T("piece of an attachment", "附件片段")
        constraints = (
            models.UniqueConstraint(fields=["attachment", "number"], name="attachment_piece_once"),
        )

    def __str__(self) -> str:
        return f"{self.attachment_id}/{self.number}"


class AttachmentCopy(Audited):
    """That somebody took a copy of an attachment: who, in which role and when stand in its history."""

    append_only: ClassVar[bool] = True

    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, related_name="copies")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta(Audited.Meta):
        abstract = False
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory()]
        verbose_name = T("copy of an attachment", "附件下载记录")
        verbose_name_plural = T("copies of attachments", "附件下载记录")

    def __str__(self) -> str:
        return f"{self.attachment_id} {self.person_id}"
