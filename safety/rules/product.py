"""The product: DV-35, DV-37, DV-39, DV-42."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from dosing.models import Infusion, Manufacturing
from safety.casebook import Casebook
from safety.rules.evidence import facts as answers
from trial.item import Basis, words
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
    limit_zh: str = "",
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
        limit_zh=limit_zh,
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
    """The infused batch was released, or infused under an out-of-specification exception that is signed."""
    exception = protocol.exception_decision.value
    released = tuple(dict.fromkeys((*protocol.infusable_decisions.value, exception)))
    asked = words(Manufacturing, "release_decision", *released)
    for infusion in book.infusions:
        batch = _batch(book, infusion)
        decision = batch.release_decision if batch else ""
        unsigned = decision == exception and not book.signed(batch, "RELEASE")
        if decision in released and not unsigned:
            continue
        why = (", not signed", ",未签名") if unsigned else ("", "")
        day = book.day(infusion.inf_start_dt)
        unknown = batch is None or not decision
        facts: tuple[Fact, ...] = (Fact("infusion", infusion.pk, "batch", str(infusion.batch_id or "")),)
        if batch is not None:
            facts += (Fact("manufacturing", batch.pk, "release_decision", decision),)
        name = batch.batch_no if batch else "—"
        said = words(Manufacturing, "release_decision", decision) if decision else ("not recorded", "未记录")
        yield _finding(
            infusion,
            "release",
            f"Infused on {day} from batch {name}, whose release decision is “{said[0]}”{why[0]}.",
            f"于 {day} 回输批次 {name},其放行结论为“{said[1]}”{why[1]}。",
            "batch",
            facts,
            asked[0],
            pending=unknown,
            limit_zh=asked[1],
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
    """The infusion starts on or before the batch's expiry date; without the batch or its date the rule cannot tell."""
    for infusion in book.infusions:
        batch, day = _batch(book, infusion), book.day(infusion.inf_start_dt)
        if batch is None or batch.expiry_date is None:
            yield _no_expiry(infusion, batch, day)
            continue
        if day is None or day <= batch.expiry_date:
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


def _no_expiry(infusion: Any, batch: Any | None, day: date | None) -> Finding:
    en, zh = (
        ("no batch is named", "未填写批次")
        if batch is None
        else (
            f"the expiry date of batch {batch.batch_no or '—'} is not entered",
            f"批次 {batch.batch_no or '—'} 未填写有效期",
        )
    )
    seen: tuple[Fact, ...] = (Fact("infusion", infusion.pk, "batch", str(infusion.batch_id or "")),)
    if batch is not None:
        seen += (Fact("manufacturing", batch.pk, "expiry_date", ""),)
    return _finding(
        infusion,
        "expiry",
        f"Infused on {day}; {en}, so whether the product had expired cannot be told.",
        f"于 {day} 回输;{zh},无法判定制剂是否过期。",
        "batch",
        seen,
        "",
        pending=True,
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
            answers("infusion", infusion, "bedside_id_check", "verified_by_1_id", "verified_by_2_id"),
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
    reads=(Infusion, Manufacturing),
)
def thawed_product_infused_in_time(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """The infusion starts soon after thawing and ends soon after it starts. While a time is not entered the rule cannot
    tell; only a cryopreserved product is thawed."""
    limits = (
        ("thaw_to_inf_min", protocol.thaw_max_min.value),
        ("duration_min", protocol.infusion_max_min.value),
    )
    for infusion in book.infusions:
        batch = _batch(book, infusion)
        frozen = batch is not None and batch.formulation == "CRYOPRESERVED"
        for field, most in limits:
            minutes = getattr(infusion, field)
            what_en, what_zh = (
                ("Thawing to infusion", "复苏至回输") if field == "thaw_to_inf_min" else ("Infusion", "回输")
            )
            if minutes is None and (frozen or field == "duration_min"):
                lacking = "thaw_end_dt" if field == "thaw_to_inf_min" else "inf_end_dt"
                yield _finding(
                    infusion,
                    field,
                    f"{what_en}: how long it took cannot be told, a time is not entered; at most {most} min.",
                    f"{what_zh}:有时间未填写,无法判定用时;最多 {most} 分钟。",
                    lacking,
                    (Fact("infusion", infusion.pk, lacking, ""),),
                    f"≤ {most} min",
                    pending=True,
                )
            elif minutes is not None and minutes > most:
                yield _finding(
                    infusion,
                    field,
                    f"{what_en} took {minutes} min; at most {most} min.",
                    f"{what_zh}用时 {minutes} 分钟;最多 {most} 分钟。",
                    field,
                    (Fact("infusion", infusion.pk, field, str(minutes)),),
                    f"≤ {most} min",
                )
