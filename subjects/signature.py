"""Electronic signatures: who signed which version of which record, and what the signature means.

A signature binds to the content it saw: it keeps the version and a digest of the answers, so any later change makes it
stale by comparison, and nothing has to be kept in step (21 CFR 11.50, 11.70). It is never changed and never removed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

from django.db import models

from subjects.crf import Subject
from trial.audit_sql import Stamp, WriteHistory
from trial.item import items
from trial.models import Person, Site
from trial.record import Audited
from trial.text import T


@dataclass(frozen=True)
class Meaning:
    """What a signature says, on which forms (none named: on every form), and in which roles it may be given."""

    code: str
    en: str
    zh: str
    roles: tuple[str, ...]
    forms: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The statement in the active language."""
        return T(self.en, self.zh)

    def fits(self, form: str) -> bool:
        """Whether a record of this form can be signed with this meaning."""
        return not self.forms or form in self.forms


_ALL = (
    Meaning(
        "REVIEW",
        "I have reviewed this record; it is complete and accurate.",
        "本人已审核该记录,内容完整、准确。",
        ("investigator", "sub_investigator"),
    ),
    Meaning(
        "ELIGIBILITY",
        "I confirm the eligibility verdict of this milestone.",
        "本人确认该节点的入选排除判定。",
        ("investigator",),
        ("eligibility",),
    ),
    Meaning(
        "RELEASE",
        "I release or reject this batch as recorded.",
        "本人按记录对该批次作出放行或拒绝放行的决定。",
        ("cell_lab",),
        ("manufacturing",),
    ),
    Meaning(
        "ALLOCATION",
        "I approve this dose allocation.",
        "本人批准该剂量分配。",
        ("medical_monitor",),
        ("dose_allocation",),
    ),
    Meaning(
        "DLT",
        "I confirm this assessment of dose-limiting toxicity.",
        "本人确认该剂量限制性毒性评价。",
        ("investigator", "medical_monitor"),
        ("dlt_assessment",),
    ),
    Meaning(
        "COMMITTEE",
        "I took part in this review and agree with its decision.",
        "本人参加了该次评审并同意其决定。",
        ("investigator", "medical_monitor", "statistician"),
        ("src_review",),
    ),
    Meaning(
        "HOLD",
        "I have reviewed the events behind this enrolment hold and decide as recorded.",
        "本人已审阅导致暂停入组的事件,并按记录作出决定。",
        ("medical_monitor",),
        ("enrolment_hold",),
    ),
    Meaning(
        "READING",
        "I approve these readings of the registry record for this study.",
        "本人批准在本研究中对注册信息采用上述解读。",
        ("medical_monitor", "investigator"),
        ("reading",),
    ),
)
MEANINGS: dict[str, Meaning] = {one.code: one for one in _ALL}


# A review of an enrolment hold belongs to the whole trial, and so does who signed it.
OF_THE_TRIAL = "form = 'enrolment_hold' AND subject_id IS NULL"


class Signature(Audited):
    """One signature. `subject` is empty for a record of the study; `name` and `role` are as they were that day.

    `listed` is the hash of the list when several records were signed together, empty for a record signed by itself.
    """

    append_only: ClassVar[bool] = True
    read_by_all: ClassVar[str] = OF_THE_TRIAL

    subject = models.ForeignKey(
        Subject, on_delete=models.PROTECT, null=True, blank=True, related_name="signatures"
    )
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    form = models.CharField(max_length=40)
    record_id = models.UUIDField()
    record_version = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    meaning = models.CharField(max_length=20, choices=[(m.code, m.label) for m in _ALL])
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=30)
    signed_at = models.DateTimeField()
    listed = models.CharField(max_length=64, blank=True, default="")

    class Meta(Audited.Meta):
        triggers: ClassVar[list[Any]] = [
            Stamp(),
            WriteHistory(wakes_rules=True, wakes_cohort=("record_version",), read_by_all=OF_THE_TRIAL),
        ]
        verbose_name = T("signature", "电子签名")
        verbose_name_plural = T("signatures", "电子签名")
        indexes = (models.Index(fields=["record_id"], name="signature_record"),)

    def __str__(self) -> str:
        return f"{self.name} {self.meaning} {self.form}"

    @property
    def statement(self) -> str:
        """What was signed, in the active language."""
        return MEANINGS[self.meaning].label if self.meaning in MEANINGS else self.meaning

    def stands_for(self, record: Any) -> bool:
        """Whether the record is still as it was signed. Freezing or locking it since changes nothing; unlocking does."""
        opened = type(record).history.filter(id=record.pk, lock_state="OPEN").order_by("-version")
        return self.stands_beside(record, lambda: opened.values_list("version", flat=True).first())

    def stands_beside(self, record: Any, last_open: Callable[[], int | None]) -> bool:
        """As `stands_for`; `last_open` tells the record's newest version that was open, for whoever read it before."""
        if record.pk != self.record_id or content_digest(record) != self.digest:
            return False
        if record.version == self.record_version:
            return True
        return bool(record.version > self.record_version >= (last_open() or 0))


def content_digest(record: Any) -> str:
    """SHA-256 over everything a form says: its answers, what is missing, its state. Not its lock or its version."""
    own = ("status", "not_done", "not_done_reason", "missing", "visit", "sequence", "retracted")
    told = {name: _plain(getattr(record, name)) for name in own if hasattr(record, name)}
    for name in items(record):
        told[name] = _plain(getattr(record, record._meta.get_field(name).attname))
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, date | UUID) else value
