"""A derived value as it is kept: what it says, by which method, from which answers."""

from django.db import models

from subjects.crf import Subject
from trial.models import Site
from trial.record import Audited
from trial.text import T


class Derivation(Audited):
    """One derived value of one subject; `key` tells it from others of its name. It never overwrites an answer.

    value         numbers as exact text, days and moments in ISO 8601
    inputs        [{"form", "record", "field", "value", "version"}...]: every answer it rests on
    input_hash    SHA-256 over the inputs without their versions: the same answers, the same hash
    method        the version of the method; protocol_version whose numbers were used
    digest        SHA-256 over everything that is kept: only what differs is written
    differs       what it was compared with says something else, or it asks for something
    stands        false once its inputs are gone; `value` is then what it was last
    """

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="derivations")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+", editable=False)
    name = models.CharField(max_length=30)
    key = models.CharField(max_length=60, blank=True, default="")
    form = models.CharField(max_length=40, blank=True, default="")
    record_id = models.UUIDField(null=True)
    on = models.DateField(null=True)
    value = models.JSONField(default=dict)
    inputs = models.JSONField(default=list)
    input_hash = models.CharField(max_length=64)
    method = models.CharField(max_length=30)
    protocol_version = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    differs = models.BooleanField(default=False)
    stands = models.BooleanField(default=True)
    computed_at = models.DateTimeField()

    class Meta(Audited.Meta):
        verbose_name = T("derived value", "衍生值")
        verbose_name_plural = T("derived values", "衍生值")
        constraints = (
            models.UniqueConstraint(fields=["subject", "name", "key"], name="one_derivation_per_key"),
        )
        indexes = (models.Index(fields=["record_id"], name="derivation_record"),)

    def __str__(self) -> str:
        return f"{self.name} {self.key}".strip()
