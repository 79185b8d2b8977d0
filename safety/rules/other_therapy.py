"""DV-61 and DV-62: no other therapy of the leukaemia, and nothing that harms the cells, in the first months."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from dosing.models import Infusion
from safety.casebook import Casebook
from safety.derive.disease_course import Observed, course, returned_on, state_on
from safety.rules.evidence import facts
from subjects.models import SubsequentTherapy
from trial.dates import Span, add_months, as_read, span_of
from trial.item import Basis, words
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from visits.models import ConMeds, Response, SurvivalLtfu

ANTI_CD19 = "ANTI_CD19"


def _course(book: Casebook, protocol: Protocol) -> Any:
    return course(book.of(Response), book.of(SurvivalLtfu), protocol)


@rule(
    "DV-61",
    en="Prohibited concomitant therapy",
    zh="使用方案禁用的合并治疗",
    cites="Clinical specification, DV-61 (default classes and period)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PROHIBITED_MED",
    reads=(ConMeds, Infusion, Response, SurvivalLtfu),
)
def no_prohibited_therapy(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """From some days before the infusion to some months after it no chemotherapy is given (but for lymphodepletion,
    bridging and by the intrathecal route), no other immunosuppressant, no other agent against CD19, and after the
    infusion no tyrosine kinase inhibitor. Once a relapse or progression is recorded, therapy of the leukaemia is
    free. Dates known only in part leave it open where some of them would break the rule."""
    if book.day0 is None:
        return
    returned = returned_on(_course(book, protocol))
    for row in book.of(ConMeds):
        banned = _class(row, protocol)
        if banned:
            yield from _within(book, row, banned, returned, protocol)


def _class(row: Any, protocol: Protocol) -> str:
    """The prohibited class of a drug, "" for none."""
    name = row.drug.lower()
    if any(agent in name for agent in protocol.anti_cd19_agents.value):
        return ANTI_CD19
    if row.drug_class not in protocol.prohibited_classes.value:
        return ""
    allowed = (
        row.indication in protocol.chemo_allowed_indications.value
        or row.route in protocol.chemo_allowed_routes.value
    )
    return "" if row.drug_class == "CHEMO" and allowed else str(row.drug_class)


def _period(
    row: Any, banned: str, day0: date, returned: date | None, protocol: Protocol
) -> tuple[date, date]:
    """First and last day of the ban for this drug."""
    first = day0 + timedelta(days=protocol.prohibited_from_day.value)
    last = add_months(day0, protocol.prohibited_until_months.value)
    if banned == "TKI":
        first, last = day0 + timedelta(days=1), add_months(day0, protocol.tki_ban_months.value)
    if banned == "CHEMO" and any(drug.lower() in row.drug.lower() for drug in protocol.ld_drugs.value):
        first = day0
    if returned is not None and banned in protocol.relapse_lifts_ban.value:
        last = min(last, returned - timedelta(days=1))
    return first, last


def _within(
    book: Casebook, row: Any, banned: str, returned: date | None, protocol: Protocol
) -> Iterator[Finding]:
    assert book.day0 is not None
    first, last = _period(row, banned, book.day0, returned, protocol)
    begun = span_of(row.start_dt, book.zone)
    ended = span_of(row.end_dt, book.zone)
    overlap = _overlaps(begun, ended, row.ongoing, first, last, book.today)
    if overlap is False:
        return
    banned_ = ("anti-CD19", "抗CD19") if banned == ANTI_CD19 else words(ConMeds, "drug_class", banned)
    name = (row.drug, row.drug) if row.drug else words(ConMeds, "drug_class", row.drug_class)
    unsure = (
        ("", "") if overlap else (" Its dates are not known well enough to tell.", "日期不够确切,无法判定。")
    )
    since, until = as_read(row.start_dt), as_read(row.end_dt)
    yield Finding(
        key=f"con_meds:{row.pk}",
        en=f"{name[0]} ({banned_[0]}) from {since or '?'} to {until or 'now'}; "
        f"it is prohibited from {first} to {last}.{unsure[0]}",
        zh=f"{name[1]}({banned_[1]})使用时间 {since or '?'} 至 {until or '今'};"
        f"{first} 至 {last} 期间禁用。{unsure[1]}",
        form="con_meds",
        record=row.pk,
        field="drug_class",
        facts=facts("con_meds", row, "drug", "drug_class", "indication", "route", "start_dt", "end_dt"),
        limit=f"{first} – {last}",
        pending=overlap is None,
    )


def _overlaps(
    begun: Span | None, ended: Span | None, ongoing: bool | None, first: date, last: date, today: date
) -> bool | None:
    """Whether an exposure touches the period: True, False, or None when that cannot be told.

    Without an end it lasts until today if it is ongoing; otherwise only its start is sure.
    """
    if last < first:
        return False
    if begun is None:
        return False if ended is not None and ended.last < first else None
    if begun.first > last:
        return False
    if ended is not None:
        end_first, end_last = ended.first, ended.last
    else:
        end_first, end_last = (today, today) if ongoing else (begun.first, today)
    if end_last < first:
        return False
    surely_begun, surely_there = begun.last <= last, max(end_first, begun.first) >= first
    return True if surely_begun and surely_there else None


@rule(
    "DV-62",
    en="Further therapy of the leukaemia in remission",
    zh="缓解期内过早开始后续抗白血病治疗",
    cites="Clinical specification, DV-62 (default: before month 3); registry, overall remission",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PROHIBITED_MED",
    reads=(SubsequentTherapy, Infusion, Response, SurvivalLtfu),
)
def no_early_therapy_in_remission(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Before the third month is over no further therapy of the leukaemia is begun in remission, but for an allogeneic
    transplant. The newest response or follow-up up to the start says whether there is one; without any, the answer
    given with the therapy; without that the rule cannot tell."""
    if book.day0 is None:
        return
    until = add_months(book.day0, protocol.subsequent_therapy_months.value)
    seen = _course(book, protocol)
    for row in book.of(SubsequentTherapy):
        if row.type in protocol.subsequent_therapy_allowed.value:
            continue
        if row.start_date is None:
            yield _early(row, until, None, pending=True)
        elif book.day0 <= row.start_date < until:
            state = state_on(seen, row.start_date)
            remission = {"YES": True, "NO": False}.get(row.in_remission) if state is None else state.remission
            if remission is not False:
                yield _early(row, until, state, pending=remission is None or not row.type)


def _early(row: Any, until: date, state: Observed | None, *, pending: bool) -> Finding:
    seen = facts("subsequent_therapy", row, "type", "start_date", "in_remission")
    if state is not None:
        seen = (*seen, Fact(state.form, state.record, state.field, f"{state.said} {state.day}"))
    kind = words(SubsequentTherapy, "type", row.type) if row.type else ("A therapy", "后续治疗")
    known = _remission(row, state)
    unsure = (
        (" Whether it broke the protocol cannot be told.", "无法判定是否违反方案。") if pending else ("", "")
    )
    return Finding(
        key=f"subsequent_therapy:{row.pk}",
        en=f"{kind[0]} begun on {row.start_date or '?'}, before {until}; remission then: {known[0]}.{unsure[0]}",
        zh=f"{kind[1]}开始于 {row.start_date or '?'},早于 {until};当时缓解状态:{known[1]}。{unsure[1]}",
        form="subsequent_therapy",
        record=row.pk,
        field="start_date",
        facts=seen,
        limit=f"≥ {until}",
        pending=pending,
    )


def _remission(row: Any, state: Observed | None) -> tuple[str, str]:
    """What was known of the remission when the therapy began, and of which day."""
    if state is None:
        return words(SubsequentTherapy, "in_remission", row.in_remission) if row.in_remission else ("?", "?")
    form = {"response": Response, "survival_ltfu": SurvivalLtfu}[state.form]
    en, zh = words(form, state.field, state.said)
    return f"{en} ({state.day})", f"{zh} ({state.day})"
