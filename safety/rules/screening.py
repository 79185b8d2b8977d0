"""DV-11, DV-18 and DV-24: what screening had to show, and how old it was at enrolment."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from safety.casebook import Casebook
from safety.eligibility.evaluate import JUDGES
from safety.eligibility.measurements import GROUPS, Group, read
from safety.eligibility.stood import READS, Stood, stood
from safety.milestones import Reached, enrolment
from safety.rules.criteria import judged, undecided
from safety.rules.grounds import fact
from subjects.crf import CRF
from subjects.models import InformedConsent, PregnancyTest
from trial.item import Basis, items
from trial.logic import Verdict
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from trial.text import both
from visits.conditions import Known, woman_of_childbearing_potential
from visits.models import Haematology
from visits.schedule import schedule_of

SCREENING = "SCREENING"
_COUNTS = Group(
    Haematology, {"wbc": "wbc_value"}, "I-04", lambda protocol, m: protocol.max_age_days.value["haematology"]
)
"""Blood counts decide no criterion, yet have to be recent."""


@rule(
    "DV-11",
    en="CD19 not demonstrated by flow cytometry",
    zh="流式细胞术未证实 CD19 表达",
    cites="Registry I-02: CD19 tumor expression demonstrated in bone marrow or peripheral blood by flow cytometry",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def cd19_was_demonstrated(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last CD19 result before enrolment is positive, by flow cytometry of marrow or blood. Another method or
    specimen, or a result that is neither, does not demonstrate it; no result at all is pending."""
    reached = enrolment(book)
    if reached is None:
        return
    told = stood(book, protocol, reached)
    verdict = JUDGES["I-02"].check(told.last, protocol)
    if verdict is Verdict.UNKNOWN and told.last.cd19_result:
        decision = JUDGES["I-02"](told.last, protocol)
        ask = _not_as_asked(told, protocol)
        yield undecided(book, protocol, told, decision, "enrolment", ask=ask, pending=False)
    elif verdict is not Verdict.MET:
        yield from judged(book, protocol, reached, "I-02")


def _not_as_asked(told: Stood, protocol: Protocol) -> str:
    """The fact that keeps a result from demonstrating anything."""
    if told.last.cd19_method != protocol.cd19_method.value:
        return "cd19_method"
    return "cd19_result" if told.last.cd19_specimen in protocol.cd19_specimens.value else "cd19_specimen"


@rule(
    "DV-18",
    en="Viral exclusion present, or HBV DNA missing",
    zh="存在病毒学排除情况,或缺少 HBV-DNA",
    cites="Registry E-05 and E-07: hepatitis B and C, treponema, EBV, CMV, HIV, COVID-19",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=READS,
)
def no_viral_exclusion(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """At enrolment neither E-05 nor E-07 is met, and whoever has HBeAb or HBcAb has a result of HBV DNA that is recent
    enough: without one the rule is broken. Any other result that is lacking, indeterminate or too old is pending."""
    reached = enrolment(book)
    if reached is None:
        return
    for id_ in ("E-05", "E-07"):
        for finding in judged(book, protocol, reached, id_, key=f"criterion:{id_}"):
            yield _hbv_dna_missing(book, protocol, reached, finding) or finding


def _hbv_dna_missing(
    book: Casebook, protocol: Protocol, reached: Reached, finding: Finding
) -> Finding | None:
    """The same finding as a breach, when all that E-05 waits for is HBV DNA that had to be measured."""
    told = stood(book, protocol, reached)
    found = replace(told.valid, hbv_dna=next(iter(protocol.dna_above_detection.value)))
    needed = JUDGES["E-05"].check(found, protocol) is Verdict.MET
    if not finding.pending or not finding.key.endswith("E-05") or not needed:
        return None
    shown = [fact(book, "E-05", name, told.last, protocol) for name in ("hbeab", "hbcab", "hbv_dna")]
    record = next((one.record for one in reversed(shown) if one.record), None)
    return replace(
        finding, pending=False, record=record, field="hbv_dna_result", facts=(*shown, reached.fact)
    )


@rule(
    "DV-24",
    en="Screening out of window",
    zh="筛选检查超出时间窗",
    cites="Clinical specification, section 3.0 (default ages) and section 5 (default screening period)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="VISIT_WINDOW",
    reads=tuple(dict.fromkeys((*READS, Haematology))),
)
def screening_is_recent(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """At enrolment every required assessment of screening is at most as old as the protocol lets it be, and consent
    was given within the screening period. One finding for each form; an assessment not recorded is pending."""
    reached = enrolment(book)
    if reached is None:
        return
    yield from _screening_period(book, protocol, reached)
    for form, groups in _assessments(protocol).items():
        if _spared(book, protocol, reached, form):
            continue
        ages = [one for group in groups if (one := _age(book, protocol, reached, group)) is not None]
        old = [one for one in ages if one.days is None or one.days > one.limit]
        if old:
            yield _too_old(form, old, reached)
        elif not ages:
            yield _not_recorded(form, reached, _limit(groups, protocol))


def _screening_period(book: Casebook, protocol: Protocol, reached: Reached) -> Iterator[Finding]:
    consent, most = book.initial_consent, protocol.screening_max_days.value
    if consent is None:
        return
    signed = book.day(consent.consent_dt)
    assert signed is not None
    days = (reached.day - signed).days
    if days > most:
        yield Finding(
            key="consent",
            en=f"Enrolled on {reached.day}, {days} days after the consent of {signed}; at most {most}.",
            zh=f"于 {reached.day} 入组,距签署知情同意({signed}){days} 天;最多 {most} 天。",
            form=reached.form,
            record=reached.record,
            field=reached.field,
            facts=(
                reached.fact,
                Fact(InformedConsent.form, consent.pk, "consent_dt", consent.consent_dt.isoformat()),
            ),
            limit=f"≤ {most} d",
        )


def _assessments(protocol: Protocol) -> dict[type[CRF], list[Group]]:
    """The groups that may grow old, by the forms that screening requires, and the pregnancy test."""
    required = (*schedule_of(protocol.version).by_code["SCR"].forms, PregnancyTest.form)
    found: dict[type[CRF], list[Group]] = {}
    for group in (*GROUPS, _COUNTS):
        if group.form.dated_by and group.form.form in required:
            found.setdefault(group.form, []).append(group)
    return found


def _limit(groups: list[Group], protocol: Protocol) -> str:
    ages = {age for group in groups if (age := group.max_age(protocol, SCREENING)) is not None}
    return " / ".join(f"≤ {age} d" for age in sorted(ages))


def _spared(book: Casebook, protocol: Protocol, reached: Reached, form: type[CRF]) -> bool:
    """Whether the form is not asked of this subject: pregnancy is tested in women who can bear children."""
    facts = stood(book, protocol, reached).valid
    known = Known(reached.day, sex=facts.sex or "", childbearing=facts.wocbp or "")
    return form is PregnancyTest and woman_of_childbearing_potential(known, protocol) is False


@dataclass(frozen=True)
class _Age:
    """How old the last answer to some items of a form was at enrolment; `days` is None without a date."""

    record: Any
    field: str
    value: str
    day: str
    days: int | None
    limit: int


def _age(book: Casebook, protocol: Protocol, reached: Reached, group: Group) -> _Age | None:
    """None when nothing was answered, or when it may be of any age."""
    most, reading = group.max_age(protocol, SCREENING), read(book, group, reached.day, None)
    if most is None or not reading.facts:
        return None
    lead = next(iter(group.facts))
    source = reading.sources[lead]
    days = (reached.day - date.fromisoformat(source.day)).days if source.day else None
    return _Age(source.record, source.field, str(reading.facts[lead]), source.day, days, most)


def _name(form: Any) -> dict[str, str]:
    return both(form._meta.verbose_name)


def _said(form: type[CRF], field: str) -> tuple[str, str]:
    """What an answer is called on its form."""
    told = items(form).get(field)
    return (told.en, told.zh) if told is not None else (field, field)


def _too_old(form: type[CRF], old: list[_Age], reached: Reached) -> Finding:
    """At the date of the first answer that is too old; pending when none of them has a date."""
    dated = [one for one in old if one.days is not None]
    shown, name = dated or old, _name(form)
    first = shown[0]
    en, zh = (", ".join(_said(form, one.field)[at] for one in shown) for at in (0, 1))
    limit = " / ".join(dict.fromkeys(f"≤ {one.limit} d" for one in shown))
    return Finding(
        key=f"form:{form.form}",
        en=f"{name['en']} of {first.day} ({en}): {first.days} d old at enrolment ({reached.day}); {limit}."
        if dated
        else f"{name['en']} without a date ({en}): how old it was at enrolment ({reached.day}) cannot be told; {limit}.",
        zh=f"{name['zh']}({first.day};{zh}):入组({reached.day})时已 {first.days} 天;要求 {limit}。"
        if dated
        else f"{name['zh']}无日期({zh}):无法判定入组({reached.day})时已有多久;要求 {limit}。",
        form=form.form,
        record=first.record,
        field=form.dated_by,
        facts=(
            *dict.fromkeys(Fact(form.form, one.record, form.dated_by, one.day) for one in shown),
            *(Fact(form.form, one.record, one.field, one.value) for one in shown),
            reached.fact,
        ),
        limit=limit,
        pending=not dated,
    )


def _not_recorded(form: type[CRF], reached: Reached, limit: str) -> Finding:
    name = _name(form)
    return Finding(
        key=f"form:{form.form}",
        en=f"{name['en']}: none is recorded as complete up to enrolment ({reached.day}), so its age cannot be told; {limit}.",
        zh=f"{name['zh']}:至入组({reached.day})无已完成的记录,无法判定其时效;要求 {limit}。",
        form=form.form,
        field=form.dated_by,
        facts=(Fact(form.form, None, form.dated_by, ""), reached.fact),
        limit=limit,
        pending=True,
    )
