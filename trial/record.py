"""`Audited` and `Record`: what every kept thing has. History is written by the database (see audit_sql)."""

from typing import Any, ClassVar

from django.db import models
from simple_history.models import HistoricalRecords

from trial.audit_sql import Stamp, WriteHistory
from trial.codes import CodeList
from trial.fields import uuid7


class HistoryRow(models.Model):
    """What a history row holds beside the copied answers: in which role, request, database session, transaction."""

    actor_role = models.CharField(max_length=40, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    db_user = models.CharField(max_length=63, blank=True, default="")
    xid = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class TriggerHistory(HistoricalRecords):
    """simple-history's models, manager and admin page; its signal writers are off, the trigger writes instead."""

    def post_save(self, instance: Any, created: bool, using: Any = None, **kwargs: Any) -> None:
        return None

    def post_delete(self, instance: Any, using: Any = None, **kwargs: Any) -> None:
        return None

    def pre_delete(self, instance: Any, using: Any = None, **kwargs: Any) -> None:
        return None

    def fields_included(self, model: Any) -> list[Any]:
        """Every field but the password: a hash has no place in an audit that monitors read."""
        return [f for f in model._meta.fields if f.name != "password"]


class Audited(models.Model):
    """A row whose every version is kept. Version and times are set by the database, never by a client.

    A model that is `append_only` takes new rows and no changes: the roles that serve have no right to update it.
    """

    append_only: ClassVar[bool] = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    entered_at = models.DateTimeField(editable=False, null=True)
    changed_at = models.DateTimeField(editable=False, null=True)

    history = TriggerHistory(
        inherit=True,
        bases=(HistoryRow,),
        history_id_field=models.BigAutoField(),
        history_change_reason_field=models.TextField(blank=True, default=""),
        user_db_constraint=False,
        no_db_index=["site"],
    )

    class Meta:
        abstract = True
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory()]


STATUS = CodeList("CL_STATUS", (("DRAFT", "Draft", "草稿"), ("COMPLETE", "Complete", "已完成")))
LOCK = CodeList(
    "CL_LOCK", (("OPEN", "Open", "开放"), ("FROZEN", "Frozen", "冻结"), ("LOCKED", "Locked", "锁定"))
)


class Record(Audited):
    """A form once filled in. Nothing is deleted: a record is retracted with a reason and stays visible.

    `missing` maps an item's name to why it has no answer (CL_MISSING). `typed` keeps the text as it was typed
    wherever reading it changed it ("３．５" read as 3.5).
    """

    status = models.CharField(max_length=10, choices=STATUS.choices, default="DRAFT", editable=False)
    lock_state = models.CharField(max_length=10, choices=LOCK.choices, default="OPEN", editable=False)
    retracted = models.BooleanField(default=False, editable=False)
    not_done = models.BooleanField(default=False)
    not_done_reason = models.CharField(max_length=20, blank=True, default="")
    missing = models.JSONField(default=dict, blank=True)
    typed = models.JSONField(default=dict, blank=True)

    class Meta(Audited.Meta):
        abstract = True
        triggers: ClassVar[list[Any]] = [Stamp(), WriteHistory(wakes_rules=True)]
