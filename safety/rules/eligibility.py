"""DV-08, DV-09, DV-10: limits of the registry that are read from one form each."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from safety.casebook import Casebook
from safety.milestones import READS, Reached, enrolment
from subjects.crf import CRF
from subjects.models import Demographics
from trial.dates import completed_years, span_of
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from visits.models import BoneMarrow, Ecog


@rule(
    "DV-08",
    en="Age outside 18 to 65 at consent",
    zh="签署知情同意时年龄不在 18 至 65 岁",
    cites="Registry I-06: Age 18 to 65",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=(Demographics, *READS),
)
def age_within_limits(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """An enrolled subject was 18 to 65 completed years old on the day of consent. A birth date known only in part
    breaks the rule when every day it could be does, and cannot be told when only some do; nor can it without one."""
    consent, reached = book.consent_day, enrolment(book)
    if consent is None or reached is None:
        return
    low, high = protocol.age_min.value, protocol.age_max.value
    people = book.of(Demographics)
    if not any(person.birth_date for person in people):
        record = people[0].pk if people else None
        yield _nothing(
            reached, Demographics, record, "birth_date", ("date of birth", "出生日期"), f"{low}–{high}"
        )
    for person in people:
        born = span_of(person.birth_date, book.zone)
        if born is None:
            continue
        youngest, oldest = completed_years(born.last, consent), completed_years(born.first, consent)
        outside = [not low <= years <= high for years in (youngest, oldest)]
        if any(outside):
            yield _age_finding(
                person, youngest, oldest, (low, high), consent, certain=youngest > high or oldest < low
            )


def _age_finding(
    person: Any, youngest: int, oldest: int, limits: tuple[int, int], consent: date, *, certain: bool
) -> Finding:
    age = str(youngest) if youngest == oldest else f"{youngest}–{oldest}"
    low, high = limits
    unsure = (
        ("", "")
        if certain
        else (" The date of birth is not known well enough to tell.", "出生日期不够完整,无法判定。")
    )
    return Finding(
        key=f"demographics:{person.pk}",
        en=f"Age {age} at the consent of {consent}; the protocol admits {low} to {high}.{unsure[0]}",
        zh=f"签署知情同意({consent})时年龄 {age} 岁;方案要求 {low} 至 {high} 岁。{unsure[1]}",
        form="demographics",
        record=person.pk,
        field="birth_date",
        facts=(Fact("demographics", person.pk, "birth_date", str(person.birth_date)),),
        limit=f"{low}–{high}",
        pending=not certain,
    )


def _nothing(
    reached: Reached, form: type[CRF], record: UUID | None, field: str, what: tuple[str, str], limit: str
) -> Finding:
    """What an enrolled subject was enrolled without."""
    return Finding(
        key="nothing",
        en=f"Enrolled on {reached.day}; no {what[0]} is recorded up to then, so the limit cannot be told to be kept.",
        zh=f"于 {reached.day} 入组;此前无{what[1]}记录,无法判定是否符合限值。",
        form=form.form,
        record=record,
        field=field,
        facts=(Fact(form.form, record, field, ""), reached.fact),
        limit=limit,
        pending=True,
    )


def _last_before(rows: Any, item: str, day_item: str, limit: date, zone: str) -> Any | None:
    """The newest row with an answer to `item`, dated on or before `limit`."""
    dated = [(span_of(getattr(r, day_item), zone), r) for r in rows if getattr(r, item) is not None]
    known = [(when.last, r) for when, r in dated if when is not None and when.last <= limit]
    return max(known, key=lambda pair: pair[0])[1] if known else None


@rule(
    "DV-09",
    en="ECOG above 1 at enrolment",
    zh="入组时 ECOG 评分大于 1",
    cites="Registry I-09: ECOG performance status of 0 to 1",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=(Ecog, *READS),
)
def ecog_within_limit(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last ECOG performance status on or before enrolment is 0 or 1; without one the rule cannot tell."""
    reached, limit = enrolment(book), protocol.ecog_max.value
    if reached is None:
        return
    enrolled = reached.day
    last = _last_before(book.of(Ecog), "ecog", "ecog_date", enrolled, book.zone)
    if last is None:
        yield _nothing(reached, Ecog, None, "ecog", ("ECOG performance status", " ECOG 评分"), f"≤ {limit}")
    elif last.ecog > limit:
        yield Finding(
            key=f"ecog:{last.pk}",
            en=f"ECOG {last.ecog} on {last.ecog_date}, the last before enrolment ({enrolled}); at most {limit} is admitted.",
            zh=f"入组({enrolled})前末次 ECOG 评分为 {last.ecog}({last.ecog_date});方案要求不超过 {limit}。",
            form="ecog",
            record=last.pk,
            field="ecog",
            facts=(
                Fact("ecog", last.pk, "ecog", str(last.ecog)),
                Fact("ecog", last.pk, "ecog_date", str(last.ecog_date)),
            ),
            limit=f"≤ {limit}",
        )


@rule(
    "DV-10",
    en="Marrow blasts below 5 % at enrolment",
    zh="入组时骨髓原始细胞低于 5%",
    cites="Registry I-03: bone marrow with ≥ 5% lymphoblasts by morphologic assessment",
    basis=Basis.REGISTRY,
    severity=Severity.IMPORTANT,
    category="ELIGIBILITY",
    reads=(BoneMarrow, *READS),
)
def marrow_blasts_suffice(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last marrow on or before enrolment shows at least 5 % lymphoblasts by morphology. An aspirate that was not
    adequate shows nothing; without any other the rule cannot tell."""
    reached, limit = enrolment(book), protocol.blasts_min_pct.value
    if reached is None:
        return
    enrolled = reached.day
    rows = [row for row in book.of(BoneMarrow) if row.aspirate_adequate is not False]
    last = _last_before(rows, "blast_pct_morph", "bm_dt", enrolled, book.zone)
    if last is None:
        what = ("adequate marrow with lymphoblasts by morphology", "合格的骨髓形态学原始淋巴细胞")
        yield _nothing(reached, BoneMarrow, None, "blast_pct_morph", what, f"≥ {limit} %")
    elif last.blast_pct_morph < limit:
        yield Finding(
            key=f"bone_marrow:{last.pk}",
            en=f"{last.blast_pct_morph} % lymphoblasts on {book.day(last.bm_dt)}, the last marrow before enrolment "
            f"({enrolled}); at least {limit} % is required.",
            zh=f"入组({enrolled})前末次骨髓({book.day(last.bm_dt)})形态学原始淋巴细胞 {last.blast_pct_morph}%;方案要求不低于 {limit}%。",
            form="bone_marrow",
            record=last.pk,
            field="blast_pct_morph",
            facts=(Fact("bone_marrow", last.pk, "blast_pct_morph", str(last.blast_pct_morph)),),
            limit=f"≥ {limit} %",
        )
