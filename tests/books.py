"""Casebooks for rules, made of unsaved forms: no database is needed to test a rule."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from safety.casebook import ANCHORS, Casebook, SiteBook
from safety.content import Entry, Versions
from safety.engine import READS
from safety.trialbook import TrialBook
from subjects.signature import Signature
from trial.fields import uuid7
from trial.models import IcfVersion

SHANGHAI = "Asia/Shanghai"
NOW = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)


def at(day: str, time: str = "10:00") -> datetime:
    """A moment on a day in Shanghai."""
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(SHANGHAI))


def the_site() -> SiteBook:
    """Site 01, active since April 2021, with ICF 1.0 approved."""
    icf = IcfVersion(
        label="1.0",
        irb_approval_date=date(2021, 3, 1),
        version_date=date(2021, 2, 15),
        protocol_version="1.0",
    )
    return SiteBook(1, "01", SHANGHAI, date(2021, 4, 1), (icf,), ())


def book(
    *forms: Any,
    now: datetime = NOW,
    trial: TrialBook | None = None,
    versions: dict[Any, Versions] | None = None,
) -> Casebook:
    """A casebook that holds these unsaved forms and signatures, this trial, and nothing else."""
    rows: dict[Any, list[Any]] = {form: [] for form in (*ANCHORS, *READS)}
    signatures = [one for one in forms if isinstance(one, Signature)]
    answered = [one for one in forms if not isinstance(one, Signature)]
    for form in answered:
        rows.setdefault(type(form), []).append(form)
    entries = [Entry(f.form, f.pk, f.visit, f.status, f.lock_state, f.version, f.not_done) for f in answered]
    return Casebook(
        uuid7(), "01-001", the_site(), now, rows, signatures, entries, versions or {}, trial or TrialBook()
    )


def signature(record: Any, meaning: str, role: str, day: str = "2026-03-01") -> Signature:
    """A signature on a form as it stands."""
    return Signature(
        form=record.form,
        record_id=record.pk,
        record_version=record.version,
        meaning=meaning,
        role=role,
        signed_at=at(day),
    )
