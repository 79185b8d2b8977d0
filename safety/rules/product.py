"""The product: DV-35, DV-37, DV-39, DV-42."""

from collections.abc import Iterator
from typing import Any

from dosing.models import Infusion, Manufacturing
from safety.casebook import Casebook
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule


def _batch(book: Casebook, infusion: Infusion) -> Any | None:
    return next((m for m in book.of(Manufacturing) if m.pk == infusion.batch_id), None)


def _finding(
    infusion: Any,
    what: str,
    en: str,
    zh: str,
    field: str,
    facts: tuple[Fact, ...],
    limit: str,
    *,
    pending: bool = False,
) -> Finding:
    return Finding(
        key=f"{what}:{infusion.pk}",
        en=en,
        zh=zh,
        form="infusion",
        record=infusion.pk,
        field=field,
        facts=facts,
        limit=limit,
        pending=pending,
    )


@rule(
    "DV-35",
    en="Product not released was infused",
    zh="回输未放行的制剂",
    cites="GMP; clinical specification, DV-35",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="PRODUCT",
    reads=(Infusion, Manufacturing),
)
def infused_product_was_released(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The infused batch was released, or infused under an out-of-specification exception."""
    released = (*protocol.infusable_decisions.value, protocol.exception_decision.value)
    for infusion in book.infusions:
        batch = _batch(book, infusion)
        decision = batch.release_decision if batch else ""
        if decision in released:
            continue
        unknown = batch is None or not decision
        facts: tuple[Fact, ...] = (Fact("infusion", infusion.pk, "batch", str(infusion.batch_id or "")),)
        if batch is not None:
            facts += (Fact("manufacturing", batch.pk, "release_decision", decision),)
        name = batch.batch_no if batch else "—"
        yield _finding(
            infusion,
            "release",
            f"Infused on {book.day(infusion.inf_start_dt)} from batch {name}, whose release decision is {decision or 'not recorded'}.",
            f"于 {book.day(infusion.inf_start_dt)} 回输批次 {name},其放行结论为{decision or '未记录'}。",
            "batch",
            facts,
            " / ".join(dict.fromkeys(released)),
            pending=unknown,
        )


@rule(
    "DV-37",
    en="Expired product was infused",
    zh="回输过期制剂",
    cites="Clinical specification, DV-37",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="PRODUCT",
    reads=(Infusion, Manufacturing),
)
def infused_product_not_expired(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The infusion starts on or before the batch's expiry date."""
    for infusion in book.infusions:
        batch, day = _batch(book, infusion), book.day(infusion.inf_start_dt)
        if batch is None or batch.expiry_date is None or day is None or day <= batch.expiry_date:
            continue
        yield _finding(
            infusion,
            "expiry",
            f"Infused on {day}; batch {batch.batch_no} had expired on {batch.expiry_date}.",
            f"于 {day} 回输;批次 {batch.batch_no} 已于 {batch.expiry_date} 过期。",
            "inf_start_dt",
            (Fact("manufacturing", batch.pk, "expiry_date", str(batch.expiry_date)),),
            f"≤ {batch.expiry_date}",
        )


@rule(
    "DV-39",
    en="Bedside identity check missing",
    zh="床旁身份核对缺失",
    cites="Clinical specification, DV-39",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="PRODUCT",
    reads=(Infusion,),
)
def bedside_identity_checked(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Before the infusion two different persons checked the subject's and the product's identity at the bedside."""
    for infusion in book.infusions:
        one, two = infusion.verified_by_1_id, infusion.verified_by_2_id
        if infusion.bedside_id_check is True and one and two and one != two:
            continue
        unanswered = infusion.bedside_id_check is None
        yield _finding(
            infusion,
            "bedside",
            "The identity check at the bedside is not documented with two different persons.",
            "床旁身份核对未由两名不同人员记录完成。",
            "bedside_id_check",
            (Fact("infusion", infusion.pk, "bedside_id_check", str(infusion.bedside_id_check)),),
            "2",
            pending=unanswered,
        )


@rule(
    "DV-42",
    en="Too long from thawing to infusion, or infusion too slow",
    zh="复苏至回输或回输时间过长",
    cites="Clinical specification, DV-42 (default 30 and 60 min)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PRODUCT",
    reads=(Infusion,),
)
def thawed_product_infused_in_time(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The infusion starts soon after thawing and ends soon after it starts."""
    limits = (
        ("thaw_to_inf_min", protocol.thaw_max_min.value),
        ("duration_min", protocol.infusion_max_min.value),
    )
    for infusion in book.infusions:
        for field, most in limits:
            minutes = getattr(infusion, field)
            if minutes is not None and minutes > most:
                what_en, what_zh = (
                    ("Thawing to infusion", "复苏至回输")
                    if field == "thaw_to_inf_min"
                    else ("Infusion", "回输")
                )
                yield _finding(
                    infusion,
                    field,
                    f"{what_en} took {minutes} min; at most {most} min.",
                    f"{what_zh}用时 {minutes} 分钟;最多 {most} 分钟。",
                    field,
                    (Fact("infusion", infusion.pk, field, str(minutes)),),
                    f"≤ {most} min",
                )
