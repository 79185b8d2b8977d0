"""What has to be on record before a person's first electronic signature: an identity checked, a statement accepted.

21 CFR 11.100(b): the identity is verified before a signature is sanctioned. 11.10(j), 11.100(c): the person accepts to
be held accountable for what is signed. Both are written once and never changed; a new wording asks everybody anew.
"""

from hashlib import sha256
from typing import ClassVar

from django.db import models

from trial.record import Audited
from trial.text import T, both

STATEMENT = T(
    "My electronic signature is the legally binding equivalent of my handwritten signature. I use it in person, let nobody "
    "else use it, and am accountable for everything that is signed with it.",
    "本人的电子签名与手写签名具有同等法律效力。本人亲自使用,不允许他人使用,并对以该签名签署的全部内容负责。",
)
STATEMENT_VERSION = 1
IDENTITY, ACCOUNTABILITY = "identity_not_verified", "statement_not_accepted"


class IdentityCheck(Audited):
    """One check of a person's identity against a document, by somebody else. What the document says is not kept."""

    append_only: ClassVar[bool] = True

    person = models.ForeignKey("trial.Person", on_delete=models.PROTECT, related_name="+")
    document = models.CharField(max_length=200)
    checked_by = models.ForeignKey("trial.Person", on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField()

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("check of an identity", "身份核实")
        verbose_name_plural = T("checks of identities", "身份核实")

    def __str__(self) -> str:
        return f"{self.person} {self.document}"


class Accountability(Audited):
    """One acceptance of the statement of accountability, given with user name and password."""

    append_only: ClassVar[bool] = True

    person = models.ForeignKey("trial.Person", on_delete=models.PROTECT, related_name="+")
    statement_version = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    accepted_at = models.DateTimeField()

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("acceptance of accountability", "责任声明接受记录")
        verbose_name_plural = T("acceptances of accountability", "责任声明接受记录")
        constraints = (models.UniqueConstraint(fields=["person", "digest"], name="accepted_once"),)

    def __str__(self) -> str:
        return f"{self.person} v{self.statement_version}"


def statement_digest() -> str:
    """SHA-256 over the statement as it stands, in both languages."""
    words = both(STATEMENT)
    return sha256("\n".join((str(STATEMENT_VERSION), words["en"], words["zh"])).encode()).hexdigest()


def lacking(person_id: int) -> list[str]:
    """What is still missing before the person may sign: identity, acceptance, both or nothing."""
    checked = IdentityCheck.objects.filter(person_id=person_id).exists()
    accepted = Accountability.objects.filter(person_id=person_id, digest=statement_digest()).exists()
    return [code for code, there in ((IDENTITY, checked), (ACCOUNTABILITY, accepted)) if not there]
