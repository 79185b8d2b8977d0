"""DV-26 to DV-29: steroids, immunosuppressants and live vaccines during the study."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from dosing.models import Infusion
from safety.adverse_events import AdverseEvent
from safety.calendar import READS as CALENDAR
from safety.calendar import active_until, anchors
from safety.casebook import Casebook
from safety.milestones import READS as MILESTONES
from safety.milestones import enrolment, lymphodepletion
from safety.rules.evidence import facts as answers
from safety.rules.exposure import overlaps, taken
from subjects.crf import CRF
from subjects.models import EndOfStudy
from trial.dates import add_months, as_read, span_of
from trial.item import Basis, words
from trial.logic import Verdict, all_of
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from visits.models import ConMeds

READS: tuple[type[CRF], ...] = tuple(dict.fromkeys((ConMeds, *MILESTONES, *CALENDAR)))
_NOT_ANSWERED = (
    "not answered, so it cannot be told whether it contained",
    "未填写,无法判定是否含",
)
_TELL = (" Whether that is kept cannot be told: complete this answer.", "无法判定是否遵守:请补全该项。")
_PERIOD = ("start_dt", "end_dt")


@rule(
    "DV-26",
    en="Steroid between lymphodepletion and Day 7, not as rescue",
    zh="清淋开始至第 7 天非抢救性使用糖皮质激素",
    cites="Clinical specification, DV-26, in the spirit of registry E-04",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PROHIBITED_MED",
    reads=(*READS, AdverseEvent),
)
def no_steroid_but_as_rescue(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """From the first day of lymphodepletion to seven days after the infusion (the planned one, until there is one) a
    corticosteroid is taken only for CRS, ICANS or an infusion reaction. Dates, an indication or a linked event that
    leave it open are pending."""
    started = lymphodepletion(book)
    if started is None:
        return
    known = anchors(book)
    day0 = known.d0 or known.planned_d0
    end = day0 and day0 + timedelta(days=protocol.steroid_free_after_infusion_days.value)
    allowed = protocol.steroid_rescue_indications.value
    period = f"{started.day} – {end or 'D0'}"
    limit = _limits(allowed, period)
    for row in _of_class(book, protocol, ("CORTICOSTEROID",)):
        when = overlaps(taken(book, row), started.day, end)
        rescue = _rescue(book, row, allowed)
        yield from _judged(row, when, ~rescue, limit, started.fact, _asked_of(row))


def _rescue(book: Casebook, row: Any, allowed: tuple[str, ...]) -> Verdict:
    """Whether the steroid treats CRS, ICANS or, where it treats an adverse event, one of these or an infusion reaction."""
    if row.indication != "AE":
        return Verdict.of(row.indication in allowed if row.indication else None)
    event = next((one for one in book.of(AdverseEvent) if one.pk == row.linked_ae_id), None)
    if event is None or not event.category:
        return Verdict.UNKNOWN
    return Verdict.of("AE" in allowed and event.category in (*allowed, "INFUSION_REACTION"))


def _asked_of(row: Any) -> str:
    return "linked_ae" if row.indication == "AE" else "indication"


@rule(
    "DV-27",
    en="Corticosteroid as premedication",
    zh="以糖皮质激素作为回输前预防用药",
    cites="Clinical specification, DV-27",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="PROHIBITED_MED",
    reads=(Infusion,),
)
def no_steroid_premedication(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The premedication of an infusion contains no corticosteroid; premedication not answered is pending."""
    forbidden = protocol.forbidden_premedication.value
    for infusion in book.infusions:
        given = tuple(infusion.premed or ())
        found = [one for one in given if one in forbidden]
        answered = infusion.premed_given is False or bool(given)
        if answered and not found:
            continue
        field = "premed_given" if not given and infusion.premed_given is None else "premed"
        day, said = book.day(infusion.inf_start_dt), words(Infusion, "premed", *given)
        not_ = words(Infusion, "premed", *forbidden)
        en, zh = (f"{said[0]}; without", f"{said[1]};不应含") if found else _NOT_ANSWERED
        yield Finding(
            key=f"infusion:{infusion.pk}",
            en=f"Premedication of the infusion of {day}: {en} {not_[0].lower()}.",
            zh=f"{day} 回输的预防用药:{zh}{not_[1]}。",
            form="infusion",
            record=infusion.pk,
            field=field,
            facts=(
                Fact("infusion", infusion.pk, "premed", ", ".join(given)),
                *answers("infusion", infusion, "premed_given"),
            ),
            limit=f"≠ {not_[0]}",
            limit_zh=f"≠ {not_[1]}",
            pending=not found,
        )


@rule(
    "DV-28",
    en="Steroid or immunosuppressant between consent and infusion",
    zh="签署知情同意后至回输前使用糖皮质激素或免疫抑制剂",
    cites="Clinical specification, DV-28, from registry E-04: plan to use immunosuppressants or hormones after signing",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PROHIBITED_MED",
    reads=READS,
)
def no_immunosuppressant_before_infusion(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """From the day after consent to the day before the infusion, or to today while there is none, an enrolled subject
    takes no immunosuppressant or glucocorticoid but as bridging or physiologic replacement. Dates or an indication
    that leave it open are pending."""
    reached, consent = enrolment(book), book.consent_day
    if reached is None or consent is None:
        return
    low, high = consent + timedelta(days=1), _before_infusion(book)
    allowed = protocol.allowed_immunosuppression.value
    limit = _limits(allowed, f"{consent} < … < {book.day0 or 'D0'}")
    for row in _of_class(book, protocol, protocol.immunosuppressants.value):
        when = overlaps(taken(book, row), low, high)
        unfounded = Verdict.of(row.indication not in allowed if row.indication else None)
        yield from _judged(row, when, unfounded, limit, reached.fact, "indication")


def _before_infusion(book: Casebook) -> date:
    """The last day before the infusion, or the last on which one could still come."""
    if book.day0 is not None:
        return book.day0 - timedelta(days=1)
    ends: list[date] = [row.date for row in book.of(EndOfStudy) if row.date]
    return min((*ends, active_until(book) or book.today, book.today))


@rule(
    "DV-29",
    en="Live vaccine after screening",
    zh="筛选后接种活疫苗",
    cites="Clinical specification, DV-29 (default period)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PROHIBITED_MED",
    reads=READS,
)
def no_live_vaccine_after_screening(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """An enrolled subject gets no live vaccine from the day after screening to six months after the infusion, that day
    included, or while an infusion may still come. A date that leaves it open is pending."""
    reached, screened = enrolment(book), book.visit_days.get("SCR") or book.consent_day
    if reached is None or screened is None:
        return
    months, day0 = protocol.live_vaccine_ban_months.value, book.day0
    high = add_months(day0, months) if day0 else _before_infusion(book)
    period = f"{screened} < … ≤ {high if day0 else f'D0 + {months} m'}"
    for row in book.of(ConMeds):
        if row.drug_class != "LIVE_VACCINE":
            continue
        given = span_of(row.start_dt, book.zone)
        low = screened + timedelta(days=1)
        when = Verdict.UNKNOWN if given is None else overlaps((given, given), low, high)
        yield from _judged(row, when, Verdict.MET, (period, period), reached.fact, "start_dt")


def _limits(allowed: tuple[str, ...], period: str) -> tuple[str, str]:
    """What allows a medication in a period, in English and Chinese."""
    en, zh = words(ConMeds, "indication", *allowed)
    return f"{en}; {period}", f"{zh};{period}"


def _of_class(book: Casebook, protocol: Protocol, classes: tuple[str, ...]) -> list[Any]:
    """Medications of these classes, by a route that counts."""
    spared = protocol.steroid_exemptions.value
    return [row for row in book.of(ConMeds) if row.drug_class in classes and row.route not in spared]


def _judged(
    row: Any, when: Verdict, unfounded: Verdict, limit: tuple[str, str], since: Fact, reason: str
) -> Iterator[Finding]:
    """A finding when the medication was taken in the period for no reason that allows it, or perhaps."""
    verdict = all_of((when, unfounded))
    if verdict is Verdict.NOT_MET:
        return
    pending = verdict is Verdict.UNKNOWN
    field = reason
    if pending and when is Verdict.UNKNOWN:
        field = "end_dt" if row.start_dt and not row.end_dt and not row.ongoing else "start_dt"
    kind = words(ConMeds, "drug_class", row.drug_class)
    why = words(ConMeds, "indication", row.indication) if row.indication else ("?", "?")
    period = f"{as_read(row.start_dt) or '?'} – {as_read(row.end_dt) or ('…' if row.ongoing else '?')}"
    en, zh = (f"{row.drug or '?'} ({kind[at]}), {period}, {why[at]}" for at in (0, 1))
    names = dict.fromkeys((field, *_PERIOD, "drug_class", "indication"))
    yield Finding(
        key=f"con_meds:{row.pk}",
        en=f"{en}. Limit: {limit[0]}.{_TELL[0] if pending else ''}",
        zh=f"{zh}。限制:{limit[1]}。{_TELL[1] if pending else ''}",
        form="con_meds",
        record=row.pk,
        field=field,
        facts=(*(Fact("con_meds", row.pk, name, _said(row, name)) for name in names), since),
        limit=limit[0],
        limit_zh=limit[1],
        pending=pending,
    )


def _said(row: Any, name: str) -> str:
    return str(getattr(row, "linked_ae_id" if name == "linked_ae" else name) or "")
