"""DV-08, DV-09, DV-10: limits of the registry that are read from one form each."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from dosing.models import Infusion
from safety.calendar import enrolment_day
from safety.casebook import Casebook
from subjects.models import Demographics, Eligibility
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
    reads=(Demographics, Eligibility, Infusion),
)
def age_within_limits(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """An enrolled subject was 18 to 65 completed years old on the day of consent. A birth date known only in part
    breaks the rule when every day it could be does, and cannot be told when only some do."""
    consent = book.consent_day
    if consent is None or enrolment_day(book) is None:
        return
    low, high = protocol.age_min.value, protocol.age_max.value
    for person in book.of(Demographics):
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
    tell_en = "" if certain else " The date of birth is not known well enough to tell."
    tell_zh = "" if certain else "出生日期不够完整,无法判定。"
    return Finding(
        key=f"demographics:{person.pk}",
        en=f"Age {age} at the consent of {consent}; the protocol admits {low} to {high}.{tell_en}",
        zh=f"签署知情同意({consent})时年龄 {age} 岁;方案要求 {low} 至 {high} 岁。{tell_zh}",
        form="demographics",
        record=person.pk,
        field="birth_date",
        facts=(Fact("demographics", person.pk, "birth_date", str(person.birth_date)),),
        limit=f"{low}–{high}",
        pending=not certain,
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
    reads=(Ecog, Eligibility, Infusion),
)
def ecog_within_limit(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last ECOG performance status on or before enrolment is 0 or 1."""
    enrolled = enrolment_day(book)
    last = _last_before(book.of(Ecog), "ecog", "ecog_date", enrolled, book.zone) if enrolled else None
    limit = protocol.ecog_max.value
    if last is not None and last.ecog > limit:
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
    reads=(BoneMarrow, Eligibility, Infusion),
)
def marrow_blasts_suffice(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The last marrow on or before enrolment shows at least 5 % lymphoblasts by morphology."""
    enrolled = enrolment_day(book)
    rows = book.of(BoneMarrow)
    last = _last_before(rows, "blast_pct_morph", "bm_dt", enrolled, book.zone) if enrolled else None
    limit = protocol.blasts_min_pct.value
    if last is not None and last.blast_pct_morph < limit:
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
