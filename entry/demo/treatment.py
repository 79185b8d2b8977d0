"""Lymphodepletion, the infusion, and the days on the ward and after."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dosing.arithmetic import body_surface, dose_mg
from entry.demo.forms import WRITERS, chemistry, ecog, haematology, vital_signs
from entry.demo.outcome import answer_of_disease, contact, dose_limiting, marrow
from entry.demo.product import BEDSIDE, DELIVERY, bag, cells_given, custody, manufacture, volume_for
from entry.demo.screening import check_again, contraception, judge, judgement, lungs, pregnancy_test, serology
from entry.demo.story import MARK, Story, at
from trial.protocol import V1
from visits.schedule import VISITS

LYMPHODEPLETION = ("LD-5", "LD-4", "LD-3")
EARLY = ("D17", "D21", "D28")
MONTHS = ("M2", "M3", "M6", "M9", "M12")
YEARS = ("M15", "M18", "M21", "M24", *(f"Y{year}" for year in range(3, 16)))
FOLLOW_UP = (*EARLY, *MONTHS, *YEARS)
TESTED_ON = ("D28", "M2", "M3")
SAMPLED_ON = ("M15", "M18", "M21", "M24")
DAILY = tuple(f"D{day}" for day in range(1, 15))
BOTH = ("FLUDARABINE", "CYCLOPHOSPHAMIDE")
WRITERS_OF_ALL = {**WRITERS, "bone_marrow": marrow, "response": answer_of_disease, "survival_ltfu": contact}
WRITERS_OF_ALL |= {
    "dlt_assessment": dose_limiting,
    "pregnancy_test": pregnancy_test,
    "contraception": contraception,
}


def deplete(
    story: Story,
    *,
    drugs: Sequence[str] = BOTH,
    too_much: str = "",
    factor: str = "1.15",
    checked: bool = True,
    tested: bool = True,
    creatinine: str = "",
    fever: str = "",
) -> None:
    """Three days of lymphodepletion. `too_much` names a drug of which `factor` times the plan is given once.

    `checked`: eligibility is confirmed and signed before; `tested`: a woman has a pregnancy test before; `creatinine` is
    what is found where it is not as usual, `fever` the temperature of the first morning.
    """
    with story.together():
        for visit in LYMPHODEPLETION:
            day = story.nominal(visit)
            story.put("visit", visit, actual_date=day)
            hot = {"temp_c": fever} if fever and visit == LYMPHODEPLETION[0] else {}
            vital_signs(story, visit, day, **hot)
            haematology(story, visit, day)
            chemistry(story, visit, day, **({"creatinine": creatinine} if creatinine else {}))
            if visit == LYMPHODEPLETION[0]:
                check_again(story, visit, day)
                if story.body.sex == "F" and tested:
                    pregnancy_test(story, visit, day)
                judge(story, "PRE_LD", day, signed=checked)
            for drug in drugs:
                often = Decimal(factor) if drug == too_much and visit == "LD-4" else Decimal(1)
                _dose(story, drug, visit, day, often)
        for visit in ("D-2", "D-1"):
            day = story.nominal(visit)
            story.put("visit", visit, actual_date=day)
            vital_signs(story, visit, day)
    prophylaxis(story, story.nominal("LD-5"))


def _dose(story: Story, drug: str, visit: str, day: date, factor: Decimal) -> None:
    body = story.body
    surface = body_surface(Decimal(body.height_cm), Decimal(body.weight_kg))
    per_m2 = V1.ld_mg_m2.value[drug]
    planned = dose_mg(per_m2, surface)
    assert planned is not None
    mesna = {"mesna_given": True} if drug == "CYCLOPHOSPHAMIDE" else {}
    story.put(
        "lymphodepletion",
        drug=drug,
        planned_day=int(visit.removeprefix("LD")),
        admin_dt=at(day, "10:00" if drug == "FLUDARABINE" else "14:00"),
        weight_kg=body.weight_kg,
        height_cm=body.height_cm,
        planned_mg_m2=per_m2,
        planned_mg=planned,
        actual_mg=(planned * factor).quantize(Decimal("0.1")),
        **mesna,
    )


def prophylaxis(story: Story, day: date) -> None:
    """Against herpes, for as long as the story runs."""
    story.put(
        "con_meds",
        drug=f"Aciclovir 阿昔洛韦 {MARK}",
        drug_class="ANTIVIRAL",
        dose="400",
        dose_unit="mg",
        frequency="BID",
        route="PO",
        start_dt=day,
        ongoing=True,
        indication="PROPHYLAXIS",
    )


def prepare(story: Story, *, skip: str = "", warm: str = "", **batch: Any) -> None:
    """From the harvested batch to the last day before the infusion."""
    manufacture(story, **batch)
    custody(story, DELIVERY, skip=skip, warm=warm)


def infuse(
    story: Story,
    *,
    dose: float = 1.0,
    thawing: tuple[str, str] = ("09:30", "09:45"),
    ended: str = "10:25",
    second: str = "sub_investigator",
    viable: str = "",
    premed: Sequence[str] = ("PARACETAMOL", "DIPHENHYDRAMINE"),
    unseen: str = "",
) -> Any:
    """Day 0: allocation, bedside check, infusion at ten o'clock, vital signs around it.

    `dose` is the share of the planned dose given; `thawing` and `ended` are times; `second` is the role of the second
    person at the bedside; `viable` is the viability after thawing; at the timepoint `unseen` nobody measured.
    """
    day = story.on(0)
    lungs(story, "D0", day)
    judgement(story, "D0")
    if story.body.sex == "F":
        pregnancy_test(story, "D0", day)
    if day != story.planned:
        chemistry(story, "D0", day)
        ecog(story, "D0", day)
        serology(story, "UNSCHED", day - timedelta(days=1))
    judge(story, "PRE_INFUSION", day)
    allocated = at(day - timedelta(days=1), "16:00")
    answers: dict[str, Any] = {"allocated_dt": allocated, "level": story.level}
    if story.level in story.opened:
        answers["src_decision"] = story.opened[story.level]
    allocation = story.put("dose_allocation", **answers)
    story.sign(allocation, "ALLOCATION", "medical_monitor", on=day - timedelta(days=1))
    given = cells_given(story, dose * story.vary(0.97, 0.02))
    made = story.put(
        "infusion",
        part_no=1,
        batch=story.kept[("manufacturing", "")],
        bag_ids=bag(story),
        thaw_start_dt=at(day, thawing[0]),
        thaw_end_dt=at(day, thawing[1]),
        post_thaw_viability_pct=viable or f"{story.vary(88, 0.04):.1f}",
        post_thaw_car_pct=f"{story.vary(40, 0.15):.1f}",
        bedside_id_check=True,
        verified_by_1=story.person("pharmacist"),
        verified_by_2=story.person(second),
        tocilizumab_available=True,
        premed_given=True,
        premed=premed,
        inf_start_dt=at(day, "10:00"),
        inf_end_dt=at(day, ended),
        interrupted=False,
        reaction=False,
        dosing_weight_kg=story.body.weight_kg,
        volume_infused_ml=volume_for(story, given),
        dmso_pct="7.5",
        actual_per_kg=given,
    )
    custody(story, BEDSIDE)
    attend(story, "D0", day, leave_out=("vital_signs",))
    if story.past(day):
        vital_signs(story, "D0", day, unseen)
    return made


def attend(
    story: Story,
    visit: str,
    day: date | None = None,
    *,
    leave_out: Sequence[str] = (),
    also: Sequence[str] = (),
) -> bool:
    """A visit with every form the schedule requires of it, if its day is over. Says whether it took place."""
    day = day or story.nominal(visit)
    if not story.past(day):
        return False
    story.put("visit", visit, actual_date=day)
    for form in (*VISITS[visit].forms, *_asked_under_a_condition(story, visit), *also):
        if form in WRITERS_OF_ALL and form not in leave_out:
            WRITERS_OF_ALL[form](story, visit, day)
    return True


def _asked_under_a_condition(story: Story, visit: str) -> tuple[str, ...]:
    """What a visit asks of some: of women, yearly of all, and as long as the transgene may be found."""
    if visit in TESTED_ON and story.body.sex == "F":
        return ("pregnancy_test",)
    if visit in SAMPLED_ON:
        return ("pk_sample",)
    return ("contraception",) if visit == "M12" else ()


def stay(story: Story, until: int = 14) -> None:
    """The daily visits on the ward up to a day."""
    with story.together():
        for visit in DAILY[:until]:
            attend(story, visit)


def come_back(story: Story, *visits: str) -> None:
    """Visits after the ward, up to two days from where the schedule puts them once they are months apart."""
    with story.together():
        for visit in visits:
            apart = story.dice.randint(-2, 2) if VISITS[visit].months else 0
            attend(story, visit, story.nominal(visit) + timedelta(days=apart))
