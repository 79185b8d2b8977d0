"""What a finding says and where it points; and that the order in which forms were entered changes no finding."""

from datetime import date
from typing import Any

import pytest

from safety.engine import find
from safety.rules import RULES
from subjects.models import EndOfStudy, SubsequentTherapy
from tests.books import at, book
from tests.people import NOW, Change, also, both, changed, put, without
from tests.test_rules import BROKEN as FIRST
from tests.test_rules_medication import ROWS as MEDICATION
from tests.test_rules_product import ROWS as PRODUCT
from tests.test_rules_product import D, kidneys, without_steps
from tests.test_rules_rechecks import ROWS as RECHECKS
from tests.test_rules_visits import ROWS as VISITS
from tests.test_rules_visits import TOCI, drug
from trial.protocol import V1

CHEMO = date(2026, 6, 15)
TOLD: list[tuple[str, Change, str, str]] = [
    # rule, what is changed, where it is mended, what is said
    (
        "DV-31",
        put("infusion", inf_start_dt=at("2026-03-14")),
        "infusion.inf_start_dt",
        "1 days from the last lymphodepletion dose (2026-03-13) to Day 0 (2026-03-14); 2 to 7 are planned.",
    ),
    (
        "DV-32",
        kidneys("103"),
        "lymphodepletion.actual_mg",
        "54.6 mg fludarabine at a creatinine clearance of 79.3 mL/min: factor 0.8, at most 10 % above.",
    ),
    (
        "DV-32",
        both(kidneys("280"), *(put(f"flu{n}", actual_mg=D("0.1")) for n in (-5, -4, -3))),
        "lymphodepletion.actual_mg",
        "0.1 mg fludarabine at a creatinine clearance of 29.2 mL/min: it must not be given.",
    ),
    (
        "DV-33",
        put("LD-5 vitals", temp_c=D("38.0")),
        "lymphodepletion.admin_dt",
        "Lymphodepletion began on 2026-03-11 10:00; 38.0 °C were measured on 2026-03-11 08:00, within 24 h before.",
    ),
    (
        "DV-33",
        without("LD-5 vitals"),
        "lymphodepletion.admin_dt",
        "Lymphodepletion began on 2026-03-11 10:00; no temperature of the 24 h before is recorded.",
    ),
    (
        "DV-36",
        put("batch", viability_pct=D("69.99")),
        "manufacturing.viability_pct",
        "Batch B1 fails its specification: Viability 69.99 (≥ 70).",
    ),
    (
        "DV-38",
        put("coi LABELLED", coi_id="COI-2"),
        "chain_of_identity.coi_id",
        "The step “labelled” carries COI-2, other steps of the subject COI-1.",
    ),
    (
        "DV-38",
        without_steps("RECEIVED_SITE"),
        "infusion.inf_start_dt",
        "Missing in the chain of identity: received by site; infused on 2026-03-16.",
    ),
    (
        "DV-40",
        put("coi STORED", temp_max_c=D("-129.9")),
        "chain_of_identity.temp_max_c",
        "Step “stored”: it reached -129.9 °C; a cryopreserved product is kept at -130 °C or below.",
    ),
    (
        "DV-40",
        put("coi COLLECTED", excursion=True),
        "chain_of_identity.excursion",
        "Step “collected”: a temperature excursion is reported; a cryopreserved product is kept at -130 °C or below.",
    ),
    (
        "DV-41",
        put("infusion", post_thaw_viability_pct=D("69.99")),
        "infusion.post_thaw_viability_pct",
        "Infused on 2026-03-16; the viability after thawing was 69.99 %, at least 70 % is required.",
    ),
    (
        "DV-41",
        put("infusion", post_thaw_viability_pct=None),
        "infusion.post_thaw_viability_pct",
        "Infused on 2026-03-16; the viability after thawing is not recorded, at least 70 % is required.",
    ),
    (
        "DV-44",
        without("level"),
        "infusion.actual_per_kg",
        "Which level was infused on 2026-03-16 cannot be compared: no level is allocated.",
    ),
    (
        "DV-44",
        put("infusion", actual_per_kg=None),
        "infusion.actual_per_kg",
        "Which level was infused on 2026-03-16 cannot be compared: the dose given is not entered.",
    ),
    (
        "DV-45",
        without("D0 INF_30M"),
        "infusion.inf_start_dt",
        "vital signs 30 min after start, due 2026-03-16 10:30: no vital signs recorded.",
    ),
    (
        "DV-45",
        put("D0 INF_4H", spo2_pct=None),
        "vital_signs.spo2_pct",
        "vital signs 4 h after start, due 2026-03-16 14:00: no oxygen saturation among the vital signs.",
    ),
    (
        "DV-54",
        without("D1 pk"),
        "infusion.inf_start_dt",
        "Day 1: no PK sample is recorded; it was due from 2026-03-16 to 2026-03-18.",
    ),
    (
        "DV-54",
        put("D1 pk", collect_dt=None),
        "pk_sample.collect_dt",
        "Day 1: the time of its PK sample is not entered; it was due from 2026-03-16 to 2026-03-18.",
    ),
    (
        "DV-56",
        without("D2 crs"),
        "infusion.inf_start_dt",
        "CRS assessment of Day 2 (2026-03-18): no assessment is recorded.",
    ),
    (
        "DV-56",
        put("D2 crs", assess_dt=None),
        "crs_assessment.assess_dt",
        "CRS assessment of Day 2 (2026-03-18): its time is not entered.",
    ),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18T10:00+08:00", dose_number=1)),
        "con_meds.start_dt",
        "tocilizumab begun on 2026-03-18 10:00; no CRS or ICANS of grade 1 or more was graded in the 12 h before.",
    ),
    (
        "DV-57",
        also(drug(TOCI, "2026-03-18", dose_number=1)),
        "con_meds.start_dt",
        "tocilizumab begun on 2026-03-18; no CRS or ICANS of grade 1 or more was graded in the 12 h before.",
    ),
    (
        "DV-58",
        also(drug(TOCI, "2026-03-18T02:01+08:00"), drug(TOCI, "2026-03-18T10:00+08:00")),
        "con_meds.start_dt",
        "Tocilizumab on 2026-03-18T02:01+08:00 and again on 2026-03-18T10:00+08:00; at least 8 h apart.",
    ),
    (
        "DV-58",
        also(drug(TOCI, "2026-03-18"), drug(TOCI, "2026-03-18T10:00+08:00")),
        "con_meds.start_dt",
        "Tocilizumab on 2026-03-18 and again on 2026-03-18T10:00+08:00; at least 8 h apart; the times are not "
        "known well enough to tell.",
    ),
    (
        "DV-60",
        put("event", expected=None),
        "adverse_event.expected",
        "Whether this serious event had to be submitted as a SUSAR in time cannot be told: relation to ssCART-19 "
        "or expectedness is not entered.",
    ),
    (
        "DV-60",
        put("event", expected=False, sae_aware_dt=None),
        "adverse_event.sae_aware_dt",
        "Whether this serious event had to be submitted as a SUSAR in time cannot be told: the time of awareness "
        "is not entered.",
    ),
    (
        "DV-61",
        also(drug("CHEMO", "2026-03-11", route="IV", drug="vincristine")),
        "con_meds.drug_class",
        "vincristine (Chemotherapy) from 2026-03-11 to 2026-03-11; it is prohibited from 2026-03-11 to 2026-06-16.",
    ),
    (
        "DV-61",
        also(drug("CHEMO", "2026-03", route="IV", drug="vincristine", end_dt="")),
        "con_meds.drug_class",
        "vincristine (Chemotherapy) from 2026-03 to now; it is prohibited from 2026-03-11 to 2026-06-16. Its "
        "dates are not known well enough to tell.",
    ),
    (
        "DV-62",
        also(SubsequentTherapy(type="CHEMO", start_date=CHEMO, in_remission="YES")),
        "subsequent_therapy.start_date",
        "Chemotherapy begun on 2026-06-15, before 2026-06-16; remission then: Yes.",
    ),
    (
        "DV-62",
        also(SubsequentTherapy(type="CHEMO", start_date=CHEMO, in_remission="UNKNOWN")),
        "subsequent_therapy.start_date",
        "Chemotherapy begun on 2026-06-15, before 2026-06-16; remission then: Unknown. Whether it broke the "
        "protocol cannot be told.",
    ),
    (
        "DV-64",
        also(EndOfStudy(phase="STUDY", date=date(2026, 3, 20), status="COMPLETE")),
        "end_of_study.phase",
        "The end of the study is recorded (2026-03-20); the investigator has not signed it yet.",
    ),
    (
        "DV-64",
        also(EndOfStudy(phase="STUDY", date=date(2026, 3, 20), status="COMPLETE", lock_state="LOCKED")),
        "end_of_study.phase",
        "The end of the study is recorded (2026-03-20); the investigator did not sign it before it was locked.",
    ),
]


@pytest.mark.parametrize(("rule", "change", "place", "words"), TOLD)
def test_what_is_said_and_where_it_is_mended(rule: str, change: Change, place: str, words: str) -> None:
    found = [(f"{one.form}.{one.field}", one.en) for one in changed(change).of(rule).values()]
    assert (place, words) in found


@pytest.mark.parametrize(
    ("given", "percent"),
    [("49.1", "-10.1"), ("60.1", "+10.1")],
)
def test_a_dose_off_its_plan_is_told_in_per_cent(given: str, percent: str) -> None:
    (found,) = changed(put("flu-4", actual_mg=D(given))).of("DV-30").values()
    assert found.field == "actual_mg" and percent in found.en, found.en


@pytest.mark.parametrize(("planned", "field"), [(None, "planned_mg"), (D("54.6"), "actual_mg")])
def test_the_amount_that_is_missing_is_pointed_at(planned: Any, field: str) -> None:
    change = put("flu-4", planned_mg=planned, **({} if planned is None else {"actual_mg": None}))
    (found,) = changed(change).of("DV-30").values()
    assert found.pending and found.field == field


@pytest.mark.parametrize(
    ("rule", "change"),
    [(row[0], row[1]) for rows in (FIRST, PRODUCT, VISITS, MEDICATION, RECHECKS) for row in rows],
)
def test_the_order_in_which_forms_were_entered_changes_no_finding(rule: str, change: Change) -> None:
    """Two drugs of one moment are told as one dose; either of them may be the one that is pointed at."""
    forms = [form for form in changed(change).values() if form is not None]
    one, other = (
        sorted((found.pending, found.form, found.field, found.limit, len(found.facts)) for found in told)
        for told in (
            [finding for _, finding in find(book(*rows, now=NOW), V1, [RULES[rule]]).values()]
            for rows in (forms, forms[::-1])
        )
    )
    assert one == other
