"""What a site cannot be: no number, no clock, dates in the wrong order. What is merely not known yet is a doubt."""

import re
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from trial.countries import COUNTRIES
from trial.edit_checks import wrong_times
from trial.findings import Doubt, Problem
from trial.item import items
from trial.models import Site
from trial.text import T

NEEDED = ("code", "name", "country", "time_zone")
"""Without these a site cannot be written or read: refused when empty."""
DEFAULT_ZONE = "Asia/Shanghai"


@cache
def zones() -> frozenset[str]:
    """Every IANA time zone of this machine."""
    return frozenset(available_timezones())


def site_problems(site: Site, today: date) -> list[Problem]:
    """Everything that refuses a site; `today` is the site's own day."""
    return [*_absent(site), *_written(site), *wrong_times(site, DEFAULT_ZONE, today)]


def site_doubts(site: Site) -> list[Doubt]:
    """What is still to be entered."""
    empty = [
        (name, meaning)
        for name, meaning in items(site).items()
        if meaning.required and name not in NEEDED and getattr(site, name) in (None, "")
    ]
    return [
        Doubt(
            name,
            f"missing.{name}",
            T(f"{meaning.en} is still to be entered.", f"{meaning.zh}尚待填写。"),
        )
        for name, meaning in empty
    ]


def _absent(site: Site) -> Iterator[Problem]:
    for name in NEEDED:
        if not str(getattr(site, name) or "").strip():
            meaning = items(site)[name]
            yield Problem(name, "required", T(f"{meaning.en} is needed.", f"需要填写{meaning.zh}。"))


def _written(site: Site) -> Iterator[Problem]:
    code, country, zone = site.code or "", site.country or "", site.time_zone or ""
    if code and not re.fullmatch(r"[0-9]{2,4}", code):
        yield Problem(
            "code",
            "format",
            T(
                f"“{code}” is no site number; write two to four digits, for example 03.",
                f"“{code}”不是中心编号;请写 2–4 位数字,例如 03。",
            ),
            code,
            "^[0-9]{2,4}$",
        )
    if country and country not in COUNTRIES:
        near = country.upper() if country.upper() in COUNTRIES else ""
        en, zh = (f" Was {near} meant?", f"是否为 {near}?") if near else ("", "")
        yield Problem(
            "country",
            "unknown_code",
            T(
                f"“{country}” is no country code; write the three letters of ISO 3166, for example CHN.{en}",
                f"“{country}”不是国家代码;请写 ISO 3166 三字母代码,例如 CHN。{zh}",
            ),
            country,
            "ISO 3166-1 alpha-3",
            fix=near,
        )
    if zone and zone not in zones():
        near = next(iter(get_close_matches(zone, zones(), 1)), "")
        en, zh = (f" Was {near} meant?", f"是否为 {near}?") if near else ("", "")
        yield Problem(
            "time_zone",
            "unknown_code",
            T(
                f"“{zone}” is no IANA time zone; write it as Asia/Shanghai.{en}",
                f"“{zone}”不是 IANA 时区;请写成 Asia/Shanghai。{zh}",
            ),
            zone,
            "IANA",
            fix=near,
        )
