"""What every template may say: words in two languages, times with their zone, and small drawn signs."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from entry.words import now
from trial.ambiguity import open_for

register = template.Library()


@register.simple_tag
def t(en: str, zh: str, **values: Any) -> str:
    """`{% t "English" "中文" %}` in the active language; `{n}` in the text takes the escaped value n=..."""
    words = now(en, zh)
    return format_html(words, **values) if values else SafeString(words)


@register.filter
def stamp(moment: datetime | str | None, zone: str = "Asia/Shanghai") -> str:
    """A moment as local time with its offset: 2026-03-05 08:10 +08:00."""
    if not moment:
        return "–"
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    local = when.astimezone(ZoneInfo(zone))
    offset = local.strftime("%z")
    return f"{local:%Y-%m-%d %H:%M} {offset[:3]}:{offset[3:]}"


@register.filter
def lookup(mapping: Mapping[Any, Any], key: Any) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key, "")


register.filter(open_for)


@register.filter
def as_json(value: Any) -> str:
    """A value as JSON, to stand (escaped) in a data attribute."""
    return json.dumps(value, ensure_ascii=False, default=str)


@register.simple_tag
def icon(name: str, words: str = "") -> SafeString:
    """A sign from the page's sprite. `words` are read out; without them the sign is decoration."""
    sign = format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)
    return sign + format_html('<span class="unseen">{}</span>', words) if words else sign
