"""`Job`: work that somebody asked for and that is done in the background, with the file it makes."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from trial.access import ROLE_CHOICES
from trial.codes import CodeList
from trial.fields import uuid7
from trial.models import Person
from trial.text import T

JOB_STATE = CodeList(
    "CL_JOB",
    (
        ("WAITING", "Waiting", "等待中"),
        ("RUNNING", "Running", "进行中"),
        ("DONE", "Done", "已完成"),
        ("FAILED", "Failed", "失败"),
        ("EXPIRED", "File removed", "文件已清除"),
    ),
)


class Job(models.Model):
    """One piece of background work. The row is its memory: a worker that dies leaves it to the next one.

    `person`, `role` and `sites` are those of the request: the work never reaches further. `due_at` is when a worker
    may take it (waiting) or take it over (running: the end of the lease). `parameters` and `result` are JSON of the
    kind; `problem` is {"en": ..., "zh": ...}. `name` is the file's name for the person, `size` its bytes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=40)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=30, choices=ROLE_CHOICES)
    sites = ArrayField(models.IntegerField())
    language = models.CharField(max_length=10, default="en")
    request_id = models.CharField(max_length=64, blank=True, default="")
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JOB_STATE.choices, default="WAITING")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    problem = models.JSONField(default=dict)
    name = models.CharField(max_length=200, blank=True, default="")
    media_type = models.CharField(max_length=100, blank=True, default="")
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = T("job", "后台任务")
        verbose_name_plural = T("jobs", "后台任务")
        indexes = (
            models.Index(fields=["state", "due_at"], name="job_to_take"),
            models.Index(fields=["person", "-created_at"], name="job_of_person"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("DONE", "FAILED", "EXPIRED")

    @property
    def has_file(self) -> bool:
        """Whether there is a file to fetch."""
        return self.state == "DONE" and bool(self.name)

    @property
    def trouble(self) -> str:
        """Why it failed, in the active language."""
        told: dict[str, Any] = self.problem
        return T(told.get("en", ""), told.get("zh", ""))
