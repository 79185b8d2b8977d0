"""The people of the demonstration, their roles, and the sites they work at."""

from dataclasses import dataclass, replace
from datetime import date

from trial import audit, sites
from trial.access import ROLES, Actor
from trial.entitlement import lacking
from trial.models import IcfVersion, Person, Site, SiteProtocol
from trial.people import accept_accountability, actor_for, add, check_identity, delegate

PASS_PHRASE = "only synthetic cells 19"
DELEGATED_FROM = date(2021, 4, 1)
SUBJECTS_PER_SITE = 999


@dataclass(frozen=True)
class Part:
    """One person: account, name, role. People of the sponsor work at every site, the others at those with subjects."""

    username: str
    full_name: str
    role: str

    @property
    def of_site(self) -> bool:
        """Whether the role is delegated site by site."""
        return not ROLES[self.role].sponsor


CAST = (
    Part("li.na", "李娜 Li Na", "coordinator"),
    Part("kang", "康卫 Kang Wei", "investigator"),
    Part("zhao.min", "赵敏 Zhao Min", "sub_investigator"),
    Part("chen.bo", "陈博 Chen Bo", "cell_lab"),
    Part("sun.jing", "孙静 Sun Jing", "pharmacist"),
    Part("wu.min", "吴敏 Wu Min", "monitor"),
    Part("qian.jin", "钱进 Qian Jin", "data_manager"),
    Part("zhou.lan", "周岚 Zhou Lan", "medical_monitor"),
    Part("he.yu", "何煜 He Yu", "statistician"),
    Part("feng.qi", "冯琪 Feng Qi", "auditor"),
    Part("admin", "管理员 Administrator", "system_admin"),
)


def site_code(number: int) -> str:
    """The site of the `number`-th subject: 01, then 03, 04 and on, 999 subjects each."""
    index = (number - 1) // SUBJECTS_PER_SITE
    return f"{1 if index == 0 else index + 2:02d}"


def subject_number(number: int) -> str:
    """The screening number of the `number`-th subject."""
    return f"{site_code(number)}-{(number - 1) % SUBJECTS_PER_SITE + 1:03d}"


def assemble(subjects: int, by: Actor) -> tuple[dict[str, Site], dict[str, Actor]]:
    """Make the sites and people that are missing; answer sites by code and actors by role."""
    codes = dict.fromkeys(site_code(number) for number in (1, *range(1, subjects + 1, SUBJECTS_PER_SITE)))
    there = {code: Site.objects.filter(code=code).first() or _site(code, by) for code in codes}
    actors = {}
    for part in CAST:
        person = Person.objects.filter(username=part.username).first() or _person(part, by)
        _delegate(person, part, there, by)
        if lacking(person.pk):
            check_identity(person, "身份证 identity card", by=by)
            accept_accountability(person.pk, by=replace(by, person_id=person.pk))
        actor = actor_for(person, part.role, "demo")
        assert actor is not None, f"{part.username} holds no role"
        actors[part.role] = actor
    return there, actors


def _person(part: Part, by: Actor) -> Person:
    return add(part.username, part.full_name, f"{part.username}@demo.invalid", PASS_PHRASE, by=by)


def _delegate(person: Person, part: Part, there: dict[str, Site], by: Actor) -> None:
    held = set(person.assignments.filter(role=part.role).values_list("site_id", flat=True))
    for site in there.values() if part.of_site else (None,):
        if (site.pk if site else None) not in held:
            delegate(person, part.role, site, DELEGATED_FROM, by=by)


def _site(code: str, by: Actor) -> Site:
    """A further site, set up like site 01."""
    first = Site.objects.get(code="01")
    site = Site(
        code=code,
        name=f"Demonstration site {code} (synthetic)",
        name_zh=f"演示中心 {code}(合成)",
        irb_approval_date=first.irb_approval_date,
        irb_approval_no="demo",
        activation_date=first.activation_date,
    )
    with audit.transaction(by, "demonstration site"):
        site.save(force_insert=True)
        for icf in IcfVersion.objects.filter(site=first):
            _copy(icf, site, "label", "version_date", "irb_approval_date", "valid_to", "protocol_version")
        for protocol in SiteProtocol.objects.filter(site=first):
            _copy(protocol, site, "protocol_version", "approved_on")
    sites.forget()
    return site


def _copy(row: IcfVersion | SiteProtocol, site: Site, *names: str) -> None:
    type(row)(site=site, **{name: getattr(row, name) for name in names}).save(force_insert=True)
