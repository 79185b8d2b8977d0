"""Who may do what: one row per role, one word per act. What is not written here is refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from trial.text import T


class Act(StrEnum):
    """Everything a person can be allowed to do."""

    READ = "read"  # clinical data of one's sites, in pages, admin and API
    ENTER = "enter"  # create and correct forms, mark missing, retract
    ENROL = "enrol"  # create a subject
    ASK = "ask"  # raise a query
    ANSWER = "answer"  # answer a query
    CLOSE = "close"  # close or re-open a query
    ASSESS = "assess"  # acknowledge and classify a deviation
    LOCK = "lock"  # freeze, lock, unlock
    SIGN = "sign"  # sign a record with name and password
    STUDY = "study"  # enter what concerns the study: committee, amendments, laboratories, holds
    AUDIT = "audit"  # the audit trail beyond one's own records
    EXPORT = "export"  # bulk pulls over the API
    PEOPLE = "people"  # accounts, roles, delegation
    TOKEN = "token"  # mint an API token for oneself


@dataclass(frozen=True)
class Role:
    """A row of the access table. `admin` opens the review site; `sponsor` may hold all sites."""

    name: str
    en: str
    zh: str
    acts: frozenset[Act]
    admin: bool = False
    sponsor: bool = False

    @property
    def label(self) -> str:
        """The role's name in the active language."""
        return T(self.en, self.zh)


def _role(
    name: str, en: str, zh: str, acts: Iterable[Act], admin: bool = False, sponsor: bool = False
) -> Role:
    return Role(name, en, zh, frozenset(acts), admin, sponsor)


A = Act
_SITE = (A.READ, A.ENTER, A.ENROL, A.ANSWER, A.TOKEN, A.EXPORT)

ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        _role("coordinator", "Site coordinator", "临床协调员", (*_SITE, A.ASSESS)),
        _role("investigator", "Investigator", "主要研究者", (*_SITE, A.ASSESS, A.AUDIT, A.SIGN)),
        _role("sub_investigator", "Sub-investigator", "助理研究者", (*_SITE, A.ASSESS, A.SIGN)),
        _role("cell_lab", "Cell laboratory", "细胞实验室", (A.READ, A.ENTER, A.ANSWER, A.SIGN)),
        _role("pharmacist", "Pharmacist", "药师", (A.READ, A.ENTER, A.ANSWER)),
        _role(
            "monitor",
            "Monitor",
            "监查员",
            (A.READ, A.ASK, A.CLOSE, A.AUDIT, A.EXPORT, A.TOKEN),
            admin=True,
            sponsor=True,
        ),
        _role(
            "data_manager",
            "Data manager",
            "数据管理员",
            (A.READ, A.ASK, A.CLOSE, A.LOCK, A.AUDIT, A.EXPORT, A.TOKEN, A.STUDY),
            admin=True,
            sponsor=True,
        ),
        _role(
            "medical_monitor",
            "Medical monitor",
            "医学监查员",
            (A.READ, A.ASK, A.AUDIT, A.SIGN, A.STUDY),
            admin=True,
            sponsor=True,
        ),
        _role("statistician", "Statistician", "统计师", (A.READ, A.EXPORT, A.TOKEN, A.SIGN), sponsor=True),
        _role("downstream", "Downstream system", "下游系统", (A.READ, A.EXPORT), sponsor=True),
        _role("auditor", "Auditor", "稽查员", (A.READ, A.AUDIT, A.EXPORT), admin=True, sponsor=True),
        _role("system_admin", "System administrator", "系统管理员", (A.PEOPLE,), admin=True, sponsor=True),
        _role(
            "system",
            "The system itself",
            "系统",
            (A.READ, A.ENTER, A.ENROL, A.ASK, A.CLOSE, A.LOCK, A.ASSESS, A.PEOPLE, A.STUDY),
            sponsor=True,
        ),
    )
}
ROLE_CHOICES = [(role.name, role.label) for role in ROLES.values()]


@dataclass(frozen=True)
class Actor:
    """Who acts, in which role, over which sites. Everything that reads or writes asks for one."""

    person_id: int
    role: str
    sites: tuple[int, ...]
    name: str = ""
    request_id: str = ""
    held: tuple[str, ...] = field(default=(), compare=False)
    """The roles delegated to the person today, this one among them; empty where nobody chooses one."""

    def may(self, act: Act) -> bool:
        """Whether the access table gives this role the act."""
        row = ROLES.get(self.role)
        return row is not None and act in row.acts

    def at(self, site_id: int) -> bool:
        """Whether the site is in this actor's scope."""
        return site_id in self.sites


class Forbidden(Exception):
    """The access table does not give this role the act, or the site is outside the scope."""

    def __init__(self, actor: Actor | None, act: Act) -> None:
        self.actor, self.act = actor, act
        role = ROLES[actor.role] if actor and actor.role in ROLES else None
        who_en, who_zh = (role.en, role.zh) if role else ("nobody", "未登录者")
        self.message = T(
            f"The role “{who_en}” may not “{act}” here. Ask the study administrator for a role that may.",
            f"角色“{who_zh}”无权执行“{act}”。请联系研究管理员授予相应角色。",
        )
        super().__init__(f"{who_en}: {act}")


def require_any(actor: Actor, *acts: Act) -> None:
    """Raise `Forbidden` unless the access table gives one of these."""
    if not any(actor.may(act) for act in acts):
        raise Forbidden(actor, acts[0])


def require(actor: Actor, act: Act) -> None:
    """Raise `Forbidden` unless the access table says yes."""
    if not actor.may(act):
        raise Forbidden(actor, act)
