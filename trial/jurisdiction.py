"""Within what time an authority wants to hear of serious events: one profile per jurisdiction, each number with its source.

The protocol takes the numbers of one profile (`trial.protocol.under`). Hours are always exact. Whether n days are n times
24 hours, or end at midnight where the authority is, differs, and is part of the profile.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from trial.dates import local_day
from trial.sourced import Sourced, default, guideline
from trial.text import T

EXACT, MIDNIGHT = "EXACT", "MIDNIGHT"
_VERIFY = "Known from memory; to be verified against the source."


@dataclass(frozen=True)
class Jurisdiction:
    """One authority's times. `susar_days_end` is EXACT (n times 24 hours) or MIDNIGHT (the day of awareness is day 0,
    and day n counts to its end on the clock of `authority_zone`)."""

    code: str
    en: str
    zh: str
    sae_report_hours: Sourced[int]
    susar_fatal_days: Sourced[int]
    susar_other_days: Sourced[int]
    susar_days_end: Sourced[str]
    authority_zone: Sourced[str]

    @property
    def label(self) -> str:
        """Its name in the active language."""
        return T(self.en, self.zh)


CN = Jurisdiction(
    "CN",
    "China (NMPA)",
    "中国(国家药监局)",
    sae_report_hours=default(24, "DV-59", "As in good clinical practice. " + _VERIFY),
    susar_fatal_days=guideline(7, "DV-60; ICH E2A", "Fatal or life-threatening. " + _VERIFY),
    susar_other_days=guideline(15, "DV-60; ICH E2A", _VERIFY),
    susar_days_end=default(
        EXACT,
        "DV-60",
        "The stricter reading, as the rule states it. The NMPA standard of 2018 on expedited reporting is said to count the "
        "day of awareness as day 0. " + _VERIFY,
    ),
    authority_zone=default("Asia/Shanghai", "DV-60"),
)
EU = Jurisdiction(
    "EU",
    "European Union (EMA)",
    "欧盟(EMA)",
    sae_report_hours=guideline(24, "DV-59; Regulation (EU) 536/2014, article 41", _VERIFY),
    susar_fatal_days=guideline(7, "DV-60; Regulation (EU) 536/2014, article 42", _VERIFY),
    susar_other_days=guideline(15, "DV-60; Regulation (EU) 536/2014, article 42", _VERIFY),
    susar_days_end=guideline(MIDNIGHT, "DV-60; CT-3 (2011/C 172/01)", "Awareness is day 0. " + _VERIFY),
    authority_zone=default("Europe/Amsterdam", "DV-60", "Where the agency sits."),
)
US = Jurisdiction(
    "US",
    "United States (FDA)",
    "美国(FDA)",
    sae_report_hours=default(24, "DV-59; 21 CFR 312.64(b)", "The regulation says: immediately. " + _VERIFY),
    susar_fatal_days=guideline(7, "DV-60; 21 CFR 312.32(c)(2)", _VERIFY),
    susar_other_days=guideline(15, "DV-60; 21 CFR 312.32(c)(1)", "Counted here from awareness. " + _VERIFY),
    susar_days_end=guideline(MIDNIGHT, "DV-60; 21 CFR 312.32(c)", "Calendar days. " + _VERIFY),
    authority_zone=default("America/New_York", "DV-60", "Where the agency sits."),
)
JURISDICTIONS: dict[str, Jurisdiction] = {one.code: one for one in (CN, EU, US)}


def after_hours(start: datetime, hours: int) -> datetime:
    """Exactly so many hours later, whatever the clocks on the wall did meanwhile."""
    return start.astimezone(UTC) + timedelta(hours=hours)


def after_days(start: datetime, days: int, end: str, zone: str) -> datetime:
    """The last moment of so many days: `end` is EXACT or MIDNIGHT (on the clock of `zone`)."""
    if end == EXACT:
        return start.astimezone(UTC) + timedelta(days=days)
    last = local_day(start, zone) + timedelta(days=days)
    return datetime.combine(last, time.max, ZoneInfo(zone)).astimezone(UTC)
