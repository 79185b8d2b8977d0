"""`manage.py setup_study`: the study as the registry and the papers describe it. Safe to run again."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from trial import audit
from trial.access import Actor
from trial.models import IcfVersion, Person, Site, SiteProtocol
from trial.people import SYSTEM_USERNAME

INSTALLATION = Actor(0, "system", (), "installation")


class Command(BaseCommand):
    """Make the system account, the site, its consent form and its protocol approval where they are missing."""

    help = "Set up the study: system account, site 01, ICF version, protocol approval."

    def handle(self, *args: Any, **options: Any) -> None:
        with audit.transaction(INSTALLATION, "study set-up"):
            made = [_system(), *_site()]
        self.stdout.write("study set up" if any(made) else "nothing to do: the study is set up")


def _system() -> bool:
    if Person.objects.filter(username=SYSTEM_USERNAME).exists():
        return False
    Person(
        username=SYSTEM_USERNAME,
        email="system@study.invalid",
        full_name="System",
        is_active=False,
        is_system=True,
        password="!",
    ).save(force_insert=True)
    return True


def _site() -> list[bool]:
    if Site.objects.filter(code="01").exists():
        return [False]
    site = Site(
        code="01",
        name="First Affiliated Hospital of Soochow University",
        name_zh="苏州大学附属第一医院",
        irb_approval_date=date(2021, 3, 1),
        irb_approval_no="demo",
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
    return [True]
