"""The door for sites: the data manager enters one and corrects it, with the version seen and a reason, audited."""

from django.db import connection

from entry.before_saving import reason_missing
from entry.door import differences
from entry.verdicts import NotFound, Rejected, Saved, Stale
from safety.doorbell import ring_for_sweep
from subjects.crf import Subject
from trial import audit, sites
from trial.access import Act, Actor, Forbidden, require
from trial.dates import local_day, utc_now
from trial.findings import Problem
from trial.models import Site
from trial.site_checks import DEFAULT_ZONE, site_doubts, site_problems, zones
from trial.text import T


def save_site(site: Site, *, by: Actor, reason: str = "", seen: int | None = None) -> Saved:
    """Save a site. `seen` is the version the writer saw, None for a new site.

    A new site is entered by somebody who works at every site. Raises Forbidden, NotFound, Rejected or Stale; then
    nothing was written. Subjects are looked at again after the commit: their flags may depend on the site's dates.
    """
    require(by, Act.STUDY)
    if seen is not None and not by.at(site.pk):
        raise NotFound
    with audit.transaction(by, reason.strip()):
        _one_at_a_time()
        saved = _new(site, by) if seen is None else _corrected(site, seen, reason.strip())
    if saved.changed:
        sites.forget()
        ring_for_sweep()
    return saved


def _one_at_a_time() -> None:
    """Writers of sites go one after another, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('site'))")


def _new(site: Site, by: Actor) -> Saved:
    if Site.objects.exclude(pk__in=by.sites).exists():
        raise Forbidden(by, Act.STUDY)
    _refuse(site, None)
    site.save(force_insert=True)
    site.version = 1
    return Saved(site, changed=True, doubts=site_doubts(site))


def _corrected(site: Site, seen: int, reason: str) -> Saved:
    before = Site.objects.filter(pk=site.pk).first()
    if before is None:
        raise NotFound
    changes = differences(before, site)  # type: ignore[arg-type]  # a site has items, as a form has
    if before.version != seen:
        raise Stale(before, seen, changes)
    if not changes:
        return Saved(before, changed=False, doubts=site_doubts(before))
    _refuse(site, before, reason)
    site.entered_at = before.entered_at
    site.save(force_update=True)
    site.version = before.version + 1
    return Saved(site, changed=True, doubts=site_doubts(site))


def _refuse(site: Site, before: Site | None, reason: str = "") -> None:
    """Raise Rejected with everything that refuses the site."""
    zone = site.time_zone if site.time_zone in zones() else DEFAULT_ZONE
    problems = site_problems(site, local_day(utc_now(), zone))
    problems += _number_problems(site, before)
    if before is not None and not reason:
        problems.append(reason_missing())
    if problems:
        raise Rejected(problems)


def _number_problems(site: Site, before: Site | None) -> list[Problem]:
    """A site number is given once, and stays once screening numbers begin with it."""
    if Site.objects.filter(code=site.code).exclude(pk=site.pk).exists():
        said = T(
            f"There is a site {site.code} already. Correct that one, or give another number.",
            f"中心 {site.code} 已存在。请更正该中心,或使用其他编号。",
        )
        return [Problem("code", "taken", said, site.code)]
    if before is None or before.code == site.code or not Subject.objects.filter(site_id=site.pk).exists():
        return []
    said = T(
        f"The screening numbers of this site begin with {before.code}; its number cannot change any more.",
        f"该中心的筛选号以 {before.code} 开头,中心编号不能再更改。",
    )
    return [Problem("code", "in_use", said, site.code, before.code)]
