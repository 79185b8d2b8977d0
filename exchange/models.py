"""The tables of what goes in and out: who holds a token, and the jobs that people asked for."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from knox.models import AbstractAuthToken

from exchange.imported import ImportFile, ImportPart
from exchange.job import Job
from trial.access import ROLE_CHOICES
from trial.text import T

__all__ = ["ApiToken", "ImportFile", "ImportPart", "Job"]


class ApiToken(AbstractAuthToken):
    """A token of one person in one role. Only its hash is kept; it always ends (`expiry`).

    `sites` narrows the role's sites; an empty list leaves them all. The token never holds more than the person
    does on the day of the request.
    """

    role = models.CharField(max_length=30, choices=ROLE_CHOICES)
    sites = ArrayField(models.IntegerField(), default=list, blank=True)
    label = models.CharField(max_length=80)

    class Meta:
        verbose_name = T("API token", "API 令牌")
        verbose_name_plural = T("API tokens", "API 令牌")
        constraints = (
            models.CheckConstraint(condition=models.Q(expiry__isnull=False), name="token_expires"),
            models.CheckConstraint(condition=~models.Q(role=""), name="token_has_a_role"),
        )

    def __str__(self) -> str:
        return f"{self.token_key}… {self.label}"
