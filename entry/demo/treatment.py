"""Lymphodepletion, the infusion, and the days on the ward and after."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dosing.arithmetic import body_surface, dose_mg
from entry.demo.forms import WRITERS, chemistry, haematology, vital_signs
from entry.demo.outcome import answer_of_disease, contact, dose_limiting, marrow
from entry.demo.product import BEDSIDE, DELIVERY, bag, cells_given, custody, manufacture
from entry.demo.screening import judge
from entry.demo.story import MARK, Story, at
from trial.protocol import V1
from visits.schedule import VISITS

LYMPHODEPLETION = ("LD-5", "LD-4", "LD-3")
DAILY = tuple(f"D{day}" for day in range(1, 15))
BOTH = ("FLUDARABINE", "CYCLOPHOSPHAMIDE")
WRITERS_OF_ALL = {**WRITERS, "bone_marrow": marrow, "response": answer_of_disease, "survival_ltfu": contact}
WRITERS_OF_ALL["dlt_assessment"] = dose_limiting


def deplete(story: Story, *, drugs: Sequence[str] = BOTH, too_much: str = "", factor: str = "1.15") -> None:
    """Three days of lymphodepletion. `too_much` names a drug of which `factor` times the plan is given once."""
    judge(story, "PRE_LD", story.nominal("LD-5") - timedelta(days=1))
    for visit in LYMPHODEPLETION:
        day = story.nominal(visit)
        story.put("visit", visit, actual_date=day)
        vital_signs(story, visit, day)
        haematology(story, visit, day)
        chemistry(story, visit, day)
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


def prepare(story: Story, **batch: Any) -> None:
    """From the harvested batch to the last day before the infusion."""
    manufacture(story, **batch)
    custody(story, DELIVERY)


def infuse(
    story: Story,
    *,
    dose: float = 1.0,
    thawing: tuple[str, str] = ("09:30", "09:45"),
    ended: str = "10:25",
    second: str = "sub_investigator",
) -> Any:
    """Day 0: allocation, bedside check, infusion at ten o'clock, vital signs around it.

    `dose` is the share of the planned dose given; `thawing` and `ended` are times;
    `second` is the role of the second person at the bedside.
    """
    day = story.on(0)
    judge(story, "PRE_INFUSION", day)
    story.put("dose_allocation", allocated_dt=at(day - timedelta(days=1), "16:00"), level=story.level)
    made = story.put(
        "infusion",
        part_no=1,
        batch=story.kept[("manufacturing", "")],
        bag_ids=bag(story),
        thaw_start_dt=at(day, thawing[0]),
        thaw_end_dt=at(day, thawing[1]),
        post_thaw_viability_pct=f"{story.vary(88, 0.04):.1f}",
        post_thaw_car_pct=f"{story.vary(40, 0.15):.1f}",
        bedside_id_check=True,
        verified_by_1=story.person("pharmacist"),
        verified_by_2=story.person(second),
        tocilizumab_available=True,
        premed_given=True,
        premed=("PARACETAMOL", "DIPHENHYDRAMINE"),
        inf_start_dt=at(day, "10:00"),
        inf_end_dt=at(day, ended),
        interrupted=False,
        reaction=False,
        dosing_weight_kg=story.body.weight_kg,
        volume_infused_ml=round(story.vary(50, 0.1)),
        actual_per_kg=cells_given(story, dose * story.vary(0.97, 0.02)),
    )
    custody(story, BEDSIDE)
    attend(story, "D0", day)
    return made


def attend(story: Story, visit: str, day: date | None = None, *, leave_out: Sequence[str] = ()) -> bool:
    """A visit with every form the schedule requires of it, if its day is over. Says whether it took place."""
    day = day or story.nominal(visit)
    if not story.past(day):
        return False
    story.put("visit", visit, actual_date=day)
    for form in VISITS[visit].forms:
        if form in WRITERS_OF_ALL and form not in leave_out:
            WRITERS_OF_ALL[form](story, visit, day)
    return True


def stay(story: Story, until: int = 14) -> None:
    """The daily visits on the ward up to a day."""
    for visit in DAILY[:until]:
        attend(story, visit)


def come_back(story: Story, *visits: str) -> None:
    """Visits after the ward, on the days the schedule gives them."""
    for visit in visits:
        attend(story, visit)
