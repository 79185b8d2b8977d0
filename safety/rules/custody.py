"""DV-38 and DV-40: the chain of identity without a break, and the product kept cold."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from dosing.codelists import COI_STEP
from dosing.models import ChainOfIdentity, Infusion, Manufacturing
from safety.casebook import Casebook
from safety.rules.evidence import all_facts, facts
from trial.item import Basis
from trial.protocol import Protocol
from trial.rules import Fact, Finding, Severity, rule
from trial.text import both

FORM = "chain_of_identity"
STEPS = tuple(code for code, _, _ in COI_STEP.rows)
FROZEN, FRESH = "CRYOPRESERVED", "FRESH"


def _finding(
    key: str,
    row: Any,
    field: str,
    en: str,
    zh: str,
    seen: tuple[Fact, ...],
    limit: str = "",
    *,
    pending: bool = False,
) -> Finding:
    return Finding(key, en, zh, FORM, row.pk, field, seen, limit, pending)


def _steps(codes: Any) -> tuple[str, str]:
    named = [both(COI_STEP.label(code)) for code in codes]
    return ", ".join(one["en"].lower() for one in named), "、".join(one["zh"] for one in named)


def _formulations(book: Casebook) -> set[str]:
    """How the subject's batches are formulated; "" stands for a batch that does not say."""
    return {m.formulation for m in book.of(Manufacturing)}


@rule(
    "DV-38",
    en="Break in the chain of identity",
    zh="身份链中断",
    cites="Clinical specification, DV-38; FACT-JACIE, chain of identity",
    basis=Basis.DEFAULT,
    severity=Severity.IMPORTANT,
    category="PRODUCT",
    reads=(ChainOfIdentity, Infusion, Manufacturing),
)
def chain_of_identity_unbroken(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """Every step of a subject's material carries the same chain-of-identity number; no mandatory step is missing
    before a later one, and none at all once the product was infused; where two persons are asked for, two acted."""
    rows = book.of(ChainOfIdentity)
    yield from _other_numbers(rows)
    yield from _missing_steps(book, rows, protocol)
    for row in rows:
        if row.step in protocol.coi_two_person_steps.value:
            yield from _two_persons(row)


def _other_numbers(rows: Any) -> Iterator[Finding]:
    counted = Counter(row.coi_id.strip() for row in rows if row.coi_id.strip())
    usual = max(counted, key=lambda number: counted[number], default="")
    for row in rows:
        number = row.coi_id.strip()
        if number and number != usual:
            step = _steps([row.step])
            yield _finding(
                f"number:{row.pk}",
                row,
                "coi_id",
                f"The step “{step[0]}” carries {number}, other steps of the subject {usual}.",
                f"环节“{step[1]}”的身份链编号为 {number},其他环节为 {usual}。",
                all_facts(FORM, rows, "coi_id"),
                usual,
            )
        elif not number:
            yield _finding(
                f"number:{row.pk}",
                row,
                "coi_id",
                "A step has no chain-of-identity number; whether it belongs to the subject cannot be told.",
                "某环节未填写身份链编号;无法判定是否属于该受试者。",
                facts(FORM, row, "step", "coi_id"),
                usual,
                pending=True,
            )


def _missing_steps(book: Casebook, rows: Any, protocol: Protocol) -> Iterator[Finding]:
    done = {row.step for row in rows}
    thawed = protocol.coi_thawed_steps.value if FROZEN in _formulations(book) else ()
    wanted = [step for step in STEPS if step in (*protocol.coi_mandatory_steps.value, *thawed)]
    reached = [step for step in wanted if step in done]
    infused = bool(book.infusions)
    owed = wanted if infused else wanted[: wanted.index(reached[-1])] if reached else []
    missing = [step for step in owed if step not in done]
    if not missing:
        return
    en, zh = _steps(missing)
    if infused:
        infusion = book.infusions[0]
        since = (f"infused on {book.day0}", f"已于 {book.day0} 回输")
        form, record, field = "infusion", infusion.pk, "inf_start_dt"
        seen = facts("infusion", infusion, "inf_start_dt")
    else:
        row = next(row for row in rows if row.step == reached[-1])
        later = _steps([row.step])
        since = (f"“{later[0]}” is recorded already", f"已记录“{later[1]}”")
        form, record, field, seen = FORM, row.pk, "step", ()
    asked = _steps(wanted)
    yield Finding(
        key="steps",
        en=f"Missing in the chain of identity: {en}; {since[0]}.",
        zh=f"身份链缺少环节:{zh};{since[1]}。",
        form=form,
        record=record,
        field=field,
        facts=(*seen, *all_facts(FORM, rows, "step")),
        limit=asked[0],
        limit_zh=asked[1],
    )


def _two_persons(row: Any) -> Iterator[Finding]:
    one, two = row.performed_by_id, row.verified_by_id
    if one is not None and two is not None and one != two:
        return
    known = one is not None and two is not None
    en, zh = _steps([row.step])
    said = (
        (f"“{en}” was performed and verified by the same person.", f"“{zh}”的执行人与复核人为同一人。")
        if known
        else (
            f"“{en}” does not name two persons; whether two acted cannot be told.",
            f"“{zh}”未记录两名人员;无法判定是否双人操作。",
        )
    )
    yield _finding(
        f"persons:{row.pk}",
        row,
        "verified_by",
        *said,
        facts(FORM, row, "performed_by_id", "verified_by_id"),
        "2",
        pending=not known,
    )


@rule(
    "DV-40",
    en="Cold chain not kept",
    zh="冷链超温",
    cites="Clinical specification, DV-40 (default limit)",
    basis=Basis.DEFAULT,
    severity=Severity.MAJOR,
    category="PRODUCT",
    reads=(ChainOfIdentity, Manufacturing),
)
def cold_chain_kept(book: Casebook, protocol: Protocol) -> Iterator[Finding]:
    """No step reports a temperature excursion, and a cryopreserved product is never warmer than the limit while it is
    shipped, received and stored. Without a temperature, or without knowing the formulation, the rule cannot tell."""
    formulations = _formulations(book)
    for row in book.of(ChainOfIdentity):
        if row.excursion is True:
            yield _warm(row, "a temperature excursion is reported", "报告了温度超标", protocol)
        elif row.step in protocol.cryo_steps.value and formulations != {FRESH}:
            yield from _temperature(row, formulations, protocol)


def _temperature(row: Any, formulations: set[str], protocol: Protocol) -> Iterator[Finding]:
    limit = protocol.cryo_max_c.value
    highest = row.temp_max_c if row.temp_max_c is not None else row.temp_min_c
    if highest is not None and highest > limit:
        certain = formulations == {FROZEN}
        unsure = (
            ("", "") if certain else ("; whether the product is cryopreserved is not known", ";制剂形式未知")
        )
        yield _warm(
            row,
            f"it reached {highest} °C{unsure[0]}",
            f"最高 {highest} °C{unsure[1]}",
            protocol,
            pending=not certain,
        )
    elif row.temp_max_c is None:
        yield _warm(row, "no highest temperature is recorded", "未记录最高温度", protocol, pending=True)


def _warm(row: Any, en: str, zh: str, protocol: Protocol, *, pending: bool = False) -> Finding:
    step, limit = _steps([row.step]), protocol.cryo_max_c.value
    return _finding(
        f"{FORM}:{row.pk}",
        row,
        "excursion" if row.excursion is True else "temp_max_c",
        f"Step “{step[0]}”: {en}; a cryopreserved product is kept at {limit} °C or below.",
        f"环节“{step[1]}”:{zh};冻存制剂应保持在 {limit} °C 或以下。",
        facts(FORM, row, "step", "excursion", "temp_min_c", "temp_max_c"),
        f"≤ {limit} °C",
        pending=pending,
    )
