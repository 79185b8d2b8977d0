"""Sites, consent versions, people and their delegated roles; the ledger and the outbox."""

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from trial.access import ROLE_CHOICES, ROLES, Actor
from trial.ambiguity_models import ReadingApproval
from trial.entitlement import Accountability, IdentityCheck
from trial.item import day, item, text
from trial.ledger_models import LedgerEntry, Outbox, Seal
from trial.record import Audited, Record
from trial.text import T

__all__ = [
    "Accountability",
    "Assignment",
    "Audited",
    "IcfVersion",
    "IdentityCheck",
    "LedgerEntry",
    "Outbox",
    "Person",
    "ReadingApproval",
    "Record",
    "Seal",
    "Site",
    "SiteProtocol",
]


_SITE = T("Site", "中心")
_APPROVALS = T("Approvals", "批准")
_OPEN = T("Activation and closeout", "启动与关闭")


class Site(Audited):
    """A trial site. Its IANA time zone decides what "today" is there.

    It is entered like a form of the study (`site` in the dictionary of forms), but has no draft, no lock and no mark
    for a missing answer: what is not known yet is empty, and its page says so.
    """

    form: ClassVar[str] = "site"

    id = models.AutoField(primary_key=True)  # type: ignore[assignment]  # row-level security compares integers
    code = item(
        models.CharField(max_length=4, unique=True),
        en="Site number",
        zh="中心编号",
        section=_SITE,
        cdash="SITEID",
        required=True,
        note=T(
            "Two to four digits; every screening number of the site begins with it.",
            "2–4 位数字;该中心所有筛选号均以此开头。",
        ),
    )
    name = item(models.CharField(max_length=200), en="Name", zh="名称", section=_SITE, required=True)
    name_zh = text(200, en="Name in Chinese", zh="中文名称", section=_SITE)
    pi_name = text(100, en="Principal investigator", zh="主要研究者", section=_SITE, required=True)
    country = item(
        models.CharField(max_length=3, default="CHN"),
        en="Country",
        zh="国家",
        section=_SITE,
        required=True,
        note=T("Three letters of ISO 3166, for example CHN.", "ISO 3166 三字母代码,例如 CHN。"),
    )
    time_zone = item(
        models.CharField(max_length=40, default="Asia/Shanghai"),
        en="Time zone",
        zh="时区",
        section=_SITE,
        required=True,
        note=T(
            "IANA name, for example Asia/Shanghai. Dates and times at the site are read on this clock.",
            "IANA 名称,例如 Asia/Shanghai。该中心的日期与时间均按此时区理解。",
        ),
    )
    irb_approval_date = day(
        en="Date of ethics approval", zh="伦理批准日期", section=_APPROVALS, required=True
    )
    irb_approval_no = text(
        60, en="Number of ethics approval", zh="伦理批件号", section=_APPROVALS, required=True
    )
    hgrac_approval_no = text(
        60, en="Number of genetic-resources filing (HGRAC)", zh="人类遗传资源备案/批件号", section=_APPROVALS
    )
    activation_date = day(
        en="Activated on",
        zh="启动日期",
        section=_OPEN,
        not_before="irb_approval_date",
        future=True,
        required=True,
        note=T("A consent dated before it is flagged (DV-04).", "早于该日期的知情同意将被标记(DV-04)。"),
    )
    closeout_date = day(
        en="Closed on", zh="关闭日期", section=_OPEN, not_before="activation_date", future=True
    )

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("site", "中心")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class IcfVersion(Audited):
    """An informed consent form approved for a site, valid from its approval until `valid_to` (open when empty)."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="icf_versions")
    label = models.CharField(max_length=20)
    version_date = models.DateField()
    irb_approval_date = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    protocol_version = models.CharField(max_length=20)

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("ICF version", "知情同意书版本")
        constraints = (models.UniqueConstraint(fields=["site", "label"], name="icf_once_per_site"),)

    def __str__(self) -> str:
        return f"{self.site.code} ICF {self.label}"


class SiteProtocol(Audited):
    """A protocol version in force at a site from the day of its approval there."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="protocols")
    protocol_version = models.CharField(max_length=20)
    approved_on = models.DateField()

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("protocol approval", "方案批准")
        constraints = (models.UniqueConstraint(fields=["site", "protocol_version"], name="approved_once"),)


if TYPE_CHECKING:
    _People = BaseUserManager["Person"]
else:
    _People = BaseUserManager


class People(_People):
    """Accounts are made by `trial.people.add`, inside an attributed transaction."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(username=username)


class Person(AbstractBaseUser, Audited):  # type: ignore[django-manager-missing]  # API tokens live above
    """One account for one person. Never deleted and never renamed: the audit points here."""

    id = models.AutoField(primary_key=True)  # type: ignore[assignment]  # row-level security compares integers
    username = models.CharField(max_length=60, unique=True)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=120)
    language = models.CharField(
        max_length=10, choices=[("zh-hans", "中文"), ("en", "English")], default="zh-hans"
    )
    is_active = models.BooleanField(default=True)
    is_system = models.BooleanField(default=False)

    last_login = None  # signing in is no change of the record

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email", "full_name"]
    objects = People()

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("person", "人员")

    def __str__(self) -> str:
        return self.full_name

    def assignments_on(self, day: date) -> "models.QuerySet[Assignment]":
        """The roles in force on `day`, both ends included."""
        ended = Q(valid_to__isnull=True) | Q(valid_to__gte=day)
        return self.assignments.filter(ended, valid_from__lte=day).select_related("site")

    @property
    def is_staff(self) -> bool:
        """Whether the review site may be opened: asked of the actor of this request."""
        actor: Actor | None = getattr(self, "actor", None)
        return actor is not None and ROLES[actor.role].admin

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django admin's question; only looking is ever granted here."""
        action = perm.rpartition(".")[2].partition("_")[0]
        return self.is_active and self.is_staff and action == "view"

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the app is shown in the review site."""
        return self.is_active and self.is_staff


class Assignment(Audited):
    """A delegated role: this person, this role, at this site (or at every site), from this day to that."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=30, choices=ROLE_CHOICES)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta(Audited.Meta):
        abstract = False
        verbose_name = T("role assignment", "角色分配")
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=models.F("valid_from")),
                name="assignment_dates",
            ),
        )
