"""The ledger, its seals and the outbox: written by the database, read by everyone who may."""

from django.db import models


class LedgerEntry(models.Model):
    """One version of one row, chained per subject: hash = SHA-256(previous hash || n || SHA-256(salt || payload)).

    `xid` is the writing transaction: feeds and seals read in (xid, id) order below the oldest open transaction,
    because the order of `id` is not the order of commits.
    """

    id = models.BigAutoField(primary_key=True)
    chain = models.UUIDField()
    n = models.BigIntegerField()
    hash = models.BinaryField()
    digest = models.BinaryField()
    salt = models.BinaryField()
    payload = models.TextField()
    record_table = models.CharField(max_length=63)
    record_id = models.CharField(max_length=40)
    history_id = models.BigIntegerField()
    operation = models.CharField(max_length=1)
    site_id = models.IntegerField(null=True)
    xid = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["chain", "n"], name="ledger_chain_n"),)
        indexes = (
            models.Index(fields=["xid", "id"], name="ledger_commit_order"),
            models.Index(fields=["record_id"], name="ledger_record"),
        )


class Seal(models.Model):
    """A checkpoint over the entries of one transaction window [xmin_from, xmin_to). See trial.ledger."""

    id = models.BigAutoField(primary_key=True)
    xmin_from = models.BigIntegerField()
    xmin_to = models.BigIntegerField(unique=True)
    entries = models.BigIntegerField()
    size = models.BigIntegerField()
    root = models.BinaryField()
    previous = models.BinaryField()
    hash = models.BinaryField()
    system_identifier = models.CharField(max_length=24)
    sealed_at = models.DateTimeField()


class Outbox(models.Model):
    """Work that a committed change owes. Taken with SKIP LOCKED, removed in the transaction of its effect."""

    id = models.BigAutoField(primary_key=True)
    topic = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    actor_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=["subject_id"], name="outbox_subject"),)
