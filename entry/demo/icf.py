"""The consent form of the demonstration: a second version is approved while the first subjects are still followed."""

from collections.abc import Iterable
from datetime import date, timedelta

from entry.demo.story import Story, at
from trial import audit, sites
from trial.access import Actor
from trial.models import IcfVersion, Site

FIRST, SECOND = "1.0", "1.1"
FIRST_DATED = date(2021, 2, 15)
RENEWED_AGO = 640  # days before the telling; nobody consents within a month of it
WRITTEN_BEFORE = 20  # days from the date on the form to its approval
SIGNED_WITHIN = 20  # days in which whoever is still followed signs it


def renewed(today: date) -> date:
    """The day on which the second version is approved."""
    return today - timedelta(days=RENEWED_AGO)


def version_on(day: date, today: date) -> tuple[str, date]:
    """The version in force on a day, and the date it bears."""
    since = renewed(today)
    return (FIRST, FIRST_DATED) if day < since else (SECOND, since - timedelta(days=WRITTEN_BEFORE))


def approve(there: Iterable[Site], today: date, by: Actor) -> None:
    """Enter the approval of the second version at every site, and the end of the first."""
    since = renewed(today)
    with audit.transaction(by, "second version of the consent form"):
        for site in there:
            before = IcfVersion.objects.get(site=site, label=FIRST)
            if before.valid_to != since - timedelta(days=1):
                before.valid_to = since - timedelta(days=1)
                before.save(force_update=True, update_fields=["valid_to"])
            made = IcfVersion.objects.filter(site=site, label=SECOND).first()
            made = made or IcfVersion(site=site, label=SECOND, protocol_version=before.protocol_version)
            if made.irb_approval_date != since:
                made.irb_approval_date, made.version_date = since, since - timedelta(days=WRITTEN_BEFORE)
                made.save()
    sites.forget()


def sign_again(story: Story) -> None:
    """Who is still followed signs the second version, within weeks of its approval."""
    day = renewed(story.today) + timedelta(days=4 + int(story.subject.subjid[-3:]) % SIGNED_WITHIN)
    version, dated = version_on(day, story.today)
    story.put(
        "informed_consent",
        consent_type="RECONSENT",
        icf_version=version,
        icf_version_date=dated,
        consent_dt=at(day, "10:15"),
        signed_by_subject=True,
        impartial_witness=False,
        copy_given=True,
        obtained_by=story.person("investigator"),
    )
