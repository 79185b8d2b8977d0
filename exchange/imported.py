"""The register of files that came in, their bytes, and the report of each run."""

from typing import ClassVar

from django.db import models

from trial.access import ROLE_CHOICES
from trial.codes import CodeList
from trial.models import Person, Site
from trial.record import Audited
from trial.text import T

FILE_STATES = CodeList(
    "CL_FILE_STATE",
    (
        ("SENT", "Received, not looked at yet", "已接收,尚未处理"),
        ("CHECKED", "Checked, nothing saved yet", "已预检,尚未保存"),
        ("DONE", "Imported", "已导入"),
        ("REFUSED", "Refused, nothing saved", "已拒绝,未保存"),
        ("FAILED", "Could not be read, nothing saved", "无法读取,未保存"),
    ),
)
WISHES = CodeList("CL_FILE_WISH", (("CHECK", "Dry run", "预检"), ("COMMIT", "Import", "导入")))


class ImportFile(Audited):
    """A file that came in for one site: who sent it, what it was read as, what came of its rows.

    `options` as `exchange.incoming_files.options.Options`; `counts` maps outcomes to rows; `notes` and `failure`
    are said in both languages.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=30, choices=ROLE_CHOICES)
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    profile = models.CharField(max_length=60)
    options = models.JSONField(default=dict, blank=True)
    wish = models.CharField(max_length=10, choices=WISHES.choices, default="CHECK")
    state = models.CharField(max_length=10, choices=FILE_STATES.choices, default="SENT")
    run = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    failure = models.JSONField(default=dict, blank=True)
    report_sha256 = models.CharField(max_length=64, blank=True, default="")

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("imported file", "导入文件")
        verbose_name_plural = T("imported files", "导入文件")

    def __str__(self) -> str:
        return f"{self.name} ({self.profile})"


class ImportPart(models.Model):
    """A piece of a file, or of the report of one run, compressed. Pieces are written once and never changed; the
    audited row above holds the hash of both."""

    row_secured: ClassVar[bool] = True

    file = models.ForeignKey(ImportFile, on_delete=models.PROTECT, related_name="parts")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=6, choices=[("FILE", "file"), ("REPORT", "report")])
    run = models.PositiveIntegerField(default=0)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = T("piece of a file", "文件片段")
        constraints = (models.UniqueConstraint(fields=["file", "kind", "run", "number"], name="piece_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.run}/{self.number}"
