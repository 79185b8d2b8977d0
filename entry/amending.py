"""Approving a protocol version at a site: the approval, the consent form that goes with it, and the rules told to look."""

from dataclasses import dataclass
from datetime import date, timedelta

from entry.door import NotFound, Rejected
from safety.doorbell import ring_for_sweep
from trial import audit, sites
from trial.access import Act, Actor, require
from trial.findings import Problem
from trial.models import IcfVersion, Site, SiteProtocol
from trial.protocol import PROTOCOLS
from trial.text import T

MOST_LABEL, MOST_REASON = 20, 1000
EARLIEST = 2000


@dataclass(frozen=True)
class Approval:
    """What a site's ethics committee approved: the version, the day, and the consent form that goes with it."""

    site: Site
    version: str
    approved_on: date | None
    icf_label: str
    icf_date: date | None
    reason: str


def problems_of(asked: Approval, today: date) -> list[Problem]:
    """What is wrong with an approval as it was typed."""
    found = [*_missing(asked)]
    if asked.version not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        said = T(
            f"There is no version “{asked.version}”; known: {known}.",
            f"没有版本“{asked.version}”;已有:{known}。",
        )
        found.append(Problem("version", "unknown_code", said, asked.version, known))
    elif SiteProtocol.objects.filter(site=asked.site, protocol_version=asked.version).exists():
        said = T(
            f"Version {asked.version} is approved at this site already.",
            f"版本 {asked.version} 已在本中心获批准。",
        )
        found.append(Problem("version", "exists", said, asked.version))
    if asked.icf_label and IcfVersion.objects.filter(site=asked.site, label=asked.icf_label).exists():
        said = T(
            f"The consent form “{asked.icf_label}” is there already.",
            f"知情同意书版本“{asked.icf_label}”已存在。",
        )
        found.append(Problem("icf_label", "exists", said, asked.icf_label))
    for name, day in (("approved_on", asked.approved_on), ("icf_date", asked.icf_date)):
        if day and day.year < EARLIEST:
            said = T(f"{day} cannot be: the study began later.", f"{day} 不可能:研究在此之后开始。")
            found.append(Problem(name, "impossible", said, str(day), f"≥ {EARLIEST}"))
    found += _too_long(asked)
    if asked.approved_on and asked.approved_on > today:
        said = T(f"{asked.approved_on} lies in the future.", f"{asked.approved_on} 在将来。")
        found.append(Problem("approved_on", "future", said, str(asked.approved_on), str(today)))
    if asked.approved_on and asked.icf_date and asked.icf_date > asked.approved_on:
        said = T(
            f"The consent form is dated {asked.icf_date}, after its approval on {asked.approved_on}. Check both dates.",
            f"知情同意书日期 {asked.icf_date} 晚于批准日期 {asked.approved_on}。请核对两个日期。",
        )
        found.append(Problem("icf_date", "wrong_order", said, str(asked.icf_date), str(asked.approved_on)))
    return found


def _too_long(asked: Approval) -> list[Problem]:
    """Texts that would be kept shortened; nothing that was typed is."""
    texts = {"icf_label": (asked.icf_label, MOST_LABEL), "reason": (asked.reason, MOST_REASON)}
    return [
        Problem(name, "too_long", T(f"At most {most} characters.", f"最多 {most} 个字符。"), limit=str(most))
        for name, (text, most) in texts.items()
        if len(text) > most
    ]


def _missing(asked: Approval) -> list[Problem]:
    names = {
        "approved_on": T("the day of approval", "批准日期"),
        "icf_label": T("the version of the consent form", "知情同意书版本"),
        "icf_date": T("the date of the consent form", "知情同意书日期"),
        "reason": T("why", "原因"),
    }
    return [
        Problem(name, "required", T(f"Say {what}.", f"请填写{what}。"))
        for name, what in names.items()
        if not getattr(asked, name)
    ]


def approve(asked: Approval, *, by: Actor, today: date) -> SiteProtocol:
    """Enter the approval and the consent form, and end the form that stood before; all in one transaction.

    Raises Forbidden, NotFound or Rejected. The rules look at every subject of the site afterwards.
    """
    require(by, Act.STUDY)
    if not by.at(asked.site.pk):
        raise NotFound
    with audit.transaction(by, asked.reason.strip()):
        found = problems_of(asked, today)
        if found:
            raise Rejected(found)
        assert asked.approved_on is not None and asked.icf_date is not None
        for earlier in IcfVersion.objects.filter(site=asked.site, valid_to__isnull=True):
            earlier.valid_to = max(asked.approved_on - timedelta(days=1), earlier.irb_approval_date)
            earlier.save(force_update=True, update_fields=["valid_to"])
        IcfVersion(
            site=asked.site,
            label=asked.icf_label,
            version_date=asked.icf_date,
            irb_approval_date=asked.approved_on,
            protocol_version=asked.version,
        ).save(force_insert=True)
        made = SiteProtocol(site=asked.site, protocol_version=asked.version, approved_on=asked.approved_on)
        made.save(force_insert=True)
    sites.forget()
    ring_for_sweep()
    return made
