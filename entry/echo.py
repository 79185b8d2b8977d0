"""How an answer was understood, said back while it is typed: the weekday of a date, a result in the study's unit."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from subjects.crf import CRF
from trial.answers import kind_of
from trial.dates import local_day
from trial.text import T

WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def echo(model: type[CRF], record: CRF, line: str, zone: str) -> str:
    """A few words about the answer of one line; "" where they would say nothing new."""
    if line in model.analytes:
        return _result(model, record, line)
    column = next((c for c in model._meta.concrete_fields if c.name == line and hasattr(c, "item")), None)
    if column is None:
        return ""
    value, kind = getattr(record, column.attname), kind_of(column)
    if kind == "moment" and value:
        local = local_day(value, zone)
        return f"= {local} {_weekday(local)} {value.astimezone(ZoneInfo(zone)):%H:%M}"
    if kind == "day" and value:
        return f"= {value} {_weekday(value)}"
    if kind.startswith("partial") and value:
        return _partial(value, zone)
    return ""


def _weekday(day: date) -> str:
    return str(T(WEEKDAYS_EN[day.weekday()], WEEKDAYS_ZH[day.weekday()]))


def _partial(text: str, zone: str) -> str:
    if "T" in text:
        local = datetime.fromisoformat(text).astimezone(ZoneInfo(zone))
        return f"= {local:%Y-%m-%d %H:%M} {_weekday(local.date())}"
    if len(text) >= 10:
        return f"= {text} {_weekday(date.fromisoformat(text))}"
    missing = T("day not known", "日期未知") if len(text) == 7 else T("month and day not known", "月、日未知")
    return f"= {text} ({missing})"


def _result(model: type[CRF], record: CRF, line: str) -> str:
    value, unit = getattr(record, f"{line}_si"), getattr(record, f"{line}_unit")
    canonical = model._meta.get_field(f"{line}_value").item.unit  # type: ignore[union-attr]
    parts = []
    if value is not None and unit and unit != canonical:
        parts.append(f"= {getattr(record, line + '_qual')}{value.normalize():f} {canonical}")
    typed = getattr(record, f"{line}_value")
    low, high = getattr(record, f"{line}_lln"), getattr(record, f"{line}_uln")
    if typed is not None and high is not None and typed > high:
        parts.append(str(T("↑ above the range", "↑ 高于参考范围")))
    if typed is not None and low is not None and typed < low:
        parts.append(str(T("↓ below the range", "↓ 低于参考范围")))
    return "  ".join(parts)
