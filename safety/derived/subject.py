"""The subject as a whole: age at consent, where the subject stands, the window of dose-limiting toxicity, analysis sets."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from dosing.models import Apheresis, Infusion, Lymphodepletion, Manufacturing
from safety.adverse_events import DltAssessment
from safety.calendar import READS as CALENDAR
from safety.casebook import Casebook
from safety.derived.vocabulary import Derived, Input, Says, derivation, inputs
from safety.milestones import enrolment, found_eligible
from subjects.models import Death, Demographics, EndOfStudy, InformedConsent
from trial.dates import add_months, completed_years, span_of
from trial.item import Basis
from trial.protocol import Protocol
from visits.models import PkSample

FOLLOWED_FROM_MONTH = 1


@derivation(
    "age",
    en="Age at consent",
    zh="签署知情同意时年龄",
    group="SUBJECT",
    method="AGE1.0",
    basis=Basis.REGISTRY,
    cites="Registry I-06; that consent is the day of reckoning is our reading",
    reads=(Demographics, InformedConsent),
    says=(
        Says("years", "Completed years", "周岁", "year"),
        Says("low", "At least, where the birth date is known in part", "下限(出生日期不完整时)", "year"),
        Says("high", "At most, where the birth date is known in part", "上限(出生日期不完整时)", "year"),
    ),
)
def age_at_consent(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Completed years on the day of the first initial consent, for every day the birth date could be."""
    person = next((row for row in book.of(Demographics) if row.birth_date), None)
    born = None if person is None else span_of(person.birth_date, book.zone)
    if person is None or born is None or book.consent_day is None or book.initial_consent is None:
        return
    low, high = (completed_years(day, book.consent_day) for day in (born.last, born.first))
    seen = (
        *inputs(Demographics, person, "birth_date"),
        *inputs(InformedConsent, book.initial_consent, "consent_dt"),
    )
    same = low == high
    value = {"years": low if same else None, "low": None if same else low, "high": None if same else high}
    yield Derived("", value, seen, book.consent_day)


@derivation(
    "dlt_window",
    en="Window of dose-limiting toxicity",
    zh="DLT观察期",
    group="SUBJECT",
    method="DLT1.0",
    basis=Basis.DEFAULT,
    cites="Clinical specification 7.6",
    reads=(Infusion,),
    says=(Says("first", "First day", "首日"), Says("last", "Last day", "末日")),
)
def window_of_limiting_toxicity(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """From Day 0 to the last day of the window, both included."""
    if book.day0 is not None:
        last = book.day0 + timedelta(days=protocol.dlt_window_days.value)
        yield Derived("", {"first": book.day0, "last": last}, _infused(book), last)


def _infused(book: Casebook) -> tuple[Input, ...]:
    return inputs(Infusion, book.infusions[0], "inf_start_dt")


@derivation(
    "subject_status",
    en="Status of the subject",
    zh="受试者状态",
    group="SUBJECT",
    method="STATUS1.0",
    basis=Basis.DEFAULT,
    cites="Clinical specification 5.4: states of a subject",
    reads=(*CALENDAR, Infusion, Manufacturing),
    says=(Says("status", "Status", "状态"),),
)
def status_of_the_subject(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """How it ended (death, screen failure, withdrawal of more than samples, completion), else the last step that is on
    record."""
    status, row, form, names = _status(book, protocol)
    yield Derived("", {"status": status}, inputs(form, row, *names) if row is not None else ())


Stand = tuple[str, Any, Any, tuple[str, ...]]


def _status(book: Casebook, protocol: Protocol) -> Stand:
    death = next(iter(book.of(Death)), None)
    if death is not None:
        return "DEAD", death, Death, ("death_date",)
    failed = next((r for r in book.of(EndOfStudy) if r.reason == "SCREEN_FAILURE"), None)
    if failed is not None:
        return "SCREEN_FAILED", failed, EndOfStudy, ("phase", "reason", "date")
    ended = next((r for r in book.of(EndOfStudy) if r.phase == "STUDY"), None)
    if ended is not None:
        status = "COMPLETED" if ended.reason == "COMPLETED" else "WITHDRAWN"
        return status, ended, EndOfStudy, ("phase", "reason", "date")
    withdrawn = next((r for r in book.of(InformedConsent) if _withdraws(r)), None)
    if withdrawn is not None:
        return "WITHDRAWN", withdrawn, InformedConsent, ("consent_type", "consent_dt", "withdrawal_scope")
    return _on_the_way(book, protocol)


def _withdraws(row: Any) -> bool:
    """Whether more is withdrawn than the use of samples, which ends nobody's participation."""
    return bool(row.consent_type == "WITHDRAWAL" and set(row.withdrawal_scope or ()) != {"SAMPLES"})


def _on_the_way(book: Casebook, protocol: Protocol) -> Stand:
    if book.day0 is not None:
        return _after(book, protocol), book.infusions[0], Infusion, ("inf_start_dt",)
    for status, form, name in (
        ("LD", Lymphodepletion, "admin_dt"),
        ("MFG", Manufacturing, "mfg_start_date"),
        ("LEUKAPHERESED", Apheresis, "aph_start_dt"),
    ):
        row: Any = next((r for r in book.of(form) if getattr(r, name)), None)
        if row is not None:
            return status, row, form, (name,)
    if found_eligible(book) is not None:
        return "ENROLLED", None, None, ()
    consent = book.initial_consent
    return ("CONSENTED" if consent else "NEW"), consent, InformedConsent, ("consent_dt",)


def _after(book: Casebook, protocol: Protocol) -> str:
    assert book.day0 is not None
    if book.today <= add_months(book.day0, FOLLOWED_FROM_MONTH):
        return "INFUSED"
    return "FOLLOW_UP" if book.today <= add_months(book.day0, protocol.ltfu_from_months.value) else "LTFU"


@derivation(
    "analysis_sets",
    en="Analysis sets",
    zh="分析集",
    group="SUBJECT",
    method="SETS1.0",
    basis=Basis.DEFAULT,
    cites="Clinical specification, subject form: analysis_sets; 6.9, 7.6",
    reads=(*CALENDAR, Infusion, DltAssessment, PkSample),
    says=(Says("sets", "Sets", "分析集"),),
)
def sets_of_the_subject(book: Casebook, protocol: Protocol) -> Iterator[Derived]:
    """Enrolled; leukapheresed; safety and efficacy (infused); DLT (infused and assessed as evaluable); PK (a sample
    with a result after the infusion)."""
    collected = next((r for r in book.of(Apheresis) if r.aph_start_dt), None)
    judged = next((r for r in book.of(DltAssessment) if r.evaluable == "YES"), None)
    start = book.infusions[0].inf_start_dt if book.infusions else None
    sample = next(
        (r for r in book.of(PkSample) if start and r.collect_dt and r.collect_dt >= start and r.result_text),
        None,
    )
    members = {
        "ENROLLED": enrolment(book) is not None,
        "LEUKAPHERESED": collected is not None,
        "SAFETY": start is not None,
        "DLT": start is not None and judged is not None,
        "EFFICACY": start is not None,
        "PK": sample is not None,
    }
    seen = (
        *(inputs(Apheresis, collected, "aph_start_dt") if collected is not None else ()),
        *(_infused(book) if book.infusions else ()),
        *(inputs(DltAssessment, judged, "evaluable") if judged is not None else ()),
        *(inputs(PkSample, sample, "collect_dt", "result_text") if sample is not None else ()),
    )
    yield Derived("", {"sets": [name for name, is_in in members.items() if is_in]}, seen)
