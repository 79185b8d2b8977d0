"""Facts of sites that every save needs, kept in memory for a minute."""

import time
from dataclasses import dataclass

from trial.models import Site

_KEPT: dict[int, "tuple[float, SiteFacts]"] = {}
_SECONDS = 60.0


@dataclass(frozen=True)
class SiteFacts:
    """What does not change during a visit: the site's code and time zone."""

    id: int
    code: str
    time_zone: str


def facts(site_id: int) -> SiteFacts:
    """The facts of one site, at most a minute old. Raises Site.DoesNotExist."""
    kept = _KEPT.get(site_id)
    if kept and time.monotonic() - kept[0] < _SECONDS:
        return kept[1]
    row = Site.objects.values_list("id", "code", "time_zone").get(pk=site_id)
    _KEPT[site_id] = (time.monotonic(), SiteFacts(*row))
    return _KEPT[site_id][1]


def zone_of(site_id: int) -> str:
    """The IANA time zone of a site."""
    return facts(site_id).time_zone


def forget() -> None:
    """Drop what is kept (after a site changed, and between tests)."""
    _KEPT.clear()
