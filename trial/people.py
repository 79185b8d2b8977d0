"""Accounts, roles and who acts now."""

from datetime import date, timedelta

from django.contrib.auth.hashers import make_password
from django.db.models import Q

from trial import audit
from trial.access import ROLES, Act, Actor, require
from trial.dates import utc_now
from trial.entitlement import STATEMENT_VERSION, statement_digest
from trial.models import Accountability, Assignment, IdentityCheck, Person, Site

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
    return Actor(person.pk, chosen, ids, person.full_name, request_id, tuple(sorted(held)))


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


def check_identity(person: Person, document: str, *, by: Actor) -> IdentityCheck:
    """Record that somebody who gives access saw the person and this kind of document. Nobody vouches for themselves.

    Raises Forbidden, or ValueError when the person is the one who checks or no document is named.
    """
    require(by, Act.PEOPLE)
    if by.person_id == person.pk:
        raise ValueError("nobody checks their own identity")
    if not document.strip():
        raise ValueError("name the document that was seen")
    made = IdentityCheck(
        person=person, document=document.strip()[:200], checked_by_id=by.person_id, checked_at=utc_now()
    )
    with audit.transaction(by, "identity checked"):
        made.save(force_insert=True)
    return made


def accept_accountability(person_id: int, *, by: Actor) -> Accountability:
    """Record that the person, who has just been recognised, accepts the statement; once for each wording."""
    known = Accountability.objects.filter(person_id=person_id, digest=statement_digest()).first()
    if known is not None:
        return known
    made = Accountability(
        person_id=person_id,
        statement_version=STATEMENT_VERSION,
        digest=statement_digest(),
        accepted_at=utc_now(),
    )
    with audit.transaction(by, "accountability accepted"):
        made.save(force_insert=True)
    return made


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
