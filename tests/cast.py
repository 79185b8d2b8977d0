"""The people of the tests, and the two sites they work at."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.contrib.auth.hashers import make_password

from trial import audit
from trial.access import Actor
from trial.entitlement import STATEMENT_VERSION, statement_digest
from trial.models import (
    Accountability,
    Assignment,
    IcfVersion,
    IdentityCheck,
    Person,
    Site,
    SiteProtocol,
)

PASSWORD = "a long enough pass phrase 1"
ADMINISTRATOR = Actor(0, "system", (), "test set-up")


@dataclass(frozen=True)
class Part:
    """One person of the cast: account name, full name, role, site code ("" for every site)."""

    name: str
    full_name: str
    role: str
    site: str


CAST = (
    Part("coordinator_li", "李娜 Li Na", "coordinator", "01"),
    Part("investigator_kang", "康医生 Dr Kang", "investigator", "01"),
    Part("monitor_wu", "吴敏 Wu Min", "monitor", ""),
    Part("data_manager_qian", "钱进 Qian Jin", "data_manager", ""),
    Part("statistician_sun", "孙悦 Sun Yue", "statistician", ""),
    Part("auditor_zhou", "周正 Zhou Zheng", "auditor", ""),
    Part("admin_he", "何明 He Ming", "system_admin", ""),
    Part("coordinator_elsewhere", "赵远 Zhao Yuan", "coordinator", "02"),
)


def enter_the_cast() -> None:
    """Make site 02 and every person with a role."""
    password = make_password(PASSWORD)
    with audit.transaction(ADMINISTRATOR, "the cast enters"):
        sites = {"01": Site.objects.get(code="01"), "02": _second_site()}
        for part in CAST:
            person = Person(
                username=part.name,
                full_name=part.full_name,
                email=f"{part.name}@example.invalid",
                password=password,
                language="en",
            )
            person.save(force_insert=True)
            Assignment(
                person=person, role=part.role, site=sites.get(part.site), valid_from=date(2020, 1, 1)
            ).save(force_insert=True)
            entitle(person)


def entitle(person: Person) -> None:
    """What has to be on record before a first signature. Inside an attributed transaction."""
    day = datetime(2020, 1, 2, tzinfo=UTC)
    IdentityCheck(
        person=person, document="identity card", checked_by=Person.objects.get(is_system=True), checked_at=day
    ).save(force_insert=True)
    Accountability(
        person=person, statement_version=STATEMENT_VERSION, digest=statement_digest(), accepted_at=day
    ).save(force_insert=True)


def _second_site() -> Site:
    site = Site(
        code="02",
        name="Another Hospital",
        name_zh="另一家医院",
        irb_approval_date=date(2021, 3, 1),
        irb_approval_no="test",
        activation_date=date(2021, 4, 1),
    )
    site.save(force_insert=True)
    IcfVersion(
        site=site,
        label="1.0",
        version_date=date(2021, 2, 15),
        irb_approval_date=date(2021, 3, 1),
        protocol_version="1.0",
    ).save(force_insert=True)
    SiteProtocol(site=site, protocol_version="1.0", approved_on=date(2021, 3, 1)).save(force_insert=True)
    return site
