"""Signs that decide no criterion but are asked about: fever and infections, a later marrow, a rejected batch, a newer consent
form."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dosing.models import Manufacturing
from safety.adverse_events import AdverseEvent
from safety.casebook import Casebook
from safety.eligibility.facts import Source
from subjects.crf import CRF
from subjects.models import InformedConsent
from trial.dates import span_of
from trial.protocol import Protocol
from visits.models import BoneMarrow, VitalSigns

READS: tuple[type[CRF], ...] = (VitalSigns, AdverseEvent, BoneMarrow, Manufacturing, InformedConsent)
AFTER_SCREENING = ("PRE_LD", "PRE_INFUSION")
Sign = tuple[Any, Source]


def signs(book: Casebook, milestone: str, on: date, protocol: Protocol) -> dict[str, Sign]:
    """The signs that stand at a milestone, judged as of the day `on`: a fact and where it stands."""
    found = {
        "fever_c": _fever(book, on, protocol),
        "infection_grade": _infection(book, on, protocol),
        "batch_rejected": _rejected(book),
    }
    if milestone in AFTER_SCREENING:
        found["later_blasts_pct"] = _later_marrow(book, on)
    if milestone == "PRE_INFUSION":
        found["unsigned_version"] = _unsigned_version(book, on)
    return {name: sign for name, sign in found.items() if sign is not None}


def _fever(book: Casebook, on: date, protocol: Protocol) -> Sign | None:
    """The highest temperature that is a fever, in the hours before that day begins or on it."""
    start = datetime.combine(on, time.min, ZoneInfo(book.zone))
    since = start - timedelta(hours=protocol.infection_ask_fever_hours.value)
    hot = [
        row
        for row in book.once(_measured)
        if row.temp_c >= protocol.infection_ask_fever_c.value and since <= row.vs_dt
        and (book.day(row.vs_dt) or on) <= on
    ]  # fmt: skip
    top = max(hot, key=lambda row: row.temp_c, default=None)
    return None if top is None else (top.temp_c, _source(book, VitalSigns, top, "temp_c", top.vs_dt))


def _measured(book: Casebook) -> Sequence[Any]:
    """The temperatures whose time is known."""
    return [row for row in book.of(VitalSigns) if row.temp_c is not None and row.vs_dt is not None]


def _infection(book: Casebook, on: date, protocol: Protocol) -> Sign | None:
    """The highest grade of an infection that is severe and, as far as is known, goes on that day."""
    severe = [
        row
        for row in book.of(AdverseEvent)
        if row.category == "INFECTION"
        and row.max_grade is not None
        and row.max_grade >= protocol.infection_ask_ae_grade_min.value
        and _goes_on(book, row, on)
    ]
    worst = max(severe, key=lambda row: row.max_grade, default=None)
    if worst is None:
        return None
    return worst.max_grade, Source(AdverseEvent.form, worst.pk, "max_grade", worst.start_dt[:10])


def _goes_on(book: Casebook, row: Any, on: date) -> bool:
    begun, ended = span_of(row.start_dt, book.zone), span_of(row.end_dt, book.zone)
    if begun is not None and begun.first > on:
        return False
    return row.ongoing is True or (ended is not None and ended.last >= on)


def _later_marrow(book: Casebook, on: date) -> Sign | None:
    """The share of blasts in the newest marrow up to that day that was not taken for screening."""
    later = [
        row
        for row in book.of(BoneMarrow)
        if row.visit != "SCR" and row.aspirate_adequate and row.blast_pct_morph is not None
        and row.bm_dt is not None and (book.day(row.bm_dt) or on) <= on
    ]  # fmt: skip
    last = max(later, key=lambda row: row.bm_dt, default=None)
    if last is None:
        return None
    return last.blast_pct_morph, _source(book, BoneMarrow, last, "blast_pct_morph", last.bm_dt)


def _unsigned_version(book: Casebook, on: date) -> Sign | None:
    """The version of the consent form in force on that day, where the subject signed none that is as new."""
    held = [
        v
        for v in book.site.icf_versions
        if v.irb_approval_date <= on and (v.valid_to is None or on <= v.valid_to)
    ]
    newest = max(held, key=lambda v: v.irb_approval_date, default=None)
    if newest is None or book.initial_consent is None:
        return None
    approved = {v.label: v.irb_approval_date for v in book.site.icf_versions}
    signed = [
        approved.get(row.icf_version, date.min)
        for row in book.of(InformedConsent)
        if row.consent_type in ("INITIAL", "RECONSENT") and row.signed_by_subject
        and (day := book.day(row.consent_dt)) is not None and day <= on
    ]  # fmt: skip
    if any(one >= newest.irb_approval_date for one in signed):
        return None
    return newest.label, Source(InformedConsent.form, book.initial_consent.pk, "icf_version")


def _rejected(book: Casebook) -> Sign | None:
    """A batch that was rejected, where none was released in its place."""
    batches = [row for row in book.of(Manufacturing) if row.release_decision]
    if not batches or any(row.release_decision != "REJECTED" for row in batches):
        return None
    return "YES", Source(Manufacturing.form, batches[-1].pk, "release_decision")


def _source(book: Casebook, form: type[CRF], row: Any, field: str, moment: datetime) -> Source:
    return Source(form.form, row.pk, field, str(book.day(moment)))
