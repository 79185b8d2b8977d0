"""Accounts, roles and who acts now."""

from datetime import date, timedelta

from django.contrib.auth.hashers import make_password
from django.db.models import Q

from trial import audit
from trial.access import ROLES, Act, Actor, require
from trial.dates import utc_now
from trial.models import Assignment, Person, Site

SYSTEM_USERNAME = "system"


def today_somewhere() -> date:
    """The date that decides whether a delegation is in force: the study's (Asia/Shanghai) day."""
    return (utc_now() + timedelta(hours=8)).date()


def actor_for(person: Person, role: str | None = None, request_id: str = "") -> Actor | None:
    """The person acting in `role` (or the first role delegated today), over that role's sites; None if there is none."""
    if not person.is_active:
        return None
    held: dict[str, set[int | None]] = {}
    for name, site in person.assignments_on(today_somewhere()).values_list("role", "site_id"):
        held.setdefault(name, set()).add(site)
    if not held:
        return None
    chosen = role if role in held else next(name for name in ROLES if name in held)
    sites = held[chosen]
    ids = (
        tuple(Site.objects.values_list("pk", flat=True))
        if None in sites
        else tuple(sorted(s for s in sites if s))
    )
    return Actor(person.pk, chosen, ids, person.full_name, request_id)


def roles_of(person: Person) -> list[str]:
    """The names of the roles delegated to the person today."""
    return sorted(set(person.assignments_on(today_somewhere()).values_list("role", flat=True)))


def system_actor() -> Actor:
    """The system itself, over all sites; what it does names the rule version in its reason."""
    person = Person.objects.values_list("pk", "full_name").get(username=SYSTEM_USERNAME)
    return Actor(person[0], "system", tuple(Site.objects.values_list("pk", flat=True)), person[1])


def add(
    username: str, full_name: str, email: str, password: str | None, *, by: Actor, language: str = "zh-hans"
) -> Person:
    """Make an account. A user name is never used twice, not even after the account ended."""
    require(by, Act.PEOPLE)
    person = Person(
        username=username,
        full_name=full_name,
        email=email,
        language=language,
        password=make_password(password),
    )
    with audit.transaction(by, "account made"):
        person.save(force_insert=True)
    return person


def delegate(
    person: Person, role: str, site: Site | None, start: date, end: date | None = None, *, by: Actor
) -> Assignment:
    """Give a role at a site (None: every site) from `start` to `end`."""
    require(by, Act.PEOPLE)
    assignment = Assignment(person=person, role=role, site=site, valid_from=start, valid_to=end)
    with audit.transaction(by, "role delegated"):
        assignment.save(force_insert=True)
    return assignment


def end_access(person: Person, *, by: Actor, reason: str) -> None:
    """Deactivate the account: sessions and tokens stop with the next request, everywhere."""
    require(by, Act.PEOPLE)
    with audit.transaction(by, reason):
        Person.objects.filter(pk=person.pk).update(is_active=False)


def colleagues(site_id: int) -> "list[Person]":
    """The people with a role at a site today, for choosing who did something."""
    day = today_somewhere()
    ended = Q(assignments__valid_to__isnull=True) | Q(assignments__valid_to__gte=day)
    here = Q(assignments__site_id=site_id) | Q(assignments__site_id__isnull=True)
    return list(
        Person.objects.filter(here, ended, assignments__valid_from__lte=day, is_active=True, is_system=False)
        .distinct()
        .order_by("full_name")
    )
