"""The product: cells are collected, made into ssCART-19, released, and passed from hand to hand."""

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from dosing.levels import planned_per_kg
from entry.demo.forms import haematology, vital_signs
from entry.demo.screening import judge, judgement, lungs
from entry.demo.story import MARK, Story, at

COLLECTED_AFTER = 3  # days from enrolment to apheresis
HARVESTED_AFTER = 10  # days of manufacturing
RELEASED_AFTER = 17
SHELF_LIFE = 180
FULL_VOLUME_ML = 50
RELEASE_TESTS = {"sterility": "NO_GROWTH", "mycoplasma": "NEGATIVE", "rcl": "NEGATIVE"}

# Step, days after apheresis (None: Day 0), time, place, temperature of cold steps.
COLLECTION = (
    ("COLLECTED", 0, "12:40", "Apheresis unit 单采室", None),
    ("LABELLED", 0, "12:50", "Apheresis unit 单采室", None),
    ("PACKED", 0, "13:10", "Apheresis unit 单采室", None),
    ("SHIPPED_TO_MFG", 0, "13:30", "Courier 冷链运输", ("2.8", "7.1")),
    ("RECEIVED_MFG", 0, "18:20", "Cell laboratory 细胞实验室", ("3.1", "6.6")),
    ("MFG_START", 1, "09:00", "Cell laboratory 细胞实验室", None),
)
DELIVERY = (
    ("HARVESTED", HARVESTED_AFTER + 1, "10:00", "Cell laboratory 细胞实验室", None),
    ("QC_SAMPLED", HARVESTED_AFTER + 1, "11:00", "Cell laboratory 细胞实验室", None),
    ("CRYOPRESERVED", HARVESTED_AFTER + 1, "14:00", "Cell laboratory 细胞实验室", None),
    ("RELEASED", RELEASED_AFTER + 1, "15:00", "Cell laboratory 细胞实验室", None),
    ("SHIPPED_TO_SITE", RELEASED_AFTER + 2, "08:00", "Courier 冷链运输", ("-188.0", "-171.5")),
    ("RECEIVED_SITE", RELEASED_AFTER + 2, "13:00", "Cell bank 细胞库", ("-186.0", "-170.2")),
    ("STORED", RELEASED_AFTER + 2, "13:20", "Cell bank 细胞库", ("-190.0", "-178.0")),
)
BEDSIDE = (
    ("THAWED", None, "09:40", "Ward 病房", None),
    ("BEDSIDE_CHECK", None, "09:50", "Ward 病房", None),
    ("INFUSED", None, "10:25", "Ward 病房", None),
)
SECOND_PERSON = ("LABELLED", "THAWED", "BEDSIDE_CHECK")


def bag(story: Story) -> str:
    """The number on the subject's bag."""
    return f"SYN-{story.subject.subjid}-B1"


def collect(story: Story) -> Any:
    """Apheresis with its visit, and the way of the cells to the laboratory."""
    day = story.enrolled + timedelta(days=COLLECTED_AFTER)
    story.apheresis_day = day
    judge(story, "PRE_APHERESIS", day)
    story.put("visit", "APH", actual_date=day)
    vital_signs(story, "APH", day)
    haematology(story, "APH", day)
    lungs(story, "APH", day)
    judgement(story, "APH")
    cells = story.vary(10.5, 0.2)
    share = story.vary(62, 0.1)
    made = story.put(
        "apheresis",
        aph_start_dt=at(day, "09:00"),
        aph_end_dt=at(day, "12:30"),
        access="PERIPHERAL",
        device=f"Spectra Optia {MARK}",
        blood_volume_ml=round(story.vary(9200, 0.1)),
        product_volume_ml=round(story.vary(120, 0.15)),
        tnc_e9=f"{cells:.2f}",
        cd3_pct=f"{share:.1f}",
        cd3_e9=f"{cells * share / 100:.2f}",
        blast_pct_product=f"{story.vary(6, 0.5):.1f}",
        viability_pct=f"{story.vary(97, 0.02):.1f}",
        bag_ids=bag(story),
        pre_alc=f"{story.vary(1.2, 0.2):.2f}",
        steroid_free_days=15,
        ae_during=False,
    )
    custody(story, COLLECTION)
    return made


def custody(story: Story, steps: tuple[Any, ...], *, skip: str = "", warm: str = "") -> None:
    """Steps of the chain of identity, each by a named person, the critical ones by two. `skip` was never recorded, at
    `warm` the cold was lost."""
    assert story.apheresis_day is not None
    with story.together():
        for step, days, time, place, cold in steps:
            if step == skip:
                continue
            cold = ("-188.0", "-118.4") if step == warm else cold
            day = story.on(0) if days is None else story.apheresis_day + timedelta(days=days)
            temperatures = {"temp_min_c": cold[0], "temp_max_c": cold[1]} if cold else {}
            second = {"verified_by": story.person("pharmacist")} if step in SECOND_PERSON else {}
            story.put(
                "chain_of_identity",
                step=step,
                step_dt=at(day, time),
                coi_id=f"COI-SYN-{story.subject.subjid}",
                subject_ref_checked=True,
                performed_by=story.person("cell_lab"),
                location=place,
                excursion=step == warm,
                bag_ids=bag(story),
                **temperatures,
                **second,
            )


def manufacture(
    story: Story, *, decision: str = "RELEASED", expires: date | None = None, **found: Any
) -> Any:
    """One batch with its certificate; enough cells for the level."""
    assert story.apheresis_day is not None
    start = story.apheresis_day + timedelta(days=1)
    harvest = start + timedelta(days=HARVESTED_AFTER)
    dated = {"release_date": start + timedelta(days=RELEASED_AFTER)} if decision != "REJECTED" else {}
    if found.get("sterility", "NO_GROWTH") in ("NO_GROWTH", "GROWTH"):
        dated["sterility_final_date"] = harvest + timedelta(days=7)
    answers = {
        "batch_no": f"SYN-{story.subject.subjid}-01",
        "apheresis": story.kept[("apheresis", "")],
        "mfg_start_date": start,
        "harvest_date": harvest,
        "expiry_date": expires or harvest + timedelta(days=SHELF_LIFE),
        "formulation": "CRYOPRESERVED",
        "fold_expansion": round(story.vary(64, 0.3)),
        "viability_pct": f"{story.vary(93, 0.03):.1f}",
        "cd3_pct": f"{story.vary(97.5, 0.015):.1f}",
        "car_pos_pct": f"{story.vary(41, 0.2):.1f}",
        "vcn": f"{story.vary(2.1, 0.25):.2f}",
        "il6_knockdown_pct": f"{story.vary(82, 0.08):.1f}",
        "cytotox_pct": f"{story.vary(71, 0.12):.1f}",
        "ifng_pg_ml": round(story.vary(2400, 0.3)),
        "endotoxin_eu_ml": "0.05",
        "residual_beads": story.dice.randrange(60),
        "residual_tumour_pct": "0.01",
        "volume_ml": FULL_VOLUME_ML,
        "release_decision": decision,
        **RELEASE_TESTS,
        **dated,
    }
    answers |= found
    answers["cells_per_ml"] = f"{_concentration(story, answers):.0f}"
    made = story.put("manufacturing", **answers)
    return story.sign(made, "RELEASE", "cell_lab", on=dated.get("release_date", harvest))


def _concentration(story: Story, answers: Mapping[str, Any]) -> float:
    """Nucleated cells per mL, so that the whole volume holds the planned dose."""
    planned = planned_per_kg(story.level)
    assert planned is not None
    return float(planned) * float(story.body.weight_kg) / (FULL_VOLUME_ML * _share(answers))


def _share(answers: Mapping[str, Any]) -> float:
    """The share of viable CAR-positive T cells among the nucleated ones."""
    percents = (float(answers[name]) for name in ("viability_pct", "cd3_pct", "car_pos_pct"))
    return math.prod(percent / 100 for percent in percents)


def volume_for(story: Story, per_kg: str) -> str:
    """The volume of the batch that holds this dose, to a tenth of a mL."""
    batch = story.kept[("manufacturing", "")]
    per_ml = float(batch.cells_per_ml) * _share(
        {n: getattr(batch, n) for n in ("viability_pct", "cd3_pct", "car_pos_pct")}
    )
    return f"{float(per_kg) * float(story.body.weight_kg) / per_ml:.1f}"


def cells_given(story: Story, share: float = 1.0) -> str:
    """The dose per kg as given: the planned dose times `share`, three digits."""
    planned = planned_per_kg(story.level)
    assert planned is not None
    return f"{float(planned) * share:.3g}"
